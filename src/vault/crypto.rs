//! The vault's one family of primitives: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha),
//! HKDF-SHA256 (RFC 5869), HMAC-SHA256 (RFC 2104) and SHA-256.

use super::error::{Result, VaultError};
use super::locked::LockedPage;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of a key, a hash and a MAC.
pub(super) const KEY: usize = 32;
/// Bytes of a nonce.
pub(super) const NONCE: usize = 24;
/// Bytes of an authentication tag.
pub(super) const TAG: usize = 16;

/// A key on its way into or out of a [`KeyPage`]; overwritten when dropped.
pub(super) type SecretKey = Zeroizing<[u8; KEY]>;

/// `N` bytes from the system's generator. Nonces come from here and nowhere else: a
/// counter would repeat when a backup is restored.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| VaultError::Random)?;
    Ok(bytes)
}

/// Encrypts `plain` in place and appends the tag.
pub(super) fn seal(key: &[u8; KEY], nonce: &[u8; NONCE], aad: &[u8], plain: &mut Vec<u8>) {
    XChaCha20Poly1305::new(key.into())
        .encrypt_in_place(&XNonce::from(*nonce), aad, plain)
        .expect("invariant: far under the cipher's length limit");
}

/// Checks the tag at the end of `sealed` and decrypts in place. `None` if anything was
/// changed; `sealed` is then of no use.
pub(super) fn open(
    key: &[u8; KEY],
    nonce: &[u8; NONCE],
    aad: &[u8],
    sealed: &mut Vec<u8>,
) -> Option<()> {
    XChaCha20Poly1305::new(key.into())
        .decrypt_in_place(&XNonce::from(*nonce), aad, sealed)
        .ok()
}

/// HMAC-SHA256 over the parts in order. Callers keep the encoding of parts unambiguous.
pub(super) fn mac(key: &[u8; KEY], parts: &[&[u8]]) -> [u8; KEY] {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Whether `tag` is the MAC of `parts`, in constant time.
pub(super) fn mac_fits(key: &[u8; KEY], parts: &[&[u8]], tag: &[u8]) -> bool {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(tag).is_ok()
}

fn keyed(key: &[u8; KEY]) -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("invariant: HMAC takes any key length")
}

/// SHA-256 over the parts in order.
pub(super) fn sha256(parts: &[&[u8]]) -> [u8; KEY] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// HKDF-SHA256 to one key.
pub(super) fn derive(ikm: &[u8], salt: &[u8], info: &[&[u8]]) -> SecretKey {
    let mut key = Zeroizing::new([0; KEY]);
    Hkdf::<Sha256>::new(Some(salt), ikm)
        .expand_multi_info(info, key.as_mut_slice())
        .expect("invariant: 32 bytes is within HKDF's limit");
    key
}

/// Which key of the page. The master key's children come first, then the epoch's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Master,
    Header,
    Keyring,
    Anchor,
    Audit,
    Epoch,
    Record,
    Index,
    Journal,
    Checkpoint,
    SetHash,
}

impl Name {
    /// The last part of the HKDF info.
    fn label(self) -> &'static [u8] {
        match self {
            Self::Master | Self::Epoch => b"",
            Self::Header => b"hdr",
            Self::Keyring => b"keyring",
            Self::Anchor => b"anchor",
            Self::Audit => b"audit",
            Self::Record => b"rec",
            Self::Index => b"idx",
            Self::Journal => b"jrn",
            Self::Checkpoint => b"ckpt",
            Self::SetHash => b"mset",
        }
    }
}

/// All keys of an open vault, in one locked page.
pub(super) struct KeyPage {
    page: LockedPage,
    vault_id: [u8; 16],
    epoch: u32,
}

impl KeyPage {
    /// The keys that follow from the master key.
    pub(super) fn new(master: &SecretKey, vault_id: [u8; 16]) -> Result<Self> {
        let page = LockedPage::new().map_err(|e| VaultError::io("memory for keys", e))?;
        let mut keys = Self {
            page,
            vault_id,
            epoch: 0,
        };
        keys.set(Name::Master, master);
        for name in [Name::Header, Name::Keyring, Name::Anchor, Name::Audit] {
            let key = derive(master.as_slice(), &vault_id, &[b"emptor/1/", name.label()]);
            keys.set(name, &key);
        }
        Ok(keys)
    }

    /// Adds the keys that follow from the key of epoch `epoch`.
    pub(super) fn set_epoch(&mut self, epoch: u32, secret: &SecretKey) {
        self.epoch = epoch;
        self.set(Name::Epoch, secret);
        for name in [
            Name::Record,
            Name::Index,
            Name::Journal,
            Name::Checkpoint,
            Name::SetHash,
        ] {
            let info: [&[u8]; 3] = [b"emptor/1/epoch/", &epoch.to_be_bytes(), name.label()];
            let key = derive(secret.as_slice(), &self.vault_id, &info);
            self.set(name, &key);
        }
    }

    fn set(&mut self, name: Name, key: &SecretKey) {
        let at = name as usize * KEY;
        self.page.bytes_mut()[at..at + KEY].copy_from_slice(key.as_slice());
    }

    pub(super) fn key(&self, name: Name) -> &[u8; KEY] {
        let at = name as usize * KEY;
        self.page.bytes()[at..at + KEY]
            .try_into()
            .expect("invariant: the page holds every key")
    }

    pub(super) fn vault_id(&self) -> &[u8; 16] {
        &self.vault_id
    }

    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether the page is locked into RAM.
    pub(super) fn is_locked(&self) -> bool {
        self.page.is_locked()
    }
}

impl std::fmt::Debug for KeyPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPage(redacted)")
    }
}
