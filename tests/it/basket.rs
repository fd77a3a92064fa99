//! `emptor lab basket` on instances with proven optima.

use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn lab_basket(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_emptor"))
        .args(["lab", "basket"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start emptor");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin
        .write_all(input.as_bytes())
        .expect("write the instance");
    drop(stdin);
    child.wait_with_output().expect("emptor ends")
}

fn answer(args: &[&str], input: &str) -> Value {
    let output = lab_basket(args, input);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

fn corpora() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora");
    let dir = std::env::var_os("EMPTOR_CORPORA").map_or_else(|| default.into(), PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    assert!(
        std::env::var_os("EMPTOR_REQUIRE_CORPORA").is_none(),
        "no corpora at {}",
        dir.display()
    );
    println!("skipped: no corpora");
    None
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
    let Some(dir) = corpora() else { return };
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
    let Some(dir) = corpora() else { return };
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
    let Some(dir) = corpora() else { return };
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
