//! Writing: commit, checkpoint, close.

use super::anchor::Mark;
use super::entry::{self, Tip};
use super::error::{Result, VaultError};
use super::frame::{Kind, seal_frame};
use super::journal::{AppendError, Journal, ROTATE, write_checkpoint};
use super::overlay::Overlay;
use super::record::SetHash;
use super::recover::write_through;
use super::store::Broken;
use super::{Inner, View, Writer};
use crate::model::time::Hlc;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

impl Inner {
    /// Makes a transaction durable, then visible.
    pub(super) fn commit(
        &self,
        writer: &mut Writer,
        tip: Tip,
        hlc: Hlc,
        ops: Vec<entry::Op>,
        overlay: &Overlay,
    ) -> Result<()> {
        let (count, set_hash) = self.after(tip, overlay)?;
        let seq = tip.seq + 1;
        let transaction = entry::Transaction {
            hlc,
            count,
            set_hash: set_hash.to_bytes(),
            ops,
        };
        if writer
            .journal
            .as_ref()
            .is_none_or(|journal| journal.len >= ROTATE)
        {
            writer.journal = Some(Journal::start(&self.files, &writer.keys, &tip)?);
        }
        let plain = transaction.encode();
        let frame = seal_frame(&writer.keys, Kind::Journal, seq, &tip.head, plain)?;
        let journal = writer.journal.as_mut().expect("invariant: started above");
        match journal.append(&frame.bytes) {
            Ok(()) => {}
            Err(AppendError::Undone(error)) => {
                return Err(VaultError::io("writing the journal", error));
            }
            Err(AppendError::Unknown(error)) => {
                let reason = format!("writing the journal failed: {error}");
                writer.read_only = Some(reason.clone());
                return Err(VaultError::ReadOnly(reason));
            }
        }
        writer.since_checkpoint += frame.bytes.len() as u64;
        let tip = Tip {
            seq,
            head: frame.head,
            hlc,
            count,
            set_hash: set_hash.to_bytes(),
        };
        // From here on the transaction has happened; nothing below may fail it.
        self.apply(seq, tip, overlay);
        let mark = Mark {
            generation: writer.header.generation,
            tip,
        };
        writer.anchor(&mark);
        let due = self.options.checkpoint_after.max(writer.checkpoint_len / 4);
        if writer.since_checkpoint > due
            && let Err(error) = self.checkpoint(writer, &[])
        {
            tracing::warn!(%error, "no checkpoint was written; the journal goes on");
            // Try again after as much again, not at every transaction.
            writer.since_checkpoint = 0;
        }
        Ok(())
    }

    /// Number and fingerprint of records once the overlay is applied.
    fn after(&self, tip: Tip, overlay: &Overlay) -> Result<(u64, SetHash)> {
        self.read(|view| {
            let mut count = tip.count;
            let mut sum = SetHash::from_bytes(&tip.set_hash);
            for ((tree, key), after) in &overlay.writes {
                if let Some(meta) = view.index.get(*tree, key) {
                    let old = view.value(*tree, key, meta)?;
                    sum.sub(SetHash::of(
                        &view.keys, *tree, key, meta.pack, meta.seq, &old,
                    ));
                    count -= 1;
                }
                if let Some((value, pack)) = after {
                    sum.add(SetHash::of(
                        &view.keys,
                        *tree,
                        key,
                        *pack,
                        tip.seq + 1,
                        value,
                    ));
                    count += 1;
                }
            }
            Ok((count, sum))
        })
    }

    fn apply(&self, seq: u64, tip: Tip, overlay: &Overlay) {
        let mut guard = self.view.write().unwrap_or_else(PoisonError::into_inner);
        let Some(view) = guard.as_mut() else { return };
        view.tip = tip;
        let View {
            keys,
            index,
            store,
            unstored,
            ..
        } = view;
        if let Err(Broken(reason)) = write_through(keys, store, index, seq, overlay) {
            tracing::warn!(%reason, "the store refused a write; the journal has it");
            for ((tree, key), after) in &overlay.writes {
                if let Some((value, _)) = after {
                    unstored.insert((*tree, key.clone()), (seq, value.clone()));
                }
            }
        }
    }

    /// Writes a checkpoint of the present state and starts a new journal. Journals in
    /// `broken` are set aside, under names that are no journal's, once it is there.
    pub(super) fn checkpoint(&self, writer: &mut Writer, broken: &[PathBuf]) -> Result<()> {
        let tip = {
            let view = self.view();
            let view = view.as_ref().ok_or(VaultError::Locked)?;
            // A store that is behind the newest checkpoint has to be rebuilt after a crash.
            view.store.flush();
            view.tip
        };
        let mut rows = self.rows()?;
        let keys = Arc::clone(&writer.keys);
        let len = write_checkpoint(&self.files, &keys, &tip, &mut || rows.next())?;
        for path in broken {
            self.files
                .disk
                .rename(path, &path.with_extension("vrj.damaged"))
                .map_err(|e| VaultError::io("setting a damaged journal aside", e))?;
        }
        writer.journal = Some(Journal::start(&self.files, &keys, &tip)?);
        writer.checkpoint_len = len;
        writer.since_checkpoint = 0;
        // A rebuild of the store reads these files: it holds the view for writing.
        let _view = self.view();
        self.files.prune()
    }

    /// Closes the vault and overwrites its keys.
    pub(super) fn close(&self) {
        let mut guard = self.writer();
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        if let (Some(mut writer), Some(view)) = (guard.take(), view.take()) {
            view.store.flush();
            if writer.read_only.is_none() {
                let mark = Mark {
                    generation: writer.header.generation,
                    tip: view.tip,
                };
                let _ = writer.anchor.seal(&writer.keys, &mark);
            }
            // The store first: the next opener must find sled's lock free.
            drop(view);
            drop(writer);
        }
    }
}
