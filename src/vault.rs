//! The encrypted vault.
//!
//! An append-only encrypted **journal** is the authority: a transaction is one frame,
//! synced before it is acknowledged. **Checkpoints** hold the whole state from time to
//! time. An **anchor** outside the directory remembers the newest transaction, so that
//! an old copy is noticed. Values are read from **sled**, which is only an index: it is
//! checked on every read and rebuilt whenever it is wrong. `docs/vault-format.md`
//! describes every byte.
//!
//! ```no_run
//! use emptor::vault::{Options, Secret, Tree, Vault, VaultPaths};
//!
//! const NOTES: Tree = Tree::new(1, "notes");
//! let paths = VaultPaths::new("/home/me/vault", "/home/me/state/anchor");
//! let vault = Vault::open(&paths, &Secret::passphrase("six random words"), Options::default())?;
//! vault.transaction(|tx| tx.put(NOTES, b"a", b"hello"))?;
//! assert_eq!(vault.get(NOTES, b"a")?.as_deref(), Some(&b"hello"[..]));
//! # Ok::<(), emptor::vault::VaultError>(())
//! ```

mod anchor;
mod backup;
mod bytes;
mod collection;
mod commit;
mod crypto;
mod disk;
mod entry;
mod error;
mod frame;
#[cfg(fuzzing)]
pub mod fuzz;
mod harden;
mod header;
mod index;
mod journal;
mod kdf;
mod ledger;
mod locked;
mod notice;
mod open;
mod overlay;
mod read;
mod record;
mod recover;
mod secret;
mod slots;
mod store;
mod tar;
#[cfg(test)]
mod tests;
mod transaction;
#[cfg(test)]
mod vectors;
mod verify;

pub use age::secrecy::{ExposeSecret, SecretBox, SecretString};
pub use backup::{BackupKey, BackupTo};
pub use collection::{Collection, Log, Source};
pub use disk::{Disk, DiskFile, RealDisk};
pub use entry::{MAX_KEY, MAX_VALUE};
pub use error::{Damage, Result, VaultError};
pub use harden::harden_process;
pub use header::{SlotInfo, SlotKind};
pub use kdf::KdfCost;
pub use ledger::{Disclosure, LedgerEntry, LedgerHead};
pub use read::Entry;
pub use secret::{RecoveryCode, Secret, check_passphrase};
pub use transaction::Transaction;
pub use verify::Verification;

use crate::model::time::Timestamp;
use anchor::{Anchor, Mark};
use crypto::{KeyPage, Name, hex};
use entry::Tip;
use header::Header;
use index::{Index, Meta};
use journal::{Files, Journal, ROTATE};
use recover::{Replay, origin};
use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use store::{Broken, Store};

/// Where a vault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPaths {
    /// The directory of the vault; nothing else is in it.
    pub dir: PathBuf,
    /// The anchor file, in another directory, best on another disk: whoever puts back an
    /// old copy of the vault must not put back the anchor with it.
    pub anchor: PathBuf,
}

impl VaultPaths {
    /// Both paths.
    pub fn new(dir: impl Into<PathBuf>, anchor: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            anchor: anchor.into(),
        }
    }
}

/// A named set of records. The number is stored, the name is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tree {
    id: u16,
    name: &'static str,
}

impl Tree {
    /// Declares a tree.
    ///
    /// # Panics
    /// Numbers from 0xFF00 are the vault's own; using one fails to compile in a `const`.
    #[must_use]
    pub const fn new(id: u16, name: &'static str) -> Self {
        assert!(id < record::RESERVED, "reserved tree number");
        Self { id, name }
    }

    const fn reserved(id: u16, name: &'static str) -> Self {
        Self { id, name }
    }

    /// Its number.
    #[must_use]
    pub const fn id(self) -> u16 {
        self.id
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// What to do with a vault that is damaged beyond repair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDamage {
    /// Refuse, and say what is missing.
    #[default]
    Refuse,
    /// Open what is intact, for reading only.
    ReadOnly,
    /// Give up what is missing and go on from what is intact.
    AcceptLoss,
}

/// Choices for making and opening a vault.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cost of passphrases set from now on.
    pub kdf: KdfCost,
    /// What to do about damage.
    pub on_damage: OnDamage,
    /// The wall clock.
    pub clock: fn() -> Timestamp,
    /// How files are written; tests put faults here.
    pub disk: Arc<dyn Disk>,
    /// A checkpoint is written when the journal since the last one is longer than this
    /// and than a quarter of that checkpoint.
    pub checkpoint_after: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kdf: KdfCost::DEFAULT,
            on_damage: OnDamage::Refuse,
            clock: Timestamp::now,
            disk: Arc::new(RealDisk),
            checkpoint_after: ROTATE,
        }
    }
}

