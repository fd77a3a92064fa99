//! Pages and prices through the readers. Uses our own page, and the real pages of the
//! corpora where they are present.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use emptor::engine::extract::{Page, read_page};
use emptor::engine::{html, price};
use std::hint::black_box;
use std::path::{Path, PathBuf};

fn own_page() -> Vec<u8> {
    let cards: String = (0..200)
        .map(|i| format!("<li class=product-card><a href=/p/{i}><h3>Cup {i}</h3></a><del>9,00 €</del><b class=price>{i},50 €</b></li>"))
        .collect();
    format!(
        "<title>Blue cup</title><h1>Blue cup</h1><script type='application/ld+json'>{{\"@type\":\"Product\",\"name\":\"Blue cup\",\"offers\":{{\"@type\":\"Offer\",\"price\":\"12.50\",\"priceCurrency\":\"EUR\"}}}}</script><b class=price>12,50 €</b><button class=add-to-cart>In den Warenkorb</button><div class=related><ul>{cards}</ul></div>"
    )
    .into_bytes()
}

fn real_pages() -> Vec<Vec<u8>> {
    let folder = std::env::var_os("EMPTOR_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"),
        PathBuf::from,
    );
    let Ok(entries) = std::fs::read_dir(folder.join("pages/html")) else {
        println!("skipped: no corpora");
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|e| std::fs::read(e.path()).ok())
        .collect()
}

fn read(body: &[u8]) {
    black_box(read_page(&Page {
        body: black_box(body),
        content_type: None,
        url: None,
    }));
}

fn pages(c: &mut Criterion) {
    let own = own_page();
    let mut group = c.benchmark_group("extract");
    group.throughput(Throughput::Bytes(own.len() as u64));
    group.bench_function("own page", |b| b.iter(|| read(&own)));
    group.bench_function("own page, parsing only", |b| {
        b.iter(|| black_box(html::parse(black_box(&own), None)))
    });
    let real = real_pages();
    if !real.is_empty() {
        group.sample_size(10);
        group.throughput(Throughput::Elements(real.len() as u64));
        group.bench_function("real pages", |b| {
            b.iter(|| real.iter().for_each(|p| read(p)))
        });
    }
    group.finish();
}

fn prices(c: &mut Criterion) {
    let texts = [
        "1.299,00 €",
        "Was $20.00 Now $15.00",
        "12 x 9,99 zł",
        "Versandkostenfrei ab 50 EUR",
    ];
    c.bench_function("price texts", |b| {
        b.iter(|| {
            for text in texts {
                black_box(price::read(black_box(text), &price::Hints::default()));
            }
        });
    });
}

criterion_group!(benches, pages, prices);
criterion_main!(benches);
