//! The basket with what the person knows of shops: terms, coupons, places, noted prices.

use crate::decisions::{amount, item};
use crate::support::{Home, Page, Shops, find, product, product_with};
use serde_json::{Value, json};

/// Tea at 10.00 and a mug at 8.00 in alpha and beta, delivery known by nobody.
fn market(settings: &str) -> (Shops, Home) {
    let shops = Shops::open(&["alpha", "beta"]);
    for shop in ["alpha", "beta"] {
        shops.put(
            shop,
            "/tea",
            product("Linden tea", "10.00", "EUR", "InStock"),
        );
        shops.put(shop, "/mug", product("Blue mug", "8.00", "EUR", "InStock"));
    }
    let home = Home::locked(&format!("{}\n{settings}", shops.settings()));
    home.unlock();
    item(&shops, &home, "/tea", &["alpha", "beta"], &[]);
    item(&shops, &home, "/mug", &["alpha", "beta"], &[]);
    home.crawl();
    (shops, home)
}

fn terms(home: &Home, shop: &str, more: &[&str]) -> Value {
    let mut args = vec!["shop", "terms", shop];
    args.extend(more);
    home.json(&args)
}

fn only_cart(reply: &Value) -> &Value {
    let carts = reply["plan"]["shops"].as_array().expect("carts");
    assert_eq!(carts.len(), 1, "{reply:#}");
    &carts[0]
}

#[test]
fn noted_terms_make_the_fee_and_count_in_every_list() {
    let (shops, home) = market("");
    let (alpha, beta) = (shops.host("alpha"), shops.host("beta"));
    let view = terms(
        &home,
        &alpha,
        &[
            "--ship",
            "4.90 EUR",
            "--tier",
            "15 EUR:2.90 EUR",
            "--free-from",
            "49 EUR",
        ],
    );
    assert_eq!(amount(&view["terms"]["fee"]), "4.90");
    terms(
        &home,
        &beta,
        &["--ship", "3.50 EUR", "--min-order", "30 EUR"],
    );
    let reply = home.json(&["basket"]);
    // 18.00 reaches the second tier of alpha; beta takes no order of 18.00.
    let cart = only_cart(&reply);
    assert_eq!(cart["shop"], alpha.as_str());
    assert_eq!(amount(&cart["delivery"]), "2.90");
    assert_eq!(amount(&reply["plan"]["pay"]), "20.90");
    assert_eq!(amount(&cart["next"]["missing"]), "31.00");
    assert_eq!(reply["worst"], Value::Null, "all is known");
    // One mug alone is under the tier.
    let offers = home.json(&["offers", "mug"]);
    let of_alpha = find(offers["ranked"].as_array().unwrap(), "shop", &alpha);
    assert_eq!(amount(&of_alpha["landed"]["mid"]), "12.90", "{offers:#}");

    // What is told again stays beside what was told before, and can be forgotten.
    let view = terms(&home, &alpha, &["--heavy", "5 kg:3 EUR"]);
    assert_eq!(amount(&view["terms"]["fee"]), "4.90");
    assert_eq!(view["terms"]["surcharges"][0]["over_g"], 5000);
    let view = terms(&home, &alpha, &["--forget"]);
    assert_eq!(view["terms"]["fee"], Value::Null);
    let text = home.run(&["shop", "terms", &beta]).ok().out;
    assert!(text.contains("orders from €30.00 on"), "{text}");

    home.run(&["shop", "terms", "nobody.example"]).refused(5);
    let run = home
        .run(&["shop", "terms", &alpha, "--ship", "4 USD"])
        .refused(2);
    assert!(run.err.contains("sells in EUR"), "{}", run.err);
    home.run(&["shop", "terms", &alpha, "--fetch-only"])
        .refused(2);
}

