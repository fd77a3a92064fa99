//! Does an offer meet a want? A want is often a few words: what counts is that the offer
//! has all of them and is no accessory, other variant or other pack.

use super::features::{self, Feature};
use super::prepare::Prepared;
use super::text::Shape;
use super::{Judgement, Rec, Term, Vocabulary, Zone, identity, score, zone};
use crate::engine::fold::fold;
use crate::model::offer::Offer;
use crate::model::want::Want;
use crate::model::{Gtin, Id};
use serde::{Deserialize, Serialize};

/// What the person once said about an offer for a want.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The want.
    pub want: Id,
    /// The offer's name then.
    pub name: String,
    /// The offer's address, if it had one.
    pub url: Option<String>,
    /// Its GTIN, if it had one.
    pub gtin: Option<Gtin>,
    /// Whether it was the wanted thing.
    pub same: bool,
}

/// All the person's decisions, oldest first.
pub type Decisions = [Decision];

/// As [`judge_with`], without knowing which words are common.
#[must_use]
pub fn judge(want: &Want, offer: &Offer, memory: &Decisions) -> Judgement {
    judge_with(&Vocabulary::default(), want, offer, memory)
}

/// Decides whether `offer` is what `want` asks for.
///
/// The person's own decision on the same address, GTIN or name holds. Equal GTINs link,
/// unequal ones do not. Otherwise every word of the want must be in the offer; further
/// words of the offer are no harm unless they name another variant, an accessory or
/// another pack.
#[must_use]
pub fn judge_with(
    vocabulary: &Vocabulary,
    want: &Want,
    offer: &Offer,
    memory: &Decisions,
) -> Judgement {
    let name = offer.name.as_deref().unwrap_or_default();
    if let Some(past) = remembered(want.id, offer, name, memory) {
        return if past.same {
            Judgement::certain(Zone::Same, 0.999, "you said it is the same")
        } else {
            Judgement::certain(Zone::Different, 0.001, "you said it is not this")
        };
    }
    if let Some(verdict) = identity::decide(want.gtin, offer.gtin) {
        return Judgement::certain(zone(verdict.score()), verdict.score(), verdict.text());
    }
    let left = Prepared::new(
        &Rec {
            name: want.name.clone(),
            brand: want.brand.clone(),
            mpn: want.mpn.clone(),
            ..Rec::default()
        },
        vocabulary,
    );
    let right = Prepared::new(
        &Rec {
            name: name.to_owned(),
            brand: offer.brand.clone(),
            mpn: offer.mpn.clone(),
            gtin: offer.gtin,
            ..Rec::default()
        },
        vocabulary,
    );
    let mut terms = compare(&left, &right);
    terms.extend(learned(want.id, &left, &right, memory));
    let log_odds = terms.iter().map(|t| t.weight).sum::<f32>().clamp(-8.0, 8.0);
    let score = score::logistic(log_odds);
    terms.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    Judgement {
        zone: zone(score),
        score,
        reasons: terms,
    }
}

/// The newest decision on the same offer.
fn remembered<'m>(
    want: Id,
    offer: &Offer,
    name: &str,
    memory: &'m Decisions,
) -> Option<&'m Decision> {
    let mine = || memory.iter().rev().filter(|d| d.want == want);
    mine()
        .find(|d| d.url.is_some() && d.url == offer.url)
        .or_else(|| {
            mine().find(|d| identity::decide(d.gtin, offer.gtin) == Some(identity::Verdict::Equal))
        })
        .or_else(|| {
            let folded = fold(name, 400);
            mine().find(|d| d.gtin.is_none() && !folded.is_empty() && fold(&d.name, 400) == folded)
        })
}

/// Log-odds before anything is known.
const START: f32 = -5.0;

fn compare(want: &Prepared, offer: &Prepared) -> Vec<Term> {
    let mut terms = vec![Term {
        text: "before any evidence".to_owned(),
        weight: START,
    }];
    let mut add = |text: &str, weight: f32| {
        if weight.abs() >= 0.05 {
            terms.push(Term {
                text: text.to_owned(),
                weight,
            });
        }
    };
    let values = features::compare(want, offer);
    let value = |f: Feature| values[f as usize];
    let covered = features::coverage(want, offer);
    add("words of the want in the offer", 8.0 * covered * covered);
    // How much the want says: one common word names no product.
    let said: f32 = want
        .name
        .iter()
        .map(|t| match t.token.shape {
            Shape::Model => 1.5,
            Shape::Code | Shape::Number => 0.7,
            Shape::Word => t.weight.min(1.0),
        })
        .sum::<f32>()
        + 0.7 * want.measures.len() as f32;
    add("the want says little", -3.0 * (1.3 - said).max(0.0));
    add(
        "the model number agrees",
        1.5 * value(Feature::Model) * covered,
    );
    add("the part number agrees", 6.0 * value(Feature::Mpn));
    add("other model number", -2.5 * value(Feature::ModelConflict));
    add(
        "a model number of the same line",
        -3.0 * value(Feature::ModelNear),
    );
    add(
        "model numbers end otherwise",
        -2.0 * value(Feature::ModelEnding),
    );
    add("other version or code", -3.0 * value(Feature::CodeConflict));
    add("other part number", -2.5 * value(Feature::MpnConflict));
    add("other numbers", -3.0 * value(Feature::NumberConflict));
    add("other size", -4.0 * value(Feature::MeasureConflict));
    add("other pack", -4.0 * value(Feature::PackConflict));
    add("sizes agree", 0.5 * value(Feature::Measure));
    add("other brand", -3.0 * value(Feature::BrandConflict));
    add("other colour", -3.0 * value(Feature::ColourConflict));
    add("other edition", -3.5 * value(Feature::EditionConflict));
    add("one is an accessory", -5.0 * value(Feature::Accessory));
    terms
}

/// Words that only rejected offers of this want have speak against, words of accepted
/// ones speak for: one word in two decisions is enough, and it is shown.
fn learned(want: Id, asked: &Prepared, offer: &Prepared, memory: &Decisions) -> Vec<Term> {
    let past: Vec<(bool, Prepared)> = memory
        .iter()
        .rev()
        .filter(|d| d.want == want)
        .take(100)
        .map(|d| {
            let rec = Rec {
                name: d.name.clone(),
                ..Rec::default()
            };
            (d.same, Prepared::new(&rec, &Vocabulary::default()))
        })
        .collect();
    if past.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    for t in &offer.name {
        let hash = t.token.hash;
        if asked.names(hash) || t.weight < 0.3 {
            continue;
        }
        let count = |same: bool| {
            past.iter()
                .filter(|(s, p)| *s == same && p.names(hash))
                .count()
        };
        let (yes, no) = (count(true), count(false));
        let word = offer.word(&t.token);
        if no >= 2 && yes == 0 {
            out.push(Term {
                text: format!("you refused {no} offers with `{word}`"),
                weight: -0.8 * no.min(4) as f32,
            });
        } else if yes >= 2 && no == 0 {
            out.push(Term {
                text: format!("you accepted {yes} offers with `{word}`"),
                weight: 0.4 * yes.min(4) as f32,
            });
        }
    }
    // The three strongest are enough to decide and to show.
    out.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    out.truncate(3);
    out
}
