//! The few records worth deciding on: the index finds several times as many, and the score
//! of each pair helps to order them. The index knows rarity, the score knows abbreviations,
//! model numbers, packs and prices; each misses twins that the other sees.

use super::index::{Candidate, Index};
use super::{Prepared, Rec, Vocabulary, identity, score};
use std::borrow::Borrow;

/// Records handed over for each record, at most.
pub const CANDIDATES: usize = 12;
/// Records of the index that are scored for them.
const COMPARED: usize = 50;
/// So many of the index's first are handed over whatever their score: it may take another
/// size or flavour where a label is only written another way.
const FIRST: usize = 4;
/// What the logarithm of the index's score counts beside the log-odds of the pair.
const FOUND: f64 = 3.0;

/// The [`CANDIDATES`] records of `index` nearest to `rec`, nearest first. `record` gives an
/// indexed record made ready, with the same vocabulary as `prepared`, which is `rec`.
pub fn nearest<P: Borrow<Prepared>>(
    index: &Index,
    rec: &Rec,
    prepared: &Prepared,
    record: impl Fn(usize) -> P,
) -> Vec<Candidate> {
    let mut found: Vec<(f64, usize, Candidate)> = index
        .candidates(rec, COMPARED)
        .into_iter()
        .enumerate()
        .map(|(rank, c)| {
            let other = record(c.record);
            (order(prepared, other.borrow(), c.score), rank, c)
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut others = CANDIDATES - found.len().min(FIRST);
    found.retain(|(_, rank, _)| {
        let kept = *rank < FIRST || others > 0;
        others -= usize::from(*rank >= FIRST && kept);
        kept
    });
    found.into_iter().map(|(.., c)| c).collect()
}

fn order(a: &Prepared, b: &Prepared, found: f32) -> f64 {
    if identity::decide(a.gtin, b.gtin) == Some(identity::Verdict::Equal) {
        return f64::INFINITY;
    }
    let found = f64::from(found.max(f32::MIN_POSITIVE));
    score::log_odds_of(score(a, b)) + FOUND * found.ln()
}

/// The pairs of two tables worth comparing: the nearest of each side to each record.
#[must_use]
pub fn block(left: &[Rec], right: &[Rec]) -> Vec<(usize, usize)> {
    let vocabulary = Vocabulary::of(left.iter().chain(right));
    let prepare = |table: &[Rec]| -> Vec<Prepared> {
        let ready = table.iter().map(|r| Prepared::new(r, &vocabulary));
        ready.collect()
    };
    block_prepared((left, &prepare(left)), (right, &prepare(right)))
}

/// As [`block`], for records with what was made ready of them.
pub(super) fn block_prepared(
    left: (&[Rec], &[Prepared]),
    right: (&[Rec], &[Prepared]),
) -> Vec<(usize, usize)> {
    let mut pairs = one_way(left, right);
    pairs.extend(one_way(right, left).into_iter().map(|(r, l)| (l, r)));
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn one_way(of: (&[Rec], &[Prepared]), among: (&[Rec], &[Prepared])) -> Vec<(usize, usize)> {
    let index = Index::build(among.0);
    let mut pairs = Vec::with_capacity(of.0.len() * CANDIDATES);
    for (i, (rec, prepared)) in of.0.iter().zip(of.1).enumerate() {
        let near = nearest(&index, rec, prepared, |n| &among.1[n]);
        pairs.extend(near.iter().map(|c| (i, c.record)));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::super::tests::rec;
    use super::*;

    #[test]
    fn the_score_of_the_pair_brings_the_right_size_forward() {
        // Twenty sizes of one thing, told apart by little else.
        let table: Vec<Rec> = (1..=20)
            .map(|i| rec(&format!("Fresh cotton fabric softener {} ml", i * 125)))
            .collect();
        let vocabulary = Vocabulary::of(&table);
        let ready: Vec<Prepared> = table
            .iter()
            .map(|r| Prepared::new(r, &vocabulary))
            .collect();
        let index = Index::build(&table);
        let wanted = rec("softener fresh cotton 2,5 l");
        let near = nearest(&index, &wanted, &Prepared::new(&wanted, &vocabulary), |i| {
            &ready[i]
        });
        assert_eq!(near.len(), CANDIDATES);
        assert_eq!(near[0].record, 19);
    }

    #[test]
    fn an_equal_number_is_nearest_whatever_the_names() {
        let gtin = "4006381333931".parse().ok();
        let mut table: Vec<Rec> = (0..30).map(|i| rec(&format!("Pencil HB {i}"))).collect();
        table[29] = Rec {
            gtin,
            ..rec("Bleistift")
        };
        let wanted = Rec {
            gtin,
            ..rec("Pencil HB")
        };
        let pairs = block(&[wanted], &table);
        assert!(pairs.contains(&(0, 29)));
        assert!(block(&[], &table).is_empty());
    }
}
