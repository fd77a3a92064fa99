//! What branching says of a shop, and what to branch on.

use super::{CANDIDATES, Cart, Model, PROBE_PIVOTS, Rule, Search, Status, View};
use crate::engine::basket::model::ShopModel;

impl Rule {
    /// Whether it can only be kept by using the shop.
    fn needs_open(self) -> bool {
        matches!(
            self,
            Self::Over(..) | Self::Choice(_, true) | Self::Level(_, _, true)
        )
    }

    /// Whether a cart of the rule's shop keeps it.
    fn permits(self, model: &Model, cart: &Cart) -> bool {
        let shop = &model.shops[cart.shop];
        let state = &shop.states[cart.state];
        let choice = |cell: usize| {
            let cell = &shop.cells[cell];
            let mut all = cart.choices.iter().map(|c| *c as usize);
            all.find(|c| (cell.first..cell.last).contains(c))
        };
        let units = |cell: usize| choice(cell).map_or(0.0, |c| shop.choices[c].units);
        match self {
            Self::Open(yes) => yes,
            Self::Pickup(yes) => state.pickup == yes,
            Self::Coupon(coupon, yes) => state.coupons.contains(&coupon) == yes,
            Self::AtMost(cell, most) => units(cell) <= most,
            Self::Over(cell, most) => units(cell) > most,
            Self::Choice(c, yes) => cart.choices.contains(&(c as u32)) == yes,
            Self::Level(bundle, level, more) => (level_of(shop, bundle, cart) > level) == more,
        }
    }
}

/// How many steps of a bundle's levels a cart buys.
fn level_of(shop: &ShopModel, bundle: usize, cart: &Cart) -> usize {
    let bought = |l: &(i64, usize)| cart.choices.contains(&(l.1 as u32));
    let levels = &shop.bundles[bundle].levels;
    levels.iter().skip(1).position(bought).map_or(0, |l| l + 1)
}

/// Whether some are true and some are false.
fn both(mut sides: impl Iterator<Item = bool>) -> bool {
    let first = sides.next();
    sides.any(|side| Some(side) != first)
}

impl Search<'_, '_> {
    pub(super) fn apply(&mut self, s: usize, rule: Rule) {
        let shop = &self.model.shops[s];
        let view = &mut self.views[s];
        let need_choices = |view: &mut View| {
            if view.choices.is_empty() {
                view.choices = vec![true; shop.choices.len()];
                view.must_cell = vec![false; shop.cells.len()];
                view.must_bundle = vec![false; shop.bundles.len()];
            }
        };
        match rule {
            Rule::Open(true) => self.status[s] = Status::Open,
            Rule::Open(false) => self.status[s] = Status::Closed,
            Rule::Pickup(yes) => {
                for (allowed, state) in view.states.iter_mut().zip(&shop.states) {
                    *allowed &= state.pickup == yes;
                }
            }
            Rule::Coupon(coupon, yes) => {
                for (allowed, state) in view.states.iter_mut().zip(&shop.states) {
                    *allowed &= state.coupons.contains(&coupon) == yes;
                }
            }
            Rule::AtMost(cell, units) => {
                need_choices(view);
                let cell = &shop.cells[cell];
                for c in cell.first..cell.last {
                    view.choices[c] &= shop.choices[c].units <= units;
                }
            }
            Rule::Over(cell, units) => {
                need_choices(view);
                view.must_cell[cell] = true;
                self.status[s] = Status::Open;
                let cell = &shop.cells[cell];
                for c in cell.first..cell.last {
                    view.choices[c] &= shop.choices[c].units > units;
                }
            }
            Rule::Choice(choice, yes) => {
                need_choices(view);
                if !yes {
                    view.choices[choice] = false;
                } else if let Some(at) = shop
                    .cells
                    .iter()
                    .position(|c| (c.first..c.last).contains(&choice))
                {
                    self.status[s] = Status::Open;
                    view.must_cell[at] = true;
                    let cell = &shop.cells[at];
                    for c in (cell.first..cell.last).filter(|c| *c != choice) {
                        view.choices[c] = false;
                    }
                }
            }
            Rule::Level(bundle, level, more) => {
                need_choices(view);
                if more {
                    view.must_bundle[bundle] = true;
                    self.status[s] = Status::Open;
                }
                for (l, (_, c)) in shop.bundles[bundle].levels.iter().enumerate().skip(1) {
                    view.choices[*c] &= (l > level) == more;
                }
            }
        }
    }

