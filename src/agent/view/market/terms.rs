//! What the person knows of shops, as part of the market: delivery, the way there, noted
//! prices.

use super::Market;
use crate::agent::store::SaidDelivery;
use crate::engine::travel;
use crate::model::place::PlaceError;
use crate::model::seller::DeliveryRule;
use crate::model::terms::NotedOffer;
use crate::model::{Money, Offer, Place, Sentence, ShopTerms, sentence};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The way to a shop and back.
#[derive(Clone, Debug, PartialEq)]
pub struct Trip {
    /// What it costs.
    pub cost: Money,
    /// Where that comes from, in words.
    pub source: Sentence,
}

/// Who says something of a shop's delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// The person noted it.
    Person,
    /// The shop's rule: its adapter's, or given when the shop was added.
    Shop,
    /// Pages of the shop, not necessarily this one.
    Pages,
}

impl Teller {
    /// The teller, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Person => "as you noted",
            Self::Shop => "the shop's rule",
            Self::Pages => "as its other pages say",
        }
    }
}

/// What is known of a shop's delivery, and who says so.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The rule.
    pub rule: DeliveryRule,
    /// Who says the fee.
    pub fee_by: Teller,
    /// Who says from where on it is free.
    pub free_by: Teller,
}

impl Market {
    /// What the person knows of a shop.
    #[must_use]
    pub fn terms(&self, shop: &str) -> Option<&ShopTerms> {
        self.terms.get(shop)
    }

    /// The prices the person noted that hold today, with their shops.
    pub fn noted(&self) -> impl Iterator<Item = (&str, &NotedOffer)> {
        let all = self.terms.iter();
        all.flat_map(|(shop, terms)| terms.offers.iter().map(|o| (shop.as_str(), o)))
            .filter(|(_, o)| !o.is_expired(self.today))
    }

    /// Where trips start: a place of the settings by its name, a point, or `home`.
    ///
    /// # Errors
    /// What was written, if it is neither.
    pub fn start(&self, place: Option<&str>) -> Result<Option<Place>, PlaceError> {
        match place {
            None => Ok(self.places.get("home").copied()),
            Some(name) => match self.places.get(name.trim()) {
                Some(known) => Ok(Some(*known)),
                None => name.parse().map(Some),
            },
        }
    }

    /// The names of the places in the settings.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// The trip to a shop and back, where its cost is known: as the person noted it, else
    /// by the distance from `start`. In the currency it was noted in.
    #[must_use]
    pub fn trip(&self, shop: &str, start: Option<Place>) -> Option<Trip> {
        let terms = self.terms.get(shop)?;
        let km = start
            .zip(terms.place)
            .map(|(from, to)| travel::distance_km(from, to));
        let source = match (terms.travel, km) {
            (Some(_), _) => "as you noted".into(),
            (None, Some(km)) => sentence!(
                format!("{:.1} km there and back at ", 2.0 * km),
                self.per_km,
                " a km, which ",
                if self.per_km_assumed {
                    "is assumed"
                } else {
                    "you set"
                }
            ),
            (None, None) => return None,
        };
        let cost = terms
            .travel
            .or_else(|| travel::trip_cost(km?, self.per_km))?;
        Some(Trip { cost, source })
    }

    /// Kilometres from the person's home to a shop, rounded up.
    pub(in crate::agent::view) fn distance_km(&self, shop: &str) -> Option<u32> {
        let home = self.places.get("home")?;
        let km = travel::distance_km(*home, self.terms.get(shop)?.place?);
        Decimal::from_f64_retain(km.ceil())?.to_u32()
    }

