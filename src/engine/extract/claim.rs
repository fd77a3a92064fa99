//! What one reader says about one product or offer.

use crate::engine::price::{self, Hints};
use crate::model::offer::{Extractor, UnitPrice};
use crate::model::{Availability, Condition, Currency, Gtin, Money};
use rust_decimal::Decimal;
use std::str::FromStr;

/// A price as a reader found it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Amount {
    /// The amount as its syntax means it.
    pub value: Decimal,
    /// What else it may mean: `1.299` in a page that groups thousands with a point, `1299`
    /// in one that counts in cents.
    pub other: Option<Decimal>,
}

impl Amount {
    /// Reads a structured price. Vocabularies want a point and no grouping; shops also
    /// write what they show. Zero and less is no price.
    #[must_use]
    pub fn read(text: &str, currency: Option<Currency>) -> Option<Self> {
        let text = text.trim();
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if plain && let Ok(value) = Decimal::from_str(text) {
            let grouped = text
                .split_once('.')
                .filter(|(whole, rest)| {
                    rest.len() == 3 && (1..=3).contains(&whole.len()) && *whole != "0"
                })
                .and_then(|(whole, rest)| Decimal::from_str(&format!("{whole}{rest}")).ok());
            let three_places = currency.is_some_and(|c| c.exponent() == 3);
            // Programs count in cents, and some templates print that.
            let has_cents = currency.is_none_or(|c| c.exponent() == 2);
            let cents = (has_cents && text.len() >= 3 && !text.contains('.'))
                .then(|| value / Decimal::ONE_HUNDRED);
            return (value > Decimal::ZERO).then_some(Self {
                value,
                other: grouped.filter(|_| !three_places).or(cents),
            });
        }
        let code = currency.map(|c| c.code());
        let reading = price::read(
            text,
            &Hints {
                currency: code,
                ..Hints::default()
            },
        );
        // A text that names a range or "from" is no single price.
        let single = matches!(
            reading.kind,
            Some(price::Kind::Price | price::Kind::List | price::Kind::Periodic)
        );
        let value = reading.amount.filter(|a| single && *a > Decimal::ZERO)?;
        Some(Self { value, other: None })
    }

    /// Whether it may mean this value.
    #[must_use]
    pub fn may_be(&self, value: Decimal) -> bool {
        self.value == value || self.other == Some(value)
    }
}

/// What one reader says. Absent fields are unknown.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Claim {
    pub name: Option<String>,
    pub brand: Option<String>,
    pub gtin: Option<Gtin>,
    pub mpn: Option<String>,
    pub sku: Option<String>,
    pub price: Option<Amount>,
    pub low: Option<Amount>,
    pub high: Option<Amount>,
    /// A decided currency.
    pub currency: Option<Currency>,
    /// The currency as written, where it is ambiguous.
    pub symbol: Option<String>,
    pub list: Option<Amount>,
    pub unit_price: Option<UnitPrice>,
    pub availability: Option<Availability>,
    pub condition: Option<Condition>,
    pub seller: Option<String>,
    pub url: Option<String>,
    pub image: Option<String>,
    pub shipping_cost: Option<(Decimal, Option<Currency>)>,
    pub shipping_free_from: Option<Money>,
    pub shipping_days: Option<(u32, u32)>,
    pub valid_through: Option<String>,
    /// Identifiers and option values that an address may select a variant by.
    pub keys: Vec<String>,
    /// Where in the page.
    pub place: String,
}

impl Claim {
    /// Fills what is missing from another claim about the same thing.
    pub fn fill_from(&mut self, other: &Self) {
        fn fill<T: Clone>(mine: &mut Option<T>, theirs: &Option<T>) {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        }
        fill(&mut self.name, &other.name);
        fill(&mut self.brand, &other.brand);
        fill(&mut self.gtin, &other.gtin);
        fill(&mut self.mpn, &other.mpn);
        fill(&mut self.sku, &other.sku);
        fill(&mut self.condition, &other.condition);
        fill(&mut self.availability, &other.availability);
        fill(&mut self.seller, &other.seller);
        fill(&mut self.url, &other.url);
        fill(&mut self.image, &other.image);
        fill(&mut self.unit_price, &other.unit_price);
        fill(&mut self.list, &other.list);
        fill(&mut self.shipping_cost, &other.shipping_cost);
        fill(&mut self.shipping_free_from, &other.shipping_free_from);
        fill(&mut self.shipping_days, &other.shipping_days);
        fill(&mut self.valid_through, &other.valid_through);
        fill(&mut self.currency, &other.currency);
        fill(&mut self.symbol, &other.symbol);
    }
}

/// A product with its offers and variants, as one reader sees it.
#[derive(Clone, Debug, Default)]
pub struct Product {
    /// What holds for every offer.
    pub base: Claim,
    /// Offers and variants with a price or an availability.
    pub offers: Vec<Claim>,
    /// Named as related to another product, or an entry of a list.
    pub aside: bool,
    /// An entry of an item list.
    pub listed: bool,
    /// Whether the offers are one thing from several sellers (schema.org
    /// `AggregateOffer`).
    pub aggregate: bool,
}

/// A reader and what it found.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The reader.
    pub source: Extractor,
    /// The one claim it makes about this page's product.
    pub claim: Claim,
    /// The other offers or variants of the same product.
    pub others: Vec<Claim>,
    /// Why the claim was chosen among several; `None` when there was no choice to make.
    pub uncertain: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_amounts() {
        let read = |t| {
            Amount::read(t, Some(Currency::EUR))
                .map(|a| (a.value.to_string(), a.other.map(|o| o.to_string())))
        };
        assert_eq!(read("2879.20"), Some(("2879.20".into(), None)));
        assert_eq!(read("1.299"), Some(("1.299".into(), Some("1299".into()))));
        assert_eq!(read("1.299,00 €"), Some(("1299.00".into(), None)));
        assert_eq!(read("0"), None);
        assert_eq!(read("0.00"), None);
        assert_eq!(read("from 9.99"), None);
        assert_eq!(read("9.99 - 19.99"), None);
        assert_eq!(read("{"), None);
    }
}
