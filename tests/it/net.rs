//! The fetcher against servers on loopback: manners, redirects, API calls; the guard and
//! the limits in modules of their own.

mod guard;
mod limits;
mod server;

use emptor::model::seller::Trouble;
use emptor::model::time::{SignedDuration, Timestamp};
use emptor::net::{
    Answers, Clock, FetchError, FetchRequest, Fetched, Fetcher, Limits, Lookup, NetConfig, Refusal,
    SystemClock, SystemLookup, Validators, user_agent,
};
use server::{Request, Script, Server, answer, page};
use std::collections::HashMap;
use std::io::Write;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use url::Url;

/// No waiting where a test is not about waiting.
fn config(servers: &[&Server]) -> NetConfig {
    NetConfig {
        gap: Duration::ZERO,
        api_gap: Duration::ZERO,
        allow_private: servers.iter().map(|s| s.host()).collect(),
        ..NetConfig::default()
    }
}

fn fetcher(servers: &[&Server]) -> Fetcher {
    Fetcher::new(config(servers)).expect("fetcher")
}

async fn get(fetcher: &Fetcher, url: Url) -> Result<Fetched, FetchError> {
    fetcher.get(FetchRequest::page(url)).await
}

/// A clock that is set by hand.
#[derive(Clone)]
struct HandClock(Arc<AtomicI64>);

impl HandClock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_800_000_000)))
    }

    fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).expect("in range")
    }
}

/// A name server with a table; each lookup of a name gives its next answer, the last
/// one for ever.
#[derive(Default)]
struct Names {
    table: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    lookups: AtomicU32,
}

impl Names {
    fn new(entries: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let parse = |answers: &[&[&str]]| {
            let list = |a: &&[&str]| a.iter().map(|ip| ip.parse().expect("address")).collect();
            answers.iter().map(list).collect()
        };
        let table = entries
            .iter()
            .map(|(n, a)| ((*n).to_owned(), parse(a)))
            .collect();
        Arc::new(Self {
            table: Mutex::new(table),
            lookups: AtomicU32::new(0),
        })
    }
}

impl Lookup for Names {
    fn lookup(&self, name: String) -> Answers {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut table = self.table.lock().expect("lock");
        let answers = table.get_mut(&name);
        let answer = answers.map(|a| {
            if a.len() > 1 {
                a.remove(0)
            } else {
                a[0].clone()
            }
        });
        Box::pin(async move {
            answer.ok_or_else(|| std::io::Error::new(std::io::ErrorKind::NotFound, "no such name"))
        })
    }
}

// Manners.

#[tokio::test]
async fn robots_txt_is_read_once_and_obeyed() {
    let shop = Server::start(|r: &Request| {
        Script::Send(match r.path.as_str() {
            "/robots.txt" => answer(
                200,
                &[],
                b"User-agent: *\nDisallow: /\n\nUser-agent: emptor\nDisallow: /private\n",
            ),
            _ => answer(200, &[("content-type", "text/html")], b"<p>hello"),
        })
    })
    .await;
    let clock = HandClock::new();
    let fetcher = Fetcher::assemble(
        config(&[&shop]),
        Arc::new(clock.clone()),
        Arc::new(SystemLookup),
    )
    .expect("fetcher");
    let page = get(&fetcher, shop.url("/p/1#top")).await.expect("allowed");
    assert_eq!(page.body, b"<p>hello");
    assert_eq!(page.content_type.as_deref(), Some("text/html"));
    assert_eq!(page.final_url, shop.url("/p/1"));
    get(&fetcher, shop.url("/p/2")).await.expect("allowed");
    let error = get(&fetcher, shop.url("/private/x?y"))
        .await
        .expect_err("forbidden");
    assert_eq!(error.trouble(), Trouble::BlockedByRobots);
    assert!(error.to_string().contains("line 5: /private"), "{error}");
    let decision = fetcher.robots(&shop.url("/private")).await.expect("known");
    assert!(!decision.allowed);
    assert_eq!(shop.paths(), ["/robots.txt", "/p/1", "/p/2"]);

    clock.forward(24 * 3600);
    get(&fetcher, shop.url("/p/3")).await.expect("allowed");
    assert_eq!(shop.paths()[3..], ["/robots.txt", "/p/3"]);
}

#[tokio::test]
async fn without_robots_txt_everything_may_be_read_unless_the_server_is_in_trouble() {
    for (status, may) in [
        (404, true),
        (403, true),
        (410, true),
        (500, false),
        (502, false),
    ] {
        let shop = Server::start(move |r: &Request| {
            Script::Send(match r.path.as_str() {
                "/robots.txt" => answer(status, &[], b"User-agent: *\nDisallow: /"),
                _ => answer(200, &[], b"x"),
            })
        })
        .await;
        let fetcher = fetcher(&[&shop]);
        for _ in 0..2 {
            match get(&fetcher, shop.url("/p")).await {
                Ok(_) => assert!(may, "{status}"),
                Err(e) => {
                    assert!(!may, "{status}: {e}");
                    assert_eq!(e.trouble(), Trouble::VendorDown);
                }
            }
        }
        let asked = shop.paths().iter().filter(|p| *p == "/robots.txt").count();
        assert_eq!(asked, 1, "the answer is remembered");
        assert_eq!(shop.paths().len(), if may { 3 } else { 1 });
    }
}

