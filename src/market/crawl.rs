//! What to read when: pure planning, no I/O and no clock.
//!
//! [`plan`] compares wants, shops and adapters with the jobs there are and says what to
//! add, change and remove; [`after`] says when to come back. Both are functions of their
//! arguments, ids are derived from what a job reads, and so a plan made twice, or after
//! a kill half-way, changes nothing more.

use super::links;
use super::shop::domain_of;
use crate::engine::adapter::Manifest;
use crate::engine::discover;
use crate::model::seller::{Shop, Trouble};
use crate::model::time::{SignedDuration, Timestamp};
use crate::model::want::{Want, WantStatus};
use crate::model::{Gtin, Id};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use url::Url;

/// How often a page is read, if the person says nothing else.
pub const CADENCE: SignedDuration = SignedDuration::from_hours(12);
/// How often a shop is searched for something new, at most.
pub const SEARCH_CADENCE: SignedDuration = SignedDuration::from_hours(24);
/// The least time between two readings of a page, however soon it is needed.
const MIN_CADENCE: SignedDuration = SignedDuration::from_hours(1);
/// The least time between two requests to one shop.
pub const MIN_GAP: SignedDuration = SignedDuration::from_secs(5);
/// New jobs of a shop are spread over at least this long.
const FIRST_WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// The longest a shop that fails is left alone.
const MAX_BACKOFF: SignedDuration = SignedDuration::from_hours(24 * 7);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// One page to be read again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrawlJob {
    /// Derived from what is read, so that one page has one job.
    pub id: Id,
    /// The wants that wait for it.
    pub wants: BTreeSet<Id>,
    /// The shop's domain.
    pub shop: String,
    /// What is read.
    pub kind: JobKind,
    /// How often.
    pub cadence: SignedDuration,
    /// When next.
    pub due: Timestamp,
    /// Failures since the last success.
    pub attempts: u32,
    /// When it was last tried.
    pub last: Option<Timestamp>,
    /// What went wrong the last time.
    pub trouble: Option<Trouble>,
    /// The shop asked for silence until then; nothing overrides it.
    pub not_before: Option<Timestamp>,
}

/// What a job reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// A product page.
    Product {
        /// Its canonical address.
        url: String,
    },
    /// A search for a want.
    Search {
        /// The address of the first page of results.
        url: String,
        /// The words searched for.
        query: String,
        /// The number searched for.
        gtin: Option<Gtin>,
    },
}

impl JobKind {
    /// The address asked.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::Product { url } | Self::Search { url, .. } => url,
        }
    }
}

impl CrawlJob {
    /// A job without a future: the page is gone or refused.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Gone | Trouble::Refused))
    }
}

/// What came of a job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// The page was read, or has not changed since.
    Read,
    /// It was not.
    Failed {
        /// Why.
        trouble: Trouble,
        /// How long the shop asked to wait (`Retry-After`).
        retry_after: Option<SignedDuration>,
    },
}

/// What a plan is made of.
pub struct Inputs<'a> {
    /// All wants.
    pub wants: &'a [Want],
    /// The shops followed, each with its adapter if it has one.
    pub shops: &'a [(Shop, Option<Arc<Manifest>>)],
    /// The jobs there are.
    pub jobs: &'a [CrawlJob],
    /// The time.
    pub now: Timestamp,
    /// Makes the jitter of two installations differ.
    pub seed: u64,
    /// The person asks: bring forward what waits.
    pub urgent: bool,
    /// How often a page is read: [`CADENCE`] unless the person says otherwise.
    pub every: SignedDuration,
}

/// What to change. Applying it and planning again gives no change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// New and changed jobs, to be stored under their ids.
    pub put: Vec<CrawlJob>,
    /// Jobs nobody waits for.
    pub remove: Vec<Id>,
}

impl Changes {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.remove.is_empty()
    }
}

/// What should be read, before it has a time.
struct Target {
    wants: BTreeSet<Id>,
    shop: String,
    kind: JobKind,
    cadence: SignedDuration,
}

