//! How money, times and states are written for a person.
//!
//! Pure: which locale it is, the edges find out.

use crate::model::sentence::Part;
use crate::model::time::{Date, Timestamp};
use crate::model::{Availability, Money, Sentence};
use jiff::tz::TimeZone;

/// How amounts, days and times are written, and in which time zone. The default is the way
/// of documents, the same everywhere: `1234.50 EUR`, ISO 8601, UTC.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Locale {
    style: Option<Style>,
    zone: Option<TimeZone>,
}

/// Decimal mark, group mark, whether the symbol stands behind, and the order of a date: the
/// usual way of a locale (Unicode CLDR, `decimalFormats`, `currencyFormats` and the short
/// `dateFormats` with four digits for the year; where the words around it are English
/// and the order is month first, the month by its name).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Style {
    decimal: char,
    group: &'static str,
    symbol_last: bool,
    day: &'static str,
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
        let make = |decimal, group, symbol_last| Style {
            decimal,
            group,
            symbol_last,
            day: day_format(language, region),
        };
        let style = match (language, region) {
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
        };
        Self {
            style: Some(style),
            zone: None,
        }
    }

    /// The same with times of a time zone.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self {
            zone: Some(zone),
            ..self
        }
    }

    /// A sentence with its amounts, days and times.
    #[must_use]
    pub fn say(&self, sentence: &Sentence) -> String {
        let part = |part: &Part| match part {
            Part::Words(words) => words.clone(),
            Part::Money(money) => self.money(money),
            Part::Time { time } => self.time(*time),
            Part::Day { day } => self.day(*day),
        };
        sentence.parts().iter().map(part).collect()
    }

    /// A day.
    #[must_use]
    pub fn day(&self, day: Date) -> String {
        self.style.map_or_else(
            || day.to_string(),
            |style| day.strftime(style.day).to_string(),
        )
    }

    /// A day and time, to the minute.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        if self.style.is_none() {
            return format!("{at:.0}");
        }
        let local = at.to_zoned(self.zone.clone().unwrap_or(TimeZone::UTC));
        format!("{} {}", self.day(local.date()), local.strftime("%H:%M"))
    }

    /// An amount with its currency, rounded to the minor unit.
    #[must_use]
    pub fn money(&self, money: &Money) -> String {
        self.style
            .map_or_else(|| money.to_string(), |style| style.money(money))
    }
}

/// Numbers only, except where a month first would be taken for a day.
fn day_format(language: &str, region: &str) -> &'static str {
    match (language, region) {
        ("en", "US" | "") => "%b %-d, %Y",
        ("en", "CA" | "ZA") | ("fr", "CA") | ("sv" | "lt" | "zh" | "ko", _) => "%Y-%m-%d",
        ("en" | "es" | "pt" | "it" | "el" | "id" | "th" | "he", _) | ("fr", _) => {
            if region == "CH" {
                "%d.%m.%Y"
            } else {
                "%d/%m/%Y"
            }
        }
        ("nl", _) => "%d-%m-%Y",
        ("ja", _) => "%Y/%m/%d",
        (
            "de" | "da" | "hr" | "sl" | "ro" | "tr" | "is" | "pl" | "cs" | "sk" | "fi" | "nb"
            | "no" | "nn" | "bg" | "uk" | "ru" | "et" | "lv",
            _,
        ) => "%d.%m.%Y",
        _ => "%Y-%m-%d",
    }
}

impl Style {
    fn money(&self, money: &Money) -> String {
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

/// A number of things, in the singular or the plural: `1 page`, `3 pages`.
#[must_use]
pub fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
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
    use crate::model::sentence;

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
    fn sentences_are_written_the_persons_way() {
        let cost: Money = "1299 EUR".parse().expect("test money");
        let day: Date = "2030-02-03".parse().expect("a day");
        let at: Timestamp = "2030-06-30T22:30:00Z".parse().expect("a time");
        let said = sentence!("costs ", cost, " until ", day, ", read ", at);
        let show = |locale: &Locale| locale.say(&said).replace(['\u{a0}', '\u{202f}'], " ");
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(
            show(&Locale::named("de_DE").in_zone(zone.clone())),
            "costs 1.299,00 € until 03.02.2030, read 01.07.2030 00:30"
        );
        assert_eq!(
            show(&Locale::named("en_US").in_zone(zone.clone())),
            "costs €1,299.00 until Feb 3, 2030, read Jul 1, 2030 00:30"
        );
        assert_eq!(
            show(&Locale::named("en_GB")),
            "costs €1,299.00 until 03/02/2030, read 30/06/2030 22:30"
        );
        assert_eq!(
            show(&Locale::named("C").in_zone(zone.clone())),
            "costs 1299.00 € until 2030-02-03, read 2030-07-01 00:30"
        );
        // The way of documents knows no zone.
        assert_eq!(show(&Locale::default().in_zone(zone)), said.to_string());
    }

    #[test]
    fn one_is_no_plural() {
        let pages = [0, 1, 2].map(|n| count(n, "page"));
        assert_eq!(pages, ["0 pages", "1 page", "2 pages"]);
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
