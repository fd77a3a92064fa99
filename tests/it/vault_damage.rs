//! Every kind of damage to the files of a closed vault is found, and single faults are
//! repaired. `EMPTOR_TORTURE=full` flips every byte instead of a sample.

use crate::vault_support::{
    LOGS, NOTES, contents, copy_dir, create, files, key_file, options, paths, torture,
};
use emptor::vault::{Options, Vault, VaultError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

type Contents = Vec<(Vec<u8>, Vec<u8>)>;

/// A closed vault with two checkpoints and three journals.
fn sample(dir: &Path) -> Contents {
    let small = Options {
        checkpoint_after: 1_800,
        ..options()
    };
    let vault = create(dir, small);
    for i in 0..9u8 {
        vault
            .transaction(|tx| {
                tx.put(NOTES, &[i % 6], &vec![i; 50 + 90 * usize::from(i)])?;
                if i == 7 {
                    tx.delete(NOTES, &[0])?;
                }
                tx.append(LOGS, b"tea", &[i; 30])
            })
            .expect("committed");
    }
    let all = contents(&vault).expect("read");
    vault.lock();
    let names: Vec<_> = files(dir)
        .iter()
        .filter_map(|p| p.extension()?.to_str().map(str::to_owned))
        .collect();
    assert_eq!(names.iter().filter(|n| *n == "vrc").count(), 2);
    assert!(names.iter().filter(|n| *n == "vrj").count() >= 2);
    all
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Opened, said so, and every record is there.
    Repaired,
    /// Opened as if nothing had happened, every record is there, and `verify` tells.
    FoundByVerify,
    /// Every record is there and nothing tells: a byte that means nothing.
    Harmless,
    /// Refused to open.
    Refused,
    /// The worst: opened with a record missing or wrong.
    Silent,
}

fn outcome(dir: &Path, expected: &Contents) -> Outcome {
    let paths = paths(dir);
    let vault = match Vault::open(&paths, &key_file(), options()) {
        Ok(vault) => vault,
        Err(
            VaultError::Damaged(_) | VaultError::WrongSecret | VaultError::UnsupportedFormat(_),
        ) => {
            return Outcome::Refused;
        }
        Err(other) => panic!("{other}"),
    };
    let noticed = !vault.status().expect("open").notices.is_empty();
    let verified = vault
        .verify(&paths.anchor)
        .expect("read")
        .problems
        .is_empty();
    match contents(&vault) {
        Ok(all) if all != *expected => Outcome::Silent,
        Err(_) => Outcome::Refused,
        Ok(_) if noticed => Outcome::Repaired,
        Ok(_) if !verified => Outcome::FoundByVerify,
        Ok(_) => Outcome::Harmless,
    }
}

/// Runs the cases on two threads, each on its own copy of the vault.
fn run<C: Sync>(
    original: &Path,
    expected: &Contents,
    cases: &[C],
    damage: impl Fn(&Path, &C) + Sync,
) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![Outcome::Silent; cases.len()]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let place = tempfile::tempdir_in(original.parent().expect("a parent"))
                    .expect("a directory");
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(i) else { return };
                    let dir = place.path().join("copy");
                    copy_dir(original, &dir);
                    damage(&dir, case);
                    let found = outcome(&dir, expected);
                    outcomes.lock().expect("no panic")[i] = found;
                    std::fs::remove_dir_all(&dir).expect("removed");
                }
            });
        }
    });
    outcomes.into_inner().expect("no panic")
}

/// What part of the vault a file belongs to.
fn part(path: &Path) -> &'static str {
    let text = path.to_string_lossy();
    ["anchor", "vault.hdr", "ckpt", "journal", "store"]
        .into_iter()
        .find(|part| text.contains(part))
        .unwrap_or("other")
}

fn targets(original: &Path) -> Vec<PathBuf> {
    files(original)
        .iter()
        .map(|p| p.strip_prefix(original).expect("inside").to_owned())
        .filter(|p| !matches!(p.to_str(), Some("vault/ballast" | "vault/LOCK")))
        .collect()
}

#[test]
fn a_flipped_byte_is_repaired_or_found() {
    let place = tempfile::tempdir().expect("a directory");
    let original = place.path().join("original");
    let expected = sample(&original);
    let mut cases = Vec::new();
    for file in targets(&original) {
        let bytes = std::fs::read(original.join(&file)).expect("read");
        let store = part(&file) == "store";
        let step = match (torture(), store) {
            (true, _) => 1,
            (false, false) => 97,
            (false, true) => 997,
        };
        for at in (0..bytes.len()).step_by(step) {
            // Most of sled's file is unused space; a sample of that is enough.
            if store && bytes[at] == 0 && at % 4099 != 0 {
                continue;
            }
            cases.push((
                file.clone(),
                at,
                if at % 2 == 0 { 0xFF } else { 1 << (at % 8) },
            ));
        }
    }
    let outcomes = run(&original, &expected, &cases, |dir, (file, at, mask)| {
        let path = dir.join(file);
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[*at] ^= mask;
        std::fs::write(path, bytes).expect("written");
    });
    let mut table = BTreeMap::new();
    for ((file, at, mask), outcome) in cases.iter().zip(&outcomes) {
        *table.entry((part(file), *outcome)).or_insert(0) += 1;
        assert_ne!(*outcome, Outcome::Silent, "{file:?} at {at} xor {mask:#x}");
        assert_ne!(*outcome, Outcome::Refused, "{file:?} at {at} xor {mask:#x}");
        if part(file) != "store" {
            assert_ne!(
                *outcome,
                Outcome::Harmless,
                "{file:?} at {at} xor {mask:#x}"
            );
        }
    }
    println!("{} flips: {table:?}", cases.len());
}

