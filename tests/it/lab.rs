//! `emptor lab` and files that are none: each is refused with its name and what is wrong,
//! in bounded time, and nothing in it reaches a terminal as it is.

use crate::support::lab;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The error, checked to be one: exit code 1, nothing on stdout, no panic, harmless.
fn refused(args: &[&str], input: &[u8]) -> String {
    let output = lab(args, input);
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{args:?}: {errors}");
    assert!(output.stdout.is_empty(), "{args:?}");
    assert!(errors.starts_with("error: "), "{args:?}: {errors}");
    assert!(errors.len() < 5_000, "{} bytes", errors.len());
    let steers = |c: char| c != '\n' && emptor::model::text::is_hidden(c);
    assert!(!errors.contains(steers), "{errors:?}");
    errors
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8 path")
}

#[test]
fn files_that_are_none_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipe = dir.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let empty = dir.path().join("empty.json");
    std::fs::write(&empty, "").expect("written");
    let binary = dir.path().join("binary.json");
    std::fs::write(&binary, [b'{', 0xff, 0xfe]).expect("written");
    let large = dir.path().join("large.json");
    let file = std::fs::File::create(&large).expect("created");
    file.set_len(2 << 30).expect("a sparse file");
    let absent = dir.path().join("absent.json");

    let all: [(&Path, &str); 6] = [
        (dir.path(), "is a directory"),
        (&absent, "No such file"),
        (&large, "larger than"),
        (&pipe, "nobody writes to"),
        (&empty, "not JSON"),
        (&binary, "not UTF-8"),
    ];
    for (path, says) in all {
        let error = refused(&["basket", text(path)], b"");
        let name = text(path);
        assert!(error.contains(says) && error.contains(name), "{error}");
    }
    for (path, says) in &all[..3] {
        let name = text(path);
        for args in [
            vec!["robots", "--agent", "x", name],
            vec!["match", "--left", name, "--right", name],
            vec!["extract", name],
        ] {
            let error = refused(&args, b"");
            assert!(error.contains(says) && error.contains(name), "{error}");
        }
    }
    // A pipe that somebody writes to is a file like another, `<(…)` of a shell too.
    let writer = std::thread::spawn(move || {
        let plain = r#"{"schema":"isop/1","n":1,"m":1,"price":[[5]],"delivery":[2]}"#;
        std::fs::write(&pipe, plain).expect("written");
        pipe
    });
    let output = lab(&["basket", text(&dir.path().join("pipe"))], b"");
    writer.join().expect("written");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn names_in_a_basket_steer_no_terminal() {
    let evil = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}".repeat(20_000);
    let item = json!({"id": evil, "qty": 1, "unmet_penalty_cents": null});
    let shop = json!({"id": evil, "pickup": null, "min_order": 0, "ship":
        {"basis": "after_coupons", "tiers": [{"min_spend": 0, "fee": 1}], "weight_tiers": []}});
    let mut list = json!({"schema": "emptor-basket/1", "items": [item], "shops": [shop],
        "offers": [], "coupons": [], "limits": {}});
    let error = refused(&["basket", "-"], list.to_string().as_bytes());
    assert!(
        error.contains("items[0]") && error.contains("has no offer"),
        "{error}"
    );

    list["offers"] = json!([{"id": "a\u{9b}31m", "shop": evil, "covers": [[evil, 1]],
        "max_qty": 1, "weight_g": 0, "breaks": [{"min_qty": 1, "unit": 5}], "disutility": 0}]);
    let output = lab(&["basket", "-"], list.to_string().as_bytes());
    let answer = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!answer.trim_end().contains(emptor::model::text::is_hidden));
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["buy"], json!({"a\u{9b}31m": 1}));
}

