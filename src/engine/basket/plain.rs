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

struct Search<'a> {
    market: &'a Market<'a>,
    dual: Dual,
    fate: Vec<Fate>,
    assign: Vec<usize>,
    cost: Cents,
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
        market: &market,
        dual: Dual::default(),
        fate: Vec::new(),
        assign,
        cost,
        kept: 0,
        given_up: Amount::MAX,
        stats: Stats::default(),
    };
    let bound = match market.core(stop) {
        Some(core) => search.run(core, stop),
        None => market.floor(),
    };
    Ok(Answer {
        solution: Solution::Classic {
            assign: search.assign,
        },
        cost: search.cost,
        bound: bound.min(search.cost),
        stats: search.stats,
    })
}

impl Search<'_> {
    /// A space whose bound is above this holds nothing better.
    fn enough(&self) -> Amount {
        (self.cost - 1) << self.market.shift
    }

    /// Returns the bound reached, in cents.
    fn run(&mut self, mut core: Core, stop: &mut dyn FnMut() -> bool) -> Cents {
        let mut point = Point {
            price: core.cap.clone(),
            share: vec![0.0; core.fee.len()],
            open: Vec::new(),
        };
        self.fate.clear();
        self.fate.resize(core.fee.len(), Fate::Free);
        core.decide(&mut point, &mut self.fate, |_, _| true);
        self.dual.ascend(&core, &mut point.price);
        let mut open: Vec<bool> = self.dual.slack.iter().map(|s| *s == 0).collect();
        self.polish(&core, &point, &mut open, stop);
        let bound = self
            .dual
            .reduce(&mut core, &mut point, self.enough(), &mut self.fate);
        let root = Node {
            core: Rc::new(core),
            point: Rc::new(point),
            decision: None,
            bound,
        };
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            self.kept -= node.decision.map_or(0, |_| node.core.cells.len());
            if node.bound > self.enough() {
                continue;
            }
            if stop() {
                self.given_up = self.given_up.min(node.bound);
                break;
            }
            self.explore(node, &mut stack, stop);
        }
        let open = stack
            .iter()
            .map(|n| n.bound)
            .fold(self.given_up, Amount::min);
        if open > self.enough() {
            return self.cost;
        }
        // Costs are whole cents, so the bound may be rounded up.
        let unit = 1 << self.market.shift;
        (open + unit - 1) >> self.market.shift
    }

    /// Keeps the answer with these shops of the core open if it is the best so far.
    fn offer(&mut self, core: &Core, point: &Point, open: &[bool]) {
        if primal::cost(core, open) > self.enough() {
            return;
        }
        let mut shops = point.open.clone();
        shops.extend(
            core.shop
                .iter()
                .zip(open)
                .filter(|(_, o)| **o)
                .map(|(s, _)| s),
        );
        let (assign, cost) = self.market.serve(&shops);
        if cost < self.cost {
            (self.assign, self.cost) = (assign, cost);
        }
    }

    /// Local search from a set of shops.
    fn polish(
        &mut self,
        core: &Core,
        point: &Point,
        open: &mut [bool],
        stop: &mut dyn FnMut() -> bool,
    ) {
        primal::improve(core, open, stop);
        self.offer(core, point, open);
    }

    /// Bounds a node, reduces it, and pushes what is left of it in two parts.
    fn explore(&mut self, node: Node, stack: &mut Vec<Node>, stop: &mut dyn FnMut() -> bool) {
        self.stats.nodes += 1;
        let at_root = node.decision.is_none();
        let mut core = Rc::unwrap_or_clone(node.core);
        let mut point = Rc::unwrap_or_clone(node.point);
        if let Some((shop, fate)) = node.decision {
            self.fate.clear();
            self.fate.resize(core.fee.len(), Fate::Free);
            self.fate[shop] = fate;
            core.decide(&mut point, &mut self.fate, |_, _| true);
        }
        let (steps, rounds, scale) = match at_root {
            true => (ROOT_STEPS, ROOT_ROUNDS, 1.0),
            false => (NODE_STEPS, NODE_ROUNDS, 0.5),
        };
        let mut bound = node.bound;
        let mut how = Climb {
            steps,
            enough: self.enough(),
            target: self.cost << self.market.shift,
            scale,
        };
        let mut last = Vec::new();
        for _ in 0..rounds {
            if core.fee.is_empty() {
                break;
            }
            how.enough = self.enough();
            how.target = self.cost << self.market.shift;
            let mut dual = std::mem::take(&mut self.dual);
            let seen_point = Point {
                open: point.open.clone(),
                ..Point::default()
            };
            let reached = dual.climb(
                &core,
                &mut point,
                &mut how,
                &mut |open| {
                    if last != open {
                        last.clear();
                        last.extend_from_slice(open);
                        self.offer(&core, &seen_point, open);
                    }
                },
                stop,
            );
            self.dual = dual;
            bound = bound.max(reached);
            if bound > self.enough() {
                return;
            }
            if at_root {
                let mut open: Vec<bool> = point.share.iter().map(|s| *s > 0.5).collect();
                self.polish(&core, &point, &mut open, stop);
            }
            self.dual
                .reduce(&mut core, &mut point, self.enough(), &mut self.fate);
            if how.scale < 0.002 || stop() {
                break;
            }
        }
        if core.fee.is_empty() {
            self.offer(&core, &point, &[]);
            return;
        }
        let doubt = |s: &usize| (point.share[*s] - 0.5).abs();
        let Some(shop) = (0..core.fee.len()).min_by(|a, b| doubt(a).total_cmp(&doubt(b))) else {
            return;
        };
        if self.kept + 2 * core.cells.len() > MAX_KEPT_CELLS {
            self.given_up = self.given_up.min(bound);
            return;
        }
        self.kept += 2 * core.cells.len();
        let mut order = [Fate::Closed, Fate::Open];
        if point.share[shop] < 0.5 {
            order.reverse();
        }
        let (core, point) = (Rc::new(core), Rc::new(point));
        for fate in order {
            stack.push(Node {
                core: Rc::clone(&core),
                point: Rc::clone(&point),
                decision: Some((shop, fate)),
                bound,
            });
        }
    }
}
