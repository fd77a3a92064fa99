//! Prices on the ranges of fixed states (how far carts miss a minimum or a weight),
//! and the cell to branch on where prices alone leave a gap.

use super::{Component, Decision, Leaf, Open, Relaxed};
use crate::engine::basket::incumbent::Incumbent;
use crate::engine::basket::model::{For, Measure, State};
use crate::engine::basket::oracle::{Price, total};

/// Steps of pricing the ranges of fixed states.
const PRICE_TRIALS: usize = 24;
/// The price of missing one end of a range: positive on the low end, negative on the
/// high one.
#[derive(Debug, Clone, Copy)]
pub(super) struct RangePrice {
    pub(super) price: Price,
    pub(super) end: f64,
    /// The largest price on a low end, infinite on a high one.
    limit: f64,
    low: bool,
}

impl Leaf<'_> {
    /// Prices the ranges that fixed states miss, all together, by Polyak steps.
    /// Returns a decision and its opposite where carts on both sides of a range
    /// disagree.
    pub(super) fn price_ranges(
        &mut self,
        open: &mut [Open],
        components: &[Component],
        relaxed: &mut Relaxed,
        incumbent: &mut Incumbent<'_>,
    ) -> Option<(usize, [Decision; 2])> {
        for o in open
            .iter_mut()
            .filter(|o| o.states.len() == 1 && o.prices.is_empty())
        {
            o.prices = ends(&self.model.shops[o.shop].states[o.states[0]]);
        }
        let mut seen: Vec<Relaxed> = vec![relaxed.clone()];
        let mut best: Vec<Vec<RangePrice>> = open.iter().map(|o| o.prices.clone()).collect();
        let mut current = relaxed.clone();
        let (mut step, mut stale) = (1.0, 0);
        for _ in 0..PRICE_TRIALS {
            let weights: f64 = self.total_of(open, Measure::Weight, &current);
            let spends: f64 = self.total_of(open, Measure::Spend, &current);
            let gram = (spends / weights.max(1.0)).clamp(1e-3, 10.0);
            let scale = |m: Measure| if m == Measure::Weight { gram } else { 1.0 };
            let mut norm = 0.0;
            for (k, o) in open.iter().enumerate() {
                for p in &o.prices {
                    let missed = self.missed(o, p, &current.choices[k]);
                    if p.active(missed) {
                        norm += (missed * scale(p.price.measure)).powi(2);
                    }
                }
            }
            if norm < 1e-9 {
                break;
            }
            let target = incumbent.prune_at().min(current.bound.abs() * 1.5) + 1.0;
            let length = step * (target - current.bound).max(1.0) / norm;
            for (k, o) in open.iter_mut().enumerate() {
                let missed: Vec<f64> = o
                    .prices
                    .iter()
                    .map(|p| self.missed(o, p, &current.choices[k]))
                    .collect();
                for (p, missed) in o.prices.iter_mut().zip(missed) {
                    if p.active(missed) {
                        p.shift(length * missed * scale(p.price.measure).powi(2));
                    }
                }
                keep_goods_a_cost(&mut o.prices);
            }
            current = self.relax(open, components);
            incumbent.consider(&self.lines(open, &current.choices));
            if current.bound > relaxed.bound + 1e-6 {
                *relaxed = current.clone();
                best = open.iter().map(|o| o.prices.clone()).collect();
                stale = 0;
                if relaxed.bound > incumbent.prune_at() {
                    return None;
                }
            } else {
                stale += 1;
                if stale >= 2 {
                    step *= 0.5;
                    stale = 0;
                    for (o, prices) in open.iter_mut().zip(&best) {
                        o.prices.clone_from(prices);
                    }
                    seen.push(std::mem::replace(&mut current, relaxed.clone()));
                    continue;
                }
            }
            seen.push(current.clone());
        }
        for (o, prices) in open.iter_mut().zip(best) {
            o.prices = prices;
        }
        self.torn(open, relaxed, &seen)
    }

    fn total_of(&self, open: &[Open], measure: Measure, relaxed: &Relaxed) -> f64 {
        let carts = open.iter().zip(&relaxed.choices);
        let total = |(o, c): (&Open, &Vec<usize>)| total(&self.model.shops[o.shop], measure, 0, c);
        carts.map(total).sum()
    }

    /// What is missing at an end of a range: positive below it.
    fn missed(&self, o: &Open, p: &RangePrice, choices: &[usize]) -> f64 {
        let shop = &self.model.shops[o.shop];
        let profile = shop.states[o.states[0]].profile;
        p.end - total(shop, p.price.measure, profile, choices)
    }

    /// The end of a range on which the best prices leave the widest gap, and the cell
    /// that moves carts across it.
    fn torn(
        &self,
        open: &[Open],
        relaxed: &Relaxed,
        seen: &[Relaxed],
    ) -> Option<(usize, [Decision; 2])> {
        let mut gaps: Vec<(f64, usize, &RangePrice, f64)> = Vec::new();
        for (k, o) in open.iter().enumerate() {
            for p in &o.prices {
                let missed = self.missed(o, p, &relaxed.choices[k]);
                if p.active(missed) && missed.abs() > 1e-6 {
                    // Unpriced misses count by their size, priced slack by its cost.
                    let price = p.price.per_unit.abs().max(0.02);
                    gaps.push((price * missed.abs(), k, p, missed));
                }
            }
        }
        gaps.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, k, p, missed) in gaps {
            let across = |r: &&Relaxed| self.missed(&open[k], p, &r.choices[k]) * missed <= 0.0;
            let others = seen.iter().rev().filter(across).chain(seen.iter().rev());
            for other in others {
                let found = self.disagreement(open, k, p.price.measure, relaxed, other);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// The cell of shop `k` on which two carts differ most in a total.
    fn disagreement(
        &self,
        open: &[Open],
        k: usize,
        measure: Measure,
        one: &Relaxed,
        other: &Relaxed,
    ) -> Option<(usize, [Decision; 2])> {
        let shop = &self.model.shops[open[k].shop];
        let profile = shop.states[open[k].states[0]].profile;
        let find = |r: &Relaxed, what: For| -> Option<usize> {
            let same = |c: &&usize| match (shop.choices[**c].what, what) {
                (For::Bundle(a, _), For::Bundle(b, _)) => a == b,
                (a, b) => a == b,
            };
            r.choices[k].iter().find(same).copied()
        };
        let value = |c: Option<usize>| c.map_or(0.0, |c| shop.measure(measure, profile, c));
        let units = |c: Option<usize>| c.map_or(0.0, |c| shop.choices[c].units);
        let mut best: Option<(f64, [Decision; 2])> = None;
        for c in one.choices[k].iter().chain(&other.choices[k]) {
            let what = shop.choices[*c].what;
            let (a, b) = (find(one, what), find(other, what));
            if a == b {
                continue;
            }
            let difference = (value(a) - value(b)).abs();
            if best.as_ref().is_some_and(|x| difference <= x.0) {
                continue;
            }
            let decisions = match what {
                For::Item(item) if units(a) != units(b) => {
                    let split = units(a).min(units(b));
                    [
                        Decision::Units {
                            item,
                            least: 0.0,
                            most: split,
                        },
                        Decision::Units {
                            item,
                            least: split + 1.0,
                            most: f64::INFINITY,
                        },
                    ]
                }
                For::Item(item) => {
                    let Some(choice) = a.or(b) else { continue };
                    [true, false].map(|used| Decision::Choice { item, choice, used })
                }
                For::Bundle(bundle, _) => {
                    let levels = &shop.bundles[bundle].levels;
                    let level = |c: Option<usize>| {
                        c.and_then(|c| levels.iter().position(|l| l.1 == c))
                            .unwrap_or(0)
                    };
                    let split = level(a).min(level(b));
                    [
                        Decision::Level {
                            bundle,
                            least: 0,
                            most: split,
                        },
                        Decision::Level {
                            bundle,
                            least: split + 1,
                            most: usize::MAX,
                        },
                    ]
                }
            };
            best = Some((difference, decisions));
        }
        best.map(|(_, decisions)| (k, decisions))
    }
}

impl RangePrice {
    /// Whether the price moves: not at zero when the end is kept.
    fn active(&self, missed: f64) -> bool {
        self.price.per_unit != 0.0 || (missed > 0.0) == self.low && missed != 0.0
    }

    fn shift(&mut self, by: f64) {
        let moved = self.price.per_unit + by;
        self.price.per_unit = if self.low {
            moved.clamp(0.0, self.limit)
        } else {
            moved.min(0.0)
        };
    }
}

/// An unpriced entry for each end of each range of a state.
fn ends(state: &State) -> Vec<RangePrice> {
    let mut all = Vec::new();
    for r in &state.ranges {
        let price = Price {
            measure: r.measure,
            per_unit: 0.0,
        };
        if r.low > 0.0 && r.max_price > 0.0 {
            all.push(RangePrice {
                price,
                end: r.low,
                limit: r.max_price,
                low: true,
            });
        }
        if r.high.is_finite() {
            all.push(RangePrice {
                price,
                end: r.high,
                limit: f64::INFINITY,
                low: false,
            });
        }
    }
    all
}

/// Low ends priced together must not make goods a gain, or the bound would lose to
/// buying more than is needed.
fn keep_goods_a_cost(prices: &mut [RangePrice]) {
    let low = |p: &&RangePrice| p.low;
    let used: f64 = prices
        .iter()
        .filter(low)
        .map(|p| p.price.per_unit / p.limit)
        .sum();
    if used > 1.0 {
        for p in prices.iter_mut().filter(|p| p.low) {
            p.price.per_unit /= used;
        }
    }
}
