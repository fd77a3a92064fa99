//! Answers on the way: from the linear program, and by exchanging shops.

use super::{Cart, DIVE_PIVOTS, Prices, ROUGH, Search, Status};
use crate::engine::basket::incumbent::Answer;
use crate::engine::basket::instance::Cents;
use crate::engine::basket::master::Master;
use crate::engine::basket::model::Bundle;

/// Sets of shops that a local search tries, times the items of the list: more than an
/// ordinary list has, and few where each takes long.
const TRIALS: usize = 50_000;
/// How often one answer of a dive may leave the most used cart and go another way (limited
/// discrepancy search: Harvey and Ginsberg 1995).
const DISCREPANCIES: usize = 1;

/// A cart that a dive takes or leaves.
struct Settled {
    column: usize,
    /// Columns switched off for it.
    banned: Vec<usize>,
    /// It was the whole of its shop: there was nothing to choose.
    whole: bool,
    taken: bool,
}

impl Search<'_, '_> {
    /// Answers from the linear program: its whole carts, and its shops.
    pub(super) fn round(&mut self, steps: usize) {
        let Some(master) = &self.master else { return };
        let mut used: Vec<(f64, usize)> = Vec::new();
        for (column, x) in master.solution() {
            if x > 0.02 && self.carts[column].is_some() {
                used.push((x, column));
            }
        }
        used.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut taken: Vec<usize> = Vec::new();
        let shop = |column: usize| self.carts[column].as_ref().map(|c| c.shop);
        for (_, column) in &used {
            if taken.iter().all(|t| shop(*t) != shop(*column)) {
                taken.push(*column);
            }
        }
        let share = self.shares();
        self.consider(&self.lines_of(&taken));
        let whole: Vec<usize> = used.iter().filter(|u| u.0 > 0.999).map(|u| u.1).collect();
        self.adopt(&whole);
        self.dive(steps);
        for least in [0.5, 0.2] {
            let shops: Vec<usize> = share.iter().filter(|s| s.1 > least).map(|s| s.0).collect();
            self.leaf.quick(&shops, self.incumbent);
        }
    }

    /// Prices an answer, and the same without what nobody needs.
    fn consider(&mut self, lines: &[(usize, i64)]) {
        self.incumbent.consider(lines);
        if let Some(fewer) = self.incumbent.trimmed(lines) {
            self.incumbent.consider(&fewer);
        }
    }

    /// Settles one shop after the other on its most used cart, and goes back to the last
    /// that could be settled otherwise: depth first over the carts at hand.
    fn dive(&mut self, steps: usize) {
        let Some(mut master) = self.master.take() else {
            return;
        };
        let kept = master.snapshot();
        let pivots = DIVE_PIVOTS * master.duals().len();
        let mut solved = true;
        let mut path: Vec<Settled> = Vec::new();
        for _ in 0..steps {
            // Limited pivots: what looks too dear may not be, but answers are a bonus.
            let next = if solved {
                self.most_used(&master, &path)
            } else {
                None
            };
            match next {
                Some((x, column)) => {
                    let others = self.rivals(column).filter(|_| x < 0.999).collect();
                    path.push(Settled {
                        column,
                        banned: others,
                        whole: x >= 0.999,
                        taken: true,
                    });
                }
                None => {
                    let taken = path.iter().filter(|s| s.taken).map(|s| s.column);
                    let taken: Vec<usize> = taken.collect();
                    self.consider(&self.lines_of(&taken));
                    self.adopt(&taken);
                    // The last choice that was one, the other way.
                    while let Some(last) = path.pop() {
                        for c in &last.banned {
                            master.unban(*c);
                        }
                        let left = path.iter().filter(|s| !s.taken).count();
                        if last.taken && !last.whole && left < DISCREPANCIES {
                            path.push(Settled {
                                banned: vec![last.column],
                                taken: false,
                                ..last
                            });
                            break;
                        }
                    }
                    if path.is_empty() {
                        break;
                    }
                }
            }
            if let Some(last) = path.last().filter(|s| !s.banned.is_empty()) {
                for c in &last.banned {
                    master.ban(*c);
                }
                solved = master.solve_below(self.incumbent.prune_at(), pivots);
            }
        }
        for c in path.iter().flat_map(|s| &s.banned) {
            master.unban(*c);
        }
        master.restore(&kept);
        self.master = Some(master);
    }

    /// The most used cart of the shops that are not settled yet.
    fn most_used(&self, master: &Master, path: &[Settled]) -> Option<(f64, usize)> {
        let shop = |column: usize| self.carts[column].as_ref().map(|c| c.shop);
        let settled = |s: usize| path.iter().any(|p| p.taken && shop(p.column) == Some(s));
        let used = master
            .solution()
            .filter(|(column, x)| *x > 0.01 && shop(*column).is_some_and(|s| !settled(s)));
        used.map(|(column, x)| (x, column))
            .max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// The columns that cannot be used with a cart: those of its shop.
    fn rivals(&self, column: usize) -> impl Iterator<Item = usize> + '_ {
        let shop = self.carts[column].as_ref().map(|c| c.shop);
        let of = move |(c, cart): (usize, &Option<Cart>)| {
            let same = cart.as_ref().is_some_and(|cart| Some(cart.shop) == shop);
            (same && c != column).then_some(c)
        };
        let idle = shop.map(|s| self.idle[s]);
        self.carts.iter().enumerate().filter_map(of).chain(idle)
    }

    /// What carts buy together.
    fn lines_of(&self, columns: &[usize]) -> Vec<(usize, i64)> {
        let mut lines = Vec::new();
        for cart in columns.iter().filter_map(|c| self.carts[*c].as_ref()) {
            let shop = &self.model.shops[cart.shop];
            for c in &cart.choices {
                let (from, to) = shop.choices[*c as usize].picks;
                lines.extend_from_slice(&shop.picks[from as usize..to as usize]);
            }
        }
        lines
    }

