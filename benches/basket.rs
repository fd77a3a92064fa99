//! Time to a proven optimum on generated classic instances (Blazewicz et al. 2010).

use criterion::{Criterion, criterion_group, criterion_main};
use emptor::engine::basket::{Instance, solve};
use std::hint::black_box;

/// The price model of the book instances: a reference price per product, a level per shop.
fn instance(n: u64, m: u64) -> Instance {
    let mut state = 1_u64;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let reference: Vec<u64> = (0..n).map(|_| 500 * (1 + draw(5))).collect();
    let mut rows = Vec::new();
    for _ in 0..m {
        let low = 69 + draw(40);
        let price = |r: &u64| (r * (low + draw(38)) / 100).to_string();
        rows.push(format!(
            "[{}]",
            reference.iter().map(price).collect::<Vec<_>>().join(",")
        ));
    }
    let delivery: Vec<String> = (0..m).map(|_| (500 * (1 + draw(6))).to_string()).collect();
    let json = format!(
        r#"{{"schema":"isop/1","n":{n},"m":{m},"price":[{}],"delivery":[{}]}}"#,
        rows.join(","),
        delivery.join(",")
    );
    Instance::from_json(&json).expect("a valid instance")
}

fn classic(c: &mut Criterion) {
    for (n, m) in [(5, 20), (50, 240)] {
        let instance = instance(n, m);
        c.bench_function(&format!("isop {n} products {m} shops"), |b| {
            b.iter(|| solve(black_box(&instance), &mut || false));
        });
    }
}

criterion_group!(benches, classic);
criterion_main!(benches);
