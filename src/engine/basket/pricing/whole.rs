//! Whole carts of one state, where its bound is not attained.

use super::labels::Labels;
use super::{Cart, Choose, Effort, End, MAX_ENDS, Pricer, Rest, Shop, price_choices};
use crate::engine::basket::model::Left;

/// Of a rate in basis points, as a fraction in lowest terms.
fn denominator(rate: f64) -> u32 {
    let (mut a, mut b) = (10_000_u32, (rate * 10_000.0).round() as u32);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    10_000 / a.max(1)
}

impl Pricer {
    /// A bound of the whole carts of a state, at least `floor`, and the best one found
    /// that is worth more than that.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn whole_carts(
        &mut self,
        here: &Shop<'_>,
        state: usize,
        ends: &[End<'_>],
        multipliers: &[f64],
        bound: f64,
        fixed: f64,
        floor: f64,
        effort: Effort,
    ) -> (f64, Option<(f64, Cart)>) {
        let slack = bound - floor;
        if ends.len() > MAX_ENDS || !self.lay_out(here, state, ends, multipliers, slack) {
            return (bound, None);
        }
        let constant: f64 = multipliers.iter().zip(ends).map(|(m, e)| m * e.at).sum();
        // Discounts are floored: two carts this close may rank either way, but where both
        // have the same goods in scope modulo the denominator of the one rate.
        let profile = &here.shop.profiles[here.shop.states[state].profile];
        let rounding = profile.rounding();
        let floored = match (profile.coupon.as_slice(), profile.all) {
            ([(local, rate)], 0.0) => Some((Some(*local), *rate)),
            ([], all) if all > 0.0 => Some((None, all)),
            _ => None,
        };
        self.residues.clear();
        let modulus = match floored.filter(|_| effort.fine) {
            Some((coupon, rate)) => {
                let modulus = denominator(rate);
                let goods = |c: &u32| match coupon {
                    Some(local) => here.shop.base[local][*c as usize],
                    None => here.shop.choices[*c as usize].spend,
                };
                let residue = |o: &Choose| {
                    let picks = &self.picks[o.picks.0..o.picks.1];
                    let goods: f64 = picks.iter().map(goods).sum();
                    (goods as u64 % u64::from(modulus)) as u32
                };
                self.residues.extend(self.options.iter().map(residue));
                Some(modulus)
            }
            None => {
                self.residues.resize(self.options.len(), 0);
                (!effort.fine || rounding == 0.0).then_some(1)
            }
        };
        let mut labels = Labels {
            ends,
            options: &self.options,
            totals: &self.totals,
            floor,
            tolerance: if effort.fine { rounding } else { 0.0 },
            modulus,
            residues: &self.residues,
            trail: Vec::new(),
            given_up: f64::NEG_INFINITY,
            merged: false,
        };
        // Flooring takes less than the tolerance.
        let kept_promise = if labels.tolerance > 0.0 {
            1e-5 - labels.tolerance
        } else {
            -1e-6
        };
        let last = labels.extend(
            &self.blocks,
            &self.rest,
            -fixed,
            -fixed - constant,
            effort.carts,
        );
        let mut best: Option<(f64, Cart)> = None;
        let mut floor = floor;
        let mut picks = Vec::new();
        let mut unsure = f64::NEG_INFINITY;
        for label in &last {
            // In descending order of what they are worth at most.
            if label.value <= floor + 1e-7 {
                break;
            }
            picks.clear();
            let mut at = label.trail;
            while let Some((before, option)) = labels.trail.get(at as usize) {
                let (from, to) = self.options[*option as usize].picks;
                picks.extend_from_slice(&self.picks[from..to]);
                at = *before;
            }
            if !label.bought {
                continue;
            }
            let found = here.cart(state, &picks, f64::NEG_INFINITY);
            let worth = found.as_ref().map_or(f64::NEG_INFINITY, |f| f.0);
            if labels.merged && worth < label.value + kept_promise {
                // Less than its parts promised: it may have stood for others that keep
                // what they promise, and only the promise bounds those.
                unsure = unsure.max(label.value);
            }
            if worth > floor + 1e-7 {
                floor = worth;
                best = found;
            }
        }
        (labels.given_up.max(floor).max(unsure), best)
    }

