//! The states of a shop: every mode of delivery with every way to combine its coupons.

use super::{MAX_COUPON_SETS, MAX_STATES, Measure, Profile, Range, ShopModel, State};
use crate::engine::basket::instance::{Basis, BasketError, Cents, CouponKind, Household, Step};
use std::collections::BTreeMap;

/// One way to use a set of coupons, one linear piece of each.
#[derive(Clone, Default)]
struct CouponSet {
    coupons: Vec<usize>,
    rates: Vec<(usize, f64)>,
    constant: f64,
    /// The part of the constant that every cart within the ranges gets.
    certain: f64,
    ranges: Vec<(Measure, f64, f64)>,
}

fn coupon_sets(
    h: &Household,
    shop: &ShopModel,
    field: &str,
) -> Result<Vec<CouponSet>, BasketError> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (local, c) in shop.coupons.iter().enumerate() {
        groups.entry(h.coupons[*c].group).or_default().push(local);
    }
    let percent = |local: &usize| match h.coupons[shop.coupons[*local]].kind {
        CouponKind::Percent(bp) => bp as f64 / 10_000.0,
        CouponKind::Fixed(_) => 0.0,
    };
    let highest = |members: &Vec<usize>| members.iter().map(percent).fold(0.0, f64::max);
    let all_rates: f64 = groups.values().map(highest).sum();
    let several = groups.len() > 1;
    let mut sets = vec![CouponSet::default()];
    for members in groups.values() {
        let other_rates = all_rates - highest(members);
        let mut grown = sets.clone();
        for local in members {
            let coupon = &h.coupons[shop.coupons[*local]];
            for set in &sets {
                let mut ways = pieces(coupon.kind, coupon.min_spend, coupon.cap);
                // Rates that add up to more than the price would make goods a gain. A
                // capped coupon then counts its cap whatever the goods, which is never
                // less than the coupon gives.
                let generous = ways.len() == 2
                    && several
                    && (ways[1].0 + other_rates > 1.0 || ways[1].0 > 0.999);
                if generous {
                    ways.truncate(1);
                    ways[0].2 = coupon.min_spend as f64;
                }
                let full = |set: &CouponSet, rate: f64| {
                    set.rates.iter().map(|r| r.1).sum::<f64>() + rate > 1.0
                };
                for (rate, constant, low, high) in ways {
                    if full(set, rate) {
                        return Err(BasketError::Invalid {
                            field: format!("coupons.{}", coupon.id),
                            problem: "together with others it takes off more than the price".into(),
                        });
                    }
                    let mut next = set.clone();
                    next.coupons.push(shop.coupons[*local]);
                    if rate > 0.0 {
                        next.rates.push((*local, rate));
                    }
                    next.constant += constant;
                    next.certain += if generous { 0.0 } else { constant };
                    next.ranges.push((Measure::Base(*local), low, high));
                    grown.push(next);
                }
            }
            if grown.len() > MAX_COUPON_SETS {
                return Err(BasketError::TooLarge {
                    field: field.into(),
                    problem: format!("more than {MAX_COUPON_SETS} ways to combine its coupons"),
                });
            }
        }
        sets = grown;
    }
    Ok(sets)
}

/// A coupon's discount `min(rate × base, cap)` as linear pieces: (rate, constant,
/// least base, largest base).
fn pieces(kind: CouponKind, min_spend: Cents, cap: Option<Cents>) -> Vec<(f64, f64, f64, f64)> {
    let (bp, cap) = match kind {
        CouponKind::Percent(bp) => (bp, cap),
        CouponKind::Fixed(value) => (10_000, Some(cap.map_or(value, |c| c.min(value)))),
    };
    let low = min_spend as f64;
    if bp == 0 || cap == Some(0) {
        return Vec::new();
    }
    let rate = bp as f64 / 10_000.0;
    let Some(cap) = cap else {
        return vec![(rate, 0.0, low, f64::INFINITY)];
    };
    // The least base that reaches the cap, in whole cents.
    let full = (i128::from(cap) * 10_000 + i128::from(bp) - 1) / i128::from(bp);
    let (full, cap) = (full as f64, cap as f64);
    if low >= full {
        return vec![(0.0, cap, low, f64::INFINITY)];
    }
    vec![(0.0, cap, full, f64::INFINITY), (rate, 0.0, low, full)]
}

