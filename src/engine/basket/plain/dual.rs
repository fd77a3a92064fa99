//! Bounds from below: Lagrangian relaxation of "each product is bought once".
//!
//! With a price `v` on each product the shops come apart: one is worth opening when
//! its margins `Σ max(0, v − price)` exceed its delivery. For any `v`
//! `Σ v + Σ min(0, delivery − margins)` is a bound, and here an exact integer. The
//! first prices are Erlenkotter's dual ascent (Operations Research 26, 1978); then
//! deflected subgradients with the averaged openings of the volume algorithm
//! (Barahona, Anbil 2000).

use super::core::{Amount, Core, Fate, Point};

/// Weight of the newest subgradient in the average.
const SMOOTH: f64 = 0.3;
/// Steps without a better bound after which they become shorter.
const PATIENCE: usize = 8;

/// Working memory, sized for one core.
#[derive(Default)]
pub(super) struct Dual {
    /// Delivery minus margins of each free shop: its reduced cost.
    slack: Vec<Amount>,
    direction: Vec<f64>,
    moves: Vec<f64>,
    trial: Vec<Amount>,
    open: Vec<bool>,
}

/// How far to climb.
#[derive(Clone, Copy)]
pub(super) struct Climb {
    pub steps: usize,
    /// Bounds above this need not be raised further.
    pub enough: Amount,
    /// What the bound is hoped to reach.
    pub target: Amount,
}

impl Dual {
    /// Reduced costs at `price`, and the bound.
    pub(super) fn bound(&mut self, core: &Core, price: &[Amount]) -> Amount {
        self.slack.clear();
        self.slack.extend_from_slice(&core.fee);
        let mut bound = core.base;
        for (j, v) in price.iter().enumerate() {
            bound += v;
            for cell in core.cells_of(j) {
                if cell.price >= *v {
                    break;
                }
                self.slack[cell.shop as usize] -= v - cell.price;
            }
        }
        bound + self.slack.iter().map(|s| (*s).min(0)).sum::<Amount>()
    }

    /// Dual ascent: raises the prices in turn, each to the next offer or until some
    /// shop would pay. Starts from nothing.
    pub(super) fn ascend(
        &mut self,
        core: &Core,
        price: &mut [Amount],
        stop: &mut dyn FnMut() -> bool,
    ) {
        self.slack.clear();
        self.slack.extend_from_slice(&core.fee);
        for (j, v) in price.iter_mut().enumerate() {
            *v = core.cells_of(j)[0].price;
        }
        let mut active: Vec<u32> = (0..price.len() as u32).collect();
        // How many offers are at or below the price of the product.
        let mut reach: Vec<u32> = vec![0; price.len()];
        while !active.is_empty() && !stop() {
            active.retain(|j| {
                let j = *j as usize;
                let cells = core.cells_of(j);
                let v = price[j];
                let mut at = reach[j] as usize;
                while at < cells.len() && cells[at].price <= v {
                    at += 1;
                }
                reach[j] = at as u32;
                let next = cells.get(at).map_or(core.cap[j], |c| c.price);
                let room = cells[..at]
                    .iter()
                    .map(|c| self.slack[c.shop as usize])
                    .min();
                let raise = room.unwrap_or(Amount::MAX).min(next - v);
                if raise > 0 {
                    for cell in &cells[..at] {
                        self.slack[cell.shop as usize] -= raise;
                    }
                    price[j] = v + raise;
                }
                raise > 0 && price[j] == next && next < core.cap[j]
            });
        }
    }

    /// After the ascent: shops whose margins pay for them, as few as sell each product
    /// within its price.
    pub(super) fn complement(&self, core: &Core, price: &[Amount]) -> Vec<bool> {
        let mut open = vec![false; core.fee.len()];
        for (j, v) in price.iter().enumerate() {
            let pays = |s: u32| self.slack[s as usize] == 0;
            let mut within = core.cells_of(j).iter().take_while(|c| c.price <= *v);
            let mut candidates = within.clone().filter(|c| pays(c.shop));
            if !within.any(|c| open[c.shop as usize])
                && let Some(cell) = candidates.next()
            {
                open[cell.shop as usize] = true;
            }
        }
        open
    }

