//! The fetcher: guard, queue, robots.txt, exchange, redirects, in this order.

use super::clock::{Clock, SystemClock};
use super::error::FetchError;
use super::http::{Answer, Http, Request, fields, redirect_target};
use super::pace::{Pacer, Turn, queue_key};
use super::resolve::{Lookup, SystemLookup};
use super::robots::{Known, RobotsCache};
use super::{FetchRequest, Fetched, NetConfig, Validators};
use crate::engine::robots::{Access, Decision, product_token};
use reqwest::Method;
use reqwest::header::HeaderMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What we like best, when the caller does not say.
const ACCEPT_PAGE: &str = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.5";

/// The only way out to the network. Cheap to clone; clones share queues and memory.
#[derive(Clone)]
pub struct Fetcher {
    inner: Arc<Inner>,
}

struct Inner {
    http: Http,
    config: NetConfig,
    clock: Arc<dyn Clock>,
    pages: Pacer,
    apis: Pacer,
    robots: RobotsCache,
}

impl Fetcher {
    /// A fetcher on the machine's clock and resolver.
    ///
    /// # Errors
    /// [`FetchError::Setup`] for an `allow_private` entry that is no host.
    pub fn new(config: NetConfig) -> Result<Self, FetchError> {
        Self::assemble(config, Arc::new(SystemClock), Arc::new(SystemLookup))
    }

    /// A fetcher on the given clock and name lookup. What the lookup answers is vetted
    /// like any other.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn assemble(
        config: NetConfig,
        clock: Arc<dyn Clock>,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, FetchError> {
        let http = Http::new(&config, Arc::clone(&clock), lookup)?;
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                config,
                clock,
                pages: Pacer::default(),
                apis: Pacer::default(),
                robots: RobotsCache::default(),
            }),
        })
    }

    /// Reads a page: obeys robots.txt, waits for the host's turn, follows redirects.
    ///
    /// # Errors
    /// Any [`FetchError`]; statuses other than 2xx and 304 are errors.
    pub async fn get(&self, request: FetchRequest) -> Result<Fetched, FetchError> {
        let accept = request.accept.as_deref().unwrap_or(ACCEPT_PAGE);
        let validators = request.validators.unwrap_or_default();
        let headers = conditional(accept, &validators);
        let mut url = request.url;
        url.set_fragment(None);
        let mut redirects = Vec::new();
        loop {
            let answer = self.inner.visit(&url, headers.clone()).await?;
            if answer.is_redirect() {
                let next = self.next_hop(&url, &answer, &redirects)?;
                redirects.push(std::mem::replace(&mut url, next));
                continue;
            }
            let not_modified = answer.status == 304 && !validators.is_empty();
            if !not_modified && !(200..300).contains(&answer.status) {
                return Err(FetchError::Status {
                    url: Box::new(url),
                    status: answer.status,
                });
            }
            let mut fetched = fetched(url, answer, redirects);
            fetched.not_modified = not_modified;
            if not_modified && fetched.validators.is_empty() {
                fetched.validators = validators;
            }
            return Ok(fetched);
        }
    }

    /// Reads from an API: no robots.txt, a short pause, any status is an answer.
    /// Header fields are not sent on to another origin.
    ///
    /// # Errors
    /// Any [`FetchError`] but [`FetchError::Status`].
    pub async fn get_api(
        &self,
        url: Url,
        accept: &str,
        headers: &[(&str, &str)],
    ) -> Result<Fetched, FetchError> {
        let first = url.origin();
        let mut url = url;
        url.set_fragment(None);
        let mut redirects = Vec::new();
        loop {
            let mut sent = fields([("accept", accept)]);
            if url.origin() == first {
                sent.extend(fields(headers.iter().copied()));
            }
            let answer = self.inner.call(Method::GET, &url, sent, None).await?;
            if answer.is_redirect() {
                let next = self.next_hop(&url, &answer, &redirects)?;
                redirects.push(std::mem::replace(&mut url, next));
                continue;
            }
            return Ok(fetched(url, answer, redirects));
        }
    }

    /// Sends a body to an API. Redirects are not followed: what we say is meant for
    /// the host it was addressed to.
    ///
    /// # Errors
    /// Any [`FetchError`] but [`FetchError::Status`].
    pub async fn post_json(
        &self,
        url: Url,
        body: Vec<u8>,
        content_type: &str,
        headers: &[(&str, &str)],
    ) -> Result<Fetched, FetchError> {
        let mut sent = fields([
            ("content-type", content_type),
            ("accept", "application/json, application/ld+json;q=0.9"),
        ]);
        sent.extend(fields(headers.iter().copied()));
        let answer = self
            .inner
            .call(Method::POST, &url, sent, Some(body))
            .await?;
        if answer.is_redirect() {
            return Err(FetchError::BadRedirect {
                from: Box::new(url),
                why: "what was sent is not sent on to another address",
            });
        }
        Ok(fetched(url, answer, Vec::new()))
    }

    /// Whether the guard lets an address be asked at all, before anything is looked up.
    ///
    /// # Errors
    /// [`FetchError::Refused`] with the reason.
    pub fn vet(&self, url: &Url) -> Result<(), FetchError> {
        Ok(self.inner.http.vet(url)?)
    }

    /// What robots.txt says about a page, and by which rule; reads the file if it is
    /// not known.
    ///
    /// # Errors
    /// When the file cannot be asked for.
    pub async fn robots(&self, url: &Url) -> Result<Decision, FetchError> {
        let inner = &self.inner;
        inner.http.vet(url)?;
        let known = match inner.known_robots(url) {
            Some(known) => known,
            None => inner.ask_robots(url).await?,
        };
        Ok(known.access.decide(inner.agent(), url.as_str()))
    }

    fn next_hop(&self, url: &Url, answer: &Answer, before: &[Url]) -> Result<Url, FetchError> {
        let next = redirect_target(url, answer)?;
        let circle = next == *url || before.contains(&next);
        if circle || before.len() >= self.inner.config.limits.redirects {
            return Err(FetchError::TooManyRedirects(Box::new(
                before.first().unwrap_or(url).clone(),
            )));
        }
        Ok(next)
    }
}

