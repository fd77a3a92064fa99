//! From evidence to a probability and to reasons.

use super::Term;
use super::features::{Feature, NAMES, Values};
use super::weights::{BIAS, WEIGHTS};

/// No sum of soft evidence is more certain than this many log-odds.
const LIMIT: f32 = 8.0;

/// Another colour, size or pack said on both sides is another variant, however alike the
/// rest, and so is an edition that sellers seldom leave out; a model number with an ending
/// that the other lacks may be. Such a pair is never linked without asking.
const VARIANT_LIMIT: f32 = 2.0;

/// The value of [`Feature::ColourConflict`] from which on each side says its own colour, in
/// words or by the ending of its model number.
const TOLD_COLOUR: f32 = 0.7;

/// The value of [`Feature::EditionConflict`] from which on both sides would have told.
const TOLD_EDITION: f32 = 0.8;

/// The share of both names that agrees from which on words alone may say that two are one.
const CLEAR: f32 = 0.80;

/// Why a pair is not linked by soft evidence without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Nothing.
    None,
    /// The words agree too little, and no number does.
    Vague,
    /// They may be variants of each other.
    Variant,
}

impl Doubt {
    /// The highest log-odds that it allows.
    pub(super) const fn limit(self) -> f32 {
        match self {
            Self::None => LIMIT,
            Self::Vague | Self::Variant => VARIANT_LIMIT,
        }
    }
}

/// What the evidence leaves in doubt.
pub(super) fn doubt(values: &Values) -> Doubt {
    let size = [
        Feature::MeasureConflict,
        Feature::PackConflict,
        Feature::LicenceConflict,
    ]
    .iter()
    .any(|f| values[*f as usize] >= 1.0);
    let colour = values[Feature::ColourConflict as usize] >= TOLD_COLOUR;
    // `12400` and `12400F`: a colour or a region left out, or another model.
    let ending = values[Feature::ModelExtends as usize] > 0.0;
    let edition = values[Feature::EditionConflict as usize] >= TOLD_EDITION;
    // What one seller may have left out, or may not sell.
    let sign = [
        Feature::Accessory,
        Feature::Marker,
        Feature::Boxed,
        Feature::ModelMissing,
        Feature::BrandParts,
    ]
    .iter()
    .any(|f| values[*f as usize] > 0.0);
    let percent = values[Feature::PercentConflict as usize] >= 1.0;
    let number = [
        Feature::Model,
        Feature::ModelInText,
        Feature::CodeSame,
        Feature::Mpn,
    ]
    .iter()
    .any(|f| values[*f as usize] > 0.0);
    let vague = !number && values[Feature::Overlap as usize] < CLEAR;
    if size || colour || edition || ending || sign || percent {
        Doubt::Variant
    } else if vague {
        Doubt::Vague
    } else {
        Doubt::None
    }
}

pub(super) fn log_odds(values: &Values) -> f32 {
    let sum = BIAS + WEIGHTS.iter().zip(values).map(|(w, v)| w * v).sum::<f32>();
    sum.clamp(-LIMIT, doubt(values).limit())
}

pub(super) fn probability(values: &Values) -> f64 {
    logistic(log_odds(values))
}

pub(super) fn logistic(log_odds: f32) -> f64 {
    1.0 / (1.0 + f64::from(-log_odds).exp())
}

/// The inverse of [`logistic`], bounded.
pub(super) fn log_odds_of(probability: f64) -> f64 {
    let p = probability.clamp(1e-4, 1.0 - 1e-4);
    (p / (1.0 - p)).ln()
}

/// The terms that matter, strongest first.
pub(super) fn terms(values: &Values) -> Vec<Term> {
    let mut out: Vec<Term> = NAMES
        .iter()
        .zip(WEIGHTS.iter().zip(values))
        .map(|(name, (w, v))| Term {
            text: (*name).to_owned(),
            weight: w * v,
        })
        .filter(|t| t.weight.abs() >= 0.05)
        .collect();
    out.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    out
}
