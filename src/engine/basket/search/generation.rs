//! Column generation at one node: the linear program prices the items, the shops answer
//! with carts worth more than their price, until there are none.
//!
//! Left alone, the prices jump about while columns are few. They are kept in a box around
//! the best known ones, which moves and widens where it holds them back (du Merle,
//! Villeneuve, Desrosiers, Hansen 1999), and shops are asked at a mix of the best prices
//! and those of the program (Wentges 1997).

use super::{BAN, CAREFUL, FINE, Prices, QUICK, Search};
use crate::engine::basket::master::Master;
use crate::engine::basket::pricing::{CutPrices, worth_of};
use std::rc::Rc;

/// Rounds of pricing at one node.
const ROUNDS: usize = 400;
/// Share of the program's prices in the mix.
const MIX: f64 = 0.4;
/// Half the width of the box of an item at the root and deeper, as a share of its price and
/// a tenth of the mean price; and in cents at least.
const ROOT_BOX: f64 = 0.3;
const NODE_BOX: f64 = 0.05;
const LEAST_BOX: f64 = 0.5;
/// The box moves when so little is left of the gap it started with.
const MOVES_AT: f64 = 0.3;
/// After so many moves what is still held back is set free.
const MOVES: usize = 5;
/// The box holds the price of an item back where the program goes without more units of it
/// than this, or takes more too many, at an end of the box. It is above what the right-hand
/// sides are moved apart by.
const HELD: f64 = 1e-5;
/// After so many rounds ([`STALLED`]) in each of which the bound closes less than this share
/// of what is left to gain, whole carts are looked for with more care.
const STALL: f64 = 0.001;
const STALLED: usize = 20;

/// Where the prices of the items may be.
struct PriceBox {
    width: Vec<f64>,
    moves: usize,
    /// The gap within the box when it was put where it is.
    gap: Option<f64>,
}

impl Search<'_, '_> {
    /// Solves the node's linear program by column generation, but for a share `enough` of
    /// what is left to gain; returns its bound.
    pub(super) fn bound_node(
        &mut self,
        prices: &mut Prices,
        known: f64,
        enough: f64,
        stop: &mut dyn FnMut() -> bool,
    ) -> f64 {
        let mut best = f64::NEG_INFINITY;
        let mut center = prices.clone();
        let mut carts = Vec::new();
        let mut effort = QUICK;
        let mut exact_next = false;
        let mut stalled = (0, f64::NEG_INFINITY);
        let mut around = self.box_around(&center);
        for round in 0..ROUNDS {
            if round > 0 && stop() {
                break;
            }
            self.stats.rounds += 1;
            let Some(master) = &mut self.master else {
                break;
            };
            master.solve(self.incumbent.prune_at());
            let objective = master.unmoved();
            let own = self.read_prices();
            let share = match (exact_next, round) {
                (true, _) => 1.0,
                (false, 0) => 0.0,
                (false, _) => MIX,
            };
            let at = center.mix(&own, share);
            let floors = self.best_at_hand(&at);
            let bound = self.price_all(&at, effort, Some(&floors), &mut carts);
            if bound > best {
                best = bound;
                self.settled.clone_from(&self.counted);
                center = at.clone();
            }
            self.priced_at = at;
            let left = self.incumbent.prune_at() - best;
            if best.max(known) > self.incumbent.prune_at() {
                break;
            }
            let mut added = false;
            for (_, cart) in std::mem::take(&mut carts) {
                let reduced = worth_of(self.model, &cart, &own);
                let dual = self.shop_dual(cart.shop);
                let improves = reduced > dual + 1e-6;
                added |= self.keep(cart) && improves;
            }
            let gap = objective - best;
            let tolerance = (enough * left).max(0.01);
            if let Some(around) = &mut around {
                let first = *around.gap.get_or_insert(gap);
                if gap < tolerance.max(MOVES_AT * first) && self.moved(around, &center) {
                    (exact_next, stalled) = (false, (0, best));
                    continue;
                }
            }
            if gap < tolerance {
                if !self.freed(&mut around, objective + tolerance) {
                    break;
                }
                (exact_next, stalled) = (false, (0, best));
                continue;
            }
            if best - stalled.1 > STALL * left.max(gap) {
                stalled = (0, best);
            } else {
                stalled.0 += 1;
            }
            // With nothing to spare, every cart that improves is waited for.
            let waits = stalled.0 < STALLED || enough == 0.0 && effort != QUICK;
            if added && waits {
                exact_next = false;
            } else if !exact_next {
                exact_next = true;
            } else if effort == QUICK {
                stalled = (0, best);
                effort = CAREFUL;
            } else if effort == CAREFUL && objective > self.incumbent.prune_at() {
                // Exact carts would close the node.
                effort = FINE;
            } else if around.as_mut().is_some_and(|b| self.moved(b, &center))
                || self.freed(&mut around, objective + tolerance)
            {
                (exact_next, stalled) = (false, (0, best));
            } else {
                break;
            }
        }
        if best.max(known) <= self.incumbent.prune_at() {
            self.freed(&mut around, f64::INFINITY);
        } else if around.is_some() {
            self.confine(&center, None);
        }
        *prices = center;
        best.max(known)
    }

