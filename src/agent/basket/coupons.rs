//! The coupons that count for a basket.

use super::problem::cents;
use crate::agent::api::types::TryCoupon;
use crate::agent::view::Market;
use crate::engine::basket::{Coupon as Used, CouponKind, Household};
use crate::model::sentence;
use crate::model::terms::{Coupon, Gives};
use crate::model::want::Want;
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
        if one_group(&mut household.coupons[first..], first) {
            notes.push(format!(
                "the coupons at {domain} would take off more than the price together: one is used"
            ));
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
    let amount = |money: &crate::model::Money| {
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

/// Puts the coupons of a shop into one group where their percentages could add up to more
/// than the price: a shop does not pay its customers. Says whether it did.
fn one_group(coupons: &mut [Used], group: usize) -> bool {
    let mut highest: BTreeMap<usize, i64> = BTreeMap::new();
    for coupon in coupons.iter() {
        if let CouponKind::Percent(points) = coupon.kind {
            let rate = highest.entry(coupon.group).or_default();
            *rate = points.max(*rate);
        }
    }
    let too_much = highest.values().sum::<i64>() > WHOLE;
    if too_much {
        coupons.iter_mut().for_each(|c| c.group = group);
    }
    too_much
}
