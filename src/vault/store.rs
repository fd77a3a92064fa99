//! The store of values: sled, as an index that can be rebuilt and is never believed.
//!
//! sled 0.34 is fast and survives the death of its process, but it silently drops a
//! damaged tail, can panic on damaged files and does not sync when asked to. So every
//! value that comes out of it is authenticated and compared with the [`super::index`];
//! one that is missing, old or changed makes the vault build a new store from its
//! checkpoint and journal. Nothing here has to be durable.

use super::crypto::KeyPage;
use super::disk::{private_dir, tighten};
use super::error::{Result, VaultError};
use super::index::{Index, Meta};
use super::record::{APPLIED, SetHash, open_piece, pieces, seal_record, store_key};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// sled's page cache. Small: a person's vault is read in bursts.
const CACHE: u64 = 1024 * 1024;
/// sled holds its lock for some milliseconds after the last handle is dropped.
const LOCK_RETRIES: u32 = 200;

/// The store failed: its contents are of no use any more.
#[derive(Debug)]
pub(super) struct Broken(pub(super) String);

impl Broken {
    fn sled(error: &sled::Error) -> Self {
        Self(error.to_string())
    }
}

/// A change to one record.
pub(super) struct Write<'a> {
    pub(super) tree: u16,
    pub(super) key: &'a [u8],
    /// What the index knows of the record before the change.
    pub(super) before: Option<Meta>,
    /// The new value and whether it is a pack; `None` removes.
    pub(super) after: Option<(&'a [u8], bool)>,
}

/// An open store.
pub(super) struct Store {
    // Dropping a damaged sled may panic: see `drop`.
    db: Option<sled::Db>,
    pub(super) dir: PathBuf,
}

/// Runs sled code, which panics on some damaged files.
fn guarded<T>(f: impl FnOnce() -> Result<T, Broken>) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| Err(Broken("sled panicked".into())))
}

impl Store {
    /// Name of the `n`-th store of a vault.
    fn path(vault_dir: &Path, n: u32) -> PathBuf {
        vault_dir.join(format!("store.{n}"))
    }

    /// Numbers of the stores that lie in the vault's directory, rising.
    fn numbers(vault_dir: &Path) -> Vec<u32> {
        let mut numbers: Vec<u32> = std::fs::read_dir(vault_dir)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| e.file_name().to_str()?.strip_prefix("store.")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers
    }

    /// Opens the newest store of a vault, if there is one that opens.
    pub(super) fn open_newest(vault_dir: &Path) -> Option<Self> {
        let number = *Self::numbers(vault_dir).last()?;
        Self::open(Self::path(vault_dir, number)).ok()
    }

    /// An empty store with a new name.
    ///
    /// # Errors
    /// The directory cannot be made or sled does not open.
    pub(super) fn fresh(vault_dir: &Path) -> Result<Self> {
        let number = Self::numbers(vault_dir).last().map_or(1, |n| n + 1);
        Self::open(Self::path(vault_dir, number)).map_err(|Broken(reason)| {
            VaultError::io("making the store", std::io::Error::other(reason))
        })
    }

    /// Removes all stores but this one.
    pub(super) fn remove_others(&self, vault_dir: &Path) {
        for number in Self::numbers(vault_dir) {
            let path = Self::path(vault_dir, number);
            if path != self.dir {
                let _ = std::fs::remove_dir_all(path);
            }
        }
    }

