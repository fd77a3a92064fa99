//! The short list: few offers among which one is close to best whatever the person's
//! exact trade-offs and the unknown values turn out to be. Greedy k-regret
//! (Nanongkai et al., VLDB 2010) over the person's own box of trade-offs.

use super::score::{Alternative, Interval};

/// Random draws of trade-offs and unknowns.
const DRAWS: usize = 1024;
/// Random draws of trade-offs in which every unknown takes its least, middle or most
/// with 30, 40 and 30 % (Swanson's rule): regret is greatest at the ends, which a
/// continuous distribution hardly ever draws.
const ENDS: usize = 1024;
/// At most this many corners of the box of trade-offs are added.
const CORNERS: usize = 256;
/// Work bound: cells of the matrix of costs (candidates times draws).
const MAX_CELLS: usize = 3 << 17;
/// The draws see less than the whole box: the list ends only when they regret at most
/// this part of the tolerance.
const MARGIN: f64 = 0.75;
/// Lists longer than this are not improved by exchanges.
const MAX_EXCHANGED: usize = 8;
/// Rounding changes a sum of regrets by less than this part of it: it has thousands of
/// terms, each rounded to 2^-53.
const SLACK: f64 = 1e-9;
/// Exchanges rarely gain after the second round.
const EXCHANGE_ROUNDS: usize = 3;

/// How far one criterion's weight may lie from the stated one (1): `low <= 1 <= high`
/// until answers shrink it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightBox<'a> {
    /// The criterion.
    pub id: &'a str,
    /// The least factor.
    pub low: f64,
    /// The greatest factor.
    pub high: f64,
}

/// How the list is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// At most this many offers.
    pub k: usize,
    /// Stop when no draw regrets more than this fraction of the first offer's cost.
    pub tolerance: f64,
}

/// Where a member of the list is the best choice.
#[derive(Clone, Debug, PartialEq)]
pub enum Wins {
    /// At the trade-offs as stated.
    AsStated,
    /// When a criterion matters `factor` times as much as stated.
    Weight {
        /// Its position among the criteria.
        criterion: usize,
        /// How much more (above 1) or less (below 1): from here on where that alone is
        /// enough, else usually.
        factor: f64,
    },
    /// When its unknown money turns out lower than assumed.
    UnknownMoney,
    /// When its unknown value of a criterion turns out better than assumed.
    UnknownValue {
        /// Its position among the criteria.
        criterion: usize,
    },
    /// When the first offer's unknown money turns out higher than assumed.
    FirstMoney,
    /// When the first offer's unknown value of a criterion turns out worse than assumed.
    FirstValue {
        /// Its position among the criteria.
        criterion: usize,
    },
}

/// A member of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its position among the alternatives.
    pub index: usize,
    /// Where it wins.
    pub wins: Wins,
    /// The share of draws in which it is the best of all offers.
    pub p_first: f64,
}

/// The list and what it leaves open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shortlist {
    /// In order of rank.
    pub members: Vec<Member>,
    /// The greatest regret over all draws, in cents.
    pub max_regret: f64,
}

