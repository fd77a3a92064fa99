//! Writing the authority: journals and checkpoints, and where their files are.

use super::crypto::KeyPage;
use super::disk::{Disk, DiskFile};
use super::entry::{Page, Row, Tip};
use super::error::{Result, VaultError};
use super::frame::{FILE_HEADER, FileHeader, Kind, seal_frame};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A journal file is followed by a new one when it is longer than this.
pub(super) const ROTATE: u64 = 16 * 1024 * 1024;
/// Rows are put into checkpoint frames of about this size.
const PAGE: usize = 256 * 1024;
pub(super) const MILLIS_PER_DAY: u64 = 86_400_000;

/// The files of a vault.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) dir: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
}

impl Files {
    pub(super) fn header(&self) -> PathBuf {
        self.dir.join("vault.hdr")
    }

    pub(super) fn dir_of(&self, kind: Kind) -> PathBuf {
        self.dir.join(match kind {
            Kind::Journal => "journal",
            Kind::Checkpoint => "ckpt",
        })
    }

    pub(super) fn path(&self, kind: Kind, seq: u64) -> PathBuf {
        self.dir_of(kind).join(match kind {
            Kind::Journal => format!("J-{seq:016x}.vrj"),
            Kind::Checkpoint => format!("C-{seq:016x}.vrc"),
        })
    }

    /// The files of a kind with the number in their name, rising.
    pub(super) fn list(&self, kind: Kind) -> Result<Vec<(u64, PathBuf)>> {
        let (prefix, suffix) = match kind {
            Kind::Journal => ("J-", ".vrj"),
            Kind::Checkpoint => ("C-", ".vrc"),
        };
        let dir = self.dir_of(kind);
        let entries = std::fs::read_dir(&dir)
            .map_err(|e| VaultError::io(format!("reading {}", dir.display()), e))?;
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| VaultError::io("reading a directory", e))?;
            let name = entry.file_name();
            let number = name
                .to_str()
                .and_then(|n| n.strip_prefix(prefix)?.strip_suffix(suffix))
                .and_then(|n| u64::from_str_radix(n, 16).ok());
            if let Some(number) = number {
                found.push((number, entry.path()));
            }
        }
        found.sort();
        Ok(found)
    }

    /// Removes what no recovery needs any more: all but the two newest checkpoints, and
    /// journals that end before the older of these.
    pub(super) fn prune(&self) -> Result<()> {
        let remove = |path: &Path| {
            self.disk
                .remove(path)
                .map_err(|e| VaultError::io("removing an old file", e))
        };
        let checkpoints = self.list(Kind::Checkpoint)?;
        let Some(keep) = checkpoints.len().checked_sub(2) else {
            return Ok(());
        };
        for (_, path) in &checkpoints[..keep] {
            remove(path)?;
        }
        let needed_from = checkpoints[keep].0 + 1;
        let journals = self.list(Kind::Journal)?;
        for pair in journals.windows(2) {
            if pair[1].0 <= needed_from {
                remove(&pair[0].1)?;
            }
        }
        Ok(())
    }
}

pub(super) fn day(tip: &Tip) -> u64 {
    tip.hlc.millis / MILLIS_PER_DAY
}

/// The journal file that takes new transactions.
#[derive(Debug)]
pub(super) struct Journal {
    file: Box<dyn DiskFile>,
    /// Bytes that are known to be whole frames.
    pub(super) len: u64,
}

/// How an append failed, which decides whether another one may be tried.
#[derive(Debug)]
pub(super) enum AppendError {
    /// Nothing of it is left in the file; the next one may work.
    Undone(std::io::Error),
    /// What the disk holds is unknown. After a failed sync the system may have thrown
    /// the data away and say so only once, so nothing more may be written.
    Unknown(std::io::Error),
}

