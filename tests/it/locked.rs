//! The vault as its owner handles it: made once, closed, opened in three ways, saved and
//! brought back, and honest when it is damaged.

use crate::support::{Home, PASSPHRASE, Run, Shops, finish, product, redacted, require, wait};
use emptor::agent::api::types::{Done, Unlock};
use emptor::cli::client::{Client, ClientError};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

fn modes(home: &Home, dir: &str) {
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.path(dir)), 0o700, "{dir}");
    for file in home
        .files()
        .iter()
        .filter(|f| f.starts_with(home.path(dir)))
    {
        assert_eq!(mode(file), 0o600, "{}", file.display());
        assert_eq!(mode(file.parent().unwrap()), 0o700, "{}", file.display());
    }
}

/// The recovery code among the lines of an output.
fn code_in(text: &str) -> String {
    let mut lines = text.lines().map(str::trim);
    let code = lines.find(|l| emptor::vault::RecoveryCode::parse(l).is_ok());
    code.expect("a recovery code").to_owned()
}

#[test]
fn a_vault_is_made_once_and_is_private() {
    let home = Home::bare();
    std::fs::write(home.path("weak"), "1234567\n").unwrap();
    let weak = home
        .run(&["init", "--yes", "--passphrase-file", &home.arg("weak")])
        .exits(1);
    assert!(
        weak.err.contains("passphrase refused") && weak.err.contains("hint: "),
        "{}",
        weak.err
    );
    assert!(!home.path("vault").exists(), "nothing was made");
    let made = home
        .run(&[
            "init",
            "--yes",
            "--json",
            "--passphrase-file",
            &home.arg("passphrase"),
        ])
        .ok();
    assert_eq!(
        made.json()["vault"],
        home.arg("vault"),
        "one JSON document on standard output"
    );
    code_in(&made.err);
    modes(&home, "vault");
    modes(&home, "state");
    let again = home
        .run(&[
            "init",
            "--yes",
            "--passphrase-file",
            &home.arg("passphrase"),
        ])
        .refused(1);
    assert!(again.err.contains("already a vault"), "{}", again.err);
    home.unlock();
    modes(&home, "vault");
    modes(&home, "state");
    assert!(!home.log().contains(PASSPHRASE));
}

fn wrong(run: Run) -> String {
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(run.out, "");
    run.err
}

#[test]
fn wrong_secrets_are_refused_alike() {
    let home = Home::locked("");
    std::fs::write(home.path("other"), format!("{PASSPHRASE}!")).unwrap();
    std::fs::write(home.path("key"), [7; 32]).unwrap();
    let passphrase = wrong(home.run(&["unlock", "--passphrase-file", &home.arg("other")]));
    let key = wrong(home.run(&["unlock", "--key-file", &home.arg("key")]));
    assert_eq!(passphrase, key, "no hint which part was wrong");
    assert_eq!(
        passphrase,
        "error: wrong passphrase, recovery code or key\n"
    );
    // The right one still opens it.
    home.unlock();
    assert_eq!(home.json(&["daemon", "status"])["vault"], "open");
}

fn unlock_with_code(home: &Home, code: &str) -> Result<Done, ClientError> {
    let unlock = Unlock {
        passphrase: None,
        recovery_code: Some(code.into()),
        key_file: None,
    };
    crate::support::runtime().block_on(async {
        let mut client = Client::connect(&home.paths(), false).await?;
        client.post("/v1/unlock", &unlock).await
    })
}

#[test]
fn the_recovery_code_opens_it() {
    let home = Home::bare();
    let code = home.make_vault();
    home.run(&["daemon", "start"]).ok();
    assert!(unlock_with_code(&home, "nonsense").is_err());
    unlock_with_code(&home, &code).expect("opened");
    home.run(&["add", "a lamp"]).ok();
    home.run(&["lock"]).ok();
    home.run(&["wish", "list"]).refused(3);
    // A second code is another way in, and removing it closes that way.
    home.unlock();
    let second = home.json(&["vault", "slot", "add", "recovery-code"]);
    let second = second["recovery_code"]
        .as_str()
        .expect("shown once")
        .to_owned();
    assert_ne!(second, code);
    let slots = home.json(&["vault", "slot", "list"]);
    let slots = slots.as_array().unwrap();
    assert_eq!(slots.len(), 3);
    let newest = slots
        .iter()
        .map(|s| s["slot"].as_u64().unwrap())
        .max()
        .unwrap();
    home.run(&["vault", "slot", "rm", &newest.to_string()]).ok();
    home.run(&["lock"]).ok();
    assert!(unlock_with_code(&home, &second).is_err(), "removed");
    unlock_with_code(&home, &code).expect("the first one still opens it");
}

