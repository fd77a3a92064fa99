//! Wants, offers and delivery rules as an instance in whole cents of the person's currency.

use crate::agent::api::types::NotBought;
use crate::agent::view::{Buyable, Market};
use crate::engine::basket::{Basis, Cents, Household, Item, Offer, Purchase, Shop, Step};
use crate::engine::quantity;
use crate::model::want::{Want, WantKind};
use crate::model::{Currency, Money, Offer as Asked};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// Offers of one want looked at: the best ranked.
const MAX_OFFERS: usize = 200;
/// The largest amount taken for a price.
const MAX_CENTS: Cents = 100_000_000_000;
/// The finest division of a piece into common units of its packs.
const MAX_UNITS: i64 = 10_000;
/// Packs that differ by less than this share of the wanted amount are the same pack.
const SAME_PACK: Decimal = Decimal::from_parts(5, 0, 0, false, 2);

/// A want with the offers that answer it.
pub struct Entry {
    pub want: Want,
    pub offers: Vec<Buyable>,
}

/// What a shop takes for an order, in cents.
pub struct Terms {
    shop: String,
    fee: Cents,
    worst_fee: Cents,
    free_from: Option<Cents>,
    min_order: Cents,
    /// In words.
    pub source: String,
}

impl Terms {
    /// The fee for so much goods.
    pub fn fee_at(&self, goods: Cents) -> Cents {
        if self.is_free(goods) { 0 } else { self.fee }
    }

    /// The fee for so much goods at the most.
    pub fn worst_fee_at(&self, goods: Cents) -> Cents {
        if self.is_free(goods) {
            0
        } else {
            self.worst_fee
        }
    }

    fn is_free(&self, goods: Cents) -> bool {
        self.free_from.is_some_and(|from| goods >= from)
    }

    fn tiers(&self, fee: Cents) -> Vec<Step> {
        let mut tiers = vec![Step {
            from: 0,
            amount: fee,
        }];
        if let Some(from) = self.free_from {
            if from > 0 {
                tiers.push(Step { from, amount: 0 });
            } else {
                tiers[0].amount = 0;
            }
        }
        tiers
    }
}

/// The problem and how its parts are called outside.
pub struct Problem {
    pub entries: Vec<Entry>,
    pub household: Household,
    terms: Vec<Terms>,
    /// Units of each entry's item that make one piece wanted.
    per_piece: Vec<i64>,
    /// For each engine offer: the entry, its offer there, the units in it, and its price
    /// at the worst.
    offers: Vec<(usize, usize, i64, Cents)>,
}

impl Problem {
    /// Builds the problem. Wants without a usable price go to `nobody`.
    pub fn new(market: &Market, entries: Vec<Entry>, nobody: &mut Vec<NotBought>) -> Self {
        let mut problem = Self {
            entries: Vec::new(),
            household: Household::default(),
            terms: Vec::new(),
            per_piece: Vec::new(),
            offers: Vec::new(),
        };
        for mut entry in entries {
            entry.offers.truncate(MAX_OFFERS);
            let prices: Vec<_> = entry
                .offers
                .iter()
                .map(|o| goods(market, &o.offer))
                .collect();
            if prices.iter().all(Option::is_none) {
                nobody.push(NotBought {
                    want: entry.want.id.short(),
                    name: entry.want.name.clone(),
                    reason: "no offer has a usable price".to_owned(),
                });
                continue;
            }
            problem.add(market, entry, &prices);
        }
        problem.add_terms(market);
        problem
    }

