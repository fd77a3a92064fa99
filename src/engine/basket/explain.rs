//! Answers for the person: what the plan means and what other plans would cost. Each
//! question is the same problem with one thing changed, solved again.

use super::evaluate::{Mode, Purchase, Solution, evaluate};
use super::instance::{BasketError, Cents, Coupon, Household, Instance, Limits, Offer};
use super::{Solved, solve};
use std::collections::BTreeMap;

/// More goods than anybody adds to reach a threshold.
const MOST_ADDED: Cents = 1 << 40;

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
    /// Delivery with what the weight adds, or what the shop asks for fetching.
    pub fee: Cents,
    /// The trip, where the goods are fetched.
    pub travel: Cents,
    /// The next delivery tier: goods still missing, and what the fee falls by.
    pub next_tier: Option<(Cents, Cents)>,
    /// The nearest coupon under its minimum spend: its name, goods in its scope still
    /// missing, and what it gives then beyond the coupons it excludes.
    pub next_coupon: Option<(String, Cents, Cents)>,
}

impl Cart {
    /// What is paid for this cart.
    #[must_use]
    pub fn payable(&self) -> Cents {
        let off: Cents = self.coupons.iter().map(|c| c.1).sum();
        self.goods - off + self.fee + self.travel
    }
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
    /// What it costs, all pieces.
    pub price: Cents,
    /// What the best plan without it costs more; `None` where there is no plan without it.
    pub saves: Option<Cents>,
    /// Items the person buys anyway in the best plan without the bundle …
    pub bought_anyway: Vec<String>,
    /// … and what as much of them costs there, without delivery.
    pub apart: Cents,
    /// Items that come only because of the bundle; without a plan, those nobody else has.
    pub only_here: Vec<String>,
}

/// The best plan for each number of shops from one to `most`, one after the other: those
/// that were found count even where a later one is not. The best plan there is is known
/// already: `best`, from `used` shops.
///
/// Each may be a [`BasketError`] other than that a number of shops is too small;
/// [`BasketError::Stopped`] too where the time brought nothing better than fewer shops,
/// which says nothing of what one more saves.
pub fn splits<'a>(
    household: &'a Household,
    best: &'a Solved,
    used: usize,
    most: usize,
    stop: &'a mut dyn FnMut() -> bool,
) -> impl Iterator<Item = Result<Split, BasketError>> + 'a {
    let allowed = household.limits.max_shops.unwrap_or(most);
    let most = most.min(household.shops.len()).min(allowed);
    let mut before: Option<Cents> = None;
    (1..=most).map(move |shops| {
        let mut h = household.clone();
        h.limits.max_shops = Some(shops);
        let found = if shops == used {
            Ok(best.clone())
        } else {
            solve(&Instance::Household(h), stop)
        };
        let plan = match found {
            Ok(plan) => Some(plan),
            Err(BasketError::Infeasible(_)) => None,
            Err(e) => return Err(e),
        };
        let cost = plan.as_ref().map(|p| p.evaluation.cost);
        let saving = before.zip(cost).map(|(before, cost)| before - cost);
        if saving.is_some_and(|s| s <= 0) && plan.as_ref().is_some_and(|p| !p.optimal) {
            return Err(BasketError::Stopped);
        }
        before = cost;
        Ok(Split {
            shops,
            plan,
            saving,
        })
    })
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
        let base =
            |c: &Coupon| -> Cents { lines.iter().filter(|l| c.covers(l.0)).map(|l| l.2).sum() };
        let gives = |c: &Coupon| c.discount(base(c)).unwrap_or(0);
        let here = || household.coupons.iter().filter(|c| c.shop == s);
        let used: Vec<&Coupon> = here()
            .filter(|c| purchase.coupons.contains(&c.id))
            .collect();
        let coupons: Vec<(String, Cents)> = used.iter().map(|c| (c.id.clone(), gives(c))).collect();
        let next_coupon = here()
            .filter_map(|c| {
                let missing = c.min_spend - base(c);
                let instead: Cents = used
                    .iter()
                    .filter(|u| u.group == c.group)
                    .map(|u| gives(u))
                    .sum();
                let more = c.discount(c.min_spend)? - instead;
                (missing > 0 && more > 0).then(|| (c.id.clone(), missing, more))
            })
            .min_by_key(|next| next.1);
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
        let weight: i64 = lines
            .iter()
            .map(|l| household.offers[l.0].weight_g.saturating_mul(l.1))
            .sum();
        let over = shop.weight_tiers.iter().rev().find(|t| weight > t.from);
        let sent = fee.unwrap_or(0) + over.map_or(0, |t| t.amount);
        let (fee_paid, travel) = match (mode, shop.pickup) {
            (Mode::Pickup, Some(p)) => (p.fee, p.travel),
            _ => (sent, 0),
        };
        let line = |l: &(usize, i64, Cents)| (household.offers[l.0].id.clone(), l.1, l.2);
        Cart {
            shop: shop.id.clone(),
            mode,
            lines: lines.iter().map(line).collect(),
            goods,
            coupons,
            fee: fee_paid,
            travel,
            next_coupon,
            next_tier: next.filter(|_| mode == Mode::Ship).and_then(|t| {
                Some((
                    to_reach(t.from, basis, shop.basis, &used, base)?,
                    fee? - t.amount,
                ))
            }),
        }
    };
    by_shop.into_iter().map(cart).collect()
}

