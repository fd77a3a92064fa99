//! Any series of prices: no panic, no more than 2 KB to remember, and chances that are
//! chances.
#![no_main]

use emptor::engine::alert::detector::Detector;
use emptor::engine::alert::plausible::{Belief, Plausible};
use emptor::engine::alert::wait::advise;
use emptor::engine::alert::{AlertState, Seen, Tuning};
use emptor::model::time::{SignedDuration, Timestamp};
use emptor::model::{AlertRule, Availability, Currency, Money};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

const MAX_STATE: usize = 2_048;
const MAX_ORDINARY: i64 = 1_000_000_000;
const MAX_DAYS: usize = 400;

fn price(u: &mut Unstructured<'_>, last: i64) -> Result<i64> {
    Ok(match u.int_in_range(0..=9)? {
        0 => u.arbitrary()?,
        1 => u.int_in_range(-1..=2)?,
        2 | 3 => u.int_in_range(1..=5_000)?,
        4 => last.saturating_mul(10),
        5 => last / 10,
        _ => last,
    })
}

fn series(u: &mut Unstructured<'_>) -> Result<(Vec<i64>, usize, f64, AlertRule)> {
    let rules = [
        "better",
        "back in stock",
        "low in 30 days",
        "15% under usual",
        "under 9 EUR",
    ];
    let rule = u.choose(&rules)?.parse().expect("a rule");
    let deadline = usize::from(u.arbitrary::<u16>()?);
    let sensitivity = f64::from(u.arbitrary::<u8>()?) / 255.0;
    let mut prices = Vec::new();
    let mut last = 1_000;
    while !u.is_empty() && prices.len() < MAX_DAYS {
        last = price(u, last)?;
        // A price stays for a while.
        let days = u.int_in_range(1..=20)?;
        prices.extend(std::iter::repeat_n(last, days));
    }
    Ok((prices, deadline, sensitivity, rule))
}

fuzz_target!(|bytes: &[u8]| {
    let Ok((prices, deadline, sensitivity, rule)) = series(&mut Unstructured::new(bytes)) else {
        return;
    };
    let (mut plausible, mut detector) = (Plausible::default(), Detector::default());
    let mut state = AlertState::default();
    let euro: Currency = "EUR".parse().expect("a currency");
    for (day, price) in (0..).zip(&prices) {
        if plausible.look(day, *price) == Belief::NewLevel {
            detector = Detector::default();
        }
        if let Some(news) = detector.observe(day, *price, sensitivity) {
            assert!(news.saving > 0.0 && news.saving <= 1.0);
        }
        let hours = SignedDuration::from_hours(24 * i64::from(day));
        let seen = Seen {
            at: Timestamp::UNIX_EPOCH + hours,
            cost: Some(Money::from_minor(*price, euro)),
            availability: if price % 7 == 0 {
                Availability::OutOfStock
            } else {
                Availability::InStock
            },
            known: price % 11 != 0,
        };
        let _ = state.observe(&rule, &seen, &Tuning::default());
    }
    for size in [
        serde_json::to_string(&detector).map(|s| s.len()),
        serde_json::to_string(&state).map(|s| s.len()),
    ] {
        // Ninety prices of nineteen digits alone are more.
        let ordinary = prices.iter().all(|p| *p < MAX_ORDINARY);
        assert!(!ordinary || size.expect("writes") <= MAX_STATE);
    }
    let advice = advise(&prices, deadline);
    assert!((0.0..=1.0).contains(&advice.chance) && (0.0..=1.0).contains(&advice.dearer));
    assert!(advice.saving <= 1.0);
});