    fn add(&mut self, market: &Market, entry: Entry, prices: &[Option<(Cents, Cents)>]) {
        let index = self.entries.len();
        let (per_piece, units) = packs(&entry.want, &entry.offers);
        let wanted = i64::from(entry.want.quantity) * per_piece;
        for (at, (offer, price)) in entry.offers.iter().zip(prices).enumerate() {
            let Some((price, worst)) = *price else {
                continue;
            };
            let shop = self.shop(&offer.shop);
            let covers = units[at];
            self.household.offers.push(Offer {
                // One page may answer two wants of the list.
                id: format!("{index}:{}", offer.id),
                shop,
                covers: vec![(index, covers)],
                breaks: vec![Step {
                    from: 1,
                    amount: price,
                }],
                max_qty: packs_for(wanted, covers),
                weight_g: 0,
                disutility: 0,
            });
            self.offers.push((index, at, covers, worst));
        }
        // A wish is worth at most its limit; what is to be bought is bought.
        let limit = entry
            .want
            .limit
            .filter(|_| entry.want.kind == WantKind::Wish);
        self.household.items.push(Item {
            id: entry.want.id.to_string(),
            qty: wanted,
            unmet_penalty: limit
                .and_then(|limit| cents(market, &limit))
                .map(|limit| limit.div_euclid(per_piece)),
        });
        self.per_piece.push(per_piece);
        self.entries.push(entry);
    }

    fn shop(&mut self, domain: &str) -> usize {
        let shops = &mut self.household.shops;
        shops
            .iter()
            .position(|s| s.id == domain)
            .unwrap_or_else(|| {
                shops.push(Shop {
                    id: domain.to_owned(),
                    tiers: Vec::new(),
                    basis: Basis::BeforeCoupons,
                    weight_tiers: Vec::new(),
                    pickup: None,
                    min_order: 0,
                });
                shops.len() - 1
            })
    }

    fn add_terms(&mut self, market: &Market) {
        for (index, shop) in self.household.shops.iter_mut().enumerate() {
            let asked = self.household.offers.iter().zip(&self.offers);
            let asked: Vec<&Asked> = asked
                .filter(|(o, _)| o.shop == index)
                .map(|(_, (entry, at, ..))| &self.entries[*entry].offers[*at].offer)
                .collect();
            let terms = terms(market, &shop.id, &asked);
            shop.tiers = terms.tiers(terms.fee);
            shop.min_order = terms.min_order;
            self.terms.push(terms);
        }
    }

    /// What a shop of the problem takes.
    pub fn terms(&self, shop: &str) -> &Terms {
        let at = self.terms.iter().position(|t| t.shop == shop);
        &self.terms[at.expect("invariant: carts name shops of the problem")]
    }

    /// The entry, offer and units behind an engine offer.
    pub fn offer(&self, id: &str) -> Option<(usize, &Buyable, i64)> {
        let at = self.household.offers.iter().position(|o| o.id == id)?;
        let (entry, offer, units, _) = *self.offers.get(at)?;
        Some((entry, &self.entries[entry].offers[offer], units))
    }

    /// Units that make one piece wanted.
    pub fn units_per_piece(&self, entry: usize) -> i64 {
        self.per_piece[entry]
    }

    /// The same problem with everything unknown at its worst.
    pub fn worst(&self) -> Household {
        let mut h = self.household.clone();
        for (shop, terms) in h.shops.iter_mut().zip(&self.terms) {
            shop.tiers = terms.tiers(terms.worst_fee);
        }
        for (offer, (.., worst)) in h.offers.iter_mut().zip(&self.offers) {
            offer.breaks[0].amount = *worst;
        }
        h
    }

    /// What is unknown in a plan, a line each.
    pub fn unknowns(&self, purchase: &Purchase, home: Currency) -> Vec<String> {
        let money = |cents| Money::from_minor(cents, home);
        let mut lines = Vec::new();
        for (index, terms) in self.terms.iter().enumerate() {
            let in_plan = self
                .household
                .offers
                .iter()
                .zip(&self.offers)
                .filter(|(o, _)| o.shop == index && purchase.buy.contains_key(&o.id));
            let (mut goods, mut dearer) = (0, 0);
            for (offer, (.., worst)) in in_plan {
                let quantity = purchase.buy[&offer.id];
                goods += offer.price_of(quantity).unwrap_or(0);
                dearer += (worst - offer.breaks[0].amount) * quantity;
            }
            if goods > 0 && terms.worst_fee_at(goods) > terms.fee_at(goods) {
                lines.push(format!(
                    "delivery at {} may cost {} instead of {}",
                    terms.shop,
                    money(terms.worst_fee_at(goods)),
                    money(terms.fee_at(goods))
                ));
            }
            if dearer > 0 {
                lines.push(format!(
                    "the goods at {} may cost {} more: the exchange rate moves",
                    terms.shop,
                    money(dearer)
                ));
            }
        }
        lines
    }

