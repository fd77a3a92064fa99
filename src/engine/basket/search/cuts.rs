//! Cuts: what every answer keeps and the linear program breaks.
//!
//! The program likes to use half a shop for the half of its units that are missing
//! elsewhere. Once the others have sold what they sell, the rest of an item needs a whole
//! shop; a [`Cut`] says so. It concerns one item, so that shops price it unit by unit.

use super::{Cart, Cut, ENOUGH, Prices, Search};
use crate::engine::basket::master::Master;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Cuts for each item of the list, and in all.
const CUTS: usize = 6;
const MOST_CUTS: usize = 400;
/// What a cut must be broken by, as a share of what is left.
const BROKEN: f64 = 0.03;
/// Ways to choose the units that do not count that are tried for one item.
const WAYS: usize = 4_096;
/// Times that cuts are looked for at one node.
const TIMES: usize = 10;
/// Share of what is left to gain below which more cuts are not worth it.
const GAIN: f64 = 0.01;

/// What the linear program buys of an item at a shop: units of a cart and how much of it.
struct Supply {
    shop: usize,
    carts: Vec<(f64, f64)>,
}

impl Search<'_, '_> {
    pub(super) fn most_cuts(&self) -> usize {
        if self.exactly_once() {
            return 0;
        }
        (CUTS * self.model.need.len()).min(MOST_CUTS)
    }

    /// Adds cuts and solves the node's linear program with them; returns its bound.
    pub(super) fn cut(
        &mut self,
        prices: &mut Prices,
        mut bound: f64,
        stop: &mut dyn FnMut() -> bool,
    ) -> f64 {
        // Where many carts are long the program takes long, and branching does more.
        if self.is_long() && self.long_carts() {
            return bound;
        }
        for _ in 0..TIMES {
            let left = self.incumbent.prune_at() - bound;
            if left < 0.0 || stop() || !self.separate() {
                break;
            }
            let before = bound;
            bound = self.bound_node(prices, bound, ENOUGH, stop);
            if bound - before < GAIN * left {
                break;
            }
        }
        bound
    }

    /// Adds the cuts that the linear program breaks most. False if there are none.
    fn separate(&mut self) -> bool {
        let free = self.most_cuts().saturating_sub(self.cuts.len());
        let mut broken: Vec<(f64, Cut)> = Vec::new();
        for (item, (missing, supplies)) in self.supplies() {
            let need = self.model.need[item] as f64;
            if let Some((by, units, most)) = most_broken(need, missing, &supplies) {
                let mut from = vec![0.0; self.model.shops.len()];
                for (s, units) in supplies.iter().zip(units) {
                    from[s.shop] = units;
                }
                broken.push((by, Cut { item, from, most }));
            }
        }
        broken.sort_by(|a, b| b.0.total_cmp(&a.0));
        broken.truncate(free);
        if broken.is_empty() {
            return false;
        }
        let known = self.cuts.len();
        self.cuts.extend(broken.into_iter().map(|b| Rc::new(b.1)));
        let Some(mut master) = self.master.take() else {
            return false;
        };
        let first = self.first_link + self.links.len();
        let rows: Vec<(usize, f64)> = (known..self.cuts.len())
            .map(|k| (first + k, -1.0))
            .collect();
        let items = self.model.need.len();
        master.define(&rows, |column, entries| {
            if column < items {
                // A unit that is not bought need not be sold.
                let own = self.cuts.iter().enumerate().skip(known);
                let own = own.filter(|(_, cut)| cut.item == column);
                entries.extend(own.map(|(k, cut)| ((first + k) as u32, -1.0 / cut.most)));
            } else if let Some(cart) = &self.carts[column] {
                entries.extend(self.shares_of(cart, known));
            }
        });
        self.master = Some(master);
        true
    }

    /// What a cart sells of what the cuts from `first` on ask for: rows of the program.
    pub(super) fn shares_of(&self, cart: &Cart, first: usize) -> Vec<(u32, f64)> {
        let row = self.first_link + self.links.len();
        let mut shares = Vec::new();
        for (k, cut) in self.cuts.iter().enumerate().skip(first) {
            if let Ok(at) = cart.units.binary_search_by_key(&cut.item, |u| u.0) {
                let share = cut.share(cart.shop, cart.units[at].1);
                if share > 0.0 {
                    shares.push(((row + k) as u32, -share));
                }
            }
        }
        shares
    }

    /// Of each item what the linear program goes without, and what it buys where.
    fn supplies(&self) -> BTreeMap<usize, (f64, Vec<Supply>)> {
        let mut all: BTreeMap<usize, (f64, Vec<Supply>)> = BTreeMap::new();
        for (column, x) in self.master.iter().flat_map(Master::solution) {
            if x < 1e-6 {
                continue;
            }
            let Some(cart) = &self.carts[column] else {
                if column < self.model.need.len() {
                    all.entry(column).or_default().0 += x;
                }
                continue;
            };
            for (item, units) in &cart.units {
                let supplies = &mut all.entry(*item).or_default().1;
                let shop = cart.shop;
                match supplies.iter_mut().find(|s| s.shop == shop) {
                    Some(s) => s.carts.push((*units, x)),
                    None => supplies.push(Supply {
                        shop,
                        carts: vec![(*units, x)],
                    }),
                }
            }
        }
        all
    }
}

