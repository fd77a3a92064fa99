//! A product page: its offers, and which wants they answer.

use super::outcome::{failed, save};
use super::result_of;
use crate::agent::api::types::CrawlResult;
use crate::agent::core::Agent;
use crate::agent::store::{Link, Listing, Store, Zone};
use crate::engine::matching::{self, Decision, judge};
use crate::market::crawl::CrawlJob;
use crate::model::seller::Trouble;
use crate::model::time::Timestamp;
use crate::model::want::{Want, WantStatus};
use crate::model::{Availability, Extraction, Offer, Verdict};
use crate::net::Fetched;
use crate::vault::VaultError;

/// Offers kept of one page.
const OFFERS_PER_PAGE: usize = 10;

/// Stores what a product page says.
pub(super) async fn product_page(
    agent: &Agent,
    store: &Store,
    job: &CrawlJob,
    extraction: Extraction,
    fetched: &Fetched,
    now: Timestamp,
) -> Result<CrawlResult, VaultError> {
    let url = job.kind.url();
    let mut page = store.page(url)?;
    let verdict = extraction.verdict;
    let mut result = CrawlResult {
        title: extraction.title.clone(),
        reason: extraction.reason.clone(),
        ..result_of(job, verdict.as_str())
    };
    let chosen = match verdict {
        Verdict::Ambiguous => page.choice.as_ref().and_then(|choice| {
            extraction
                .offers
                .iter()
                .find(|o| o.provenance == *choice)
                .cloned()
        }),
        _ => None,
    };
    let offers: Vec<Offer> = match (verdict, chosen) {
        (Verdict::Value, _) => extraction
            .offers
            .into_iter()
            .take(OFFERS_PER_PAGE)
            .collect(),
        (Verdict::Ambiguous, Some(offer)) => vec![offer],
        // A thing that is sold out often loses its price; that is news for a restock rule.
        (Verdict::Absent, None) if sold_out(&extraction.offers) => {
            extraction.offers.into_iter().take(1).collect()
        }
        (Verdict::Ambiguous, None) => {
            let reason = result
                .reason
                .clone()
                .unwrap_or_else(|| "several prices".into());
            ambiguous(store, job, extraction.offers, &reason, now)?;
            return Ok(result);
        }
        _ => {
            let trouble = match verdict {
                Verdict::Blocked => Trouble::Blocked,
                Verdict::LayoutChanged => Trouble::LayoutChanged,
                _ => Trouble::NoPrice,
            };
            let reason = result.reason.clone().unwrap_or_else(|| "no price".into());
            failed(store, job, trouble, None, &reason, now)?;
            return Ok(result);
        }
    };
    page.validators = Some(fetched.validators.clone()).filter(|v| !v.is_empty());
    let wants = wants_for(store, job)?;
    let memory = memory(store)?;
    let mut listings = Vec::new();
    for (i, offer) in offers.into_iter().enumerate() {
        let listing = match_offer(store, &wants, &memory, job, offer, i == 0, now)?;
        // Further offers of a page count only if they are what is wanted.
        if i == 0 || listing.links.iter().any(|l| l.zone == Zone::Same) {
            listings.push(listing);
        }
    }
    if let Some(first) = listings.first() {
        result.price = first.offer.price;
        result.title = first.offer.name.clone().or(result.title);
        result.reason = None;
        enrich(store, &wants, first, url)?;
    }
    save(agent, store, job, page, listings, now).await?;
    Ok(result)
}

fn sold_out(offers: &[Offer]) -> bool {
    offers.first().is_some_and(|o| {
        matches!(
            o.availability,
            Availability::OutOfStock | Availability::Discontinued
        )
    })
}

pub(super) fn wants_for(store: &Store, job: &CrawlJob) -> Result<Vec<Want>, VaultError> {
    let mut wants = Vec::new();
    for id in &job.wants {
        wants.extend(store.want(*id)?);
    }
    wants.retain(|w| w.status != WantStatus::Dropped);
    Ok(wants)
}