#[test]
fn one_delivery_is_known_of_a_shop_whoever_asks() {
    let (shops, home) = market("");
    let alpha = shops.host("alpha");
    let of_alpha = |home: &Home, want: &str| {
        let offers = home.json(&["offers", want]);
        let all = offers["ranked"].as_array().unwrap();
        let delivery =
            |o: &Value| find(o["landed"]["terms"].as_array().unwrap(), "kind", "delivery").clone();
        all.iter()
            .filter(|o| o["shop"] == alpha.as_str())
            .map(delivery)
            .collect::<Vec<_>>()
    };
    home.run(&["shop", "price", "add", &alpha, "tea", "--price", "9 EUR"])
        .ok();
    let silent = of_alpha(&home, "tea");
    assert_eq!(silent.len(), 2, "the page's and the noted price");
    assert!(
        silent.iter().all(|t| t["certainty"] == "unknown"),
        "{silent:?}"
    );

    // Another page of the shop says it: then it counts for both, here and in the basket.
    let more = json!({"offers": {"@type": "Offer", "price": "8.00", "priceCurrency": "EUR",
        "availability": "https://schema.org/InStock", "shippingDetails": {
            "@type": "OfferShippingDetails",
            "shippingRate": {"@type": "MonetaryAmount", "value": "3.90", "currency": "EUR"}}}});
    shops.put(
        "alpha",
        "/mug",
        product_with("Blue mug", "8.00", "EUR", "InStock", more),
    );
    home.crawl();
    let told = of_alpha(&home, "tea");
    for term in &told {
        assert_eq!(term["mid"], "3.90", "{told:?}");
        assert_eq!(term["certainty"], "assumed");
        assert_eq!(term["source"], "as its other pages say: 3.90 EUR an order");
    }
    home.run(&["list", "done", "mug"]).ok();
    let reply = home.json(&["basket"]);
    let cart = only_cart(&reply);
    assert_eq!(amount(&cart["delivery"]), "3.90", "{reply:#}");
    assert_eq!(cart["delivery_source"], "as its other pages say");

    // The person's word counts before all of it.
    terms(&home, &alpha, &["--ship", "2 EUR"]);
    let noted = of_alpha(&home, "tea");
    assert!(noted.iter().all(|t| t["mid"] == "2.00"), "{noted:?}");
    assert_eq!(noted[0]["source"], "as you noted: 2.00 EUR an order");
}

#[test]
fn what_there_was_no_time_for_is_said() {
    let (shops, home) = market("");
    let (alpha, beta) = (shops.host("alpha"), shops.host("beta"));
    // Each shop has what the other one sells dearly.
    for (shop, want) in [(&alpha, "tea"), (&beta, "mug")] {
        home.run(&["shop", "price", "add", shop, want, "--price", "1 EUR"])
            .ok();
        terms(&home, shop, &["--ship", "0 EUR"]);
    }
    let hurried = home.json(&["basket", "--limit-ms", "1"]);
    let carts = hurried["plan"]["shops"].as_array().unwrap().len();
    let splits = hurried["splits"].as_array().unwrap().len();
    let notes = hurried["notes"].to_string();
    assert!(
        splits == carts || notes.contains("compared with one shop and other numbers"),
        "{hurried:#}"
    );
    // What cannot be read is not said to be offered by nobody without saying so.
    shops.put("alpha", "/cup", Page::html("<h1>Cup</h1>"));
    home.run(&["list", "add", &shops.url("alpha", "/cup")]).ok();
    let with_cup = home.json(&["basket"]);
    let because = with_cup["nobody"][0]["reason"].as_str().unwrap();
    assert!(
        because.starts_with("its page cannot be read: "),
        "{because}"
    );
    home.run(&["list", "rm", "cup"]).ok();
    let calm = home.json(&["basket"]);
    assert_eq!(calm["splits"].as_array().unwrap().len(), 2);
    assert_eq!(calm["notes"], json!([]));
}

