//! Pseudonymous keys: `did:key` identifiers of Ed25519 keys (W3C did:key method).

use base64::Engine;

/// The multicodec prefix of an Ed25519 public key.
const ED25519: [u8; 2] = [0xed, 0x01];
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The `did:key` of an Ed25519 public key.
#[must_use]
pub fn did_key(public: &[u8; 32]) -> String {
    let mut bytes = Vec::with_capacity(34);
    bytes.extend_from_slice(&ED25519);
    bytes.extend_from_slice(public);
    format!("did:key:z{}", base58btc(&bytes))
}

/// A fresh key: its seed in base 64.
///
/// # Errors
/// The system has no randomness to give.
pub fn fresh_seed() -> Result<String, getrandom::Error> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed)?;
    Ok(base64::prelude::BASE64_STANDARD.encode(seed))
}

/// The `did:key` that belongs to a seed; `None` if it is not one.
#[must_use]
pub fn did_of_seed(seed: &str) -> Option<String> {
    let bytes: [u8; 32] = base64::prelude::BASE64_STANDARD
        .decode(seed)
        .ok()?
        .try_into()
        .ok()?;
    let key = ed25519_dalek::SigningKey::from_bytes(&bytes);
    Some(did_key(key.verifying_key().as_bytes()))
}

fn base58btc(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    let mut digits: Vec<u8> = Vec::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let leading = std::iter::repeat_n('1', zeros);
    leading
        .chain(
            digits
                .iter()
                .rev()
                .map(|d| char::from(BASE58[usize::from(*d)])),
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_vectors() {
        assert_eq!(base58btc(b"Hello World!"), "2NEpo7TZRRrLZSi2U");
        assert_eq!(base58btc(&[0, 0, 0x28, 0x7f, 0xb4, 0xcd]), "11233QC4");
        // Every Ed25519 did:key starts alike.
        assert!(did_key(&[7; 32]).starts_with("did:key:z6Mk"));
    }
}
