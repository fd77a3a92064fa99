//! `emptor demo --once`: the whole story, on a machine of its own.

use crate::support::{Home, finish};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn a_demo_whose_reader_leaves_ends_quietly_and_leaves_nothing() {
    let home = Home::bare();
    let tmp = home.path("tmp");
    std::fs::create_dir(&tmp).unwrap();
    let mut demo = home
        .command(&["demo"])
        .env("TMPDIR", &tmp)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("Six shops") {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it went on");
    }
    drop(lines);
    let ended = demo.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && errors.is_empty(), "{errors}");
    assert_eq!(std::fs::read_dir(&tmp).unwrap().count(), 0);
}

#[test]
fn the_demo_tells_the_whole_story_and_leaves_nothing() {
    let home = Home::bare();
    let tmp = home.path("tmp");
    std::fs::create_dir(&tmp).unwrap();
    let mut command = home.command(&["demo", "--once"]);
    command.env("TMPDIR", &tmp);
    let run = finish(command).ok();
    for part in [
        "Six shops",
        "Five wants",
        // A wall and an outgrown adapter are said, not guessed around.
        "403",
        "layout_changed",
        // What leaves for a provider is shown, quotes are ranked, one is accepted.
        "\"@type\": \"Demand\"",
        "quote: ",
        "Nadia's Tools",
        "Accepted ",
        "entries in the ledger",
        // The fallen price is noticed.
        "A price falls while you watch",
        "at or under €130.00",
    ] {
        assert!(run.out.contains(part), "{part} is not in\n{}", run.out);
    }
    let after = run
        .out
        .split("A price falls while you watch")
        .nth(1)
        .unwrap();
    assert!(after.contains("Nordlicht NL-400 headphones: "), "{after}");
    assert!(!run.out.contains('\x1b'));
    assert_eq!(
        std::fs::read_dir(&tmp).unwrap().count(),
        0,
        "its vault is gone"
    );
    assert!(
        !home.path("vault").exists() && !home.path("run").exists(),
        "yours was not touched"
    );
    assert_eq!(home.daemon(), None);
}
