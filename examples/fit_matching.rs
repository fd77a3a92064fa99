//! Fits the weights of `engine::matching` on the training splits, writes the table on
//! stdout and how well it does on stderr.
//!
//! `cargo run --release --example fit_matching > weights.rs` and then move it to
//! `src/engine/matching/weights.rs`.
//!
//! Logistic regression where no evidence may count the wrong way, and what speaks against
//! a pair weighs between half and twice what an expert would give it: the training sets
//! know nothing of software editions or game consoles. Every set has the same say, whatever its
//! size; sets are also shown without descriptions and prices, so that the weights hold
//! where those are missing. No validation or test split is read for fitting.

#[path = "../tests/it/matching/pairs.rs"]
mod pairs;

use emptor::engine::matching::Rec;
use emptor::engine::matching::{Prepared, Vocabulary, evidence, evidence_names, evidence_priors};
use pairs::{Pair, corpora, croatian, f1, magellan, substitutes};
use std::collections::HashSet;

/// Evidence and label of the pairs of one set, and the say of the set.
struct Set {
    name: &'static str,
    rows: Vec<(Vec<f32>, bool)>,
    say: f64,
}

fn main() {
    let Some(root) = corpora() else { return };
    let load = |file: &str| magellan(&root.join("matching").join(file));
    let abt = load("abt-buy/train.txt");
    let beer = load("beer/train.txt");
    let mut grocery = croatian(&root, 1500, 8);
    let grocery_valid = grocery.split_off(grocery.len() * 6 / 10);
    let train = [
        set("abt", &abt, 1.0),
        set("abt bare", &bare(&abt), 0.5),
        set("abt no price", &without_price(&abt), 0.5),
        set("abt columns", &with_columns(&abt), 0.5),
        set("abt no maker", &without_maker(&abt), 0.25),
        set("abt no number", &without_number(&abt), 0.25),
        set("beer", &beer, 0.5),
        set("grocery", &grocery, 0.5),
        set("substitutes", &substitutes(&root), 0.1),
    ];
    let held_out = [
        set("abt valid", &load("abt-buy/valid.txt"), 0.0),
        set("beer valid", &load("beer/valid.txt"), 0.0),
        set("grocery valid", &grocery_valid, 0.0),
    ];
    let one: Vec<&Set> = train.iter().collect();
    let (bias, weights) = fit(&one);
    println!("//! The weights of the evidence, in log-odds, in the order of `features`.");
    println!("//! Written by `cargo run --release --example fit_matching`.\n");
    println!("/// The log-odds of a pair without any evidence.");
    println!("pub(super) const BIAS: f32 = {bias:.2};\n");
    println!("/// One weight a kind of evidence.");
    println!("#[rustfmt::skip]");
    println!("pub(super) const WEIGHTS: [f32; {}] = [", weights.len());
    for (w, name) in weights.iter().zip(evidence_names()) {
        println!("    {w:.2}, // {name}");
    }
    println!("];");
    for s in train.iter().chain(&held_out) {
        report("all", s, bias, &weights);
    }
    for (name, chosen) in [
        ("abt only", &train[..6]),
        ("beer only", &train[6..7]),
        ("grocery only", &train[7..8]),
    ] {
        let (bias, weights) = fit(&chosen.iter().collect::<Vec<_>>());
        for s in &held_out {
            report(name, s, bias, &weights);
        }
    }
    // What carries over to data of a kind never fitted on.
    for (name, out, valid) in [
        ("without abt", 0..6, 0),
        ("without beer", 6..7, 1),
        ("without grocery", 7..9, 2),
    ] {
        let rest = train.iter().enumerate().filter(|(i, _)| !out.contains(i));
        let (bias, weights) = fit(&rest.map(|(_, set)| set).collect::<Vec<_>>());
        report(name, &held_out[valid], bias, &weights);
    }
}

fn set(name: &'static str, pairs: &[Pair], say: f64) -> Set {
    let vocabulary = Vocabulary::of(pairs.iter().flat_map(|p| [&p.left, &p.right]));
    let rows = pairs
        .iter()
        .map(|p| {
            let a = Prepared::new(&p.left, &vocabulary);
            let b = Prepared::new(&p.right, &vocabulary);
            (evidence(&a, &b), p.same)
        })
        .collect();
    Set { name, rows, say }
}

fn bare(pairs: &[Pair]) -> Vec<Pair> {
    let mut out = without_price(pairs);
    for p in &mut out {
        p.left.description = None;
        p.right.description = None;
    }
    out
}

fn without_price(pairs: &[Pair]) -> Vec<Pair> {
    let mut out = pairs.to_vec();
    for p in &mut out {
        p.left.price = None;
    }
    out
}

