//! Deciding many pairs together: the rarity of words is taken from all records, and of
//! two claims on one record the better one wins.

use super::nearest::block_prepared;
use super::score::{self, Doubt};
use super::{Judgement, Prepared, Rec, THRESHOLD, Term, Vocabulary, Zone, identity, zone};
use std::collections::HashSet;

/// Two records of a batch, by number.
pub type Pair = (usize, usize);

/// The odds of a rival count up to this log: records listed twice in one shop are both
/// found when both agree very well.
const RIVAL_LIMIT: f64 = 4.0;
/// What a lead over the best rival adds, by log-odds of lead, and at most.
const LEAD: (f64, f64) = (1.0, 1.0);
/// A lead over several rivals says more, up to so many.
const LEAD_RIVALS: f64 = 2.0;
/// Log-odds from which on a claim is sure when asking whether lists repeat products.
const SURE: f64 = 0.85;
/// Of the records with a sure twin, the share with two: up to `FEW` they are variants, from
/// `SEVERAL` on the list repeats its products.
const FEW: f64 = 0.15;
const SEVERAL: f64 = 0.5;

/// Of the pairs decided together one in so many is asked about at most: attention is
/// scarce, and who is asked too often stops answering with care.
const ASKED_OF: usize = 10;
/// So many are asked about however few the pairs.
const ASKED_ANYWAY: usize = 5;
/// The least score that is worth a question where questions are left.
const ASKED_FROM: f64 = 0.1;
/// The score from which on a pair is the same without asking where questions run out. They
/// do where many pairs are likely, more than the one in nine where the score was fitted, and
/// there it understates.
const SAME_UNASKED: f64 = 0.9;
/// The same for a pair far ahead of its rivals: what else could be meant is known.
const SAME_AHEAD: f64 = 0.7;
/// The log-odds that a lead adds from which on it is far.
const FAR_AHEAD: f64 = 1.0;
/// Where any one reason weighs less, something speaks against the pair.
const AGAINST: f32 = -0.25;

/// Judges `pairs` of `records` together, in order. Pairs of numbers outside of `records`
/// are judged different.
///
/// Where the left and the right sides are different records, as with the lists of two
/// shops, a product is taken to stand once in each list: with the odds of a pair
/// and of its rivals known, the chance that just this one holds is
/// `o / (1 + sum of all o)`.
///
/// At most one pair in ten is [`Zone::Maybe`], or five of a handful. Where more are doubtful,
/// the likeliest are the same without asking, unless something speaks against it, and the
/// least likely different, in a plain yes or no as well. Where refusing a pair unasked would
/// cost more than it saves, it is asked about even beyond one in ten.
#[must_use]
pub fn decide_pairs(records: &[Rec], pairs: &[Pair]) -> Vec<Judgement> {
    let vocabulary = Vocabulary::of(records);
    let prepared: Vec<Prepared> = records
        .iter()
        .map(|r| Prepared::new(r, &vocabulary))
        .collect();
    let (mut judged, unasked): (Vec<Judgement>, Vec<Option<f64>>) =
        decide(records, &prepared, pairs)
            .into_iter()
            .map(|decided| {
                let unasked = same_unasked(&decided);
                (decided.judgement, unasked)
            })
            .unzip();
    limit_questions(&mut judged, &unasked);
    judged
}

/// The score from which on a pair may be the same without asking; `None` where something
/// speaks against it.
fn same_unasked(decided: &Decided) -> Option<f64> {
    let ahead = decided.lead >= FAR_AHEAD;
    let reasons = &decided.judgement.reasons;
    let clear = match decided.doubt {
        Doubt::None => true,
        Doubt::Vague => ahead,
        Doubt::Variant => false,
    };
    (clear && reasons.iter().all(|t| t.weight >= AGAINST)).then_some(if ahead {
        SAME_AHEAD
    } else {
        SAME_UNASKED
    })
}

