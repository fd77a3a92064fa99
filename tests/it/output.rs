//! What comes out: JSON that scripts can rely on, text without surprises.

use crate::support::{Home, Page, Shops, finish, product, require, shape};
use std::io::Read;
use std::process::Stdio;

/// One of everything.
fn filled(shops: &Shops) -> Home {
    shops.put(
        "alpha",
        "/p/kettle",
        product("Kettle 1.7 l", "39.00", "EUR", "InStock"),
    );
    shops.put("wall", "/p/kettle", Page::html("no").status(403));
    let home = Home::new(shops);
    home.run(&[
        "shop",
        "add",
        &shops.url("alpha", "/"),
        "--delivery",
        "4.90 EUR",
    ])
    .ok();
    home.run(&["add", &shops.url("alpha", "/p/kettle"), "--max", "45 EUR"])
        .ok();
    home.run(&[
        "wish",
        "edit",
        "kettle",
        "--url",
        &shops.url("wall", "/p/kettle"),
    ])
    .ok();
    home.run(&["alerts", "add", "kettle", "back in stock"]).ok();
    home.crawl();
    home
}

#[test]
fn json_of_the_main_queries_keeps_its_fields() {
    let shops = Shops::open(&["alpha", "wall"]);
    let home = filled(&shops);
    for (name, args) in [
        ("wish_list", &["wish", "list"][..]),
        ("offers", &["offers", "kettle"]),
        ("shop_list", &["shop", "list"]),
        ("alerts", &["alerts"]),
        ("daemon_status", &["daemon", "status"]),
    ] {
        insta::assert_json_snapshot!(name, shape(&home.json(args)));
    }
}

#[test]
fn every_query_prints_one_json_document() {
    let shops = Shops::open(&["alpha", "wall"]);
    let home = filled(&shops);
    let shop = shops.host("alpha");
    for args in [
        &["wish", "list"][..],
        &["wish", "show", "kettle"],
        &["list", "list"],
        &["shop", "list"],
        &["shop", "test", &shop],
        &["shop", "terms", &shop],
        &["shop", "terms", &shop, "--ship", "4 EUR"],
        &["shop", "coupon", "list", &shop],
        &["shop", "price", "list", &shop],
        &["crawl"],
        &["offers"],
        &["offers", "kettle"],
        &["offers", "kettle", "--explain", "--all"],
        &["history", "kettle"],
        &["wish", "list", "--sort", "intensity"],
        &["wish", "plan"],
        &["wish", "tune", "kettle"],
        &["basket", "wishes"],
        &["purchases"],
        &["alerts"],
        &["alerts", "list"],
        &["alerts", "why", "kettle"],
        &["notify", "test"],
        &["tender", "list"],
        &["ledger"],
        &["ledger", "list"],
        &["ledger", "verify"],
        &["vault", "status"],
        &["vault", "slot", "list"],
        &["vault", "verify"],
        &["daemon", "status"],
        &["daemon", "start"],
        &["adapter", "list"],
        &["web"],
        &["api"],
        &["add", "a lamp"],
        &["wish", "edit", "lamp", "--max", "9 EUR"],
        &["wish", "done", "lamp"],
        &["wish", "rm", "lamp"],
        &["doctor"],
        &["lock"],
        &["daemon", "stop"],
    ] {
        let mut all = args.to_vec();
        all.push("--json");
        let run = home.run(&all);
        assert!(run.code == 0 || args == ["doctor"], "{args:?}: {run:?}");
        assert!(run.json().is_object() || run.json().is_array(), "{args:?}");
        assert_eq!(run.err, "", "{args:?}");
        assert!(!run.out.contains('\x1b'), "{args:?}");
    }
}

