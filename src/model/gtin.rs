//! Global Trade Item Numbers (GS1 General Specifications, section 7.9: check digit).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// A valid GTIN-8, -12, -13 or -14, held as fourteen digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtin([u8; 14]);

/// Why a text is not a GTIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GtinError {
    /// Not 8, 10 (ISBN-10), 12, 13 or 14 digits.
    #[error("a GTIN has 8, 12, 13 or 14 digits")]
    Length,
    /// The last digit does not follow from the others.
    #[error("the check digit is wrong: a digit was misread")]
    CheckDigit,
}

/// The GS1 modulo-10 check digit of `digits` (values 0 to 9, without the check digit).
#[must_use]
pub fn check_digit(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| u32::from(*d) * if i % 2 == 0 { 3 } else { 1 })
        .sum();
    ((10 - sum % 10) % 10) as u8
}

impl Gtin {
    /// The fourteen digits as text, zero-filled on the left.
    #[must_use]
    pub fn as_gtin14(&self) -> String {
        self.0.iter().map(|d| char::from(b'0' + d)).collect()
    }

    /// The indicator digit: 0 for the consumer unit, 1 to 8 for outer packs, 9 for
    /// variable measure.
    #[must_use]
    pub const fn indicator(&self) -> u8 {
        self.0[0]
    }

    /// The twelve digits that identify the consumer unit, whatever the pack level.
    #[must_use]
    pub fn item_reference(&self) -> [u8; 12] {
        let mut out = [0; 12];
        out.copy_from_slice(&self.0[1..13]);
        out
    }

    /// GS1 prefixes 02, 04 and 20 to 29 are handed out inside one company or shop:
    /// equal numbers from two shops say nothing.
    #[must_use]
    pub const fn is_restricted(&self) -> bool {
        if self.0[0] != 0 {
            return false;
        }
        matches!((self.0[1], self.0[2]), (2, _) | (0, 2 | 4))
    }
}

impl FromStr for Gtin {
    type Err = GtinError;

    /// Reads digits with optional spaces and hyphens. An ISBN-10 becomes its ISBN-13.
    fn from_str(s: &str) -> Result<Self, GtinError> {
        let mut digits: Vec<u8> = Vec::with_capacity(14);
        let mut isbn10_x = false;
        for c in s.trim().chars() {
            match c {
                '0'..='9' if digits.len() < 14 && !isbn10_x => digits.push(c as u8 - b'0'),
                'x' | 'X' if digits.len() == 9 => isbn10_x = true,
                ' ' | '-' => {}
                _ => return Err(GtinError::Length),
            }
        }
        if isbn10_x || digits.len() == 10 {
            let check: u32 = digits
                .iter()
                .take(9)
                .enumerate()
                .map(|(i, d)| (10 - i as u32) * u32::from(*d))
                .sum();
            let last = if isbn10_x { 10 } else { u32::from(digits[9]) };
            if !(check + last).is_multiple_of(11) {
                return Err(GtinError::CheckDigit);
            }
            let mut isbn13 = vec![9, 7, 8];
            isbn13.extend_from_slice(&digits[..9]);
            isbn13.push(check_digit(&isbn13));
            digits = isbn13;
        }
        if !matches!(digits.len(), 8 | 12 | 13 | 14) || digits.iter().all(|d| *d == 0) {
            return Err(GtinError::Length);
        }
        let (body, last) = digits.split_at(digits.len() - 1);
        if check_digit(body) != last[0] {
            return Err(GtinError::CheckDigit);
        }
        let mut out = [0; 14];
        out[14 - digits.len()..].copy_from_slice(&digits);
        Ok(Self(out))
    }
}

/// The shortest usual form: GTIN-13, or GTIN-14 for outer packs.
impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.as_gtin14();
        f.write_str(if self.0[0] == 0 { &all[1..] } else { &all })
    }
}

impl fmt::Debug for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Gtin {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Gtin {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = String::deserialize(d)?;
        s.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_number_are_equal() {
        let ean: Gtin = "4006381333931".parse().expect("EAN-13");
        assert_eq!("04006381333931".parse(), Ok(ean));
        assert_eq!("4006381-333931".parse(), Ok(ean));
        let upc: Gtin = "036000291452".parse().expect("UPC-A");
        assert_eq!("0036000291452".parse(), Ok(upc));
        assert_eq!(
            "3-16-148410-X".parse::<Gtin>().map(|g| g.to_string()),
            Ok("9783161484100".into())
        );
    }

    #[test]
    fn every_single_digit_error_is_rejected() {
        let good = "4006381333931";
        for place in 0..good.len() {
            for digit in b'0'..=b'9' {
                let mut bytes = good.as_bytes().to_vec();
                if bytes[place] == digit {
                    continue;
                }
                bytes[place] = digit;
                let text = String::from_utf8(bytes).expect("ascii");
                assert!(text.parse::<Gtin>().is_err(), "{text}");
            }
        }
    }
}
