//! Found texts to typed values.

use super::find::Found;
use crate::engine::price::{self, Hints, Kind};
use crate::model::offer::UnitPrice;
use crate::model::{Availability, Condition, Currency, Money};
use regex::Regex;
use rust_decimal::Decimal;
use std::str::FromStr;
use std::sync::LazyLock;

/// What is known about money before reading a text.
#[derive(Clone, Copy, Debug)]
pub struct Habits<'a> {
    /// The currency of amounts without one.
    pub currency: Option<Currency>,
    /// The language and region.
    pub locale: Option<&'a str>,
}

impl Habits<'_> {
    /// Reads an amount of one of these kinds. `None` unless amount and currency are
    /// sure: several different amounts, a range or an undecided `$` are not.
    pub fn money(&self, found: &Found, kinds: &[Kind]) -> Option<Money> {
        if found.is_plain {
            let amount = Decimal::from_str(&found.text).ok()?;
            return self.currency.map(|currency| with_cents(amount, currency));
        }
        self.read(&found.text, kinds)
    }

    fn read(&self, text: &str, kinds: &[Kind]) -> Option<Money> {
        let hints = Hints {
            currency: self.currency.as_ref().map(Currency::code),
            locale: self.locale,
            decimal_separator: None,
        };
        let figures = price::figures(text, &hints);
        let mut fitting = figures.iter().filter(|f| kinds.contains(&f.kind));
        let Some(first) = fitting.next() else {
            let is_free = figures.is_empty() && kinds.contains(&Kind::Free);
            return self
                .currency
                .filter(|_| is_free && price::context::is_free(text))
                .map(Money::zero);
        };
        if first.high.is_some() || fitting.any(|f| f.amount != first.amount) {
            return None;
        }
        first.currency.map(|c| Money::new(first.amount, c))
    }

    /// Reads a price per reference quantity, such as `4,98 € / 1 kg` or `1 l = 0,99 €`.
    pub fn unit_price(&self, found: &Found) -> Option<UnitPrice> {
        static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r"(?ix)
                (?: (?:/|\b(?:per|pro|je|par|por|al|voor)\b) \s* (?:(?P<n1>\d+(?:[.,]\d+)?)\s*)? (?P<u1>[a-zäöü²³\d]+)\.?
                  | (?P<n2>\d+(?:[.,]\d+)?) \s* (?P<u2>[a-zäöü²³]+\d?)\.? \s* [=:] )",
            )
            .expect("invariant: a valid pattern")
        });
        let reference = REFERENCE.captures(&found.text)?;
        let unit = reference.name("u1").or_else(|| reference.name("u2"))?;
        let unit = unit_name(unit.as_str())?;
        let quantity = match reference.name("n1").or_else(|| reference.name("n2")) {
            Some(n) => Decimal::from_str(&n.as_str().replace(',', ".")).ok()?,
            None => Decimal::ONE,
        };
        let whole = reference.get(0)?;
        let rest = [&found.text[..whole.start()], &found.text[whole.end()..]].concat();
        let rest = rest.trim_matches(|c: char| c.is_whitespace() || "()[]*".contains(c));
        let price = self.read(rest, &[Kind::Price, Kind::Unit])?;
        (quantity > Decimal::ZERO && price.amount > Decimal::ZERO).then(|| UnitPrice {
            price,
            quantity,
            unit: unit.to_owned(),
        })
    }
}

/// `89` and `89.5` with the places of the currency: 89.00 and 89.50.
fn with_cents(amount: Decimal, currency: Currency) -> Money {
    let mut amount = amount.normalize();
    if amount.scale() < currency.exponent() {
        amount.rescale(currency.exponent());
    }
    Money::new(amount, currency)
}

/// The usual sign of a unit written in one of many ways.
fn unit_name(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "kg" | "kilo" | "kilogramm" | "kilogram" => "kg",
        "g" | "gr" | "gramm" | "gram" => "g",
        "l" | "lt" | "ltr" | "liter" | "litre" | "litro" => "l",
        "ml" => "ml",
        "cl" => "cl",
        "m" | "meter" | "metre" => "m",
        "m²" | "m2" | "qm" => "m2",
        "stk" | "st" | "stück" | "stueck" | "pc" | "pcs" | "piece" | "pièce" | "each" | "ea"
        | "stuk" => "piece",
        "wl" | "waschgang" | "wash" | "waschladung" => "wash",
        _ => return None,
    })
}

/// An availability: schema.org's word or address, `true`/`false`, or a stock count.
pub fn availability(text: &str) -> Option<Availability> {
    let word = text.trim().rsplit(['/', ':']).next().unwrap_or(text);
    let word: String = word
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect::<String>()
        .to_ascii_lowercase();
    Some(match word.as_str() {
        "instock" | "onlineonly" | "true" => Availability::InStock,
        "limitedavailability" => Availability::LimitedAvailability,
        "preorder" | "presale" => Availability::PreOrder,
        "backorder" => Availability::BackOrder,
        "outofstock" | "soldout" | "false" => Availability::OutOfStock,
        "discontinued" => Availability::Discontinued,
        count => match count.parse::<i64>() {
            Ok(n) if n > 0 => Availability::InStock,
            Ok(_) => Availability::OutOfStock,
            Err(_) => return None,
        },
    })
}

/// A condition: schema.org's word or address, with or without `Condition` at its end.
pub fn condition(text: &str) -> Option<Condition> {
    let word = text.trim().rsplit(['/', ':']).next()?.to_ascii_lowercase();
    Some(match word.strip_suffix("condition").unwrap_or(&word) {
        "new" => Condition::New,
        "used" => Condition::Used,
        "refurbished" => Condition::Refurbished,
        "damaged" => Condition::Damaged,
        _ => return None,
    })
}

/// A currency as a code or an unmistakable sign; `locale` decides signs that many
/// countries share.
pub fn currency(text: &str, locale: Option<&str>) -> Option<Currency> {
    let hints = Hints {
        locale,
        ..Hints::default()
    };
    price::read(text, &hints).currency
}
