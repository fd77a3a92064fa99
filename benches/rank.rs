//! Ranking, short list and explanation of many offers; landed cost of one.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use emptor::engine::landed::{DeliveryPrior, LandedContext, landed};
use emptor::engine::rank::{Request, rank};
use emptor::model::seller::DeliveryRule;
use emptor::model::{Currency, Offer};
use serde_json::json;
use std::hint::black_box;

/// A small linear congruential generator: the bench needs spread, not quality.
fn numbers(mut state: u64) -> impl FnMut() -> f64 {
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 40) as u32) / f64::from(1_u32 << 24)
    }
}

/// Offers whose quality drives their price; 8 % of the values unknown, and 15 % of the
/// delivery fees.
fn request(offers: usize, criteria: usize) -> Request {
    let mut next = numbers(7);
    let base = 50_000.0;
    let criteria_json: Vec<_> = (0..criteria)
        .map(|k| {
            let worth = [0.0, base * 0.01 * next(), base * (0.01 + 0.06 * next())];
            json!({
                "id": format!("c{k:02}"),
                "worth": {"type": "piecewise", "points": [[0, worth[0]], [5, worth[1]], [10, worth[2]]]},
                "prior": [0.0, base * 0.02, base * 0.05],
            })
        })
        .collect();
    let offers: Vec<_> = (0..offers)
        .map(|i| {
            let quality = next();
            let attrs: serde_json::Map<_, _> = (0..criteria)
                .map(|k| {
                    let value = (10.0 - 8.0 * quality + 4.0 * (next() - 0.5)).clamp(0.0, 10.0);
                    let known = next() >= 0.08;
                    (
                        format!("c{k:02}"),
                        if known { json!(value) } else { json!(null) },
                    )
                })
                .collect();
            json!({
                "id": format!("o{i:06}"),
                "price_cents": (base * (0.7 + 0.5 * quality + 0.2 * (next() - 0.5))).round(),
                "shipping_cents": if next() < 0.15 { json!(null) } else { json!(490) },
                "attrs": attrs,
            })
        })
        .collect();
    serde_json::from_value(json!({
        "schema": "emptor-rank/1", "currency": "EUR", "k": 5, "criteria": criteria_json,
        "priors": {"shipping_cents": [0, 490, 990]}, "risk_aversion": 0.1, "offers": offers,
        "explain": true,
    }))
    .expect("the bench's own request")
}

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("rank");
    for offers in [100, 10_000] {
        let request = request(offers, 12);
        group.bench_function(format!("{offers} offers x 12 criteria"), |b| {
            b.iter(|| rank(black_box(&request)).expect("sound").ranked.len());
        });
    }
    group.finish();

    let offer = Offer {
        price: Some("199.00 EUR".parse().expect("money")),
        ..Offer::default()
    };
    let rule = DeliveryRule::default();
    let prior = DeliveryPrior::default();
    let today = "2026-03-05".parse().expect("date");
    c.bench_function("landed cost", |b| {
        b.iter_batched(
            || LandedContext::new(Currency::EUR, &[], &prior, today),
            |ctx| landed(black_box(&offer), &rule, &ctx),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(all, benches);
criterion_main!(all);
