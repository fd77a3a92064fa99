//! A quick answer for a set of open shops: which of them sells what.
//!
//! With the shops fixed, items are independent except through bundles and through the
//! ranges of the states. Each shop is put in its most favourable state, each item is
//! solved by dynamic programming over (shop, units left), and states and carts are
//! settled by turns.

use super::incumbent::{Incumbent, Lines};
use super::model::{Measure, Model};
use std::collections::HashMap;

/// Sets of shops whose cost is remembered.
const MAX_TRIED: usize = 20_000;

/// States allowed at each open shop.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub shop: usize,
    pub states: Vec<usize>,
}

impl Open {
    pub(super) fn new(shop: usize, states: Vec<usize>) -> Self {
        Self { shop, states }
    }
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
    /// What sets of shops cost that were tried, each ascending.
    tried: HashMap<Vec<usize>, f64>,
    /// Cost of each choice of each open shop.
    cost: Vec<Vec<f64>>,
    /// Per item, rows `0..=open` of cost by units left, open shops `k..` still to come.
    tables: Vec<Vec<f64>>,
}

impl<'m> Leaf<'m> {
    pub(super) fn new(model: &'m Model) -> Self {
        Self {
            model,
            tried: HashMap::new(),
            cost: Vec::new(),
            tables: vec![Vec::new(); model.need.len()],
        }
    }

    /// A quick good answer with these shops: states and carts by turns. Returns its
    /// cost, or a bound on it while nothing feasible was found.
    pub(super) fn quick(&mut self, shops: &[usize], incumbent: &mut Incumbent<'_>) -> f64 {
        let mut set = shops.to_vec();
        set.sort_unstable();
        if let Some(cost) = self.tried.get(&set) {
            return *cost;
        }
        let cost = self.answer(&set, incumbent);
        if self.tried.len() >= MAX_TRIED {
            self.tried.clear();
        }
        self.tried.insert(set, cost);
        cost
    }

    fn answer(&mut self, shops: &[usize], incumbent: &mut Incumbent<'_>) -> f64 {
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
        o.states.iter().map(fixed).fold(f64::INFINITY, f64::min)
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
            row.copy_from_slice(next);
            let shop = &self.model.shops[open[k].shop];
            let Some(cell) = shop.cell(item) else {
                continue;
            };
            for c in cell.first..cell.end {
                let cost = self.cost[k][c];
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
            bound: open.iter().map(|o| self.fixed(o)).sum::<f64>(),
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
                    if next[left] <= here {
                        continue;
                    }
                    let shop = &self.model.shops[open[k].shop];
                    let Some(cell) = shop.cell(*item) else {
                        continue;
                    };
                    let after = |c: usize| left.saturating_sub(shop.choices[c].units as usize);
                    let mut choices = cell.first..cell.end;
                    let found = choices.find(|c| self.cost[k][*c] + next[after(*c)] <= here);
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
            let total = |m: Measure| -> f64 {
                let totals = shop.totals(m, state.profile);
                choices.iter().map(|c| totals[*c]).sum()
            };
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
}
