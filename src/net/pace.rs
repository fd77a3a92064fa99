//! One queue a host: requests to a host go one at a time, in the order they came,
//! with a pause in between, and not at all while the host wants to be left alone.

use super::clock::Clock;
use super::error::FetchError;
use crate::model::time::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;
use url::{Host, Url};

/// Hosts remembered. Those that owe nothing are forgotten first.
const MAX_HOSTS: usize = 4096;
/// The first pause after a 429 that names none; it doubles each time.
const FIRST_BACKOFF: SignedDuration = SignedDuration::from_secs(60);

/// The queues of all hosts.
#[derive(Debug, Default)]
pub struct Pacer {
    hosts: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Lane>>>>,
}

/// What is known of one host.
#[derive(Debug, Default)]
struct Lane {
    /// The earliest start of the next request.
    next: Option<Instant>,
    /// The host asked to be left alone until then.
    blocked_until: Option<Timestamp>,
    /// 429 answers in a row.
    refusals: u32,
    /// The day counted, as days since 1970, and the requests in it.
    day: (i64, u32),
}

/// The right to send one request to a host. Others wait until it is dropped.
#[derive(Debug)]
pub struct Turn {
    lane: OwnedMutexGuard<Lane>,
    host: String,
}

impl Pacer {
    /// Waits for the queue of `key`, not for the pause: see [`Turn::pause`].
    ///
    /// # Errors
    /// [`FetchError::RateLimited`] while the host wants to be left alone, when the
    /// day's requests are used up, or when the queue is longer than `patience`.
    pub async fn turn(
        &self,
        key: &str,
        clock: &dyn Clock,
        patience: Duration,
        max_per_day: u32,
    ) -> Result<Turn, FetchError> {
        let lane = self.lane(key);
        let limited = |until| FetchError::RateLimited {
            host: key.to_owned(),
            until,
        };
        let lane = tokio::time::timeout(patience, lane.lock_owned()).await;
        let now = clock.now();
        let Ok(lane) = lane else {
            let wait = SignedDuration::try_from(patience).unwrap_or(FIRST_BACKOFF);
            return Err(limited(now.saturating_add(wait).unwrap_or(now)));
        };
        if let Some(until) = lane.blocked_until.filter(|until| *until > now) {
            return Err(limited(until));
        }
        let today = now.as_second().div_euclid(86_400);
        if lane.day.0 == today && lane.day.1 >= max_per_day {
            let tomorrow = today.saturating_add(1).saturating_mul(86_400);
            return Err(limited(Timestamp::from_second(tomorrow).unwrap_or(now)));
        }
        Ok(Turn {
            lane,
            host: key.to_owned(),
        })
    }

    fn lane(&self, key: &str) -> Arc<tokio::sync::Mutex<Lane>> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(key) {
            // Only lanes that nobody uses or waits for and that owe nothing may go.
            let now = Instant::now();
            hosts.retain(|_, lane| {
                Arc::strong_count(lane) > 1
                    || lane.try_lock().map_or(true, |lane| {
                        lane.blocked_until.is_some() || lane.next.is_some_and(|t| t > now)
                    })
            });
        }
        Arc::clone(hosts.entry(key.to_owned()).or_default())
    }
}

impl Turn {
    /// Waits until the pause since the last request is over, then counts this one.
    ///
    /// # Errors
    /// [`FetchError::RateLimited`] if that takes longer than `patience`.
    pub async fn pause(
        &mut self,
        gap: Duration,
        now: Timestamp,
        patience: Duration,
    ) -> Result<(), FetchError> {
        if let Some(next) = self.lane.next {
            let wait = next.saturating_duration_since(Instant::now());
            if wait > patience {
                let wait = SignedDuration::try_from(wait).unwrap_or(FIRST_BACKOFF);
                return Err(FetchError::RateLimited {
                    host: self.host.clone(),
                    until: now.saturating_add(wait).unwrap_or(now),
                });
            }
            tokio::time::sleep_until(next).await;
        }
        let today = now.as_second().div_euclid(86_400);
        if self.lane.day.0 == today {
            self.lane.day.1 = self.lane.day.1.saturating_add(1);
        } else {
            self.lane.day = (today, 1);
        }
        // Already now, so that a request that is given up half-way counts as well.
        self.lane.next = Instant::now().checked_add(jittered(gap));
        Ok(())
    }

    /// Ends the turn: the pause starts when the answer is in.
    pub fn done(mut self, gap: Duration) {
        self.lane.next = Instant::now().checked_add(jittered(gap));
        self.lane.refusals = 0;
    }

    /// Ends the turn because the host said 429 or named a time to come back.
    pub fn refused(mut self, until: Option<Timestamp>, now: Timestamp) -> FetchError {
        let doubled = FIRST_BACKOFF
            .checked_mul(1 << self.lane.refusals.min(10))
            .unwrap_or(FIRST_BACKOFF);
        self.lane.refusals = self.lane.refusals.saturating_add(1);
        let until = until.unwrap_or_else(|| now.saturating_add(doubled).unwrap_or(now));
        self.lane.blocked_until = Some(until);
        FetchError::RateLimited {
            host: self.host.clone(),
            until,
        }
    }
}

