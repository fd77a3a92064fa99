//! Finds the few records worth comparing among many: an inverted index over tokens, their
//! beginnings and sizes, scored by inverse document frequencies with a softened
//! normalisation by length (Singhal, Buckley and Mitra, 1996).

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
    /// What the score of each record is multiplied with: less for longer names.
    scale: Vec<f32>,
}

/// A record worth comparing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Its place in the order given to [`Index::build`].
    pub record: usize,
    /// How near it is to the query, 0 to 1.
    pub score: f32,
}

impl Index {
    /// Indexes records in the order given. At most 2³² − 1 of them.
    #[must_use]
    pub fn build<R: std::borrow::Borrow<Rec>>(records: impl IntoIterator<Item = R>) -> Self {
        let mut terms: HashMap<u64, u32, BuildPassThrough> = HashMap::default();
        let mut entries: Vec<(u32, u32)> = Vec::new();
        let mut weights: Vec<f32> = Vec::new();
        let mut count: u32 = 0;
        for rec in records {
            for key in keys(rec.borrow(), false) {
                let next = terms.len() as u32;
                let term = *terms.entry(key.hash).or_insert(next);
                if term == next {
                    weights.push(key.weight);
                }
                entries.push((term, count));
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
            let frequency = (starts[t + 1] - starts[t]) as usize;
            squares[*record as usize] += weights[t] * rarity(count as usize, frequency);
        }
        let scale = squares
            .iter()
            .map(|s| s.max(f32::MIN_POSITIVE).powf(-LENGTH))
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
        let mut lists: Vec<(&[u32], f32)> = keys(rec, true)
            .iter()
            .filter_map(|key| Some((*self.terms.get(&key.hash)? as usize, key.weight)))
            .map(|(t, weight)| {
                let list = &self.records[self.starts[t] as usize..self.starts[t + 1] as usize];
                (list, weight * rarity(self.len(), list.len()))
            })
            .collect();
        lists.sort_by_key(|l| l.0.len());
        let mut found: HashMap<u32, f32, BuildPassThrough> = HashMap::default();
        let mut read = 0;
        let mut common = lists.len();
        for (i, (list, weight)) in lists.iter().enumerate() {
            if i > 0 && read + list.len() > BUDGET {
                common = i;
                break;
            }
            // One token in more than the budget of records: any of them will do.
            let list = &list[..list.len().min(2 * BUDGET)];
            read += list.len();
            found.reserve(list.len());
            for record in list {
                *found.entry(*record).or_default() += weight;
            }
        }
        let length: f32 = lists.iter().map(|l| l.1).sum();
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
            out.sort_unstable_by_key(|c| c.record);
            for (list, weight) in &lists[common..] {
                let mut rest = *list;
                for c in &mut out {
                    rest = skip_to(rest, c.record as u32);
                    if rest.first() == Some(&(c.record as u32)) {
                        c.score += weight * self.scale[c.record];
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
        let length = length.max(f32::MIN_POSITIVE).powf(LENGTH - 1.0);
        for c in &mut out {
            c.score = (c.score * length).min(1.0);
        }
        out
    }
}

/// What remains of an ascending list from `target` on, found by steps that double (Bentley
/// and Yao 1976).
fn skip_to(list: &[u32], target: u32) -> &[u32] {
    let mut step = 1;
    while step < list.len() && list[step - 1] < target {
        step *= 2;
    }
    let (from, to) = (step / 2, step.min(list.len()));
    let at = from + list[from..to].partition_point(|record| *record < target);
    &list[at..]
}

/// How much a term says by how few records have it: a power of the inverse document
/// frequency. Squared, as in the plain cosine, one rare word hides four common ones that
/// agree.
fn rarity(records: usize, frequency: usize) -> f32 {
    (1.0 + records as f32 / frequency.max(1) as f32)
        .ln()
        .powf(1.4)
}

/// One thing that a record is found by.
struct Key {
    hash: u64,
    /// Its say besides its rarity, the same for a kind of key.
    weight: f32,
}

/// What a record is found by. A query also tries neighbouring words as one.
fn keys(rec: &Rec, query: bool) -> Vec<Key> {
    let mut out: Vec<Key> = Vec::with_capacity(32);
    let mut add = |hash: u64, weight: f32| out.push(Key { hash, weight });
    for text in rec.names() {
        let folded = fold(text, MAX_TEXT);
        // Sizes are found however they are written: 250 ml, 0,25 l; 6 x 0,33 l, 1,98 l.
        let (total, measures) = quantity::read_folded(&folded);
        let sizes = measures.iter().map(|m| (m.unit, m.amount));
        for (unit, amount) in sizes.chain(total.map(|t| (t.unit, t.amount))) {
            let amount = amount.normalize();
            let hash = text::hash_chain(MEASURE_SEED, &format!("{unit:?}{amount}"));
            add(hash, MEASURE);
        }
        let tokens = text::tokens(&folded, &[]);
        let word = |t: &text::Token| &folded[t.start as usize..t.end as usize];
        for t in &tokens {
            add(t.hash, 1.0);
            let w = word(t);
            match t.shape {
                Shape::Model => {
                    let code: String = w.chars().filter(|c| c.is_alphanumeric()).collect();
                    for core in codes::cores(&code) {
                        add(text::hash(core), 1.0);
                    }
                }
                // Endings and abbreviations: words are also found by their beginning.
                Shape::Word => {
                    for (length, weight) in STEMS {
                        let mut ends = w.char_indices().map(|(i, c)| i + c.len_utf8());
                        if let Some(end) = ends.nth(length - 1) {
                            add(text::hash_chain(STEM_SEED, &w[..end]), weight);
                        }
                    }
                }
                _ => {}
            }
        }
        if query {
            for pair in tokens.windows(2).filter(|p| !p[0].part && !p[1].part) {
                let (a, b) = (word(&pair[0]), word(&pair[1]));
                if a.len() + b.len() >= 4 {
                    add(text::hash_chain(text::hash(a), b), 1.0);
                }
            }
        }
    }
    if let Some(gtin) = rec.gtin {
        add(text::hash_chain(GTIN_SEED, &gtin.as_gtin14()), 1.0);
    }
    out.sort_unstable_by_key(|k| k.hash);
    out.dedup_by_key(|k| k.hash);
    out
}

/// Letters of the beginnings a word is found by, and their say.
const STEMS: [(usize, f32); 2] = [(3, 1.5), (4, 1.0)];
/// The say of a size: names of one product in two shops agree in little else as often.
const MEASURE: f32 = 3.0;
/// The power of a record's length that its score is divided by. The cosine's 0.5 favours
/// short names a little too much.
const LENGTH: f32 = 0.35;
const MEASURE_SEED: u64 = 0x4d45_4153;
const STEM_SEED: u64 = 0x5747_454d;
const GTIN_SEED: u64 = 0x4754_494e;

#[cfg(test)]
mod tests {
    use super::super::tests::rec;
    use super::*;

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
