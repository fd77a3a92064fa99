//! Branch and price: the linear program over whole carts gives prices, the shops give
//! the carts worth more than their price, and what stays fractional is branched on.
//!
//! At any prices the value of the list minus what each shop is worth is a lower bound
//! (Lagrange), so that every node, and the whole search when it is interrupted, has a
//! valid bound long before its linear program is solved.

mod answers;
mod ascent;
mod branching;
mod cuts;
mod generation;
mod neighbourhood;

use super::incumbent::Incumbent;
use super::instance::Instance;
use super::leaf::Leaf;
use super::master::Master;
use super::model::{For, Model};
use super::pricing::{Cart, Cut, Effort, Pricer, Prices, View, worth_of};
use neighbourhood::ITEMS;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};
use std::rc::Rc;

// How hard the shops are asked for carts, from "only price the ranges" to "exact to the
// cent". A node begins with QUICK and goes on to the next where that no longer improves it.
const ROUGH: Effort = Effort {
    carts: 0,
    fine: false,
};
const QUICK: Effort = Effort {
    carts: 30,
    fine: false,
};
const CAREFUL: Effort = Effort {
    carts: 3_000,
    fine: false,
};
const FINE: Effort = Effort {
    carts: 3_000,
    fine: true,
};
/// Every so many nodes one is followed straight down, because answers lie deep.
const PLUNGE_EVERY: u64 = 300;
/// Steps of one dive: carts taken or left.
const DIVE: usize = 400;
/// Ways to branch that are tried at a node, and the pivots spent on each trial.
const CANDIDATES: usize = 30;
const PROBE_PIVOTS: usize = 12;
/// What is less than this from a whole number is branched on only where nothing else is
/// left. Below the second the difference may come from the right-hand sides, which are moved
/// a little apart (see `master.rs`).
const FRACTION: f64 = 1e-3;
const LEAST_FRACTION: f64 = 1e-5;
/// Pivots after each step of a dive, for each row.
const DIVE_PIVOTS: usize = 10;
/// A node is bounded well enough once its linear program is within this share of what is left
/// to gain: from its bound to the cost of the best answer.
const ENOUGH: f64 = 0.002;
/// The same for long lists, where a node takes so long that there are only a few.
const LONG_ENOUGH: f64 = 0.2;
/// Items of a long list: neighbourhoods of its best answer are searched, and the tree by
/// the least bound alone.
const LONG: usize = 60;
/// Nodes kept; beyond, the search goes depth first so that memory stays bounded.
const MAX_OPEN_NODES: usize = 20_000;
/// What breaking a rule costs in the linear program, as a multiple of [`Model::big`]: so much
/// that even a thousandth of a broken rule is dearer than any answer.
const BAN: f64 = 1e4;
/// Rows of the largest linear program that is set up, without those of the shops.
const MAX_ROWS: usize = 1_500;

/// What the search did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Nodes bounded.
    pub nodes: u64,
    /// Rounds of pricing.
    pub rounds: u64,
    /// Carts in the linear program.
    pub carts: u64,
}

/// What branching says about one shop.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    Open(bool),
    Pickup(bool),
    Coupon(usize, bool),
    /// Choice of units of a cell: at most, or more.
    AtMost(usize, f64),
    Over(usize, f64),
    Choice(usize, bool),
    Level(usize, usize, bool),
}

#[derive(Debug)]
struct Decision {
    shop: usize,
    rule: Rule,
    before: Option<Rc<Decision>>,
}

struct Node {
    bound: f64,
    depth: usize,
    decisions: Option<Rc<Decision>>,
    prices: Rc<Prices>,
    /// That of the linear program of the node it comes from.
    basis: Rc<[usize]>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Free,
    Open,
    Closed,
}

/// Limits that tie shops together, as rows of the linear program.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Link {
    Shops,
    Pickups,
    Group(usize),
    Budget,
}

