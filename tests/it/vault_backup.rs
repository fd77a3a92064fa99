//! Backups open without this program, and restoring one twice repeats no nonce.

use crate::vault_support::{LOGS, NOTES, create, files, options, passphrase, paths};
use emptor::vault::{BackupKey, BackupTo, SecretString, Vault, VaultError};
use std::collections::HashSet;
use std::process::Command;

/// Runs a program; `None` if it is not installed.
fn run(command: &mut Command) -> Option<std::process::Output> {
    match command.output() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        other => Some(other.expect("started")),
    }
}

#[test]
fn the_age_program_opens_a_backup() {
    let place = tempfile::tempdir().expect("a directory");
    let dir = place.path();
    let Some(keygen) = run(Command::new("age-keygen")
        .arg("-o")
        .arg(dir.join("key.txt")))
    else {
        assert!(
            std::env::var_os("EMPTOR_REQUIRE_ALL").is_none(),
            "needs age"
        );
        println!("skipped: needs age");
        return;
    };
    assert!(keygen.status.success());
    let identity = std::fs::read_to_string(dir.join("key.txt")).expect("read");
    let recipient = identity
        .lines()
        .find_map(|l| l.strip_prefix("# public key: "))
        .expect("a key");
    let vault = create(dir, options());
    vault
        .transaction(|tx| {
            tx.put(NOTES, b"tea", br#"{"price":"2.49"}"#)?;
            tx.append(LOGS, b"tea", br#"{"seen":1}"#)
        })
        .expect("committed");
    let out = std::fs::File::create(dir.join("backup.age")).expect("created");
    let to = BackupTo::Recipients(vec![recipient.to_owned()]);
    vault.backup(out, &to, &[NOTES, LOGS]).expect("written");
    let script = "age -d -i key.txt backup.age | tar x && cat 0001-notes/000000.ndjson 0002-logs/000000.ndjson";
    let opened = run(Command::new("sh").arg("-c").arg(script).current_dir(dir)).expect("a shell");
    assert!(
        opened.status.success(),
        "{}",
        String::from_utf8_lossy(&opened.stderr)
    );
    assert_eq!(
        String::from_utf8_lossy(&opened.stdout),
        "{\"key\":\"tea\",\"value\":{\"price\":\"2.49\"}}\n{\"key\":\"tea\",\"pack\":0,\"entries\":[{\"seen\":1}]}\n"
    );
    assert!(dir.join("MANIFEST.json").exists());
}

#[test]
fn restoring_twice_repeats_no_nonce() {
    let place = tempfile::tempdir().expect("a directory");
    let vault = create(&place.path().join("first"), options());
    vault
        .transaction(|tx| tx.put(NOTES, b"a", b"1"))
        .expect("committed");
    let phrase = SecretString::from("only for this backup".to_owned());
    let mut backup = Vec::new();
    let to = BackupTo::Passphrase(phrase.clone());
    vault.backup(&mut backup, &to, &[NOTES]).expect("written");
    let mut nonces = HashSet::new();
    let mut frames = 0;
    for n in 0..2 {
        let dir = place.path().join(format!("restored-{n}"));
        std::fs::create_dir(&dir).expect("made");
        let key = BackupKey::Passphrase(phrase.clone());
        let restored = Vault::restore(&backup[..], &key, &paths(&dir), &passphrase(), options());
        let (vault, _) = restored.expect("restored");
        for i in 0..300u32 {
            vault
                .transaction(|tx| tx.put(NOTES, b"same", &(i % 2).to_be_bytes()))
                .expect("committed");
        }
        vault.lock();
        for file in files(&dir.join("vault/journal")) {
            let bytes = std::fs::read(file).expect("read");
            let mut at = 128;
            while at < bytes.len() {
                let len = u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
                nonces.insert(bytes[at + 12..at + 36].to_vec());
                frames += 1;
                at += 36 + len as usize;
            }
        }
    }
    assert_eq!(frames, 602);
    assert_eq!(nonces.len(), frames);
    let wrong = BackupKey::Passphrase(passphrase());
    let refused = Vault::restore(
        &backup[..],
        &wrong,
        &paths(&place.path().join("x")),
        &passphrase(),
        options(),
    );
    assert!(matches!(refused, Err(VaultError::Archive(_))));
}
