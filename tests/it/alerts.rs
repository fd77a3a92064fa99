//! Rules: they speak when something is true, once, and say why they are silent.

use crate::support::{Home, Page, Shops, product, wait};
use emptor::agent::store::Rule;
use emptor::engine::alert::{AlertState, Seen, Tuning};
use emptor::model::time::{SignedDuration, Timestamp};
use emptor::model::{AlertRule, Availability, Id};
use serde_json::Value;

fn kettle(price: &str, stock: &str) -> Page {
    product("Kettle 1.7 l", price, "EUR", stock)
}

/// Follows the shop, which takes so much for a delivery.
fn follow(home: &Home, shops: &Shops, delivery: &str) {
    let shop = shops.url("alpha", "/");
    home.run(&["shop", "add", &shop, "--delivery", delivery])
        .ok();
}

fn fired(home: &Home) -> Vec<Value> {
    home.json(&["alerts"])["alerts"].as_array().unwrap().clone()
}

fn last_why(home: &Home, rule: &str) -> (String, String) {
    let why = home.json(&["alerts", "why", "kettle"]);
    let newest = why
        .as_array()
        .unwrap()
        .iter()
        .find(|w| w["rule"].as_str().unwrap().starts_with(rule));
    let newest = newest.unwrap_or_else(|| panic!("{rule} in {why:#}"));
    let text = |k: &str| newest[k].as_str().unwrap().to_owned();
    (text("decision"), text("reason"))
}

#[test]
fn under_a_limit_speaks_at_once_and_once() {
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("39.00", "InStock"));
    let home = Home::new(&shops);
    follow(&home, &shops, "0 EUR");
    home.run(&["add", &shops.url("alpha", "/p")]).ok();
    let rule = home.run(&["alerts", "add", "kettle", "under 40 EUR"]).ok();
    assert!(rule.out.contains("fired"), "true already: {}", rule.out);
    let alerts = fired(&home);
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["cost"]["amount"], "39.00");
    assert_eq!(alerts[0]["url"], shops.url("alpha", "/p"));
    assert!(alerts[0]["reason"].as_str().unwrap().contains("39.00 EUR"));
    wait("the delivery", || fired(&home)[0]["delivered"].is_string());
    // The same price again, and a cent less, are no news.
    home.crawl();
    shops.put("alpha", "/p", kettle("38.99", "InStock"));
    home.crawl();
    assert_eq!(fired(&home).len(), 1);
    let (decision, reason) = last_why(&home, "under");
    assert_eq!(decision, "held");
    assert!(reason.contains("told"), "{reason}");
    // Nor is a page that could not be read, or a price nobody can buy at.
    for page in [
        Page::html("no").status(403),
        kettle("0.00", "InStock"),
        kettle("5.50", "OutOfStock"),
    ] {
        shops.put("alpha", "/p", page);
        home.crawl();
        assert_eq!(fired(&home).len(), 1);
    }
    let text = home.run(&["alerts", "why", "kettle"]).ok().out;
    assert!(text.contains("fired") && text.contains("held"), "{text}");
    let id = home.json(&["alerts"])["rules"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    home.run(&["alerts", "rm", &id]).ok();
    assert_eq!(home.json(&["alerts"])["rules"], serde_json::json!([]));
}

#[test]
fn a_limit_of_a_want_is_a_rule_that_follows_it() {
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("39.00", "InStock"));
    let home = Home::new(&shops);
    follow(&home, &shops, "0 EUR");
    home.run(&["add", &shops.url("alpha", "/p"), "--max", "30 EUR"])
        .ok();
    assert_eq!(fired(&home).len(), 0);
    let (_, reason) = last_why(&home, "under");
    assert!(
        reason.contains("39.00 EUR") && reason.contains("30.00 EUR"),
        "{reason}"
    );
    home.run(&["wish", "edit", "kettle", "--max", "39 EUR"])
        .ok();
    assert_eq!(fired(&home).len(), 1, "before the page is read again");
    home.crawl();
    assert_eq!(fired(&home).len(), 1);
    home.run(&["wish", "edit", "kettle", "--no-max"]).ok();
    assert_eq!(home.json(&["alerts"])["rules"], serde_json::json!([]));
}

