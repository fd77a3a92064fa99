#![no_main]
use emptor::engine::extract::{Page, links, read_page};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let page = Page {
        body,
        content_type: None,
        url: None,
    };
    let _ = read_page(&page);
    let _ = links(&page);
});
