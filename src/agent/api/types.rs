//! What travels over the API. `--json` prints these documents unchanged.

mod alerts;
mod decisions;
mod offers;
mod tenders;
mod terms;
mod vault;

pub use alerts::*;
pub use decisions::*;
pub use offers::*;
pub use tenders::*;
pub use terms::*;
pub use vault::*;

use crate::model::seller::SourceHealth;
use crate::model::time::{Date, Timestamp};
use crate::model::want::{Preference, Requirement, WantKind, WantStatus};
use crate::model::{Money, Want};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the vault can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VaultState {
    /// Not made yet: `emptor init`.
    Absent,
    /// Closed: `emptor unlock`.
    Locked,
    /// Open.
    Open,
}

/// How the daemon is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The daemon's process id.
    pub pid: u32,
    /// Since when it runs.
    #[schema(value_type = String)]
    pub since: Timestamp,
    /// Whether the vault can be read.
    pub vault: VaultState,
    /// Open wants.
    pub wants: usize,
    /// Followed shops.
    pub shops: usize,
    /// Shops that currently give nothing.
    pub blind: usize,
    /// Observed prices.
    pub observations: usize,
    /// When the next page is due.
    #[schema(value_type = Option<String>)]
    pub next_crawl: Option<Timestamp>,
    /// Problems the person should know of.
    pub warnings: Vec<String>,
}

/// Opens the vault.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Unlock {
    /// The passphrase.
    #[serde(default)]
    pub passphrase: Option<String>,
    /// Or the recovery code.
    #[serde(default)]
    pub recovery_code: Option<String>,
    /// Or the bytes of a key file, in base 64.
    #[serde(default)]
    pub key_file: Option<String>,
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unlock([secret])")
    }
}

/// Something done, with a word about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// What was done.
    pub done: String,
}

/// A new want.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewWant {
    /// A web address, a GTIN, or a text.
    pub input: String,
    /// A name to show instead of the input.
    pub name: Option<String>,
    /// Wish or shopping item.
    #[schema(value_type = Option<String>)]
    pub kind: Option<WantKind>,
    /// The list.
    pub list: Option<String>,
    /// How many.
    pub quantity: Option<u32>,
    /// The most to pay for one, delivered.
    #[schema(value_type = Option<Object>)]
    pub limit: Option<Money>,
    /// When it is needed.
    #[schema(value_type = Option<String>)]
    pub need_by: Option<Date>,
    /// Conditions.
    #[schema(value_type = Vec<String>)]
    pub must: Vec<Requirement>,
    /// What is worth something.
    #[schema(value_type = Vec<Object>)]
    pub prefer: Vec<Preference>,
    /// 0 to 100.
    pub intensity: Option<u8>,
    /// Free notes.
    pub note: Option<String>,
}

/// A change to a want: fields that are given replace what was there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EditWant {
    /// The name.
    pub name: Option<String>,
    /// The list.
    pub list: Option<String>,
    /// Wish or shopping item.
    #[schema(value_type = Option<String>)]
    pub kind: Option<WantKind>,
    /// How many.
    pub quantity: Option<u32>,
    /// The limit.
    #[schema(value_type = Option<Object>)]
    pub limit: Option<Money>,
    /// Takes the limit away.
    pub no_limit: bool,
    /// When it is needed.
    #[schema(value_type = Option<String>)]
    pub need_by: Option<Date>,
    /// Takes the date away.
    pub no_need_by: bool,
    /// All conditions, replacing the old ones.
    #[schema(value_type = Option<Vec<String>>)]
    pub must: Option<Vec<Requirement>>,
    /// All preferences, replacing the old ones.
    #[schema(value_type = Option<Vec<Object>>)]
    pub prefer: Option<Vec<Preference>>,
    /// 0 to 100.
    pub intensity: Option<u8>,
    /// Adds a page.
    pub add_url: Option<String>,
    /// Where it stands.
    #[schema(value_type = Option<String>)]
    pub status: Option<WantStatus>,
    /// Not looked for before.
    #[schema(value_type = Option<String>)]
    pub snoozed_until: Option<Timestamp>,
    /// Free notes.
    pub note: Option<String>,
    /// The person says again that it is wanted.
    pub renew: bool,
}

/// A want with its best offer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WantView {
    /// What people type: the end of the id.
    pub short: String,
    /// The want.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub want: Want,
    /// The first of the short list.
    pub best: Option<OfferView>,
    /// Why there is no best one, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How many offers are known to be it.
    pub offers: usize,
    /// How many offers wait for the person's "is this it?".
    pub maybe: usize,
    /// Where it stands as a wish; absent for shopping items.
    pub life: Option<LifeView>,
    /// Open wants for the same page, barcode or name, by short id: said when one is added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub again: Vec<String>,
}

/// Follows a shop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewShop {
    /// A domain or an address.
    pub input: String,
    /// A name to show.
    pub name: Option<String>,
    /// The adapter to read it with.
    pub adapter: Option<String>,
    /// What one delivery costs.
    #[schema(value_type = Option<Object>)]
    pub delivery_fee: Option<Money>,
    /// Free from this order value on.
    #[schema(value_type = Option<Object>)]
    pub free_from: Option<Money>,
}

/// A followed shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShopView {
    /// Host and optional port.
    pub domain: String,
    /// The name.
    pub name: String,
    /// The adapter.
    pub adapter: Option<String>,
    /// Whether emptor can search there.
    pub searchable: bool,
    /// Known pages.
    pub pages: usize,
    /// How reading it goes.
    #[schema(value_type = Object)]
    pub health: SourceHealth,
    /// What helps, if it is blind.
    pub advice: Option<String>,
    /// Pages that give nothing, with the reason.
    pub blind_pages: Vec<Blind>,
}

/// What to crawl.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CrawlRequest {
    /// Only this shop.
    pub shop: Option<String>,
    /// Only this want.
    pub want: Option<String>,
    /// Also what is not due yet.
    pub now: bool,
}

/// How far a crawl is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CrawlProgress {
    /// The run's number.
    pub run: u64,
    /// Pages in this run.
    pub total: usize,
    /// Pages finished.
    pub done: usize,
    /// What each page gave, as it finishes.
    pub results: Vec<CrawlResult>,
    /// Nothing is left to do.
    pub finished: bool,
}

/// What one page gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CrawlResult {
    /// The shop.
    pub shop: String,
    /// The page.
    pub url: String,
    /// The want it was read for.
    pub want: Option<String>,
    /// `value`, `ambiguous`, `absent`, `blocked`, `layout_changed`, `listing`, `unchanged`
    /// or the trouble.
    pub verdict: String,
    /// The name found.
    pub title: Option<String>,
    /// The price found.
    #[schema(value_type = Option<Object>)]
    pub price: Option<Money>,
    /// Why, in words.
    pub reason: Option<String>,
}

/// Any JSON object.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Object {}
