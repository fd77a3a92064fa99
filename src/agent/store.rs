//! What the agent keeps in the vault: typed records and how they hang together.
//!
//! One writer: every change of a job is one transaction, so a kill between two lines of
//! code leaves the old state or the new one.

mod change;
mod records;

pub use change::Change;
pub use records::{
    Link, ListWatch, Listing, ListingId, Page, Purchase, Rates, Rule, SaidDelivery, Standing, Zone,
};

use crate::engine::rank::elicit::TradeOff;
use crate::engine::wish::Event;
use crate::market::crawl::CrawlJob;
use crate::model::offer::Observation;
use crate::model::tender::Tender;
use crate::model::time::Timestamp;
use crate::model::want::WantStatus;
use crate::model::{Alert, Id, Shop, ShopTerms, Want};
use crate::vault::{Collection, Log, Tree, Vault, VaultError};
use serde::Serialize;
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
    /// Listings the person said something about.
    decided: BTreeSet<ListingId>,
    /// What the pages of each shop say of delivery.
    delivery: HashMap<String, HashMap<ListingId, SaidDelivery>>,
    /// Tenders by want.
    tenders: HashMap<Id, BTreeSet<Id>>,
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
        if listing.links.iter().any(|link| link.by_person) {
            self.decided.insert(listing.id.clone());
        }
        let said = SaidDelivery::of(listing);
        if said.is_some() || self.delivery.contains_key(&listing.shop) {
            let shop = self.delivery.entry(listing.shop.clone()).or_default();
            match said {
                Some(said) => shop.insert(listing.id.clone(), said),
                None => shop.remove(&listing.id),
            };
        }
    }

    fn add_tender(&mut self, tender: &Tender) {
        let of_want = self.tenders.entry(tender.want).or_default();
        of_want.insert(tender.id);
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
        for (_, tender) in TENDERS.all(&vault)? {
            index.add_tender(&tender);
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
        let mut tenders = Vec::new();
        let mut observed = 0;
        let result = self.vault.transaction(|tx| {
            let mut change = Change {
                tx,
                listings: &mut listings,
                tenders: &mut tenders,
                observed: &mut observed,
                wants: HashMap::new(),
            };
            let result = f(&mut change)?;
            change.forget_left_lists(&self.vault)?;
            Ok(result)
        })?;
        let mut index = self.index();
        listings.iter().for_each(|l| index.add(l));
        tenders.iter().for_each(|t| index.add_tender(t));
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
        let ids = self.index().by_want.get(&want).cloned();
        self.read_listings(ids.unwrap_or_default())
    }

    /// The listings found on a page.
    ///
    /// # Errors
    /// As the vault.
    pub fn listings_on(&self, url: &str) -> Result<Vec<Listing>> {
        let ids = self.index().by_url.get(url).cloned();
        self.read_listings(ids.unwrap_or_default())
    }

    /// The listings of which the person said what they are.
    ///
    /// # Errors
    /// As the vault.
    pub fn decided_listings(&self) -> Result<Vec<Listing>> {
        let ids = self.index().decided.clone();
        self.read_listings(ids)
    }

    /// What the pages of each shop that were read since a time say of delivery.
    #[must_use]
    pub fn said_delivery(&self, since: Timestamp) -> BTreeMap<String, Vec<SaidDelivery>> {
        let index = self.index();
        let fresh = |said: &HashMap<ListingId, SaidDelivery>| -> Vec<SaidDelivery> {
            let fresh = said.values().filter(|s| s.seen >= since);
            fresh.cloned().collect()
        };
        index
            .delivery
            .iter()
            .map(|(shop, said)| (shop.clone(), fresh(said)))
            .filter(|(_, said)| !said.is_empty())
            .collect()
    }

    fn read_listings(&self, ids: BTreeSet<ListingId>) -> Result<Vec<Listing>> {
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

    /// The alerts since a time, oldest first. Their ids begin with the time in milliseconds
    /// (RFC 9562, 5.7).
    ///
    /// # Errors
    /// As the vault.
    pub fn alerts_since(&self, since: Timestamp) -> Result<Vec<Alert>> {
        let since = u64::try_from(since.as_millisecond()).unwrap_or(0);
        let mut first = [0; 16];
        first[..6].copy_from_slice(&since.to_be_bytes()[2..]);
        let found = ALERTS.range(&self.vault, first.to_vec()..)?;
        Ok(found.into_iter().map(|(_, alert)| alert).collect())
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

    /// The tenders for a want, oldest first.
    ///
    /// # Errors
    /// As the vault.
    pub fn tenders_of(&self, want: Id) -> Result<Vec<Tender>> {
        let ids = self.index().tenders.get(&want).cloned();
        let tenders = ids.into_iter().flatten().map(|id| self.tender(id));
        tenders.filter_map(Result::transpose).collect()
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
