//! What printing needs from the system: the time zone.

pub use crate::engine::locale::{Locale, ago, availability};
use crate::model::time::Timestamp;
use jiff::tz::TimeZone;

/// A local date and time, to the minute.
#[must_use]
pub fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}
