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
mod multipliers;
mod whole;

pub(super) use cart::{Cart, exact, worth_of};

use super::instance::Instance;
use super::model::{For, Group, Left, Model, Range, ShopModel};
use cart::cost_of;
use std::rc::Rc;

/// Ends of ranges a state has at most, for its whole carts to be looked for.
const MAX_ENDS: usize = 12;
/// Parts of carts that one is compared with, where several totals matter.
const MOST_COMPARED: usize = 100;

/// What the carts of a list must reach together, beyond the units of an item: the first
/// units of some shops count nothing, so that the rest has to come from elsewhere
/// (flow cover inequalities: Padberg, Van Roy, Wolsey 1985; knapsack covers: Carr, Fleischer,
/// Leung, Phillips 2000).
///
/// A shop sells one cart, so that no more than `from` units of it fail to count, and
/// `most` are left: carts sell a share of these, and all shares add up to 1 at least.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cut {
    pub item: usize,
    /// Of each shop the units that count nothing.
    pub from: Vec<f64>,
    /// Units left to buy; more count nothing.
    pub most: f64,
}

impl Cut {
    /// The units of what is left that a cart of so many units sells.
    fn counts(&self, shop: usize, units: f64) -> f64 {
        (units - self.from[shop]).clamp(0.0, self.most)
    }

    /// The share of what is left that a cart of so many units sells.
    pub(super) fn share(&self, shop: usize, units: f64) -> f64 {
        self.counts(shop, units) / self.most
    }
}

/// Cuts of an item, and the price of each unit that is left to buy.
pub(super) type CutPrices = Vec<(Rc<Cut>, f64)>;

/// Prices of the items and of the limits that tie shops together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Prices {
    /// Per unit of each item.
    pub item: Vec<f64>,
    /// Of each item's cuts.
    pub cuts: Vec<CutPrices>,
    /// Of using a shop at all, and of fetching.
    pub shop: f64,
    pub pickup: f64,
    /// Of each exclusive group of coupons that several shops share.
    pub group: Vec<f64>,
    /// Of a payable cent, beyond itself.
    pub budget: f64,
}

impl Prices {
    /// What a shop is paid for units of an item.
    pub(super) fn pays(&self, shop: usize, item: usize, units: f64) -> f64 {
        let cuts = self.cuts[item].iter();
        let cuts = cuts.map(|(cut, price)| price * cut.counts(shop, units));
        self.item[item] * units + cuts.sum::<f64>()
    }
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
    /// See [`Shop`].
    gains: Vec<f64>,
    covered: Vec<Vec<f64>>,
    losses: Vec<f64>,
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
    /// What each choice is paid, less its disutility; of bundles only what they cost.
    gains: &'a [f64],
    /// What the bundles of each group and pattern are paid for.
    covered: &'a [Vec<f64>],
    /// What choices are paid too much, by what patterns leave.
    losses: &'a [f64],
}

