//! The best answer so far. Carts are priced in integer cents under the shop's real
//! terms, with the best mode and coupons for what is in them.

use super::evaluate::{Mode, Purchase, Solution};
use super::instance::{Basis, Cents, Household, Instance};
use super::model::Model;
use std::collections::BTreeMap;

/// Offers and quantities, whatever the shop.
pub(super) type Lines = Vec<(usize, i64)>;

/// What a cart costs in one mode, and with which coupons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    pub cost: Cents,
    pub coupons: Vec<usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub lines: Lines,
    pub pickups: Vec<usize>,
    pub coupons: Vec<usize>,
}

pub(super) struct Incumbent<'a> {
    pub instance: &'a Instance,
    pub model: &'a Model,
    pub cost: Option<Cents>,
    pub best: Answer,
    /// Shops of the best answer.
    pub shops: Vec<usize>,
    /// Coupons to choose from at each shop, where not all of them.
    pub restricted: Option<BTreeMap<usize, Vec<usize>>>,
}

impl<'a> Incumbent<'a> {
    pub(super) fn new(instance: &'a Instance, model: &'a Model) -> Self {
        Self {
            instance,
            model,
            cost: None,
            best: Answer::default(),
            shops: Vec::new(),
            restricted: None,
        }
    }

    /// A bound above this shows that a space holds nothing better: costs are whole
    /// cents, and the margin is above the rounding error of the bound.
    pub(super) fn prune_at(&self) -> f64 {
        self.cost.map_or(self.model.big, |c| {
            let cost = c as f64;
            cost - 1.0 + 1e-6 + cost.abs() * 1e-10
        })
    }

    /// Prices a set of lines and keeps it if it is the best so far.
    pub(super) fn consider(&mut self, lines: &[(usize, i64)]) -> Option<Cents> {
        let (cost, answer, shops) = match self.instance {
            Instance::Classic(c) => {
                let mut totals: BTreeMap<usize, Cents> = BTreeMap::new();
                let mut assigned = vec![false; c.n];
                // Of carts that overlap, the first keeps the product.
                let mut kept = Vec::with_capacity(c.n);
                for (offer, qty) in lines {
                    let (shop, product) = (offer / c.n, offer % c.n);
                    if assigned[product] {
                        continue;
                    }
                    assigned[product] = true;
                    kept.push((*offer, *qty));
                    *totals.entry(shop).or_insert(c.delivery[shop]) += c.price[shop][product]?;
                }
                if assigned.iter().any(|a| !a) {
                    return None;
                }
                let paid = |t: &Cents| c.discount.as_ref().map_or(*t, |d| d.apply(*t));
                let cost = totals.values().map(paid).sum();
                let answer = Answer {
                    lines: kept,
                    ..Answer::default()
                };
                (cost, answer, totals.into_keys().collect())
            }
            Instance::Household(h) => self.price(h, lines)?,
        };
        if self.cost.is_none_or(|best| cost < best) {
            self.cost = Some(cost);
            self.best = answer;
            self.shops = shops;
        }
        Some(cost)
    }

    /// Keeps an answer whose cost is known if it is the best so far.
    pub(super) fn adopt(&mut self, cost: Cents, answer: Answer, shops: Vec<usize>) {
        if self.cost.is_none_or(|best| cost < best) {
            self.cost = Some(cost);
            self.best = answer;
            self.shops = shops;
        }
    }