/// Plans the jobs for all wants that are looked for.
#[must_use]
pub fn plan(inputs: &Inputs<'_>) -> Changes {
    let mut targets: BTreeMap<Id, Target> = BTreeMap::new();
    for want in inputs.wants.iter().filter(|w| is_active(w, inputs.now)) {
        for (shop, kind) in targets_of(want, inputs.shops) {
            let cadence = cadence(want, &kind, inputs);
            let target = targets.entry(job_id(&kind)).or_insert_with(|| Target {
                wants: BTreeSet::new(),
                shop,
                kind,
                cadence,
            });
            target.wants.insert(want.id);
            target.cadence = target.cadence.min(cadence);
        }
    }
    let existing: BTreeMap<Id, &CrawlJob> = inputs.jobs.iter().map(|j| (j.id, j)).collect();
    let mut changes = Changes {
        remove: existing
            .keys()
            .filter(|id| !targets.contains_key(id))
            .copied()
            .collect(),
        put: Vec::new(),
    };
    let mut slots = Slots::new(inputs, &targets, &existing);
    for (id, target) in targets {
        match existing.get(&id) {
            Some(job) => {
                let changed = adjusted(job, target, inputs, &mut slots);
                if changed != **job {
                    changes.put.push(changed);
                }
            }
            None => {
                let due = slots.first(&target.shop, id, inputs);
                changes.put.push(CrawlJob {
                    id,
                    wants: target.wants,
                    shop: target.shop,
                    kind: target.kind,
                    cadence: target.cadence,
                    due,
                    attempts: 0,
                    last: None,
                    trouble: None,
                    not_before: None,
                });
            }
        }
    }
    changes
}

/// A job as it should be now.
fn adjusted(job: &CrawlJob, target: Target, inputs: &Inputs<'_>, slots: &mut Slots) -> CrawlJob {
    let mut job = CrawlJob {
        wants: target.wants,
        shop: target.shop,
        cadence: target.cadence,
        ..job.clone()
    };
    if inputs.urgent && !job.is_stopped() && job.due > inputs.now {
        let earliest = job.not_before.map_or(inputs.now, |t| t.max(inputs.now));
        let due = slots.next_free(&job.shop, earliest);
        job.due = job.due.min(due);
    } else if job.attempts == 0
        && let Some(last) = job.last
    {
        // A nearer need brings the next reading forward, a farther one changes nothing.
        let latest = later(last, job.cadence + job.cadence / 10).max(inputs.now);
        job.due = job.due.min(latest);
    }
    job
}

fn is_active(want: &Want, now: Timestamp) -> bool {
    match want.status {
        WantStatus::Open => want.snoozed_until.is_none_or(|t| t <= now),
        WantStatus::Snoozed => want.snoozed_until.is_some_and(|t| t <= now),
        WantStatus::Fulfilled | WantStatus::Dropped => false,
    }
}

/// The pages to read for a want: its known addresses, and a search in each shop that
/// can be searched and has none of them.
fn targets_of(want: &Want, shops: &[(Shop, Option<Arc<Manifest>>)]) -> Vec<(String, JobKind)> {
    let mut out = Vec::new();
    let mut known = BTreeSet::new();
    let given = want.urls.iter().map(|u| (u, true));
    let found = want.found.iter().map(|u| (u, false));
    for (text, by_person) in given.chain(found) {
        let Ok(url) = Url::parse(text) else { continue };
        let Some(domain) = domain_of(&url).filter(|_| matches!(url.scheme(), "http" | "https"))
        else {
            continue;
        };
        let adapter = shops
            .iter()
            .find(|(s, _)| s.domain == domain)
            .and_then(|(_, a)| a.as_deref());
        let url = links::canonical(&url, &kept_params(adapter));
        // A page found by searching does not end the search: a better one may come.
        if by_person {
            known.insert(domain.clone());
        }
        out.push((domain, JobKind::Product { url: url.into() }));
    }
    // A want that is only an address so far has no words to search for.
    let named = !want.name.starts_with("http://") && !want.name.starts_with("https://");
    for (shop, adapter) in shops.iter().filter(|_| named) {
        let Ok(base) = Url::parse(&shop.base_url) else {
            continue;
        };
        if known.contains(&shop.domain) {
            continue;
        }
        let query = query_of(want);
        let by_adapter = adapter
            .as_deref()
            .and_then(|a| a.search_address(&base, &query, want.gtin, 0));
        let by_shop = || {
            shop.search
                .as_deref()
                .and_then(|t| discover::fill(t, &query))
        };
        if let Some(url) = by_adapter.or_else(by_shop) {
            let kind = JobKind::Search {
                url: url.into(),
                query,
                gtin: want.gtin,
            };
            out.push((shop.domain.clone(), kind));
        }
    }
    out
}

