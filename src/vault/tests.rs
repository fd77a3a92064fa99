//! Behaviour of the vault as a whole; what needs other processes or takes long is in
//! `tests/it`.

use super::entry::pack_key;
use super::*;
use std::path::Path;

const NOTES: Tree = Tree::new(1, "notes");
const NAMES: Collection<String> = Collection::new(Tree::new(2, "names"), 1);
const PRICES: Log<u32> = Log::new(Tree::new(3, "prices"));

struct Place {
    _dir: tempfile::TempDir,
    paths: VaultPaths,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let paths = VaultPaths::new(dir.path().join("vault"), dir.path().join("state/anchor"));
        Self { _dir: dir, paths }
    }

    fn create(&self) -> Vault {
        Vault::create(&self.paths, &passphrase(), options())
            .expect("created")
            .0
    }

    fn open(&self) -> Vault {
        Vault::open(&self.paths, &secret(), options()).expect("opened")
    }
}

fn passphrase() -> SecretString {
    SecretString::from("correct horse battery".to_owned())
}

fn secret() -> Secret {
    Secret::Passphrase(passphrase())
}

fn options() -> Options {
    Options {
        kdf: KdfCost::FLOOR,
        ..Options::default()
    }
}

fn put(vault: &Vault, key: &[u8], value: &[u8]) {
    vault
        .transaction(|tx| tx.put(NOTES, key, value))
        .expect("committed");
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn what_is_written_is_there_after_reopening() {
    let place = Place::new();
    let vault = place.create();
    put(&vault, b"a", b"1");
    put(&vault, b"b", &vec![7; 100_000]);
    vault
        .transaction(|tx| {
            tx.put(NOTES, b"a", b"2")?;
            tx.delete(NOTES, b"b")?;
            assert_eq!(tx.get(NOTES, b"b")?, None);
            tx.put(NOTES, b"c", b"3")
        })
        .expect("committed");
    vault.lock();
    assert!(matches!(vault.get(NOTES, b"a"), Err(VaultError::Locked)));
    let vault = place.open();
    assert_eq!(
        vault.get(NOTES, b"a").expect("read").as_deref(),
        Some(&b"2"[..])
    );
    assert_eq!(vault.count(NOTES).expect("read"), 2);
    let keys: Vec<_> = vault
        .scan(NOTES, ..)
        .expect("read")
        .into_iter()
        .map(|(k, _)| k)
        .collect();
    assert_eq!(keys, [b"a", b"c"]);
    assert_eq!(vault.status().expect("open").notices, []);
}

#[test]
fn a_failed_transaction_changes_nothing() {
    let place = Place::new();
    let vault = place.create();
    let result: Result<()> = vault.transaction(|tx| {
        tx.put(NOTES, b"a", b"1")?;
        Err(VaultError::Locked)
    });
    assert!(result.is_err());
    assert_eq!(vault.get(NOTES, b"a").expect("read"), None);
    assert_eq!(vault.status().expect("open").seq, 0);
}

#[test]
fn the_recovery_code_and_a_key_file_open_too() {
    let place = Place::new();
    let (vault, code) = Vault::create(&place.paths, &passphrase(), options()).expect("created");
    let file = || Secret::key_file(vec![9; 32]).expect("long enough");
    vault.add_slot(&file(), "usb stick").expect("added");
    assert!(matches!(vault.remove_slot(0), Err(VaultError::LastSlot)));
    vault.lock();
    let typed =
        RecoveryCode::parse(&code.reveal().expose_secret().to_lowercase()).expect("own code");
    Vault::open(&place.paths, &Secret::Recovery(typed), options())
        .expect("opened")
        .lock();
    let vault = Vault::open(&place.paths, &file(), options()).expect("opened");
    vault.remove_slot(0).expect("two others are proven");
    vault.lock();
    let wrong = Vault::open(&place.paths, &secret(), options());
    assert!(matches!(wrong, Err(VaultError::WrongSecret)));
}

#[test]
fn the_passphrase_can_be_changed() {
    let place = Place::new();
    let vault = place.create();
    put(&vault, b"a", b"1");
    let new = SecretString::from("another long phrase".to_owned());
    assert!(matches!(
        vault.change_passphrase(&new, &new),
        Err(VaultError::WrongSecret)
    ));
    vault
        .change_passphrase(&passphrase(), &new)
        .expect("changed");
    vault.lock();
    let wrong = Vault::open(&place.paths, &secret(), options());
    assert!(matches!(wrong, Err(VaultError::WrongSecret)));
    let vault = Vault::open(&place.paths, &Secret::Passphrase(new), options()).expect("opened");
    assert_eq!(
        vault.get(NOTES, b"a").expect("read").as_deref(),
        Some(&b"1"[..])
    );
    assert_eq!(vault.status().expect("open").notices, []);
}

#[test]
fn a_second_opener_is_told() {
    let place = Place::new();
    let _vault = place.create();
    let second = Vault::open(&place.paths, &secret(), options());
    assert!(matches!(second, Err(VaultError::AlreadyOpen)));
}

#[test]
fn collections_leave_tombstones() {
    let place = Place::new();
    let vault = place.create();
    vault
        .transaction(|tx| {
            NAMES.put(tx, b"1", &"Ada".to_owned())?;
            NAMES.put(tx, b"2", &"Bob".to_owned())
        })
        .expect("committed");
    assert!(
        vault
            .transaction(|tx| NAMES.remove(tx, b"1"))
            .expect("committed")
    );
    assert_eq!(NAMES.get(&vault, b"1").expect("read"), None);
    assert_eq!(
        NAMES.all(&vault).expect("read"),
        [(b"2".to_vec(), "Bob".to_owned())]
    );
    assert_eq!(vault.count(NAMES.tree()).expect("read"), 2);
    let tombstone = vault.get(NAMES.tree(), b"1").expect("read").expect("stays");
    let text = String::from_utf8(tombstone).expect("JSON");
    assert!(
        text.contains("\"deleted\":true") && !text.contains("Ada"),
        "{text}"
    );
}

#[test]
fn logs_keep_order_over_packs_and_reopening() {
    let place = Place::new();
    let vault = place.create();
    for round in 0..10u32 {
        vault
            .transaction(|tx| {
                for i in 0..300 {
                    PRICES.append(tx, b"tea", &(round * 300 + i))?;
                    PRICES.append(tx, b"t", &i)?;
                }
                assert_eq!(PRICES.last(tx, b"tea")?, Some(round * 300 + 299));
                Ok::<_, VaultError>(())
            })
            .expect("committed");
    }
    let check = |vault: &Vault| {
        let all = PRICES.read(vault, b"tea").expect("read");
        assert_eq!(all, (0..3000).collect::<Vec<_>>());
        assert_eq!(PRICES.read(vault, b"t").expect("read").len(), 3000);
        assert_eq!(
            PRICES.streams(vault).expect("read"),
            [b"t".to_vec(), b"tea".to_vec()]
        );
    };
    check(&vault);
    vault.lock();
    let vault = place.open();
    check(&vault);
    // The same again without the store: everything from the journal.
    vault.lock();
    std::fs::remove_dir_all(place.paths.dir.join("store.1")).expect("removed");
    let vault = place.open();
    check(&vault);
    assert_eq!(
        vault.status().expect("open").notices,
        [Notice::StoreRebuilt]
    );
    vault
        .transaction(|tx| PRICES.clear(tx, b"tea"))
        .expect("committed");
    assert!(PRICES.read(&vault, b"tea").expect("read").is_empty());
    assert_eq!(PRICES.read(&vault, b"t").expect("read").len(), 3000);
}

#[test]
fn checkpoints_replace_journals() {
    let place = Place::new();
    let small = || Options {
        checkpoint_after: 20_000,
        ..options()
    };
    let (vault, _) = Vault::create(&place.paths, &passphrase(), small()).expect("created");
    for i in 0..200u32 {
        put(&vault, &(i % 50).to_be_bytes(), &vec![i as u8; 700]);
    }
    let before = vault.scan(NOTES, ..).expect("read");
    vault.lock();
    let names: Vec<_> = files(&place.paths.dir);
    let count = |ext| {
        names
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == ext))
            .count()
    };
    assert_eq!(count("vrc"), 2, "{names:?}");
    assert!(count("vrj") <= 3, "{names:?}");
    let vault = place.open();
    assert_eq!(vault.scan(NOTES, ..).expect("read"), before);
    assert_eq!(vault.status().expect("open").notices, []);
}

