//! The weights of the evidence, in log-odds.

use super::features::COUNT;

/// The log-odds of a pair without any evidence.
pub(super) const BIAS: f32 = -7.0;

/// One weight a kind of evidence, in the order of `features`.
#[rustfmt::skip]
pub(super) const WEIGHTS: [f32; COUNT] = [
    2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 1.0, 1.0, // overlap
    3.0, 2.0, -1.5, -1.5, -1.5, 3.0, -1.0, // models
    0.5, -1.0, -0.3, 0.5, -2.0, -1.5, // numbers and sizes
    0.5, -1.5, 0.5, -1.0, -0.5, -1.0, // brand and rest
    -0.8, 0.8, 0.3, -1.0, -2.0, 0.2, -1.0, // price and variants
];
