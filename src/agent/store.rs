//! What the agent keeps in the vault: typed records and how they hang together.
//!
//! One writer: every change of a job is one transaction, so a kill between two lines of
//! code leaves the old state or the new one.

use crate::engine::alert::after::ListCost;
use crate::engine::alert::{AlertState, Decision};
use crate::engine::rank::elicit::TradeOff;
use crate::engine::wish::Event;
use crate::market::crawl::CrawlJob;
use crate::model::offer::{Content, Observation, Provenance};
use crate::model::seller::SourceHealth;
use crate::model::tender::Tender;
use crate::model::time::{Date, SignedDuration, Timestamp};
use crate::model::want::WantStatus;
use crate::model::{Alert, AlertRule, Id, Money, Offer, Sentence, Shop, ShopTerms, Want};
use crate::net::Validators;
use crate::vault::{Collection, Log, Transaction, Tree, Vault, VaultError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

const WANTS: Collection<Want> = Collection::new(Tree::new(1, "wants"), 1);
const SHOPS: Collection<Shop> = Collection::new(Tree::new(2, "shops"), 1);
const LISTINGS: Collection<Listing> = Collection::new(Tree::new(3, "listings"), 1);
const HISTORY: Log<Observation> = Log::new(Tree::new(4, "history"));
const JOBS: Collection<CrawlJob> = Collection::new(Tree::new(5, "jobs"), 1);
const PAGES: Collection<Page> = Collection::new(Tree::new(6, "pages"), 1);
const RULES: Collection<Rule> = Collection::new(Tree::new(7, "rules"), 1);
const ALERTS: Collection<Alert> = Collection::new(Tree::new(8, "alerts"), 1);
const TENDERS: Collection<Tender> = Collection::new(Tree::new(9, "tenders"), 1);
const RATES: Collection<Rates> = Collection::new(Tree::new(10, "rates"), 1);
const LIVES: Collection<Vec<Event>> = Collection::new(Tree::new(11, "lives"), 1);
const TRADE_OFFS: Collection<Vec<TradeOff>> = Collection::new(Tree::new(12, "trade-offs"), 1);
const PURCHASES: Collection<Purchase> = Collection::new(Tree::new(13, "purchases"), 1);
const TERMS: Collection<ShopTerms> = Collection::new(Tree::new(15, "terms"), 1);
const LIST_WATCHES: Collection<ListWatch> = Collection::new(Tree::new(16, "list-watches"), 1);

/// Everything that a backup or an export holds.
pub const TREES: &[Tree] = &[
    WANTS.tree(),
    SHOPS.tree(),
    LISTINGS.tree(),
    HISTORY.tree(),
    JOBS.tree(),
    PAGES.tree(),
    RULES.tree(),
    ALERTS.tree(),
    TENDERS.tree(),
    RATES.tree(),
    LIVES.tree(),
    TRADE_OFFS.tree(),
    PURCHASES.tree(),
    TERMS.tree(),
    LIST_WATCHES.tree(),
];

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
    pub rates: Vec<(String, rust_decimal::Decimal)>,
    /// When they were read.
    pub read: Timestamp,
}

/// A history stream has the offer's id as its name.
fn stream(id: &str) -> &[u8] {
    id.as_bytes()
}

#[derive(Debug, Default)]
struct Index {
    /// Listings by want, whatever the zone.
    by_want: HashMap<Id, BTreeSet<ListingId>>,
    /// Listings by page.
    by_url: HashMap<String, BTreeSet<ListingId>>,
    /// Number of observations.
    observations: usize,
}

impl Index {
    fn add(&mut self, listing: &Listing) {
        for link in &listing.links {
            self.by_want
                .entry(link.want)
                .or_default()
                .insert(listing.id.clone());
        }
        self.by_url
            .entry(listing.url.clone())
            .or_default()
            .insert(listing.id.clone());
    }
}

/// The open vault with its typed records.
#[derive(Clone, Debug)]
pub struct Store {
    vault: Vault,
    index: Arc<Mutex<Index>>,
}

type Result<T> = std::result::Result<T, VaultError>;

impl Store {
    /// Reads what is needed to find things quickly.
    ///
    /// # Errors
    /// As the vault.
    pub fn open(vault: Vault) -> Result<Self> {
        let mut index = Index::default();
        for (_, listing) in LISTINGS.all(&vault)? {
            index.add(&listing);
            index.observations += listing.observations as usize;
        }
        Ok(Self {
            vault,
            index: Arc::new(Mutex::new(index)),
        })
    }

