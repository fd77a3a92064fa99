//! The weights of the evidence, in log-odds, in the order of `features`.
//! Written by `cargo run --release --example fit_matching`.

/// The log-odds of a pair without any evidence.
pub(super) const BIAS: f32 = -4.83;

/// One weight a kind of evidence.
#[rustfmt::skip]
pub(super) const WEIGHTS: [f32; 44] = [
    0.00, // the shorter name is in the other
    1.18, // almost every word of one name is in the other
    0.00, // words in common
    0.00, // most words in common
    2.60, // rare words in common
    0.78, // letters in common
    1.50, // the name is in the other's whole text
    1.12, // both names are in the other's whole text
    1.55, // descriptions agree
    5.59, // the model number agrees
    3.06, // the model number agrees but for its ending
    2.89, // the model number is in the other's description
    -0.40, // a model number only one names
    2.05, // a short model code agrees
    -1.96, // other model number
    -2.64, // a model number of the same line
    -1.32, // model numbers end otherwise
    -1.58, // other version or code
    2.52, // the part number agrees
    -1.65, // other part number
    0.00, // numbers agree
    -1.47, // other numbers
    -0.15, // a number only one names
    0.99, // sizes agree
    -3.25, // other size
    -2.09, // other pack
    0.66, // per cent values agree
    -1.00, // another per cent value
    0.00, // the brand agrees
    -0.75, // other brand
    -0.20, // the brand agrees in part
    0.00, // first words agree
    -2.98, // other first words
    -0.30, // each has a rare word of its own
    -0.20, // each names something the other does not
    -1.46, // prices are far apart
    0.18, // prices are close
    0.41, // colours agree
    -4.00, // other colour
    -1.42, // one is an accessory
    0.00, // editions agree
    -2.00, // other edition
    -0.40, // a short mark only one has
    -1.60, // more in the box
];
