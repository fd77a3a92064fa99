//! A shop's front page and a short page of results: no panic, and a search template has
//! exactly one place for the words.
#![no_main]

use emptor::engine::discover;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let url = url::Url::parse("https://shop.example/").expect("a URL");
    let front = discover::front_page(bytes, None, &url);
    if let Some(search) = front.search {
        assert_eq!(search.matches("{query}").count(), 1);
        assert!(discover::fill(&search, "a b").is_some());
    }
    let _ = discover::product_links(bytes, None, &url);
});
