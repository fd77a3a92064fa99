//! What makes no sense is refused, and the person reads what to do instead.

use crate::support::{Home, Shops, product};
use serde_json::json;

#[test]
fn wants_that_make_no_sense_are_refused() {
    let home = Home::new(&Shops::open(&["alpha"]));
    home.run(&["add", "--no-crawl", "kettle"]).ok();
    for (args, says) in [
        (&["add", "\u{7}\u{200b}"][..], "a name has letters"),
        (&["add", "tea", "--name", " "], "a name has letters"),
        (&["add", "tea", "--list", "\u{1b}"], "a name has letters"),
        (
            &["wish", "edit", "kettle", "--name", ""],
            "a name has letters",
        ),
        (
            &["wish", "edit", "kettle", "--list", ""],
            "a name has letters",
        ),
        (&["add", "ftp://shop.example/p"], "begin with https://"),
        (
            &["add", "tea", "--need-by", "2020-01-01"],
            "Jan 1, 2020 is past",
        ),
        (
            &["wish", "edit", "kettle", "--need-by", "2020-01-01"],
            "Jan 1, 2020 is past",
        ),
        (
            &["wish", "snooze", "kettle", "--until", "2020-01-01"],
            "ends in the future",
        ),
        (
            &["wish", "snooze", "kettle", "--until", "friday"],
            "`friday` is not a day; write for example 2030-12-24",
        ),
        (&["add", "tea", "--max", "-5 EUR"], "must be above 0"),
        (
            &["add", "tea", "--max", "5"],
            "write for example '12.50 EUR'",
        ),
        (
            &["add", "tea", "--prefer", "delivery<=2:-5"],
            "an amount above 0, for example delivery<=2:4.50",
        ),
        (
            &[
                "add",
                "tea",
                "--prefer",
                "name~red:5",
                "--prefer",
                "name~red:2",
            ],
            "`name~red` is preferred twice",
        ),
        (&["basket", "--budget", "-5 EUR"], "must not be negative"),
        (&["wish", "plan", "--budget", "-1 EUR"], "budget"),
    ] {
        let run = home.run(args).exits(2);
        assert!(run.err.contains(says), "{args:?}: {}", run.err);
        assert_eq!(run.out, "", "{args:?}");
    }
    let wants = home.json(&["wish", "list"]);
    assert_eq!(wants.as_array().map(Vec::len), Some(1), "{wants:#}");
    assert_eq!(wants[0]["name"], "kettle");
    home.run(&["list", "add", "--no-crawl", "tea"]).ok();
    let run = home.run(&["basket", "--budget", "99999999999999 EUR"]);
    assert!(run.refused(2).err.contains("nobody spends so much"));
}

#[test]
fn a_want_with_a_running_guarantee_is_not_removed() {
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", product("Kettle", "39.00", "EUR", "InStock"));
    let home = Home::new(&shops);
    home.run(&["add", &shops.url("alpha", "/p")]).ok();
    let host = shops.host("alpha");
    let bought = |days: &str| {
        let args = ["purchases", "add", "kettle", "--price", "45 EUR", "--shop"];
        let mut args = args.to_vec();
        args.extend([host.as_str(), "--protect-days", days]);
        home.json(&args)["id"].as_str().unwrap().to_owned()
    };
    bought("0");
    let id = bought("14");
    let run = home.run(&["wish", "rm", "kettle"]).refused(1);
    assert!(
        run.err.contains(&format!("`emptor purchases rm {id}`")),
        "{}",
        run.err
    );
    home.run(&["purchases", "rm", &id]).ok();
    home.run(&["wish", "rm", "kettle"]).ok();
}

#[test]
fn what_was_done_with_can_be_wanted_anew() {
    let home = Home::new(&Shops::open(&["alpha"]));
    home.run(&["add", "--no-crawl", "kettle"]).ok();
    for verb in ["drop", "done", "keep"] {
        home.run(&["wish", verb, "kettle"]).ok();
    }
    let want = home.json(&["wish", "show", "kettle"]);
    assert_eq!(want["status"], "open");
    assert_eq!(
        want["life"]["stage"], "ripening",
        "given up no more: {want:#}"
    );
    let alone = home.json(&["wish", "plan"]);
    assert_eq!(alone["unpriced"][0]["name"], "kettle", "{alone:#}");
}

