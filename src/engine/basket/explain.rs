//! Answers for the person: what the plan means and what other plans would cost. Each
//! question is the same problem with one thing changed, solved again.

use super::evaluate::{Mode, Purchase, Solution, evaluate};
use super::instance::{BasketError, Cents, Coupon, Household, Instance, Limits, Offer};
use super::{Solved, solve};
use std::collections::BTreeMap;

/// The best plan with at most so many shops.
#[derive(Debug, Clone)]
pub struct Split {
    /// At most this many shops.
    pub shops: usize,
    /// The plan; `None` if so few shops cannot serve the list.
    pub plan: Option<Solved>,
    /// What this many shops save over one fewer, if both serve the list.
    pub saving: Option<Cents>,
}

/// What one shop is to send, and how far it is from cheaper delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    /// The shop.
    pub shop: String,
    /// Sent or fetched.
    pub mode: Mode,
    /// Offer, quantity, price of the line.
    pub lines: Vec<(String, i64, Cents)>,
    /// Goods before coupons.
    pub goods: Cents,
    /// Coupons used here and what each gives.
    pub coupons: Vec<(String, Cents)>,
    /// The next delivery tier: goods still missing, and what the fee falls by.
    pub next_tier: Option<(Cents, Cents)>,
}

/// A limit and what it costs to keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitPrice {
    /// The field of the limits.
    pub limit: &'static str,
    /// What the plan would cost less without it. `None` if the time was over first.
    pub saving: Option<Cents>,
}

/// A bundle of the plan against buying its parts one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleValue {
    /// The offer.
    pub offer: String,
    /// What the best plan without it costs more.
    pub saves: Cents,
    /// Items the person buys anyway in the best plan without the bundle; the others
    /// come only because of it.
    pub bought_anyway: Vec<String>,
}

