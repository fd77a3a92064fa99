//! The exact part: which of a fixed set of open shops sells what.
//!
//! With the shops fixed, items are independent except through bundles and through
//! the ranges of the states. The relaxation takes for each shop the most favourable
//! of its allowed states and solves each item exactly by dynamic programming over
//! (shop, units left). Branching narrows the states; ranges that are missed are
//! priced; what remains between bound and best answer is enumerated.

use super::incumbent::{Incumbent, Lines};
use super::instance::Instance;
use super::model::{For, Measure, Model, State};
use super::oracle::Price;

/// Combinations looked at when the states are fixed and prices leave a gap.
const MAX_STEPS: usize = 3_000_000;
/// Steps of pricing the ranges of fixed states.
const PRICE_TRIALS: usize = 24;
/// Cost of what a decision forbids: finite, so that differences stay defined.
const IMPOSSIBLE: f64 = 1e18;

/// States allowed at each open shop.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub shop: usize,
    pub states: Vec<usize>,
    /// Prices on the ends of ranges, only with a single state.
    prices: Vec<RangePrice>,
    /// What branching decided about single cells and bundles.
    decided: Vec<Decision>,
}

/// The price of missing one end of a range: positive on the low end, negative on the
/// high one.
#[derive(Debug, Clone, Copy)]
struct RangePrice {
    price: Price,
    end: f64,
    /// The largest price on a low end, infinite on a high one.
    limit: f64,
    low: bool,
}

impl Open {
    pub(super) fn new(shop: usize, states: Vec<usize>) -> Self {
        Self {
            shop,
            states,
            prices: Vec::new(),
            decided: Vec::new(),
        }
    }

    fn allows(&self, item: usize, choice: Option<usize>, units: f64) -> bool {
        self.decided.iter().all(|d| match *d {
            Decision::Units {
                item: i,
                least,
                most,
            } => i != item || (units >= least && units <= most),
            Decision::Choice {
                item: i,
                choice: c,
                used,
            } => i != item || (choice == Some(c)) == used,
            Decision::Level { .. } => true,
        })
    }

    fn allows_level(&self, bundle: usize, level: usize) -> bool {
        self.decided.iter().all(|d| match *d {
            Decision::Level {
                bundle: b,
                least,
                most,
            } => b != bundle || (level >= least && level <= most),
            _ => true,
        })
    }
}

/// A restriction on what one shop sells.
#[derive(Debug, Clone, Copy)]
enum Decision {
    Units {
        item: usize,
        least: f64,
        most: f64,
    },
    Choice {
        item: usize,
        choice: usize,
        used: bool,
    },
    Level {
        bundle: usize,
        least: usize,
        most: usize,
    },
}

/// Items tied together by bundles.
struct Component {
    items: Vec<usize>,
    /// (open shop, bundle)
    bundles: Vec<(usize, usize)>,
}

/// What the relaxation buys: choices of each open shop, and its bound.
#[derive(Debug, Clone, Default)]
struct Relaxed {
    bound: f64,
    choices: Vec<Vec<usize>>,
}

pub(super) struct Leaf<'m> {
    model: &'m Model,
    /// Cost of each choice of each open shop.
    cost: Vec<Vec<f64>>,
    /// Per item, rows `0..=open` of cost by units left, open shops `k..` still to come.
    tables: Vec<Vec<f64>>,
    pub nodes: u64,
    /// Least bound of a part given up on.
    pub unresolved: f64,
}

struct Enumeration<'l> {
    open: &'l [Open],
    components: &'l [Component],
    /// Least cost of the components from each on.
    rest: Vec<f64>,
    steps: usize,
    bought: Vec<(usize, usize)>,
}

impl<'m> Leaf<'m> {
    pub(super) fn new(model: &'m Model) -> Self {
        Self {
            model,
            cost: Vec::new(),
            tables: vec![Vec::new(); model.need.len()],
            nodes: 0,
            unresolved: f64::INFINITY,
        }
    }

