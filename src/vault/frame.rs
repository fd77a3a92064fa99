//! Frames: the sealed, chained units of journals and checkpoints, and the header that
//! starts both kinds of file. Layout in `docs/vault-format.md`.

use super::bytes::{Reader, put};
use super::crypto::{KEY, KeyPage, NONCE, Name, TAG, mac, mac_fits, open, random, seal, sha256};
use super::error::{Result, VaultError};
use std::io::Read;

/// Bytes of a file header.
pub(super) const FILE_HEADER: usize = 128;
/// Bytes before a frame's ciphertext.
const FRAME_HEADER: usize = 4 + 8 + NONCE;
/// Most bytes of ciphertext and tag in one frame: bounds what a damaged length can
/// make a reader allocate.
pub(super) const MAX_FRAME: usize = 16 * 1024 * 1024;
/// Plaintext is padded to a multiple of this, tag included.
const PAD: usize = 256;
const FORMAT: u16 = 1;
const SUITE: u16 = 1;

/// Which kind of file frames belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Journal,
    Checkpoint,
}

impl Kind {
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Journal => b"VRMJRN\r\n",
            Self::Checkpoint => b"VRMCKP\r\n",
        }
    }

    fn domain(self) -> &'static [u8] {
        match self {
            Self::Journal => b"emptor/jrn/1",
            Self::Checkpoint => b"emptor/ckpt/1",
        }
    }

    fn key(self) -> Name {
        match self {
            Self::Journal => Name::Journal,
            Self::Checkpoint => Name::Checkpoint,
        }
    }
}

/// The start of a journal or checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FileHeader {
    /// Journal: its first transaction. Checkpoint: the last one it holds.
    pub(super) seq: u64,
    /// Head of the chain: before `seq` in a journal, at `seq` in a checkpoint.
    pub(super) head: [u8; KEY],
    /// Days since 1970-01-01.
    pub(super) day: u64,
}

impl FileHeader {
    pub(super) fn encode(&self, keys: &KeyPage, kind: Kind) -> [u8; FILE_HEADER] {
        let mut out = Vec::with_capacity(FILE_HEADER);
        put(&mut out, kind.magic());
        put(&mut out, &FORMAT.to_be_bytes());
        put(&mut out, &SUITE.to_be_bytes());
        put(&mut out, &keys.epoch().to_be_bytes());
        put(&mut out, keys.vault_id());
        put(&mut out, &self.seq.to_be_bytes());
        put(&mut out, &self.day.to_be_bytes());
        put(&mut out, &self.head);
        out.resize(FILE_HEADER - KEY, 0);
        let tag = mac(keys.key(kind.key()), &[&out]);
        put(&mut out, &tag);
        out.try_into().expect("invariant: the fields fill it")
    }

    /// `None` when any bit was changed or the file belongs elsewhere.
    pub(super) fn decode(keys: &KeyPage, kind: Kind, bytes: &[u8; FILE_HEADER]) -> Option<Self> {
        let (body, tag) = bytes.split_at(FILE_HEADER - KEY);
        if !mac_fits(keys.key(kind.key()), &[body], tag) {
            return None;
        }
        let mut r = Reader::new(body);
        let known = r.take(8)? == kind.magic()
            && r.u16()? == FORMAT
            && r.u16()? == SUITE
            && r.u32()? == keys.epoch()
            && r.take(16)? == keys.vault_id();
        let header = Self {
            seq: r.u64()?,
            day: r.u64()?,
            head: r.array()?,
        };
        r.padding()?;
        known.then_some(header)
    }

    /// What the chain of frames after this header starts from.
    pub(super) fn first_head(&self, kind: Kind, encoded: &[u8; FILE_HEADER]) -> [u8; KEY] {
        match kind {
            Kind::Journal => self.head,
            // Frames of one checkpoint must not fit into another one.
            Kind::Checkpoint => sha256(&[encoded]),
        }
    }
}

fn aad(keys: &KeyPage, kind: Kind, len: u32, seq: u64, head: &[u8; KEY]) -> Vec<u8> {
    let mut aad = kind.domain().to_vec();
    put(&mut aad, keys.vault_id());
    put(&mut aad, &keys.epoch().to_be_bytes());
    put(&mut aad, &len.to_be_bytes());
    put(&mut aad, &seq.to_be_bytes());
    put(&mut aad, head);
    aad
}

/// A sealed frame and the head of the chain after it.
pub(super) struct Sealed {
    pub(super) bytes: Vec<u8>,
    pub(super) head: [u8; KEY],
}

