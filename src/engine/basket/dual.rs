//! Lower bounds by Lagrangian relaxation of "each item is covered".
//!
//! With prices on the items the shops come apart: the bound is the value of the
//! list minus what the best set of shops is worth ([`super::oracle`]), the limits on
//! shops and pickups included. The prices are improved by a deflected subgradient
//! method with Polyak steps, scaled by what each item costs.

use super::model::{For, Model, ShopModel};
use super::oracle::{Price, Scratch, Worth, worth};
use std::rc::Rc;

/// Trials for the price of a missed range: on the way, and where it counts.
const QUICK_TRIALS: usize = 7;
const TRIALS: usize = 7;
/// The same for carts tried at a range.
const QUICK_CARTS: usize = 0;
const CARTS: usize = 400;

/// What a node of the search says about a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Free,
    Open,
    Closed,
}

/// The part of the problem a node is about: the status and allowed states of shops.
#[derive(Debug, Clone)]
pub(super) struct Space {
    pub status: Vec<Status>,
    allowed: Vec<bool>,
    offset: Rc<Vec<usize>>,
}

impl Space {
    pub(super) fn new(model: &Model) -> Self {
        let mut offset = vec![0];
        for shop in &model.shops {
            offset.push(offset[offset.len() - 1] + shop.states.len());
        }
        let states = offset[offset.len() - 1];
        let usable = |shop: &ShopModel| !shop.choices.is_empty() && !shop.states.is_empty();
        let status = |s| {
            if usable(s) {
                Status::Free
            } else {
                Status::Closed
            }
        };
        Self {
            status: model.shops.iter().map(status).collect(),
            allowed: vec![true; states],
            offset: Rc::new(offset),
        }
    }

    pub(super) fn allows(&self, shop: usize, state: usize) -> bool {
        self.allowed[self.offset[shop] + state]
    }

    pub(super) fn forbid(&mut self, shop: usize, state: usize) {
        let at = self.offset[shop] + state;
        self.allowed[at] = false;
    }

    pub(super) fn states(&self, shop: usize) -> impl Iterator<Item = usize> + '_ {
        let range = self.offset[shop]..self.offset[shop + 1];
        let states = self.allowed[range].iter().enumerate();
        states.filter(|(_, a)| **a).map(|(i, _)| i)
    }

    pub(super) fn open(&self) -> impl Iterator<Item = usize> + '_ {
        let all = self.status.iter().enumerate();
        all.filter(|(_, s)| **s == Status::Open).map(|(i, _)| i)
    }

    /// Closes everything undecided once the limit on shops is used up. False if the
    /// decisions contradict each other.
    pub(super) fn settle(&mut self, max_shops: usize) -> bool {
        let open = self.open().count();
        if open > max_shops {
            return false;
        }
        if open == max_shops {
            for s in &mut self.status {
                if *s == Status::Free {
                    *s = Status::Closed;
                }
            }
        }
        (0..self.status.len())
            .all(|s| self.status[s] != Status::Open || self.states(s).next().is_some())
    }

    pub(super) fn decided(&self) -> bool {
        self.status.iter().all(|s| *s != Status::Free)
    }
}

/// A bound and what attained it.
#[derive(Debug, Default)]
pub(super) struct Eval {
    pub bound: f64,
    pub chosen: Vec<(usize, Worth)>,
    /// Best worth of each shop in any mode, for fixing.
    pub best: Vec<f64>,
    /// The bound without the limit on pickups, which the fixing tests build on.
    pub loose: f64,
}

#[derive(Debug)]
pub(super) struct Dual {
    pub lambda: Vec<f64>,
    pub bound: f64,
    /// Share of recent iterations in which each shop was chosen.
    pub open_share: Vec<f64>,
    /// The same for each state, indexed as in [`Space`].
    state_share: Vec<f64>,
    /// Last price of the missed range of each state.
    warm: Vec<Option<Price>>,
    scale: Vec<f64>,
    direction: Vec<f64>,
    scratch: Scratch,
    worths: Vec<[Option<Worth>; 2]>,
    /// The carts behind them.
    carts: Vec<[Vec<usize>; 2]>,
    taken: Vec<f64>,
    local: Vec<f64>,
}

