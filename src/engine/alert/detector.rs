//! "Better enough" without a limit set by hand: is this a price to tell about, or will
//! a better one come soon?
//!
//! Two questions, asked on every look at a price `p`:
//!
//! 1. *Is it news?* `p` must lie under the usual price (the median of 90 days) and under
//!    that of the last two weeks by more than 6 % and more than six times the daily
//!    noise. The usual price is what a raised "before" price of a fake sale cannot move
//!    quickly; the fortnight keeps a slow downward trend from passing for a bargain. And
//!    a price that was raised comes back to what it was: that is no news either.
//! 2. *Is it good?* Every earlier visit below `p` says that waiting may pay. From their
//!    rate and depth, the recent ones counting more, follows what waiting 30 days is
//!    expected to save. A price that moves on most days also gets lower by its slide and
//!    by its noise. It is told if all that is at most `sensitivity` of the geometric mean
//!    of what buying now saves and of a usual sale: a sale twice as deep is worth more,
//!    but its price does not last twice as well.
//!
//! Streaming and causal: one observation is `O(90)` and the state, as JSON, is under 2 KB
//! for prices of up to nine digits.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The window of the usual price, in days.
const USUAL_DAYS: usize = 90;
/// The window of the recent price, in days.
const RECENT_DAYS: usize = 14;
/// Nothing is said before so many days are known.
pub(super) const MIN_DAYS: usize = 30;
/// The least saving that is news, as a share of the usual price.
const LEAST_SAVING: f64 = 0.06;
/// How many times the noise a saving must be to be news.
const NOISE_GATE: f64 = 6.0;
/// A price so many times the usual one was raised.
const RAISED: f64 = 1.05;
/// What a usual sale takes off.
const USUAL_SALE: f64 = 0.2;
/// A price lower by this share is clearly lower.
const CLEARLY: f64 = 0.02;
/// Days after which a visit counts `1/e`.
const MEMORY_DAYS: f64 = 85.0;
/// For how long the deepest visit is remembered, in days …
const DEEPEST_DAYS: i32 = 400;
/// … and the chance that its price comes back within the horizon.
const DEEPEST_RETURNS: f64 = 0.05;
/// What the noise of the coming days gives, in its standard deviations.
const NOISE_GIVES: f64 = 0.5;
/// How far a person looks ahead, in days.
const HORIZON_DAYS: f64 = 30.0;
/// What an item without history is given: so much saved by waiting, in so many days.
const PRIOR: (f64, f64) = (0.05, 50.0);
/// Most visits kept: over a year of fortnightly sales.
const MAX_VISITS: usize = 32;

/// How readily to tell, when nobody said otherwise.
pub const DEFAULT_SENSITIVITY: f64 = 0.25;

/// A stay below the usual price: the day of its lowest price, and that price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Visit(i32, i64);

/// What is remembered of one price series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detector {
    /// The first day.
    first: Option<i32>,
    /// The prices of the days before the present one, the latest last.
    days: VecDeque<i64>,
    /// The present day and its price.
    today: Option<(i32, i64)>,
    visits: VecDeque<Visit>,
    /// The present visit.
    open: Option<Visit>,
    /// The price told during the present visit.
    told: Option<i64>,
}

/// A price worth telling, with the numbers that say so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct News {
    /// The usual price in minor units.
    pub usual: i64,
    /// What buying now saves, as a share of the usual price.
    pub saving: f64,
    /// What waiting 30 days is expected to save, as a share of the present price.
    pub waiting: f64,
}

impl Detector {
    /// Takes the price of a day (counted from any day; minor units). Days without a
    /// look keep the last price; prices that are not positive and days that go back
    /// change nothing.
    pub fn observe(&mut self, day: i32, minor: i64, sensitivity: f64) -> Option<News> {
        if minor <= 0 || self.today.is_some_and(|(last, _)| day < last) {
            return None;
        }
        self.turn(day);
        let first = *self.first.get_or_insert(day);
        self.today = Some((day, minor));
        if self.days.len() < MIN_DAYS {
            return None;
        }
        let p = minor as f64;
        let usual = median(self.days.iter().copied());
        let recent = median(self.days.iter().rev().take(RECENT_DAYS).copied());
        let noise = self.noise() / usual;
        let gate = LEAST_SAVING.max(NOISE_GATE * noise);
        let saving = 1.0 - p / usual;

        if saving < gate / 2.0 {
            // The visit is over; half the gate, so that jitter does not end it.
            self.told = None;
            if let Some(visit) = self.open.take() {
                self.visits.push_back(visit);
                if self.visits.len() > MAX_VISITS {
                    self.visits.pop_front();
                }
            }
            return None;
        }
        let waiting = self.waiting(first, day, p) + self.unrest(usual, noise);
        if saving >= gate || self.open.is_some() {
            match &mut self.open {
                Some(visit) if minor < visit.1 => *visit = Visit(day, minor),
                Some(_) => {}
                None => self.open = Some(Visit(day, minor)),
            }
        }
        if self.told.is_none() && self.is_back(p, usual) {
            self.told = Some(minor);
            return None;
        }
        let news = match self.told {
            Some(told) => p <= told as f64 * (1.0 - CLEARLY - 2.0 * noise),
            None => saving >= gate && 1.0 - p / recent >= gate,
        };
        if !news || saving < gate || waiting > sensitivity * (saving * USUAL_SALE).sqrt() {
            return None;
        }
        self.told = Some(minor);
        Some(News {
            usual: usual.round() as i64,
            saving,
            waiting,
        })
    }

