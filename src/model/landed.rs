//! Landed cost: all the person pays to have it.

use super::{Currency, Money, Sentence};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How sure a term is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The seller said it.
    Known,
    /// Taken from a rule or a prior, and shown as such.
    Assumed,
    /// Nobody said it: a range.
    Unknown,
}

/// What a term is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum TermKind {
    Item,
    Delivery,
    Fee,
    Tax,
    Deposit,
    Coupon,
    Loyalty,
    Exchange,
}

/// One part of the landed cost: an interval with its middle, `low <= mid <= high`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LandedTerm {
    /// What it is for.
    pub kind: TermKind,
    /// The least it can be, in the currency of the sum.
    pub low: Decimal,
    /// The expected value.
    pub mid: Decimal,
    /// The most it can be.
    pub high: Decimal,
    /// Known, assumed or unknown.
    pub certainty: Certainty,
    /// Where it comes from, in words.
    pub source: Sentence,
}

/// The sum of all terms in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LandedCost {
    /// The currency of the sum.
    pub currency: Currency,
    /// The parts.
    pub terms: Vec<LandedTerm>,
}

impl LandedCost {
    /// The sum of the lows.
    #[must_use]
    pub fn low(&self) -> Money {
        Money::new(self.terms.iter().map(|t| t.low).sum(), self.currency)
    }
    /// The sum of the middles: what offers are ordered by.
    #[must_use]
    pub fn mid(&self) -> Money {
        Money::new(self.terms.iter().map(|t| t.mid).sum(), self.currency)
    }
    /// The sum of the highs.
    #[must_use]
    pub fn high(&self) -> Money {
        Money::new(self.terms.iter().map(|t| t.high).sum(), self.currency)
    }
    /// The least certain of the terms.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        self.terms
            .iter()
            .map(|t| t.certainty)
            .max()
            .unwrap_or(Certainty::Unknown)
    }
}
