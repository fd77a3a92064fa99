//! Is this a price of the same thing in the same unit as before? Eight times less or more
//! is another unit, a giveaway or a slip of the decimal point before it is a price.

use serde::{Deserialize, Serialize};

/// A price this many times higher or lower than the last is not believed at once …
const JUMP: i64 = 8;
/// … but only once it was seen so often …
pub(super) const SIGHTINGS: u32 = 3;
/// … and for so many days.
pub(super) const DAYS: i64 = 7;

/// Whether two prices are too far apart to be of one thing.
#[must_use]
pub fn is_jump(a: i64, b: i64) -> bool {
    let (low, high) = (a.min(b), a.max(b));
    low.saturating_mul(JUMP) <= high
}

/// What to make of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// A price like those before it.
    Same,
    /// None, or not yet to be believed.
    Not,
    /// It stayed: what was known before is of another unit.
    NewLevel,
}

/// What is remembered of a series of daily prices to judge the next by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plausible {
    last: Option<i64>,
    /// The first day of an unlikely level, how often it was seen, and its latest price.
    suspect: Option<(i32, u32, i64)>,
}

impl Plausible {
    /// Judges the price of a day, in minor units.
    pub fn look(&mut self, day: i32, minor: i64) -> Belief {
        if minor <= 0 {
            return Belief::Not;
        }
        if !self.last.is_some_and(|last| is_jump(last, minor)) {
            *self = Self {
                last: Some(minor),
                suspect: None,
            };
            return Belief::Same;
        }
        let (since, seen) = match self.suspect {
            Some((since, seen, before)) if !is_jump(before, minor) => {
                (since, seen.saturating_add(1))
            }
            _ => (day, 1),
        };
        if seen >= SIGHTINGS && i64::from(day) - i64::from(since) >= DAYS {
            *self = Self {
                last: Some(minor),
                suspect: None,
            };
            return Belief::NewLevel;
        }
        self.suspect = Some((since, seen, minor));
        Belief::Not
    }
}

/// The prices of the present level up to the last day, one a day: days without a believed
/// price keep the one before.
#[must_use]
pub fn present_level(prices: &[i64]) -> Vec<i64> {
    let mut plausible = Plausible::default();
    let mut level: Vec<i64> = Vec::with_capacity(prices.len());
    for (day, &minor) in (0..).zip(prices) {
        match plausible.look(day, minor) {
            Belief::Same => level.push(minor),
            Belief::Not => level.extend(level.last().copied()),
            Belief::NewLevel => {
                level.clear();
                level.push(minor);
            }
        }
    }
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wild_day_is_skipped_and_a_level_that_stays_is_believed() {
        assert_eq!(
            present_level(&[0, 1000, 0, 990, 1, 100_000, 980]),
            [1000, 1000, 990, 990, 990, 980]
        );
        let mut prices = vec![4490; 30];
        prices.extend([45; 7]);
        assert_eq!(present_level(&prices), [4490; 37]);
        prices.extend([45; 3]);
        assert_eq!(present_level(&prices), [45; 3]);
        assert_eq!(present_level(&[]), [0_i64; 0]);
    }
}