    /// The vault underneath.
    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    fn index(&self) -> std::sync::MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes changes that happen together and are on disk when this returns.
    ///
    /// # Errors
    /// As the vault; then nothing changed.
    pub fn change<T>(&self, f: impl FnOnce(&mut Change<'_, '_>) -> Result<T>) -> Result<T> {
        let mut listings = Vec::new();
        let mut observed = 0;
        let result = self.vault.transaction(|tx| {
            let mut change = Change {
                tx,
                listings: &mut listings,
                observed: &mut observed,
                wants: HashMap::new(),
            };
            let result = f(&mut change)?;
            change.forget_left_lists(&self.vault)?;
            Ok(result)
        })?;
        let mut index = self.index();
        listings.iter().for_each(|l| index.add(l));
        index.observations += observed;
        Ok(result)
    }

    fn all<T: Serialize + serde::de::DeserializeOwned>(
        &self,
        of: &Collection<T>,
    ) -> Result<Vec<T>> {
        Ok(of
            .all(&self.vault)?
            .into_iter()
            .map(|(_, record)| record)
            .collect())
    }

    /// All wants, oldest first.
    ///
    /// # Errors
    /// As the vault.
    pub fn wants(&self) -> Result<Vec<Want>> {
        self.all(&WANTS)
    }

    /// One want.
    ///
    /// # Errors
    /// As the vault.
    pub fn want(&self, id: Id) -> Result<Option<Want>> {
        WANTS.get(&self.vault, id.0.as_bytes())
    }

    /// All shops.
    ///
    /// # Errors
    /// As the vault.
    pub fn shops(&self) -> Result<Vec<Shop>> {
        self.all(&SHOPS)
    }

    /// One shop.
    ///
    /// # Errors
    /// As the vault.
    pub fn shop(&self, domain: &str) -> Result<Option<Shop>> {
        SHOPS.get(&self.vault, domain.as_bytes())
    }

    /// What the person knows of a shop.
    ///
    /// # Errors
    /// As the vault.
    pub fn terms(&self, domain: &str) -> Result<ShopTerms> {
        Ok(TERMS
            .get(&self.vault, domain.as_bytes())?
            .unwrap_or_default())
    }

    /// What the person knows of shops, by domain.
    ///
    /// # Errors
    /// As the vault.
    pub fn all_terms(&self) -> Result<BTreeMap<String, ShopTerms>> {
        let all = TERMS.all(&self.vault)?;
        Ok(all
            .into_iter()
            .filter_map(|(key, t)| Some((String::from_utf8(key).ok()?, t)))
            .collect())
    }

    /// All crawl jobs.
    ///
    /// # Errors
    /// As the vault.
    pub fn jobs(&self) -> Result<Vec<CrawlJob>> {
        self.all(&JOBS)
    }

    /// One crawl job.
    ///
    /// # Errors
    /// As the vault.
    pub fn job(&self, id: Id) -> Result<Option<CrawlJob>> {
        JOBS.get(&self.vault, id.0.as_bytes())
    }

    /// What is remembered of a page.
    ///
    /// # Errors
    /// As the vault.
    pub fn page(&self, url: &str) -> Result<Page> {
        Ok(PAGES.get(&self.vault, &page_key(url))?.unwrap_or_default())
    }

    /// One listing.
    ///
    /// # Errors
    /// As the vault.
    pub fn listing(&self, id: &str) -> Result<Option<Listing>> {
        LISTINGS.get(&self.vault, id.as_bytes())
    }

    /// The listings compared with a want.
    ///
    /// # Errors
    /// As the vault.
    pub fn listings_of(&self, want: Id) -> Result<Vec<Listing>> {
        let ids: Vec<ListingId> = self
            .index()
            .by_want
            .get(&want)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        self.read_listings(ids)
    }

    /// The listings found on a page.
    ///
    /// # Errors
    /// As the vault.
    pub fn listings_on(&self, url: &str) -> Result<Vec<Listing>> {
        let ids: Vec<ListingId> = self
            .index()
            .by_url
            .get(url)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        self.read_listings(ids)
    }

    fn read_listings(&self, ids: Vec<ListingId>) -> Result<Vec<Listing>> {
        let mut listings = Vec::with_capacity(ids.len());
        for id in ids {
            listings.extend(self.listing(&id)?);
        }
        Ok(listings)
    }

