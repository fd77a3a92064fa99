//! A provider's reply: whatever the bytes, an answer or an error, and never a quote
//! without a price above zero.
#![no_main]

use emptor::engine::quote::{self, Content};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for reply in quote::read(bytes).unwrap_or_default() {
        if let Content::Quote { offer, .. } = reply.content {
            let price = offer.price.expect("a quote has a price");
            assert!(price.amount > Default::default());
        }
    }
});
