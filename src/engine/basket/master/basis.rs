//! Rows and bases of the linear program: rows that join late, and the inverse computed
//! from the columns of the basis.

use super::{ASLEEP, FEASIBLE, Master};

impl Master {
    /// Gives rows without entries, which are lazy, their right-hand sides, and all other
    /// columns the entries there that `more` adds. A limit that is broken raises the cost
    /// at the next solve.
    pub(in crate::engine::basket) fn define(
        &mut self,
        rows: &[(usize, f64)],
        more: impl Fn(usize, &mut Vec<(u32, f64)>),
    ) {
        let mut entries = Vec::with_capacity(self.entries.len() + self.cost.len());
        for c in 0..self.cost.len() {
            entries.extend_from_slice(self.column(c));
            let first = entries.len();
            more(c, &mut entries);
            let longer: f64 = entries[first..].iter().map(|e| e.1 * e.1).sum();
            if longer > 0.0 {
                self.scale[c] = (self.scale[c].powi(-2) + longer).sqrt().recip();
            }
            // The end of the column before is still needed.
            self.scratch.ends.push(entries.len());
        }
        self.entries = entries;
        self.ends.clear();
        self.ends.append(&mut self.scratch.ends);
        for (row, rhs) in rows {
            self.rhs[*row] = rhs + self.apart(*row);
            self.wake(*row);
        }
    }

    /// Back to an earlier basis, or to that of the spare columns if it is none.
    pub(in crate::engine::basket) fn set_basis(&mut self, to: &[usize]) {
        if self.basis == to {
            return;
        }
        // Rows that were woken since stand last.
        let since = self.awake[to.len().min(self.awake.len())..].iter().copied();
        self.basis = to.iter().copied().chain(since).collect();
        self.mark();
        if !self.refactor() {
            self.start_anew();
        }
    }

    /// Notes which columns are in the basis. So are those of lazy rows.
    pub(super) fn mark(&mut self) {
        self.basic.fill(false);
        self.basis.iter().for_each(|c| self.basic[*c] = true);
        for (r, at) in self.at.iter().enumerate() {
            if *at == ASLEEP {
                self.basic[r] = true;
            }
        }
    }

    /// Works with a row from now on, if it is lazy. The basis stays as it is, with the
    /// column that satisfies the row alone and has its number.
    pub(in crate::engine::basket) fn wake(&mut self, row: usize) {
        if self.at.get(row) != Some(&ASLEEP) {
            return;
        }
        let n = self.awake.len();
        let own = |c: &usize| -> f64 {
            let entries = self.column(*c).iter();
            entries.filter(|e| e.0 as usize == row).map(|e| e.1).sum()
        };
        let used: Vec<f64> = self.basis.iter().map(own).collect();
        let mut inverse = vec![0.0; (n + 1) * (n + 1)];
        for (to, from) in inverse
            .chunks_exact_mut(n + 1)
            .zip(self.inverse.chunks_exact(n.max(1)))
        {
            to[..n].copy_from_slice(from);
            to[n] = -from.iter().zip(&used).map(|(v, a)| v * a).sum::<f64>();
        }
        inverse[n * (n + 1) + n] = 1.0;
        self.inverse = inverse;
        let done: f64 = self.values.iter().zip(&used).map(|(x, a)| x * a).sum();
        self.values.push(self.rhs[row] - done);
        self.basis.push(row);
        self.at[row] = n;
        self.awake.push(row);
        self.duals[row] = 0.0;
    }

    /// Wakes the lazy rows that are broken.
    pub(super) fn wake_broken(&mut self) {
        let mut left: Vec<(usize, f64)> = Vec::new();
        for (c, x) in self.basis.iter().zip(&self.values) {
            for (r, a) in self.column(*c) {
                let r = *r as usize;
                if self.at[r] == ASLEEP {
                    match left.iter_mut().find(|l| l.0 == r) {
                        Some(l) => l.1 -= a * x,
                        None => left.push((r, self.rhs[r] - a * x)),
                    }
                }
            }
        }
        left.retain(|l| l.1 < -FEASIBLE);
        for (r, _) in left {
            self.wake(r);
        }
    }

    /// The basis of the spare columns.
    pub(super) fn start_anew(&mut self) {
        let n = self.awake.len();
        let alone = |r: &usize| {
            if self.banned[*r] > 0 {
                self.spare[*r]
            } else {
                *r
            }
        };
        self.basis = self.awake.iter().map(alone).collect();
        self.mark();
        self.inverse = vec![0.0; n * n];
        for k in 0..n {
            self.inverse[k * n + k] = 1.0;
        }
        // Below the diagonal: what satisfies a row alone may count in those after it.
        for k in 0..n {
            for (r, a) in self.column(self.basis[k]).to_vec() {
                match self.at[r as usize] {
                    ASLEEP => {}
                    at if at != k => self.inverse[k * n + at] = -a,
                    _ => {}
                }
            }
        }
        let value = |k: usize| -> f64 {
            let rows = self.awake.iter().enumerate();
            rows.map(|(j, r)| self.inverse[j * n + k] * self.rhs[*r])
                .sum()
        };
        self.values = (0..n).map(value).collect();
        self.price_rows();
    }

    /// Wakes the lazy rows of a column that nothing limits, and of those that are used more
    /// with it.
    pub(super) fn wake_used(&mut self, entering: usize) {
        let more = self.basis.iter().zip(&self.scratch.alpha);
        let more = more.filter(|(_, a)| **a < 0.0).map(|(c, _)| *c);
        let rows = more
            .chain([entering])
            .flat_map(|c| self.column(c))
            .map(|(r, _)| *r as usize);
        let lazy: Vec<usize> = rows.filter(|r| self.at[*r] == ASLEEP).collect();
        for r in lazy {
            self.wake(r);
        }
    }

    /// Computes the inverse from the columns of the basis (Gauss–Jordan). False, with the
    /// inverse as it was, if there is none.
    pub(super) fn refactor(&mut self) -> bool {
        let n = self.awake.len();
        // By rows: the basis and, beside it, what becomes its inverse.
        let width = 2 * n;
        let mut table = vec![0.0; n * width];
        for (at, c) in self.basis.iter().enumerate() {
            for (r, a) in self.column(*c) {
                if let Some(row) = self.at.get(*r as usize).filter(|k| **k != ASLEEP) {
                    table[row * width + at] = *a;
                }
            }
        }
        for r in 0..n {
            table[r * width + n + r] = 1.0;
        }
        for at in 0..n {
            let size = |r: &usize| table[r * width + at].abs();
            let Some(best) = (at..n).max_by(|a, b| size(a).total_cmp(&size(b))) else {
                return false;
            };
            if table[best * width + at].abs() < 1e-11 {
                return false;
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
        self.inverse.resize(n * n, 0.0);
        self.values.resize(n, 0.0);
        for r in 0..n {
            for k in 0..n {
                self.inverse[k * n + r] = table[r * width + n + k];
            }
        }
        for r in 0..n {
            let of = |(k, row): (usize, &usize)| self.inverse[k * n + r] * self.rhs[*row];
            self.values[r] = self.awake.iter().enumerate().map(of).sum();
        }
        self.price_rows();
        true
    }
}