pub(super) struct Search<'a, 'm> {
    model: &'m Model,
    instance: &'m Instance,
    incumbent: &'a mut Incumbent<'m>,
    leaf: Leaf<'m>,
    pricer: Pricer,
    links: Vec<(Link, f64)>,
    /// The rows of the links and, after them, of the cuts.
    first_link: usize,
    cuts: Vec<Rc<Cut>>,
    /// The row of each shop in the linear program; none for a shop that was closed before.
    rows_of: Vec<Option<usize>>,
    master: Option<Master>,
    /// The cart of each column, none for the rows' own columns.
    carts: Vec<Option<Cart>>,
    known: HashSet<(usize, usize, Vec<u32>)>,
    /// Carts found before there is a linear program.
    first: Vec<Cart>,
    /// Column of each shop's row that satisfies it alone.
    idle: Vec<usize>,
    views: Vec<View>,
    status: Vec<Status>,
    warm: Vec<Vec<Vec<f64>>>,
    worths: Vec<f64>,
    /// What the last bound counted for each shop.
    counted: Vec<f64>,
    /// What the best bound of the node counted for each shop.
    settled: Vec<f64>,
    /// The first of the columns that take more of an item than is needed.
    surplus: usize,
    /// The prices of the last bound, to which `counted` belongs.
    priced_at: Prices,
    /// Nodes after which the search comes back.
    most_nodes: Option<u64>,
    pub stats: Stats,
}

impl<'a, 'm> Search<'a, 'm> {
    pub(super) fn new(
        model: &'m Model,
        instance: &'m Instance,
        incumbent: &'a mut Incumbent<'m>,
    ) -> Self {
        let mut links = Vec::new();
        if model.max_shops < model.shops.len() {
            links.push((Link::Shops, model.max_shops as f64));
        }
        if let Some(max) = model.max_pickups {
            links.push((Link::Pickups, max as f64));
        }
        if model.shared_groups {
            let mut groups = model.group_of.clone();
            groups.sort_unstable();
            groups.dedup();
            links.extend(groups.into_iter().map(|g| (Link::Group(g), 1.0)));
        }
        if model.budget.is_some() {
            links.push((Link::Budget, 1.0));
        }
        let usable =
            |s: usize| !model.shops[s].choices.is_empty() && !model.shops[s].states.is_empty();
        let status = |s| {
            if usable(s) {
                Status::Free
            } else {
                Status::Closed
            }
        };
        let shops = model.shops.len();
        Self {
            model,
            instance,
            incumbent,
            leaf: Leaf::new(model),
            pricer: Pricer::default(),
            links,
            first_link: 0,
            cuts: Vec::new(),
            rows_of: vec![None; shops],
            master: None,
            carts: Vec::new(),
            known: HashSet::new(),
            first: Vec::new(),
            idle: vec![usize::MAX; shops],
            views: model.shops.iter().map(View::new).collect(),
            status: (0..shops).map(status).collect(),
            warm: model
                .shops
                .iter()
                .map(|s| vec![Vec::new(); s.states.len()])
                .collect(),
            worths: vec![0.0; shops],
            counted: vec![0.0; shops],
            settled: vec![f64::INFINITY; shops],
            surplus: 0,
            priced_at: Prices::default(),
            most_nodes: None,
            stats: Stats::default(),
        }
    }