/// Seals `plain` as frame `seq` after `head`.
///
/// # Errors
/// Too large, or no random numbers.
pub(super) fn seal_frame(
    keys: &KeyPage,
    kind: Kind,
    seq: u64,
    head: &[u8; KEY],
    plain: Vec<u8>,
) -> Result<Sealed> {
    seal_frame_with(keys, kind, seq, head, plain, &random()?)
}

pub(super) fn seal_frame_with(
    keys: &KeyPage,
    kind: Kind,
    seq: u64,
    head: &[u8; KEY],
    mut plain: Vec<u8>,
    nonce: &[u8; NONCE],
) -> Result<Sealed> {
    let sealed_len = (plain.len() + TAG).next_multiple_of(PAD);
    if sealed_len > MAX_FRAME {
        return Err(VaultError::TooLarge {
            what: "a transaction",
            size: plain.len(),
            limit: MAX_FRAME - PAD,
        });
    }
    plain.resize(sealed_len - TAG, 0);
    let len = u32::try_from(sealed_len).expect("invariant: under MAX_FRAME");
    seal(
        keys.key(kind.key()),
        nonce,
        &aad(keys, kind, len, seq, head),
        &mut plain,
    );
    let mut bytes = Vec::with_capacity(FRAME_HEADER + plain.len());
    put(&mut bytes, &len.to_be_bytes());
    put(&mut bytes, &seq.to_be_bytes());
    put(&mut bytes, nonce);
    put(&mut bytes, &plain);
    let head = sha256(&[head, &bytes]);
    Ok(Sealed { bytes, head })
}

/// What follows in a file.
pub(super) enum Next {
    /// The plaintext of the next frame, padding included.
    Frame(Vec<u8>),
    /// The file ends here, after a whole frame.
    End,
    /// What follows is no frame of this chain. `more` tells whether the file goes on
    /// after the bytes that one frame could have filled.
    Bad {
        /// Whether something that looks like a later frame follows.
        more: bool,
    },
}

/// Reads the frames of one file in order.
pub(super) struct FrameReader<'k, R> {
    source: R,
    keys: &'k KeyPage,
    kind: Kind,
    /// Number of the next frame.
    pub(super) seq: u64,
    /// Chain up to the last frame read.
    pub(super) head: [u8; KEY],
    /// Where the next frame starts.
    pub(super) offset: u64,
    file_len: u64,
}

impl<'k, R: Read> FrameReader<'k, R> {
    pub(super) fn new(
        source: R,
        keys: &'k KeyPage,
        kind: Kind,
        seq: u64,
        head: [u8; KEY],
        file_len: u64,
    ) -> Self {
        Self {
            source,
            keys,
            kind,
            seq,
            head,
            offset: FILE_HEADER as u64,
            file_len,
        }
    }

    /// # Errors
    /// The file cannot be read.
    pub(super) fn next(&mut self) -> Result<Next> {
        let rest = self.file_len.saturating_sub(self.offset);
        if rest == 0 {
            return Ok(Next::End);
        }
        let read = |e| VaultError::io("reading a frame", e);
        if rest < FRAME_HEADER as u64 {
            return Ok(Next::Bad { more: false });
        }
        let mut start = [0; FRAME_HEADER];
        self.source.read_exact(&mut start).map_err(read)?;
        let mut r = Reader::new(&start);
        let (len, seq, nonce) = match (r.u32(), r.u64(), r.array::<NONCE>()) {
            (Some(len), Some(seq), Some(nonce)) => (len, seq, nonce),
            _ => return Ok(Next::Bad { more: false }),
        };
        let size = len as usize;
        let whole = FRAME_HEADER as u64 + u64::from(len);
        if !(PAD..=MAX_FRAME).contains(&size) || !size.is_multiple_of(PAD) || whole > rest {
            // A length that was never written whole tells nothing about what follows;
            // more than the largest frame cannot be one torn write.
            let more = rest > (FRAME_HEADER + MAX_FRAME) as u64;
            return Ok(Next::Bad { more });
        }
        let mut sealed = vec![0; size];
        self.source.read_exact(&mut sealed).map_err(read)?;
        let head = sha256(&[&self.head, &start, &sealed]);
        let aad = aad(self.keys, self.kind, len, self.seq, &self.head);
        let key = self.keys.key(self.kind.key());
        if seq != self.seq || open(key, &nonce, &aad, &mut sealed).is_none() {
            return Ok(Next::Bad { more: whole < rest });
        }
        self.seq += 1;
        self.head = head;
        self.offset += whole;
        Ok(Next::Frame(sealed))
    }
}
