//! Speed of matching: pair scores of prepared records, one want against many offers,
//! blocking, and building the index.
//!
//! `cargo bench --bench matching`; the million-record index is built once, outside of
//! criterion, and its time and size are printed.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use emptor::engine::matching::{Index, Prepared, Rec, Vocabulary, nearest, score};
use std::hint::black_box;
use std::time::Instant;

const MAKERS: [&str; 40] = [
    "Bosch",
    "Makita",
    "Sony",
    "Canon",
    "Philips",
    "Siemens",
    "Miele",
    "Logitech",
    "Samsung",
    "LG",
    "Panasonic",
    "Nikon",
    "Braun",
    "Tefal",
    "Krups",
    "Asus",
    "Acer",
    "Dell",
    "Lenovo",
    "Garmin",
    "Barilla",
    "Lavazza",
    "Milka",
    "Nivea",
    "Dove",
    "Persil",
    "Ariel",
    "Knorr",
    "Maggi",
    "Heinz",
    "Alpro",
    "Danone",
    "Zott",
    "Ferrero",
    "Haribo",
    "Lindt",
    "Podravka",
    "Kras",
    "Vegeta",
    "Ledo",
];
const THINGS: [&str; 40] = [
    "drill",
    "printer",
    "headphones",
    "camera",
    "shaver",
    "oven",
    "vacuum",
    "mouse",
    "monitor",
    "washer",
    "speaker",
    "lens",
    "toothbrush",
    "pan",
    "kettle",
    "laptop",
    "tablet",
    "server",
    "phone",
    "watch",
    "spaghetti",
    "coffee",
    "chocolate",
    "cream",
    "soap",
    "detergent",
    "gel",
    "soup",
    "sauce",
    "ketchup",
    "drink",
    "yoghurt",
    "dessert",
    "spread",
    "gums",
    "praline",
    "jam",
    "biscuits",
    "spice",
    "ice cream",
];
const KINDS: [&str; 30] = [
    "black",
    "white",
    "pro",
    "wireless",
    "compact",
    "classic",
    "original",
    "sensitive",
    "fresh",
    "bio",
    "light",
    "intense",
    "vanilla",
    "strawberry",
    "lemon",
    "digital",
    "portable",
    "electric",
    "professional",
    "family",
    "mini",
    "max",
    "silver",
    "red",
    "blue",
    "natural",
    "extra",
    "soft",
    "dark",
    "milk",
];

/// The `i`-th made-up offer; the same for the same number.
fn offer(i: u64) -> Rec {
    let mut state = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678;
    let mut pick = |n: usize| {
        state ^= state >> 30;
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state ^= state >> 27;
        (state % n as u64) as usize
    };
    let maker = MAKERS[pick(40)];
    let name = format!(
        "{maker} {} {} {}{}-{} {} {} g",
        THINGS[pick(40)],
        KINDS[pick(30)],
        &maker[..2].to_uppercase(),
        pick(9000) + 1000,
        ["A", "B", "XT", "S"][pick(4)],
        KINDS[pick(30)],
        (pick(40) + 1) * 25
    );
    Rec {
        name,
        brand: Some(maker.to_owned()),
        price: Some(5.0 + pick(100_000) as f64 / 100.0),
        ..Rec::default()
    }
}

fn pairs(c: &mut Criterion) {
    let records: Vec<Rec> = (0..2000).map(offer).collect();
    let vocabulary = Vocabulary::of(&records);
    let prepared: Vec<Prepared> = records
        .iter()
        .map(|r| Prepared::new(r, &vocabulary))
        .collect();
    let index = Index::build(&records);
    // What blocking hands over: near pairs, the slow ones.
    let near: Vec<(usize, usize)> = (0..500)
        .flat_map(|i| {
            index
                .candidates(&records[i], 5)
                .into_iter()
                .map(move |n| (i, n.record))
        })
        .collect();
    let mut group = c.benchmark_group("score");
    group.throughput(Throughput::Elements(near.len() as u64));
    group.bench_function("pairs", |b| {
        b.iter(|| {
            near.iter()
                .map(|(x, y)| score(&prepared[*x], &prepared[*y]))
                .sum::<f64>()
        });
    });
    group.finish();
    c.bench_function("prepare a record", |b| {
        b.iter(|| Prepared::new(black_box(&records[7]), &vocabulary));
    });
}

fn million(c: &mut Criterion) {
    let start = Instant::now();
    let index = Index::build((0..1_000_000).map(offer));
    println!(
        "index of {} offers built in {:.1?}; {}",
        index.len(),
        start.elapsed(),
        peak_memory()
    );
    let vocabulary = Vocabulary::default();
    let nearest_score = |i: u64| {
        let want = offer(i);
        let left = Prepared::new(&want, &vocabulary);
        let prepare = |record| Prepared::new(&offer(record as u64), &vocabulary);
        nearest(&index, &want, &left, prepare)
            .iter()
            .map(|c| score(&left, &prepare(c.record)))
            .fold(0.0, f64::max)
    };
    let mut times: Vec<f64> = (0..1000)
        .map(|i| {
            let start = Instant::now();
            black_box(nearest_score(i * 997));
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "one want: median {:.1} ms, 95th percentile {:.1} ms",
        times[500], times[950]
    );
    let mut i = 0;
    c.bench_function("one want against 1,000,000 offers", |b| {
        b.iter(|| {
            i += 997;
            nearest_score(i)
        });
    });
}

/// The most memory this process held, where the system tells.
fn peak_memory() -> String {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|s| {
            s.lines()
                .find(|l| l.starts_with("VmHWM"))
                .map(str::to_owned)
        })
        .unwrap_or_default()
}

criterion_group!(benches, pairs, million);
criterion_main!(benches);
