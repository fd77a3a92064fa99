//! What can go wrong with a vault.

use std::io;
use std::path::PathBuf;

/// A vault operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// No slot of the header opens with this secret. Says nothing about how near it was.
    #[error("wrong passphrase, recovery code or key")]
    WrongSecret,
    /// The passphrase may not be used.
    #[error("passphrase refused: {0}")]
    WeakPassphrase(&'static str),
    /// The text is not a recovery code (its checksum does not fit).
    #[error("not a recovery code: check for mistyped characters")]
    BadRecoveryCode,
    /// Another process has the vault open.
    #[error("the vault is open in another process")]
    AlreadyOpen,
    /// There is a vault in the directory already.
    #[error("there is already a vault in {0}")]
    Exists(PathBuf),
    /// There is no vault in the directory.
    #[error("there is no vault in {0}")]
    Missing(PathBuf),
    /// The vault was locked; open it again.
    #[error("the vault is locked")]
    Locked,
    /// The vault only answers reads, for the reason given.
    #[error("the vault is read-only: {0}")]
    ReadOnly(String),
    /// Stored bytes were changed, lost or rolled back and could not be repaired.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// The disk is full. Reads still work.
    #[error("the disk is full: nothing was written")]
    DiskFull,
    /// A newer format, or one we do not know.
    #[error("unsupported vault format: {0}")]
    UnsupportedFormat(String),
    /// A key, value or transaction is over its limit.
    #[error("{what} is {size} bytes, the limit is {limit}")]
    TooLarge {
        /// Which thing.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The last slot that is known to work may not be removed.
    #[error("this is the last slot proven to open the vault; add and use another one first")]
    LastSlot,
    /// No such slot, or no free one.
    #[error("slot: {0}")]
    Slot(&'static str),
    /// A stored value is not what its collection expects.
    #[error("a record of {collection} cannot be read: {reason}")]
    Decode {
        /// Name of the tree.
        collection: &'static str,
        /// What the decoder said; never holds the value.
        reason: String,
    },
    /// A backup or restore failed on the archive's side.
    #[error("archive: {0}")]
    Archive(String),
    /// The ledger's chain is broken at an entry.
    #[error("ledger entry {0} does not fit the chain")]
    LedgerBroken(u64),
    /// The system refused.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The random number source of the system failed.
    #[error("no random numbers from the system")]
    Random,
}

/// What was found broken, what it costs and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file or part concerned.
    pub what: String,
    /// The last transaction that is intact.
    pub intact: u64,
    /// The last transaction known to have been acknowledged, where that is known.
    pub expected: Option<u64>,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the vault is damaged: {}. ", self.what)?;
        match self.expected {
            Some(expected) if expected > self.intact => write!(
                f,
                "Transactions {} to {expected} are missing. ",
                self.intact + 1
            )?,
            _ => write!(f, "Intact up to transaction {}. ", self.intact)?,
        }
        write!(
            f,
            "Restore a backup, or open with the loss accepted to keep what is intact."
        )
    }
}

/// The result of vault operations.
pub type Result<T, E = VaultError> = std::result::Result<T, E>;

impl VaultError {
    /// Wraps a system error with what was being done; a full disk gets its own variant.
    pub(super) fn io(context: impl Into<String>, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io {
                context: context.into(),
                source,
            },
        }
    }

    pub(super) fn damaged(what: impl Into<String>, intact: u64, expected: Option<u64>) -> Self {
        Self::Damaged(Box::new(Damage {
            what: what.into(),
            intact,
            expected,
        }))
    }
}