    /// Searches until the best answer is proven or `stop` says so. Returns the bound
    /// reached (infinite when nothing better is left).
    pub(super) fn run(&mut self, stop: &mut dyn FnMut() -> bool) -> f64 {
        let (mut prices, mut bound) = self.rough(stop);
        if bound > self.incumbent.prune_at() {
            return f64::INFINITY;
        }
        self.local_search(&prices, stop);
        self.fix(&prices);
        if bound > self.incumbent.prune_at() {
            return f64::INFINITY;
        }
        if !self.set_up() || stop() {
            return bound;
        }
        let mut root_closed: Vec<bool> = self.status.iter().map(|s| *s == Status::Closed).collect();
        let mut root_states: Vec<Vec<bool>> = self.views.iter().map(|v| v.states.clone()).collect();
        let mut heap: BinaryHeap<Node> = BinaryHeap::new();
        let mut stack: Vec<Node> = vec![Node {
            bound,
            depth: 0,
            decisions: None,
            prices: Rc::new(prices.clone()),
            basis: self.basis(),
        }];
        let mut reached = f64::INFINITY;
        let long = self.most_nodes.is_none() && self.is_long();
        let enough = if long { LONG_ENOUGH } else { ENOUGH };
        // Straight down first, and now and then: answers come from the depth.
        let mut down: Option<Node> = None;
        loop {
            let came_down = down.is_some();
            let next = down.take().or_else(|| stack.pop()).or_else(|| heap.pop());
            let Some(node) = next else { break };
            if node.bound > self.incumbent.prune_at() {
                continue;
            }
            let used_up = |most: u64| self.stats.nodes >= most;
            if self.most_nodes.is_some_and(used_up) || stop() {
                reached = reached.min(node.bound);
                break;
            }
            self.stats.nodes += 1;
            self.enter(&node, &root_closed, &root_states);
            prices = (*node.prices).clone();
            bound = self.bound_node(&mut prices, node.bound, enough, stop);
            if long && node.depth == 0 && bound <= self.incumbent.prune_at() {
                // Cuts take long there: better answers first.
                self.round(DIVE);
                self.local_search(&prices, stop);
                self.neighbourhoods(&ITEMS[..1], bound, stop);
            }
            bound = self.cut(&mut prices, bound, stop);
            if bound > self.incumbent.prune_at() {
                continue;
            }
            let plunging = node.depth == 0 || came_down;
            self.round(if plunging { DIVE } else { DIVE / 8 });
            if node.depth == 0 && long {
                self.neighbourhoods(&ITEMS, bound, stop);
            } else if node.depth == 0 {
                self.local_search(&prices, stop);
            }
            if bound > self.incumbent.prune_at() {
                continue;
            }
            let mut branch = self.branch_on(FRACTION);
            if branch.is_none() {
                bound = self.bound_node(&mut prices, bound, 0.0, stop);
                self.round(DIVE / 8);
                if bound > self.incumbent.prune_at() {
                    continue;
                }
                branch = self.branch_on(FRACTION).or_else(|| self.split());
                branch = branch.or_else(|| self.branch_on(LEAST_FRACTION));
            }
            let Some((shop, rules)) = branch else {
                // What is left could not be priced exactly.
                reached = reached.min(bound);
                continue;
            };
            if node.depth == 0 && bound > node.bound {
                self.fix(&prices);
                root_closed = self.status.iter().map(|s| *s == Status::Closed).collect();
                root_states = self.views.iter().map(|v| v.states.clone()).collect();
                self.retire(&prices);
            }
            let prices = Rc::new(prices.clone());
            let basis = self.basis();
            let starts = self.stats.nodes % PLUNGE_EVERY == 1;
            let plunge = !long && (node.depth > 0 && came_down || starts);
            for rule in rules {
                let child = Node {
                    bound,
                    depth: node.depth + 1,
                    decisions: Some(Rc::new(Decision {
                        shop,
                        rule,
                        before: node.decisions.clone(),
                    })),
                    prices: Rc::clone(&prices),
                    basis: Rc::clone(&basis),
                };
                if plunge && down.is_none() {
                    down = Some(child);
                } else if heap.len() > MAX_OPEN_NODES {
                    stack.push(child);
                } else {
                    heap.push(child);
                }
            }
        }
        let open = heap
            .iter()
            .chain(&stack)
            .map(|n| n.bound)
            .fold(reached, f64::min);
        if open > self.incumbent.prune_at() {
            f64::INFINITY
        } else {
            open
        }
    }

    fn is_long(&self) -> bool {
        self.model.need.len() > LONG
    }

    fn basis(&self) -> Rc<[usize]> {
        let master = self.master.as_ref();
        master.map_or_else(|| Rc::from([]), |m| Rc::from(m.basis()))
    }

    fn limit_price(&self, prices: &Prices, link: Link) -> f64 {
        match link {
            Link::Shops => prices.shop,
            Link::Pickups => prices.pickup,
            Link::Group(g) => prices.group[g],
            Link::Budget => prices.budget * self.model.budget.unwrap_or(0.0),
        }
    }

    fn set_limit_price(&self, prices: &mut Prices, link: Link, to: f64) {
        match link {
            Link::Shops => prices.shop = to,
            Link::Pickups => prices.pickup = to,
            Link::Group(g) => prices.group[g] = to,
            Link::Budget => prices.budget = to / self.model.budget.unwrap_or(0.0).max(1.0),
        }
    }

    /// How much of a limit a cart uses.
    fn uses(&self, cart: &Cart, link: Link) -> f64 {
        let state = &self.model.shops[cart.shop].states[cart.state];
        match link {
            Link::Shops => 1.0,
            Link::Pickups => f64::from(u8::from(state.pickup)),
            Link::Group(g) => {
                let of = |c: &&usize| self.model.group_of[**c] == g;
                state.coupons.iter().filter(of).count() as f64
            }
            Link::Budget => cart.payable as f64 / self.model.budget.unwrap_or(0.0).max(1.0),
        }
    }

    /// What the list is worth at the prices, before what shops take of it.
    fn list_worth(&self, prices: &Prices) -> f64 {
        let pay = |(l, q): (&f64, &usize)| l * *q as f64;
        let list: f64 = prices.item.iter().zip(&self.model.need).map(pay).sum();
        let limits = self
            .links
            .iter()
            .map(|(l, rhs)| self.limit_price(prices, *l) * rhs);
        let cuts: f64 = prices.cuts.iter().flatten().map(|c| c.1 * c.0.most).sum();
        list + cuts - limits.sum::<f64>()
    }