#[test]
fn heavy_orders_cost_more_and_unknown_weights_are_told() {
    let shops = Shops::open(&["alpha"]);
    shops.put(
        "alpha",
        "/flour",
        product("Mill flour 2.5 kg", "3.00", "EUR", "InStock"),
    );
    shops.put(
        "alpha",
        "/mug",
        product("Blue mug", "8.00", "EUR", "InStock"),
    );
    let home = Home::new(&shops);
    item(&shops, &home, "/flour", &["alpha"], &["--qty", "3"]);
    home.crawl();
    let alpha = shops.host("alpha");
    terms(
        &home,
        &alpha,
        &["--ship", "4.00 EUR", "--heavy", "5 kg:2.50 EUR"],
    );
    let reply = home.json(&["basket"]);
    assert_eq!(amount(&only_cart(&reply)["delivery"]), "6.50", "7.5 kg");
    assert_eq!(reply["worst"], Value::Null);
    home.run(&["list", "edit", "flour", "--qty", "1"]).ok();
    item(&shops, &home, "/mug", &["alpha"], &[]);
    home.crawl();
    let reply = home.json(&["basket"]);
    assert_eq!(amount(&only_cart(&reply)["delivery"]), "4.00");
    assert_eq!(amount(&only_cart(&reply)["delivery_high"]), "6.50");
    assert_eq!(
        amount(&reply["worst"]["pay"]),
        "17.50",
        "a mug may weigh anything"
    );
}

#[test]
fn coupons_are_used_where_they_pay_and_never_once_expired() {
    let (shops, home) = market("");
    let (alpha, beta) = (shops.host("alpha"), shops.host("beta"));
    for shop in [&alpha, &beta] {
        terms(&home, shop, &["--ship", "3.00 EUR"]);
    }
    let add = |code: &str, more: &[&str]| {
        let mut args = vec!["shop", "coupon", "add", &beta, code];
        args.extend(more);
        home.json(&args)
    };
    add("TENTH", &["10%", "--min", "15 EUR", "--cap", "1.50 EUR"]);
    let reply = home.json(&["basket"]);
    let cart = only_cart(&reply);
    assert_eq!(cart["shop"], beta.as_str());
    assert_eq!(cart["coupons"][0]["code"], "TENTH");
    assert_eq!(amount(&cart["coupons"][0]["saves"]), "1.50", "the cap");
    assert_eq!(amount(&reply["plan"]["pay"]), "19.50");

    // A second code for one want: in the same order only with a group of its own.
    add("MUG2", &["2 EUR", "--for", "mug"]);
    assert_eq!(amount(&home.json(&["basket"])["plan"]["pay"]), "19.00");
    add("MUG2", &["2 EUR", "--for", "mug", "--group", "extra"]);
    assert_eq!(amount(&home.json(&["basket"])["plan"]["pay"]), "17.50");
    let known = home.json(&["shop", "coupon", "list", &beta]);
    assert_eq!(known.as_array().unwrap().len(), 2, "one code, one coupon");

    // A coupon out of reach says what is missing.
    home.run(&["shop", "coupon", "rm", &beta, "TENTH"]).ok();
    home.run(&["shop", "coupon", "rm", &beta, "TENTH"])
        .refused(5);
    add("FAR", &["5 EUR", "--min", "25 EUR"]);
    let cart = only_cart(&home.json(&["basket"])).clone();
    assert_eq!(cart["next_coupon"]["code"], "FAR", "{cart:#}");
    assert_eq!(amount(&cart["next_coupon"]["missing"]), "7.00");
    assert_eq!(amount(&cart["next_coupon"]["saves"]), "5.00");
    let text = home.run(&["basket"]).ok().out;
    assert!(
        text.contains("€7.00 more here saves €5.00 by coupon FAR"),
        "{text}"
    );
    println!("{text}{}", home.run(&["shop", "terms", &beta]).ok().out);

    // Together more than the price: one of them, and it is said.
    home.run(&["shop", "coupon", "rm", &beta, "FAR"]).ok();
    add("A", &["60%", "--group", "a"]);
    add("B", &["60%", "--group", "b"]);
    let reply = home.json(&["basket"]);
    assert_eq!(amount(&reply["plan"]["pay"]), "10.20", "7.20 and 3.00");
    assert_eq!(reply["plan"]["proven"], true);
    assert!(
        reply["notes"][0].as_str().unwrap().contains("one is used"),
        "{reply:#}"
    );

    let refused = |args: &[&str]| home.run(args).refused(2).err;
    let err = refused(&["shop", "coupon", "add", &beta, "X", "5 USD"]);
    assert!(
        err.contains("in USD") && err.contains("sells in EUR"),
        "{err}"
    );
    let err = refused(&[
        "shop",
        "coupon",
        "add",
        &beta,
        "X",
        "5%",
        "--until",
        "2020-01-01",
    ]);
    assert!(err.contains("expired"), "{err}");
    home.run(&["shop", "coupon", "add", &beta, "X", "120%"])
        .exits(2);
}

