//! The `Retry-After` field (RFC 9110, 10.2.3): seconds, or a date.

use crate::model::time::{SignedDuration, Timestamp};

/// The longest pause believed: a day.
const MAX_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// When to come back, if the field says so. Dates in the past mean now; pauses beyond
/// a day count as a day.
#[must_use]
pub fn parse(value: &str, now: Timestamp) -> Option<Timestamp> {
    let value = value.trim();
    let until = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = value.parse::<i64>().unwrap_or(i64::MAX);
        now.checked_add(SignedDuration::from_secs(seconds).min(MAX_PAUSE))
            .ok()?
    } else {
        http_date(value)?
    };
    let latest = now.checked_add(MAX_PAUSE).ok()?;
    Some(until.clamp(now, latest))
}

/// An HTTP date in any of the three forms (RFC 9110, 5.6.7).
fn http_date(value: &str) -> Option<Timestamp> {
    // `Sun, 06 Nov 1994 08:49:37 GMT`
    if let Ok(time) = jiff::fmt::rfc2822::parse(value) {
        return Some(time.timestamp());
    }
    // `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| jiff::civil::DateTime::strptime(form, value).ok())
        .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|time| time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().expect("time");
        let after = |seconds| Some(now + SignedDuration::from_secs(seconds));
        assert_eq!(parse("120", now), after(120));
        assert_eq!(parse(" 0 ", now), after(0));
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(date, now), after(37), "{date}");
        }
        assert_eq!(parse("Sun, 06 Nov 1994 08:00:00 GMT", now), after(0));
        let day = 24 * 3600;
        assert_eq!(parse("999999999", now), after(day));
        assert_eq!(parse("99999999999999999999999", now), after(day));
        assert_eq!(parse("Sat, 06 Nov 2094 08:49:37 GMT", now), after(day));
        for odd in ["", "soon", "-5", "1.5", "12 s"] {
            assert_eq!(parse(odd, now), None, "{odd}");
        }
    }
}
