//! Reading the market: crawl jobs from the plan to the vault.

mod outcome;
mod product;
mod results;
mod runs;

pub(super) use outcome::is_shop_wide;
pub use runs::Runs;

use super::api::ApiError;
use super::api::types::{CrawlProgress, CrawlRequest, CrawlResult};
use super::core::Agent;
use super::purchases;
use super::store::Store;
use crate::engine::adapter::{Listing, Manifest};
use crate::market::adapters::Adapter;
use crate::market::crawl::{self, CrawlJob, Inputs, JobKind};
use crate::model::seller::Trouble;
use crate::model::time::{SignedDuration, Timestamp};
use crate::model::{Extraction, Id, Shop, Verdict};
use crate::net::{FetchRequest, Fetched};
use crate::vault::VaultError;
use crate::worker::{Job, Listings, Reply, Source};
use outcome::{failed, unchanged};
use product::product_page;
use results::search_results;
use runs::Turn;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::task::JoinSet;
use url::Url;

/// Brings the jobs in line with wants and shops.
///
/// # Errors
/// As the vault.
pub fn plan(agent: &Agent, store: &Store) -> Result<Vec<CrawlJob>, VaultError> {
    let now = Timestamp::now();
    let mut wants = store.wants()?;
    let today = now.to_zoned(agent.config().time_zone()).date();
    let bought = purchases::still_read(&store.purchases()?, &wants, today);
    wants.extend(bought);
    let shops: Vec<(Shop, Option<Arc<Manifest>>)> = store
        .shops()?
        .into_iter()
        .map(|s| {
            let adapter = adapter_of(agent, &s).map(|a| a.manifest);
            (s, adapter)
        })
        .collect();
    let jobs = store.jobs()?;
    let every = SignedDuration::from_hours(i64::from(agent.config().crawl.every_hours));
    let changes = crawl::plan(&Inputs {
        wants: &wants,
        shops: &shops,
        jobs: &jobs,
        now,
        seed: u64::from(store.vault().status()?.device),
        // What a person asks for is read by their own run; nothing else is brought forward.
        urgent: false,
        every,
    });
    if !changes.is_empty() {
        store.change(|tx| {
            changes.put.iter().try_for_each(|j| tx.put_job(j))?;
            changes.remove.iter().try_for_each(|id| tx.remove_job(*id))
        })?;
    }
    store.jobs()
}

/// The adapter that reads a shop: the one chosen for it, else the one that claims it.
#[must_use]
pub fn adapter_of(agent: &Agent, shop: &Shop) -> Option<Adapter> {
    agent.adapters().for_shop(shop).cloned()
}

/// Starts a crawl the person asked for.
///
/// # Errors
/// As the vault, or the want or shop is unknown.
pub fn start(agent: &Agent, request: &CrawlRequest) -> Result<CrawlProgress, ApiError> {
    let store = agent.store()?;
    let want = match &request.want {
        Some(text) => Some(agent.find_want(&store, text)?.id),
        None => None,
    };
    if let Some(domain) = &request.shop
        && store.shop(domain)?.is_none()
    {
        return Err(
            ApiError::not_found(format!("`{domain}` is not a followed shop"))
                .hint("see `emptor shop list`"),
        );
    }
    let jobs = chosen(agent, &store, request, want, &HashSet::new())?;
    let progress = agent.runs().begin(jobs.len());
    let (agent, request, run) = (agent.clone(), request.clone(), progress.run);
    if !jobs.is_empty() {
        tokio::spawn(async move {
            work_off(&agent, &store, &request, want, jobs, run).await;
            agent.runs().update(run, |p| p.finished = true);
            agent.wake();
        });
    }
    Ok(progress)
}

/// The jobs of a request that were not done yet.
fn chosen(
    agent: &Agent,
    store: &Store,
    request: &CrawlRequest,
    want: Option<Id>,
    done: &HashSet<Id>,
) -> Result<Vec<CrawlJob>, VaultError> {
    let now = Timestamp::now();
    Ok(plan(agent, store)?
        .into_iter()
        .filter(|j| !done.contains(&j.id) && !j.is_stopped())
        .filter(|j| j.not_before.is_none_or(|t| t <= now))
        .filter(|j| request.now || j.due <= now)
        .filter(|j| request.shop.as_ref().is_none_or(|s| *s == j.shop))
        .filter(|j| want.is_none_or(|w| j.wants.contains(&w)))
        .collect())
}

/// Does the jobs, then those that the searches among them have brought up.
async fn work_off(
    agent: &Agent,
    store: &Store,
    request: &CrawlRequest,
    want: Option<Id>,
    mut jobs: Vec<CrawlJob>,
    run: u64,
) {
    let mut done = HashSet::new();
    for _wave in 0..3 {
        done.extend(jobs.iter().map(|j| j.id));
        run_jobs(agent, store, jobs, Some(run)).await;
        jobs = match chosen(agent, store, request, want, &done) {
            Ok(more) if !more.is_empty() => more,
            Ok(_) => return,
            Err(e) => {
                tracing::warn!("the crawl stopped: {e}");
                return;
            }
        };
        agent.runs().update(run, |p| p.total += jobs.len());
    }
}

