//! The commands as people type them: wants, shops, exit codes, and what needs no vault.

use crate::support::{Home, Shops, find, finish, product};
use serde_json::Value;

fn names(list: &Value) -> Vec<&str> {
    let all = list.as_array().expect("a list");
    all.iter().filter_map(|w| w["name"].as_str()).collect()
}

#[test]
fn a_want_lives_from_add_to_rm() {
    let shops = Shops::open(&["alpha"]);
    shops.put(
        "alpha",
        "/p/drill",
        product("Brenner BW-12 drill", "94.90", "EUR", "InStock"),
    );
    let home = Home::new(&shops);
    // By its page: the page gives the name and the first price.
    let added = home
        .run(&["add", &shops.url("alpha", "/p/drill"), "--max", "120 EUR"])
        .ok();
    assert!(
        added.out.contains("Added Brenner BW-12 drill"),
        "{}",
        added.out
    );
    assert!(added.out.contains("94.90"), "{}", added.out);
    // By a text, and by a barcode number on a shopping list.
    home.run(&["add", "green", "garden", "chair", "--intensity", "80"])
        .ok();
    home.run(&[
        "list",
        "add",
        "4006381333931",
        "--name",
        "Fineliner",
        "--qty",
        "3",
    ])
    .ok();
    let wishes = home.json(&["wish", "list"]);
    assert_eq!(
        names(&wishes),
        ["Brenner BW-12 drill", "green garden chair"]
    );
    assert_eq!(wishes[0]["limit"]["amount"], "120");
    let items = home.json(&["list", "list"]);
    assert_eq!(names(&items), ["Fineliner"]);
    assert_eq!(items[0]["gtin"], "4006381333931");
    assert_eq!(items[0]["quantity"], 3);

    home.run(&[
        "wish",
        "edit",
        "chair",
        "--max",
        "40 EUR",
        "--need-by",
        "2099-05-01",
        "--must",
        "delivery<=3",
        "--prefer",
        "brand=Tove:5",
        "--note",
        "for the balcony",
    ])
    .ok();
    let chair = home.json(&["wish", "show", "chair"]);
    assert_eq!(chair["limit"]["amount"], "40");
    assert_eq!(chair["need_by"], "2099-05-01");
    assert_eq!(chair["must"][0], "delivery<=3");
    assert_eq!(chair["prefer"][0]["worth"], "5");
    assert_eq!(chair["note"], "for the balcony");
    home.run(&["wish", "edit", "chair", "--no-max", "--no-must"])
        .ok();
    let chair = home.json(&["wish", "show", "chair"]);
    assert_eq!(chair["limit"], Value::Null);
    assert_eq!(chair["must"], serde_json::json!([]));
    assert_eq!(chair["need_by"], "2099-05-01", "what is not named stays");

    // Snoozed and fulfilled wants are out of sight, not gone.
    home.run(&["wish", "snooze", "chair", "--until", "2099-01-01"])
        .ok();
    home.run(&["wish", "done", "drill"]).ok();
    assert_eq!(names(&home.json(&["wish", "list"])), [""; 0]);
    let all = home.json(&["wish", "list", "--all"]);
    let all = all.as_array().unwrap();
    assert_eq!(find(all, "name", "chair")["status"], "snoozed");
    assert_eq!(
        find(all, "name", "chair")["snoozed_until"],
        "2099-01-01T00:00:00Z"
    );
    assert_eq!(find(all, "name", "drill")["status"], "fulfilled");

    let gone = home.run(&["wish", "rm", "chair"]).ok();
    assert_eq!(gone.out, "Removed green garden chair.\n");
    home.run(&["wish", "show", "chair"]).refused(5);
}