    /// The options of each block that may be part of a cart within `slack` of the bound.
    fn lay_out(
        &mut self,
        here: &Shop<'_>,
        state: usize,
        ends: &[End<'_>],
        multipliers: &[f64],
        slack: f64,
    ) -> bool {
        const MOST_OPTIONS: usize = 20_000;
        let profile = here.shop.states[state].profile;
        let values = &self.values[profile];
        let width = ends.len();
        self.options.clear();
        self.totals.clear();
        self.picks.clear();
        self.blocks.clear();
        price_choices(&mut self.priced, values, multipliers, ends);
        let priced = &self.priced;
        // Options of a cell, less what is lost: (value, priced, choice).
        let cell_options = |cell: usize, lost: &[f64], out: &mut Vec<(f64, f64, Option<u32>)>| {
            let at = &here.shop.cells[cell];
            out.clear();
            if !here.view.must(cell) {
                out.push((0.0, 0.0, None));
            }
            for c in (at.first..at.last).filter(|c| here.view.allows(*c)) {
                let lost = lost.get(c - at.first).copied().unwrap_or(0.0);
                out.push((values[c] - lost, priced[c] - lost, Some(c as u32)));
            }
            out.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        };
        let mut cell_buffer = Vec::new();
        for cell in &here.shop.plain {
            cell_options(*cell, &[], &mut cell_buffer);
            let Some(best) = cell_buffer.first().map(|o| o.1) else {
                return false;
            };
            let first = self.options.len();
            for (value, priced, c) in &cell_buffer {
                if best - priced > slack {
                    break;
                }
                let pick = self.picks.len();
                self.picks.extend(c);
                let from = self.totals.len();
                let measure = |e: &End| c.map_or(0.0, |c| e.totals[c as usize]);
                self.totals.extend(ends.iter().map(measure));
                self.options.push(Choose {
                    value: *value,
                    priced: *priced,
                    totals: (from, from + width),
                    picks: (pick, self.picks.len()),
                });
            }
            if self.options.len() - first > 1
                || self.picks.len() > self.options[first].picks.0
                || self.options[first].value != 0.0
            {
                self.blocks.push((first, self.options.len()));
            } else {
                self.options.truncate(first);
            }
        }
        for (g, group) in here.shop.groups.iter().enumerate() {
            let of_cell = |(cell, lefts): (&usize, &Vec<Left>)| -> Vec<_> {
                let of = |left: &Left| {
                    let mut options = Vec::new();
                    cell_options(*cell, here.lost(*cell, *left), &mut options);
                    options
                };
                lefts.iter().map(of).collect()
            };
            let options: Vec<Vec<_>> = group.cells.iter().zip(&group.lefts).map(of_cell).collect();
            let mut patterns = Vec::new();
            let all = 0..group.patterns.len();
            for pattern in all.filter(|p| here.pattern_allowed(group, *p)) {
                let cells = options.iter().zip(&group.left[pattern]);
                let cells: Vec<_> = cells.map(|(options, left)| &options[*left]).collect();
                let first = |options: &&Vec<(f64, f64, Option<u32>)>| {
                    options.first().map_or(f64::NEG_INFINITY, |o| o.1)
                };
                let best = here.bundles(g, pattern, priced) + cells.iter().map(first).sum::<f64>();
                if best > f64::NEG_INFINITY {
                    patterns.push((best, pattern, cells));
                }
            }
            let Some(most) = patterns.iter().map(|p| p.0).reduce(f64::max) else {
                return false;
            };
            let first = self.options.len();
            for (best, pattern, cells) in &patterns {
                if most - best > slack {
                    continue;
                }
                let value = here.bundles(g, *pattern, values);
                let priced = here.bundles(g, *pattern, priced);
                let mut picks: Vec<u32> = Vec::new();
                let mut totals = vec![0.0; width];
                for (b, level) in group.bundles.iter().zip(&group.patterns[*pattern]) {
                    if *level > 0 {
                        let c = here.shop.bundles[*b].levels[*level].1;
                        picks.push(c as u32);
                        for (t, e) in totals.iter_mut().zip(ends) {
                            *t += e.totals[c];
                        }
                    }
                }
                // Every combination of the cells within the slack, one cell at a time.
                let mut partial = vec![(value, priced, most - best, totals, picks)];
                for options in cells {
                    let top = options.first().map_or(0.0, |o| o.1);
                    let mut grown = Vec::new();
                    for (value, priced, loss, totals, picks) in &partial {
                        for (v, p, c) in *options {
                            let loss = loss + top - p;
                            if loss > slack {
                                break;
                            }
                            let mut totals = totals.clone();
                            let mut picks = picks.clone();
                            if let Some(c) = c {
                                picks.push(*c);
                                for (t, e) in totals.iter_mut().zip(ends) {
                                    *t += e.totals[*c as usize];
                                }
                            }
                            grown.push((value + v, priced + p, loss, totals, picks));
                        }
                        if grown.len() > MOST_OPTIONS {
                            return false;
                        }
                    }
                    partial = grown;
                }
                for (value, priced, _, totals, picks) in partial {
                    let (t, p) = (self.totals.len(), self.picks.len());
                    self.totals.extend(totals);
                    self.picks.extend(picks);
                    self.options.push(Choose {
                        value,
                        priced,
                        totals: (t, t + width),
                        picks: (p, self.picks.len()),
                    });
                }
            }
            self.options[first..].sort_by(|a, b| b.priced.total_cmp(&a.priced));
            self.blocks.push((first, self.options.len()));
            if self.options.len() > MOST_OPTIONS {
                return false;
            }
        }
        // Blocks with most at stake first.
        let stake = |b: &(usize, usize)| {
            let of = |o: &Choose| self.totals[o.totals.0..o.totals.1].iter().sum::<f64>();
            self.options[b.0..b.1].iter().map(of).fold(0.0, f64::max)
        };
        self.blocks.sort_by(|a, b| stake(b).total_cmp(&stake(a)));
        self.rest.resize(self.blocks.len() + 1, Rest::default());
        let last = self.blocks.len();
        self.rest[last] = Rest {
            value: 0.0,
            priced: 0.0,
            most: vec![0.0; width],
        };
        for at in (0..last).rev() {
            let options = &self.options[self.blocks[at].0..self.blocks[at].1];
            let mut next = self.rest[at + 1].clone();
            next.value += options
                .iter()
                .map(|o| o.value)
                .fold(f64::NEG_INFINITY, f64::max);
            next.priced += options
                .iter()
                .map(|o| o.priced)
                .fold(f64::NEG_INFINITY, f64::max);
            for (e, most) in next.most.iter_mut().enumerate() {
                let of = |o: &Choose| self.totals[o.totals.0 + e];
                *most += options.iter().map(of).fold(0.0, f64::max);
            }
            self.rest[at] = next;
        }
        true
    }
}
