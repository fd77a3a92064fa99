//! Any manifest on any page: no panic, no price out of nothing.
#![no_main]

use emptor::engine::adapter::{self, Manifest, Page};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // The input is a manifest, a zero byte and a page.
    let split = data.iter().position(|b| *b == 0).unwrap_or(data.len());
    let (manifest, body) = data.split_at(split);
    let Ok(text) = std::str::from_utf8(manifest) else {
        return;
    };
    let Ok(manifest) = Manifest::parse(text, "fuzz.toml") else {
        return;
    };
    let url =
        url::Url::parse("https://shop.example/p/1?variant=2").expect("invariant: a valid address");
    let page = Page {
        url: &url,
        status: 200,
        content_type: None,
        body: body.get(1..).unwrap_or_default(),
        shop_currency: None,
    };
    for offer in adapter::read(&manifest, &page).offers {
        assert!(
            offer
                .price
                .is_none_or(|p| p.amount.is_sign_positive() && !p.amount.is_zero())
        );
    }
    let _ = adapter::list(&manifest, &page);
    let _ = manifest.fetch_address(&url);
    let _ = manifest.search_address(&url, "a b", None, 0);
});
