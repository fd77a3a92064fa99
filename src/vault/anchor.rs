//! The anchor: a small file outside the vault's directory that remembers the last
//! transaction, so that an old copy of the whole vault does not pass for the newest.
//! Layout in `docs/vault-format.md`, section "Anchor".

use super::bytes::{Reader, put};
use super::crypto::{KEY, KeyPage, Name, mac, mac_fits};
use super::disk::{Disk, DiskFile, private_dir, replace};
use super::entry::{Tip, hlc, put_hlc};
use super::error::{Result, VaultError};
use std::path::Path;

/// Bytes of one of the two slots.
const SLOT: usize = 256;
const MAGIC: &[u8; 8] = b"VRMANC\r\n";
/// The anchor is synced after this many transactions; between them the system may
/// still hold it in memory, which the death of this process does not touch.
const SYNC_EVERY: u64 = 64;

/// What the anchor remembers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    /// Generation of the header.
    pub(super) generation: u64,
    pub(super) tip: Tip,
}

/// What was found when the vault was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// No file.
    Missing,
    /// A file of which no slot is authentic.
    Bad,
    /// The newer authentic slot; whether the other one was authentic too.
    Good(Mark, bool),
}

pub(super) fn encode(keys: &KeyPage, mark: &Mark, counter: u64) -> [u8; SLOT] {
    let mut out = Vec::with_capacity(SLOT);
    put(&mut out, MAGIC);
    put(&mut out, &1u16.to_be_bytes());
    put(&mut out, &[0; 6]);
    put(&mut out, keys.vault_id());
    put(&mut out, &counter.to_be_bytes());
    put(&mut out, &mark.generation.to_be_bytes());
    put(&mut out, &mark.tip.seq.to_be_bytes());
    put(&mut out, &mark.tip.head);
    put(&mut out, &mark.tip.count.to_be_bytes());
    put(&mut out, &mark.tip.set_hash);
    put_hlc(&mut out, &mark.tip.hlc);
    out.resize(SLOT - KEY, 0);
    let tag = mac(keys.key(Name::Anchor), &[&out]);
    put(&mut out, &tag);
    out.try_into().expect("invariant: the fields fill it")
}

fn decode(keys: &KeyPage, bytes: &[u8]) -> Option<(u64, Mark)> {
    let (body, tag) = bytes.split_at_checked(SLOT - KEY)?;
    if !mac_fits(keys.key(Name::Anchor), &[body], tag) {
        return None;
    }
    let mut r = Reader::new(body);
    if r.take(8)? != MAGIC || r.u16()? != 1 {
        return None;
    }
    r.zeros(6)?;
    if r.take(16)? != keys.vault_id() {
        return None;
    }
    let counter = r.u64()?;
    let generation = r.u64()?;
    let tip = Tip {
        seq: r.u64()?,
        head: r.array()?,
        count: r.u64()?,
        set_hash: r.array()?,
        hlc: hlc(&mut r)?,
    };
    r.padding()?;
    Some((counter, Mark { generation, tip }))
}

/// Reads the anchor file.
pub(super) fn find(keys: &KeyPage, path: &Path) -> Result<Found> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Missing),
        Err(e) => return Err(VaultError::io("reading the anchor", e)),
    };
    let slots: Vec<_> = bytes
        .chunks_exact(SLOT)
        .take(2)
        .filter_map(|s| decode(keys, s))
        .collect();
    let whole = slots.len() == 2 && bytes.len() == 2 * SLOT;
    Ok(slots
        .into_iter()
        .max_by_key(|(counter, _)| *counter)
        .map_or(Found::Bad, |(_, mark)| Found::Good(mark, whole)))
}

/// The anchor of an open vault.
#[derive(Debug)]
pub(super) struct Anchor {
    file: Option<Box<dyn DiskFile>>,
    counter: u64,
}

impl Anchor {
    /// The anchor of a vault that is open for reading only.
    pub(super) fn closed() -> Self {
        Self {
            file: None,
            counter: 2,
        }
    }

    /// Writes both slots anew and keeps the file open. An anchor that cannot be written
    /// costs the detection of rollbacks, not data: the caller tells and goes on.
    pub(super) fn create(
        disk: &dyn Disk,
        keys: &KeyPage,
        path: &Path,
        mark: &Mark,
    ) -> (Self, std::io::Result<()>) {
        let mut anchor = Self {
            file: None,
            counter: 2,
        };
        let mut bytes = encode(keys, mark, 1).to_vec();
        bytes.extend_from_slice(&encode(keys, mark, 2));
        let result = path
            .parent()
            .map_or(Ok(()), private_dir)
            .and_then(|()| replace(disk, path, &bytes))
            .and_then(|()| disk.open(path))
            .map(|file| anchor.file = Some(file));
        (anchor, result)
    }

    /// Overwrites the older slot.
    pub(super) fn set(&mut self, keys: &KeyPage, mark: &Mark) -> std::io::Result<()> {
        let Some(file) = &self.file else {
            return Err(std::io::Error::other("the anchor could not be created"));
        };
        self.counter += 1;
        let at = if self.counter % 2 == 1 {
            0
        } else {
            SLOT as u64
        };
        file.write_at(&encode(keys, mark, self.counter), at)?;
        if self.counter.is_multiple_of(SYNC_EVERY) {
            file.sync()?;
        }
        Ok(())
    }

    /// Writes both slots and syncs: the vault is closed properly.
    pub(super) fn seal(&mut self, keys: &KeyPage, mark: &Mark) -> std::io::Result<()> {
        self.set(keys, mark)?;
        self.set(keys, mark)?;
        self.file.as_ref().map_or(Ok(()), |file| file.sync())
    }
}
