//! The best cart of one shop at given prices of the items.
//!
//! With a price `λ_i` on each unit of item `i`, a cart is worth the units the person
//! needs minus what it costs. Within a state of the shop the items are independent,
//! bundles apart, but for the totals that must lie in a range. Each missed range gets
//! a multiplier (a Lagrangian bound), and where the cart that attains the bound still
//! misses, the whole carts are gone through by dynamic programming under those bounds: a
//! multiple-choice knapsack. Values of carts are exact, floors of coupons included.

mod cart;
mod labels;

pub(super) use cart::{Cart, exact, worth_of};

use super::instance::Instance;
use super::model::{For, Group, Model, Range, ShopModel};
use cart::cost_of;
use labels::Labels;

/// Ends of ranges a state has at most, for its whole carts to be looked for.
const MAX_ENDS: usize = 12;
/// Parts of carts that one is compared with, where several totals matter.
const MOST_COMPARED: usize = 100;
/// Steps that move the multipliers of several ranges together.
const JOINT_STEPS: usize = 24;

/// Prices of the items and of the limits that tie shops together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prices {
    /// Per unit of each item.
    pub item: Vec<f64>,
    /// Of using a shop at all, and of fetching.
    pub shop: f64,
    pub pickup: f64,
    /// Of each exclusive group of coupons that several shops share.
    pub group: Vec<f64>,
    /// Of a payable cent, beyond itself.
    pub budget: f64,
}

/// What branching leaves of a shop.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub states: Vec<bool>,
    /// Empty while every choice is allowed.
    pub choices: Vec<bool>,
    /// Cells and bundles that must be bought; empty while none must.
    pub must_cell: Vec<bool>,
    pub must_bundle: Vec<bool>,
}

impl View {
    pub(super) fn new(shop: &ShopModel) -> Self {
        Self {
            states: vec![true; shop.states.len()],
            choices: Vec::new(),
            must_cell: Vec::new(),
            must_bundle: Vec::new(),
        }
    }

    pub(super) fn allows(&self, choice: usize) -> bool {
        self.choices.is_empty() || self.choices[choice]
    }

    pub(super) fn must(&self, cell: usize) -> bool {
        self.must_cell.get(cell).copied().unwrap_or(false)
    }

    pub(super) fn allows_level(&self, shop: &ShopModel, bundle: usize, level: usize) -> bool {
        match level {
            0 => !self.must_bundle.get(bundle).copied().unwrap_or(false),
            _ => self.allows(shop.bundles[bundle].levels[level].1),
        }
    }
}

/// What a shop is worth.
#[derive(Debug, Clone, Default)]
pub(super) struct Worth {
    /// No cart is worth more.
    pub bound: f64,
    /// The best cart seen that is worth more than asked for.
    pub cart: Option<(f64, Cart)>,
}

/// An option of a block in the search for whole carts: what it is worth, and what it
/// adds to each total.
#[derive(Debug, Clone)]
struct Choose {
    value: f64,
    priced: f64,
    totals: (usize, usize),
    picks: (usize, usize),
}

/// How hard to look for whole carts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effort {
    /// Parts of carts kept at each step; with none, ranges are only priced.
    pub carts: usize,
    /// Whether the cents that floored coupons lose matter.
    pub fine: bool,
}

/// Buffers, reused between calls.
#[derive(Debug, Default)]
pub(super) struct Pricer {
    /// Value of each choice under each profile.
    values: Vec<Vec<f64>>,
    profiles: Vec<Option<Loose>>,
    order: Vec<(f64, usize)>,
    /// Bounds of the states at the last call.
    pub state_bounds: Vec<f64>,
    options: Vec<Choose>,
    totals: Vec<f64>,
    picks: Vec<u32>,
    blocks: Vec<(usize, usize)>,
    rest: Vec<Rest>,
    /// Goods in a coupon's scope of each option, modulo the rate's denominator.
    residues: Vec<u32>,
    /// Values of the choices at the multipliers.
    priced: Vec<f64>,
}

/// Of a rate in basis points, as a fraction in lowest terms.
fn denominator(rate: f64) -> u32 {
    let (mut a, mut b) = (10_000_u32, (rate * 10_000.0).round() as u32);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    10_000 / a.max(1)
}

