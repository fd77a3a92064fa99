//! Splits a folded title into numbers, words and signs.

use super::Unit;
use rust_decimal::Decimal;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind<'a> {
    /// A number as a decimal; `grouped` if it could be written in thousands (`1.500`).
    Number {
        value: Decimal,
        grouped: bool,
    },
    Word(&'a str),
    Sign(char),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Lexeme<'a> {
    pub kind: Kind<'a>,
    /// Nothing stands between this and the one before.
    pub glued: bool,
    pub start: usize,
    pub end: usize,
}

impl Lexeme<'_> {
    pub fn word(&self) -> Option<&str> {
        match self.kind {
            Kind::Word(w) => Some(w),
            _ => None,
        }
    }

    pub fn is_sign(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    /// `x`, `×`, `*` between numbers.
    pub fn is_times(&self) -> bool {
        matches!(self.kind, Kind::Word("x" | "х") | Kind::Sign('×' | '*'))
    }

    /// The number, where thousands make sense for `unit`: nobody sells `1.500 g` as
    /// one and a half grams, but `0.750 l` is a bottle.
    pub fn number(&self, unit: Option<Unit>, factor: Decimal) -> Option<Decimal> {
        let Kind::Number { value, grouped } = self.kind else {
            return None;
        };
        let small = matches!(
            unit,
            Some(Unit::Gram | Unit::Millilitre) if factor <= Decimal::ONE
        ) || matches!(unit, Some(Unit::Piece | Unit::MilliampereHour));
        if grouped && small {
            value.checked_mul(Decimal::ONE_THOUSAND)
        } else {
            Some(value)
        }
    }

    /// The digits after the separator of a number that is not whole: 96 of `6,96`.
    pub fn after_comma(&self) -> Option<u32> {
        let Kind::Number {
            value,
            grouped: false,
        } = self.kind
        else {
            return None;
        };
        if value.is_integer() {
            return None;
        }
        let digits = value.fract().mantissa();
        u32::try_from(digits)
            .ok()
            .filter(|n| (1..10_000).contains(n))
    }

    /// A whole number from 1 to 9999.
    pub fn count(&self) -> Option<u32> {
        let value = self.number(Some(Unit::Piece), Decimal::ONE)?;
        u32::try_from(value)
            .ok()
            .filter(|n| value.is_integer() && (1..10_000).contains(n))
    }
}

/// More lexemes than any title has; the rest is ignored.
const MAX_LEXEMES: usize = 300;

pub(super) fn lex(text: &str) -> Vec<Lexeme<'_>> {
    let mut out: Vec<Lexeme<'_>> = Vec::new();
    let mut at = 0;
    while at < text.len() && out.len() < MAX_LEXEMES {
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            break;
        };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let glued = out.last().is_some_and(|l| l.end == at);
        let (kind, length) = if first.is_ascii_digit() {
            number(rest)
        } else if first == '.' && !glued && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            let (kind, length) = number(&rest[1..]);
            (leading_point(kind, length), length + 1)
        } else if first.is_alphabetic() {
            let length = word(rest, glued);
            (Kind::Word(&rest[..length]), length)
        } else {
            (Kind::Sign(first), first.len_utf8())
        };
        out.push(Lexeme {
            kind,
            glued,
            start: at,
            end: at + length,
        });
        at += length;
    }
    out
}

/// The length of the word `text` starts with. In `10gX10g` the unit ends before the `x`.
fn word(text: &str, glued: bool) -> usize {
    let length = text
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(text.len());
    let digit_follows = text[length..].starts_with(|c: char| c.is_ascii_digit());
    match text[..length].strip_suffix('x') {
        Some(unit) if glued && digit_follows && super::units::unit(unit).is_some() => unit.len(),
        _ => length,
    }
}

/// A decimal number with one separator, or with groups of thousands and a separator.
fn number(text: &str) -> (Kind<'_>, usize) {
    let bytes = text.as_bytes();
    let run = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let mut end = run(0);
    let mut digits = text[..end].to_owned();
    let mut scale = 0;
    let mut grouped = false;
    if matches!(bytes.get(end), Some(b'.' | b',')) {
        let tail = run(end + 1);
        if tail > 0 {
            grouped = tail == 3 && end <= 3 && !text.starts_with('0');
            digits.push_str(&text[end + 1..end + 1 + tail]);
            scale = tail;
            let separator = bytes[end];
            end += 1 + tail;
            // 1.234,5: the second, other separator is the decimal one.
            if grouped && matches!(bytes.get(end), Some(b'.' | b',')) && bytes[end] != separator {
                let tail = run(end + 1);
                if tail > 0 {
                    digits.push_str(&text[end + 1..end + 1 + tail]);
                    scale = tail;
                    grouped = false;
                    end += 1 + tail;
                }
            }
        }
    }
    let kind = match digits.parse::<i64>() {
        Ok(n) if scale <= 8 => Kind::Number {
            value: Decimal::new(n, scale as u32),
            grouped,
        },
        // Article numbers are longer than any amount.
        _ => Kind::Word(&text[..end]),
    };
    (kind, end)
}

fn leading_point(kind: Kind<'_>, digits: usize) -> Kind<'_> {
    match kind {
        Kind::Number { value, .. } if value.is_integer() && digits <= 8 => Kind::Number {
            value: Decimal::new(value.try_into().unwrap_or(0), digits as u32),
            grouped: false,
        },
        other => other,
    }
}
