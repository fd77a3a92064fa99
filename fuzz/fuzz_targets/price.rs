#![no_main]
use emptor::engine::price::{Hints, figures, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let hints = Hints {
        currency: Some(input.1),
        ..Hints::default()
    };
    let _ = read(input.0, &hints);
    let _ = figures(input.0, &hints);
});