fn disclosure(n: u32) -> Disclosure {
    Disclosure {
        time: Timestamp::from_second(1_700_000_000 + i64::from(n)).expect("in range"),
        actor: "tender".into(),
        recipient: format!("shop-{n}@example.org"),
        subject: "t-1".into(),
        fields: vec!["postcode".into()],
        sha256: hex(&crypto::sha256(&[&n.to_be_bytes()])),
        purpose: "a quote\nfor tea".into(),
    }
}

#[test]
fn the_ledger_can_be_checked_with_sha256_alone() {
    let place = Place::new();
    let vault = place.create();
    vault
        .transaction(|tx| tx.disclose(&disclosure(0)))
        .expect("committed");
    let head = vault
        .transaction(|tx| {
            tx.disclose(&disclosure(1))?;
            tx.disclose(&disclosure(2))
        })
        .expect("committed");
    assert_eq!(vault.verify_ledger().expect("whole"), head);
    assert_eq!(vault.ledger().expect("whole")[1].disclosure, disclosure(1));
    let mut file = Vec::new();
    assert_eq!(vault.export_ledger(&mut file).expect("written"), head);
    let text = String::from_utf8(file).expect("JSON");
    let mut prev = "0".repeat(64);
    for line in text.lines() {
        assert!(line.contains(&format!("\"prev\":\"{prev}\"")), "{line}");
        prev = hex(&crypto::sha256(&[line.as_bytes()]));
    }
    assert_eq!((prev, text.lines().count()), (head.hash, 3));
}

