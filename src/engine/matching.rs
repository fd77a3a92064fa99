//! Is this offer that want? Are these two records one product?
//!
//! Identifiers decide where they can (`identity`). Otherwise a score adds up what
//! speaks for and against, each term shown to the person: Fellegi and Sunter, "A Theory
//! for Record Linkage" (1969), with soft token overlap weighed by rarity. The sum is a
//! log-odds, so the score reads as a probability. Three zones follow: `same` feeds the
//! price history, `maybe` asks the person once, `different` is dropped.

mod codes;
mod cover;
mod features;
mod identity;
mod index;
mod joint;
mod licence;
mod markers;
mod nearest;
mod prepare;
mod score;
mod text;
#[cfg(test)]
mod unlike;
mod want;
mod weights;
mod words;

pub use index::{Candidate, Index};
pub use joint::{Link, Pair, decide_pairs, link_tables};
pub use nearest::{CANDIDATES, block, nearest};
pub use prepare::{Prepared, Vocabulary};
pub use want::{Decision, Decisions, judge, judge_with};

use crate::model::Gtin;
use score::Doubt;
use serde::{Deserialize, Serialize};

/// What is known of one product: a line of a shop's list, an offer, a want.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rec {
    /// The name or title.
    pub name: String,
    /// The maker.
    pub brand: Option<String>,
    /// Anything else said about it.
    pub description: Option<String>,
    /// The price in a currency common to both sides; weak evidence only, never shown.
    pub price: Option<f64>,
    /// The GTIN, if valid.
    pub gtin: Option<Gtin>,
    /// The maker's part number.
    pub mpn: Option<String>,
}

impl Rec {
    /// What names it: name, brand and part number.
    fn names(&self) -> impl Iterator<Item = &str> {
        let parts = [self.brand.as_deref(), self.mpn.as_deref()];
        std::iter::once(self.name.as_str()).chain(parts.into_iter().flatten())
    }
}

/// The decision on a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// One product: may feed its price history.
    Same,
    /// Cannot be told; ask the person.
    Maybe,
    /// Two products, or a variant or substitute.
    Different,
}

/// One reason of a decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Term {
    /// What was found, for people.
    pub text: String,
    /// How much it adds to the log-odds; negative speaks against.
    pub weight: f32,
}

/// A decision with its reasons, strongest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The decision.
    pub zone: Zone,
    /// The probability that both are one product, from 0 to 1.
    pub score: f64,
    /// Why.
    pub reasons: Vec<Term>,
}

impl Judgement {
    /// A plain yes or no: the same from [`THRESHOLD`] on. What is [`Zone::Different`] is not
    /// the same whatever its score.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.zone != Zone::Different && self.score >= THRESHOLD
    }

    fn certain(zone: Zone, score: f64, text: impl Into<String>) -> Self {
        let weight = (score / (1.0 - score)).ln() as f32;
        Self {
            zone,
            score,
            reasons: vec![Term {
                text: text.into(),
                weight,
            }],
        }
    }
}

/// The score at and above which a pair counts as one product when a plain yes or no is
/// asked for. Of calibrated scores, the best threshold for F1 is half of the F1 that can be
/// reached (Lipton, Elkan and Naryanaswamy 2014): 0.3 where names alone tell 0.6.
pub const THRESHOLD: f64 = 0.3;

/// Scores from which on a pair is [`Zone::Same`], and below which it is
/// [`Zone::Different`]. Pairs that may be variants of each other never reach the first,
/// whatever else agrees.
pub const ZONES: (f64, f64) = (0.93, 0.13);

/// The zone of a score.
#[must_use]
pub fn zone(score: f64) -> Zone {
    if score >= ZONES.0 {
        Zone::Same
    } else if score >= ZONES.1 {
        Zone::Maybe
    } else {
        Zone::Different
    }
}

/// The probability that two records are one product.
#[must_use]
pub fn score(a: &Prepared, b: &Prepared) -> f64 {
    match identity::decide(a.gtin, b.gtin) {
        Some(verdict) => verdict.score(),
        None => score::probability(&features::compare(a, b)),
    }
}

