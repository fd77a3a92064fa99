//! Settings: what is wrong is named, and a wrong file never takes the place of a good one.

use crate::support::{Home, kettle, wait};
use serde_json::Value;

fn warnings(home: &Home) -> Vec<String> {
    let status = home.json(&["daemon", "status"]);
    let all = status["warnings"].as_array().unwrap().iter();
    all.filter_map(Value::as_str)
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn errors_name_the_file_the_line_and_the_field() {
    let home = Home::bare();
    for (text, parts) in [
        (
            "[crawl]\nevery_hours = \"often\"\n",
            &["line 2", "every_hours"][..],
        ),
        (
            "[crawl]\n\nevery_hour = 3\n",
            &["line 3", "every_hour", "every_hours"],
        ),
        ("[crawl]\nparallel = 99\n", &["crawl.parallel", "1 to 32"]),
        ("[person]\ncurrency = \"Taler\"\n", &["line 2", "Taler"]),
        (
            "[notify]\nquiet = [\"25:00\", \"07:00\"]\n",
            &["notify", "25:00"],
        ),
        (
            "[delivery]\nunknown = [\"9\", \"5\", \"1\"]\n",
            &["delivery.unknown"],
        ),
        ("[fx.rates]\nUSD = \"1.1\"\n", &["fx.date"]),
        ("[crawl\n", &["line 1"]),
    ] {
        home.settings(text);
        let run = home.run(&["daemon", "run"]).refused(1);
        assert!(run.err.contains(&home.arg("config.toml")), "{}", run.err);
        for part in parts {
            assert!(run.err.contains(part), "{part} is not in {}", run.err);
        }
    }
}

#[test]
fn a_daemon_that_cannot_start_is_reported_with_the_reason() {
    let home = Home::bare();
    home.settings("[crawl]\nevery_hours = 0\n");
    let run = home.run(&["daemon", "start"]).refused(4);
    assert!(
        run.err.contains("emptor.log") || run.err.contains("every_hours"),
        "{}",
        run.err
    );
    assert!(home.log().contains("crawl.every_hours"), "{}", home.log());
}

#[test]
fn a_changed_file_is_read_and_a_wrong_one_is_not() {
    let (shops, home) = kettle();
    home.run(&["add", &shops.url("alpha", "/p/1")]).ok();
    let cost = || home.json(&["offers", "kettle"])["ranked"][0]["landed"]["mid"]["amount"].clone();
    assert_eq!(cost(), "43.92", "39.00 and the usual unknown delivery");
    assert!(warnings(&home).is_empty());
    home.settings(&shops.settings_with(
        "gap_seconds = 0",
        "[delivery]\nunknown = [\"1\", \"2\", \"3\"]",
    ));
    wait("the new settings", || cost() == "41.00");
    home.settings(&shops.settings_with(
        "gap_seconds = -4",
        "[delivery]\nunknown = [\"5\", \"6\", \"7\"]",
    ));
    wait("the warning", || !warnings(&home).is_empty());
    let said = warnings(&home).join("\n");
    assert!(
        said.contains("crawl.gap_seconds") && said.contains("config.toml"),
        "{said}"
    );
    assert_eq!(cost(), "41.00", "the good settings stay in force");
    let status = home.run(&["daemon", "status"]).ok().out;
    assert!(status.contains("warning: "), "{status}");
    home.settings(&shops.settings_with("gap_seconds = 0", ""));
    wait("the old settings", || cost() == "43.92");
    assert!(warnings(&home).is_empty());
}

#[test]
fn the_example_file_works_as_it_is() {
    let home = Home::bare();
    home.settings(include_str!("../../config.example.toml"));
    home.run(&["daemon", "start"]).ok();
    assert!(warnings(&home).is_empty());
}

#[test]
fn a_day_is_a_day_where_the_person_lives() {
    let home = Home::locked("[person]\ntime_zone = \"Pacific/Auckland\"\n");
    home.unlock();
    home.run(&["add", "--no-crawl", "kettle"]).ok();
    let until = ["wish", "snooze", "kettle", "--until", "2099-01-01"];
    let want = home.json(&until);
    assert_eq!(want["snoozed_until"], "2098-12-31T11:00:00Z", "{want:#}");
}
