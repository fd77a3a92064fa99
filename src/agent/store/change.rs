//! Changes: what is written together.

use super::{
    ALERTS, HISTORY, JOBS, LIST_WATCHES, LISTINGS, LIVES, ListWatch, Listing, PAGES, PURCHASES,
    Page, Purchase, RATES, RULES, Rates, Result, Rule, SHOPS, TENDERS, TERMS, TRADE_OFFS, WANTS,
    list_key, page_key, stands_on, stream,
};
use crate::engine::rank::elicit::TradeOff;
use crate::engine::wish::Event;
use crate::market::crawl::CrawlJob;
use crate::model::offer::Observation;
use crate::model::tender::Tender;
use crate::model::{Alert, Id, Shop, ShopTerms, Want};
use crate::vault::{Transaction, Vault};
use std::collections::{BTreeSet, HashMap};

/// A change in progress.
pub struct Change<'a, 't> {
    pub(super) tx: &'a mut Transaction<'t>,
    pub(super) listings: &'a mut Vec<Listing>,
    pub(super) tenders: &'a mut Vec<Tender>,
    pub(super) observed: &'a mut usize,
    /// The wants written so far; `None` for the removed.
    pub(super) wants: HashMap<Id, Option<Want>>,
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
    pub(super) fn forget_left_lists(&mut self, before: &Vault) -> Result<()> {
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
        TENDERS.put(self.tx, tender.id.0.as_bytes(), tender)?;
        self.tenders.push(tender.clone());
        Ok(())
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
    use crate::agent::store::{Link, Store, Zone};
    use crate::model::offer::Shipping;
    use crate::model::tender::TenderStatus;
    use crate::model::time::{SignedDuration, Timestamp};
    use crate::model::want::WantStatus;
    use crate::model::{AlertRule, Offer};
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
    fn what_belongs_to_a_want_is_found_without_reading_all() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = store(dir.path());
        let (milk, tea) = (Id::new(), Id::new());
        let tender = |want| Tender {
            id: Id::new(),
            want,
            status: TenderStatus::Draft,
            demand: serde_json::Value::Null,
            created: Timestamp::UNIX_EPOCH,
            closes: Timestamp::UNIX_EPOCH,
            sessions: Vec::new(),
        };
        let listing = |url: &str, want, by_person, fee: Option<&str>| Listing {
            id: Listing::id_of(url, None),
            shop: "shop.example".to_owned(),
            url: url.to_owned(),
            offer: Offer {
                shipping: fee.map(|fee| Shipping {
                    cost: fee.parse().ok(),
                    ..Shipping::default()
                }),
                ..Offer::default()
            },
            first_seen: Timestamp::UNIX_EPOCH,
            last_seen: Timestamp::UNIX_EPOCH,
            links: vec![Link {
                want,
                zone: Zone::Same,
                by_person,
                reasons: Vec::new(),
            }],
            candidate: false,
            observations: 0,
        };
        let (first, other) = (tender(milk), tender(tea));
        let plain = listing("https://shop.example/a", milk, false, None);
        let decided = listing("https://shop.example/b", tea, true, Some("4.90 EUR"));
        let alert = |at: Timestamp| Alert {
            id: Id::new(),
            at,
            want: milk,
            list: None,
            rule: AlertRule::BackInStock,
            title: "".into(),
            reason: "".into(),
            cost: None,
            url: None,
            delivered: None,
            saving: None,
            own_word: false,
            held: None,
        };
        let begun = Timestamp::now();
        let written = store.change(|tx| {
            tx.put_tender(&first)?;
            tx.put_tender(&other)?;
            tx.put_listing(&plain)?;
            tx.put_listing(&decided)?;
            tx.put_alert(&alert(begun))
        });
        written.expect("written");
        let check = |store: &Store| {
            let tenders = store.tenders_of(milk).expect("read");
            assert_eq!(tenders, std::slice::from_ref(&first));
            let known = store.decided_listings().expect("read");
            assert_eq!(known, std::slice::from_ref(&decided));
            let said = store.said_delivery(Timestamp::UNIX_EPOCH);
            let fee = said["shop.example"][0].fee.map(|m| m.to_string());
            assert_eq!(fee.as_deref(), Some("4.90 EUR"));
            let later = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1);
            assert!(store.said_delivery(later).is_empty(), "not read since");
            let since = |t| store.alerts_since(t).expect("read").len();
            assert_eq!(since(begun - SignedDuration::from_secs(1)), 1);
            assert_eq!(since(begun + SignedDuration::from_hours(1)), 0);
        };
        check(&store);
        let again = Store::open(store.vault().clone()).expect("the index is made anew");
        check(&again);
        // A page that says nothing any more is no witness, nor is one that delivers free.
        let url = &decided.url;
        for fee in [None, Some("0 EUR")] {
            let silent = listing(url, tea, true, fee);
            let written = store.change(|tx| tx.put_listing(&silent));
            written.expect("written");
            assert!(store.said_delivery(Timestamp::UNIX_EPOCH).is_empty());
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
