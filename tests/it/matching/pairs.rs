//! Labelled pairs from the corpora: Magellan text files, and pairs derived from the
//! prices of Croatian chains (one GTIN in two chains is one product).

use emptor::engine::matching::Rec;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Two records and whether they are one product.
#[derive(Clone, Debug)]
pub struct Pair {
    pub left: Rec,
    pub right: Rec,
    pub same: bool,
}

/// The corpora, if present; a missing folder is an error under `EMPTOR_REQUIRE_CORPORA`.
pub fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("EMPTOR_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"),
        PathBuf::from,
    );
    if root.join("matching").is_dir() {
        return Some(root);
    }
    assert!(
        std::env::var_os("EMPTOR_REQUIRE_CORPORA").is_none(),
        "no corpora in {}",
        root.display()
    );
    println!("skipped: no corpora");
    None
}

/// A file of `COL x VAL y…<TAB>COL x VAL y…<TAB>label` lines.
pub fn magellan(path: &Path) -> Vec<Pair> {
    std::fs::read_to_string(path)
        .expect("readable pairs")
        .lines()
        .filter_map(|line| {
            let mut sides = line.split('\t');
            Some(Pair {
                left: record(sides.next()?),
                right: record(sides.next()?),
                same: sides.next()?.trim() == "1",
            })
        })
        .collect()
}

fn record(text: &str) -> Rec {
    let mut rec = Rec::default();
    let mut prose = Vec::new();
    for column in text.split("COL ").skip(1) {
        let Some((column, value)) = column.split_once(" VAL ") else {
            continue;
        };
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        match column.to_ascii_lowercase().as_str() {
            "name" | "title" | "beer_name" => rec.name = value.to_owned(),
            "brand" | "manufacturer" | "brew_factory_name" => rec.brand = Some(value.to_owned()),
            "price" => rec.price = value.parse().ok(),
            "modelno" => rec.mpn = Some(value.to_owned()),
            _ => prose.push(value),
        }
    }
    rec.description = (!prose.is_empty()).then(|| prose.join(" "));
    rec
}

/// Pairs of two chains from `prices-hr.csv`: for each of the first `products` numbers
/// sold by both, the true pair and the `others` most similar names of other products.
pub fn croatian(root: &Path, products: usize, others: usize) -> Vec<Pair> {
    let rows = prices(&root.join("grocery/prices-hr.csv"));
    let mut by_gtin: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut by_word: HashMap<(&str, String), Vec<usize>> = HashMap::new();
    let mut frequency: HashMap<String, u32> = HashMap::new();
    for (i, row) in rows.iter().enumerate() {
        by_gtin.entry(&row.gtin).or_default().push(i);
        for word in words(&row.name) {
            *frequency.entry(word.clone()).or_default() += 1;
            by_word.entry((&row.chain, word)).or_default().push(i);
        }
    }
    let mut shared: Vec<&Vec<usize>> = by_gtin
        .values()
        .filter(|list| list.len() > 1 && !rows[list[0]].restricted())
        .collect();
    // A fixed order that has nothing to do with the numbers.
    shared.sort_by_key(|list| scramble(&rows[list[0]].gtin));
    let mut out = Vec::new();
    for list in shared.into_iter().take(products) {
        let pick = scramble(&rows[list[0]].gtin) as usize;
        let (a, b) = (list[pick % list.len()], list[(pick + 1) % list.len()]);
        let (a, b) = (&rows[a], &rows[b]);
        out.push(Pair {
            left: a.rec(),
            right: b.rec(),
            same: true,
        });
        let mut score: HashMap<usize, f64> = HashMap::new();
        for word in words(&a.name) {
            let n = frequency[&word];
            if n < 1500 {
                for i in by_word.get(&(b.chain.as_str(), word)).into_iter().flatten() {
                    *score.entry(*i).or_default() += (rows.len() as f64 / f64::from(n)).ln();
                }
            }
        }
        let mut near: Vec<(usize, f64)> = score.into_iter().collect();
        near.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
        let different = near
            .iter()
            .filter(|(i, _)| rows[*i].gtin != a.gtin)
            .take(others);
        out.extend(different.map(|(i, _)| Pair {
            left: a.rec(),
            right: rows[*i].rec(),
            same: false,
        }));
    }
    out
}

/// Substitutes chosen by hand: items 2k and 2k+1 of each cart are alike, not the same.
pub fn substitutes(root: &Path) -> Vec<Pair> {
    let mut out = Vec::new();
    for cart in ["bio", "budget", "midrange", "momentum"] {
        let path = root.join(format!("grocery/heissepreise/{cart}-cart.json"));
        let text = std::fs::read_to_string(path).expect("readable cart");
        let cart: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let items = cart["items"].as_array().expect("items");
        for pair in items.chunks_exact(2) {
            let rec = |v: &serde_json::Value| Rec {
                name: format!(
                    "{} {} {}",
                    v["name"].as_str().unwrap_or(""),
                    v["quantity"],
                    v["unit"].as_str().unwrap_or("")
                ),
                price: v["price"].as_f64(),
                ..Rec::default()
            };
            out.push(Pair {
                left: rec(&pair[0]),
                right: rec(&pair[1]),
                same: false,
            });
        }
    }
    out
}

/// A line of the price list.
pub struct Row {
    pub gtin: String,
    pub chain: String,
    pub name: String,
    pub price: Option<f64>,
}

impl Row {
    pub fn rec(&self) -> Rec {
        Rec {
            name: self.name.clone(),
            price: self.price,
            ..Rec::default()
        }
    }

    /// Numbers of one chain only (GS1 prefixes 02, 04, 2).
    pub fn restricted(&self) -> bool {
        let n = &self.gtin[1..];
        n.starts_with('2') || n.starts_with("02") || n.starts_with("04")
    }
}

/// All lines of a price list: `gtin,chain,price,regular,name`.
pub fn prices(path: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(path).expect("readable prices");
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.splitn(5, ',');
            let gtin = cells.next()?.to_owned();
            let chain = cells.next()?.to_owned();
            let price = cells.next()?.parse().ok();
            let name = cells.nth(1)?.trim_matches('"').replace("\"\"", "\"");
            (gtin.len() == 14).then_some(Row {
                gtin,
                chain,
                name,
                price,
            })
        })
        .collect()
}

fn words(name: &str) -> Vec<String> {
    let mut out: Vec<String> = name
        .to_lowercase()
        .split(|c: char| !c.is_alphabetic())
        .filter(|w| w.chars().count() >= 3)
        .map(str::to_owned)
        .collect();
    out.sort();
    out.dedup();
    out
}

/// A number that has nothing to do with the order of texts.
pub fn scramble(text: &str) -> u64 {
    let h = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    });
    h >> 20
}

/// Precision, recall and their harmonic mean.
pub fn f1(decided: impl IntoIterator<Item = (bool, bool)>) -> (f64, f64, f64) {
    let (mut tp, mut fp, mut missed) = (0.0, 0.0, 0.0);
    for (said, truth) in decided {
        match (said, truth) {
            (true, true) => tp += 1.0,
            (true, false) => fp += 1.0,
            (false, true) => missed += 1.0,
            (false, false) => {}
        }
    }
    let precision = if tp > 0.0 { tp / (tp + fp) } else { 0.0 };
    let recall = if tp > 0.0 { tp / (tp + missed) } else { 0.0 };
    let mean = if tp > 0.0 {
        2.0 * precision * recall / (precision + recall)
    } else {
        0.0
    };
    (precision, recall, mean)
}
