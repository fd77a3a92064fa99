//! A page of search results: which of the pages it lists may be a want.

use super::outcome::{failed, seed};
use super::product::{memory, wants_for};
use super::{adapter_of, result_of};
use crate::agent::api::types::CrawlResult;
use crate::agent::core::Agent;
use crate::agent::store::{Store, Zone};
use crate::engine::adapter::Listing as Found;
use crate::engine::locale::count;
use crate::engine::matching::{self, Decision, judge};
use crate::market::crawl::{self, CrawlJob, Outcome};
use crate::market::shop::domain_of;
use crate::model::seller::Trouble;
use crate::model::time::Timestamp;
use crate::model::want::Want;
use crate::model::{Offer, Verdict};
use crate::vault::VaultError;
use crate::worker::Listings;
use url::Url;

/// Pages of one shop taken from one search for one want.
const FOUND_PER_SHOP: usize = 3;
/// Pages of one shop read for one want. A shop whose results change from search to search
/// would bring up ever more of them.
const KEPT_PER_SHOP: usize = 9;

/// Results of a search: the best fitting pages are read for the want from now on.
pub(super) fn search_results(
    agent: &Agent,
    store: &Store,
    job: &CrawlJob,
    list: Listings,
    now: Timestamp,
) -> Result<CrawlResult, VaultError> {
    let mut result = result_of(job, "listing");
    if matches!(list.verdict, Verdict::Blocked | Verdict::LayoutChanged) {
        let trouble = if list.verdict == Verdict::Blocked {
            Trouble::Blocked
        } else {
            Trouble::LayoutChanged
        };
        let reason = list
            .reason
            .unwrap_or_else(|| "the search page could not be read".into());
        failed(store, job, trouble, None, &reason, now)?;
        result.reason = Some(reason);
        result.verdict = list.verdict.as_str().to_owned();
        return Ok(result);
    }
    let memory = memory(store)?;
    let adapter = store.shop(&job.shop)?.and_then(|s| adapter_of(agent, &s));
    let kept = crawl::kept_params(adapter.as_ref().map(|a| &*a.manifest));
    let mut changed = Vec::new();
    let mut taken = 0;
    for want in wants_for(store, job)? {
        let pages = fitting(store, &want, &memory, job, &list.listings, &kept)?;
        taken += pages.len();
        let mut new = want.clone();
        for page in pages {
            if !new.found.contains(&page) && !new.urls.contains(&page) {
                new.found.push(page);
            }
        }
        new.found = bounded(new.found, &job.shop, |url| {
            let offers = store.listings_on(url)?;
            Ok(offers.iter().any(|l| l.zone(want.id) == Some(Zone::Same)))
        })?;
        if new != want {
            changed.push(new);
        }
    }
    let next = crawl::after(job, Outcome::Read, now, seed(store)?);
    let shop = store.shop(&job.shop)?.map(|mut s| {
        s.health.good(now);
        s
    });
    store.change(|tx| {
        changed.iter().try_for_each(|w| tx.put_want(w))?;
        shop.iter().try_for_each(|s| tx.put_shop(s))?;
        tx.put_job(&next)
    })?;
    let results = count(list.listings.len(), "result");
    result.reason = Some(match list.listings.len() {
        0 => results,
        _ => format!("{results}, {taken} may be it"),
    });
    Ok(result)
}

/// The pages found for a want, oldest first, without those of a shop that are too many: the
/// oldest that turned out not to be it make way first, then the oldest.
fn bounded(
    mut found: Vec<String>,
    shop: &str,
    is_it: impl Fn(&str) -> Result<bool, VaultError>,
) -> Result<Vec<String>, VaultError> {
    let of_shop = |url: &String| {
        let domain = Url::parse(url).ok().and_then(|u| domain_of(&u));
        domain.as_deref() == Some(shop)
    };
    let here: Vec<String> = found.iter().filter(|u| of_shop(u)).cloned().collect();
    let surplus = here.len().saturating_sub(KEPT_PER_SHOP);
    if surplus == 0 {
        return Ok(found);
    }
    let mut leaving = Vec::new();
    for url in here {
        leaving.push((is_it(&url)?, url));
    }
    leaving.sort_by_key(|(is_it, _)| *is_it);
    leaving.truncate(surplus);
    found.retain(|url| !leaving.iter().any(|(_, gone)| gone == url));
    Ok(found)
}

/// The addresses of the results that may be the want, best first.
fn fitting(
    store: &Store,
    want: &Want,
    memory: &[Decision],
    job: &CrawlJob,
    listings: &[Found],
    kept: &[&str],
) -> Result<Vec<String>, VaultError> {
    let mut scored: Vec<(f64, String)> = Vec::new();
    for found in listings {
        let Ok(url) = Url::parse(&found.url) else {
            continue;
        };
        if domain_of(&url).as_deref() != Some(job.shop.as_str()) {
            continue;
        }
        let url = crate::market::links::canonical(&url, kept).to_string();
        let refused = store
            .listings_on(&url)?
            .iter()
            .any(|l| l.zone(want.id) == Some(Zone::Different));
        if refused {
            continue;
        }
        let offer = Offer {
            name: found.name.clone(),
            gtin: found.gtin,
            price: found.price,
            ..Offer::default()
        };
        if want.is_only_number() && found.gtin.is_none() {
            // Lists seldom show numbers, so there is nothing to compare. The shop found these
            // by the number, and their pages say whether they have it.
            scored.push((0.5, url));
            continue;
        }
        let judgement = judge(want, &offer, memory);
        if judgement.zone != matching::Zone::Different {
            scored.push((judgement.score, url));
        }
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.dedup_by(|a, b| a.1 == b.1);
    Ok(scored
        .into_iter()
        .take(FOUND_PER_SHOP)
        .map(|(_, url)| url)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_brings_up_only_so_many_pages() {
        let page = |shop: &str, n: usize| format!("https://{shop}.example/p/{n}");
        let mut found = vec![page("other", 0)];
        found.extend((0..KEPT_PER_SHOP + 2).map(|n| page("shop", n)));
        let first_is_it = |url: &str| Ok(url == page("shop", 0));
        let kept = bounded(found.clone(), "shop.example", first_is_it).expect("no vault");
        found.retain(|url| *url != page("shop", 1) && *url != page("shop", 2));
        assert_eq!(kept, found, "the page that is it stays, however old");
        let again = bounded(kept.clone(), "shop.example", |_| Ok(false));
        assert_eq!(again.expect("no vault"), kept, "there is room");
    }
}
