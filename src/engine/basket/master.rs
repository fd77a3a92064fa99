//! The restricted master problem of the Dantzig–Wolfe decomposition: whole carts are
//! the columns, a linear program chooses among them.
//!
//! minimise `Σ cost x + Σ penalty u` such that each item is covered, each shop sells
//! one cart at most, and the limits that tie shops together hold. Solved by the revised
//! simplex method with an explicit inverse: there are few rows and columns arrive all
//! the time. A basis that branching leaves with columns switched off is put right by the
//! dual method (steepest edge), which only ever raises the cost, so that a solve that is
//! cut short is still a bound on what the branch costs; new columns enter by the primal.

mod basis;

/// Reduced costs above this are taken as zero.
const TOLERANCE: f64 = 1e-7;
/// How far beyond its bounds a value may be.
const FEASIBLE: f64 = 1e-9;
/// Columns worked on between two passes over all.
const AT_HAND: usize = 150;
/// Rows that are faster gone through one by one.
const FEW: usize = 8;
/// Pivots after which the inverse is computed anew; more where there are many rows.
const REFACTOR: usize = 400;
/// Pivots of one solve.
const MOST_PIVOTS: usize = 20_000;
/// The least element to pivot on.
const LEAST_PIVOT: f64 = 1e-8;

#[derive(Debug)]
pub(super) struct Master {
    /// Rows that are worked with, in the order in which they came. The others are lazy: they
    /// are left out, at price 0, until a solution breaks them.
    awake: Vec<usize>,
    /// The place of each row in `awake`; [`ASLEEP`] for lazy ones.
    at: Vec<usize>,
    /// How many rows, the first ones, are to be covered; the others are limits.
    covers: usize,
    rhs: Vec<f64>,
    /// The cost of each column.
    cost: Vec<f64>,
    /// How often each column was switched off: it may be used at 0 only.
    banned: Vec<u16>,
    /// What reduced costs are multiplied with to be compared, by the length of each column
    /// (static steepest edge).
    scale: Vec<f64>,
    /// Where the entries of each column end.
    ends: Vec<usize>,
    /// (row, coefficient) of all columns, one after the other.
    entries: Vec<(u32, f64)>,
    /// Of each row a column that satisfies it alone and is never switched off.
    spare: Vec<usize>,
    /// Column in each row of the basis, and whether a column is in it.
    basis: Vec<usize>,
    basic: Vec<bool>,
    /// The inverse of the basis by columns.
    inverse: Vec<f64>,
    values: Vec<f64>,
    duals: Vec<f64>,
    pivots: usize,
    scratch: Scratch,
}

/// Buffers, reused between calls.
#[derive(Debug, Default)]
struct Scratch {
    /// The entering column in terms of the basis.
    alpha: Vec<f64>,
    /// A row of the inverse.
    row: Vec<f64>,
    /// Columns with their reduced costs, and their entries in the leaving row.
    near: Vec<(f64, usize)>,
    across: Vec<f64>,
    /// Squared lengths of the rows of the inverse.
    edges: Vec<f64>,
    ends: Vec<usize>,
}

/// Where a row stands that is not worked with.
const ASLEEP: usize = usize::MAX;

/// A basis to come back to.
#[derive(Debug)]
pub(super) struct Snapshot {
    basis: Vec<usize>,
    inverse: Vec<f64>,
    values: Vec<f64>,
    duals: Vec<f64>,
}

/// How the dual method ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dual {
    /// Nothing is beyond its bounds.
    Feasible,
    /// The cost is beyond what matters, or the pivots are used up.
    Cut,
    /// No column may enter.
    Stuck,
}