#[test]
fn a_shop_pays_nobody() {
    let (shops, home) = market("");
    let beta = shops.host("beta");
    terms(&home, &shops.host("alpha"), &["--ship", "30.00 EUR"]);
    terms(&home, &beta, &["--ship", "3.00 EUR"]);
    let add = |code: &str, gives: &str, more: &[&str]| {
        let mut args = vec!["shop", "coupon", "add", &beta, code, gives];
        args.extend(more);
        home.run(&args).ok();
    };
    let pays = |reply: &Value| amount(&reply["plan"]["pay"]).to_owned();
    // 12 + 10 off goods of 18: one of them.
    add("NEW", "12 EUR", &[]);
    add("NEWS", "10 EUR", &["--group", "news"]);
    let reply = home.json(&["basket"]);
    assert_eq!(pays(&reply), "9.00", "{reply:#}");
    let notes = reply["notes"].to_string();
    assert!(notes.contains("together from 22.00 EUR"), "{notes}");
    // Alone, tea of 10 is paid by the first, and nothing is paid out.
    let tea = home.json(&["offers", "tea"]);
    let ranked = tea["ranked"].as_array().expect("offers");
    let at_beta = ranked.iter().find(|o| o["shop"] == beta.as_str());
    assert_eq!(
        amount(&at_beta.expect("its offer")["landed"]["mid"]),
        "3.00"
    );
    // Both off goods of 34.
    home.run(&["list", "edit", "mug", "--qty", "3"]).ok();
    assert_eq!(pays(&home.json(&["basket"])), "15.00");
    // Where each asks for enough, nothing is changed and nothing said.
    add("NEW", "12 EUR", &["--min", "30 EUR"]);
    add("NEWS", "10%", &["--group", "news", "--min", "20 EUR"]);
    let reply = home.json(&["basket"]);
    assert_eq!(pays(&reply), "21.60", "34 - 12 - 3.40 + 3");
    assert!(!reply["notes"].to_string().contains("together"));
}

#[test]
fn a_coupon_can_be_tried_once() {
    let (shops, home) = market("");
    let (alpha, beta) = (shops.host("alpha"), shops.host("beta"));
    terms(&home, &alpha, &["--ship", "3.00 EUR"]);
    terms(&home, &beta, &["--ship", "4.00 EUR"]);
    assert_eq!(amount(&home.json(&["basket"])["plan"]["pay"]), "21.00");
    let coupon = format!("{beta} 25% min 18 EUR cap 4 EUR");
    let reply = home.json(&["basket", "--coupon", &coupon]);
    assert_eq!(amount(&reply["plan"]["pay"]), "18.00", "18 - 4 + 4");
    assert_eq!(amount(&home.json(&["basket"])["plan"]["pay"]), "21.00");
    let dollars = format!("{beta} 5 USD");
    let err = home.run(&["basket", "--coupon", &dollars]).refused(2).err;
    assert!(err.contains("sells in EUR"), "{err}");
    home.run(&["basket", "--coupon", "nobody.example 5%"])
        .refused(5);
    home.run(&["basket", "--coupon", "5%"]).exits(2);
}