    /// The lines without units beyond the need, the dearest offers first; `None` where
    /// nothing is too much.
    pub(super) fn trimmed(&self, lines: &[(usize, i64)]) -> Option<Lines> {
        let Instance::Household(h) = self.instance else {
            return None;
        };
        let mut lines = lines.to_vec();
        let mut spare: Vec<i64> = h.items.iter().map(|i| -i.qty).collect();
        for (o, qty) in &lines {
            for (item, units) in &h.offers[*o].covers {
                spare[*item] += units * qty;
            }
        }
        let unit = |o: usize| {
            let offer = &h.offers[o];
            let units: i64 = offer.covers.iter().map(|c| c.1).sum();
            offer.breaks.first().map_or(0, |b| b.amount) / units.max(1)
        };
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by_key(|l| std::cmp::Reverse(unit(lines[*l].0)));
        let mut changed = false;
        for l in order {
            let (o, qty) = lines[l];
            let covers = &h.offers[o].covers;
            let idle = covers
                .iter()
                .map(|(i, a)| spare[*i].max(0) / a)
                .min()
                .unwrap_or(0);
            let least = h.offers[o].min_qty();
            let mut fewer = qty - idle.min(qty);
            if fewer > 0 && fewer < least {
                fewer = least.min(qty);
            }
            if fewer < qty {
                for (i, a) in covers {
                    spare[*i] -= a * (qty - fewer);
                }
                lines[l].1 = fewer;
                changed = true;
            }
        }
        changed.then_some(lines)
    }

    fn price(&self, h: &Household, lines: &[(usize, i64)]) -> Option<(Cents, Answer, Vec<usize>)> {
        let mut merged: BTreeMap<usize, i64> = BTreeMap::new();
        for (offer, qty) in lines.iter().filter(|l| l.1 > 0) {
            *merged.entry(*offer).or_default() += qty;
        }
        let mut carts: BTreeMap<usize, Lines> = BTreeMap::new();
        let mut covered = vec![0; h.items.len()];
        let mut other: Cents = 0;
        for (o, qty) in &merged {
            let offer = &h.offers[*o];
            carts.entry(offer.shop).or_default().push((*o, *qty));
            other += offer.disutility * qty;
            for (item, units) in &offer.covers {
                covered[*item] += units * qty;
            }
        }
        for (item, covered) in h.items.iter().zip(&covered) {
            let missing = (item.qty - covered).max(0);
            if missing > 0 {
                other += item.unmet_penalty? * missing;
            }
        }
        if h.limits.max_shops.is_some_and(|max| carts.len() > max) {
            return None;
        }
        let mut used = Vec::new();
        let mut chosen = Vec::new();
        for (s, cart) in &carts {
            let coupons = match &self.restricted {
                Some(by_shop) => by_shop.get(s).map_or(&[][..], Vec::as_slice),
                None => &self.model.shops[*s].coupons,
            };
            let terms = terms(h, coupons, *s, cart, &used);
            let best = match (&terms[0], &terms[1]) {
                (Some(a), Some(b)) => usize::from(b.cost < a.cost),
                (Some(_), None) => 0,
                (None, Some(_)) => 1,
                (None, None) => return None,
            };
            if self.model.shared_groups {
                let coupons = terms[best].iter().flat_map(|t| &t.coupons);
                used.extend(coupons.map(|c| h.coupons[*c].group));
            }
            chosen.push((*s, best, terms));
        }
        if let Some(limit) = h.limits.max_pickups {
            let mut picked: Vec<(Cents, usize)> = Vec::new();
            for (at, (_, mode, terms)) in chosen.iter().enumerate() {
                if let (1, Some(pick)) = (*mode, &terms[1]) {
                    let extra = terms[0].as_ref().map_or(Cents::MAX, |t| t.cost - pick.cost);
                    picked.push((extra, at));
                }
            }
            if picked.len() > limit {
                picked.sort_unstable();
                let excess = picked.len() - limit;
                for (_, at) in &picked[..excess] {
                    chosen[*at].2[0].as_ref()?;
                    chosen[*at].1 = 0;
                }
            }
        }
        let mut answer = Answer {
            lines: merged.into_iter().collect(),
            ..Answer::default()
        };
        let mut payable = 0;
        for (s, mode, terms) in &chosen {
            let terms = terms[*mode].as_ref()?;
            payable += terms.cost;
            if *mode == 1 {
                answer.pickups.push(*s);
            }
            answer.coupons.extend(&terms.coupons);
        }
        if self.model.shared_groups {
            // Switching a mode may have brought coupons back that clash.
            let mut groups: Vec<usize> =
                answer.coupons.iter().map(|c| h.coupons[*c].group).collect();
            groups.sort_unstable();
            if groups.windows(2).any(|w| w[0] == w[1]) {
                return None;
            }
        }
        if h.limits.budget.is_some_and(|max| payable > max) {
            return None;
        }
        let hassle = h.limits.per_shop_hassle * i64::try_from(chosen.len()).ok()?;
        let shops = chosen.iter().map(|c| c.0).collect();
        Some((payable + other + hassle, answer, shops))
    }

