//! How things are written for a person.

pub use crate::engine::locale::{Locale, ago, availability};
