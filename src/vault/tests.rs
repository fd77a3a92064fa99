//! Behaviour of the vault as a whole; what needs other processes or takes long is in
//! `tests/it`.

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