    /// Forgets what was told in the present visit, where it was not passed on.
    pub const fn rearm(&mut self) {
        self.told = None;
    }

    /// Days known before the present one, up to the window of the usual price.
    #[must_use]
    pub fn known_days(&self) -> usize {
        self.days.len()
    }

    /// Closes the days up to `day`.
    fn turn(&mut self, day: i32) {
        let Some((last, price)) = self.today else {
            return;
        };
        let gap = usize::try_from(day.saturating_sub(last)).unwrap_or(0);
        for _ in 0..gap.min(USUAL_DAYS) {
            if self.days.len() == USUAL_DAYS {
                self.days.pop_front();
            }
            self.days.push_back(price);
        }
    }

    /// Whether `p` follows a raised price and was about the price of days before it.
    fn is_back(&self, p: f64, usual: f64) -> bool {
        let mut recent = self.days.iter().rev().take(RECENT_DAYS).map(|d| *d as f64);
        recent.next().is_some_and(|last| last > RAISED * usual)
            && recent.any(|before| before <= p * (1.0 + CLEARLY))
    }

    /// The standard deviation of the daily noise, from the median step between days
    /// (for normal noise the step's is √2 larger, and 0.6745 of it is its median).
    /// Prices that stay put on most days have none, however wild their sales.
    fn noise(&self) -> f64 {
        let steps = self.days.iter().zip(self.days.iter().skip(1));
        median(steps.map(|(a, b)| a.abs_diff(*b).cast_signed())) / (0.6745 * 2f64.sqrt())
    }

    /// What a price that moves on most days is expected to get lower by itself: by the
    /// slide of its median, and by its noise. Prices that stay put on most days move in
    /// steps, and one step down does not announce the next.
    fn unrest(&self, usual: f64, noise: f64) -> f64 {
        if noise <= 0.0 {
            return 0.0;
        }
        let half = self.days.len() / 2;
        let before = median(self.days.iter().take(half).copied());
        let since = median(self.days.iter().skip(half).copied());
        let a_day = (before - since) / usual / half as f64;
        NOISE_GIVES * noise + (HORIZON_DAYS * a_day).max(0.0)
    }

    /// What waiting for another visit is expected to save, as a share of `p`.
    fn waiting(&self, first: i32, day: i32, p: f64) -> f64 {
        let (mut saved, mut deepest) = (0.0, 0.0_f64);
        for visit in self.visits.iter().chain(&self.open) {
            let better = 1.0 - visit.1 as f64 / p;
            let age = day.saturating_sub(visit.0);
            if better > CLEARLY {
                saved += better * (-f64::from(age) / MEMORY_DAYS).exp();
                if age <= DEEPEST_DAYS {
                    deepest = deepest.max(better);
                }
            }
        }
        let watched = f64::from(day.saturating_sub(first)) - MIN_DAYS as f64;
        let exposure = MEMORY_DAYS * (1.0 - (-watched.max(0.0) / MEMORY_DAYS).exp());
        HORIZON_DAYS * (saved + PRIOR.0) / (exposure + PRIOR.1) + DEEPEST_RETURNS * deepest
    }
}

