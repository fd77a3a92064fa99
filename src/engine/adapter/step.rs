//! Transforms: small, total functions from text to text.

use super::types::{Pattern, Text};
use crate::model::time::Date;
use rust_decimal::Decimal;
use serde::Deserialize;

/// One step of a transform. Written `"trim"` or `{ split = { by = "|", nth = 1 } }`.
/// A step that finds nothing (no match, no such part) makes the value absent.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Removes white space at both ends and folds runs of it.
    Trim,
    /// To lower case.
    Lower,
    /// To upper case.
    Upper,
    /// Keeps the ASCII digits only, for numbers written with blanks or hyphens.
    Digits,
    /// Replaces a text by another, everywhere: `{ replace = ["from", "to"] }`.
    Replace([Text; 2]),
    /// Keeps the first capture group: `{ regex = 'Art\.-Nr\. (\d+)' }`.
    Regex(Pattern),
    /// Replaces every match of a pattern.
    Substitute(Substitute),
    /// The whole value, without regard to case, is looked up; unknown values become absent.
    Map(std::collections::BTreeMap<String, Text>),
    /// The first pair whose left side occurs in the value, without regard to case, gives
    /// the value; none makes it absent.
    Words(Vec<[Text; 2]>),
    /// Keeps one part of a list.
    Split(Split),
    /// Puts a text before the value.
    Prefix(Text),
    /// Puts a text after the value.
    Suffix(Text),
    /// Keeps the value only if it is a plain number with a decimal point, and has it read
    /// as such: "1.299" is then 1.299, not a thousand.
    Number,
    /// Moves the decimal point of a plain number: -2 turns cents into euros.
    Scale(i8),
    /// Reads a date in this format (strftime) and writes it as ISO 8601.
    Date(Text),
}

/// `{ substitute = { regex = "…", with = "$1" } }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Substitute {
    /// What to replace.
    pub regex: Pattern,
    /// What to put there; `$1` is the first group.
    pub with: Text,
}

/// `{ split = { by = "|", nth = 1 } }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The text between the parts.
    pub by: Text,
    /// Which part, from 0; -1 is the last.
    pub nth: i8,
}

/// Longest value a transform takes or makes, in bytes.
pub const MAX_VALUE: usize = 64 << 10;

impl Step {
    /// Applies the step.
    #[must_use]
    pub fn apply(&self, value: &str) -> Option<String> {
        if value.len() > MAX_VALUE {
            return None;
        }
        let out = match self {
            Self::Trim => value.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Lower => value.to_lowercase(),
            Self::Upper => value.to_uppercase(),
            Self::Digits => value.chars().filter(char::is_ascii_digit).collect(),
            Self::Replace([from, to]) if !from.is_empty() => value.replace(from.as_str(), to),
            Self::Replace(_) => value.to_owned(),
            Self::Regex(pattern) => pattern.capture(value)?.to_owned(),
            Self::Substitute(s) => s.regex.replace_all(value, &s.with),
            Self::Map(map) => {
                let wanted = value.trim().to_lowercase();
                map.iter()
                    .find(|(key, _)| key.to_lowercase() == wanted)
                    .map(|(_, v)| v.to_string())?
            }
            Self::Words(pairs) => {
                let value = value.to_lowercase();
                pairs
                    .iter()
                    .find(|[word, _]| value.contains(&word.to_lowercase()))
                    .map(|[_, v]| v.to_string())?
            }
            Self::Split(split) => split.apply(value)?.to_owned(),
            Self::Prefix(text) => [text.as_str(), value].concat(),
            Self::Suffix(text) => [value, text.as_str()].concat(),
            Self::Number => value.trim().parse::<Decimal>().ok()?.to_string(),
            Self::Scale(places) => scale(value, *places)?,
            Self::Date(format) => Date::strptime(format.as_str(), value.trim())
                .ok()?
                .to_string(),
        };
        (out.len() <= MAX_VALUE).then_some(out)
    }
}

impl Split {
    fn apply<'t>(&self, value: &'t str) -> Option<&'t str> {
        if self.by.is_empty() {
            return None;
        }
        match usize::try_from(self.nth) {
            Ok(nth) => value.split(self.by.as_str()).nth(nth),
            Err(_) => {
                let back = usize::from(self.nth.unsigned_abs()) - 1;
                value.rsplit(self.by.as_str()).nth(back)
            }
        }
    }
}

/// Moves the decimal point exactly; anything but a plain number gives nothing.
fn scale(value: &str, places: i8) -> Option<String> {
    let number: Decimal = value.trim().parse().ok()?;
    let factor = Decimal::from(10_i64.checked_pow(u32::from(places.unsigned_abs()))?);
    let moved = if places < 0 {
        number.checked_div(factor)?
    } else {
        number.checked_mul(factor)?
    };
    Some(moved.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(toml: &str, value: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Holder {
            step: Step,
        }
        let holder: Holder = toml::from_str(&format!("step = {toml}")).expect(toml);
        holder.step.apply(value)
    }

    #[test]
    fn steps_do_what_they_say() {
        let is = |toml: &str, value: &str, want: &str| {
            assert_eq!(run(toml, value).as_deref(), Some(want), "{toml}");
        };
        is("'trim'", "  a \n b ", "a b");
        is("'digits'", "40-0638 1", "4006381");
        is("{ replace = ['a', 'b'] }", "banana", "bbnbnb");
        is(r"{ regex = 'No\. (\d+)' }", "No. 17 b", "17");
        is(
            "{ substitute = { regex = '(a)(b)', with = '$2$1' } }",
            "abab",
            "baba",
        );
        is(
            "{ map = { 'Auf Lager' = 'InStock' } }",
            " auf lager ",
            "InStock",
        );
        is(
            "{ words = [['nicht lieferbar', 'OutOfStock'], ['lieferbar', 'InStock']] }",
            "Leider nicht lieferbar",
            "OutOfStock",
        );
        is("{ split = { by = '|', nth = -1 } }", "a|b|c", "c");
        is("{ scale = -2 }", "1999", "19.99");
        is("{ scale = 2 }", "19.99", "1999.00");
        is("{ date = '%d.%m.%Y' }", "24.12.2026", "2026-12-24");
    }

    #[test]
    fn what_is_not_found_is_absent() {
        assert_eq!(run("{ map = { a = 'b' } }", "c"), None);
        assert_eq!(run("{ words = [['a', 'b']] }", "c"), None);
        assert_eq!(run("{ split = { by = '|', nth = 3 } }", "a|b"), None);
        assert_eq!(run("{ split = { by = '|', nth = -128 } }", "a|b"), None);
        assert_eq!(run("{ scale = -2 }", "19,99"), None);
        assert_eq!(run("{ scale = 100 }", "19"), None);
        assert_eq!(run("{ date = '%d.%m.%Y' }", "tomorrow"), None);
        assert_eq!(run("{ date = '%' }", "tomorrow"), None);
    }

    #[test]
    fn values_stay_small() {
        let long = "a".repeat(MAX_VALUE);
        assert_eq!(run("{ replace = ['a', 'bbbb'] }", &long), None);
    }
}
