//! The exact cost of an answer, in integer cents and independent of any solver. It
//! re-checks every answer before it is handed out.

use super::instance::{Basis, Cents, Classic, Household, Instance};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How the goods of a shop reach the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The shop sends them.
    Ship,
    /// The person fetches them.
    Pickup,
}

/// An answer in the schema of its instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Solution {
    /// To `isop/1`.
    Classic {
        /// The shop of each product.
        assign: Vec<usize>,
    },
    /// To `emptor-basket/1`.
    Household(Purchase),
}

/// What to buy where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Purchase {
    /// Offer to quantity.
    pub buy: BTreeMap<String, i64>,
    /// Shop to mode; a shop that is not listed ships.
    pub mode: BTreeMap<String, Mode>,
    /// Coupons used.
    pub coupons: Vec<String>,
}

/// Where the money of a purchase goes. All in cents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Breakdown {
    /// Goods after coupons.
    pub goods: Cents,
    /// Delivery and pickup fees.
    pub fees: Cents,
    /// Trips.
    pub travel: Cents,
    /// Penalties for what is not bought.
    pub unmet: Cents,
    /// Substitutes that are not quite the wanted thing.
    pub disutility: Cents,
    /// Per-shop hassle.
    pub hassle: Cents,
    /// What the coupons gave (already taken off the goods).
    pub discount: Cents,
}

/// The verdict on an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The objective.
    pub cost: Cents,
    /// Out of pocket.
    pub payable: Cents,
    /// The parts of the objective.
    pub breakdown: Breakdown,
}

/// Scores an answer.
///
/// # Errors
/// Everything that makes the answer unacceptable.
pub fn evaluate(instance: &Instance, solution: &Solution) -> Result<Evaluation, Vec<String>> {
    match (instance, solution) {
        (Instance::Classic(c), Solution::Classic { assign }) => evaluate_classic(c, assign),
        (Instance::Household(h), Solution::Household(p)) => evaluate_purchase(h, p),
        _ => Err(vec!["the answer is of another schema".into()]),
    }
}

fn overflow() -> Vec<String> {
    vec!["the amounts overflow".into()]
}

fn evaluate_classic(instance: &Classic, assign: &[usize]) -> Result<Evaluation, Vec<String>> {
    if assign.len() != instance.n {
        return Err(vec![format!("{} products assigned", assign.len())]);
    }
    let mut totals: BTreeMap<usize, Cents> = BTreeMap::new();
    for (product, shop) in assign.iter().enumerate() {
        let price = instance.price.get(*shop).and_then(|row| row[product]);
        let Some(price) = price else {
            return Err(vec![format!(
                "product {product} is not sold at shop {shop}"
            )]);
        };
        let total = totals.entry(*shop).or_insert(instance.delivery[*shop]);
        *total = total.checked_add(price).ok_or_else(overflow)?;
    }
    let mut breakdown = Breakdown::default();
    let mut cost: Cents = 0;
    for (shop, total) in totals {
        let paid = instance.discount.as_ref().map_or(total, |d| d.apply(total));
        cost = cost.checked_add(paid).ok_or_else(overflow)?;
        breakdown.fees += instance.delivery[shop];
        breakdown.discount += total - paid;
    }
    breakdown.goods = cost - breakdown.fees;
    Ok(Evaluation {
        cost,
        payable: cost,
        breakdown,
    })
}

/// What a cart at one shop comes to.
#[derive(Default)]
struct Cart {
    goods: Cents,
    weight: i64,
    discount: Cents,
}

/// Offer to quantity and price.
type Lines = BTreeMap<usize, (i64, Cents)>;

/// Shop to cart.
type Carts = BTreeMap<usize, Cart>;

fn evaluate_purchase(h: &Household, purchase: &Purchase) -> Result<Evaluation, Vec<String>> {
    let lines = priced(h, purchase)?;
    let mut errors = Vec::new();
    let mut b = Breakdown::default();
    let mut carts = filled(h, &lines, &mut b)?;
    use_coupons(h, purchase, &lines, &mut carts, &mut errors);
    let pickups = pay_shops(h, purchase, &carts, &mut b, &mut errors)?;
    miss(h, &lines, &mut b, &mut errors)?;
    let limits = &h.limits;
    if limits.max_shops.is_some_and(|max| carts.len() > max) {
        errors.push("more shops than limits.max_shops".into());
    }
    if limits.max_pickups.is_some_and(|max| pickups > max) {
        errors.push("more pickups than limits.max_pickups".into());
    }
    let payable = [b.fees, b.travel]
        .iter()
        .try_fold(b.goods, |sum, v| sum.checked_add(*v))
        .ok_or_else(overflow)?;
    if limits.budget.is_some_and(|max| payable > max) {
        errors.push("over limits.budget".into());
    }
    let open = i64::try_from(carts.len()).unwrap_or(i64::MAX);
    b.hassle = limits
        .per_shop_hassle
        .checked_mul(open)
        .ok_or_else(overflow)?;
    if !errors.is_empty() {
        return Err(errors);
    }
    let cost = [b.unmet, b.disutility, b.hassle]
        .iter()
        .try_fold(payable, |sum, v| sum.checked_add(*v))
        .ok_or_else(overflow)?;
    Ok(Evaluation {
        cost,
        payable,
        breakdown: b,
    })
}