impl Inner {
    /// The name robots.txt files know us by.
    fn agent(&self) -> &str {
        product_token(&self.config.user_agent)
    }

    async fn turn(&self, pacer: &Pacer, url: &Url) -> Result<Turn, FetchError> {
        let config = &self.config;
        pacer
            .turn(
                &queue_key(url),
                &*self.clock,
                config.max_queue_wait,
                config.max_per_day,
            )
            .await
    }

    /// One page request in its turn.
    async fn visit(&self, url: &Url, headers: HeaderMap) -> Result<Answer, FetchError> {
        self.http.vet(url)?;
        let mut turn = self.turn(&self.pages, url).await?;
        let known = self.known_robots(url);
        let mut gap = match &known {
            // What is known to be forbidden costs no waiting.
            Some(known) => self.permit(known, url)?,
            None => self.config.gap,
        };
        turn.pause(gap, self.clock.now(), self.config.max_queue_wait)
            .await?;
        if known.is_none() {
            let (known, same) = self.read_robots(url, turn).await?;
            turn = same;
            match self.permit(&known, url) {
                Ok(longer) => gap = longer,
                Err(e) => {
                    turn.done(gap);
                    return Err(e);
                }
            }
        }
        self.settle(turn, gap, self.page(url, headers).await)
    }

    async fn page(&self, url: &Url, headers: HeaderMap) -> Result<Answer, FetchError> {
        let request = Request {
            method: Method::GET,
            url,
            headers,
            body: None,
        };
        self.http.exchange(request).await
    }

