//! `emptor demo --once`: the whole story, on a machine of its own.

use crate::support::{Home, finish};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn a_demo_that_is_ended_leaves_nothing() {
    // The reader leaves, as `head` does; Ctrl-C; the terminal is closed; the system shuts down.
    for way in [None, Some("INT"), Some("HUP"), Some("TERM")] {
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
        // While it ends, what it still says is read.
        let rest = way.map(|signal| {
            let sent = Command::new("sh")
                .args(["-c", &format!("kill -{signal} {}", demo.id())])
                .status();
            assert!(sent.unwrap().success());
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()))
        });
        let ended = demo.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.success() && errors.is_empty(),
            "{way:?}: {errors}"
        );
        assert_eq!(std::fs::read_dir(&tmp).unwrap().count(), 0, "{way:?}");
        if let Some(rest) = rest {
            rest.join().unwrap().unwrap();
        }
    }
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