/// `values + Σ m × total`, for every choice.
fn price_choices(out: &mut Vec<f64>, values: &[f64], multipliers: &[f64], ends: &[End<'_>]) {
    out.clear();
    out.extend_from_slice(values);
    for (m, end) in multipliers.iter().zip(ends) {
        if *m != 0.0 {
            for (v, t) in out.iter_mut().zip(end.totals) {
                *v += m * t;
            }
        }
    }
}

/// The best loose cart of a profile: each block by itself.
#[derive(Debug, Clone, Default)]
struct Loose {
    value: f64,
    choices: Vec<u32>,
}

/// Of the blocks from one on: the best worth at no price and at the prices, and the
/// most of each total.
#[derive(Debug, Clone, Default)]
struct Rest {
    value: f64,
    priced: f64,
    most: Vec<f64>,
}

/// The end of a range a cart may miss.
#[derive(Debug, Clone, Copy)]
struct End<'a> {
    /// What each choice adds to the total.
    totals: &'a [f64],
    at: f64,
    low: bool,
    /// The largest multiplier; infinite for high ends.
    limit: f64,
}

fn ends<'a>(shop: &'a ShopModel, profile: usize, ranges: &[Range]) -> Vec<End<'a>> {
    let mut all = Vec::new();
    for r in ranges {
        let end = |at, low, limit| End {
            totals: shop.totals(r.measure, profile),
            at,
            low,
            limit,
        };
        if r.low > 0.0 {
            all.push(end(r.low, true, r.max_price));
        }
        if r.high.is_finite() {
            all.push(end(r.high, false, f64::INFINITY));
        }
    }
    all
}

impl End<'_> {
    fn total(&self, choices: &[u32]) -> f64 {
        choices.iter().map(|c| self.totals[*c as usize]).sum()
    }

    /// How far a cart is beyond the end, upwards.
    fn beyond(&self, choices: &[u32]) -> f64 {
        self.total(choices) - self.at
    }
}

/// One shop at one set of prices.
struct Shop<'a> {
    model: &'a Model,
    instance: &'a Instance,
    index: usize,
    shop: &'a ShopModel,
    view: &'a View,
    prices: &'a Prices,
}

