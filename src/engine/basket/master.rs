//! The restricted master problem of the Dantzig–Wolfe decomposition: whole carts are
//! the columns, a linear program chooses among them.
//!
//! minimise `Σ cost x + Σ penalty u` such that each item is covered, each shop sells
//! one cart at most, and the limits that tie shops together hold. Solved by the revised
//! primal simplex method with an explicit inverse: there are few rows, columns arrive
//! all the time, and branching only switches columns off, so that every basis stays
//! feasible and each solve starts where the last one ended.

/// Reduced costs above this are taken as zero.
const TOLERANCE: f64 = 1e-7;
/// Improving columns worked off between two passes over all.
const AT_ONCE: usize = 24;
/// Pivots after which the inverse is computed anew.
const REFACTOR: usize = 400;
/// The least element to pivot on.
const LEAST_PIVOT: f64 = 1e-8;

/// A column: its cost and its entries by row.
#[derive(Debug, Clone)]
struct Column {
    cost: f64,
    /// Added to the cost while branching has switched it off.
    ban: f64,
    entries: Vec<(u32, f64)>,
}

#[derive(Debug)]
pub(super) struct Master {
    rows: usize,
    rhs: Vec<f64>,
    columns: Vec<Column>,
    /// Column in each row of the basis, and whether a column is in it.
    basis: Vec<usize>,
    basic: Vec<bool>,
    /// The inverse of the basis by columns.
    inverse: Vec<f64>,
    values: Vec<f64>,
    duals: Vec<f64>,
    pivots: usize,
    /// Scratch: the entering column in terms of the basis.
    alpha: Vec<f64>,
}

/// A basis to come back to.
#[derive(Debug)]
pub(super) struct Snapshot {
    basis: Vec<usize>,
    inverse: Vec<f64>,
    values: Vec<f64>,
    duals: Vec<f64>,
}

impl Master {
    /// Rows with their right-hand sides, each with the column that satisfies it alone.
    /// The right-hand sides are moved a little apart so that no two bases tie: those of
    /// the first `covers` rows, to be covered, downwards, the limits upwards.
    pub(super) fn new(rows: &[(f64, f64)], covers: usize) -> Self {
        let n = rows.len();
        let mut inverse = vec![0.0; n * n];
        for r in 0..n {
            inverse[r * n + r] = 1.0;
        }
        let apart = |r: usize| 1e-6 * (1.0 + ((r as f64 + 1.0) * 0.618_033_988_75).fract());
        let rhs: Vec<f64> = rows
            .iter()
            .enumerate()
            .map(|(r, row)| {
                if r < covers {
                    row.0 - apart(r)
                } else {
                    row.0 + apart(r)
                }
            })
            .collect();
        let columns = rows.iter().enumerate().map(|(r, row)| Column {
            cost: row.1,
            ban: 0.0,
            entries: vec![(r as u32, 1.0)],
        });
        Self {
            rows: n,
            values: rhs.clone(),
            rhs,
            duals: rows.iter().map(|r| r.1).collect(),
            columns: columns.collect(),
            basis: (0..n).collect(),
            basic: vec![true; n],
            inverse,
            pivots: 0,
            alpha: vec![0.0; n],
        }
    }

    /// Adds a column; returns its number.
    pub(super) fn add(&mut self, cost: f64, entries: Vec<(u32, f64)>) -> usize {
        self.columns.push(Column {
            cost,
            ban: 0.0,
            entries,
        });
        self.basic.push(false);
        self.columns.len() - 1
    }

    /// Sets what is added to a column's cost.
    pub(super) fn ban(&mut self, column: usize, by: f64) {
        self.columns[column].ban = by;
    }

    /// Adds to what is added to a column's cost.
    pub(super) fn shift_ban(&mut self, column: usize, by: f64) {
        self.columns[column].ban += by;
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
        self.solution().map(|(c, x)| self.price_of(c) * x).sum()
    }