    /// The best answer in the schema of the instance.
    pub(super) fn solution(&self) -> Option<Solution> {
        self.cost?;
        match self.instance {
            Instance::Classic(c) => {
                let mut assign = vec![0; c.n];
                for (offer, _) in &self.best.lines {
                    assign[offer % c.n] = offer / c.n;
                }
                Some(Solution::Classic { assign })
            }
            Instance::Household(h) => {
                let mut purchase = Purchase::default();
                for (o, qty) in &self.best.lines {
                    purchase.buy.insert(h.offers[*o].id.clone(), *qty);
                }
                for s in &self.shops {
                    let mode = match self.best.pickups.contains(s) {
                        true => Mode::Pickup,
                        false => Mode::Ship,
                    };
                    purchase.mode.insert(h.shops[*s].id.clone(), mode);
                }
                let id = |c: &usize| h.coupons[*c].id.clone();
                purchase.coupons = self.best.coupons.iter().map(id).collect();
                Some(Solution::Household(purchase))
            }
        }
    }
}

/// The least cost of a cart sent and fetched, with the best coupons outside the
/// groups in `used`.
pub(super) fn terms(
    h: &Household,
    coupons: &[usize],
    s: usize,
    cart: &[(usize, i64)],
    used: &[usize],
) -> [Option<Terms>; 2] {
    let shop = &h.shops[s];
    let mut goods: Cents = 0;
    let mut weight = 0;
    let mut bases = vec![0; coupons.len()];
    for (o, qty) in cart {
        let Some(price) = h.offers[*o].price_of(*qty) else {
            return [None, None];
        };
        goods += price;
        weight += h.offers[*o].weight_g * qty;
        for (base, c) in bases.iter_mut().zip(coupons) {
            if h.coupons[*c].covers(*o) {
                *base += price;
            }
        }
    }
    if goods < shop.min_order {
        return [None, None];
    }
    let mut worthwhile = Vec::new();
    for (base, c) in bases.iter().zip(coupons) {
        let coupon = &h.coupons[*c];
        match coupon.discount(*base) {
            Some(d) if d > 0 && !used.contains(&coupon.group) => worthwhile.push((*c, d)),
            _ => {}
        }
    }
    let over = shop.weight_tiers.iter().rev().find(|t| weight > t.from);
    let surcharge = over.map_or(0, |t| t.amount);
    let mut best: [Option<Terms>; 2] = [None, None];
    let mut stack = vec![(0, Vec::new(), 0)];
    while let Some((at, used, discount)) = stack.pop() {
        let net = goods - discount;
        let basis = match shop.basis {
            Basis::AfterCoupons => net,
            Basis::BeforeCoupons => goods,
        };
        let tier = shop.tiers.iter().rev().find(|t| basis >= t.from);
        let sent = tier.map(|t| net + t.amount + surcharge);
        let fetched = shop.pickup.map(|p| net + p.travel + p.fee);
        for (best, cost) in best.iter_mut().zip([sent, fetched]) {
            let Some(cost) = cost else { continue };
            if best.as_ref().is_none_or(|b| cost < b.cost) {
                *best = Some(Terms {
                    cost,
                    coupons: used.clone(),
                });
            }
        }
        for (next, (c, d)) in worthwhile.iter().enumerate().skip(at) {
            let clashes = |u: &usize| h.coupons[*u].group == h.coupons[*c].group;
            if !used.iter().any(clashes) {
                let mut more = used.clone();
                more.push(*c);
                stack.push((next + 1, more, discount + d));
            }
        }
    }
    best
}
