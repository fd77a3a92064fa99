//! The short list tuned, the whole basket, the life of wishes, the right moment: through
//! the program as its users run it.

use crate::support::{Home, Shops, find, product};
use emptor::agent::store::{Link, Listing, Rule, Store, Zone};
use emptor::engine::alert::{AlertState, Seen, Tuning};
use emptor::model::offer::Observation;
use emptor::model::time::{SignedDuration, Timestamp};
use emptor::model::{Availability, Condition, Money, Offer, Want};
use serde_json::{Value, json};

/// Coffee, tea and a mug at three shops with three ways to charge for delivery.
fn market() -> (Shops, Home) {
    let shops = Shops::open(&["alpha", "beta", "gamma"]);
    for (shop, path, name, price) in [
        ("alpha", "/coffee", "Kaffa coffee 1 kg", "12.00"),
        ("beta", "/coffee", "Kaffa coffee 1 kg", "11.80"),
        ("alpha", "/tea", "Linden tea", "3.00"),
        ("beta", "/tea", "Linden tea", "4.00"),
        ("alpha", "/mug", "Blue mug", "9.00"),
        ("gamma", "/mug", "Blue mug", "5.00"),
    ] {
        shops.put(shop, path, product(name, price, "EUR", "InStock"));
    }
    let home = Home::new(&shops);
    let alpha = shops.url("alpha", "/");
    home.run(&[
        "shop",
        "add",
        &alpha,
        "--delivery",
        "4.95 EUR",
        "--free-from",
        "40 EUR",
    ])
    .ok();
    let gamma = shops.url("gamma", "/");
    home.run(&["shop", "add", &gamma, "--delivery", "2.00 EUR"])
        .ok();
    (shops, home)
}

/// Adds a shopping item with its pages.
pub fn item(shops: &Shops, home: &Home, path: &str, at: &[&str], more: &[&str]) {
    let first = shops.url(at[0], path);
    let mut args = vec!["list", "add", "--no-crawl", &first, "--name", &path[1..]];
    args.extend(["--list", "groceries"]);
    args.extend(more);
    home.run(&args).ok();
    for shop in &at[1..] {
        home.run(&["list", "edit", &path[1..], "--url", &shops.url(shop, path)])
            .ok();
    }
}

fn groceries() -> (Shops, Home) {
    let (shops, home) = market();
    item(
        &shops,
        &home,
        "/coffee",
        &["alpha", "beta"],
        &["--qty", "2"],
    );
    item(&shops, &home, "/tea", &["alpha", "beta"], &[]);
    item(&shops, &home, "/mug", &["alpha", "gamma"], &[]);
    home.crawl();
    (shops, home)
}

pub fn amount(value: &Value) -> &str {
    value["amount"]
        .as_str()
        .unwrap_or_else(|| panic!("no amount: {value}"))
}

