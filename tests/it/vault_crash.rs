//! A process that writes is killed at any moment: nothing it acknowledged is lost.
//! `EMPTOR_TORTURE=full` kills 500 times instead of 25.

use crate::vault_support::{
    LOGS, NOTES, create, files, key_file, options, passphrase, paths, torture,
};
use emptor::vault::{ExposeSecret, Options, Secret, Vault, VaultError, VaultPaths, harden_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Where a child finds its vault; set by the test that starts it.
const CHILD: &str = "EMPTOR_VAULT_TEST_CHILD";

/// Starts this test binary again, to run the test `name` of this module as a child.
fn again(name: &str, dir: &Path, role: &str) -> Child {
    let module = module_path!().split_once("::").map_or("", |(_, rest)| rest);
    Command::new(std::env::current_exe().expect("own path"))
        .args([
            "--exact",
            &format!("{module}::{name}"),
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD, dir)
        .env("EMPTOR_VAULT_TEST_ROLE", role)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

fn small() -> Options {
    // Checkpoints and rotations come often, so that kills meet them.
    Options {
        checkpoint_after: 40_000,
        ..options()
    }
}

/// Writes until killed; says each number once it is durable.
fn write_for_ever(dir: &Path) -> ! {
    let vault = Vault::open(&paths(dir), &key_file(), small()).expect("opened");
    let mut n = last_number(&vault);
    let mut out = std::io::stdout();
    loop {
        n += 1;
        let value = value_of(n);
        vault
            .transaction(|tx| {
                tx.put(NOTES, &(n % 40).to_be_bytes(), &value)?;
                tx.put(NOTES, b"last", &n.to_be_bytes())?;
                if n.is_multiple_of(7) {
                    tx.delete(NOTES, &((n + 20) % 40).to_be_bytes())?;
                }
                tx.append(LOGS, b"all", &n.to_be_bytes())
            })
            .expect("committed");
        writeln!(out, "ack {n}")
            .and_then(|()| out.flush())
            .expect("the parent listens");
    }
}

fn value_of(n: u64) -> Vec<u8> {
    n.to_be_bytes().repeat(4 + (n % 90) as usize)
}

fn last_number(vault: &Vault) -> u64 {
    let last = vault.get(NOTES, b"last").expect("read");
    last.map_or(0, |bytes| {
        u64::from_be_bytes(bytes.try_into().expect("eight bytes"))
    })
}

/// The state after `n` transactions, computed afresh.
fn check(vault: &Vault, n: u64) {
    let mut model = std::collections::BTreeMap::new();
    for i in 1..=n {
        model.insert(i % 40, i);
        if i % 7 == 0 {
            model.remove(&((i + 20) % 40));
        }
    }
    for key in 0..40u64 {
        let value = vault.get(NOTES, &key.to_be_bytes()).expect("read");
        assert_eq!(
            value,
            model.get(&key).map(|n| value_of(*n)),
            "key {key} of {n}"
        );
    }
    let mut next = 1;
    vault
        .read_log(LOGS, b"all", |entry| {
            assert_eq!(entry, u64::to_be_bytes(next));
            next += 1;
            true
        })
        .expect("read");
    assert_eq!(next, n + 1);
}

fn acknowledged_in(line: String) -> Option<u64> {
    let (_, n) = line.split_once("ack ")?;
    n.parse().ok()
}

#[test]
fn killed_while_writing_loses_nothing() {
    if let Some(dir) = std::env::var_os(CHILD) {
        write_for_ever(Path::new(&dir));
    }
    let place = tempfile::tempdir().expect("a directory");
    create(place.path(), small()).lock();
    let kills = if torture() { 500 } else { 25 };
    let mut acknowledged = 0;
    let mut notices = std::collections::BTreeMap::new();
    for kill in 0..kills {
        let mut child = again("killed_while_writing_loses_nothing", place.path(), "");
        let mut bytes = [0; 8];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut f| f.read_exact(&mut bytes))
            .expect("random numbers");
        let mut said = BufReader::new(child.stdout.take().expect("piped")).lines();
        if kill % 2 == 0 {
            // On a busy machine the others may not get beyond opening.
            let first = said
                .by_ref()
                .map_while(Result::ok)
                .find_map(acknowledged_in);
            acknowledged = first.expect("it writes");
        }
        std::thread::sleep(Duration::from_micros(u64::from_be_bytes(bytes) % 250_000));
        child.kill().expect("killed");
        for line in said {
            let line = line.expect("text");
            acknowledged = acknowledged_in(line).unwrap_or(acknowledged);
        }
        child.wait().expect("ended");
        if kill % 3 == 0 {
            // The next child finds the vault as this one left it.
            continue;
        }
        let vault = Vault::open(&paths(place.path()), &key_file(), small())
            .unwrap_or_else(|e| panic!("kill {kill}: {e}"));
        let n = last_number(&vault);
        assert!(n >= acknowledged, "kill {kill}: {n} of {acknowledged}");
        check(&vault, n);
        for notice in vault.status().expect("open").notices {
            *notices.entry(format!("{notice:?}")).or_insert(0) += 1;
        }
        if kill % 5 == 0 {
            let report = vault.verify(&paths(place.path()).anchor).expect("read");
            assert_eq!(report.problems, Vec::<String>::new(), "kill {kill}");
        }
        vault.lock();
    }
    println!("{kills} kills, {acknowledged} acknowledged, none lost; {notices:?}");
    assert!(acknowledged > 0);
}

#[test]
fn of_fifty_openers_one_wins() {
    if let Some(dir) = std::env::var_os(CHILD) {
        match Vault::open(&paths(Path::new(&dir)), &key_file(), options()) {
            Ok(_vault) => {
                println!("won");
                std::thread::sleep(Duration::from_secs(600));
            }
            Err(VaultError::AlreadyOpen) => println!("lost"),
            Err(other) => println!("failed: {other}"),
        }
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    create(place.path(), options()).lock();
    let mut children: Vec<_> = (0..50)
        .map(|_| again("of_fifty_openers_one_wins", place.path(), ""))
        .collect();
    let mut said = Vec::new();
    for child in &mut children {
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let line = out
            .lines()
            .map_while(Result::ok)
            .find(|l| ["won", "lost", "failed"].iter().any(|w| l.contains(w)));
        said.push(line.unwrap_or_default());
    }
    for mut child in children {
        let _ = child.kill();
        child.wait().expect("ended");
    }
    assert_eq!(
        said.iter().filter(|s| s.ends_with("won")).count(),
        1,
        "{said:?}"
    );
    assert_eq!(
        said.iter().filter(|s| s.ends_with("lost")).count(),
        49,
        "{said:?}"
    );
}

/// Marks that must never be readable on the disk.
const MARKS: [&str; 3] = [
    "marker-in-value-48151",
    "marker-in-key-62342",
    "marker-in-log-99177",
];

#[test]
fn files_are_private_and_show_nothing() {
    if let Some(dir) = std::env::var_os(CHILD) {
        harden_process().expect("hardened");
        let vault = create(Path::new(&dir), small());
        for i in 0..80u8 {
            vault
                .transaction(|tx| {
                    tx.put(
                        NOTES,
                        format!("{}{i}", MARKS[1]).as_bytes(),
                        MARKS[0].repeat(20).as_bytes(),
                    )?;
                    tx.append(LOGS, b"x", MARKS[2].as_bytes())
                })
                .expect("committed");
        }
        vault.lock();
        let core = std::fs::read_to_string("/proc/self/limits").expect("limits");
        let line = core
            .lines()
            .find(|l| l.starts_with("Max core"))
            .expect("a limit")
            .to_owned();
        println!("{}", line.split_whitespace().collect::<Vec<_>>().join(" "));
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    let child = again("files_are_private_and_show_nothing", place.path(), "");
    let out = child.wait_with_output().expect("ended");
    assert!(out.status.success());
    assert!(String::from_utf8_lossy(&out.stdout).contains("Max core file size 0 0"));
    let found = files(place.path());
    assert!(found.len() > 8);
    for file in &found {
        let mode = std::fs::metadata(file).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file:?} {mode:o}");
        for dir in file.ancestors().take_while(|d| *d != place.path()).skip(1) {
            let mode = std::fs::metadata(dir).expect("there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{dir:?} {mode:o}");
        }
        let bytes = std::fs::read(file).expect("read");
        for mark in MARKS.iter().chain(&["correct horse", "marker"]) {
            assert!(
                !bytes.windows(mark.len()).any(|w| w == mark.as_bytes()),
                "{mark} in {file:?}"
            );
        }
    }
}

#[test]
fn nothing_secret_is_in_debug_output_or_errors() {
    let place = tempfile::tempdir().expect("a directory");
    let vault = create(place.path(), options());
    vault
        .transaction(|tx| {
            tx.put(NOTES, b"k", MARKS[0].as_bytes())?;
            assert!(!format!("{tx:?}").contains("marker"));
            Ok::<_, VaultError>(())
        })
        .expect("committed");
    let status = vault.status().expect("open");
    let text = format!(
        "{vault:?} {status:?} {:?}",
        Secret::Passphrase(passphrase())
    );
    assert!(
        !text.contains("marker") && !text.contains(passphrase().expose_secret()),
        "{text}"
    );
    vault.lock();
    let wrong = Vault::open(
        &paths(place.path()),
        &Secret::passphrase("marker-passphrase"),
        options(),
    );
    let text = format!("{wrong:?} {}", wrong.as_ref().expect_err("wrong"));
    assert!(!text.contains("marker"), "{text}");
    assert!(matches!(wrong, Err(VaultError::WrongSecret)));
    let nowhere = VaultPaths::new(place.path().join("none"), place.path().join("none-anchor"));
    assert!(matches!(
        Vault::open(&nowhere, &key_file(), options()),
        Err(VaultError::Missing(_))
    ));
}