    /// Finds the best cart for the open shops, within `nodes` branchings. `floor` is a
    /// bound known from elsewhere.
    pub(super) fn explore(
        &mut self,
        open: Vec<Open>,
        incumbent: &mut Incumbent<'_>,
        nodes: usize,
        floor: f64,
        stop: &mut dyn FnMut() -> bool,
    ) {
        let mut stack = vec![open];
        let mut left = nodes;
        while let Some(mut open) = stack.pop() {
            self.nodes += 1;
            if !self.possible(&open) {
                continue;
            }
            let components = self.components(&open);
            let mut relaxed = self.relax(&open, &components);
            if relaxed.bound > incumbent.prune_at() {
                continue;
            }
            incumbent.consider(&self.lines(&open, &relaxed.choices));
            if relaxed.bound > incumbent.prune_at() {
                continue;
            }
            let mut torn = None;
            if open.iter().any(|o| o.states.len() == 1) {
                torn = self.price_ranges(&mut open, &components, &mut relaxed, incumbent);
                if relaxed.bound > incumbent.prune_at() {
                    continue;
                }
            }
            if left == 0 || stop() {
                self.unresolved = self.unresolved.min(relaxed.bound.max(floor));
                continue;
            }
            left -= 1;
            if let Some((likely, rest)) = self.split(&open, &relaxed) {
                stack.push(rest);
                stack.push(likely);
            } else if let Some((k, decisions)) = torn {
                for decision in decisions {
                    let mut next = open.clone();
                    next[k].decided.push(decision);
                    stack.push(next);
                }
            } else {
                self.relax(&open, &components);
                self.enumerate(&open, &components, incumbent, floor, stop);
            }
        }
    }

    /// A quick good answer with these shops: states and carts by turns. Returns its
    /// cost, or a bound on it while nothing feasible was found.
    pub(super) fn quick(&mut self, shops: &[usize], incumbent: &mut Incumbent<'_>) -> f64 {
        let mut open: Vec<Open> = shops
            .iter()
            .map(|s| Open::new(*s, (0..self.model.shops[*s].states.len()).collect()))
            .collect();
        let mut best = f64::INFINITY;
        for _ in 0..4 {
            let components = self.components(&open);
            let relaxed = self.relax(&open, &components);
            let cost = match incumbent.consider(&self.lines(&open, &relaxed.choices)) {
                Some(cost) => cost as f64,
                None => relaxed.bound + self.model.big,
            };
            if cost >= best {
                break;
            }
            best = cost;
            for (o, choices) in open.iter_mut().zip(&relaxed.choices) {
                let all: Vec<usize> = (0..self.model.shops[o.shop].states.len()).collect();
                let real = self.real_state(o.shop, &all, choices);
                o.states = vec![real.map_or_else(|| o.states[0], |r| r.0)];
            }
            // Empty shops only cost their fee.
            let empty: Vec<bool> = relaxed.choices.iter().map(Vec::is_empty).collect();
            let mut at = 0;
            open.retain(|_| {
                at += 1;
                !empty[at - 1]
            });
            if open.is_empty() {
                break;
            }
        }
        best
    }

    /// Limits on pickups and shared coupon groups, as far as states are fixed.
    fn possible(&self, open: &[Open]) -> bool {
        let model = self.model;
        let state = |o: &Open, s: usize| -> &State { &model.shops[o.shop].states[s] };
        let must_fetch = |o: &&Open| o.states.iter().all(|s| state(o, *s).pickup);
        let fetched = open.iter().filter(must_fetch).count();
        if model.max_pickups.is_some_and(|max| fetched > max) {
            return false;
        }
        if model.shared_groups {
            let mut groups: Vec<usize> = open
                .iter()
                .filter(|o| o.states.len() == 1)
                .flat_map(|o| &state(o, o.states[0]).coupons)
                .map(|c| model.group_of[*c])
                .collect();
            groups.sort_unstable();
            if groups.windows(2).any(|w| w[0] == w[1]) {
                return false;
            }
        }
        open.iter().all(|o| !o.states.is_empty())
    }

