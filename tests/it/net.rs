//! The fetcher against servers on loopback: manners, limits, and the guard. What must
//! not be connected to is counted at the victim.

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

// The guard.

#[tokio::test]
async fn a_redirect_into_the_private_network_connects_to_nothing() {
    let victim = Server::start(|_: &Request| Script::Send(answer(200, &[], b"secret"))).await;
    let port = victim.address.port();
    let targets = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://user@127.0.0.1:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("http://shop.example:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ];
    let list = targets.clone();
    let shop = Server::start(move |r: &Request| {
        let i: usize = r.path[1..].parse().unwrap_or(0);
        page(r, 302, &[("location", &list[i])], b"")
    })
    .await;
    let fetcher = Fetcher::assemble(
        config(&[&shop]),
        Arc::new(SystemClock),
        Names::new(&[
            ("shop.example", &[&["127.0.0.1"]]),
            ("localhost", &[&["127.0.0.1"]]),
        ]),
    )
    .expect("fetcher");
    for (i, target) in targets.iter().enumerate() {
        let error = get(&fetcher, shop.url(&format!("/{i}")))
            .await
            .expect_err(target);
        assert_eq!(error.trouble(), Trouble::Refused, "{target}: {error}");
        // The same address asked for directly, and through the other doors.
        if let Ok(url) = Url::parse(target) {
            let direct = get(&fetcher, url.clone()).await.expect_err(target);
            assert_eq!(direct.trouble(), Trouble::Refused, "{target}");
            let api = fetcher
                .get_api(url.clone(), "*/*", &[])
                .await
                .expect_err(target);
            assert_eq!(api.trouble(), Trouble::Refused, "{target}");
            let post = fetcher
                .post_json(url, b"{}".to_vec(), "application/json", &[])
                .await;
            assert_eq!(
                post.expect_err(target).trouble(),
                Trouble::Refused,
                "{target}"
            );
        }
    }
    assert_eq!(victim.connections(), 0);
}

#[tokio::test]
async fn robots_txt_is_no_way_around_the_guard() {
    let victim = Server::start(|_: &Request| Script::Send(answer(200, &[], b""))).await;
    let target = victim.url("/").to_string();
    let shop =
        Server::start(move |_: &Request| Script::Send(answer(302, &[("location", &target)], b"")))
            .await;
    let error = get(&fetcher(&[&shop]), shop.url("/p"))
        .await
        .expect_err("refused");
    assert_eq!(error.trouble(), Trouble::Refused, "{error}");
    assert_eq!(shop.paths(), ["/robots.txt"]);
    assert_eq!(victim.connections(), 0);
}

/// A server on a web port, where the text of an address gives nothing away.
async fn victim_on_port_80(ip: &str) -> Option<Server> {
    let secret = |_: &Request| Script::Send(answer(200, &[], b"secret"));
    let victim = Server::start_at(&format!("{ip}:80"), secret).await;
    if let Err(e) = &victim {
        println!("connects not counted: {ip}:80: {e}");
    }
    victim.ok()
}

#[tokio::test]
async fn a_name_that_leads_home_is_not_followed() {
    let victims = [
        victim_on_port_80("127.0.0.66").await,
        victim_on_port_80("[::1]").await,
    ];
    let names = Names::new(&[
        ("plain.example", &[&["127.0.0.66"]]),
        ("six.example", &[&["::1"]]),
        ("mixed.example", &[&["93.184.216.34", "127.0.0.66"]]),
        (
            "mixed6.example",
            &[&["2606:4700:4700::1111", "::ffff:127.0.0.66"]],
        ),
        ("nat64.example", &[&["64:ff9b::7f00:42"]]),
        ("lan.example", &[&["192.168.1.1"]]),
        ("cgnat.example", &[&["100.64.0.1"]]),
        ("meta.example", &[&["169.254.169.254"]]),
        ("rebinding.example", &[&["127.0.0.66"], &["127.0.0.66"]]),
        ("zero.example", &[&["0.0.0.0"]]),
    ]);
    let fetcher = Fetcher::assemble(NetConfig::default(), Arc::new(SystemClock), names.clone())
        .expect("fetcher");
    let hosts: Vec<String> = names.table.lock().expect("lock").keys().cloned().collect();
    for host in &hosts {
        let url: Url = format!("http://{host}/").parse().expect("URL");
        let error = fetcher
            .get_api(url.clone(), "*/*", &[])
            .await
            .expect_err(host);
        assert!(
            matches!(&error, FetchError::Refused(Refusal::Private { host: h, .. }) if h == host),
            "{host}: {error}"
        );
        let error = get(&fetcher, url).await.expect_err(host);
        assert_eq!(error.trouble(), Trouble::Refused, "{host}: {error}");
    }
    for victim in victims.iter().flatten() {
        assert_eq!(victim.connections(), 0);
    }
}