/// Cuts the short list from alternatives ranked in `order`. Only the first offer's tier
/// takes part.
#[must_use]
pub fn shortlist(
    alternatives: &[Alternative<'_>],
    order: &[usize],
    boxes: &[WeightBox<'_>],
    limits: Limits,
) -> Shortlist {
    let Some(&first) = order.first().filter(|_| limits.k > 0) else {
        return Shortlist::default();
    };
    let draws = Draws::new(boxes);
    let pool = candidates(alternatives, order, boxes, MAX_CELLS / draws.count);
    let costs: Vec<Vec<f64>> = pool
        .iter()
        .map(|&i| draws.costs(&alternatives[i], boxes))
        .collect();
    let mut best = costs[0].clone();
    for row in &costs[1..] {
        lower(&mut best, row);
    }
    let enough = MARGIN * limits.tolerance * alternatives[first].total().mid.abs();
    let (chosen, max_regret) = Search::new(&costs, &best).greedy(limits.k, enough);
    let winners = draws.winners(&costs, 0..pool.len(), draws.random);
    let among = draws.winners(&costs, chosen.iter().copied(), draws.count);
    let members = chosen
        .iter()
        // A choice that later ones outdid everywhere leaves no regret behind.
        .filter(|&&row| row == 0 || among.contains(&row))
        .map(|&row| Member {
            index: pool[row],
            wins: if row == 0 {
                Wins::AsStated
            } else {
                let won = |d: &usize| among[*d] == row;
                let mut all: Vec<usize> = (0..draws.random).filter(won).collect();
                if all.is_empty() {
                    // So rarely that no random draw shows it.
                    all = (draws.random..draws.count).filter(won).collect();
                }
                let [it, first] = [row, 0].map(|row| &alternatives[pool[row]]);
                draws.label(it, first, boxes, &all)
            },
            p_first: share(winners.iter().filter(|w| **w == row).count(), draws.random),
        })
        .collect();
    Shortlist {
        members,
        max_regret,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few hundred draws")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// The first offer and every offer that can cost less than it anywhere in the box, in
/// order of rank. The rest are never best and never reduce a regret. Over the bound,
/// those that can gain most are kept.
fn candidates(
    alternatives: &[Alternative<'_>],
    order: &[usize],
    boxes: &[WeightBox<'_>],
    bound: usize,
) -> Vec<usize> {
    let first = &alternatives[order[0]];
    let gain = |a: &Alternative<'_>| -> f64 {
        let weighted: f64 = boxes
            .iter()
            .zip(first.weighted.iter().zip(&a.weighted))
            .map(|(b, (f, x))| {
                let d = f.hi - x.lo;
                (b.low * d).max(b.high * d)
            })
            .sum();
        first.fixed.hi - a.fixed.lo + weighted
    };
    let mut rest: Vec<(usize, f64)> = order[1..]
        .iter()
        .take_while(|&&i| alternatives[i].tier == first.tier)
        .map(|&i| gain(&alternatives[i]))
        .enumerate()
        .filter(|(_, g)| *g > 0.0)
        .collect();
    let bound = bound.max(2) - 1;
    if rest.len() > bound {
        rest.select_nth_unstable_by(bound, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        rest.truncate(bound);
        rest.sort_by_key(|(rank, _)| *rank);
    }
    let ranks = rest.into_iter().map(|(rank, _)| order[rank + 1]);
    std::iter::once(order[0]).chain(ranks).collect()
}

/// The search for the rows that leave the least regret.
struct Search<'a> {
    costs: &'a [Vec<f64>],
    /// The least cost of all rows in every draw.
    best: &'a [f64],
    /// What a list of the first row alone regrets.
    alone: Regret,
    /// Every row with what it takes off the power of that regret, the most first.
    by_gain: Vec<(usize, f64)>,
}

impl<'a> Search<'a> {
    fn new(costs: &'a [Vec<f64>], best: &'a [f64]) -> Self {
        let alone = Regret::of(&costs[0], &costs[0], best);
        let mut by_gain: Vec<(usize, f64)> = costs
            .iter()
            .map(|cost| alone.power - Regret::of(&costs[0], cost, best).power)
            .enumerate()
            .collect();
        by_gain.sort_by(|a, b| b.1.total_cmp(&a.1));
        Self {
            costs,
            best,
            alone,
            by_gain,
        }
    }

    /// Adds the row that leaves the least regret until no draw regrets more than `enough`
    /// or `k` is reached. Ties go to the better rank: so a dominated offer never comes
    /// before its dominator, and after it, it gains nothing.
    fn greedy(&self, k: usize, enough: f64) -> (Vec<usize>, f64) {
        let mut chosen = vec![0];
        let mut current = self.costs[0].clone();
        let mut left = self.alone;
        while chosen.len() < k && left.max > enough {
            let Some((row, after)) = self.least(&current, left) else {
                break;
            };
            chosen.push(row);
            lower(&mut current, &self.costs[row]);
            left = after;
            if (3..=MAX_EXCHANGED).contains(&chosen.len()) {
                left = self.exchange(&mut chosen, left);
                current.clone_from(&self.costs[0]);
                for &row in &chosen[1..] {
                    lower(&mut current, &self.costs[row]);
                }
            }
        }
        chosen.sort_unstable();
        (chosen, left.max)
    }

    /// Replaces one member at a time (never the first) by the row that lowers the regret
    /// most, while any does: greedy alone cannot undo an early choice.
    fn exchange(&self, chosen: &mut [usize], mut left: Regret) -> Regret {
        for _round in 0..EXCHANGE_ROUNDS {
            let before = left;
            for slot in 1..chosen.len() {
                let mut others = self.costs[0].clone();
                for (_, &row) in chosen.iter().enumerate().filter(|(s, _)| *s != slot) {
                    lower(&mut others, &self.costs[row]);
                }
                if let Some((row, after)) = self.least(&others, left) {
                    chosen[slot] = row;
                    left = after;
                }
            }
            if left == before {
                break;
            }
        }
        left
    }

    /// The row that with `current`, which holds the first row, leaves the least regret,
    /// if less than `left`.
    ///
    /// The more is chosen, the less a row can gain (the sum over draws of a rising
    /// function of the least cost is supermodular), so what it gains beside the first row
    /// alone bounds it (lazy evaluation: Minoux 1978).
    fn least(&self, current: &[f64], left: Regret) -> Option<(usize, Regret)> {
        let now = Regret::of(current, current, self.best).power;
        let mut found: Option<(usize, Regret)> = None;
        for &(row, gain) in &self.by_gain {
            let (to_beat, tie) = found.map_or((left.power, 0), |(r, f)| (f.power, r));
            // The slack covers the rounding of both sums.
            if now - gain > to_beat + SLACK * self.alone.power {
                break;
            }
            let after = Regret::of(current, &self.costs[row], self.best);
            if after.power < to_beat || after.power == to_beat && row < tie {
                found = Some((row, after));
            }
        }
        found
    }
}

/// What a list regrets over all draws.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Regret {
    /// The most.
    max: f64,
    /// The sum of eighth powers: lists are compared by it, as it weighs the large
    /// regrets most yet rests on more than the one worst draw.
    power: f64,
}

impl Regret {
    fn of(current: &[f64], cost: &[f64], best: &[f64]) -> Self {
        // Lanes, because a sum of floats in one accumulator cannot be vectorised.
        const LANES: usize = 8;
        let (mut max, mut power) = ([0.0_f64; LANES], [0.0_f64; LANES]);
        let chunks = current.chunks(LANES).zip(cost.chunks(LANES));
        for ((c, x), b) in chunks.zip(best.chunks(LANES)) {
            let lanes = c.iter().zip(x).zip(b).zip(max.iter_mut().zip(&mut power));
            for (((c, x), b), (max, power)) in lanes {
                let r = if c < x { *c } else { *x } - b;
                *max = if r > *max { r } else { *max };
                let r4 = (r * r) * (r * r);
                *power += r4 * r4;
            }
        }
        let max = max.into_iter().fold(0.0, f64::max);
        let power = power.into_iter().sum();
        Self { max, power }
    }
}

fn lower(into: &mut [f64], row: &[f64]) {
    for (a, b) in into.iter_mut().zip(row) {
        *a = a.min(*b);
    }
}

/// Deterministic draws: first the random ones, then corners of the box and the stated
/// trade-offs, with unknowns at their middle. Every number is a hash of the names it
/// belongs to, so neither the order nor the number of offers changes it.
struct Draws {
    /// The factor of each criterion in each draw.
    weights: Vec<Vec<f64>>,
    /// Draws before this one take unknowns from their distribution.
    random: usize,
    /// Draws from `random` to here take them at an end or the middle; all later ones at the
    /// middle.
    uncertain: usize,
    /// The number of draws.
    count: usize,
}

impl Draws {
    fn new(boxes: &[WeightBox<'_>]) -> Self {
        let corners = u32::try_from(boxes.len())
            .ok()
            .and_then(|n| 1_usize.checked_shl(n))
            .unwrap_or(usize::MAX);
        let all = corners <= CORNERS;
        let corners = corners.min(CORNERS);
        let weights = boxes
            .iter()
            .enumerate()
            .map(|(k, b)| {
                let seed = hash(&[b.id]);
                let (low, high) = (b.low.ln(), b.high.ln());
                let random = (0..DRAWS + ENDS).map(|d| {
                    let u = uniform(seed, d);
                    (low + u * (high - low)).exp()
                });
                let corner = (0..corners).map(|c| {
                    let up = if all {
                        c >> k & 1 == 1
                    } else {
                        uniform(seed, DRAWS + ENDS + c) < 0.5
                    };
                    if up { b.high } else { b.low }
                });
                random.chain(corner).chain([1.0]).collect()
            })
            .collect();
        Self {
            weights,
            random: DRAWS,
            uncertain: DRAWS + ENDS,
            count: DRAWS + ENDS + corners + 1,
        }
    }

    /// The cost of one alternative in every draw.
    fn costs(&self, a: &Alternative<'_>, boxes: &[WeightBox<'_>]) -> Vec<f64> {
        let mut row = vec![a.fixed.mid; self.count];
        let mut drawn = vec![0.0; self.uncertain];
        if !a.fixed.is_exact() {
            self.unknown(&a.fixed, hash(&[a.id]), &mut drawn);
            row[..self.uncertain].copy_from_slice(&drawn);
        }
        for ((b, i), weights) in boxes.iter().zip(&a.weighted).zip(&self.weights) {
            for (x, w) in row.iter_mut().zip(weights) {
                *x += w * i.mid;
            }
            if !i.is_exact() {
                self.unknown(i, hash(&[a.id, b.id]), &mut drawn);
                for ((x, w), value) in row.iter_mut().zip(weights).zip(&drawn) {
                    *x += w * (value - i.mid);
                }
            }
        }
        row
    }

    /// Writes what an unknown is in each draw in which it is not at its middle.
    fn unknown(&self, i: &Interval, seed: u64, drawn: &mut [f64]) {
        for (d, x) in drawn.iter_mut().enumerate() {
            *x = uniform(seed, d);
        }
        let quantile = i.quantiles();
        let (random, ends) = drawn.split_at_mut(self.random);
        for x in random {
            *x = quantile(*x);
        }
        for x in ends {
            let upper = if *x < 0.7 { i.mid } else { i.hi };
            *x = if *x < 0.3 { i.lo } else { upper };
        }
    }

    /// The cheapest of `rows` in each of the first `draws`; the better rank, which comes
    /// earlier, where equal.
    fn winners(
        &self,
        costs: &[Vec<f64>],
        rows: impl Iterator<Item = usize>,
        draws: usize,
    ) -> Vec<usize> {
        let mut least = vec![f64::INFINITY; draws];
        let mut winners = vec![0; draws];
        for row in rows {
            for ((least, winner), cost) in least.iter_mut().zip(&mut winners).zip(&costs[row]) {
                let lower = cost < least;
                *least = if lower { *cost } else { *least };
                *winner = if lower { row } else { *winner };
            }
        }
        winners
    }

    /// What the draws in which an alternative wins have in common: the weight, or the
    /// unknown of its own or of the first, that lies furthest from its usual place, in
    /// standard deviations.
    fn label(
        &self,
        a: &Alternative<'_>,
        first: &Alternative<'_>,
        boxes: &[WeightBox<'_>],
        won: &[usize],
    ) -> Wins {
        let mean = |value: &dyn Fn(usize) -> f64| {
            won.iter().map(|&d| value(d)).sum::<f64>() / share(won.len(), 1)
        };
        // Unknowns are drawn up to here; afterwards they are at their middle.
        let drawn = |seed: u64, d: usize| {
            if d < self.uncertain {
                uniform(seed, d)
            } else {
                0.5
            }
        };
        // The standard deviation of a uniform number on 0..1 is 1 / sqrt(12).
        let deviations = |u: f64| (u - 0.5).abs() * 12.0_f64.sqrt();
        let mut found = (0.0, Wins::AsStated);
        let mut offer = |strength: f64, wins: Wins| {
            if strength > found.0 {
                found = (strength, wins);
            }
        };
        for (criterion, b) in boxes.iter().enumerate() {
            if b.low < b.high {
                let log = mean(&|d| self.weights[criterion][d].ln());
                // Where it draws level with the first, all else as stated, if it can.
                let apart = first.weighted[criterion].mid - a.weighted[criterion].mid;
                let level = 1.0 + (a.total().mid - first.total().mid) / apart;
                let alike = (level > 1.0) == (log > 0.0) && (b.low..=b.high).contains(&level);
                let factor = if alike { level } else { log.exp() };
                let (low, high) = (b.low.ln(), b.high.ln());
                let strength = deviations((log - low) / (high - low));
                offer(strength, Wins::Weight { criterion, factor });
            }
            let values = [
                (a, Wins::UnknownValue { criterion }),
                (first, Wins::FirstValue { criterion }),
            ];
            for (of, wins) in values {
                if !of.weighted[criterion].is_exact() {
                    let seed = hash(&[of.id, b.id]);
                    offer(deviations(mean(&|d| drawn(seed, d))), wins);
                }
            }
        }
        for (of, wins) in [(a, Wins::UnknownMoney), (first, Wins::FirstMoney)] {
            if !of.fixed.is_exact() {
                let seed = hash(&[of.id]);
                offer(deviations(mean(&|d| drawn(seed, d))), wins);
            }
        }
        found.1
    }
}

/// FNV-1a (Fowler, Noll, Vo) over names, with a mark after each.
fn hash(names: &[&str]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for name in names {
        for byte in name.bytes().chain([0xff]) {
            h = (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    h
}

/// The `draw`-th number in 0..1 of a seed: the finaliser of SplitMix64 (Steele, Lea and
/// Flood 2014), made stateless.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
fn uniform(seed: u64, draw: usize) -> f64 {
    let mut z = seed.wrapping_add((draw as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::rank::score::order;

    fn alternative(id: &str, fixed: f64, weighted: [f64; 2]) -> Alternative<'_> {
        Alternative {
            id,
            tier: 0,
            fixed: Interval::exact(fixed),
            weighted: weighted.map(Interval::exact).to_vec(),
        }
    }

    const BOXES: [WeightBox<'static>; 2] = [
        WeightBox {
            id: "days",
            low: 0.5,
            high: 2.0,
        },
        WeightBox {
            id: "rating",
            low: 0.5,
            high: 2.0,
        },
    ];

    fn list(all: &[Alternative<'_>], k: usize) -> Shortlist {
        let limits = Limits { k, tolerance: 0.01 };
        shortlist(all, &order(all, 0.0), &BOXES, limits)
    }

    #[test]
    fn it_holds_the_extremes_and_says_where_they_win() {
        let all = [
            alternative("even", 1_000.0, [100.0, 100.0]),
            alternative("fast", 1_090.0, [10.0, 105.0]),
            alternative("liked", 1_090.0, [105.0, 10.0]),
            alternative("worse", 1_100.0, [106.0, 106.0]),
        ];
        let s = list(&all, 5);
        let ids: Vec<&str> = s.members.iter().map(|m| all[m.index].id).collect();
        assert_eq!(ids, ["even", "fast", "liked"]);
        // 90 more in money for 90 less in days, but 5 more in rating.
        assert!(matches!(
            s.members[1].wins,
            Wins::Weight { criterion: 0, factor } if (factor - (1.0 + 5.0 / 90.0)).abs() < 1e-9
        ));
        assert!(matches!(
            s.members[2].wins,
            Wins::Weight { criterion: 1, factor } if factor > 1.0
        ));
        assert!(s.max_regret <= 0.01 * 1_200.0);
        let total: f64 = s.members.iter().map(|m| m.p_first).sum();
        assert!((total - 1.0).abs() < 1e-9);
        assert_eq!(list(&all, 1).members.len(), 1);
    }

    #[test]
    fn an_unknown_fee_puts_an_offer_on_the_list() {
        let mut open = alternative("open", 0.0, [100.0, 100.0]);
        open.fixed = Interval {
            lo: 900.0,
            mid: 1_010.0,
            hi: 1_100.0,
        };
        let all = [alternative("known", 1_000.0, [100.0, 100.0]), open];
        let s = list(&all, 5);
        assert_eq!(s.members.len(), 2);
        assert_eq!(s.members[1].wins, Wins::UnknownMoney);
    }

    #[test]
    fn what_is_unknown_of_the_first_lets_another_win() {
        let sure = || alternative("sure", 1_200.0, [100.0, 100.0]);
        let mut first = alternative("first", 0.0, [100.0, 100.0]);
        first.fixed = Interval {
            lo: 500.0,
            mid: 990.0,
            hi: 1_500.0,
        };
        let s = list(&[first, sure()], 5);
        assert_eq!(s.members.len(), 2);
        assert_eq!(s.members[1].wins, Wins::FirstMoney);

        let mut first = alternative("first", 1_150.0, [0.0, 100.0]);
        first.weighted[0] = Interval {
            lo: 0.0,
            mid: 100.0,
            hi: 300.0,
        };
        let s = list(&[first, sure()], 5);
        assert_eq!(s.members[1].wins, Wins::FirstValue { criterion: 0 });
    }

    #[test]
    fn what_wins_only_at_the_ends_says_so() {
        // So little of the range is below the first that no draw of it is.
        let mut open = alternative("open", 0.0, [100.0, 100.0]);
        open.fixed = Interval {
            lo: 985.0,
            mid: 3_000.0,
            hi: 5_000.0,
        };
        let all = [alternative("known", 1_000.0, [100.0, 100.0]), open];
        let s = list(&all, 5);
        assert_eq!(s.members.len(), 2);
        assert_eq!(s.members[1].wins, Wins::UnknownMoney);
    }

    #[test]
    fn nothing_to_choose_from_is_an_empty_list() {
        assert_eq!(list(&[], 5), Shortlist::default());
        let one = [alternative("a", 5.0, [0.0, 0.0])];
        assert_eq!(list(&one, 0), Shortlist::default());
        assert_eq!(list(&one, 3).members.len(), 1);
    }
}