/// The price of each line; all that cannot be bought as errors.
fn priced(h: &Household, purchase: &Purchase) -> Result<Lines, Vec<String>> {
    let offers = names(h.offers.iter().map(|o| o.id.as_str()));
    let mut errors = Vec::new();
    let mut lines = Lines::new();
    for (id, qty) in purchase.buy.iter().filter(|(_, q)| **q > 0) {
        match offers.get(id.as_str()) {
            None => errors.push(format!("unknown offer {id}")),
            Some(o) => match h.offers[*o].price_of(*qty) {
                Some(price) => {
                    lines.insert(*o, (*qty, price));
                }
                None => errors.push(format!("quantity of {id} out of range")),
            },
        }
    }
    if errors.is_empty() {
        Ok(lines)
    } else {
        Err(errors)
    }
}

/// The carts of the shops, before coupons; substitutes are counted into `b`.
fn filled(h: &Household, lines: &Lines, b: &mut Breakdown) -> Result<Carts, Vec<String>> {
    let mut carts = Carts::new();
    for (o, (qty, price)) in lines {
        let offer = &h.offers[*o];
        let cart = carts.entry(offer.shop).or_default();
        cart.goods = cart.goods.checked_add(*price).ok_or_else(overflow)?;
        let weight = offer.weight_g.checked_mul(*qty).ok_or_else(overflow)?;
        cart.weight = cart.weight.checked_add(weight).ok_or_else(overflow)?;
        let disutility = offer.disutility.checked_mul(*qty).ok_or_else(overflow)?;
        b.disutility = b.disutility.checked_add(disutility).ok_or_else(overflow)?;
    }
    Ok(carts)
}

/// Takes off what the coupons of the purchase give.
fn use_coupons(
    h: &Household,
    purchase: &Purchase,
    lines: &Lines,
    carts: &mut Carts,
    errors: &mut Vec<String>,
) {
    let coupons = names(h.coupons.iter().map(|c| c.id.as_str()));
    let mut groups = BTreeSet::new();
    for id in &purchase.coupons {
        let known = coupons.get(id.as_str()).map(|c| &h.coupons[*c]);
        let Some((coupon, cart)) = known.and_then(|c| Some((c, carts.get_mut(&c.shop)?))) else {
            errors.push(format!("coupon {id} is not usable"));
            continue;
        };
        if !groups.insert(coupon.group) {
            errors.push(format!("coupon {id}: its group is used twice"));
        }
        let base = lines
            .iter()
            .filter(|(o, _)| h.offers[**o].shop == coupon.shop && coupon.covers(**o))
            .map(|(_, (_, price))| price)
            .sum();
        match coupon.discount(base) {
            Some(d) => cart.discount += d,
            None => errors.push(format!("coupon {id}: below its minimum spend")),
        }
    }
}

/// Counts into `b` what each shop takes for its cart; returns how many are fetched.
fn pay_shops(
    h: &Household,
    purchase: &Purchase,
    carts: &Carts,
    b: &mut Breakdown,
    errors: &mut Vec<String>,
) -> Result<usize, Vec<String>> {
    let mut pickups = 0;
    for (s, cart) in carts {
        let shop = &h.shops[*s];
        let net = cart.goods - cart.discount;
        b.goods = b.goods.checked_add(net).ok_or_else(overflow)?;
        b.discount += cart.discount;
        if cart.goods < shop.min_order {
            errors.push(format!("below the minimum order of {}", shop.id));
        }
        match purchase.mode.get(&shop.id).unwrap_or(&Mode::Ship) {
            Mode::Pickup => match shop.pickup {
                Some(p) => {
                    b.travel += p.travel;
                    b.fees += p.fee;
                    pickups += 1;
                }
                None => errors.push(format!("{} has no pickup", shop.id)),
            },
            Mode::Ship => {
                let basis = match shop.basis {
                    Basis::AfterCoupons => net,
                    Basis::BeforeCoupons => cart.goods,
                };
                match shop.tiers.iter().rev().find(|t| basis >= t.from) {
                    Some(tier) => b.fees += tier.amount,
                    None => errors.push(format!("the coupons at {} exceed the goods", shop.id)),
                }
                let over = shop
                    .weight_tiers
                    .iter()
                    .rev()
                    .find(|t| cart.weight > t.from);
                b.fees += over.map_or(0, |t| t.amount);
            }
        }
    }
    let shops = names(h.shops.iter().map(|s| s.id.as_str()));
    for id in purchase.mode.keys() {
        if !shops.contains_key(id.as_str()) {
            errors.push(format!("unknown shop {id}"));
        }
    }
    Ok(pickups)
}

/// Counts into `b` the penalties for what is missing.
fn miss(
    h: &Household,
    lines: &Lines,
    b: &mut Breakdown,
    errors: &mut Vec<String>,
) -> Result<(), Vec<String>> {
    let mut covered = vec![0_i64; h.items.len()];
    for (o, (qty, _)) in lines {
        for (item, units) in &h.offers[*o].covers {
            covered[*item] = covered[*item].saturating_add(units.saturating_mul(*qty));
        }
    }
    for (item, covered) in h.items.iter().zip(&covered) {
        let missing = (item.qty - covered).max(0);
        match item.unmet_penalty {
            None if missing > 0 => errors.push(format!("{} short by {missing}", item.id)),
            None => {}
            Some(penalty) => {
                let due = penalty.checked_mul(missing).ok_or_else(overflow)?;
                b.unmet = b.unmet.checked_add(due).ok_or_else(overflow)?;
            }
        }
    }
    Ok(())
}

fn names<'a>(ids: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    ids.enumerate().map(|(i, id)| (id, i)).collect()
}