impl Master {
    /// Rows with their right-hand sides, each with the column that satisfies it alone.
    /// The right-hand sides are moved a little apart so that no two bases tie: those of
    /// the first `covers` rows, to be covered, downwards, the limits upwards.
    /// Those that are `lazy` are not worked with until they are broken; what satisfies
    /// them alone costs nothing.
    pub(super) fn new(rows: &[(f64, f64)], covers: usize, lazy: impl Fn(usize) -> bool) -> Self {
        let n = rows.len();
        let awake: Vec<usize> = (0..n).filter(|r| !lazy(*r)).collect();
        let mut at = vec![ASLEEP; n];
        for (k, r) in awake.iter().enumerate() {
            at[*r] = k;
        }
        let mut master = Self {
            awake,
            at,
            covers,
            rhs: rows.iter().map(|r| r.0).collect(),
            cost: rows.iter().map(|r| r.1).collect(),
            banned: vec![0; n],
            scale: vec![1.0; n],
            ends: (1..=n).collect(),
            entries: (0..n).map(|r| (r as u32, 1.0)).collect(),
            spare: (0..n).collect(),
            basis: Vec::new(),
            basic: vec![false; n],
            inverse: Vec::new(),
            values: Vec::new(),
            duals: vec![0.0; n],
            pivots: 0,
            scratch: Scratch::default(),
        };
        for row in 0..n {
            master.rhs[row] += master.apart(row);
        }
        master.start_anew();
        master
    }

    /// What the right-hand side of a row is moved by, another amount for each (the
    /// fractional parts of multiples of the golden ratio lie evenly), so that no two bases tie.
    fn apart(&self, row: usize) -> f64 {
        let by = 1e-6 * (1.0 + ((row as f64 + 1.0) * 0.618_033_988_75).fract());
        if row < self.covers { -by } else { by }
    }

    /// Adds a column; returns its number.
    pub(super) fn add(
        &mut self,
        cost: f64,
        entries: impl IntoIterator<Item = (u32, f64)>,
    ) -> usize {
        self.cost.push(cost);
        self.banned.push(0);
        self.basic.push(false);
        let first = self.entries.len();
        self.entries.extend(entries);
        self.ends.push(self.entries.len());
        let length: f64 = self.entries[first..].iter().map(|e| e.1 * e.1).sum();
        self.scale.push((1.0 + length).sqrt().recip());
        self.cost.len() - 1
    }

    /// Adds a column that satisfies a row alone when the row's own is switched off.
    pub(super) fn add_spare(&mut self, row: usize, cost: f64) -> usize {
        self.spare[row] = self.add(cost, [(row as u32, 1.0)]);
        self.spare[row]
    }

    pub(super) fn cost(&self, column: usize) -> f64 {
        self.cost[column]
    }

    /// Gives a column another cost; the prices are right again after the next solve.
    pub(super) fn set_cost(&mut self, column: usize, cost: f64) {
        self.cost[column] = cost;
    }

    /// Switches a column off or on.
    pub(super) fn set_ban(&mut self, column: usize, off: bool) {
        self.banned[column] = u16::from(off);
        if off {
            self.wake(column);
        }
    }

    /// Switches a column off once more; [`Master::unban`] takes it back.
    pub(super) fn ban(&mut self, column: usize) {
        self.banned[column] += 1;
        self.wake(column);
    }

    pub(super) fn unban(&mut self, column: usize) {
        self.banned[column] -= 1;
    }

    /// The price of each row.
    pub(super) fn duals(&self) -> &[f64] {
        &self.duals
    }

    /// Columns of the basis and how much of each is used.
    pub(super) fn solution(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.basis.iter().copied().zip(self.values.iter().copied())
    }

    /// The least cost with the columns at hand.
    pub(super) fn objective(&self) -> f64 {
        self.solution().map(|(c, x)| self.cost[c] * x).sum()
    }

    /// The same for the right-hand sides as they were given: where much is paid for a row,
    /// the little it was moved by comes to cents.
    pub(super) fn unmoved(&self) -> f64 {
        let moved = self.duals.iter().enumerate();
        let moved = moved.map(|(row, dual)| dual * self.apart(row));
        self.objective() - moved.sum::<f64>()
    }

    pub(super) fn is_basic(&self, column: usize) -> bool {
        self.basic[column]
    }

    fn column(&self, c: usize) -> &[(u32, f64)] {
        let first = c.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[first..self.ends[c]]
    }

    /// What a column costs beyond the prices of its rows.
    fn reduced(&self, column: usize) -> f64 {
        let paid = |(r, a): &(u32, f64)| self.duals[*r as usize] * a;
        self.cost[column] - self.column(column).iter().map(paid).sum::<f64>()
    }

