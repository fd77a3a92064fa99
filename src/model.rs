//! Plain data shared by every floor: no I/O, no clock, no behaviour beyond
//! validation, parsing and printing.

pub mod alert;
pub mod gtin;
pub mod landed;
pub mod money;
pub mod offer;
pub mod place;
pub mod seller;
pub mod sentence;
pub mod tender;
pub mod terms;
pub mod text;
pub mod time;
pub mod want;

pub use alert::{Alert, AlertRule};
pub use gtin::Gtin;
pub use landed::{Certainty, LandedCost, LandedTerm};
pub use money::{Currency, Money};
pub use offer::{Availability, Condition, Extraction, Offer, Verdict};
pub use place::Place;
pub use seller::{Shop, SourceHealth};
pub use sentence::Sentence;
pub(crate) use sentence::sentence;
pub use terms::ShopTerms;
pub use want::{Want, WantKind};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A record identifier: UUID version 7 (RFC 9562), so ids sort by creation time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(pub uuid::Uuid);

impl Id {
    /// Makes a fresh id.
    #[must_use]
    pub fn new() -> Self {
        Self(uuid::Uuid::now_v7())
    }

    /// The eight last hexadecimal digits: what people type. The first digits of a
    /// version 7 id are a clock and would all look alike.
    #[must_use]
    pub fn short(&self) -> String {
        let hex = self.0.simple().to_string();
        hex[24..].to_owned()
    }
}

impl Default for Id {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Id {
    type Err = uuid::Error;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}