    /// Puts the prices in a box. Not where each product is bought exactly once, and prices
    /// may be negative.
    fn box_around(&mut self, center: &Prices) -> Option<PriceBox> {
        if self.exactly_once() {
            return None;
        }
        let share = match self.stats.nodes {
            0 | 1 if self.cuts.is_empty() => ROOT_BOX,
            _ => NODE_BOX,
        };
        let mean = center.item.iter().sum::<f64>() / center.item.len().max(1) as f64;
        let width = |price: &f64| share * (price + 0.1 * mean) + LEAST_BOX;
        let width: Vec<f64> = center.item.iter().map(width).collect();
        self.confine(center, Some(&width));
        Some(PriceBox {
            width,
            moves: 0,
            gap: None,
        })
    }

    /// Moves the box to `center` and widens it where it holds prices back. False if it
    /// holds none.
    fn moved(&mut self, around: &mut PriceBox, center: &Prices) -> bool {
        let held = self.held_back();
        if held.is_empty() {
            return false;
        }
        around.moves += 1;
        around.gap = None;
        let free = around.moves > MOVES;
        for i in held {
            around.width[i] *= if free { f64::INFINITY } else { 2.0 };
        }
        self.confine(center, Some(&around.width));
        true
    }

    /// Solves without the box. True if that costs more than `cost`: however little of each
    /// item the box let the program go without, together it was too much.
    fn freed(&mut self, around: &mut Option<PriceBox>, cost: f64) -> bool {
        if around.take().is_none() {
            return false;
        }
        let center = self.no_prices();
        self.confine(&center, None);
        let Some(master) = &mut self.master else {
            return false;
        };
        master.solve(self.incumbent.prune_at());
        master.unmoved() > cost
    }

    /// What going without a unit of an item costs in the linear program.
    pub(super) fn missing(&self, item: usize) -> f64 {
        match self.model.penalty[item] {
            p if p < self.model.big => p,
            _ => self.model.big * BAN,
        }
    }

    /// Lets the program go without units of an item at the upper end of its box, and take
    /// more than is needed at the lower end; without `width`, at what that really costs.
    fn confine(&mut self, center: &Prices, width: Option<&[f64]>) {
        let costs: Vec<(f64, f64)> = (0..center.item.len())
            .map(|i| match width {
                Some(w) => (
                    self.missing(i).min(center.last_unit(i) + w[i]),
                    (center.item[i] - w[i]).max(0.0),
                ),
                None => (self.missing(i), 0.0),
            })
            .collect();
        if let Some(master) = &mut self.master {
            for (i, (most, least)) in costs.into_iter().enumerate() {
                master.set_cost(i, most);
                master.set_cost(self.surplus + i, -least);
            }
        }
    }

