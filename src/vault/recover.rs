//! From the files to a consistent state: the newest intact checkpoint, the journals
//! after it, and the store brought up to date. Decides what is a torn write, what is
//! damage, and what can be repaired from the other copy of the data.

use super::anchor::Mark;
use super::crypto::{KEY, KeyPage};
use super::entry::{Page, Tip, Transaction};
use super::error::{Result, VaultError};
use super::frame::{FILE_HEADER, FileHeader, FrameReader, Kind, Next};
use super::index::{Index, Meta};
use super::journal::Files;
use super::overlay::{Base, Overlay, apply_to_index};
use super::store::{Broken, Store, Write};
use crate::model::time::Hlc;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// How a journal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// After a whole frame.
    Clean,
    /// In the middle of one that was never acknowledged.
    Torn,
    /// With bytes that were changed, or too early.
    Broken(String),
}

/// What replaying led to.
pub(super) struct Replayed {
    pub(super) index: Index,
    pub(super) tip: Tip,
    pub(super) end: End,
    /// The last journal read, and how many of its bytes are whole frames.
    pub(super) last: Option<(PathBuf, u64)>,
    /// Journals from the first broken one on.
    pub(super) broken: Vec<PathBuf>,
    /// Bytes of journal replayed.
    pub(super) bytes: u64,
    /// Head of the chain at the anchor's transaction, if it was passed.
    pub(super) at_anchor: Option<[u8; KEY]>,
}

/// Why replaying stopped without a result.
pub(super) enum Failed {
    /// The checkpoint is not intact: take the one before.
    Checkpoint(String),
    /// The store is not what it should be: make a new one.
    Store(Broken),
    /// The system refused.
    Vault(VaultError),
}

impl From<VaultError> for Failed {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        Self::Store(broken)
    }
}

/// State of a vault before its first transaction.
pub(super) fn origin(device: u32) -> Tip {
    Tip {
        seq: 0,
        head: [0; KEY],
        hlc: Hlc {
            millis: 0,
            counter: 0,
            device,
        },
        count: 0,
        set_hash: [0; KEY],
    }
}

/// One run over checkpoint and journals.
pub(super) struct Replay<'a> {
    pub(super) files: &'a Files,
    pub(super) keys: &'a KeyPage,
    pub(super) store: &'a Store,
    /// Up to where the store is complete; transactions after it are applied to it.
    /// `None` for an empty store.
    pub(super) applied: Option<u64>,
    /// Stop after this transaction.
    pub(super) limit: u64,
    pub(super) anchor: Option<&'a Mark>,
    pub(super) origin: Tip,
}

struct IndexAndStore<'a> {
    keys: &'a KeyPage,
    index: &'a Index,
    store: &'a Store,
}

impl Base for IndexAndStore<'_> {
    type Error = Broken;

    fn last_pack(&self, tree: u16, stream: &[u8]) -> Result<Option<(u32, Meta)>, Broken> {
        Ok(self.index.last_pack(tree, stream))
    }

    fn value(&self, tree: u16, key: &[u8], meta: Meta) -> Result<Vec<u8>, Broken> {
        self.store.read(self.keys, tree, key, meta)
    }
}

pub(super) fn open_file(path: &Path) -> Result<(BufReader<File>, u64)> {
    let io = |e| VaultError::io(format!("reading {}", path.display()), e);
    let file = File::open(path).map_err(io)?;
    let len = file.metadata().map_err(io)?.len();
    Ok((BufReader::with_capacity(64 * 1024, file), len))
}

/// The header of a journal or checkpoint; `None` if it is not intact.
pub(super) fn read_header(
    keys: &KeyPage,
    kind: Kind,
    source: &mut impl Read,
    len: u64,
) -> Result<Option<(FileHeader, [u8; FILE_HEADER])>> {
    if len < FILE_HEADER as u64 {
        return Ok(None);
    }
    let mut bytes = [0; FILE_HEADER];
    source
        .read_exact(&mut bytes)
        .map_err(|e| VaultError::io("reading a file header", e))?;
    Ok(FileHeader::decode(keys, kind, &bytes).map(|header| (header, bytes)))
}

