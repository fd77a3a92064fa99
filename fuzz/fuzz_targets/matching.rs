//! Any two titles, with brand and part number: a score that is a chance, the same with
//! and without its reasons; an amount read from a title is above zero.
#![no_main]

use emptor::engine::matching::{self, Index, Prepared, Rec, Vocabulary, decide_pairs, link_tables};
use emptor::engine::quantity;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str, Option<f64>)| {
    let (left, right, more, price) = input;
    let (brand, mpn) = more.split_once('\n').unwrap_or((more, ""));
    let left = Rec {
        name: left.to_owned(),
        brand: Some(brand.to_owned()),
        description: Some(more.to_owned()),
        price,
        gtin: mpn.parse().ok(),
        mpn: Some(mpn.to_owned()),
    };
    let right = Rec {
        name: right.to_owned(),
        price,
        ..Rec::default()
    };
    for rec in [&left, &right] {
        if let Some(found) = quantity::parse(&rec.name) {
            assert!(
                found.amount > Default::default() && found.pieces > 0,
                "{found:?}"
            );
        }
    }
    let vocabulary = Vocabulary::of(&[left.clone(), right.clone()]);
    let a = Prepared::new(&left, &vocabulary);
    let b = Prepared::new(&right, &vocabulary);
    let score = matching::score(&a, &b);
    assert!((0.0..=1.0).contains(&score));
    let explained = matching::explain(&a, &b);
    assert!((explained.score - score).abs() < 1e-9);
    let index = Index::build([&left, &right]);
    assert!(index.candidates(&left, 2).iter().all(|c| c.record < 2));
    let records = [left, right];
    let judged = decide_pairs(&records, &[(0, 1)]);
    assert!((0.0..=1.0).contains(&judged[0].score));
    let links = link_tables(&records[..1], &records[1..]);
    assert!(links.len() <= 1);
});