#[test]
fn limits_are_about_one_piece() {
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("39.00", "InStock"));
    let home = Home::new(&shops);
    follow(&home, &shops, "3 EUR");
    home.run(&[
        "add",
        &shops.url("alpha", "/p"),
        "--qty",
        "3",
        "--max",
        "40.50 EUR",
    ])
    .ok();
    // 3 x 39.00 and one delivery make 120.00, which is 40.00 each.
    let alerts = fired(&home);
    assert_eq!(
        alerts.len(),
        1,
        "{}",
        home.json(&["alerts", "why", "kettle"])
    );
    assert!(
        alerts[0]["title"]
            .as_str()
            .unwrap()
            .contains("40.00 EUR each"),
        "{alerts:#?}"
    );
}

#[test]
fn back_in_stock() {
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("39.00", "OutOfStock"));
    let home = Home::new(&shops);
    home.run(&["add", &shops.url("alpha", "/p")]).ok();
    home.run(&["alerts", "add", "kettle", "back in stock"]).ok();
    home.crawl();
    let (decision, reason) = last_why(&home, "back");
    assert_eq!(
        (decision.as_str(), reason.contains("cannot be bought")),
        ("held", true),
        "{reason}"
    );
    shops.put("alpha", "/p", Page::html("no").status(503));
    home.crawl();
    assert_eq!(fired(&home).len(), 0, "a shop that is down is not stock");
    shops.put("alpha", "/p", kettle("39.00", "InStock"));
    home.crawl();
    let alerts = fired(&home);
    assert_eq!(alerts.len(), 1);
    assert!(
        alerts[0]["reason"].as_str().unwrap().contains("can be had"),
        "{alerts:#?}"
    );
    home.crawl();
    assert_eq!(fired(&home).len(), 1);
}

/// Gives a want a rule that has watched it for `days` at a price of 45.00.
fn rule_with_a_past(home: &Home, want: &str, rule: AlertRule, days: i64) {
    let want: Id = home.json(&["wish", "show", want])["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let mut state = AlertState::default();
    for day in (1..=days).rev() {
        let seen = Seen {
            at: Timestamp::now() - SignedDuration::from_hours(24 * day),
            cost: "45.00 EUR".parse().ok(),
            availability: Availability::InStock,
            known: true,
        };
        state.observe(&rule, &seen, &Tuning::default());
    }
    let rule = Rule {
        state,
        ..Rule::new(want, rule)
    };
    home.tamper(|store| {
        store.change(|tx| tx.put_rule(&rule)).unwrap();
    });
}

#[test]
fn a_new_low_needs_a_past() {
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("44.00", "InStock"));
    let home = Home::new(&shops);
    follow(&home, &shops, "0 EUR");
    // A wish would cool off first.
    home.run(&["list", "add", &shops.url("alpha", "/p")]).ok();
    home.run(&["alerts", "add", "kettle", "low in 90 days"])
        .ok();
    shops.put("alpha", "/p", kettle("39.00", "InStock"));
    home.crawl();
    assert_eq!(fired(&home).len(), 0, "a first day has no low");
    let (_, reason) = last_why(&home, "low in 90");
    assert!(reason.contains("watched for"), "{reason}");
    rule_with_a_past(&home, "kettle", AlertRule::LowIn(30), 60);
    rule_with_a_past(&home, "kettle", AlertRule::PercentUnderUsual(10), 60);
    home.crawl();
    let alerts = fired(&home);
    let reasons: Vec<_> = alerts
        .iter()
        .map(|a| a["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(
        reasons
            .iter()
            .any(|r| r.contains("39.00 EUR is the lowest in 30 days, before 45.00 EUR")),
        "{reasons:?}"
    );
    assert!(
        reasons
            .iter()
            .any(|r| r.contains("13% under the usual 45.00 EUR")),
        "{reasons:?}"
    );
}

/// A time of day some minutes from now, in UTC.
fn in_minutes(minutes: i64) -> String {
    let at = Timestamp::now() + SignedDuration::from_mins(minutes);
    at.to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%H:%M")
        .to_string()
}

#[test]
fn quiet_hours_hold_and_let_go() {
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("39.00", "InStock"));
    shops.put("alpha", "/q", product("Toaster", "29.00", "EUR", "InStock"));
    let quiet = format!(
        "[notify]\nquiet = [\"{}\", \"{}\"]\n[person]\ntime_zone = \"UTC\"",
        in_minutes(-60),
        in_minutes(60)
    );
    let home = Home::locked(&shops.settings_with("gap_seconds = 0", &quiet));
    home.unlock();
    home.run(&["add", &shops.url("alpha", "/p"), "--max", "50 EUR"])
        .ok();
    let alerts = fired(&home);
    assert_eq!(alerts.len(), 1, "it is there to be seen");
    assert_eq!(alerts[0]["delivered"], Value::Null, "but nobody was woken");
    assert!(!home.log().contains("Kettle"), "{}", home.log());
    let toaster = ["add", &shops.url("alpha", "/q"), "--max", "50 EUR"];
    home.run(&toaster).ok();
    home.run(&["wish", "drop", "toaster"]).ok();
    home.settings(&shops.settings());
    let delivered = |name: &str| {
        let alerts = fired(&home);
        let alert = crate::support::find(&alerts, "title", name);
        alert["delivered"].is_string()
    };
    wait("the delivery", || delivered("Kettle"));
    assert!(home.log().contains("Kettle"), "{}", home.log());
    assert!(!delivered("Toaster"), "given up while it was quiet");
    assert!(!home.log().contains("Toaster"), "{}", home.log());
}

