//! What a shop is worth at given prices of the items.
//!
//! With a price `λ_i` on each unit of item `i`, a shop is worth the best cart it can
//! sell: the value of the units the person needs minus what the cart costs. Items
//! are independent within a state, bundles apart. A range that the best cart of a
//! state misses is priced with one multiplier, found by cutting planes in one
//! dimension, so that every value is an upper bound and every sum of them gives a
//! valid lower bound on the cost.

use super::model::{Measure, Model, ShopModel};

/// A price on one total: added to the value of each choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Price {
    pub measure: Measure,
    pub per_unit: f64,
}

/// The best found for one mode of a shop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth {
    pub value: f64,
    pub state: usize,
    pub price: Option<Price>,
}

/// What was selected in a pass, reused between passes.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Trials allowed in the search for a range's price.
    pub trials: usize,
    /// Carts tried before a priced bound is taken as it is.
    pub max_carts: usize,
    pub choices: Vec<usize>,
    pub profile_choices: Vec<Vec<usize>>,
    pub profile_value: Vec<f64>,
    pub order: Vec<(f64, usize)>,
    pub best_cells: Vec<usize>,
    /// The cart behind each mode's best worth of the last call.
    pub carts: [Vec<usize>; 2],
    pub exact: Exact,
}

fn best_of_cell(
    cost: &[f64],
    shop: &ShopModel,
    cell: usize,
    lambda: f64,
    need: f64,
    price: Option<(Price, usize)>,
) -> (f64, usize) {
    let cell = &shop.cells[cell];
    let (mut best, mut at) = (0.0, usize::MAX);
    let (first, last) = (cell.first, cell.last);
    let choices = shop.choices[first..last].iter().zip(&cost[first..last]);
    for (c, (choice, cost)) in (first..).zip(choices) {
        let mut value = lambda * choice.units.min(need) - cost;
        if let Some((p, profile)) = price {
            value += p.per_unit * shop.measure(p.measure, profile, c);
        }
        if value > best {
            best = value;
            at = c;
        }
    }
    (best, at)
}

/// The best cart of a shop under a profile and a price; the choices made go to `out`.
pub(super) fn pass(
    model: &Model,
    shop: &ShopModel,
    profile: usize,
    lambda: &[f64],
    price: Option<Price>,
    out: &mut Vec<usize>,
    best_cells: &mut Vec<usize>,
) -> f64 {
    out.clear();
    let cost = &shop.cost[profile];
    let priced = price.map(|p| (p, profile));
    let mut total = 0.0;
    for cell in &shop.plain {
        let item = shop.cells[*cell].item;
        let (value, at) = best_of_cell(
            cost,
            shop,
            *cell,
            lambda[item],
            model.need[item] as f64,
            priced,
        );
        if at != usize::MAX {
            total += value;
            out.push(at);
        }
    }
    total + groups_pass(model, shop, profile, lambda, price, out, best_cells)
}

/// The part of [`pass`] where bundles tie cells together.
fn groups_pass(
    model: &Model,
    shop: &ShopModel,
    profile: usize,
    lambda: &[f64],
    price: Option<Price>,
    out: &mut Vec<usize>,
    best_cells: &mut Vec<usize>,
) -> f64 {
    let priced = price.map(|p| (p, profile));
    let mut total = 0.0;
    for group in &shop.groups {
        let (mut best, mut best_pattern) = (f64::NEG_INFINITY, 0);
        for (p, pattern) in group.patterns.iter().enumerate() {
            let start = out.len();
            let value = pattern_value(model, shop, profile, lambda, priced, group, pattern, out);
            if value > best {
                best = value;
                best_pattern = p;
                best_cells.clear();
                best_cells.extend_from_slice(&out[start..]);
            }
            out.truncate(start);
        }
        total += best;
        out.extend_from_slice(best_cells);
        for (b, level) in group.bundles.iter().zip(&group.patterns[best_pattern]) {
            if *level > 0 {
                out.push(shop.bundles[*b].levels[*level].1);
            }
        }
    }
    total
}