/// The parameters an adapter keeps in product addresses.
#[must_use]
pub fn kept_params(adapter: Option<&Manifest>) -> Vec<&str> {
    let Some(product) = adapter.and_then(|a| a.product.as_ref()) else {
        return Vec::new();
    };
    let kept = product.keep_params.iter().map(|p| p.as_str());
    kept.chain(product.variants.iter().filter_map(|v| v.param.as_deref()))
        .collect()
}

/// Words a search box is asked for at most: shops want all of them to occur.
const MAX_QUERY_WORDS: usize = 6;

/// The words to search for: brand and name, and nothing private. A title's afterthoughts
/// (after a comma, a bar, a bracket) are left out, because few shops word them alike. The
/// comma of `3,5 %` is none.
fn query_of(want: &Want) -> String {
    let follows_digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let end = want.name.char_indices().find(|(at, c)| match c {
        ',' => !follows_digit(&want.name[at + 1..]),
        other => matches!(other, '(' | '|' | ';' | '['),
    });
    let name = want.name[..end.map_or(want.name.len(), |(at, _)| at)].trim();
    let name = if name.chars().count() < 3 {
        want.name.as_str()
    } else {
        name
    };
    let brand = want
        .brand
        .as_deref()
        .filter(|b| !name.to_lowercase().contains(&b.to_lowercase()));
    let words = brand
        .into_iter()
        .flat_map(str::split_whitespace)
        .chain(name.split_whitespace());
    words.take(MAX_QUERY_WORDS).collect::<Vec<_>>().join(" ")
}

/// How often to read for a want: more often when it is needed soon.
fn cadence(want: &Want, kind: &JobKind, inputs: &Inputs<'_>) -> SignedDuration {
    let every = inputs.every.clamp(MIN_CADENCE, MAX_BACKOFF);
    let usual = match kind {
        JobKind::Product { .. } => every,
        JobKind::Search { .. } => every.max(SEARCH_CADENCE),
    };
    let today = inputs.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let days_left = want
        .need_by
        .and_then(|day| today.until(day).ok())
        .map(|span| span.get_days());
    let soon = match days_left {
        Some(0..=3) => usual / 4,
        Some(4..=14) => usual / 2,
        _ => usual,
    };
    soon.max(MIN_CADENCE)
}

/// The id of what a job reads: UUID version 5 of kind and address.
fn job_id(kind: &JobKind) -> Id {
    let space = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, b"urn:emptor:crawl-job");
    let tag = match kind {
        JobKind::Product { .. } => "product ",
        JobKind::Search { .. } => "search ",
    };
    Id(uuid::Uuid::new_v5(
        &space,
        [tag, kind.url()].concat().as_bytes(),
    ))
}

/// The times at which a shop is already asked.
struct Slots {
    taken: BTreeMap<String, BTreeSet<Timestamp>>,
    gaps: BTreeMap<String, SignedDuration>,
    new_jobs: BTreeMap<String, i32>,
}

impl Slots {
    fn new(
        inputs: &Inputs<'_>,
        targets: &BTreeMap<Id, Target>,
        existing: &BTreeMap<Id, &CrawlJob>,
    ) -> Self {
        let mut slots = Self {
            taken: BTreeMap::new(),
            gaps: BTreeMap::new(),
            new_jobs: BTreeMap::new(),
        };
        for (shop, adapter) in inputs.shops {
            let own = adapter.as_ref().map_or(0, |a| a.rate.min_gap_seconds);
            let gap = SignedDuration::from_secs(i64::from(own)).max(MIN_GAP);
            slots.gaps.insert(shop.domain.clone(), gap);
        }
        for (id, target) in targets {
            match existing.get(id) {
                Some(job) => {
                    let taken = slots.taken.entry(target.shop.clone()).or_default();
                    taken.insert(job.due);
                }
                None => *slots.new_jobs.entry(target.shop.clone()).or_default() += 1,
            }
        }
        slots
    }

    fn gap(&self, shop: &str) -> SignedDuration {
        self.gaps.get(shop).copied().unwrap_or(MIN_GAP)
    }