#[test]
fn a_digest_waits_for_its_time() {
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("39.00", "InStock"));
    shops.put("alpha", "/q", product("Toaster", "29.00", "EUR", "InStock"));
    let digest = format!(
        "[notify]\ndigest = \"{}\"\n[person]\ntime_zone = \"UTC\"",
        in_minutes(120)
    );
    let home = Home::locked(&shops.settings_with("gap_seconds = 0", &digest));
    home.unlock();
    home.run(&["add", &shops.url("alpha", "/p"), "--max", "50 EUR"])
        .ok();
    home.run(&["add", &shops.url("alpha", "/q"), "--max", "50 EUR"])
        .ok();
    let alerts = fired(&home);
    assert_eq!(alerts.len(), 2);
    assert!(
        alerts.iter().all(|a| a["delivered"].is_null()),
        "{alerts:#?}"
    );
    home.settings(&shops.settings());
    wait("the delivery", || {
        fired(&home).iter().all(|a| a["delivered"].is_string())
    });
}

#[test]
fn a_daily_cap_holds_the_rest() {
    let shops = Shops::open(&["alpha"]);
    for n in 0..3 {
        shops.put(
            "alpha",
            &format!("/{n}"),
            product(&format!("Toaster {n}"), "29.00", "EUR", "InStock"),
        );
    }
    let home = Home::locked(&shops.settings_with("gap_seconds = 0", "[notify]\ndaily_cap = 2"));
    home.unlock();
    for n in 0..3 {
        home.run(&[
            "add",
            &shops.url("alpha", &format!("/{n}")),
            "--max",
            "50 EUR",
        ])
        .ok();
    }
    let delivered = || {
        fired(&home)
            .iter()
            .filter(|a| a["delivered"].is_string())
            .count()
    };
    assert_eq!(fired(&home).len(), 3);
    wait("two deliveries", || delivered() == 2);
    home.crawl();
    assert_eq!(delivered(), 2);
}