#[allow(clippy::too_many_arguments)] // the hot loop: a struct would only rename them
fn pattern_value(
    model: &Model,
    shop: &ShopModel,
    profile: usize,
    lambda: &[f64],
    priced: Option<(Price, usize)>,
    group: &super::model::Group,
    pattern: &[usize],
    out: &mut Vec<usize>,
) -> f64 {
    let cost = &shop.cost[profile];
    let left = |item: usize| -> f64 {
        let mut left = model.need[item] as f64;
        for (b, level) in group.bundles.iter().zip(pattern) {
            let bundle = &shop.bundles[*b];
            if let Some((_, a)) = bundle.covers.iter().find(|c| c.0 == item) {
                left -= (*a * bundle.levels[*level].0) as f64;
            }
        }
        left.max(0.0)
    };
    let mut value = 0.0;
    for (b, level) in group.bundles.iter().zip(pattern) {
        if *level > 0 {
            let choice = shop.bundles[*b].levels[*level].1;
            value -= cost[choice];
            if let Some((p, profile)) = priced {
                value += p.per_unit * shop.measure(p.measure, profile, choice);
            }
        }
    }
    for item in &group.items {
        value += lambda[*item] * (model.need[*item] as f64 - left(*item));
    }
    for cell in &group.cells {
        let item = shop.cells[*cell].item;
        let (v, at) = best_of_cell(cost, shop, *cell, lambda[item], left(item), priced);
        if at != usize::MAX {
            value += v;
            out.push(at);
        }
    }
    value
}

pub(super) fn total(shop: &ShopModel, measure: Measure, profile: usize, choices: &[usize]) -> f64 {
    choices
        .iter()
        .map(|c| shop.measure(measure, profile, *c))
        .sum()
}

/// The best of the allowed states per mode (0 sent, 1 fetched). `values` receives an
/// upper bound for each state; `warm` keeps the last price of each state's missed range.
#[allow(clippy::too_many_arguments)] // the hot path: buffers are the caller's
pub(super) fn worth(
    model: &Model,
    shop: &ShopModel,
    lambda: &[f64],
    allowed: impl Fn(usize) -> bool,
    modes_apart: bool,
    scratch: &mut Scratch,
    warm: &mut [Option<Price>],
    mut values: Option<&mut Vec<f64>>,
) -> [Option<Worth>; 2] {
    let profiles = shop.profiles.len();
    scratch.profile_choices.resize(profiles.max(1), Vec::new());
    scratch.profile_value.clear();
    scratch.profile_value.resize(profiles, f64::NAN);
    let mut order = std::mem::take(&mut scratch.order);
    order.clear();
    for (i, state) in shop.states.iter().enumerate() {
        if !allowed(i) {
            continue;
        }
        let p = state.profile;
        if scratch.profile_value[p].is_nan() {
            let out = &mut scratch.profile_choices[p];
            scratch.profile_value[p] =
                pass(model, shop, p, lambda, None, out, &mut scratch.best_cells);
        }
        order.push((scratch.profile_value[p] - model.fixed(state), i));
    }
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    if let Some(values) = &mut values {
        values.clear();
        values.resize(shop.states.len(), f64::NEG_INFINITY);
    }
    let mut best: [Option<Worth>; 2] = [None, None];
    for (value, i) in &order {
        let state = &shop.states[*i];
        let mode = usize::from(modes_apart && state.pickup);
        let enough = best[mode].is_some_and(|b| b.value >= *value);
        if enough {
            if let Some(values) = &mut values {
                values[*i] = *value;
            }
            continue;
        }
        let chosen = &scratch.profile_choices[state.profile];
        let mut missed: Option<(Price, f64, f64)> = None; // price at hand, bound, slope
        let mut largest = 1e-9;
        for range in &state.ranges {
            let t = total(shop, range.measure, state.profile, chosen);
            let (gap, bound) = if t < range.low {
                (range.low - t, range.low)
            } else if t > range.high {
                (t - range.high, range.high)
            } else {
                continue;
            };
            let relative = gap / (range.low + t).max(1.0);
            if relative > largest {
                largest = relative;
                let limit = if t < range.low {
                    range.max_price
                } else {
                    f64::NEG_INFINITY
                };
                missed = Some((
                    Price {
                        measure: range.measure,
                        per_unit: limit,
                    },
                    bound,
                    t - bound,
                ));
            }
        }
        let worth = match missed {
            None => Worth {
                value: *value,
                state: *i,
                price: None,
            },
            Some((limit, bound, slope)) => {
                let fixed = model.fixed(state);
                let floor = best[mode].map_or(f64::NEG_INFINITY, |b| b.value);
                let mut search = PriceSearch {
                    model,
                    shop,
                    profile: state.profile,
                    lambda,
                    limit,
                    bound,
                    floor: floor + fixed,
                    trials: scratch.trials,
                    choices: &mut scratch.choices,
                    best_cells: &mut scratch.best_cells,
                    exact: &mut scratch.exact,
                };
                let start = warm[*i].filter(|w| {
                    w.measure == limit.measure && (w.per_unit > 0.0) == (limit.per_unit > 0.0)
                });
                let (mut v, price) = search.run((*value + fixed, slope), start.map(|w| w.per_unit));
                warm[*i] = price.or(warm[*i]);
                search.exact.limit = scratch.max_carts;
                if v > search.floor
                    && scratch.max_carts > 0
                    && let Some(price) = price
                {
                    v = search.whole_cart(v, price.per_unit);
                }
                Worth {
                    value: v - fixed,
                    state: *i,
                    price,
                }
            }
        };
        if let Some(values) = &mut values {
            values[*i] = worth.value;
        }
        if best[mode].is_none_or(|b| worth.value > b.value) {
            best[mode] = Some(worth);
            let cart = match worth.price {
                None => &scratch.profile_choices[state.profile],
                Some(_) => &scratch.choices,
            };
            scratch.carts[mode].clone_from(cart);
        }
    }
    scratch.order = order;
    best
}