#[test]
fn a_shop_is_followed_tested_and_dropped() {
    let shops = Shops::open(&["alpha", "wall"]);
    shops.put(
        "alpha",
        "/p/1",
        product("Kettle 1.7 l", "39.00", "EUR", "InStock"),
    );
    shops.put("wall", "/", crate::support::Page::html("no").status(403));
    let home = Home::new(&shops);
    let added = home.json(&[
        "shop",
        "add",
        &shops.url("alpha", "/"),
        "--delivery",
        "4.90 EUR",
    ]);
    assert_eq!(added["domain"], shops.host("alpha"));
    assert_eq!(added["searchable"], false);
    // A shop behind a wall can be followed; it says that it is blind.
    let wall = home.run(&["shop", "add", &shops.url("wall", "/")]).ok();
    assert!(wall.out.contains("403"), "{}", wall.out);
    home.run(&["add", &shops.url("alpha", "/p/1"), "--no-crawl"])
        .ok();
    let tested = home.json(&["shop", "test", &shops.host("alpha")]);
    assert_eq!(tested[1][0]["verdict"], "value", "{tested}");
    assert_eq!(tested[1][0]["price"]["amount"], "39.00");
    let text = home.run(&["shop", "list"]).ok().out;
    assert!(text.contains("Blind on 1 of 2 shops."), "{text}");
    let offered = |home: &Home| home.json(&["offers", "kettle"])["ranked"].clone();
    assert_eq!(offered(&home).as_array().map(Vec::len), Some(1));
    home.run(&["shop", "rm", &shops.host("alpha")]).ok();
    let left = home.json(&["shop", "list"]);
    assert_eq!(left.as_array().unwrap().len(), 1);
    // Nothing of it is offered any more; its prices are history.
    assert_eq!(offered(&home).as_array().map(Vec::len), Some(0));
    let history = home.json(&["history", "kettle"]);
    assert_eq!(history["points"].as_array().map(Vec::len), Some(1));
    // Its page was taken off the want, so it does not come back with the next crawl.
    assert_eq!(home.crawl().len(), 0);
    home.run(&["shop", "rm", &shops.host("alpha")]).refused(5);
}

#[test]
fn exit_codes_say_what_kind_of_failure_it_was() {
    let home = Home::locked("");
    home.run(&["wish", "list", "--no-spawn"]).refused(4);
    home.run(&["wish", "list"]).refused(3);
    home.unlock();
    for args in [
        ["wish", "show", "nothing"],
        ["tender", "show", "nothing"],
        ["shop", "test", "nothing.example"],
        ["alerts", "rm", "nothing"],
        ["adapter", "test", "nothing"],
    ] {
        home.run(&args).refused(5);
    }
    home.run(&["offers", "nothing"]).refused(5);
    for args in [
        &["vault"][..],
        &["frobnicate"],
        &["add", "x", "--max", "cheap"],
        &["add", "x", "--qty", "0"],
        &["alerts", "add", "x", "whenever"],
        &["offers", "--same", "1"],
    ] {
        let run = home.run(args).exits(2);
        assert!(!run.err.is_empty() && run.out.is_empty(), "{run:?}");
    }
    // A mistyped barcode is a question, not a text to search for.
    let run = home.run(&["add", "4006381333932"]).refused(2);
    assert!(run.err.contains("check digit"), "{}", run.err);
    home.run(&["add", "ftp://shop.example/x", "--no-crawl"])
        .refused(2);
    home.run(&["shop", "add", "ftp://shop.example"]).exits(2);
    home.run(&["add", "http://user:secret@shop.example/x"])
        .exits(2);
    home.run(&["wish", "edit", "ftp"]).refused(2);
}

#[test]
fn a_group_without_a_verb_lists() {
    let home = Home::locked("");
    home.unlock();
    home.run(&["wish", "add", "--no-crawl", "kettle"]).ok();
    home.run(&["list", "add", "--no-crawl", "tea"]).ok();
    let wishes = home.run(&["wish"]).ok().out;
    assert!(
        wishes.contains("kettle") && !wishes.contains("tea"),
        "{wishes}"
    );
    let items = home.run(&["list"]).ok().out;
    assert!(
        items.contains("tea") && !items.contains("kettle"),
        "{items}"
    );
    let shops = home.run(&["shop"]).ok().out;
    assert!(shops.contains("No shops yet"), "{shops}");
    let tenders = home.run(&["tender"]).ok().out;
    assert!(tenders.contains("No calls for tenders"), "{tenders}");
    let none = home.run(&["tender", "quotes"]).refused(5);
    assert!(none.err.contains("emptor tender new"), "{}", none.err);
}

#[test]
fn an_example_of_a_group_is_shown_with_its_command() {
    let home = Home::bare();
    let help = home.run(&["wish", "tune", "--help"]).ok().out;
    let (options, examples) = help.split_once("Examples:").expect("examples");
    assert!(
        examples.contains("emptor wish tune drill --answer yes"),
        "{help}"
    );
    assert!(!examples.contains("emptor wish drop"), "{help}");
    let (own, common) = options
        .split_once("Options of every command:")
        .expect("apart");
    assert!(
        own.contains("--answer") && !own.contains("--json"),
        "{help}"
    );
    assert!(common.contains("--json"), "{help}");
}

