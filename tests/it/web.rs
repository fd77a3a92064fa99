//! The web page: who may see it, and that a browser really shows it.

use crate::support::{Home, PASSPHRASE, Page, Shops, product, require};
use std::io::{Read, Write};
use std::net::TcpStream;

/// The parts of a link: authority and code.
fn link(home: &Home) -> (String, String) {
    let url = home.json(&["web"])["url"].as_str().unwrap().to_owned();
    let rest = url.strip_prefix("http://").expect("http");
    let (authority, code) = rest.split_once("/?code=").expect("a code");
    (authority.to_owned(), code.to_owned())
}

fn request(authority: &str, start: &str, headers: &[(&str, &str)]) -> String {
    let port = authority
        .rsplit(':')
        .next()
        .unwrap()
        .parse::<u16>()
        .unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let mut text = format!("{start} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(authority: &str, path: &str, cookie: &str) -> String {
    request(
        authority,
        &format!("GET {path}"),
        &[("host", authority), ("cookie", cookie)],
    )
}

fn status(answer: &str) -> &str {
    &answer[9..12]
}

fn cookie(answer: &str) -> String {
    let line = answer
        .lines()
        .find(|l| l.starts_with("set-cookie: "))
        .expect("a cookie");
    assert!(
        line.contains("HttpOnly") && line.contains("SameSite=Strict"),
        "{line}"
    );
    line["set-cookie: ".len()..]
        .split(';')
        .next()
        .unwrap()
        .to_owned()
}

fn home() -> (Shops, Home) {
    let shops = Shops::open(&["alpha", "wall"]);
    let name = "Kettle <img src=x onerror=alert(1)> \"1.7 l\"";
    shops.put("alpha", "/p", product(name, "39.00", "EUR", "InStock"));
    let home = Home::new(&shops);
    home.run(&["add", &shops.url("alpha", "/p"), "--max", "50 EUR"])
        .ok();
    (shops, home)
}

#[test]
fn only_the_link_opens_it_and_only_once() {
    let (_shops, home) = home();
    let (authority, code) = link(&home);
    assert!(
        authority.starts_with("emptor-") && authority.contains(".localhost:"),
        "{authority}"
    );
    for path in ["/", "/?code=0000", "/?code="] {
        let answer = get(&authority, path, "emptor=0000");
        assert_eq!(status(&answer), "403");
        assert!(!answer.contains("Kettle"), "{answer}");
    }
    let entered = get(&authority, &format!("/?code={code}"), "");
    assert_eq!(status(&entered), "303", "{entered}");
    assert!(
        entered.contains("location: /\r\n"),
        "the code stays out of the history"
    );
    let session = cookie(&entered);
    let page = get(&authority, "/", &session);
    assert_eq!(status(&page), "200");
    assert!(page.contains("Kettle") && page.contains("39.00"), "{page}");
    assert_eq!(
        status(&get(&authority, &format!("/?code={code}"), "")),
        "403",
        "good once"
    );
    // A second link is another session on the same address.
    let (same, second) = link(&home);
    assert_eq!(same, authority);
    assert_eq!(
        status(&get(&authority, &format!("/?code={second}"), "")),
        "303"
    );
    assert_eq!(status(&get(&authority, "/", &session)), "200");
    // Locking the vault ends all of them.
    home.run(&["lock"]).ok();
    assert_eq!(status(&get(&authority, "/", &session)), "403");
    home.run(&["web"]).refused(3);
    home.run(&["web", "--passphrase-file", &home.arg("passphrase")])
        .ok();
    assert!(!home.log().contains(&code) && !home.log().contains(PASSPHRASE));
}

#[test]
fn other_sites_and_other_names_are_turned_away() {
    let (_shops, home) = home();
    let (authority, code) = link(&home);
    let session = cookie(&get(&authority, &format!("/?code={code}"), ""));
    let port = authority.rsplit(':').next().unwrap();
    let ask = |start: &str, headers: &[(&str, &str)]| {
        let mut all = vec![("cookie", session.as_str())];
        all.extend(headers);
        let answer = request(&authority, start, &all);
        for header in [
            "content-security-policy: default-src 'none'",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(
                answer.to_lowercase().contains(header),
                "{header} in {answer}"
            );
        }
        status(&answer).to_owned()
    };
    let host = ("host", authority.as_str());
    assert_eq!(ask("GET /", &[host]), "200");
    // DNS rebinding: the right address under a wrong name.
    for name in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("evil.example:{port}"),
    ] {
        assert_eq!(ask("GET /", &[("host", &name)]), "421", "{name}");
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(
            ask("GET /", &[host, ("sec-fetch-site", site)]),
            "403",
            "{site}"
        );
    }
    assert_eq!(ask("POST /", &[host]), "405");
    assert_eq!(ask("DELETE /v1/wants/x", &[host]), "405");
    assert_eq!(
        ask("GET /v1/wants", &[host]),
        "404",
        "the API is not on this port"
    );
}

