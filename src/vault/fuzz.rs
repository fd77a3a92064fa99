//! A way in for the fuzzer (`fuzz/fuzz_targets/vault.rs`): the decoders behind the seals.
//! Only there with `--cfg fuzzing`, which `cargo fuzz` sets.

use super::backup;
use super::crypto::KEY;
use super::entry::{Page, Transaction, pack_entries};
use super::frame::{FILE_HEADER, FrameReader, Kind, Next, seal_frame_with};
use super::header::Header;
use super::secret::Secret;
use super::tar::read_file;

/// Reads `bytes` as everything the vault decodes. What is understood is the same after
/// writing it.
///
/// # Panics
/// When it is not.
pub fn decode(bytes: &[u8]) {
    if let Some(transaction) = Transaction::decode(bytes) {
        let written = transaction.encode();
        assert_eq!(Transaction::decode(&written), Some(transaction));
    }
    if let Some(page) = Page::decode(bytes) {
        assert_eq!(Page::decode(&page.encode()), Some(page));
    }
    let _ = pack_entries(bytes);
    backup::fuzz_line(bytes);
    let mut archive = bytes;
    while let Ok(Some(_)) = read_file(&mut archive, 1 << 20) {}
    // A key file costs no time; a passphrase would.
    if let Ok(secret) = Secret::key_file(vec![7; KEY]) {
        let _ = Header::unlock(bytes, &secret);
    }
    frames(bytes);
}

/// A frame of ours with `bytes` after it, then `bytes` alone.
fn frames(bytes: &[u8]) {
    let Ok((_, keys)) = Header::create_from(&[1; KEY].into(), &[2; KEY].into(), [3; 16], 4) else {
        return;
    };
    let head = [0; KEY];
    let plain = bytes.iter().take(64).copied().collect();
    let sealed = seal_frame_with(&keys, Kind::Journal, 1, &head, plain, &[5; 24]);
    let mut file = sealed.map(|s| s.bytes).unwrap_or_default();
    file.extend_from_slice(bytes);
    for part in [&file[..], bytes] {
        let len = (FILE_HEADER + part.len()) as u64;
        let mut reader = FrameReader::new(part, &keys, Kind::Journal, 1, head, len);
        while matches!(reader.next(), Ok(Next::Frame(_))) {}
    }
}
