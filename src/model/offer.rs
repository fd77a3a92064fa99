//! Offers: everything a seller says, from whatever source, in schema.org's words.

use super::{Currency, Gtin, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Whether the thing can be had (schema.org `ItemAvailability`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Availability {
    InStock,
    LimitedAvailability,
    PreOrder,
    BackOrder,
    OutOfStock,
    Discontinued,
    /// The source does not say. Never treated as in stock or out of stock.
    #[default]
    Unknown,
}

impl Availability {
    /// Whether it can be ordered and delivered now.
    #[must_use]
    pub const fn is_available(self) -> bool {
        matches!(self, Self::InStock | Self::LimitedAvailability)
    }
}

/// The state of the goods (schema.org `OfferItemCondition`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Condition {
    New,
    Used,
    Refurbished,
    Damaged,
    #[default]
    Unknown,
}

/// A low and a high price, where a page gives no single one (schema.org `AggregateOffer`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRange {
    /// The lowest price.
    pub low: Decimal,
    /// The highest price, if said.
    pub high: Option<Decimal>,
    /// The currency of both.
    pub currency: Currency,
}

/// A price for a reference quantity, such as 4.98 EUR for 1 kg
/// (schema.org `UnitPriceSpecification`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitPrice {
    /// The price of `quantity` units.
    pub price: Money,
    /// How many units the price is for.
    pub quantity: Decimal,
    /// The unit as written: `kg`, `l`, `piece`.
    pub unit: String,
}

/// What delivery costs and how long it takes, as the seller says
/// (schema.org `OfferShippingDetails`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipping {
    /// The fee. `None` is unknown, which is never free.
    pub cost: Option<Money>,
    /// Delivery is free from this order value on.
    pub free_from: Option<Money>,
    /// The fewest days until it arrives.
    pub min_days: Option<u32>,
    /// The most days until it arrives.
    pub max_days: Option<u32>,
}

/// Which reader found something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Extractor {
    JsonLd,
    Microdata,
    Rdfa,
    #[serde(rename = "opengraph")]
    OpenGraph,
    Adapter,
    Platform,
    Heuristic,
    /// A reply to a tender.
    Quote,
}

/// Where a value comes from, so that a person can check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The reader.
    pub extractor: Extractor,
    /// A path, selector or field name inside the source.
    #[serde(rename = "where")]
    pub place: String,
}

/// What a seller asks for something.
///
/// `price` is the price of one sales unit as a private buyer would pay it, taxes as
/// the page shows them, without delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Offer {
    /// The name of the thing.
    pub name: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// Its GTIN; numbers with a wrong check digit are dropped.
    pub gtin: Option<Gtin>,
    /// The maker's part number.
    pub mpn: Option<String>,
    /// The shop's own number.
    pub sku: Option<String>,
    /// The price, if there is one.
    pub price: Option<Money>,
    /// Lowest and highest price where there is no single one.
    pub price_range: Option<PriceRange>,
    /// The crossed-out or recommended price.
    pub list_price: Option<Money>,
    /// Price per kilogram, litre, piece.
    pub unit_price: Option<UnitPrice>,
    /// Whether it can be had.
    pub availability: Availability,
    /// New or used.
    pub condition: Condition,
    /// Who sells, if not the shop itself.
    pub seller: Option<String>,
    /// The offer's own address.
    pub url: Option<String>,
    /// A picture. Never fetched by itself.
    pub image: Option<String>,
    /// Delivery.
    pub shipping: Option<Shipping>,
    /// Paid on top of the price and given back with the empties, where the seller says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deposit: Option<Money>,
    /// The last day the price holds, as written (ISO 8601).
    pub valid_through: Option<String>,
    /// How sure the reader is, from 0 to 1.
    pub confidence: f64,
    /// Which readers said so.
    pub provenance: Vec<Provenance>,
}

/// What a reader concludes about a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// One price, good enough for the history.
    Value,
    /// Several prices that cannot be told apart; the person chooses.
    Ambiguous,
    /// A page without a price.
    Absent,
    /// A wall instead of the page: captcha, log-in, access denied.
    Blocked,
    /// The adapter's selectors no longer find what they found.
    LayoutChanged,
}

impl Verdict {
    /// The word used in JSON and on the terminal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Ambiguous => "ambiguous",
            Self::Absent => "absent",
            Self::Blocked => "blocked",
            Self::LayoutChanged => "layout_changed",
        }
    }
}

/// The result of reading one page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    /// The conclusion.
    pub verdict: Verdict,
    /// The page's title.
    pub title: Option<String>,
    /// Why this verdict, in a sentence for the person.
    pub reason: Option<String>,
    /// With [`Verdict::Value`], the first offer is the page's; more may follow
    /// (variants, other sellers). With [`Verdict::Ambiguous`], the candidates.
    pub offers: Vec<Offer>,
}

impl Extraction {
    /// A result without offers.
    #[must_use]
    pub fn empty(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            verdict,
            title: None,
            reason: Some(reason.into()),
            offers: Vec::new(),
        }
    }
}

/// What goods are sold by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ContentUnit {
    Gram,
    Millilitre,
    Piece,
}

/// How much one pack holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The amount, above 0.
    pub amount: Decimal,
    /// Of what.
    pub unit: ContentUnit,
}

/// An offer seen at a time: one entry of its append-only price history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When it was read.
    pub at: super::time::Timestamp,
    /// The price, in the shop's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// Whether it can be had.
    pub availability: Availability,
    /// New or used.
    pub condition: Condition,
    /// What the price was for, where the title said it: packs change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
}
