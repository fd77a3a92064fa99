//! The weights of the evidence, in log-odds, in the order of `features`.
//! Written by `cargo run --release --example fit_matching`.

/// The log-odds of a pair without any evidence.
pub(super) const BIAS: f32 = -5.87;

/// One weight a kind of evidence.
#[rustfmt::skip]
pub(super) const WEIGHTS: [f32; 36] = [
    0.00, // the shorter name is in the other
    0.84, // almost every word of one name is in the other
    1.35, // words in common
    0.00, // most words in common
    0.87, // letters in common
    2.53, // the name is in the other's whole text
    2.25, // both names are in the other's whole text
    1.30, // descriptions agree
    5.81, // the model number agrees
    3.38, // the model number agrees but for its ending
    2.58, // the model number is in the other's description
    -1.33, // other model number
    -2.31, // a model number of the same line
    -0.94, // model numbers end otherwise
    -1.59, // other version or code
    2.49, // the part number agrees
    -1.65, // other part number
    0.00, // numbers agree
    -1.07, // other numbers
    0.00, // a number only one names
    1.00, // sizes agree
    -3.10, // other size
    -2.06, // other pack
    0.00, // the brand agrees
    -0.50, // other brand
    0.00, // first words agree
    -3.91, // other first words
    0.00, // each has a rare word of its own
    0.00, // each names something the other does not
    -1.29, // prices are far apart
    0.18, // prices are close
    0.26, // colours agree
    -4.27, // other colour
    -0.37, // one is an accessory
    0.17, // editions agree
    0.00, // other edition
];
