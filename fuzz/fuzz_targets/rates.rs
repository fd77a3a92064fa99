//! A day's exchange rates: no panic, and every rate above zero.
#![no_main]

use emptor::engine::rates;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((_, rates)) = rates::read(bytes) {
        assert!(rates.iter().all(|(_, rate)| *rate > Default::default()));
    }
});
