//! Going through what the bounds of fixed states leave open: items in turn, shop by
//! shop, and then goods that are not needed but reach a minimum.

use super::{Component, Leaf, Open, RangePrice};
use crate::engine::basket::incumbent::{Incumbent, Lines};
use crate::engine::basket::instance::{Household, Instance};
use crate::engine::basket::model::Measure;
use crate::engine::basket::oracle::total;
use std::collections::BTreeMap;

/// Combinations looked at when the states are fixed and prices leave a gap.
const MAX_STEPS: usize = 3_000_000;
struct Enumeration<'l> {
    open: &'l [Open],
    components: &'l [Component],
    /// Least cost of the components from each on.
    rest: Vec<f64>,
    steps: usize,
    bought: Vec<(usize, usize)>,
}

impl Leaf<'_> {
    /// Goes through every combination that may beat the best answer.
    pub(super) fn enumerate(
        &mut self,
        open: &[Open],
        components: &[Component],
        incumbent: &mut Incumbent<'_>,
        floor: f64,
        stop: &mut dyn FnMut() -> bool,
    ) {
        let fixed: f64 =
            open.iter().map(|o| self.fixed(o)).sum::<f64>() - self.model.budget_rebate();
        let mut rest = vec![0.0; components.len() + 1];
        for (c, component) in components.iter().enumerate().rev() {
            let mut best = f64::INFINITY;
            self.levels(open, component, f64::INFINITY, &mut |cost, _| {
                best = best.min(cost);
                best
            });
            rest[c] = rest[c + 1] + best;
        }
        let bound = fixed + rest[0];
        let mut search = Enumeration {
            open,
            components,
            rest,
            steps: 0,
            bought: Vec::new(),
        };
        if !self.enumerate_component(&mut search, 0, fixed, incumbent, stop) {
            self.unresolved = self.unresolved.min(bound.max(floor));
        }
    }

    /// False when given up.
    fn enumerate_component(
        &self,
        search: &mut Enumeration<'_>,
        at: usize,
        spent: f64,
        incumbent: &mut Incumbent<'_>,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        let Some(component) = search.components.get(at) else {
            return self.enumerate_fillers(search, spent, incumbent, stop);
        };
        let limit = incumbent.prune_at() - spent - search.rest[at + 1];
        let mut ways = Vec::new();
        self.levels(search.open, component, limit, &mut |cost, levels| {
            if cost <= limit {
                ways.push((cost, levels.to_vec()));
            }
            if ways.len() > MAX_STEPS {
                f64::NEG_INFINITY
            } else {
                limit
            }
        });
        if ways.len() > MAX_STEPS {
            return false;
        }
        ways.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, levels) in ways {
            let mark = search.bought.len();
            let mut cost = 0.0;
            for ((k, b), level) in component.bundles.iter().zip(&levels) {
                if *level > 0 {
                    let bundle = &self.model.shops[search.open[*k].shop].bundles[*b];
                    let choice = bundle.levels[*level].1;
                    cost += self.cost[*k][choice];
                    search.bought.push((*k, choice));
                }
            }
            let left: Vec<usize> = component
                .items
                .iter()
                .map(|i| self.left(search.open, component, &levels, *i))
                .collect();
            let done = self.enumerate_item(
                search,
                at,
                &left,
                0,
                0,
                left[0],
                spent + cost,
                incumbent,
                stop,
            );
            search.bought.truncate(mark);
            if !done {
                return false;
            }
        }
        true
    }

    #[allow(clippy::too_many_arguments)] // one recursion, its state spelled out
    fn enumerate_item(
        &self,
        search: &mut Enumeration<'_>,
        at: usize,
        lefts: &[usize],
        position: usize,
        k: usize,
        left: usize,
        spent: f64,
        incumbent: &mut Incumbent<'_>,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        search.steps += 1;
        if search.steps > MAX_STEPS || (search.steps.is_multiple_of(1024) && stop()) {
            return false;
        }
        let component = &search.components[at];
        let item = component.items[position];
        let width = self.model.need[item] + 1;
        let table = &self.tables[item];
        let later: f64 = component.items[position + 1..]
            .iter()
            .zip(&lefts[position + 1..])
            .map(|(i, l)| self.tables[*i][*l])
            .sum::<f64>()
            + search.rest[at + 1];
        if k == search.open.len() {
            let spent = spent + table[k * width + left];
            return match lefts.get(position + 1) {
                Some(next) => self.enumerate_item(
                    search,
                    at,
                    lefts,
                    position + 1,
                    0,
                    *next,
                    spent,
                    incumbent,
                    stop,
                ),
                None => self.enumerate_component(search, at + 1, spent, incumbent, stop),
            };
        }
        let next = &table[(k + 1) * width..(k + 2) * width];
        let shop = &self.model.shops[search.open[k].shop];
        let mut ways = Vec::new();
        if search.open[k].allows(item, None, 0.0) {
            ways.push((next[left], None, left, 0.0));
        }
        if let Some(cell) = shop.cell(item) {
            for c in cell.first..cell.last {
                let cost = self.cost[k][c];
                let after = left.saturating_sub(shop.choices[c].units as usize);
                let total = cost + next[after];
                let allowed = search.open[k].allows(item, Some(c), shop.choices[c].units);
                if allowed && spent + total + later <= incumbent.prune_at() {
                    ways.push((total, Some(c), after, cost));
                }
            }
        }
        ways.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (total, choice, after, cost) in ways {
            if spent + total + later > incumbent.prune_at() {
                break;
            }
            if let Some(c) = choice {
                search.bought.push((k, c));
            }
            let done = self.enumerate_item(
                search,
                at,
                lefts,
                position,
                k + 1,
                after,
                spent + cost,
                incumbent,
                stop,
            );
            if choice.is_some() {
                search.bought.pop();
            }
            if !done {
                return false;
            }
        }
        true
    }

    /// Prices lines bought in fixed states. Where coupons of several shops exclude
    /// each other, which are used is part of the states.
    fn consider(&self, open: &[Open], lines: &[(usize, i64)], incumbent: &mut Incumbent<'_>) {
        if self.model.shared_groups {
            let coupons = |o: &Open| {
                let state = &self.model.shops[o.shop].states[o.states[0]];
                (o.shop, state.coupons.clone())
            };
            incumbent.restricted = Some(open.iter().map(coupons).collect());
            incumbent.consider(lines);
            incumbent.restricted = None;
        } else {
            incumbent.consider(lines);
        }
    }

    /// Everything needed is bought: prices it, and adds goods that are not needed
    /// where a state's minimum is missed.
    fn enumerate_fillers(
        &self,
        search: &mut Enumeration<'_>,
        spent: f64,
        incumbent: &mut Incumbent<'_>,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        let mut choices = vec![Vec::new(); search.open.len()];
        for (k, c) in &search.bought {
            choices[*k].push(*c);
        }
        let lines = self.lines(search.open, &choices);
        self.consider(search.open, &lines, incumbent);
        let Instance::Household(h) = incumbent.instance else {
            return true;
        };
        // Without a missed minimum, more goods only cost more.
        let mut short = Vec::new();
        for (k, o) in search.open.iter().enumerate() {
            let shop = &self.model.shops[o.shop];
            let state = &shop.states[o.states[0]];
            let sum = |m| total(shop, m, state.profile, &choices[k]);
            if state.ranges.iter().any(|r| sum(r.measure) < r.low + 1.0) {
                short.push(o.shop);
            }
        }
        if short.is_empty() {
            return true;
        }
        let mut quantity = BTreeMap::new();
        for (o, qty) in &lines {
            *quantity.entry(*o).or_insert(0) += qty;
        }
        let offers: Vec<usize> = (0..h.offers.len())
            .filter(|o| short.contains(&h.offers[*o].shop))
            .collect();
        self.fill(h, search, &offers, &mut quantity, spent, incumbent, stop)
    }

    /// Raises quantities as long as the bound allows.
    #[allow(clippy::too_many_arguments)] // one recursion, its state spelled out
    fn fill(
        &self,
        h: &Household,
        search: &mut Enumeration<'_>,
        offers: &[usize],
        quantity: &mut BTreeMap<usize, i64>,
        spent: f64,
        incumbent: &mut Incumbent<'_>,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        search.steps += 1;
        if search.steps > MAX_STEPS || (search.steps.is_multiple_of(1024) && stop()) {
            return false;
        }
        for (at, o) in offers.iter().enumerate() {
            let offer = &h.offers[*o];
            let before = quantity.get(o).copied().unwrap_or(0);
            let Some(paid) = offer.price_of(before) else {
                continue;
            };
            let Some(open) = search.open.iter().find(|x| x.shop == offer.shop) else {
                continue;
            };
            for qty in (before + 1).max(offer.min_qty())..=offer.max_qty {
                let Some(price) = offer.price_of(qty) else {
                    continue;
                };
                let more = self.filler_cost(h, open, *o, price - paid, qty - before);
                if spent + more > incumbent.prune_at() {
                    // A later price break may still be cheaper.
                    if offer.breaks.iter().any(|b| b.from > qty) {
                        continue;
                    }
                    break;
                }
                quantity.insert(*o, qty);
                let lines: Lines = quantity.iter().map(|(o, q)| (*o, *q)).collect();
                self.consider(search.open, &lines, incumbent);
                let done = self.fill(
                    h,
                    search,
                    &offers[at + 1..],
                    quantity,
                    spent + more,
                    incumbent,
                    stop,
                );
                if before == 0 {
                    quantity.remove(o);
                } else {
                    quantity.insert(*o, before);
                }
                if !done {
                    return false;
                }
            }
        }
        true
    }

    /// What `extra` cents more of an offer add to the bound, prices included.
    fn filler_cost(&self, h: &Household, open: &Open, offer: usize, extra: i64, units: i64) -> f64 {
        let shop = &self.model.shops[open.shop];
        let state = &shop.states[open.states[0]];
        let profile = &shop.profiles[state.profile];
        let scope = |local: usize| h.coupons[shop.coupons[local]].covers(offer);
        let rates: f64 = profile
            .coupon
            .iter()
            .filter(|r| scope(r.0))
            .map(|r| r.1)
            .sum();
        let extra = extra as f64;
        let pay = extra * (1.0 - rates);
        let weight = (h.offers[offer].weight_g * units) as f64;
        let mut cost =
            pay * (1.0 + self.model.budget_price) + (h.offers[offer].disutility * units) as f64;
        for RangePrice { price, .. } in &open.prices {
            cost -= price.per_unit
                * match price.measure {
                    Measure::Spend => extra,
                    Measure::Pay => pay,
                    Measure::Base(local) => extra * f64::from(u8::from(scope(local))),
                    Measure::Weight => weight,
                };
        }
        cost
    }
}