    /// The basis at hand, to come back to. Columns that are added meanwhile stay.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            basis: self.basis.clone(),
            inverse: self.inverse.clone(),
            values: self.values.clone(),
            duals: self.duals.clone(),
        }
    }

    /// Back to an earlier basis.
    pub(super) fn restore(&mut self, to: &Snapshot) {
        if to.basis.len() < self.awake.len() {
            self.set_basis(&to.basis);
            return;
        }
        self.basis.clone_from(&to.basis);
        self.inverse.clone_from(&to.inverse);
        self.values.clone_from(&to.values);
        self.duals.clone_from(&to.duals);
        self.mark();
    }

    /// The columns of the basis, to come back to.
    pub(super) fn basis(&self) -> &[usize] {
        &self.basis
    }

    /// The columns that a cost below `cutoff` may use, with their reduced costs.
    pub(super) fn within(&self, cutoff: f64) -> Vec<(f64, usize)> {
        let gap = cutoff - self.objective();
        let mut near = Vec::new();
        self.near(gap, &mut near);
        near
    }

    fn near(&self, gap: f64, near: &mut Vec<(f64, usize)>) {
        near.clear();
        for c in 0..self.cost.len() {
            if !self.basic[c] && self.banned[c] == 0 {
                let d = self.reduced(c);
                if !self.improves(c, d) && d <= gap {
                    near.push((d.max(0.0), c));
                }
            }
        }
    }

    /// A bound on the cost without the columns `off`: what it comes to with a few pivots
    /// among the columns `near`. The basis stays as it is, which `at` keeps.
    pub(super) fn probe(
        &mut self,
        off: &[usize],
        near: &[(f64, usize)],
        at: &Snapshot,
        pivots: usize,
        cutoff: f64,
    ) -> f64 {
        off.iter().for_each(|c| self.banned[*c] += 1);
        let mut left = std::mem::take(&mut self.scratch.near);
        left.clear();
        left.extend(near.iter().filter(|(_, c)| self.banned[*c] == 0));
        self.scratch.near = left;
        let outcome = self.repair(pivots, cutoff);
        let cost = self.objective();
        off.iter().for_each(|c| self.banned[*c] -= 1);
        self.restore(at);
        match outcome {
            Dual::Stuck => cutoff,
            Dual::Feasible | Dual::Cut => cost.min(cutoff),
        }
    }

    /// Solves to optimality. What is beyond its bounds is put right with the columns that
    /// a cost below `cutoff` may use, if these suffice.
    pub(super) fn solve(&mut self, cutoff: f64) {
        self.price_rows();
        loop {
            let repaired = [cutoff, f64::INFINITY].into_iter().any(|cutoff| {
                self.gather(cutoff);
                self.repair(MOST_PIVOTS, f64::INFINITY) == Dual::Feasible
            });
            if !repaired {
                self.start_anew();
            }
            let rows = self.awake.len();
            self.improve(MOST_PIVOTS);
            self.wake_broken();
            if self.awake.len() == rows {
                break;
            }
        }
    }

    /// Solves below `cutoff`. False if `pivots` did not suffice or there is no such
    /// solution.
    pub(super) fn solve_below(&mut self, cutoff: f64, pivots: usize) -> bool {
        self.price_rows();
        loop {
            self.gather(cutoff);
            if self.repair(pivots, cutoff) != Dual::Feasible {
                return false;
            }
            let rows = self.awake.len();
            let done = self.improve(pivots);
            self.wake_broken();
            if self.awake.len() == rows {
                return done;
            }
        }
    }

    /// Collects the columns that a cost below `cutoff` may use, where the basis needs
    /// repair.
    fn gather(&mut self, cutoff: f64) {
        if (0..self.basis.len()).any(|r| self.beyond(r) != 0.0) {
            let mut near = std::mem::take(&mut self.scratch.near);
            self.near(cutoff - self.objective(), &mut near);
            self.scratch.near = near;
        }
    }

    /// Brings columns that cost less than they pay into the basis, until none is left
    /// (primal method). The columns nearest to it are worked off between passes over all.
    fn improve(&mut self, pivots: usize) -> bool {
        let mut left = pivots;
        let mut near = std::mem::take(&mut self.scratch.near);
        let mut done = false;
        while !done {
            near.clear();
            let mut improving = false;
            for c in 0..self.cost.len() {
                if !self.basic[c] && self.banned[c] == 0 {
                    let d = self.reduced(c);
                    improving |= self.improves(c, d);
                    near.push((d * self.scale[c], c));
                }
            }
            if !improving {
                done = true;
                break;
            }
            if near.len() > AT_HAND {
                near.select_nth_unstable_by(AT_HAND, |a, b| a.0.total_cmp(&b.0));
                near.truncate(AT_HAND);
            }
            loop {
                let mut best: Option<(f64, usize)> = None;
                for (_, c) in &near {
                    if !self.basic[*c] {
                        let d = self.reduced(*c);
                        let by = d * self.scale[*c];
                        if self.improves(*c, d) && best.is_none_or(|b| by < b.0) {
                            best = Some((by, *c));
                        }
                    }
                }
                let Some((_, c)) = best else { break };
                if left == 0 || !self.enter(c, self.reduced(c)) {
                    self.scratch.near = near;
                    return false;
                }
                left -= 1;
            }
        }
        self.scratch.near = near;
        done
    }

    fn improves(&self, column: usize, reduced: f64) -> bool {
        reduced < -TOLERANCE * (1.0 + self.cost[column].abs() * 1e-2)
    }

    /// Brings a column into the basis. False if nothing limits it.
    fn enter(&mut self, entering: usize, reduced: f64) -> bool {
        self.in_terms_of_basis(entering);
        let Some((leaving, step)) = self.limit() else {
            self.wake_used(entering);
            return false;
        };
        self.exchange(entering, leaving, step, reduced);
        true
    }

    /// The row of the basis that limits the column in `scratch.alpha`, and how far.
    fn limit(&self) -> Option<(usize, f64)> {
        let alpha = &self.scratch.alpha;
        let mut leaving: Option<(usize, f64)> = None;
        for (r, a) in alpha.iter().enumerate() {
            // A column that is switched off may not be used more either.
            let off = self.banned[self.basis[r]] > 0;
            if *a <= LEAST_PIVOT && !(off && *a < -LEAST_PIVOT) {
                continue;
            }
            let ratio = if off {
                0.0
            } else {
                (self.values[r] / a).max(0.0)
            };
            let better = leaving.is_none_or(|(other, least)| {
                ratio < least - 1e-12 || (ratio <= least + 1e-12 && a.abs() > alpha[other].abs())
            });
            if better {
                leaving = Some((r, ratio));
            }
        }
        leaving
    }

    fn in_terms_of_basis(&mut self, entering: usize) {
        let n = self.awake.len();
        let mut alpha = std::mem::take(&mut self.scratch.alpha);
        alpha.clear();
        alpha.resize(n, 0.0);
        for (r, a) in self.column(entering) {
            let at = self.at[*r as usize];
            if at == ASLEEP {
                continue;
            }
            for (t, v) in alpha.iter_mut().zip(&self.inverse[at * n..(at + 1) * n]) {
                *t += a * v;
            }
        }
        self.scratch.alpha = alpha;
    }

    /// Takes what is switched off or used less than not at all out of the basis (dual
    /// method), among the columns at hand in `scratch.near`, which do not cost less than
    /// they pay.
    fn repair(&mut self, pivots: usize, cutoff: f64) -> Dual {
        let n = self.awake.len();
        let mut near = std::mem::take(&mut self.scratch.near);
        let mut across = std::mem::take(&mut self.scratch.across);
        let mut outcome = Dual::Cut;
        for _ in 0..pivots {
            let Some(leaving) = self.leaving() else {
                outcome = Dual::Feasible;
                break;
            };
            if self.objective() >= cutoff {
                break;
            }
            let sign = self.beyond(leaving).signum();
            let row = &mut self.scratch.row;
            row.clear();
            row.resize(self.rhs.len(), 0.0);
            for (k, r) in self.awake.iter().enumerate() {
                row[*r] = self.inverse[k * n + leaving];
            }
            across.clear();
            let mut most = f64::INFINITY;
            for (d, c) in &near {
                let first = c.checked_sub(1).map_or(0, |before| self.ends[before]);
                let entries = &self.entries[first..self.ends[*c]];
                let a: f64 = entries.iter().map(|(r, a)| row[*r as usize] * a).sum();
                across.push(a);
                if a * sign > LEAST_PIVOT {
                    most = most.min((d + TOLERANCE) / (a * sign));
                }
            }
            // The safest of those that the bound allows (Harris).
            let mut entering: Option<usize> = None;
            for (at, ((d, _), a)) in near.iter().zip(&across).enumerate() {
                let a = a * sign;
                let safer = |other: usize| a > across[other] * sign;
                if a > LEAST_PIVOT && d / a <= most && entering.is_none_or(safer) {
                    entering = Some(at);
                }
            }
            let Some(at) = entering else {
                outcome = Dual::Stuck;
                break;
            };
            let (d, column) = near[at];
            self.in_terms_of_basis(column);
            let pivot = self.scratch.alpha[leaving];
            if pivot * sign <= LEAST_PIVOT * 0.1 {
                outcome = Dual::Stuck;
                break;
            }
            let step = self.values[leaving] / pivot;
            let theta = d / pivot;
            for ((d, _), a) in near.iter_mut().zip(&across) {
                *d = (*d - theta * a).max(0.0);
            }
            let left = self.basis[leaving];
            self.exchange(column, leaving, step, d);
            near.swap_remove(at);
            if self.banned[left] == 0 {
                near.push((theta.abs(), left));
            }
        }
        self.scratch.near = near;
        self.scratch.across = across;
        outcome
    }

    /// How far the value of a row of the basis is beyond its bounds.
    fn beyond(&self, row: usize) -> f64 {
        let value = self.values[row];
        let off = self.banned[self.basis[row]] > 0;
        if value < -FEASIBLE || off && value > FEASIBLE {
            value
        } else {
            0.0
        }
    }

    /// The row of the basis farthest beyond its bounds, in terms of its edge.
    fn leaving(&mut self) -> Option<usize> {
        let n = self.awake.len();
        let rows: Vec<usize> = (0..n).filter(|r| self.beyond(*r) != 0.0).collect();
        let mut edges = std::mem::take(&mut self.scratch.edges);
        edges.clear();
        if rows.len() > FEW {
            // Column by column, as they lie in memory.
            edges.resize(n, 0.0);
            for column in self.inverse.chunks_exact(n) {
                for (edge, v) in edges.iter_mut().zip(column) {
                    *edge += v * v;
                }
            }
        } else {
            let of = |r: usize| (0..n).map(|k| self.inverse[k * n + r].powi(2)).sum::<f64>();
            edges.extend((0..n).map(|r| if rows.contains(&r) { of(r) } else { 0.0 }));
        }
        let score = |r: usize| self.beyond(r).powi(2) / edges[r].max(1e-12);
        let farthest = rows
            .into_iter()
            .max_by(|a, b| score(*a).total_cmp(&score(*b)));
        self.scratch.edges = edges;
        farthest
    }

    fn price_rows(&mut self) {
        let n = self.awake.len();
        for (k, r) in self.awake.iter().enumerate() {
            let column = &self.inverse[k * n..(k + 1) * n];
            let of = |(a, b): (&f64, &usize)| a * self.cost[*b];
            self.duals[*r] = column.iter().zip(&self.basis).map(of).sum();
        }
    }

    /// Exchanges the column of a row of the basis for another, whose expression in terms
    /// of the basis is at hand.
    fn exchange(&mut self, entering: usize, leaving: usize, step: f64, reduced: f64) {
        let n = self.awake.len();
        let alpha = std::mem::take(&mut self.scratch.alpha);
        let pivot = alpha[leaving];
        for (v, a) in self.values.iter_mut().zip(&alpha) {
            *v -= step * a;
        }
        self.values[leaving] = step;
        for (k, r) in self.awake.iter().enumerate() {
            let column = &mut self.inverse[k * n..(k + 1) * n];
            let t = column[leaving] / pivot;
            if t == 0.0 {
                continue;
            }
            for (v, a) in column.iter_mut().zip(&alpha) {
                *v -= t * a;
            }
            column[leaving] = t;
            self.duals[*r] += reduced * t;
        }
        self.scratch.alpha = alpha;
        self.basic[self.basis[leaving]] = false;
        self.basis[leaving] = entering;
        self.basic[entering] = true;
        self.pivots += 1;
        if self.pivots.is_multiple_of(REFACTOR.max(4 * n)) {
            // Where it fails, the inverse at hand is no worse than none.
            self.refactor();
        }
    }
}

#[cfg(test)]
mod tests;