#[tokio::test]
async fn robots_txt_may_be_somewhere_else() {
    let other = Server::start(|_: &Request| {
        Script::Send(answer(200, &[], b"User-agent: *\nDisallow: /no"))
    })
    .await;
    let target = other.url("/their-robots.txt").to_string();
    let shop = Server::start(move |r: &Request| {
        Script::Send(match r.path.as_str() {
            "/robots.txt" => answer(301, &[("location", &target)], b""),
            _ => answer(200, &[], b"x"),
        })
    })
    .await;
    let fetcher = fetcher(&[&shop, &other]);
    get(&fetcher, shop.url("/yes")).await.expect("allowed");
    let error = get(&fetcher, shop.url("/no")).await.expect_err("forbidden");
    assert_eq!(error.trouble(), Trouble::BlockedByRobots);

    // One that goes in circles is none (RFC 9309, 2.3.1.2).
    let shop = Server::start(|r: &Request| {
        Script::Send(match r.path.as_str() {
            "/robots.txt" => answer(302, &[("location", "/robots.txt")], b""),
            _ => answer(200, &[], b"x"),
        })
    })
    .await;
    get(&self::fetcher(&[&shop]), shop.url("/p"))
        .await
        .expect("allowed");
}

#[tokio::test]
async fn one_host_is_asked_one_thing_at_a_time_with_a_pause() {
    let open = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&open);
    let shop = Server::start(move |r: &Request| {
        if r.path != "/robots.txt" {
            assert_eq!(counter.fetch_add(1, Ordering::SeqCst), 0, "two at once");
            std::thread::sleep(Duration::from_millis(5));
            counter.fetch_sub(1, Ordering::SeqCst);
        }
        page(r, 200, &[], b"x")
    })
    .await;
    let gap = Duration::from_millis(60);
    let fetcher = Fetcher::new(NetConfig {
        gap,
        ..config(&[&shop])
    })
    .expect("fetcher");
    let mut tasks = Vec::new();
    for i in 0..5 {
        let (fetcher, url) = (fetcher.clone(), shop.url(&format!("/{i}")));
        tasks.push(tokio::spawn(
            async move { get(&fetcher, url).await.map(drop) },
        ));
    }
    for task in tasks {
        task.await.expect("task").expect("page");
    }
    let visits: Vec<Instant> = shop
        .requests()
        .iter()
        .filter(|r| r.path != "/robots.txt")
        .map(|r| r.at)
        .collect();
    assert_eq!(visits.len(), 5);
    assert_eq!(shop.requests().len(), 6, "robots.txt once");
    for pair in visits.windows(2) {
        assert!(pair[1] - pair[0] >= gap, "{:?}", pair[1] - pair[0]);
    }
}

#[tokio::test]
async fn a_longer_crawl_delay_counts_instead() {
    let shop = Server::start(|r: &Request| {
        Script::Send(match r.path.as_str() {
            "/robots.txt" => answer(200, &[], b"User-agent: *\nCrawl-delay: 0.15\n"),
            _ => answer(200, &[], b"x"),
        })
    })
    .await;
    let fetcher = fetcher(&[&shop]);
    for i in 0..3 {
        get(&fetcher, shop.url(&format!("/{i}")))
            .await
            .expect("page");
    }
    let visits: Vec<Instant> = shop.requests()[1..].iter().map(|r| r.at).collect();
    for pair in visits.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(150));
    }
}

