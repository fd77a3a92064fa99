//! How things are written for a person.

pub use crate::engine::locale::{Locale, ago, availability, count};
use crate::model::time::Date;

/// Reads a day as it is typed.
///
/// # Errors
/// What to write.
pub fn day(text: &str) -> Result<Date, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("`{text}` is not a day; write for example 2030-12-24"))
}
