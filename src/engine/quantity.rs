//! How much of a thing an offer sells: packs and units read from titles.
//!
//! Titles say amounts in many ways and languages: `6 x 0.33 l`, `2x1kg`, `12er Pack
//! 0,5 L`, `4 kom`, `16 oz`, `27"`. Here they become an amount in a base unit, so that
//! two offers can be compared for equality and on the price of one unit.

mod lexer;
mod parse;
mod units;

use crate::model::Money;
use crate::model::offer::UnitPrice;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What an amount is measured in. Conversions are exact (SI; NIST Handbook 44 for US
/// customary units).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Unit {
    Gram,
    Millilitre,
    Piece,
    Metre,
    SquareMetre,
    Gigabyte,
    Watt,
    WattHour,
    MilliampereHour,
    Volt,
    Megahertz,
    Megapixel,
}

impl Unit {
    /// Whether goods are sold by it; the others only describe them.
    #[must_use]
    pub const fn is_content(self) -> bool {
        matches!(self, Self::Gram | Self::Millilitre | Self::Piece)
    }

    /// The reference quantity of a unit price, in base units, and its name
    /// (directive 98/6/EC: kilogram, litre, metre, square metre, piece).
    #[must_use]
    pub const fn reference(self) -> Option<(u32, &'static str)> {
        match self {
            Self::Gram => Some((1000, "kg")),
            Self::Millilitre => Some((1000, "l")),
            Self::Piece => Some((1, "piece")),
            Self::Metre => Some((1, "m")),
            Self::SquareMetre => Some((1, "m2")),
            Self::Gigabyte => Some((1, "GB")),
            _ => None,
        }
    }
}

/// How much one sales unit holds in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantity {
    /// The whole amount, in the base unit: `6 x 0.33 l` is 1980 millilitres.
    pub amount: Decimal,
    /// The base unit.
    pub unit: Unit,
    /// How many pieces it comes in; 1 if the title does not say.
    pub pieces: u32,
}

/// One amount in a title, in a base unit: content, or a property such as 27 inches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The amount of one, in the base unit.
    pub amount: Decimal,
    /// The base unit.
    pub unit: Unit,
    /// The number as written, before conversion.
    pub written: Decimal,
    /// Where it stands in the folded title, in bytes.
    pub start: usize,
    /// One past its end.
    pub end: usize,
}

/// The longest title read, in characters; the rest is ignored.
const MAX_TITLE: usize = 1000;

/// Reads the quantity of a title, or nothing where the title does not say it.
///
/// A mass or volume comes before a count, a count before a length or capacity. `3/1`
/// and `12 kom` beside a mass count the pieces inside it; `12-pack`, `12er` and `12 x`
/// multiply it. A range (`4-9 kg`) is a fitting size and no content.
#[must_use]
pub fn parse(title: &str) -> Option<Quantity> {
    parse_folded(&super::fold::fold(title, MAX_TITLE))
}

/// As [`parse`], for text that is already folded.
#[must_use]
pub fn parse_folded(folded: &str) -> Option<Quantity> {
    parse::quantity(&lexer::lex(folded))
}

/// Quantity and all measures of a folded title in one reading.
#[must_use]
pub fn read_folded(folded: &str) -> (Option<Quantity>, Vec<Measure>) {
    let lexemes = lexer::lex(folded);
    (parse::quantity(&lexemes), parse::measures(&lexemes))
}