/// Something worth telling the owner that did not stop the vault from opening.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The anchor is missing: an old copy of the vault would not have been noticed.
    AnchorMissing,
    /// The anchor was damaged, entirely or in one of its two places, and was renewed.
    AnchorDamaged,
    /// The anchor cannot be written.
    AnchorUnwritable(String),
    /// One copy of the header was damaged or old and was renewed.
    HeaderRepaired,
    /// A write that was never acknowledged was cut off.
    TornWrite,
    /// A checkpoint is damaged; an older one was used.
    CheckpointDamaged(String),
    /// The journal is damaged; everything was recovered from the store.
    JournalRepaired(String),
    /// The store was damaged or missing and was rebuilt.
    StoreRebuilt,
    /// Transactions up to the second number are lost; the first one is the last intact.
    LossAccepted(u64, u64),
    /// Keys could not be locked into memory and may reach the swap space.
    KeysNotLocked,
    /// No space for the ballast file that keeps a full disk from stopping the vault.
    NoBallast,
}

/// State of an open vault.
#[derive(Clone, Debug)]
pub struct Status {
    /// Number of the last transaction.
    pub seq: u64,
    /// Records of all trees, tombstones included.
    pub records: u64,
    /// Bytes of journal since the last checkpoint.
    pub journal_bytes: u64,
    /// Why nothing can be written, if so.
    pub read_only: Option<String>,
    /// What was found when opening and since.
    pub notices: Vec<Notice>,
    /// The header's slots.
    pub slots: Vec<SlotInfo>,
    /// This device's number in hybrid clock readings.
    pub device: u32,
    /// Head of the journal's chain, in hex: printed on paper it proves a state.
    pub head: String,
}

/// What readers share.
struct View {
    keys: Arc<KeyPage>,
    index: Index,
    store: Store,
    tip: Tip,
    /// Records that are in the journal but could not be written to the store.
    unstored: HashMap<(u16, Vec<u8>), (u64, Vec<u8>)>,
}

/// What the one writer holds.
struct Writer {
    keys: Arc<KeyPage>,
    header: Header,
    journal: Option<Journal>,
    anchor: Anchor,
    read_only: Option<String>,
    notices: Vec<Notice>,
    since_checkpoint: u64,
    checkpoint_len: u64,
    /// Held for as long as the vault is open.
    _lock: File,
}

struct Inner {
    files: Files,
    options: Options,
    // Lock order: writer, then view.
    writer: Mutex<Option<Writer>>,
    view: RwLock<Option<View>>,
}

/// A handle to an open vault. Clones share it. Calls block; a panic in one of them
/// leaves the vault usable, because state changes only after the journal has it.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("dir", &self.inner.files.dir)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> RwLockReadGuard<'_, Option<View>> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `f` on the view; if the store turns out to be broken, builds a new one from
    /// the journal and runs `f` once more.
    fn read<T>(&self, mut f: impl FnMut(&View) -> Result<T, Broken>) -> Result<T> {
        let broken = match self.view().as_ref() {
            None => return Err(VaultError::Locked),
            Some(view) => match f(view) {
                Ok(value) => return Ok(value),
                Err(broken) => broken,
            },
        };
        tracing::warn!(reason = %broken.0, "the vault's store is damaged; rebuilding it");
        self.rebuild()?;
        match self.view().as_ref() {
            None => Err(VaultError::Locked),
            Some(view) => f(view).map_err(|Broken(reason)| {
                VaultError::damaged(
                    format!("the store, after rebuilding it: {reason}"),
                    view.tip.seq,
                    None,
                )
            }),
        }
    }

    /// Replaces the store by one made from checkpoint and journal.
    fn rebuild(&self) -> Result<()> {
        let mut guard = self.view.write().unwrap_or_else(PoisonError::into_inner);
        let view = guard.as_mut().ok_or(VaultError::Locked)?;
        let store = Store::fresh(&self.files.dir)?;
        let replay = Replay {
            files: &self.files,
            keys: &view.keys,
            store: &store,
            applied: None,
            limit: view.tip.seq,
            anchor: None,
            origin: origin(view.tip.hlc.device),
        };
        let (replayed, _) = open::replay_newest(&replay, &self.files)?;
        if replayed.tip.seq != view.tip.seq || replayed.tip.head != view.tip.head {
            return Err(VaultError::damaged(
                "the store and the journal",
                replayed.tip.seq,
                Some(view.tip.seq),
            ));
        }
        view.index = replayed.index;
        view.unstored.clear();
        view.store = store;
        view.store.remove_others(&self.files.dir);
        Ok(())
    }

    fn with_key<T>(&self, name: Name, f: impl FnOnce(&[u8; 32]) -> T) -> Result<T> {
        let view = self.view();
        Ok(f(view.as_ref().ok_or(VaultError::Locked)?.keys.key(name)))
    }

    fn value(&self, tree: u16, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.read(|view| match view.index.get(tree, key) {
            None => Ok(None),
            Some(meta) => view.value(tree, key, meta).map(Some),
        })
    }
}