#[tokio::test]
async fn a_host_that_asks_for_a_pause_gets_it() {
    let calls = Arc::new(AtomicU32::new(0));
    for (status, field, pause) in [
        (429, Some("120"), 120),
        (503, Some("30"), 30),
        (429, None, 60),
        (429, Some("Fri, 15 Jan 2027 08:01:00 GMT"), 60),
    ] {
        let seen = Arc::clone(&calls);
        seen.store(0, Ordering::SeqCst);
        let shop = Server::start(move |r: &Request| {
            if r.path == "/p" && seen.fetch_add(1, Ordering::SeqCst) == 0 {
                let fields: Vec<_> = field.iter().map(|f| ("retry-after", *f)).collect();
                return Script::Send(answer(status, &fields, b""));
            }
            page(r, 200, &[], b"x")
        })
        .await;
        let clock = HandClock::new();
        let now = clock.now();
        assert_eq!(now.to_string(), "2027-01-15T08:00:00Z");
        let fetcher = Fetcher::assemble(
            config(&[&shop]),
            Arc::new(clock.clone()),
            Arc::new(SystemLookup),
        )
        .expect("fetcher");
        let error = get(&fetcher, shop.url("/p")).await.expect_err("pause");
        assert_eq!(error.trouble(), Trouble::RateLimited);
        assert_eq!(
            error.retry_at(),
            Some(now + SignedDuration::from_secs(pause))
        );
        clock.forward(pause - 1);
        let error = get(&fetcher, shop.url("/q")).await.expect_err("still");
        assert_eq!(
            error.retry_at(),
            Some(now + SignedDuration::from_secs(pause))
        );
        assert_eq!(shop.paths(), ["/robots.txt", "/p"], "it was left alone");
        clock.forward(1);
        get(&fetcher, shop.url("/p")).await.expect("over");
    }
}

#[tokio::test]
async fn a_page_that_did_not_change_is_not_sent_again() {
    let shop = Server::start(|r: &Request| {
        let fields = [
            ("etag", "\"v1\""),
            ("last-modified", "Fri, 15 Jan 2027 08:01:00 GMT"),
        ];
        if r.headers
            .get("if-none-match")
            .is_some_and(|v| v == "\"v1\"")
        {
            assert!(r.headers.contains_key("if-modified-since"));
            return page(r, 304, &[], b"");
        }
        page(r, 200, &fields, b"body")
    })
    .await;
    let fetcher = fetcher(&[&shop]);
    let first = get(&fetcher, shop.url("/p")).await.expect("page");
    assert!(!first.not_modified && !first.validators.is_empty());
    let again = FetchRequest {
        validators: Some(first.validators.clone()),
        ..FetchRequest::page(shop.url("/p"))
    };
    let second = fetcher.get(again).await.expect("page");
    assert!(second.not_modified && second.body.is_empty());
    assert_eq!(
        second.validators, first.validators,
        "kept for the next time"
    );
}