    /// Whether a shop may still go either way: where nothing satisfies a node, its linear
    /// program may stay fractional in what is settled.
    fn undecided(&self, s: usize, rule: Rule) -> bool {
        let (shop, view) = (&self.model.shops[s], &self.views[s]);
        let allowed = view.states.iter().zip(&shop.states).filter(|s| *s.0);
        match rule {
            Rule::Open(_) => self.status[s] == Status::Free,
            Rule::Pickup(_) => both(allowed.map(|(_, state)| state.pickup)),
            Rule::Coupon(c, _) => both(allowed.map(|(_, state)| state.coupons.contains(&c))),
            Rule::AtMost(cell, most) | Rule::Over(cell, most) => {
                let all = shop.cells[cell].first..shop.cells[cell].last;
                let sides = all.filter(|c| view.allows(*c));
                let sides = sides.map(|c| shop.choices[c].units > most);
                both(sides.chain((!view.must(cell)).then_some(false)))
            }
            Rule::Choice(choice, _) => {
                let mut cells = shop.cells.iter();
                let Some(k) = cells.position(|c| (c.first..c.last).contains(&choice)) else {
                    return false;
                };
                let all = shop.cells[k].first..shop.cells[k].last;
                let sides = all.filter(|c| view.allows(*c)).map(|c| c == choice);
                both(sides.chain((!view.must(k)).then_some(false)))
            }
            Rule::Level(b, level, _) => {
                let all = 0..shop.bundles[b].levels.len();
                let sides = all.filter(|l| view.allows_level(shop, b, *l));
                both(sides.map(|l| l > level))
            }
        }
    }

    /// What to branch on: a shop and two rules that exclude what is fractional, by more
    /// than `least`.
    pub(super) fn branch_on(&mut self, least: f64) -> Option<(usize, [Rule; 2])> {
        let master = self.master.as_ref()?;
        let model = self.model;
        let mut by_shop: Vec<(usize, Vec<(f64, &Cart)>)> = Vec::new();
        for (column, x) in master.solution() {
            let Some(cart) = self.carts[column].as_ref().filter(|_| x > 0.1 * least) else {
                continue;
            };
            match by_shop.iter_mut().find(|s| s.0 == cart.shop) {
                Some(s) => s.1.push((x, cart)),
                None => by_shop.push((cart.shop, vec![(x, cart)])),
            }
        }
        let fraction = |x: f64| (x - x.floor()).min(x.ceil() - x);
        let mut candidates: Vec<(f64, usize, [Rule; 2])> = Vec::new();
        let mut propose = |score: f64, shop: usize, rules: [Rule; 2]| {
            if score > least && self.undecided(shop, rules[0]) {
                candidates.push((score, shop, rules));
            }
        };
        for (s, carts) in &by_shop {
            let used: f64 = carts.iter().map(|c| c.0).sum();
            if self.status[*s] == Status::Free {
                propose(
                    4.0 * fraction(used),
                    *s,
                    [Rule::Open(true), Rule::Open(false)],
                );
            }
            let shop = &model.shops[*s];
            let of = |test: &dyn Fn(&Cart) -> bool| -> f64 {
                carts.iter().filter(|c| test(c.1)).map(|c| c.0).sum()
            };
            let state = |c: &Cart| &shop.states[c.state];
            let fetched = of(&|c| state(c).pickup);
            propose(
                2.0 * fraction(fetched),
                *s,
                [Rule::Pickup(true), Rule::Pickup(false)],
            );
            for coupon in &shop.coupons {
                let with = of(&|c| state(c).coupons.contains(coupon));
                let rules = [Rule::Coupon(*coupon, true), Rule::Coupon(*coupon, false)];
                propose(2.0 * fraction(with), *s, rules);
            }
            if carts.len() < 2 {
                continue;
            }
            for (k, cell) in shop.cells.iter().enumerate() {
                let choice = |c: &Cart| -> Option<usize> {
                    let mut all = c.choices.iter().map(|c| *c as usize);
                    all.find(|c| (cell.first..cell.last).contains(c))
                };
                let units = |c: &Cart| choice(c).map_or(0.0, |c| shop.choices[c].units);
                let mut levels: Vec<f64> = carts.iter().map(|c| units(c.1)).collect();
                levels.sort_by(f64::total_cmp);
                levels.dedup();
                for level in &levels[..levels.len() - 1] {
                    let over = of(&|c| units(c) > *level);
                    propose(
                        fraction(over),
                        *s,
                        [Rule::Over(k, *level), Rule::AtMost(k, *level)],
                    );
                }
                let mut choices: Vec<usize> = carts.iter().filter_map(|c| choice(c.1)).collect();
                choices.sort_unstable();
                choices.dedup();
                if choices.len() > 1 {
                    for c in choices {
                        let with = of(&|cart| choice(cart) == Some(c));
                        propose(
                            0.5 * fraction(with),
                            *s,
                            [Rule::Choice(c, true), Rule::Choice(c, false)],
                        );
                    }
                }
            }
            for (b, bundle) in shop.bundles.iter().enumerate() {
                let level = |cart: &Cart| level_of(shop, b, cart);
                for l in 0..bundle.levels.len().saturating_sub(1) {
                    let over = of(&|c| level(c) > l);
                    propose(
                        fraction(over),
                        *s,
                        [Rule::Level(b, l, true), Rule::Level(b, l, false)],
                    );
                }
            }
        }
        // Which shops to use decides most.
        let decides = |c: &(f64, usize, [Rule; 2])| matches!(c.2[0], Rule::Open(_)) && c.0 > 0.2;
        if candidates.iter().any(decides) {
            candidates.retain(decides);
        }
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
        candidates.truncate(CANDIDATES);
        self.strongest(&candidates)
    }

