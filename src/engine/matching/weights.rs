//! The weights of the evidence, in log-odds, in the order of `features`.
//! Written by `cargo run --release --example fit_matching`.

/// The log-odds of a pair without any evidence.
pub(super) const BIAS: f32 = -5.82;

/// One weight a kind of evidence.
#[rustfmt::skip]
pub(super) const WEIGHTS: [f32; 36] = [
    0.00, // the shorter name is in the other
    0.87, // almost every word of one name is in the other
    0.81, // words in common
    0.00, // most words in common
    0.45, // letters in common
    2.79, // the name is in the other's whole text
    2.87, // both names are in the other's whole text
    1.05, // descriptions agree
    5.51, // the model number agrees
    2.28, // the model number agrees but for its ending
    1.87, // the model number is in the other's description
    -1.29, // other model number
    -2.93, // a model number of the same line
    -0.79, // model numbers end otherwise
    -1.58, // other version or code
    2.61, // the part number agrees
    -1.62, // other part number
    0.01, // numbers agree
    -0.96, // other numbers
    0.00, // a number only one names
    0.91, // sizes agree
    -3.68, // other size
    -2.11, // other pack
    0.00, // the brand agrees
    -0.47, // other brand
    0.00, // first words agree
    -3.90, // other first words
    0.00, // each has a rare word of its own
    0.00, // each names something the other does not
    -1.19, // prices are far apart
    0.26, // prices are close
    0.28, // colours agree
    -3.39, // other colour
    -0.35, // one is an accessory
    0.20, // editions agree
    0.00, // other edition
];