/// The output of a command on a terminal of its own, so wide.
fn on_terminal(home: &Home, args: &str, columns: u16, no_colour: bool) -> String {
    let mut command = std::process::Command::new("script");
    let emptor = env!("CARGO_BIN_EXE_emptor");
    let typed = format!("stty rows 24 cols {columns}; {emptor} {args}");
    command
        .args(["-qec", &typed, "/dev/null"])
        .env("EMPTOR_HOME", home.path(""))
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    if no_colour {
        command.env("NO_COLOR", "1");
    }
    finish(command).ok().out
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let shops = Shops::open(&["alpha", "wall"]);
    let home = filled(&shops);
    for args in [
        &["wish", "list"][..],
        &["offers", "--explain"],
        &["shop", "list"],
        &["daemon", "status"],
    ] {
        let run = home.run(args).ok();
        assert!(
            !run.out.contains('\x1b'),
            "no terminal, no colours: {}",
            run.out
        );
    }
    if !require("script") {
        return;
    }
    assert!(on_terminal(&home, "wish list", 80, false).contains("\x1b["));
    assert!(!on_terminal(&home, "wish list", 80, true).contains("\x1b["));
    assert!(!on_terminal(&home, "wish list --json", 80, false).contains("\x1b["));
}

#[test]
fn lines_are_folded_to_the_terminal_and_nowhere_else() {
    if !require("script") || !require("stty") {
        return;
    }
    let shops = Shops::open(&["alpha", "wall"]);
    let home = filled(&shops);
    let width = |line: &str| line.chars().count();
    let shown = |columns| on_terminal(&home, "offers --explain --all", columns, true);
    let (narrow, wide) = (shown(60), shown(500));
    let piped = home.run(&["offers", "--explain", "--all"]).ok().out;
    for whole in [&wide, &piped] {
        assert!(whole.lines().any(|l| width(l) > 60), "{whole}");
    }
    // An address has no space to fold at.
    for line in narrow.lines().filter(|l| !l.contains("://")) {
        assert!(width(line) <= 60, "{line:?} in {narrow}");
    }
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(words(&narrow), words(&wide));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let home = Home::bare();
    for args in [
        &["api"][..],
        &["completions", "bash"],
        &["man"],
        &["adapter", "list"],
        &["--help"],
    ] {
        let mut child = home
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A reader such as `head` that has seen enough.
        drop(child.stdout.take());
        let mut err = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        child.wait().unwrap();
        assert_eq!(err, "", "{args:?}");
    }
}

#[test]
fn a_page_cannot_speak_to_the_terminal() {
    let shops = Shops::open(&["evil"]);
    let name = "Kettle\u{1b}[2J\u{1b}]0;owned\u{7} \u{9b}31m\u{202e}lamron\u{8}\u{85} 1.7 l";
    let mut page = product(name, "39.00", "EUR", "InStock");
    let raw = "<h1>Kettle\u{1b}[31m\u{1b}]8;;http://evil.example\u{7} 1.7 l</h1><title>\u{1b}[5mx</title>";
    page.body.extend_from_slice(raw.as_bytes());
    shops.put("evil", "/p/1", page);
    // Where there is no price, the title and the reason are shown.
    shops.put(
        "evil",
        "/p/2",
        Page::html(format!("<title>{name}</title><h1>{name}</h1>")),
    );
    let home = Home::new(&shops);
    let mut all = String::new();
    for path in ["/p/1", "/p/2"] {
        all += &home
            .run(&["add", &shops.url("evil", path), "--max", "50 EUR"])
            .ok()
            .out;
    }
    for args in [
        &["crawl", "--now"][..],
        &["wish", "list"],
        &["wish", "show", "kettle"],
        &["offers", "--explain", "--all"],
        &["history", "kettle"],
        &["alerts"],
        &["alerts", "why", "kettle"],
        &["shop", "list"],
    ] {
        all += &home.run(args).ok().out;
        all += &home.json(args).to_string();
    }
    assert!(all.contains("Kettle"), "{all}");
    let wild = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found: Vec<_> = all.lines().filter(|l| l.contains(wild)).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert!(
        !home.log().contains("\u{1b}]"),
        "the log is a terminal's food, too"
    );
}

#[test]
fn text_for_people_says_where_to_buy() {
    let shops = Shops::open(&["alpha", "wall"]);
    let home = filled(&shops);
    let text = home.run(&["offers", "kettle", "--explain"]).ok().out;
    for part in ["€43.90", "item", "delivery", "read by json-ld", "blind"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let history = home.run(&["history", "kettle"]).ok().out;
    assert!(
        history.contains('█') && history.contains("39.00"),
        "{history}"
    );
}
