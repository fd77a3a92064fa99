//! The records of the agent's own: what is kept of offers, pages, rules, lists, purchases.

use crate::engine::alert::after::ListCost;
use crate::engine::alert::{AlertState, Decision};
use crate::model::offer::{Content, Provenance};
use crate::model::seller::SourceHealth;
use crate::model::time::{Date, SignedDuration, Timestamp};
use crate::model::{AlertRule, Id, Money, Offer, Sentence};
use crate::net::Validators;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What identifies an offer: the first 16 hexadecimal digits of the SHA-256 of its
/// canonical address and stock-keeping unit.
pub type ListingId = String;

/// An offer as last seen, and which wants it answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// Its id.
    pub id: ListingId,
    /// The shop's domain.
    pub shop: String,
    /// The canonical address.
    pub url: String,
    /// The offer as last read.
    pub offer: Offer,
    /// When it was first read.
    pub first_seen: Timestamp,
    /// When it was last read.
    pub last_seen: Timestamp,
    /// The wants it was compared with.
    pub links: Vec<Link>,
    /// One of several prices of a page that nobody has chosen yet: not an offer.
    #[serde(default)]
    pub candidate: bool,
    /// How many observations its history has.
    #[serde(default)]
    pub observations: u32,
}

/// The answer to "is this offer that want?".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The want.
    pub want: Id,
    /// `same`, `maybe` or `different`.
    pub zone: Zone,
    /// Whether the person said so. Their word stays.
    pub by_person: bool,
    /// Why.
    pub reasons: Vec<String>,
}

/// How an offer and a want go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// It is what is wanted.
    Same,
    /// The person is asked.
    Maybe,
    /// It is something else.
    Different,
}

impl Zone {
    /// Its name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Maybe => "maybe",
            Self::Different => "different",
        }
    }
}

impl Listing {
    /// The id of the offer at an address, with the shop's number for it.
    #[must_use]
    pub fn id_of(url: &str, sku: Option<&str>) -> ListingId {
        let mut hash = Sha256::new();
        hash.update(url.as_bytes());
        hash.update([0]);
        hash.update(sku.unwrap_or_default().as_bytes());
        hash.finalize()
            .iter()
            .take(8)
            .map(|b| format!("{b:02x}"))
            .collect()
    }

    /// How it goes with a want.
    #[must_use]
    pub fn zone(&self, want: Id) -> Option<Zone> {
        self.links.iter().find(|l| l.want == want).map(|l| l.zone)
    }
}

/// What a page says of delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidDelivery {
    /// The fee for an order.
    pub fee: Option<Money>,
    /// Free from this order value on.
    pub free_from: Option<Money>,
    /// When the page was last read.
    pub seen: Timestamp,
}

impl SaidDelivery {
    /// What a listing says, if it says anything.
    #[must_use]
    pub fn of(listing: &Listing) -> Option<Self> {
        let shipping = listing.offer.shipping.as_ref()?;
        // Free delivery of one product says nothing of another, which may be cheaper.
        let fee = shipping.cost.filter(|fee| fee.amount > Decimal::ZERO);
        let says = fee.is_some() || shipping.free_from.is_some();
        (says && !listing.candidate).then_some(Self {
            fee,
            free_from: shipping.free_from,
            seen: listing.last_seen,
        })
    }
}

/// What is remembered of a page besides its offers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// For conditional requests.
    pub validators: Option<Validators>,
    /// How reading it goes.
    pub health: SourceHealth,
    /// Where the person found the right price among several.
    pub choice: Option<Vec<Provenance>>,
}

/// A rule of the person's on a want, with its memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: Id,
    /// The want.
    pub want: Id,
    /// The rule.
    pub rule: AlertRule,
    /// What it remembers.
    pub state: AlertState,
    /// The last decisions, newest last, for `emptor alerts why`.
    pub decisions: Vec<(Timestamp, Decision)>,
    /// What a piece held when it was first looked at, where the want does not say: later
    /// packs are counted for as much.
    #[serde(default)]
    pub pack: Option<Content>,
}

impl Rule {
    /// A rule that was not looked at yet.
    #[must_use]
    pub fn new(want: Id, rule: AlertRule) -> Self {
        Self {
            id: Id::new(),
            want,
            rule,
            state: AlertState::default(),
            decisions: Vec::new(),
            pack: None,
        }
    }
}

/// What is remembered of a whole list, to tell when it becomes cheaper.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListWatch {
    /// The list.
    pub list: String,
    /// What it is compared with.
    pub standing: Option<Standing>,
    /// What came of each look, newest last: when, whether it was told, and why.
    pub looks: Vec<(Timestamp, bool, Sentence)>,
    /// Nothing is told of it until then.
    #[serde(default)]
    pub snoozed_until: Option<Timestamp>,
    /// Nothing is told of it at all: the person took the rule away.
    #[serde(default)]
    pub muted: bool,
}

/// What a list cost when it was last told, or first added up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The open wants on it and how many of each.
    pub wants: Vec<(Id, u32)>,
    /// What they cost.
    pub cost: ListCost,
    /// When.
    pub at: Timestamp,
    /// Whether the person was told.
    pub told: bool,
}

/// Something bought, and the price guarantee that came with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Purchase {
    /// Its id.
    pub id: Id,
    /// The want it answered.
    pub want: Id,
    /// The name then.
    pub name: String,
    /// What one piece cost, without delivery.
    pub paid: Money,
    /// The shop's domain.
    pub shop: String,
    /// The day of the purchase.
    pub bought: Date,
    /// For how many days the shop refunds a difference; 0 for no guarantee.
    pub protect_days: u32,
    /// The shop's pages of it, read while the guarantee runs.
    pub pages: Vec<String>,
    /// The lowest price told so far.
    #[serde(default)]
    pub told: Option<Money>,
    /// The last looks at the shop's price, newest last, for `emptor alerts why`: when,
    /// whether it was told, and why.
    #[serde(default)]
    pub looks: Vec<(Timestamp, bool, Sentence)>,
}

impl Purchase {
    /// The last day of the guarantee, if there is one.
    #[must_use]
    pub fn protected_until(&self) -> Option<Date> {
        let days = SignedDuration::from_hours(24 * i64::from(self.protect_days));
        (self.protect_days > 0).then(|| self.bought.checked_add(days).unwrap_or(Date::MAX))
    }
}

/// Exchange rates: units of a currency for one euro, on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// The day.
    pub date: Date,
    /// Currency code and rate.
    pub rates: Vec<(String, Decimal)>,
    /// When they were read.
    pub read: Timestamp,
}