    /// Wishes that a plan does not buy in full.
    pub fn left_out(&self, purchase: &Purchase) -> Vec<NotBought> {
        let mut covered = vec![0_i64; self.entries.len()];
        for (offer, (entry, _, units, _)) in self.household.offers.iter().zip(&self.offers) {
            covered[*entry] += units * purchase.buy.get(&offer.id).copied().unwrap_or(0);
        }
        let short = |i: &usize| covered[*i] < self.household.items[*i].qty;
        (0..self.entries.len())
            .filter(short)
            .map(|i| {
                let want = &self.entries[i].want;
                let limit = want.limit.map_or_else(String::new, |l| format!(" of {l}"));
                NotBought {
                    want: want.id.short(),
                    name: want.name.clone(),
                    reason: format!("it would add more than your limit{limit} each"),
                }
            })
            .collect()
    }

    /// Everything from the shop with the lowest price for it, whatever delivery adds.
    pub fn cheapest_each(&self) -> Option<Purchase> {
        let mut purchase = Purchase::default();
        for (index, item) in self.household.items.iter().enumerate() {
            let offers = self.household.offers.iter().zip(&self.offers);
            let (cost, id, quantity) = offers
                .filter(|(_, (entry, ..))| *entry == index)
                .map(|(offer, (_, _, units, _))| {
                    let quantity = packs_for(item.qty, *units);
                    (
                        offer.price_of(quantity).unwrap_or(Cents::MAX),
                        &offer.id,
                        quantity,
                    )
                })
                .min()?;
            let worth = item
                .unmet_penalty
                .is_none_or(|p| cost <= p.saturating_mul(item.qty));
            if worth {
                purchase.buy.insert(id.clone(), quantity);
            }
        }
        Some(purchase)
    }

    /// What the shop with the most of the list does not have.
    pub fn missing_at_best_shop(&self) -> Vec<String> {
        let missing = |shop: usize| -> Vec<String> {
            let has = |entry: usize| {
                let mut offers = self.household.offers.iter().zip(&self.offers);
                offers.any(|(o, (e, ..))| o.shop == shop && *e == entry)
            };
            let names = self.entries.iter().enumerate();
            names
                .filter(|(entry, _)| !has(*entry))
                .map(|(_, e)| e.want.name.clone())
                .collect()
        };
        (0..self.household.shops.len())
            .map(missing)
            .min_by_key(Vec::len)
            .unwrap_or_default()
    }
}

/// An amount in cents of the person's currency, rounded half up.
pub fn cents(market: &Market, money: &Money) -> Option<Cents> {
    if money.amount.is_zero() {
        return Some(0);
    }
    let home = market.home_price(money)?;
    home.to_minor().ok().filter(|c| (0..=MAX_CENTS).contains(c))
}

/// One piece of an offer without delivery, in cents: expected and at the worst.
pub fn goods(market: &Market, offer: &Asked) -> Option<(Cents, Cents)> {
    let cost = market.goods(offer).ok()?;
    let (mid, high) = (cost.mid().to_minor().ok()?, cost.high().to_minor().ok()?);
    (0 < mid && mid <= high && high <= MAX_CENTS).then_some((mid, high))
}