    fn components(&self, open: &[Open]) -> Vec<Component> {
        let mut components: Vec<Component> = Vec::new();
        let mut of_item: Vec<Option<usize>> = vec![None; self.model.need.len()];
        for (k, o) in open.iter().enumerate() {
            for (b, bundle) in self.model.shops[o.shop].bundles.iter().enumerate() {
                let mut joined: Vec<usize> =
                    bundle.covers.iter().filter_map(|c| of_item[c.0]).collect();
                joined.sort_unstable();
                joined.dedup();
                let mut items: Vec<usize> = bundle.covers.iter().map(|c| c.0).collect();
                let mut bundles = vec![(k, b)];
                for at in joined {
                    items.append(&mut components[at].items);
                    bundles.append(&mut components[at].bundles);
                }
                items.sort_unstable();
                items.dedup();
                for i in &items {
                    of_item[*i] = Some(components.len());
                }
                components.push(Component { items, bundles });
            }
        }
        components.retain(|c| !c.items.is_empty());
        for (item, of) in of_item.iter().enumerate() {
            if of.is_none() {
                components.push(Component {
                    items: vec![item],
                    bundles: Vec::new(),
                });
            }
        }
        components
    }

    /// The least fixed cost of a shop in its allowed states.
    fn fixed(&self, o: &Open) -> f64 {
        let shop = &self.model.shops[o.shop];
        let fixed = |s: &usize| self.model.fixed(&shop.states[*s]);
        let least = o.states.iter().map(fixed).fold(f64::INFINITY, f64::min);
        least
            + o.prices
                .iter()
                .map(|p| p.price.per_unit * p.end)
                .sum::<f64>()
    }

    /// Fills in the cost of choices and the tables of the items.
    fn tabulate(&mut self, open: &[Open]) {
        self.cost.resize(open.len(), Vec::new());
        for (cost, o) in self.cost.iter_mut().zip(open) {
            let shop = &self.model.shops[o.shop];
            cost.clear();
            let mut profiles: Vec<usize> =
                o.states.iter().map(|s| shop.states[*s].profile).collect();
            profiles.sort_unstable();
            profiles.dedup();
            cost.extend_from_slice(&shop.cost[profiles[0]]);
            for p in &profiles[1..] {
                for (c, other) in cost.iter_mut().zip(&shop.cost[*p]) {
                    *c = c.min(*other);
                }
            }
            for p in o.prices.iter().filter(|p| p.price.per_unit != 0.0) {
                for (c, value) in cost.iter_mut().enumerate() {
                    *value -= p.price.per_unit * shop.measure(p.price.measure, profiles[0], c);
                }
            }
        }
        for item in 0..self.model.need.len() {
            self.tabulate_item(open, item);
        }
    }

    fn tabulate_item(&mut self, open: &[Open], item: usize) {
        let need = self.model.need[item];
        let width = need + 1;
        let table = &mut self.tables[item];
        table.clear();
        table.resize((open.len() + 1) * width, 0.0);
        let penalty = self.model.penalty[item];
        for r in 1..width {
            table[open.len() * width + r] = penalty * r as f64;
        }
        for k in (0..open.len()).rev() {
            let (head, tail) = table.split_at_mut((k + 1) * width);
            let row = &mut head[k * width..];
            let next = &tail[..width];
            let free = open[k].decided.is_empty();
            if free || open[k].allows(item, None, 0.0) {
                row.copy_from_slice(next);
            } else {
                row.fill(IMPOSSIBLE);
            }
            let shop = &self.model.shops[open[k].shop];
            let Some(cell) = shop.cell(item) else {
                continue;
            };
            for c in cell.first..cell.last {
                let cost = self.cost[k][c];
                if !free && !open[k].allows(item, Some(c), shop.choices[c].units) {
                    continue;
                }
                let units = shop.choices[c].units as usize;
                for r in 0..width {
                    let value = cost + next[r.saturating_sub(units)];
                    if value < row[r] {
                        row[r] = value;
                    }
                }
            }
        }
    }

