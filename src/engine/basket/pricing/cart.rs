//! A cart of one shop, its exact cost and what it is worth.

use super::Prices;
use crate::engine::basket::instance::{Basis, Cents, Instance};
use crate::engine::basket::model::{For, Model};

/// A cart a shop can sell, and its exact cost.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::engine::basket) struct Cart {
    pub shop: usize,
    pub state: usize,
    /// Indices into [`ShopModel::choices`], ascending.
    pub choices: Vec<u32>,
    /// Units of each item, at most the need.
    pub units: Vec<(usize, f64)>,
    pub payable: Cents,
    /// With disutility and the trouble of one more shop.
    pub cost: Cents,
}

/// What a cart is worth at prices.
pub(in crate::engine::basket) fn worth_of(model: &Model, cart: &Cart, prices: &Prices) -> f64 {
    let state = &model.shops[cart.shop].states[cart.state];
    let value = |(i, n): &(usize, f64)| prices.pays(cart.shop, *i, *n);
    let mut worth = cart.units.iter().map(value).sum::<f64>() - cart.cost as f64 - prices.shop;
    worth -= prices.budget * cart.payable as f64;
    if state.pickup {
        worth -= prices.pickup;
    }
    if model.shared_groups {
        let price = |c: &usize| prices.group[model.group_of[*c]];
        worth -= state.coupons.iter().map(price).sum::<f64>();
    }
    worth
}

/// The cart with its exact cost in the mode and with the coupons of a state; `None`
/// where the shop's terms forbid it or nothing is bought.
pub(in crate::engine::basket) fn exact(
    model: &Model,
    instance: &Instance,
    s: usize,
    state: usize,
    choices: &[u32],
) -> Option<Cart> {
    let shop = &model.shops[s];
    let (payable, other) = cost_of(model, instance, s, state, choices)?;
    let mut picked = choices.to_vec();
    picked.sort_unstable();
    let mut units: Vec<(usize, f64)> = Vec::new();
    for c in &picked {
        let choice = &shop.choices[*c as usize];
        match choice.what {
            For::Item(i) => units.push((i, choice.units)),
            For::Bundle(b, qty) => {
                let covers = shop.bundles[b].covers.iter();
                units.extend(covers.map(|(i, a)| (*i, (a * qty) as f64)));
            }
        }
    }
    units.sort_unstable_by_key(|u| u.0);
    units.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    for (i, n) in &mut units {
        *n = n.min(model.need[*i] as f64);
    }
    Some(Cart {
        shop: s,
        state,
        choices: picked,
        units,
        payable,
        cost: payable + other + model.hassle as Cents,
    })
}

/// What a cart costs in the mode and with the coupons of a state: payable, and the
/// disutility of substitutes.
pub(super) fn cost_of(
    model: &Model,
    instance: &Instance,
    s: usize,
    state: usize,
    choices: &[u32],
) -> Option<(Cents, Cents)> {
    if choices.is_empty() {
        return None;
    }
    let shop = &model.shops[s];
    let terms = &shop.states[state];
    let (mut goods, mut weight, mut disutility) = (0.0, 0.0, 0.0);
    for c in choices {
        let choice = &shop.choices[*c as usize];
        goods += choice.spend;
        weight += choice.weight;
        disutility += choice.disutility;
    }
    let goods = goods as Cents;
    let payable = match instance {
        Instance::Classic(c) => {
            let total = goods + c.delivery[s];
            c.discount.as_ref().map_or(total, |d| d.apply(total))
        }
        Instance::Household(h) => {
            let shop_terms = &h.shops[s];
            if goods < shop_terms.min_order {
                return None;
            }
            let mut net = goods;
            for coupon in &terms.coupons {
                let local = shop.coupons.iter().position(|c| c == coupon)?;
                let base: f64 = choices.iter().map(|c| shop.base[local][*c as usize]).sum();
                net -= h.coupons[*coupon].discount(base as Cents)?;
            }
            if terms.pickup {
                let p = shop_terms.pickup?;
                net + p.travel + p.fee
            } else {
                let basis = match shop_terms.basis {
                    Basis::AfterCoupons => net,
                    Basis::BeforeCoupons => goods,
                };
                let tier = shop_terms.tiers.iter().rev().find(|t| basis >= t.from)?;
                let steps = &shop_terms.weight_tiers;
                let over = steps.iter().rev().find(|t| weight as i64 > t.from);
                net + tier.amount + over.map_or(0, |t| t.amount)
            }
        }
    };
    Some((payable, disutility as Cents))
}
