//! Money: a decimal amount with an ISO 4217 currency. Never a float.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// No decimal holds a whole number of so many digits.
const MAX_DIGITS: usize = 29;

/// What is wrong with an amount or a currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not in ISO 4217.
    #[error("`{0}` is not an ISO 4217 currency code such as EUR")]
    UnknownCurrency(String),
    /// The text is not a plain decimal number and a currency code.
    #[error("`{0}` is not an amount with its currency; write for example '12.50 EUR'")]
    BadAmount(String),
    /// Two amounts of different currencies met where one currency is needed.
    #[error("cannot combine {0} and {1} without an exchange rate")]
    MixedCurrencies(Currency, Currency),
    /// The number left the range of a decimal or of `i64` minor units.
    #[error("the amount is too large")]
    Overflow,
}

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The euro, used as the fallback home currency.
    pub const EUR: Self = Self(iso_currency::Currency::EUR);

    /// The three-letter code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code()
    }

    /// The number of decimal places of the minor unit (JPY 0, EUR 2, BHD 3).
    #[must_use]
    pub fn exponent(&self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }

    /// The usual symbol, for people only: `$` is not unique.
    #[must_use]
    pub fn symbol(&self) -> String {
        self.0.symbol().symbol.clone()
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(s: &str) -> Result<Self, MoneyError> {
        let code = s.trim().to_ascii_uppercase();
        iso_currency::Currency::from_code(&code)
            .map(Self)
            .ok_or(MoneyError::UnknownCurrency(code))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = String::deserialize(d)?;
        s.parse().map_err(de::Error::custom)
    }
}

/// An amount in a currency. Serialised as `{"amount":"12.50","currency":"EUR"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount in major units.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