    /// Remembers the person's word on an offer. A page that was only found for the want is
    /// not read for it any more if it is something else.
    ///
    /// # Errors
    /// As the vault.
    pub fn decide(&self, want: Id, mut listing: Listing, zone: Zone) -> Result<()> {
        for link in listing.links.iter_mut().filter(|l| l.want == want) {
            link.zone = zone;
            link.by_person = true;
        }
        let mut want = self.want(want)?;
        if let Some(want) = want.as_mut().filter(|_| zone == Zone::Different) {
            want.found.retain(|u| *u != listing.url);
        }
        self.change(|tx| {
            want.iter().try_for_each(|w| tx.put_want(w))?;
            tx.put_listing(&listing)
        })
    }

    /// All listings.
    ///
    /// # Errors
    /// As the vault.
    pub fn listings(&self) -> Result<Vec<Listing>> {
        self.all(&LISTINGS)
    }

    /// The observations of one offer, oldest first.
    ///
    /// # Errors
    /// As the vault.
    pub fn history(&self, id: &str) -> Result<Vec<Observation>> {
        HISTORY.read(&self.vault, stream(id))
    }

    /// How many observations there are.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.index().observations
    }

    /// All rules.
    ///
    /// # Errors
    /// As the vault.
    pub fn rules(&self) -> Result<Vec<Rule>> {
        self.all(&RULES)
    }

    /// All alerts, oldest first.
    ///
    /// # Errors
    /// As the vault.
    pub fn alerts(&self) -> Result<Vec<Alert>> {
        self.all(&ALERTS)
    }

    /// What is remembered of a whole list, whatever its letters' case.
    ///
    /// # Errors
    /// As the vault.
    pub fn list_watch(&self, list: &str) -> Result<ListWatch> {
        let kept = LIST_WATCHES.get(&self.vault, list_key(list).as_bytes())?;
        Ok(kept.unwrap_or_else(|| ListWatch {
            list: list.to_owned(),
            ..ListWatch::default()
        }))
    }

    /// What is remembered of all lists.
    ///
    /// # Errors
    /// As the vault.
    pub fn list_watches(&self) -> Result<Vec<ListWatch>> {
        self.all(&LIST_WATCHES)
    }

    /// All tenders, oldest first.
    ///
    /// # Errors
    /// As the vault.
    pub fn tenders(&self) -> Result<Vec<Tender>> {
        self.all(&TENDERS)
    }

    /// One tender.
    ///
    /// # Errors
    /// As the vault.
    pub fn tender(&self, id: Id) -> Result<Option<Tender>> {
        TENDERS.get(&self.vault, id.0.as_bytes())
    }

    /// What the person did with a want after adding it, oldest first.
    ///
    /// # Errors
    /// As the vault.
    pub fn life(&self, want: Id) -> Result<Vec<Event>> {
        Ok(LIVES
            .get(&self.vault, want.0.as_bytes())?
            .unwrap_or_default())
    }

    /// The trade-offs the person answered questions about, by want.
    ///
    /// # Errors
    /// As the vault.
    pub fn trade_offs(&self) -> Result<HashMap<Id, Vec<TradeOff>>> {
        let all = TRADE_OFFS.all(&self.vault)?;
        Ok(all
            .into_iter()
            .filter_map(|(key, t)| Some((Id(uuid::Uuid::from_slice(&key).ok()?), t)))
            .collect())
    }

    /// All purchases, oldest first.
    ///
    /// # Errors
    /// As the vault.
    pub fn purchases(&self) -> Result<Vec<Purchase>> {
        self.all(&PURCHASES)
    }

    /// The exchange rates read last.
    ///
    /// # Errors
    /// As the vault.
    pub fn rates(&self) -> Result<Option<Rates>> {
        RATES.get(&self.vault, b"ecb")
    }
}

fn list_key(list: &str) -> String {
    list.to_lowercase()
}

/// The list a want stands on, as long as it is not done with.
fn stands_on(want: &Want) -> Option<String> {
    let is_over = matches!(want.status, WantStatus::Fulfilled | WantStatus::Dropped);
    (!is_over).then(|| list_key(&want.list))
}

fn page_key(url: &str) -> [u8; 32] {
    Sha256::digest(url.as_bytes()).into()
}

