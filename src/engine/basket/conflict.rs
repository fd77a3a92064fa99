//! Which limits stand in the way when nothing satisfies a list. Each limit is taken away
//! in turn and the problem solved again; what helps is told with the least value that
//! would do.

use super::evaluate::{Mode, Purchase, Solution};
use super::explain;
use super::instance::{BasketError, Cents, Household, Instance};
use super::{Solved, solve};
use std::fmt;

/// A limit, and what it would have to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relief {
    /// `limits.budget` is too low.
    Budget {
        /// What it is.
        is: Cents,
        /// The least that can be paid.
        least: Cents,
        /// Whether that is proven.
        exact: bool,
    },
    /// `limits.max_shops` is too small.
    MaxShops {
        /// What it is.
        is: usize,
        /// The least number that works.
        least: usize,
        /// Whether that is proven.
        exact: bool,
    },
    /// `limits.max_pickups` is too small.
    MaxPickups {
        /// What it is.
        is: usize,
        /// The least number that works.
        least: usize,
        /// Whether that is proven.
        exact: bool,
    },
    /// Orders stay under the minimum of shops.
    MinOrder {
        /// The shops of the best plan without minimum orders, and what each lacks.
        short: Vec<(String, Cents)>,
    },
}

/// Why nothing satisfies a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// Each of these alone would help.
    Any(Vec<Relief>),
    /// These would help together, and none can be left out.
    All(Vec<Relief>),
    /// The time was over before the reason was found.
    Unknown,
}

/// The limits that can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Budget,
    MaxShops,
    MaxPickups,
    MinOrder,
}

/// Whether the budget of an instance is proven to be under the least that can be paid.
/// Asked before the search: without the budget the least payment is found quickly, where
/// trying every plan against it would take long.
#[must_use]
pub fn over_budget(household: &Household, stop: &mut dyn FnMut() -> bool) -> Option<Relief> {
    let is = household.limits.budget?;
    let free = without(household, &[Limit::Budget]);
    let cheapest = answer(&payable_only(free), stop).ok().flatten()?;
    (cheapest.bound > is).then_some(Relief::Budget {
        is,
        least: cheapest.evaluation.payable,
        exact: cheapest.optimal,
    })
}

/// Says which limits of an instance without an answer contradict the list.
#[must_use]
pub fn conflict(household: &Household, stop: &mut dyn FnMut() -> bool) -> Conflict {
    let limits = &household.limits;
    let set = [
        (Limit::Budget, limits.budget.is_some()),
        (Limit::MaxShops, limits.max_shops.is_some()),
        (Limit::MaxPickups, limits.max_pickups.is_some()),
        (
            Limit::MinOrder,
            household.shops.iter().any(|s| s.min_order > 0),
        ),
    ];
    let set: Vec<Limit> = set.into_iter().filter(|s| s.1).map(|s| s.0).collect();
    let mut single = Vec::new();
    for limit in &set {
        match answer(&without(household, &[*limit]), stop) {
            Ok(Some(plan)) => single.push(relief(household, *limit, &[*limit], &plan, stop)),
            Ok(None) => {}
            Err(_) => return any(single),
        }
    }
    if !single.is_empty() {
        return Conflict::Any(single);
    }
    // Several together: all of them, then each is put back that is not needed.
    let mut gone = set;
    let Ok(Some(mut plan)) = answer(&without(household, &gone), stop) else {
        return Conflict::Unknown;
    };
    let mut at = 0;
    while at < gone.len() {
        let fewer: Vec<Limit> = gone.iter().copied().filter(|l| *l != gone[at]).collect();
        match answer(&without(household, &fewer), stop) {
            Ok(Some(other)) => (gone, plan) = (fewer, other),
            Ok(None) => at += 1,
            Err(_) => return Conflict::Unknown,
        }
    }
    let needed = gone
        .iter()
        .map(|limit| relief(household, *limit, &gone, &plan, stop));
    Conflict::All(needed.collect())
}

fn any(found: Vec<Relief>) -> Conflict {
    if found.is_empty() {
        Conflict::Unknown
    } else {
        Conflict::Any(found)
    }
}

