//! Offers for a want, what they cost in all, and what they cost before.

use super::{AdviceView, WantView};
use crate::engine::locale::Locale;
use crate::model::landed::TermKind;
use crate::model::offer::Provenance;
use crate::model::time::Timestamp;
use crate::model::{Availability, Certainty, Condition, Currency, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an offer costs in all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CostView {
    /// At least.
    #[schema(value_type = Object)]
    pub low: Money,
    /// What it is ranked by.
    #[schema(value_type = Object)]
    pub mid: Money,
    /// At most.
    #[schema(value_type = Object)]
    pub high: Money,
    /// `known`, `assumed` or `unknown`: the least certain of the parts.
    pub certainty: String,
    /// The parts.
    pub terms: Vec<TermView>,
}

impl CostView {
    /// The expected cost, with its range where there is one, as a reader writes it.
    #[must_use]
    pub fn words(&self, locale: &Locale) -> String {
        let mid = locale.money(&self.mid);
        if self.low.amount == self.high.amount {
            return mid;
        }
        let (low, high) = (locale.money(&self.low), locale.money(&self.high));
        format!("{mid} ({low} to {high})")
    }
}

/// A part of what an offer costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TermView {
    /// What it is for.
    #[schema(value_type = String)]
    pub kind: TermKind,
    /// The least it can be, in the currency of the sum.
    #[schema(value_type = String)]
    pub low: Decimal,
    /// The expected value.
    #[schema(value_type = String)]
    pub mid: Decimal,
    /// The most it can be.
    #[schema(value_type = String)]
    pub high: Decimal,
    /// Known, assumed or unknown.
    #[schema(value_type = String)]
    pub certainty: Certainty,
    /// Where it comes from, in words.
    pub source: String,
}

impl TermView {
    /// Where the amount comes from, where that says more than the amount does.
    #[must_use]
    pub fn said(&self, currency: Currency, locale: &Locale) -> Option<&str> {
        let amount = locale.money(&Money::new(self.mid, currency));
        Some(self.source.as_str()).filter(|source| *source != amount)
    }
}

/// An offer as ranked for a want.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OfferView {
    /// What people type.
    pub id: String,
    /// Its place, from 1. Absent for offers that are not ranked.
    pub rank: Option<usize>,
    /// The shop's domain or the provider.
    pub shop: String,
    /// Where to buy.
    pub url: String,
    /// The name there.
    pub name: Option<String>,
    /// The brand there.
    pub brand: Option<String>,
    /// The GTIN there.
    pub gtin: Option<String>,
    /// The price asked.
    #[schema(value_type = Option<Object>)]
    pub price: Option<Money>,
    /// All that is paid for the wanted quantity, in the person's currency.
    pub landed: Option<CostView>,
    /// Landed cost less what the person's preferences are worth here.
    #[schema(value_type = Option<Object>)]
    pub effective: Option<Money>,
    /// Whether it can be had.
    #[schema(value_type = String)]
    pub availability: Availability,
    /// New or used.
    #[schema(value_type = String)]
    pub condition: Condition,
    /// Days until it arrives, at most.
    pub delivery_days: Option<u32>,
    /// `crawl`, `quote` or `noted`.
    pub source: String,
    /// When it was read.
    #[schema(value_type = String)]
    pub seen: Timestamp,
    /// `same` or `maybe`: whether it is the thing wanted.
    pub zone: String,
    /// How sure the reader of the page was.
    pub confidence: f64,
    /// Which readers said so.
    #[schema(value_type = Vec<Object>)]
    pub provenance: Vec<Provenance>,
    /// On the short list.
    pub shortlisted: bool,
    /// The explanation, a line each.
    pub notes: Vec<String>,
}

/// The ranked short list of a want.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OffersReply {
    /// The want, without its best offer.
    pub want: WantView,
    /// Ranked offers, best first.
    pub ranked: Vec<OfferView>,
    /// Offers that fail a condition, with the reason in their notes.
    pub rejected: Vec<OfferView>,
    /// Offers that may be it: answer with `emptor offers WANT --same ID` or `--not ID`.
    pub maybe: Vec<OfferView>,
    /// Pages with several prices to choose from: `--choose ID`.
    pub ambiguous: Vec<OfferView>,
    /// Prices the person noted that only the basket can weigh: bundles, and too few for
    /// what is wanted. The others are ranked.
    pub noted: Vec<OfferView>,
    /// One sentence for the person.
    pub summary: String,
    /// Sources that give nothing at the moment.
    pub blind: Vec<Blind>,
    /// Buy now or wait; only where one want is asked about.
    pub advice: Option<AdviceView>,
}

/// A source that gives nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Blind {
    /// The shop, or the page.
    pub source: String,
    /// Since when.
    #[schema(value_type = Option<String>)]
    pub since: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// What helps.
    pub advice: String,
}

impl Blind {
    /// What is blind and why; a reason that names the source already says both.
    #[must_use]
    pub fn words(&self) -> String {
        match self.reason.contains(&self.source) {
            true => self.reason.clone(),
            false => format!("{}: {}", self.source, self.reason),
        }
    }

    /// Each once, in order: a shop is blind for every want.
    #[must_use]
    pub fn once(all: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut once: Vec<Self> = Vec::new();
        for blind in all {
            if !once.contains(&blind) {
                once.push(blind);
            }
        }
        once
    }
}

/// The person's word on an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// The offer's id, as shown.
    pub offer: String,
    /// `same`, `different`, or `choose` for a page with several prices.
    pub answer: Answer,
}

/// What the person says about an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is the thing wanted.
    Same,
    /// It is not.
    Different,
    /// Among several prices on a page, this one.
    Choose,
}

/// One point of a price history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryPoint {
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Where.
    pub shop: String,
    /// The page.
    pub url: String,
    /// The price asked.
    #[schema(value_type = Option<Object>)]
    pub price: Option<Money>,
    /// The price in the person's currency, for as much as one piece wanted holds: packs
    /// differ.
    #[schema(value_type = Option<Object>)]
    pub home: Option<Money>,
    /// Whether it could be had.
    #[schema(value_type = String)]
    pub availability: Availability,
}

/// A want's price history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryReply {
    /// The want's short id.
    pub want: String,
    /// Its name.
    pub name: String,
    /// Oldest first.
    pub points: Vec<HistoryPoint>,
    /// Buy now or wait.
    pub advice: Option<AdviceView>,
}