/// The units of each supply that do not count, and the units left, in the cut of an item
/// that is broken most, after by what share of those units.
fn most_broken(need: f64, missing: f64, supplies: &[Supply]) -> Option<(f64, Vec<f64>, f64)> {
    let whole = |s: &Supply| s.carts.len() == 1 && s.carts[0].1 > 1.0 - 1e-6;
    if need < 2.0 || supplies.iter().all(whole) {
        return None;
    }
    // Nothing, or up to the units of one of the shop's carts.
    let mut froms: Vec<Vec<f64>> = Vec::new();
    let mut ways = 1;
    for s in supplies {
        let mut from: Vec<f64> = s.carts.iter().map(|c| c.0).chain([0.0]).collect();
        from.sort_by(f64::total_cmp);
        from.dedup();
        if ways * from.len() > WAYS {
            from.truncate(1);
        }
        ways *= from.len();
        froms.push(from);
    }
    let mut best: Option<(f64, Vec<f64>, f64)> = None;
    let mut way = vec![0; froms.len()];
    loop {
        let chosen = || froms.iter().zip(&way).map(|(f, w)| f[*w]);
        let most = need - chosen().sum::<f64>();
        if most > 0.5 {
            let sold = |(s, from): (&Supply, f64)| -> f64 {
                let of = |(units, x): &(f64, f64)| x * (units - from).clamp(0.0, most);
                s.carts.iter().map(of).sum()
            };
            let sold: f64 = supplies.iter().zip(chosen()).map(sold).sum();
            let by = 1.0 - (sold + missing) / most;
            if by > BROKEN && best.as_ref().is_none_or(|b| by > b.0 + 1e-9) {
                best = Some((by, chosen().collect(), most));
            }
        }
        // The next way, as a number is counted up.
        let Some(at) = (0..way.len()).find(|k| way[*k] + 1 < froms[*k].len()) else {
            return best;
        };
        way[at] += 1;
        way[..at].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn supply(shop: usize, carts: &[(f64, f64)]) -> Supply {
        Supply {
            shop,
            carts: carts.to_vec(),
        }
    }

    #[test]
    fn the_rest_of_an_item_needs_a_whole_shop() {
        // Of six units a shop sells four; a third of a cart of six covers the rest.
        let supplies = [supply(0, &[(4.0, 1.0)]), supply(1, &[(6.0, 1.0 / 3.0)])];
        let (by, from, most) = most_broken(6.0, 0.0, &supplies).expect("broken");
        assert_eq!((from, most), (vec![4.0, 0.0], 2.0));
        assert!((by - 2.0 / 3.0).abs() < 1e-9, "{by}");
        // What is gone without need not be sold.
        assert!(most_broken(6.0, 2.0, &supplies).is_none());
    }

    #[test]
    fn whole_carts_and_single_units_break_nothing() {
        let whole = [supply(0, &[(4.0, 1.0)]), supply(1, &[(2.0, 1.0)])];
        assert!(most_broken(6.0, 0.0, &whole).is_none());
        let half = [supply(0, &[(1.0, 0.5)]), supply(1, &[(1.0, 0.5)])];
        assert!(most_broken(1.0, 0.0, &half).is_none());
    }

    proptest! {
        /// Every choice of whole carts that covers the need keeps every cut.
        #[test]
        fn no_answer_is_cut_off(
            need in 2..13_u8,
            shops in prop::collection::vec(prop::collection::vec((1..13_u8, 1..10_u8), 1..4), 1..6),
            bought in prop::collection::vec(0..13_u8, 6),
        ) {
            let need = f64::from(need);
            let cart = |(units, x): &(u8, u8)| (f64::from(*units).min(need), f64::from(*x) / 30.0);
            let supplies: Vec<Supply> = shops
                .iter()
                .enumerate()
                .map(|(s, carts)| supply(s, &carts.iter().map(cart).collect::<Vec<_>>()))
                .collect();
            if let Some((_, from, most)) = most_broken(need, 0.0, &supplies) {
                prop_assert!((from.iter().sum::<f64>() + most - need).abs() < 1e-9);
                let cut = Cut { item: 0, from, most };
                let units: Vec<f64> =
                    bought[..shops.len()].iter().map(|u| f64::from(*u).min(need)).collect();
                let missing = (need - units.iter().sum::<f64>()).max(0.0);
                let shares = units.iter().enumerate().map(|(s, u)| cut.share(s, *u));
                prop_assert!(shares.sum::<f64>() + missing / most >= 1.0 - 1e-9);
            }
        }
    }
}
