//! Buy now, or wait for a better price until a deadline?
//!
//! The policy on offer is a reservation price: buy on the first day at or under a share
//! of the usual price (the median of the 90 days before that day), else on the last
//! day. What it would have brought is replayed on every past day of the item's own
//! series whose outcome is known; days in a like state (as long since the last sale,
//! as far from the usual price) and recent days count more, and a short history is
//! drawn towards "waiting brings nothing". Replays of neighbouring days overlap: for the
//! chances they count as one outcome a deadline, and by Laplace's rule what never
//! happened in a few of them may yet happen. So the advice states the chance of a sale
//! in time and the chance of ending dearer, both from this item alone, and without
//! enough history it is to buy now.

use super::plausible::present_level;
use serde::Serialize;

/// The window of the usual price, in days.
pub const USUAL_DAYS: usize = 90;
/// No past day before this one is replayed: its usual price is too young.
const MIN_DAYS: usize = 30;
/// Fewest past days to judge by.
const MIN_REPLAYS: usize = 20;
/// Most past days looked at.
const MAX_DAYS: usize = 1500;
/// Days after which a past day counts `1/e`.
const MEMORY_DAYS: f64 = 1000.0;
/// A price under this share of the usual is a sale.
const SALE: f64 = 0.97;
/// Reservation prices, as shares of the usual price, with the expected gain each must
/// promise: the rarer the price, the more, as the best of several looks too good.
const TARGETS: [(f64, f64); 3] = [(SALE, 0.002), (0.90, 0.003), (0.80, 0.004)];
/// Kernel widths of "a like state": in the logarithm of the days since the last sale …
const LIKE_SINCE: f64 = 1.0;
/// … in the price as a share of the usual …
const LIKE_LEVEL: f64 = 0.05;
/// … and in the logarithm of the rise of the usual price over [`TREND_DAYS`].
const LIKE_TREND: f64 = 0.3;
const TREND_DAYS: usize = 120;
/// How many like days the average of all days weighs.
const PRIOR_LIKE: f64 = 5.0;
/// How many days "waiting brings nothing" weighs.
const PRIOR_NOTHING: f64 = 20.0;
/// Ending dearer by this share is regretted …
const DEARER: f64 = 0.005;
/// … and costs so much on top for every day held out, as a share of the price.
const REGRET_PER_DAY: f64 = 0.004;

/// What to do, and how sure it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Advice {
    /// Buy at or under this share of the usual price, at the deadline otherwise;
    /// `None` is to buy now.
    pub threshold: Option<f64>,
    /// What waiting is expected to save, as a share of the present price.
    pub saving: f64,
    /// The chance that the price comes before the deadline.
    pub chance: f64,
    /// The chance of paying more than now at the deadline.
    pub dearer: f64,
    /// The past days it is judged by.
    pub days: usize,
}

impl Advice {
    /// Whether the history was too short to judge by.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.days < MIN_REPLAYS
    }
}

/// Advises for the last day of `prices` (minor units, one a day), with `deadline` days
/// left. Looks at nothing but `prices`, and of them at those of the present level: a past
/// in another unit says nothing, and a day without a believable price keeps the one before.
#[must_use]
pub fn advise(prices: &[i64], deadline: usize) -> Advice {
    let level = present_level(&prices[prices.len().saturating_sub(MAX_DAYS)..]);
    let prices = level.as_slice();
    let replays = prices.len().saturating_sub(deadline + MIN_DAYS + 1);
    let mut advice = Advice {
        days: replays,
        ..Advice::default()
    };
    if deadline == 0 || replays < MIN_REPLAYS {
        return advice;
    }
    let now = prices.len() - 1;
    let levels = levels(prices);
    let states = states(prices, &levels);
    // Weight of every replayed day: by age, and by age and likeness.
    let weights: Vec<(f64, f64)> = (MIN_DAYS..MIN_DAYS + replays)
        .map(|day| {
            let age = (now - deadline - day) as f64;
            let apart = (states[day].since - states[now].since).abs() / LIKE_SINCE
                + (levels[day] - levels[now]).abs() / LIKE_LEVEL
                + (states[day].trend - states[now].trend).abs() / LIKE_TREND;
            let recent = (-age / MEMORY_DAYS).exp();
            (recent, recent * (-apart).exp())
        })
        .collect();
    let mut best = 0.0;
    for (target, least) in TARGETS {
        if levels[now] <= target {
            continue;
        }
        let replay = Replay::new(prices, &levels, target, deadline, &weights);
        let worth = replay.saving - REGRET_PER_DAY * deadline as f64 * replay.dearer - least;
        if worth > best {
            best = worth;
            advice.threshold = Some(target);
            advice.saving = replay.saving;
            advice.chance = replay.chance;
            advice.dearer = replay.dearer;
        }
    }
    advice
}

/// What a reservation price would have brought on days like this one.
struct Replay {
    saving: f64,
    chance: f64,
    dearer: f64,
}

