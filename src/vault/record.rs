//! Records as the store keeps them: sealed, padded, under keys that tell nothing.
//! Layout in `docs/vault-format.md`, section "Record".

use super::bytes::{Reader, put};
use super::crypto::{KEY, KeyPage, NONCE, Name, TAG, mac, open, random, seal, sha256};
use super::entry::{MAX_KEY, MAX_VALUE};
use super::error::Result;

/// Bytes before the ciphertext.
const PREFIX: usize = 14;
/// Plaintext is padded to one of these, so that sizes tell little. The largest keeps
/// every value of the store under the size at which sled 0.34 moves values into files
/// it never syncs.
const BUCKETS: [usize; 6] = [128, 256, 512, 1024, 2048, 4096];
const LARGEST: usize = 4096;
/// Plaintext bytes beside key and value.
const OVERHEAD: usize = 2 + 2 + 1 + 4;
const PACK: u8 = 1;
const PIECE: u8 = 2;

/// Trees from here up are the vault's own.
pub(super) const RESERVED: u16 = 0xFF00;
/// The record that says up to which transaction the store is complete.
pub(super) const APPLIED: u16 = 0xFFFF;

/// A record, or one further piece of a long one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) seq: u64,
    pub(super) tree: u16,
    pub(super) key: Vec<u8>,
    pub(super) pack: bool,
    /// Whether this is a continuation of another record; it then has no key.
    pub(super) piece: bool,
    /// Length of the whole value.
    pub(super) len: usize,
    /// The part of the value in this piece.
    pub(super) part: Vec<u8>,
}

/// Where the store keeps piece `piece` of a record.
pub(super) fn store_key(keys: &KeyPage, tree: u16, key: &[u8], piece: u32) -> [u8; KEY] {
    let klen = u32::try_from(key.len()).unwrap_or(u32::MAX);
    mac(
        keys.key(Name::Index),
        &[
            &tree.to_be_bytes(),
            &klen.to_be_bytes(),
            key,
            &piece.to_be_bytes(),
        ],
    )
}

/// How a value is cut: the first piece also holds the key.
fn first_part(key: &[u8], value: &[u8]) -> usize {
    value.len().min(LARGEST - OVERHEAD - key.len())
}

/// Number of further pieces of a value.
pub(super) fn pieces(key_len: usize, value_len: usize) -> u32 {
    let rest = value_len.saturating_sub(LARGEST - OVERHEAD - key_len.min(MAX_KEY));
    u32::try_from(rest.div_ceil(LARGEST - OVERHEAD)).unwrap_or(u32::MAX)
}

/// Seals a record into its pieces, each with its place in the store.
pub(super) fn seal_record(
    keys: &KeyPage,
    seq: u64,
    tree: u16,
    key: &[u8],
    pack: bool,
    value: &[u8],
) -> Result<Vec<([u8; KEY], Vec<u8>)>> {
    let (first, mut rest) = value.split_at(first_part(key, value));
    let mut out = Vec::with_capacity(1);
    let place = store_key(keys, tree, key, 0);
    let flags = if pack { PACK } else { 0 };
    let plain = plaintext(tree, key, flags, value.len(), first);
    out.push((place, seal_piece(keys, &place, seq, plain, &random()?)));
    let mut piece = 1;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.len().min(LARGEST - OVERHEAD));
        let place = store_key(keys, tree, key, piece);
        let plain = plaintext(tree, &[], PIECE, part.len(), part);
        out.push((place, seal_piece(keys, &place, seq, plain, &random()?)));
        rest = after;
        piece += 1;
    }
    Ok(out)
}

pub(super) fn plaintext(tree: u16, key: &[u8], flags: u8, len: usize, part: &[u8]) -> Vec<u8> {
    let need = OVERHEAD + key.len() + part.len();
    let bucket = BUCKETS.into_iter().find(|b| *b >= need).unwrap_or(LARGEST);
    let mut plain = Vec::with_capacity(bucket + TAG);
    put(&mut plain, &tree.to_be_bytes());
    put(
        &mut plain,
        &u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes(),
    );
    put(&mut plain, key);
    plain.push(flags);
    put(
        &mut plain,
        &u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes(),
    );
    put(&mut plain, part);
    plain.resize(bucket, 0);
    plain
}

fn aad(keys: &KeyPage, prefix: &[u8], place: &[u8; KEY]) -> Vec<u8> {
    let mut aad = b"emptor/rec/1".to_vec();
    put(&mut aad, keys.vault_id());
    put(&mut aad, prefix);
    put(&mut aad, place);
    aad
}

pub(super) fn seal_piece(
    keys: &KeyPage,
    place: &[u8; KEY],
    seq: u64,
    mut plain: Vec<u8>,
    nonce: &[u8; NONCE],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(PREFIX + NONCE + plain.len() + TAG);
    put(&mut out, &[1, 1]);
    put(&mut out, &keys.epoch().to_be_bytes());
    put(&mut out, &seq.to_be_bytes());
    let aad = aad(keys, &out, place);
    seal(keys.key(Name::Record), nonce, &aad, &mut plain);
    put(&mut out, nonce);
    put(&mut out, &plain);
    out
}