#[test]
fn the_recovery_code_is_typed_on_a_terminal() {
    if !require("script") {
        return;
    }
    let home = Home::bare();
    let code = home.make_vault();
    let program = env!("CARGO_BIN_EXE_emptor");
    let name = home.arg("terminal");
    let line = format!("tty > {name}; exec {program} unlock --recovery");
    let mut command = std::process::Command::new("script");
    command.args(["-qec", &line, "/dev/null"]);
    command
        .env("EMPTOR_HOME", home.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    wait("the question", || {
        let terminal = std::fs::read_to_string(&name).unwrap_or_default();
        let settings = std::process::Command::new("stty")
            .args(["-a", "-F", terminal.trim()])
            .output();
        settings.is_ok_and(|s| String::from_utf8_lossy(&s.stdout).contains(" -echo "))
    });
    let mut terminal = child.stdin.take().unwrap();
    writeln!(terminal, "{code}").unwrap();
    terminal.flush().unwrap();
    wait("the answer", || child.try_wait().unwrap().is_some());
    drop(terminal);
    let out = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success() && text.contains("The vault is open."),
        "{text}"
    );
    assert!(!text.contains(&code), "what is typed is not shown");
}

#[test]
fn a_key_file_opens_it() {
    let home = Home::locked("");
    home.unlock();
    std::fs::write(home.path("key"), (0..32).collect::<Vec<u8>>()).unwrap();
    std::fs::write(home.path("short"), "abc").unwrap();
    home.run(&[
        "vault",
        "slot",
        "add",
        "key-file",
        "--file",
        &home.arg("short"),
    ])
    .exits(2);
    home.run(&["vault", "slot", "add", "key-file"]).refused(2);
    home.run(&[
        "vault",
        "slot",
        "add",
        "key-file",
        "--file",
        &home.arg("key"),
        "--label",
        "stick",
    ])
    .ok();
    home.stop();
    home.run(&["unlock", "--key-file", &home.arg("key")]).ok();
    let slots = home.run(&["vault", "slot", "list"]).ok().out;
    assert!(slots.contains("stick"), "{slots}");
    home.run(&["unlock", "--key-file", &home.arg("nowhere")])
        .exits(1);
}

#[test]
fn a_new_passphrase_replaces_the_old_one() {
    let home = Home::locked("");
    home.unlock();
    std::fs::write(home.path("new"), "seven grey geese at dawn\n").unwrap();
    let old = ["--passphrase-file", &home.arg("passphrase")];
    let passwd = [
        "vault",
        "passwd",
        "--new-passphrase-file",
        &home.arg("new"),
        old[0],
        old[1],
    ];
    home.run(&passwd).ok();
    home.run(&["lock"]).ok();
    home.run(&["unlock", old[0], old[1]]).exits(1);
    home.run(&["unlock", "--passphrase-file", &home.arg("new")])
        .ok();
}

#[test]
fn a_closed_vault_says_so_and_opens_for_one_command() {
    let home = Home::bare();
    let none = home.run(&["wish", "list"]).refused(3);
    assert!(none.err.contains("emptor init"), "{}", none.err);
    home.run(&["unlock"]).refused(3);
    home.make_vault();
    let closed = home.run(&["wish", "list"]).refused(3);
    assert!(closed.err.contains("emptor unlock"), "{}", closed.err);
    // With the passphrase at hand the command opens it by itself.
    home.run(&["wish", "list", "--passphrase-file", &home.arg("passphrase")])
        .ok();
    let said = home.run(&["lock"]).ok();
    assert_eq!(said.out, "The vault is locked.\n");
    home.run(&["offers"]).refused(3);
    let mut by_variable = home.command(&["wish", "list"]);
    by_variable.env("EMPTOR_PASSPHRASE_FILE", home.path("passphrase"));
    finish(by_variable).ok();
}

#[test]
fn nothing_is_on_disk_in_the_clear() {
    let shops = Shops::open(&["alpha"]);
    shops.put(
        "alpha",
        "/p/1",
        product("Quixotic teapot", "39.00", "EUR", "InStock"),
    );
    let home = Home::new(&shops);
    home.run(&[
        "add",
        &shops.url("alpha", "/p/1"),
        "--note",
        "for the zeppelin",
        "--max",
        "17.31 EUR",
    ])
    .ok();
    home.run(&["lock"]).ok();
    for file in home.files() {
        let Ok(bytes) = std::fs::read(&file) else {
            continue;
        };
        for word in ["Quixotic", "zeppelin", "17.31", PASSPHRASE] {
            let ours = file.ends_with("passphrase");
            let found = bytes.windows(word.len()).any(|w| w == word.as_bytes());
            assert!(!found || ours, "{word} in {}", file.display());
        }
    }
}

/// A vault with a want that has a price, an alert and a shop.
fn filled(shops: &Shops) -> Home {
    shops.put(
        "alpha",
        "/p/1",
        product("Kettle 1.7 l", "39.00", "EUR", "InStock"),
    );
    let home = Home::new(shops);
    home.run(&["add", &shops.url("alpha", "/p/1"), "--max", "45 EUR"])
        .ok();
    home.run(&["add", "green chair", "--note", "for the balcony"])
        .ok();
    home
}

