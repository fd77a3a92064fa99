//! One observation through a rule and through the detector; one advice.

use criterion::{Criterion, criterion_group, criterion_main};
use emptor::engine::alert::detector::{DEFAULT_SENSITIVITY, Detector};
use emptor::engine::alert::wait::advise;
use emptor::engine::alert::{AlertState, Seen, Tuning};
use emptor::model::time::{SignedDuration, Timestamp};
use emptor::model::{AlertRule, Availability, Currency, Money};
use std::hint::black_box;

/// Six years of prices that jitter daily and go on sale monthly: the dear case.
fn prices() -> Vec<i64> {
    (0..2190_i64)
        .map(|d| (if d % 30 >= 23 { 70_000 } else { 100_000 }) + (d * 7919) % 2003)
        .collect()
}

fn alert(c: &mut Criterion) {
    let prices = prices();
    c.bench_function("detector, one observation", |b| {
        let mut detector = Detector::default();
        let mut day = 0;
        b.iter(|| {
            let price = prices[usize::try_from(day).unwrap_or(0) % prices.len()];
            day += 1;
            black_box(detector.observe(day, price, DEFAULT_SENSITIVITY))
        });
    });
    c.bench_function("rule, one observation", |b| {
        let rule = AlertRule::PercentUnderUsual(15);
        let tuning = Tuning::default();
        let mut state = AlertState::default();
        let mut at = Timestamp::UNIX_EPOCH;
        let mut day = 0;
        b.iter(|| {
            let seen = Seen {
                at,
                cost: Some(Money::from_minor(prices[day % prices.len()], Currency::EUR)),
                availability: Availability::InStock,
                known: true,
            };
            day += 1;
            // Wrap round before the calendar ends, with a fresh state.
            at = at
                .checked_add(SignedDuration::from_hours(24))
                .unwrap_or_else(|_| {
                    state = AlertState::default();
                    Timestamp::UNIX_EPOCH
                });
            black_box(state.observe(&rule, &seen, &tuning))
        });
    });
    c.bench_function("wait, one advice on six years", |b| {
        b.iter(|| black_box(advise(black_box(&prices), 30)));
    });
}

criterion_group!(benches, alert);
criterion_main!(benches);
