//! The sandboxed child: what it cannot do, and what its end costs.

mod hostile;

use emptor::worker::{Job, Reply, Source, WorkerError, WorkerLimits, WorkerPool};
use std::path::PathBuf;
use std::time::Duration;

fn exe() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_emptor"))
}

fn page() -> Job {
    Job::ReadPage(Source {
        url: "https://shop.example/p/1".parse().expect("URL"),
        status: 200,
        content_type: Some("text/html; charset=utf-8".into()),
        adapter: None,
        shop_currency: None,
    })
}

const PRODUCT: &[u8] = br#"<html><title>Lamp</title><script type="application/ld+json">
{"@context":"https://schema.org","@type":"Product","name":"Lamp",
 "offers":{"@type":"Offer","price":"19.90","priceCurrency":"EUR"}}</script>"#;

/// A page that keeps the reader busy: many nodes, many candidates for a price.
fn heavy_page() -> Vec<u8> {
    "<div><p>Price 1.299,00 EUR <b>12</b></p></div>"
        .repeat(300_000)
        .into_bytes()
}

#[tokio::test]
async fn reads_a_page() {
    let pool = WorkerPool::new(1, exe());
    let reply = pool.call(page(), PRODUCT.to_vec()).await.expect("reply");
    assert!(matches!(reply, Reply::Extraction(_)), "{reply:?}");
    let list = Job::ReadList(Source {
        url: "https://shop.example/search?q=lamp".parse().expect("URL"),
        status: 200,
        content_type: None,
        adapter: None,
        shop_currency: None,
    });
    let reply = pool.call(list, b"<a href=/p/1>Lamp</a>".to_vec()).await;
    assert!(matches!(reply, Ok(Reply::Listings(_))), "{reply:?}");
    assert_eq!(pool.idle_workers(), 1, "one child did all of it");
}