impl View {
    fn value(&self, tree: u16, key: &[u8], meta: Meta) -> Result<Vec<u8>, Broken> {
        if !self.unstored.is_empty()
            && let Some((seq, value)) = self.unstored.get(&(tree, key.to_vec()))
            && *seq == meta.seq
        {
            return Ok(value.clone());
        }
        self.store.read(&self.keys, tree, key, meta)
    }
}

impl Vault {
    /// Makes a vault with one passphrase and one recovery code, and opens it. The code
    /// is returned once and stored nowhere.
    ///
    /// # Errors
    /// There is a vault already, the passphrase is too weak, or the system refuses.
    pub fn create(
        paths: &VaultPaths,
        passphrase: &SecretString,
        options: Options,
    ) -> Result<(Self, RecoveryCode)> {
        open::create(paths, passphrase, options)
    }

    /// Opens a vault, repairing what can be repaired.
    ///
    /// # Errors
    /// [`VaultError::WrongSecret`], [`VaultError::AlreadyOpen`], [`VaultError::Damaged`],
    /// [`VaultError::Missing`] or the system's refusal.
    pub fn open(paths: &VaultPaths, secret: &Secret, options: Options) -> Result<Self> {
        open::open(paths, secret, options)
    }

    /// Whether there is a vault at `paths`.
    #[must_use]
    pub fn exists(paths: &VaultPaths) -> bool {
        paths.dir.join("vault.hdr").exists()
    }

    /// Makes changes that happen as a whole or not at all. When this returns `Ok` they
    /// are on the disk. Transactions run one after the other; inside `f` read through
    /// the transaction, which sees its own changes.
    ///
    /// # Errors
    /// What `f` returns (then nothing is changed); [`VaultError::DiskFull`] (nothing was
    /// changed); [`VaultError::ReadOnly`] after a failed sync, until the vault is opened
    /// again.
    pub fn transaction<T, E: From<VaultError>>(
        &self,
        f: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut guard = self.inner.writer();
        let writer = guard.as_mut().ok_or(VaultError::Locked)?;
        if let Some(reason) = &writer.read_only {
            return Err(VaultError::ReadOnly(reason.clone()).into());
        }
        let tip = self.inner.view().as_ref().ok_or(VaultError::Locked)?.tip;
        let hlc = tip
            .hlc
            .tick((self.inner.options.clock)(), writer.header.device);
        let mut tx = Transaction::new(&self.inner, hlc);
        let out = f(&mut tx)?;
        let (ops, overlay) = tx.finish();
        if !ops.is_empty() {
            self.inner.commit(writer, tip, hlc, ops, &overlay)?;
        }
        Ok(out)
    }

    fn with_key<T>(&self, name: Name, f: impl FnOnce(&[u8; 32]) -> T) -> Result<T> {
        self.inner.with_key(name, f)
    }

    /// What there is to know about the vault.
    ///
    /// # Errors
    /// The vault is locked.
    pub fn status(&self) -> Result<Status> {
        let guard = self.inner.writer();
        let writer = guard.as_ref().ok_or(VaultError::Locked)?;
        let view = self.inner.view();
        let view = view.as_ref().ok_or(VaultError::Locked)?;
        Ok(Status {
            seq: view.tip.seq,
            records: view.tip.count,
            journal_bytes: writer.since_checkpoint,
            read_only: writer.read_only.clone(),
            notices: writer.notices.clone(),
            slots: writer.header.slots(),
            device: writer.header.device,
            head: hex(&view.tip.head),
        })
    }

    /// Gives memory back that the store holds on to after many reads or writes. Takes
    /// about as long as opening the vault; call it when there is nothing else to do.
    ///
    /// # Errors
    /// The vault is locked, or damaged beyond what its journal can repair.
    pub fn release_memory(&self) -> Result<()> {
        let reopened = {
            let mut guard = self
                .inner
                .view
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            guard.as_mut().ok_or(VaultError::Locked)?.store.reopen()
        };
        if reopened.is_err() {
            self.inner.rebuild()?;
        }
        locked::trim_heap();
        Ok(())
    }

    /// Whether [`Vault::lock`] was called on this handle or a clone of it.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.inner.view().is_none()
    }

    /// Closes the vault for all handles and overwrites its keys. Waits for running
    /// transactions and reads.
    pub fn lock(&self) {
        self.inner.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl Writer {
    /// Moves the anchor on. That it cannot be written costs the detection of old copies
    /// put back, not data.
    fn anchor(&mut self, mark: &Mark) {
        if let Err(error) = self.anchor.set(&self.keys, mark) {
            self.notice(Notice::AnchorUnwritable(error.to_string()));
        }
    }

    fn notice(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) {
            tracing::warn!(?notice, "vault");
            self.notices.push(notice);
        }
    }
}