/// The name answers with a public address while it is looked at and with a private one
/// afterwards. There is one lookup only, and its answer is the one connected to.
#[tokio::test]
async fn there_is_no_second_lookup_to_lie_to() {
    let victim = victim_on_port_80("127.0.0.67").await;
    // 240.0.0.1 would be refused; a public address nobody answers at is not at hand on
    // loopback, so the first answer is empty: allowed, and leads nowhere.
    let names = Names::new(&[("rebinding.example", &[&[], &["127.0.0.67"]])]);
    let fetcher = Fetcher::assemble(NetConfig::default(), Arc::new(SystemClock), names.clone())
        .expect("fetcher");
    let url: Url = "http://rebinding.example/".parse().expect("URL");
    let error = fetcher
        .get_api(url.clone(), "*/*", &[])
        .await
        .expect_err("nowhere");
    assert_eq!(error.trouble(), Trouble::VendorDown, "{error}");
    assert_eq!(names.lookups.load(Ordering::SeqCst), 1);
    let error = fetcher.get_api(url, "*/*", &[]).await.expect_err("private");
    assert_eq!(error.trouble(), Trouble::Refused, "{error}");
    if let Some(victim) = victim {
        assert_eq!(victim.connections(), 0);
    }
}

#[tokio::test]
async fn a_listed_name_may_be_at_home() {
    let nas = Server::start(|r: &Request| page(r, 200, &[], b"mine")).await;
    let port = nas.address.port();
    let names = Names::new(&[("nas.example", &[&["127.0.0.1"]])]);
    let config = NetConfig {
        allow_private: vec![format!("nas.example:{port}")],
        ..config(&[])
    };
    let fetcher = Fetcher::assemble(config, Arc::new(SystemClock), names).expect("fetcher");
    let url: Url = format!("http://nas.example:{port}/").parse().expect("URL");
    assert_eq!(get(&fetcher, url).await.expect("page").body, b"mine");
    let url: Url = "http://nas.example/".parse().expect("URL");
    let error = get(&fetcher, url).await.expect_err("another port");
    assert_eq!(error.trouble(), Trouble::Refused);
}

#[test]
fn nonsense_in_the_list_of_exceptions_is_said() {
    let config = NetConfig {
        allow_private: vec!["*".into()],
        ..NetConfig::default()
    };
    assert!(matches!(Fetcher::new(config), Err(FetchError::Setup(_))));
}

// Limits.

fn strict() -> Limits {
    Limits {
        compressed: 256 << 10,
        decoded: 1 << 20,
        first_byte: Duration::from_millis(400),
        connect: Duration::from_millis(400),
        total: Duration::from_secs(2),
        rate_bytes: 1000,
        rate_window: Duration::from_millis(300),
        ..Limits::default()
    }
}

async fn hostile(script: impl Fn() -> Script + Send + Sync + 'static) -> (Server, FetchError) {
    let shop = Server::start(move |r: &Request| match r.path.as_str() {
        "/robots.txt" => Script::Send(answer(404, &[], b"")),
        _ => script(),
    })
    .await;
    let config = NetConfig {
        limits: strict(),
        ..config(&[&shop])
    };
    let fetcher = Fetcher::new(config).expect("fetcher");
    let error = get(&fetcher, shop.url("/p")).await.expect_err("hostile");
    (shop, error)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n";

fn ok(rest: &[u8]) -> Vec<u8> {
    [OK, rest].concat()
}

#[tokio::test]
async fn a_body_of_ten_gigabytes_is_cut_early() {
    let (shop, error) = hostile(|| {
        Script::Drip(
            ok(b"content-length: 10000000000\r\n\r\n"),
            vec![b'x'; 64 << 10],
            Duration::ZERO,
        )
    })
    .await;
    assert!(
        matches!(
            error,
            FetchError::TooLarge {
                what: "announced",
                ..
            }
        ),
        "{error}"
    );
    // What is in the socket's buffers counts as sent.
    assert!(shop.sent() < 32 << 20, "{}", shop.sent());
}

#[tokio::test]
async fn endless_bodies_are_cut() {
    for head in [ok(b"\r\n"), ok(b"transfer-encoding: chunked\r\n\r\n")] {
        let chunked = head.windows(7).any(|w| w == b"chunked");
        let chunk = if chunked {
            [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat()
        } else {
            vec![b'x'; 0x4000]
        };
        let (shop, error) =
            hostile(move || Script::Drip(head.clone(), chunk.clone(), Duration::ZERO)).await;
        assert!(
            matches!(error, FetchError::TooLarge { limit: 262_144, .. }),
            "{error}"
        );
        assert_eq!(error.trouble(), Trouble::BadInput);
        assert!(shop.sent() < 32 << 20, "{}", shop.sent());
    }
}

#[tokio::test]
async fn bombs_do_not_go_off() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![0; 64 << 20]).expect("memory");
    let gzip = gzip.finish().expect("memory");
    let (_, error) =
        hostile(move || Script::Send(answer(200, &[("content-encoding", "gzip")], &gzip))).await;
    assert!(matches!(error, FetchError::Bomb(100)), "{error}");
    // 16 MiB of zeros as `brotli.compress(bytes(16 << 20), quality=11)` packs them.
    let brotli = [
        0xcb, 0xff, 0xff, 0x3f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x8f, 0xff,
        0xff, 0x7f, 0xf0, 0x4f, 0x00, 0xc4, 0x61, 0x11, 0x80, 0xee, 0xfd, 0xdf,
    ];
    let (_, error) =
        hostile(move || Script::Send(answer(200, &[("content-encoding", "br")], &brotli))).await;
    assert!(matches!(error, FetchError::Bomb(100)), "{error}");
}