#[tokio::test]
async fn a_broken_adapter_is_an_error_of_the_job() {
    let pool = WorkerPool::new(1, exe());
    let job = Job::ReadPage(Source {
        url: "https://shop.example/p/1".parse().expect("URL"),
        status: 200,
        content_type: None,
        adapter: Some("this = is = no manifest".into()),
        shop_currency: None,
    });
    let error = pool.call(job, PRODUCT.to_vec()).await.expect_err("fault");
    assert!(matches!(error, WorkerError::Failed(_)), "{error:?}");
    pool.call(page(), PRODUCT.to_vec())
        .await
        .expect("the child lives");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_child_can_touch_nothing() {
    let pool = WorkerPool::new(1, exe());
    let Reply::Checks(checks) = pool.call(Job::SelfCheck, Vec::new()).await.expect("checks") else {
        panic!("another reply");
    };
    assert!(checks.len() >= 8);
    let open: Vec<_> = checks.iter().filter(|c| !c.forbidden).collect();
    let report = pool.sandbox_report().await.expect("report");
    println!("{report:?}");
    assert!(report.rlimits && report.no_new_privs, "{report:?}");
    // A kernel without seccomp is the one excuse, and then the report says so.
    if report.seccomp {
        assert!(open.is_empty(), "not forbidden: {open:?}");
    } else {
        assert!(!report.missing.is_empty());
    }
}

#[tokio::test]
async fn a_page_that_takes_too_long_costs_one_job() {
    let limits = WorkerLimits {
        wall: Duration::from_millis(1500),
        ..WorkerLimits::default()
    };
    // A real program that never answers stands for an endless loop.
    let pool = WorkerPool::with_limits(1, "/bin/cat".into(), limits);
    let error = pool.call(page(), Vec::new()).await.expect_err("no worker");
    assert!(
        matches!(
            error,
            WorkerError::Timeout(_) | WorkerError::Died(_) | WorkerError::Protocol(_)
        ),
        "{error:?}"
    );
    let limits = WorkerLimits {
        wall: Duration::from_millis(1),
        ..WorkerLimits::default()
    };
    let pool = WorkerPool::with_limits(1, exe(), limits);
    let error = pool.call(page(), heavy_page()).await.expect_err("too slow");
    assert!(matches!(error, WorkerError::Timeout(_)), "{error:?}");
    assert_eq!(pool.idle_workers(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_page_that_needs_too_much_memory_costs_one_job() {
    // The least memory, in steps of 16 MiB, that a small page can be read with; a body
    // of 31 MiB cannot fit into what is left over.
    for step in 2..64 {
        let limits = WorkerLimits {
            memory: step * (16 << 20),
            ..WorkerLimits::default()
        };
        let pool = WorkerPool::with_limits(1, exe(), limits);
        if pool.call(page(), PRODUCT.to_vec()).await.is_err() {
            continue;
        }
        let error = pool
            .call(page(), vec![b'<'; 31 << 20])
            .await
            .expect_err("too large");
        assert!(matches!(error, WorkerError::Died(_)), "{error:?}");
        pool.call(page(), PRODUCT.to_vec())
            .await
            .expect("the next job");
        return;
    }
    panic!("a small page needs more than 1 GiB");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_child_killed_from_outside_is_replaced() {
    let pool = WorkerPool::new(1, exe());
    pool.call(page(), PRODUCT.to_vec()).await.expect("first");
    let before = children();
    assert!(!before.is_empty());
    for pid in &before {
        rustix::process::kill_process(*pid, rustix::process::Signal::KILL).expect("kill");
    }
    // Dead while idle, or found dead at the next job: either way the one after works.
    let _ = pool.call(page(), PRODUCT.to_vec()).await;
    pool.call(page(), PRODUCT.to_vec())
        .await
        .expect("a new child");
}

/// The children this thread started; other tests run on other threads.
#[cfg(target_os = "linux")]
fn children() -> Vec<rustix::process::Pid> {
    std::fs::read_to_string("/proc/thread-self/children")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .filter_map(rustix::process::Pid::from_raw)
        .collect()
}

#[tokio::test]
async fn jobs_beyond_the_pool_wait_and_all_are_answered() {
    let pool = WorkerPool::new(2, exe());
    let mut jobs = Vec::new();
    for _ in 0..12 {
        let pool = pool.clone();
        jobs.push(tokio::spawn(async move {
            pool.call(page(), PRODUCT.to_vec()).await
        }));
    }
    for job in jobs {
        job.await.expect("task").expect("reply");
    }
    assert!((1..=2).contains(&pool.idle_workers()));
}

#[tokio::test]
async fn idle_children_are_let_go() {
    let limits = WorkerLimits {
        idle: Duration::from_millis(50),
        ..WorkerLimits::default()
    };
    let pool = WorkerPool::with_limits(1, exe(), limits);
    pool.call(page(), PRODUCT.to_vec()).await.expect("reply");
    while pool.idle_workers() > 0 {
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

#[tokio::test]
async fn a_child_is_retired_before_its_time_is_up() {
    let limits = WorkerLimits {
        retire_after: Duration::ZERO,
        ..WorkerLimits::default()
    };
    let pool = WorkerPool::with_limits(1, exe(), limits);
    for _ in 0..3 {
        pool.call(page(), PRODUCT.to_vec()).await.expect("reply");
        assert_eq!(pool.idle_workers(), 0);
    }
}

#[tokio::test]
async fn no_binary_is_an_error() {
    let pool = WorkerPool::new(1, "/nonexistent/emptor".into());
    let error = pool
        .call(page(), Vec::new())
        .await
        .expect_err("nothing to run");
    assert!(matches!(error, WorkerError::Spawn(_)), "{error:?}");
    let huge = vec![0; 33 << 20];
    let error = pool.call(page(), huge).await.expect_err("too large");
    assert!(matches!(error, WorkerError::TooLarge { .. }), "{error:?}");
}

/// Pages made to hurt: each gives an answer or an error within its bounds, nothing that
/// could steer a terminal comes out, and afterwards an honest page is read as before.
/// `EMPTOR_HOSTILE_PAGES` sets how many.
#[tokio::test]
async fn hostile_pages_are_contained() {
    let pages: u64 = std::env::var("EMPTOR_HOSTILE_PAGES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(hostile::KINDS * 2);
    let pool = WorkerPool::new(2, exe());
    let honest = pool.call(page(), PRODUCT.to_vec()).await.expect("reply");
    let mut tasks = tokio::task::JoinSet::new();
    for seed in 0..pages {
        let pool = pool.clone();
        if tasks.len() >= 4 {
            tasks.join_next().await.expect("running").expect("no panic");
        }
        tasks.spawn(async move {
            let body = hostile::page(seed);
            let size = body.len();
            let started = std::time::Instant::now();
            let outcome = pool.call(page(), body).await;
            let kind = seed % hostile::KINDS;
            let took = started.elapsed();
            match outcome {
                Ok(Reply::Extraction(found)) => {
                    // JSON writes what could steer a terminal as an escape.
                    let json = serde_json::to_string(&found).expect("JSON");
                    assert!(!json.contains("\\u00"), "kind {kind}: {json:.300}");
                    assert!(
                        !json.contains(['\u{7f}', '\u{9b}', '\u{202e}', '\u{200b}']),
                        "kind {kind}: {json:.300}"
                    );
                    println!(
                        "kind {kind:2} {size:8} bytes {took:9.1?} {:?}",
                        found.verdict
                    );
                }
                Ok(other) => panic!("kind {kind}: {other:?}"),
                Err(e) => println!("kind {kind:2} {size:8} bytes {took:9.1?} {e}"),
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("no panic");
    }
    let again = pool.call(page(), PRODUCT.to_vec()).await.expect("reply");
    assert_eq!(again, honest);
}