impl Shop<'_> {
    fn need(&self, item: usize) -> f64 {
        self.model.need[item] as f64
    }

    /// What being in a state costs, whatever is bought.
    fn fixed(&self, state: usize) -> f64 {
        let state = &self.shop.states[state];
        let mut fixed =
            state.fixed_pay * (1.0 + self.prices.budget) + self.model.hassle + self.prices.shop;
        if state.pickup {
            fixed += self.prices.pickup;
        }
        if self.model.shared_groups {
            let price = |c: &usize| self.prices.group[self.model.group_of[*c]];
            fixed += state.coupons.iter().map(price).sum::<f64>();
        }
        fixed
    }

    /// The best choice of a cell when `left` units are still of use.
    fn best_of_cell(&self, cell: usize, left: f64, values: &[f64]) -> (f64, Option<usize>) {
        let at = &self.shop.cells[cell];
        let lambda = self.prices.item[at.item];
        let must = self.view.must(cell);
        let mut best = if must { f64::NEG_INFINITY } else { 0.0 };
        let mut chosen = None;
        let whole = left >= self.need(at.item);
        let last = if self.view.choices.is_empty() {
            at.end
        } else {
            at.last
        };
        for (c, v) in (at.first..last).zip(&values[at.first..last]) {
            let mut v = *v;
            if !whole {
                v -= lambda * (self.shop.choices[c].units - left).max(0.0);
            }
            if v > best && self.view.allows(c) {
                best = v;
                chosen = Some(c);
            }
        }
        (best, chosen)
    }

    fn pattern_allowed(&self, group: &Group, pattern: usize) -> bool {
        let mut levels = group.bundles.iter().zip(&group.patterns[pattern]);
        levels.all(|(b, l)| self.view.allows_level(self.shop, *b, *l))
    }

    /// The worth of the bundles of a pattern alone.
    fn bundles(&self, group: &Group, pattern: usize, values: &[f64]) -> f64 {
        let mut worth = 0.0;
        for (b, level) in group.bundles.iter().zip(&group.patterns[pattern]) {
            if *level > 0 {
                worth += values[self.shop.bundles[*b].levels[*level].1];
            }
        }
        for (item, used) in group.items.iter().zip(&group.used[pattern]) {
            worth += self.prices.item[*item] * used;
        }
        worth
    }

    /// The best loose cart with these values of the choices.
    fn loose(&self, values: &[f64], out: &mut Vec<u32>) -> f64 {
        out.clear();
        let mut worth = 0.0;
        for cell in &self.shop.plain {
            let (v, c) = self.best_of_cell(*cell, f64::INFINITY, values);
            worth += v;
            out.extend(c.map(|c| c as u32));
        }
        let mut best_choices = Vec::new();
        for group in &self.shop.groups {
            let mut best = f64::NEG_INFINITY;
            for pattern in 0..group.patterns.len() {
                if !self.pattern_allowed(group, pattern) {
                    continue;
                }
                let start = out.len();
                let mut v = self.bundles(group, pattern, values);
                for (cell, left) in group.cells.iter().zip(&group.left[pattern]) {
                    let (more, c) = self.best_of_cell(*cell, *left, values);
                    v += more;
                    out.extend(c.map(|c| c as u32));
                }
                if v > best {
                    best = v;
                    best_choices.clear();
                    best_choices.extend_from_slice(&out[start..]);
                    for (b, level) in group.bundles.iter().zip(&group.patterns[pattern]) {
                        if *level > 0 {
                            best_choices.push(self.shop.bundles[*b].levels[*level].1 as u32);
                        }
                    }
                }
                out.truncate(start);
            }
            worth += best;
            out.extend_from_slice(&best_choices);
        }
        worth
    }

    /// The cart and its exact worth, where the state's terms allow it and it is worth
    /// more than `floor`.
    fn cart(&self, state: usize, choices: &[u32], floor: f64) -> Option<(f64, Cart)> {
        let (payable, other) = cost_of(self.model, self.instance, self.index, state, choices)?;
        let mut most = 0.0;
        for c in choices {
            most += match self.shop.choices[*c as usize].what {
                For::Item(i) => self.prices.item[i] * self.shop.choices[*c as usize].units,
                For::Bundle(b, qty) => {
                    let covers = self.shop.bundles[b].covers.iter();
                    covers
                        .map(|(i, a)| self.prices.item[*i] * (a * qty) as f64)
                        .sum()
                }
            };
        }
        // Before the capping of what bundles and single goods cover twice.
        let state_cost =
            self.fixed(state) - self.shop.states[state].fixed_pay * (1.0 + self.prices.budget);
        let most = most - payable as f64 * (1.0 + self.prices.budget) - other as f64 - state_cost;
        if most <= floor {
            return None;
        }
        let cart = exact(self.model, self.instance, self.index, state, choices)?;
        let worth = worth_of(self.model, &cart, self.prices);
        (worth > floor).then_some((worth, cart))
    }
}

