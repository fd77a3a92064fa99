//! Reading: single records, ranges in order, logs.

use super::entry::{Row, pack_entries, pack_prefix, pack_stream};
use super::error::{Result, VaultError};
use super::store::Broken;
use super::{Inner, Tree, Vault};
use std::ops::{Bound, RangeBounds};

/// Records of scans are read this many at a time, so that a long scan lets writers in.
const SCAN: usize = 128;

/// A record as scans hand it over.
pub type Entry = (Vec<u8>, Vec<u8>);

impl Vault {
    /// The value of a record.
    ///
    /// # Errors
    /// The vault is locked, or damaged beyond what its journal can repair.
    pub fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.inner.value(tree.id, key)
    }

    /// Whether there is a record, without reading it.
    ///
    /// # Errors
    /// The vault is locked.
    pub fn contains(&self, tree: Tree, key: &[u8]) -> Result<bool> {
        self.inner
            .read(|view| Ok(view.index.get(tree.id, key).is_some()))
    }

    /// Number of records in a tree, tombstones included. Costs nothing.
    ///
    /// # Errors
    /// The vault is locked.
    pub fn count(&self, tree: Tree) -> Result<u64> {
        self.inner.read(|view| Ok(view.index.count(tree.id)))
    }

    /// The keys in range, in order, without their values.
    ///
    /// # Errors
    /// The vault is locked.
    pub fn keys(&self, tree: Tree, range: impl RangeBounds<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
        let (from, to) = bounds(&range);
        let keys = self
            .inner
            .read(|view| Ok(view.index.keys(tree.id, from, to, usize::MAX)))?;
        Ok(keys.into_iter().map(|(key, _)| key).collect())
    }

    /// All records whose keys are in range, in order.
    ///
    /// # Errors
    /// As [`Vault::get`].
    pub fn scan(&self, tree: Tree, range: impl RangeBounds<Vec<u8>>) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        self.scan_with(tree, range, |key, value| {
            found.push((key.to_vec(), value));
            true
        })?;
        Ok(found)
    }

    /// All records whose keys start with `prefix`, in order.
    ///
    /// # Errors
    /// As [`Vault::get`].
    pub fn scan_prefix(&self, tree: Tree, prefix: &[u8]) -> Result<Vec<Entry>> {
        let from = Bound::Included(prefix.to_vec());
        let to = prefix_end(prefix).map_or(Bound::Unbounded, Bound::Excluded);
        self.scan(tree, (from, to))
    }

    /// Hands the records in range, in order, to `visit` until it returns false. Writers
    /// may come in between; each record is whole, the whole is no snapshot.
    ///
    /// # Errors
    /// As [`Vault::get`].
    pub fn scan_with(
        &self,
        tree: Tree,
        range: impl RangeBounds<Vec<u8>>,
        mut visit: impl FnMut(&[u8], Vec<u8>) -> bool,
    ) -> Result<()> {
        let (mut from, to) = (range.start_bound().cloned(), range.end_bound().cloned());
        loop {
            let some = self.inner.read(|view| {
                let keys = view
                    .index
                    .keys(tree.id, as_slice(&from), as_slice(&to), SCAN);
                keys.into_iter()
                    .map(|(key, meta)| {
                        let value = view.value(tree.id, &key, meta)?;
                        Ok((key, value))
                    })
                    .collect::<Result<Vec<_>, Broken>>()
            })?;
            let Some((last, _)) = some.last() else {
                return Ok(());
            };
            let (next, full) = (Bound::Excluded(last.clone()), some.len() == SCAN);
            for (key, value) in some {
                if !visit(&key, value) {
                    return Ok(());
                }
            }
            if !full {
                return Ok(());
            }
            from = next;
        }
    }

    /// Hands the entries of a log's stream to `visit`, oldest first, until it returns
    /// false. See [`super::Transaction::append`].
    ///
    /// # Errors
    /// As [`Vault::get`].
    pub fn read_log(
        &self,
        tree: Tree,
        stream: &[u8],
        mut visit: impl FnMut(&[u8]) -> bool,
    ) -> Result<()> {
        let prefix = pack_prefix(stream);
        let mut end = prefix.clone();
        end.extend_from_slice(&[0xFF; 4]);
        let mut damaged = None;
        self.scan_with(tree, prefix..=end, |key, pack| match pack_entries(&pack) {
            Some(entries) if key.len() == stream.len() + 6 => entries.into_iter().all(&mut visit),
            Some(_) => true,
            None => {
                damaged = Some(key.to_vec());
                false
            }
        })?;
        damaged.map_or(Ok(()), |_| {
            Err(VaultError::Decode {
                collection: tree.name,
                reason: "a pack of log entries is malformed".into(),
            })
        })
    }

    /// Names of all streams in a tree of log entries, sorted by length, then name.
    ///
    /// # Errors
    /// The vault is locked.
    pub fn log_streams(&self, tree: Tree) -> Result<Vec<Vec<u8>>> {
        let keys = self.keys(tree, ..)?;
        let mut streams: Vec<Vec<u8>> = keys.iter().map(|k| pack_stream(k).to_vec()).collect();
        streams.dedup();
        Ok(streams)
    }
}

impl Inner {
    /// All records, tree by tree. The caller keeps writers out.
    pub(super) fn rows(&self) -> Result<Rows<'_>> {
        let trees = self.read(|view| Ok(view.index.trees()))?;
        Ok(Rows {
            inner: self,
            trees: trees.into_iter().rev().collect(),
            from: Bound::Unbounded,
        })
    }
}

/// A walk over all records.
pub(super) struct Rows<'a> {
    inner: &'a Inner,
    /// Trees to come, the next one last.
    trees: Vec<u16>,
    from: Bound<Vec<u8>>,
}

impl Rows<'_> {
    /// Some more records; none at the end.
    pub(super) fn next(&mut self) -> Result<Vec<Row>> {
        while let Some(tree) = self.trees.last().copied() {
            let rows = self.inner.read(|view| {
                let keys = view
                    .index
                    .keys(tree, as_slice(&self.from), Bound::Unbounded, SCAN);
                keys.into_iter()
                    .map(|(key, meta)| {
                        let value = view.value(tree, &key, meta)?;
                        Ok(Row {
                            tree,
                            key,
                            pack: meta.pack,
                            seq: meta.seq,
                            value,
                        })
                    })
                    .collect::<Result<Vec<_>, Broken>>()
            })?;
            if let Some(last) = rows.last() {
                self.from = Bound::Excluded(last.key.clone());
                return Ok(rows);
            }
            self.trees.pop();
            self.from = Bound::Unbounded;
        }
        Ok(Vec::new())
    }
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(key) => Bound::Included(key),
        Bound::Excluded(key) => Bound::Excluded(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}

fn bounds(range: &impl RangeBounds<Vec<u8>>) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (
        range.start_bound().map(Vec::as_slice),
        range.end_bound().map(Vec::as_slice),
    )
}

/// The first key after all that start with `prefix`.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|b| *b != 0xFF)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