    /// What delivery costs at a shop: as the person noted it, else as the shop's rule says,
    /// else as its pages say.
    #[must_use]
    pub fn delivery(&self, shop: &str) -> Delivery {
        let mut rule = self
            .shops
            .get(shop)
            .map_or_else(DeliveryRule::default, |s| s.delivery.clone());
        let (mut fee_by, mut free_by) = (Teller::Shop, Teller::Shop);
        if let Some(terms) = self.terms.get(shop) {
            if terms.fee.is_some() {
                (rule.fee, fee_by) = (terms.fee, Teller::Person);
            }
            if terms.says_delivery() {
                (rule.free_from, free_by) = (terms.free_from, Teller::Person);
            }
            rule.min_order = terms.min_order.or(rule.min_order);
        }
        if let Some((fee, free_from)) = self.said.get(shop) {
            if rule.fee.is_none() {
                (rule.fee, fee_by) = (*fee, Teller::Pages);
            }
            if rule.free_from.is_none() && free_by != Teller::Person {
                (rule.free_from, free_by) = (*free_from, Teller::Pages);
            }
        }
        Delivery {
            rule,
            fee_by,
            free_by,
        }
    }

    /// Puts what the person noted of delivery in the place of what the offer says.
    pub(super) fn as_noted(
        &self,
        terms: &ShopTerms,
        shop: &str,
        quantity: u32,
        off: Decimal,
        offer: &mut Offer,
        delivery: &mut Delivery,
    ) {
        let order = offer.price.and_then(|p| p.times(quantity.max(1)));
        let order = match order {
            Some(order) if !off.is_zero() => self.home_price(&order).map(|o| Money {
                amount: o.amount - off,
                ..o
            }),
            order => order,
        };
        let rule = &mut delivery.rule;
        let fee = if terms.fetch_only {
            let trip = self.trip(shop, self.places.get("home").copied());
            let free = Money::zero(self.home);
            let ready = terms.pickup_fee.unwrap_or(free);
            rule.free_from = None;
            rule.fee = trip
                .and_then(|t| self.home_price(&t.cost))
                .zip(self.home_price(&ready))
                .and_then(|(trip, ready)| trip.checked_add(&ready).ok());
            rule.fee
        } else {
            let fee = order.and_then(|o| terms.fee_for(&o));
            rule.fee = fee.or(rule.fee);
            fee
        };
        if fee.is_some() {
            delivery.fee_by = Teller::Person;
        }
        if let Some(shipping) = offer.shipping.as_mut() {
            if terms.fetch_only || fee.is_some() {
                shipping.cost = None;
            }
            if terms.fetch_only || terms.says_delivery() {
                shipping.free_from = None;
            }
        }
    }
}

/// What the pages of a shop agree on: the fee most of them say, of equally many the higher
/// one, and the highest order value from which on one of them says delivery is free.
pub(super) fn agreed(said: &[SaidDelivery]) -> (Option<Money>, Option<Money>) {
    let mut fees: Vec<(usize, Money)> = Vec::new();
    for fee in said.iter().filter_map(|s| s.fee) {
        match fees.iter_mut().find(|(_, known)| *known == fee) {
            Some((times, _)) => *times += 1,
            None => fees.push((1, fee)),
        }
    }
    let order = |m: &Money| (m.currency, m.amount);
    let fee = fees
        .into_iter()
        .max_by_key(|(times, fee)| (*times, order(fee)));
    let free_from = said.iter().filter_map(|s| s.free_from).max_by_key(order);
    (fee.map(|(_, fee)| fee), free_from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    #[test]
    fn pages_that_differ_agree_on_what_most_say_else_on_the_most() {
        let money = |text: &str| text.parse::<Money>().expect("test money");
        let said = |fee: Option<&str>, free: Option<&str>| SaidDelivery {
            fee: fee.map(money),
            free_from: free.map(money),
            seen: Timestamp::UNIX_EPOCH,
        };
        let (low, high) = (said(Some("3 EUR"), None), said(Some("9 EUR"), None));
        let free = said(None, Some("50 EUR"));
        let of = |all: &[&SaidDelivery]| agreed(&all.iter().copied().cloned().collect::<Vec<_>>());
        assert_eq!(of(&[&low, &high]).0, Some(money("9 EUR")));
        assert_eq!(of(&[&low, &high, &low]).0, Some(money("3 EUR")));
        assert_eq!(of(&[&free]), (None, Some(money("50 EUR"))));
        assert_eq!(of(&[]), (None, None));
    }
}