impl Journal {
    /// Starts the file for the transactions after `tip`.
    pub(super) fn start(files: &Files, keys: &KeyPage, tip: &Tip) -> Result<Self> {
        let header = FileHeader {
            seq: tip.seq + 1,
            head: tip.head,
            day: day(tip),
        };
        let path = files.path(Kind::Journal, header.seq);
        let started = || -> std::io::Result<Box<dyn DiskFile>> {
            let file = files.disk.create(&path)?;
            file.write_at(&header.encode(keys, Kind::Journal), 0)?;
            file.sync()?;
            files.disk.sync_dir(&files.dir_of(Kind::Journal))?;
            Ok(file)
        };
        Ok(Self {
            file: started().map_err(|e| VaultError::io("starting a journal", e))?,
            len: FILE_HEADER as u64,
        })
    }

    /// Goes on with a file whose first `len` bytes are whole frames; a torn end is cut.
    pub(super) fn resume(files: &Files, path: &Path, len: u64, torn: bool) -> Result<Self> {
        let resumed = || -> std::io::Result<Box<dyn DiskFile>> {
            let file = files.disk.open(path)?;
            if torn {
                file.truncate(len)?;
                file.sync()?;
            }
            Ok(file)
        };
        Ok(Self {
            file: resumed().map_err(|e| VaultError::io("opening the journal", e))?,
            len,
        })
    }

    /// Appends a frame. It is durable when this returns `Ok`.
    pub(super) fn append(&mut self, frame: &[u8]) -> Result<(), AppendError> {
        if let Err(error) = self.file.write_at(frame, self.len) {
            return Err(match self.file.truncate(self.len) {
                Ok(()) => AppendError::Undone(error),
                Err(_) => AppendError::Unknown(error),
            });
        }
        self.file.sync().map_err(AppendError::Unknown)?;
        self.len += frame.len() as u64;
        Ok(())
    }
}

/// Writes a checkpoint: everything there is at `tip`. `rows` hands over the records in
/// order, a few at a time. Returns the length of the file.
pub(super) fn write_checkpoint(
    files: &Files,
    keys: &KeyPage,
    tip: &Tip,
    rows: &mut dyn FnMut() -> Result<Vec<Row>>,
) -> Result<u64> {
    let io = |e| VaultError::io("writing a checkpoint", e);
    let header = FileHeader {
        seq: tip.seq,
        head: tip.head,
        day: day(tip),
    };
    let encoded = header.encode(keys, Kind::Checkpoint);
    let path = files.path(Kind::Checkpoint, tip.seq);
    let beside = path.with_extension("tmp");
    let file = files.disk.create(&beside).map_err(io)?;
    file.write_at(&encoded, 0).map_err(io)?;
    let mut len = FILE_HEADER as u64;
    let mut head = header.first_head(Kind::Checkpoint, &encoded);
    let mut number = 0;
    let mut write = |page: Page| -> Result<()> {
        let frame = seal_frame(keys, Kind::Checkpoint, number, &head, page.encode())?;
        file.write_at(&frame.bytes, len).map_err(io)?;
        len += frame.bytes.len() as u64;
        head = frame.head;
        number += 1;
        Ok(())
    };
    let mut page = Vec::new();
    let mut size = 0;
    loop {
        let more = rows()?;
        let done = more.is_empty();
        for row in more {
            size += row.key.len() + row.value.len() + 17;
            page.push(row);
            if size >= PAGE {
                write(Page::Rows(std::mem::take(&mut page)))?;
                size = 0;
            }
        }
        if done {
            break;
        }
    }
    if !page.is_empty() {
        write(Page::Rows(page))?;
    }
    write(Page::End {
        hlc: tip.hlc,
        count: tip.count,
        set_hash: tip.set_hash,
    })?;
    file.sync().map_err(io)?;
    files.disk.rename(&beside, &path).map_err(io)?;
    files
        .disk
        .sync_dir(&files.dir_of(Kind::Checkpoint))
        .map_err(io)?;
    Ok(len)
}