#[test]
fn the_basket_is_proven_and_says_what_else_was_possible() {
    let (shops, home) = groceries();
    let reply = home.json(&["basket", "groceries"]);
    // At alpha: 2 x 12 + 3 + 9 = 36, and 4.95 for delivery. Fetching the mug from gamma
    // saves 4 and costs 2.
    let plan = &reply["plan"];
    assert_eq!(amount(&plan["pay"]), "38.95", "{reply:#}");
    assert_eq!(plan["proven"], true);
    assert_eq!(plan["cost"], plan["bound"]);
    let carts = plan["shops"].as_array().unwrap();
    assert_eq!(carts.len(), 2);
    let alpha = find(carts, "shop", "alpha");
    assert_eq!(amount(&alpha["goods"]), "27.00");
    assert_eq!(amount(&alpha["delivery"]), "4.95");
    assert_eq!(amount(&alpha["next"]["missing"]), "13.00");
    assert_eq!(amount(&alpha["next"]["saves"]), "4.95");
    let lines = alpha["lines"].as_array().unwrap();
    let coffee = find(lines, "name", "coffee");
    assert_eq!(coffee["quantity"], 2);
    assert_eq!(coffee["url"], shops.url("alpha", "/coffee"));
    let splits = reply["splits"].as_array().unwrap();
    assert_eq!(amount(&splits[0]["pay"]), "40.95", "the best single shop");
    assert_eq!(amount(&splits[1]["saving"]), "2.00");
    // Coffee at beta, tea at alpha, the mug at gamma: three deliveries.
    assert_eq!(amount(&reply["cheapest_each"]), "43.47");
    assert_eq!(reply["worst"], Value::Null, "all is known in this plan");
    assert_eq!(reply["nobody"], json!([]));

    let one = home.json(&["basket", "groceries", "--max-shops", "1"]);
    assert_eq!(amount(&one["plan"]["pay"]), "40.95");
    let limits = one["limits"].as_array().unwrap();
    assert_eq!(
        amount(&find(limits, "limit", "max_shops")["saving"]),
        "2.00"
    );

    let text = home.run(&["basket", "--explain"]).ok().out;
    for part in [
        "alpha.localhost",
        "no plan costs less",
        "One shop: ",
        "saves ",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    println!("{text}");
}

#[test]
fn an_unknown_delivery_is_told_with_its_worst_case() {
    let (shops, home) = market();
    item(&shops, &home, "/coffee", &["beta"], &["--qty", "2"]);
    home.crawl();
    let reply = home.json(&["basket"]);
    // (0 + 4 x 4.90 + 9.90) / 6 = 4.92 expected, 9.90 at the most.
    assert_eq!(amount(&reply["plan"]["pay"]), "28.52", "{reply:#}");
    assert_eq!(amount(&reply["worst"]["pay"]), "33.50");
    assert_eq!(reply["worst"]["instead"], json!([]));
    let text = home.run(&["basket"]).ok().out;
    assert!(text.contains("may cost"), "{text}");

    // Where the worst would make another shop the better one, it says which.
    home.run(&[
        "list",
        "edit",
        "coffee",
        "--url",
        &shops.url("alpha", "/coffee"),
    ])
    .ok();
    home.crawl();
    let reply = home.json(&["basket"]);
    assert_eq!(amount(&reply["plan"]["pay"]), "28.52", "{reply:#}");
    assert_eq!(amount(&reply["worst"]["instead_pay"]), "28.95");
    println!("{}", home.run(&["basket"]).ok().out);
}

#[test]
fn packs_add_up_and_a_wish_is_bought_only_for_what_it_is_worth() {
    let (shops, home) = market();
    shops.put(
        "gamma",
        "/coffee",
        product("Kaffa coffee 500 g", "5.00", "EUR", "InStock"),
    );
    let url = shops.url("gamma", "/coffee");
    home.run(&[
        "list",
        "add",
        &url,
        "--name",
        "Kaffa coffee 1 kg",
        "--qty",
        "2",
    ])
    .ok();
    let reply = home.json(&["basket"]);
    let line = &reply["plan"]["shops"][0]["lines"][0];
    assert_eq!(line["quantity"], 4, "{reply:#}");
    assert_eq!(amount(&line["total"]), "20.00");
    assert_ne!(line["packs"], Value::Null);

    let tea = shops.url("alpha", "/tea");
    for (limit, bought) in [("7.00 EUR", false), ("8.00 EUR", true)] {
        let args = [
            "wish", "add", &tea, "--name", "tea", "--list", "treats", "--max", limit,
        ];
        home.run(&args).ok();
        let reply = home.json(&["basket", "treats"]);
        assert_eq!(
            reply["plan"]["shops"].as_array().unwrap().len(),
            usize::from(bought)
        );
        assert_eq!(
            reply["left_out"].as_array().unwrap().len(),
            usize::from(!bought)
        );
        home.run(&["wish", "rm", "tea"]).ok();
    }
}

#[test]
fn what_is_beyond_its_limit_at_worst_is_named() {
    let (shops, home) = market();
    let tea = shops.url("beta", "/tea");
    let args = ["--list", "Süßes", "--max", "10 EUR", "--name", "tea"];
    home.run(&[&["wish", "add", &tea][..], &args].concat()).ok();
    // 4.00 and 4.92 for an unknown delivery, which may be 9.90.
    let reply = home.json(&["basket", "süßes"]);
    assert_eq!(amount(&reply["worst"]["pay"]), "13.90");
    assert_eq!(reply["worst"]["instead"], json!([]));
    assert_eq!(reply["worst"]["instead_without"], json!(["tea"]));
    let text = home.run(&["basket", "SÜßES"]).ok().out;
    let nothing = "then buying nothing would be better, for €0.00: beyond your limit is then tea";
    assert!(text.contains(nothing), "{text}");
}

#[test]
fn contradictory_limits_are_named() {
    let (shops, home) = groceries();
    let run = home.run(&["basket", "--budget", "30 EUR"]).refused(1);
    assert!(
        run.err.contains("costs €38.95, the budget is €30.00"),
        "{}",
        run.err
    );
    let run = home.run(&["basket", "--from", "Berlin"]).refused(2);
    assert!(run.err.contains("Berlin"), "{}", run.err);
    home.run(&["basket", "nothing"]).refused(5);
    home.run(&["basket", "--max-shops", "0"]).refused(2);
    home.run(&["basket", "--limit-ms", "0"]).exits(2);
    home.run(&["basket", "--budget", "5 XAU"]).exits(2);
    home.run(&["basket", "--budget", "99999999999999999999 EUR"])
        .refused(2);

    // A want nobody offers is told and does not stand in the way.
    shops.put(
        "beta",
        "/jam",
        product("Plum jam", "2.00", "EUR", "OutOfStock"),
    );
    item(&shops, &home, "/jam", &["beta"], &[]);
    home.crawl();
    let reply = home.json(&["basket"]);
    assert_eq!(amount(&reply["plan"]["pay"]), "38.95");
    find(reply["nobody"].as_array().unwrap(), "name", "jam");
    // No single shop has everything once the mug must come from gamma.
    let only = format!("seller={}", shops.host("gamma"));
    home.run(&["list", "edit", "mug", "--must", &only]).ok();
    let run = home.run(&["basket", "--max-shops", "1"]).refused(1);
    assert!(
        run.err
            .contains("no single shop offers the whole list; 2 together do"),
        "{}",
        run.err
    );
    let reply = home.json(&["basket"]);
    assert_eq!(reply["splits"][0]["pay"], Value::Null);
    assert_eq!(reply["splits"][0]["missing"], json!(["mug"]));
}

#[test]
fn a_few_answers_tune_a_want() {
    let (shops, home) = market();
    let url = shops.url("alpha", "/mug");
    home.run(&[
        "wish",
        "add",
        &url,
        "--name",
        "mug",
        "--prefer",
        "name~blue:4",
    ])
    .ok();
    let start = home.json(&["wish", "tune", "mug"]);
    assert_eq!(amount(&start["question"]["amount"]), "4.00", "{start:#}");
    assert_eq!(amount(&start["trade_offs"][0]["low"]), "2.00");
    let after = home.json(&["wish", "tune", "mug", "--answer", "no"]);
    assert_eq!(amount(&after["trade_offs"][0]["low"]), "2.00");
    assert_eq!(
        amount(&after["trade_offs"][0]["high"]),
        "4.20",
        "what was said, with doubt"
    );
    let worth = home.json(&["wish", "show", "mug"])["prefer"][0]["worth"].clone();
    assert_eq!(
        worth.as_str(),
        Some("2.90"),
        "the middle counts from now on"
    );
    let done = home.json(&["wish", "tune", "mug", "--answer", "same"]);
    assert_eq!(done["question"], Value::Null);
    assert_eq!(done["trade_offs"][0]["settled"], true);
    home.run(&["wish", "tune", "mug", "--answer", "yes"])
        .refused(1);
    println!("{}", home.run(&["wish", "tune", "mug"]).ok().out);

    // Whoever would pay more than first said is asked about more, and a script may bring
    // more answers than it takes.
    home.run(&["wish", "edit", "mug", "--prefer", "name~blue:3"])
        .ok();
    let yes = ["--answer", "yes"];
    let four = [&["wish", "tune", "mug"][..], &yes, &yes, &yes, &yes].concat();
    let more = home.json(&four);
    assert_eq!(more["trade_offs"][0]["settled"], false, "{more:#}");
    assert_ne!(more["question"], Value::Null, "nobody said no yet");
    let same = ["--answer", "same"];
    let run = home.run(&[&["wish", "tune", "mug"][..], &same, &yes].concat());
    let run = run.ok();
    assert!(run.out.contains(", settled)"), "{}", run.out);
    assert!(run.err.contains("answers not used: 1"), "{}", run.err);

    // A worth that the person states anew starts anew.
    home.run(&["wish", "edit", "mug", "--prefer", "name~blue:10"])
        .ok();
    let anew = home.json(&["wish", "tune", "mug"]);
    assert_eq!(amount(&anew["question"]["amount"]), "10.00");
    home.run(&["wish", "edit", "mug", "--no-prefer"]).ok();
    let none = home.json(&["wish", "tune", "mug"]);
    assert!(
        none["reason"].as_str().unwrap().contains("no preference"),
        "{none}"
    );
}

#[test]
fn wishes_are_planned_against_a_budget() {
    let (shops, home) = market();
    home.settings(&format!(
        "{}\n[wishes]\ncooling_days = 0\n",
        shops.settings()
    ));
    home.run(&["daemon", "stop"]).ok();
    home.unlock();
    for (path, name, intensity) in [
        ("/mug", "mug", "90"),
        ("/coffee", "coffee", "60"),
        ("/tea", "tea", "20"),
    ] {
        let url = shops.url("alpha", path);
        home.run(&[
            "wish",
            "add",
            &url,
            "--name",
            name,
            "--intensity",
            intensity,
        ])
        .ok();
    }
    let plan = home.json(&["wish", "plan", "--budget", "20 EUR"]);
    let names = |part: &str| -> Vec<String> {
        let lines = plan[part].as_array().unwrap();
        lines
            .iter()
            .map(|l| l["name"].as_str().unwrap().to_owned())
            .collect()
    };
    // Each with delivery: mug 13.95, coffee 16.95, tea 7.95. Tea is not ripe.
    assert_eq!(names("buy"), ["mug"], "{plan:#}");
    assert_eq!(names("later"), ["coffee", "tea"]);
    assert_eq!(amount(&plan["total"]), "38.85");
    assert_eq!(amount(&plan["missing"]), "18.85");
    let order = |sort: &str| -> Vec<String> {
        let list = home.json(&["wish", "list", "--sort", sort]);
        let list = list.as_array().unwrap().clone();
        list.iter()
            .map(|w| w["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(order("intensity"), ["mug", "coffee", "tea"]);
    assert_eq!(order("price"), ["tea", "mug", "coffee"]);
    assert_eq!(order("age"), ["mug", "coffee", "tea"]);

    home.run(&["wish", "drop", "coffee"]).ok();
    assert_eq!(order("price"), ["tea", "mug"]);
    let shown = home.json(&["wish", "show", "coffee"]);
    assert_eq!(shown["life"]["stage"], "gone");
    home.run(&["wish", "keep", "coffee"]).ok();
    assert_eq!(
        home.json(&["wish", "show", "coffee"])["life"]["stage"],
        "ripe"
    );
    home.run(&["wish", "snooze", "mug", "--until", "2999-01-01"])
        .ok();
    assert_eq!(
        home.json(&["wish", "show", "mug"])["life"]["stage"],
        "asleep"
    );
    println!("{}", home.run(&["wish", "list", "--all"]).ok().out);
    println!(
        "{}",
        home.run(&["wish", "plan", "--budget", "20 EUR"]).ok().out
    );
}

#[test]
fn a_price_guarantee_is_watched_after_the_purchase() {
    let (shops, home) = market();
    let shop = shops.host("alpha");
    let url = shops.url("alpha", "/mug");
    home.run(&["list", "add", &url, "--name", "mug"]).ok();
    let args = [
        "purchases",
        "add",
        "mug",
        "--price",
        "9.00 EUR",
        "--shop",
        &shop,
        "--protect-days",
        "14",
    ];
    let bought = home.json(&args);
    assert_eq!(bought["refund"], Value::Null, "{bought}");
    home.run(&["list", "done", "mug"]).ok();
    // Done with, but the page is still read.
    shops.put(
        "alpha",
        "/mug",
        product("Blue mug", "6.50", "EUR", "InStock"),
    );
    home.crawl();
    let alerts = home.json(&["alerts"]);
    let alert = &alerts["alerts"][0];
    assert_eq!(alert["rule"], "price guarantee", "{alerts:#}");
    assert!(
        alert["reason"]
            .as_str()
            .unwrap()
            .contains("2.50 EUR to claim back"),
        "{alert}"
    );
    home.crawl();
    assert_eq!(
        home.json(&["alerts"])["alerts"].as_array().unwrap().len(),
        1,
        "told once"
    );
    let why = home.run(&["alerts", "why", "mug"]).ok().out;
    assert!(why.contains("told already"), "{why}");
    println!("{}{why}", home.run(&["purchases"]).ok().out);
    println!("{}", home.run(&["alerts"]).ok().out);

    let all = home.json(&["purchases"]);
    home.run(&["purchases", "rm", all[0]["id"].as_str().unwrap()])
        .ok();
    shops.put(
        "alpha",
        "/mug",
        product("Blue mug", "3.50", "EUR", "InStock"),
    );
    let read = home.crawl();
    assert!(
        read.iter().all(|r| r["url"] != url),
        "nobody waits for the page: {read:?}"
    );
    let more = [
        "purchases",
        "add",
        "mug",
        "--price",
        "9 EUR",
        "--shop",
        "else.example",
        "--protect-days",
        "9",
    ];
    home.run(&more).refused(2);
    home.run(&["alerts", "add", "mug", "price guarantee"])
        .refused(2);
}

#[test]
fn wishes_that_a_limit_keeps_out_are_not_blamed_on_their_price() {
    let (shops, home) = market();
    for (path, at) in [("/mug", "gamma"), ("/coffee", "alpha")] {
        let add = ["wish", "add", "--no-crawl", "--name", &path[1..]];
        let url = shops.url(at, path);
        home.run(&[&add[..], &[&url, "--max", "20 EUR"]].concat())
            .ok();
    }
    home.crawl();
    let text = |args: &[&str]| home.run(&[&["basket", "wishes"], args].concat()).ok().out;
    let nothing = text(&["--budget", "1 EUR"]);
    for part in [
        "Nothing is bought: nothing fits these limits.",
        "it does not fit the budget, or it would add more than your limit of €20.00 each",
        "--budget keeps out wishes worth",
    ] {
        assert!(nothing.contains(part), "{part} in {nothing}");
    }
    assert!(!nothing.contains("0 shops"), "{nothing}");
    let one = text(&["--budget", "10 EUR"]);
    assert!(
        one.contains("€7.00  gamma") && one.contains(", without coffee"),
        "{one}"
    );
    let both = home.json(&["basket", "wishes"]);
    let splits = both["splits"].as_array().unwrap();
    assert_eq!(splits.len(), 2, "{both:#}");
    assert_eq!(splits[0]["missing"].as_array().map(Vec::len), Some(1));
    assert_eq!(splits[1]["saving"], Value::Null, "it buys more: {both:#}");
}

#[test]
fn advice_needs_history_and_better_is_a_rule() {
    let (shops, home) = market();
    let url = shops.url("alpha", "/mug");
    home.run(&["wish", "add", &url, "--name", "mug"]).ok();
    let history = home.json(&["history", "mug"]);
    assert_eq!(history["advice"]["advice"], "unknown");
    let offers = home.run(&["offers", "mug", "--explain"]).ok().out;
    assert!(offers.contains("Too little history"), "{offers}");
    let rule = home.json(&["alerts", "add", "mug", "better"]);
    assert_eq!(rule["rule"], "better");
    let why = home.run(&["alerts", "why", "mug"]).ok().out;
    assert!(why.contains("30 are needed"), "{why}");
    println!("{}{why}", home.run(&["history", "mug"]).ok().out);
}

fn eur(minor: i64) -> Money {
    Money::from_minor(minor, "EUR".parse().expect("a currency"))
}

fn days_ago(days: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(24 * days)
}

/// A wish added so many days ago on which a rule has watched a steady 14.95 EUR.
fn watched(store: &Store, url: &str, added: i64, rule: &str) -> Want {
    let mut want = Want::new("mug", days_ago(added));
    want.urls = vec![url.to_owned()];
    let rule: emptor::model::AlertRule = rule.parse().expect("a rule");
    let mut state = AlertState::default();
    for day in 1..=40 {
        let seen = Seen {
            at: days_ago(41 - day),
            cost: Some(eur(1495)),
            availability: Availability::InStock,
            known: true,
        };
        state.observe(&rule, &seen, &Tuning::default());
    }
    let rule = Rule {
        state,
        ..Rule::new(want.id, rule)
    };
    store
        .change(|tx| {
            tx.put_want(&want)?;
            tx.put_rule(&rule)
        })
        .expect("stored");
    want
}

#[test]
fn a_cooling_wish_keeps_quiet_and_one_that_lasted_speaks() {
    let shops = Shops::open(&["alpha"]);
    let url = shops.url("alpha", "/mug");
    shops.put(
        "alpha",
        "/mug",
        product("Blue mug", "5.00", "EUR", "InStock"),
    );
    // 5.00 and 4.92 for delivery: a third under the usual 14.95.
    for (added, rule, told) in [
        (1, "better", false),
        (1, "15% under usual", false),
        (1, "under 12 EUR", true),
        (30, "better", true),
        (300, "under 12 EUR", false),
    ] {
        let home = Home::locked(&shops.settings());
        home.with_store(|store| {
            watched(store, &url, added, rule);
        });
        home.unlock();
        home.crawl();
        let alerts = home.json(&["alerts"]);
        let count = alerts["alerts"].as_array().unwrap().len();
        let why = home.run(&["alerts", "why", "mug"]).ok().out;
        assert_eq!(count, usize::from(told), "{added} days, {rule}: {why}");
        let stage = if added == 300 { "fading" } else { "ripening" };
        assert_eq!(
            why.contains(&format!("the wish is {stage}")),
            !told,
            "{why}"
        );
        println!("{why}");
        if added == 300 {
            // The person's word makes it ripe again, and then it is told.
            home.run(&["wish", "keep", "mug"]).ok();
            home.crawl();
            let alerts = home.json(&["alerts"]);
            assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1, "{alerts:#}");
        }
    }
}

#[test]
fn regular_sales_are_worth_waiting_for() {
    let shops = Shops::open(&["alpha"]);
    let url = shops.url("alpha", "/mug");
    shops.put(
        "alpha",
        "/mug",
        product("Blue mug", "10.00", "EUR", "InStock"),
    );
    let home = Home::locked(&shops.settings());
    home.with_store(|store| {
        let mut want = Want::new("mug", days_ago(400));
        want.urls = vec![url.clone()];
        let listing = Listing {
            id: Listing::id_of(&url, None),
            shop: shops.host("alpha"),
            url: url.clone(),
            offer: Offer {
                name: Some("Blue mug".into()),
                price: Some(eur(1000)),
                availability: Availability::InStock,
                ..Offer::default()
            },
            first_seen: days_ago(400),
            last_seen: days_ago(1),
            links: vec![Link {
                want: want.id,
                zone: Zone::Same,
                by_person: false,
                reasons: Vec::new(),
            }],
            candidate: false,
            observations: 0,
        };
        store
            .change(|tx| {
                tx.put_want(&want)?;
                // A week's sale every seven weeks; the next one is near.
                for day in 0..380 {
                    let sale = day % 49 >= 42;
                    let seen = Observation {
                        at: days_ago(380 - day),
                        price: Some(eur(if sale { 700 } else { 1000 })),
                        availability: Availability::InStock,
                        condition: Condition::New,
                        content: None,
                    };
                    tx.observe(&listing, &seen)?;
                }
                Ok(())
            })
            .expect("stored");
    });
    home.unlock();
    let advice = home.json(&["history", "mug"])["advice"].clone();
    assert_eq!(advice["advice"], "wait", "{advice:#}");
    assert!(advice["chance"].as_f64().unwrap() > 0.5, "{advice:#}");
    let target: f64 = amount(&advice["target"]).parse().unwrap();
    assert!((7.0..10.0).contains(&target), "{advice:#}");
    println!("{}", home.run(&["offers", "mug", "--explain"]).ok().out);
    println!("{}", home.run(&["history", "mug"]).ok().out);
    // Needed tomorrow, no sale can come in time.
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let date = tomorrow.to_string()[..10].to_owned();
    home.run(&["wish", "edit", "mug", "--need-by", &date]).ok();
    let advice = home.json(&["history", "mug"])["advice"].clone();
    assert_eq!(advice["advice"], "buy", "{advice:#}");
}