#[test]
fn an_unclear_name_is_asked_back() {
    let home = Home::locked("");
    home.unlock();
    home.run(&["add", "red lamp"]).ok();
    home.run(&["add", "blue lamp"]).ok();
    let run = home.run(&["wish", "show", "lamp"]).refused(2);
    assert!(
        run.err.contains("red lamp") && run.err.contains("blue lamp"),
        "{}",
        run.err
    );
    home.run(&["wish", "show", "blue"]).ok();
}

#[test]
fn what_was_wanted_already_is_said() {
    let home = Home::locked("");
    home.unlock();
    let first = home.json(&["add", "red lamp"]);
    assert_eq!(first.get("again"), None);
    home.run(&["add", "blue lamp"]).ok();
    let short = first["short"].as_str().expect("an id");
    let second = home.run(&["list", "add", "Red  Lamp"]).ok();
    let remove = format!("emptor wish rm {short}");
    assert!(second.out.contains(&remove), "{}", second.out);
    // One that is over is not wanted any more.
    home.run(&["wish", "drop", short]).ok();
    let item = home.json(&["list", "list"])[0]["short"].clone();
    home.run(&["list", "rm", item.as_str().expect("an id")])
        .ok();
    let third = home.json(&["add", "red lamp"]);
    assert_eq!(third.get("again"), None);

    home.run(&["list", "add", "4006381333931"]).ok();
    let barcode = home.json(&["list", "add", "04006381333931", "--name", "Pen"]);
    assert_eq!(barcode["again"].as_array().map(Vec::len), Some(1));
}

