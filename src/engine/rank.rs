//! Ranking: hard constraints with reasons, then one effective cost in cents for every
//! offer, a restricted short list, and explanations that are sums.
//!
//! Effective cost is money-metric and additive (Keeney and Raiffa 1976): price and fees
//! as they are, plus what each shortcoming is worth to the person on absolute anchors.
//! What is unknown is an interval from a prior, shown as assumed. [`rank`] answers the
//! JSON schema `emptor-rank/1`; [`for_want`] ranks offers for a [`crate::model::Want`].

mod attributes;
mod explain;
mod json;
mod requirement;
mod score;
mod shortlist;
mod want;
mod worth;

pub mod elicit;

pub use attributes::Attributes;
pub use explain::Explanation;
pub use json::{
    Constraint, Criterion, OfferIn, Op, Priors, Ranked, Rejected, Reply, Request, Term, rank,
};
pub use requirement::{Check, check, phrase};
pub use score::{Alternative, Interval, order};
pub use shortlist::{Limits, Member, Shortlist, WeightBox, Wins, shortlist};
pub use want::{
    Candidate, Listed, RankedOffer, Ranking, RejectedOffer, Stock, WantContext, WantTerm, for_want,
};
pub use worth::Worth;

/// Why a request cannot be ranked at all. A single bad offer is no such reason: it is
/// rejected with its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RankError {
    /// Another schema.
    #[error("schema `{0}` is not emptor-rank/1")]
    Schema(String),
    /// A setting out of its range.
    #[error("{name} must be {range}")]
    Setting {
        /// The field.
        name: &'static str,
        /// What it may be.
        range: &'static str,
    },
    /// A criterion is unsound.
    #[error("criterion `{id}` {problem}")]
    Criterion {
        /// Which.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A constraint is unsound.
    #[error("constraint `{id}` {problem}")]
    Constraint {
        /// Which.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A rate is not a positive number.
    #[error("the exchange rate of {0} is not a positive number")]
    Rate(String),
    /// Two offers, criteria or constraints share an id.
    #[error("{0} `{1}` appears twice")]
    Duplicate(&'static str, String),
    /// More than can be ranked in bounded time.
    #[error("more than {0} {1}")]
    TooMany(usize, &'static str),
}

/// The most offers one request may hold.
pub const MAX_OFFERS: usize = 1_000_000;
/// The most criteria, and the most constraints, of one request.
pub const MAX_CRITERIA: usize = 256;
/// The longest short list.
pub const MAX_SHORTLIST: usize = 64;

#[cfg(test)]
mod tests;