/// Keeps the questions within what a person answers. Scores stay. Of equally likely pairs
/// the later are dropped first. What is left of one question in ten goes to the likeliest
/// of the others.
fn limit_questions(judged: &mut [Judgement], unasked: &[Option<f64>]) {
    let share = judged.len() / ASKED_OF;
    let kept = half_of_reachable_f1(judged).max(THRESHOLD);
    let mut doubtful: Vec<usize> = (0..judged.len())
        .filter(|i| judged[*i].zone != Zone::Same && judged[*i].score >= ASKED_FROM)
        .collect();
    doubtful.sort_by(|a, b| judged[*b].score.total_cmp(&judged[*a].score));
    let likely = doubtful
        .iter()
        .filter(|i| judged[**i].score >= kept)
        .count();
    let mut surplus = likely.saturating_sub(share.max(ASKED_ANYWAY));
    let mut asked = 0;
    for i in doubtful {
        let judgement = &mut judged[i];
        let sure = unasked[i].is_some_and(|least| judgement.score >= least);
        let (zone, note) = if surplus > 0 && sure {
            surplus -= 1;
            (Zone::Same, "not asked about: others are more doubtful")
        } else if asked < share || judgement.score >= kept {
            asked += 1;
            (Zone::Maybe, "")
        } else if judgement.zone == Zone::Different {
            continue;
        } else if asked < ASKED_ANYWAY {
            asked += 1;
            continue;
        } else {
            (Zone::Different, "not asked about: others are likelier")
        };
        judgement.zone = zone;
        if !note.is_empty() {
            judgement.reasons.push(Term {
                text: note.to_owned(),
                weight: 0.0,
            });
        }
    }
}