/// The median; 0 of nothing. At most [`USUAL_DAYS`] values are looked at.
fn median(values: impl Iterator<Item = i64>) -> f64 {
    let mut buffer = [0i64; USUAL_DAYS];
    let mut n = 0;
    for (slot, value) in buffer.iter_mut().zip(values) {
        *slot = value;
        n += 1;
    }
    let values = &mut buffer[..n];
    if values.is_empty() {
        return 0.0;
    }
    let (low, &mut upper, _) = values.select_nth_unstable(n / 2);
    if n % 2 == 1 {
        return upper as f64;
    }
    let lower = low.iter().copied().max().unwrap_or(upper);
    (lower as f64 + upper as f64) / 2.0
}
#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(prices: &[i64]) -> Vec<i32> {
        let mut detector = Detector::default();
        (0..)
            .zip(prices)
            .filter(|&(day, &p)| detector.observe(day, p, DEFAULT_SENSITIVITY).is_some())
            .map(|(day, _)| day)
            .collect()
    }

    fn runs(runs: &[(i64, usize)]) -> Vec<i64> {
        runs.iter()
            .flat_map(|&(price, days)| std::iter::repeat_n(price, days))
            .collect()
    }

    #[test]
    fn a_sale_is_told_once_and_a_deeper_one_again() {
        let prices = runs(&[(1000, 60), (800, 7), (790, 7), (700, 7), (1000, 30)]);
        assert_eq!(told(&prices), [60, 74], "7.90 is hardly lower than 8.00");
    }

    #[test]
    fn a_price_raised_before_its_sale_is_no_news() {
        let prices = runs(&[(1000, 80), (1300, 10), (1000, 30), (1350, 8), (1000, 30)]);
        assert_eq!(told(&prices), [0i32; 0]);
        // Nor after the level went down for good: that is told, once.
        let prices = runs(&[
            (1000, 80),
            (900, 15),
            (1200, 6),
            (900, 5),
            (1150, 8),
            (900, 9),
        ]);
        assert_eq!(told(&prices), [80]);
    }

    #[test]
    fn noise_and_a_slow_slide_are_no_news() {
        let noise: Vec<i64> = (0..300).map(|d| 10_000 + (d * 7919) % 601).collect();
        assert_eq!(told(&noise), [0i32; 0]);
        let slide: Vec<i64> = (0..300).map(|d| 10_000 - 15 * d).collect();
        assert_eq!(told(&slide), [0i32; 0]);
    }

    #[test]
    fn what_slides_day_by_day_gets_cheaper_without_a_sale() {
        // A week's sale of a fifth, after three months of jitter without or with a slide.
        let sale = |slide: i64| -> Vec<i64> {
            (0..125)
                .map(|d| {
                    let usual = 20_000 - slide * d + (d * 7919) % 101;
                    if d >= 118 { usual * 4 / 5 } else { usual }
                })
                .collect()
        };
        assert_eq!(told(&sale(0)), [118]);
        assert_eq!(told(&sale(30)), [0i32; 0]);
        // A price that went down in one step is not expected to do so again.
        let step = runs(&[(1000, 80), (900, 40), (720, 7)]);
        assert_eq!(told(&step), [80, 120]);
    }

    #[test]
    fn a_half_hearted_sale_waits_where_deeper_ones_are_frequent() {
        let mut list = Vec::new();
        for _ in 0..6 {
            list.extend([(1000, 21), (500, 7)]);
        }
        let deep = told(&runs(&list)).len();
        list.extend([(1000, 21), (850, 7)]);
        assert!(deep > 3);
        assert_eq!(told(&runs(&list)).len(), deep);
    }

    #[test]
    fn the_state_stays_under_two_kilobytes() {
        let mut detector = Detector::default();
        let mut told = 0;
        for day in 0..4000 {
            let sale = if day % 12 >= 8 { 40_000_000 } else { 0 };
            let price = 100_000_000 - sale + (i64::from(day) * 7919) % 1009;
            told += i64::from(detector.observe(day, price, 0.4).is_some());
        }
        assert!(told > 0);
        let json = serde_json::to_string(&detector).expect("serialise");
        assert!(json.len() <= 2048, "{} bytes", json.len());
    }

    proptest! {
        /// No input panics, memory is bounded, an alert is always under the usual
        /// price, and saving and restoring the state changes nothing.
        #[test]
        fn any_series_is_safe(
            steps in proptest::collection::vec((-1..40i32, -5..i64::MAX), 0..200),
            small in proptest::collection::vec(1..2000i64, 0..300),
        ) {
            let mut wild = Detector::default();
            let mut day = i32::MAX - 3000;
            for (gap, price) in steps {
                day = day.saturating_add(gap);
                wild.observe(day, price, 1.0);
                prop_assert!(wild.days.len() <= USUAL_DAYS && wild.visits.len() <= MAX_VISITS);
            }
            let mut detector = Detector::default();
            for (day, price) in (0..).zip(small) {
                let json = serde_json::to_string(&detector).expect("serialise");
                let mut restored: Detector = serde_json::from_str(&json).expect("read back");
                let news = detector.observe(day, price, 1.0);
                prop_assert_eq!(restored.observe(day, price, 1.0), news);
                prop_assert!(news.is_none_or(|n| price < n.usual && n.saving >= LEAST_SAVING));
            }
        }
    }
}
