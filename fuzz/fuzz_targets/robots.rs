#![no_main]

use emptor::engine::robots::Robots;
use libfuzzer_sys::fuzz_target;

// A file, a zero byte, an address.
fuzz_target!(|data: &[u8]| {
    let split = data.iter().position(|b| *b == 0).unwrap_or(data.len());
    let url = String::from_utf8_lossy(data.get(split + 1..).unwrap_or_default());
    let robots = Robots::parse(&data[..split]);
    let decision = robots.decide("emptor", &url);
    // The deciding rule says what was decided, and without one all is allowed.
    assert_eq!(decision.allowed, decision.rule.is_none_or(|r| r.allow));
});
