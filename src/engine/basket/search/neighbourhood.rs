//! Answers for long lists: some shops of the best answer are let go, and what they sold
//! is bought anew by the same search on the shorter list (large neighbourhood search:
//! Shaw 1998). Shops about which the linear program and the answer disagree come first
//! (Danna, Rothberg, Le Pape 2005).

use super::{Incumbent, Instance, Model, Search, Status};
use crate::engine::basket::incumbent::{Lines, terms};
use crate::engine::basket::instance::{Coupon, Household, Item, Offer};
use crate::engine::basket::master::Master;
use std::collections::{BTreeMap, HashSet};

/// Items bought anew, in the first pass and in later ones.
pub(super) const ITEMS: [usize; 3] = [12, 25, 50];
/// Nodes of one search.
const NODES: u64 = 20;
/// Share of the cost below which the gap is no reason to look on.
const CLOSE: f64 = 0.003;
/// Items that a shop of the answer sells on average where carts are long.
const MOST_SOLD: usize = 15;

/// How much the linear program uses a shop, and how many units of each item it buys there.
#[derive(Default)]
struct Use {
    share: f64,
    units: BTreeMap<usize, f64>,
}

impl Search<'_, '_> {
    /// Whether the shops of the best answer sell so much each that letting a few go is
    /// hardly less than starting over.
    pub(super) fn long_carts(&self) -> bool {
        self.model.need.len() > MOST_SOLD * self.incumbent.shops.len()
    }

    /// Improves on the best answer by buying so many items anew, until no neighbourhood
    /// does, or it is near `bound`.
    pub(super) fn neighbourhoods(
        &mut self,
        sizes: &[usize],
        bound: f64,
        stop: &mut dyn FnMut() -> bool,
    ) {
        let Instance::Household(h) = self.instance else {
            return;
        };
        if self.long_carts() {
            return;
        }
        let program = self.program();
        let mut tried: HashSet<Vec<usize>> = HashSet::new();
        for items in sizes.iter().copied() {
            let mut improved = true;
            while improved {
                improved = false;
                for center in self.centers(&program) {
                    let Some(before) = self.incumbent.cost else {
                        return;
                    };
                    if stop() || before as f64 - bound < CLOSE * before as f64 {
                        return;
                    }
                    let freed = self.around(h, center, &program, items);
                    if freed.len() > 1 && tried.insert(freed.clone()) {
                        self.buy_anew(h, &freed, stop);
                    }
                    if self.incumbent.cost.is_some_and(|c| c < before) {
                        tried.clear();
                        improved = true;
                    }
                }
            }
        }
    }

    /// What the linear program buys where.
    fn program(&self) -> BTreeMap<usize, Use> {
        let mut program: BTreeMap<usize, Use> = BTreeMap::new();
        for (column, x) in self.master.iter().flat_map(Master::solution) {
            if let Some(cart) = self.carts[column].as_ref().filter(|_| x > 0.01) {
                let of = program.entry(cart.shop).or_default();
                of.share += x;
                for (item, units) in &cart.units {
                    *of.units.entry(*item).or_default() += x * units;
                }
            }
        }
        program
    }

    /// Shops, those about which the program and the answer disagree most first.
    fn centers(&self, program: &BTreeMap<usize, Use>) -> Vec<usize> {
        let shops = &self.incumbent.shops;
        let used = |s: &usize| f64::from(u8::from(shops.contains(s)));
        let of_program = program.iter().map(|(s, u)| ((used(s) - u.share).abs(), *s));
        let others = shops.iter().filter(|s| !program.contains_key(s));
        let mut centers: Vec<(f64, usize)> = of_program.chain(others.map(|s| (1.0, *s))).collect();
        centers.sort_by(|a, b| b.0.total_cmp(&a.0));
        centers.into_iter().map(|c| c.1).collect()
    }

    /// Shops of the answer, with so many items, that sell what the program would rather
    /// buy at `center`.
    fn around(
        &self,
        h: &Household,
        center: usize,
        program: &BTreeMap<usize, Use>,
        items: usize,
    ) -> Vec<usize> {
        let mut sold: BTreeMap<usize, BTreeMap<usize, f64>> = BTreeMap::new();
        for (o, qty) in &self.incumbent.best.lines {
            let of = sold.entry(h.offers[*o].shop).or_default();
            for (i, a) in &h.offers[*o].covers {
                *of.entry(*i).or_default() += (a * qty) as f64;
            }
        }
        let wanted = program.get(&center).map(|u| &u.units);
        let Some(wanted) = wanted.or_else(|| sold.get(&center)) else {
            return Vec::new();
        };
        let agreement = |units: &BTreeMap<usize, f64>| -> f64 {
            let both = wanted
                .iter()
                .filter_map(|(i, u)| Some((i, u.min(*units.get(i)?))));
            both.map(|(i, u)| u / self.model.need[*i].max(1) as f64)
                .sum()
        };
        let mut order: Vec<(f64, usize)> = sold
            .iter()
            .map(|(s, units)| {
                let center = if *s == center { f64::INFINITY } else { 0.0 };
                // What the program does not use is in question.
                let doubt = 1.0 - program.get(s).map_or(0.0, |u| u.share).min(1.0);
                (center + agreement(units) + 0.5 * doubt, *s)
            })
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut freed = Vec::new();
        let mut count = 0;
        for (_, s) in order {
            if count >= items {
                break;
            }
            count += sold[&s].len();
            freed.push(s);
        }
        freed.sort_unstable();
        freed
    }

