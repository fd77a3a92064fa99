//! What opens a vault: passphrase, recovery code or key file; and what makes a good one.

use super::crypto::random;
use super::error::{Result, VaultError};
use age::secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Longest passphrase, in bytes of its NFC form.
const MAX_PASSPHRASE: usize = 1024;
/// Shortest passphrase that may be set, in characters.
const MIN_PASSPHRASE: usize = 8;
/// Largest key file.
const MAX_KEY_FILE: usize = 64 * 1024;
/// Smallest key file: 128 bits if it is random.
const MIN_KEY_FILE: usize = 16;

/// Passphrases of eight characters and more that head every list of leaked ones,
/// in lower case. A longer list belongs to the front end that can explain it.
const COMMON: [&str; 32] = [
    "12345678",
    "123456789",
    "1234567890",
    "11111111",
    "00000000",
    "87654321",
    "password",
    "password1",
    "password123",
    "passw0rd",
    "p@ssw0rd",
    "qwertyuiop",
    "qwerty123",
    "1q2w3e4r",
    "1qaz2wsx",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "starwars",
    "whatever",
    "computer",
    "internet",
    "letmein1",
    "welcome1",
    "admin123",
    "changeme",
    "asdfghjkl",
    "abcd1234",
];

/// A secret that opens a slot. Its `Debug` form shows only the kind.
#[derive(Debug)]
#[non_exhaustive]
pub enum Secret {
    /// What the person remembers; stretched with Argon2id.
    Passphrase(SecretString),
    /// The code shown once when the vault was made.
    Recovery(RecoveryCode),
    /// The bytes of a key file, 16 bytes to 64 KiB. They are not stretched: make the
    /// file from random bytes.
    KeyFile(SecretBox<[u8]>),
}

impl Secret {
    /// A passphrase.
    #[must_use]
    pub fn passphrase(text: impl Into<String>) -> Self {
        Self::Passphrase(SecretString::from(text.into()))
    }

    /// The contents of a key file.
    ///
    /// # Errors
    /// Shorter than 16 bytes or longer than 64 KiB.
    pub fn key_file(bytes: Vec<u8>) -> Result<Self> {
        if !(MIN_KEY_FILE..=MAX_KEY_FILE).contains(&bytes.len()) {
            return Err(VaultError::Slot("a key file has 16 bytes to 64 KiB"));
        }
        Ok(Self::KeyFile(SecretBox::new(bytes.into_boxed_slice())))
    }
}

/// The bytes a passphrase stands for: its NFC form, nothing trimmed, so that the same
/// text typed on another keyboard or system opens the vault.
pub(super) fn passphrase_bytes(text: &SecretString) -> Result<Zeroizing<Vec<u8>>> {
    let text = text.expose_secret();
    if text.is_empty() || text.len() > 4 * MAX_PASSPHRASE {
        return Err(VaultError::WeakPassphrase("1 to 1024 bytes"));
    }
    // The capacity is enough for any NFC form, so no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 3));
    let mut buffer = Zeroizing::new([0; 4]);
    for c in text.nfc() {
        bytes.extend_from_slice(c.encode_utf8(buffer.as_mut_slice()).as_bytes());
    }
    if bytes.len() > MAX_PASSPHRASE {
        return Err(VaultError::WeakPassphrase("1 to 1024 bytes"));
    }
    Ok(bytes)
}

/// Whether `text` may be set as a passphrase: at least eight characters, not one
/// character repeated, not one of the commonest.
///
/// # Errors
/// [`VaultError::WeakPassphrase`] with the reason.
pub fn check_passphrase(text: &SecretString) -> Result<()> {
    let bytes = passphrase_bytes(text)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| VaultError::WeakPassphrase("not text"))?;
    if text.chars().count() < MIN_PASSPHRASE {
        return Err(VaultError::WeakPassphrase("shorter than 8 characters"));
    }
    let first = text.chars().next();
    if text.chars().all(|c| Some(c) == first) {
        return Err(VaultError::WeakPassphrase("one character repeated"));
    }
    if COMMON
        .iter()
        .any(|common| common.eq_ignore_ascii_case(text))
    {
        return Err(VaultError::WeakPassphrase("one of the most common"));
    }
    Ok(())
}

/// Crockford's base 32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Symbols in a code: 26 for 128 bits with two bits to spare, two for the checksum.
const SYMBOLS: usize = 28;
const GROUP: usize = 4;

/// A recovery code: 128 random bits and a 12-bit checksum, written as seven groups of
/// four symbols. Shown once; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<[u8; 16]>);

