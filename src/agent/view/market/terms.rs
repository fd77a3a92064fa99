//! What the person knows of shops, as part of the market: delivery, the way there, noted
//! prices.

use super::Market;
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
                format!("{km:.1} km there and back at "),
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

    /// What delivery costs at a shop as the person states it, else its adapter.
    #[must_use]
    pub fn delivery_rule(&self, shop: &str) -> DeliveryRule {
        let mut rule = self
            .shops
            .get(shop)
            .map_or_else(DeliveryRule::default, |s| s.delivery.clone());
        if let Some(terms) = self.terms.get(shop) {
            if terms.says_delivery() {
                (rule.fee, rule.free_from) = (terms.fee, terms.free_from);
            }
            rule.min_order = terms.min_order.or(rule.min_order);
        }
        rule
    }

    /// Puts what the person noted of delivery in the place of what the offer says.
    pub(super) fn as_noted(
        &self,
        terms: &ShopTerms,
        shop: &str,
        quantity: u32,
        offer: &mut Offer,
        rule: &mut DeliveryRule,
    ) {
        let order = offer.price.and_then(|p| {
            let amount = p.amount.checked_mul(Decimal::from(quantity.max(1)))?;
            Some(Money::new(amount, p.currency))
        });
        if terms.fetch_only {
            let trip = self.trip(shop, self.places.get("home").copied());
            let ready = terms.pickup_fee.and_then(|fee| self.home_price(&fee));
            rule.free_from = None;
            rule.fee = trip
                .and_then(|t| self.home_price(&t.cost))
                .and_then(|t| t.checked_add(&ready.unwrap_or(Money::zero(self.home))).ok());
        } else if let Some(fee) = order.and_then(|o| terms.fee_for(&o)) {
            rule.fee = Some(fee);
        } else if !terms.says_delivery() {
            return;
        }
        if let Some(shipping) = offer.shipping.as_mut() {
            (shipping.cost, shipping.free_from) = (None, None);
        }
    }
}
