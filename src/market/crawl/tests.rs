use super::*;
use crate::market::shop::shop;
use proptest::prelude::*;

const SEARCHABLE: &str = r#"
format = 1
id = "s"
version = "1.0.0"
name = "S"
currency = "EUR"
rate = { min_gap_seconds = 20 }
[search]
url = "{base}/?q={query}"
gtin_url = "{base}/?ean={gtin}"
items = "li"
[search.fields]
url = { css = "a", attr = "href" }
"#;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("in range")
}

fn want(name: &str, urls: &[&str]) -> Want {
    let mut want = Want::new(name, now());
    want.urls = urls.iter().map(|u| (*u).to_owned()).collect();
    want
}

fn shops(domains: &[&str]) -> Vec<(Shop, Option<Arc<Manifest>>)> {
    let adapter = Arc::new(Manifest::parse(SEARCHABLE, "s.toml").expect("a manifest"));
    domains
        .iter()
        .map(|d| (shop(d, now()).expect("a shop"), Some(Arc::clone(&adapter))))
        .collect()
}

fn planned(wants: &[Want], shops: &[(Shop, Option<Arc<Manifest>>)], jobs: &[CrawlJob]) -> Changes {
    plan(&Inputs {
        wants,
        shops,
        jobs,
        now: now(),
        seed: 7,
        urgent: false,
        every: CADENCE,
    })
}

fn job() -> CrawlJob {
    let wants = [want("mug", &["https://a.example/p/1"])];
    planned(&wants, &[], &[]).put.remove(0)
}

fn failed(trouble: Trouble) -> Outcome {
    Outcome::Failed {
        trouble,
        retry_after: None,
    }
}

#[test]
fn known_pages_are_read_and_other_shops_searched() {
    let mut mug = want("mug", &["https://www.a.example/p/1?utm_source=x"]);
    mug.gtin = "4006381333931".parse().ok();
    let changes = planned(&[mug], &shops(&["a.example", "b.example"]), &[]);
    let mut urls: Vec<&str> = changes.put.iter().map(|j| j.kind.url()).collect();
    urls.sort_unstable();
    assert_eq!(
        urls,
        [
            "https://b.example/?ean=4006381333931",
            "https://www.a.example/p/1"
        ]
    );
}

#[test]
fn a_decimal_comma_is_no_afterthought() {
    let milk = want("Vollmilch 3,5 % 1 l, Karton", &[]);
    let changes = planned(&[milk], &shops(&["a.example"]), &[]);
    let JobKind::Search { query, .. } = &changes.put[0].kind else {
        panic!("{changes:?}")
    };
    assert_eq!(query, "Vollmilch 3,5 % 1 l");
}

#[test]
fn two_wants_share_one_page() {
    let wants = [
        want(
            "mug",
            &["https://a.example/p/1", "https://a.example/p/1?gclid=2"],
        ),
        want("cup", &["https://a.example/p/1#top"]),
    ];
    let changes = planned(&wants, &[], &[]);
    assert_eq!(changes.put.len(), 1);
    assert_eq!(changes.put[0].wants.len(), 2);
}

#[test]
fn who_does_not_look_has_no_jobs() {
    let mut wants = vec![want("mug", &["https://a.example/p/1"])];
    let jobs = planned(&wants, &[], &[]).put;
    for (status, until, kept) in [
        (WantStatus::Open, None, true),
        (WantStatus::Snoozed, None, false),
        (WantStatus::Snoozed, Some(later(now(), DAY)), false),
        (WantStatus::Snoozed, Some(now()), true),
        (WantStatus::Fulfilled, None, false),
        (WantStatus::Dropped, None, false),
    ] {
        wants[0].status = status;
        wants[0].snoozed_until = until;
        let changes = planned(&wants, &[], &jobs);
        assert_eq!(changes.remove.is_empty(), kept, "{status:?}");
    }
}

#[test]
fn a_near_need_is_read_more_often() {
    let mut wants = vec![want("mug", &["https://a.example/p/1"])];
    let mut jobs = planned(&wants, &[], &[]).put;
    assert_eq!(jobs[0].cadence, CADENCE);
    jobs[0] = after(&jobs[0], Outcome::Read, now(), 7);
    wants[0].need_by = Some(now().to_zoned(jiff::tz::TimeZone::UTC).date());
    let nearer = planned(&wants, &[], &jobs).put.remove(0);
    assert_eq!(nearer.cadence, CADENCE / 4);
    assert!(nearer.due < jobs[0].due && nearer.due >= now());
}