#[tokio::test]
async fn trickling_answers_are_dropped() {
    let (_, error) =
        hostile(|| Script::Drip(ok(b"\r\n"), b"x".to_vec(), Duration::from_millis(20))).await;
    assert!(matches!(error, FetchError::TooSlow { .. }), "{error}");
    // Fast enough for the rate, but without end.
    let (_, error) =
        hostile(|| Script::Drip(ok(b"\r\n"), vec![b'x'; 200], Duration::from_millis(10))).await;
    assert!(matches!(error, FetchError::Timeout(..)), "{error}");
    assert_eq!(error.trouble(), Trouble::VendorDown);
}

#[tokio::test]
async fn heads_without_end_are_dropped() {
    // A field a little at a time, fields at full speed, one huge field, many fields.
    let (_, error) = hostile(|| {
        Script::Drip(
            OK.to_vec(),
            b"x-a: b\r\n".to_vec(),
            Duration::from_millis(50),
        )
    })
    .await;
    assert!(matches!(error, FetchError::Timeout(..)), "{error}");
    let (shop, error) = hostile(|| {
        Script::Drip(
            OK.to_vec(),
            b"x-a: bbbbbbbbbbbbbbbbbbbbb\r\n".repeat(200),
            Duration::ZERO,
        )
    })
    .await;
    assert!(!matches!(error, FetchError::Timeout(..)), "{error}");
    assert!(shop.sent() < 32 << 20, "{}", shop.sent());
    let (_, error) = hostile(|| {
        let field = format!("x: {}\r\ncontent-length: 1\r\n\r\nx", "y".repeat(100 << 10));
        Script::Send(ok(field.as_bytes()))
    })
    .await;
    assert!(
        matches!(error, FetchError::TooLarge { what: "header", .. }),
        "{error}"
    );
    let (_, error) = hostile(|| {
        let fields: String = (0..150).map(|i| format!("x-{i}: y\r\n")).collect();
        Script::Send(ok(format!("{fields}content-length: 1\r\n\r\nx").as_bytes()))
    })
    .await;
    assert!(
        matches!(
            error,
            FetchError::Transport { .. } | FetchError::TooLarge { .. }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn silence_and_broken_answers_are_errors() {
    let (_, error) = hostile(|| Script::Silence).await;
    assert!(matches!(error, FetchError::Timeout(..)), "{error}");
    for bytes in [
        b"".as_slice(),
        b"\x00\x01\x02\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-encoding: br\r\n\r\n",
    ] {
        let (_, error) = hostile(move || Script::Send(bytes.to_vec())).await;
        let what = String::from_utf8_lossy(bytes);
        let trouble = error.trouble();
        assert!(
            matches!(trouble, Trouble::VendorDown | Trouble::BadInput),
            "{what}: {error}"
        );
    }
}

#[tokio::test]
async fn https_without_a_certificate_is_no_connection() {
    let shop = Server::start(|_: &Request| Script::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())).await;
    let mut url = shop.url("/");
    url.set_scheme("https").expect("scheme");
    let config = NetConfig {
        limits: strict(),
        ..config(&[&shop])
    };
    let fetcher = Fetcher::new(config).expect("fetcher");
    let error = get(&fetcher, url).await.expect_err("no TLS");
    assert_eq!(error.trouble(), Trouble::VendorDown, "{error}");
}

#[tokio::test]
async fn nobody_there_is_an_error_too() {
    let names = Names::new(&[]);
    let fetcher =
        Fetcher::assemble(NetConfig::default(), Arc::new(SystemClock), names).expect("fetcher");
    let error = get(
        &fetcher,
        "http://no-such-shop.example/".parse().expect("URL"),
    )
    .await;
    let error = error.expect_err("no name");
    assert_eq!(error.trouble(), Trouble::VendorDown, "{error}");
    assert!(error.to_string().contains("no such name"), "{error}");
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