    /// The items whose price the box holds back.
    fn held_back(&self) -> Vec<usize> {
        let items = self.model.need.len();
        let used = self.master.iter().flat_map(Master::solution);
        used.filter(|(_, x)| *x > HELD)
            .filter_map(|(c, _)| {
                let cost = self.master.as_ref()?.cost(c);
                if c < items {
                    (cost < self.missing(c)).then_some(c)
                } else {
                    let item = c.checked_sub(self.surplus).filter(|i| *i < items)?;
                    (cost < 0.0).then_some(item)
                }
            })
            .collect()
    }

    /// What the best column of each shop is worth that the node allows.
    pub(super) fn best_at_hand(&self, prices: &Prices) -> Vec<f64> {
        let mut worths = vec![f64::NEG_INFINITY; self.model.shops.len()];
        for cart in self.carts.iter().flatten().filter(|c| self.allowed(c)) {
            let worth = worth_of(self.model, cart, prices);
            worths[cart.shop] = worths[cart.shop].max(worth);
        }
        worths
    }

    pub(super) fn read_prices(&self) -> Prices {
        let mut prices = self.no_prices();
        let Some(master) = &self.master else {
            return prices;
        };
        let duals = master.duals();
        let items = prices.item.iter_mut().zip(duals);
        for ((price, dual), penalty) in items.zip(&self.model.penalty) {
            let must = *penalty >= self.model.big;
            let least = if self.exactly_once() {
                f64::NEG_INFINITY
            } else {
                0.0
            };
            *price = dual.clamp(least, if must { f64::INFINITY } else { *penalty });
        }
        for (k, (link, _)) in self.links.iter().enumerate() {
            let price = (-duals[self.first_link + k]).max(0.0);
            self.set_limit_price(&mut prices, *link, price);
        }
        let rows = &duals[self.first_link + self.links.len()..];
        for (cut, dual) in self.cuts.iter().zip(rows) {
            prices.cuts[cut.item].push((Rc::clone(cut), (-dual).max(0.0) / cut.most));
        }
        // A unit that is not bought is paid the penalty at most.
        for ((price, cuts), penalty) in prices
            .item
            .iter()
            .zip(&mut prices.cuts)
            .zip(&self.model.penalty)
        {
            let last: f64 = cuts.iter().map(|c| c.1).sum();
            if *penalty < self.model.big && price + last > *penalty {
                let share = (penalty - price) / last;
                cuts.iter_mut().for_each(|c| c.1 *= share);
            }
        }
        prices
    }

    /// What the linear program pays a shop for its one cart.
    fn shop_dual(&self, shop: usize) -> f64 {
        match (&self.master, self.rows_of[shop]) {
            (Some(master), Some(row)) => -master.duals()[row],
            _ => 0.0,
        }
    }
}

impl Prices {
    /// What the last unit of an item is paid.
    fn last_unit(&self, item: usize) -> f64 {
        self.item[item] + self.cuts[item].iter().map(|c| c.1).sum::<f64>()
    }

    /// A point on the way to other prices.
    fn mix(&self, to: &Self, share: f64) -> Self {
        let m = |a: &f64, b: &f64| a + share * (b - a);
        let all = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| m(a, b)).collect();
        let cuts = |(from, to): (&CutPrices, &CutPrices)| {
            // What is new has had no price.
            let from = from.iter().map(|c| c.1).chain(std::iter::repeat(0.0));
            let both = from.zip(to);
            both.map(|(from, (cut, to))| (Rc::clone(cut), m(&from, to)))
                .collect()
        };
        Self {
            item: all(&self.item, &to.item),
            cuts: self.cuts.iter().zip(&to.cuts).map(cuts).collect(),
            shop: m(&self.shop, &to.shop),
            pickup: m(&self.pickup, &to.pickup),
            group: all(&self.group, &to.group),
            budget: m(&self.budget, &to.budget),
        }
    }
}
