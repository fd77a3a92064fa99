//! The ledger: what left the vault, to whom and why. Append-only and hash-chained, so
//! that a later change of an entry shows; each line's SHA-256 is in the next line, which
//! anyone can check on an exported file.

use super::crypto::{Name, hex, mac, mac_fits, sha256};
use super::entry::check_size;
use super::error::{Result, VaultError};
use super::{Transaction, Tree, Vault, record};
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::io::Write;

pub(super) const LEDGER: Tree = Tree::reserved(record::RESERVED, "ledger");
/// Bytes of the MAC at the end of a stored entry.
const MAC: usize = 32;

/// Something that is about to leave the vault. Record it in a transaction of its own,
/// before the bytes go; if they then do not go, record that too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// When.
    pub time: Timestamp,
    /// Who or what sends: a job, the person, a grant.
    pub actor: String,
    /// Who receives.
    pub recipient: String,
    /// The tender or grant it belongs to.
    pub subject: String,
    /// Names of the fields disclosed.
    pub fields: Vec<String>,
    /// SHA-256 of the bytes sent, in hex.
    pub sha256: String,
    /// Why.
    pub purpose: String,
}

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Its number, from 0.
    pub n: u64,
    /// SHA-256 of the line before, in hex; 64 zeros in the first.
    pub prev: String,
    /// What it says.
    #[serde(flatten)]
    pub disclosure: Disclosure,
}

/// The end of the chain: whoever knows it can tell whether the ledger was rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerHead {
    /// Number of entries.
    pub entries: u64,
    /// SHA-256 of the last line, in hex; 64 zeros if there is none.
    pub hash: String,
}

impl LedgerHead {
    pub(super) fn empty() -> Self {
        Self {
            entries: 0,
            hash: "0".repeat(64),
        }
    }

    /// The head after `line`, if the line continues this one.
    fn follow(&self, line: &[u8]) -> Option<(LedgerEntry, Self)> {
        let entry: LedgerEntry = serde_json::from_slice(line).ok()?;
        let next = Self {
            entries: self.entries + 1,
            hash: hex(&sha256(&[line])),
        };
        (entry.n == self.entries && entry.prev == self.hash).then_some((entry, next))
    }
}

impl Transaction<'_> {
    /// Adds an entry to the ledger. It is durable when the transaction is.
    ///
    /// # Errors
    /// As [`Transaction::put`].
    pub fn disclose(&mut self, disclosure: &Disclosure) -> Result<LedgerHead> {
        let entries = self.ledger_len()?;
        let prev = match entries.checked_sub(1) {
            None => LedgerHead::empty().hash,
            Some(last) => {
                let stored = self.get(LEDGER, &last.to_be_bytes())?.unwrap_or_default();
                let (line, _) = split(&stored).ok_or(VaultError::LedgerBroken(last))?;
                hex(&sha256(&[line]))
            }
        };
        let entry = LedgerEntry {
            n: entries,
            prev,
            disclosure: disclosure.clone(),
        };
        let line = serde_json::to_vec(&entry).map_err(|e| VaultError::Decode {
            collection: LEDGER.name(),
            reason: e.to_string(),
        })?;
        self.ledger_line(entries, &line)?;
        Ok(LedgerHead {
            entries: entries + 1,
            hash: hex(&sha256(&[&line])),
        })
    }

    /// Number of entries, those of this transaction included.
    fn ledger_len(&self) -> Result<u64> {
        let mut n = self.stored_count(LEDGER)?;
        while self.get(LEDGER, &n.to_be_bytes())?.is_some() {
            n += 1;
        }
        Ok(n)
    }

    fn ledger_line(&mut self, n: u64, line: &[u8]) -> Result<()> {
        let tag = self.with_key(Name::Audit, |key| mac(key, &[&n.to_be_bytes(), line]))?;
        let mut stored = line.to_vec();
        stored.extend_from_slice(&tag);
        check_size(&[], &stored)?;
        self.put(LEDGER, &n.to_be_bytes(), &stored)
    }

    /// Adds a line from a backup, which must continue the chain.
    pub(super) fn restore_ledger_line(
        &mut self,
        head: &LedgerHead,
        line: &[u8],
    ) -> Result<LedgerHead> {
        let (entry, next) = head
            .follow(line)
            .ok_or(VaultError::LedgerBroken(head.entries))?;
        self.ledger_line(entry.n, line)?;
        Ok(next)
    }
}

/// A stored entry's line and MAC.
pub(super) fn split(stored: &[u8]) -> Option<(&[u8], &[u8])> {
    stored.split_at_checked(stored.len().checked_sub(MAC)?)
}

impl Vault {
    /// Hands all entries with their lines to `visit`, oldest first, checking the chain
    /// and each entry's MAC on the way.
    fn walk_ledger(
        &self,
        mut visit: impl FnMut(LedgerEntry, &[u8]) -> Result<()>,
    ) -> Result<LedgerHead> {
        let mut head = LedgerHead::empty();
        let mut failed = None;
        self.scan_with(LEDGER, .., |key, stored| {
            let mut step = || {
                let broken = || VaultError::LedgerBroken(head.entries);
                let (line, tag) = split(&stored).ok_or_else(broken)?;
                let (entry, next) = head.follow(line).ok_or_else(broken)?;
                let fits = self.with_key(Name::Audit, |audit| {
                    mac_fits(audit, &[&entry.n.to_be_bytes(), line], tag)
                })?;
                if !fits || key != entry.n.to_be_bytes() {
                    return Err(broken());
                }
                visit(entry, line)?;
                Ok(next)
            };
            match step() {
                Ok(next) => head = next,
                Err(error) => failed = Some(error),
            }
            failed.is_none()
        })?;
        failed.map_or(Ok(head), Err)
    }

    /// All entries of the ledger, oldest first.
    ///
    /// # Errors
    /// [`VaultError::LedgerBroken`] with the first entry that does not fit.
    pub fn ledger(&self) -> Result<Vec<LedgerEntry>> {
        let mut entries = Vec::new();
        self.walk_ledger(|entry, _| {
            entries.push(entry);
            Ok(())
        })?;
        Ok(entries)
    }

    /// Checks the whole chain and returns its end.
    ///
    /// # Errors
    /// As [`Vault::ledger`].
    pub fn verify_ledger(&self) -> Result<LedgerHead> {
        self.walk_ledger(|_, _| Ok(()))
    }

    /// Writes the ledger as lines of JSON. The SHA-256 of each line without its end
    /// mark is the `prev` of the next one; that of the last is the head returned.
    ///
    /// # Errors
    /// As [`Vault::ledger`], or `out` fails.
    pub fn export_ledger(&self, mut out: impl Write) -> Result<LedgerHead> {
        self.walk_ledger(|_, line| {
            out.write_all(line)
                .and_then(|()| out.write_all(b"\n"))
                .map_err(|e| VaultError::io("writing the ledger", e))
        })
    }
}
