//! `emptor lab rank` as a program: one reply a line, in order, at once; bad lines are
//! told apart from good ones; the short list is short and leaves little to regret.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

struct Ranker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Ranker {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_emptor"))
            .args(["lab", "rank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start emptor");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self {
            child,
            input,
            output,
        }
    }

    /// Sends one line and waits for its answer, as a caller in a loop does.
    fn ask(&mut self, line: &str) -> Value {
        let input = self.input.as_mut().expect("still open");
        writeln!(input, "{line}").expect("write");
        input.flush().expect("flush");
        let mut reply = String::new();
        self.output.read_line(&mut reply).expect("read");
        serde_json::from_str(&reply).expect("JSON")
    }

    fn finish(mut self) -> Option<i32> {
        self.input = None;
        self.child.wait().expect("wait").code()
    }
}

/// A reproducible number in 0..1.
fn numbers(mut state: u64) -> impl FnMut() -> f64 {
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 40).expect("24 bits")) / f64::from(1_u32 << 24)
    }
}

const CRITERIA: [(&str, f64); 3] = [("days", 60.0), ("wear", 90.0), ("noise", 40.0)];

/// Forty offers, better ones dearer, all values known.
fn tender(seed: u64) -> Value {
    let mut next = numbers(seed);
    let offers: Vec<Value> = (0..40)
        .map(|i| {
            let quality = next();
            let mut short = || (10.0 - 8.0 * quality + 4.0 * (next() - 0.5)).clamp(0.0, 12.0);
            let attrs = json!({"days": short(), "wear": short(), "noise": short()});
            json!({
                "id": format!("o{i:02}"), "attrs": attrs, "shipping_cents": 490,
                "price_cents": 8_000.0 + 1_500.0 * quality + 400.0 * next(),
            })
        })
        .collect();
    let criteria: Vec<Value> = CRITERIA
        .iter()
        .map(|(id, unit)| {
            json!({"id": id, "worth": {"type": "piecewise", "points": [[0, 0], [100, 100.0 * unit]]}})
        })
        .collect();
    json!({
        "schema": "emptor-rank/1", "currency": "EUR", "k": 4, "tradeoff_spread": 2.0,
        "regret_tolerance": 0.01, "criteria": criteria, "offers": offers,
    })
}

#[test]
fn every_line_is_answered_at_once_and_a_bad_one_fails_the_run_at_the_end() {
    let mut ranker = Ranker::start();
    let good = tender(1).to_string();
    let first = ranker.ask(&good);
    assert_eq!(first["ranked"].as_array().map(Vec::len), Some(40));
    assert!(ranker.ask("not JSON")["error"].is_string());
    let bad = ranker.ask(r#"{"id":7,"currency":"EUR","offers":[],"k":0}"#);
    assert_eq!(bad["id"], json!(7));
    assert_eq!(bad["error"], json!("k must be at least 1"));
    assert_eq!(ranker.ask(&good), first, "a bad line must leave no trace");
    assert_eq!(ranker.finish(), Some(1));
}

#[test]
fn fresh_trade_offs_find_little_to_regret_in_the_short_list() {
    let mut ranker = Ranker::start();
    let (mut listed, mut over) = (0, 0);
    for seed in 0..30 {
        let request = tender(seed);
        let reply = ranker.ask(&request.to_string());
        let list: Vec<&str> = reply["shortlist"]
            .as_array()
            .expect("list")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        listed += list.len();
        let offers = request["offers"].as_array().expect("offers");
        let number = |v: &Value| v.as_f64().expect("number");
        let mut next = numbers(seed + 1_000);
        let mut worst = 0.0_f64;
        for _ in 0..200 {
            let weights: Vec<f64> = CRITERIA
                .iter()
                .map(|(_, unit)| unit * 4.0_f64.powf(next() - 0.5))
                .collect();
            let cost = |o: &Value| {
                let parts = CRITERIA.iter().zip(&weights);
                number(&o["price_cents"])
                    + parts
                        .map(|((id, _), w)| w * number(&o["attrs"][id]))
                        .sum::<f64>()
            };
            let least = |all: &mut dyn Iterator<Item = &Value>| {
                all.map(&cost).fold(f64::INFINITY, f64::min)
            };
            let best = least(&mut offers.iter());
            let shown = |o: &&Value| o["id"].as_str().is_some_and(|id| list.contains(&id));
            let of_list = least(&mut offers.iter().filter(shown));
            worst = worst.max((of_list - best) / best);
        }
        over += usize::from(worst > 0.01);
    }
    assert_eq!(ranker.finish(), Some(0));
    assert!(
        over <= 1,
        "{over} of 30 lists leave more than 1 % to regret"
    );
    assert!(listed <= 105, "{listed} offers on 30 lists");
}