/// Reads a checkpoint, handing its pages to `visit`. The result is the state it holds.
pub(super) fn read_checkpoint<E: From<VaultError>>(
    keys: &KeyPage,
    number: u64,
    path: &Path,
    visit: &mut dyn FnMut(&[super::entry::Row]) -> Result<(), E>,
) -> Result<Result<Tip, String>, E> {
    let bad = |what: &str| Ok(Err(format!("checkpoint {number}: {what}")));
    let (mut source, len) = open_file(path)?;
    let Some((header, encoded)) = read_header(keys, Kind::Checkpoint, &mut source, len)? else {
        return bad("its header was changed");
    };
    if header.seq != number {
        return bad("it has another checkpoint's name");
    }
    let head = header.first_head(Kind::Checkpoint, &encoded);
    let mut frames = FrameReader::new(source, keys, Kind::Checkpoint, 0, head, len);
    loop {
        let Next::Frame(plain) = frames.next()? else {
            return bad("bytes were changed or are missing");
        };
        match Page::decode(&plain) {
            None => return bad("a page cannot be read"),
            Some(Page::Rows(rows)) => visit(&rows)?,
            Some(Page::End {
                hlc,
                count,
                set_hash,
            }) => {
                if !matches!(frames.next()?, Next::End) {
                    return bad("bytes follow its end");
                }
                return Ok(Ok(Tip {
                    seq: header.seq,
                    head: header.head,
                    hlc,
                    count,
                    set_hash,
                }));
            }
        }
    }
}

