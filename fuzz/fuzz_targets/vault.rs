//! What the vault decodes: header, transactions, checkpoint pages, packs, archives. See
//! `emptor::vault::fuzz`, which is there under `--cfg fuzzing` only.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    #[cfg(fuzzing)]
    emptor::vault::fuzz::decode(bytes);
    #[cfg(not(fuzzing))]
    let _ = bytes;
});