/// Opens one piece found at `place`; `None` if a bit of it, or its place, was changed.
pub(super) fn open_piece(keys: &KeyPage, place: &[u8; KEY], stored: &[u8]) -> Option<Record> {
    let (prefix, rest) = stored.split_at_checked(PREFIX)?;
    let mut r = Reader::new(prefix);
    if r.u8()? != 1 || r.u8()? != 1 || r.u32()? != keys.epoch() {
        return None;
    }
    let seq = r.u64()?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
    let mut plain = sealed.to_vec();
    open(
        keys.key(Name::Record),
        nonce,
        &aad(keys, prefix, place),
        &mut plain,
    )?;
    let mut r = Reader::new(&plain);
    let tree = r.u16()?;
    let klen = usize::from(r.u16()?);
    (klen <= MAX_KEY).then_some(())?;
    let key = r.take(klen)?.to_vec();
    let flags = r.u8()?;
    let len = r.u32()? as usize;
    (len <= MAX_VALUE + 4 && flags <= PIECE).then_some(())?;
    let part = r.take(len.min(LARGEST - OVERHEAD - klen))?.to_vec();
    r.padding()?;
    Some(Record {
        seq,
        tree,
        key,
        pack: flags == PACK,
        piece: flags == PIECE,
        len,
        part,
    })
}

/// A fingerprint of a set of records that does not depend on their order: the sum
/// modulo 2^256 of one MAC for each. Adding and removing a record is cheap, and without
/// the key no second set with the same sum can be found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct SetHash([u64; 4]);

impl SetHash {
    pub(super) fn from_bytes(bytes: &[u8; KEY]) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_be_bytes(*bytes);
        }
        Self(words)
    }

    pub(super) fn to_bytes(self) -> [u8; KEY] {
        let mut bytes = [0; KEY];
        for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *bytes = word.to_be_bytes();
        }
        bytes
    }

    pub(super) fn add(&mut self, other: Self) {
        let mut carry = false;
        for i in (0..4).rev() {
            let (sum, over) = self.0[i].overflowing_add(other.0[i]);
            let (sum, over_carry) = sum.overflowing_add(u64::from(carry));
            self.0[i] = sum;
            carry = over || over_carry;
        }
    }

    pub(super) fn sub(&mut self, other: Self) {
        let mut borrow = false;
        for i in (0..4).rev() {
            let (diff, under) = self.0[i].overflowing_sub(other.0[i]);
            let (diff, under_borrow) = diff.overflowing_sub(u64::from(borrow));
            self.0[i] = diff;
            borrow = under || under_borrow;
        }
    }

    /// The summand of one record.
    pub(super) fn of(
        keys: &KeyPage,
        tree: u16,
        key: &[u8],
        pack: bool,
        seq: u64,
        value: &[u8],
    ) -> Self {
        let klen = u32::try_from(key.len()).unwrap_or(u32::MAX);
        Self::from_bytes(&mac(
            keys.key(Name::SetHash),
            &[
                &tree.to_be_bytes(),
                &klen.to_be_bytes(),
                key,
                &[u8::from(pack)],
                &seq.to_be_bytes(),
                &sha256(&[value]),
            ],
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::header::Header;
    use proptest::prelude::*;

    fn keys() -> KeyPage {
        Header::create().expect("random numbers").1
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn values_of_any_size_come_back(key in prop::collection::vec(any::<u8>(), 0..300), len in 0usize..20_000, pack: bool) {
            let keys = keys();
            let value: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let sealed = seal_record(&keys, 9, 3, &key, pack, &value).expect("sealed");
            prop_assert_eq!(sealed.len() as u32, 1 + pieces(key.len(), len));
            let mut got = Vec::new();
            for (i, (place, stored)) in sealed.iter().enumerate() {
                prop_assert!(stored.len() <= 4150);
                let record = open_piece(&keys, place, stored).expect("opens");
                prop_assert_eq!((record.seq, record.tree, record.piece), (9, 3, i > 0));
                if i == 0 {
                    prop_assert_eq!((record.len, record.pack), (len, pack));
                    prop_assert_eq!(&record.key, &key);
                }
                got.extend(record.part);
            }
            prop_assert_eq!(got, value);
        }

        #[test]
        fn set_hash_forgets_what_is_removed(a: [u64; 4], b: [u64; 4], c: [u64; 4]) {
            let mut sum = SetHash(a);
            sum.add(SetHash(b));
            sum.add(SetHash(c));
            sum.sub(SetHash(b));
            let mut other = SetHash(c);
            other.add(SetHash(a));
            prop_assert_eq!(sum, other);
            prop_assert_eq!(SetHash::from_bytes(&sum.to_bytes()), sum);
        }
    }

    #[test]
    fn a_record_fits_only_its_own_place_and_version() {
        let keys = keys();
        let sealed = |seq, tree, key: &[u8]| {
            seal_record(&keys, seq, tree, key, false, b"v")
                .expect("sealed")
                .remove(0)
        };
        let records: Vec<_> = (0..50u16)
            .map(|i| sealed(u64::from(i), i % 5, &[i as u8]))
            .collect();
        for (i, (place, _)) in records.iter().enumerate() {
            for (j, (_, stored)) in records.iter().enumerate() {
                assert_eq!(open_piece(&keys, place, stored).is_some(), i == j);
            }
        }
        let (place, stored) = &records[0];
        for at in 0..stored.len() {
            let mut bad = stored.clone();
            bad[at] ^= 1;
            assert!(open_piece(&keys, place, &bad).is_none(), "byte {at}");
        }
        let (_, other) = Header::create().expect("random numbers");
        assert!(open_piece(&other, place, stored).is_none());
    }
}
