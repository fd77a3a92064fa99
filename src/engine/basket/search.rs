//! Branch and bound over the states of shops: best bound first, children by the
//! shop the relaxation is least sure of.

use super::dual::{Dual, Space, Status};
use super::incumbent::Incumbent;
use super::leaf::{Leaf, Open, Split, splits};
use super::model::Model;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::rc::Rc;

/// Steps of the dual ascent at the root and below it.
const ROOT_STEPS: usize = 500;
const NODE_STEPS: usize = 60;
/// Nodes kept; beyond, the search goes depth first so that memory stays bounded.
const MAX_OPEN_NODES: usize = 20_000;

/// What the search did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sets of shop decisions bounded.
    pub nodes: u64,
    /// Relaxations solved with the shops fixed.
    pub leaf_nodes: u64,
}

struct Node {
    bound: f64,
    depth: usize,
    space: Space,
    lambda: Rc<Vec<f64>>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Node {}
impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Node {
    /// The greatest of the heap is the node with the least bound, the deepest of equals.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_bound = other.bound.total_cmp(&self.bound);
        by_bound.then(self.depth.cmp(&other.depth))
    }
}

pub(super) struct Search<'a, 'm> {
    model: &'m Model,
    incumbent: &'a mut Incumbent<'m>,
    dual: Dual,
    leaf: Leaf<'m>,
    pub stats: Stats,
}

impl<'a, 'm> Search<'a, 'm> {
    pub(super) fn new(model: &'m Model, incumbent: &'a mut Incumbent<'m>) -> Self {
        Self {
            model,
            incumbent,
            dual: Dual::new(model),
            leaf: Leaf::new(model),
            stats: Stats::default(),
        }
    }

    /// Searches until the best answer is proven or `stop` says so. Returns the bound
    /// reached (infinite when nothing better is left).
    pub(super) fn run(&mut self, stop: &mut dyn FnMut() -> bool) -> f64 {
        let model = self.model;
        let mut root = Space::new(model);
        if !root.settle(model.max_shops) {
            return f64::INFINITY;
        }
        self.start(&root, stop);
        for _ in 0..2 {
            let before = self.incumbent.cost;
            let prune_at = self.incumbent.prune_at();
            let target = before.map_or(self.dual.bound * 1.02, |c| c as f64);
            self.dual
                .ascend(model, &root, target, prune_at, ROOT_STEPS, stop);
            if self.dual.bound > prune_at || !self.dual.reduce(model, &mut root, prune_at) {
                return f64::INFINITY;
            }
            self.local_search(&root, stop);
            if before.is_some() || self.incumbent.cost.is_none() {
                break;
            }
        }
        let mut heap = BinaryHeap::new();
        heap.push(Node {
            bound: self.dual.bound,
            depth: 0,
            space: root,
            lambda: Rc::new(self.dual.lambda.clone()),
        });
        let mut stack: Vec<Node> = Vec::new();
        let mut reached = f64::INFINITY;
        while let Some(node) = stack.pop().or_else(|| heap.pop()) {
            if node.bound > self.incumbent.prune_at() {
                continue;
            }
            if stop() {
                reached = reached.min(node.bound);
                break;
            }
            let children = self.branch(node, stop);
            for child in children {
                if heap.len() > MAX_OPEN_NODES {
                    stack.push(child);
                } else {
                    heap.push(child);
                }
            }
        }
        let open = heap.iter().chain(&stack).map(|n| n.bound);
        let open = open.filter(|b| *b <= self.incumbent.prune_at());
        self.stats.leaf_nodes = self.leaf.nodes;
        let unresolved = Some(self.leaf.unresolved).filter(|b| *b <= self.incumbent.prune_at());
        open.chain(unresolved).fold(reached, f64::min)
    }

    /// Bounds a node, reduces it, and returns what is left of it in two parts.
    fn branch(&mut self, mut node: Node, stop: &mut dyn FnMut() -> bool) -> Vec<Node> {
        self.stats.nodes += 1;
        let model = self.model;
        self.dual.lambda.copy_from_slice(&node.lambda);
        let target = self.incumbent.cost.map_or(node.bound * 1.02, |c| c as f64);
        let prune_at = self.incumbent.prune_at();
        if node.depth > 0 {
            self.dual
                .ascend(model, &node.space, target, prune_at, NODE_STEPS, stop);
        }
        let bound = self.dual.bound.max(node.bound);
        if bound > prune_at || !self.dual.reduce(model, &mut node.space, prune_at) {
            return Vec::new();
        }
        if node.space.decided() {
            return self.branch_states(node, bound, stop);
        }
        let eval = self.dual.eval(model, &node.space);
        let chosen: Vec<usize> = eval.chosen.iter().map(|c| c.0).collect();
        if node.depth > 0 {
            self.leaf.quick(&chosen, self.incumbent);
        }
        let share = &self.dual.open_share;
        let doubt = |s: &usize| (share[*s] - 0.5).abs() + 0.2 * f64::from(share[*s] < 0.5);
        let free = (0..model.shops.len()).filter(|s| node.space.status[*s] == Status::Free);
        let Some(shop) = free.min_by(|a, b| doubt(a).total_cmp(&doubt(b))) else {
            return Vec::new();
        };
        let lambda = Rc::new(self.dual.lambda.clone());
        let mut children = Vec::new();
        for status in [Status::Closed, Status::Open] {
            let mut space = node.space.clone();
            space.status[shop] = status;
            if space.settle(model.max_shops) {
                children.push(Node {
                    bound,
                    depth: node.depth + 1,
                    space,
                    lambda: Rc::clone(&lambda),
                });
            }
        }
        children
    }

