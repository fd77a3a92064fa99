//! How many of each offer may be worth buying.

use super::{MAX_CHOICES, MAX_FILLERS};
use crate::engine::basket::instance::{Cents, CouponKind, Household, Offer, Step};
use std::collections::HashSet;

/// Offers and how many of each.
type Lines = Vec<(usize, i64)>;

pub(super) fn units_of(h: &Household, lines: &[(usize, i64)]) -> i64 {
    let units = |(o, n): &(usize, i64)| h.offers[*o].covers[0].1 * n;
    lines.iter().map(units).sum()
}

/// The most it can pay to spend on goods that nobody needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Excess {
    pub most: Cents,
    /// Share of a price that the coupons leave at least.
    left: f64,
}

/// What the dearest delivery and the lost coupons would cost. Of a percentage the minimum
/// is what matters: with goods worth `b` below the minimum `T`, a filler `f` pays while
/// `f (1 − r) ≤ r b`.
pub(super) fn useful_excess(h: &Household, s: usize, coupons: &[usize]) -> Excess {
    let shop = &h.shops[s];
    let fees = shop.tiers.iter().map(|t| t.amount);
    let mut gain = (fees.clone().max().unwrap_or(0) - fees.min().unwrap_or(0)) as f64;
    let mut rates = 0.0;
    for coupon in coupons.iter().map(|c| &h.coupons[*c]) {
        let cap = coupon.cap.map_or(f64::INFINITY, |c| c as f64);
        if coupon.min_spend == 0 {
            continue;
        }
        gain += match coupon.kind {
            CouponKind::Percent(bp) => {
                rates += bp as f64 / 10_000.0;
                cap.min(coupon.min_spend as f64 * bp as f64 / 10_000.0)
            }
            CouponKind::Fixed(value) => cap.min(value as f64),
        };
    }
    let left = (1.0_f64 - rates).max(0.05);
    let most = gain / left + shop.min_order as f64;
    Excess {
        most: most.ceil().min(1e12) as Cents,
        left,
    }
}

/// Purchases of an item that cost up to `excess` more than what does as well, disutility
/// included, and whether these are all: where there are too many, only what reaches the
/// minimum `order` alone.
pub(super) fn fillers(
    h: &Household,
    offers: &[usize],
    need: i64,
    excess: Excess,
    order: Cents,
    useful: &[&Lines],
) -> (Vec<Lines>, bool) {
    let price = |lines: &[(usize, i64)]| -> Cents {
        let of = |(o, n): &(usize, i64)| h.offers[*o].price_of(*n).unwrap_or(0);
        lines.iter().map(of).sum()
    };
    let disutility = |lines: &[(usize, i64)]| -> Cents {
        lines.iter().map(|(o, n)| h.offers[*o].disutility * n).sum()
    };
    let known: HashSet<&[(usize, i64)]> = useful.iter().map(|l| l.as_slice()).collect();
    // Units, price and disutility of what does as well.
    let mut others: Vec<(i64, Cents, Cents)> = useful
        .iter()
        .map(|l| (units_of(h, l).min(need), price(l), disutility(l)))
        .collect();
    others.push((0, 0, 0));
    // Coupons lower prices, but no disutility: one that is saved is worth more of the price.
    // No dislike is too great where nothing else reaches the minimum order.
    let undiscounted = |d: Cents| match d {
        0.. if order > 0 => 0.0,
        0.. => d as f64,
        _ => d as f64 / excess.left,
    };
    // The most that is spent and still as good as what covers as many units.
    let most = |units: i64, own: Cents| -> f64 {
        let as_many = others.iter().filter(|l| l.0 >= units.min(need));
        let spent = as_many.map(|l| l.1 as f64 - undiscounted(own - l.2));
        spent.fold(f64::INFINITY, f64::min) + excess.most as f64
    };
    // The unit that reaches a minimum order may overshoot it by its whole price.
    let unit = |o: &usize| match (order > 0, h.offers[*o].price_of(h.offers[*o].min_qty())) {
        (true, Some(price)) => price,
        _ => 0,
    };
    let overshoot = offers.iter().map(unit).max().unwrap_or(0);
    let dearest = others.iter().map(|l| most(l.0, 0)).fold(0.0, f64::max);
    let dearest = dearest as Cents + 1 + overshoot;
    let mut found = Vec::new();
    let mut stack = vec![Vec::new()];
    let mut steps = 0;
    while let Some(lines) = stack.pop() {
        steps += 1;
        if found.len() > MAX_FILLERS || steps > 16 * MAX_FILLERS {
            return (alone(h, offers, order), false);
        }
        let Some(next) = offers.get(lines.len()) else {
            if !known.contains(lines.as_slice()) && lines.iter().any(|l| l.1 > 0) {
                let units = units_of(h, &lines);
                let bought = lines.iter().filter(|l| l.1 > 0);
                let last = bought.map(|l| unit(&l.0)).max().unwrap_or(0);
                if (price(&lines) - last) as f64 <= most(units, disutility(&lines)) {
                    found.push(lines);
                }
            }
            continue;
        };
        let spent = price(&lines);
        let offer = &h.offers[*next];
        let covered = units_of(h, &lines);
        let least_unit = offer.breaks.iter().map(|b| b.amount).min().unwrap_or(0);
        for qty in 0..=offer.max_qty {
            let idle = least_unit == 0 && covered + offer.covers[0].1 * (qty - 1) >= need;
            if spent + least_unit * qty > dearest || idle {
                break;
            }
            let affordable = |p: &Cents| spent + p <= dearest;
            if offer.price_of(qty).filter(affordable).is_none() {
                continue;
            }
            let mut longer = lines.clone();
            longer.push((*next, qty));
            stack.push(longer);
        }
    }
    (found, true)
}