impl Dual {
    pub(super) fn new(model: &Model) -> Self {
        let n = model.need.len();
        // Start from the cheapest unit price anywhere.
        let mut lambda = vec![f64::INFINITY; n];
        for shop in &model.shops {
            let cost = |c: usize| shop.cost.iter().map(|p| p[c]).fold(f64::INFINITY, f64::min);
            for cell in &shop.cells {
                for c in cell.first..cell.last {
                    let unit = cost(c) / shop.choices[c].units.max(1.0);
                    lambda[cell.item] = lambda[cell.item].min(unit);
                }
            }
            for bundle in &shop.bundles {
                let units: i64 = bundle.covers.iter().map(|c| c.1).sum();
                for (qty, c) in bundle.levels.iter().skip(1) {
                    let unit = cost(*c) / (units * qty) as f64;
                    for (item, _) in &bundle.covers {
                        lambda[*item] = lambda[*item].min(unit);
                    }
                }
            }
        }
        for (l, p) in lambda.iter_mut().zip(&model.penalty) {
            *l = if l.is_finite() {
                l.min(*p)
            } else if p.is_finite() {
                *p
            } else {
                0.0
            };
        }
        let scale = lambda.iter().map(|l| l.max(1.0)).collect();
        let scratch = Scratch {
            trials: TRIALS,
            max_carts: CARTS,
            ..Scratch::default()
        };
        Self {
            lambda,
            bound: f64::NEG_INFINITY,
            open_share: vec![0.0; model.shops.len()],
            state_share: vec![0.0; model.shops.iter().map(|s| s.states.len()).sum()],
            warm: vec![None; model.shops.iter().map(|s| s.states.len()).sum()],
            scale,
            direction: vec![0.0; n],
            scratch,
            worths: vec![[None; 2]; model.shops.len()],
            carts: vec![Default::default(); model.shops.len()],
            taken: vec![0.0; n],
            local: vec![0.0; n],
        }
    }

    /// How often a state was chosen lately.
    pub(super) fn share(&self, space: &Space, shop: usize, state: usize) -> f64 {
        self.state_share[space.offset[shop] + state]
    }

    pub(super) fn eval(&mut self, model: &Model, space: &Space) -> Eval {
        let apart = model.max_pickups.is_some();
        for (s, shop) in model.shops.iter().enumerate() {
            self.worths[s] = if space.status[s] == Status::Closed {
                [None; 2]
            } else {
                let allowed = |state| space.allows(s, state);
                {
                    let warm = &mut self.warm[space.offset[s]..space.offset[s + 1]];
                    let scratch = &mut self.scratch;
                    let best = worth(
                        model,
                        shop,
                        &self.lambda,
                        allowed,
                        apart,
                        scratch,
                        warm,
                        None,
                    );
                    std::mem::swap(&mut self.carts[s], &mut scratch.carts);
                    best
                }
            };
        }
        let list: f64 = self
            .lambda
            .iter()
            .zip(&model.need)
            .map(|(l, q)| l * *q as f64)
            .sum();
        let mut eval = choose(model, space, &self.worths);
        eval.bound = list - eval.bound - model.budget_rebate();
        eval.loose = list - eval.loose - model.budget_rebate();
        eval
    }

    /// Raises the bound until it shows that nothing under `target` is left in the
    /// space, or for `steps` steps.
    pub(super) fn ascend(
        &mut self,
        model: &Model,
        space: &Space,
        target: f64,
        prune_at: f64,
        steps: usize,
        stop: &mut dyn FnMut() -> bool,
    ) {
        let mut best = self.lambda.clone();
        self.bound = f64::NEG_INFINITY;
        self.direction.fill(0.0);
        let (mut step, mut stale) = (1.0_f64, 0);
        let patience = 8 + steps / 40;
        self.scratch.trials = QUICK_TRIALS;
        self.scratch.max_carts = QUICK_CARTS;
        for iteration in 0..steps {
            let eval = self.eval(model, space);
            let gain = eval.bound - self.bound;
            if eval.bound > self.bound {
                self.bound = eval.bound;
                best.copy_from_slice(&self.lambda);
                if gain > (target - eval.bound).abs() * 1e-3 {
                    stale = 0;
                } else {
                    stale += 1;
                }
            } else {
                stale += 1;
            }
            if self.bound > prune_at || (iteration % 16 == 15 && stop()) {
                break;
            }
            if stale >= patience {
                step *= 0.6;
                stale = 0;
                self.lambda.copy_from_slice(&best);
                self.direction.fill(0.0);
                if step < 0.004 {
                    break;
                }
            }
            self.collect(model, &eval.chosen);
            let weight = if iteration == 0 { 1.0 } else { 0.08 };
            for share in self.open_share.iter_mut().chain(&mut self.state_share) {
                *share *= 1.0 - weight;
            }
            for (s, w) in &eval.chosen {
                self.open_share[*s] += weight;
                self.state_share[space.offset[*s] + w.state] += weight;
            }
            let mut norm = 0.0;
            let mut agree = 0.0;
            for i in 0..self.lambda.len() {
                let g = (model.need[i] as f64 - self.taken[i]) * self.scale[i];
                agree += g * self.direction[i];
                self.taken[i] = g;
            }
            let keep = if agree < 0.0 { 0.0 } else { 0.6 };
            for i in 0..self.lambda.len() {
                let d = self.taken[i] + keep * self.direction[i];
                self.direction[i] = d;
                let blocked = (d < 0.0 && self.lambda[i] <= 0.0)
                    || (d > 0.0 && self.lambda[i] >= model.penalty[i]);
                if !blocked {
                    norm += d * d;
                }
            }
            if norm <= 1e-12 {
                break;
            }
            let room = (target - eval.bound).max(target.abs() * 1e-5).max(0.5);
            let t = step * room / norm;
            for i in 0..self.lambda.len() {
                let moved = self.lambda[i] + t * self.direction[i] * self.scale[i];
                self.lambda[i] = moved.clamp(0.0, model.penalty[i]);
            }
        }
        self.scratch.trials = TRIALS;
        self.scratch.max_carts = CARTS;
        self.lambda = best;
        // Once more with every range priced carefully.
        if self.bound <= prune_at {
            self.bound = self.bound.max(self.eval(model, space).bound);
        }
    }