impl Pricer {
    /// What the shop is worth in the states and with the choices of `view`; carts are
    /// looked for that are worth more than `floor`. `warm` keeps the multipliers of each
    /// state between calls.
    #[allow(clippy::too_many_arguments)] // the hot path: buffers are the caller's
    pub(super) fn price(
        &mut self,
        model: &Model,
        instance: &Instance,
        index: usize,
        view: &View,
        prices: &Prices,
        floor: f64,
        effort: Effort,
        warm: &mut [Vec<f64>],
    ) -> Worth {
        let shop = &model.shops[index];
        let here = Shop {
            model,
            instance,
            index,
            shop,
            view,
            prices,
        };
        self.values
            .resize(self.values.len().max(shop.profiles.len()), Vec::new());
        self.profiles.clear();
        self.profiles.resize(shop.profiles.len(), None);
        self.state_bounds.clear();
        self.state_bounds
            .resize(shop.states.len(), f64::NEG_INFINITY);
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        for (i, state) in shop.states.iter().enumerate() {
            if !view.states[i] {
                continue;
            }
            let p = state.profile;
            if self.profiles[p].is_none() {
                let values = &mut self.values[p];
                values.clear();
                let factor = 1.0 + prices.budget;
                let pays = shop.choices.iter().zip(&shop.pay[p]);
                values.extend(pays.map(|(c, pay)| {
                    let gain = match c.what {
                        For::Item(i) => prices.item[i] * c.units,
                        For::Bundle(..) => 0.0,
                    };
                    gain - pay * factor - c.disutility
                }));
                let mut loose = Loose::default();
                let values = &self.values[p];
                loose.value = here.loose(values, &mut loose.choices);
                self.profiles[p] = Some(loose);
            }
            let value = self.profiles[p]
                .as_ref()
                .map_or(f64::NEG_INFINITY, |l| l.value);
            order.push((value - here.fixed(i), i));
        }
        order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut worth = Worth {
            bound: f64::NEG_INFINITY,
            cart: None,
        };
        for (value, state) in &order {
            let least = worth.cart.as_ref().map_or(floor, |c| c.0);
            let bound = if *value <= least {
                *value
            } else {
                self.price_state(
                    &here,
                    *state,
                    *value,
                    least,
                    effort,
                    &mut warm[*state],
                    &mut worth,
                )
            };
            self.state_bounds[*state] = bound;
            worth.bound = worth.bound.max(bound);
        }
        self.order = order;
        worth
    }

    /// The bound of one state; a better cart goes into `worth`.
    #[allow(clippy::too_many_arguments)]
    fn price_state(
        &mut self,
        here: &Shop<'_>,
        state: usize,
        loose_bound: f64,
        floor: f64,
        effort: Effort,
        warm: &mut Vec<f64>,
        worth: &mut Worth,
    ) -> f64 {
        let terms = &here.shop.states[state];
        let profile = terms.profile;
        let loose = self.profiles[profile].take().unwrap_or_default();
        let fixed = here.fixed(state);
        let mut floor = floor;
        // Carts that a price leads to are carts, whether they are the best or not.
        let offer = |worth: &mut Worth, floor: &mut f64, choices: &[u32]| {
            let found = here.cart(state, choices, *floor + 1e-7);
            if let Some(found) = found {
                *floor = found.0;
                worth.cart = Some(found);
            }
        };
        offer(worth, &mut floor, &loose.choices);
        let ends = ends(here.shop, profile, &terms.ranges);
        let mut multipliers = vec![0.0; ends.len()];
        let mut bound = loose_bound;
        let met = |choices: &[u32]| {
            ends.iter().all(|e| {
                let by = e.beyond(choices);
                if e.low { by >= -1e-6 } else { by <= 1e-6 }
            })
        };
        if bound > floor + 1e-6 && !met(&loose.choices) {
            if warm.len() == ends.len() {
                multipliers.copy_from_slice(warm);
            }
            bound = self.multiply(
                here,
                state,
                &ends,
                &mut multipliers,
                loose_bound,
                &loose,
                effort.carts > 0,
                &mut |c| {
                    offer(worth, &mut floor, c);
                    floor
                },
            );
            warm.clone_from(&multipliers);
        }
        // A coupon in percent is floored, which a bound only sees with effort.
        let rounding = here.shop.profiles[profile].rounding();
        let tolerance = if effort.fine { 0.0 } else { rounding };
        if bound > floor + tolerance + 1e-6 && effort.carts > 0 {
            let (most, best) = self.whole_carts(
                here,
                state,
                &ends,
                &multipliers,
                bound,
                fixed,
                floor,
                effort,
            );
            if best.is_some() {
                worth.cart = best;
            }
            if !here.shop.open_ended {
                // What was passed over for rounding is added.
                bound = bound.min(most + 1e-6);
            }
        }
        self.profiles[profile] = Some(loose);
        bound
    }