pub(super) fn add_states(
    h: &Household,
    s: usize,
    shop: &mut ShopModel,
    offers: &[usize],
) -> Result<(), BasketError> {
    let terms = &h.shops[s];
    let field = format!("shops.{}", terms.id);
    let sets = coupon_sets(h, shop, &field)?;
    // Modes of delivery: (pickup, fee, spend range, weight range).
    let any = (0.0, f64::INFINITY);
    let mut modes = Vec::new();
    if let Some(p) = terms.pickup {
        modes.push((true, (p.travel + p.fee) as f64, any, any));
    }
    // Where fees only fall with the spend, a cart above a tier's end is better off in
    // the next tier: the end need not be kept. Surcharges only rise in the same way.
    let falling = terms.tiers.windows(2).all(|w| w[0].amount >= w[1].amount);
    let rising = terms
        .weight_tiers
        .windows(2)
        .all(|w| w[0].amount <= w[1].amount);
    for (t, tier) in terms.tiers.iter().enumerate() {
        let next = terms.tiers.get(t + 1).filter(|_| !falling);
        let end = next.map_or(f64::INFINITY, |n| n.from as f64 - 1.0);
        let spend = (tier.from as f64, end);
        let lightest = Step {
            from: -1,
            amount: 0,
        };
        let weights: Vec<Step> = [lightest]
            .into_iter()
            .chain(terms.weight_tiers.clone())
            .collect();
        for (w, step) in weights.iter().enumerate() {
            let low = if rising { 0.0 } else { (step.from + 1) as f64 };
            let high = weights.get(w + 1).map_or(f64::INFINITY, |n| n.from as f64);
            let fee = (tier.amount + step.amount) as f64;
            modes.push((false, fee, spend, (low, high)));
        }
    }
    for set in &sets {
        let profile = Profile {
            all: 0.0,
            coupon: set.rates.clone(),
        };
        let known = shop.profiles.iter().position(|p| *p == profile);
        let profile = known.unwrap_or_else(|| {
            shop.profiles.push(profile);
            shop.profiles.len() - 1
        });
        for (pickup, fee, spend, weight) in &modes {
            let mut ranges = set.ranges.clone();
            if terms.min_order > 0 {
                ranges.push((Measure::Spend, terms.min_order as f64, f64::INFINITY));
            }
            match terms.basis {
                // Fetched goods have no tier to reach.
                _ if *pickup => {}
                Basis::BeforeCoupons => ranges.push((Measure::Spend, spend.0, spend.1)),
                // Each floored discount may leave up to a cent more than the line.
                Basis::AfterCoupons => ranges.push((
                    Measure::Pay,
                    spend.0 + set.certain - set.rates.len() as f64,
                    spend.1 + set.constant,
                )),
            }
            ranges.push((Measure::Weight, weight.0, weight.1));
            let ranges = merged(h, shop, &set.rates, ranges);
            let ranges = ranges.into_iter().map(|(measure, low, high)| Range {
                measure,
                low,
                high,
                max_price: max_price(h, shop, &set.rates, offers, measure),
            });
            shop.states.push(State {
                pickup: *pickup,
                fixed_pay: fee - set.constant,
                profile,
                ranges: ranges.collect(),
                coupons: set.coupons.clone(),
            });
        }
    }
    if shop.states.len() > MAX_STATES {
        return Err(BasketError::TooLarge {
            field,
            problem: format!("more than {MAX_STATES} combinations of tiers and coupons"),
        });
    }
    for profile in &shop.profiles {
        let mut pay: Vec<f64> = shop.choices.iter().map(|c| c.spend).collect();
        for (local, rate) in &profile.coupon {
            for (p, b) in pay.iter_mut().zip(&shop.base[*local]) {
                *p -= rate * b;
            }
        }
        shop.pay.push(pay);
    }
    Ok(())
}

/// Ranges on the spend by another name become ranges on the spend, and those on the same
/// total one range: fewer totals to keep apart.
fn merged(
    h: &Household,
    shop: &ShopModel,
    rates: &[(usize, f64)],
    ranges: Vec<(Measure, f64, f64)>,
) -> Vec<(Measure, f64, f64)> {
    let whole_shop = |local: &usize| h.coupons[shop.coupons[*local]].offers.is_none();
    let left = 1.0 - rates.iter().map(|r| r.1).sum::<f64>();
    let mut all: Vec<(Measure, f64, f64)> = Vec::new();
    for (measure, low, high) in ranges {
        let (measure, low, high) = match measure {
            Measure::Base(local) if whole_shop(&local) => (Measure::Spend, low, high),
            Measure::Pay if left > 0.0 && rates.iter().all(|r| whole_shop(&r.0)) => {
                (Measure::Spend, low / left, high / left)
            }
            other => (other, low, high),
        };
        match all.iter_mut().find(|r| r.0 == measure) {
            Some(r) => *r = (measure, r.1.max(low), r.2.min(high)),
            None => all.push((measure, low, high)),
        }
    }
    all.retain(|r| r.1 > 0.0 || r.2 < f64::INFINITY);
    all
}

/// The largest price on a total with which no offer of the shop is worth buying for
/// the total alone.
fn max_price(
    h: &Household,
    shop: &ShopModel,
    rates: &[(usize, f64)],
    offers: &[usize],
    measure: Measure,
) -> f64 {
    let mut least = f64::INFINITY;
    for o in offers {
        let in_scope = |local: usize| h.coupons[shop.coupons[local]].covers(*o);
        let pay: f64 = 1.0
            - rates
                .iter()
                .filter(|r| in_scope(r.0))
                .map(|r| r.1)
                .sum::<f64>();
        let counts = match measure {
            Measure::Spend => 1.0,
            Measure::Pay => pay,
            Measure::Base(local) => f64::from(u8::from(in_scope(local))),
            Measure::Weight => {
                let offer = &h.offers[*o];
                let price = offer.breaks.iter().map(|b| b.amount).min().unwrap_or(0) as f64;
                if offer.weight_g > 0 {
                    least = least.min(pay.max(0.0) * price / offer.weight_g as f64);
                }
                continue;
            }
        };
        if counts > 0.0 {
            least = least.min(pay.max(0.0) / counts);
        }
    }
    if least.is_finite() {
        least.max(0.0)
    } else {
        0.0
    }
}