#[test]
fn goods_are_fetched_where_the_way_is_cheaper() {
    let (shops, home) = market("[places]\nhome = \"45.0,16.0\"\nwork = \"46.0,16.0\"\n");
    let (alpha, beta) = (shops.host("alpha"), shops.host("beta"));
    terms(&home, &alpha, &["--ship", "4.00 EUR"]);
    // 0.01 degrees of latitude are 1.11 km: there and back at 0.30 a km is 0.67.
    let view = terms(&home, &beta, &["--fetch-only", "--place", "45.01,16.0"]);
    assert_eq!(amount(&view["trip"]["cost"]), "0.67", "{view:#}");
    let reply = home.json(&["basket"]);
    let cart = only_cart(&reply);
    assert_eq!(
        (&cart["shop"], &cart["fetched"]),
        (&json!(beta), &json!(true))
    );
    assert_eq!(amount(&cart["trip"]["cost"]), "0.67");
    assert_eq!(amount(&reply["plan"]["pay"]), "18.67");
    let text = home.run(&["basket", "--explain"]).ok().out;
    assert!(
        text.contains(
            "the trip costs €0.67  (2.2 km there and back at €0.30 a km, which is assumed)"
        ),
        "{text}"
    );

    // From far away it is not worth it, from a place nobody knows it cannot be said.
    for from in ["work", "46.0,16.0"] {
        let reply = home.json(&["basket", "--from", from]);
        assert_eq!(only_cart(&reply)["shop"], alpha.as_str(), "{reply:#}");
        assert_eq!(amount(&reply["plan"]["pay"]), "22.00");
    }
    let err = home.run(&["basket", "--from", "Atlantis"]).refused(2).err;
    assert!(
        err.contains("Atlantis") && err.contains("home, work"),
        "{err}"
    );
    home.run(&["basket", "--from", "91,0"]).refused(2);

    // A condition on the distance uses the same one; without a place it stays unknown.
    home.run(&["list", "edit", "tea", "--must", "distance<=1"])
        .ok();
    let offers = home.json(&["offers", "tea"]);
    let ranked = offers["ranked"].as_array().unwrap();
    assert_eq!(ranked.len(), 1, "{offers:#}");
    assert_eq!(ranked[0]["shop"], alpha.as_str());
    home.run(&["list", "edit", "tea", "--must", "distance<=2"])
        .ok();
    let offers = home.json(&["offers", "tea"]);
    assert_eq!(offers["ranked"].as_array().unwrap().len(), 2, "{offers:#}");
}

#[test]
fn what_must_be_fetched_from_nowhere_is_told() {
    let (shops, home) = market("");
    let (alpha, beta) = (shops.host("alpha"), shops.host("beta"));
    for shop in [&alpha, &beta] {
        terms(&home, shop, &["--fetch-only", "--place", "45.01,16.0"]);
    }
    let reply = home.json(&["basket"]);
    assert_eq!(reply["plan"], Value::Null);
    let reason = reply["nobody"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("must be fetched"), "{reason}");
    let reply = home.json(&["basket", "--from", "45.0,16.0"]);
    assert_eq!(only_cart(&reply)["fetched"], true);
    assert_ne!(reply["cheapest_each"], Value::Null, "{reply:#}");
    // A trip of a known cost needs no place.
    terms(
        &home,
        &beta,
        &["--travel", "0.50 EUR", "--pickup-fee", "0.10 EUR"],
    );
    let reply = home.json(&["basket"]);
    assert_eq!(amount(&reply["plan"]["pay"]), "18.60", "{reply:#}");
}

