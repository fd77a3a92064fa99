//! The weights of the evidence, in log-odds, in the order of `features`.
//! Written by `cargo run --release --example fit_matching`.

/// The log-odds of a pair without any evidence.
pub(super) const BIAS: f32 = -4.32;

/// One weight a kind of evidence.
#[rustfmt::skip]
pub(super) const WEIGHTS: [f32; 46] = [
    0.00, // the shorter name is in the other
    0.83, // almost every word of one name is in the other
    0.00, // words in common
    0.32, // most words in common
    2.91, // rare words in common
    0.00, // letters in common
    1.28, // the name is in the other's whole text
    0.94, // both names are in the other's whole text
    2.19, // descriptions agree
    5.76, // the model number agrees
    3.08, // the model number agrees but for its ending
    3.11, // the model number is in the other's description
    -0.40, // a model number only one names
    1.54, // a short model code agrees
    -2.11, // other model number
    -2.66, // a model number of the same line
    -1.42, // model numbers end otherwise
    -1.07, // other version or code
    2.44, // the part number agrees
    -1.63, // other part number
    0.00, // numbers agree
    -1.50, // other numbers
    -0.15, // a number only one names
    1.00, // sizes agree
    -2.83, // other size
    -2.00, // other pack
    0.69, // the licence is for as many and as long
    -3.00, // a licence for more or for longer
    0.43, // per cent values agree
    -1.00, // another per cent value
    0.00, // the brand agrees
    -0.75, // other brand
    -0.20, // the brand agrees in part
    0.00, // first words agree
    -2.46, // other first words
    -0.30, // each has a rare word of its own
    -0.20, // each names something the other does not
    -1.57, // prices are far apart
    0.00, // prices are close
    0.44, // colours agree
    -4.00, // other colour
    -1.29, // one is an accessory
    0.00, // editions agree
    -2.00, // other edition
    -0.62, // a short mark only one has
    -1.60, // more in the box
];