/// Half of the best F1 that these scores promise: the score from which on a yes does more good
/// than harm to it (Lipton, Elkan and Naryanaswamy 2014). Lists whose pairs are told apart
/// clearly have it near a half, others lower.
fn half_of_reachable_f1(judged: &[Judgement]) -> f64 {
    let mut scores: Vec<f64> = judged.iter().map(|j| j.score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let expected: f64 = scores.iter().sum();
    let mut right = 0.0;
    let halves = scores.iter().zip(1_u32..).map(|(score, yes)| {
        right += score;
        right / (f64::from(yes) + expected)
    });
    halves.fold(0.0, f64::max)
}

/// A judged pair.
struct Decided {
    judgement: Judgement,
    doubt: Doubt,
    /// The log-odds that a lead over its rivals adds.
    lead: f64,
}

fn decide(records: &[Rec], prepared: &[Prepared], pairs: &[Pair]) -> Vec<Decided> {
    let mut decided: Vec<Decided> = pairs
        .iter()
        .map(|(l, r)| match (prepared.get(*l), prepared.get(*r)) {
            (Some(l), Some(r)) => super::explain_doubt(l, r),
            _ => {
                let none = Judgement::certain(Zone::Different, 0.001, "no such record");
                (none, Doubt::None)
            }
        })
        .map(|(judgement, doubt)| Decided {
            judgement,
            doubt,
            lead: 0.0,
        })
        .collect();
    let lefts: HashSet<usize> = pairs.iter().map(|p| p.0).collect();
    if pairs.iter().any(|p| lefts.contains(&p.1)) {
        return decided;
    }
    let gtin = |i: usize| records.get(i).and_then(|r| r.gtin);
    let scores: Vec<f64> = decided.iter().map(|d| d.judgement.score).collect();
    let changes = exclusive(records.len(), pairs, &scores);
    for ((decided, (l, r)), (rivals, lead)) in decided.iter_mut().zip(pairs).zip(changes) {
        if identity::decide(gtin(*l), gtin(*r)).is_some() {
            continue;
        }
        let judgement = &mut decided.judgement;
        for (text, weight) in [
            ("another record agrees as well or better", rivals),
            ("no other record comes near", lead),
        ] {
            if weight.abs() >= 0.05 {
                judgement.reasons.push(Term {
                    text: text.to_owned(),
                    weight: weight as f32,
                });
            }
        }
        let log_odds = score::log_odds_of(judgement.score) + rivals + lead;
        judgement.score = score::logistic((log_odds as f32).min(decided.doubt.limit()));
        judgement.zone = zone(judgement.score);
        judgement
            .reasons
            .sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        decided.lead = lead;
    }
    decided
}

/// The claims on one record.
#[derive(Clone, Copy)]
struct Claims {
    count: u32,
    odds: f64,
    best: (f64, usize),
    second: f64,
}

const NO_CLAIMS: Claims = Claims {
    count: 0,
    odds: 0.0,
    best: (f64::NEG_INFINITY, usize::MAX),
    second: f64::NEG_INFINITY,
};

/// For each pair, the log-odds that rivals take away and that a lead adds.
pub(super) fn exclusive(records: usize, pairs: &[Pair], scores: &[f64]) -> Vec<(f64, f64)> {
    let mut claims = vec![NO_CLAIMS; records];
    let odds = |z: f64| z.min(RIVAL_LIMIT).exp();
    let logs: Vec<f64> = scores.iter().map(|s| score::log_odds_of(*s)).collect();
    for (i, ((l, r), z)) in pairs.iter().zip(&logs).enumerate() {
        for side in [l, r] {
            let Some(c) = claims.get_mut(*side) else {
                continue;
            };
            c.count += 1;
            c.odds += odds(*z);
            if *z > c.best.0 {
                c.second = c.best.0;
                c.best = (*z, i);
            } else {
                c.second = c.second.max(*z);
            }
        }
    }
    let once = [
        listed_once(pairs.iter().map(|p| p.0), &claims),
        listed_once(pairs.iter().map(|p| p.1), &claims),
    ];
    pairs
        .iter()
        .zip(&logs)
        .enumerate()
        .map(|(i, ((l, r), z))| {
            let (mut taken, mut lead) = (0.0, 0.0_f64);
            let mut rival = f64::NEG_INFINITY;
            let mut rivals = 0.0;
            for (side, once) in [l, r].into_iter().zip(once) {
                let Some(c) = claims.get(*side) else { continue };
                rivals += once * (f64::from(c.count) - 1.0);
                taken -= once * (c.odds - odds(*z)).max(0.0).ln_1p();
                if once > 0.0 {
                    rival = rival.max(if c.best.1 == i { c.second } else { c.best.0 });
                }
            }
            if rival.is_finite() {
                lead = (LEAD.0 * (z - rival)).clamp(0.0, LEAD.1)
                    * rivals.clamp(0.0, LEAD_RIVALS).sqrt();
            }
            (taken, lead)
        })
        .collect()
}

/// How far the other side lists each product once, from 0 to 1: where many records that
/// have one sure twin have a second, it does not.
fn listed_once(side: impl Iterator<Item = usize>, claims: &[Claims]) -> f64 {
    let mut seen = HashSet::new();
    let (mut sure, mut twice) = (0.0, 0.0_f64);
    for record in side {
        let Some(c) = claims.get(record) else {
            continue;
        };
        if c.count > 1 && c.best.0 > SURE && seen.insert(record) {
            sure += 1.0;
            twice += f64::from(u8::from(c.second > SURE));
        }
    }
    // A handful of records proves nothing.
    let share = twice / (sure + 4.0);
    ((SEVERAL - share) / (SEVERAL - FEW)).clamp(0.0, 1.0)
}

/// Two records of two tables that are one product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The record of the left table, by number.
    pub left: usize,
    /// The record of the right table, by number.
    pub right: usize,
    /// The probability that both are one product.
    pub score: f64,
}