#[derive(Clone, Copy, Debug)]
enum Harm {
    Remove,
    Empty,
    Halve,
    CutOne,
    Extend,
    ExtendZeros,
    Zero,
    ZeroTail,
    Double,
}

#[test]
fn damaged_files_are_repaired_or_found() {
    use Harm::{CutOne, Double, Empty, Extend, ExtendZeros, Halve, Remove, Zero, ZeroTail};
    let place = tempfile::tempdir().expect("a directory");
    let original = place.path().join("original");
    let expected = sample(&original);
    let harms = [
        Remove,
        Empty,
        Halve,
        CutOne,
        Extend,
        ExtendZeros,
        Zero,
        ZeroTail,
        Double,
    ];
    let cases: Vec<_> = targets(&original)
        .into_iter()
        .flat_map(|file| harms.map(|harm| (file.clone(), harm)))
        .filter(|(file, harm)| !(file.ends_with("vault.hdr") && matches!(harm, Remove)))
        .collect();
    let outcomes = run(&original, &expected, &cases, |dir, (file, harm)| {
        let path = dir.join(file);
        let mut bytes = std::fs::read(&path).expect("read");
        let len = bytes.len();
        match harm {
            Remove => return std::fs::remove_file(path).expect("removed"),
            Empty => bytes.clear(),
            Halve => bytes.truncate(len / 2),
            CutOne => bytes.truncate(len.saturating_sub(1)),
            Extend => bytes.extend_from_slice(b"more"),
            ExtendZeros => bytes.resize(len + 4096, 0),
            Zero => bytes.fill(0),
            ZeroTail => bytes[len / 2..].fill(0),
            Double => bytes.extend_from_within(..),
        }
        std::fs::write(path, bytes).expect("written");
    });
    for ((file, harm), outcome) in cases.iter().zip(&outcomes) {
        assert_ne!(*outcome, Outcome::Silent, "{file:?} {harm:?}");
        // Both copies of the header are in one file: gone is gone.
        if *outcome == Outcome::Refused {
            assert!(file.ends_with("vault.hdr"), "{file:?} {harm:?}");
        }
    }
}

#[test]
fn swapped_files_are_repaired_or_found() {
    let place = tempfile::tempdir().expect("a directory");
    let original = place.path().join("original");
    let expected = sample(&original);
    let other = place.path().join("other");
    sample(&other);
    let all = targets(&original);
    // Within the vault, and with the same part of another vault.
    let mut cases = Vec::new();
    for (i, a) in all.iter().enumerate() {
        for b in &all[i + 1..] {
            cases.push((a.clone(), original.join(b), Some(b.clone())));
        }
        let foreign = files(&other)
            .into_iter()
            .find(|p| part(p) == part(a) && p.file_name() == a.file_name());
        cases.extend(foreign.map(|p| (a.clone(), p, None)));
    }
    let outcomes = run(&original, &expected, &cases, |dir, (a, from, b)| {
        if let Some(b) = b {
            std::fs::copy(original.join(a), dir.join(b)).expect("copied");
        }
        std::fs::copy(from, dir.join(a)).expect("copied");
    });
    for ((a, from, _), outcome) in cases.iter().zip(&outcomes) {
        assert_ne!(*outcome, Outcome::Silent, "{a:?} {from:?}");
    }
}

#[test]
fn a_later_journal_of_a_copy_does_not_fit() {
    // Two copies of one vault go different ways; files of one are put into the other.
    let place = tempfile::tempdir().expect("a directory");
    let original = place.path().join("original");
    sample(&original);
    let (left, right) = (place.path().join("left"), place.path().join("right"));
    for (dir, text) in [(&left, b"left"), (&right, b"righ")] {
        copy_dir(&original, dir);
        let vault = Vault::open(&paths(dir), &key_file(), options()).expect("opened");
        vault
            .transaction(|tx| tx.put(NOTES, b"new", text))
            .expect("committed");
        vault.lock();
    }
    let journals = |dir: &Path| files(&dir.join("vault/journal"));
    for (from, to) in journals(&left).iter().zip(journals(&right)) {
        std::fs::copy(from, to).expect("copied");
    }
    let vault = Vault::open(&paths(&right), &key_file(), options());
    // Either the damage is named, or the store still has what the anchor vouches for.
    if let Ok(vault) = vault {
        let value = vault.get(NOTES, b"new").expect("read");
        assert_eq!(value.as_deref(), Some(&b"righ"[..]));
        assert!(!vault.status().expect("open").notices.is_empty());
    }
}
