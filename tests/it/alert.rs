//! `lab alerts` and `lab wait` as programs, and the quality of both on real prices.

use crate::support::corpora;
use emptor::engine::alert::detector::{DEFAULT_SENSITIVITY, Detector};
use emptor::engine::alert::wait::advise;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn lab(engine: &str, input: &str) -> (Vec<Value>, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_emptor"))
        .args(["lab", engine])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start emptor");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(input.as_bytes()).expect("write");
    drop(stdin);
    let output = child.wait_with_output().expect("wait");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let answers = lines
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    (answers, output.status.code())
}

/// A fortnight's sale every ten weeks.
fn sales() -> Vec<i64> {
    (0..400)
        .map(|d| if d % 70 >= 56 { 799 } else { 999 })
        .collect()
}

#[test]
fn alerts_answers_every_line_and_goes_on_after_a_bad_one() {
    let input = format!(
        "{}\nnonsense\n{}\n",
        json!({"id": "a", "prices": sales()}),
        json!({"id": "b", "prices": [999, 0, -1, i64::MAX], "sensitivity": 0.4}),
    );
    let (answers, code) = lab("alerts", &input);
    assert_eq!(code, Some(1));
    assert_eq!(answers.len(), 3);
    // One alert for each sale once a month is known, on its first day.
    assert_eq!(answers[0]["alerts"], json!([56, 126, 196, 266, 336]));
    assert!(answers[1]["error"].is_string());
    assert_eq!(answers[2]["alerts"], json!([]));
}

#[test]
fn a_poisoned_day_moves_no_alert() {
    let clean = json!({"id": 0, "prices": sales()});
    let mut input = format!("{clean}\n");
    for poison in [json!(0), json!(-5), json!(1), json!(99_900), json!(null)] {
        let mut series = clean.clone();
        series["prices"][150] = poison.clone();
        series["prices"][151] = poison;
        input.push_str(&format!("{series}\n"));
    }
    let (answers, code) = lab("alerts", &input);
    assert_eq!(code, Some(0));
    assert!(answers.iter().all(|a| a == &answers[0]), "{answers:?}");
}

#[test]
fn wait_waits_for_a_sale_that_comes_and_buys_what_never_gets_cheaper() {
    let mut before_sale = sales();
    before_sale.truncate(70 * 5 + 50);
    let rising: Vec<i64> = (0..400).map(|d| 1000 + d).collect();
    let input = format!(
        "{}\n{}\n{}\n",
        json!({"id": 1, "prices": before_sale, "deadline_days": 14}),
        json!({"id": 2, "prices": rising, "deadline_days": 14}),
        json!({"id": 3, "prices": [999, 899], "deadline_days": 14}),
    );
    let (answers, code) = lab("wait", &input);
    assert_eq!(code, Some(0));
    assert!(answers[0]["threshold"].as_f64().is_some_and(|t| t < 1.0));
    assert!(answers[0]["chance"].as_f64().is_some_and(|c| c > 0.3));
    assert!(answers[1]["threshold"].is_null());
    assert!(answers[2]["threshold"].is_null(), "too little is known");
}

/// Daily prices in cents of every sixth product that changed its price often enough.
fn series(dir: &Path) -> Vec<Vec<i64>> {
    let mut products: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for file in std::fs::read_dir(dir).expect("list") {
        let path = file.expect("entry").path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("read");
        let cart: Value = serde_json::from_str(&text).expect("JSON");
        for item in cart["items"].as_array().into_iter().flatten() {
            let dated: BTreeMap<jiff::civil::Date, i64> = item["priceHistory"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|h| {
                    let cents = (h["price"].as_f64()? * 100.0).round() as i64;
                    Some((h["date"].as_str()?.parse().ok()?, cents))
                })
                .collect();
            let days: Vec<i64> = dated
                .iter()
                .zip(dated.keys().skip(1))
                .flat_map(|((day, cents), next)| {
                    let held = usize::try_from((*next - *day).get_days()).unwrap_or(0);
                    std::iter::repeat_n(*cents, held)
                })
                .collect();
            if dated.len() >= 10 && days.len() > 220 && days.iter().all(|p| *p > 0) {
                products.insert(format!("{}/{}", item["store"], item["id"]), days);
            }
        }
    }
    products.into_values().step_by(6).collect()
}