    /// An answer as the carts say it: with their modes and coupons.
    fn adopt(&mut self, columns: &[usize]) {
        let model = self.model;
        let carts: Vec<&Cart> = columns
            .iter()
            .filter_map(|c| self.carts[*c].as_ref())
            .collect();
        for (link, limit) in &self.links {
            let used: f64 = carts.iter().map(|c| self.uses(c, *link)).sum();
            if used > limit + 1e-9 {
                return;
            }
        }
        let mut left: Vec<f64> = model.need.iter().map(|q| *q as f64).collect();
        let mut cost = 0;
        let mut answer = Answer {
            lines: self.lines_of(columns),
            ..Answer::default()
        };
        let mut shops = Vec::new();
        for cart in &carts {
            let shop = &model.shops[cart.shop];
            cost += cart.cost;
            shops.push(cart.shop);
            for (i, units) in &cart.units {
                left[*i] -= units;
            }
            let state = &shop.states[cart.state];
            answer.coupons.extend_from_slice(&state.coupons);
            if state.pickup {
                answer.pickups.push(cart.shop);
            }
        }
        if self.exactly_once() && left.iter().any(|l| *l < 0.0) {
            return;
        }
        for (left, penalty) in left.iter().zip(&model.penalty).filter(|l| *l.0 > 0.0) {
            if *penalty >= model.big {
                return;
            }
            cost += (left * penalty) as Cents;
        }
        self.incumbent.adopt(cost, answer, shops);
    }

    /// Adds, drops and exchanges shops of the best answer, and of the linear program.
    pub(super) fn local_search(&mut self, prices: &Prices, stop: &mut dyn FnMut() -> bool) {
        let model = self.model;
        let mut carts = Vec::new();
        self.price_all(prices, ROUGH, None, &mut carts);
        let mut ranked: Vec<usize> = (0..model.shops.len())
            .filter(|s| self.status[*s] != Status::Closed)
            .collect();
        ranked.sort_by(|a, b| self.worths[*b].total_cmp(&self.worths[*a]));
        ranked.truncate(model.max_shops.min(20) + 16);
        let used = self.shares().into_iter().take(model.max_shops);
        let mut starts: Vec<Vec<usize>> = vec![used.map(|s| s.0).collect()];
        if self.incumbent.cost.is_some() {
            starts.push(self.incumbent.shops.clone());
        } else {
            let mut chosen: Vec<usize> = ranked
                .iter()
                .copied()
                .take(model.max_shops)
                .filter(|s| self.worths[*s] > 0.0)
                .collect();
            self.cover(&mut chosen);
            starts.push(chosen);
        }
        starts.retain(|s| !s.is_empty());
        ranked.extend(starts.iter().flatten());
        ranked.sort_unstable();
        ranked.dedup();
        for start in starts {
            self.exchange(start, &ranked, stop);
        }
    }

    /// Improves on the shops of an answer, one exchange at a time.
    fn exchange(
        &mut self,
        mut current: Vec<usize>,
        shops: &[usize],
        stop: &mut dyn FnMut() -> bool,
    ) {
        let most = self.model.max_shops;
        let mut score = self.leaf.quick(&current, self.incumbent);
        let mut improved = true;
        let mut left = TRIALS / self.model.need.len().max(1);
        while improved {
            improved = false;
            let mut trials: Vec<Vec<usize>> = Vec::new();
            for at in 0..current.len() {
                let mut dropped = current.clone();
                dropped.remove(at);
                trials.push(dropped);
            }
            for s in shops.iter().filter(|s| !current.contains(s)) {
                if current.len() < most {
                    trials.push([current.as_slice(), &[*s]].concat());
                }
                for at in 0..current.len() {
                    let mut swapped = current.clone();
                    swapped[at] = *s;
                    trials.push(swapped);
                }
            }
            for trial in trials {
                if left == 0 || stop() {
                    return;
                }
                left -= 1;
                let cost = self.leaf.quick(&trial, self.incumbent);
                if cost < score {
                    score = cost;
                    current = trial;
                    improved = true;
                    break;
                }
            }
        }
    }

    /// The shops of the linear program and how much of each is used, the most used first.
    fn shares(&self) -> Vec<(usize, f64)> {
        let mut shares: Vec<(usize, f64)> = Vec::new();
        for (column, x) in self.master.iter().flat_map(Master::solution) {
            if let Some(cart) = self.carts[column].as_ref().filter(|_| x > 0.02) {
                match shares.iter_mut().find(|s| s.0 == cart.shop) {
                    Some(s) => s.1 += x,
                    None => shares.push((cart.shop, x)),
                }
            }
        }
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        shares
    }

    /// Adds shops for items that none of `chosen` sells, while the limit allows.
    fn cover(&self, chosen: &mut Vec<usize>) {
        let model = self.model;
        for (item, penalty) in model.penalty.iter().enumerate() {
            let sells = |s: usize| {
                let shop = &model.shops[s];
                let bundled = |b: &Bundle| b.covers.iter().any(|c| c.0 == item);
                shop.cell(item).is_some() || shop.bundles.iter().any(bundled)
            };
            if *penalty < model.big || chosen.iter().any(|s| sells(*s)) {
                continue;
            }
            let sellers =
                (0..model.shops.len()).filter(|s| sells(*s) && self.status[*s] != Status::Closed);
            let best = sellers.max_by(|a, b| self.worths[*a].total_cmp(&self.worths[*b]));
            if let Some(best) = best.filter(|_| chosen.len() < model.max_shops) {
                chosen.push(best);
            }
        }
    }
}
