//! The daily reference rates of the European Central Bank.
//!
//! The file is small and its form is stable since 1999: one `Cube` with a `time`, inside it
//! one `Cube` with `currency` and `rate` for each currency, for one euro.

use crate::model::Currency;
use crate::model::time::Date;
use regex::Regex;
use rust_decimal::Decimal;
use std::sync::LazyLock;

/// The largest file read, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// Reads the file: its day, and units of each currency for one euro.
///
/// # Errors
/// What is wrong, in words. A file with a rate that cannot be read is refused whole.
pub fn read(body: &[u8]) -> Result<(Date, Vec<(String, Decimal)>), String> {
    static DAY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"<Cube\s+time=['"](\d{4}-\d{2}-\d{2})['"]"#).expect("invariant: valid pattern")
    });
    static RATE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"<Cube\s+currency=['"]([A-Z]{3})['"]\s+rate=['"]([0-9.]{1,20})['"]"#)
            .expect("invariant: valid pattern")
    });
    if body.len() > MAX_BYTES {
        return Err("the file is too large for a table of rates".into());
    }
    let text = std::str::from_utf8(body).map_err(|_| "the file is not UTF-8".to_owned())?;
    let mut days = DAY.captures_iter(text);
    let (Some(day), None) = (days.next(), days.next()) else {
        return Err("not a file with one day of rates".into());
    };
    let day: Date = day[1]
        .parse()
        .map_err(|_| "the day is not a date".to_owned())?;
    let mut rates = Vec::new();
    for found in RATE.captures_iter(text) {
        let rate: Decimal = found[2]
            .parse()
            .map_err(|_| format!("the rate of {} is no number", &found[1]))?;
        if rate <= Decimal::ZERO {
            return Err(format!("the rate of {} is not above 0", &found[1]));
        }
        // The bank lists a few currencies that ISO 4217 has since withdrawn.
        if found[1].parse::<Currency>().is_ok() {
            rates.push((found[1].to_owned(), rate));
        }
    }
    if rates.is_empty() {
        Err("no rates in the file".into())
    } else {
        Ok((day, rates))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_rates() {
        let text = "<Envelope><Cube><Cube time='2030-01-15'><Cube currency='USD' rate='1.0842'/>\
                    <Cube currency=\"GBP\" rate=\"0.8431\"/></Cube></Cube></Envelope>";
        let (day, rates) = read(text.as_bytes()).expect("rates");
        assert_eq!(day.to_string(), "2030-01-15");
        assert_eq!(rates[0], ("USD".to_owned(), Decimal::new(10842, 4)));
        assert_eq!(rates.len(), 2);
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "<html>",
            "<Cube time='2030-01-15'>",
            "<Cube currency='USD' rate='1'/>",
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read(b"<Cube time='2030-01-15'><Cube currency='USD' rate='0'/>").is_err());
        assert!(read(&vec![b'x'; MAX_BYTES + 1]).is_err());
    }
}
