//! The coupons that count for a basket.

use super::problem::cents;
use crate::agent::api::types::TryCoupon;
use crate::agent::view::Market;
use crate::engine::basket::{Cents, Coupon as Used, CouponKind, Household};
use crate::model::terms::{Coupon, Gives};
use crate::model::want::Want;
use crate::model::{Money, sentence};
use std::collections::BTreeMap;

/// What two coupons may take off together, in hundredths of a percent.
const WHOLE: i64 = 10_000;

/// The code that stands for a coupon that is tried out.
const TRIED: &str = "(tried)";

/// Adds the coupons of the shops and those to try to the problem. Returns the code of each
/// and what the person should know: which do not count, and why.
pub fn add(
    market: &Market,
    household: &mut Household,
    wants: &[&Want],
    tried: &[TryCoupon],
) -> (Vec<String>, Vec<String>) {
    let mut codes = Vec::new();
    let mut notes = Vec::new();
    for shop in 0..household.shops.len() {
        let domain = household.shops[shop].id.clone();
        let here = tried.iter().filter(|t| t.shop == domain).map(as_coupon);
        let known = market.terms(&domain).map_or(&[][..], |t| &t.coupons);
        let first = household.coupons.len();
        // Groups are numbers over all shops: no two shops share one.
        let mut groups: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for coupon in known.iter().cloned().chain(here) {
            let next = first + groups.len();
            let group = *groups.entry(coupon.group.clone()).or_insert(next);
            if coupon.is_expired(market.today()) {
                notes.push(format!("coupon {} at {domain} has expired", coupon.code));
                continue;
            }
            match used(market, household, wants, shop, &coupon) {
                Ok(Some(used)) => {
                    household.coupons.push(Used {
                        id: household.coupons.len().to_string(),
                        group,
                        ..used
                    });
                    codes.push(coupon.code);
                }
                Ok(None) => {}
                Err(why) => notes.push(format!(
                    "coupon {} at {domain} is not counted: {why}",
                    coupon.code
                )),
            }
        }
        let coupons = &mut household.coupons[first..];
        match together_from(coupons) {
            Together::Never => {
                coupons.iter_mut().for_each(|c| c.group = first);
                notes.push(format!(
                    "the coupons at {domain} would take off more than the price together: one is used"
                ));
            }
            Together::From(spend) => {
                if least_together(coupons, spend) {
                    let spend = Money::from_minor(spend, market.home());
                    notes.push(market.say(sentence!(
                        "coupons at ",
                        &domain,
                        " would take off more than a small order costs: they count together from ",
                        spend,
                        " of goods on"
                    )));
                }
            }
        }
    }
    (codes, notes)
}

fn as_coupon(tried: &TryCoupon) -> Coupon {
    Coupon {
        code: TRIED.to_owned(),
        gives: tried.gives,
        min_spend: tried.min_spend,
        cap: tried.cap,
        wants: Vec::new(),
        group: None,
        until: None,
    }
}

/// A coupon in cents; `None` where nothing on the list is in its scope.
fn used(
    market: &Market,
    household: &Household,
    wants: &[&Want],
    shop: usize,
    coupon: &Coupon,
) -> Result<Option<Used>, String> {
    let amount = |money: &Money| {
        cents(market, money).ok_or_else(|| {
            let home = market.home().code();
            market.say(sentence!(*money, " cannot be counted in ", home))
        })
    };
    let offers = if coupon.wants.is_empty() {
        None
    } else {
        // An offer of several wants is in the scope only if all of them are.
        let meant = |item: &usize| coupon.wants.contains(&wants[*item].id);
        let all = household.offers.iter().enumerate();
        let scope: Vec<usize> = all
            .filter(|(_, o)| o.shop == shop && o.covers.iter().all(|c| meant(&c.0)))
            .map(|(at, _)| at)
            .collect();
        if scope.is_empty() {
            return Ok(None);
        }
        Some(scope)
    };
    Ok(Some(Used {
        id: String::new(),
        shop,
        kind: match &coupon.gives {
            Gives::Percent(points) => CouponKind::Percent(i64::from(*points)),
            Gives::Fixed(money) => CouponKind::Fixed(amount(money)?),
        },
        min_spend: coupon.min_spend.as_ref().map_or(Ok(0), amount)?,
        offers,
        cap: coupon.cap.as_ref().map(amount).transpose()?,
        group: 0,
    }))
}

/// Whether a shop's coupons can be used together: a shop does not pay its customers.
enum Together {
    /// Their percentages come to the whole price.
    Never,
    /// From so much spent on they cannot take off more.
    From(Cents),
}

/// How the coupons of different groups of a shop add up at most: `spend - fixed - rate *
/// spend` is not negative from `fixed / (1 - rate)` on.
fn together_from(coupons: &[Used]) -> Together {
    let mut highest: BTreeMap<usize, (Cents, i64)> = BTreeMap::new();
    for coupon in coupons {
        let (fixed, rate) = highest.entry(coupon.group).or_default();
        match coupon.kind {
            CouponKind::Fixed(value) => *fixed = (*fixed).max(most(coupon, value)),
            CouponKind::Percent(points) => *rate = points.max(*rate),
        }
    }
    if highest.len() < 2 {
        return Together::From(0);
    }
    let fixed: i128 = highest.values().map(|h| i128::from(h.0)).sum();
    let rate: i64 = highest.values().map(|h| h.1).sum();
    let left = i128::from(WHOLE - rate);
    if left < 0 || left == 0 && fixed > 0 {
        return Together::Never;
    }
    let spend = (fixed * i128::from(WHOLE) + left - 1).checked_div(left);
    match spend.map_or(Ok(0), Cents::try_from) {
        Ok(spend) => Together::From(spend),
        Err(_) => Together::Never,
    }
}

/// Asks for so much spent with all coupons but those of the group that gives most: then any
/// two of them are used only where that much is bought. Says whether it changed any.
fn least_together(coupons: &mut [Used], spend: Cents) -> bool {
    let gives = |coupon: &Used| match coupon.kind {
        CouponKind::Fixed(value) => most(coupon, value),
        CouponKind::Percent(points) => {
            let part = i128::from(spend) * i128::from(points) / i128::from(WHOLE);
            most(coupon, Cents::try_from(part).unwrap_or(Cents::MAX))
        }
    };
    // The first of those that give as much.
    let best = coupons
        .iter()
        .rev()
        .max_by_key(|c| gives(c))
        .map(|c| c.group);
    let mut changed = false;
    for coupon in coupons.iter_mut().filter(|c| Some(c.group) != best) {
        changed |= coupon.min_spend < spend;
        coupon.min_spend = coupon.min_spend.max(spend);
    }
    changed
}

fn most(coupon: &Used, value: Cents) -> Cents {
    coupon.cap.map_or(value, |cap| value.min(cap))
}