    /// The bound of the open shops and what attains it.
    fn relax(&mut self, open: &[Open], components: &[Component]) -> Relaxed {
        self.tabulate(open);
        let mut relaxed = Relaxed {
            bound: open.iter().map(|o| self.fixed(o)).sum::<f64>() - self.model.budget_rebate(),
            choices: vec![Vec::new(); open.len()],
        };
        for component in components {
            let mut best = (f64::INFINITY, Vec::new());
            self.levels(open, component, f64::INFINITY, &mut |cost, levels| {
                if cost < best.0 {
                    best = (cost, levels.to_vec());
                }
                best.0
            });
            relaxed.bound += best.0;
            for ((k, b), level) in component.bundles.iter().zip(&best.1) {
                if *level > 0 {
                    let bundle = &self.model.shops[open[*k].shop].bundles[*b];
                    relaxed.choices[*k].push(bundle.levels[*level].1);
                }
            }
            for item in &component.items {
                let mut left = self.left(open, component, &best.1, *item);
                let width = self.model.need[*item] + 1;
                let table = &self.tables[*item];
                for k in 0..open.len() {
                    let here = table[k * width + left];
                    let next = &table[(k + 1) * width..(k + 2) * width];
                    let free = open[k].decided.is_empty();
                    if next[left] <= here && (free || open[k].allows(*item, None, 0.0)) {
                        continue;
                    }
                    let shop = &self.model.shops[open[k].shop];
                    let Some(cell) = shop.cell(*item) else {
                        continue;
                    };
                    let after = |c: usize| left.saturating_sub(shop.choices[c].units as usize);
                    let found = (cell.first..cell.last).find(|c| {
                        self.cost[k][*c] + next[after(*c)] <= here
                            && (free || open[k].allows(*item, Some(*c), shop.choices[*c].units))
                    });
                    if let Some(c) = found {
                        relaxed.choices[k].push(c);
                        left = after(c);
                    }
                }
            }
        }
        relaxed
    }

    /// Units of `item` left to buy singly when bundles are at these levels.
    fn left(&self, open: &[Open], component: &Component, levels: &[usize], item: usize) -> usize {
        let mut left = self.model.need[item] as i64;
        for ((k, b), level) in component.bundles.iter().zip(levels) {
            let bundle = &self.model.shops[open[*k].shop].bundles[*b];
            if let Some((_, a)) = bundle.covers.iter().find(|c| c.0 == item) {
                left -= a * bundle.levels[*level].0;
            }
        }
        usize::try_from(left.max(0)).unwrap_or(0)
    }

    /// Calls `found` with the cost of each combination of bundle levels that may cost
    /// at most `limit`; `found` returns the new limit.
    fn levels(
        &self,
        open: &[Open],
        component: &Component,
        limit: f64,
        found: &mut dyn FnMut(f64, &[usize]) -> f64,
    ) {
        let base = |item: &usize| self.tables[*item][self.model.need[*item]];
        if component.bundles.is_empty() {
            found(component.items.iter().map(base).sum(), &[]);
            return;
        }
        // The most a unit of an item can save.
        let steepest = |item: usize| {
            let row = &self.tables[item][..=self.model.need[item]];
            row.windows(2).map(|w| w[1] - w[0]).fold(0.0, f64::max)
        };
        let mut potential = vec![0.0; component.bundles.len() + 1];
        for (at, (k, b)) in component.bundles.iter().enumerate().rev() {
            let bundle = &self.model.shops[open[*k].shop].bundles[*b];
            let mut best = 0.0_f64;
            for (qty, choice) in bundle.levels.iter().skip(1) {
                let mut saves = -self.cost[*k][*choice];
                for (i, a) in &bundle.covers {
                    let units = (a * qty).min(self.model.need[*i] as i64);
                    saves += steepest(*i) * units as f64;
                }
                best = best.max(saves);
            }
            potential[at] = potential[at + 1] + best;
        }
        let mut levels = vec![0; component.bundles.len()];
        let mut left: Vec<i64> = component
            .items
            .iter()
            .map(|i| self.model.need[*i] as i64)
            .collect();
        let mut limit = limit;
        self.levels_from(
            open,
            component,
            0,
            0.0,
            &mut levels,
            &mut left,
            &potential,
            &mut limit,
            found,
        );
    }

