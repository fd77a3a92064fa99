//! The daemon's life, with real processes, sockets and signals.

use crate::support::{Home, Page, Shops, find, is_running, kettle, product, signal, wait};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[test]
fn a_command_starts_it_and_stop_ends_it() {
    let home = Home::locked("");
    assert_eq!(home.daemon(), None);
    home.run(&["daemon", "status"]).refused(4);
    // Any command starts it; the vault stays closed.
    home.run(&["wish", "list"]).exits(3);
    let pid = home.daemon().expect("it runs");
    let status = home.json(&["daemon", "status"]);
    assert_eq!(status["vault"], "locked");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    let mode = |name: &str| {
        std::fs::metadata(home.path(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("run"), 0o700);
    assert_eq!(mode("run/emptor.sock"), 0o600);
    assert_eq!(mode("state/emptor.log") & 0o077, 0, "the log is private");
    home.run(&["daemon", "start"]).ok();
    assert_eq!(
        home.daemon(),
        Some(pid),
        "start does not start a second one"
    );
    let said = home.run(&["daemon", "stop"]).ok();
    assert_eq!(said.out, "The daemon stops.\n");
    wait("the daemon to end", || !is_running(pid));
    assert!(!home.path("run/emptor.sock").exists());
    let said = home.run(&["daemon", "stop"]).ok();
    assert_eq!(said.out, "No daemon is running.\n");
}

#[test]
fn a_second_daemon_on_one_home_leaves() {
    let home = Home::locked("");
    home.run(&["daemon", "start"]).ok();
    let pid = home.daemon().expect("it runs");
    let second = home.run(&["daemon", "run"]).refused(1);
    assert!(
        second.err.contains("another emptor daemon is running"),
        "{}",
        second.err
    );
    assert_eq!(home.daemon(), Some(pid));
}

#[test]
fn two_starts_at_once_make_one_daemon() {
    let home = Home::locked("");
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| home.json(&["daemon", "start"])["pid"].as_u64()))
            .collect();
        let pids: Vec<_> = all.into_iter().map(|t| t.join().expect("joined")).collect();
        assert!(
            pids.iter().all(|p| *p == pids[0] && p.is_some()),
            "{pids:?}"
        );
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let (shops, home) = kettle();
    home.run(&["add", &shops.url("alpha", "/p/1"), "--max", "45 EUR"])
        .ok();
    home.run(&["shop", "add", &shops.url("alpha", "/")]).ok();
    for n in 0..5 {
        home.run(&["add", &format!("thing number {n}"), "--no-crawl"])
            .ok();
        home.kill();
        home.unlock();
        assert_eq!(
            home.json(&["wish", "list"]).as_array().unwrap().len(),
            n + 2
        );
    }
    // Wants, rules, alerts, shops, jobs and history are all there.
    let status = home.json(&["daemon", "status"]);
    assert_eq!(status["wants"], 6);
    assert_eq!(status["shops"], 1);
    assert_eq!(status["observations"], 1);
    assert!(
        status["next_crawl"].is_string(),
        "the jobs are still planned"
    );
    let history = home.json(&["history", "kettle"]);
    assert_eq!(history["points"][0]["price"]["amount"], "39.00");
    let alerts = home.json(&["alerts"]);
    assert_eq!(alerts["rules"].as_array().unwrap().len(), 1);
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(home.json(&["vault", "verify"])["details"]["whole"], true);
}

