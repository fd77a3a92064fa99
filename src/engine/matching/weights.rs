//! The weights of the evidence, in log-odds, in the order of `features`.
//! Written by `cargo run --release --example fit_matching`.

/// The log-odds of a pair without any evidence.
pub(super) const BIAS: f32 = -5.14;

/// One weight a kind of evidence.
#[rustfmt::skip]
pub(super) const WEIGHTS: [f32; 36] = [
    0.00, // the shorter name is in the other
    0.66, // almost every word of one name is in the other
    1.02, // words in common
    0.00, // most words in common
    0.60, // letters in common
    2.27, // the name is in the other's whole text
    2.34, // both names are in the other's whole text
    1.25, // descriptions agree
    5.91, // the model number agrees
    3.24, // the model number agrees but for its ending
    2.60, // the model number is in the other's description
    -1.44, // other model number
    -2.33, // a model number of the same line
    -0.85, // model numbers end otherwise
    -1.57, // other version or code
    2.46, // the part number agrees
    -1.65, // other part number
    0.00, // numbers agree
    -0.78, // other numbers
    -0.15, // a number only one names
    1.00, // sizes agree
    -3.17, // other size
    -1.96, // other pack
    0.00, // the brand agrees
    -0.52, // other brand
    0.12, // first words agree
    -3.40, // other first words
    -0.30, // each has a rare word of its own
    -0.20, // each names something the other does not
    -1.29, // prices are far apart
    0.04, // prices are close
    0.25, // colours agree
    -4.00, // other colour
    -1.25, // one is an accessory
    0.60, // editions agree
    -2.00, // other edition
];