#[test]
fn a_weekly_budget_goes_to_what_saves_most_and_never_silences_a_limit() {
    let shops = Shops::open(&["alpha"]);
    let prices = ["39.00", "20.00", "30.00"];
    for (n, price) in prices.iter().enumerate() {
        let name = format!("Toaster {n}");
        shops.put(
            "alpha",
            &format!("/{n}"),
            product(&name, price, "EUR", "InStock"),
        );
    }
    let quiet = format!(
        "[notify]\nwhole_list = false\nquiet = [\"{}\", \"{}\"]\n[person]\ntime_zone = \"UTC\"",
        in_minutes(-60),
        in_minutes(60)
    );
    let home = Home::locked(&shops.settings_with("gap_seconds = 0", &quiet));
    home.unlock();
    follow(&home, &shops, "0 EUR");
    for n in 0..3 {
        home.run(&[
            "list",
            "add",
            "--no-crawl",
            &shops.url("alpha", &format!("/{n}")),
        ])
        .ok();
    }
    home.crawl();
    for n in 0..3 {
        let want = format!("Toaster {n}");
        rule_with_a_past(&home, &want, AlertRule::PercentUnderUsual(10), 60);
    }
    home.crawl();
    assert_eq!(fired(&home).len(), 3);
    let delivered = || -> Vec<String> {
        let alerts = fired(&home);
        let shown = alerts.iter().filter(|a| a["delivered"].is_string());
        shown
            .map(|a| a["title"].as_str().unwrap()[..9].to_owned())
            .collect()
    };
    assert_eq!(delivered(), [""; 0]);
    home.settings(&shops.settings_with("gap_seconds = 0", "[notify]\nweekly_cap = 1"));
    wait("the best one", || delivered() == ["Toaster 1"]);
    wait("the reason of the others", || {
        fired(&home)
            .iter()
            .filter(|a| a["held"].is_string())
            .count()
            == 2
    });
    let (rule, why) = ("10% under", home.json(&["alerts", "why", "Toaster 0"]));
    let kept = why.as_array().unwrap().iter().any(|w| {
        let reason = w["reason"].as_str().unwrap();
        w["rule"].as_str().unwrap().starts_with(rule)
            && reason.contains("kept back")
            && reason.contains("saves 6.00 EUR")
    });
    assert!(kept, "{why:#}");
    let text = home.run(&["alerts"]).ok().out;
    assert!(text.contains("kept back"), "{text}");
    home.run(&["list", "edit", "Toaster 2", "--max", "35 EUR"])
        .ok();
    home.crawl();
    wait("the person's own limit", || {
        delivered().iter().any(|t| t == "Toaster 2")
    });
    assert!(!delivered().iter().any(|t| t == "Toaster 0"));
}

#[test]
fn another_pack_is_neither_news_nor_a_reason_to_be_silent() {
    let shops = Shops::open(&["alpha"]);
    let sold = |name: &str, price: &str| {
        shops.put("alpha", "/p", product(name, price, "EUR", "InStock"));
    };
    sold("Kaffa kettle tea 1 kg", "12.00");
    let home = Home::new(&shops);
    follow(&home, &shops, "0 EUR");
    // The name does not say how much one is: the first pack seen does.
    let url = shops.url("alpha", "/p");
    let add = ["list", "add", &url, "--name", "kettle tea"];
    home.run(&[&add[..], &["--max", "9 EUR"]].concat()).ok();
    sold("Kaffa kettle tea 500 g", "7.00");
    home.crawl();
    assert_eq!(fired(&home).len(), 0, "14.00 for as much");
    let (_, reason) = last_why(&home, "under");
    assert!(reason.contains("14.00 EUR"), "{reason}");
    sold("Kaffa kettle tea 2 kg", "17.00");
    home.crawl();
    let alerts = fired(&home);
    assert_eq!(alerts.len(), 1, "8.50 for as much: {alerts:#?}");
    let reason = alerts[0]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("8.50 EUR is at or under 9.00 EUR") && reason.contains("another pack"),
        "{reason}"
    );
    assert!(alerts[0]["title"].as_str().unwrap().contains("17.00 EUR"));
    let history = home.json(&["history", "kettle"]);
    let points = history["points"].as_array().unwrap().iter();
    let asked_and_counted: Vec<_> = points
        .map(|p| (&p["price"]["amount"], &p["home"]["amount"]))
        .map(|(asked, counted)| (asked.as_str().unwrap(), counted.as_str().unwrap()))
        .collect();
    // For two kilograms, as the shop sells now.
    let expected = [("12.00", "24.00"), ("7.00", "28.00"), ("17.00", "17.00")];
    assert_eq!(asked_and_counted, expected);
}

#[test]
fn a_price_the_person_noted_is_no_news_and_nothing_dearer_is_called_good() {
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("44.00", "InStock"));
    let home = Home::new(&shops);
    follow(&home, &shops, "0 EUR");
    let alpha = shops.host("alpha");
    home.run(&["list", "add", &shops.url("alpha", "/p"), "--max", "35 EUR"])
        .ok();
    let note = ["shop", "price", "add", &alpha, "kettle", "--price"];
    home.run(&[&note[..], &["30 EUR"]].concat()).ok();
    rule_with_a_past(&home, "kettle", AlertRule::PercentUnderUsual(10), 60);
    shops.put("alpha", "/p", kettle("39.00", "InStock"));
    home.crawl();
    assert_eq!(fired(&home).len(), 0, "neither their own nor a dearer one");
    let (_, reason) = last_why(&home, "10%");
    assert!(reason.contains("you noted 30.00 EUR at"), "{reason}");
    let best = &home.json(&["wish", "show", "kettle"])["best"];
    assert_eq!(best["source"], "noted", "{best:#}");
    shops.put("alpha", "/p", kettle("29.00", "InStock"));
    home.crawl();
    let alerts = fired(&home);
    assert_eq!(alerts.len(), 2, "the limit and the rule: {alerts:#?}");
    assert!(alerts.iter().all(|a| a["cost"]["amount"] == "29.00"));
}