#[test]
fn a_backup_brings_everything_back() {
    let shops = Shops::open(&["alpha"]);
    let home = filled(&shops);
    let queries: [&[&str]; 5] = [
        &["wish", "list"],
        &["offers"],
        &["history", "kettle"],
        &["alerts"],
        &["shop", "list"],
    ];
    let before = queries.map(|q| redacted(&home.json(q)));
    let key = ["--passphrase-file", &home.arg("passphrase")];
    home.run(&["vault", "backup", &home.arg("saved.age"), key[0], key[1]])
        .ok();
    let saved = std::fs::read(home.path("saved.age")).unwrap();
    assert!(
        saved.starts_with(b"age-encryption.org/v1\n"),
        "a standard age file"
    );
    let again = home
        .run(&["vault", "backup", &home.arg("saved.age"), key[0], key[1]])
        .exits(1);
    assert!(
        again.err.contains("cannot write"),
        "never over a file: {}",
        again.err
    );

    let other = Home::bare();
    other.settings(&shops.settings());
    std::fs::write(other.path("wrong"), "another passphrase").unwrap();
    let restore = [
        "vault",
        "restore",
        &home.arg("saved.age"),
        "--yes",
        "--passphrase-file",
    ];
    other
        .run(&[&restore[..], &[&other.arg("wrong")]].concat())
        .exits(1);
    assert!(!other.path("vault").exists(), "nothing half made");
    let done = other
        .run(&[&restore[..], &[&other.arg("passphrase")]].concat())
        .ok();
    code_in(&done.err);
    modes(&other, "vault");
    other.unlock();
    assert_eq!(queries.map(|q| redacted(&other.json(q))), before);
    other
        .run(&[&restore[..], &[&other.arg("passphrase")]].concat())
        .refused(1);
}

#[test]
fn an_export_can_be_read_without_emptor() {
    let shops = Shops::open(&["alpha"]);
    let home = filled(&shops);
    home.run(&["vault", "export", &home.arg("all.tar")]).ok();
    let mode = std::fs::metadata(home.path("all.tar"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    if !require("tar") {
        return;
    }
    std::fs::create_dir(home.path("out")).unwrap();
    let mut tar = std::process::Command::new("tar");
    tar.args(["-xf", &home.arg("all.tar"), "-C", &home.arg("out")]);
    finish(tar).ok();
    let mut text = String::new();
    for file in crate::vault_support::files(&home.path("out")) {
        let lines = std::fs::read_to_string(&file).expect("text");
        if file.extension().is_some_and(|e| e == "jsonl") {
            for line in lines.lines() {
                serde_json::from_str::<serde_json::Value>(line).expect("a JSON line");
            }
        }
        text += &lines;
    }
    for word in [
        "green chair",
        "for the balcony",
        "Kettle 1.7 l",
        "39.00",
        "alpha.localhost",
    ] {
        assert!(text.contains(word), "{word}");
    }
}

/// Turns over a byte in the middle of the largest journal file.
fn damage(home: &Home, place: impl Fn(usize) -> usize) {
    let journals: Vec<_> = home
        .files()
        .into_iter()
        .filter(|f| f.to_string_lossy().contains("journal"))
        .collect();
    let largest = journals
        .iter()
        .max_by_key(|f| f.metadata().unwrap().len())
        .expect("a journal");
    let mut bytes = std::fs::read(largest).unwrap();
    let at = place(bytes.len());
    bytes[at] ^= 0x40;
    std::fs::write(largest, bytes).unwrap();
}

#[test]
fn damage_is_said_or_mended_but_never_hidden() {
    let shops = Shops::open(&["alpha"]);
    for share in [3, 5, 8] {
        let home = filled(&shops);
        assert_eq!(home.json(&["vault", "verify"])["details"]["whole"], true);
        let wants = redacted(&home.json(&["wish", "list"]));
        home.stop();
        damage(&home, |len| len * share / 10);
        let opened = home.run(&["unlock", "--passphrase-file", &home.arg("passphrase")]);
        if opened.code != 0 {
            assert!(
                opened.err.contains("error: ") && opened.err.contains("hint: "),
                "{}",
                opened.err
            );
            continue;
        }
        let verify = home.run(&["vault", "verify", "--json"]).json();
        let status = home.json(&["daemon", "status"]);
        let notices = status["warnings"].as_array().unwrap();
        let whole = verify["details"]["whole"] == true;
        assert!(!whole || !notices.is_empty(), "silent: {verify} {status}");
        if notices.is_empty() {
            assert_eq!(redacted(&home.json(&["wish", "list"])), wants);
        }
    }
}

#[test]
fn verify_finds_damage_under_an_open_vault() {
    let shops = Shops::open(&["alpha"]);
    let home = filled(&shops);
    damage(&home, |len| len / 2);
    let verify = home.run(&["vault", "verify", "--json"]).exits(1).json();
    assert_eq!(verify["details"]["whole"], false, "{verify}");
    assert!(!verify["details"]["problems"].as_array().unwrap().is_empty());
}