/// The least goods that lift an order value from `basis` to `from`. Coupons for the whole
/// shop take their share of what is added, too; others are not known to cover it.
fn to_reach(
    from: Cents,
    basis: Cents,
    counts: super::Basis,
    used: &[&Coupon],
    base: impl Fn(&Coupon) -> Cents,
) -> Option<Cents> {
    let missing = from - basis;
    if counts == super::Basis::BeforeCoupons {
        return Some(missing);
    }
    let shares = used.iter().filter(|c| c.offers.is_none());
    let shares: Vec<(&Coupon, Cents)> = shares.map(|c| (*c, base(c))).collect();
    let reached = |more: Cents| {
        let off = |(c, base): &(&Coupon, Cents)| {
            let now = c.discount(*base).unwrap_or(0);
            c.discount(base + more).unwrap_or(0) - now
        };
        more - shares.iter().map(off).sum::<Cents>() >= missing
    };
    // What is left of an order value only grows with it, up to rounding.
    let (mut under, mut enough) = (missing - 1, missing);
    while !reached(enough) {
        under = enough;
        enough = enough.checked_mul(2).filter(|e| *e < MOST_ADDED)?;
    }
    while enough - under > 1 {
        let middle = under + (enough - under) / 2;
        if reached(middle) {
            enough = middle;
        } else {
            under = middle;
        }
    }
    Some(enough)
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

/// Each bundle of the plan against the best plan without it; those for which that was not
/// found in time are left out.
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
            Ok(other) if other.optimal => Some(other),
            Err(BasketError::Infeasible(_) | BasketError::Invalid { .. }) => None,
            // A plan that is not the best would make the bundle look better than it is.
            Ok(_) | Err(BasketError::Stopped) => continue,
            Err(e) => return Err(e),
        };
        let quantity = plan.buy.get(&offer.id).copied().unwrap_or(0);
        let mut value = BundleValue {
            offer: offer.id.clone(),
            price: offer.price_of(quantity).unwrap_or(0),
            saves: other.as_ref().map(|o| o.evaluation.cost - cost),
            bought_anyway: Vec::new(),
            apart: 0,
            only_here: Vec::new(),
        };
        for (item, units) in &offer.covers {
            let id = household.items[*item].id.clone();
            let apart = match other.as_ref().map(|o| &o.solution) {
                Some(Solution::Household(singly)) => price_apart(household, singly, *item),
                _ => elsewhere(household, offer, *item).then_some((0, 1)),
            };
            let Some((price, bought)) = apart else {
                value.only_here.push(id);
                continue;
            };
            value.bought_anyway.push(id);
            let used = (units * quantity).min(household.items[*item].qty);
            value.apart += share(price, used.min(bought), bought);
        }
        all.push(value);
    }
    Ok(all)
}

/// What a plan pays for an item, and for how many units; offers of several items count by
/// units. `None` where it does not buy it.
fn price_apart(household: &Household, plan: &Purchase, item: usize) -> Option<(Cents, i64)> {
    let (mut price, mut bought) = (0, 0);
    for offer in &household.offers {
        let quantity = plan.buy.get(&offer.id).copied().unwrap_or(0);
        let Some((_, units)) = offer.covers.iter().find(|c| c.0 == item) else {
            continue;
        };
        let all: i64 = offer.covers.iter().map(|c| c.1).sum();
        price += share(offer.price_of(quantity).unwrap_or(0), *units, all);
        bought += units * quantity;
    }
    (bought > 0).then_some((price, bought))
}

/// A part of a price, rounded down: the product of both may be beyond an `i64`.
fn share(price: Cents, part: i64, whole: i64) -> Cents {
    let share = i128::from(price) * i128::from(part) / i128::from(whole.max(1));
    Cents::try_from(share).unwrap_or(Cents::MAX)
}

/// Whether another offer has the item.
fn elsewhere(household: &Household, bundle: &Offer, item: usize) -> bool {
    let mut others = household.offers.iter().filter(|o| o.id != bundle.id);
    others.any(|o| o.max_qty >= o.min_qty() && o.covers.iter().any(|c| c.0 == item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::basket::Step;

    #[test]
    fn a_price_times_units_may_be_beyond_a_word() {
        let offer = Offer {
            id: "o".to_owned(),
            shop: 0,
            covers: vec![(0, 100_000), (1, 100_000)],
            breaks: vec![Step {
                from: 1,
                amount: 100_000_000_000,
            }],
            max_qty: 1_000,
            weight_g: 0,
            disutility: 0,
        };
        let household = Household {
            offers: vec![offer],
            ..Household::default()
        };
        let plan = Purchase {
            buy: BTreeMap::from([("o".to_owned(), 1_000)]),
            ..Purchase::default()
        };
        let apart = price_apart(&household, &plan, 0);
        assert_eq!(apart, Some((50_000_000_000_000, 100_000_000)));
    }
}
