//! The daemon with a person's vault: idle memory and the latency of `emptor offers`.
//!
//! `cargo bench --bench daemon` makes a vault of 1,000 wants and 100,000 observations,
//! starts the real daemon on it, and prints a table. Linux only: it reads `/proc`.

use emptor::agent::store::{Link, Listing, Store, Zone};
use emptor::market::crawl::{self, CrawlJob};
use emptor::model::offer::{Observation, Offer};
use emptor::model::seller::Shop;
use emptor::model::time::{SignedDuration, Timestamp};
use emptor::model::{Availability, Condition, Money, Want};
use emptor::vault::{KdfCost, Options, SecretString, Vault, VaultPaths};
use rust_decimal::Decimal;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const WANTS: usize = 1_000;
const LISTINGS_EACH: usize = 2;
const OBSERVATIONS_EACH: usize = 50;
const SHOPS: usize = 20;

fn main() {
    let home = tempfile::tempdir().expect("a directory");
    let passphrase = home.path().join("passphrase");
    std::fs::write(&passphrase, "a bench's passphrase").expect("a file");
    std::fs::write(
        home.path().join("config.toml"),
        "[fx]\nsource = \"\"\n[notify]\ndesktop = false\n",
    )
    .expect("a file");
    let name = fill(home.path());
    let emptor = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emptor"));
        command
            .args(args)
            .env("EMPTOR_HOME", home.path())
            .env("EMPTOR_PASSPHRASE_FILE", &passphrase)
            .stdout(Stdio::null());
        command
    };
    let begin = Instant::now();
    assert!(emptor(&["unlock"]).status().expect("emptor").success());
    println!(
        "start and unlock        {:>8.0} ms",
        millis(begin.elapsed())
    );
    let pid = pid(home.path());
    std::thread::sleep(Duration::from_secs(5));
    println!("idle memory             {:>8.1} MiB", memory(pid));
    let mut times: Vec<f64> = (0..50)
        .map(|_| {
            let begin = Instant::now();
            assert!(
                emptor(&["offers", &name, "--json"])
                    .status()
                    .expect("emptor")
                    .success()
            );
            millis(begin.elapsed())
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "offers WANT --json      {:>8.1} ms median, {:.1} ms p95",
        times[25], times[47]
    );
    let begin = Instant::now();
    assert!(
        emptor(&["offers", "--json"])
            .status()
            .expect("emptor")
            .success()
    );
    println!(
        "offers --json, all      {:>8.1} ms",
        millis(begin.elapsed())
    );
    std::thread::sleep(Duration::from_secs(35));
    println!("idle memory afterwards  {:>8.1} MiB", memory(pid));
    let _ = emptor(&["daemon", "stop"]).status();
}

fn millis(d: Duration) -> f64 {
    d.as_secs_f64() * 1000.0
}

fn pid(home: &Path) -> u32 {
    let output = Command::new(env!("CARGO_BIN_EXE_emptor"))
        .args(["daemon", "status", "--json"])
        .env("EMPTOR_HOME", home)
        .output()
        .expect("emptor");
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    status["pid"]
        .as_u64()
        .and_then(|p| u32::try_from(p).ok())
        .expect("a process id")
}

/// Resident memory in MiB.
fn memory(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("/proc");
    let line = status
        .lines()
        .find(|l| l.starts_with("VmRSS:"))
        .expect("VmRSS");
    let kib: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("a number");
    kib / 1024.0
}

/// Fills a vault and returns the name of one want.
fn fill(home: &Path) -> String {
    let paths = VaultPaths::new(home.join("vault"), home.join("state/anchor"));
    std::fs::create_dir_all(home.join("state")).expect("a directory");
    let options = Options {
        kdf: KdfCost::FLOOR,
        ..Options::default()
    };
    let secret = SecretString::from("a bench's passphrase");
    let (vault, _) = Vault::create(&paths, &secret, options).expect("a vault");
    let store = Store::open(vault).expect("a store");
    let now = Timestamp::now();
    let price = |i: usize, j: usize| {
        let cents = 1000 + (i * 7919 + j * 31) % 50_000;
        Money::new(Decimal::new(cents as i64, 2), "EUR".parse().expect("EUR"))
    };
    store
        .change(|tx| {
            (0..SHOPS).try_for_each(|s| {
                let url = format!("https://shop{s}.example/");
                tx.put_shop(&Shop {
                    ..emptor::market::shop::shop(&url, now).expect("a shop")
                })
            })
        })
        .expect("shops");
    let mut name = String::new();
    for i in 0..WANTS {
        let mut want = Want::new(format!("Wanted thing number {i:04}"), now);
        name.clone_from(&want.name);
        let listings: Vec<Listing> = (0..LISTINGS_EACH)
            .map(|l| {
                let shop = format!("shop{}.example", (i + l * 7) % SHOPS);
                let url = format!("https://{shop}/p/{i}-{l}");
                want.urls.push(url.clone());
                Listing {
                    id: Listing::id_of(&url, None),
                    shop,
                    url,
                    offer: Offer {
                        name: Some(want.name.clone()),
                        price: Some(price(i, l)),
                        availability: Availability::InStock,
                        ..Offer::default()
                    },
                    first_seen: now,
                    last_seen: now,
                    links: vec![Link {
                        want: want.id,
                        zone: Zone::Same,
                        by_person: false,
                        reasons: vec!["you gave this page".into()],
                    }],
                    candidate: false,
                    observations: 0,
                }
            })
            .collect();
        store
            .change(|tx| {
                tx.put_want(&want)?;
                for listing in &listings {
                    for j in 0..OBSERVATIONS_EACH {
                        let back = SignedDuration::from_hours(12 * (OBSERVATIONS_EACH - j) as i64);
                        let listing = Listing {
                            observations: j as u32,
                            ..listing.clone()
                        };
                        tx.observe(
                            &listing,
                            &Observation {
                                at: now.checked_sub(back).expect("in range"),
                                price: Some(price(i, j)),
                                availability: Availability::InStock,
                                condition: Condition::New,
                                content: None,
                            },
                        )?;
                    }
                }
                Ok(())
            })
            .expect("a want");
    }
    // The pages were read just now, so the daemon has nothing to do.
    let wants = store.wants().expect("wants");
    let shops: Vec<_> = store
        .shops()
        .expect("shops")
        .into_iter()
        .map(|s| (s, None))
        .collect();
    let planned = crawl::plan(&crawl::Inputs {
        wants: &wants,
        shops: &shops,
        jobs: &[],
        now,
        seed: 1,
        urgent: false,
        every: crawl::CADENCE,
    });
    store
        .change(|tx| {
            planned.put.iter().try_for_each(|j| {
                let due = j.due.checked_add(crawl::CADENCE).expect("in range");
                tx.put_job(&CrawlJob { due, ..j.clone() })
            })
        })
        .expect("jobs");
    println!("observations            {:>8}", store.observations());
    store.vault().lock();
    name
}