#[test]
fn completions_manual_and_api_need_nothing() {
    let home = Home::bare();
    for (shell, sign) in [
        ("bash", "_emptor()"),
        ("zsh", "#compdef emptor"),
        ("fish", "complete -c emptor"),
    ] {
        let run = home.run(&["completions", shell]).ok();
        assert!(
            run.out.contains(sign) && run.out.contains("tender"),
            "{shell}"
        );
    }
    let page = home.run(&["man"]).ok().out;
    assert!(
        page.starts_with(".ie") || page.starts_with(".TH"),
        "{}",
        &page[..20]
    );
    home.run(&["man", "--out", &home.arg("man")]).ok();
    for page in ["emptor.1", "emptor-add.1", "emptor-tender-new.1"] {
        let text = std::fs::read_to_string(home.path("man").join(page)).expect(page);
        assert!(text.contains(".TH"), "{page}");
    }
    assert!(
        !home.path("man/emptor-worker.1").exists(),
        "hidden commands have no page"
    );
    let document = home.run(&["api"]).ok().json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    for path in [
        "/v1/status",
        "/v1/wants/{want}/offers",
        "/v1/tenders/{tender}/award",
        "/v1/vault/backup",
        "/v1/openapi.json",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
    let operations: usize = paths.values().map(|p| p.as_object().unwrap().len()).sum();
    assert_eq!(operations, emptor::agent::api::handlers::table().len());
    assert_eq!(home.daemon(), None, "none of these started a daemon");
}

#[test]
fn the_help_names_every_command_and_the_version_is_one_line() {
    let home = Home::bare();
    let help = home.run(&["--help"]).ok().out;
    for command in [
        "demo",
        "init",
        "unlock",
        "lock",
        "doctor",
        "daemon",
        "add",
        "wish",
        "list",
        "shop",
        "adapter",
        "crawl",
        "offers",
        "history",
        "tender",
        "alerts",
        "notify",
        "ledger",
        "vault",
        "web",
        "api",
        "lab",
        "completions",
        "man",
    ] {
        let listed = help.lines().any(|l| l.trim_start().starts_with(command));
        assert!(listed, "{command} is not in the help");
    }
    assert!(!help.contains("worker"), "internal commands are hidden");
    let version = home.run(&["--version"]).ok().out;
    assert_eq!(version, format!("emptor {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn doctor_checks_and_says_how_to_mend() {
    let home = Home::bare();
    let run = home.run(&["doctor"]).exits(1);
    assert!(run.out.contains("emptor init"), "{}", run.out);
    home.make_vault();
    home.unlock();
    let report = home.run(&["doctor", "--json"]);
    let report = report.json();
    let report = report.as_array().unwrap();
    for what in [
        "settings",
        "vault",
        "privacy",
        "daemon",
        "sandbox",
        "confinement",
        "network",
    ] {
        assert_eq!(find(report, "what", what)["what"], what);
    }
    assert_eq!(find(report, "what", "vault")["ok"], true);
    assert!(
        find(report, "what", "daemon")["detail"]
            .as_str()
            .unwrap()
            .contains("vault open")
    );
    // The sandbox is tried for real: what it forbids was refused.
    let confinement = find(report, "what", "confinement")["detail"]
        .as_str()
        .unwrap();
    assert!(confinement.contains("tried"), "{confinement}");
    home.settings("[crawl]\nevery_hours = 0\n");
    let run = home.run(&["doctor"]).exits(1);
    assert!(run.out.contains("crawl.every_hours"), "{}", run.out);
}

#[test]
fn output_that_cannot_be_written() {
    use std::process::Stdio;
    let home = Home::bare();
    let run = |args: &[&str], out: Stdio, err: Stdio| {
        let mut command = home.command(args);
        let ran = command.stdout(out).stderr(err).output();
        let ran = ran.unwrap();
        (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
    };
    let closed = || Stdio::from(std::io::pipe().unwrap().1);
    let full = || {
        Stdio::from(
            std::fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap(),
        )
    };
    std::fs::write(
        home.path("basket.json"),
        r#"{"schema":"isop/1","n":1,"m":1,"price":[[4]],"delivery":[0]}"#,
    )
    .unwrap();
    std::fs::write(home.path("page.html"), "<h1>Tea</h1>").unwrap();
    std::fs::write(home.path("pages.jsonl"), r#"{"file":"page.html"}"#).unwrap();
    std::fs::write(home.path("table.jsonl"), r#"{"name":"Tea 100 g"}"#).unwrap();
    let [basket, page, pages, table] =
        ["basket.json", "page.html", "pages.jsonl", "table.jsonl"].map(|name| home.arg(name));
    let commands: [&[&str]; 7] = [
        &["man"],
        &["completions", "bash"],
        &["api"],
        &["lab", "basket", &basket],
        &["lab", "extract", &page],
        &["lab", "extract", "--manifest", &pages],
        &["lab", "match", "--left", &table, "--right", &table],
    ];
    for args in commands {
        // A reader that has seen enough is no error; a full disk is one.
        assert_eq!(
            run(args, closed(), Stdio::piped()),
            (Some(0), String::new()),
            "{args:?}"
        );
        let (code, said) = run(args, full(), Stdio::piped());
        assert_eq!(code, Some(1), "{args:?}");
        assert!(said.contains("error: cannot write the output"), "{said}");
    }
    // Nobody hears the complaint: the exit code still tells.
    let (code, _) = run(&["web", "--no-spawn"], Stdio::piped(), closed());
    assert_eq!(code, Some(4));
    // A recovery code that nobody could see is no success.
    std::fs::write(home.path("secret"), "seven quiet herons over the weir").unwrap();
    let secret = home.arg("secret");
    let init = ["init", "--yes", "--passphrase-file", &secret];
    let (code, _) = run(&init, Stdio::piped(), closed());
    assert_eq!(code, Some(1));
    assert!(
        home.path("vault").is_dir(),
        "the vault is made all the same"
    );
}

#[test]
fn a_wide_open_directory_is_reported_or_closed() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::locked("");
    let vault = home.path("vault");
    std::fs::set_permissions(&vault, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = home.run(&["doctor"]).exits(1);
    assert!(run.out.contains("chmod 700"), "{}", run.out);
}

#[test]
fn lab_works_without_home_and_daemon() {
    use std::io::Write;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_emptor"));
    command.args(["lab", "price"]).env_clear();
    command.stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let line = "{\"id\":\"a\",\"text\":\"1.299,00 €\"}\n";
    child
        .stdin
        .take()
        .unwrap()
        .write_all(line.as_bytes())
        .unwrap();
    let out = child.wait_with_output().unwrap();
    let reply: Value = serde_json::from_slice(&out.stdout).expect("one JSON line");
    assert_eq!(reply["amount"], "1299.00");
    assert_eq!(reply["currency"], "EUR");
    let mut no_home = std::process::Command::new(env!("CARGO_BIN_EXE_emptor"));
    no_home
        .args(["wish", "list"])
        .env_clear()
        .env("EMPTOR_HOME", format!("/{}", "x".repeat(120)));
    let run = finish(no_home);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("shorter path"), "{}", run.err);
}
