//! Pure functions on the [`crate::model`]: no I/O, no clock, no vault, no async.

pub mod adapter;
pub mod alert;
pub mod basket;
pub mod extract;
pub mod html;
pub mod landed;
pub mod matching;
pub mod price;
pub mod rank;
pub mod robots;
pub mod wish;
