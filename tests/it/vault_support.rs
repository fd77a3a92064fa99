//! What the tests of the vault share.

use emptor::vault::{KdfCost, Options, Secret, SecretString, Tree, Vault, VaultPaths};
use std::path::{Path, PathBuf};

pub const NOTES: Tree = Tree::new(1, "notes");
pub const LOGS: Tree = Tree::new(2, "logs");

pub fn passphrase() -> SecretString {
    SecretString::from("correct horse battery".to_owned())
}

/// Opens without the cost of a passphrase.
pub fn key_file() -> Secret {
    Secret::key_file((0..32).collect()).expect("long enough")
}

pub fn options() -> Options {
    Options {
        kdf: KdfCost::FLOOR,
        ..Options::default()
    }
}

pub fn paths(dir: &Path) -> VaultPaths {
    VaultPaths::new(dir.join("vault"), dir.join("state/anchor"))
}

/// A vault that `key_file` opens.
pub fn create(dir: &Path, options: Options) -> Vault {
    let (vault, _) = Vault::create(&paths(dir), &passphrase(), options).expect("created");
    vault.add_slot(&key_file(), "").expect("added");
    vault
}

/// Everything in the two trees.
pub fn contents(vault: &Vault) -> emptor::vault::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut all = vault.scan(NOTES, ..)?;
    all.extend(vault.scan(LOGS, ..)?);
    Ok(all)
}

/// All files below a directory, sorted.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// Copies a directory. The ballast is shared: nothing reads it, and nothing writes it
/// while it has its size.
pub fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("read").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else if entry.file_name() == "ballast" {
            std::fs::hard_link(entry.path(), target).expect("linked");
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Whether the long form of a test was asked for.
pub fn torture() -> bool {
    std::env::var("EMPTOR_TORTURE").is_ok_and(|v| v == "full")
}