/// What an order at a shop costs to be sent: what its pages agree on, else its own rule,
/// else the most its pages say, else the usual range.
fn terms(market: &Market, shop: &str, asked: &[&Asked]) -> Terms {
    let rule = market.delivery_rule(shop);
    let in_cents = |money: Option<Money>| cents(market, &money?);
    let said: Vec<Option<Cents>> = asked
        .iter()
        .map(|o| in_cents(o.shipping.as_ref().and_then(|s| s.cost)))
        .collect();
    let page_free = asked
        .iter()
        .filter_map(|o| in_cents(o.shipping.as_ref().and_then(|s| s.free_from)))
        .max();
    let free_from = in_cents(rule.free_from).or(page_free);
    let agreed = said.first().copied().flatten();
    let agreed = agreed.filter(|fee| said.iter().all(|s| *s == Some(*fee)));
    let most = said.iter().copied().flatten().max();
    let mut terms = Terms {
        shop: shop.to_owned(),
        fee: 0,
        worst_fee: 0,
        free_from,
        min_order: in_cents(rule.min_order).unwrap_or(0),
        source: String::new(),
    };
    let source = if let Some(fee) = agreed {
        terms.fee = fee;
        "as its pages say"
    } else if let Some(fee) = in_cents(rule.fee) {
        terms.fee = fee;
        "the shop's rule"
    } else if let Some(fee) = most {
        terms.fee = fee;
        "the most its pages say"
    } else {
        let (mid, high) = market.unknown_delivery();
        terms.fee = cents(market, &mid).unwrap_or(0);
        terms.worst_fee = cents(market, &high).unwrap_or(0);
        "nobody says; the usual range"
    };
    terms.worst_fee = terms.worst_fee.max(terms.fee);
    source.clone_into(&mut terms.source);
    if let Some(from) = free_from.filter(|_| terms.fee > 0) {
        terms.source += &format!(", free from {}", Money::from_minor(from, market.home()));
    }
    if terms.min_order > 0 {
        let least = Money::from_minor(terms.min_order, market.home());
        terms.source += &format!(", orders from {least} on");
    }
    terms
}

/// How many common units make one piece wanted, and how many each offer holds. Where the
/// want or the title says no amount, one offer is one piece.
fn packs(want: &Want, offers: &[Buyable]) -> (i64, Vec<i64>) {
    let one_each = (1, vec![1; offers.len()]);
    let content = |name: &str| quantity::parse(name).filter(|q| q.unit.is_content());
    let whole = |amount: Decimal| {
        let rounded = amount.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        rounded.to_i64().filter(|n| *n > 0)
    };
    let Some(wanted) = content(&want.name) else {
        return one_each;
    };
    let amount = |offer: &Buyable| {
        let same_number = want.gtin.is_some() && want.gtin == offer.offer.gtin;
        let held = content(offer.offer.name.as_deref().unwrap_or_default())
            .filter(|q| q.unit == wanted.unit && !same_number)?;
        let apart = (held.amount - wanted.amount).abs();
        (apart > wanted.amount * SAME_PACK).then_some(held.amount)
    };
    let piece = whole(wanted.amount);
    let held: Option<Vec<i64>> = offers
        .iter()
        .map(|o| amount(o).map_or(piece, whole))
        .collect();
    let (Some(piece), Some(held)) = (piece, held) else {
        return one_each;
    };
    let unit = held.iter().fold(piece, |a, b| gcd(a, *b));
    if piece / unit > MAX_UNITS || held.iter().any(|n| n / unit > MAX_UNITS) {
        return one_each;
    }
    (piece / unit, held.iter().map(|n| n / unit).collect())
}

/// How many packs of `units` it takes to have `wanted`.
const fn packs_for(wanted: i64, units: i64) -> i64 {
    (wanted + units - 1) / units
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn offer(name: &str) -> Buyable {
        Buyable {
            id: name.to_owned(),
            shop: "shop.example".to_owned(),
            url: String::new(),
            offer: Asked {
                name: Some(name.to_owned()),
                ..Asked::default()
            },
        }
    }

    fn packs_of(want: &str, titles: &[&str]) -> (i64, Vec<i64>) {
        let offers: Vec<Buyable> = titles.iter().map(|t| offer(t)).collect();
        packs(&Want::new(want, Timestamp::UNIX_EPOCH), &offers)
    }

    #[test]
    fn packs_are_counted_in_their_common_unit() {
        assert_eq!(
            packs_of(
                "coffee 1 kg",
                &["beans 500 g", "beans 1 kg", "beans 2 x 1 kg", "beans"]
            ),
            (2, vec![1, 2, 4, 2])
        );
        assert_eq!(
            packs_of("milk 1 l", &["milk 0.98 l", "milk 1000 g"]),
            (1, vec![1, 1])
        );
        assert_eq!(packs_of("drill", &["drill 2 kg"]), (1, vec![1]));
    }
}
