//! Finds the few records worth comparing among many: an inverted index over tokens,
//! scored by the cosine of inverse document frequencies (Salton and Buckley, 1988).

use super::prepare::BuildPassThrough;
use super::text::{self, Shape};
use super::{Rec, codes};
use crate::engine::fold::fold;
use crate::engine::quantity;
use std::collections::HashMap;

/// Longer names are cut.
const MAX_TEXT: usize = 400;
/// Postings read for one query before common tokens only re-score what was found.
const BUDGET: usize = 50_000;
/// Records re-scored with the common tokens.
const SHORTLIST: usize = 400;

/// An index of records by the tokens of their names, brands and numbers.
///
/// About 150 bytes a record: it holds no text.
#[derive(Debug, Default)]
pub struct Index {
    terms: HashMap<u64, u32, BuildPassThrough>,
    /// Where the records of each term start in `records`.
    starts: Vec<u32>,
    /// For each term the records that have it, ascending.
    records: Vec<u32>,
    /// One over the length of each record as a vector.
    scale: Vec<f32>,
}

/// A record worth comparing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Its place in the order given to [`Index::build`].
    pub record: usize,
    /// The cosine with the query, 0 to 1.
    pub score: f32,
}

impl Index {
    /// Indexes records in the order given. At most 2³² − 1 of them.
    #[must_use]
    pub fn build<R: std::borrow::Borrow<Rec>>(records: impl IntoIterator<Item = R>) -> Self {
        let mut terms: HashMap<u64, u32, BuildPassThrough> = HashMap::default();
        let mut entries: Vec<(u32, u32)> = Vec::new();
        let mut count: u32 = 0;
        for rec in records {
            for hash in keys(rec.borrow(), false) {
                let next = terms.len() as u32;
                entries.push((*terms.entry(hash).or_insert(next), count));
            }
            count = count.saturating_add(1);
        }
        // Counting sort by term keeps the records of each in order.
        let mut starts = vec![0_u32; terms.len() + 1];
        for (term, _) in &entries {
            starts[*term as usize + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut records = vec![0_u32; entries.len()];
        let mut squares = vec![0.0_f32; count as usize];
        for (term, record) in &entries {
            let t = *term as usize;
            records[next[t] as usize] = *record;
            next[t] += 1;
            let idf = rarity(count as usize, (starts[t + 1] - starts[t]) as usize);
            squares[*record as usize] += idf * idf;
        }
        let scale = squares
            .iter()
            .map(|s| 1.0 / s.sqrt().max(f32::MIN_POSITIVE))
            .collect();
        Self {
            terms,
            starts,
            records,
            scale,
        }
    }

    /// How many records it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scale.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scale.is_empty()
    }

    /// The `k` records nearest to `rec`, nearest first.
    #[must_use]
    pub fn candidates(&self, rec: &Rec, k: usize) -> Vec<Candidate> {
        let mut lists: Vec<&[u32]> = keys(rec, true)
            .iter()
            .filter_map(|hash| self.terms.get(hash))
            .map(|t| {
                &self.records
                    [self.starts[*t as usize] as usize..self.starts[*t as usize + 1] as usize]
            })
            .collect();
        lists.sort_by_key(|l| l.len());
        let mut found: HashMap<u32, f32> = HashMap::new();
        let mut read = 0;
        let mut common = lists.len();
        for (i, list) in lists.iter().enumerate() {
            if i > 0 && read + list.len() > BUDGET {
                common = i;
                break;
            }
            // One token in more than the budget of records: any of them will do.
            let list = &list[..list.len().min(2 * BUDGET)];
            read += list.len();
            let idf = rarity(self.len(), list.len());
            for record in list {
                *found.entry(*record).or_default() += idf * idf;
            }
        }
        let length: f32 = lists
            .iter()
            .map(|l| rarity(self.len(), l.len()).powi(2))
            .sum();
        let mut out: Vec<Candidate> = found
            .into_iter()
            .map(|(record, score)| Candidate {
                record: record as usize,
                score: score * self.scale[record as usize],
            })
            .collect();
        let order = |a: &Candidate, b: &Candidate| {
            b.score.total_cmp(&a.score).then(a.record.cmp(&b.record))
        };
        if common < lists.len() {
            if out.len() > SHORTLIST {
                out.select_nth_unstable_by(SHORTLIST, order);
                out.truncate(SHORTLIST);
            }
            for list in &lists[common..] {
                let idf = rarity(self.len(), list.len());
                for c in &mut out {
                    if list.binary_search(&(c.record as u32)).is_ok() {
                        c.score += idf * idf * self.scale[c.record];
                    }
                }
            }
        }
        if k == 0 {
            return Vec::new();
        }
        if out.len() > k {
            out.select_nth_unstable_by(k - 1, order);
            out.truncate(k);
        }
        out.sort_unstable_by(order);
        let length = length.sqrt().max(f32::MIN_POSITIVE);
        for c in &mut out {
            c.score = (c.score / length).min(1.0);
        }
        out
    }
}

/// Inverse document frequency.
fn rarity(records: usize, frequency: usize) -> f32 {
    (1.0 + records as f32 / frequency.max(1) as f32).ln()
}

/// What a record is found by. A query also tries neighbouring words as one.
fn keys(rec: &Rec, query: bool) -> Vec<u64> {
    let mut out = Vec::with_capacity(24);
    for text in [
        Some(rec.name.as_str()),
        rec.brand.as_deref(),
        rec.mpn.as_deref(),
    ]
    .into_iter()
    .flatten()
    {
        let folded = fold(text, MAX_TEXT);
        // Sizes are found however they are written: 250 ml, 0,25 l.
        let (_, measures) = quantity::read_folded(&folded);
        out.extend(measures.iter().map(|m| {
            let amount = m.amount.normalize();
            text::hash_chain(MEASURE_SEED, &format!("{:?}{amount}", m.unit))
        }));
        let tokens = text::tokens(&folded, &[]);
        let word = |t: &text::Token| &folded[t.start as usize..t.end as usize];
        for t in &tokens {
            out.push(t.hash);
            let w = word(t);
            match t.shape {
                Shape::Model => {
                    let code: String = w.chars().filter(|c| c.is_alphanumeric()).collect();
                    out.extend(codes::cores(&code).map(text::hash));
                }
                // Endings and abbreviations: words are also found by their beginning.
                Shape::Word => out.extend(STEMS.iter().filter_map(|length| {
                    let mut ends = w.char_indices().map(|(i, c)| i + c.len_utf8());
                    Some(text::hash_chain(STEM_SEED, &w[..ends.nth(length - 1)?]))
                })),
                _ => {}
            }
        }
        if query {
            for pair in tokens.windows(2).filter(|p| !p[0].part && !p[1].part) {
                let (a, b) = (word(&pair[0]), word(&pair[1]));
                if a.len() + b.len() >= 4 {
                    out.push(text::hash_chain(text::hash(a), b));
                }
            }
        }
    }
    if let Some(gtin) = rec.gtin {
        out.push(text::hash_chain(GTIN_SEED, &gtin.as_gtin14()));
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// Letters of the beginnings a word is found by.
const STEMS: [usize; 2] = [3, 5];
const MEASURE_SEED: u64 = 0x4d45_4153;
const STEM_SEED: u64 = 0x5747_454d;
const GTIN_SEED: u64 = 0x4754_494e;

#[cfg(test)]
mod tests {
    use super::*;

    fn rec(name: &str) -> Rec {
        Rec {
            name: name.to_owned(),
            ..Rec::default()
        }
    }

    #[test]
    fn the_nearest_come_first() {
        let index = Index::build(
            [
                "Bosch GSR 12V-15 drill",
                "Bosch GSB 18V-55",
                "Makita DF333D drill",
                "Milch 3,5% 1 l",
            ]
            .map(rec),
        );
        let found = index.candidates(&rec("gsr12v-15 bosch"), 2);
        assert_eq!(found[0].record, 0);
        assert_eq!(found.len(), 2);
        assert!(found[0].score > found[1].score && found[0].score <= 1.0);
        assert_eq!(index.candidates(&rec("zzzz"), 3), []);
        assert_eq!(index.candidates(&rec("bosch"), 0), []);
        assert!(Index::default().candidates(&rec("bosch"), 3).is_empty());
    }

    #[test]
    fn a_common_token_alone_is_bounded() {
        let index = Index::build((0..2000).map(|i| rec(&format!("common word{i}"))));
        assert_eq!(index.candidates(&rec("common"), 12).len(), 12);
        assert_eq!(index.candidates(&rec("common word77"), 12)[0].record, 77);
    }
}
