//! How amounts and days read: for people their own way, for programs always the same.

use crate::support::{Home, Shops, find, product, wait};

/// A German far to the east, whose list, rules, purchases and notes give every kind of
/// sentence with an amount or a day in it.
fn household() -> (Shops, Home) {
    let shops = Shops::open(&["alpha", "beta"]);
    let mut home = Home::locked(&shops.settings());
    home.set_env("LC_ALL", "de_DE.UTF-8");
    home.set_env("TZ", "XST-11");
    home.unlock();
    let offer = |shop: &str, name: &str, price: &str| {
        let path = format!("/{name}");
        shops.put(shop, &path, product(name, price, "EUR", "InStock"));
    };
    offer("alpha", "kettle", "1039.00");
    offer("beta", "kettle", "1035.00");
    offer("alpha", "tea", "3.00");
    let (alpha, beta) = (shops.host("alpha"), shops.host("beta"));
    let root = shops.url("alpha", "/");
    let prefer = format!("seller={alpha}:7");
    home.run(&["shop", "add", &root, "--delivery", "4.95 EUR"])
        .ok();
    for (name, more) in [("kettle", &["--prefer", &prefer][..]), ("tea", &[])] {
        let url = shops.url("alpha", &format!("/{name}"));
        let add = ["list", "add", "--no-crawl", &url, "--name", name];
        home.run(&[&add[..], &["--list", "food"], more].concat())
            .ok();
    }
    let url = shops.url("beta", "/kettle");
    home.run(&["list", "edit", "kettle", "--url", &url]).ok();
    home.run(&["list", "edit", "kettle", "--max", "1200 EUR"])
        .ok();
    home.run(&["alerts", "add", "kettle", "under 20 EUR"]).ok();
    home.run(&["alerts", "add", "kettle", "back in stock"]).ok();
    home.run(&["alerts", "add", "kettle", "low in 90 days"])
        .ok();
    home.crawl();
    let bought = ["purchases", "add", "tea", "--price", "5 EUR", "--shop"];
    home.run(&[&bought[..], &[&alpha, "--protect-days", "14"]].concat())
        .ok();
    let note = ["shop", "price", "add", &beta, "tea", "--price", "2.50 EUR"];
    home.run(
        &[
            &note[..],
            &["--from", "5:2.20 EUR", "--until", "2099-12-31"],
        ]
        .concat(),
    )
    .ok();
    let why = || home.run(&["alerts", "why", "tea"]).ok().out;
    wait("the sum of the list", || why().contains("is noted"));
    (shops, home)
}

#[test]
fn sentences_have_amounts_and_days_of_the_reader() {
    let (shops, home) = household();
    let mut all = String::new();
    for args in [
        &["alerts"][..],
        &["alerts", "why", "kettle"],
        &["alerts", "why", "tea"],
        &["offers", "kettle", "--explain", "--all"],
        &["offers", "tea", "--explain"],
        &["basket", "food"],
        &["basket", "food", "--explain"],
        &["history", "kettle"],
        &["wish", "show", "kettle"],
        &["wish", "tune", "kettle"],
        &["wish", "plan"],
        &["purchases"],
    ] {
        let out = home.run(args).ok().out.replace(['\u{a0}', '\u{202f}'], " ");
        let foreign = out.lines().find(|l| l.contains("EUR") || has_iso_day(l));
        assert_eq!(foreign, None, "{args:?}: {out}");
        all += &out;
    }
    for part in [
        " € is at or under 1.200,00 €",
        "under 20,00 €",
        "the shop's rule: 4,95 € an order",
        "holds until 31.12.2099",
        "2,20 € each from 5 on",
        "2,00 € to claim back",
        " is noted: the list is new",
        "Would you pay 7,00 € more",
        "(worth 7,00 €)",
    ] {
        assert!(all.contains(part), "{part} in {all}");
    }
    let err = home
        .run(&["basket", "food", "--budget", "9 EUR"])
        .refused(1);
    assert!(err.err.contains(",00\u{a0}€"), "{}", err.err);
    for (args, says) in [
        (
            &["list", "edit", "tea", "--need-by", "2020-01-31"][..],
            "31.01.2020 is past",
        ),
        (&["list", "rm", "tea"], "for it runs until "),
    ] {
        let err = home.run(args).err;
        assert!(err.contains(says), "{err}");
        assert!(!err.lines().next().is_some_and(has_iso_day), "{err}");
    }
    let beta = shops.host("beta");
    let note = ["shop", "price", "add", &beta, "tea"];
    let dearer = [&note[..], &["--price", "2 EUR", "--from", "3:4 EUR"]].concat();
    let err = home.run(&dearer).refused(2).err;
    assert!(
        err.contains("4,00\u{a0}€ each from 3 on is not less than 2,00\u{a0}€"),
        "{err}"
    );
    // Programs read the same errors as documents.
    let err = home.run(&[&dearer[..], &["--json"]].concat()).err;
    assert!(err.contains("4.00 EUR each from 3 on"), "{err}");
}

#[test]
fn documents_are_the_same_for_every_reader() {
    let (_shops, home) = household();
    let alerts = home.json(&["alerts"]);
    let reasons = alerts["alerts"].to_string();
    assert!(reasons.contains("at or under 1200.00 EUR"), "{alerts:#}");
    assert_eq!(alerts["rules"][0]["rule"], "under 1200.00 EUR");
    let offers = home.json(&["offers", "kettle"]);
    let summary = offers["summary"].as_str().unwrap();
    assert!(
        summary.contains("EUR") && !summary.contains('€'),
        "{summary}"
    );
    let why = home.json(&["alerts", "why", "tea"]).to_string();
    assert!(why.contains(" EUR") && !why.contains('€'), "{why}");
    let tea = home.json(&["offers", "tea"]);
    let noted = find(tea["ranked"].as_array().unwrap(), "source", "noted");
    let note = noted["notes"][0].as_str().unwrap();
    assert!(note.contains("until 2099-12-31"), "{noted:#}");
}

fn has_iso_day(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.windows(10).any(|w| {
        w.iter().enumerate().all(|(i, b)| match i {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        })
    })
}
