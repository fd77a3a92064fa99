//! The exact part: which of a fixed set of open shops sells what.
//!
//! With the shops fixed, items are independent except through bundles and through
//! the ranges of the states. The relaxation takes for each shop the most favourable
//! of its allowed states and solves each item exactly by dynamic programming over
//! (shop, units left). Branching narrows the states; ranges that are missed are
//! priced; what remains between bound and best answer is enumerated.

mod enumerate;
mod price;

use super::incumbent::{Incumbent, Lines};
use super::model::{Measure, Model, State};
use price::RangePrice;

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
            self.settle_states(&mut open, &relaxed.choices);
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

    /// Puts each shop in the best state for its cart, fetching only where the limit on
    /// pickups gains most.
    fn settle_states(&self, open: &mut [Open], choices: &[Vec<usize>]) {
        let mut gains: Vec<(f64, usize, usize)> = Vec::new();
        for (k, (o, choices)) in open.iter_mut().zip(choices).enumerate() {
            let states = &self.model.shops[o.shop].states;
            let all: Vec<usize> = (0..states.len()).collect();
            let sent: Vec<usize> = all.iter().copied().filter(|s| !states[*s].pickup).collect();
            let best = self.real_state(o.shop, &all, choices);
            if self.model.max_pickups.is_some()
                && let Some((state, cost)) = best
                && states[state].pickup
                && let Some((other, dearer)) = self.real_state(o.shop, &sent, choices)
            {
                gains.push((dearer - cost, k, other));
            }
            o.states = vec![best.map_or(o.states[0], |b| b.0)];
        }
        let fetch = |o: &&Open| self.model.shops[o.shop].states[o.states[0]].pickup;
        let fetched = open.iter().filter(fetch).count();
        let excess = fetched.saturating_sub(self.model.max_pickups.unwrap_or(fetched));
        gains.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, k, other) in gains.into_iter().take(excess) {
            open[k].states = vec![other];
        }
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