#[test]
fn a_changed_ledger_entry_is_found() {
    let place = Place::new();
    let vault = place.create();
    for n in 0..3 {
        vault
            .transaction(|tx| tx.disclose(&disclosure(n)))
            .expect("committed");
    }
    let ledger = ledger::LEDGER;
    let stored = vault
        .get(ledger, &1u64.to_be_bytes())
        .expect("read")
        .expect("there");
    let text = String::from_utf8_lossy(&stored).into_owned();
    let at = text.find("shop-1").expect("recipient");
    let mut forged = stored;
    forged[at + 5] = b'9';
    vault
        .transaction(|tx| tx.put(ledger, &1u64.to_be_bytes(), &forged))
        .expect("committed");
    assert!(matches!(
        vault.verify_ledger(),
        Err(VaultError::LedgerBroken(1))
    ));
}

fn filled(place: &Place) -> Vault {
    let vault = place.create();
    vault
        .transaction(|tx| {
            tx.put(NOTES, b"binary\x00key", &[0, 255, 10])?;
            tx.put(NOTES, b"null", b"null")?;
            tx.put(NOTES, b"spaced", b" {\"a\": 1}\n")?;
            tx.put(NOTES, b"long", &vec![b'x'; 300_000])?;
            NAMES.put(tx, b"1", &"\u{1b}Ada".to_owned())?;
            for i in 0..2000 {
                PRICES.append(tx, b"tea", &i)?;
            }
            tx.disclose(&disclosure(1))?;
            Ok::<_, VaultError>(())
        })
        .expect("committed");
    vault
}