/// Of each offer the fewest that reach a minimum order without anything else.
fn alone(h: &Household, offers: &[usize], order: Cents) -> Vec<Lines> {
    let reaches = |o: usize, qty: &i64| h.offers[o].price_of(*qty).is_some_and(|p| p >= order);
    let fewest = |o: usize| {
        let offer = &h.offers[o];
        let (mut few, mut many) = (offer.min_qty(), offer.max_qty);
        if order <= 0 || !reaches(o, &many) {
            return None;
        }
        while few < many {
            let half = few + (many - few) / 2;
            match reaches(o, &half) {
                true => many = half,
                false => few = half + 1,
            }
        }
        Some(many)
    };
    let line = |at: usize| {
        let qty = fewest(offers[at])?;
        let of = |(k, o): (usize, &usize)| (*o, if k == at { qty } else { 0 });
        Some(offers.iter().enumerate().map(of).collect())
    };
    (0..offers.len()).filter_map(line).collect()
}

/// Quantities worth buying when `useful` units can be used: up to that many, and the
/// start of a later price break where it makes the whole purchase cheaper.
pub(super) fn useful_quantities(offer: &Offer, useful: i64) -> Vec<i64> {
    let top = useful.min(offer.max_qty);
    let mut all: Vec<i64> = (offer.min_qty()..=top).collect();
    let mut cheapest = offer.price_of(top).unwrap_or(Cents::MAX);
    for Step { from, .. } in &offer.breaks {
        let price = offer.price_of(*from).filter(|_| *from > top);
        if let Some(price) = price.filter(|p| useful > 0 && *p < cheapest) {
            cheapest = price;
            all.push(*from);
        }
    }
    all
}

pub(super) fn combinations(
    h: &Household,
    offers: &[usize],
    need: i64,
    lines: &mut Vec<(usize, i64)>,
    out: &mut Vec<Vec<(usize, i64)>>,
) {
    if out.len() > MAX_CHOICES {
        return;
    }
    let Some((first, rest)) = offers.split_first() else {
        out.push(lines.clone());
        return;
    };
    let offer = &h.offers[*first];
    let pack = offer.covers[0].1;
    lines.push((*first, 0));
    combinations(h, rest, need, lines, out);
    for qty in useful_quantities(offer, (need + pack - 1).max(0) / pack) {
        if let Some(last) = lines.last_mut() {
            last.1 = qty;
        }
        combinations(h, rest, (need - pack * qty).max(0), lines, out);
    }
    lines.pop();
}
