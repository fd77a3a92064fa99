//! Reading everything there is on the disk, to know that a vault is whole.

use super::anchor::{self, Found};
use super::error::{Result, VaultError};
use super::frame::{FILE_HEADER, FileHeader, FrameReader, Kind, Next};
use super::header::{COPY, Header};
use super::recover::{open_file, read_checkpoint, read_header};
use super::{Inner, Vault, Writer};
use std::path::Path;

/// What [`Vault::verify`] read and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Checkpoints read.
    pub checkpoints: u64,
    /// Journal files read.
    pub journals: u64,
    /// Transactions read in them.
    pub transactions: u64,
    /// Records read in the store and found equal to what the journal says.
    pub records: u64,
    /// Entries of the ledger whose chain was checked.
    pub ledger_entries: u64,
    /// What is wrong, in words; empty if all is well.
    pub problems: Vec<String>,
}

impl Vault {
    /// Reads all files of the vault and the anchor, decrypts every byte of them and
    /// compares the store with the journal. Writers wait meanwhile. Changes nothing.
    ///
    /// # Errors
    /// The vault is locked or the system refuses; damage is in the result.
    pub fn verify(&self, anchor: &Path) -> Result<Verification> {
        let mut found = {
            let guard = self.inner.writer();
            let writer = guard.as_ref().ok_or(VaultError::Locked)?;
            self.inner.verify_files(writer, anchor)?
        };
        match self.verify_ledger() {
            Ok(head) => found.ledger_entries = head.entries,
            Err(error) => found.problems.push(error.to_string()),
        }
        Ok(found)
    }
}

impl Inner {
    fn verify_files(&self, writer: &Writer, anchor: &Path) -> Result<Verification> {
        let keys = &writer.keys;
        let mut out = Verification::default();
        let header = std::fs::read(self.files.header())
            .map_err(|e| VaultError::io("reading the header", e))?;
        let mut copies = header.chunks_exact(COPY);
        let whole = copies
            .by_ref()
            .filter(|c| Header::is_authentic(keys, c))
            .count()
            == 2;
        if !whole || header.len() != 2 * COPY || header[..COPY] != header[COPY..] {
            out.problems.push("a copy of the header is damaged".into());
        }
        let guard = self.view();
        let view = guard.as_ref().ok_or(VaultError::Locked)?;
        match anchor::find(keys, anchor)? {
            Found::Missing => out.problems.push("the anchor is missing".into()),
            Found::Bad | Found::Good(_, false) => out.problems.push("the anchor is damaged".into()),
            Found::Good(mark, true) if mark.tip != view.tip => {
                out.problems.push("the anchor is behind the journal".into());
            }
            Found::Good(..) => {}
        }
        for (number, path) in self.files.list(Kind::Checkpoint)? {
            out.checkpoints += 1;
            if let Err(what) = read_checkpoint::<VaultError>(keys, number, &path, &mut |_| Ok(()))?
            {
                out.problems.push(what);
            }
        }
        let mut before: Option<(u64, [u8; 32])> = None;
        for (first, path) in self.files.list(Kind::Journal)? {
            out.journals += 1;
            let bad = |what: &str| format!("journal {first}: {what}");
            let (mut source, len) = open_file(&path)?;
            let header = read_header(keys, Kind::Journal, &mut source, len)?;
            let Some((FileHeader { seq, head, .. }, _)) = header else {
                out.problems.push(bad("its header was changed"));
                before = None;
                continue;
            };
            if seq != first || before.is_some_and(|b| b != (seq, head)) {
                out.problems
                    .push(bad("it does not continue the one before"));
            }
            let mut frames = FrameReader::new(source, keys, Kind::Journal, seq, head, len);
            loop {
                match frames.next()? {
                    Next::Frame(_) => out.transactions += 1,
                    Next::End => break,
                    Next::Bad { .. } => {
                        let at = frames.offset.max(FILE_HEADER as u64);
                        out.problems
                            .push(bad(&format!("changed at byte {at} or after")));
                        break;
                    }
                }
            }
            before = Some((frames.seq, frames.head));
        }
        if before.is_none_or(|(next, head)| (next, head) != (view.tip.seq + 1, view.tip.head)) {
            out.problems
                .push("the journal does not end where it should".into());
        }
        match view.store.survey(keys) {
            Ok(Some((index, sum)))
                if sum.to_bytes() == view.tip.set_hash && index.total() == view.tip.count =>
            {
                out.records = index.total();
            }
            _ => out
                .problems
                .push("the store is damaged; it will be rebuilt when it is read".into()),
        }
        Ok(out)
    }
}