    /// The first time of a new job: soon, but spread.
    fn first(&mut self, shop: &str, id: Id, inputs: &Inputs<'_>) -> Timestamp {
        let count = self.new_jobs.get(shop).copied().unwrap_or(1).max(1);
        let crowd = self.gap(shop).checked_mul(count.saturating_mul(2));
        let window = match (inputs.urgent, crowd) {
            (true, _) => SignedDuration::ZERO,
            (false, Some(crowd)) => crowd.max(FIRST_WINDOW),
            (false, None) => FIRST_WINDOW,
        };
        let offset = fraction_of(window, hash(inputs.seed, id, 0));
        self.next_free(shop, later(inputs.now, offset))
    }

    /// The first time from `from` on that keeps the gap to every other job of the shop.
    fn next_free(&mut self, shop: &str, from: Timestamp) -> Timestamp {
        let gap = self.gap(shop);
        let taken = self.taken.entry(shop.to_owned()).or_default();
        let mut at = from;
        let before = from.checked_sub(gap).unwrap_or(Timestamp::MIN);
        for other in taken.range(before..) {
            if other.duration_since(at) >= gap {
                break;
            }
            if at.duration_since(*other) < gap {
                at = later(*other, gap);
            }
        }
        taken.insert(at);
        at
    }
}

/// The jobs to run now, the longest due first.
#[must_use]
pub fn due(jobs: &[CrawlJob], now: Timestamp) -> Vec<&CrawlJob> {
    let mut due: Vec<&CrawlJob> = jobs
        .iter()
        .filter(|j| j.due <= now && !j.is_stopped() && j.not_before.is_none_or(|t| t <= now))
        .collect();
    due.sort_by_key(|j| (j.due, j.id));
    due
}

/// The job after a try at `now`: when to come back.
///
/// A page that is gone is not asked again. A shop that asks for time gets it. A shop
/// that is down is asked after 10, 20, 40… minutes, at most daily; walls are tried at
/// ever longer distances up to a week; what a person must mend is looked at daily.
#[must_use]
pub fn after(job: &CrawlJob, outcome: Outcome, now: Timestamp, seed: u64) -> CrawlJob {
    let mut next = CrawlJob {
        last: Some(now),
        not_before: None,
        ..job.clone()
    };
    let wait = match outcome {
        Outcome::Read => {
            next.attempts = 0;
            next.trouble = None;
            job.cadence.max(MIN_GAP)
        }
        Outcome::Failed { trouble, .. } => {
            next.attempts = job.attempts.saturating_add(1);
            next.trouble = Some(trouble);
            let failures = job.attempts;
            match trouble {
                Trouble::VendorDown => doubled(SignedDuration::from_mins(10), failures).min(DAY),
                Trouble::RateLimited => doubled(SignedDuration::from_hours(1), failures).min(DAY),
                Trouble::Blocked | Trouble::BlockedByRobots | Trouble::BadInput => {
                    doubled(DAY, failures).min(MAX_BACKOFF)
                }
                Trouble::LayoutChanged | Trouble::Ambiguous => DAY,
                Trouble::NoPrice => job.cadence.max(MIN_GAP),
                Trouble::Gone | Trouble::Refused => MAX_BACKOFF,
            }
        }
    };
    // A tenth more or less, so that jobs that met once do not meet for ever.
    let spread = fraction_of(wait / 5, hash(seed, job.id, now.as_second()));
    next.due = later(now, wait - wait / 10 + spread);
    if let Outcome::Failed {
        retry_after: Some(asked),
        ..
    } = outcome
    {
        let asked = later(now, asked.clamp(SignedDuration::ZERO, MAX_BACKOFF));
        next.not_before = Some(asked);
        next.due = next.due.max(asked);
    }
    next
}

fn doubled(base: SignedDuration, times: u32) -> SignedDuration {
    2_i32
        .checked_pow(times)
        .and_then(|factor| base.checked_mul(factor))
        .unwrap_or(MAX_BACKOFF)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// A part of `whole`, in whole seconds, from 0 to just below it.
fn fraction_of(whole: SignedDuration, hash: u64) -> SignedDuration {
    let seconds = u64::try_from(whole.as_secs()).unwrap_or(0);
    let part = if seconds == 0 { 0 } else { hash % seconds };
    SignedDuration::from_secs(i64::try_from(part).unwrap_or(0))
}

/// Mixes seed, job and time (SplitMix64, Steele et al. 2014): the same on every run.
fn hash(seed: u64, id: Id, salt: i64) -> u64 {
    let (high, low) = id.0.as_u64_pair();
    let mut z =
        seed ^ high.rotate_left(17) ^ low ^ (salt as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