/// The score of two records with its reasons.
#[must_use]
pub fn explain(a: &Prepared, b: &Prepared) -> Judgement {
    explain_doubt(a, b).0
}

/// As [`explain`], with what is left in doubt.
fn explain_doubt(a: &Prepared, b: &Prepared) -> (Judgement, Doubt) {
    if let Some(verdict) = identity::decide(a.gtin, b.gtin) {
        let score = verdict.score();
        let judgement = Judgement::certain(zone(score), score, verdict.text());
        return (judgement, Doubt::None);
    }
    let values = features::compare(a, b);
    let score = score::probability(&values);
    let judgement = Judgement {
        zone: zone(score),
        score,
        reasons: score::terms(&values),
    };
    (judgement, score::doubt(&values))
}

/// The evidence of a pair as numbers, with the names of its kinds: for fitting weights.
#[must_use]
pub fn evidence(a: &Prepared, b: &Prepared) -> Vec<f32> {
    features::compare(a, b).to_vec()
}

/// The names of the kinds of [`evidence`], in order.
#[must_use]
pub fn evidence_names() -> &'static [&'static str] {
    &features::NAMES
}

/// What each kind of [`evidence`] is thought to weigh before any example is seen; fitting
/// keeps the sign.
#[must_use]
pub fn evidence_priors() -> &'static [f32] {
    &features::PRIORS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(super) fn rec(name: &str) -> Rec {
        Rec {
            name: name.to_owned(),
            ..Rec::default()
        }
    }

    #[test]
    fn every_kind_of_evidence_has_a_weight_of_its_sign() {
        assert_eq!(weights::WEIGHTS.len(), features::COUNT);
        for (weight, prior) in weights::WEIGHTS.iter().zip(features::PRIORS) {
            assert!(weight * prior >= 0.0);
        }
    }

    #[test]
    fn the_terms_and_the_bias_add_up_to_the_score() {
        let a = Prepared::new(
            &rec("Canon Pixma MG5750 printer black"),
            &Vocabulary::default(),
        );
        let b = Prepared::new(&rec("Canon MG5750 black 4800 dpi"), &Vocabulary::default());
        let judgement = explain(&a, &b);
        let sum: f32 = judgement.reasons.iter().map(|t| t.weight).sum();
        let expected = score::logistic(sum + weights::BIAS);
        // Terms below 0.05 are not shown.
        assert!((judgement.score - expected).abs() < 0.05);
        assert_eq!(judgement.score, score(&a, &b));
    }

    #[test]
    fn colour_size_and_edition_lower_the_score() {
        let of = |x: &str, y: &str| {
            let v = Vocabulary::default();
            score(&Prepared::new(&rec(x), &v), &Prepared::new(&rec(y), &v))
        };
        let same = of(
            "Acme kettle KX200 black 1.7 l",
            "Acme KX200 kettle black 1,7 l",
        );
        assert!(same > 0.9, "{same}");
        for other in [
            "Acme KX200 kettle white 1,7 l",
            "Acme KX200 kettle black 1,0 l",
            "Acme KX300 kettle black 1,7 l",
        ] {
            let score = of("Acme kettle KX200 black 1.7 l", other);
            assert_ne!(zone(score), Zone::Same, "{other}: {score}");
        }
    }

    proptest! {
        #[test]
        fn any_two_records_have_a_score(
            a in "\\PC{0,80}", b in "\\PC{0,80}", text in "\\PC{0,60}", price in -1.0..1e6_f64,
        ) {
            let mut left = rec(&a);
            left.description = Some(text.clone());
            left.mpn = Some(text);
            left.price = Some(price);
            let mut right = rec(&b);
            right.brand = Some(a.clone());
            let judged = decide_pairs(&[left, right], &[(0, 1), (0, 9)]);
            prop_assert!(judged.iter().all(|j| (0.0..=1.0).contains(&j.score)));
        }

        #[test]
        fn a_name_is_its_own_candidate(words in proptest::collection::vec("[a-z]{3,9}", 1..6)) {
            let name = words.join(" ");
            let index = Index::build([rec(&name), rec("something else")]);
            prop_assert_eq!(index.candidates(&rec(&name), 1)[0].record, 0);
        }
    }
}