    /// Units of each item in the chosen carts, into `taken`.
    fn collect(&mut self, model: &Model, chosen: &[(usize, Worth)]) {
        self.taken.fill(0.0);
        for (s, w) in chosen {
            let shop = &model.shops[*s];
            let mode = model.max_pickups.is_some() && shop.states[w.state].pickup;
            let choices = std::mem::take(&mut self.carts[*s][usize::from(mode)]);
            for c in &choices {
                match shop.choices[*c].what {
                    For::Item(i) => self.local[i] += shop.choices[*c].units,
                    For::Bundle(b, qty) => {
                        for (i, a) in &shop.bundles[b].covers {
                            self.local[*i] += (a * qty) as f64;
                        }
                    }
                }
            }
            for c in &choices {
                let mut add = |i: usize| {
                    self.taken[i] += self.local[i].min(model.need[i] as f64);
                    self.local[i] = 0.0;
                };
                match shop.choices[*c].what {
                    For::Item(i) => add(i),
                    For::Bundle(b, _) => shop.bundles[b].covers.iter().for_each(|c| add(c.0)),
                }
            }
            self.carts[*s][usize::from(mode)] = choices;
        }
    }

    /// Removes what cannot be part of anything better than `prune_at`. False if
    /// nothing is left.
    pub(super) fn reduce(&mut self, model: &Model, space: &mut Space, prune_at: f64) -> bool {
        let eval = self.eval(model, space);
        if eval.bound > prune_at {
            return false;
        }
        let open = space.open().count();
        let slots = model.max_shops.saturating_sub(open);
        let mut free: Vec<f64> = (0..model.shops.len())
            .filter(|s| space.status[*s] == Status::Free)
            .map(|s| eval.best[s])
            .filter(|v| *v > 0.0)
            .collect();
        free.sort_unstable_by(|a, b| b.total_cmp(a));
        // What the last chosen and the first left out are worth.
        let last_in = free
            .get(slots.wrapping_sub(1))
            .copied()
            .unwrap_or(0.0)
            .max(0.0);
        let first_out = free.get(slots).copied().unwrap_or(0.0).max(0.0);
        let mut values = Vec::new();
        for s in 0..model.shops.len() {
            if space.status[s] == Status::Closed {
                continue;
            }
            let mine = eval.best[s];
            let is_in = mine > 0.0 && mine >= last_in && slots > 0;
            let mut forced = eval.loose;
            if space.status[s] == Status::Free {
                if slots == 0 || (!is_in && eval.loose + last_in - mine > prune_at) {
                    space.status[s] = Status::Closed;
                    continue;
                }
                if is_in && eval.loose + mine - first_out > prune_at {
                    space.status[s] = Status::Open;
                } else if !is_in {
                    forced = eval.loose + last_in - mine;
                }
            }
            let count = space.states(s).count();
            if count > 1 {
                let allowed = |state| space.allows(s, state);
                worth(
                    model,
                    &model.shops[s],
                    &self.lambda,
                    allowed,
                    false,
                    &mut self.scratch,
                    &mut self.warm[space.offset[s]..space.offset[s + 1]],
                    Some(&mut values),
                );
                for (state, value) in values.iter().enumerate() {
                    if space.allows(s, state) && forced + mine - value > prune_at {
                        space.forbid(s, state);
                    }
                }
                if space.states(s).next().is_none() {
                    if space.status[s] == Status::Open {
                        return false;
                    }
                    space.status[s] = Status::Closed;
                }
            }
        }
        space.settle(model.max_shops)
    }
}