#[test]
fn the_person_may_hurry_but_not_against_the_shops_word() {
    let wants = [want("mug", &["https://a.example/p/1"])];
    let hurry = |job: &CrawlJob| {
        let inputs = Inputs {
            wants: &wants,
            shops: &[],
            jobs: std::slice::from_ref(job),
            now: now(),
            seed: 7,
            urgent: true,
            every: CADENCE,
        };
        plan(&inputs).put.first().unwrap_or(job).due
    };
    let read = after(&job(), Outcome::Read, now(), 7);
    assert!(hurry(&read) <= later(now(), MIN_GAP));
    let asked = SignedDuration::from_hours(3);
    let limited = Outcome::Failed {
        trouble: Trouble::RateLimited,
        retry_after: Some(asked),
    };
    let limited = after(&job(), limited, now(), 7);
    assert!(hurry(&limited) >= later(now(), asked));
    assert!(due(std::slice::from_ref(&limited), later(now(), DAY)).len() == 1);
    let gone = after(&job(), failed(Trouble::Gone), now(), 7);
    assert_eq!(hurry(&gone), gone.due);
    assert!(due(&[gone], Timestamp::MAX).is_empty());
}

#[test]
fn failures_back_off_and_success_forgets_them() {
    let mut j = job();
    let mut waits = Vec::new();
    for _ in 0..12 {
        j = after(&j, failed(Trouble::VendorDown), now(), 7);
        waits.push(j.due.duration_since(now()));
    }
    assert!(waits[0] < SignedDuration::from_mins(12) && waits[1] > waits[0] && waits[2] > waits[1]);
    assert!(waits[11] <= DAY + DAY / 10 && waits[11] > DAY / 2);
    j = after(&j, Outcome::Read, now(), 7);
    assert_eq!((j.attempts, j.trouble), (0, None));
    let changed = after(&j, failed(Trouble::LayoutChanged), now(), 7);
    let wait = changed.due.duration_since(now());
    assert!(wait > DAY - DAY / 9 && wait < DAY + DAY / 9);
}

#[test]
fn a_job_survives_storage() {
    let j = after(&job(), failed(Trouble::Blocked), now(), 7);
    let json = serde_json::to_string(&j).expect("serialise");
    assert_eq!(
        serde_json::from_str::<CrawlJob>(&json).expect("read back"),
        j
    );
}

fn some_trouble() -> impl Strategy<Value = Trouble> {
    prop::sample::select(Trouble::ALL.to_vec())
}

fn some_wants() -> impl Strategy<Value = Vec<Want>> {
    let one = (
        "[a-c]{1,3}",
        prop::collection::vec("https://[ab]\\.example/p/[0-9]\\?(utm_id|v)=[0-3]", 0..4),
    );
    prop::collection::vec(one, 0..30).prop_map(|list| {
        list.into_iter()
            .map(|(name, urls)| Want {
                urls,
                ..Want::new(name, now())
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn a_plan_is_settled_has_no_doubles_and_keeps_the_gap(wants in some_wants(), seed: u64, urgent: bool) {
        let shops = shops(&["a.example", "c.example"]);
        let inputs = Inputs { wants: &wants, shops: &shops, jobs: &[], now: now(), seed, urgent, every: CADENCE };
        let jobs = plan(&inputs).put;
        let mut ids: Vec<Id> = jobs.iter().map(|j| j.id).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), jobs.len());
        let again = plan(&Inputs { jobs: &jobs, urgent: false, ..inputs });
        prop_assert!(again.is_empty(), "{again:?}");
        for (domain, gap) in [("a.example", 20), ("b.example", 5), ("c.example", 20)] {
            let mut times: Vec<Timestamp> = jobs.iter().filter(|j| j.shop == domain).map(|j| j.due).collect();
            times.sort();
            for pair in times.windows(2) {
                prop_assert!(pair[1].duration_since(pair[0]) >= SignedDuration::from_secs(gap));
            }
        }
        prop_assert!(jobs.iter().all(|j| j.due >= now()));
    }

    #[test]
    fn what_was_tried_waits(outcomes in prop::collection::vec((prop::option::of(some_trouble()), prop::option::of(-10_i64..10_000_000)), 1..40), seed: u64, start in 0..200_000_000_000_i64) {
        let mut j = job();
        let at = Timestamp::from_second(start).expect("in range");
        for (trouble, retry) in outcomes {
            let outcome = trouble.map_or(Outcome::Read, |trouble| Outcome::Failed { trouble, retry_after: retry.map(SignedDuration::from_secs) });
            j = after(&j, outcome, at, seed);
            prop_assert!(j.due > at);
            prop_assert!(j.due.duration_since(at) <= MAX_BACKOFF + MAX_BACKOFF / 5);
            prop_assert!(j.not_before.is_none_or(|t| j.due >= t));
        }
    }
}