/// Minimises over the price `m` of a total the bound
/// `max over carts (value + m × total) − m × bound`, convex in `m`.
struct PriceSearch<'s> {
    model: &'s Model,
    shop: &'s ShopModel,
    profile: usize,
    lambda: &'s [f64],
    /// The largest price that makes sense; infinite downwards.
    limit: Price,
    bound: f64,
    /// Going below this is of no use.
    floor: f64,
    trials: usize,
    choices: &'s mut Vec<usize>,
    best_cells: &'s mut Vec<usize>,
    exact: &'s mut Exact,
}

/// Buffers of the search for the best whole cart.
#[derive(Debug, Default)]
pub(super) struct Exact {
    /// (value, total, choice) by cell, the most promising first.
    options: Vec<(f64, f64, usize)>,
    /// Range of options of each cell, and the best of the cells from it on, per price.
    cells: Vec<(usize, usize)>,
    rest: Vec<[f64; 3]>,
    prices: [f64; 3],
    /// Value of the bundles at each price.
    groups: [f64; 3],
    highest: f64,
    limit: usize,
    steps: usize,
    best: f64,
    bought: Vec<usize>,
    best_cart: Vec<usize>,
}

impl Exact {
    fn bound(&self, fixed: (f64, f64), at: usize) -> f64 {
        let one = |m: usize| fixed.0 + self.prices[m] * fixed.1 + self.rest[at][m] + self.groups[m];
        one(0).min(one(1)).min(one(2))
    }

    /// False when given up.
    fn descend(&mut self, at: usize, fixed: (f64, f64)) -> bool {
        self.steps += 1;
        if self.steps > self.limit {
            return false;
        }
        if at == self.cells.len() {
            let value = self.bound(fixed, at);
            if value > self.best {
                self.best = value;
                self.best_cart.clone_from(&self.bought);
            }
            return true;
        }
        let (first, last) = self.cells[at];
        for o in first..last {
            let (v, t, choice) = self.options[o];
            let next = (fixed.0 + v, fixed.1 + t);
            if next.1 > self.highest || self.bound(next, at + 1) <= self.best {
                continue;
            }
            self.bought.push(choice);
            let done = self.descend(at + 1, next);
            self.bought.pop();
            if !done {
                return false;
            }
        }
        true
    }
}