    /// Where nothing is fractional, but a shop may be worth more than its best cart at
    /// hand: halves of what it may sell, until it is priced exactly.
    pub(super) fn split(&self) -> Option<(usize, [Rule; 2])> {
        // What the last bound of the node was taken at.
        let at_hand = self.best_at_hand(&self.priced_at);
        let mut best: Option<(f64, usize, [Rule; 2])> = None;
        for s in (0..self.status.len()).filter(|s| self.status[*s] != Status::Closed) {
            let missing = self.counted[s] - at_hand[s].max(self.least(s));
            if missing > 1e-6
                && best.as_ref().is_none_or(|b| missing > b.0)
                && let Some(rules) = self.halves(s)
            {
                best = Some((missing, s, rules));
            }
        }
        best.map(|b| (b.1, b.2))
    }

    fn halves(&self, s: usize) -> Option<[Rule; 2]> {
        let (shop, view) = (&self.model.shops[s], &self.views[s]);
        for (b, bundle) in shop.bundles.iter().enumerate() {
            let levels = 0..bundle.levels.len();
            let allowed: Vec<usize> = levels.filter(|l| view.allows_level(shop, b, *l)).collect();
            if allowed.len() > 1 {
                let at = allowed[(allowed.len() - 1) / 2];
                return Some([Rule::Level(b, at, true), Rule::Level(b, at, false)]);
            }
        }
        for (k, cell) in shop.cells.iter().enumerate() {
            let choices = (cell.first..cell.last).filter(|c| view.allows(*c));
            let mut units: Vec<f64> = choices.clone().map(|c| shop.choices[c].units).collect();
            units.extend((!view.must(k)).then_some(0.0));
            units.sort_by(f64::total_cmp);
            units.dedup();
            if units.len() > 1 {
                let at = units[(units.len() - 1) / 2];
                return Some([Rule::Over(k, at), Rule::AtMost(k, at)]);
            }
            let several = |c: usize| [Rule::Choice(c, true), Rule::Choice(c, false)];
            if choices.clone().count() > 1 {
                return choices.min().map(several);
            }
        }
        None
    }

    /// The candidate whose two sides raise the linear program most (with the carts at
    /// hand: an estimate).
    fn strongest(&mut self, candidates: &[(f64, usize, [Rule; 2])]) -> Option<(usize, [Rule; 2])> {
        let mut master = self.master.take()?;
        let before = master.objective();
        let most = (self.incumbent.prune_at() - before).max(1.0);
        let cutoff = before + most;
        for (_, shop, _) in candidates {
            master.wake(self.idle[*shop]);
        }
        let kept = master.snapshot();
        let near = master.within(cutoff);
        let mut best: Option<(f64, usize, [Rule; 2])> = None;
        for (_, shop, rules) in candidates.iter().filter(|_| candidates.len() > 1) {
            let gains = rules.map(|rule| {
                let mut off: Vec<usize> = Vec::new();
                if matches!(rule, Rule::Open(true)) || rule.needs_open() {
                    off.push(self.idle[*shop]);
                }
                let carts = self.carts.iter().enumerate();
                off.extend(carts.filter_map(|(c, cart)| {
                    let cart = cart.as_ref().filter(|cart| cart.shop == *shop)?;
                    (!rule.permits(self.model, cart)).then_some(c)
                }));
                let after = master.probe(&off, &near, &kept, PROBE_PIVOTS, cutoff);
                (after - before).clamp(0.01, most)
            });
            let score = gains[0] * gains[1];
            if best.as_ref().is_none_or(|b| score > b.0) {
                // The side that costs less first.
                let [a, b] = *rules;
                let rules = if gains[0] <= gains[1] { [a, b] } else { [b, a] };
                best = Some((score, *shop, rules));
            }
        }
        self.master = Some(master);
        let first = candidates.first().map(|c| (c.1, c.2));
        best.map(|b| (b.1, b.2)).or(first)
    }
}
