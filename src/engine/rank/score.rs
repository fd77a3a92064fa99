//! The additive model every ranking rests on: effective cost = fixed money + the sum of
//! weighted disutilities, each an interval. An offer's score depends on that offer
//! alone, which is what makes the order free of rank reversal.

use std::cmp::Ordering;

/// An uncertain amount in cents, `lo <= mid <= hi`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interval {
    /// The least.
    pub lo: f64,
    /// The expected value.
    pub mid: f64,
    /// The most.
    pub hi: f64,
}

impl Interval {
    /// A known amount.
    #[must_use]
    pub const fn exact(x: f64) -> Self {
        Self {
            lo: x,
            mid: x,
            hi: x,
        }
    }

    /// The PERT estimate of `[low, mode, high]`, with the mean in the middle.
    #[must_use]
    pub fn pert([lo, mode, hi]: [f64; 3]) -> Self {
        Self {
            lo,
            mid: (lo + 4.0 * mode + hi) / 6.0,
            hi,
        }
    }

    /// Whether there is anything to learn.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.lo == self.hi
    }

    /// The quantile function of a triangular distribution with the same range and, where
    /// possible, the mode a PERT mean implies. Its tails are heavier than PERT's: what is
    /// unknown deserves no optimism.
    pub fn quantiles(&self) -> impl Fn(f64) -> f64 + use<> {
        let (lo, hi) = (self.lo, self.hi);
        let width = hi - lo;
        let mode = ((6.0 * self.mid - lo - hi) / 4.0).max(lo).min(hi);
        let (below, above) = (width * (mode - lo), width * (hi - mode));
        let split = if width > 0.0 {
            (mode - lo) / width
        } else {
            0.0
        };
        // Both sides, then a choice: without a branch a loop over this can be vectorised.
        move |u| {
            let (low, high) = (lo + (u * below).sqrt(), hi - ((1.0 - u) * above).sqrt());
            if u < split { low } else { high }
        }
    }

    fn key(&self, risk_aversion: f64) -> f64 {
        self.mid + risk_aversion * (self.hi - self.mid)
    }

    fn plus(self, other: Self) -> Self {
        Self {
            lo: self.lo + other.lo,
            mid: self.mid + other.mid,
            hi: self.hi + other.hi,
        }
    }
}

/// One offer as the model sees it.
#[derive(Clone, Debug)]
pub struct Alternative<'a> {
    /// Its id: the last tie-break and the seed of its unknowns.
    pub id: &'a str,
    /// What can be had now is 0; higher tiers come after all lower ones.
    pub tier: u8,
    /// Money as it is: price, delivery, fees.
    pub fixed: Interval,
    /// Disutility of each criterion, in the canonical order of the criteria.
    pub weighted: Vec<Interval>,
}

impl Alternative<'_> {
    /// The effective cost at the stated trade-offs.
    #[must_use]
    pub fn total(&self) -> Interval {
        self.weighted.iter().fold(self.fixed, |sum, i| sum.plus(*i))
    }

    /// What offers are ordered by: the middle, plus `risk_aversion` times what it may
    /// yet come to.
    #[must_use]
    pub fn key(&self, risk_aversion: f64) -> f64 {
        self.total().key(risk_aversion)
    }
}

/// Positions of `alternatives` in order of (tier, key, hi, id). Keys are compared to a
/// millionth of a cent, below which only the rounding of floats differs.
#[must_use]
pub fn order(alternatives: &[Alternative<'_>], risk_aversion: f64) -> Vec<usize> {
    let micro = |x: f64| (x * 1e6).round();
    let mut keyed: Vec<(u8, f64, f64, usize)> = alternatives
        .iter()
        .enumerate()
        .map(|(i, a)| {
            let total = a.total();
            (a.tier, micro(total.key(risk_aversion)), micro(total.hi), i)
        })
        .collect();
    keyed.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0)
            .then(compare(a.1, b.1))
            .then(compare(a.2, b.2))
            .then_with(|| alternatives[a.3].id.cmp(alternatives[b.3].id))
            .then(a.3.cmp(&b.3))
    });
    keyed.into_iter().map(|k| k.3).collect()
}

/// Zero and minus zero are one key.
fn compare(a: f64, b: f64) -> Ordering {
    (a + 0.0).total_cmp(&(b + 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_stay_inside_and_rise() {
        for i in [
            Interval::pert([0.0, 490.0, 990.0]),
            Interval::pert([0.0, 0.0, 990.0]),
            Interval::pert([5.0, 9.0, 9.0]),
            Interval::exact(3.0),
        ] {
            let mut last = f64::NEG_INFINITY;
            for step in 0..=20 {
                let q = i.quantiles()(f64::from(step) / 20.0);
                assert!(i.lo <= q && q <= i.hi && q >= last, "{i:?} {q}");
                last = q;
            }
        }
    }

    #[test]
    fn the_order_is_by_tier_then_key_then_risk_then_id() {
        let a = |id, tier, fixed| Alternative {
            id,
            tier,
            fixed,
            weighted: vec![],
        };
        let range = Interval {
            lo: 0.0,
            mid: 5.0,
            hi: 9.0,
        };
        let all = [
            a("gone", 1, Interval::exact(1.0)),
            a("z", 0, Interval::exact(5.0)),
            a("risky", 0, range),
            a("b", 0, Interval::exact(5.0)),
        ];
        let ids = |rho| -> Vec<&str> { order(&all, rho).iter().map(|&i| all[i].id).collect() };
        assert_eq!(ids(0.0), ["b", "z", "risky", "gone"]);
        let cheap = [a("x", 0, Interval::exact(6.0)), a("risky", 0, range)];
        assert_eq!(order(&cheap, 0.0), [1, 0]);
        assert_eq!(order(&cheap, 0.5), [0, 1]);
    }
}