#[test]
fn noted_prices_are_packs_breaks_and_bundles() {
    let (shops, home) = market("");
    let (alpha, beta) = (shops.host("alpha"), shops.host("beta"));
    for shop in [&alpha, &beta] {
        terms(&home, shop, &["--ship", "3.00 EUR"]);
    }
    let note = |args: &[&str]| {
        let mut all = vec!["shop", "price", "add", &alpha];
        all.extend(args);
        home.json(&all)[0]["id"].as_str().expect("an id").to_owned()
    };
    let forget = |id: &str| home.run(&["shop", "price", "rm", &alpha, id]).ok();

    // A price that falls with the number.
    home.run(&["list", "edit", "tea", "--qty", "3"]).ok();
    assert_eq!(amount(&home.json(&["basket"])["plan"]["pay"]), "41.00");
    let id = note(&["tea", "--price", "11 EUR", "--from", "3:9 EUR"]);
    let reply = home.json(&["basket"]);
    assert_eq!(amount(&reply["plan"]["pay"]), "38.00", "27 + 8 + 3");
    forget(&id);

    // A pack that holds more than one.
    let id = note(&["tea:2", "--price", "15 EUR", "--most", "1"]);
    let reply = home.json(&["basket"]);
    assert_eq!(amount(&reply["plan"]["pay"]), "36.00", "15 + 10 + 8 + 3");
    forget(&id);
    home.run(&["list", "edit", "tea", "--qty", "1"]).ok();

    // A bundle that answers two wants, with a link that says nothing about the visitor.
    let id = note(&[
        "tea",
        "mug",
        "--price",
        "16 EUR",
        "--name",
        "Gift set",
        "--url",
        "https://shop.example/set?utm_source=x&id=7",
    ]);
    let reply = home.json(&["basket"]);
    assert_eq!(amount(&reply["plan"]["pay"]), "19.00", "{reply:#}");
    let line = &only_cart(&reply)["lines"][0];
    assert_eq!(line["covers"].as_array().unwrap().len(), 2);
    assert_eq!(line["url"], "https://shop.example/set?id=7");
    let bundle = &reply["bundles"][0];
    assert_eq!(bundle["name"], "Gift set");
    assert_eq!(amount(&bundle["saves"]), "2.00");
    assert_eq!(amount(&bundle["apart"]), "18.00");
    assert_eq!(bundle["anyway"], json!(["tea", "mug"]));
    let text = home.run(&["basket"]).ok().out;
    assert!(
        text.contains("Bundle Gift set for €16.00: saves €2.00"),
        "{text}"
    );
    println!("{text}");

    // What only a bundle has.
    forget(&id);
    home.run(&[
        "list",
        "add",
        "a saucer",
        "--list",
        "groceries",
        "--no-crawl",
    ])
    .ok();
    let reply = home.json(&["basket"]);
    find(reply["nobody"].as_array().unwrap(), "name", "a saucer");
    note(&["mug", "saucer", "--price", "9 EUR"]);
    let reply = home.json(&["basket"]);
    assert_eq!(reply["nobody"], json!([]));
    assert_eq!(amount(&reply["plan"]["pay"]), "22.00", "10 + 9 + 3");
    assert_eq!(reply["bundles"][0]["saves"], Value::Null);
    assert_eq!(reply["bundles"][0]["only_here"], json!(["a saucer"]));

    for bad in [
        &["tea", "tea", "--price", "1 EUR"][..],
        &["tea:0", "--price", "1 EUR"],
        &["tea", "--price", "0 EUR"],
        &["tea", "--price", "1 USD"],
        &["tea", "--price", "1 EUR", "--most", "0"],
        &["tea", "--price", "1 EUR", "--until", "2020-01-01"],
        &["tea", "--price", "1 EUR", "--url", "ftp://x.example"],
    ] {
        let mut args = vec!["shop", "price", "add", &alpha];
        args.extend(bad);
        let run = home.run(&args);
        assert_eq!(run.code, 2, "{bad:?}: {}", run.err);
    }
}