impl Money {
    /// An amount in a currency.
    #[must_use]
    pub const fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Nothing, in `currency`.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(Decimal::ZERO, currency)
    }

    /// From minor units (cents).
    #[must_use]
    pub fn from_minor(minor: i64, currency: Currency) -> Self {
        Self::new(Decimal::new(minor, currency.exponent()), currency)
    }

    /// In minor units (cents), rounded half away from zero.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] if the amount does not fit in `i64` minor units.
    pub fn to_minor(&self) -> Result<i64, MoneyError> {
        let scale = Decimal::from(10_i64.pow(self.currency.exponent()));
        let minor = self
            .amount
            .checked_mul(scale)
            .ok_or(MoneyError::Overflow)?
            .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        i64::try_from(minor).map_err(|_| MoneyError::Overflow)
    }

    /// Rounded to the minor unit of its currency, half away from zero.
    #[must_use]
    pub fn rounded(&self) -> Self {
        let mut amount = self.amount.round_dp_with_strategy(
            self.currency.exponent(),
            RoundingStrategy::MidpointAwayFromZero,
        );
        amount.rescale(self.currency.exponent());
        Self::new(amount, self.currency)
    }

    /// So many times the amount; `None` beyond what an amount can be.
    #[must_use]
    pub fn times(&self, number: u32) -> Option<Self> {
        let amount = self.amount.checked_mul(Decimal::from(number))?;
        Some(Self::new(amount, self.currency))
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::MixedCurrencies`] or [`MoneyError::Overflow`].
    pub fn checked_add(&self, other: &Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies(self.currency, other.currency));
        }
        self.amount
            .checked_add(other.amount)
            .map(|amount| Self::new(amount, self.currency))
            .ok_or(MoneyError::Overflow)
    }
}

/// `12.50 EUR`: unambiguous and the same everywhere. For people, format with the
/// locale in `cli::format`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rounded().amount, self.currency)
    }
}

/// Reads `12.50 EUR`, `EUR 12.50` or `12.50EUR`: the strict form for arguments and
/// files. Prices on foreign pages go through `engine::price`.
impl FromStr for Money {
    type Err = MoneyError;
    fn from_str(s: &str) -> Result<Self, MoneyError> {
        let text = s.trim();
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-');
        let written: String = text.chars().filter(|c| is_number(*c)).collect();
        let code: String = text
            .chars()
            .filter(|c| !is_number(*c) && !c.is_whitespace())
            .collect();
        let bad = || MoneyError::BadAmount(text.to_owned());
        let number = with_point(&written).ok_or_else(bad)?;
        let amount = Decimal::from_str(&number).map_err(|_| {
            let whole = number.trim_start_matches('-').split('.').next();
            let is_large = whole.is_some_and(|digits| digits.len() >= MAX_DIGITS);
            if is_large && number.matches(['.', '-']).count() <= 1 {
                MoneyError::Overflow
            } else {
                bad()
            }
        })?;
        let apart = !text.starts_with(&written) && !text.ends_with(&written);
        if apart || code.len() != 3 || !code.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(bad());
        }
        Ok(Self::new(amount, code.parse()?))
    }
}

/// A number with a point where a comma stands before the cents: `50,00`. With three digits
/// behind it the comma may as well divide thousands, so that is no number.
fn with_point(number: &str) -> Option<String> {
    let Some((whole, cents)) = number.split_once(',') else {
        return Some(number.to_owned());
    };
    let is_cents = matches!(cents.len(), 1 | 2) && cents.bytes().all(|b| b.is_ascii_digit());
    let is_whole = whole.bytes().last().is_some_and(|b| b.is_ascii_digit());
    (is_cents && is_whole && !whole.contains('.')).then(|| format!("{whole}.{cents}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_before_cents_is_a_point_and_no_other_comma_is_read() {
        let read = |text: &str| text.parse::<Money>().ok().map(|m| m.amount.to_string());
        assert_eq!(read("50,00 EUR").as_deref(), Some("50.00"));
        assert_eq!(read("EUR -0,5").as_deref(), Some("-0.5"));
        for unclear in [
            "1,234 EUR",
            "1,234.50 EUR",
            "1.234,50 EUR",
            ",50 EUR",
            "5, EUR",
            "1,2,3 EUR",
        ] {
            assert_eq!(read(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn minor_units_follow_the_currency() {
        let m = |s: &str| s.parse::<Money>().expect("test money").to_minor();
        assert_eq!(m("12.50 EUR"), Ok(1250));
        assert_eq!(m("1500 JPY"), Ok(1500));
        assert_eq!(m("1.234 BHD"), Ok(1234));
        assert_eq!(m("EUR 0.005"), Ok(1));
    }

    #[test]
    fn too_large_is_told_from_badly_written() {
        let read = |text: &str| text.parse::<Money>().expect_err("no amount");
        let huge = "9".repeat(40);
        assert_eq!(read(&format!("{huge} EUR")), MoneyError::Overflow);
        assert_eq!(read(&format!("-{huge} EUR")), MoneyError::Overflow);
        for bad in ["NaN EUR", "1.2.3 EUR", "--5 EUR", " EUR"] {
            assert!(matches!(read(bad), MoneyError::BadAmount(_)), "{bad}");
        }
    }

    #[test]
    fn a_price_without_a_currency_is_no_price() {
        assert!("12.50".parse::<Money>().is_err());
        assert!("12.50 XYZQ".parse::<Money>().is_err());
        for bad in [
            "",
            "5",
            "abc",
            "12,500 EUR",
            "1e5 EUR",
            "5€",
            "1x2 EUR",
            "NaN EUR",
            "1.2.3 EUR",
        ] {
            let error = bad.parse::<Money>().expect_err(bad).to_string();
            assert!(error.contains("write for example '12.50 EUR'"), "{error}");
        }
        let error = "5 XYZ".parse::<Money>().expect_err("no currency");
        assert_eq!(error, MoneyError::UnknownCurrency("XYZ".to_owned()));
    }

    #[test]
    fn json_keeps_every_digit() {
        let m: Money = "1299.00 EUR".parse().expect("test money");
        let json = serde_json::to_string(&m).expect("serialise");
        assert_eq!(json, r#"{"amount":"1299.00","currency":"EUR"}"#);
        assert_eq!(serde_json::from_str::<Money>(&json).expect("read back"), m);
    }
}