#[tokio::test]
async fn a_304_nobody_asked_for_is_no_page() {
    let shop = Server::start(|r: &Request| page(r, 304, &[], b"")).await;
    let error = get(&fetcher(&[&shop]), shop.url("/p"))
        .await
        .expect_err("no page");
    assert!(
        matches!(error, FetchError::Status { status: 304, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn it_says_who_it_is_and_nothing_else() {
    let shop = Server::start(|r: &Request| page(r, 200, &[("set-cookie", "id=1")], b"x")).await;
    let config = NetConfig {
        user_agent: user_agent(Some("https://me.example/(bot)\r\nX: y")),
        ..config(&[&shop])
    };
    let fetcher = Fetcher::new(config).expect("fetcher");
    for _ in 0..2 {
        get(&fetcher, shop.url("/p")).await.expect("page");
    }
    for request in shop.requests() {
        let agent = &request.headers["user-agent"];
        assert!(agent.starts_with("emptor/"), "{agent}");
        assert!(agent.contains("+https://me.example/bot") && !agent.contains("Mozilla"));
        let mut names: Vec<_> = request.headers.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
    }
}

#[tokio::test]
async fn statuses_become_troubles() {
    for (status, trouble) in [
        (404, Trouble::Gone),
        (410, Trouble::Gone),
        (403, Trouble::Blocked),
        (451, Trouble::Blocked),
        (500, Trouble::VendorDown),
        (503, Trouble::VendorDown),
    ] {
        let shop = Server::start(move |r: &Request| page(r, status, &[], b"no")).await;
        let error = get(&fetcher(&[&shop]), shop.url("/p"))
            .await
            .expect_err("no page");
        assert_eq!(error.trouble(), trouble, "{status}");
    }
}

// Redirects.

#[tokio::test]
async fn redirects_are_followed_and_checked_each_time() {
    let other = Server::start(|r: &Request| {
        Script::Send(match r.path.as_str() {
            "/robots.txt" => answer(200, &[], b"User-agent: *\nDisallow: /closed"),
            _ => answer(200, &[], b"there"),
        })
    })
    .await;
    let (open, closed) = (other.url("/open"), other.url("/closed"));
    let shop = Server::start(move |r: &Request| match r.path.as_str() {
        "/a" => page(r, 302, &[("location", "b")], b""),
        "/b" => page(r, 301, &[("location", open.as_str())], b""),
        "/c" => page(r, 307, &[("location", closed.as_str())], b""),
        "/nowhere" => page(r, 302, &[], b""),
        "/broken" => page(r, 302, &[("location", "http://[")], b""),
        "/ftp" => page(r, 302, &[("location", "ftp://a.example.com/")], b""),
        "/loop" => page(r, 302, &[("location", "/pool")], b""),
        "/pool" => page(r, 302, &[("location", "/loop")], b""),
        path => {
            let n: u32 = path.trim_start_matches("/n").parse().unwrap_or(0);
            page(r, 302, &[("location", &format!("/n{}", n + 1))], b"")
        }
    })
    .await;
    let fetcher = fetcher(&[&shop, &other]);
    let page = get(&fetcher, shop.url("/a")).await.expect("page");
    assert_eq!(page.body, b"there");
    assert_eq!(page.final_url, other.url("/open"));
    assert_eq!(page.redirects, [shop.url("/a"), shop.url("/b")]);

    let trouble = |path: &str| {
        let (fetcher, url) = (fetcher.clone(), shop.url(path));
        async move { get(&fetcher, url).await.expect_err("no page") }
    };
    assert_eq!(trouble("/c").await.trouble(), Trouble::BlockedByRobots);
    assert!(matches!(
        trouble("/nowhere").await,
        FetchError::BadRedirect { .. }
    ));
    assert!(matches!(
        trouble("/broken").await,
        FetchError::BadRedirect { .. }
    ));
    assert!(matches!(
        trouble("/ftp").await,
        FetchError::Refused(Refusal::Scheme(_))
    ));
    assert!(matches!(
        trouble("/loop").await,
        FetchError::TooManyRedirects(_)
    ));
    let before = shop.requests().len();
    assert!(matches!(
        trouble("/n0").await,
        FetchError::TooManyRedirects(_)
    ));
    assert_eq!(shop.requests().len() - before, 6, "the first and five more");
}

// API calls.

#[tokio::test]
async fn api_calls_need_no_robots_txt_and_keep_their_secrets() {
    let other = Server::start(|r: &Request| {
        assert!(
            !r.headers.contains_key("authorization"),
            "sent on to another host"
        );
        Script::Send(answer(200, &[], b"{}"))
    })
    .await;
    let elsewhere = other.url("/").to_string();
    let api = Server::start(move |r: &Request| {
        assert_eq!(r.headers["authorization"], "Bearer s3cret");
        Script::Send(match r.path.as_str() {
            "/moved" => answer(302, &[("location", &elsewhere)], b""),
            "/bad" => answer(
                400,
                &[("content-type", "application/problem+json")],
                b"{\"e\":1}",
            ),
            "/busy" => answer(429, &[("retry-after", "7")], b""),
            _ => answer(
                202,
                &[
                    ("content-type", "application/json"),
                    ("location", "/made/1"),
                ],
                &r.body,
            ),
        })
    })
    .await;
    let fetcher = fetcher(&[&api, &other]);
    let secret = [("authorization", "Bearer s3cret")];
    let post = |path: &str| {
        let (fetcher, url) = (fetcher.clone(), api.url(path));
        async move {
            fetcher
                .post_json(url, b"{\"a\":1}".to_vec(), "application/ld+json", &secret)
                .await
        }
    };
    let reply = post("/in").await.expect("reply");
    assert_eq!(
        (reply.status, reply.body.as_slice()),
        (202, b"{\"a\":1}".as_slice())
    );
    assert_eq!(
        api.requests()[0].headers["content-type"],
        "application/ld+json"
    );
    assert_eq!(api.requests()[0].method, "POST");
    assert_eq!(reply.location.as_deref(), Some("/made/1"));
    let reply = post("/bad").await.expect("any status is an answer");
    assert_eq!(
        (reply.status, reply.body.as_slice()),
        (400, b"{\"e\":1}".as_slice())
    );
    assert!(matches!(
        post("/moved").await,
        Err(FetchError::BadRedirect { .. })
    ));
    assert_eq!(other.connections(), 0, "a body is not sent on");
    let moved = fetcher
        .get_api(api.url("/moved"), "application/json", &secret)
        .await;
    assert_eq!(moved.expect("reply").final_url, other.url("/"));
    let error = post("/busy").await.expect_err("busy");
    assert_eq!(error.trouble(), Trouble::RateLimited);
    let before = api.connections();
    assert_eq!(
        post("/in").await.expect_err("still").trouble(),
        Trouble::RateLimited
    );
    assert_eq!(api.connections(), before);
    assert!(!api.paths().contains(&"/robots.txt".to_owned()));
}

#[tokio::test]
async fn validators_from_a_stranger_do_no_harm() {
    let shop = Server::start(|r: &Request| page(r, 200, &[], b"x")).await;
    let request = FetchRequest {
        validators: Some(Validators {
            etag: Some("\"a\"\r\nx-evil: 1".into()),
            last_modified: Some("\u{0}".into()),
        }),
        ..FetchRequest::page(shop.url("/p"))
    };
    fetcher(&[&shop]).get(request).await.expect("page");
    for request in shop.requests() {
        assert!(!request.headers.contains_key("x-evil"));
    }
}
