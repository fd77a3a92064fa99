//! The coupons that count for a basket.

use crate::agent::api::types::TryCoupon;
use crate::agent::view::Market;
use crate::engine::basket::stacking::{Stacking, keep_to_the_price};
use crate::engine::basket::{Coupon as Used, Household};
use crate::model::terms::Coupon;
use crate::model::want::Want;
use crate::model::{Money, Sentence, sentence};
use std::collections::BTreeMap;

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
                    "coupon {} at {domain} is not counted: {}",
                    coupon.code,
                    market.say(why)
                )),
            }
        }
        match keep_to_the_price(&mut household.coupons[first..]) {
            Stacking::AsGiven => {}
            Stacking::From(spend) => {
                let spend = Money::from_minor(spend, market.home());
                notes.push(market.say(sentence!(
                    "coupons at ",
                    &domain,
                    " would take off more than a small order costs: they count together from ",
                    spend,
                    " of goods on"
                )));
            }
            Stacking::One => notes.push(format!(
                "the coupons at {domain} would take off more than the price together: one is used"
            )),
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
) -> Result<Option<Used>, Sentence> {
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
        shop,
        offers,
        ..market.counted(coupon)?
    }))
}
