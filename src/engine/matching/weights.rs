//! The weights of the evidence, in log-odds, in the order of `features`.
//! Written by `cargo run --release --example fit_matching`.

/// The log-odds of a pair without any evidence.
pub(super) const BIAS: f32 = -5.13;

/// One weight a kind of evidence.
#[rustfmt::skip]
pub(super) const WEIGHTS: [f32; 38] = [
    0.00, // the shorter name is in the other
    1.05, // almost every word of one name is in the other
    0.00, // words in common
    0.00, // most words in common
    2.50, // rare words in common
    0.85, // letters in common
    1.41, // the name is in the other's whole text
    1.24, // both names are in the other's whole text
    2.06, // descriptions agree
    5.83, // the model number agrees
    3.19, // the model number agrees but for its ending
    2.85, // the model number is in the other's description
    2.14, // a short model code agrees
    -1.75, // other model number
    -2.49, // a model number of the same line
    -1.18, // model numbers end otherwise
    -1.60, // other version or code
    2.54, // the part number agrees
    -1.65, // other part number
    0.00, // numbers agree
    -1.50, // other numbers
    -0.15, // a number only one names
    1.14, // sizes agree
    -3.18, // other size
    -1.96, // other pack
    0.00, // the brand agrees
    -0.75, // other brand
    0.00, // first words agree
    -3.40, // other first words
    -0.30, // each has a rare word of its own
    -0.20, // each names something the other does not
    -1.30, // prices are far apart
    0.15, // prices are close
    0.35, // colours agree
    -4.00, // other colour
    -1.25, // one is an accessory
    0.41, // editions agree
    -2.00, // other edition
];