impl Replay<'_> {
    /// # Errors
    /// See [`Failed`].
    pub(super) fn run(&self, checkpoint: Option<&(u64, PathBuf)>) -> Result<Replayed, Failed> {
        let mut out = Replayed {
            index: Index::default(),
            tip: self.origin,
            end: End::Clean,
            last: None,
            broken: Vec::new(),
            bytes: 0,
            at_anchor: None,
        };
        if let Some((number, path)) = checkpoint {
            self.checkpoint(*number, path, &mut out)?;
        }
        self.note_anchor(&mut out);
        let mut journals = self.files.list(Kind::Journal)?;
        // Skip files that end before the checkpoint.
        let start = journals
            .iter()
            .rposition(|(first, _)| *first <= out.tip.seq + 1)
            .unwrap_or(0);
        journals.drain(..start);
        for (i, (first, path)) in journals.iter().enumerate() {
            let is_last = i + 1 == journals.len();
            self.journal(*first, path, is_last, &mut out)?;
            if out.end != End::Clean {
                if matches!(out.end, End::Broken(_)) {
                    out.broken = journals[i..].iter().map(|(_, path)| path.clone()).collect();
                }
                break;
            }
            if out.tip.seq >= self.limit {
                break;
            }
        }
        if self.applied.is_none_or(|applied| applied < out.tip.seq) {
            self.store.complete(self.keys, out.tip.seq)?;
        }
        Ok(out)
    }

    fn note_anchor(&self, out: &mut Replayed) {
        if self.anchor.is_some_and(|mark| mark.tip.seq == out.tip.seq) {
            out.at_anchor = Some(out.tip.head);
        }
    }

    fn checkpoint(&self, number: u64, path: &Path, out: &mut Replayed) -> Result<(), Failed> {
        let index = &mut out.index;
        let read = read_checkpoint::<Failed>(self.keys, number, path, &mut |rows| {
            if self.applied.is_none() {
                self.store.load(self.keys, rows)?;
            }
            for row in rows {
                let meta = Meta {
                    seq: row.seq,
                    len: u32::try_from(row.value.len()).unwrap_or(u32::MAX),
                    pack: row.pack,
                };
                index.set(row.tree, &row.key, Some(meta));
            }
            Ok(())
        })?;
        let tip = read.map_err(Failed::Checkpoint)?;
        if out.index.total() != tip.count {
            return Err(Failed::Checkpoint(format!(
                "checkpoint {number}: wrong count"
            )));
        }
        out.tip = tip;
        Ok(())
    }

    /// Replays one file. Problems of its contents end up in `out.end`.
    fn journal(
        &self,
        first: u64,
        path: &Path,
        is_last: bool,
        out: &mut Replayed,
    ) -> Result<(), Failed> {
        let broken = |what: &str| End::Broken(format!("journal {first}: {what}"));
        let (mut source, len) = open_file(path)?;
        let Some((header, _)) = read_header(self.keys, Kind::Journal, &mut source, len)? else {
            // A file that was being started when the power went: nothing in it was
            // acknowledged, if the anchor agrees.
            let started =
                is_last && len <= FILE_HEADER as u64 && self.unacknowledged(out.tip.seq + 1);
            out.end = if started && first == out.tip.seq + 1 {
                out.last = None;
                End::Torn
            } else {
                broken("its header was changed")
            };
            return Ok(());
        };
        if header.seq != first || first > out.tip.seq + 1 {
            out.end = broken("transactions before it are missing");
            return Ok(());
        }
        let behind = first <= out.tip.seq;
        if !behind && header.head != out.tip.head {
            out.end = broken("it does not continue the one before");
            return Ok(());
        }
        let mut frames =
            FrameReader::new(source, self.keys, Kind::Journal, first, header.head, len);
        let end = loop {
            if out.tip.seq >= self.limit {
                break End::Clean;
            }
            let seq = frames.seq;
            match frames.next()? {
                Next::End => break End::Clean,
                Next::Bad { more } if is_last && !more && self.unacknowledged(seq) => {
                    break End::Torn;
                }
                Next::Bad { .. } => {
                    break broken(&format!("transaction {seq} was changed or cut off"));
                }
                Next::Frame(_) if seq <= out.tip.seq => {}
                Next::Frame(plain) => {
                    let Some(transaction) = Transaction::decode(&plain) else {
                        break broken(&format!("transaction {seq} cannot be read"));
                    };
                    self.transaction(seq, &transaction, out)?;
                    out.tip = Tip {
                        seq,
                        head: frames.head,
                        hlc: transaction.hlc,
                        count: transaction.count,
                        set_hash: transaction.set_hash,
                    };
                    if out.index.total() != out.tip.count {
                        break broken(&format!("after transaction {seq} the count is wrong"));
                    }
                    self.note_anchor(out);
                }
            }
        };
        out.last = Some((path.to_owned(), frames.offset));
        out.bytes += frames.offset;
        out.end = end;
        Ok(())
    }

    /// Whether transaction `seq` may be one whose writing was interrupted.
    fn unacknowledged(&self, seq: u64) -> bool {
        self.anchor.is_none_or(|mark| seq > mark.tip.seq)
    }

    fn transaction(
        &self,
        seq: u64,
        transaction: &Transaction,
        out: &mut Replayed,
    ) -> Result<(), Failed> {
        if self.applied.is_some_and(|applied| seq <= applied) {
            for op in &transaction.ops {
                apply_to_index(&mut out.index, op, seq);
            }
            return Ok(());
        }
        let base = IndexAndStore {
            keys: self.keys,
            index: &out.index,
            store: self.store,
        };
        let mut overlay = Overlay::default();
        for op in &transaction.ops {
            overlay.apply(&base, op)?;
        }
        write_through(self.keys, self.store, &mut out.index, seq, &overlay)?;
        Ok(())
    }
}

/// Writes the effect of transaction `seq` to the store and then to the index.
pub(super) fn write_through(
    keys: &KeyPage,
    store: &Store,
    index: &mut Index,
    seq: u64,
    overlay: &Overlay,
) -> Result<(), Broken> {
    let writes: Vec<Write<'_>> = overlay
        .writes
        .iter()
        .map(|((tree, key), after)| Write {
            tree: *tree,
            key,
            before: index.get(*tree, key),
            after: after
                .as_ref()
                .map(|(value, pack)| (value.as_slice(), *pack)),
        })
        .collect();
    let written = store.write(keys, seq, &writes, true);
    for ((tree, key), after) in &overlay.writes {
        let meta = after.as_ref().map(|(value, pack)| Meta {
            seq,
            len: u32::try_from(value.len()).unwrap_or(u32::MAX),
            pack: *pack,
        });
        index.set(*tree, key, meta);
    }
    written
}
