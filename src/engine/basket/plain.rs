//! The plain Internet Shopping Optimization Problem: no discounts, so a facility
//! location problem, with a method of its own that is much faster than the general
//! one. Depth-first branch and bound over shops; everything that a bound proves is
//! decided without branching. All amounts are exact integers.

mod core;
mod dual;
mod primal;

use self::core::{Amount, Core, Fate, Market, Point};
use super::evaluate::Solution;
use super::instance::{BasketError, Cents, Classic};
use super::search::Stats;
use dual::{Climb, Dual};
use std::rc::Rc;

/// Subgradient steps between two reductions at the root, and how often.
const ROOT_STEPS: usize = 24;
const ROOT_ROUNDS: usize = 20;
/// The same below the root.
const NODE_STEPS: usize = 16;
const NODE_ROUNDS: usize = 3;
/// Steps are halved in vain until here.
const MIN_SCALE: f64 = 0.002;
/// Cells kept for nodes to come: beyond, a node is given up and the gap says so.
const MAX_KEPT_CELLS: usize = 1 << 25;

/// The best answer found and what is proven.
pub(super) struct Answer {
    pub solution: Solution,
    pub cost: Cents,
    pub bound: Cents,
    pub stats: Stats,
}

/// A part of the search space: `core` with one free shop decided.
struct Node {
    core: Rc<Core>,
    point: Rc<Point>,
    decision: Option<(usize, Fate)>,
    bound: Amount,
}

/// The best answer so far.
struct Best<'a> {
    market: &'a Market<'a>,
    assign: Vec<usize>,
    cost: Cents,
}

impl Best<'_> {
    /// A space whose bound is above this holds nothing better.
    fn enough(&self) -> Amount {
        (self.cost - 1) << self.market.shift
    }

    /// Keeps the answer with the shops `opened` so far and these of the core, if it is
    /// better.
    fn offer(&mut self, core: &Core, opened: &[u32], open: &[bool]) {
        if primal::cost(core, open) > self.enough() {
            return;
        }
        let free = core.shop.iter().zip(open).filter(|(_, open)| **open);
        let shops: Vec<u32> = opened.iter().chain(free.map(|(s, _)| s)).copied().collect();
        let (assign, cost) = self.market.serve(&shops);
        if cost < self.cost {
            (self.assign, self.cost) = (assign, cost);
        }
    }
}

struct Search<'a> {
    best: Best<'a>,
    dual: Dual,
    fate: Vec<Fate>,
    /// Nodes to come; the last is the next.
    stack: Vec<Node>,
    /// Cells of the nodes to come, at most.
    kept: usize,
    /// The least bound of what was given up.
    given_up: Amount,
    stats: Stats,
}