/// What the log-odds of a pair of two whole tables say once it is the best of both its
/// records: slope and intercept (Platt 1999), chosen on labelled tables. A pair alone is
/// judged with the few rivals that were handed over; here all near ones are known.
const LINKED: (f64, f64) = (0.5, 1.1);
/// The probability from which on two records of two tables are linked.
const LINK: f64 = 0.5;

/// Links two tables, each the list of one shop: every record is linked at most once, the
/// surest links first. Ordered by left record.
#[must_use]
pub fn link_tables(left: &[Rec], right: &[Rec]) -> Vec<Link> {
    let records: Vec<Rec> = left.iter().chain(right).cloned().collect();
    let vocabulary = Vocabulary::of(&records);
    let prepared: Vec<Prepared> = records
        .iter()
        .map(|r| Prepared::new(r, &vocabulary))
        .collect();
    let (ready_left, ready_right) = prepared.split_at(left.len());
    let pairs = block_prepared((left, ready_left), (right, ready_right));
    let shifted: Vec<Pair> = pairs.iter().map(|(l, r)| (*l, left.len() + r)).collect();
    let mut links: Vec<Link> = decide(&records, &prepared, &shifted)
        .iter()
        .zip(&pairs)
        .map(|(decided, (l, r))| Link {
            left: *l,
            right: *r,
            score: decided.judgement.score,
        })
        .collect();
    links.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then((a.left, a.right).cmp(&(b.left, b.right)))
    });
    let mut taken = (HashSet::new(), HashSet::new());
    links.retain_mut(|l| {
        let free = !taken.0.contains(&l.left) && !taken.1.contains(&l.right);
        let log_odds = LINKED.0 * score::log_odds_of(l.score) + LINKED.1;
        l.score = l.score.max(score::logistic(log_odds as f32));
        let linked = free && l.score >= LINK;
        linked && taken.0.insert(l.left) && taken.1.insert(l.right)
    });
    links.sort_by_key(|l| (l.left, l.right));
    links
}

#[cfg(test)]
mod tests {
    use super::super::tests::rec;
    use super::*;

    #[test]
    fn the_better_claim_wins() {
        let records: Vec<Rec> = [
            "Canon Pixma MG5750 printer black",
            "Canon Pixma MG5750 black",
            "Canon Pixma printer",
            "Philips kettle HD9350",
            "Bosch drill GSR12V",
        ]
        .map(rec)
        .into();
        let alone = decide_pairs(&records, &[(0, 2)]);
        let both = decide_pairs(&records, &[(0, 2), (0, 1)]);
        assert!(both[0].score < alone[0].score);
        assert!(both[1].score > both[0].score);
        assert_eq!(both[1].zone, Zone::Same);
    }

    fn judgements(scores: impl IntoIterator<Item = f64>) -> Vec<Judgement> {
        let of = |score| Judgement {
            zone: zone(score),
            score,
            reasons: Vec::new(),
        };
        scores.into_iter().map(of).collect()
    }

    fn asked(judged: &[Judgement]) -> Vec<f64> {
        let asked = judged.iter().filter(|j| j.zone == Zone::Maybe);
        asked.map(|j| j.score).collect()
    }

    #[test]
    fn one_pair_in_ten_is_asked_about_and_the_rest_is_different() {
        let mut many = judgements((0..200).map(|i| f64::from(i % 100) / 300.0));
        limit_questions(&mut many, &[Some(SAME_UNASKED); 200]);
        assert_eq!(asked(&many).len(), 20);
        assert!(asked(&many).iter().all(|s| *s >= 0.29));
        assert_eq!((many[60].zone, many[60].score), (Zone::Different, 0.2));
        // Questions that are left go to less likely pairs; a few pairs have none left.
        let mut idle = judgements((0..40).map(|i| [0.12, 0.01][i % 2]));
        limit_questions(&mut idle, &[Some(SAME_UNASKED); 40]);
        assert_eq!(asked(&idle), [0.12; 4]);
        let mut few = judgements([0.3, 0.3, 0.12]);
        limit_questions(&mut few, &[Some(SAME_UNASKED); 3]);
        assert_eq!(asked(&few), [0.3; 2]);
    }

