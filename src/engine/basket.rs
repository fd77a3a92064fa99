//! Whole-basket optimisation: where to buy a list, at the least total cost, with a
//! proof or an honest gap.
//!
//! [`Instance::from_json`] reads and validates, [`solve`] answers, [`evaluate()`]
//! scores any answer in integer cents. The method is branch and price: a linear program
//! chooses among whole carts, each shop prices its best ones, what stays fractional is
//! branched on, see `ARCHITECTURE.md`; the plain problem without tiers and coupons has a
//! faster one in `plain.rs`. There is no clock in here: the caller's `stop` says
//! when to come back with the best so far.

pub mod conflict;
mod dominance;
mod evaluate;
pub mod explain;
mod incumbent;
mod instance;
mod json;
mod leaf;
mod master;
mod model;
mod plain;
mod pricing;
mod read;
mod search;
pub mod stacking;

pub use evaluate::{Breakdown, Evaluation, Mode, Purchase, Solution, evaluate};
pub use instance::{
    Basis, BasketError, Cents, Classic, Coupon, CouponKind, Discount, Household, Instance, Item,
    Limits, MAX_CENTS, MAX_UNITS, Offer, Pickup, Shop, Step,
};
pub use search::Stats;

use incumbent::Incumbent;
use model::Model;
use search::Search;

/// An answer with what is known about it.
#[derive(Debug, Clone)]
pub struct Solved {
    /// What to buy where.
    pub solution: Solution,
    /// Its exact cost.
    pub evaluation: Evaluation,
    /// Nothing costs less than this.
    pub bound: Cents,
    /// Whether `bound` proves the answer best.
    pub optimal: bool,
    /// What the search did.
    pub stats: Stats,
}

/// Finds the least cost. `stop` is asked often and ends the search with the best
/// answer so far.
///
/// # Errors
/// [`BasketError::Infeasible`] if nothing satisfies the list, [`BasketError::Stopped`]
/// if the time was over before anything was found, [`BasketError::TooLarge`].
pub fn solve(instance: &Instance, stop: &mut dyn FnMut() -> bool) -> Result<Solved, BasketError> {
    match instance {
        Instance::Classic(c) if c.discount.is_none() => {
            let found = plain::solve(c, stop)?;
            confirm(
                instance,
                found.solution,
                found.cost,
                found.bound,
                found.stats,
            )
        }
        Instance::Classic(_) | Instance::Household(_) => solve_general(instance, stop),
    }
}

/// The method for every kind of instance.
fn solve_general(
    instance: &Instance,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Solved, BasketError> {
    let model = Model::new(instance)?;
    let mut incumbent = Incumbent::new(instance, &model);
    let mut search = Search::new(&model, instance, &mut incumbent);
    let bound = search.run(stop);
    let stats = search.stats;
    let (Some(solution), Some(cost)) = (incumbent.solution(), incumbent.cost) else {
        return Err(if bound.is_finite() {
            BasketError::Stopped
        } else {
            BasketError::Infeasible("no choice of shops covers every item within the limits".into())
        });
    };
    let bound = if bound.is_finite() {
        // Costs are whole cents; the margin is above the rounding error.
        let margin = 1e-6 + bound.abs() * 1e-10;
        ((bound - margin).ceil().max(0.0) as Cents).min(cost)
    } else {
        cost
    };
    let bound = match instance {
        // Buying for the discount alone may pay there, which the search does not try.
        Instance::Household(h) if h.overshoot > 0 => bound.min(h.overshoot.saturating_neg()),
        _ => bound,
    };
    confirm(instance, solution, cost, bound, stats)
}

/// Whatever a search believes, only what the evaluator confirms is handed out.
fn confirm(
    instance: &Instance,
    solution: Solution,
    cost: Cents,
    bound: Cents,
    stats: Stats,
) -> Result<Solved, BasketError> {
    let evaluation = evaluate(instance, &solution)
        .map_err(|errors| BasketError::Inconsistent(errors.join("; ")))?;
    if evaluation.cost != cost {
        return Err(BasketError::Inconsistent(format!(
            "the search counted {cost}, the evaluator {}",
            evaluation.cost
        )));
    }
    Ok(Solved {
        solution,
        evaluation,
        bound,
        optimal: bound == cost,
        stats,
    })
}

#[cfg(test)]
mod tests;