    fn price_of(&self, column: usize) -> f64 {
        self.columns[column].cost + self.columns[column].ban
    }

    pub(super) fn is_basic(&self, column: usize) -> bool {
        self.basic[column]
    }

    /// What a column costs beyond the prices of its rows.
    pub(super) fn reduced(&self, column: usize) -> f64 {
        let c = &self.columns[column];
        let paid = |(r, a): &(u32, f64)| self.duals[*r as usize] * a;
        c.cost + c.ban - c.entries.iter().map(paid).sum::<f64>()
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
    pub(super) fn restore(&mut self, to: Snapshot) {
        self.basic.fill(false);
        to.basis.iter().for_each(|c| self.basic[*c] = true);
        self.basis = to.basis;
        self.inverse = to.inverse;
        self.values = to.values;
        self.duals = to.duals;
    }

    /// The least cost when some more columns are switched off by `by`; everything is as
    /// before afterwards.
    pub(super) fn probe(&mut self, off: &[usize], by: f64, pivots: usize) -> f64 {
        let kept = self.snapshot();
        for c in off {
            self.columns[*c].ban += by;
        }
        self.solve(pivots);
        let objective = self.objective();
        for c in off {
            self.columns[*c].ban -= by;
        }
        self.restore(kept);
        objective
    }

    /// Solves to optimality, or until `pivots` are made. The columns that could improve
    /// are collected in one pass over all and worked off before the next pass.
    pub(super) fn solve(&mut self, pivots: usize) {
        self.price_rows();
        let mut left = pivots;
        let mut improving: Vec<(f64, usize)> = Vec::new();
        loop {
            improving.clear();
            for c in 0..self.columns.len() {
                if !self.basic[c] && self.columns[c].ban <= 0.0 {
                    let d = self.reduced(c);
                    if d < -TOLERANCE * (1.0 + self.columns[c].cost.abs() * 1e-2) {
                        improving.push((d, c));
                    }
                }
            }
            if improving.is_empty() {
                return;
            }
            if improving.len() > AT_ONCE {
                improving.select_nth_unstable_by(AT_ONCE, |a, b| a.0.total_cmp(&b.0));
                improving.truncate(AT_ONCE);
            }
            loop {
                let mut best: Option<(f64, usize)> = None;
                improving.retain_mut(|(d, c)| {
                    *d = self.reduced(*c);
                    let keep = !self.basic[*c]
                        && *d < -TOLERANCE * (1.0 + self.columns[*c].cost.abs() * 1e-2);
                    if keep && best.is_none_or(|b| *d < b.0) {
                        best = Some((*d, *c));
                    }
                    keep
                });
                let Some((d, c)) = best else { break };
                if left == 0 || !self.pivot(c, d) {
                    return;
                }
                left -= 1;
            }
        }
    }

    fn price_rows(&mut self) {
        let n = self.rows;
        for r in 0..n {
            let column = &self.inverse[r * n..(r + 1) * n];
            let of = |(a, b): (&f64, &usize)| a * self.price_of(*b);
            self.duals[r] = column.iter().zip(&self.basis).map(of).sum();
        }
    }

    /// Brings a column into the basis. False if nothing limits it.
    fn pivot(&mut self, entering: usize, reduced: f64) -> bool {
        let n = self.rows;
        self.alpha.fill(0.0);
        for (r, a) in &self.columns[entering].entries {
            let column = &self.inverse[*r as usize * n..(*r as usize + 1) * n];
            for (t, v) in self.alpha.iter_mut().zip(column) {
                *t += a * v;
            }
        }
        let mut leaving: Option<(usize, f64)> = None;
        for (r, a) in self.alpha.iter().enumerate() {
            if *a <= LEAST_PIVOT {
                continue;
            }
            let ratio = (self.values[r] / a).max(0.0);
            let better = leaving.is_none_or(|(other, least)| {
                ratio < least - 1e-12 || (ratio <= least + 1e-12 && *a > self.alpha[other])
            });
            if better {
                leaving = Some((r, ratio));
            }
        }
        let Some((leaving, step)) = leaving else {
            return false;
        };
        let pivot = self.alpha[leaving];
        for (v, a) in self.values.iter_mut().zip(&self.alpha) {
            *v -= step * a;
        }
        self.values[leaving] = step;
        for r in 0..n {
            let column = &mut self.inverse[r * n..(r + 1) * n];
            let t = column[leaving] / pivot;
            if t == 0.0 {
                continue;
            }
            for (v, a) in column.iter_mut().zip(&self.alpha) {
                *v -= t * a;
            }
            column[leaving] = t;
            self.duals[r] += reduced * t;
        }
        self.basic[self.basis[leaving]] = false;
        self.basis[leaving] = entering;
        self.basic[entering] = true;
        self.pivots += 1;
        if self.pivots.is_multiple_of(REFACTOR) {
            self.refactor();
        }
        true
    }

    /// Computes the inverse from the columns of the basis (Gauss–Jordan).
    fn refactor(&mut self) {
        let n = self.rows;
        // By rows: the basis and, beside it, what becomes its inverse.
        let width = 2 * n;
        let mut table = vec![0.0; n * width];
        for (at, c) in self.basis.iter().enumerate() {
            for (r, a) in &self.columns[*c].entries {
                table[*r as usize * width + at] = *a;
            }
        }
        for r in 0..n {
            table[r * width + n + r] = 1.0;
        }
        for at in 0..n {
            let size = |r: &usize| table[r * width + at].abs();
            let Some(best) = (at..n).max_by(|a, b| size(a).total_cmp(&size(b))) else {
                return;
            };
            if table[best * width + at].abs() < 1e-11 {
                return; // Keep the inverse at hand: it is no worse than none.
            }
            if best != at {
                for k in 0..width {
                    table.swap(best * width + k, at * width + k);
                }
            }
            let pivot = table[at * width + at];
            for k in at..width {
                table[at * width + k] /= pivot;
            }
            let row = table[at * width..(at + 1) * width].to_vec();
            for r in (0..n).filter(|r| *r != at) {
                let factor = table[r * width + at];
                if factor != 0.0 {
                    for k in at..width {
                        table[r * width + k] -= factor * row[k];
                    }
                }
            }
        }
        for r in 0..n {
            for k in 0..n {
                self.inverse[k * n + r] = table[r * width + n + k];
            }
        }
        for r in 0..n {
            let of = |k: usize| self.inverse[k * n + r] * self.rhs[k];
            self.values[r] = (0..n).map(of).sum::<f64>().max(0.0);
        }
        self.price_rows();
    }
}

#[cfg(test)]
mod tests {
    use super::Master;

    /// Two items, two shops: cart A covers both at 10, carts B and C one each at 6 and 3.
    #[test]
    fn chooses_the_cheaper_carts() {
        let mut m = Master::new(&[(1.0, 100.0), (1.0, 100.0), (1.0, 0.0), (1.0, 0.0)], 2);
        let both = m.add(10.0, vec![(0, 1.0), (1, 1.0), (2, 1.0)]);
        let one = m.add(6.0, vec![(0, 1.0), (2, 1.0)]);
        let other = m.add(3.0, vec![(1, 1.0), (3, 1.0)]);
        m.solve(100);
        assert!((m.objective() - 9.0).abs() < 1e-3, "{}", m.objective());
        let used: Vec<usize> = m.solution().filter(|s| s.1 > 0.5).map(|s| s.0).collect();
        assert!(used.contains(&one) && used.contains(&other) && !used.contains(&both));
        // Switched off while in the basis, the other way remains.
        m.ban(other, 1000.0);
        m.solve(100);
        assert!((m.objective() - 10.0).abs() < 1e-3, "{}", m.objective());
        m.refactor();
        m.solve(100);
        assert!((m.objective() - 10.0).abs() < 1e-3, "{}", m.objective());
    }
}