    fn open(dir: PathBuf) -> Result<Self, Broken> {
        private_dir(&dir).map_err(|e| Broken(e.to_string()))?;
        // sled reads a snapshot whose writing was interrupted and then refuses to open.
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|e| e == "generating") {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        let config = sled::Config::new()
            .path(&dir)
            .cache_capacity(CACHE)
            .mode(sled::Mode::LowSpace)
            .flush_every_ms(Some(500));
        let mut attempt = 0;
        let db = loop {
            let opened = guarded(|| Ok(config.open()))?;
            match opened {
                Ok(db) => break db,
                Err(sled::Error::Io(e))
                    if attempt < LOCK_RETRIES && e.to_string().contains("lock") =>
                {
                    attempt += 1;
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(e) => return Err(Broken::sled(&e)),
            }
        };
        let _ = tighten(&dir);
        Ok(Self { db: Some(db), dir })
    }

    fn db(&self) -> Result<&sled::Db, Broken> {
        self.db.as_ref().ok_or_else(|| Broken("closed".into()))
    }

    /// The transaction up to which the store is complete.
    pub(super) fn applied(&self, keys: &KeyPage) -> Option<u64> {
        let place = store_key(keys, APPLIED, b"", 0);
        let stored = guarded(|| self.db()?.get(place).map_err(|e| Broken::sled(&e))).ok()??;
        let record = open_piece(keys, &place, &stored)?;
        (record.tree == APPLIED).then_some(record.seq)
    }

    /// Makes changes as a whole, all of transaction `seq`; `complete` says that the
    /// store then holds everything up to it.
    pub(super) fn write(
        &self,
        keys: &KeyPage,
        seq: u64,
        writes: &[Write<'_>],
        complete: bool,
    ) -> Result<(), Broken> {
        let mut batch = sled::Batch::default();
        for write in writes {
            let count = |len| pieces(write.key.len(), len);
            let old = write.before.map_or(0, |meta| 1 + count(meta.len as usize));
            let mut new = 0;
            if let Some((value, pack)) = write.after {
                let sealed = seal_record(keys, seq, write.tree, write.key, pack, value)
                    .map_err(|e| Broken(e.to_string()))?;
                for (place, stored) in sealed {
                    batch.insert(&place, stored);
                    new += 1;
                }
            }
            for piece in new..old {
                batch.remove(&store_key(keys, write.tree, write.key, piece));
            }
        }
        if complete {
            self.mark(keys, seq, &mut batch)?;
        }
        guarded(|| self.db()?.apply_batch(batch).map_err(|e| Broken::sled(&e)))
    }

    /// Rows of a checkpoint: each keeps the transaction that wrote it.
    pub(super) fn load(&self, keys: &KeyPage, rows: &[super::entry::Row]) -> Result<(), Broken> {
        let mut batch = sled::Batch::default();
        for row in rows {
            let sealed = seal_record(keys, row.seq, row.tree, &row.key, row.pack, &row.value)
                .map_err(|e| Broken(e.to_string()))?;
            for (place, stored) in sealed {
                batch.insert(&place, stored);
            }
        }
        guarded(|| self.db()?.apply_batch(batch).map_err(|e| Broken::sled(&e)))
    }

    /// Says that everything up to `seq` is in.
    pub(super) fn complete(&self, keys: &KeyPage, seq: u64) -> Result<(), Broken> {
        let mut batch = sled::Batch::default();
        self.mark(keys, seq, &mut batch)?;
        guarded(|| self.db()?.apply_batch(batch).map_err(|e| Broken::sled(&e)))
    }

    fn mark(&self, keys: &KeyPage, seq: u64, batch: &mut sled::Batch) -> Result<(), Broken> {
        let sealed =
            seal_record(keys, seq, APPLIED, b"", false, b"").map_err(|e| Broken(e.to_string()))?;
        for (place, stored) in sealed {
            batch.insert(&place, stored);
        }
        Ok(())
    }

    /// The value of a record, which must be exactly the one the index knows.
    pub(super) fn read(
        &self,
        keys: &KeyPage,
        tree: u16,
        key: &[u8],
        meta: Meta,
    ) -> Result<Vec<u8>, Broken> {
        let wrong = || Broken("a record is missing, old or changed".into());
        let place = store_key(keys, tree, key, 0);
        let record = self.piece(keys, &place)?.ok_or_else(wrong)?;
        let fits = record.seq == meta.seq
            && record.tree == tree
            && record.key == key
            && record.len == meta.len as usize
            && record.pack == meta.pack
            && !record.piece;
        if !fits {
            return Err(wrong());
        }
        self.rest(keys, tree, key, record)?.ok_or_else(wrong)
    }

    fn piece(
        &self,
        keys: &KeyPage,
        place: &[u8; 32],
    ) -> Result<Option<super::record::Record>, Broken> {
        let stored = guarded(|| self.db()?.get(place).map_err(|e| Broken::sled(&e)))?;
        Ok(stored.and_then(|stored| open_piece(keys, place, &stored)))
    }

    /// Joins the first piece with the further ones.
    fn rest(
        &self,
        keys: &KeyPage,
        tree: u16,
        key: &[u8],
        first: super::record::Record,
    ) -> Result<Option<Vec<u8>>, Broken> {
        let mut value = first.part;
        for piece in 1..=pieces(key.len(), first.len) {
            let place = store_key(keys, tree, key, piece);
            match self.piece(keys, &place)? {
                Some(next) if next.piece && next.seq == first.seq && next.tree == tree => {
                    value.extend_from_slice(&next.part);
                }
                _ => return Ok(None),
            }
        }
        Ok((value.len() == first.len).then_some(value))
    }

    /// Reads everything: the index and fingerprint of what the store holds. `None` if
    /// anything in it is not authentic.
    pub(super) fn survey(&self, keys: &KeyPage) -> Result<Option<(Index, SetHash)>, Broken> {
        guarded(|| {
            let mut records = Vec::new();
            for item in self.db()?.iter() {
                let (place, stored) = item.map_err(|e| Broken::sled(&e))?;
                let Ok(place) = <[u8; 32]>::try_from(place.as_ref()) else {
                    return Ok(None);
                };
                let Some(record) = open_piece(keys, &place, &stored) else {
                    return Ok(None);
                };
                if record.piece || record.tree == APPLIED {
                    continue;
                }
                let (seq, tree, pack, key) =
                    (record.seq, record.tree, record.pack, record.key.clone());
                let Some(value) = self.rest(keys, tree, &key, record)? else {
                    return Ok(None);
                };
                let meta = Meta {
                    seq,
                    len: u32::try_from(value.len()).unwrap_or(u32::MAX),
                    pack,
                };
                records.push((
                    tree,
                    key.clone(),
                    meta,
                    SetHash::of(keys, tree, &key, pack, seq, &value),
                ));
            }
            records.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
            let mut index = Index::default();
            let mut sum = SetHash::default();
            for (tree, key, meta, hash) in records {
                index.set(tree, &key, Some(meta));
                sum.add(hash);
            }
            Ok(Some((index, sum)))
        })
    }

    /// Closes and opens sled again. It keeps much of what it ever read or wrote in
    /// memory, whatever size its cache is given.
    pub(super) fn reopen(&mut self) -> Result<(), Broken> {
        self.flush();
        if let Some(db) = self.db.take() {
            let _ = catch_unwind(AssertUnwindSafe(move || drop(db)));
        }
        let mut opened = Self::open(self.dir.clone())?;
        self.db = opened.db.take();
        Ok(())
    }

    /// Hands what sled has buffered to the system. Only saves work at the next start.
    pub(super) fn flush(&self) {
        let _ = guarded(|| self.db()?.flush().map_err(|e| Broken::sled(&e)));
        let _ = tighten(&self.dir);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(db) = self.db.take() {
            let _ = catch_unwind(AssertUnwindSafe(move || drop(db)));
        }
    }
}