    /// Prices every shop: the bound, and the best carts found.
    fn price_all(
        &mut self,
        prices: &Prices,
        effort: Effort,
        floors: Option<&[f64]>,
        carts: &mut Vec<(f64, Cart)>,
    ) -> f64 {
        carts.clear();
        let mut bound = self.list_worth(prices);
        for s in 0..self.model.shops.len() {
            if self.status[s] == Status::Closed {
                continue;
            }
            let least = self.least(s);
            let floor = floors.map_or(least, |f| f[s].max(least));
            let worth = self.pricer.price(
                self.model,
                self.instance,
                s,
                &self.views[s],
                prices,
                floor,
                effort,
                &mut self.warm[s],
            );
            self.worths[s] = worth.bound;
            self.counted[s] = worth.bound.max(floor.max(least));
            bound -= self.counted[s];
            carts.extend(worth.cart);
        }
        bound
    }

    /// Rules out shops and states that cannot be part of anything better. `prices` are
    /// those of `settled`.
    fn fix(&mut self, prices: &Prices) {
        let prune_at = self.incumbent.prune_at();
        let mut bound = self.list_worth(prices);
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); self.model.shops.len()];
        for (s, values) in values.iter_mut().enumerate() {
            if self.status[s] == Status::Closed {
                continue;
            }
            let worth = self.pricer.price(
                self.model,
                self.instance,
                s,
                &self.views[s],
                prices,
                f64::NEG_INFINITY,
                ROUGH,
                &mut self.warm[s],
            );
            // Both bounds hold at these prices.
            self.settled[s] = self.settled[s].min(worth.bound.max(self.least(s)));
            bound -= self.settled[s];
            values.clone_from(&self.pricer.state_bounds);
        }
        for (s, values) in values.iter().enumerate() {
            for (state, value) in values.iter().enumerate() {
                if bound + self.settled[s] - value > prune_at {
                    self.views[s].states[state] = false;
                }
            }
            if self.status[s] == Status::Free && !self.views[s].states.contains(&true) {
                self.status[s] = Status::Closed;
            }
        }
    }

    /// What a shop is worth at least: one that need not be used is worth nothing.
    fn least(&self, s: usize) -> f64 {
        match self.status[s] {
            Status::Open => f64::NEG_INFINITY,
            Status::Free | Status::Closed => 0.0,
        }
    }

    /// Switches off for good the columns that no better answer can use: at `prices`, those
    /// of `settled`, they are worth less than their shop by more than what is left to gain.
    fn retire(&mut self, prices: &Prices) {
        let open = (0..self.status.len()).filter(|s| self.status[*s] != Status::Closed);
        let settled: f64 = open.map(|s| self.settled[s]).sum();
        let gap = self.incumbent.prune_at() - (self.list_worth(prices) - settled);
        let Some(mut master) = self.master.take() else {
            return;
        };
        for (column, slot) in self.carts.iter_mut().enumerate() {
            let is_spent = |cart: &mut Cart| {
                self.settled[cart.shop] - worth_of(self.model, cart, prices) > gap + 1.0
            };
            if !master.is_basic(column)
                && let Some(cart) = slot.take_if(is_spent)
            {
                master.ban(column);
                self.known.remove(&(cart.shop, cart.state, cart.choices));
            }
        }
        self.master = Some(master);
    }

    /// Rows for the items, the shops left and the limits. False if there are too many.
    fn set_up(&mut self) -> bool {
        let model = self.model;
        let mut rows: Vec<(f64, f64)> = Vec::new();
        let items = model.need.iter().enumerate();
        rows.extend(items.map(|(i, q)| (*q as f64, self.missing(i))));
        if rows.len() + self.links.len() > MAX_ROWS {
            return false;
        }
        for s in 0..model.shops.len() {
            if self.status[s] != Status::Closed {
                self.rows_of[s] = Some(rows.len());
                self.idle[s] = rows.len();
                rows.push((1.0, 0.0));
            }
        }
        // Most shops are far from being used up.
        let lazy = model.need.len()..rows.len();
        self.first_link = rows.len();
        rows.extend(self.links.iter().map(|(_, rhs)| (*rhs, 0.0)));
        let cuts = rows.len()..rows.len() + self.most_cuts();
        rows.resize(cuts.end, (0.0, 0.0));
        let lazy = |r: usize| lazy.contains(&r) || cuts.contains(&r);
        let mut master = Master::new(&rows, model.need.len(), lazy);
        self.carts.resize(rows.len(), None);
        for row in self.rows_of.iter().flatten() {
            master.add_spare(*row, model.big * BAN);
            self.carts.push(None);
        }
        // More than is needed may be bought, but where each product has its one shop.
        if !self.exactly_once() {
            self.surplus = self.carts.len();
            for i in 0..model.need.len() {
                master.add(0.0, [(i as u32, -1.0)]);
                self.carts.push(None);
            }
        }
        self.master = Some(master);
        self.known.clear();
        let first = std::mem::take(&mut self.first);
        for cart in first {
            self.keep(cart);
        }
        true
    }

    fn exactly_once(&self) -> bool {
        matches!(self.instance, Instance::Classic(_))
    }

    /// Makes a cart a column. False if it is one already.
    fn keep(&mut self, cart: Cart) -> bool {
        if !self
            .known
            .insert((cart.shop, cart.state, cart.choices.clone()))
        {
            return false;
        }
        if self.master.is_none() {
            self.first.push(cart);
            return true;
        }
        let Some(row) = self.rows_of[cart.shop] else {
            return true;
        };
        let Some(mut master) = self.master.take() else {
            return true;
        };
        let mut entries: Vec<(u32, f64)> =
            cart.units.iter().map(|(i, n)| (*i as u32, *n)).collect();
        entries.push((row as u32, 1.0));
        for (k, (link, _)) in self.links.iter().enumerate() {
            // Negative where fixed coupons are worth more than the goods.
            let used = self.uses(&cart, *link);
            if used != 0.0 {
                entries.push(((self.first_link + k) as u32, used));
            }
        }
        entries.extend(self.shares_of(&cart, 0));
        let column = master.add(cart.cost as f64, entries);
        if !self.allowed(&cart) {
            master.ban(column);
        }
        debug_assert_eq!(column, self.carts.len());
        self.carts.push(Some(cart));
        self.stats.carts += 1;
        self.master = Some(master);
        true
    }

    /// Whether a cart is within what the node allows.
    fn allowed(&self, cart: &Cart) -> bool {
        let view = &self.views[cart.shop];
        if self.status[cart.shop] == Status::Closed || !view.states[cart.state] {
            return false;
        }
        let choices = || cart.choices.iter().map(|c| *c as usize);
        if !view.choices.is_empty() && choices().any(|c| !view.choices[c]) {
            return false;
        }
        let shop = &self.model.shops[cart.shop];
        let cells = view.must_cell.iter().zip(&shop.cells).filter(|m| *m.0);
        let bundles = view.must_bundle.iter().enumerate().filter(|m| *m.1);
        cells
            .map(|(_, cell)| cell.first..cell.last)
            .all(|r| choices().any(|c| r.contains(&c)))
            && bundles.map(|(b, _)| b).all(|b| {
                choices().any(|c| matches!(shop.choices[c].what, For::Bundle(at, _) if at == b))
            })
    }

    /// Sets status, views and columns to what a node allows.
    fn enter(&mut self, node: &Node, closed: &[bool], states: &[Vec<bool>]) {
        let model = self.model;
        for (s, view) in self.views.iter_mut().enumerate() {
            *view = View::new(&model.shops[s]);
            view.states.clone_from(&states[s]);
            self.status[s] = if closed[s] {
                Status::Closed
            } else {
                Status::Free
            };
        }
        let mut at = node.decisions.as_deref();
        while let Some(decision) = at {
            self.apply(decision.shop, decision.rule);
            at = decision.before.as_deref();
        }
        let Some(mut master) = self.master.take() else {
            return;
        };
        master.set_basis(&node.basis);
        for (column, cart) in self.carts.iter().enumerate() {
            if let Some(cart) = cart {
                master.set_ban(column, !self.allowed(cart));
            }
        }
        for (s, idle) in self.idle.iter().enumerate() {
            if *idle != usize::MAX {
                master.set_ban(*idle, self.status[s] == Status::Open);
            }
        }
        self.master = Some(master);
    }

    fn no_prices(&self) -> Prices {
        let groups = self.model.group_of.iter().max().map_or(0, |g| g + 1);
        Prices {
            item: vec![0.0; self.model.need.len()],
            cuts: vec![Vec::new(); self.model.need.len()],
            shop: 0.0,
            pickup: 0.0,
            group: vec![0.0; groups],
            budget: 0.0,
        }
    }
}
