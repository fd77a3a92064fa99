//! `emptor lab basket` on instances with proven optima.

use crate::support::{corpora, lab};
use serde_json::{Value, json};
use std::process::{Command, Output, Stdio};

fn lab_basket(args: &[&str], input: &str) -> Output {
    lab(&[&["basket"], args].concat(), input.as_bytes())
}

fn answer(args: &[&str], input: &str) -> Value {
    let output = lab_basket(args, input);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

#[test]
fn answers_a_classic_instance() {
    let instance = json!({"schema": "isop/1", "n": 2, "m": 2,
        "price": [[100, 250], [120, null]], "delivery": [50, 10]});
    let answer = answer(&["-"], &instance.to_string());
    assert_eq!(answer["assign"], json!([0, 0]));
    assert_eq!(answer["cost"], 400);
    assert_eq!(answer["bound"], 400);
    assert_eq!(answer["optimal"], true);
    assert!(answer["seconds"].is_number());
}

#[test]
fn refuses_with_the_name_of_the_field() {
    for (input, says) in [
        ("{", "not JSON"),
        ("{\"schema\":\"isop/1\"}", "n: is missing"),
        (
            "{\"schema\":\"isop/1\",\"n\":1,\"m\":1,\"price\":[[-4]],\"delivery\":[0]}",
            "price[0][0]",
        ),
    ] {
        let output = lab_basket(&["-"], input);
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            errors.starts_with("error: ") && errors.contains(says),
            "{errors}"
        );
    }
}

#[test]
fn grocery_baskets_reach_their_optimum() {
    let Some(dir) = corpora("") else { return };
    let text = std::fs::read_to_string(dir.join("grocery/baskets-hr.json")).expect("read baskets");
    let baskets: Vec<Value> = serde_json::from_str(&text).expect("a list");
    for basket in baskets {
        let chains = basket["chains"].as_array().expect("chains");
        let items = basket["items"].as_array().expect("items");
        let price = |chain: &Value| -> Vec<&Value> {
            let name = chain.as_str().expect("a name");
            items.iter().map(|i| &i["offers"][name]).collect()
        };
        let instance = json!({"schema": "isop/1", "n": items.len(), "m": chains.len(),
            "price": chains.iter().map(price).collect::<Vec<_>>(),
            "delivery": basket["fixed_cost_cents"]});
        let answer = answer(&["-"], &instance.to_string());
        assert_eq!(answer["cost"], basket["optimum_cents"], "{}", basket["id"]);
        assert_eq!(answer["optimal"], true);
    }
}

#[test]
fn instances_with_proven_optima() {
    let Some(dir) = corpora("") else { return };
    let dir = dir.join("../harness/basket");
    let Ok(text) = std::fs::read_to_string(dir.join("reference.json")) else {
        println!("skipped: no basket instances");
        return;
    };
    let reference: Value = serde_json::from_str(&text).expect("reference");
    // The small and medium ones: tests run unoptimised.
    for (name, known) in reference.as_object().expect("an object") {
        if !["S_", "D_", "M_5n", "F1_"]
            .iter()
            .any(|p| name.starts_with(p))
        {
            continue;
        }
        let file = dir.join(format!("instances/{name}.json"));
        let answer = answer(&[file.to_str().expect("UTF-8 path")], "");
        assert_eq!(answer["cost"], known["cost"], "{name}");
        assert_eq!(answer["optimal"], true, "{name}");
    }
}

#[test]
fn a_limit_gives_an_honest_gap() {
    let Some(dir) = corpora("") else { return };
    let file = dir.join("../harness/basket/instances/F4_50i40s_02.json");
    if !file.exists() {
        println!("skipped: no basket instances");
        return;
    }
    let file = file.to_str().expect("UTF-8 path");
    let output = lab_basket(&[file, "--limit-ms", "1500"], "");
    // Nothing found in the time is an error, never an answer made up.
    if output.status.success() {
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let (cost, bound) = (answer["cost"].as_i64(), answer["bound"].as_i64());
        assert!(bound <= Some(147_408) && cost >= Some(147_408));
        assert_eq!(answer["optimal"], json!(cost == bound));
    }
}

fn shop(id: &str, tiers: Value) -> Value {
    json!({"id": id, "pickup": null, "min_order": 0,
        "ship": {"tiers": tiers, "basis": "after_coupons", "weight_tiers": []}})
}

