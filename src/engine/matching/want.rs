//! Does an offer meet a want? A want is often a few words: what counts is that the offer
//! has all of them and is no accessory, other variant or other pack.

use super::features::{self, Feature};
use super::prepare::Prepared;
use super::text::Shape;
use super::{Judgement, Rec, Term, Vocabulary, Zone, cover, identity, score, zone};
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

impl Judgement {
    /// What speaks for and against it, the strongest first, without what every judgement
    /// starts from.
    pub fn evidence(&self) -> impl Iterator<Item = &Term> {
        self.reasons.iter().filter(|t| t.text != UNASKED)
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

/// Log-odds before anything is known, and their name among the terms.
const START: f32 = -5.0;
const UNASKED: &str = "before any evidence";

fn compare(want: &Prepared, offer: &Prepared) -> Vec<Term> {
    let mut terms = vec![Term {
        text: UNASKED.to_owned(),
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
    let covered = cover::coverage(want, offer);
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
    add("other version or code", -5.0 * value(Feature::CodeConflict));
    add("other part number", -2.5 * value(Feature::MpnConflict));
    add("other numbers", -3.0 * value(Feature::NumberConflict));
    add("other size", -6.0 * value(Feature::MeasureConflict));
    add("other pack", -6.0 * value(Feature::PackConflict));
    add("sizes agree", 0.5 * value(Feature::Measure));
    add("other brand", -3.0 * value(Feature::BrandConflict));
    add("other colour", -5.0 * value(Feature::ColourConflict));
    add("other edition", -3.5 * value(Feature::EditionConflict));
    add("one is an accessory", -6.5 * value(Feature::Accessory));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn want(name: &str) -> Want {
        Want::new(name, Timestamp::default())
    }

    fn offer(name: &str) -> Offer {
        Offer {
            name: Some(name.to_owned()),
            ..Offer::default()
        }
    }

    fn check(cases: &[(&str, &str, Zone)]) {
        for (wanted, offered, expected) in cases {
            let j = judge(&want(wanted), &offer(offered), &[]);
            assert_eq!(j.zone, *expected, "{wanted} / {offered}: {j:#?}");
        }
    }

    #[test]
    fn all_words_of_the_want_in_the_offer_is_the_same() {
        check(&[
            (
                "bosch gsr 12v-15",
                "Bosch Professional GSR 12V-15 Akku-Bohrschrauber, 2x 2,0 Ah",
                Zone::Same,
            ),
            (
                "sony wh-1000xm4",
                "Sony WH1000XM4 Wireless Noise Cancelling Headphones black",
                Zone::Same,
            ),
            (
                "nutella 450g",
                "Ferrero Nutella Nuss-Nougat-Creme 450 g",
                Zone::Same,
            ),
            (
                "barilla spaghetti 500 g",
                "Spaghetti n.5 Barilla 500g",
                Zone::Same,
            ),
            (
                "iphone 13 128gb",
                "Apple iPhone 13 (128 GB) - Mitternacht",
                Zone::Same,
            ),
            (
                "iphone 13 128gb",
                "Apple iPhone 13 128GB SIM free blau",
                Zone::Same,
            ),
            (
                "lego 42115",
                "LEGO Technic 42115 Lamborghini Sián FKP 37",
                Zone::Same,
            ),
            (
                "молоко простоквашино 930 мл",
                "Молоко Простоквашино 3,2% 930 мл",
                Zone::Same,
            ),
        ]);
    }

    #[test]
    fn variants_accessories_and_packs_are_not() {
        check(&[
            (
                "bosch gsr 12v-15",
                "Bosch GSR 18V-55 Akku-Bohrschrauber",
                Zone::Different,
            ),
            (
                "sony wh-1000xm4",
                "Sony WH-1000XM5 headphones",
                Zone::Different,
            ),
            ("nutella 450g", "Ferrero Nutella 750 g", Zone::Different),
            (
                "iphone 13 128gb",
                "Hülle für iPhone 13 128GB",
                Zone::Different,
            ),
            ("iphone 13", "Spigen case for iPhone 13", Zone::Different),
            ("canon pg-540 black", "Canon PG-540 yellow", Zone::Different),
            ("coca cola 6 x 0,33 l", "Coca-Cola 0,33 l", Zone::Different),
            ("milk", "Paint brush 5 cm", Zone::Different),
        ]);
    }

    #[test]
    fn a_vague_want_asks() {
        check(&[
            ("milk", "Oat milk chocolate 1 l", Zone::Maybe),
            ("laptop", "Acer Aspire 5 laptop", Zone::Maybe),
            ("iphone 13", "Apple iPhone 13 mini 128GB", Zone::Maybe),
        ]);
    }

    #[test]
    fn what_every_judgement_starts_from_is_no_evidence() {
        let j = judge(&want("laptop"), &offer("Acer Aspire 5 laptop"), &[]);
        assert_eq!(j.evidence().count() + 1, j.reasons.len(), "{j:#?}");
        assert!(j.evidence().next().is_some());
    }

    #[test]
    fn numbers_decide_before_words() {
        let mut w = want("Pencil");
        w.gtin = "4006381333931".parse().ok();
        let mut o = offer("Stabilo Point 88");
        o.gtin = w.gtin;
        assert_eq!(judge(&w, &o, &[]).zone, Zone::Same);
        o = offer("Pencil");
        o.gtin = "4006381333948".parse().ok();
        assert_eq!(judge(&w, &o, &[]).zone, Zone::Different);
    }

    #[test]
    fn the_person_is_asked_once_and_teaches_words() {
        let w = want("fairphone 5");
        let said = |name: &str, same| Decision {
            want: w.id,
            name: name.to_owned(),
            url: None,
            gtin: None,
            same,
        };
        let o = offer("Fairphone 5 refurbished 256 GB green");
        let memory = [said("FAIRPHONE 5 refurbished 256 GB green", false)];
        assert_eq!(judge(&w, &o, &memory).zone, Zone::Different);

        let memory = [
            said("Fairphone 5 dummy display model", false),
            said("Dummy of the Fairphone 5", false),
        ];
        let plain = judge(&w, &offer("Fairphone 5 dummy black"), &[]);
        let taught = judge(&w, &offer("Fairphone 5 dummy black"), &memory);
        assert!(taught.score < plain.score);
        assert!(taught.reasons.iter().any(|t| t.text.contains("`dummy`")));
        // What was said about one want says nothing about another.
        let other = judge(
            &want("fairphone 5"),
            &offer("Fairphone 5 dummy black"),
            &memory,
        );
        assert_eq!(other.score, plain.score);
    }
}
