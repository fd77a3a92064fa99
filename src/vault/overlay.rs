//! The effect of operations on records, before it is written: transactions and replay
//! share it, so both lead to the same state.

use super::entry::{Op, pack_for, pack_key, pack_number, pack_push, pack_stream};
use super::index::{Index, Meta};
use std::collections::{BTreeMap, HashMap};

/// What an operation builds on.
pub(super) trait Base {
    type Error;
    /// The last pack of a stream: its number and what is known of it.
    fn last_pack(&self, tree: u16, stream: &[u8]) -> Result<Option<(u32, Meta)>, Self::Error>;
    /// The value of a record that exists.
    fn value(&self, tree: u16, key: &[u8], meta: Meta) -> Result<Vec<u8>, Self::Error>;
}

/// A value and whether it is a pack; `None` for a removed record.
type Written = Option<(Vec<u8>, bool)>;

/// Number and length of the last pack of a stream; `None` if it has none.
type Tail = Option<(u32, usize)>;

/// Final values of the records that operations touch.
#[derive(Default)]
pub(super) struct Overlay {
    pub(super) writes: BTreeMap<(u16, Vec<u8>), Written>,
    /// The last packs of streams that were changed.
    tails: HashMap<(u16, Vec<u8>), Tail>,
}

impl Overlay {
    pub(super) fn apply<B: Base>(&mut self, base: &B, op: &Op) -> Result<(), B::Error> {
        match op {
            Op::Put { tree, key, value } => {
                self.writes
                    .insert((*tree, key.clone()), Some((value.clone(), false)));
            }
            Op::Delete { tree, key } => {
                self.writes.insert((*tree, key.clone()), None);
            }
            Op::PutPack { tree, key, value } => {
                let tail = Some((pack_number(key), value.len()));
                self.tails.insert((*tree, pack_stream(key).to_vec()), tail);
                self.writes
                    .insert((*tree, key.clone()), Some((value.clone(), true)));
            }
            Op::Clear { tree, stream } => {
                if let Some((last, _)) = self.tail(base, *tree, stream)? {
                    for number in 0..=last {
                        self.writes.insert((*tree, pack_key(stream, number)), None);
                    }
                }
                self.tails.insert((*tree, stream.clone()), None);
            }
            Op::Append {
                tree,
                stream,
                entry,
            } => self.append(base, *tree, stream, entry)?,
        }
        Ok(())
    }

    pub(super) fn tail<B: Base>(
        &self,
        base: &B,
        tree: u16,
        stream: &[u8],
    ) -> Result<Tail, B::Error> {
        match self.tails.get(&(tree, stream.to_vec())) {
            Some(tail) => Ok(*tail),
            None => {
                let last = base.last_pack(tree, stream)?;
                Ok(last.map(|(number, meta)| (number, meta.len as usize)))
            }
        }
    }

    fn append<B: Base>(
        &mut self,
        base: &B,
        tree: u16,
        stream: &[u8],
        entry: &[u8],
    ) -> Result<(), B::Error> {
        let tail = self.tail(base, tree, stream)?;
        let (number, len) = pack_for(tail, entry.len());
        let place = (tree, pack_key(stream, number));
        if !matches!(self.writes.get(&place), Some(Some(_))) {
            let mut pack = Vec::new();
            if len > 0
                && let Some((_, meta)) = base.last_pack(tree, stream)?
            {
                pack = base.value(tree, &place.1, meta)?;
            }
            self.writes.insert(place.clone(), Some((pack, true)));
        }
        if let Some(Some((pack, _))) = self.writes.get_mut(&place) {
            pack_push(pack, entry);
        }
        let tail = Some((number, len + 4 + entry.len()));
        self.tails.insert((tree, stream.to_vec()), tail);
        Ok(())
    }
}

/// The same effect on the index alone, when the values are in the store already.
pub(super) fn apply_to_index(index: &mut Index, op: &Op, seq: u64) {
    let meta = |len: usize, pack| {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        Some(Meta { seq, len, pack })
    };
    match op {
        Op::Put { tree, key, value } => index.set(*tree, key, meta(value.len(), false)),
        Op::PutPack { tree, key, value } => index.set(*tree, key, meta(value.len(), true)),
        Op::Delete { tree, key } => index.set(*tree, key, None),
        Op::Clear { tree, stream } => {
            if let Some((last, _)) = index.last_pack(*tree, stream) {
                for number in (0..=last).rev() {
                    index.set(*tree, &pack_key(stream, number), None);
                }
            }
        }
        Op::Append {
            tree,
            stream,
            entry,
        } => {
            let tail = index.last_pack(*tree, stream);
            let tail = tail.map(|(number, meta)| (number, meta.len as usize));
            let (number, len) = pack_for(tail, entry.len());
            let after = meta(len + 4 + entry.len(), true);
            index.set(*tree, &pack_key(stream, number), after);
        }
    }
}