fn flat(id: &str, fee: usize) -> Value {
    shop(id, json!([{"min_spend": 0, "fee": fee}]))
}

fn offer(id: &str, shop: &str, item: &str, unit: usize) -> Value {
    json!({"id": id, "shop": shop, "covers": [[item, 1]], "max_qty": 5, "weight_g": 0,
        "breaks": [{"min_qty": 1, "unit": unit}], "disutility": 0})
}

fn needed(id: &str, qty: usize) -> Value {
    json!({"id": id, "qty": qty, "unmet_penalty_cents": null})
}

fn household(items: Vec<Value>, shops: Vec<Value>, offers: Vec<Value>, limits: Value) -> Value {
    json!({"schema": "emptor-basket/1", "items": items, "shops": shops, "offers": offers,
        "coupons": [], "limits": limits})
}

/// Two things, each at one shop for 500 and 100 of delivery.
fn pair(limits: Value) -> Value {
    household(
        vec![needed("tea", 1), needed("mug", 1)],
        vec![flat("a", 100), flat("b", 100)],
        vec![offer("t", "a", "tea", 500), offer("m", "b", "mug", 500)],
        limits,
    )
}

#[test]
fn bad_instances_are_refused_with_a_reason() {
    let with = |path: &[&str], value: Value| {
        let mut bad = pair(json!({}));
        let mut at = &mut bad;
        for key in path {
            at = match key.parse::<usize>() {
                Ok(i) => &mut at[i],
                Err(_) => &mut at[*key],
            };
        }
        *at = value;
        bad
    };
    let itself = json!([{"id": "c", "shop": "a", "kind": "fixed", "value": 1, "min_spend": 0,
        "cap": null, "offers": ["c"], "group": "g"}]);
    let dear = json!(99_999_999_999_i64);
    for (bad, says) in [
        (
            with(&["offers", "0", "max_qty"], json!(-3)),
            "must not be negative",
        ),
        (
            with(&["offers", "0", "breaks", "0", "unit"], json!(1e30)),
            "whole number",
        ),
        (
            with(&["offers", "0", "breaks", "0", "unit"], json!(i64::MAX)),
            "is more than",
        ),
        (with(&["coupons"], itself), "refers to itself"),
        (
            with(&["offers", "1"], offer("m", "b", "tea", 1)),
            "`mug` must be bought, but has no offer",
        ),
        (
            with(&["offers", "0", "breaks", "0", "min_qty"], json!(9)),
            "`tea` must be bought, but has no offer",
        ),
        (pair(json!({"max_shops": 0})), "limits.max_shops"),
        (
            pair(json!({"max_shops": 1})),
            "limits.max_shops: 1 is too small, the least possible is 2",
        ),
        (
            pair(json!({"budget": 1199})),
            "limits.budget: 1199 is too low, the least possible is 1200",
        ),
        (
            with(&["shops", "0", "min_order"], json!(9000)),
            "shop `a` lacks 8500",
        ),
        (
            pair(json!({"budget": 1199, "max_shops": 1})),
            "the least possible is 1200",
        ),
    ] {
        let output = lab_basket(&["-"], &bad.to_string());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(
            errors.starts_with("error: ") && errors.contains(says),
            "{says}: {errors}"
        );
        assert!(output.stdout.is_empty());
    }
    // Far too dear for a sum, but each price is in range.
    let many = (0..20_000).map(|n| {
        let mut all = offer(&format!("o{n}"), "a", "tea", 1);
        all["breaks"][0]["unit"] = dear.clone();
        all
    });
    let bad = household(
        vec![needed("tea", 1)],
        vec![flat("a", 1)],
        many.collect(),
        json!({}),
    );
    let errors = lab_basket(&["-"], &bad.to_string()).stderr;
    assert!(String::from_utf8_lossy(&errors).contains("prices overflow"));
}

#[test]
fn percentages_that_exceed_the_price_are_answered() {
    let coupon = |id: &str| {
        json!({"id": id, "shop": "a", "kind": "percent", "value": 6000, "min_spend": 0,
            "cap": null, "offers": null, "group": id})
    };
    let mut instance = pair(json!({}));
    instance["coupons"] = json!([coupon("x"), coupon("y")]);
    instance["shops"][0]["ship"]["basis"] = json!("before_coupons");
    let answer = answer(&["-"], &instance.to_string());
    // 500 - 2 x 300 + 100, and 600 at the other shop: no worse than that.
    assert!(answer["cost"].as_i64() <= Some(600), "{answer}");
    assert!(answer["bound"].as_i64() <= answer["cost"].as_i64());
}