    #[allow(clippy::too_many_arguments)] // one recursion, its state spelled out
    fn levels_from(
        &self,
        open: &[Open],
        component: &Component,
        at: usize,
        spent: f64,
        levels: &mut Vec<usize>,
        left: &mut Vec<i64>,
        potential: &[f64],
        limit: &mut f64,
        found: &mut dyn FnMut(f64, &[usize]) -> f64,
    ) {
        let singly: f64 = component
            .items
            .iter()
            .zip(left.iter())
            .map(|(i, l)| self.tables[*i][usize::try_from((*l).max(0)).unwrap_or(0)])
            .sum();
        if at == levels.len() {
            if spent + singly <= *limit {
                *limit = found(spent + singly, levels);
            }
            return;
        }
        if spent + singly - potential[at] > *limit {
            return;
        }
        let (k, b) = component.bundles[at];
        let bundle = &self.model.shops[open[k].shop].bundles[b];
        for (level, (qty, choice)) in bundle.levels.iter().enumerate() {
            if !open[k].allows_level(b, level) {
                continue;
            }
            let cost = if level == 0 {
                0.0
            } else {
                self.cost[k][*choice]
            };
            levels[at] = level;
            let take = |left: &mut Vec<i64>, sign: i64| {
                for (i, a) in &bundle.covers {
                    if let Ok(p) = component.items.binary_search(i) {
                        left[p] -= sign * a * qty;
                    }
                }
            };
            take(left, 1);
            self.levels_from(
                open,
                component,
                at + 1,
                spent + cost,
                levels,
                left,
                potential,
                limit,
                found,
            );
            take(left, -1);
        }
        levels[at] = 0;
    }

    fn lines(&self, open: &[Open], choices: &[Vec<usize>]) -> Lines {
        let mut lines = Lines::new();
        for (o, choices) in open.iter().zip(choices) {
            let shop = &self.model.shops[o.shop];
            for c in choices {
                let (from, to) = shop.choices[*c].picks;
                lines.extend_from_slice(&shop.picks[from as usize..to as usize]);
            }
        }
        lines
    }

    /// The cheapest of the states whose ranges the choices meet, and its cost.
    fn real_state(&self, s: usize, states: &[usize], choices: &[usize]) -> Option<(usize, f64)> {
        let shop = &self.model.shops[s];
        let mut best: Option<(usize, f64)> = None;
        for i in states {
            let state = &shop.states[*i];
            let total = |m: Measure| super::oracle::total(shop, m, state.profile, choices);
            let met = state.ranges.iter().all(|r| {
                let t = total(r.measure);
                t >= r.low - 1e-6 && t <= r.high + 1e-6
            });
            if !met {
                continue;
            }
            let goods: f64 = choices.iter().map(|c| shop.cost[state.profile][*c]).sum();
            let cost = goods + self.model.fixed(state);
            if best.is_none_or(|b| cost < b.1) {
                best = Some((*i, cost));
            }
        }
        best
    }

    /// Splits the states of the shop where the relaxation is furthest from the truth.
    fn split(&self, open: &[Open], relaxed: &Relaxed) -> Option<(Vec<Open>, Vec<Open>)> {
        let mut worst: Option<(f64, usize, usize)> = None;
        for (k, o) in open.iter().enumerate() {
            if o.states.len() < 2 {
                continue;
            }
            let shop = &self.model.shops[o.shop];
            let choices = &relaxed.choices[k];
            let assumed: f64 =
                self.fixed(o) + choices.iter().map(|c| self.cost[k][*c]).sum::<f64>();
            let real = self.real_state(o.shop, &o.states, choices);
            let gap = real.map_or(f64::INFINITY, |r| r.1 - assumed);
            let cheapest = |a: &usize, b: &usize| {
                let fixed = |s: usize| self.model.fixed(&shop.states[s]);
                fixed(*a).total_cmp(&fixed(*b))
            };
            let target = match real {
                Some((state, _)) => state,
                None => o.states.iter().copied().min_by(cheapest)?,
            };
            if worst.is_none_or(|w| gap > w.0) {
                worst = Some((gap, k, target));
            }
        }
        let (_, k, target) = worst?;
        let all = splits(self.model, open[k].shop, &open[k].states, target);
        let (yes, no) = all.into_iter().next()?;
        let with = |states: Vec<usize>| {
            let mut next = open.to_vec();
            next[k].states = states;
            next[k].prices.clear();
            next
        };
        Some((with(yes), with(no)))
    }