/// The person's past answers, for the matcher.
pub(super) fn memory(store: &Store) -> Result<Vec<Decision>, VaultError> {
    let mut decisions = Vec::new();
    for listing in store.decided_listings()? {
        for link in listing.links.iter().filter(|l| l.by_person) {
            decisions.push(Decision {
                want: link.want,
                name: listing.offer.name.clone().unwrap_or_default(),
                url: Some(listing.url.clone()),
                gtin: listing.offer.gtin,
                same: link.zone == Zone::Same,
            });
        }
    }
    Ok(decisions)
}

fn match_offer(
    store: &Store,
    wants: &[Want],
    memory: &[Decision],
    job: &CrawlJob,
    offer: Offer,
    first: bool,
    now: Timestamp,
) -> Result<Listing, VaultError> {
    let url = job.kind.url().to_owned();
    // The page's own offer is the page; others are told apart by number or seller.
    let part = if first {
        None
    } else {
        offer.sku.as_deref().or(offer.seller.as_deref())
    };
    let id = Listing::id_of(&url, part);
    let old = store.listing(&id)?;
    let mut links = old.as_ref().map(|l| l.links.clone()).unwrap_or_default();
    for want in wants {
        let known = links.iter().position(|l| l.want == want.id);
        if known.is_some_and(|i| links[i].by_person) {
            continue;
        }
        let link = if first && want.urls.contains(&url) {
            Link {
                want: want.id,
                zone: Zone::Same,
                by_person: false,
                reasons: vec!["you gave this page".into()],
            }
        } else {
            let judgement = judge(want, &offer, memory);
            Link {
                want: want.id,
                zone: zone(judgement.zone),
                by_person: false,
                reasons: judgement
                    .evidence()
                    .take(4)
                    .map(|t| t.text.clone())
                    .collect(),
            }
        };
        match known {
            Some(i) => links[i] = link,
            None => links.push(link),
        }
    }
    Ok(Listing {
        first_seen: old.as_ref().map_or(now, |l| l.first_seen),
        observations: old.map_or(0, |l| l.observations),
        id,
        shop: job.shop.clone(),
        url,
        offer,
        last_seen: now,
        links,
        candidate: false,
    })
}

const fn zone(zone: matching::Zone) -> Zone {
    match zone {
        matching::Zone::Same => Zone::Same,
        matching::Zone::Maybe => Zone::Maybe,
        matching::Zone::Different => Zone::Different,
    }
}

/// A want made from a bare address or a bare barcode learns its name and numbers from the
/// page: the one at the address, or one that states the barcode.
fn enrich(store: &Store, wants: &[Want], listing: &Listing, url: &str) -> Result<(), VaultError> {
    let offer = &listing.offer;
    let is_about =
        |w: &Want| w.urls.iter().any(|u| u == url) || (w.is_only_number() && w.gtin == offer.gtin);
    for want in wants.iter().filter(|w| is_about(w)) {
        let mut new = want.clone();
        if (want.name.starts_with("http") || want.is_only_number())
            && let Some(name) = &offer.name
        {
            new.name.clone_from(name);
        }
        new.gtin = want.gtin.or(offer.gtin);
        new.brand = want.brand.clone().or_else(|| offer.brand.clone());
        new.mpn = want.mpn.clone().or_else(|| offer.mpn.clone());
        if new != *want {
            store.change(|tx| tx.put_want(&new))?;
        }
    }
    Ok(())
}

/// Several prices: kept as candidates for the person to choose from.
fn ambiguous(
    store: &Store,
    job: &CrawlJob,
    offers: Vec<Offer>,
    reason: &str,
    now: Timestamp,
) -> Result<(), VaultError> {
    let url = job.kind.url();
    failed(store, job, Trouble::Ambiguous, None, reason, now)?;
    let links: Vec<Link> = job
        .wants
        .iter()
        .map(|w| Link {
            want: *w,
            zone: Zone::Maybe,
            by_person: false,
            reasons: Vec::new(),
        })
        .collect();
    store.change(|tx| {
        for (i, offer) in offers.into_iter().take(OFFERS_PER_PAGE).enumerate() {
            tx.put_listing(&Listing {
                id: Listing::id_of(url, Some(&format!("candidate {i}"))),
                shop: job.shop.clone(),
                url: url.to_owned(),
                offer,
                first_seen: now,
                last_seen: now,
                links: links.clone(),
                candidate: true,
                observations: 0,
            })?;
        }
        Ok(())
    })
}
