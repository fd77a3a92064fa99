//! What a rule remembers of the prices it has seen: at most 2 KB as JSON, however
//! long the series.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Days over which "usual" is taken.
pub const USUAL_DAYS: i32 = 90;
/// Two sightings of one price so many days apart still count as the price in between.
const HELD_DAYS: i32 = 14;
/// Most runs kept for the median. A price that moves more often has neighbouring runs
/// of nearly the same price joined.
const MAX_RUNS: usize = 52;
/// Most minima kept.
const MAX_LOWS: usize = 24;

/// Days in which one price held: first day, last day, minor units. Days count from the
/// Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run(i32, i32, i64);

/// Prices by day, as runs, and the lows that a window can still need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The first day with a price.
    since: Option<i32>,
    /// Runs of the last [`USUAL_DAYS`]; the last one is the present price.
    runs: VecDeque<Run>,
    /// Ended runs as (last day, price), both rising: the classic sliding-window
    /// minimum, so the front of what is inside a window is its lowest.
    lows: VecDeque<(i32, i64)>,
}

impl History {
    /// The latest price, in minor units.
    #[must_use]
    pub fn last(&self) -> Option<i64> {
        self.runs.back().map(|r| r.2)
    }

    /// Notes that `minor` held on `day`. Days never go back.
    pub fn push(&mut self, day: i32, minor: i64) {
        self.since.get_or_insert(day);
        match self.runs.back_mut() {
            Some(run) if run.2 == minor && day - run.1 <= HELD_DAYS => run.1 = day,
            // Twice in one day: the later one is the day's price, the earlier one
            // still counts as a low.
            Some(run) if run.1 == day => {
                let (start, before) = (run.0, run.2);
                if start == day {
                    self.runs.pop_back();
                } else {
                    run.1 = day - 1;
                }
                self.ended(day, before);
                self.runs.push_back(Run(day, day, minor));
            }
            Some(run) => {
                let (last, before) = (run.1, run.2);
                self.ended(last, before);
                self.runs.push_back(Run(day, day, minor));
            }
            None => self.runs.push_back(Run(day, day, minor)),
        }
        while self.runs.len() > 1 && self.runs.front().is_some_and(|r| r.1 < day - USUAL_DAYS) {
            self.runs.pop_front();
        }
        if self.runs.len() > MAX_RUNS {
            self.join_closest_runs();
        }
    }

    /// Joins the two neighbours of the most similar price, the present run left alone;
    /// the one that held longer gives the price.
    fn join_closest_runs(&mut self) {
        let closest = (1..self.runs.len() - 1)
            .min_by_key(|&i| self.runs[i].2.abs_diff(self.runs[i - 1].2))
            .expect("invariant: more than two runs");
        let (a, b) = (self.runs[closest - 1], self.runs[closest]);
        let price = if a.1 - a.0 > b.1 - b.0 { a.2 } else { b.2 };
        self.runs[closest] = Run(a.0, b.1, price);
        self.runs.remove(closest - 1);
    }

    fn ended(&mut self, last_day: i32, minor: i64) {
        while self.lows.back().is_some_and(|l| l.1 >= minor) {
            self.lows.pop_back();
        }
        self.lows.push_back((last_day, minor));
        if self.lows.len() > MAX_LOWS {
            // Join the two closest prices into the lower one with the later day: a low
            // may then be remembered too long, which withholds an alert but never
            // makes a false one.
            let closest = (1..self.lows.len())
                .min_by_key(|&i| self.lows[i].1.saturating_sub(self.lows[i - 1].1))
                .expect("invariant: more than one low");
            self.lows[closest].1 = self.lows[closest - 1].1;
            self.lows.remove(closest - 1);
        }
    }

    /// Days of history before `day`.
    #[must_use]
    pub fn known_days(&self, day: i32) -> i32 {
        self.since.map_or(0, |s| day - s)
    }

    /// The lowest price of the `window` days up to `day`, the present run left out.
    #[must_use]
    pub fn low(&self, day: i32, window: u32) -> Option<i64> {
        let from = day.saturating_sub_unsigned(window);
        self.lows.iter().find(|l| l.0 >= from).map(|l| l.1)
    }

    /// The median price of the [`USUAL_DAYS`] before `day`, each price weighted with
    /// the days it held. `None` without an earlier day.
    #[must_use]
    pub fn usual(&self, day: i32) -> Option<i64> {
        let from = day - USUAL_DAYS;
        let mut weights: Vec<(i64, i32)> = self
            .runs
            .iter()
            .map(|r| (r.2, r.1.min(day - 1) - r.0.max(from) + 1))
            .filter(|w| w.1 > 0)
            .collect();
        weights.sort_unstable();
        let total: i32 = weights.iter().map(|w| w.1).sum();
        let mut seen = 0;
        for (price, weight) in weights {
            seen += weight;
            if seen * 2 >= total {
                return Some(price);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usual_weighs_prices_by_the_days_they_held() {
        let mut h = History::default();
        for day in 0..60 {
            h.push(day, 1000);
        }
        for day in 60..75 {
            h.push(day, 700);
        }
        assert_eq!(h.usual(75), Some(1000));
        assert_eq!(h.low(75, 90), Some(1000), "the present run is left out");
        h.push(75, 900);
        assert_eq!(h.low(75, 90), Some(700));
        assert_eq!(h.low(200, 90), None);
    }

    proptest! {
        /// The window minimum equals a plain scan, or is lower once minima were joined.
        #[test]
        fn low_never_exceeds_the_true_low(
            steps in proptest::collection::vec((0..4i32, 1..5000i64), 1..400),
            window in 1..200u32,
        ) {
            let mut h = History::default();
            let mut day = 0;
            let mut ended: Vec<(i32, i64)> = Vec::new();
            let mut present: Option<(i32, i64)> = None;
            for (gap, price) in steps {
                day += gap;
                match present {
                    Some((_, p)) if p == price => present = Some((day, price)),
                    Some((last, p)) => {
                        ended.push((last, p));
                        present = Some((day, price));
                    }
                    None => present = Some((day, price)),
                }
                h.push(day, price);
                let truth = ended
                    .iter()
                    .filter(|e| e.0 >= day - window.cast_signed())
                    .map(|e| e.1)
                    .min();
                prop_assert_eq!(h.low(day, window).is_some(), truth.is_some());
                prop_assert!(h.low(day, window) <= truth);
                prop_assert!(h.runs.len() <= MAX_RUNS && h.lows.len() <= MAX_LOWS);
            }
        }
    }
}