#[test]
fn a_great_many_shops_and_offers_are_answered() {
    let shops: Vec<Value> = (0..10_000)
        .map(|s| flat(&format!("s{s}"), 100 + s % 700))
        .collect();
    let offers = (0..10_000).map(|s| {
        let unit = 200 + s * 7919 % 3000;
        offer(&format!("o{s}"), &format!("s{s}"), "tea", unit)
    });
    let best = (0..10_000)
        .map(|s| 2 * (200 + s * 7919 % 3000) + 100 + s % 700)
        .min();
    let instance = household(vec![needed("tea", 2)], shops, offers.collect(), json!({}));
    let found = answer(&["-"], &instance.to_string());
    assert_eq!(found["cost"].as_u64(), best.map(|b| b as u64));

    let offers = (0..100_000).map(|n| offer(&format!("o{n}"), "a", "tea", 200 + n * 7919 % 30_000));
    let offers: Vec<Value> = offers.collect();
    let instance = household(
        vec![needed("tea", 2)],
        vec![flat("a", 90)],
        offers.clone(),
        json!({}),
    );
    let found = answer(&["-"], &instance.to_string());
    assert_eq!(found["cost"], 490);
    // Where any of them may be the best one, it says so instead of searching for ever.
    let free = shop(
        "a",
        json!([{"min_spend": 0, "fee": 90}, {"min_spend": 900, "fee": 0}]),
    );
    let instance = household(vec![needed("tea", 2)], vec![free], offers, json!({}));
    let output = lab_basket(&["-"], &instance.to_string());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("shop `a` has more than"), "{errors}");
}

/// Enough choices and thresholds that a search is not over in a moment.
fn hard() -> Value {
    let spread = |a: usize, b: usize| (a * 7919 + b * 104_729) % 997;
    let items: Vec<Value> = (0..60)
        .map(|i| needed(&format!("i{i}"), 1 + i % 4))
        .collect();
    let shops = (0..40).map(|s| {
        let fee = 290 + spread(s, 3) / 2;
        let free = 2_000 + 10 * spread(s, 5);
        let tiers = json!([{"min_spend": 0, "fee": fee}, {"min_spend": free / 2, "fee": fee / 2},
            {"min_spend": free, "fee": 0}]);
        shop(&format!("s{s}"), tiers)
    });
    let mut offers = Vec::new();
    for s in 0..40 {
        for i in 0..60 {
            if spread(s, i) % 3 > 0 {
                let unit = 300 + i * 25 + spread(i, s) / 3;
                offers.push(offer(
                    &format!("o{s}_{i}"),
                    &format!("s{s}"),
                    &format!("i{i}"),
                    unit,
                ));
            }
        }
    }
    household(
        items,
        shops.collect(),
        offers,
        json!({"per_shop_hassle": 100}),
    )
}

/// Whether a process has a handler for Ctrl-C, or is over.
fn catches_interrupts(pid: &str) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else {
        return true;
    };
    let caught = status.lines().find_map(|l| l.strip_prefix("SigCgt:"));
    let caught = caught.map(|mask| u64::from_str_radix(mask.trim(), 16));
    // A zombie has no handlers any more.
    !matches!(caught, Some(Ok(mask)) if mask & 2 == 0) || status.contains("(zombie)")
}

#[test]
fn ctrl_c_gives_the_best_so_far_with_its_gap() {
    use std::time::{Duration, Instant};
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("hard.json");
    std::fs::write(&file, hard().to_string()).expect("written");
    let child = Command::new(env!("CARGO_BIN_EXE_emptor"))
        .args(["lab", "basket"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start emptor");
    let pid = child.id().to_string();
    let ender = std::thread::spawn(move || {
        // Until it listens, the signal would end it at once.
        crate::support::wait("it to listen", || catches_interrupts(&pid));
        std::thread::sleep(Duration::from_secs(1));
        let pressed = Instant::now();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        pressed
    });
    let output = child.wait_with_output().expect("emptor ends");
    let ended = Instant::now();
    let pressed = ender.join().expect("the signal was sent");
    assert!(ended.saturating_duration_since(pressed) < Duration::from_secs(60));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert!(
        answer["bound"].as_i64() <= answer["cost"].as_i64(),
        "{answer}"
    );
}
