//! What journals and checkpoints say: operations on records and the state they lead to.

use super::bytes::{Reader, put};
use super::crypto::KEY;
use super::error::{Result, VaultError};
use crate::model::time::Hlc;

/// Longest key in bytes.
pub const MAX_KEY: usize = 1024;
/// Longest value in bytes.
pub const MAX_VALUE: usize = 8 * 1024 * 1024;
/// A pack of log entries is closed when one more would make it longer than this, so
/// that it fits one record of the store.
pub(super) const PACK: usize = 3968;

/// One change to the map of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Op {
    Put {
        tree: u16,
        key: Vec<u8>,
        value: Vec<u8>,
    },
    Delete {
        tree: u16,
        key: Vec<u8>,
    },
    /// Adds an entry at the end of a stream: see [`pack_key`] and [`pack_for`].
    Append {
        tree: u16,
        stream: Vec<u8>,
        entry: Vec<u8>,
    },
    /// As `Put`, of a whole pack: only checkpoints and restores write packs directly.
    PutPack {
        tree: u16,
        key: Vec<u8>,
        value: Vec<u8>,
    },
    /// Removes all packs of a stream.
    Clear {
        tree: u16,
        stream: Vec<u8>,
    },
}

/// The state after a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tip {
    /// Number of the last transaction; 0 in a new vault.
    pub(super) seq: u64,
    /// Head of the chain of frames.
    pub(super) head: [u8; KEY],
    /// When it was written.
    pub(super) hlc: Hlc,
    /// Number of records.
    pub(super) count: u64,
    /// Sum over all records: see `SetHash`.
    pub(super) set_hash: [u8; KEY],
}

/// A journal frame's contents: one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transaction {
    pub(super) hlc: Hlc,
    pub(super) count: u64,
    pub(super) set_hash: [u8; KEY],
    pub(super) ops: Vec<Op>,
}

const PUT: u8 = 1;
const DELETE: u8 = 2;
const APPEND: u8 = 3;
const PUT_PACK: u8 = 4;
const CLEAR: u8 = 5;

fn put_key(out: &mut Vec<u8>, tree: u16, key: &[u8]) {
    put(out, &tree.to_be_bytes());
    put(
        out,
        &u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes(),
    );
    put(out, key);
}

fn put_value(out: &mut Vec<u8>, value: &[u8]) {
    put(
        out,
        &u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes(),
    );
    put(out, value);
}

fn key(r: &mut Reader<'_>) -> Option<(u16, Vec<u8>)> {
    let tree = r.u16()?;
    let len = usize::from(r.u16()?);
    (len <= MAX_KEY).then_some(())?;
    Some((tree, r.take(len)?.to_vec()))
}

fn value(r: &mut Reader<'_>) -> Option<Vec<u8>> {
    let len = r.u32()? as usize;
    Some(r.take(len)?.to_vec())
}

pub(super) fn put_hlc(out: &mut Vec<u8>, hlc: &Hlc) {
    put(out, &hlc.millis.to_be_bytes());
    put(out, &hlc.counter.to_be_bytes());
    put(out, &hlc.device.to_be_bytes());
}

pub(super) fn hlc(r: &mut Reader<'_>) -> Option<Hlc> {
    Some(Hlc {
        millis: r.u64()?,
        counter: r.u32()?,
        device: r.u32()?,
    })
}

impl Transaction {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_hlc(&mut out, &self.hlc);
        put(&mut out, &self.count.to_be_bytes());
        put(&mut out, &self.set_hash);
        put(
            &mut out,
            &u32::try_from(self.ops.len())
                .unwrap_or(u32::MAX)
                .to_be_bytes(),
        );
        for op in &self.ops {
            match op {
                Op::Put { tree, key, value } => {
                    out.push(PUT);
                    put_key(&mut out, *tree, key);
                    put_value(&mut out, value);
                }
                Op::Delete { tree, key } => {
                    out.push(DELETE);
                    put_key(&mut out, *tree, key);
                }
                Op::Clear { tree, stream } => {
                    out.push(CLEAR);
                    put_key(&mut out, *tree, stream);
                }
                Op::Append {
                    tree,
                    stream,
                    entry,
                } => {
                    out.push(APPEND);
                    put_key(&mut out, *tree, stream);
                    put_value(&mut out, entry);
                }
                Op::PutPack { tree, key, value } => {
                    out.push(PUT_PACK);
                    put_key(&mut out, *tree, key);
                    put_value(&mut out, value);
                }
            }
        }
        out
    }

    /// `None` when the bytes are no transaction; they were authentic, so this means
    /// another program version or a bug.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let hlc = hlc(&mut r)?;
        let count = r.u64()?;
        let set_hash = r.array()?;
        let n = r.u32()? as usize;
        let mut ops = Vec::with_capacity(n.min(bytes.len() / 5));
        for _ in 0..n {
            let code = r.u8()?;
            let (tree, key) = key(&mut r)?;
            ops.push(match code {
                PUT => Op::Put {
                    tree,
                    key,
                    value: value(&mut r)?,
                },
                DELETE => Op::Delete { tree, key },
                CLEAR => Op::Clear { tree, stream: key },
                APPEND => Op::Append {
                    tree,
                    stream: key,
                    entry: value(&mut r)?,
                },
                PUT_PACK => Op::PutPack {
                    tree,
                    key,
                    value: value(&mut r)?,
                },
                _ => return None,
            });
        }
        r.padding()?;
        Some(Self {
            hlc,
            count,
            set_hash,
            ops,
        })
    }
}

