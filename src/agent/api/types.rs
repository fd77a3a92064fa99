//! What travels over the API. `--json` prints these documents unchanged.

mod decisions;
mod terms;

pub use decisions::*;
pub use terms::*;

use crate::model::landed::TermKind;
use crate::model::offer::Provenance;
use crate::model::seller::SourceHealth;
use crate::model::tender::{SessionStatus, TenderStatus};
use crate::model::time::{Date, Timestamp};
use crate::model::want::{Preference, Requirement, WantKind, WantStatus};
use crate::model::{AlertRule, Availability, Certainty, Condition, Id, Money, Want};
use rust_decimal::Decimal;
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
    /// How many offers are known to be it.
    pub offers: usize,
    /// How many offers wait for the person's "is this it?".
    pub maybe: usize,
    /// Where it stands as a wish; absent for shopping items.
    pub life: Option<LifeView>,
}

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

/// A rule on a want.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleView {
    /// What people type.
    pub id: String,
    /// The want.
    pub want: String,
    /// Its name.
    pub name: String,
    /// The rule.
    #[schema(value_type = String)]
    pub rule: AlertRule,
    /// What it said last, and why it holds its tongue now.
    pub state: String,
}

/// A new rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// The want; for `whole list` the list.
    pub want: String,
    /// Such as `under 250 EUR`.
    #[schema(value_type = String)]
    pub rule: AlertRule,
}

/// Alerts, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertsReply {
    /// What fired.
    pub alerts: Vec<AlertView>,
    /// The rules.
    pub rules: Vec<RuleView>,
    /// The lists watched as a whole.
    pub lists: Vec<ListView>,
}

/// Something that was worth telling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: Id,
    /// When the rule fired.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// The want it is about; of a whole list the first on it.
    #[schema(value_type = String)]
    pub want: Id,
    /// The list it is about, where it is about a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// The rule that fired.
    #[schema(value_type = String)]
    pub rule: AlertRule,
    /// One line.
    pub title: String,
    /// Why, with the numbers.
    pub reason: String,
    /// The landed cost that fired it, where the rule is about a cost.
    #[schema(value_type = Option<Object>)]
    pub cost: Option<Money>,
    /// Where to buy.
    pub url: Option<String>,
    /// When it was delivered.
    #[schema(value_type = Option<String>)]
    pub delivered: Option<Timestamp>,
    /// What it saves against the price it is compared with, for all that is wanted.
    #[schema(value_type = Option<Object>)]
    pub saving: Option<Money>,
    /// The person's own word holds, so that the weekly budget never silences it.
    pub own_word: bool,
    /// Why it was not delivered yet, where the weekly budget is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// A list watched as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListView {
    /// Its name.
    pub list: String,
    /// What came of the last look.
    pub state: String,
    /// Nothing is told of it until then.
    #[schema(value_type = Option<String>)]
    pub snoozed_until: Option<Timestamp>,
    /// Nothing is told of it at all.
    pub muted: bool,
}

/// Nothing is told of what a list costs as a whole for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SnoozeList {
    /// Until then; from now on again without it.
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
}

/// Why a rule spoke or was silent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// When it was looked at.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// The rule.
    pub rule: String,
    /// `fired` or `held`.
    pub decision: String,
    /// The numbers behind it.
    pub reason: String,
}

/// How a test message went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotifyTest {
    /// `desktop` or `log`.
    pub delivered: String,
}

/// A new call for tenders: a draft until it is approved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewTender {
    /// The want.
    pub want: String,
    /// The providers' endpoints.
    pub to: Vec<String>,
    /// Replies must come within so many hours.
    pub hours: Option<u32>,
}

/// What one provider would get or got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// The endpoint.
    pub endpoint: String,
    /// Where the conversation stands.
    #[schema(value_type = String)]
    pub status: SessionStatus,
    /// The exact bytes, as text.
    pub document: String,
    /// What went wrong last.
    pub trouble: Option<String>,
}

/// A call for tenders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TenderView {
    /// What people type.
    pub id: String,
    /// The want.
    pub want: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    #[schema(value_type = String)]
    pub status: TenderStatus,
    /// Replies must come before.
    #[schema(value_type = String)]
    pub closes: Timestamp,
    /// One conversation for each provider.
    pub sessions: Vec<SessionView>,
    /// The valid quotes, best first, in the same ranking as crawled offers.
    pub quotes: Vec<OfferView>,
}

/// Chooses a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Award {
    /// The quote's id, as shown.
    pub quote: String,
}

/// One line of the disclosure ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerLine {
    /// Its number.
    pub seq: u64,
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// To whom.
    pub recipient: String,
    /// What for.
    pub purpose: String,
    /// The fields that left.
    pub fields: Vec<String>,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
}

/// Whether the ledger is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerCheck {
    /// How many entries were checked.
    pub entries: u64,
    /// The hash of the last one, in hex.
    pub head: String,
}

/// The vault's condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VaultView {
    /// Whether it can be read.
    pub state: VaultState,
    /// Everything else, as the vault reports it.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}

/// Changes the passphrase.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassphrase {
    /// The present one.
    pub old: String,
    /// The new one.
    pub new: String,
}

impl std::fmt::Debug for ChangePassphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangePassphrase([secrets])")
    }
}

/// Writes a file of the person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    /// Where to, absolute.
    pub path: String,
}

/// Where the web page is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebPage {
    /// The address, good for one minute and one browser.
    pub url: String,
}

/// What opens the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotChoice {
    /// A passphrase.
    Passphrase,
    /// A recovery code, made by the vault.
    RecoveryCode,
    /// A key file.
    KeyFile,
}

/// Adds a way to open the vault.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSlot {
    /// What opens it.
    pub kind: SlotChoice,
    /// The passphrase, or the key file in base 64.
    #[serde(default)]
    pub secret: Option<String>,
    /// A name for it; not secret.
    #[serde(default)]
    pub label: Option<String>,
}

impl std::fmt::Debug for NewSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSlot")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A secret that is shown once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewSecret {
    /// The recovery code, if one was made.
    pub recovery_code: Option<String>,
}

impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewSecret([secret])")
    }
}

/// Writes a backup: a standard age file.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Where to, absolute.
    pub path: String,
    /// Opens with this passphrase …
    #[serde(default)]
    pub passphrase: Option<String>,
    /// … or with the keys of these age recipients.
    #[serde(default)]
    pub recipients: Vec<String>,
}

impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backup")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Any JSON object.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Object {}