#[test]
fn noted_prices_stand_beside_the_offers() {
    let (shops, home) = market("");
    let alpha = shops.host("alpha");
    terms(&home, &alpha, &["--ship", "3.00 EUR"]);
    let note = |args: &[&str]| {
        let mut all = vec!["shop", "price", "add", &alpha];
        all.extend(args);
        home.run(&all).ok()
    };
    home.run(&["list", "edit", "tea", "--qty", "3"]).ok();
    assert_eq!(home.json(&["offers", "tea"])["noted"], json!([]));
    note(&[
        "tea:2", "--price", "15 EUR", "--from", "2:14 EUR", "--most", "1",
    ]);
    note(&[
        "tea",
        "mug:4",
        "--price",
        "9 EUR",
        "--name",
        "Gift set",
        "--until",
        "2099-12-31",
    ]);
    let reply = home.json(&["offers", "tea"]);
    let ranked = reply["ranked"].as_array().unwrap();
    assert!(ranked.iter().all(|o| o["source"] != "noted"), "{reply:#}");
    let noted = reply["noted"].as_array().unwrap();
    let costs: Vec<_> = noted.iter().map(|o| amount(&o["landed"]["mid"])).collect();
    assert_eq!(costs, ["30.00", "31.00"], "3 x 9 + 3, and 2 x 14 + 3");
    assert_eq!(noted[0]["source"], "noted");
    let text = home.run(&["offers", "tea"]).ok().out;
    // Midnight may have passed since.
    let seen: emptor::model::time::Timestamp = noted[0]["seen"].as_str().unwrap().parse().unwrap();
    let today = seen.strftime("%b %-d, %Y").to_string();
    for part in [
        "Noted by you".to_owned(),
        format!("{alpha}  noted by you on {today}, holds until Dec 31, 2099"),
        format!("{alpha}  noted by you on {today}  ["),
        "a bundle, with 4 x mug".to_owned(),
        "a pack of 2: 2 for 3".to_owned(),
        "at most 1 can be bought, 2 are needed".to_owned(),
        "€14.00 each from 2 on".to_owned(),
    ] {
        assert!(text.contains(&part), "{part} in {text}");
    }
    let mug = home.json(&["offers", "mug"]);
    let notes = mug["noted"][0]["notes"].as_array().unwrap();
    assert!(notes.contains(&json!("a pack of 4: 1 for 1")), "{mug:#}");
    // One that answers the want by itself is an offer like those that were read.
    let note = ["shop", "price", "add", &alpha, "mug", "--price", "0.50 EUR"];
    home.run(&note).ok();
    let mug = home.json(&["offers", "mug"]);
    assert_eq!(mug["ranked"][0]["source"], "noted", "{mug:#}");
    assert_eq!(
        home.json(&["wish", "show", "mug"])["best"]["source"],
        "noted"
    );
    let list = home.run(&["list", "list"]).ok().out;
    assert!(list.contains("€3.50 at"), "{list}");
    assert!(list.contains("(noted by you)"), "{list}");
    home.run(&["list", "rm", "tea"]).ok();
    let list = home.run(&["shop", "price", "list", &alpha]).ok().out;
    assert!(list.contains("2 x something removed"), "{list}");
}

#[test]
fn a_least_order_no_cart_reaches_is_named() {
    let (shops, home) = market("");
    for shop in ["alpha", "beta"] {
        terms(
            &home,
            &shops.host(shop),
            &["--ship", "3 EUR", "--min-order", "20 EUR"],
        );
    }
    let err = home.run(&["basket"]).refused(1).err;
    assert!(err.contains("under the least order"), "{err}");
    assert!(err.contains("wants €2.00 more"), "{err}");
    // Either limit would help by itself once there are two.
    terms(&home, &shops.host("alpha"), &["--min-order", "0 EUR"]);
    let err = home.run(&["basket", "--budget", "10 EUR"]).refused(1).err;
    assert!(err.contains("costs €21.00, the budget is €10.00"), "{err}");
}

#[test]
fn terms_are_part_of_the_export_and_go_with_the_shop() {
    let (shops, home) = market("");
    let alpha = shops.host("alpha");
    home.run(&["shop", "coupon", "add", &alpha, "KEEPME", "5%"])
        .ok();
    let out = home.arg("export");
    home.run(&["vault", "export", &out]).ok();
    let text = std::fs::read_to_string(home.path("export")).expect("the export");
    assert!(text.contains("KEEPME"), "the export lacks the coupon");
    home.run(&["shop", "rm", &alpha]).ok();
    home.run(&["shop", "coupon", "list", &alpha]).refused(5);
}