impl PriceSearch<'_> {
    /// Value and slope at a price.
    fn eval(&mut self, m: f64) -> (f64, f64) {
        let price = Price {
            measure: self.limit.measure,
            per_unit: m,
        };
        let value = pass(
            self.model,
            self.shop,
            self.profile,
            self.lambda,
            Some(price),
            self.choices,
            self.best_cells,
        );
        let slope = total(self.shop, price.measure, self.profile, self.choices) - self.bound;
        (value - m * self.bound, slope)
    }

    fn run(&mut self, at_zero: (f64, f64), warm: Option<f64>) -> (f64, Option<Price>) {
        let limit = self.limit.per_unit;
        let mut best = (at_zero.0, None);
        if limit == 0.0 {
            return best;
        }
        let sign = if limit > 0.0 { 1.0 } else { -1.0 };
        // `near` has the slope of price zero, `far` the opposite one.
        let mut near = (0.0, at_zero.0, at_zero.1);
        let mut far: Option<(f64, f64, f64)> = None;
        let guess = sign * at_zero.0.max(1.0) / (at_zero.1 + self.bound).abs().max(1.0) / 4.0;
        let mut next = warm.unwrap_or(if limit.is_finite() { limit } else { guess });
        for _ in 0..self.trials {
            if limit > 0.0 {
                next = next.min(limit);
            }
            let (v, s) = self.eval(next);
            if v < best.0 {
                let price = Price {
                    measure: self.limit.measure,
                    per_unit: next,
                };
                best = (v, Some(price));
            }
            if best.0 <= self.floor || s == 0.0 {
                break;
            }
            let line = near.1 + near.2 * (next - near.0);
            if far.is_some() && v <= line + 1e-6 {
                break;
            }
            if (s < 0.0) == (near.2 < 0.0) {
                near = (next, v, s);
                if next == limit {
                    break;
                }
            } else {
                far = Some((next, v, s));
            }
            next = match far {
                Some(far) => {
                    let denominator = near.2 - far.2;
                    if denominator.abs() < 1e-12 {
                        break;
                    }
                    (far.1 - near.1 + near.2 * near.0 - far.2 * far.0) / denominator
                }
                None if limit.is_finite() => limit,
                None => next * 4.0,
            };
        }
        best
    }

    /// The best cart that meets the range as a whole: a price alone lets it be met by a
    /// mix of carts. Goods short of a low end are made up at the least price, bundles
    /// stay priced. Returns `priced` where the search would take too long.
    fn whole_cart(&mut self, priced: f64, per_unit: f64) -> f64 {
        let limit = self.limit.per_unit;
        let ends = [
            0.0,
            per_unit,
            if limit.is_finite() { limit } else { per_unit },
        ];
        let (shop, profile, measure) = (self.shop, self.profile, self.limit.measure);
        let exact = &mut *self.exact;
        exact.prices = ends;
        exact.highest = if limit > 0.0 {
            f64::INFINITY
        } else {
            self.bound
        };
        exact.options.clear();
        exact.cells.clear();
        exact.rest.clear();
        for cell in &shop.plain {
            let cell = &shop.cells[*cell];
            let need = self.model.need[cell.item] as f64;
            let first = exact.options.len();
            for c in cell.first..cell.last {
                let units = shop.choices[c].units.min(need);
                let value = self.lambda[cell.item] * units - shop.cost[profile][c];
                let total = shop.measure(measure, profile, c);
                // Never worth it at any price looked at.
                if ends.iter().any(|m| value + m * total > 0.0) {
                    exact.options.push((value, total, c));
                }
            }
            if exact.options.len() > first {
                exact.options.push((0.0, 0.0, usize::MAX));
                let key = |o: &(f64, f64, usize)| o.0 + per_unit * o.1;
                exact.options[first..].sort_unstable_by(|a, b| key(b).total_cmp(&key(a)));
                exact.cells.push((first, exact.options.len()));
            }
        }
        // Cells with most at stake first.
        let options = &exact.options;
        let stake = |c: &(usize, usize)| options[c.0..c.1].iter().map(|o| o.1).fold(0.0, f64::max);
        exact.cells.sort_by(|a, b| stake(b).total_cmp(&stake(a)));
        exact.rest.resize(exact.cells.len() + 1, [0.0; 3]);
        for at in (0..exact.cells.len()).rev() {
            for (m, price) in ends.iter().enumerate() {
                let (first, last) = exact.cells[at];
                let value = |o: &(f64, f64, usize)| o.0 + price * o.1;
                let best = exact.options[first..last].iter().map(value);
                exact.rest[at][m] = exact.rest[at + 1][m] + best.fold(0.0, f64::max);
            }
        }
        let mut bundled = Vec::new();
        for (m, end) in ends.iter().enumerate() {
            let price = Price {
                measure,
                per_unit: *end,
            };
            bundled.clear();
            let value = groups_pass(
                self.model,
                shop,
                profile,
                self.lambda,
                Some(price),
                &mut bundled,
                self.best_cells,
            );
            exact.groups[m] = value - end * self.bound;
        }
        exact.steps = 0;
        exact.best = self.floor;
        exact.bought.clear();
        exact.best_cart.clear();
        if !exact.descend(0, (0.0, 0.0)) {
            return priced;
        }
        self.choices.clear();
        let bought = exact.best_cart.iter().filter(|c| **c != usize::MAX);
        self.choices.extend(bought);
        self.choices.extend(bundled);
        exact.best.min(priced)
    }
}