/// The price of one kilogram, litre, metre or piece of something that costs `price` for
/// `quantity`, rounded to a hundredth of the minor unit. `None` where goods are not sold
/// by that unit or the amount is zero.
#[must_use]
pub fn unit_price(price: &Money, quantity: &Quantity) -> Option<UnitPrice> {
    let (reference, name) = quantity.unit.reference()?;
    let one = price
        .amount
        .checked_mul(Decimal::from(reference))?
        .checked_div(quantity.amount)?
        .round_dp(price.currency.exponent() + 2);
    Some(UnitPrice {
        price: Money::new(one, price.currency),
        quantity: Decimal::ONE,
        unit: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(title: &str) -> Option<(String, Unit, u32)> {
        parse(title).map(|q| (q.amount.normalize().to_string(), q.unit, q.pieces))
    }

    #[test]
    fn packs_multiply_and_counts_divide() {
        use Unit::{Gram, Metre, Millilitre, Piece};
        for (title, amount, unit, pieces) in [
            ("Beer 6 x 0.33 l", "1980", Millilitre, 6),
            ("Mehl 2x1kg", "2000", Gram, 2),
            ("Butter 500g", "500", Gram, 1),
            ("Milch 0,5 L", "500", Millilitre, 1),
            ("Cola 12er Pack 0,33 l", "3960", Millilitre, 12),
            ("Cola 12-pack 330ml cans", "3960", Millilitre, 12),
            ("Pack of 4 soap 100 g", "400", Gram, 4),
            ("water 1.5ltr", "1500", Millilitre, 1),
            ("Socken 3er-Set", "3", Piece, 3),
            ("Schrauben 100 Stück", "100", Piece, 100),
            ("salvete 4 kom", "4", Piece, 4),
            ("KNOPPERS 3/1 120 G", "120", Gram, 3),
            ("lizalice 12 kom u vrećici, 120 g", "120", Gram, 12),
            ("VRHNJE 10gX10g", "100", Gram, 10),
            ("Limo 0,33l x 6", "1980", Millilitre, 6),
            ("jogurt mix3,5%150g", "150", Gram, 1),
            ("Zott napitak UHT0,2L", "200", Millilitre, 1),
            ("Voda 1,5lPET", "1500", Millilitre, 1),
            ("krastavci 1550g/850g", "1550", Gram, 1),
            ("Wasser 1.000 ml", "1000", Millilitre, 1),
            ("Öl 0,750 l", "750", Millilitre, 1),
            ("olive oil 16 fl oz", "473.17647300", Millilitre, 1),
            ("Vrećice za otpad 40L/10 kom", "10", Piece, 10),
            ("Pampers 4-9 kg 50 kom", "50", Piece, 50),
            ("WC papir 6+2 gratis", "8", Piece, 8),
            ("Klebeband 50 m", "50", Metre, 1),
            ("3 x 100 Stück", "300", Piece, 300),
            ("Молоко 3,2% 900 мл", "900", Millilitre, 1),
            ("Bier 4x6x0,5l", "12000", Millilitre, 24),
        ] {
            assert_eq!(
                read(title),
                Some((amount.trim_end_matches("00000").to_owned(), unit, pieces)).map(
                    |(a, u, p)| {
                        let a: Decimal = a.parse().expect("test amount");
                        (a.normalize().to_string(), u, p)
                    }
                ),
                "{title}"
            );
        }
    }

    #[test]
    fn networks_and_model_numbers_are_no_amounts() {
        use Unit::{Gigabyte, Gram};
        let all = |title: &str| {
            let folded = crate::engine::fold::fold(title, MAX_TITLE);
            let measures = read_folded(&folded).1;
            measures
                .iter()
                .map(|m| (m.written.normalize().to_string(), m.unit))
                .collect::<Vec<_>>()
        };
        for (title, amount) in [
            ("Samsung Galaxy A52 5G", None),
            ("Nokia 5G smartphone", None),
            ("Huawei 4G LTE mobile router", None),
            ("Motorola moto g 5G 128GB", Some(("128", Gigabyte))),
            ("Sharp microwave R-308KW", None),
            ("Kotanyi saffron 2g", Some(("2", Gram))),
            ("Descaling tablet 5g", Some(("5", Gram))),
            ("Yeast 2 x 5g", Some(("5", Gram))),
            ("grill 22 1/2 in.", Some(("22.5", Unit::Metre))),
            ("grill 18-1/2\"", Some(("18.5", Unit::Metre))),
        ] {
            let expected: Vec<(String, Unit)> =
                amount.iter().map(|(a, u)| ((*a).to_owned(), *u)).collect();
            assert_eq!(all(title), expected, "{title}");
        }
    }

    #[test]
    fn no_amount_is_no_quantity() {
        for title in [
            "",
            "Denon DVD3800BDCI",
            "iPhone 4",
            "nagellack 205",
            "x",
            "6 x",
            "1/1",
        ] {
            assert_eq!(parse(title), None, "{title}");
        }
    }

    #[test]
    fn a_unit_price_is_per_reference_unit() {
        let price: Money = "1.20 EUR".parse().expect("money");
        let quantity = parse("Cola 6 x 0,33 l").expect("quantity");
        let unit = unit_price(&price, &quantity).expect("unit price");
        assert_eq!(
            (unit.price.to_string(), unit.unit.as_str()),
            ("0.61 EUR".into(), "l")
        );
        assert_eq!(unit.price.amount, Decimal::new(6061, 4));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,120}") {
            let _ = parse(&text);
        }

        #[test]
        fn numbers_and_units_are_read_without_panic(text in "([0-9.,/x*+ -]{0,9}(kg|l|er|kom|pack|ml|in|%)?){0,6}") {
            if let Some(q) = parse(&text) {
                prop_assert!(q.amount > Decimal::ZERO && q.pieces > 0);
            }
        }

        #[test]
        fn a_pack_is_the_product(n in 2u32..99, grams in 5u32..2000) {
            let q = parse(&format!("Reis {n} x {grams} g")).expect("quantity");
            prop_assert_eq!(q.amount, Decimal::from(n) * Decimal::from(grams));
            prop_assert_eq!(q.pieces, n);
        }
    }
}
