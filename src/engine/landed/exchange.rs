//! Foreign exchange for estimates: dated rates, crossed where needed, with the range
//! the rate may have moved through since its day.

use crate::model::Currency;
use crate::model::time::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A reference rate: one `base` was worth `rate` of `quote` on `day`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FxRate {
    /// The currency that is one unit.
    pub base: Currency,
    /// The currency the rate counts.
    pub quote: Currency,
    /// How much of `quote` one `base` is.
    pub rate: Decimal,
    /// The day it is from.
    pub day: Date,
    /// Who says so, such as `ECB`.
    pub source: String,
}

/// A rate found for a pair, direct or crossed.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    /// Multiply by this.
    pub rate: Decimal,
    /// The older day of the rates used.
    pub day: Date,
    /// Who says so.
    pub source: String,
}

/// The newest rate from `from` to `to`: stated, inverted, or crossed over one other
/// currency (reference rates are usually published against one base only). `None`
/// when no chain of at most two rates exists.
#[must_use]
pub fn conversion(rates: &[FxRate], from: Currency, to: Currency) -> Option<Conversion> {
    direct(rates, from, to).or_else(|| {
        rates
            .iter()
            .filter_map(|first| {
                let middle = if first.base == from {
                    first.quote
                } else if first.quote == from {
                    first.base
                } else {
                    return None;
                };
                let a = step(first, from)?;
                let b = direct(rates, middle, to)?;
                Some(Conversion {
                    rate: a.rate.checked_mul(b.rate)?,
                    day: a.day.min(b.day),
                    source: if a.source == b.source {
                        a.source
                    } else {
                        format!("{} and {}", a.source, b.source)
                    },
                })
            })
            .max_by(newest)
    })
}

fn direct(rates: &[FxRate], from: Currency, to: Currency) -> Option<Conversion> {
    rates
        .iter()
        .filter(|r| (r.base == from && r.quote == to) || (r.base == to && r.quote == from))
        .filter_map(|r| step(r, from))
        .max_by(newest)
}

/// By day, then by rate, so that the order of the table never matters.
fn newest(a: &Conversion, b: &Conversion) -> std::cmp::Ordering {
    a.day.cmp(&b.day).then(a.rate.cmp(&b.rate))
}

/// One stated rate, read in the direction that starts at `from`.
fn step(stated: &FxRate, from: Currency) -> Option<Conversion> {
    if stated.rate <= Decimal::ZERO {
        return None;
    }
    let rate = if stated.base == from {
        stated.rate
    } else {
        Decimal::ONE.checked_div(stated.rate)?
    };
    Some(Conversion {
        rate,
        day: stated.day,
        source: stated.source.clone(),
    })
}

/// The half-width, as a fraction, of the range a rate of `age` days may be in: 0.5 % for
/// a day (about one standard deviation of a floating major pair), growing with the
/// square root of time as a random walk does.
#[must_use]
pub fn spread(age: u32) -> Decimal {
    let basis_points = (2_500 * (u64::from(age) + 1)).isqrt();
    Decimal::new(i64::try_from(basis_points).unwrap_or(i64::MAX), 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn rate(base: &str, quote: &str, rate: i64, day: Date) -> FxRate {
        FxRate {
            base: base.parse().expect("currency"),
            quote: quote.parse().expect("currency"),
            rate: Decimal::new(rate, 4),
            day,
            source: "ECB".to_owned(),
        }
    }

    #[test]
    fn rates_are_stated_inverted_or_crossed() {
        let rates = [
            rate("EUR", "CHF", 8_000, date(2026, 3, 1)),
            rate("EUR", "CHF", 9_600, date(2026, 3, 4)),
            rate("EUR", "USD", 12_000, date(2026, 3, 3)),
        ];
        let find = |a: &str, b: &str| {
            conversion(
                &rates,
                a.parse().expect("currency"),
                b.parse().expect("currency"),
            )
        };
        assert_eq!(
            find("EUR", "CHF").map(|c| c.rate),
            Some(Decimal::new(96, 2))
        );
        assert_eq!(
            find("USD", "EUR").map(|c| c.rate.round_dp(4)),
            Some(Decimal::new(8_333, 4))
        );
        let crossed = find("USD", "CHF").expect("over EUR");
        assert_eq!(crossed.rate.round_dp(6), Decimal::new(8, 1));
        assert_eq!(crossed.day, date(2026, 3, 3));
        assert_eq!(find("JPY", "EUR"), None);
    }

    #[test]
    fn the_range_widens_with_age() {
        assert_eq!(spread(0), Decimal::new(50, 4));
        assert_eq!(spread(3), Decimal::new(100, 4));
        assert!(spread(u32::MAX) > spread(3));
    }
}
