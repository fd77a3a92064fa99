//! When a fired alert reaches the person: quiet hours, a cap a day, a budget a week that
//! goes to what saves most, a digest for the rest. Nothing is lost; it waits.

use crate::model::Id;
use crate::model::time::{SignedDuration, Timestamp};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// How soon the person wants to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// At once, also over the daily cap; quiet hours still hold.
    Urgent,
    /// As a popup, within the cap.
    #[default]
    Normal,
    /// In the digest only.
    Low,
}

/// How alerts may reach the person. Times are civil times in the person's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// From and to; may span midnight. Equal times mean no quiet hours.
    pub quiet: Option<(Time, Time)>,
    /// Most popups in a civil day.
    pub per_day: u32,
    /// Most popups in seven days; the person's own word is shown beyond it. `None` for no
    /// budget.
    pub per_week: Option<u32>,
    /// When the digest goes out. `None` holds what is over the cap until the next day.
    pub digest: Option<Time>,
    /// Fewest hours between two popups about one want.
    pub want_cooldown_hours: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            quiet: Some((Time::constant(22, 0, 0, 0), Time::constant(7, 0, 0, 0))),
            per_day: 5,
            per_week: Some(20),
            digest: Some(Time::constant(18, 0, 0, 0)),
            want_cooldown_hours: 12,
        }
    }
}

/// An alert that waits for delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The want it is about.
    pub want: Id,
    /// How soon.
    pub urgency: Urgency,
    /// What it saves, in minor units of the person's currency; 0 where nobody can say.
    pub saving: i64,
    /// The person's own word holds, such as a price at or under their limit: the weekly
    /// budget never silences it.
    pub own_word: bool,
}

/// The order in which alerts that wait get what is left of the budget: the person's own
/// word, then what saves most, then as they are given.
#[must_use]
pub fn by_worth(pending: &[Pending]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..pending.len()).collect();
    order.sort_by_key(|&i| (!pending[i].own_word, std::cmp::Reverse(pending[i].saving)));
    order
}

/// What to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Show it.
    Now,
    /// Ask again at this time.
    HoldUntil(Timestamp),
    /// Put it into the digest that goes out at this time.
    Digest(Timestamp),
    /// The week's popups are used up; one is free again at this time, for what saves most
    /// then.
    OverBudget(Timestamp),
}

/// Decides for one alert. `delivered` are the popups so far, in any order; those of
/// the last eight days are enough.
#[must_use]
pub fn deliver(
    pending: &Pending,
    delivered: &[(Id, Timestamp)],
    policy: &Policy,
    zone: &TimeZone,
    now: Timestamp,
) -> Delivery {
    if pending.urgency == Urgency::Low
        && let Some(digest) = policy.digest
    {
        return Delivery::Digest(digest_at(digest, policy, zone, now));
    }
    let free = after_quiet(policy, zone, now);
    if free > now {
        return Delivery::HoldUntil(free);
    }
    let cooldown = SignedDuration::from_hours(i64::from(policy.want_cooldown_hours));
    let cooled = delivered
        .iter()
        .filter(|d| d.0 == pending.want)
        .map(|d| d.1.checked_add(cooldown).unwrap_or(Timestamp::MAX))
        .max();
    if let Some(cooled) = cooled.filter(|c| *c > now) {
        return Delivery::HoldUntil(after_quiet(policy, zone, cooled));
    }
    if pending.urgency != Urgency::Urgent {
        let today = zone.to_datetime(now).date();
        let sent = delivered
            .iter()
            .filter(|d| d.1 <= now && zone.to_datetime(d.1).date() == today)
            .count();
        if sent >= usize::try_from(policy.per_day).unwrap_or(usize::MAX) {
            return match policy.digest {
                Some(digest) => Delivery::Digest(digest_at(digest, policy, zone, now)),
                None => Delivery::HoldUntil(after_quiet(policy, zone, next_midnight(zone, now))),
            };
        }
        if !pending.own_word
            && let Some(free) = week_free(delivered, policy, now)
        {
            return Delivery::OverBudget(after_quiet(policy, zone, free));
        }
    }
    Delivery::Now
}