    /// Buys anew what the best answer buys at `freed`, if that costs less.
    fn buy_anew(&mut self, h: &Household, freed: &[usize], stop: &mut dyn FnMut() -> bool) {
        let Some((part, numbers)) = self.part(h, freed) else {
            return;
        };
        let instance = Instance::Household(part);
        let Ok(model) = Model::new(&instance) else {
            return;
        };
        let mut kept = Lines::new();
        let mut lines = Lines::new();
        for (o, qty) in &self.incumbent.best.lines {
            if !freed.contains(&h.offers[*o].shop) {
                kept.push((*o, *qty));
            } else if let Ok(at) = numbers.binary_search(o) {
                lines.push((at, *qty));
            }
        }
        let mut incumbent = Incumbent::new(&instance, &model);
        incumbent.consider(&lines);
        let mut search = Search::new(&model, &instance, &mut incumbent);
        search.most_nodes = Some(NODES);
        search.run(stop);
        let anew = incumbent.best.lines.iter().map(|(o, q)| (numbers[*o], *q));
        kept.extend(anew);
        self.incumbent.consider(&kept);
    }

    /// The list without what the other shops of the best answer sell, and without these
    /// shops. With it, the number of each of its offers in the whole list, ascending.
    fn part(&self, h: &Household, freed: &[usize]) -> Option<(Household, Vec<usize>)> {
        let best = &self.incumbent.best;
        let is_kept = |s: usize| self.incumbent.shops.contains(&s) && !freed.contains(&s);
        let mut left: Vec<i64> = h.items.iter().map(|i| i.qty).collect();
        let mut kept: BTreeMap<usize, Lines> = BTreeMap::new();
        for (o, qty) in &best.lines {
            let offer = &h.offers[*o];
            if is_kept(offer.shop) {
                kept.entry(offer.shop).or_default().push((*o, *qty));
                for (i, a) in &offer.covers {
                    left[*i] -= a * qty;
                }
            }
        }
        let used = |c: &&usize| is_kept(h.coupons[**c].shop);
        let used: Vec<usize> = best.coupons.iter().filter(used).copied().collect();
        let mut limits = h.limits;
        let fetched = best.pickups.iter().filter(|s| is_kept(**s)).count();
        limits.max_shops = limits.max_shops.map(|m| m.saturating_sub(kept.len()));
        limits.max_pickups = limits.max_pickups.map(|m| m.saturating_sub(fetched));
        if let Some(budget) = &mut limits.budget {
            for (s, lines) in &kept {
                let own = used.iter().copied().filter(|c| h.coupons[*c].shop == *s);
                let own: Vec<usize> = own.collect();
                let mode = usize::from(best.pickups.contains(s));
                *budget -= terms(h, &own, *s, lines, &[])[mode].as_ref()?.cost;
            }
        }
        let mut items: Vec<Item> = Vec::new();
        let mut item_at = vec![None; h.items.len()];
        for (i, item) in h.items.iter().enumerate().filter(|(i, _)| left[*i] > 0) {
            item_at[i] = Some(items.len());
            items.push(Item {
                qty: left[i],
                ..item.clone()
            });
        }
        let mut shops = Vec::new();
        let mut shop_at = vec![None; h.shops.len()];
        for (s, shop) in h.shops.iter().enumerate() {
            if !is_kept(s) && (self.status[s] != Status::Closed || freed.contains(&s)) {
                shop_at[s] = Some(shops.len());
                shops.push(shop.clone());
            }
        }
        let (mut offers, mut numbers) = (Vec::new(), Vec::new());
        for (o, offer) in h.offers.iter().enumerate() {
            let at = |(i, a): &(usize, i64)| Some((item_at[*i]?, *a));
            let covers: Vec<(usize, i64)> = offer.covers.iter().filter_map(at).collect();
            if let Some(shop) = shop_at[offer.shop].filter(|_| !covers.is_empty()) {
                numbers.push(o);
                offers.push(Offer {
                    shop,
                    covers,
                    ..offer.clone()
                });
            }
        }
        let groups: HashSet<usize> = used.iter().map(|c| h.coupons[*c].group).collect();
        let mut coupons = Vec::new();
        for coupon in h.coupons.iter().filter(|c| !groups.contains(&c.group)) {
            if let Some(shop) = shop_at[coupon.shop] {
                let at = |o: &usize| numbers.binary_search(o).ok();
                let scope = |all: &Vec<usize>| all.iter().filter_map(at).collect();
                coupons.push(Coupon {
                    shop,
                    offers: coupon.offers.as_ref().map(scope),
                    ..coupon.clone()
                });
            }
        }
        let part = Household {
            items,
            shops,
            offers,
            coupons,
            limits,
            overshoot: h.overshoot,
        };
        Some((part, numbers))
    }
}
