//! Sellers: shops that are read and providers that answer.

use super::time::Timestamp;
use super::{Currency, Money};
use serde::{Deserialize, Serialize};

/// A shop the person follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shop {
    /// Host and optional port, lower case: the shop's key.
    pub domain: String,
    /// The name shown.
    pub name: String,
    /// The start address.
    pub base_url: String,
    /// The adapter that reads it, if one claims the domain.
    pub adapter: Option<String>,
    /// How it can be searched without an adapter: an address with `{query}`.
    #[serde(default)]
    pub search: Option<String>,
    /// When it was added.
    pub added: Timestamp,
    /// What delivery costs there.
    #[serde(default)]
    pub delivery: DeliveryRule,
    /// How reading it goes.
    #[serde(default)]
    pub health: SourceHealth,
}

/// A shop's delivery rule as the person or the adapter states it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeliveryRule {
    /// The fee for one order. `None` is unknown.
    pub fee: Option<Money>,
    /// Free from this order value on.
    pub free_from: Option<Money>,
    /// The least order value.
    pub min_order: Option<Money>,
    /// Usual days until delivery.
    pub days: Option<u32>,
    /// The currency the shop sells in, if it says so nowhere else.
    pub currency: Option<Currency>,
}

/// Why a source gives nothing. A closed list, so that each has advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// A log-in, captcha or access wall.
    Blocked,
    /// robots.txt does not allow the page.
    BlockedByRobots,
    /// The shop asked for a pause (429 or Retry-After).
    RateLimited,
    /// No answer, a server error, a broken transfer.
    VendorDown,
    /// The page is there but no longer reads as before.
    LayoutChanged,
    /// The page is gone (404, 410).
    Gone,
    /// The answer broke a limit (size, time, depth) or the reader failed on it.
    BadInput,
    /// Several prices; the person must choose.
    Ambiguous,
    /// A page without a price.
    NoPrice,
    /// The address is not allowed (private network, wrong scheme).
    Refused,
}

impl Trouble {
    /// All there are.
    pub const ALL: [Self; 10] = [
        Self::Blocked,
        Self::BlockedByRobots,
        Self::RateLimited,
        Self::VendorDown,
        Self::LayoutChanged,
        Self::Gone,
        Self::BadInput,
        Self::Ambiguous,
        Self::NoPrice,
        Self::Refused,
    ];

    /// Its name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::BlockedByRobots => "blocked_by_robots",
            Self::RateLimited => "rate_limited",
            Self::VendorDown => "vendor_down",
            Self::LayoutChanged => "layout_changed",
            Self::Gone => "gone",
            Self::BadInput => "bad_input",
            Self::Ambiguous => "ambiguous",
            Self::NoPrice => "no_price",
            Self::Refused => "refused",
        }
    }

    /// One sentence on what it means and what helps.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Blocked => {
                "the shop shows a wall instead of the page; open it yourself or drop the shop"
            }
            Self::BlockedByRobots => {
                "the shop's robots.txt asks robots to stay away from this page"
            }
            Self::RateLimited => "the shop asked to slow down; it is retried later by itself",
            Self::VendorDown => "the shop does not answer; it is retried later by itself",
            Self::LayoutChanged => {
                "the page changed; run `emptor adapter test` or update the adapter"
            }
            Self::Gone => "the page no longer exists; give a new address or remove it",
            Self::BadInput => "the page broke a safety limit and was not read",
            Self::Ambiguous => {
                "the page shows several prices; choose one with `emptor offers --choose`"
            }
            Self::NoPrice => {
                "no price was found on the page; an adapter may help: `emptor adapter new`"
            }
            Self::Refused => {
                "the address is not a public web address; list the host under [net] allow_private if it is yours"
            }
        }
    }
}

/// How reading a source goes, kept for the person: silence is never "no deal".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceHealth {
    /// The last time a price was read.
    pub last_good: Option<Timestamp>,
    /// The last attempt.
    pub last_try: Option<Timestamp>,
    /// Attempts without a price since `last_good`.
    pub failures: u32,
    /// Since when it is blind.
    pub blind_since: Option<Timestamp>,
    /// What is wrong.
    pub trouble: Option<Trouble>,
    /// Details for the person.
    pub detail: Option<String>,
}

impl SourceHealth {
    /// Notes a success at `now`.
    pub fn good(&mut self, now: Timestamp) {
        *self = Self {
            last_good: Some(now),
            last_try: Some(now),
            ..Self::default()
        };
    }

    /// Notes a failure at `now`.
    pub fn bad(&mut self, now: Timestamp, trouble: Trouble, detail: impl Into<String>) {
        self.last_try = Some(now);
        self.failures = self.failures.saturating_add(1);
        self.blind_since.get_or_insert(now);
        self.trouble = Some(trouble);
        self.detail = Some(detail.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_has_one_name() {
        for trouble in Trouble::ALL {
            let kept = serde_json::to_value(trouble).expect("JSON");
            assert_eq!(kept, trouble.name());
        }
    }
}