/// When the week has room for a popup again; `None` where it has.
fn week_free(delivered: &[(Id, Timestamp)], policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let most = usize::try_from(policy.per_week?).unwrap_or(usize::MAX);
    let week = SignedDuration::from_hours(24 * 7);
    let mut free: Vec<Timestamp> = delivered
        .iter()
        .filter(|d| d.1 <= now)
        .map(|d| d.1.checked_add(week).unwrap_or(Timestamp::MAX))
        .filter(|free| *free > now)
        .collect();
    let over = free.len().checked_sub(most)?;
    free.sort_unstable();
    // A budget of none is never free; it is asked again in a week.
    let never = now.checked_add(week).unwrap_or(Timestamp::MAX);
    Some(free.get(over).copied().unwrap_or(never))
}

/// The first moment from `at` on that is outside the quiet hours.
fn after_quiet(policy: &Policy, zone: &TimeZone, at: Timestamp) -> Timestamp {
    let Some((from, to)) = policy.quiet else {
        return at;
    };
    let local = zone.to_datetime(at);
    let time = local.time();
    let (quiet, end) = if from <= to {
        (from <= time && time < to, local.date())
    } else if time >= from {
        (true, tomorrow(local.date()))
    } else {
        (time < to, local.date())
    };
    if !quiet {
        return at;
    }
    // On the night the clocks go back, the civil end may already lie behind.
    instant(end, to, zone).max(at)
}

fn digest_at(digest: Time, policy: &Policy, zone: &TimeZone, now: Timestamp) -> Timestamp {
    let today = zone.to_datetime(now).date();
    let mut at = instant(today, digest, zone);
    if at <= now {
        at = instant(tomorrow(today), digest, zone);
    }
    after_quiet(policy, zone, at)
}

fn next_midnight(zone: &TimeZone, now: Timestamp) -> Timestamp {
    instant(
        tomorrow(zone.to_datetime(now).date()),
        Time::midnight(),
        zone,
    )
}

fn tomorrow(date: Date) -> Date {
    date.tomorrow().unwrap_or(date)
}