/// Runs jobs, several at a time but one after the other for each shop.
pub async fn run_jobs(agent: &Agent, store: &Store, jobs: Vec<CrawlJob>, run: Option<u64>) {
    let mut by_shop: HashMap<String, Vec<CrawlJob>> = HashMap::new();
    for job in jobs {
        by_shop.entry(job.shop.clone()).or_default().push(job);
    }
    let permits = Arc::new(tokio::sync::Semaphore::new(agent.config().crawl.parallel));
    let mut tasks = JoinSet::new();
    for (_, queue) in by_shop {
        let (agent, store, permits) = (agent.clone(), store.clone(), Arc::clone(&permits));
        tasks.spawn(async move {
            let stop = agent.stopping();
            for job in queue {
                let Ok(_permit) = permits.acquire().await else {
                    return;
                };
                let claim = match agent.runs().claim(&agent, job.id) {
                    Turn::Mine(claim) => claim,
                    Turn::Theirs(_) if run.is_none() => continue,
                    // The person who asked waits for what the other reading gives.
                    Turn::Theirs(mut other) => {
                        let result = tokio::select! {
                            () = stop.cancelled() => return,
                            result = other.wait_for(Option::is_some) => {
                                result.ok().and_then(|r| r.clone())
                            }
                        };
                        finish(&agent, run, result);
                        continue;
                    }
                };
                // Read by somebody while it waited here: it is not due any more.
                let is_done = store
                    .job(job.id)
                    .map(|now| run.is_none() && now.is_none_or(|j| j.last != job.last));
                let result = match is_done {
                    Ok(true) => continue,
                    Ok(false) => tokio::select! {
                        () = stop.cancelled() => return,
                        result = run_job(&agent, &store, &job) => result,
                    },
                    Err(e) => Err(e),
                };
                match result {
                    Ok(result) => {
                        claim.result.send_replace(Some(result.clone()));
                        finish(&agent, run, Some(result));
                    }
                    Err(VaultError::Locked) => return,
                    Err(e) => {
                        tracing::error!("{}: {e}", job.kind.url());
                        finish(&agent, run, None);
                    }
                }
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        if let Err(e) = result {
            tracing::error!("a crawl task failed: {e}");
        }
    }
}

fn finish(agent: &Agent, run: Option<u64>, result: Option<CrawlResult>) {
    if let Some(run) = run {
        agent.runs().update(run, |p| {
            p.done += 1;
            p.results.extend(result);
        });
    }
}

/// What came of a page.
enum Read {
    Unchanged,
    Page(Extraction, Fetched),
    List(Listings),
    Failed(Trouble, String, Option<SignedDuration>),
}

/// Reads one page and stores what it says.
async fn run_job(agent: &Agent, store: &Store, job: &CrawlJob) -> Result<CrawlResult, VaultError> {
    let read = fetch(agent, store, job).await?;
    let _writer = agent.writer().await;
    let now = Timestamp::now();
    // The page may have been dropped while it was read.
    let Some(job) = store.job(job.id)? else {
        return Ok(result_of(job, "dropped"));
    };
    match read {
        Read::Failed(trouble, detail, retry_after) => {
            failed(store, &job, trouble, retry_after, &detail, now)?;
            Ok(CrawlResult {
                reason: Some(detail),
                ..result_of(&job, trouble.name())
            })
        }
        Read::Unchanged => unchanged(agent, store, &job, now).await,
        Read::List(list) => search_results(agent, store, &job, list, now),
        Read::Page(extraction, fetched) => {
            product_page(agent, store, &job, extraction, &fetched, now).await
        }
    }
}

fn result_of(job: &CrawlJob, verdict: &str) -> CrawlResult {
    CrawlResult {
        shop: job.shop.clone(),
        url: job.kind.url().to_owned(),
        want: job.wants.first().map(Id::short),
        verdict: verdict.to_owned(),
        title: None,
        price: None,
        reason: None,
    }
}

async fn fetch(agent: &Agent, store: &Store, job: &CrawlJob) -> Result<Read, VaultError> {
    let shop = store.shop(&job.shop)?;
    let adapter = shop.as_ref().and_then(|s| adapter_of(agent, s));
    let Ok(url) = Url::parse(job.kind.url()) else {
        return Ok(Read::Failed(
            Trouble::Refused,
            "not a web address".into(),
            None,
        ));
    };
    let is_product = matches!(job.kind, JobKind::Product { .. });
    let page = store.page(job.kind.url())?;
    // Without an offer on record that was compared with every want, "not modified" would
    // say nothing.
    let mut offers = store.listings_on(job.kind.url())?;
    offers.retain(|l| !l.candidate);
    let compared = |want: &Id| offers.iter().any(|l| l.zone(*want).is_some());
    let known = is_product
        && page.health.trouble.is_none()
        && !offers.is_empty()
        && job.wants.iter().all(compared);
    let address = match &adapter {
        Some(a) if is_product => a.manifest.fetch_address(&url),
        _ => url.clone(),
    };
    let request = FetchRequest {
        url: address,
        validators: page.validators.filter(|_| known),
        accept: None,
    };
    let fetched = match agent.fetcher().get(request).await {
        Ok(fetched) => fetched,
        Err(e) => {
            let retry_after = e.retry_at().map(|t| t.duration_since(Timestamp::now()));
            return Ok(Read::Failed(e.trouble(), e.to_string(), retry_after));
        }
    };
    if fetched.not_modified {
        return Ok(Read::Unchanged);
    }
    let moved = !is_product && is_elsewhere(&url, &fetched.final_url);
    let source = Source {
        url,
        status: fetched.status,
        content_type: fetched.content_type.clone(),
        adapter: adapter.as_ref().map(|a| a.manifest.text().to_owned()),
        shop_currency: shop.as_ref().and_then(|s| s.delivery.currency),
    };
    if moved {
        let page = Source {
            url: fetched.final_url.clone(),
            ..source.clone()
        };
        if let Some(list) = only_result(agent, page, fetched.body.clone()).await {
            return Ok(Read::List(list));
        }
    }
    let work = if is_product {
        Job::ReadPage(source)
    } else {
        Job::ReadList(source)
    };
    let mut fetched = fetched;
    let body = std::mem::take(&mut fetched.body);
    Ok(match agent.pool().call(work, body).await {
        Ok(Reply::Extraction(extraction)) => Read::Page(extraction, fetched),
        Ok(Reply::Listings(list)) => match (shop, adapter) {
            (Some(shop), Some(adapter)) => {
                Read::List(further_pages(agent, &shop, &adapter, job, list).await)
            }
            _ => Read::List(list),
        },
        Ok(Reply::Failed(why)) => Read::Failed(Trouble::BadInput, why, None),
        Ok(_) => Read::Failed(
            Trouble::BadInput,
            "an answer to another question".into(),
            None,
        ),
        Err(e) => Read::Failed(Trouble::BadInput, e.to_string(), None),
    })
}

/// Whether a search was answered from another place of the shop.
fn is_elsewhere(asked: &Url, answered: &Url) -> bool {
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    path(asked) != path(answered)
}

/// The one result of a search that sent straight to its page, as many shops do; `None` where
/// that is no page of one product.
async fn only_result(agent: &Agent, page: Source, body: Vec<u8>) -> Option<Listings> {
    let url = page.url.to_string();
    let reply = agent.pool().call(Job::ReadPage(page), body).await;
    let read = match reply {
        Ok(Reply::Extraction(read)) if read.verdict == Verdict::Value => read,
        _ => return None,
    };
    let offer = read.offers.into_iter().next()?;
    Some(Listings {
        verdict: Verdict::Value,
        reason: None,
        listings: vec![Listing {
            url,
            name: offer.name,
            gtin: offer.gtin,
            price: offer.price,
        }],
        next: None,
    })
}

/// Reads the further pages of results that the adapter allows, until one brings nothing
/// new. A page that fails ends it; what was found before counts.
async fn further_pages(
    agent: &Agent,
    shop: &Shop,
    adapter: &Adapter,
    job: &CrawlJob,
    mut all: Listings,
) -> Listings {
    let JobKind::Search { query, gtin, .. } = &job.kind else {
        return all;
    };
    let (Some(search), Ok(base)) = (&adapter.manifest.search, Url::parse(&shop.base_url)) else {
        return all;
    };
    for number in 1..search.max_pages {
        if all.verdict != Verdict::Value {
            break;
        }
        // A link to another shop's pages is not this search.
        let next = all
            .next
            .take()
            .filter(|u| crate::market::shop::domain_of(u).as_deref() == Some(shop.domain.as_str()));
        let next = next.or_else(|| adapter.manifest.search_address(&base, query, *gtin, number));
        let Some(url) = next else { break };
        let request = FetchRequest {
            url: url.clone(),
            validators: None,
            accept: None,
        };
        let Ok(fetched) = agent.fetcher().get(request).await else {
            break;
        };
        let source = Source {
            url,
            status: fetched.status,
            content_type: fetched.content_type,
            adapter: Some(adapter.manifest.text().to_owned()),
            shop_currency: shop.delivery.currency,
        };
        let reply = agent.pool().call(Job::ReadList(source), fetched.body).await;
        let Ok(Reply::Listings(page)) = reply else {
            break;
        };
        let before = all.listings.len();
        for listing in page.listings {
            if !all.listings.iter().any(|l| l.url == listing.url) {
                all.listings.push(listing);
            }
        }
        all.next = page.next;
        if all.listings.len() == before {
            break;
        }
    }
    all
}
