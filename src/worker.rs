//! The sandboxed child that parses foreign bytes.
//!
//! Pages, feeds and replies come from strangers, and parsers have bugs. So they are
//! read in a process of their own: the same binary started as `emptor worker`, with an
//! empty environment, without keys, files or network, bounded in time and memory, and
//! killed when it breaks a bound. Whatever happens to it costs one job.

pub mod child;
mod frame;
mod jobs;
mod pool;
mod sandbox;

pub use pool::{WorkerLimits, WorkerPool, this_binary};
pub use sandbox::SandboxReport;

pub use crate::engine::adapter::Listing;

use crate::engine::discover::FrontPage;
use crate::engine::quote;
use crate::model::seller::Trouble;
use crate::model::time::Date;
use crate::model::{Currency, Extraction, Verdict};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use url::Url;

/// What a worker is asked to do with the bytes that come with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Read a product page.
    ReadPage(Source),
    /// Read a search or category page.
    ReadList(Source),
    /// Read a provider's reply to a call for tenders.
    ReadQuotes,
    /// Read a shop's front page: how it can be searched.
    ReadFront {
        /// Its address.
        url: Url,
        /// The `Content-Type` field, for the charset.
        content_type: Option<String>,
    },
    /// Read a day's exchange rates.
    ReadRates,
    /// Try what the sandbox forbids, for `emptor doctor`.
    SelfCheck,
}

/// Where the bytes of a page come from and how to read them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its address, to resolve links.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` field, for the charset.
    pub content_type: Option<String>,
    /// The adapter's manifest (TOML), if one claims the shop.
    pub adapter: Option<String>,
    /// The currency the shop is known to sell in, for amounts without one.
    #[serde(default)]
    pub shop_currency: Option<Currency>,
}

/// What a search or category page lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listings {
    /// As for a page: a list, none, a wall, or a list that reads no longer.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub reason: Option<String>,
    /// The products, in page order, each address once.
    pub listings: Vec<Listing>,
    /// The address of the next page, if the page names one.
    pub next: Option<Url>,
}

/// One thing the sandbox should forbid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was tried.
    pub what: String,
    /// Whether it was forbidden.
    pub forbidden: bool,
}

/// What a worker answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", content = "value", rename_all = "snake_case")]
pub enum Reply {
    /// To [`Job::ReadPage`].
    Extraction(Extraction),
    /// To [`Job::ReadQuotes`].
    Quotes(Vec<quote::Reply>),
    /// To [`Job::ReadFront`].
    Front(FrontPage),
    /// To [`Job::ReadRates`].
    Rates {
        /// The day.
        date: Date,
        /// Currency code and units of it for one euro.
        rates: Vec<(String, Decimal)>,
    },
    /// To [`Job::ReadList`].
    Listings(Listings),
    /// To [`Job::SelfCheck`].
    Checks(Vec<Check>),
    /// The job could not be done.
    Failed(String),
}

/// Why a job has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// No child could be started.
    #[error("cannot start a worker: {0}")]
    Spawn(#[source] std::io::Error),
    /// It took too long and was killed.
    #[error("reading took longer than {0:?} and was stopped")]
    Timeout(Duration),
    /// The child ended: out of memory or time, a crash, a forbidden call.
    #[error("the worker died while reading ({0})")]
    Died(String),
    /// The input or the answer is too large.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// Which of the two.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The child answered something that is no answer.
    #[error("the worker's answer makes no sense: {0}")]
    Protocol(String),
    /// The child could not do the job.
    #[error("{0}")]
    Failed(String),
}

impl WorkerError {
    /// The kind of trouble, for the health of a source.
    #[must_use]
    pub const fn trouble(&self) -> Trouble {
        Trouble::BadInput
    }
}