/// A record as a checkpoint holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) tree: u16,
    pub(super) key: Vec<u8>,
    pub(super) pack: bool,
    pub(super) seq: u64,
    pub(super) value: Vec<u8>,
}

/// A checkpoint frame's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Page {
    /// Records.
    Rows(Vec<Row>),
    /// The last frame: the state all rows add up to.
    End {
        hlc: Hlc,
        count: u64,
        set_hash: [u8; KEY],
    },
}

const ROWS: u8 = 1;
const END: u8 = 2;

impl Row {
    fn encode(&self, out: &mut Vec<u8>) {
        put_key(out, self.tree, &self.key);
        out.push(u8::from(self.pack));
        put(out, &self.seq.to_be_bytes());
        put_value(out, &self.value);
    }

    fn decode(r: &mut Reader<'_>) -> Option<Self> {
        let (tree, key) = key(r)?;
        let pack = match r.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let seq = r.u64()?;
        let value = value(r)?;
        Some(Self {
            tree,
            key,
            pack,
            seq,
            value,
        })
    }
}

impl Page {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Rows(rows) => {
                out.push(ROWS);
                put(
                    &mut out,
                    &u32::try_from(rows.len()).unwrap_or(u32::MAX).to_be_bytes(),
                );
                for row in rows {
                    row.encode(&mut out);
                }
            }
            Self::End {
                hlc,
                count,
                set_hash,
            } => {
                out.push(END);
                put_hlc(&mut out, hlc);
                put(&mut out, &count.to_be_bytes());
                put(&mut out, set_hash);
            }
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let page = match r.u8()? {
            ROWS => {
                let n = r.u32()? as usize;
                let mut rows = Vec::with_capacity(n.min(bytes.len() / 17));
                for _ in 0..n {
                    rows.push(Row::decode(&mut r)?);
                }
                Self::Rows(rows)
            }
            END => Self::End {
                hlc: hlc(&mut r)?,
                count: r.u64()?,
                set_hash: r.array()?,
            },
            _ => return None,
        };
        r.padding()?;
        Some(page)
    }
}

/// What the keys of all packs of a stream start with.
pub(super) fn pack_prefix(stream: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(stream.len() + 6);
    put(
        &mut key,
        &u16::try_from(stream.len())
            .unwrap_or(u16::MAX)
            .to_be_bytes(),
    );
    put(&mut key, stream);
    key
}

/// Key of pack `number` of a stream.
pub(super) fn pack_key(stream: &[u8], number: u32) -> Vec<u8> {
    let mut key = pack_prefix(stream);
    put(&mut key, &number.to_be_bytes());
    key
}

/// The number at the end of a pack's key.
pub(super) fn pack_number(key: &[u8]) -> u32 {
    key.last_chunk().map_or(0, |n| u32::from_be_bytes(*n))
}

/// The stream in a pack's key.
pub(super) fn pack_stream(key: &[u8]) -> &[u8] {
    key.get(2..key.len().saturating_sub(4)).unwrap_or_default()
}

/// Which pack takes the next entry, given the number and length of the last one, and
/// how many bytes it holds already. Replay depends on it: part of the format.
pub(super) fn pack_for(last: Option<(u32, usize)>, entry: usize) -> (u32, usize) {
    match last {
        None => (0, 0),
        Some((number, len)) if len + 4 + entry <= PACK => (number, len),
        Some((number, _)) => (number + 1, 0),
    }
}

/// Adds an entry at the end of a pack.
pub(super) fn pack_push(pack: &mut Vec<u8>, entry: &[u8]) {
    put_value(pack, entry);
}

/// The entries of a pack; `None` if it is not one.
pub(super) fn pack_entries(pack: &[u8]) -> Option<Vec<&[u8]>> {
    let mut r = Reader::new(pack);
    let mut entries = Vec::new();
    while !r.is_empty() {
        let len = r.u32()? as usize;
        entries.push(r.take(len)?);
    }
    Some(entries)
}

/// Refuses keys and values over their limits.
pub(super) fn check_size(key: &[u8], value: &[u8]) -> Result<()> {
    let over = |what, size, limit| Err(VaultError::TooLarge { what, size, limit });
    if key.len() > MAX_KEY - 8 {
        return over("a key", key.len(), MAX_KEY - 8);
    }
    if value.len() > MAX_VALUE {
        return over("a value", value.len(), MAX_VALUE);
    }
    Ok(())
}