    #[test]
    fn where_questions_run_out_the_likeliest_are_the_same_unless_something_speaks_against() {
        let mut judged = judgements((0..60).map(|i| [0.91, 0.86, 0.5, 0.25, 0.02, 0.02][i % 6]));
        let mut unasked = [Some(SAME_UNASKED); 60];
        unasked[0] = None;
        unasked[7] = Some(SAME_AHEAD);
        limit_questions(&mut judged, &unasked);
        assert_eq!(judged[0].zone, Zone::Maybe);
        assert_eq!((judged[6].zone, judged[7].zone), (Zone::Same, Zone::Same));
        assert_eq!(
            (judged[1].zone, judged[3].zone),
            (Zone::Maybe, Zone::Different)
        );
        assert_eq!(asked(&judged).len(), 20);
        // Below half of the F1 that can be reached a plain yes alone is refused.
        let mut judged = judgements((0..60).map(|i| [0.9, 0.31, 0.02][i % 3]));
        limit_questions(&mut judged, &[None; 60]);
        assert_eq!(judged.iter().filter(|j| j.is_same()).count(), 20);
        let mut judged = judgements((0..60).map(|i| [0.4, 0.02][i % 2]));
        limit_questions(&mut judged, &[None; 60]);
        assert_eq!(judged.iter().filter(|j| j.is_same()).count(), 30);
    }

    #[test]
    fn what_can_be_reached_follows_from_the_scores() {
        let half = |scores: &[f64]| half_of_reachable_f1(&judgements(scores.iter().copied()));
        assert_eq!(half(&[]), 0.0);
        assert_eq!(half(&[1.0, 0.0, 1.0]), 0.5);
        // One right answer of two: precision 0.5, recall 1.
        assert!((half(&[0.5, 0.5]) - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn variants_are_asked_about_however_far_ahead() {
        let decided = |doubt, lead| Decided {
            judgement: Judgement::certain(Zone::Maybe, 0.8, "words in common"),
            doubt,
            lead,
        };
        for (doubt, alone, ahead) in [
            (Doubt::None, Some(SAME_UNASKED), Some(SAME_AHEAD)),
            (Doubt::Vague, None, Some(SAME_AHEAD)),
            (Doubt::Variant, None, None),
        ] {
            assert_eq!(same_unasked(&decided(doubt, 0.0)), alone);
            assert_eq!(same_unasked(&decided(doubt, FAR_AHEAD)), ahead);
        }
        let mut against = decided(Doubt::None, FAR_AHEAD);
        against.judgement.reasons[0].weight = -0.5;
        assert_eq!(same_unasked(&against), None);
    }

    #[test]
    fn records_on_both_sides_are_no_tables() {
        let records: Vec<Rec> = ["Canon MG5750", "Canon MG5750 black", "Canon MG5750 printer"]
            .map(rec)
            .into();
        let judged = decide_pairs(&records, &[(0, 1), (1, 2), (0, 2)]);
        assert!(
            judged
                .iter()
                .all(|j| j.reasons.iter().all(|t| !t.text.contains("another record")))
        );
    }

    #[test]
    fn rivals_do_not_count_where_a_list_repeats_its_products() {
        // Forty records with two sure twins each.
        let pairs: Vec<Pair> = (0..40)
            .flat_map(|l| [(l, 40 + 2 * l), (l, 41 + 2 * l)])
            .collect();
        let sure = exclusive(120, &pairs, &[0.9; 80]);
        assert!(sure.iter().all(|(taken, _)| *taken == 0.0));
        let one_of_two: Vec<f64> = (0..80).map(|i| [0.9, 0.3][i % 2]).collect();
        let once = exclusive(120, &pairs, &one_of_two);
        assert!(once.iter().all(|(taken, _)| *taken < 0.0));
    }
}
