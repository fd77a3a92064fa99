//! Whole carts of one state by dynamic programming.

use super::{Choose, End, MAX_ENDS, MOST_COMPARED, Rest};

/// A part of a cart: options of the first blocks.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) value: f64,
    pub(super) priced: f64,
    pub(super) totals: [f64; MAX_ENDS],
    /// Goods in the coupon's scope, modulo [`Labels::modulus`].
    pub(super) residue: u32,
    /// Whether it buys anything: an empty cart is none, and must not stand for others.
    pub(super) bought: bool,
    /// Where its last option is written down.
    pub(super) trail: u32,
}

/// Dynamic programming over the blocks of one state: parts of carts are extended block
/// by block, and dropped where another is worth as much and leaves as much room.
pub(super) struct Labels<'a, 's> {
    pub(super) ends: &'a [End<'s>],
    pub(super) options: &'a [Choose],
    pub(super) totals: &'a [f64],
    pub(super) floor: f64,
    pub(super) tolerance: f64,
    /// Carts with the same residue are floored alike; none where that is not known.
    pub(super) modulus: Option<u32>,
    pub(super) residues: &'a [u32],
    /// (trail before, option).
    pub(super) trail: Vec<(u32, u32)>,
    /// No cart that was not looked at is worth more.
    pub(super) given_up: f64,
    /// Some were dropped for others that promise as much.
    pub(super) merged: bool,
}

impl Labels<'_, '_> {
    /// The whole carts that are left, most valuable first; at most `keep` parts are kept
    /// after each block.
    pub(super) fn extend(
        &mut self,
        blocks: &[(usize, usize)],
        rest: &[Rest],
        value: f64,
        priced: f64,
        keep: usize,
    ) -> Vec<Label> {
        let mut labels = vec![Label {
            value,
            priced,
            totals: [0.0; MAX_ENDS],
            residue: 0,
            bought: false,
            trail: u32::MAX,
        }];
        let mut grown: Vec<Label> = Vec::new();
        let modulus = self.modulus.unwrap_or(1);
        for (at, block) in blocks.iter().enumerate() {
            let rest = &rest[at + 1];
            grown.clear();
            for label in &labels {
                for o in block.0..block.1 {
                    let option = &self.options[o];
                    let priced = label.priced + option.priced;
                    if priced + rest.priced <= self.floor + 1e-6 {
                        break; // Options come in descending order of this.
                    }
                    let value = label.value + option.value;
                    if value + rest.value <= self.floor + 1e-6 {
                        continue;
                    }
                    let own = &self.totals[option.totals.0..option.totals.1];
                    let mut totals = label.totals;
                    let mut possible = true;
                    for (e, end) in self.ends.iter().enumerate() {
                        let total = totals[e] + own[e];
                        if end.low {
                            possible &= total + rest.most[e] >= end.at - 1e-6;
                            // More than enough is enough.
                            totals[e] = total.min(end.at);
                        } else {
                            possible &= total <= end.at + 1e-6;
                            // What cannot reach the end any more need not be told apart.
                            let safe = total + rest.most[e] <= end.at;
                            totals[e] = if safe { f64::NEG_INFINITY } else { total };
                        }
                    }
                    if possible {
                        self.trail.push((label.trail, o as u32));
                        grown.push(Label {
                            value,
                            priced,
                            totals,
                            bought: label.bought || option.picks.0 < option.picks.1,
                            residue: (label.residue + self.residues[o]) % modulus,
                            trail: self.trail.len() as u32 - 1,
                        });
                    }
                }
            }
            self.drop_dominated(&mut grown);
            if grown.len() > keep {
                grown.sort_by(|a, b| b.priced.total_cmp(&a.priced));
                let lost = grown[keep].priced + rest.priced;
                self.given_up = self.given_up.max(lost);
                grown.truncate(keep);
            }
            std::mem::swap(&mut labels, &mut grown);
        }
        labels.sort_by(|a, b| b.value.total_cmp(&a.value));
        labels
    }

    fn drop_dominated(&mut self, labels: &mut Vec<Label>) {
        labels.sort_unstable_by(|a, b| b.value.total_cmp(&a.value));
        let n = self.ends.len();
        let residues = self.modulus.unwrap_or(1) as usize;
        let told = self.modulus.is_some();
        let room = |l: &Label, e: usize| match self.ends[e].low {
            true => l.totals[e],
            false => -l.totals[e],
        };
        let mut kept: Vec<Label> = Vec::with_capacity(labels.len());
        let empty = labels.iter().position(|l| !l.bought);
        let empty = empty.map(|at| labels.remove(at));
        if n < 2 {
            // The most room among those certainly worth as much, and with the same residue.
            let room = |l: &Label| if n == 0 { 0.0 } else { room(l, 0) };
            let mut most = f64::NEG_INFINITY;
            let mut alike = vec![f64::NEG_INFINITY; residues];
            let mut sure = 0;
            for label in labels.iter() {
                while sure < kept.len() && kept[sure].value >= label.value + self.tolerance {
                    most = most.max(room(&kept[sure]));
                    sure += 1;
                }
                let alike = &mut alike[label.residue as usize];
                if room(label) > most && room(label) > *alike {
                    if told {
                        *alike = room(label);
                    }
                    kept.push(label.clone());
                }
            }
        } else {
            let wider = |k: &Label, label: &Label| (0..n).all(|e| room(k, e) >= room(label, e));
            let mut alike: Vec<Vec<usize>> = vec![Vec::new(); residues];
            for label in labels.iter() {
                // The first kept are worth most: they dominate most.
                let same = &mut alike[label.residue as usize];
                let certain = |k: &Label| k.value >= label.value + self.tolerance;
                let dominated = same
                    .iter()
                    .take(MOST_COMPARED)
                    .any(|k| wider(&kept[*k], label))
                    || kept
                        .iter()
                        .take(MOST_COMPARED)
                        .any(|k| certain(k) && wider(k, label));
                if !dominated {
                    if told {
                        same.push(kept.len());
                    }
                    kept.push(label.clone());
                }
            }
        }
        self.merged |= kept.len() < labels.len();
        kept.extend(empty);
        *labels = kept;
    }
}