/// The gap and up to a fifth more, so that many agents do not march in step.
fn jittered(gap: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(0);
    gap.saturating_add(gap.mul_f64(f64::from(random) / f64::from(u32::MAX) / 5.0))
}

/// The queue an address belongs to: the registrable domain, so that `www.` and
/// `shop.` of one site share it; host and port where there is none.
#[must_use]
pub fn queue_key(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(0);
    match url.host() {
        Some(Host::Domain(name)) => psl::domain_str(name)
            .filter(|_| url.port().is_none())
            .map_or_else(|| format!("{name}:{port}"), str::to_owned),
        Some(address) => format!("{address}:{port}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn one_site_is_one_queue() {
        let key = |url: &str| queue_key(&Url::parse(url).expect("URL"));
        assert_eq!(key("https://www.shop.example.co.uk/a"), "example.co.uk");
        assert_eq!(key("http://example.co.uk/"), "example.co.uk");
        assert_eq!(key("http://127.0.0.1:81/"), "127.0.0.1:81");
        assert_eq!(key("http://[::1]/"), "[::1]:80");
        assert_eq!(
            key("http://nas.home.example:8080/"),
            "nas.home.example:8080"
        );
        assert_eq!(key("http://localhost/"), "localhost:80");
        // Shops of one platform are different sites.
        assert_ne!(
            key("https://a.myshopify.com/"),
            key("https://b.myshopify.com/")
        );
    }

    #[tokio::test]
    async fn turns_keep_their_order_and_their_distance() {
        let pacer = Arc::new(Pacer::default());
        let gap = Duration::from_millis(30);
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for i in 0..5 {
            let (pacer, log) = (Arc::clone(&pacer), Arc::clone(&log));
            tasks.push(tokio::spawn(async move {
                let wait = Duration::from_secs(60);
                let mut turn = pacer.turn("a", &|| at(0), wait, 100).await.expect("turn");
                turn.pause(gap, at(0), wait).await.expect("pause");
                log.lock().expect("log").push((i, Instant::now()));
                turn.done(gap);
            }));
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.expect("task");
        }
        let log = log.lock().expect("log");
        assert!(
            log.windows(2).all(|w| w[0].0 < w[1].0),
            "first come, first served"
        );
        assert!(log.windows(2).all(|w| w[1].1 - w[0].1 >= gap));
    }

    #[tokio::test]
    async fn a_refusal_is_remembered_and_grows() {
        let pacer = Pacer::default();
        let wait = Duration::from_secs(1);
        let turn = pacer.turn("a", &|| at(1000), wait, 10).await.expect("turn");
        let error = turn.refused(None, at(1000));
        assert_eq!(error.retry_at(), Some(at(1060)));
        let error = pacer
            .turn("a", &|| at(1059), wait, 10)
            .await
            .expect_err("blocked");
        assert_eq!(error.retry_at(), Some(at(1060)));
        pacer
            .turn("b", &|| at(1059), wait, 10)
            .await
            .expect("another host");
        let turn = pacer.turn("a", &|| at(1060), wait, 10).await.expect("over");
        assert_eq!(turn.refused(None, at(1060)).retry_at(), Some(at(1180)));
        let turn = pacer.turn("a", &|| at(1180), wait, 10).await.expect("over");
        assert_eq!(
            turn.refused(Some(at(1185)), at(1180)).retry_at(),
            Some(at(1185))
        );
    }

    #[tokio::test]
    async fn a_day_has_an_end() {
        let pacer = Pacer::default();
        let wait = Duration::from_secs(1);
        for _ in 0..3 {
            let mut turn = pacer.turn("a", &|| at(50), wait, 3).await.expect("turn");
            turn.pause(Duration::ZERO, at(50), wait)
                .await
                .expect("pause");
            turn.done(Duration::ZERO);
        }
        let error = pacer
            .turn("a", &|| at(60), wait, 3)
            .await
            .expect_err("used up");
        assert_eq!(error.retry_at(), Some(at(86_400)));
        pacer
            .turn("a", &|| at(86_400), wait, 3)
            .await
            .expect("a new day");
    }

    #[tokio::test]
    async fn impatience_is_an_answer() {
        let pacer = Pacer::default();
        let mut turn = pacer
            .turn("a", &|| at(0), Duration::ZERO, 9)
            .await
            .expect("free");
        let long = Duration::from_secs(3600);
        turn.pause(long, at(0), Duration::ZERO)
            .await
            .expect("first");
        let error = pacer
            .turn("a", &|| at(0), Duration::from_millis(5), 9)
            .await;
        assert!(matches!(error, Err(FetchError::RateLimited { .. })));
        turn.done(long);
        let mut turn = pacer
            .turn("a", &|| at(0), Duration::ZERO, 9)
            .await
            .expect("free");
        let error = turn.pause(long, at(0), Duration::from_secs(5)).await;
        assert!(error.expect_err("too long").retry_at().expect("time") > at(3000));
    }
}
