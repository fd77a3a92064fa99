//! The life of a wish: what the person keeps coming back to is wanted, what is
//! forgotten fades. Nothing a seller does enters here.

pub mod budget;

use crate::model::time::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What the person did with a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Put on the list, with the intensity the person gave, 0 to 100.
    Added(u8),
    /// Looked at.
    Looked,
    /// Asked to be left alone with it until a time.
    Snoozed(Timestamp),
    /// Said again that it is wanted.
    Renewed,
    /// Given up.
    Dropped,
}

/// A deed and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub deed: Deed,
}

/// Where a wish stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Given up, or never added.
    Gone,
    /// Forgotten for long: a candidate to drop. No alerts.
    Fading,
    /// Asleep until the person's own date. No alerts.
    Asleep,
    /// Still cooling off. No alerts: what is wanted today may not be next week.
    Ripening,
    /// It lasted: worth an alert and worth money.
    Ripe,
}

impl Stage {
    /// For a sentence such as "the wish is ripening". What has cooled off and reaches
    /// nothing by itself, `until` some time, waits for the person.
    #[must_use]
    pub const fn words(self, until: Option<Timestamp>) -> &'static str {
        match self {
            Self::Ripening if until.is_none() => "ripening if you come back to it",
            Self::Gone => "given up",
            Self::Fading => "fading",
            Self::Asleep => "asleep",
            Self::Ripening => "ripening",
            Self::Ripe => "ripe",
        }
    }

    /// Whether offers for it may be announced.
    #[must_use]
    pub const fn is_alerted(self) -> bool {
        matches!(self, Self::Ripe)
    }
}

/// How wishes ripen and fade.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Habit {
    /// Days after which half of an untouched intensity is left.
    pub half_life_days: f64,
    /// Days a wish cools off before it can be ripe.
    pub cooling_days: u32,
    /// From this intensity on a cooled wish is ripe.
    pub ripe: f64,
    /// Under this intensity it fades.
    pub fading: f64,
    /// What share of the way to 100 one return adds.
    pub growth: f64,
}

impl Default for Habit {
    fn default() -> Self {
        Self {
            half_life_days: 60.0,
            cooling_days: 7,
            ripe: 30.0,
            fading: 10.0,
            growth: 0.15,
        }
    }
}

/// Looks within so many hours are one return: reading a page ten times in one evening
/// is a mood, coming back on ten evenings is a wish.
const ONE_RETURN: SignedDuration = SignedDuration::from_hours(20);

/// A wish at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// Where it stands.
    pub stage: Stage,
    /// The lasting intensity, 0 to 100.
    pub intensity: f64,
    /// Returns on different days.
    pub returns: u32,
    /// When the next stage can be reached without the person doing anything: the end
    /// of the cooling-off or of the sleep.
    pub until: Option<Timestamp>,
}

impl Wish {
    /// Sort key: ripe first, then by intensity; for `sort_by_key` with `Reverse`.
    #[must_use]
    pub fn key(&self) -> (Stage, u32) {
        // Intensity is in 0..=100, so thousandths fit.
        (self.stage, (self.intensity * 1000.0).round() as u32)
    }
}

/// The wish at `now` after `events`, in any order; events after `now` do not count yet.
///
/// Intensity decays by half every [`Habit::half_life_days`], but not while the wish
/// sleeps: the person said when to come back to it. Each return moves it
/// [`Habit::growth`] of the way to 100; a renewal restores at least what was given at
/// the start. Adding a dropped wish again starts its life anew.
#[must_use]
pub fn wish(events: &[Event], now: Timestamp, habit: &Habit) -> Wish {
    let mut past: Vec<Event> = events.iter().filter(|e| e.at <= now).copied().collect();
    past.sort_by_key(|e| e.at);
    let mut life: Option<Life> = None;
    for event in past {
        match (event.deed, &mut life) {
            (Deed::Added(given), None) => life = Some(Life::new(event.at, given)),
            (_, None) => {}
            (Deed::Dropped, Some(_)) => life = None,
            (deed, Some(life)) => life.live(event.at, deed, habit),
        }
    }
    let Some(mut life) = life else {
        return Wish {
            stage: Stage::Gone,
            intensity: 0.0,
            returns: 0,
            until: None,
        };
    };
    life.decay(now, habit);
    let cooled = days_after(life.added, habit.cooling_days);
    let asleep = life.asleep_until.filter(|t| *t > now);
    let (stage, until) = if asleep.is_some() {
        (Stage::Asleep, asleep)
    } else if life.intensity < habit.fading {
        (Stage::Fading, None)
    } else if now < cooled {
        (Stage::Ripening, Some(cooled))
    } else if life.intensity >= habit.ripe {
        (Stage::Ripe, None)
    } else {
        (Stage::Ripening, None)
    };
    Wish {
        stage,
        intensity: life.intensity,
        returns: life.returns,
        until,
    }
}

struct Life {
    added: Timestamp,
    given: f64,
    intensity: f64,
    /// Decayed up to here.
    at: Timestamp,
    last_return: Timestamp,
    returns: u32,
    asleep_until: Option<Timestamp>,
}

impl Life {
    fn new(added: Timestamp, given: u8) -> Self {
        let given = f64::from(given.min(100));
        Self {
            added,
            given,
            intensity: given,
            at: added,
            last_return: added,
            returns: 0,
            asleep_until: None,
        }
    }