#[test]
fn a_backup_comes_back_whole() {
    let place = Place::new();
    let vault = filled(&place);
    let identity = age::x25519::Identity::generate();
    let to = BackupTo::Recipients(vec![identity.to_public().to_string()]);
    let mut backup = Vec::new();
    vault.backup(&mut backup, &to, &[NOTES]).expect("written");
    assert!(backup.starts_with(b"age-encryption.org/v1\n"));

    let other = Place::new();
    let key = BackupKey::Identity(identity.to_string());
    let restored = Vault::restore(&backup[..], &key, &other.paths, &passphrase(), options());
    let (restored, code) = restored.expect("restored");
    for tree in [NOTES, NAMES.tree(), PRICES.tree()] {
        assert_eq!(
            restored.scan(tree, ..).expect("read"),
            vault.scan(tree, ..).expect("read")
        );
    }
    assert_eq!(
        restored.verify_ledger().expect("whole"),
        vault.verify_ledger().expect("whole")
    );
    restored
        .transaction(|tx| PRICES.append(tx, b"tea", &2000))
        .expect("committed");
    assert_eq!(
        PRICES.read(&restored, b"tea").expect("read"),
        (0..=2000).collect::<Vec<_>>()
    );
    restored.lock();
    Vault::open(&other.paths, &Secret::Recovery(code), options()).expect("the new code opens");

    let wrong = BackupKey::Identity(age::x25519::Identity::generate().to_string());
    let refused = Vault::restore(
        &backup[..],
        &wrong,
        &Place::new().paths,
        &passphrase(),
        options(),
    );
    assert!(matches!(refused, Err(VaultError::Archive(_))));
}

#[test]
fn a_hostile_archive_leaves_nothing_behind() {
    let place = Place::new();
    let vault = filled(&place);
    let mut good = Vec::new();
    vault.export(&mut good, &[NOTES]).expect("written");
    let archive = |files: &[(&str, &[u8])]| {
        let mut out = Vec::new();
        for (name, content) in files {
            tar::write_file(&mut out, name, content).expect("written");
        }
        tar::write_end(&mut out).expect("written");
        out
    };
    let mut link = archive(&[("0001-notes/000000.ndjson", b"")]);
    link[156] = b'2';
    let line: &[u8] = b"{\"key\":\"a\",\"value\":1}\n";
    let deep = [b"{\"key\":\"a\",\"value\":".to_vec(), vec![b'['; 100_000]].concat();
    let mut cases = vec![
        ("empty", Vec::new()),
        ("a link", link),
        ("escape", archive(&[("../etc/passwd", line)])),
        ("absolute", archive(&[("/0001-notes/000000.ndjson", line)])),
        ("reserved tree", archive(&[("ffff-x/000000.ndjson", line)])),
        (
            "no manifest",
            archive(&[("0001-notes/000000.ndjson", line)]),
        ),
        ("deep", archive(&[("0001-notes/000000.ndjson", &deep)])),
        (
            "bad line",
            archive(&[("0001-notes/000000.ndjson", b"{\"key\":\"a\"}\n")]),
        ),
        (
            "forged ledger",
            archive(&[("ff00-ledger/000000.ndjson", line)]),
        ),
    ];
    for cut in [1, 511, 512, 1000, good.len() / 2, good.len() - 1025] {
        cases.push(("cut", good[..cut].to_vec()));
    }
    for at in (0..good.len() - 1024).step_by(good.len() / 23) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        cases.push(("flipped", bad));
    }
    let target = Place::new();
    for (what, bytes) in cases {
        // A flip in the padding between files changes nothing.
        if let Ok((vault, _)) = Vault::import(&bytes[..], &target.paths, &passphrase(), options()) {
            assert_eq!(what, "flipped");
            drop(vault);
            std::fs::remove_dir_all(&target.paths.dir).expect("removed");
            std::fs::remove_file(&target.paths.anchor).expect("removed");
        }
        assert!(!target.paths.dir.exists(), "{what}");
        assert_eq!(files(target._dir.path()), Vec::<PathBuf>::new(), "{what}");
    }
}

