//! Reading the market: crawl jobs from the plan to the vault.

use super::api::ApiError;
use super::api::types::{CrawlProgress, CrawlRequest, CrawlResult};
use super::core::Agent;
use super::store::{Link, Listing, Page, Store, Zone};
use super::{alerts, packs, purchases};
use crate::engine::adapter::{Listing as Found, Manifest};
use crate::engine::locale::count;
use crate::engine::matching::{self, Decision, judge};
use crate::market::adapters::Adapter;
use crate::market::crawl::{self, CrawlJob, Inputs, JobKind, Outcome};
use crate::model::offer::{Observation, Offer};
use crate::model::seller::Trouble;
use crate::model::time::{SignedDuration, Timestamp};
use crate::model::want::{Want, WantStatus};
use crate::model::{Availability, Extraction, Id, Shop, Verdict};
use crate::net::{FetchRequest, Fetched};
use crate::vault::VaultError;
use crate::worker::{Job, Listings, Reply, Source};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

/// Pages of one shop taken from one search for one want.
const FOUND_PER_SHOP: usize = 3;
/// Offers kept of one page.
const OFFERS_PER_PAGE: usize = 10;
/// Finished runs that can still be asked about.
const KEPT_RUNS: usize = 8;

/// The crawls people asked for, and the jobs under way.
#[derive(Debug, Default)]
pub struct Runs {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    runs: BTreeMap<u64, CrawlProgress>,
    /// What each job under way will have given.
    running: HashMap<Id, watch::Receiver<Option<CrawlResult>>>,
}

impl Runs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far a run is.
    pub fn progress(&self, run: u64) -> Option<CrawlProgress> {
        self.state().runs.get(&run).cloned()
    }

    fn begin(&self, total: usize) -> CrawlProgress {
        let mut state = self.state();
        state.last += 1;
        let run = state.last;
        let progress = CrawlProgress {
            run,
            total,
            finished: total == 0,
            ..CrawlProgress::default()
        };
        state.runs.insert(run, progress.clone());
        while state.runs.len() > KEPT_RUNS {
            state.runs.pop_first();
        }
        progress
    }

    fn update(&self, run: u64, f: impl FnOnce(&mut CrawlProgress)) {
        if let Some(progress) = self.state().runs.get_mut(&run) {
            f(progress);
        }
    }

    /// Marks a job as under way, unless it is already.
    fn claim(&self, agent: &Agent, job: Id) -> Turn {
        let mut state = self.state();
        if let Some(result) = state.running.get(&job) {
            return Turn::Theirs(result.clone());
        }
        let (result, later) = watch::channel(None);
        state.running.insert(job, later);
        Turn::Mine(Claim {
            agent: agent.clone(),
            job,
            result,
        })
    }
}

/// Who does a job.
enum Turn {
    /// The caller.
    Mine(Claim),
    /// Somebody else already does; this is what it will have given.
    Theirs(watch::Receiver<Option<CrawlResult>>),
}

/// A job under way; dropping it ends that, also when the task is cancelled.
struct Claim {
    agent: Agent,
    job: Id,
    result: watch::Sender<Option<CrawlResult>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.agent.runs().state().running.remove(&self.job);
    }
}

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
                let fresh = store.job(job.id).ok().flatten();
                if run.is_none() && fresh.is_none_or(|j| j.last != job.last) {
                    continue;
                }
                let result = tokio::select! {
                    () = stop.cancelled() => return,
                    result = run_job(&agent, &store, &job) => result,
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
            let outcome = Outcome::Failed {
                trouble,
                retry_after,
            };
            failed(store, &job, outcome, trouble, &detail, now)?;
            let word = serde_json::to_value(trouble).ok();
            let word = word.as_ref().and_then(|v| v.as_str()).unwrap_or("failed");
            Ok(CrawlResult {
                reason: Some(detail),
                ..result_of(&job, word)
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
    // Without an offer on record, "not modified" would say nothing.
    let known = is_product
        && page.health.trouble.is_none()
        && store
            .listings_on(job.kind.url())?
            .iter()
            .any(|l| !l.candidate);
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
    let source = Source {
        url,
        status: fetched.status,
        content_type: fetched.content_type.clone(),
        adapter: adapter.as_ref().map(|a| a.manifest.text().to_owned()),
        shop_currency: shop.as_ref().and_then(|s| s.delivery.currency),
    };
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

/// Notes a failure: on the page, on the shop, on the job. No observation, no alert.
fn failed(
    store: &Store,
    job: &CrawlJob,
    outcome: Outcome,
    trouble: Trouble,
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
    let next = crawl::after(job, outcome, now, seed(store)?);
    store.change(|tx| {
        tx.put_page(job.kind.url(), &page)?;
        shop.iter().try_for_each(|s| tx.put_shop(s))?;
        tx.put_job(&next)
    })
}

const fn is_shop_wide(trouble: Trouble) -> bool {
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

fn seed(store: &Store) -> Result<u64, VaultError> {
    Ok(u64::from(store.vault().status()?.device))
}

/// The page is as it was: what it said then, it says now.
async fn unchanged(
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
async fn save(
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

async fn product_page(
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
            let outcome = Outcome::Failed {
                trouble,
                retry_after: None,
            };
            failed(store, job, outcome, trouble, &reason, now)?;
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

fn wants_for(store: &Store, job: &CrawlJob) -> Result<Vec<Want>, VaultError> {
    Ok(store
        .wants()?
        .into_iter()
        .filter(|w| job.wants.contains(&w.id) && w.status != WantStatus::Dropped)
        .collect())
}

/// The person's past answers, for the matcher.
fn memory(store: &Store) -> Result<Vec<Decision>, VaultError> {
    let mut decisions = Vec::new();
    for listing in store.listings()? {
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
                    .reasons
                    .iter()
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

/// A want made from a bare address learns its name and numbers from the page.
fn enrich(store: &Store, wants: &[Want], listing: &Listing, url: &str) -> Result<(), VaultError> {
    for want in wants.iter().filter(|w| w.urls.iter().any(|u| u == url)) {
        let offer = &listing.offer;
        let mut new = want.clone();
        if want.name.starts_with("http")
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
    let outcome = Outcome::Failed {
        trouble: Trouble::Ambiguous,
        retry_after: None,
    };
    failed(store, job, outcome, Trouble::Ambiguous, reason, now)?;
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

/// Results of a search: the best fitting pages are read for the want from now on.
fn search_results(
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
        let outcome = Outcome::Failed {
            trouble,
            retry_after: None,
        };
        failed(store, job, outcome, trouble, &reason, now)?;
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
        if crate::market::shop::domain_of(&url).as_deref() != Some(job.shop.as_str()) {
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
