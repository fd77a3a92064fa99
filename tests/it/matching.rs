//! Figures of the matcher on labelled pairs. Thresholds are a little below what it
//! reaches, so that a loss is caught.

mod pairs;

use emptor::engine::matching::{self, CANDIDATES, Index, Rec, THRESHOLD, Zone, decide_pairs};
use emptor::engine::quantity::{self, Quantity};
use pairs::{Pair, corpora, croatian, f1, magellan, substitutes};
use std::collections::HashMap;

struct Figures {
    f1: f64,
    maybe: f64,
    /// The share of wrong decisions that would have been asked.
    errors_asked: f64,
    same_precision: f64,
}

/// Pairs as `lab match --pairs` sees them: records with equal content are one record.
fn numbered(pairs: &[Pair]) -> (Vec<Rec>, Vec<(usize, usize)>) {
    let mut records: Vec<Rec> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut number = |side: char, rec: &Rec| {
        *known.entry(format!("{side}{rec:?}")).or_insert_with(|| {
            records.push(rec.clone());
            records.len() - 1
        })
    };
    let out = pairs
        .iter()
        .map(|p| (number('l', &p.left), number('r', &p.right)))
        .collect();
    (records, out)
}

fn figures(name: &str, pairs: &[Pair]) -> Figures {
    let (records, numbers) = numbered(pairs);
    let judged = decide_pairs(&records, &numbers);
    let said = |s: f64| s >= THRESHOLD;
    let (precision, recall, mean) = f1(judged
        .iter()
        .zip(pairs)
        .map(|(j, p)| (said(j.score), p.same)));
    let errors = judged
        .iter()
        .zip(pairs)
        .filter(|(j, p)| said(j.score) != p.same);
    let (asked, all) = errors.fold((0.0, 0.0_f64), |(m, n), (j, _)| {
        (m + f64::from(u8::from(j.zone == Zone::Maybe)), n + 1.0)
    });
    let maybe = judged.iter().filter(|j| j.zone == Zone::Maybe).count();
    let same: Vec<bool> = judged
        .iter()
        .zip(pairs)
        .filter(|(j, _)| j.zone == Zone::Same)
        .map(|(_, p)| p.same)
        .collect();
    let right = same.iter().filter(|s| **s).count();
    let out = Figures {
        f1: mean,
        maybe: maybe as f64 / pairs.len() as f64,
        errors_asked: asked / all.max(1.0),
        same_precision: right as f64 / same.len().max(1) as f64,
    };
    println!(
        "{name}: {} pairs, F1 {mean:.3} (P {precision:.3} R {recall:.3}), maybe {:.1} %, errors asked {:.2}, same zone {}/{} = {:.3}",
        pairs.len(),
        out.maybe * 100.0,
        out.errors_asked,
        right,
        same.len(),
        out.same_precision
    );
    out
}

/// The share of true pairs found among the nearest [`CANDIDATES`] of the left record.
fn blocking(name: &str, pairs: &[Pair]) -> f64 {
    let (records, numbers) = numbered(pairs);
    let mut right: Vec<usize> = numbers.iter().map(|n| n.1).collect();
    right.sort_unstable();
    right.dedup();
    let index = Index::build(right.iter().map(|r| &records[*r]));
    let (mut hit, mut all) = (0.0, 0.0);
    for ((l, r), _) in numbers.iter().zip(pairs).filter(|(_, p)| p.same) {
        all += 1.0;
        let found = index.candidates(&records[*l], CANDIDATES);
        if found.iter().any(|c| right[c.record] == *r) {
            hit += 1.0;
        }
    }
    println!(
        "{name}: {} candidates of {} hold {hit} of {all} = {:.4}",
        CANDIDATES,
        right.len(),
        hit / all
    );
    hit / all
}

#[test]
fn packs_and_units_of_a_thousand_titles() {
    let gold = include_str!("../fixtures/matching/gold-titles.jsonl");
    let (mut right, mut all) = (0, 0);
    for line in gold.lines() {
        let gold: serde_json::Value = serde_json::from_str(line).expect("gold line");
        let title = gold["title"].as_str().expect("title");
        let read = quantity::parse(title);
        let expected: Option<Quantity> =
            serde_json::from_value(gold["quantity"].clone()).expect("quantity");
        all += 1;
        if read == expected {
            right += 1;
        } else {
            println!("{title}: {read:?}, expected {expected:?}");
        }
    }
    println!("titles read right: {right} of {all}");
    assert!(all >= 1000);
    assert!(right * 1000 >= all * 990);
}

#[test]
fn abt_buy() {
    let Some(root) = corpora() else { return };
    let valid = magellan(&root.join("matching/abt-buy/valid.txt"));
    let it = figures("abt-buy valid", &valid);
    assert!(it.f1 >= 0.88);
    assert!(it.same_precision >= 0.96);
    assert!(it.maybe <= 0.10);
    let mut all = magellan(&root.join("matching/abt-buy/train.txt"));
    figures("abt-buy train", &all);
    all.extend(valid);
    assert!(blocking("abt-buy", &all) >= 0.98);
}

#[test]
fn beer() {
    let Some(root) = corpora() else { return };
    let mut all = Vec::new();
    for split in ["train", "valid", "test"] {
        let pairs = magellan(&root.join(format!("matching/beer/{split}.txt")));
        assert!(figures(&format!("beer {split}"), &pairs).f1 >= 0.82);
        all.extend(pairs);
    }
    assert!(figures("beer", &all).f1 >= 0.86);
    assert!(blocking("beer", &all) >= 0.99);
}

#[test]
fn croatian_groceries() {
    let Some(root) = corpora() else { return };
    let pairs = croatian(&root, 1500, 8);
    let held_out = &pairs[pairs.len() * 6 / 10..];
    let it = figures("groceries held out", held_out);
    assert!(it.f1 >= 0.7);
    blocking("groceries", &pairs);
}

#[test]
fn substitutes_are_not_the_same() {
    let Some(root) = corpora() else { return };
    let pairs = substitutes(&root);
    let (records, numbers) = numbered(&pairs);
    let judged = decide_pairs(&records, &numbers);
    let same = judged.iter().filter(|j| j.zone == Zone::Same).count();
    println!("substitutes: {same} of {} taken for the same", pairs.len());
    assert!(same <= pairs.len() / 100);
    assert!(judged.iter().all(|j| matching::zone(j.score) == j.zone));
}
