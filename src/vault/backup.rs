//! Backups that open without this program: a standard age file (age-encryption.org/v1)
//! around a tar archive of JSON lines and a manifest. Layout in `docs/vault-format.md`,
//! section "Backup".

use super::crypto::{hex, sha256};
use super::entry::{Row, pack_entries, pack_key, pack_number, pack_push, pack_stream};
use super::error::{Result, VaultError};
use super::ledger::{LEDGER, LedgerHead, split};
use super::record::RESERVED;
use super::tar::{read_file, write_end, write_file};
use super::{Options, RecoveryCode, Secret, SecretString, Tree, Vault, VaultPaths};
use age::secrecy::ExposeSecret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A part of the archive is closed when it is longer than this.
const PART: usize = 4 * 1024 * 1024;
/// No part of our own is longer: one record of the largest size in base 64.
const MAX_PART: usize = 24 * 1024 * 1024;
/// Most parts a restore reads: 4 MiB each make 64 GiB.
const MAX_PARTS: usize = 16 * 1024;
const MANIFEST: &str = "MANIFEST.json";

/// Who can open a backup.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BackupTo {
    /// Whoever knows the passphrase.
    Passphrase(SecretString),
    /// The owners of these age keys, each written `age1…`.
    Recipients(Vec<String>),
}

/// What opens a backup.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BackupKey {
    /// The passphrase it was made with.
    Passphrase(SecretString),
    /// An age identity, written `AGE-SECRET-KEY-1…`.
    Identity(SecretString),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    vault: String,
    seq: u64,
    head: String,
    records: u64,
    parts: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    name: String,
    records: u64,
    sha256: String,
}

/// A record as a line. Text and JSON stay readable; what is neither is in base 64.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key64: Option<String>,
    /// The number of a pack; the key is then the name of its stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pack: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", borrow)]
    value: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", borrow)]
    entries: Option<Vec<&'a RawValue>>,
}

/// `bytes` as JSON, if they are JSON that a line can hold unchanged.
fn as_json(bytes: &[u8]) -> Option<&RawValue> {
    let raw: &RawValue = serde_json::from_slice(bytes).ok()?;
    let same = raw.get().len() == bytes.len() && !bytes.contains(&b'\n') && !bytes.contains(&b'\r');
    // An absent value and `null` would read the same.
    (same && bytes != b"null").then_some(raw)
}

