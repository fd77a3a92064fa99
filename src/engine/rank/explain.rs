//! Why this order: differences to the first offer, what would have to change, and which
//! question to a shop is worth asking.

use super::json::{Cents, Constraint, OfferIn, Ranked};
use super::score::{Alternative, Interval};
use super::shortlist::{Shortlist, WeightBox, Wins};
use serde::Serialize;

/// Questions are looked for among this many of the best offers, and as many at most are
/// given.
const MAX_QUESTIONS: usize = 32;

/// What stands behind a reply.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation<'a> {
    /// The most the short list can be beaten by, over all draws.
    pub max_regret_cents: Cents,
    /// The members of the short list.
    pub shortlist: Vec<Note<'a>>,
    /// Unknown values that may change the first place, most valuable first.
    pub ask: Vec<Question<'a>>,
    /// Constraints that could not be checked.
    pub unchecked: Vec<Unchecked<'a>>,
}

/// What to know about a member of the short list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Note<'a> {
    /// Its id.
    pub id: &'a str,
    /// The share of draws in which it is best of all.
    pub p_first: f64,
    /// Where it wins.
    pub wins: Where<'a>,
    /// Term by term, what it costs more (or, negative, less) than the first.
    pub against_first: Vec<Difference<'a>>,
    /// The smallest price cut, in whole cents, that would make it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_cut_cents: Option<f64>,
}

/// [`Wins`] with names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "when", rename_all = "snake_case")]
pub enum Where<'a> {
    /// At the trade-offs as stated.
    AsStated,
    /// When the criterion matters so many times as much.
    Weight {
        /// The criterion.
        criterion: &'a str,
        /// The factor.
        factor: f64,
    },
    /// When what is assumed of the term turns out better.
    Unknown {
        /// The term.
        term: &'a str,
    },
    /// When what is assumed of the first offer's term turns out worse.
    FirstUnknown {
        /// The term.
        term: &'a str,
    },
}

/// One term of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference<'a> {
    /// The term.
    pub id: &'a str,
    /// More than the first, if positive.
    pub cents: Cents,
}

/// Something to ask a shop.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Question<'a> {
    /// The offer.
    pub id: &'a str,
    /// The unknown term.
    pub term: &'a str,
    /// What knowing it is expected to save.
    pub worth_cents: Cents,
}

/// A constraint whose value an offer does not give.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unchecked<'a> {
    /// The offer.
    pub id: &'a str,
    /// The constraint.
    pub constraint: &'a str,
}

/// What [`Unchecked`] is read from.
pub(super) struct Unknowns<'a> {
    pub constraints: &'a [Constraint],
    pub offers: &'a [OfferIn],
}

pub(super) fn explanation<'a>(
    alternatives: &[Alternative<'a>],
    order: &[usize],
    boxes: &[WeightBox<'a>],
    list: &Shortlist,
    ranked: &[Ranked<'a>],
    risk_aversion: f64,
    unknown: &Unknowns<'a>,
) -> Explanation<'a> {
    let place = |index: usize| {
        let rank = order.iter().position(|&i| i == index);
        &ranked[rank.expect("invariant: a member is among the ranked")]
    };
    let note = |m: &super::shortlist::Member| {
        let a = &alternatives[m.index];
        let first = &alternatives[order[0]];
        Note {
            id: a.id,
            p_first: m.p_first,
            wins: match m.wins {
                Wins::AsStated => Where::AsStated,
                Wins::Weight { criterion, factor } => Where::Weight {
                    criterion: boxes[criterion].id,
                    factor: (factor * 100.0).round() / 100.0,
                },
                Wins::UnknownMoney => Where::Unknown { term: "shipping" },
                Wins::UnknownValue { criterion } => Where::Unknown {
                    term: boxes[criterion].id,
                },
                Wins::FirstMoney => Where::FirstUnknown { term: "shipping" },
                Wins::FirstValue { criterion } => Where::FirstUnknown {
                    term: boxes[criterion].id,
                },
            },
            against_first: place(m.index)
                .terms
                .iter()
                .zip(&ranked[0].terms)
                .map(|(x, f)| Difference {
                    id: x.id,
                    cents: x.cents - f.cents,
                })
                .collect(),
            price_cut_cents: (m.index != order[0])
                .then(|| price_cut(a.key(risk_aversion), first.key(risk_aversion))),
        }
    };
    Explanation {
        max_regret_cents: Cents::new(list.max_regret),
        shortlist: list.members.iter().map(note).collect(),
        ask: questions(alternatives, order, boxes),
        unchecked: unchecked(alternatives, unknown),
    }
}

/// The constraints of the ranked offers that could not be checked, in the order of the
/// request, which `alternatives` are in, too.
fn unchecked<'a>(alternatives: &[Alternative<'a>], unknown: &Unknowns<'a>) -> Vec<Unchecked<'a>> {
    let mut ranked = alternatives.iter().peekable();
    unknown
        .offers
        .iter()
        .filter(|o| ranked.next_if(|a| a.id == o.id).is_some())
        .flat_map(|o| {
            let open = unknown.constraints.iter().filter(|c| is_unchecked(o, c));
            open.map(|c| Unchecked {
                id: &o.id,
                constraint: &c.id,
            })
        })
        .collect()
}

