//! Typed records on top of trees.

use super::error::{Result, VaultError};
use super::{Transaction, Tree, Vault};
use crate::model::time::Hlc;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use std::ops::RangeBounds;

/// Where a collection reads from: the vault, or a transaction with its own changes.
pub trait Source {
    /// The value of a record.
    ///
    /// # Errors
    /// As [`Vault::get`].
    fn value(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>>;
}

impl Source for Vault {
    fn value(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get(tree, key)
    }
}

impl Source for Transaction<'_> {
    fn value(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get(tree, key)
    }
}

/// What surrounds every value: which version of its type it is, when it was last
/// changed and on which device. A removed record stays as a tombstone, so that another
/// device learns of the removal instead of bringing the record back.
#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    schema: u16,
    hlc: Hlc,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none", default = "none")]
    value: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

/// Mutable records of one type, stored as JSON. Declare one as a constant:
///
/// ```
/// use emptor::vault::{Collection, Tree};
/// const NAMES: Collection<String> = Collection::new(Tree::new(3, "names"), 1);
/// ```
pub struct Collection<T> {
    tree: Tree,
    schema: u16,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Collection<T> {}

impl<T> std::fmt::Debug for Collection<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Collection({})", self.tree.name())
    }
}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    /// A collection over `tree`. `schema` is the version of `T`; records of a newer
    /// version are refused, those of an older one must still deserialise.
    #[must_use]
    pub const fn new(tree: Tree, schema: u16) -> Self {
        Self {
            tree,
            schema,
            of: PhantomData,
        }
    }

    /// The tree underneath.
    #[must_use]
    pub const fn tree(&self) -> Tree {
        self.tree
    }

    /// A record.
    ///
    /// # Errors
    /// As [`Vault::get`], or the record cannot be decoded.
    pub fn get(&self, source: &impl Source, key: &[u8]) -> Result<Option<T>> {
        Ok(self.get_with_clock(source, key)?.map(|(value, _)| value))
    }

    /// A record and when it was last changed.
    ///
    /// # Errors
    /// As [`Collection::get`].
    pub fn get_with_clock(&self, source: &impl Source, key: &[u8]) -> Result<Option<(T, Hlc)>> {
        match source.value(self.tree, key)? {
            None => Ok(None),
            Some(bytes) => self.decode(&bytes),
        }
    }

    /// Writes a record.
    ///
    /// # Errors
    /// As [`Transaction::put`].
    pub fn put(&self, tx: &mut Transaction<'_>, key: &[u8], value: &T) -> Result<()> {
        self.write(tx, key, Some(value))
    }

    /// Removes a record, leaving a tombstone. Returns whether there was one.
    ///
    /// # Errors
    /// As [`Transaction::put`].
    pub fn remove(&self, tx: &mut Transaction<'_>, key: &[u8]) -> Result<bool> {
        let there = self.get(tx, key)?.is_some();
        if there {
            self.write(tx, key, None)?;
        }
        Ok(there)
    }

    /// All records, in the order of their keys.
    ///
    /// # Errors
    /// As [`Collection::get`].
    pub fn all(&self, vault: &Vault) -> Result<Vec<(Vec<u8>, T)>> {
        self.range(vault, ..)
    }

    /// The records whose keys are in range, in order.
    ///
    /// # Errors
    /// As [`Collection::get`].
    pub fn range(
        &self,
        vault: &Vault,
        range: impl RangeBounds<Vec<u8>>,
    ) -> Result<Vec<(Vec<u8>, T)>> {
        let mut found = Vec::new();
        let mut failed = None;
        vault.scan_with(self.tree, range, |key, bytes| match self.decode(&bytes) {
            Ok(Some((value, _))) => {
                found.push((key.to_vec(), value));
                true
            }
            Ok(None) => true,
            Err(error) => {
                failed = Some(error);
                false
            }
        })?;
        failed.map_or(Ok(found), Err)
    }

    fn write(&self, tx: &mut Transaction<'_>, key: &[u8], value: Option<&T>) -> Result<()> {
        let envelope = Envelope {
            schema: self.schema,
            hlc: tx.now(),
            deleted: value.is_none(),
            value,
        };
        let bytes = serde_json::to_vec(&envelope).map_err(|e| undecodable(self.tree, &e))?;
        tx.put(self.tree, key, &bytes)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Option<(T, Hlc)>> {
        let envelope: Envelope<T> =
            serde_json::from_slice(bytes).map_err(|e| undecodable(self.tree, &e))?;
        if envelope.schema > self.schema {
            return Err(VaultError::Decode {
                collection: self.tree.name(),
                reason: format!("written by a newer version (schema {})", envelope.schema),
            });
        }
        Ok(envelope
            .value
            .filter(|_| !envelope.deleted)
            .map(|value| (value, envelope.hlc)))
    }
}

/// Where it stopped and what kind of error; serde's own text may quote the value.
fn undecodable(tree: Tree, error: &serde_json::Error) -> VaultError {
    VaultError::Decode {
        collection: tree.name(),
        reason: format!("{:?} error at column {}", error.classify(), error.column()),
    }
}

/// Append-only entries of one type in named streams: price histories and the like.
/// Entries have no tombstone and no envelope; put the time into `T`.
pub struct Log<T> {
    tree: Tree,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Log<T> {}

impl<T> std::fmt::Debug for Log<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Log({})", self.tree.name())
    }
}

impl<T: Serialize + DeserializeOwned> Log<T> {
    /// A log over `tree`.
    #[must_use]
    pub const fn new(tree: Tree) -> Self {
        Self {
            tree,
            of: PhantomData,
        }
    }

    /// The tree underneath.
    #[must_use]
    pub const fn tree(&self) -> Tree {
        self.tree
    }

    /// Adds an entry at the end of a stream.
    ///
    /// # Errors
    /// As [`Transaction::append`].
    pub fn append(&self, tx: &mut Transaction<'_>, stream: &[u8], entry: &T) -> Result<()> {
        let bytes = serde_json::to_vec(entry).map_err(|e| undecodable(self.tree, &e))?;
        tx.append(self.tree, stream, &bytes)
    }

    /// The newest entry of a stream, this transaction's included.
    ///
    /// # Errors
    /// As [`Collection::get`].
    pub fn last(&self, tx: &Transaction<'_>, stream: &[u8]) -> Result<Option<T>> {
        tx.last(self.tree, stream)?
            .map(|bytes| self.decode(&bytes))
            .transpose()
    }

    /// All entries of a stream, oldest first.
    ///
    /// # Errors
    /// As [`Collection::get`].
    pub fn read(&self, vault: &Vault, stream: &[u8]) -> Result<Vec<T>> {
        let mut entries = Vec::new();
        let mut failed = None;
        vault.read_log(self.tree, stream, |bytes| match self.decode(bytes) {
            Ok(entry) => {
                entries.push(entry);
                true
            }
            Err(error) => {
                failed = Some(error);
                false
            }
        })?;
        failed.map_or(Ok(entries), Err)
    }

    /// Names of all streams.
    ///
    /// # Errors
    /// As [`Vault::keys`].
    pub fn streams(&self, vault: &Vault) -> Result<Vec<Vec<u8>>> {
        vault.log_streams(self.tree)
    }

    /// Removes a stream.
    ///
    /// # Errors
    /// As [`Transaction::clear`].
    pub fn clear(&self, tx: &mut Transaction<'_>, stream: &[u8]) -> Result<()> {
        tx.clear(self.tree, stream)
    }

    fn decode(&self, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|e| undecodable(self.tree, &e))
    }
}