    /// With the shops decided: splits the states of one, or solves exactly when there
    /// is nothing to split.
    fn branch_states(
        &mut self,
        node: Node,
        bound: f64,
        stop: &mut dyn FnMut() -> bool,
    ) -> Vec<Node> {
        let model = self.model;
        let open = open_shops(&node.space);
        if open.iter().all(|o| o.states.len() == 1) {
            self.leaf
                .explore(open, self.incumbent, usize::MAX, bound, stop);
            return Vec::new();
        }
        if self.leaf.glance(&open, self.incumbent) > self.incumbent.prune_at() {
            return Vec::new();
        }
        let mut best: Option<(f64, usize, Split)> = None;
        for o in open.iter().filter(|o| o.states.len() > 1) {
            let share = |s: &usize| self.dual.share(&node.space, o.shop, *s);
            let likely = o.states.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
            let Some(likely) = likely else { continue };
            for split in splits(model, o.shop, &o.states, *likely) {
                let sum = |states: &[usize]| states.iter().map(share).sum::<f64>();
                let balance = sum(&split.0).min(sum(&split.1));
                if best.as_ref().is_none_or(|b| balance > b.0) {
                    best = Some((balance, o.shop, split));
                }
            }
        }
        let Some((_, shop, (yes, no))) = best else {
            return Vec::new();
        };
        let lambda = Rc::new(self.dual.lambda.clone());
        let child = |forbidden: &[usize]| {
            let mut space = node.space.clone();
            forbidden.iter().for_each(|s| space.forbid(shop, *s));
            Node {
                bound,
                depth: node.depth + 1,
                space,
                lambda: Rc::clone(&lambda),
            }
        };
        vec![child(&yes), child(&no)]
    }

    /// First prices and a first answer.
    fn start(&mut self, root: &Space, stop: &mut dyn FnMut() -> bool) {
        let model = self.model;
        for _ in 0..4 {
            let bound = self.dual.eval(model, root).bound;
            let target = bound.max(1.0) * 1.1;
            self.dual
                .ascend(model, root, target, f64::INFINITY, 20, stop);
        }
        let eval = self.dual.eval(model, root);
        let chosen: Vec<usize> = eval.chosen.iter().map(|c| c.0).collect();
        self.leaf.quick(&chosen, self.incumbent);
        if self.incumbent.cost.is_none() {
            let mut chosen = chosen;
            self.cover(&eval.best, &mut chosen);
            self.leaf.quick(&chosen, self.incumbent);
        }
    }

    /// Adds shops for items that none of `chosen` sells, while the limit allows.
    fn cover(&self, worth: &[f64], chosen: &mut Vec<usize>) {
        let model = self.model;
        for (item, penalty) in model.penalty.iter().enumerate() {
            let sells = |s: usize| {
                let shop = &model.shops[s];
                let bundled = |b: &super::model::Bundle| b.covers.iter().any(|c| c.0 == item);
                shop.cell(item).is_some() || shop.bundles.iter().any(bundled)
            };
            if *penalty < model.big || chosen.iter().any(|s| sells(*s)) {
                continue;
            }
            let sellers = (0..model.shops.len()).filter(|s| sells(*s) && worth[*s].is_finite());
            let best = sellers.max_by(|a, b| worth[*a].total_cmp(&worth[*b]));
            if let Some(best) = best.filter(|_| chosen.len() < model.max_shops) {
                chosen.push(best);
            }
        }
    }

    /// Adds, drops and exchanges shops of the best answer.
    fn local_search(&mut self, space: &Space, stop: &mut dyn FnMut() -> bool) {
        let model = self.model;
        let eval = self.dual.eval(model, space);
        let mut ranked: Vec<usize> = (0..model.shops.len())
            .filter(|s| eval.best[*s].is_finite())
            .collect();
        ranked.sort_by(|a, b| eval.best[*b].total_cmp(&eval.best[*a]));
        ranked.truncate(model.max_shops.min(20) + 16);
        let mut current = if self.incumbent.cost.is_some() {
            self.incumbent.shops.clone()
        } else {
            let mut chosen: Vec<usize> = eval.chosen.iter().map(|c| c.0).collect();
            self.cover(&eval.best, &mut chosen);
            ranked.extend(&chosen);
            ranked.sort_unstable();
            ranked.dedup();
            chosen
        };
        let mut score = self.leaf.quick(&current, self.incumbent);
        let mut improved = true;
        while improved {
            improved = false;
            let mut trials: Vec<Vec<usize>> = Vec::new();
            for at in 0..current.len() {
                let mut dropped = current.clone();
                dropped.remove(at);
                trials.push(dropped);
            }
            for s in ranked.iter().filter(|s| !current.contains(s)) {
                if current.len() < model.max_shops {
                    trials.push([current.as_slice(), &[*s]].concat());
                }
                for at in 0..current.len() {
                    let mut swapped = current.clone();
                    swapped[at] = *s;
                    trials.push(swapped);
                }
            }
            for trial in trials {
                if stop() {
                    return;
                }
                let cost = self.leaf.quick(&trial, self.incumbent);
                if cost < score {
                    score = cost;
                    current = trial;
                    improved = true;
                    break;
                }
            }
        }
        let mut space = space.clone();
        for s in 0..model.shops.len() {
            space.status[s] = match current.contains(&s) {
                true => Status::Open,
                false => Status::Closed,
            };
        }
        let before = self.leaf.unresolved;
        self.leaf.explore(
            open_shops(&space),
            self.incumbent,
            60,
            f64::NEG_INFINITY,
            stop,
        );
        self.leaf.unresolved = before;
    }
}

fn open_shops(space: &Space) -> Vec<Open> {
    let open = |shop| Open::new(shop, space.states(shop).collect());
    space.open().map(open).collect()
}