impl Replay {
    fn new(
        prices: &[i64],
        levels: &[f64],
        target: f64,
        deadline: usize,
        weights: &[(f64, f64)],
    ) -> Self {
        // Sums over all days and over like days, of: weight, saving, hit, dearer.
        let mut all = [0.0; 4];
        let mut like = [0.0; 4];
        let mut hit = usize::MAX;
        for day in (MIN_DAYS..prices.len()).rev() {
            if levels[day] <= target {
                hit = day;
            }
            let Some(&(recent, alike)) = weights.get(day - MIN_DAYS) else {
                continue;
            };
            if hit == day {
                continue; // it would have been bought on the spot
            }
            let met = hit <= day + deadline;
            let paid = prices[if met { hit } else { day + deadline }];
            let saving = 1.0 - paid as f64 / prices[day] as f64;
            let dearer = saving < -DEARER;
            let values = [1.0, saving, f64::from(met), f64::from(dearer)];
            for (i, value) in values.into_iter().enumerate() {
                all[i] += recent * value;
                like[i] += alike * value;
            }
        }
        let weight = all[0] + PRIOR_NOTHING;
        let drawn = |i: usize, base: f64| (like[i] + PRIOR_LIKE * base) / (like[0] + PRIOR_LIKE);
        // Laplace's rule: one outcome more of each kind, of as many days as a deadline.
        let outcome = deadline as f64;
        let chance = |i: usize| drawn(i, (all[i] + outcome) / (weight + 2.0 * outcome));
        Self {
            saving: drawn(1, all[1] / weight),
            chance: chance(2),
            dearer: chance(3),
        }
    }
}

/// Every day's price as a share of its usual price; 1 on the first day.
fn levels(prices: &[i64]) -> Vec<f64> {
    let mut window: Vec<i64> = Vec::with_capacity(USUAL_DAYS + 1);
    prices
        .iter()
        .enumerate()
        .map(|(day, &price)| {
            let n = window.len();
            let usual = match n {
                0 => price as f64,
                _ if n % 2 == 1 => window[n / 2] as f64,
                _ => (window[n / 2 - 1] as f64 + window[n / 2] as f64) / 2.0,
            };
            window.insert(window.partition_point(|&w| w < price), price);
            if day >= USUAL_DAYS {
                let old = prices[day - USUAL_DAYS];
                window.remove(window.partition_point(|&w| w < old));
            }
            price as f64 / usual
        })
        .collect()
}

/// What makes two days alike, besides the level.
struct State {
    /// The logarithm of one plus the days since the last sale.
    since: f64,
    /// The logarithm of the rise of the usual price.
    trend: f64,
}

fn states(prices: &[i64], levels: &[f64]) -> Vec<State> {
    let usual = |day: usize| prices[day] as f64 / levels[day];
    let mut since = 0_u32;
    levels
        .iter()
        .enumerate()
        .map(|(day, &level)| {
            let sale = day >= MIN_DAYS && level <= SALE;
            since = if sale { 0 } else { since + 1 };
            let before = day.saturating_sub(TREND_DAYS).max(day.min(MIN_DAYS));
            State {
                since: f64::from(since).ln_1p(),
                trend: (usual(day) / usual(before)).ln(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A week's sale every seven weeks.
    fn sales(days: usize) -> Vec<i64> {
        (0..days)
            .map(|d| if d % 49 >= 42 { 700 } else { 1000 })
            .collect()
    }

    #[test]
    fn it_waits_for_a_regular_sale_only_if_it_comes_in_time() {
        let prices = sales(49 * 7 + 38);
        let soon = advise(&prices, 7);
        assert!(soon.threshold.is_some() && soon.dearer < 0.01, "{soon:?}");
        let far = advise(&sales(49 * 7 + 10), 7);
        assert!(far.chance < soon.chance / 2.0, "{far:?}");
        let patient = advise(&prices, 49);
        assert!(patient.chance > 0.9 && patient.saving > 0.25, "{patient:?}");
        // It never ended dearer, but only so many outcomes say so, and fewer of a long wait.
        assert!(
            soon.dearer > 0.0 && patient.dearer > 2.0 * soon.dearer,
            "{patient:?}"
        );
        let during = sales(49 * 7 + 45);
        assert_eq!(advise(&during, 14).threshold, None, "it is on sale now");
    }

    #[test]
    fn rising_prices_and_short_histories_are_bought_at_once() {
        let rising: Vec<i64> = (0..500).map(|d| 1000 + d).collect();
        assert_eq!(advise(&rising, 30).threshold, None);
        assert_eq!(advise(&sales(70), 30).threshold, None);
        assert_eq!(advise(&[], 30), Advice::default());
    }

    #[test]
    fn a_wild_day_moves_nothing_and_a_past_in_another_unit_says_nothing() {
        let clean = sales(49 * 7 + 38);
        for wild in [0, -1, 1, 100_000] {
            let mut poisoned = clean.clone();
            poisoned[200] = wild;
            assert_eq!(advise(&poisoned, 7).threshold, advise(&clean, 7).threshold);
        }
        let mut changed = vec![4490; 500];
        changed.extend([45; 140]);
        assert_eq!(advise(&changed, 30).threshold, None);
    }

    proptest! {
        /// Whatever the prices: no panic, chances are chances, and only a level the
        /// present price has not reached is waited for.
        #[test]
        fn advice_is_sound(
            prices in proptest::collection::vec(
                prop_oneof![20 => 500..1500i64, 1 => -5..i64::MAX], 0..400),
            deadline in 0..90usize,
        ) {
            let advice = advise(&prices, deadline);
            for share in [advice.chance, advice.dearer] {
                prop_assert!((0.0..=1.0).contains(&share));
            }
            prop_assert!(advice.saving <= 1.0);
            prop_assert!(advice.threshold.is_none() || advice.saving > 0.0);
        }
    }
}
