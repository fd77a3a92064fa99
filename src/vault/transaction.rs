//! Changes that happen as a whole.

use super::crypto::Name;
use super::entry::{Op, check_size, pack_entries, pack_key, pack_number, pack_stream};
use super::error::{Result, VaultError};
use super::index::Meta;
use super::overlay::{Base, Overlay};
use super::{Inner, Tree};
use crate::model::time::Hlc;

/// A transaction being put together: see [`super::Vault::transaction`].
pub struct Transaction<'a> {
    inner: &'a Inner,
    hlc: Hlc,
    ops: Vec<Op>,
    overlay: Overlay,
}

impl Base for &Inner {
    type Error = VaultError;

    fn last_pack(&self, tree: u16, stream: &[u8]) -> Result<Option<(u32, Meta)>> {
        self.read(|view| Ok(view.index.last_pack(tree, stream)))
    }

    fn value(&self, tree: u16, key: &[u8], meta: Meta) -> Result<Vec<u8>> {
        self.read(|view| view.value(tree, key, meta))
    }
}

impl<'a> Transaction<'a> {
    pub(super) fn new(inner: &'a Inner, hlc: Hlc) -> Self {
        Self {
            inner,
            hlc,
            ops: Vec::new(),
            overlay: Overlay::default(),
        }
    }

    pub(super) fn finish(self) -> (Vec<Op>, Overlay) {
        (self.ops, self.overlay)
    }

    /// The hybrid clock's reading for this transaction.
    #[must_use]
    pub fn now(&self) -> Hlc {
        self.hlc
    }

    /// The value of a record as this transaction leaves it.
    ///
    /// # Errors
    /// As [`super::Vault::get`].
    pub fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.overlay.writes.get(&(tree.id(), key.to_vec())) {
            Some(written) => Ok(written.as_ref().map(|(value, _)| value.clone())),
            None => self.inner.value(tree.id(), key),
        }
    }

    /// Writes a record.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`]: keys have at most 1,016 bytes, values 8 MiB, and a
    /// transaction 16 MiB in all.
    pub fn put(&mut self, tree: Tree, key: &[u8], value: &[u8]) -> Result<()> {
        check_size(key, value)?;
        self.run(Op::Put {
            tree: tree.id(),
            key: key.to_vec(),
            value: value.to_vec(),
        })
    }

    /// Removes a record, leaving nothing. Collections leave a tombstone instead.
    /// Nothing happens if there is none.
    ///
    /// # Errors
    /// As [`super::Vault::get`].
    pub fn delete(&mut self, tree: Tree, key: &[u8]) -> Result<()> {
        let written = self.overlay.writes.get(&(tree.id(), key.to_vec()));
        let there = match written {
            Some(written) => written.is_some(),
            None => self
                .inner
                .read(|view| Ok(view.index.get(tree.id(), key).is_some()))?,
        };
        if !there {
            return Ok(());
        }
        self.run(Op::Delete {
            tree: tree.id(),
            key: key.to_vec(),
        })
    }

    /// Adds an entry at the end of a stream. Entries are packed, many to a record, so
    /// that a million small ones stay cheap; they are read with
    /// [`super::Vault::read_log`]. A tree holds either records or streams.
    ///
    /// # Errors
    /// As [`Transaction::put`].
    pub fn append(&mut self, tree: Tree, stream: &[u8], entry: &[u8]) -> Result<()> {
        check_size(stream, entry)?;
        self.run(Op::Append {
            tree: tree.id(),
            stream: stream.to_vec(),
            entry: entry.to_vec(),
        })
    }

    /// The last entry of a stream.
    ///
    /// # Errors
    /// As [`super::Vault::get`].
    pub fn last(&self, tree: Tree, stream: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some((number, _)) = self.overlay.tail(&self.inner, tree.id(), stream)? else {
            return Ok(None);
        };
        let pack = self
            .get(tree, &pack_key(stream, number))?
            .unwrap_or_default();
        let last = pack_entries(&pack).and_then(|entries| entries.last().map(|e| e.to_vec()));
        Ok(last)
    }

    /// Removes a stream with all its entries.
    ///
    /// # Errors
    /// As [`super::Vault::get`].
    pub fn clear(&mut self, tree: Tree, stream: &[u8]) -> Result<()> {
        check_size(stream, &[])?;
        self.run(Op::Clear {
            tree: tree.id(),
            stream: stream.to_vec(),
        })
    }

    /// Writes a whole pack, as a backup holds it.
    pub(super) fn put_pack(&mut self, tree: Tree, key: &[u8], value: &[u8]) -> Result<()> {
        let stream = pack_stream(key);
        check_size(stream, value)?;
        // As they are exported: from 0, none left out. A number out of thin air would make
        // clearing the stream walk up to it, and one at the end leave no room to append.
        let tail = self.overlay.tail(&self.inner, tree.id(), stream)?;
        if pack_number(key) != tail.map_or(0, |(last, _)| last.saturating_add(1)) {
            return Err(VaultError::Archive("a log with a gap".into()));
        }
        self.run(Op::PutPack {
            tree: tree.id(),
            key: key.to_vec(),
            value: value.to_vec(),
        })
    }

    /// Records in a tree before this transaction.
    pub(super) fn stored_count(&self, tree: Tree) -> Result<u64> {
        self.inner.read(|view| Ok(view.index.count(tree.id())))
    }

    pub(super) fn with_key<T>(&self, name: Name, f: impl FnOnce(&[u8; 32]) -> T) -> Result<T> {
        self.inner.with_key(name, f)
    }

    fn run(&mut self, op: Op) -> Result<()> {
        self.overlay.apply(&self.inner, &op)?;
        self.ops.push(op);
        Ok(())
    }
}

impl std::fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction")
            .field("ops", &self.ops.len())
            .finish_non_exhaustive()
    }
}