/// The same records as tables with columns have them: the maker, which is the first word
/// here, and for some the model number apart from the name.
fn with_columns(pairs: &[Pair]) -> Vec<Pair> {
    let makers: HashSet<String> = pairs.iter().filter_map(|p| first(&p.left.name)).collect();
    let split = |rec: &Rec, number: bool| {
        let mut rec = rec.clone();
        rec.brand = first(&rec.name).filter(|w| makers.contains(w));
        let last = rec.name.rsplit(' ').next().unwrap_or_default().to_owned();
        let digits = last.bytes().filter(u8::is_ascii_digit).count();
        if number && digits >= 2 && last.len() >= 5 && rec.name.len() > last.len() + 8 {
            rec.name.truncate(rec.name.len() - last.len());
            rec.mpn = Some(last);
        }
        rec
    };
    let column = |rec: &Rec| rec.name.len().is_multiple_of(2);
    pairs
        .iter()
        .map(|p| Pair {
            left: split(&p.left, column(&p.left)),
            right: split(&p.right, column(&p.right)),
            same: p.same,
        })
        .collect()
}

/// The same records as lists have them whose titles leave the maker out: here it is the first
/// word of either name.
fn without_maker(pairs: &[Pair]) -> Vec<Pair> {
    let mut out = bare(pairs);
    for (i, p) in out.iter_mut().enumerate() {
        let rec = if i % 4 == 0 {
            &mut p.left
        } else if i % 4 == 1 {
            &mut p.right
        } else {
            continue;
        };
        if let Some((_, rest)) = rec.name.split_once(' ') {
            rec.name = rest.to_owned();
        }
    }
    out
}

/// The same records as lists have them that name no model number, which books, software and
/// games do not have: it is left out of either name, or of both.
fn without_number(pairs: &[Pair]) -> Vec<Pair> {
    let number = |word: &&str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        word.len() >= 5 && digits >= 2
    };
    let strip = |rec: &mut Rec| {
        let kept: Vec<&str> = rec.name.split(' ').filter(|w| !number(w)).collect();
        if !kept.is_empty() {
            rec.name = kept.join(" ");
        }
    };
    let mut out = bare(pairs);
    for (i, p) in out.iter_mut().enumerate() {
        if i % 4 != 1 {
            strip(&mut p.left);
        }
        if i % 4 != 0 {
            strip(&mut p.right);
        }
    }
    out
}

fn first(name: &str) -> Option<String> {
    name.split(' ').next().map(str::to_owned)
}

/// Projected gradient descent with Adam's steps (Kingma and Ba, 2015).
fn fit(sets: &[&Set]) -> (f32, Vec<f32>) {
    const PENALTY: f64 = 2e-4;
    let priors = evidence_priors();
    let n = priors.len();
    let mut w: Vec<f64> = priors.iter().map(|p| f64::from(*p)).collect();
    w.push(-6.0);
    let (mut m, mut s) = (vec![0.0; n + 1], vec![0.0; n + 1]);
    let mut step = 0.05;
    for round in 1..=1500_i32 {
        let mut gradient = vec![0.0; n + 1];
        for set in sets {
            let share = set.say / set.rows.len() as f64;
            for (x, same) in &set.rows {
                let z = w[n]
                    + x.iter()
                        .zip(&w)
                        .map(|(x, w)| f64::from(*x) * w)
                        .sum::<f64>();
                let error = share * (1.0 / (1.0 + (-z).exp()) - f64::from(u8::from(*same)));
                for (g, x) in gradient.iter_mut().zip(x) {
                    *g += error * f64::from(*x);
                }
                gradient[n] += error;
            }
        }
        if round == 1000 {
            step = 0.01;
        }
        for i in 0..=n {
            let g = gradient[i]
                + if i < n {
                    PENALTY * (w[i] - f64::from(priors[i]))
                } else {
                    0.0
                };
            m[i] = 0.9 * m[i] + 0.1 * g;
            s[i] = 0.999 * s[i] + 0.001 * g * g;
            let mean = m[i] / (1.0 - 0.9_f64.powi(round));
            let spread: f64 = s[i] / (1.0 - 0.999_f64.powi(round));
            w[i] -= step * mean / (spread.sqrt() + 1e-8);
            if i < n {
                let prior = f64::from(priors[i]);
                w[i] = if prior > 0.0 {
                    w[i].clamp(0.0, 3.0 * prior)
                } else {
                    w[i].clamp(2.0 * prior, 0.5 * prior)
                };
            }
        }
    }
    let weights = w[..n].iter().map(|w| *w as f32).collect();
    (w[n] as f32, weights)
}

fn report(fitted: &str, set: &Set, bias: f32, weights: &[f32]) {
    let scored: Vec<(f32, bool)> = set
        .rows
        .iter()
        .map(|(x, same)| {
            (
                bias + x.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>(),
                *same,
            )
        })
        .collect();
    let at = |t: f32| f1(scored.iter().map(|(z, same)| (*z >= t, *same)));
    let (p, r, f) = at(0.0);
    let best = (-30..30)
        .map(|i| (at(i as f32 / 10.0).2, i))
        .fold((0.0, 0), |a, b| if b.0 > a.0 { b } else { a });
    eprintln!(
        "{fitted:15} on {:13}: F1 {f:.3} (P {p:.3} R {r:.3}), best {:.3} at log-odds {:.1}",
        set.name,
        best.0,
        best.1 as f32 / 10.0
    );
}