#[test]
fn a_whole_list_that_became_cheaper_is_told_once() {
    let shops = Shops::open(&["alpha"]);
    let offer = |name: &str, price: &str, stock: &str| {
        let path = format!("/{name}");
        shops.put("alpha", &path, product(name, price, "EUR", stock));
    };
    offer("milk", "10.00", "InStock");
    offer("bread", "20.00", "InStock");
    let home = Home::new(&shops);
    follow(&home, &shops, "0 EUR");
    for name in ["milk", "bread"] {
        let url = shops.url("alpha", &format!("/{name}"));
        let args = [
            "list",
            "add",
            "--no-crawl",
            &url,
            "--name",
            name,
            "--list",
            "groceries",
        ];
        home.run(&args).ok();
    }
    home.crawl();
    let whys = || -> Vec<String> {
        let why = home.json(&["alerts", "why", "milk"]);
        let all = why.as_array().unwrap().iter();
        let list = all.filter(|w| w["rule"] == "whole list groceries");
        list.map(|w| w["reason"].as_str().unwrap().to_owned())
            .collect()
    };
    let said = |text: &str| wait(text, || whys().first().is_some_and(|w| w.contains(text)));
    said("30.00 EUR is noted");
    home.age_list("groceries");
    offer("milk", "9.50", "InStock");
    home.crawl();
    said("29.50 EUR is not clearly less than 30.00 EUR when first added up");
    offer("milk", "7.00", "InStock");
    offer("bread", "19.00", "InStock");
    home.crawl();
    said("4.00 EUR less than 30.00 EUR when first added up");
    let alerts = fired(&home);
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    let title = "groceries: the whole list now costs 26.00 EUR at 1 shop";
    assert_eq!(alerts[0]["title"], title);
    wait("the delivery", || fired(&home)[0]["delivered"].is_string());
    offer("milk", "1.00", "InStock");
    offer("bread", "19.00", "OutOfStock");
    home.crawl();
    said("not compared: `bread`");
    offer("bread", "19.00", "InStock");
    home.crawl();
    said("the last alert is fresh");
    assert_eq!(fired(&home).len(), 1);
    snoozed_and_muted(&home);
    // What is remembered goes with the list: another one of its name starts anew.
    for name in ["milk", "bread"] {
        home.run(&["list", "drop", name]).ok();
    }
    assert_eq!(whys(), [""; 0]);
}

/// The watch on the list can be silenced for a while and taken away, and comes back.
fn snoozed_and_muted(home: &Home) {
    let watch = || home.json(&["alerts"])["lists"][0].clone();
    let until = ["--until", "2099-01-01"];
    let snooze = ["list", "snooze", "--list", "Groceries"];
    let said = home.run(&[&snooze[..], &until].concat()).ok().out;
    assert!(said.contains("snoozed until Jan 1, 2099"), "{said}");
    assert_eq!(watch()["snoozed_until"], "2099-01-01T00:00:00Z");
    let kept = home.json(&["list", "list"]);
    assert_eq!(kept.as_array().map(Vec::len), Some(2), "still looked for");
    home.run(&["list", "keep", "--list", "groceries"]).ok();
    assert_eq!(watch()["snoozed_until"], Value::Null);
    home.run(&["alerts", "rm", "groceries"]).ok();
    assert_eq!(watch()["muted"], true);
    let text = home.run(&["alerts"]).ok().out;
    assert!(text.contains("groceries  (told no more)"), "{text}");
    home.run(&["alerts", "add", "groceries", "whole list"]).ok();
    assert_eq!(watch()["muted"], false);
    for args in [
        &["list", "snooze", "--list", "wine", "--until", "2099-01-01"][..],
        &["alerts", "add", "wine", "whole list"],
        &["alerts", "rm", "wine"],
    ] {
        home.run(args).refused(5);
    }
    home.run(&["list", "snooze", "--until", "2099-01-01"])
        .exits(2);
    let past = ["--until", "2020-01-01"];
    home.run(&[&snooze[..], &past].concat()).refused(2);
}
