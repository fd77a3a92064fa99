//! The short list: landed cost, the person's word, and pages that must be asked about.

use crate::support::{Home, Page, Shops, product, product_with};
use serde_json::{Value, json};

fn ranked(home: &Home, want: &str) -> Vec<Value> {
    home.json(&["offers", want])["ranked"]
        .as_array()
        .unwrap()
        .clone()
}

/// A want with pages in three shops.
fn kettle(shops: &Shops, home: &Home) {
    for (shop, price) in [("cheap", "30.00"), ("fair", "33.00"), ("free", "34.00")] {
        shops.put(shop, "/p", product("Kettle 1.7 l", price, "EUR", "InStock"));
    }
    home.run(&[
        "shop",
        "add",
        &shops.url("cheap", "/"),
        "--delivery",
        "6.90 EUR",
    ])
    .ok();
    home.run(&["shop", "add", &shops.url("fair", "/")]).ok();
    home.run(&[
        "shop",
        "add",
        &shops.url("free", "/"),
        "--delivery",
        "5 EUR",
        "--free-from",
        "30 EUR",
    ])
    .ok();
    home.run(&[
        "add",
        &shops.url("cheap", "/p"),
        "--no-crawl",
        "--name",
        "kettle",
    ])
    .ok();
    home.run(&["wish", "edit", "kettle", "--url", &shops.url("fair", "/p")])
        .ok();
    home.run(&["wish", "edit", "kettle", "--url", &shops.url("free", "/p")])
        .ok();
    home.crawl();
}

#[test]
fn offers_stand_in_the_order_of_landed_cost() {
    let shops = Shops::open(&["cheap", "fair", "free"]);
    let home = Home::new(&shops);
    kettle(&shops, &home);
    let list = ranked(&home, "kettle");
    let rows: Vec<_> = list
        .iter()
        .map(|o| {
            let mid = o["landed"]["mid"]["amount"].as_str().unwrap();
            (
                o["shop"].as_str().unwrap().split('.').next().unwrap(),
                mid,
                o["landed"]["certainty"].as_str().unwrap(),
            )
        })
        .collect();
    // 34.00 free of delivery, 30.00 + 6.90, and 33.00 + an unknown fee of 0 to 9.90.
    assert_eq!(rows[0].0, "free", "{rows:?}");
    assert_eq!(rows[0].1, "34.00");
    let cheap = rows.iter().find(|r| r.0 == "cheap").unwrap();
    assert_eq!(cheap.1, "36.90");
    let fair = list
        .iter()
        .find(|o| o["shop"].as_str().unwrap().starts_with("fair"))
        .unwrap();
    assert_eq!(fair["landed"]["low"]["amount"], "33.00", "{fair}");
    assert_eq!(fair["landed"]["high"]["amount"], "42.90");
    assert_eq!(fair["landed"]["certainty"], "unknown");
    let text = home.run(&["offers", "kettle"]).ok().out;
    assert!(
        text.contains("€33.00 to €42.90"),
        "unknown delivery is a range: {text}"
    );
    home.run(&["wish", "edit", "kettle", "--qty", "3"]).ok();
    let cheap = ranked(&home, "kettle")
        .into_iter()
        .find(|o| o["shop"].as_str().unwrap().starts_with("cheap"))
        .unwrap();
    assert_eq!(
        cheap["landed"]["mid"]["amount"], "96.90",
        "one delivery for three"
    );
}