    /// Minimises the Lagrangian bound over the multipliers of the ends, one after the
    /// other, each by cutting planes in one dimension. `found` sees every cart on the
    /// way and says below which bound to stop.
    #[allow(clippy::too_many_arguments)]
    fn multiply(
        &mut self,
        here: &Shop<'_>,
        state: usize,
        ends: &[End<'_>],
        multipliers: &mut Vec<f64>,
        loose_bound: f64,
        loose: &Loose,
        joint: bool,
        found: &mut dyn FnMut(&[u32]) -> f64,
    ) -> f64 {
        let profile = here.shop.states[state].profile;
        let fixed = here.fixed(state);
        let values = &self.values[profile];
        let mut choices = Vec::new();
        let priced = &mut self.priced;
        let mut eval = |m: &[f64], choices: &mut Vec<u32>| -> f64 {
            price_choices(priced, values, m, ends);
            let constant: f64 = m.iter().zip(ends).map(|(m, e)| m * e.at).sum();
            here.loose(priced, choices) - fixed - constant
        };
        let mut best = loose_bound;
        let mut best_m = vec![0.0; ends.len()];
        let mut current = loose.choices.clone();
        if multipliers.iter().any(|m| *m != 0.0) {
            let bound = eval(multipliers, &mut choices);
            if bound < best {
                best = bound;
                best_m.clone_from(multipliers);
                current.clone_from(&choices);
            }
            if best <= found(&choices) {
                return best;
            }
        }
        for _ in 0..2 * ends.len() {
            // The end missed most for its size.
            let size = |e: &End| e.beyond(&current) / e.at.abs().max(1.0);
            let wrong = |(k, e): &(usize, &End)| {
                let s = size(e);
                if best_m[*k] == 0.0 && ((e.low && s >= -1e-9) || (!e.low && s <= 1e-9)) {
                    return None;
                }
                Some(s.abs()).filter(|s| *s > 1e-9)
            };
            let worst = ends
                .iter()
                .enumerate()
                .filter_map(|e| Some((wrong(&e)?, e.0)));
            let Some((_, k)) = worst.max_by(|a, b| a.0.total_cmp(&b.0)) else {
                break;
            };
            let end = ends[k];
            let others: f64 = ends
                .iter()
                .zip(&best_m)
                .enumerate()
                .filter(|(j, (e, _))| *j != k && e.low && e.limit > 0.0)
                .map(|(_, (e, m))| m / e.limit)
                .sum();
            let limit = if end.low {
                end.limit * (1.0 - others).max(0.0)
            } else {
                f64::INFINITY
            };
            let before = best;
            // Of the line search: (multiplier, bound, slope) on either side.
            let slope = |choices: &[u32]| -end.beyond(choices);
            let start = (best_m[k], best, slope(&current));
            let sign = if end.low { 1.0 } else { -1.0 };
            // The bound falls towards larger multipliers while the end is missed.
            let mut near = start;
            let mut far: Option<(f64, f64, f64)> = None;
            let outwards = start.2 * sign > 0.0;
            let guess = sign * best.abs().max(1.0) / (end.at.abs() + near.2.abs()).max(1.0) / 4.0;
            let mut next = match (outwards, end.low) {
                (true, true) => limit,
                (true, false) if start.0 != 0.0 => start.0 * 2.0,
                (true, false) => guess,
                (false, _) => 0.0,
            };
            for _ in 0..8 {
                if (next - near.0).abs() < 1e-12 {
                    break;
                }
                let mut m = best_m.clone();
                m[k] = next;
                let bound = eval(&m, &mut choices);
                let at = (next, bound, slope(&choices));
                let floor = found(&choices);
                if bound < best - 1e-9 {
                    best = bound;
                    best_m = m;
                    current.clone_from(&choices);
                }
                if best <= floor || at.2.abs() < 1e-9 {
                    break;
                }
                // Where the lines of the carts on both sides meet, the bound is attained.
                if (at.2 > 0.0) == (start.2 > 0.0) {
                    near = at;
                } else {
                    far = Some(at);
                }
                next = match far {
                    Some(far) => {
                        let turn = far.2 - near.2;
                        // slope here is −d bound / d multiplier.
                        let cross = (far.1 - near.1 + far.2 * far.0 - near.2 * near.0) / turn;
                        let line = near.1 - near.2 * (cross - near.0);
                        if !cross.is_finite() || bound <= line + 1e-6 && (next - cross).abs() < 1e-9
                        {
                            break;
                        }
                        cross
                    }
                    None if (end.low && next >= limit) || next == 0.0 => break,
                    None if end.low => limit,
                    None => next * 4.0,
                };
            }
            if best > before - 1e-6 * before.abs().max(1.0) {
                break;
            }
        }
        // Ends that pull against each other need their multipliers moved together: a
        // few subgradient steps towards the floor.
        let mut m = best_m.clone();
        let (mut step, mut floor) = (1.0, found(&current));
        let pulled = |(e, m): (&End, &f64)| *m != 0.0 || (e.beyond(&current) < -1e-6) == e.low;
        let several = ends.iter().zip(&best_m).filter(|x| pulled(*x)).count() > 1;
        let joint = if several && joint { JOINT_STEPS } else { 0 };
        for _ in 0..joint {
            if best <= floor {
                break;
            }
            let bound = eval(&m, &mut choices);
            floor = found(&choices);
            if bound < best - 1e-9 {
                best = bound;
                best_m.clone_from(&m);
            } else {
                step *= 0.85;
            }
            let mut norm = 0.0;
            let size = |e: &End| e.at.abs().max(1.0);
            let pull: Vec<f64> = ends
                .iter()
                .zip(&m)
                .map(|(e, m)| {
                    let by = -e.beyond(&choices) / size(e);
                    let kept = *m == 0.0 && (by > 0.0) != e.low;
                    if kept { 0.0 } else { by }
                })
                .collect();
            for p in &pull {
                norm += p * p;
            }
            if norm < 1e-12 {
                break;
            }
            let t = step * (bound - floor.max(best - 0.5 * best.abs().max(100.0))).max(1.0) / norm;
            let mut used = 0.0;
            for ((m, e), p) in m.iter_mut().zip(ends).zip(&pull) {
                *m += t * p / size(e);
                *m = if e.low {
                    m.clamp(0.0, e.limit)
                } else {
                    m.min(0.0)
                };
                if e.low && e.limit > 0.0 {
                    used += *m / e.limit;
                }
            }
            if used > 1.0 {
                for (m, _) in m.iter_mut().zip(ends).filter(|x| x.1.low) {
                    *m /= used;
                }
            }
        }
        multipliers.clone_from(&best_m);
        best
    }

    /// A bound of the whole carts of a state, at least `floor`, and the best one found
    /// that is worth more than that.
    #[allow(clippy::too_many_arguments)]
    fn whole_carts(
        &mut self,
        here: &Shop<'_>,
        state: usize,
        ends: &[End<'_>],
        multipliers: &[f64],
        bound: f64,
        fixed: f64,
        floor: f64,
        effort: Effort,
    ) -> (f64, Option<(f64, Cart)>) {
        let slack = bound - floor;
        if ends.len() > MAX_ENDS || !self.lay_out(here, state, ends, multipliers, slack) {
            return (bound, None);
        }
        let constant: f64 = multipliers.iter().zip(ends).map(|(m, e)| m * e.at).sum();
        // Discounts are floored: two carts this close may rank either way, but where both
        // have the same goods in scope modulo the denominator of the one rate.
        let profile = &here.shop.profiles[here.shop.states[state].profile];
        let rounding = profile.rounding();
        let floored = match (profile.coupon.as_slice(), profile.all) {
            ([(local, rate)], 0.0) => Some((Some(*local), *rate)),
            ([], all) if all > 0.0 => Some((None, all)),
            _ => None,
        };
        self.residues.clear();
        let modulus = match floored.filter(|_| effort.fine) {
            Some((coupon, rate)) => {
                let modulus = denominator(rate);
                let goods = |c: &u32| match coupon {
                    Some(local) => here.shop.base[local][*c as usize],
                    None => here.shop.choices[*c as usize].spend,
                };
                let residue = |o: &Choose| {
                    let picks = &self.picks[o.picks.0..o.picks.1];
                    let goods: f64 = picks.iter().map(goods).sum();
                    (goods as u64 % u64::from(modulus)) as u32
                };
                self.residues.extend(self.options.iter().map(residue));
                Some(modulus)
            }
            None => {
                self.residues.resize(self.options.len(), 0);
                (!effort.fine || rounding == 0.0).then_some(1)
            }
        };
        let mut labels = Labels {
            ends,
            options: &self.options,
            totals: &self.totals,
            floor,
            tolerance: if effort.fine { rounding } else { 0.0 },
            modulus,
            residues: &self.residues,
            trail: Vec::new(),
            given_up: f64::NEG_INFINITY,
            merged: false,
        };
        // Flooring takes less than the tolerance.
        let kept_promise = if labels.tolerance > 0.0 {
            1e-5 - labels.tolerance
        } else {
            -1e-6
        };
        let last = labels.extend(
            &self.blocks,
            &self.rest,
            -fixed,
            -fixed - constant,
            effort.carts,
        );
        let mut best: Option<(f64, Cart)> = None;
        let mut floor = floor;
        let mut picks = Vec::new();
        let mut unsure = f64::NEG_INFINITY;
        for label in &last {
            // In descending order of what they are worth at most.
            if label.value <= floor + 1e-7 {
                break;
            }
            picks.clear();
            let mut at = label.trail;
            while let Some((before, option)) = labels.trail.get(at as usize) {
                let (from, to) = self.options[*option as usize].picks;
                picks.extend_from_slice(&self.picks[from..to]);
                at = *before;
            }
            if !label.bought {
                continue;
            }
            let found = here.cart(state, &picks, f64::NEG_INFINITY);
            let worth = found.as_ref().map_or(f64::NEG_INFINITY, |f| f.0);
            if labels.merged && worth < label.value + kept_promise {
                // Less than its parts promised: it may have stood for others that keep
                // what they promise, and only the promise bounds those.
                unsure = unsure.max(label.value);
            }
            if worth > floor + 1e-7 {
                floor = worth;
                best = found;
            }
        }
        (labels.given_up.max(floor).max(unsure), best)
    }

    /// The options of each block that may be part of a cart within `slack` of the bound.
    fn lay_out(
        &mut self,
        here: &Shop<'_>,
        state: usize,
        ends: &[End<'_>],
        multipliers: &[f64],
        slack: f64,
    ) -> bool {
        const MOST_OPTIONS: usize = 20_000;
        let profile = here.shop.states[state].profile;
        let values = &self.values[profile];
        let width = ends.len();
        self.options.clear();
        self.totals.clear();
        self.picks.clear();
        self.blocks.clear();
        price_choices(&mut self.priced, values, multipliers, ends);
        let priced = &self.priced;
        // Options of a cell with `left` units of use: (value, priced, choice).
        let cell_options = |cell: usize, left: f64, out: &mut Vec<(f64, f64, Option<u32>)>| {
            let at = &here.shop.cells[cell];
            let lambda = here.prices.item[at.item];
            out.clear();
            if !here.view.must(cell) {
                out.push((0.0, 0.0, None));
            }
            for c in (at.first..at.last).filter(|c| here.view.allows(*c)) {
                let useless = lambda * (here.shop.choices[c].units - left).max(0.0);
                out.push((values[c] - useless, priced[c] - useless, Some(c as u32)));
            }
            out.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        };
        let mut cell_buffer = Vec::new();
        for cell in &here.shop.plain {
            cell_options(*cell, f64::INFINITY, &mut cell_buffer);
            let Some(best) = cell_buffer.first().map(|o| o.1) else {
                return false;
            };
            let first = self.options.len();
            for (value, priced, c) in &cell_buffer {
                if best - priced > slack {
                    break;
                }
                let pick = self.picks.len();
                self.picks.extend(c);
                let from = self.totals.len();
                let measure = |e: &End| c.map_or(0.0, |c| e.totals[c as usize]);
                self.totals.extend(ends.iter().map(measure));
                self.options.push(Choose {
                    value: *value,
                    priced: *priced,
                    totals: (from, from + width),
                    picks: (pick, self.picks.len()),
                });
            }
            if self.options.len() - first > 1
                || self.picks.len() > self.options[first].picks.0
                || self.options[first].value != 0.0
            {
                self.blocks.push((first, self.options.len()));
            } else {
                self.options.truncate(first);
            }
        }
        for group in &here.shop.groups {
            let mut patterns = Vec::new();
            let all = 0..group.patterns.len();
            for pattern in all.filter(|p| here.pattern_allowed(group, *p)) {
                let mut cells = Vec::new();
                let mut best = here.bundles(group, pattern, priced);
                for (cell, left) in group.cells.iter().zip(&group.left[pattern]) {
                    let mut options = Vec::new();
                    cell_options(*cell, *left, &mut options);
                    best += options.first().map_or(f64::NEG_INFINITY, |o| o.1);
                    cells.push(options);
                }
                if best > f64::NEG_INFINITY {
                    patterns.push((best, pattern, cells));
                }
            }
            let Some(most) = patterns.iter().map(|p| p.0).reduce(f64::max) else {
                return false;
            };
            let first = self.options.len();
            for (best, pattern, cells) in &patterns {
                if most - best > slack {
                    continue;
                }
                let value = here.bundles(group, *pattern, values);
                let priced = here.bundles(group, *pattern, priced);
                let mut picks: Vec<u32> = Vec::new();
                let mut totals = vec![0.0; width];
                for (b, level) in group.bundles.iter().zip(&group.patterns[*pattern]) {
                    if *level > 0 {
                        let c = here.shop.bundles[*b].levels[*level].1;
                        picks.push(c as u32);
                        for (t, e) in totals.iter_mut().zip(ends) {
                            *t += e.totals[c];
                        }
                    }
                }
                // Every combination of the cells within the slack, one cell at a time.
                let mut partial = vec![(value, priced, most - best, totals, picks)];
                for options in cells {
                    let top = options.first().map_or(0.0, |o| o.1);
                    let mut grown = Vec::new();
                    for (value, priced, loss, totals, picks) in &partial {
                        for (v, p, c) in options {
                            let loss = loss + top - p;
                            if loss > slack {
                                break;
                            }
                            let mut totals = totals.clone();
                            let mut picks = picks.clone();
                            if let Some(c) = c {
                                picks.push(*c);
                                for (t, e) in totals.iter_mut().zip(ends) {
                                    *t += e.totals[*c as usize];
                                }
                            }
                            grown.push((value + v, priced + p, loss, totals, picks));
                        }
                        if grown.len() > MOST_OPTIONS {
                            return false;
                        }
                    }
                    partial = grown;
                }
                for (value, priced, _, totals, picks) in partial {
                    let (t, p) = (self.totals.len(), self.picks.len());
                    self.totals.extend(totals);
                    self.picks.extend(picks);
                    self.options.push(Choose {
                        value,
                        priced,
                        totals: (t, t + width),
                        picks: (p, self.picks.len()),
                    });
                }
            }
            self.options[first..].sort_by(|a, b| b.priced.total_cmp(&a.priced));
            self.blocks.push((first, self.options.len()));
            if self.options.len() > MOST_OPTIONS {
                return false;
            }
        }
        // Blocks with most at stake first.
        let stake = |b: &(usize, usize)| {
            let of = |o: &Choose| self.totals[o.totals.0..o.totals.1].iter().sum::<f64>();
            self.options[b.0..b.1].iter().map(of).fold(0.0, f64::max)
        };
        self.blocks.sort_by(|a, b| stake(b).total_cmp(&stake(a)));
        self.rest.resize(self.blocks.len() + 1, Rest::default());
        let last = self.blocks.len();
        self.rest[last] = Rest {
            value: 0.0,
            priced: 0.0,
            most: vec![0.0; width],
        };
        for at in (0..last).rev() {
            let options = &self.options[self.blocks[at].0..self.blocks[at].1];
            let mut next = self.rest[at + 1].clone();
            next.value += options
                .iter()
                .map(|o| o.value)
                .fold(f64::NEG_INFINITY, f64::max);
            next.priced += options
                .iter()
                .map(|o| o.priced)
                .fold(f64::NEG_INFINITY, f64::max);
            for (e, most) in next.most.iter_mut().enumerate() {
                let of = |o: &Choose| self.totals[o.totals.0 + e];
                *most += options.iter().map(of).fold(0.0, f64::max);
            }
            self.rest[at] = next;
        }
        true
    }
}