/// A civil time as an instant; in a gap of the clock the later reading, in a fold the
/// earlier one (RFC 5545).
fn instant(date: Date, time: Time, zone: &TimeZone) -> Timestamp {
    zone.to_ambiguous_zoned(date.to_datetime(time))
        .compatible()
        .map_or(Timestamp::MAX, |z| z.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Central Europe by POSIX rule (IEEE 1003.1), so that no time zone files are needed.
    fn zone() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a POSIX zone")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    fn normal() -> Pending {
        Pending {
            want: Id::new(),
            urgency: Urgency::Normal,
            saving: 0,
            own_word: false,
        }
    }

    #[test]
    fn the_week_goes_to_the_own_word_and_to_what_saves_most() {
        let policy = Policy {
            per_week: Some(2),
            per_day: 9,
            ..Policy::default()
        };
        let sent: Vec<_> = ["2026-06-08T08:00:00Z", "2026-06-09T09:00:00Z"]
            .map(|t| (Id::new(), at(t)))
            .into();
        let pending = normal();
        let ask = |pending: &Pending, text| deliver(pending, &sent, &policy, &zone(), at(text));
        assert_eq!(
            ask(&pending, "2026-06-10T10:00:00Z"),
            Delivery::OverBudget(at("2026-06-15T08:00:00Z"))
        );
        assert_eq!(ask(&pending, "2026-06-15T08:00:00Z"), Delivery::Now);
        let own = Pending {
            own_word: true,
            ..normal()
        };
        assert_eq!(ask(&own, "2026-06-10T10:00:00Z"), Delivery::Now);
        let off = Policy {
            per_week: None,
            ..policy.clone()
        };
        let now = at("2026-06-10T10:00:00Z");
        assert_eq!(deliver(&pending, &sent, &off, &zone(), now), Delivery::Now);
        let none = Policy {
            per_week: Some(0),
            ..policy
        };
        assert_eq!(
            deliver(&pending, &[], &none, &zone(), now),
            Delivery::OverBudget(at("2026-06-17T10:00:00Z"))
        );

        let saves = |saving, own_word| Pending {
            saving,
            own_word,
            ..normal()
        };
        let waiting = [
            saves(300, false),
            saves(0, true),
            saves(900, false),
            saves(300, false),
        ];
        assert_eq!(by_worth(&waiting), [1, 2, 0, 3]);
    }

    #[test]
    fn quiet_hours_are_civil_and_span_midnight() {
        let policy = Policy::default();
        let ask = |text| deliver(&normal(), &[], &policy, &zone(), at(text));
        assert_eq!(ask("2026-06-10T12:00:00Z"), Delivery::Now);
        // 21:30 UTC is 23:30 in summer: wait for 07:00 CEST.
        assert_eq!(
            ask("2026-06-10T21:30:00Z"),
            Delivery::HoldUntil(at("2026-06-11T05:00:00Z"))
        );
        // In winter 07:00 is an hour later in UTC.
        assert_eq!(
            ask("2026-12-10T02:00:00Z"),
            Delivery::HoldUntil(at("2026-12-10T06:00:00Z"))
        );
        // The night of the change to summer time.
        assert_eq!(
            ask("2026-03-28T22:00:00Z"),
            Delivery::HoldUntil(at("2026-03-29T05:00:00Z"))
        );
    }

    #[test]
    fn over_the_cap_goes_into_the_digest_and_a_new_day_counts_anew() {
        let policy = Policy {
            per_day: 2,
            ..Policy::default()
        };
        let sent: Vec<_> = ["2026-06-10T08:00:00Z", "2026-06-10T09:00:00Z"]
            .map(|t| (Id::new(), at(t)))
            .into();
        let ask = |text| deliver(&normal(), &sent, &policy, &zone(), at(text));
        assert_eq!(
            ask("2026-06-10T10:00:00Z"),
            Delivery::Digest(at("2026-06-10T16:00:00Z"))
        );
        assert_eq!(
            ask("2026-06-10T17:00:00Z"),
            Delivery::Digest(at("2026-06-11T16:00:00Z"))
        );
        assert_eq!(ask("2026-06-11T10:00:00Z"), Delivery::Now);
        let urgent = Pending {
            urgency: Urgency::Urgent,
            ..normal()
        };
        let now = at("2026-06-10T10:00:00Z");
        assert_eq!(
            deliver(&urgent, &sent, &policy, &zone(), now),
            Delivery::Now
        );
        let capped = Policy {
            digest: None,
            ..policy
        };
        assert_eq!(
            deliver(&normal(), &sent, &capped, &zone(), now),
            Delivery::HoldUntil(at("2026-06-11T05:00:00Z"))
        );
    }

    #[test]
    fn one_want_is_not_shown_twice_in_a_row() {
        let pending = normal();
        let sent = [(pending.want, at("2026-06-10T08:00:00Z"))];
        let got = deliver(
            &pending,
            &sent,
            &Policy::default(),
            &zone(),
            at("2026-06-10T09:00:00Z"),
        );
        // Twelve hours later is 22:00 local, which is quiet again.
        assert_eq!(got, Delivery::HoldUntil(at("2026-06-11T05:00:00Z")));
    }

    proptest! {
        /// Held and digest times lie ahead, and never inside quiet hours.
        #[test]
        fn waits_end_outside_quiet_hours(
            second in 1_700_000_000i64..1_800_000_000,
            from in 0i8..24, to in 0i8..24, per_day in 0u32..3, per_week in 0u32..3,
            low in any::<bool>(),
        ) {
            let policy = Policy {
                quiet: Some((Time::constant(from, 0, 0, 0), Time::constant(to, 30, 0, 0))),
                per_day,
                per_week: Some(per_week),
                ..Policy::default()
            };
            let now = Timestamp::from_second(second).expect("in range");
            let pending = Pending {
                urgency: if low { Urgency::Low } else { Urgency::Normal },
                ..normal()
            };
            let sent = [(Id::new(), now)];
            let zone = zone();
            let then = match deliver(&pending, &sent, &policy, &zone, now) {
                Delivery::Now => now,
                Delivery::HoldUntil(t) | Delivery::Digest(t) | Delivery::OverBudget(t) => {
                    prop_assert!(t > now);
                    t
                }
            };
            prop_assert_eq!(after_quiet(&policy, &zone, then), then);
        }
    }
}