#[test]
fn conditions_limits_and_preferences_count() {
    let shops = Shops::open(&["cheap", "fair", "free"]);
    let home = Home::new(&shops);
    kettle(&shops, &home);
    home.run(&[
        "wish",
        "edit",
        "kettle",
        "--must",
        &format!("seller!={}", shops.host("free")),
    ])
    .ok();
    let reply = home.json(&["offers", "kettle"]);
    assert_eq!(reply["ranked"].as_array().unwrap().len(), 2);
    assert!(
        reply["rejected"][0]["shop"]
            .as_str()
            .unwrap()
            .starts_with("free")
    );
    let text = home.run(&["offers", "kettle"]).ok().out;
    assert!(
        text.contains("1 more offer fails a condition (--all shows it)"),
        "{text}"
    );
    let text = home.run(&["offers", "kettle", "--all"]).ok().out;
    assert!(text.contains("Not acceptable"), "{text}");
    home.run(&["wish", "edit", "kettle", "--no-must", "--max", "35 EUR"])
        .ok();
    let shops_left: Vec<_> = ranked(&home, "kettle")
        .iter()
        .map(|o| o["shop"].clone())
        .collect();
    assert!(
        shops_left.contains(&json!(shops.host("free"))),
        "{shops_left:?}"
    );
    assert!(
        !shops_left.contains(&json!(shops.host("cheap"))),
        "36.90 is over the limit"
    );
}