impl RecoveryCode {
    /// A new code.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn generate() -> Result<Self> {
        Ok(Self(Zeroizing::new(random()?)))
    }

    #[cfg(test)]
    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads a code as a person types it: any case, any spaces and dashes, and O for 0,
    /// I or L for 1.
    ///
    /// # Errors
    /// [`VaultError::BadRecoveryCode`] when symbols are wrong, missing or the checksum
    /// does not fit.
    pub fn parse(text: &str) -> Result<Self> {
        let mut bits: Zeroizing<u128> = Zeroizing::new(0);
        let mut check = 0;
        let mut count = 0;
        for c in text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐' | '–'))
        {
            let symbol = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let value = ALPHABET
                .iter()
                .position(|a| char::from(*a) == symbol)
                .ok_or(VaultError::BadRecoveryCode)?;
            // Symbols 0..24 hold 125 bits; symbol 25 three bits and the checksum's top two.
            match count {
                0..25 => *bits = *bits << 5 | value as u128,
                25 => {
                    *bits = *bits << 3 | (value >> 2) as u128;
                    check = value & 3;
                }
                26..SYMBOLS => check = check << 5 | value,
                _ => return Err(VaultError::BadRecoveryCode),
            }
            count += 1;
        }
        let code = Self(Zeroizing::new(bits.to_be_bytes()));
        if count == SYMBOLS && check == code.checksum() {
            Ok(code)
        } else {
            Err(VaultError::BadRecoveryCode)
        }
    }

    /// The code as the person is to write it down.
    #[must_use]
    pub fn reveal(&self) -> SecretString {
        let bits = Zeroizing::new(u128::from_be_bytes(*self.0));
        let check = self.checksum();
        let mut text = String::with_capacity(SYMBOLS + SYMBOLS / GROUP);
        for i in 0..SYMBOLS {
            let value = match i {
                0..25 => (*bits >> (123 - 5 * i)) as usize & 31,
                25 => (*bits as usize & 7) << 2 | check >> 10,
                26 => check >> 5 & 31,
                _ => check & 31,
            };
            if i > 0 && i % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[value]));
        }
        SecretString::from(text)
    }

    pub(super) fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first 12 bits of a hash: finds all but one in 4,096 wrong codes.
    fn checksum(&self) -> usize {
        let hash = Sha256::new()
            .chain_update(b"emptor/recovery/1")
            .chain_update(self.0.as_slice())
            .finalize();
        usize::from(hash[0]) << 4 | usize::from(hash[1]) >> 4
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn recovery_codes_survive_writing_down(bytes: [u8; 16], sloppy in any::<bool>()) {
            let code = RecoveryCode::from_bytes(bytes);
            let mut text = code.reveal().expose_secret().to_owned();
            prop_assert_eq!(text.len(), 34);
            if sloppy {
                text = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            }
            let parsed = RecoveryCode::parse(&text).expect("own code");
            prop_assert_eq!(parsed.bytes(), &bytes);
        }

        #[test]
        fn a_mistyped_symbol_is_nearly_always_found(bytes: [u8; 16], at in 0usize..28) {
            let code = RecoveryCode::from_bytes(bytes);
            let text: String = code.reveal().expose_secret().replace('-', "");
            let found = ALPHABET.iter().filter(|other| text.as_bytes()[at] != **other).filter(|other| {
                let mut wrong = text.clone().into_bytes();
                wrong[at] = **other;
                RecoveryCode::parse(std::str::from_utf8(&wrong).expect("ascii")).is_err()
            }).count();
            prop_assert!(found >= 29, "{found} of 31");
        }
    }

    #[test]
    fn weak_passphrases_are_refused() {
        for weak in ["", "short", "aaaaaaaaaaaa", "Password", "12345678"] {
            assert!(
                check_passphrase(&SecretString::from(weak.to_owned())).is_err(),
                "{weak}"
            );
        }
        let good = SecretString::from("correct horse battery".to_owned());
        assert!(check_passphrase(&good).is_ok());
    }

    #[test]
    fn composed_and_decomposed_text_is_one_passphrase() {
        let of = |t: &str| passphrase_bytes(&SecretString::from(t.to_owned())).expect("valid");
        assert_eq!(of("caf\u{e9} au lait"), of("cafe\u{301} au lait"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = Secret::passphrase("marker-4711");
        assert!(!format!("{secret:?}").contains("4711"));
        let file = Secret::key_file(b"marker-4711-bytes".to_vec()).expect("long enough");
        assert!(!format!("{file:?}").contains("4711"));
        let code = RecoveryCode::from_bytes([0x47; 16]);
        assert_eq!(format!("{code:?}"), "RecoveryCode(redacted)");
    }
}