    /// Bounds and prices a set of shops without going further.
    pub(super) fn glance(&mut self, open: &[Open], incumbent: &mut Incumbent<'_>) -> f64 {
        self.nodes += 1;
        if !self.possible(open) {
            return f64::INFINITY;
        }
        let components = self.components(open);
        let relaxed = self.relax(open, &components);
        incumbent.consider(&self.lines(open, &relaxed.choices));
        relaxed.bound
    }

    /// Prices the ranges that fixed states miss, all together, by Polyak steps.
    /// Returns a decision and its opposite where carts on both sides of a range
    /// disagree.
    fn price_ranges(
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
        let total = |(o, c): (&Open, &Vec<usize>)| {
            super::oracle::total(&self.model.shops[o.shop], measure, 0, c)
        };
        carts.map(total).sum()
    }

    /// What is missing at an end of a range: positive below it.
    fn missed(&self, o: &Open, p: &RangePrice, choices: &[usize]) -> f64 {
        let shop = &self.model.shops[o.shop];
        let profile = shop.states[o.states[0]].profile;
        p.end - super::oracle::total(shop, p.price.measure, profile, choices)
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

    /// Goes through every combination that may beat the best answer.
    fn enumerate(
        &mut self,
        open: &[Open],
        components: &[Component],
        incumbent: &mut Incumbent<'_>,
        floor: f64,
        stop: &mut dyn FnMut() -> bool,
    ) {
        let fixed: f64 =
            open.iter().map(|o| self.fixed(o)).sum::<f64>() - self.model.budget_rebate();
        let mut rest = vec![0.0; components.len() + 1];
        for (c, component) in components.iter().enumerate().rev() {
            let mut best = f64::INFINITY;
            self.levels(open, component, f64::INFINITY, &mut |cost, _| {
                best = best.min(cost);
                best
            });
            rest[c] = rest[c + 1] + best;
        }
        let bound = fixed + rest[0];
        let mut search = Enumeration {
            open,
            components,
            rest,
            steps: 0,
            bought: Vec::new(),
        };
        if !self.enumerate_component(&mut search, 0, fixed, incumbent, stop) {
            self.unresolved = self.unresolved.min(bound.max(floor));
        }
    }

    /// False when given up.
    fn enumerate_component(
        &self,
        search: &mut Enumeration<'_>,
        at: usize,
        spent: f64,
        incumbent: &mut Incumbent<'_>,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        let Some(component) = search.components.get(at) else {
            return self.enumerate_fillers(search, spent, incumbent, stop);
        };
        let limit = incumbent.prune_at() - spent - search.rest[at + 1];
        let mut ways = Vec::new();
        self.levels(search.open, component, limit, &mut |cost, levels| {
            if cost <= limit {
                ways.push((cost, levels.to_vec()));
            }
            if ways.len() > MAX_STEPS {
                f64::NEG_INFINITY
            } else {
                limit
            }
        });
        if ways.len() > MAX_STEPS {
            return false;
        }
        ways.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, levels) in ways {
            let mark = search.bought.len();
            let mut cost = 0.0;
            for ((k, b), level) in component.bundles.iter().zip(&levels) {
                if *level > 0 {
                    let bundle = &self.model.shops[search.open[*k].shop].bundles[*b];
                    let choice = bundle.levels[*level].1;
                    cost += self.cost[*k][choice];
                    search.bought.push((*k, choice));
                }
            }
            let left: Vec<usize> = component
                .items
                .iter()
                .map(|i| self.left(search.open, component, &levels, *i))
                .collect();
            let done = self.enumerate_item(
                search,
                at,
                &left,
                0,
                0,
                left[0],
                spent + cost,
                incumbent,
                stop,
            );
            search.bought.truncate(mark);
            if !done {
                return false;
            }
        }
        true
    }

    #[allow(clippy::too_many_arguments)] // one recursion, its state spelled out
    fn enumerate_item(
        &self,
        search: &mut Enumeration<'_>,
        at: usize,
        lefts: &[usize],
        position: usize,
        k: usize,
        left: usize,
        spent: f64,
        incumbent: &mut Incumbent<'_>,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        search.steps += 1;
        if search.steps > MAX_STEPS || (search.steps % 1024 == 0 && stop()) {
            return false;
        }
        let component = &search.components[at];
        let item = component.items[position];
        let width = self.model.need[item] + 1;
        let table = &self.tables[item];
        let later: f64 = component.items[position + 1..]
            .iter()
            .zip(&lefts[position + 1..])
            .map(|(i, l)| self.tables[*i][*l])
            .sum::<f64>()
            + search.rest[at + 1];
        if k == search.open.len() {
            let spent = spent + table[k * width + left];
            return match lefts.get(position + 1) {
                Some(next) => self.enumerate_item(
                    search,
                    at,
                    lefts,
                    position + 1,
                    0,
                    *next,
                    spent,
                    incumbent,
                    stop,
                ),
                None => self.enumerate_component(search, at + 1, spent, incumbent, stop),
            };
        }
        let next = &table[(k + 1) * width..(k + 2) * width];
        let shop = &self.model.shops[search.open[k].shop];
        let mut ways = Vec::new();
        if search.open[k].allows(item, None, 0.0) {
            ways.push((next[left], None, left, 0.0));
        }
        if let Some(cell) = shop.cell(item) {
            for c in cell.first..cell.last {
                let cost = self.cost[k][c];
                let after = left.saturating_sub(shop.choices[c].units as usize);
                let total = cost + next[after];
                let allowed = search.open[k].allows(item, Some(c), shop.choices[c].units);
                if allowed && spent + total + later <= incumbent.prune_at() {
                    ways.push((total, Some(c), after, cost));
                }
            }
        }
        ways.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (total, choice, after, cost) in ways {
            if spent + total + later > incumbent.prune_at() {
                break;
            }
            if let Some(c) = choice {
                search.bought.push((k, c));
            }
            let done = self.enumerate_item(
                search,
                at,
                lefts,
                position,
                k + 1,
                after,
                spent + cost,
                incumbent,
                stop,
            );
            if choice.is_some() {
                search.bought.pop();
            }
            if !done {
                return false;
            }
        }
        true
    }

    /// Prices lines bought in fixed states. Where coupons of several shops exclude
    /// each other, which are used is part of the states.
    fn consider(&self, open: &[Open], lines: &[(usize, i64)], incumbent: &mut Incumbent<'_>) {
        if self.model.shared_groups {
            let coupons = |o: &Open| {
                let state = &self.model.shops[o.shop].states[o.states[0]];
                (o.shop, state.coupons.clone())
            };
            incumbent.restricted = Some(open.iter().map(coupons).collect());
            incumbent.consider(lines);
            incumbent.restricted = None;
        } else {
            incumbent.consider(lines);
        }
    }

    /// Everything needed is bought: prices it, and adds goods that are not needed
    /// where a state's minimum is missed.
    fn enumerate_fillers(
        &self,
        search: &mut Enumeration<'_>,
        spent: f64,
        incumbent: &mut Incumbent<'_>,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        let mut choices = vec![Vec::new(); search.open.len()];
        for (k, c) in &search.bought {
            choices[*k].push(*c);
        }
        let lines = self.lines(search.open, &choices);
        self.consider(search.open, &lines, incumbent);
        let Instance::Household(h) = incumbent.instance else {
            return true;
        };
        // Without a missed minimum, more goods only cost more.
        let mut short = Vec::new();
        for (k, o) in search.open.iter().enumerate() {
            let shop = &self.model.shops[o.shop];
            let state = &shop.states[o.states[0]];
            let total = |m| super::oracle::total(shop, m, state.profile, &choices[k]);
            if state.ranges.iter().any(|r| total(r.measure) < r.low + 1.0) {
                short.push(o.shop);
            }
        }
        if short.is_empty() {
            return true;
        }
        let mut quantity = std::collections::BTreeMap::new();
        for (o, qty) in &lines {
            *quantity.entry(*o).or_insert(0) += qty;
        }
        let offers: Vec<usize> = (0..h.offers.len())
            .filter(|o| short.contains(&h.offers[*o].shop))
            .collect();
        self.fill(h, search, &offers, &mut quantity, spent, incumbent, stop)
    }

    /// Raises quantities as long as the bound allows.
    #[allow(clippy::too_many_arguments)] // one recursion, its state spelled out
    fn fill(
        &self,
        h: &super::instance::Household,
        search: &mut Enumeration<'_>,
        offers: &[usize],
        quantity: &mut std::collections::BTreeMap<usize, i64>,
        spent: f64,
        incumbent: &mut Incumbent<'_>,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        search.steps += 1;
        if search.steps > MAX_STEPS || (search.steps % 1024 == 0 && stop()) {
            return false;
        }
        for (at, o) in offers.iter().enumerate() {
            let offer = &h.offers[*o];
            let before = quantity.get(o).copied().unwrap_or(0);
            let Some(paid) = offer.price_of(before) else {
                continue;
            };
            let Some(open) = search.open.iter().find(|x| x.shop == offer.shop) else {
                continue;
            };
            for qty in (before + 1).max(offer.min_qty())..=offer.max_qty {
                let Some(price) = offer.price_of(qty) else {
                    continue;
                };
                let more = self.filler_cost(h, open, *o, price - paid, qty - before);
                if spent + more > incumbent.prune_at() {
                    // A later price break may still be cheaper.
                    if offer.breaks.iter().any(|b| b.from > qty) {
                        continue;
                    }
                    break;
                }
                quantity.insert(*o, qty);
                let lines: Lines = quantity.iter().map(|(o, q)| (*o, *q)).collect();
                self.consider(search.open, &lines, incumbent);
                let done = self.fill(
                    h,
                    search,
                    &offers[at + 1..],
                    quantity,
                    spent + more,
                    incumbent,
                    stop,
                );
                if before == 0 {
                    quantity.remove(o);
                } else {
                    quantity.insert(*o, before);
                }
                if !done {
                    return false;
                }
            }
        }
        true
    }

    /// What `extra` cents more of an offer add to the bound, prices included.
    fn filler_cost(
        &self,
        h: &super::instance::Household,
        open: &Open,
        offer: usize,
        extra: i64,
        units: i64,
    ) -> f64 {
        let shop = &self.model.shops[open.shop];
        let state = &shop.states[open.states[0]];
        let profile = &shop.profiles[state.profile];
        let scope = |local: usize| h.coupons[shop.coupons[local]].covers(offer);
        let rates: f64 = profile
            .coupon
            .iter()
            .filter(|r| scope(r.0))
            .map(|r| r.1)
            .sum();
        let extra = extra as f64;
        let pay = extra * (1.0 - rates);
        let weight = (h.offers[offer].weight_g * units) as f64;
        let mut cost =
            pay * (1.0 + self.model.budget_price) + (h.offers[offer].disutility * units) as f64;
        for RangePrice { price, .. } in &open.prices {
            cost -= price.per_unit
                * match price.measure {
                    Measure::Spend => extra,
                    Measure::Pay => pay,
                    Measure::Base(local) => extra * f64::from(u8::from(scope(local))),
                    Measure::Weight => weight,
                };
        }
        cost
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

/// Two parts of a shop's states.
pub(super) type Split = (Vec<usize>, Vec<usize>);

/// Ways to split a shop's states: those that use the coupons of `target`, those that
/// fetch or send as it does, and it alone, each against the others.
pub(super) fn splits(model: &Model, shop: usize, states: &[usize], target: usize) -> Vec<Split> {
    let all = &model.shops[shop].states;
    let wanted = &all[target];
    let coupons = |s: &usize| all[*s].coupons == wanted.coupons;
    let mode = |s: &usize| all[*s].pickup == wanted.pickup;
    let same = |s: &usize| *s == target;
    let tests: [&dyn Fn(&usize) -> bool; 3] = [&coupons, &mode, &same];
    let split = |test: &dyn Fn(&usize) -> bool| states.iter().partition(|s| test(s));
    let parts = tests.into_iter().map(split);
    parts
        .filter(|p: &Split| !p.0.is_empty() && !p.1.is_empty())
        .collect()
}
