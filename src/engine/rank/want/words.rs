//! A ranking in words.

use super::super::requirement::phrase;
use super::super::shortlist::{Member, Wins};
use super::{Candidate, Entry, Listed, Ranking, RejectedOffer};
use crate::engine::locale::count;
use crate::model::landed::Certainty;
use crate::model::want::{Requirement, Want};
use crate::model::{Currency, Money, Sentence, sentence};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Reasons told of those that offers share.
const SOME: usize = 3;

/// What to say of a member of the short list; `cut` is the price cut in whole minor units
/// of `home` that would make it first.
pub(super) fn listed(
    want: &Want,
    member: &Member,
    entry: &Entry<'_>,
    first: &Entry<'_>,
    cut: Option<f64>,
    home: Currency,
) -> Listed {
    let wish = |i: usize| phrase(&want.prefer[i].requirement);
    let other = first.candidate.shop;
    let wins = match &member.wins {
        Wins::AsStated if want.prefer.is_empty() => "costs least by what is known".to_owned(),
        Wins::AsStated => "wins by what you said".to_owned(),
        Wins::Weight { criterion, factor } => {
            let condition = &want.prefer[*criterion].requirement;
            let (word, factor) = if *factor < 1.0 {
                ("most", (factor * 100.0).floor() / 100.0)
            } else {
                ("least", (factor * 100.0).ceil() / 100.0)
            };
            format!("wins if {condition} is worth at {word} {factor} times what you said")
        }
        Wins::UnknownMoney => "wins if it costs less than assumed".to_owned(),
        Wins::UnknownValue { criterion } => format!("wins if it {}", wish(*criterion)),
        Wins::FirstMoney => format!("wins if {other} costs more than assumed"),
        Wins::FirstValue { criterion } => format!("wins unless {other} {}", wish(*criterion)),
    };
    Listed {
        id: entry.candidate.id.to_owned(),
        wins,
        p_first: member.p_first,
        against_first: if cut.is_some() {
            against(want, entry, first, home)
        } else {
            Sentence::default()
        },
        price_cut: cut
            .and_then(|c| c.to_i64())
            .map(|c| Money::from_minor(c, home)),
    }
}

/// "costs 4.10 EUR more than a.example, but arrives 3 days sooner, which you said is
/// worth 6.00 EUR".
fn against(want: &Want, entry: &Entry<'_>, first: &Entry<'_>, home: Currency) -> Sentence {
    let difference = entry.landed.amount - first.landed.amount;
    let amount = Money::new(difference.abs(), home);
    let shop = first.candidate.shop;
    let mut text = if difference.is_zero() {
        sentence!("costs as much as ", shop)
    } else {
        let word = if difference > Decimal::ZERO {
            "more"
        } else {
            "less"
        };
        sentence!("costs ", amount, " ", word, " than ", shop)
    };
    let terms = entry.terms[entry.money..].iter();
    let others = first.terms[first.money..].iter();
    for (preference, (mine, theirs)) in want.prefer.iter().zip(terms.zip(others)) {
        let gain = theirs.mid - mine.mid;
        if gain.is_zero() {
            continue;
        }
        let better = gain > Decimal::ZERO;
        let worth = Money::new(gain.abs(), home);
        let link = if better == (difference > Decimal::ZERO) {
            "but"
        } else {
            "and"
        };
        // Half its worth is counted where nobody says: the person named no such amount.
        let meets = phrase(&preference.requirement);
        let unsaid = if mine.certainty == Certainty::Unknown {
            Some(format!("nobody says whether it {meets}"))
        } else if theirs.certainty == Certainty::Unknown {
            Some(format!("nobody says whether {shop} {meets}"))
        } else {
            None
        };
        if let Some(unsaid) = unsaid {
            text.push(sentence!(", ", link, " ", unsaid, ", counted as ", worth));
            continue;
        }
        let what = match (&preference.requirement, days_apart(entry, first)) {
            (Requirement::DeliveryDays(_), Some(days)) if days != 0 => {
                let word = if days < 0 { "sooner" } else { "later" };
                format!(
                    "arrives {} {word}",
                    count(days.unsigned_abs() as usize, "day")
                )
            }
            _ if better => meets,
            _ => format!("misses that it {meets}"),
        };
        text.push(sentence!(
            ", ",
            link,
            " ",
            what,
            ", which you said is worth ",
            worth
        ));
    }
    text
}

fn days_apart(a: &Entry<'_>, b: &Entry<'_>) -> Option<i64> {
    let days = |e: &Entry<'_>| e.candidate.delivery_days().map(i64::from);
    Some(days(a)? - days(b)?)
}

/// The result in words: the first offer, and why others were left out.
pub(super) fn summary(want: &Want, ranking: &Ranking, candidates: &[Candidate<'_>]) -> Sentence {
    let shop = |id: &str| {
        candidates
            .iter()
            .find(|c| c.id == id)
            .map_or("", |c| c.shop)
    };
    let mut parts = Vec::new();
    match ranking.ranked.first() {
        Some(first) if ranking.best().is_some() => {
            // The terms end with the preferences, which are not paid.
            let paid = first.terms.len().saturating_sub(want.prefer.len());
            let range = if first.terms[..paid].iter().all(|t| t.low == t.high) {
                ""
            } else {
                " expected"
            };
            parts.push(sentence!(
                shop(&first.id),
                " is first: ",
                first.landed,
                range
            ));
        }
        Some(_) => parts.push("nothing can be had now".into()),
        None if candidates.is_empty() => parts.push("no offers".into()),
        // What cannot be added up fails no condition.
        None if ranking.rejected.iter().all(|r| r.constraint == "cost") => {}
        None => parts.push("no offer meets all conditions".into()),
    }
    let mut seen: Vec<&str> = Vec::new();
    for r in &ranking.rejected {
        if seen.contains(&r.constraint.as_str()) {
            continue;
        }
        seen.push(&r.constraint);
        let all: Vec<&RejectedOffer> = ranking
            .rejected
            .iter()
            .filter(|x| x.constraint == r.constraint)
            .collect();
        let one = all.len() == 1;
        let verb = |single: &'static str, plural: &'static str| if one { single } else { plural };
        let fails: Sentence = match (r.constraint.as_str(), want.need_by) {
            ("cost", _) => {
                let mut reasons: Vec<&Sentence> = Vec::new();
                for x in &all {
                    if reasons.len() < SOME && !reasons.contains(&&x.reason) {
                        reasons.push(&x.reason);
                    }
                }
                let reasons = Sentence::join(reasons.into_iter().cloned(), "; ");
                sentence!("cannot be added up: ", reasons)
            }
            ("limit", _) => sentence!(verb("is", "are"), " above your limit"),
            ("need by", Some(day)) => sentence!(verb("arrives", "arrive"), " after ", day),
            (condition, _) => sentence!(verb("fails", "fail"), " ", condition),
        };
        let nearest = all
            .iter()
            .filter(|x| x.excess.is_some())
            .min_by_key(|x| (x.excess, &x.id))
            .map_or_else(Sentence::default, |x| {
                sentence!("; the nearest is ", shop(&x.id), ": ", &x.miss)
            });
        parts.push(sentence!(count(all.len(), "offer"), " ", fails, nearest));
    }
    Sentence::join(parts, ". ")
}
