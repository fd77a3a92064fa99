//! What came of reading a page, stored: on the page, its shop, its job and its offers.

use super::result_of;
use crate::agent::api::types::CrawlResult;
use crate::agent::core::Agent;
use crate::agent::store::{Listing, Page, Store, Zone};
use crate::agent::{alerts, packs};
use crate::market::crawl::{self, CrawlJob, Outcome};
use crate::model::Id;
use crate::model::offer::Observation;
use crate::model::seller::Trouble;
use crate::model::time::{SignedDuration, Timestamp};
use crate::vault::VaultError;

/// Notes a failure: on the page, on the shop, on the job. No observation, no alert.
pub(super) fn failed(
    store: &Store,
    job: &CrawlJob,
    trouble: Trouble,
    retry_after: Option<SignedDuration>,
    detail: &str,
    now: Timestamp,
) -> Result<(), VaultError> {
    let mut page = store.page(job.kind.url())?;
    page.health.bad(now, trouble, detail);
    let shop = store.shop(&job.shop)?.map(|mut shop| {
        // One page that is gone or ambiguous does not make the shop blind.
        if is_shop_wide(trouble) {
            shop.health.bad(now, trouble, detail);
        }
        shop
    });
    let outcome = Outcome::Failed {
        trouble,
        retry_after,
    };
    let next = crawl::after(job, outcome, now, seed(store)?);
    store.change(|tx| {
        tx.put_page(job.kind.url(), &page)?;
        shop.iter().try_for_each(|s| tx.put_shop(s))?;
        tx.put_job(&next)
    })
}

/// Whether a trouble with one page is one with the whole shop.
pub(in crate::agent) const fn is_shop_wide(trouble: Trouble) -> bool {
    matches!(
        trouble,
        Trouble::Blocked
            | Trouble::BlockedByRobots
            | Trouble::RateLimited
            | Trouble::VendorDown
            | Trouble::LayoutChanged
            | Trouble::Refused
    )
}

pub(super) fn seed(store: &Store) -> Result<u64, VaultError> {
    Ok(u64::from(store.vault().status()?.device))
}

/// The page is as it was: what it said then, it says now.
pub(super) async fn unchanged(
    agent: &Agent,
    store: &Store,
    job: &CrawlJob,
    now: Timestamp,
) -> Result<CrawlResult, VaultError> {
    let listings: Vec<Listing> = store
        .listings_on(job.kind.url())?
        .into_iter()
        .filter(|l| !l.candidate)
        .collect();
    let mut result = result_of(job, "unchanged");
    if let Some(first) = listings.first() {
        result.title.clone_from(&first.offer.name);
        result.price = first.offer.price;
    }
    let listings = listings
        .into_iter()
        .map(|l| Listing {
            last_seen: now,
            ..l
        })
        .collect();
    let page = store.page(job.kind.url())?;
    save(agent, store, job, page, listings, now).await?;
    Ok(result)
}

/// Stores what a page gave and looks at the rules of the wants concerned.
pub(super) async fn save(
    agent: &Agent,
    store: &Store,
    job: &CrawlJob,
    mut page: Page,
    listings: Vec<Listing>,
    now: Timestamp,
) -> Result<(), VaultError> {
    page.health.good(now);
    let shop = store.shop(&job.shop)?.map(|mut s| {
        s.health.good(now);
        s
    });
    let next = crawl::after(job, Outcome::Read, now, seed(store)?);
    let stale: Vec<Listing> = store
        .listings_on(job.kind.url())?
        .into_iter()
        .filter(|l| l.candidate && !listings.iter().any(|n| n.id == l.id))
        .collect();
    store.change(|tx| {
        tx.put_page(job.kind.url(), &page)?;
        shop.iter().try_for_each(|s| tx.put_shop(s))?;
        tx.put_job(&next)?;
        for listing in &stale {
            tx.remove_candidate(&listing.id)?;
        }
        for listing in &listings {
            tx.observe(listing, &observation(listing, now))?;
        }
        Ok(())
    })?;
    for want in wants_of(&listings) {
        alerts::look(agent, store, want, now).await?;
    }
    Ok(())
}

fn observation(listing: &Listing, now: Timestamp) -> Observation {
    Observation {
        at: now,
        price: listing.offer.price,
        availability: listing.offer.availability,
        condition: listing.offer.condition,
        content: packs::content_of(listing.offer.name.as_deref().unwrap_or_default()),
    }
}

fn wants_of(listings: &[Listing]) -> Vec<Id> {
    let mut wants: Vec<Id> = listings
        .iter()
        .flat_map(|l| &l.links)
        .filter(|k| k.zone == Zone::Same)
        .map(|k| k.want)
        .collect();
    wants.sort_unstable();
    wants.dedup();
    wants
}