    /// One API request in its turn.
    async fn call(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, FetchError> {
        self.http.vet(url)?;
        let mut turn = self.turn(&self.apis, url).await?;
        let gap = self.config.api_gap;
        turn.pause(gap, self.clock.now(), self.config.max_queue_wait)
            .await?;
        let request = Request {
            method,
            url,
            headers,
            body,
        };
        let outcome = self.http.exchange(request).await;
        self.settle(turn, gap, outcome)
    }

    /// Ends a turn as the answer asks.
    fn settle(
        &self,
        turn: Turn,
        gap: Duration,
        outcome: Result<Answer, FetchError>,
    ) -> Result<Answer, FetchError> {
        match outcome {
            Ok(answer) => match answer.come_back() {
                Some(until) => Err(turn.refused(until, answer.at)),
                None => {
                    turn.done(gap);
                    Ok(answer)
                }
            },
            Err(e) => {
                turn.done(gap);
                Err(e)
            }
        }
    }

    fn known_robots(&self, url: &Url) -> Option<Known> {
        self.robots
            .get(&url.origin().ascii_serialization(), self.clock.now())
    }

    /// Asks for robots.txt in a turn of its own.
    async fn ask_robots(&self, url: &Url) -> Result<Known, FetchError> {
        let gap = self.config.gap;
        let mut turn = self.turn(&self.pages, url).await?;
        if let Some(known) = self.known_robots(url) {
            // Somebody before us in the queue asked.
            return Ok(known);
        }
        turn.pause(gap, self.clock.now(), self.config.max_queue_wait)
            .await?;
        let (known, turn) = self.read_robots(url, turn).await?;
        turn.done(gap);
        Ok(known)
    }

    /// Asks for robots.txt within the page's turn. Redirects are followed, also to
    /// other hosts; one that never ends means there is no file (RFC 9309, 2.3.1.2).
    async fn read_robots(&self, url: &Url, turn: Turn) -> Result<(Known, Turn), FetchError> {
        let origin = url.origin().ascii_serialization();
        let mut at = url.clone();
        at.set_path("/robots.txt");
        at.set_query(None);
        let mut hops = 0;
        let answer = loop {
            let answer = match self
                .page(&at, fields([("accept", "text/plain, */*;q=0.5")]))
                .await
            {
                Ok(answer) => answer,
                Err(e) => {
                    turn.done(self.config.gap);
                    return Err(e);
                }
            };
            if let Some(until) = answer.come_back() {
                return Err(turn.refused(until, answer.at));
            }
            if !answer.is_redirect() || hops >= self.config.limits.redirects {
                break answer;
            }
            hops += 1;
            at = match redirect_target(&at, &answer) {
                Ok(next) => next,
                Err(e) => {
                    turn.done(self.config.gap);
                    return Err(e);
                }
            };
        };
        let access = if answer.is_redirect() {
            Access::Unrestricted
        } else {
            Access::from_answer(answer.status, &answer.body)
        };
        let known = self.robots.put(origin, answer.status, access, answer.at);
        Ok((known, turn))
    }

    /// The pause to keep if the page may be read, else why not.
    fn permit(&self, known: &Known, url: &Url) -> Result<Duration, FetchError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        if *known.access == Access::Unreachable {
            return Err(FetchError::RobotsUnreachable {
                host,
                status: known.status,
            });
        }
        let decision = known.access.decide(self.agent(), url.as_str());
        match decision.rule {
            Some(rule) if !decision.allowed => Err(FetchError::Robots {
                host,
                path: url.path().to_owned(),
                line: rule.line,
                pattern: crate::model::text::clean(&rule.pattern, 200),
            }),
            _ => {
                let asked = decision.crawl_delay.unwrap_or_default();
                Ok(self.config.gap.max(asked.min(self.config.max_crawl_delay)))
            }
        }
    }
}

/// The fields of a page request.
fn conditional(accept: &str, validators: &Validators) -> HeaderMap {
    let etag = validators.etag.as_deref().map(|v| ("if-none-match", v));
    let date = validators
        .last_modified
        .as_deref()
        .map(|v| ("if-modified-since", v));
    fields(std::iter::once(("accept", accept)).chain(etag).chain(date))
}

fn fetched(url: Url, answer: Answer, redirects: Vec<Url>) -> Fetched {
    Fetched {
        status: answer.status,
        content_type: answer.field("content-type"),
        validators: answer.validators(),
        location: answer.field("location"),
        body: answer.body,
        final_url: url,
        not_modified: false,
        redirects,
    }
}