/// The best plan; `None` where there is none.
fn answer(
    household: &Household,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Option<Solved>, BasketError> {
    match solve(&Instance::Household(household.clone()), stop) {
        Ok(plan) => Ok(Some(plan)),
        Err(BasketError::Infeasible(_)) => Ok(None),
        Err(e) => Err(e),
    }
}

fn without(household: &Household, gone: &[Limit]) -> Household {
    let mut h = household.clone();
    for limit in gone {
        match limit {
            Limit::Budget => h.limits.budget = None,
            Limit::MaxShops => h.limits.max_shops = None,
            Limit::MaxPickups => h.limits.max_pickups = None,
            Limit::MinOrder => h.shops.iter_mut().for_each(|s| s.min_order = 0),
        }
    }
    h
}

/// What a limit would have to be, with those in `gone` taken away; `plan` is an answer
/// without them.
fn relief(
    household: &Household,
    limit: Limit,
    gone: &[Limit],
    plan: &Solved,
    stop: &mut dyn FnMut() -> bool,
) -> Relief {
    let free = without(household, gone);
    let limits = &household.limits;
    let bought = match &plan.solution {
        Solution::Household(purchase) => purchase.clone(),
        Solution::Classic { .. } => Purchase::default(),
    };
    let carts = explain::carts(household, &bought);
    match limit {
        Limit::Budget => {
            let cheapest = answer(&payable_only(free), stop).ok().flatten();
            let least = cheapest
                .as_ref()
                .map_or(plan.evaluation.payable, |s| s.evaluation.payable);
            Relief::Budget {
                is: limits.budget.unwrap_or(0),
                least: least.min(plan.evaluation.payable),
                exact: cheapest.is_some_and(|s| s.optimal),
            }
        }
        Limit::MaxShops => {
            let is = limits.max_shops.unwrap_or(0);
            let (least, exact) = least_count(is, carts.len(), |n| {
                let mut h = free.clone();
                h.limits.max_shops = Some(n);
                answer(&h, stop)
            });
            Relief::MaxShops { is, least, exact }
        }
        Limit::MaxPickups => {
            let is = limits.max_pickups.unwrap_or(0);
            let trips = carts.iter().filter(|c| c.mode == Mode::Pickup).count();
            let (least, exact) = least_count(is, trips, |n| {
                let mut h = free.clone();
                h.limits.max_pickups = Some(n);
                answer(&h, stop)
            });
            Relief::MaxPickups { is, least, exact }
        }
        Limit::MinOrder => {
            let least = |shop: &str| {
                let shop = household.shops.iter().find(|s| s.id == shop);
                shop.map_or(0, |s| s.min_order)
            };
            let short = carts
                .iter()
                .map(|c| (c.shop.clone(), least(&c.shop) - c.goods));
            Relief::MinOrder {
                short: short.filter(|(_, missing)| *missing > 0).collect(),
            }
        }
    }
}

/// The same with nothing in the objective but what is paid: its answer is the least that
/// can be paid.
fn payable_only(mut household: Household) -> Household {
    household.limits.per_shop_hassle = 0;
    for item in &mut household.items {
        item.unmet_penalty = item.unmet_penalty.map(|_| 0);
    }
    for offer in &mut household.offers {
        offer.disutility = 0;
    }
    household
}

/// The least number over `is` that works, and whether that is proven; `known` works.
fn least_count(
    is: usize,
    known: usize,
    mut answer: impl FnMut(usize) -> Result<Option<Solved>, BasketError>,
) -> (usize, bool) {
    for n in is + 1..known {
        match answer(n) {
            Ok(Some(_)) => return (n, true),
            Ok(None) => {}
            Err(_) => return (known, false),
        }
    }
    (known, true)
}

impl fmt::Display for Relief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = |exact: bool| {
            if exact {
                "the least possible is"
            } else {
                "enough is"
            }
        };
        match self {
            Self::Budget { is, least, exact } => {
                write!(
                    f,
                    "limits.budget: {is} is too low, {} {least}",
                    bound(*exact)
                )
            }
            Self::MaxShops { is, least, exact } => {
                write!(
                    f,
                    "limits.max_shops: {is} is too small, {} {least}",
                    bound(*exact)
                )
            }
            Self::MaxPickups { is, least, exact } => {
                write!(
                    f,
                    "limits.max_pickups: {is} is too small, {} {least}",
                    bound(*exact)
                )
            }
            Self::MinOrder { short } => {
                f.write_str("min_order: no order is large enough")?;
                for (at, (shop, missing)) in short.iter().enumerate() {
                    let sep = if at == 0 { ": " } else { ", " };
                    write!(f, "{sep}shop `{shop}` lacks {missing}")?;
                }
                Ok(())
            }
        }
    }
}

