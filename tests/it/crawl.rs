//! Reading shops, seen from both sides: what the program stores, and what the shop gets.

use crate::support::{Home, Page, Shops, find, kettle, product, product_with};
use serde_json::{Value, json};
use std::time::Duration;

fn points(home: &Home, want: &str) -> Vec<Value> {
    home.json(&["history", want])["points"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn a_shop_is_asked_politely() {
    let shops = Shops::open(&["calm", "slowly"]);
    shops.put(
        "slowly",
        "/robots.txt",
        Page::html("User-agent: *\nCrawl-delay: 1.2\nDisallow: /private/\n"),
    );
    for n in 1..=3 {
        for shop in ["calm", "slowly"] {
            let name = format!("Kettle number {n}");
            shops.put(
                shop,
                &format!("/p/{n}"),
                product(&name, "39.00", "EUR", "InStock"),
            );
        }
    }
    let home = Home::locked(&shops.settings_with("gap_seconds = 0.4", ""));
    home.unlock();
    for n in 1..=3 {
        for shop in ["calm", "slowly"] {
            home.run(&["add", &shops.url(shop, &format!("/p/{n}")), "--no-crawl"])
                .ok();
        }
    }
    home.run(&["add", &shops.url("slowly", "/private/p"), "--no-crawl"])
        .ok();
    let results = home.crawl();
    assert_eq!(
        results.iter().filter(|r| r["verdict"] == "value").count(),
        6,
        "{results:#?}"
    );
    assert_eq!(
        find(&results, "url", "/private/")["verdict"],
        "blocked_by_robots"
    );
    for (shop, gap) in [("calm", 400), ("slowly", 1200)] {
        let seen = shops.seen(shop);
        assert_eq!(seen[0].path, "/robots.txt", "robots.txt is asked first");
        assert_eq!(seen.iter().filter(|s| s.path == "/robots.txt").count(), 1);
        assert!(seen.iter().all(|s| !s.path.starts_with("/private")));
        for pair in seen[1..].windows(2) {
            let pause = pair[1].at - pair[0].at;
            // The shop's clock starts a little after ours.
            assert!(
                pause + Duration::from_millis(60) > Duration::from_millis(gap),
                "{pause:?} {} {}",
                pair[0].path,
                pair[1].path
            );
        }
        for s in &seen {
            assert!(s.header("user-agent").contains("emptor"), "an honest name");
            assert_eq!(s.header("cookie"), "");
            assert_eq!(s.header("referer"), "");
        }
    }
}

#[test]
fn a_page_that_did_not_change_is_not_sent_again() {
    let shops = Shops::open(&["alpha"]);
    let page = |price| product("Kettle 1.7 l", price, "EUR", "InStock");
    shops.put("alpha", "/p/1", page("39.00").header("etag", "\"one\""));
    let home = Home::new(&shops);
    home.run(&["add", &shops.url("alpha", "/p/1")]).ok();
    let again = home.crawl();
    assert_eq!(again[0]["verdict"], "unchanged");
    assert_eq!(again[0]["price"]["amount"], "39.00");
    let last = shops.seen("alpha").pop().unwrap();
    assert_eq!(
        (last.header("if-none-match"), last.status),
        ("\"one\"", 304)
    );
    assert_eq!(
        points(&home, "kettle").len(),
        2,
        "seen again is a point of the history"
    );
    shops.put("alpha", "/p/1", page("35.00").header("etag", "\"two\""));
    assert_eq!(home.crawl()[0]["price"]["amount"], "35.00");
    let prices: Vec<_> = points(&home, "kettle")
        .iter()
        .map(|p| p["price"]["amount"].clone())
        .collect();
    assert_eq!(prices, ["39.00", "39.00", "35.00"]);
}

#[test]
fn tracking_is_stripped_from_addresses() {
    let (shops, home) = kettle();
    home.run(&[
        "add",
        &shops.url("alpha", "/p/1?utm_source=mail&gclid=x&tag=partner-21#top"),
    ])
    .ok();
    let want = home.json(&["wish", "show", "kettle"]);
    let url = want["urls"][0].as_str().unwrap();
    assert!(
        !url.contains("utm_source") && !url.contains("gclid") && !url.contains('#'),
        "{url}"
    );
    assert!(
        shops
            .paths("alpha")
            .iter()
            .all(|p| !p.contains("utm_") && !p.contains("gclid"))
    );
}

#[test]
fn a_search_that_leads_straight_to_a_page_or_a_list_is_followed() {
    let shops = Shops::open(&["single", "moved"]);
    for (shop, to) in [("single", "/p/lamp"), ("moved", "/catalogue/lamps")] {
        let find = format!("http://{}/find", shops.host(shop));
        let front = format!(
            "<!doctype html><html lang=\"en\"><title>Shop</title><h1>Shop</h1>\
             <form role=\"search\" action=\"{find}\"><input type=\"search\" name=\"q\"></form></html>"
        );
        shops.put(shop, "/", Page::html(front));
        let away = Page::html("").status(302).header("Location", to);
        shops.put(shop, "/find", away);
        let number = json!({"gtin13": "4006381333931"});
        let lamp = product_with("Lunaro desk lamp", "39.00", "EUR", "InStock", number);
        shops.put(shop, "/p/lamp", lamp);
    }
    let card = |slug: &str, name: &str| {
        format!(
            "<li class=\"product-card\"><a href=\"/p/{slug}\"><h3>{name}</h3></a><span class=\"price\">39,00 €</span></li>"
        )
    };
    let list = card("lamp", "Lunaro desk lamp") + &card("shade", "Shade for a desk lamp");
    let list = format!("<!doctype html><title>Lamps</title><ul class=\"results\">{list}</ul>");
    shops.put("moved", "/catalogue/lamps", Page::html(list));
    let home = Home::new(&shops);
    for shop in ["single", "moved"] {
        home.run(&["shop", "add", &shops.url(shop, "/")]).ok();
    }
    home.run(&["add", "4006381333931"]).ok();
    let offers = home.json(&["offers", "lamp"]);
    let ranked = offers["ranked"].as_array().unwrap();
    let mut found: Vec<&str> = ranked.iter().filter_map(|o| o["url"].as_str()).collect();
    found.sort_unstable();
    let mut pages = ["single", "moved"].map(|shop| shops.url(shop, "/p/lamp"));
    pages.sort_unstable();
    assert_eq!(found, pages, "{offers:#}");
}

#[test]
fn a_search_finds_the_page_of_a_text() {
    let shops = Shops::open(&["store", "closed"]);
    let front = |shop: &str| {
        Page::html(format!(
            "<!doctype html><html lang=\"en\"><title>Store</title><h1>Store</h1>\
             <form role=\"search\" action=\"http://{}/find\"><input type=\"search\" name=\"q\"></form></html>",
            shops.host(shop)
        ))
    };
    shops.put("store", "/", front("store"));
    let card = |slug: &str, name: &str, price: &str| {
        format!(
            "<li class=\"product-card\"><a href=\"/p/{slug}\"><h3>{name}</h3></a><span class=\"price\">{price} €</span></li>"
        )
    };
    let results = [
        card(
            "bw12",
            "Brenner &amp; Weiss BW-12 cordless drill 12V",
            "94,90",
        ),
        card(
            "case",
            "Carrying case for Brenner &amp; Weiss BW-12",
            "19,90",
        ),
        card(
            "bw18",
            "Brenner &amp; Weiss BW-18 cordless drill 18V",
            "129,00",
        ),
    ];
    let list = format!(
        "<!doctype html><title>Found</title><ul class=\"results\">{}</ul>",
        results.concat()
    );
    shops.put("store", "/find", Page::html(list));
    let name = "Brenner & Weiss BW-12 cordless drill 12V";
    let more = json!({"mpn": "BW-12", "brand": {"@type": "Brand", "name": "Brenner & Weiss"}});
    shops.put(
        "store",
        "/p/bw12",
        product_with(name, "94.90", "EUR", "InStock", more),
    );
    shops.put(
        "store",
        "/p/case",
        product(
            "Carrying case for Brenner & Weiss BW-12",
            "19.90",
            "EUR",
            "InStock",
        ),
    );
    let other = json!({"mpn": "BW-18", "brand": {"@type": "Brand", "name": "Brenner & Weiss"}});
    shops.put(
        "store",
        "/p/bw18",
        product_with(
            "Brenner & Weiss BW-18 cordless drill 18V",
            "129.00",
            "EUR",
            "InStock",
            other,
        ),
    );
    let home = Home::new(&shops);
    let added = home.json(&["shop", "add", &shops.url("store", "/")]);
    assert_eq!(added["searchable"], true, "{added}");
    home.run(&[
        "add",
        "Brenner & Weiss BW-12 cordless drill",
        "--max",
        "100 EUR",
    ])
    .ok();
    let asked: Vec<_> = shops
        .paths("store")
        .into_iter()
        .filter(|p| p.starts_with("/find"))
        .collect();
    assert!(asked[0].contains("q=Brenner"), "{asked:?}");
    assert!(!asked.concat().contains("100"), "the limit stays at home");
    let offers = home.json(&["offers", "drill"]);
    let ranked = offers["ranked"].as_array().unwrap();
    assert!(
        ranked[0]["url"].as_str().unwrap().ends_with("/p/bw12"),
        "{offers:#}"
    );
    // Neither the case nor the bigger drill is taken for it.
    assert_eq!(ranked.len(), 1, "{ranked:#?}");
}

/// Each with what its page is read as.
fn troubles() -> Vec<(&'static str, Page, &'static str)> {
    let wall = "<title>Just a moment...</title><h1>Verify you are human</h1>\
                <p>Please complete the captcha to continue.</p><div class=\"g-recaptcha\"></div>";
    let two = "<!doctype html><html lang=\"en\"><h1>Kettle</h1><p class=\"price\">39.00 EUR</p>\
               <p class=\"price\">45.00 USD</p><button>Add to cart</button></html>";
    let from = "<!doctype html><html lang=\"en\"><h1>Kettle</h1><p class=\"price\">from 9.99 EUR</p></html>";
    let nested = format!("<h1>Kettle</h1>{}39.00 EUR", "<div>".repeat(300_000));
    // 16 MiB of zeros as `brotli.compress(bytes(16 << 20), quality=11)` packs them.
    let bomb = vec![
        0xcb, 0xff, 0xff, 0x3f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x8f, 0xff,
        0xff, 0x7f, 0xf0, 0x4f, 0x00, 0xc4, 0x61, 0x11, 0x80, 0xee, 0xfd, 0xdf,
    ];
    let packed = Page {
        body: bomb,
        ..Page::html("").header("content-encoding", "br")
    };
    let endless = Page {
        endless: true,
        ..Page::html("")
    };
    vec![
        ("refused", Page::html("no").status(403), "blocked"),
        ("wall", Page::html(wall), "blocked"),
        ("gone", Page::html("gone").status(410), "gone"),
        ("broken", Page::html("sorry").status(500), "vendor_down"),
        (
            "busy",
            Page::html("slow down")
                .status(429)
                .header("retry-after", "3600"),
            "rate_limited",
        ),
        (
            "zero",
            product("Kettle", "0.00", "EUR", "InStock"),
            "absent",
        ),
        ("two", Page::html(two), "ambiguous"),
        ("from", Page::html(from), ""),
        ("nested", Page::html(nested), ""),
        ("bomb", packed, "bad_input"),
        ("endless", endless, "bad_input"),
        ("empty", Page::html(""), "absent"),
        (
            "picture",
            Page {
                body: vec![0xff; 4096],
                ..Page::html("")
            },
            "absent",
        ),
    ]
}

#[test]
fn trouble_is_said_and_never_becomes_a_price() {
    let cases = troubles();
    let mut names: Vec<&str> = cases.iter().map(|c| c.0).collect();
    names.push("good");
    let shops = Shops::open(&names);
    let home = Home::new(&shops);
    let mut results = Vec::new();
    for (name, page, _) in &cases {
        shops.put(name, "/p", page.clone());
        home.run(&[
            "add",
            &shops.url(name, "/p"),
            "--name",
            &format!("thing {name}"),
            "--no-crawl",
            "--max",
            "1000 EUR",
        ])
        .ok();
        let read = home.json(&["crawl", "--now", "--shop", &shops.host(name)]);
        results.extend(read["results"].as_array().unwrap().clone());
    }
    let pid = home.daemon();
    for (name, _, verdict) in &cases {
        let result = find(&results, "url", &shops.host(name));
        assert_eq!(result["price"], Value::Null, "{result}");
        if !verdict.is_empty() {
            assert_eq!(result["verdict"], *verdict, "{result}");
        }
        assert!(result["reason"].is_string(), "{result}");
        let want = format!("thing {name}");
        assert!(points(&home, &want).is_empty(), "{name}");
        let offers = home.json(&["offers", &want]);
        assert_eq!(offers["ranked"], json!([]), "{name}");
        let blind = offers["blind"].as_array().unwrap();
        let blind = find(blind, "source", &shops.host(name));
        assert!(!blind["reason"].as_str().unwrap().is_empty(), "{blind}");
        assert!(!blind["advice"].as_str().unwrap().is_empty(), "{blind}");
    }
    let alerts = home.json(&["alerts"]);
    assert_eq!(
        alerts["alerts"],
        json!([]),
        "no alert of a page that was not read"
    );
    // The daemon and its readers go on.
    shops.put(
        "good",
        "/p",
        product("Good kettle", "39.00", "EUR", "InStock"),
    );
    home.run(&["add", &shops.url("good", "/p")]).ok();
    assert_eq!(points(&home, "good kettle").len(), 1);
    assert_eq!(home.daemon(), pid, "the same daemon");
    let status = home.json(&["daemon", "status"]);
    assert!(status["blind"].as_u64().unwrap() >= 4, "{status}");
    // Who asked for silence is not asked again, whatever the person types.
    let busy = shops.paths("busy").len();
    home.crawl();
    assert_eq!(shops.paths("busy").len(), busy);
}

#[test]
fn a_source_recovers_and_its_history_has_no_hole_filled() {
    let shops = Shops::open(&["alpha"]);
    let page = || product("Kettle 1.7 l", "39.00", "EUR", "InStock");
    shops.put("alpha", "/p", page());
    let home = Home::new(&shops);
    home.run(&["add", &shops.url("alpha", "/p")]).ok();
    shops.put("alpha", "/p", Page::html("no").status(403));
    home.crawl();
    let offers = home.json(&["offers", "kettle"]);
    assert_eq!(
        offers["ranked"][0]["price"]["amount"], "39.00",
        "the last known price stays, with its age"
    );
    let blind = find(offers["blind"].as_array().unwrap(), "source", "/p").clone();
    assert!(blind["since"].is_string(), "{blind}");
    shops.put("alpha", "/p", page());
    home.crawl();
    assert_eq!(home.json(&["offers", "kettle"])["blind"], json!([]));
    assert_eq!(points(&home, "kettle").len(), 2);
}

#[test]
fn out_of_stock_is_an_answer() {
    let shops = Shops::open(&["alpha"]);
    shops.put(
        "alpha",
        "/p",
        product("Kettle 1.7 l", "39.00", "EUR", "OutOfStock"),
    );
    let home = Home::new(&shops);
    let added = home.run(&["add", &shops.url("alpha", "/p")]).ok();
    assert!(
        added.out.contains("nothing can be had now"),
        "nothing to buy: {}",
        added.out
    );
    assert_eq!(points(&home, "kettle")[0]["availability"], "OutOfStock");
    assert_eq!(home.json(&["offers", "kettle"])["blind"], json!([]));
}

#[test]
fn an_outgrown_adapter_is_a_changed_layout() {
    let shops = Shops::open(&["altstadt"]);
    let page = |class: &str| {
        format!(
            "<!doctype html><html lang=\"en\"><title>Altstadt</title><div class=\"{class}\">39,00 €</div><h1>Kettle 1.7 l</h1></html>"
        )
    };
    shops.put("altstadt", "/p/1", Page::html(page("x9f2")));
    let home = Home::locked(&shops.settings());
    let dir = home.path("adapters/altstadt");
    std::fs::create_dir_all(&dir).unwrap();
    let text = emptor::demo::market::altstadt_adapter(&shops.host("altstadt"));
    std::fs::write(dir.join("adapter.toml"), text).unwrap();
    home.unlock();
    home.run(&["add", &shops.url("altstadt", "/p/1"), "--name", "kettle"])
        .ok();
    let shop = &home.json(&["shop", "list"])[0];
    assert_eq!(shop["adapter"], "altstadt", "{shop}");
    assert_eq!(shop["health"]["trouble"], "layout_changed", "{shop}");
    assert!(points(&home, "kettle").is_empty());
}

#[test]
fn private_addresses_are_not_contacted() {
    let shops = Shops::open(&["alpha"]);
    let secret = Shops::open(&["router"]);
    secret.put("router", "/p", product("Kettle", "39.00", "EUR", "InStock"));
    // A shop that sends its readers inside.
    let inside = format!("http://127.0.0.1:{}/p", secret.port);
    shops.put(
        "alpha",
        "/go",
        Page::html("")
            .status(302)
            .header("location", inside.clone()),
    );
    let home = Home::new(&shops);
    let urls = [
        inside,
        secret.url("router", "/p"),
        format!("http://[::1]:{}/p", secret.port),
    ];
    home.run(&["add", "a kettle"]).ok();
    for url in &urls {
        for args in [&["add", url][..], &["wish", "edit", "kettle", "--url", url]] {
            let run = home.run(args).refused(2);
            assert!(run.err.contains("allow_private"), "{}", run.err);
        }
    }
    // Where an address leads shows only when it is read.
    home.run(&["add", &shops.url("alpha", "/go"), "--name", "lured"])
        .ok();
    let offers = home.json(&["offers", "lured"]);
    let blind = find(offers["blind"].as_array().unwrap(), "source", "/go");
    let said = blind["reason"].as_str().unwrap();
    assert!(
        said.contains("refused") || said.contains("redirect"),
        "{said}"
    );
    assert!(
        blind["advice"].as_str().unwrap().contains("allow_private"),
        "{blind}"
    );
    assert_eq!(secret.all().len(), 0, "not one request");
}

#[test]
fn an_endless_shop_does_not_hold_up_the_others() {
    let shops = Shops::open(&["hangs", "good"]);
    shops.put(
        "hangs",
        "/p",
        Page {
            delay: Duration::from_secs(600),
            ..Page::html("")
        },
    );
    shops.put(
        "good",
        "/p",
        product("Kettle 1.7 l", "39.00", "EUR", "InStock"),
    );
    let home = Home::new(&shops);
    home.run(&[
        "add",
        &shops.url("hangs", "/p"),
        "--no-crawl",
        "--name",
        "hanging",
    ])
    .ok();
    let mut slow = home
        .command(&["crawl", "--now"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    home.run(&["add", &shops.url("good", "/p")]).ok();
    assert_eq!(points(&home, "kettle").len(), 1);
    assert!(slow.try_wait().unwrap().is_none(), "that one still waits");
    home.stop();
    slow.wait().unwrap();
}

#[test]
fn a_search_is_followed_over_as_many_pages_as_the_adapter_allows() {
    let shops = Shops::open(&["pages"]);
    let hits = |names: &[&str]| {
        let items: String = names
            .iter()
            .map(|n| format!("<li class=\"hit\"><a href=\"/p/{n}\">{n} device</a></li>"))
            .collect();
        Page::html(format!(
            "<!doctype html><title>Hits</title><ul>{items}</ul>"
        ))
    };
    shops.put("pages", "/s?q=kettle&page=1", hits(&["toaster", "mixer"]));
    shops.put("pages", "/s?q=kettle&page=2", hits(&["grill", "kettle"]));
    shops.put("pages", "/s?q=kettle&page=3", hits(&["oven", "fan"]));
    shops.put(
        "pages",
        "/p/kettle",
        product("Kettle device", "39.00", "EUR", "InStock"),
    );
    let home = Home::locked(&shops.settings());
    let dir = home.path("adapters/pages");
    std::fs::create_dir_all(&dir).unwrap();
    let manifest = format!(
        "format = 1\nid = \"pages\"\nversion = \"1.0.0\"\nname = \"Pages\"\nhosts = [\"{}\"]\n\
         [search]\nurl = \"{{base}}/s?q={{query}}&page={{page}}\"\nitems = \"li.hit\"\nmax_pages = 2\n\
         [search.fields]\nurl = {{ css = \"a\", attr = \"href\" }}\nname = \"a\"\n",
        shops.host("pages")
    );
    std::fs::write(dir.join("adapter.toml"), manifest).unwrap();
    home.unlock();
    home.run(&["shop", "add", &shops.url("pages", "/")]).ok();
    home.run(&["add", "kettle"]).ok();
    let asked: Vec<String> = shops.all().iter().map(|r| r.path.clone()).collect();
    assert!(asked.iter().any(|p| p.contains("page=2")), "{asked:?}");
    assert!(!asked.iter().any(|p| p.contains("page=3")), "{asked:?}");
    let offers = home.json(&["offers", "kettle"]);
    assert!(
        offers.to_string().contains("/p/kettle"),
        "found on the second page: {offers}"
    );
}

#[test]
fn a_barcode_is_found_on_the_pages_that_state_it() {
    let shops = Shops::open(&["alpha", "beta"]);
    let pen = |gtin: &str| {
        let more = json!({"gtin13": gtin, "brand": "Stabilo"});
        product_with("Stabilo point 88 fineliner", "1.20", "EUR", "InStock", more)
    };
    // Lists of results show no numbers, and not only what was asked for.
    for shop in ["alpha", "beta"] {
        shops.put(
            shop,
            "/",
            Page::html("<form action=\"/search\"><input type=search name=q></form>"),
        );
        let found = "<ul><li><a href=\"/p/ink\">Ink, blue</a> 3.00 EUR</li>\
             <li><a href=\"/p/pen\">Stabilo point 88 fineliner</a> 1.20 EUR</li></ul>";
        shops.put(shop, "/search", Page::html(found));
        shops.put(
            shop,
            "/p/ink",
            product("Ink, blue", "3.00", "EUR", "InStock"),
        );
        shops.put(shop, "/p/pen", pen("4006381333931"));
    }
    let home = Home::new(&shops);
    home.run(&["shop", "add", &shops.url("alpha", "/")]).ok();
    let added = home.json(&["add", "4006381333931"]);
    assert_eq!(added["best"]["shop"], shops.host("alpha"), "{added:#}");
    assert_eq!(
        added["name"], "Stabilo point 88 fineliner",
        "learned from the page"
    );
    assert_eq!(added["offers"], 1, "the ink is another thing");

    // A page that was read for something else is known by its number at once.
    home.run(&["add", &shops.url("beta", "/p/pen"), "--name", "red pen"])
        .ok();
    home.run(&["wish", "rm", added["short"].as_str().unwrap()])
        .ok();
    let again = home.json(&["list", "add", "4006381333931"]);
    assert_eq!(again["offers"], 2, "{again:#}");

    // Not of a shop that is followed no more.
    home.run(&["shop", "rm", &shops.host("beta")]).ok();
    home.run(&["list", "rm", again["short"].as_str().unwrap()])
        .ok();
    let last = home.json(&["list", "add", "4006381333931"]);
    assert_eq!(last["offers"], 1, "{last:#}");
    assert_eq!(last["best"]["shop"], shops.host("alpha"), "{last:#}");
}

#[test]
fn an_unchanged_page_is_read_for_what_is_wanted_anew() {
    let (shops, home) = kettle();
    let page = || product("Kettle 1.7 l", "39.00", "EUR", "InStock").header("etag", "\"one\"");
    shops.put("alpha", "/p/1", page());
    let url = shops.url("alpha", "/p/1");
    home.run(&["add", &url]).ok();
    let second = home.json(&["list", "add", &url]);
    assert_eq!(second["offers"], 1, "{second:#}");
    assert_eq!(second["name"], "Kettle 1.7 l");
    let before = shops.seen("alpha").len();
    home.crawl();
    let seen = shops.seen("alpha");
    assert!(
        seen[before..].iter().all(|s| s.status == 304),
        "both know it now"
    );
}