#[test]
fn foreign_text_is_text() {
    let (_shops, home) = home();
    let (authority, code) = link(&home);
    let session = cookie(&get(&authority, &format!("/?code={code}"), ""));
    let page = get(&authority, "/", &session);
    assert!(
        !page.contains("<img") && page.contains("&lt;img src=x onerror=alert(1)&gt;"),
        "{page}"
    );
    assert!(!page.contains("<script"), "the page needs no script");
}

#[test]
fn a_list_has_a_page_with_its_basket() {
    let (shops, home) = home();
    home.run(&[
        "list",
        "add",
        &shops.url("alpha", "/p"),
        "--list",
        "food & drink",
    ])
    .ok();
    let (authority, code) = link(&home);
    let list = "list=food+%26+drink";
    assert_eq!(status(&get(&authority, &format!("/?{list}"), "")), "403");
    let entered = get(&authority, &format!("/?code={code}&{list}"), "");
    assert!(
        entered.contains(&format!("location: /?{list}\r\n")),
        "{entered}"
    );
    let session = cookie(&entered);
    let page = get(&authority, &format!("/?{list}"), &session);
    assert_eq!(status(&page), "200");
    for part in [
        "<h2>Basket: food &amp; drink</h2>",
        "39.00",
        "In all",
        &format!("<a href=\"{}\">", shops.url("alpha", "/p")),
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<img"), "{page}");
    let unknown = get(&authority, "/?list=%3Cb%3E", &session);
    assert!(
        unknown.contains("nothing is open on a list `&lt;b&gt;"),
        "{unknown}"
    );
}

#[test]
fn the_overview_leads_on_and_tells_what_is_blind_once() {
    let (shops, home) = home();
    home.run(&["list", "add", "--no-crawl", "tea", "--list", "food & drink"])
        .ok();
    let alpha = shops.host("alpha");
    let note = ["shop", "price", "add", &alpha, "tea", "--price", "3 EUR"];
    home.run(&note).ok();
    shops.put("wall", "/", Page::html("no").status(403));
    home.run(&["shop", "add", &shops.url("wall", "/")]).ok();
    let (authority, code) = link(&home);
    let session = cookie(&get(&authority, &format!("/?code={code}"), ""));
    let page = get(&authority, "/", &session);
    for part in [
        "<a href=\"/?list=food+%26+drink\">Where to buy all of food &amp; drink</a>",
        &format!("<a href=\"{}\">", shops.url("alpha", "/p")),
        "noted by you on ",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert_eq!(page.matches("answered HTTP 403").count(), 1, "{page}");
    // The command line says it once, too.
    let offers = home.run(&["offers"]).ok().out;
    assert_eq!(offers.matches("answered HTTP 403").count(), 1, "{offers}");
}

#[test]
fn an_empty_overview_and_a_wrong_address_say_what_to_do() {
    let shops = Shops::open(&["alpha"]);
    let home = Home::new(&shops);
    let (authority, code) = link(&home);
    let session = cookie(&get(&authority, &format!("/?code={code}"), ""));
    let page = get(&authority, "/", &session);
    for part in [
        "No open wants",
        "emptor add",
        "No shops yet",
        "emptor shop add",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    home.run(&["list", "add", "Tea <b>", "--list", "<i>"]).ok();
    let page = get(&authority, "/?list=nothing", &session);
    assert_eq!(status(&page), "404", "{page}");
    for part in [
        "nothing is open on a list `nothing`",
        "there is something on: &lt;i&gt;",
        "<a href=\"/\">All wants</a>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn a_browser_shows_the_wants() {
    if !require("chromium") {
        return;
    }
    let (_shops, home) = home();
    let url = home.json(&["web"])["url"].as_str().unwrap().to_owned();
    let mut browser = std::process::Command::new("chromium");
    browser.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        &format!("--user-data-dir={}", home.arg("browser")),
        "--dump-dom",
        &url,
    ]);
    browser
        .env("HOME", home.path(""))
        .stdin(std::process::Stdio::null());
    let run = crate::support::finish(browser);
    assert!(run.out.contains("<h3>Kettle"), "{run:?}");
    assert!(
        run.out.contains("€") && run.out.contains("alpha.localhost"),
        "{}",
        run.out
    );
    assert!(run.out.contains("<h2>Alerts</h2>"), "{}", run.out);
}