/// In the words of the schema, amounts in cents.
impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reliefs, word) = match self {
            Self::Any(reliefs) => (reliefs, "; or "),
            Self::All(reliefs) => (reliefs, "; and "),
            Self::Unknown => return f.write_str("the time was over before the reason was found"),
        };
        for (at, relief) in reliefs.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { word })?;
            relief.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Tea at `a` for 500 and cake at `b` for 700; delivery 100 each.
    fn pair(limits: Value, min_order: i64) -> Household {
        let shop = |id: &str, least: i64| {
            json!({"id": id, "pickup": {"travel_cents": 20, "fee": 0}, "min_order": least,
                "ship": {"tiers": [{"min_spend": 0, "fee": 100}], "basis": "after_coupons",
                "weight_tiers": []}})
        };
        let offer = |id: &str, shop: &str, item: &str, unit: i64| {
            json!({"id": id, "shop": shop, "covers": [[item, 1]], "max_qty": 1, "weight_g": 0,
                "breaks": [{"min_qty": 1, "unit": unit}], "disutility": 0})
        };
        let item = |id: &str| json!({"id": id, "qty": 1, "unmet_penalty_cents": null});
        let value = json!({"schema": "emptor-basket/1", "items": [item("tea"), item("cake")],
            "shops": [shop("a", min_order), shop("b", 0)],
            "offers": [offer("t", "a", "tea", 500), offer("c", "b", "cake", 700)],
            "coupons": [], "limits": limits});
        match Instance::from_json(&value.to_string()) {
            Ok(Instance::Household(h)) => h,
            other => panic!("{other:?}"),
        }
    }

    fn found(limits: Value, min_order: i64) -> Conflict {
        let h = pair(limits, min_order);
        let error = solve(&Instance::Household(h.clone()), &mut || false).expect_err("no answer");
        assert!(matches!(error, BasketError::Infeasible(_)), "{error}");
        conflict(&h, &mut || false)
    }

    #[test]
    fn one_limit_is_named_with_the_least_that_works() {
        // Fetched, both cost 500 + 700 + 2 x 20.
        let budget = found(json!({"budget": 1000}), 0);
        let (is, least, exact) = (1000, 1240, true);
        assert_eq!(
            budget,
            Conflict::Any(vec![Relief::Budget { is, least, exact }])
        );
        let (is, least, exact) = (1, 2, true);
        let shops = found(json!({"max_shops": 1}), 0);
        assert_eq!(
            shops,
            Conflict::Any(vec![Relief::MaxShops { is, least, exact }])
        );
        let order = found(json!({}), 800);
        let short = vec![("a".to_owned(), 300)];
        assert_eq!(order, Conflict::Any(vec![Relief::MinOrder { short }]));
        assert_eq!(
            order.to_string(),
            "min_order: no order is large enough: shop `a` lacks 300"
        );
    }

    #[test]
    fn limits_that_only_help_alone_are_told_as_a_choice() {
        // With one trip the other order is sent: 1200 + 20 + 100.
        let either = found(json!({"budget": 1300, "max_pickups": 1}), 0);
        let text = either.to_string();
        assert!(
            matches!(&either, Conflict::Any(both) if both.len() == 2),
            "{text}"
        );
        assert!(
            text.contains("1300 is too low, the least possible is 1320"),
            "{text}"
        );
        assert!(
            text.contains("1 is too small, the least possible is 2"),
            "{text}"
        );
    }

    #[test]
    fn limits_that_only_help_together_are_told_together() {
        let both = found(json!({"budget": 900, "max_shops": 1}), 0);
        let text = both.to_string();
        assert!(
            matches!(&both, Conflict::All(all) if all.len() == 2),
            "{text}"
        );
        assert!(text.contains("1240") && text.contains("; and "), "{text}");
    }
}