fn as_text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn encode_row(row: &Row) -> Result<Vec<u8>> {
    let (key, value) = match row {
        row if row.tree == LEDGER.id() => (
            &row.key[..],
            split(&row.value).map_or(&row.value[..], |s| s.0),
        ),
        row if row.pack => (pack_stream(&row.key), &row.value[..]),
        row => (&row.key[..], &row.value[..]),
    };
    let text = as_text(key);
    let mut line = Line {
        key64: text.is_none().then(|| BASE64.encode(key)),
        key: text,
        pack: row.pack.then(|| pack_number(&row.key)),
        ..Line::default()
    };
    line.entries = row
        .pack
        .then(|| pack_entries(value)?.into_iter().map(as_json).collect())
        .flatten();
    if line.entries.is_none() {
        line.value = as_json(value);
    }
    if line.entries.is_none() && line.value.is_none() {
        line.value64 = Some(BASE64.encode(value));
    }
    let mut bytes = serde_json::to_vec(&line).map_err(|e| VaultError::Archive(e.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Key, value and whether it is a pack.
fn decode_line(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>, bool)> {
    let line: Line<'_> = serde_json::from_slice(bytes).ok()?;
    let key = match (line.key, line.key64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(text)) => BASE64.decode(text).ok()?,
        _ => return None,
    };
    let value = match (line.value, line.value64, line.entries) {
        (Some(raw), None, None) => raw.get().as_bytes().to_vec(),
        (None, Some(text), None) => BASE64.decode(text).ok()?,
        (None, None, Some(entries)) => {
            let mut pack = Vec::new();
            for entry in entries {
                pack_push(&mut pack, entry.get().as_bytes());
            }
            pack
        }
        _ => return None,
    };
    match line.pack {
        Some(number) => {
            pack_entries(&value)?;
            Some((pack_key(&key, number), value, true))
        }
        None => Some((key, value, false)),
    }
}

/// Reads `bytes` as a line and, if it is one, what it says again after writing it.
#[cfg(fuzzing)]
pub(super) fn fuzz_line(bytes: &[u8]) {
    let _ = std::str::from_utf8(bytes).map(parse_part_name);
    if let Some((key, value, pack)) = decode_line(bytes) {
        let row = Row {
            tree: 1,
            key: key.clone(),
            pack,
            seq: 1,
            value: value.clone(),
        };
        if let Ok(line) = encode_row(&row) {
            assert_eq!(decode_line(&line), Some((key, value, pack)));
        }
    }
}

fn part_name(tree: u16, name: Option<&str>, number: usize) -> String {
    let name: String = name
        .unwrap_or("tree")
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')
        .take(40)
        .collect();
    format!("{tree:04x}-{name}/{number:06}.ndjson")
}

/// The tree of a part, if the name is one that `part_name` makes.
fn parse_part_name(name: &str) -> Option<u16> {
    let (dir, file) = name.split_once('/')?;
    let (tree, label) = dir.split_once('-')?;
    let number = file.strip_suffix(".ndjson")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let fits = tree.len() == 4
        && label.chars().all(plain)
        && number.len() == 6
        && number.chars().all(|c| c.is_ascii_digit());
    let tree = u16::from_str_radix(tree, 16).ok()?;
    (fits && (tree < RESERVED || tree == LEDGER.id())).then_some(tree)
}

impl Vault {
    /// Writes everything, unencrypted, as a tar archive of JSON lines. `trees` gives
    /// names to tree numbers; trees without one are exported as well.
    ///
    /// # Errors
    /// The vault cannot be read or `out` written.
    pub fn export(&self, out: &mut dyn Write, trees: &[Tree]) -> Result<()> {
        let io = |e| VaultError::io("writing the archive", e);
        // No transaction comes in between: the archive is one state.
        let guard = self.inner.writer();
        let writer = guard.as_ref().ok_or(VaultError::Locked)?;
        let tip = self.inner.view().as_ref().ok_or(VaultError::Locked)?.tip;
        let mut manifest = Manifest {
            format: 1,
            vault: hex(writer.keys.vault_id()),
            seq: tip.seq,
            head: hex(&tip.head),
            records: tip.count,
            parts: Vec::new(),
        };
        let mut part: Vec<u8> = Vec::new();
        let (mut tree, mut number, mut records) = (None, 0, 0);
        let mut rows = self.inner.rows()?;
        let mut flush =
            |part: &mut Vec<u8>, tree: Option<u16>, number: &mut usize, records: &mut u64| {
                if let Some(tree) = tree.filter(|_| !part.is_empty()) {
                    let known = trees.iter().chain([&LEDGER]).find(|t| t.id() == tree);
                    let name = part_name(tree, known.map(|t| t.name()), *number);
                    write_file(out, &name, part).map_err(io)?;
                    manifest.parts.push(Part {
                        name,
                        records: *records,
                        sha256: hex(&sha256(&[part])),
                    });
                    *number += 1;
                }
                part.clear();
                *records = 0;
                Ok::<_, VaultError>(())
            };
        loop {
            let some = rows.next()?;
            if some.is_empty() {
                break;
            }
            for row in some {
                let line = encode_row(&row)?;
                if tree != Some(row.tree) || part.len() + line.len() > PART {
                    flush(&mut part, tree, &mut number, &mut records)?;
                    if tree != Some(row.tree) {
                        number = 0;
                    }
                    tree = Some(row.tree);
                }
                part.extend_from_slice(&line);
                records += 1;
            }
        }
        flush(&mut part, tree, &mut number, &mut records)?;
        let text =
            serde_json::to_vec_pretty(&manifest).map_err(|e| VaultError::Archive(e.to_string()))?;
        write_file(out, MANIFEST, &text)
            .and_then(|()| write_end(out))
            .map_err(io)
    }

    /// Writes a backup: [`Vault::export`] inside an age file, which
    /// `age -d backup.age | tar x` opens.
    ///
    /// # Errors
    /// As [`Vault::export`], or a recipient is not an age key.
    pub fn backup(&self, out: impl Write, to: &BackupTo, trees: &[Tree]) -> Result<()> {
        let archive = |e: &dyn std::fmt::Display| VaultError::Archive(e.to_string());
        let encryptor = match to {
            BackupTo::Passphrase(text) => age::Encryptor::with_user_passphrase(text.clone()),
            BackupTo::Recipients(keys) => {
                let keys = keys
                    .iter()
                    .map(|key| {
                        key.parse::<age::x25519::Recipient>()
                            .map_err(|e| archive(&e))
                    })
                    .collect::<Result<Vec<_>>>()?;
                age::Encryptor::with_recipients(keys.iter().map(|key| key as &dyn age::Recipient))
                    .map_err(|e| archive(&e))?
            }
        };
        let io = |e| VaultError::io("writing the backup", e);
        let mut sealed = encryptor.wrap_output(out).map_err(io)?;
        self.export(&mut sealed, trees)?;
        sealed.finish().and_then(|mut out| out.flush()).map_err(io)
    }

    /// Makes a new vault from a backup. Nothing of the archive is believed: names,
    /// sizes, hashes and counts are checked, and the vault appears at `paths` only when
    /// everything fits. `passphrase` is that of the new vault.
    ///
    /// # Errors
    /// [`VaultError::Archive`] if the backup does not open or is not one of ours as it
    /// was written; otherwise as [`Vault::create`].
    pub fn restore(
        backup: impl Read,
        key: &BackupKey,
        paths: &VaultPaths,
        passphrase: &SecretString,
        options: Options,
    ) -> Result<(Self, RecoveryCode)> {
        let archive = |e: &dyn std::fmt::Display| VaultError::Archive(e.to_string());
        let decryptor = age::Decryptor::new(backup).map_err(|e| archive(&e))?;
        let identity: Box<dyn age::Identity> = match key {
            BackupKey::Passphrase(text) => Box::new(age::scrypt::Identity::new(text.clone())),
            BackupKey::Identity(text) => Box::new(
                text.expose_secret()
                    .trim()
                    .parse::<age::x25519::Identity>()
                    .map_err(|e| archive(&e))?,
            ),
        };
        let source = decryptor
            .decrypt(std::iter::once(&*identity))
            .map_err(|e| archive(&e))?;
        Self::import(source, paths, passphrase, options)
    }

    /// Makes a new vault from an exported archive: see [`Vault::restore`].
    ///
    /// # Errors
    /// As [`Vault::restore`].
    pub fn import(
        mut archive: impl Read,
        paths: &VaultPaths,
        passphrase: &SecretString,
        options: Options,
    ) -> Result<(Self, RecoveryCode)> {
        if Self::exists(paths) {
            return Err(VaultError::Exists(paths.dir.clone()));
        }
        let staging = VaultPaths::new(beside(&paths.dir), beside(&paths.anchor));
        let _ = std::fs::remove_dir_all(&staging.dir);
        let made = Self::create(&staging, passphrase, options.clone()).and_then(|(vault, code)| {
            fill(&vault, &mut archive)?;
            vault.lock();
            Ok(code)
        });
        let io = |e| VaultError::io("putting the restored vault in place", e);
        let placed = made.and_then(|code| {
            // An empty directory may be there; one with contents makes this fail.
            std::fs::rename(&staging.dir, &paths.dir).map_err(io)?;
            let parent = paths.anchor.parent().unwrap_or(Path::new("."));
            super::disk::private_dir(parent).map_err(io)?;
            std::fs::rename(&staging.anchor, &paths.anchor).map_err(io)?;
            Ok(code)
        });
        match placed {
            Ok(code) => {
                let secret = Secret::Passphrase(passphrase.clone());
                Ok((Self::open(paths, &secret, options)?, code))
            }
            Err(error) => {
                let _ = std::fs::remove_dir_all(&staging.dir);
                let _ = std::fs::remove_file(&staging.anchor);
                Err(error)
            }
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".restoring");
    path.with_file_name(name)
}

/// Puts the contents of an archive into a new vault.
fn fill(vault: &Vault, archive: &mut dyn Read) -> Result<()> {
    let bad = |what: &str| VaultError::Archive(what.into());
    let mut parts: Vec<Part> = Vec::new();
    let mut ledger = LedgerHead::empty();
    let manifest = loop {
        let (name, content) = read_file(archive, MAX_PART)?.ok_or_else(|| bad("no manifest"))?;
        if name == MANIFEST {
            break content;
        }
        if parts.len() == MAX_PARTS {
            return Err(bad("too many files"));
        }
        let tree = parse_part_name(&name).ok_or_else(|| bad("a file name that is not ours"))?;
        let records = put_part(vault, tree, &content, &mut ledger)?;
        parts.push(Part {
            name,
            records,
            sha256: hex(&sha256(&[&content])),
        });
    };
    if read_file(archive, 0)?.is_some() {
        return Err(bad("files after the manifest"));
    }
    let manifest: Manifest =
        serde_json::from_slice(&manifest).map_err(|_| bad("the manifest cannot be read"))?;
    if manifest.format != 1 {
        return Err(VaultError::UnsupportedFormat(format!(
            "archive {}",
            manifest.format
        )));
    }
    let same = manifest.parts.len() == parts.len()
        && manifest
            .parts
            .iter()
            .zip(&parts)
            .all(|(a, b)| a.name == b.name && a.records == b.records && a.sha256 == b.sha256);
    if !same || vault.status()?.records != manifest.records {
        return Err(bad("its contents are not what the manifest says"));
    }
    Ok(())
}

/// One part, as one transaction.
fn put_part(vault: &Vault, tree: u16, content: &[u8], ledger: &mut LedgerHead) -> Result<u64> {
    let bad = || VaultError::Archive("a line that cannot be read".into());
    let mut records = 0;
    vault.transaction(|tx| {
        for line in content.split_inclusive(|b| *b == b'\n') {
            let (key, value, pack) = decode_line(line).ok_or_else(bad)?;
            let tree = Tree::reserved(tree, "restored");
            if tree.id() == LEDGER.id() {
                *ledger = tx.restore_ledger_line(ledger, &value)?;
            } else if pack {
                tx.put_pack(tree, &key, &value)?;
            } else {
                tx.put(tree, &key, &value)?;
            }
            records += 1;
        }
        Ok::<_, VaultError>(records)
    })
}
