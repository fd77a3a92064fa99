//! How money, times and states are written for a person.
//!
//! Pure: which locale it is, the edges find out.

use crate::model::time::Timestamp;
use crate::model::{Availability, Money};

/// Decimal mark, group mark, and whether the symbol stands behind: the usual way of a
/// locale (Unicode CLDR, `decimalFormats` and `currencyFormats`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locale {
    decimal: char,
    group: &'static str,
    symbol_last: bool,
}

const NARROW_SPACE: &str = "\u{202f}";
const SPACE: &str = "\u{a0}";

impl Locale {
    /// The locale of a name such as `de_DE.UTF-8` or `fr-CH`. Unknown ones are written the
    /// international way: `1234.50 EUR`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let tag = name
            .split(['.', '@'])
            .next()
            .unwrap_or("")
            .replace('_', "-");
        let (language, region) = tag.split_once('-').unwrap_or((&tag, ""));
        let make = |decimal, group, symbol_last| Self {
            decimal,
            group,
            symbol_last,
        };
        match (language, region) {
            ("de" | "it" | "fr", "CH") => make('.', "’", false),
            ("de", "AT") => make(',', SPACE, false),
            ("de" | "es" | "it" | "da" | "hr" | "sl" | "el" | "ro" | "id" | "tr" | "is", _) => {
                make(',', ".", true)
            }
            ("pt", "BR") | ("nl", _) => make(',', ".", false),
            ("fr", _) => make(',', NARROW_SPACE, true),
            (
                "pl" | "cs" | "sk" | "fi" | "sv" | "nb" | "no" | "nn" | "hu" | "bg" | "uk" | "ru"
                | "et" | "lv" | "lt" | "pt",
                _,
            ) => make(',', SPACE, true),
            ("en" | "ja" | "zh" | "ko" | "he" | "th", _) => make('.', ",", false),
            _ => make('.', "", true),
        }
    }

    /// An amount with its currency, rounded to the minor unit.
    #[must_use]
    pub fn money(&self, money: &Money) -> String {
        let text = money.rounded().amount.to_string();
        let (sign, text) = text
            .strip_prefix('-')
            .map_or(("", text.as_str()), |t| ("-", t));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let mut number = String::new();
        for (i, digit) in whole.chars().enumerate() {
            let left = whole.len() - i;
            // Four digits stay together where the group mark is a space.
            let grouped = left.is_multiple_of(3) && i > 0;
            let short = whole.len() == 4 && (self.group == SPACE || self.group == NARROW_SPACE);
            if grouped && !short {
                number.push_str(self.group);
            }
            number.push(digit);
        }
        if !fraction.is_empty() {
            number.push(self.decimal);
            number.push_str(fraction);
        }
        // `$` is many currencies; only signs with one meaning replace the code.
        let unit = match money.currency.code() {
            "EUR" => "€",
            "GBP" => "£",
            code => code,
        };
        if self.symbol_last || unit.len() == 3 && unit.is_ascii() && self.group.is_empty() {
            format!("{sign}{number}{SPACE}{unit}")
        } else if unit.chars().count() == 1 && self.decimal == '.' {
            format!("{sign}{unit}{number}")
        } else {
            format!("{sign}{unit}{SPACE}{number}")
        }
    }
}

/// How long ago, or in how long, in the largest fitting unit.
#[must_use]
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    let (value, unit) = match seconds.abs() {
        0..60 => {
            return if seconds >= 0 {
                "just now".into()
            } else {
                "in a moment".into()
            };
        }
        s @ 60..3600 => (s / 60, "min"),
        s @ 3600..172_800 => (s / 3600, "h"),
        s => (s / 86_400, "days"),
    };
    if seconds >= 0 {
        format!("{value} {unit} ago")
    } else {
        format!("in {value} {unit}")
    }
}

/// An availability in words.
#[must_use]
pub const fn availability(a: Availability) -> &'static str {
    match a {
        Availability::InStock => "in stock",
        Availability::LimitedAvailability => "few left",
        Availability::PreOrder => "pre-order",
        Availability::BackOrder => "back order",
        Availability::OutOfStock => "out of stock",
        Availability::Discontinued => "discontinued",
        Availability::Unknown => "stock unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_in_the_persons_locale() {
        let m = |s: &str| s.parse::<Money>().expect("test money");
        let show = |locale: &str, money: &str| {
            Locale::named(locale)
                .money(&m(money))
                .replace(['\u{a0}', '\u{202f}'], " ")
        };
        assert_eq!(show("de_DE.UTF-8", "1299 EUR"), "1.299,00 €");
        assert_eq!(show("en_GB", "1299.5 GBP"), "£1,299.50");
        assert_eq!(show("fr-FR", "12990 EUR"), "12 990,00 €");
        assert_eq!(show("de-CH", "1299 CHF"), "CHF 1’299.00");
        assert_eq!(show("en_US", "20 USD"), "USD 20.00");
        assert_eq!(show("nl_NL", "5 EUR"), "€ 5,00");
        assert_eq!(show("C", "1299 EUR"), "1299.00 €");
        assert_eq!(show("pl_PL", "-1299 JPY"), "-1299 JPY");
    }

    #[test]
    fn times_read_naturally() {
        let t = |s| Timestamp::from_second(s).expect("in range");
        assert_eq!(ago(t(0), t(30)), "just now");
        assert_eq!(ago(t(0), t(7200)), "2 h ago");
        assert_eq!(ago(t(7200), t(0)), "in 2 h");
        assert_eq!(ago(t(0), t(86_400 * 9)), "9 days ago");
    }
}