fn is_unchecked(offer: &OfferIn, c: &Constraint) -> bool {
    match c.attr.as_str() {
        "price_cents" => false,
        "shipping_cents" => offer.shipping_cents.is_none(),
        name => offer
            .attrs
            .get(name)
            .is_none_or(|v| c.op.holds(v, &c.value).is_none()),
    }
}

/// The smallest cut in whole units that brings `key` below `first`.
pub(super) fn price_cut(key: f64, first: f64) -> f64 {
    // A cut that only draws level may lose the tie; one unit more does not.
    let gap = (key - first).max(0.0);
    let cut = gap.ceil();
    if cut - gap < 1e-6 { cut + 1.0 } else { cut }
}

/// Unknown terms that may change the first place, with the expected saving from knowing
/// them (value of information), most first.
fn questions<'a>(
    alternatives: &[Alternative<'a>],
    order: &[usize],
    boxes: &[WeightBox<'a>],
) -> Vec<Question<'a>> {
    let [first, second, ..] = order else {
        return Vec::new();
    };
    let middle = |i: usize| alternatives[i].total().mid;
    let mut found: Vec<Question<'_>> = order
        .iter()
        .take(MAX_QUESTIONS)
        .flat_map(|&i| {
            let a = &alternatives[i];
            // Knowing pays when it moves the first behind the second, or another
            // before the first.
            let gain = |u: &Interval| {
                expectation(u, |x| {
                    let moved = middle(i) + x - u.mid;
                    if i == *first {
                        moved - middle(*second)
                    } else {
                        middle(*first) - moved
                    }
                })
            };
            let names = std::iter::once("shipping").chain(boxes.iter().map(|b| b.id));
            let terms = std::iter::once(&a.fixed).chain(&a.weighted);
            names
                .zip(terms)
                .filter(|(_, u)| !u.is_exact())
                .map(move |(term, u)| Question {
                    id: a.id,
                    term,
                    worth_cents: Cents::new(gain(u)),
                })
                .collect::<Vec<_>>()
        })
        .filter(|q| q.worth_cents > Cents::default())
        .collect();
    found.sort_by(|a, b| {
        b.worth_cents
            .cmp(&a.worth_cents)
            .then_with(|| (a.id, a.term).cmp(&(b.id, b.term)))
    });
    found.truncate(MAX_QUESTIONS);
    found
}

/// The expected positive part of `f` of an uncertain amount, by the midpoint rule.
fn expectation(u: &Interval, f: impl Fn(f64) -> f64) -> f64 {
    const STEPS: u32 = 64;
    let quantile = u.quantiles();
    (0..STEPS)
        .map(|s| f(quantile((f64::from(s) + 0.5) / f64::from(STEPS))).max(0.0))
        .sum::<f64>()
        / f64::from(STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_whole_cents_and_wins() {
        assert_eq!(price_cut(105.0, 100.0), 6.0);
        assert_eq!(price_cut(105.2, 100.0), 6.0);
        assert_eq!(price_cut(100.0, 100.0), 1.0);
    }

    #[test]
    fn only_questions_that_may_change_the_first_place_are_asked() {
        let a = |id, fixed| Alternative {
            id,
            tier: 0,
            fixed,
            weighted: vec![],
        };
        let open = |lo, mid, hi| Interval { lo, mid, hi };
        let all = [
            a("first", Interval::exact(100.0)),
            a("near", open(95.0, 103.0, 111.0)),
            a("far", open(150.0, 170.0, 190.0)),
        ];
        let asked = questions(&all, &[0, 1, 2], &[]);
        assert_eq!(asked.len(), 1);
        assert_eq!((asked[0].id, asked[0].term), ("near", "shipping"));
        assert!(asked[0].worth_cents < Cents::new(5.0));
    }
}
