//! Pure functions on the [`crate::model`]: no I/O, no clock, no vault, no async.

pub mod adapter;
pub mod alert;
pub mod basket;
pub mod discover;
pub mod extract;
pub mod fold;
pub mod html;
pub mod landed;
pub mod locale;
pub mod matching;
pub mod price;
pub mod quantity;
pub mod quote;
pub mod rank;
pub mod rates;
pub mod robots;
pub mod travel;
pub mod wish;
