//! Rough first prices, before there is a linear program.

use super::{Prices, ROUGH, Search};

/// Steps of the first, rough ascent.
const ROUGH_STEPS: usize = 120;

impl Search<'_, '_> {
    /// The first prices: the cheapest unit anywhere.
    fn first_prices(&self) -> Prices {
        let model = self.model;
        let mut item = vec![f64::INFINITY; model.need.len()];
        for shop in &model.shops {
            let cost = |c: usize| {
                let pays = shop.pay.iter().map(|p| p[c]);
                pays.fold(f64::INFINITY, f64::min) + shop.choices[c].disutility
            };
            for cell in &shop.cells {
                for c in cell.first..cell.end {
                    let unit = cost(c) / shop.choices[c].units.max(1.0);
                    item[cell.item] = item[cell.item].min(unit);
                }
            }
            for bundle in &shop.bundles {
                let units: i64 = bundle.covers.iter().map(|c| c.1).sum();
                for (qty, c) in bundle.levels.iter().skip(1) {
                    let unit = cost(*c) / (units * qty) as f64;
                    for (i, _) in &bundle.covers {
                        item[*i] = item[*i].min(unit);
                    }
                }
            }
        }
        for (l, p) in item.iter_mut().zip(&model.penalty) {
            *l = l.min(*p);
        }
        Prices {
            item,
            ..self.no_prices()
        }
    }

    /// Rough prices by a deflected subgradient method with Polyak steps; the carts on
    /// the way become the first columns.
    pub(super) fn rough(&mut self, stop: &mut dyn FnMut() -> bool) -> (Prices, f64) {
        let mut prices = self.first_prices();
        let scale: Vec<f64> = prices.item.iter().map(|l| l.max(1.0)).collect();
        let n = scale.len();
        let link_scale = scale.iter().sum::<f64>() / n.max(1) as f64;
        let mut best = (prices.clone(), f64::NEG_INFINITY);
        let mut direction = vec![0.0; n + self.links.len()];
        let mut gradient = direction.clone();
        let mut carts = Vec::new();
        let (mut step, mut stale) = (1.0, 0);
        for round in 0..ROUGH_STEPS {
            let bound = self.price_all(&prices, ROUGH, None, &mut carts);
            if bound > best.1 {
                let gain = bound - best.1;
                best = (prices.clone(), bound);
                self.settled.clone_from(&self.counted);
                stale = if gain > bound.abs() * 1e-4 {
                    0
                } else {
                    stale + 1
                };
            } else {
                stale += 1;
            }
            if round % 30 == 10 || round == 0 {
                let shops: Vec<usize> = carts
                    .iter()
                    .filter(|c| c.0 > 0.0)
                    .map(|c| c.1.shop)
                    .collect();
                self.leaf.quick(&shops, self.incumbent);
            }
            if best.1 > self.incumbent.prune_at() || stop() {
                break;
            }
            if stale >= 8 {
                step *= 0.6;
                stale = 0;
                prices = best.0.clone();
                direction.fill(0.0);
                if step < 0.05 {
                    break;
                }
            }
            for (g, q) in gradient.iter_mut().zip(&self.model.need) {
                *g = *q as f64;
            }
            for (k, (_, rhs)) in self.links.iter().enumerate() {
                gradient[n + k] = -rhs;
            }
            for (_, cart) in &carts {
                for (i, units) in &cart.units {
                    gradient[*i] -= units;
                }
                for (k, (link, _)) in self.links.iter().enumerate() {
                    gradient[n + k] += self.uses(cart, *link);
                }
            }
            for (worth, cart) in carts.drain(..) {
                if worth > 0.0 {
                    self.keep(cart);
                }
            }
            let size = |k: usize| if k < n { scale[k] } else { link_scale };
            let agree: f64 = (0..gradient.len())
                .map(|k| gradient[k] * direction[k] * size(k))
                .sum();
            let keep = if agree < 0.0 { 0.0 } else { 0.6 };
            let mut norm = 0.0;
            for k in 0..gradient.len() {
                direction[k] = gradient[k] * size(k) + keep * direction[k];
                let (at, most) = match k.checked_sub(n) {
                    None => (prices.item[k], self.model.penalty[k]),
                    Some(l) => (self.limit_price(&prices, self.links[l].0), f64::INFINITY),
                };
                let blocked = direction[k] < 0.0 && at <= 0.0 || direction[k] > 0.0 && at >= most;
                if !blocked {
                    norm += direction[k] * direction[k];
                }
            }
            if norm <= 1e-12 {
                break;
            }
            let target = match self.incumbent.cost {
                Some(c) => c as f64,
                None => best.1 + 0.05 * best.1.abs().max(1.0),
            };
            let t = step * (target - bound).max(target.abs() * 1e-4).max(0.5) / norm;
            for k in 0..n {
                let moved = prices.item[k] + t * direction[k] * scale[k];
                prices.item[k] = moved.clamp(0.0, self.model.penalty[k]);
            }
            for k in 0..self.links.len() {
                let link = self.links[k].0;
                let at = self.limit_price(&prices, link) + t * direction[n + k] * link_scale;
                self.set_limit_price(&mut prices, link, at.max(0.0));
            }
        }
        best
    }
}