#[test]
fn foreign_currencies_need_a_rate() {
    let shops = Shops::open(&["pound", "euro"]);
    shops.put(
        "pound",
        "/p",
        product("Kettle 1.7 l", "17.00", "GBP", "InStock"),
    );
    shops.put(
        "euro",
        "/p",
        product("Kettle 1.7 l", "39.00", "EUR", "InStock"),
    );
    let home = Home::new(&shops);
    home.run(&["add", &shops.url("pound", "/p"), "--name", "kettle"])
        .ok();
    home.run(&["wish", "edit", "kettle", "--url", &shops.url("euro", "/p")])
        .ok();
    home.crawl();
    let list = ranked(&home, "kettle");
    assert_eq!(
        list.len(),
        1,
        "without a rate 17 pounds are no euros: {list:#?}"
    );
    assert_eq!(list[0]["shop"], shops.host("euro"));
    let day = jiff::Zoned::now().date();
    home.settings(&shops.settings_with("gap_seconds = 0", "").replace(
        "source = \"\"",
        &format!("source = \"\"\nrates = {{ GBP = \"0.85\" }}\ndate = \"{day}\""),
    ));
    crate::support::wait("the rate", || ranked(&home, "kettle").len() == 2);
    let list = ranked(&home, "kettle");
    assert_eq!(list[0]["shop"], shops.host("pound"));
    let part = |k: &str| {
        list[0]["landed"][k]["amount"]
            .as_str()
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    assert!(
        part("low") <= 20.0 && 20.0 <= part("high"),
        "17 pounds are 20 euros: {list:#?}"
    );
    let history = home.json(&["history", "kettle"]);
    let pound = crate::support::find(history["points"].as_array().unwrap(), "shop", "pound");
    assert_eq!(pound["home"]["amount"], "20.00");

    // So does a limit: 16 pounds are 18.82 euros, 34 are 40.
    home.run(&["wish", "edit", "kettle", "--max", "16 GBP"])
        .ok();
    let none = home.run(&["offers", "kettle"]).ok().out;
    assert!(none.contains("2 offers are above your limit"), "{none}");
    let silent = home.run(&["alerts", "add", "kettle", "under 16 GBP"]).ok();
    assert!(
        silent.out.contains("it takes €18.82 or less"),
        "{}",
        silent.out
    );
    home.run(&["wish", "edit", "kettle", "--max", "34 GBP"])
        .ok();
    assert!(!ranked(&home, "kettle").is_empty());
    let told = home.run(&["alerts", "add", "kettle", "under 34 GBP"]).ok();
    assert!(told.out.contains("is at or under €40.00"), "{}", told.out);
}

#[test]
fn the_persons_word_on_an_offer_stays() {
    let shops = Shops::open(&["store"]);
    let front = format!(
        "<!doctype html><title>Store</title><form role=\"search\" action=\"{}\"><input type=\"search\" name=\"q\"></form>",
        shops.url("store", "/find")
    );
    shops.put("store", "/", Page::html(front));
    let names = [
        "Nordlicht NL-400 wireless headphones",
        "Nordlicht NL-400 wireless headphones, red edition",
    ];
    let card = |n: usize| {
        format!(
            "<li class=\"product-card\"><a href=\"/p/{n}\"><h3>{}</h3></a><span class=\"price\">{},00 €</span></li>",
            names[n],
            90 + n
        )
    };
    shops.put(
        "store",
        "/find",
        Page::html(format!(
            "<!doctype html><ul class=\"results\">{}{}</ul>",
            card(0),
            card(1)
        )),
    );
    for (n, name) in names.iter().enumerate() {
        shops.put(
            "store",
            &format!("/p/{n}"),
            product(name, &format!("{}.00", 90 + n), "EUR", "InStock"),
        );
    }
    let home = Home::new(&shops);
    home.run(&["shop", "add", &shops.url("store", "/")]).ok();
    home.run(&["add", "Nordlicht NL-400 headphones"]).ok();
    let reply = home.json(&["offers", "headphones"]);
    let all: Vec<Value> = ["ranked", "maybe"]
        .iter()
        .flat_map(|k| reply[*k].as_array().unwrap().clone())
        .collect();
    assert_eq!(all.len(), 2, "{reply:#}");
    let id = |n: usize| {
        let page = format!("/p/{n}");
        let offer = all
            .iter()
            .find(|o| o["url"].as_str().unwrap().ends_with(&page))
            .unwrap();
        offer["id"].as_str().unwrap().to_owned()
    };
    home.run(&["offers", "headphones", "--same", &id(0)]).ok();
    let said = home
        .run(&["offers", "headphones", "--not", &id(1)])
        .ok()
        .out;
    assert!(said.contains("Remembered: this is not it."), "{said}");
    let check = || {
        let reply = home.json(&["offers", "headphones"]);
        assert_eq!(reply["maybe"], json!([]), "{reply:#}");
        let ranked = reply["ranked"].as_array().unwrap();
        assert_eq!(ranked.len(), 1, "{reply:#}");
        assert_eq!(ranked[0]["id"], id(0));
    };
    check();
    // Also after the pages are read again, and after a restart.
    home.crawl();
    check();
    home.stop();
    home.unlock();
    home.crawl();
    check();
    home.run(&["offers", "headphones", "--same", "0000000000000000"])
        .refused(5);
}

#[test]
fn a_page_with_two_prices_is_asked_about_once() {
    let shops = Shops::open(&["two"]);
    let page = |first: &str, second: &str| {
        Page::html(format!(
            "<!doctype html><html lang=\"en\"><title>Kettle</title><main><h1>Kettle 1.7 l</h1>\
             <section class=\"black\"><h2>Black</h2><p class=\"price\">{first} €</p></section>\
             <section class=\"steel\"><h2>Steel</h2><p class=\"price\">{second} €</p></section>\
             <button>Add to cart</button></main></html>"
        ))
    };
    shops.put("two", "/p", page("39.00", "45.00"));
    let home = Home::new(&shops);
    let added = home.run(&["add", &shops.url("two", "/p"), "--name", "kettle"]);
    let added = added.ok().out;
    assert!(
        added.contains("shows several prices: `emptor offers"),
        "{added}"
    );
    let reply = home.json(&["offers", "kettle"]);
    assert_eq!(reply["ranked"], json!([]), "not guessed");
    let mut candidates = reply["ambiguous"].as_array().unwrap().clone();
    candidates.sort_by_key(|c| c["price"]["amount"].to_string());
    let prices: Vec<_> = candidates
        .iter()
        .map(|c| c["price"]["amount"].as_str().unwrap())
        .collect();
    assert_eq!(prices, ["39.00", "45.00"], "{reply:#}");
    let text = home.run(&["offers", "kettle"]).ok().out;
    assert!(text.contains("--choose"), "{text}");
    let steel = candidates[1]["id"].as_str().unwrap();
    home.run(&["offers", "kettle", "--choose", steel]).ok();
    home.crawl();
    let reply = home.json(&["offers", "kettle"]);
    assert_eq!(reply["ranked"][0]["price"]["amount"], "45.00", "{reply:#}");
    assert_eq!(reply["ambiguous"], json!([]));
    assert_eq!(reply["blind"], json!([]));
    // The place is remembered, not the amount.
    shops.put("two", "/p", page("36.00", "44.00"));
    home.crawl();
    assert_eq!(ranked(&home, "kettle")[0]["price"]["amount"], "44.00");
    assert_eq!(
        home.json(&["history", "kettle"])["points"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn delivery_stated_by_the_page_counts() {
    let shops = Shops::open(&["alpha"]);
    let shipping = json!({"offers": {"@type": "Offer", "price": "30.00", "priceCurrency": "EUR",
        "availability": "https://schema.org/InStock",
        "shippingDetails": {"@type": "OfferShippingDetails",
            "shippingRate": {"@type": "MonetaryAmount", "value": "3.20", "currency": "EUR"},
            "deliveryTime": {"@type": "ShippingDeliveryTime",
                "transitTime": {"@type": "QuantitativeValue", "minValue": 1, "maxValue": 2, "unitCode": "DAY"}}}}});
    shops.put(
        "alpha",
        "/p",
        product_with("Kettle 1.7 l", "30.00", "EUR", "InStock", shipping),
    );
    let home = Home::new(&shops);
    home.run(&["add", &shops.url("alpha", "/p")]).ok();
    let offer = &ranked(&home, "kettle")[0];
    assert_eq!(offer["landed"]["mid"]["amount"], "33.20");
    assert_eq!(offer["landed"]["low"], offer["landed"]["high"]);
    assert_eq!(offer["delivery_days"], 2);
}

#[test]
fn why_there_is_no_price_is_said_everywhere() {
    let shops = Shops::open(&["alpha"]);
    shops.put(
        "alpha",
        "/p/1",
        product("Samovar", "2490.00", "RUB", "InStock"),
    );
    shops.put("alpha", "/p/2", Page::html("<h1>Gone</h1>").status(503));
    let home = Home::new(&shops);
    let added = home.run(&["add", &shops.url("alpha", "/p/1")]).ok();
    let rate = "no exchange rate from RUB to EUR";
    assert!(added.out.contains(rate), "{}", added.out);
    home.run(&["add", &shops.url("alpha", "/p/2"), "--name", "teapot"])
        .ok();
    let list = home.run(&["wish", "list"]).ok().out;
    assert!(
        list.contains(rate) && list.contains("cannot be read"),
        "{list}"
    );
    assert!(!list.contains("no offer yet"), "{list}");
    let plan = home.run(&["wish", "plan"]).ok().out;
    assert!(
        plan.contains(rate) && plan.contains("cannot be read"),
        "{plan}"
    );
    let all = home.run(&["offers", "samovar", "--all"]).ok().out;
    assert_eq!(
        all.matches(rate).count(),
        2,
        "in the summary and with the offer: {all}"
    );
    assert!(!all.contains("condition"), "it fails none: {all}");
}

#[test]
fn another_wins_where_the_first_turns_out_dearer() {
    let shops = Shops::open(&["alpha", "beta"]);
    shops.put(
        "alpha",
        "/p/1",
        product("Kettle", "39.00", "EUR", "InStock"),
    );
    let shipped = json!({"offers": {"@type": "Offer", "price": "40.00", "priceCurrency": "EUR",
        "availability": "https://schema.org/InStock",
        "shippingDetails": {"@type": "OfferShippingDetails",
            "shippingRate": {"@type": "MonetaryAmount", "value": "5.00", "currency": "EUR"}}}});
    shops.put(
        "beta",
        "/p/1",
        product_with("Kettle", "40.00", "EUR", "InStock", shipped),
    );
    let home = Home::new(&shops);
    home.run(&["add", &shops.url("alpha", "/p/1"), "--qty", "2"])
        .ok();
    home.run(&[
        "wish",
        "edit",
        "kettle",
        "--url",
        &shops.url("beta", "/p/1"),
    ])
    .ok();
    home.crawl();
    let out = home.run(&["offers", "kettle", "--explain"]).ok().out;
    let label = format!("wins if {} costs more than assumed", shops.host("alpha"));
    assert!(out.contains(&label), "{out}");
    assert!(!out.contains("what you said"), "nothing was said: {out}");
    assert!(
        out.starts_with("2 x Kettle"),
        "what the amounts are for: {out}"
    );
}