/// A change in progress.
pub struct Change<'a, 't> {
    tx: &'a mut Transaction<'t>,
    listings: &'a mut Vec<Listing>,
    observed: &'a mut usize,
    /// The wants written so far; `None` for the removed.
    wants: HashMap<Id, Option<Want>>,
}

impl Change<'_, '_> {
    /// Writes a want.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_want(&mut self, want: &Want) -> Result<()> {
        self.wants.insert(want.id, Some(want.clone()));
        WANTS.put(self.tx, want.id.0.as_bytes(), want)
    }

    /// Removes a want with what the person did with it; offers and their history stay.
    ///
    /// # Errors
    /// As the vault.
    pub fn remove_want(&mut self, id: Id) -> Result<()> {
        LIVES.remove(self.tx, id.0.as_bytes())?;
        TRADE_OFFS.remove(self.tx, id.0.as_bytes())?;
        self.wants.insert(id, None);
        WANTS.remove(self.tx, id.0.as_bytes()).map(drop)
    }

    /// Removes what is remembered of the lists that nothing stands on any more.
    fn forget_left_lists(&mut self, before: &Vault) -> Result<()> {
        let mut left = BTreeSet::new();
        for (id, now) in &self.wants {
            let old = WANTS.get(before, id.0.as_bytes())?;
            let (old, now) = (old.as_ref(), now.as_ref());
            left.extend(
                old.and_then(stands_on)
                    .filter(|l| Some(l) != now.and_then(stands_on).as_ref()),
            );
        }
        if left.is_empty() {
            return Ok(());
        }
        let changed = self.wants.values().flatten().cloned();
        let others = WANTS.all(before)?.into_iter().map(|(_, want)| want);
        for want in others
            .filter(|w| !self.wants.contains_key(&w.id))
            .chain(changed)
        {
            stands_on(&want).map(|list| left.remove(&list));
        }
        for list in left {
            LIST_WATCHES.remove(self.tx, list.as_bytes())?;
        }
        Ok(())
    }

    /// Writes what the person did with a want.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_life(&mut self, want: Id, events: &Vec<Event>) -> Result<()> {
        LIVES.put(self.tx, want.0.as_bytes(), events)
    }

    /// Writes the trade-offs of a want.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_trade_offs(&mut self, want: Id, trade_offs: &Vec<TradeOff>) -> Result<()> {
        TRADE_OFFS.put(self.tx, want.0.as_bytes(), trade_offs)
    }

    /// Writes a purchase.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_purchase(&mut self, purchase: &Purchase) -> Result<()> {
        PURCHASES.put(self.tx, purchase.id.0.as_bytes(), purchase)
    }

    /// Removes a purchase.
    ///
    /// # Errors
    /// As the vault.
    pub fn remove_purchase(&mut self, id: Id) -> Result<()> {
        PURCHASES.remove(self.tx, id.0.as_bytes()).map(drop)
    }

    /// Writes a shop.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_shop(&mut self, shop: &Shop) -> Result<()> {
        SHOPS.put(self.tx, shop.domain.as_bytes(), shop)
    }

    /// Writes what the person knows of a shop.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_terms(&mut self, domain: &str, terms: &ShopTerms) -> Result<()> {
        TERMS.put(self.tx, domain.as_bytes(), terms)
    }

    /// Removes a shop and what the person knows of it.
    ///
    /// # Errors
    /// As the vault.
    pub fn remove_shop(&mut self, domain: &str) -> Result<()> {
        TERMS.remove(self.tx, domain.as_bytes())?;
        SHOPS.remove(self.tx, domain.as_bytes()).map(drop)
    }

    /// Writes a job.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_job(&mut self, job: &CrawlJob) -> Result<()> {
        JOBS.put(self.tx, job.id.0.as_bytes(), job)
    }

    /// Removes a job.
    ///
    /// # Errors
    /// As the vault.
    pub fn remove_job(&mut self, id: Id) -> Result<()> {
        JOBS.remove(self.tx, id.0.as_bytes()).map(drop)
    }

    /// Writes what is remembered of a page.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_page(&mut self, url: &str, page: &Page) -> Result<()> {
        PAGES.put(self.tx, &page_key(url), page)
    }

    /// Writes a listing and an entry in its history.
    ///
    /// # Errors
    /// As the vault.
    pub fn observe(&mut self, listing: &Listing, observation: &Observation) -> Result<()> {
        HISTORY.append(self.tx, stream(&listing.id), observation)?;
        *self.observed += 1;
        let observations = listing.observations.saturating_add(1);
        self.put_listing(&Listing {
            observations,
            ..listing.clone()
        })
    }

    /// Writes a listing.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_listing(&mut self, listing: &Listing) -> Result<()> {
        LISTINGS.put(self.tx, listing.id.as_bytes(), listing)?;
        self.listings.push(listing.clone());
        Ok(())
    }

    /// Removes a listing that was only a candidate. It has no history.
    ///
    /// # Errors
    /// As the vault.
    pub fn remove_candidate(&mut self, id: &str) -> Result<()> {
        LISTINGS.remove(self.tx, id.as_bytes()).map(drop)
    }

    /// Writes a rule.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_rule(&mut self, rule: &Rule) -> Result<()> {
        RULES.put(self.tx, rule.id.0.as_bytes(), rule)
    }

    /// Removes a rule.
    ///
    /// # Errors
    /// As the vault.
    pub fn remove_rule(&mut self, id: Id) -> Result<()> {
        RULES.remove(self.tx, id.0.as_bytes()).map(drop)
    }

    /// Writes an alert.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_alert(&mut self, alert: &Alert) -> Result<()> {
        ALERTS.put(self.tx, alert.id.0.as_bytes(), alert)
    }

    /// Writes what is remembered of a whole list.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_list_watch(&mut self, watch: &ListWatch) -> Result<()> {
        LIST_WATCHES.put(self.tx, list_key(&watch.list).as_bytes(), watch)
    }

    /// Writes a tender.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_tender(&mut self, tender: &Tender) -> Result<()> {
        TENDERS.put(self.tx, tender.id.0.as_bytes(), tender)
    }

    /// Writes the exchange rates.
    ///
    /// # Errors
    /// As the vault.
    pub fn put_rates(&mut self, rates: &Rates) -> Result<()> {
        RATES.put(self.tx, b"ecb", rates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::{KdfCost, Options, SecretString, VaultPaths};

    fn store(dir: &std::path::Path) -> Store {
        let paths = VaultPaths::new(dir.join("vault"), dir.join("anchor"));
        let options = Options {
            kdf: KdfCost::FLOOR,
            ..Options::default()
        };
        let secret = SecretString::from("a passphrase for tests");
        let (vault, _) = Vault::create(&paths, &secret, options).expect("a vault");
        Store::open(vault).expect("a store")
    }

    fn want(list: &str) -> Want {
        Want {
            list: list.to_owned(),
            ..Want::new("milk", Timestamp::UNIX_EPOCH)
        }
    }

    #[test]
    fn what_is_remembered_of_a_list_goes_with_its_last_want() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = store(dir.path());
        let (milk, tea) = (want("groceries"), want("Groceries"));
        let watch = ListWatch {
            list: "groceries".to_owned(),
            looks: vec![(Timestamp::UNIX_EPOCH, false, "noted".into())],
            ..ListWatch::default()
        };
        let begin = || {
            let both = store.change(|tx| {
                tx.put_want(&milk)?;
                tx.put_want(&tea)?;
                tx.put_list_watch(&watch)
            });
            both.expect("written");
        };
        let is_watched = || store.list_watch("GROCERIES").expect("read") == watch;
        let with = |want: &Want, status| Want {
            status,
            ..want.clone()
        };
        let write = |want: &Want| store.change(|tx| tx.put_want(want)).expect("written");
        let remove = |id| store.change(|tx| tx.remove_want(id)).expect("removed");

        begin();
        write(&with(&milk, WantStatus::Dropped));
        assert!(is_watched(), "tea is left");
        write(&with(&tea, WantStatus::Snoozed));
        assert!(is_watched(), "it comes back");
        remove(milk.id);
        assert!(is_watched());
        remove(tea.id);
        assert!(!is_watched(), "removed");

        begin();
        let both = store.change(|tx| {
            tx.put_want(&with(&milk, WantStatus::Fulfilled))?;
            tx.put_want(&want("groceries"))?;
            tx.remove_want(tea.id)
        });
        both.expect("written");
        assert!(is_watched(), "another one came in the same change");

        begin();
        for mut want in store.wants().expect("read") {
            "elsewhere".clone_into(&mut want.list);
            write(&want);
        }
        assert!(!is_watched(), "moved to another list");
    }
}