/// The best plan for each number of shops from one to `most`.
///
/// # Errors
/// [`BasketError`] other than that a number of shops is too small.
pub fn splits(
    household: &Household,
    most: usize,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Vec<Split>, BasketError> {
    let mut all: Vec<Split> = Vec::new();
    let allowed = household.limits.max_shops.unwrap_or(most);
    for shops in 1..=most.min(household.shops.len()).min(allowed) {
        let mut h = household.clone();
        h.limits.max_shops = Some(shops);
        let plan = match solve(&Instance::Household(h), stop) {
            Ok(plan) => Some(plan),
            Err(BasketError::Infeasible(_)) => None,
            Err(e) => return Err(e),
        };
        let before = all.last().and_then(|s| s.plan.as_ref());
        let saving = match (before, &plan) {
            (Some(a), Some(b)) => Some(a.evaluation.cost - b.evaluation.cost),
            _ => None,
        };
        all.push(Split {
            shops,
            plan,
            saving,
        });
    }
    Ok(all)
}

/// The plan shop by shop.
#[must_use]
pub fn carts(household: &Household, purchase: &Purchase) -> Vec<Cart> {
    let mut by_shop: BTreeMap<usize, Vec<(usize, i64, Cents)>> = BTreeMap::new();
    for (o, offer) in household.offers.iter().enumerate() {
        let qty = purchase.buy.get(&offer.id).copied().unwrap_or(0);
        if let Some(price) = offer.price_of(qty).filter(|_| qty > 0) {
            by_shop.entry(offer.shop).or_default().push((o, qty, price));
        }
    }
    let cart = |(s, lines): (usize, Vec<(usize, i64, Cents)>)| {
        let shop = &household.shops[s];
        let goods: Cents = lines.iter().map(|l| l.2).sum();
        let gives = |c: &Coupon| -> Cents {
            let base = lines.iter().filter(|l| c.covers(l.0)).map(|l| l.2).sum();
            c.discount(base).unwrap_or(0)
        };
        let used = household
            .coupons
            .iter()
            .filter(|c| c.shop == s && purchase.coupons.contains(&c.id));
        let coupons: Vec<(String, Cents)> = used.map(|c| (c.id.clone(), gives(c))).collect();
        let off: Cents = coupons.iter().map(|c| c.1).sum();
        let basis = match shop.basis {
            super::Basis::AfterCoupons => goods - off,
            super::Basis::BeforeCoupons => goods,
        };
        let mode = purchase.mode.get(&shop.id).copied().unwrap_or(Mode::Ship);
        let fee = shop
            .tiers
            .iter()
            .rev()
            .find(|t| basis >= t.from)
            .map(|t| t.amount);
        let next = shop
            .tiers
            .iter()
            .find(|t| t.from > basis && Some(t.amount) < fee);
        let line = |l: &(usize, i64, Cents)| (household.offers[l.0].id.clone(), l.1, l.2);
        Cart {
            shop: shop.id.clone(),
            mode,
            lines: lines.iter().map(line).collect(),
            goods,
            coupons,
            next_tier: next
                .filter(|_| mode == Mode::Ship)
                .and_then(|t| Some((t.from - basis, fee? - t.amount))),
        }
    };
    by_shop.into_iter().map(cart).collect()
}

/// What each limit of the person costs: the plan without it against `cost`.
///
/// # Errors
/// [`BasketError`] of a changed instance.
pub fn limit_prices(
    household: &Household,
    cost: Cents,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Vec<LimitPrice>, BasketError> {
    let limits = household.limits;
    let without = [
        (
            "max_shops",
            limits.max_shops.is_some(),
            Limits {
                max_shops: None,
                ..limits
            },
        ),
        (
            "max_pickups",
            limits.max_pickups.is_some(),
            Limits {
                max_pickups: None,
                ..limits
            },
        ),
        (
            "budget",
            limits.budget.is_some(),
            Limits {
                budget: None,
                ..limits
            },
        ),
    ];
    let mut prices = Vec::new();
    for (limit, set, limits) in without {
        if !set {
            continue;
        }
        let mut h = household.clone();
        h.limits = limits;
        let saving = match solve(&Instance::Household(h), stop) {
            Ok(plan) if plan.optimal => Some(cost - plan.evaluation.cost),
            Ok(_) | Err(BasketError::Stopped) => None,
            Err(e) => return Err(e),
        };
        prices.push(LimitPrice { limit, saving });
    }
    Ok(prices)
}

/// What `purchase` costs if the delivery fees of `unknown` shops turn out to be
/// `worst` each; `None` if the plan then breaks a limit.
#[must_use]
pub fn worst_case(
    household: &Household,
    purchase: &Purchase,
    unknown: &[usize],
    worst: Cents,
) -> Option<Cents> {
    let mut h = household.clone();
    for s in unknown {
        for tier in h.shops.get_mut(*s)?.tiers.iter_mut() {
            tier.amount = worst;
        }
    }
    let solution = Solution::Household(purchase.clone());
    let evaluation = evaluate(&Instance::Household(h), &solution).ok()?;
    Some(evaluation.cost)
}

/// Each bundle of the plan against the best plan without it.
///
/// # Errors
/// [`BasketError`] of a changed instance.
pub fn bundles(
    household: &Household,
    plan: &Purchase,
    cost: Cents,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Vec<BundleValue>, BasketError> {
    let mut all = Vec::new();
    let bought = |o: &&Offer| o.covers.len() > 1 && plan.buy.contains_key(&o.id);
    for offer in household.offers.iter().filter(bought) {
        let mut h = household.clone();
        for o in h.offers.iter_mut().filter(|o| o.id == offer.id) {
            o.max_qty = 0;
        }
        let other = match solve(&Instance::Household(h), stop) {
            Ok(other) => other,
            Err(BasketError::Infeasible(_) | BasketError::Stopped) => continue,
            Err(e) => return Err(e),
        };
        let Solution::Household(singly) = &other.solution else {
            continue;
        };
        let covers = |item: usize| {
            let in_plan = |o: &&Offer| singly.buy.contains_key(&o.id);
            let mut offers = household.offers.iter().filter(in_plan);
            offers.any(|o| o.covers.iter().any(|c| c.0 == item))
        };
        let anyway = offer.covers.iter().filter(|c| covers(c.0));
        all.push(BundleValue {
            offer: offer.id.clone(),
            saves: other.evaluation.cost - cost,
            bought_anyway: anyway.map(|c| household.items[c.0].id.clone()).collect(),
        });
    }
    Ok(all)
}