/// Finds the least cost.
///
/// # Errors
/// [`BasketError::Infeasible`] if a product is sold nowhere.
pub(super) fn solve(
    instance: &Classic,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Answer, BasketError> {
    let market = Market::new(instance)
        .map_err(|j| BasketError::Infeasible(format!("no shop sells product {j}")))?;
    let (assign, cost) = market.serve(&[]);
    let mut search = Search {
        best: Best {
            market: &market,
            assign,
            cost,
        },
        dual: Dual::default(),
        fate: Vec::new(),
        stack: Vec::new(),
        kept: 0,
        given_up: Amount::MAX,
        stats: Stats::default(),
    };
    let bound = match market.core(stop) {
        Some(core) => search.run(core, stop),
        None => market.floor(),
    };
    let Best { assign, cost, .. } = search.best;
    Ok(Answer {
        solution: Solution::Classic { assign },
        cost,
        bound: bound.min(cost),
        stats: search.stats,
    })
}

impl Search<'_> {
    /// Returns the bound reached, in cents.
    fn run(&mut self, core: Core, stop: &mut dyn FnMut() -> bool) -> Cents {
        let root = self.root(core, stop);
        self.stack.push(root);
        while let Some(node) = self.stack.pop() {
            self.kept -= node.decision.map_or(0, |_| node.core.cells.len());
            if node.bound > self.best.enough() {
                continue;
            }
            if stop() {
                self.given_up = self.given_up.min(node.bound);
                break;
            }
            self.explore(node, stop);
        }
        let open = self.stack.iter().map(|n| n.bound);
        let open = open.fold(self.given_up, Amount::min);
        if open > self.best.enough() {
            return self.best.cost;
        }
        // Costs are whole cents, so the bound may be rounded up.
        let shift = self.best.market.shift;
        (open + (1 << shift) - 1) >> shift
    }

    /// First prices and a first answer.
    fn root(&mut self, mut core: Core, stop: &mut dyn FnMut() -> bool) -> Node {
        let mut point = Point {
            price: core.cap.clone(),
            share: vec![0.0; core.fee.len()],
            open: Vec::new(),
        };
        self.fate.clear();
        self.fate.resize(core.fee.len(), Fate::Free);
        core.decide(&mut point, &mut self.fate, |_, _| true);
        self.dual.ascend(&core, &mut point.price, stop);
        let mut open = self.dual.complement(&core, &point.price);
        primal::improve(&core, &mut open, stop);
        self.best.offer(&core, &point.open, &open);
        let enough = self.best.enough();
        let bound = self
            .dual
            .reduce(&mut core, &mut point, enough, &mut self.fate);
        Node {
            core: Rc::new(core),
            point: Rc::new(point),
            decision: None,
            bound,
        }
    }

    /// Bounds a node, reduces it, and keeps what is left of it in two parts.
    fn explore(&mut self, node: Node, stop: &mut dyn FnMut() -> bool) {
        self.stats.nodes += 1;
        let mut core = Rc::unwrap_or_clone(node.core);
        let mut point = Rc::unwrap_or_clone(node.point);
        let at_root = node.decision.is_none();
        if let Some((shop, fate)) = node.decision {
            self.fate.clear();
            self.fate.resize(core.fee.len(), Fate::Free);
            self.fate[shop] = fate;
            core.decide(&mut point, &mut self.fate, |_, _| true);
        }
        let (steps, rounds, mut scale) = match at_root {
            true => (ROOT_STEPS, ROOT_ROUNDS, 1.0),
            false => (NODE_STEPS, NODE_ROUNDS, 0.5),
        };
        let mut bound = node.bound;
        let mut seen: Vec<bool> = Vec::new();
        for _ in 0..rounds {
            if core.fee.is_empty() || scale < MIN_SCALE || stop() {
                break;
            }
            let best = &mut self.best;
            let climb = Climb {
                steps,
                enough: best.enough(),
                target: best.cost << best.market.shift,
            };
            let opened = &point.open;
            let reached = self.dual.climb(
                &core,
                (&mut point.price, &mut point.share),
                climb,
                &mut scale,
                &mut |open| {
                    if seen != open {
                        seen.clear();
                        seen.extend_from_slice(open);
                        best.offer(&core, opened, open);
                    }
                },
                stop,
            );
            bound = bound.max(reached);
            if bound > self.best.enough() {
                return;
            }
            if at_root {
                let mut open: Vec<bool> = point.share.iter().map(|s| *s > 0.5).collect();
                primal::improve(&core, &mut open, stop);
                self.best.offer(&core, &point.open, &open);
            }
            let enough = self.best.enough();
            self.dual
                .reduce(&mut core, &mut point, enough, &mut self.fate);
        }
        self.branch(core, point, bound);
    }

    /// Splits on the shop that the relaxation is least sure of.
    fn branch(&mut self, core: Core, point: Point, bound: Amount) {
        let doubt = |s: &usize| (point.share[*s] - 0.5).abs();
        let free = 0..core.fee.len();
        let Some(shop) = free.min_by(|a, b| doubt(a).total_cmp(&doubt(b))) else {
            self.best.offer(&core, &point.open, &[]);
            return;
        };
        if self.kept + 2 * core.cells.len() > MAX_KEPT_CELLS {
            self.given_up = self.given_up.min(bound);
            return;
        }
        self.kept += 2 * core.cells.len();
        // The likelier half comes first, that is, last.
        let mut order = [Fate::Closed, Fate::Open];
        if point.share[shop] < 0.5 {
            order.reverse();
        }
        let (core, point) = (Rc::new(core), Rc::new(point));
        for fate in order {
            self.stack.push(Node {
                core: Rc::clone(&core),
                point: Rc::clone(&point),
                decision: Some((shop, fate)),
                bound,
            });
        }
    }
}

#[cfg(test)]
mod tests;