#[test]
fn a_smaller_pack_is_counted_as_often_as_it_takes() {
    let shops = Shops::open(&["alpha", "beta"]);
    let offer = |shop: &str, name: &str, price: &str| {
        shops.put(shop, "/p", product(name, price, "EUR", "InStock"));
    };
    offer("alpha", "Kaffa coffee 1 kg", "12.00");
    offer("beta", "Kaffa coffee 500 g", "6.50");
    let home = Home::new(&shops);
    for shop in ["alpha", "beta"] {
        let url = shops.url(shop, "/");
        home.run(&["shop", "add", &url, "--delivery", "0 EUR"]).ok();
    }
    let name = ["--name", "coffee 1 kg", "--qty", "2", "--no-crawl"];
    let mut args = vec!["list", "add"];
    let (alpha, beta) = (shops.url("alpha", "/p"), shops.url("beta", "/p"));
    args.push(&alpha);
    args.extend(name);
    home.run(&args).ok();
    home.run(&["list", "edit", "coffee", "--url", &beta]).ok();
    home.crawl();
    let reply = home.json(&["offers", "coffee"]);
    let ranked = reply["ranked"].as_array().unwrap();
    let cost = |at: usize| ranked[at]["landed"]["mid"]["amount"].clone();
    assert_eq!([cost(0), cost(1)], [json!("24.00"), json!("26.00")]);
    let note = json!("another pack: it takes 4");
    assert!(ranked[1]["notes"].as_array().unwrap().contains(&note));
    let basket = home.json(&["basket"]);
    assert_eq!(basket["plan"]["pay"]["amount"], "24.00", "the same there");
}

#[test]
fn what_the_command_line_refuses_the_socket_refuses_too() {
    use std::io::{Read, Write};
    let home = Home::new(&Shops::open(&["alpha"]));
    home.run(&["add", "--no-crawl", "kettle"]).ok();
    let post = |path: &str, body: &str| {
        let mut stream = std::os::unix::net::UnixStream::connect(home.paths().socket).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: emptor\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for worth in ["0", "-5", "1000000001", "79228162514264337593543950335"] {
        let prefer = format!("[{{\"requirement\": \"delivery<=2\", \"worth\": \"{worth}\"}}]");
        for (path, input) in [
            ("/v1/wants", "\"input\": \"tea\", "),
            ("/v1/wants/kettle", ""),
        ] {
            let answer = post(path, &format!("{{{input}\"prefer\": {prefer}}}"));
            assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
            assert!(answer.contains("an amount above 0"), "{answer}");
        }
    }
    let wants = home.json(&["wish", "list"]);
    assert_eq!(wants.as_array().map(Vec::len), Some(1), "{wants:#}");
    assert_eq!(wants[0]["prefer"], json!([]));
}

#[test]
fn a_shop_is_followed_with_amounts_that_make_sense() {
    let shops = Shops::open(&["alpha"]);
    let page = product("Kettle", "39.00", "EUR", "InStock");
    shops.put("alpha", "/p/1", page);
    let home = Home::new(&shops);
    let run = home.run(&["crawl", "--now"]).ok();
    assert!(run.out.starts_with("Nothing to read."), "{}", run.out);
    home.run(&["add", &shops.url("alpha", "/p/1")]).ok();
    let alpha = shops.url("alpha", "/");
    for (delivery, says) in [
        ("-1 EUR", "an amount must not be negative"),
        ("1 USD", "sells in EUR"),
        ("99999999999999999999 EUR", "which nobody pays"),
    ] {
        let run = home.run(&["shop", "add", &alpha, "--delivery", delivery]);
        let run = run.refused(2);
        assert!(run.err.contains(says), "{}", run.err);
    }
    // Its front page is not there; its product is.
    let shop = home.json(&["shop", "add", &alpha, "--delivery", "1 EUR"]);
    assert_eq!(shop["health"]["trouble"], json!(null), "{shop:#}");
    let offers = home.json(&["offers", "kettle"]);
    assert_eq!(offers["blind"], json!([]), "{offers:#}");
    assert_eq!(offers["ranked"][0]["landed"]["mid"]["amount"], "40.00");
}