/// The set of shops that is worth most within the limits. `bound` and `loose` hold
/// its worth with and without the limit on pickups.
fn choose(model: &Model, space: &Space, worths: &[[Option<Worth>; 2]]) -> Eval {
    let mut eval = Eval {
        best: vec![f64::NEG_INFINITY; worths.len()],
        ..Eval::default()
    };
    let mut free = Vec::new();
    let mut open = 0;
    for (s, modes) in worths.iter().enumerate() {
        let Some(best) = better(modes) else { continue };
        eval.best[s] = best.value;
        match space.status[s] {
            Status::Open => {
                open += 1;
                eval.chosen.push((s, best));
            }
            Status::Free if best.value > 0.0 => free.push((s, best)),
            _ => {}
        }
    }
    let slots = model.max_shops.saturating_sub(open);
    let binding = free.len() > slots;
    if binding {
        free.sort_unstable_by(|a, b| b.1.value.total_cmp(&a.1.value));
        free.truncate(slots);
    }
    eval.chosen.extend(free);
    eval.loose = eval.chosen.iter().map(|c| c.1.value).sum();
    eval.bound = eval.loose;
    let Some(limit) = model.max_pickups else {
        return eval;
    };
    let picked = |c: &(usize, Worth)| model.shops[c.0].states[c.1.state].pickup;
    let pickups = eval.chosen.iter().filter(|c| picked(c)).count();
    if pickups <= limit {
        return eval;
    }
    if binding {
        eval.chosen = choose_with_pickups(model.max_shops, limit, space, worths);
    } else {
        let mut losses: Vec<(f64, usize)> = Vec::new();
        for (at, c) in eval.chosen.iter().enumerate().filter(|(_, c)| picked(c)) {
            let sent = worths[c.0][0].map_or(f64::NEG_INFINITY, |w| w.value);
            let otherwise = match space.status[c.0] {
                Status::Open => sent,
                _ => sent.max(0.0),
            };
            losses.push((c.1.value - otherwise, at));
        }
        losses.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut dropped = Vec::new();
        for (_, at) in losses.iter().take(pickups - limit) {
            let s = eval.chosen[*at].0;
            match worths[s][0] {
                Some(w) if w.value > 0.0 || space.status[s] == Status::Open => {
                    eval.chosen[*at].1 = w;
                }
                _ if space.status[s] == Status::Open => {
                    // No way within the limit: the space is empty.
                    eval.bound = f64::NEG_INFINITY;
                    return eval;
                }
                _ => dropped.push(*at),
            }
        }
        dropped.sort_unstable();
        for at in dropped.into_iter().rev() {
            eval.chosen.swap_remove(at);
        }
    }
    eval.bound = eval.chosen.iter().map(|c| c.1.value).sum();
    eval
}

fn better(modes: &[Option<Worth>; 2]) -> Option<Worth> {
    match (modes[0], modes[1]) {
        (Some(a), Some(b)) => Some(if a.value >= b.value { a } else { b }),
        (a, b) => a.or(b),
    }
}

/// Dynamic programming over (shops used, pickups used).
fn choose_with_pickups(
    max_shops: usize,
    max_pickups: usize,
    space: &Space,
    worths: &[[Option<Worth>; 2]],
) -> Vec<(usize, Worth)> {
    let width = max_pickups + 1;
    let size = (max_shops + 1) * width;
    let mut table = vec![f64::NEG_INFINITY; size];
    table[0] = 0.0;
    let mut steps: Vec<(usize, Vec<u8>)> = Vec::new();
    for (s, modes) in worths.iter().enumerate() {
        let must = space.status[s] == Status::Open;
        let useful = |w: &Option<Worth>| w.is_some_and(|w| must || w.value > 0.0);
        if !must && !modes.iter().any(useful) {
            continue;
        }
        let mut next = if must {
            vec![f64::NEG_INFINITY; size]
        } else {
            table.clone()
        };
        let mut taken = vec![0_u8; size];
        for k in 0..max_shops {
            for l in 0..width {
                let from = table[k * width + l];
                if from == f64::NEG_INFINITY {
                    continue;
                }
                for (mode, w) in modes.iter().enumerate().filter(|m| useful(m.1)) {
                    let (Some(w), true) = (w, l + mode < width) else {
                        continue;
                    };
                    let to = (k + 1) * width + l + mode;
                    if from + w.value > next[to] {
                        next[to] = from + w.value;
                        taken[to] = mode as u8 + 1;
                    }
                }
            }
        }
        table = next;
        steps.push((s, taken));
    }
    let Some(mut at) = (0..size).max_by(|a, b| table[*a].total_cmp(&table[*b])) else {
        return Vec::new();
    };
    let mut chosen = Vec::new();
    for (s, taken) in steps.iter().rev() {
        if taken[at] > 0 {
            let mode = usize::from(taken[at] - 1);
            if let Some(w) = worths[*s][mode] {
                chosen.push((*s, w));
            }
            at -= width + mode;
        }
    }
    chosen
}