    fn live(&mut self, at: Timestamp, deed: Deed, habit: &Habit) {
        self.decay(at, habit);
        match deed {
            Deed::Added(given) => self.given = f64::from(given.min(100)),
            Deed::Snoozed(until) => self.asleep_until = Some(until),
            Deed::Looked if at.duration_since(self.last_return) < ONE_RETURN => {}
            Deed::Looked => self.come_back(at, habit),
            Deed::Renewed => {
                self.intensity = self.intensity.max(self.given);
                self.asleep_until = None;
                self.come_back(at, habit);
            }
            Deed::Dropped => {}
        }
    }

    fn come_back(&mut self, at: Timestamp, habit: &Habit) {
        self.intensity += (100.0 - self.intensity) * habit.growth.clamp(0.0, 1.0);
        self.last_return = at;
        self.returns = self.returns.saturating_add(1);
    }

    fn decay(&mut self, to: Timestamp, habit: &Habit) {
        let awake_from = self.asleep_until.map_or(self.at, |t| t.clamp(self.at, to));
        let days = to.duration_since(awake_from).as_secs_f64() / 86_400.0;
        if habit.half_life_days > 0.0 {
            self.intensity *= (-days / habit.half_life_days).exp2();
        }
        self.at = to;
    }
}

fn days_after(at: Timestamp, days: u32) -> Timestamp {
    let span = SignedDuration::from_hours(24 * i64::from(days));
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(n: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + n * 86_400).expect("in range")
    }

    fn event(n: i64, deed: Deed) -> Event {
        Event { at: day(n), deed }
    }

    fn at(events: &[Event], n: i64) -> Wish {
        wish(events, day(n), &Habit::default())
    }

    #[test]
    fn a_passing_fancy_cools_and_fades_without_an_alert() {
        let events = [event(0, Deed::Added(50))];
        assert_eq!(at(&events, 1).stage, Stage::Ripening);
        assert_eq!(at(&events, 1).until, Some(day(7)));
        assert_eq!(at(&events, 8).stage, Stage::Ripe);
        assert!((at(&events, 60).intensity - 25.0).abs() < 1e-9);
        assert_eq!(at(&events, 60).stage, Stage::Ripening);
        assert_eq!(at(&events, 300).stage, Stage::Fading);
        assert!(!at(&events, 300).stage.is_alerted());
    }

    #[test]
    fn coming_back_keeps_a_wish_ripe_and_one_evening_counts_once() {
        let mut events = vec![event(0, Deed::Added(40))];
        events.extend((1..10).map(|n| event(n * 20, Deed::Looked)));
        assert_eq!(at(&events, 181).stage, Stage::Ripe);
        assert_eq!(at(&events, 181).returns, 9);
        let evening: Vec<Event> = (0..10)
            .map(|minute| Event {
                at: day(20) + SignedDuration::from_mins(minute),
                deed: Deed::Looked,
            })
            .chain([event(0, Deed::Added(40))])
            .collect();
        assert_eq!(at(&evening, 21).returns, 1);
    }

    #[test]
    fn sleep_stops_decay_and_alerts() {
        let events = [
            event(0, Deed::Added(60)),
            event(10, Deed::Snoozed(day(200))),
        ];
        assert_eq!(at(&events, 100).stage, Stage::Asleep);
        assert_eq!(at(&events, 100).until, Some(day(200)));
        assert_eq!(at(&events, 200).stage, Stage::Ripe);
        assert!((at(&events, 200).intensity - at(&events, 10).intensity).abs() < 1e-9);
    }

    #[test]
    fn dropped_is_gone_and_added_again_cools_again() {
        let mut events = vec![event(0, Deed::Added(80)), event(5, Deed::Dropped)];
        assert_eq!(at(&events, 6).stage, Stage::Gone);
        events.push(event(20, Deed::Added(80)));
        assert_eq!(at(&events, 21).stage, Stage::Ripening);
        events.push(event(200, Deed::Renewed));
        assert_eq!(at(&events, 200).stage, Stage::Ripe);
    }

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![
            (0..=255u8).prop_map(Deed::Added),
            Just(Deed::Looked),
            (0..2000i64).prop_map(|n| Deed::Snoozed(day(n))),
            Just(Deed::Renewed),
            Just(Deed::Dropped),
        ]
    }

    proptest! {
        /// Intensity stays in range, the order of events does not matter, the future
        /// does not count, and one more look never weakens a wish.
        #[test]
        fn intensity_is_sound(
            log in proptest::collection::btree_map(0..1000i64, deed(), 0..40),
            now in 0..1500i64,
        ) {
            let events: Vec<Event> = log.iter().map(|(n, d)| event(*n, *d)).collect();
            let here = at(&events, now);
            prop_assert!((0.0..=100.0).contains(&here.intensity));
            let reversed: Vec<Event> = events.iter().rev().copied().collect();
            prop_assert_eq!(at(&reversed, now), here);
            let past: Vec<Event> = events.iter().filter(|e| e.at <= day(now)).copied().collect();
            prop_assert_eq!(at(&past, now), here);
            let mut more = past;
            more.push(event(now, Deed::Looked));
            prop_assert!(at(&more, now).intensity >= here.intensity);
        }
    }
}