    /// Improves prices; returns their bound. The shares move towards what the
    /// relaxation opens. `scale` is of the steps, kept from one climb to the next.
    /// `seen` gets the shops that the points on the way would open.
    pub(super) fn climb(
        &mut self,
        core: &Core,
        (price, share): (&mut [Amount], &mut [f64]),
        to: Climb,
        scale: &mut f64,
        seen: &mut dyn FnMut(&[bool]),
        stop: &mut dyn FnMut() -> bool,
    ) -> Amount {
        let mut trial = std::mem::take(&mut self.trial);
        trial.clear();
        trial.extend_from_slice(price);
        self.direction.clear();
        let mut best = Amount::MIN;
        let mut stale = 0;
        for step in 0..=to.steps {
            let mut bound = self.bound(core, &trial);
            let improved = bound > best;
            if improved {
                best = bound;
                price.copy_from_slice(&trial);
                stale = 0;
            } else {
                stale += 1;
                if stale == PATIENCE {
                    stale = 0;
                    *scale *= 0.6;
                    trial.copy_from_slice(price);
                    bound = self.bound(core, &trial);
                }
            }
            if best > to.enough || step == to.steps || stop() {
                break;
            }
            self.open.clear();
            self.open.extend(self.slack.iter().map(|s| *s < 0));
            if improved || step % 4 == 0 {
                seen(&self.open);
            }
            for (share, open) in share.iter_mut().zip(&self.open) {
                *share += SMOOTH * (f64::from(u8::from(*open)) - *share);
            }
            let norm = self.turn(core, &trial);
            if norm < 1e-9 {
                break;
            }
            let target = to.target as f64;
            let gap = (target - bound as f64).max(1.0 + target * 1e-5);
            let length = *scale * gap / norm;
            for (j, d) in self.moves.iter().enumerate() {
                let moved = trial[j].saturating_add((length * d).round() as Amount);
                trial[j] = moved.clamp(core.cells_of(j)[0].price, core.cap[j]);
            }
        }
        self.trial = trial;
        best
    }

    /// Turns the direction towards the subgradient (how many shops too few sell each
    /// product); `moves` is what of it stays within the limits of the prices. Returns
    /// the square of its length.
    fn turn(&mut self, core: &Core, price: &[Amount]) -> f64 {
        let fresh = self.direction.is_empty();
        self.direction.resize(price.len(), 0.0);
        self.moves.resize(price.len(), 0.0);
        let weight = if fresh { 1.0 } else { SMOOTH };
        let mut norm = 0.0;
        for (j, v) in price.iter().enumerate() {
            let cells = core.cells_of(j);
            let sellers = cells.iter().take_while(|c| c.price < *v);
            let sellers = sellers.filter(|c| self.open[c.shop as usize]).count();
            let direction = &mut self.direction[j];
            *direction += weight * (1.0 - sellers as f64 - *direction);
            let outward = if *direction > 0.0 {
                *v >= core.cap[j]
            } else {
                *v <= cells[0].price
            };
            self.moves[j] = if outward { 0.0 } else { *direction };
            norm += self.moves[j] * self.moves[j];
        }
        norm
    }

    /// Decides what the reduced costs at `point` prove, given that only answers up to
    /// `enough` matter.
    pub(super) fn reduce(
        &mut self,
        core: &mut Core,
        point: &mut Point,
        enough: Amount,
        fate: &mut Vec<Fate>,
    ) -> Amount {
        let bound = self.bound(core, &point.price);
        let room = enough - bound;
        fate.clear();
        fate.extend(self.slack.iter().map(|s| {
            if *s > room {
                Fate::Closed
            } else if -s > room {
                Fate::Open
            } else {
                Fate::Free
            }
        }));
        let slack = &self.slack;
        let prices = point.price.clone();
        core.decide(point, fate, |j, cell| {
            cell.price - prices[j] + slack[cell.shop as usize].max(0) <= room
        });
        bound
    }
}