#[test]
fn a_basket_says_which_field_is_twice_or_unknown() {
    let shop = r#"{"id":"a","pickup":null,"min_order":0,"ship":{"basis":"after_coupons","tiers":[{"min_spend":0,"fee":1}],"weight_tiers":[]}}"#;
    let offer = r#"{"id":"o","shop":"a","covers":[["tea",1]],"max_qty":1,"weight_g":0,"breaks":[{"min_qty":1,"unit":5}],"disutility":0}"#;
    let with = |items: &str, limits: &str| {
        format!(
            r#"{{"schema":"emptor-basket/1","items":{items},"shops":[{shop}],"offers":[{offer}],"coupons":[],"limits":{limits}}}"#
        )
    };
    let tea = r#"[{"id":"tea","qty":1}]"#;
    assert!(
        lab(&["basket", "-"], with(tea, "{}").as_bytes())
            .status
            .success()
    );
    for (list, says) in [
        (
            with(r#"[{"id":"tea","qty":1,"qty":3}]"#, "{}"),
            "the key `qty` is there twice",
        ),
        (
            with(r#"[{"id":"tea","qty":1},{"id":"tea","qty":2}]"#, "{}"),
            "items[1].id: `tea` names two items",
        ),
        (
            with(tea, r#"{"buget":500}"#),
            "limits: `buget` is not known, only max_shops",
        ),
        (with(tea, "5"), "limits: must be an object"),
        (with(tea, r#"{"budget":1e400}"#), "number out of range"),
        (with(tea, r#"{"budget":NaN}"#), "NaN is no number"),
        (with(&"[".repeat(200_000), "{}"), "recursion limit"),
    ] {
        let error = refused(&["basket", "-"], list.as_bytes());
        assert!(error.contains(says), "{says}: {error}");
    }
}

#[test]
fn a_bad_line_is_named_and_the_others_are_answered() {
    let deep = "[".repeat(200_000);
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(17 << 20));
    let lines = [
        "\n{\"id\":1,\"prices\":[NaN]}",
        deep.as_str(),
        "{\"id\":2,\"prices\":[1e400]}",
        "{\"id\":\"\u{9b}2J\",\"prices\":\"none\"}",
        long.as_str(),
        "{\"id\":3,\"prices\":[],\"deadline_days\":7}",
    ];
    let input = lines.join("\n");
    for engine in ["alerts", "wait"] {
        let output = lab(&[engine], input.as_bytes());
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let steers = |c: char| c != '\n' && emptor::model::text::is_hidden(c);
        assert!(!text.contains(steers));
        let answers: Vec<Value> = text
            .lines()
            .map(|l| serde_json::from_str(l).expect("JSON"))
            .collect();
        let failed: Vec<&Value> = answers.iter().map(|a| &a["line"]).collect();
        assert_eq!(
            failed,
            [
                &json!(2),
                &json!(3),
                &json!(4),
                &json!(5),
                &json!(6),
                &Value::Null
            ]
        );
        let error = answers[0]["error"].as_str().expect("a text");
        assert!(error.starts_with("not JSON, column 19"), "{error}");
        assert_eq!(answers[5]["id"], 3);
    }
}

#[test]
fn a_line_that_is_no_object_is_told_so() {
    for command in [
        &["rank"][..],
        &["match", "--pairs"],
        &["alerts"],
        &["wait"],
        &["price"],
    ] {
        let output = lab(command, b"[1]\n7\n\"a\"\nnull\n[1\n");
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let errors: Vec<&str> = text.lines().collect();
        let (no_json, no_objects) = errors.split_last().expect("answers");
        assert_eq!(no_objects.len(), 4, "{command:?}");
        for error in no_objects {
            assert!(error.contains("a line must be an object"), "{error}");
            assert!(error.contains("\"id\":null"), "{error}");
        }
        assert!(no_json.contains("not JSON, column 2"), "{no_json}");
    }
}

#[test]
fn a_request_with_unsound_numbers_is_refused_by_name() {
    let request = |weight: &str, price: &str, extra: &str| {
        format!(
            r#"{{"id":1,"currency":"EUR","criteria":[{{"id":"days","worth":{{"type":"piecewise","points":[[0,{weight}],[9,5]]}}}}],"offers":[{{"id":"a","price_cents":{price},"shipping_cents":0,"attrs":{{"days":1}}}}{extra}]}}"#
        )
    };
    let again = r#",{"id":"a","price_cents":1}"#;
    let lines = [
        request("NaN", "5", ""),
        request("1e400", "5", ""),
        request("1e300", "5", ""),
        request("1", "5", again),
        request("1", "\"5\"", ""),
        request(
            "1",
            "5",
            r#",{"id":"b","price_cents":1,"attrs":{"days":1,"days":2}}"#,
        ),
        request("1", "-5", ""),
        request("1", "1e300", ""),
    ];
    let output = lab(&["rank"], lines.join("\n").as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let answers: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    for (answer, says) in answers.iter().zip([
        "NaN is no number",
        "number out of range",
        "criterion `days`",
        "offer `a` appears twice",
        "column",
        "`days` is there twice",
    ]) {
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(error.contains(says), "{says}: {answer}");
    }
    // One bad offer is rejected with its reason, and the request stands.
    for answer in &answers[6..] {
        assert_eq!(answer["ranked"], json!([]));
        assert_eq!(answer["rejected"][0]["constraint"], "price");
    }
}
