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
        // Numbers are sorted, not the labels, which are long.
        let mut order: Vec<(f64, usize)> = Vec::with_capacity(labels.len());
        order.extend(labels.iter().enumerate().map(|(at, l)| (l.value, at)));
        order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let n = self.ends.len();
        let residues = self.modulus.unwrap_or(1) as usize;
        let told = self.modulus.is_some();
        let room = |l: &Label, e: usize| match self.ends[e].low {
            true => l.totals[e],
            false => -l.totals[e],
        };
        let mut kept: Vec<Label> = Vec::new();
        // What is still empty stands for nothing else.
        let empty = labels.iter().find(|l| !l.bought).cloned();
        let labels_in_order = || order.iter().map(|o| &labels[o.1]).filter(|l| l.bought);
        if n < 2 {
            // The most room among those certainly worth as much, and with the same residue.
            let room = |l: &Label| if n == 0 { 0.0 } else { room(l, 0) };
            let mut most = f64::NEG_INFINITY;
            let mut alike = vec![f64::NEG_INFINITY; residues];
            let mut sure = 0;
            for label in labels_in_order() {
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
            // The room of the first kept, which are worth most and dominate most: of all,
            // and of those with the same residue.
            let mut first: Vec<f64> = Vec::with_capacity(MOST_COMPARED * n);
            let mut alike: Vec<Vec<f64>> = vec![Vec::new(); residues];
            let wider = |kept: &[f64], label: &[f64]| {
                let mut kept = kept.chunks_exact(n);
                kept.any(|k| k.iter().zip(label).all(|(k, l)| k >= l))
            };
            let remember = |kept: &mut Vec<f64>, label: &[f64]| {
                if kept.len() < MOST_COMPARED * n {
                    kept.extend_from_slice(label);
                }
            };
            let mut sure = 0;
            for label in labels_in_order() {
                while sure < kept.len() && kept[sure].value >= label.value + self.tolerance {
                    sure += 1;
                }
                let mut rooms = [0.0; MAX_ENDS];
                for (e, r) in rooms[..n].iter_mut().enumerate() {
                    *r = room(label, e);
                }
                let rooms = &rooms[..n];
                let same = &mut alike[label.residue as usize];
                let certain = &first[..first.len().min(sure * n)];
                if wider(same, rooms) || wider(certain, rooms) {
                    continue;
                }
                if told {
                    remember(same, rooms);
                }
                // Without rounding all are alike.
                if !told || residues > 1 {
                    remember(&mut first, rooms);
                }
                kept.push(label.clone());
            }
        }
        kept.extend(empty);
        self.merged |= kept.len() < labels.len();
        *labels = kept;
    }
}