#[test]
fn a_kill_amid_many_writers_loses_nothing_acknowledged() {
    let home = Home::locked("");
    home.unlock();
    let pid = home.daemon().expect("it runs");
    let written = AtomicUsize::new(0);
    let acknowledged: usize = std::thread::scope(|scope| {
        let written = &written;
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let home = &home;
                scope.spawn(move || {
                    (0..50)
                        .take_while(|n| {
                            let name = format!("item {writer} {n}");
                            let done = home.run(&["add", &name, "--no-crawl", "--no-spawn"]);
                            written.fetch_add(1, Ordering::SeqCst);
                            done.code == 0
                        })
                        .count()
                })
            })
            .collect();
        wait("some writes", || written.load(Ordering::SeqCst) >= 20);
        signal(pid, "KILL");
        writers.into_iter().map(|w| w.join().expect("joined")).sum()
    });
    wait("the daemon to end", || !is_running(pid));
    home.unlock();
    let kept = home.json(&["wish", "list"]).as_array().unwrap().len();
    // One write of each writer may have been stored without its answer getting out.
    assert!(
        (acknowledged..=acknowledged + 4).contains(&kept),
        "{kept} of {acknowledged}"
    );
    assert!(acknowledged >= 20);
    assert_eq!(home.json(&["vault", "verify"])["details"]["whole"], true);
}

#[test]
fn it_stops_gracefully_amid_a_crawl_and_takes_up_again() {
    let shops = Shops::open(&["slow", "quick"]);
    let slow = Page {
        delay: Duration::from_secs(600),
        ..product("Slow kettle", "39.00", "EUR", "InStock")
    };
    shops.put("slow", "/p/1", slow);
    shops.put(
        "quick",
        "/p/1",
        product("Quick kettle", "29.00", "EUR", "InStock"),
    );
    let home = Home::new(&shops);
    home.run(&["add", &shops.url("slow", "/p/1"), "--no-crawl"])
        .ok();
    home.run(&["add", &shops.url("quick", "/p/1"), "--no-crawl"])
        .ok();
    let mut crawl = home.command(&["crawl", "--now"]);
    crawl
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut crawl = crawl.spawn().unwrap();
    wait("the slow page to be asked for", || {
        shops.paths("slow").contains(&"/p/1".into())
    });
    wait("the quick page to be read", || {
        home.json(&["daemon", "status"])["observations"] == 1
    });
    home.stop();
    assert_ne!(
        crawl.wait().unwrap().code(),
        Some(0),
        "the crawl was not finished"
    );
    // At once again: nothing of the old daemon is in the way.
    shops.put(
        "slow",
        "/p/1",
        product("Slow kettle", "39.00", "EUR", "InStock"),
    );
    home.unlock();
    let results = home.crawl();
    assert_eq!(find(&results, "url", "slow")["price"]["amount"], "39.00");
    assert_eq!(
        home.json(&["history", "quick"])["points"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn signals_stop_it() {
    for name in ["TERM", "INT"] {
        let home = Home::locked("");
        home.unlock();
        let pid = home.daemon().expect("it runs");
        signal(pid, name);
        wait("the daemon to end", || !is_running(pid));
        assert!(home.log().contains("stopped"), "{}", home.log());
        assert!(!home.path("run/emptor.sock").exists());
    }
}

#[test]
fn a_page_of_a_browser_cannot_call_the_api() {
    use std::io::{Read, Write};
    let home = Home::locked("");
    home.unlock();
    let ask = |extra: &str| {
        let mut stream = std::os::unix::net::UnixStream::connect(home.paths().socket).unwrap();
        let request =
            format!("GET /v1/wants HTTP/1.1\r\nhost: emptor\r\nconnection: close\r\n{extra}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("").starts_with("HTTP/1.1 200"));
    assert!(ask("origin: https://evil.example\r\n").starts_with("HTTP/1.1 400"));
    assert!(ask("referer: https://evil.example/\r\n").starts_with("HTTP/1.1 400"));
}

#[test]
fn the_service_unit_starts_this_program() {
    let home = Home::bare();
    let unit = home.run(&["daemon", "install", "--print"]).ok().out;
    assert!(unit.contains(&format!(
        "ExecStart={} daemon run",
        env!("CARGO_BIN_EXE_emptor")
    )));
    home.run(&["daemon", "install"]).ok();
    let written = std::fs::read_to_string(home.path(".config/systemd/user/emptor.service"));
    assert_eq!(written.unwrap().trim_end(), unit.trim_end());
}