fn usual(prices: &[i64], day: usize) -> f64 {
    let mut window = prices[day.saturating_sub(90)..day].to_vec();
    window.sort_unstable();
    let n = window.len();
    (window[(n - 1) / 2] + window[n / 2]) as f64 / 2.0
}

/// A good moment in hindsight: clearly under the usual price, and not clearly cheaper
/// within a month.
fn right(prices: &[i64], day: usize) -> bool {
    let p = prices[day] as f64;
    let next = prices[day + 1..day + 31].iter().min().expect("30 days");
    p <= 0.95 * usual(prices, day) && *next as f64 >= 0.98 * p
}

#[test]
fn alerts_on_real_prices_are_right_and_complete() {
    let Some(dir) = corpora("grocery/heissepreise") else {
        return;
    };
    let (mut alerts, mut good, mut episodes, mut caught, mut days) = (0, 0, 0, 0, 0);
    for prices in series(&dir) {
        let judged = 120..prices.len() - 31;
        let mut detector = Detector::default();
        let told: Vec<usize> = (0..prices.len())
            .filter(|&day| {
                let at = i32::try_from(day).expect("small");
                detector
                    .observe(at, prices[day], DEFAULT_SENSITIVITY)
                    .is_some()
            })
            .filter(|day| judged.contains(day))
            .collect();
        alerts += told.len();
        good += told.iter().filter(|&&day| right(&prices, day)).count();
        days += judged.len();
        let mut day = judged.start;
        while day < judged.end {
            let start = day;
            while day < judged.end && right(&prices, day) {
                day += 1;
            }
            if day > start {
                episodes += 1;
                caught += usize::from(told.iter().any(|t| (start - 3..day).contains(t)));
            }
            day += 1;
        }
    }
    let share = |a: usize, b: usize| a as f64 / b as f64;
    let (precision, recall) = (share(good, alerts), share(caught, episodes));
    let per_year = share(alerts * 365, days);
    println!("precision {precision:.3} recall {recall:.3} alerts a year {per_year:.2}");
    assert!(precision >= 0.94 && recall >= 0.84 && per_year <= 1.8);
}

#[test]
fn waiting_on_real_prices_pays_and_rarely_ends_dearer() {
    let Some(dir) = corpora("grocery/heissepreise") else {
        return;
    };
    let all = series(&dir);
    let (mut captured, mut worst) = (0.0, 0.0_f64);
    for deadline in [7, 14, 30, 60] {
        let (mut saved, mut possible, mut dearer, mut asked) = (0.0, 0.0, 0, 0);
        for prices in &all {
            for now in (120..prices.len() - 61).step_by(122) {
                let paid = match advise(&prices[..=now], deadline).threshold {
                    None => prices[now],
                    Some(share) => (now..=now + deadline)
                        .find(|&day| prices[day] as f64 <= share * usual(prices, day))
                        .map_or(prices[now + deadline], |day| prices[day]),
                };
                let best = prices[now..=now + deadline].iter().min().expect("a day");
                saved += 1.0 - paid as f64 / prices[now] as f64;
                possible += 1.0 - *best as f64 / prices[now] as f64;
                dearer += usize::from(paid as f64 > 1.005 * prices[now] as f64);
                asked += 1;
            }
        }
        let share = dearer as f64 / asked as f64;
        println!(
            "{deadline} days: {:.3} captured, {share:.3} dearer",
            saved / possible
        );
        captured += saved / possible / 4.0;
        worst = worst.max(share);
    }
    assert!(
        captured >= 0.70 && worst <= 0.04,
        "{captured:.3} {worst:.3}"
    );
}