#[test]
fn a_coupon_counts_in_the_short_list_as_in_the_basket() {
    let shops = Shops::open(&["alpha", "beta"]);
    for (shop, price) in [("alpha", "50.00"), ("beta", "52.00")] {
        shops.put(shop, "/p", product("Lamp", price, "EUR", "InStock"));
    }
    let home = Home::new(&shops);
    home.run(&["list", "add", &shops.url("alpha", "/p"), "--max", "51 EUR"])
        .ok();
    home.run(&["list", "edit", "lamp", "--url", &shops.url("beta", "/p")])
        .ok();
    home.crawl();
    let (alpha, beta) = (shops.host("alpha"), shops.host("beta"));
    for shop in [&alpha, &beta] {
        terms(&home, shop, &["--ship", "4 EUR", "--free-from", "50 EUR"]);
    }
    let first = || home.json(&["offers", "lamp"])["ranked"][0].clone();
    assert_eq!(first()["shop"], json!(alpha));
    // 52.00 less a tenth is 46.80, which is too little for free delivery.
    home.run(&["shop", "coupon", "add", &beta, "TENTH", "10%"])
        .ok();
    assert_eq!(first()["shop"], json!(alpha), "50.80 is more than 50.00");
    terms(&home, &beta, &["--before-coupons"]);
    let best = first();
    assert_eq!(best["shop"], json!(beta));
    assert_eq!(amount(&best["landed"]["mid"]), "46.80");
    let kinds = best["landed"]["terms"].as_array().unwrap();
    assert!(
        kinds
            .iter()
            .any(|t| t["kind"] == "coupon" && t["source"] == "coupon TENTH")
    );
    let plan = &home.json(&["basket"])["plan"];
    assert_eq!(amount(&plan["pay"]), "46.80", "the same in the basket");
    // A coupon that costs its holder the free delivery is kept in the pocket.
    home.run(&["shop", "coupon", "add", &alpha, "CENT", "0.01 EUR"])
        .ok();
    home.run(&["shop", "coupon", "rm", &beta, "TENTH"]).ok();
    assert_eq!(amount(&first()["landed"]["mid"]), "50.00");
}

#[test]
fn a_foreign_fee_moves_with_the_exchange_rate() {
    let shops = Shops::open(&["alpha"]);
    let shipped = json!({"offers": {"@type": "Offer", "price": "10.00", "priceCurrency": "GBP",
        "availability": "https://schema.org/InStock",
        "shippingDetails": {"@type": "OfferShippingDetails",
            "shippingRate": {"@type": "MonetaryAmount", "value": "80.00", "currency": "GBP"}}}});
    shops.put(
        "alpha",
        "/p",
        product_with("Lamp", "10.00", "GBP", "InStock", shipped),
    );
    let today = jiff::Timestamp::now().to_string();
    let rates = format!("rates = {{ GBP = \"0.80\" }}\ndate = \"{}\"", &today[..10]);
    let home = Home::locked(&shops.settings_with("gap_seconds = 0", &rates));
    home.unlock();
    home.run(&["list", "add", &shops.url("alpha", "/p")]).ok();
    let best = &home.json(&["offers", "lamp"])["ranked"][0]["landed"];
    let basket = home.json(&["basket"]);
    assert_eq!(amount(&best["mid"]), amount(&basket["plan"]["pay"]));
    assert_eq!(
        amount(&best["high"]),
        amount(&basket["worst"]["pay"]),
        "{basket:#}"
    );
}

#[test]
fn what_is_too_much_to_weigh_up_is_named() {
    let (_shops, home) = market("");
    home.run(&["list", "edit", "tea", "--qty", "100000"]).ok();
    let err = home.run(&["basket"]).refused(1).err;
    assert!(err.contains("`tea` is too much to weigh up"), "{err}");
    home.run(&["list", "edit", "tea", "--qty", "1000"]).ok();
    home.run(&["basket"]).ok();
}