impl Shop<'_> {
    fn need(&self, item: usize) -> f64 {
        self.model.need[item] as f64
    }

    fn pays(&self, item: usize, units: f64) -> f64 {
        self.prices.pays(self.index, item, units)
    }

    /// What units of an item are paid at most, whatever else the cart buys of it.
    fn at_most(&self, item: usize, units: f64) -> f64 {
        let cuts = self.prices.cuts[item].iter();
        let cuts = cuts.map(|(cut, price)| price * units.min(cut.most));
        self.prices.item[item] * units + cuts.sum::<f64>()
    }

    /// What each choice of a cell is paid too much when only `left` units are of use.
    fn losses(&self, cell: usize, left: f64, out: &mut Vec<f64>) {
        let at = &self.shop.cells[cell];
        let covered = self.need(at.item) - left;
        let before = self.pays(at.item, covered);
        let plain = self.prices.cuts[at.item].is_empty();
        out.extend((at.first..at.last).map(|c| {
            let choice = &self.shop.choices[c];
            if plain {
                return self.prices.item[at.item] * (choice.units - left).max(0.0);
            }
            let alone = self.gains[c] + choice.disutility;
            alone - (self.pays(at.item, covered + choice.units.min(left)) - before)
        }));
    }

    /// Of the table of losses those of a cell's choices.
    fn lost(&self, cell: usize, left: Left) -> &[f64] {
        let at = &self.shop.cells[cell];
        &self.losses[left.at..][..at.last - at.first]
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

    /// The best choice of a cell, whose choices are worth their value less what is `lost`.
    fn best_of_cell(&self, cell: usize, lost: &[f64], values: &[f64]) -> (f64, Option<usize>) {
        let at = &self.shop.cells[cell];
        let must = self.view.must(cell);
        let mut best = if must { f64::NEG_INFINITY } else { 0.0 };
        let mut chosen = None;
        let last = if self.view.choices.is_empty() {
            at.end
        } else {
            at.last
        };
        for (c, v) in (at.first..last).zip(&values[at.first..last]) {
            let v = v - lost.get(c - at.first).copied().unwrap_or(0.0);
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
    fn bundles(&self, group: usize, pattern: usize, values: &[f64]) -> f64 {
        let mut worth = self.covered[group][pattern];
        let group = &self.shop.groups[group];
        for (b, level) in group.bundles.iter().zip(&group.patterns[pattern]) {
            if *level > 0 {
                worth += values[self.shop.bundles[*b].levels[*level].1];
            }
        }
        worth
    }

    /// The best loose cart with these values of the choices.
    fn loose(&self, values: &[f64], out: &mut Vec<u32>) -> f64 {
        out.clear();
        let mut worth = 0.0;
        for cell in &self.shop.plain {
            let (v, c) = self.best_of_cell(*cell, &[], values);
            worth += v;
            out.extend(c.map(|c| c as u32));
        }
        for (g, group) in self.shop.groups.iter().enumerate() {
            // The best of each cell by the units still of use.
            let of_cell = |(cell, lefts): (&usize, &Vec<Left>)| -> Vec<(f64, Option<usize>)> {
                let best = |left: &Left| self.best_of_cell(*cell, self.lost(*cell, *left), values);
                lefts.iter().map(best).collect()
            };
            let cells: Vec<_> = group.cells.iter().zip(&group.lefts).map(of_cell).collect();
            let chosen =
                |pattern: usize| cells.iter().zip(&group.left[pattern]).map(|(c, l)| c[*l]);
            let mut best = (f64::NEG_INFINITY, None);
            for pattern in 0..group.patterns.len() {
                if !self.pattern_allowed(group, pattern) {
                    continue;
                }
                let singly: f64 = chosen(pattern).map(|c| c.0).sum();
                let v = self.bundles(g, pattern, values) + singly;
                if v > best.0 {
                    best = (v, Some(pattern));
                }
            }
            worth += best.0;
            let Some(pattern) = best.1 else { continue };
            out.extend(chosen(pattern).filter_map(|c| c.1).map(|c| c as u32));
            for (b, level) in group.bundles.iter().zip(&group.patterns[pattern]) {
                if *level > 0 {
                    out.push(self.shop.bundles[*b].levels[*level].1 as u32);
                }
            }
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
                For::Item(i) => self.at_most(i, self.shop.choices[*c as usize].units),
                For::Bundle(b, qty) => {
                    let covers = self.shop.bundles[b].covers.iter();
                    covers
                        .map(|(i, a)| self.at_most(*i, (a * qty) as f64))
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
        let mut covered = std::mem::take(&mut self.covered);
        covered.resize(covered.len().max(shop.groups.len()), Vec::new());
        for (group, covered) in shop.groups.iter().zip(&mut covered) {
            let pays = |(i, used): (&usize, &f64)| prices.pays(index, *i, *used);
            let of = |used: &Vec<f64>| group.items.iter().zip(used).map(pays).sum::<f64>();
            covered.clear();
            covered.extend(group.used.iter().map(of));
        }
        let mut gains = std::mem::take(&mut self.gains);
        gains.clear();
        gains.extend(shop.choices.iter().map(|c| match c.what {
            For::Item(i) => prices.pays(index, i, c.units) - c.disutility,
            For::Bundle(..) => -c.disutility,
        }));
        let mut here = Shop {
            model,
            instance,
            index,
            shop,
            view,
            prices,
            gains: &gains,
            covered: &covered,
            losses: &[],
        };
        let mut losses = std::mem::take(&mut self.losses);
        losses.clear();
        for group in &shop.groups {
            for (cell, lefts) in group.cells.iter().zip(&group.lefts) {
                let units = lefts.iter().map(|l| l.units);
                units.for_each(|left| here.losses(*cell, left, &mut losses));
            }
        }
        here.losses = &losses;
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
                let pays = gains.iter().zip(&shop.pay[p]);
                values.extend(pays.map(|(gain, pay)| gain - pay * factor));
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
        (self.gains, self.covered, self.losses) = (gains, covered, losses);
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
}