#[test]
fn a_restored_log_has_no_gap_and_fits() {
    let vault = Place::new().create();
    let put = |stream: &[u8], number| {
        let key = pack_key(stream, number);
        vault.transaction(|tx| tx.put_pack(PRICES.tree(), &key, &[0, 0, 0, 1, b'1']))
    };
    assert!(matches!(put(b"tea", u32::MAX), Err(VaultError::Archive(_))));
    assert!(matches!(put(b"tea", 1), Err(VaultError::Archive(_))));
    let long = vec![b's'; 70_000];
    assert!(matches!(put(&long, 0), Err(VaultError::TooLarge { .. })));
    put(b"tea", 0).expect("committed");
    put(b"tea", 1).expect("committed");
    assert!(matches!(put(b"tea", 1), Err(VaultError::Archive(_))));
    vault
        .transaction(|tx| PRICES.append(tx, b"tea", &7))
        .expect("committed");
    assert_eq!(PRICES.read(&vault, b"tea").expect("read"), [1, 1, 7]);
}

#[test]
fn verify_reads_everything() {
    let place = Place::new();
    let vault = filled(&place);
    let report = vault.verify(&place.paths.anchor).expect("read");
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!((report.transactions, report.ledger_entries), (1, 1));
    assert_eq!(report.records, vault.status().expect("open").records);
    let journal = files(&place.paths.dir.join("journal")).remove(0);
    let mut bytes = std::fs::read(&journal).expect("read");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&journal, bytes).expect("written");
    let report = vault.verify(&place.paths.anchor).expect("read");
    assert_eq!(report.problems.len(), 2, "{:?}", report.problems);
}

#[test]
fn a_put_back_copy_of_the_vault_is_noticed() {
    let place = Place::new();
    let vault = place.create();
    put(&vault, b"a", b"1");
    vault.lock();
    let copy = place.paths.dir.with_extension("copy");
    let status = std::process::Command::new("cp")
        .arg("-a")
        .arg(&place.paths.dir)
        .arg(&copy)
        .status();
    assert!(status.expect("cp").success());
    let vault = place.open();
    put(&vault, b"a", b"2");
    put(&vault, b"b", b"2");
    vault.lock();
    std::fs::remove_dir_all(&place.paths.dir).expect("removed");
    std::fs::rename(&copy, &place.paths.dir).expect("renamed");
    match Vault::open(&place.paths, &secret(), options()) {
        Err(VaultError::Damaged(damage)) => {
            assert_eq!((damage.intact, damage.expected), (1, Some(3)))
        }
        other => panic!("{other:?}"),
    }
    let read_only = Options {
        on_damage: OnDamage::ReadOnly,
        ..options()
    };
    let vault = Vault::open(&place.paths, &secret(), read_only).expect("opened");
    assert_eq!(
        vault.get(NOTES, b"a").expect("read").as_deref(),
        Some(&b"1"[..])
    );
    let refused = vault.transaction(|tx| tx.put(NOTES, b"a", b"3"));
    assert!(matches!(refused, Err(VaultError::ReadOnly(_))));
    vault.lock();
    let accept = Options {
        on_damage: OnDamage::AcceptLoss,
        ..options()
    };
    let vault = Vault::open(&place.paths, &secret(), accept).expect("opened");
    assert_eq!(
        vault.status().expect("open").notices,
        [Notice::LossAccepted(1, 3)]
    );
    put(&vault, b"a", b"4");
    vault.lock();
    let vault = place.open();
    assert_eq!(
        vault.get(NOTES, b"a").expect("read").as_deref(),
        Some(&b"4"[..])
    );
    assert_eq!(vault.status().expect("open").notices, []);
}
