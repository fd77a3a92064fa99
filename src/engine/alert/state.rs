//! Rules with memory: a rule is a predicate on what is true now, so it also fires on
//! the first observation; memory keeps it from saying the same thing twice.

use super::decision::{Decision, Fire, Hold, Reason};
use super::detector::{self, DEFAULT_SENSITIVITY, Detector};
use super::history::{History, USUAL_DAYS};
use super::plausible::{self, is_jump};
use crate::model::time::{SignedDuration, Timestamp};
use crate::model::{AlertRule, Availability, Currency, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What one look at the best offer of a want found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// The expected landed cost, where there is a price.
    pub cost: Option<Money>,
    /// Whether it can be had.
    pub availability: Availability,
    /// Whether the look succeeded. A failed fetch or a page the reader abstained on is
    /// `false`, and then nothing else here counts.
    pub known: bool,
}

/// The knobs that all rules share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tuning {
    /// A further alert on the same dip needs a cost lower by this many percent.
    pub improve_percent: u32,
    /// A price rule is armed again once the cost was clearly (by `improve_percent`)
    /// off the rule for so many hours.
    pub rearm_hours: u32,
    /// Fewest hours between two alerts of one rule.
    pub cooldown_hours: u32,
    /// Days of history before "low" or "usual" mean anything.
    pub min_history_days: u32,
    /// Remind after so many days while the rule still holds. `None` tells once.
    pub remind_days: Option<u32>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            improve_percent: 2,
            rearm_hours: 36,
            cooldown_hours: 12,
            min_history_days: 14,
            remind_days: None,
        }
    }
}

/// Hours after which a new price level is the usual one, and no alert warns of it any more.
const NEW_LEVEL: u32 = 24 * USUAL_DAYS.unsigned_abs();

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    at: Timestamp,
    minor: Option<i64>,
}

/// A price level not believed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Suspect {
    since: Timestamp,
    sightings: u32,
    minor: i64,
    currency: Currency,
}

/// What one rule of one want remembers. Start from `default()`; keep it with the rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertState {
    last_at: Option<Timestamp>,
    currency: Option<Currency>,
    history: History,
    /// Of the rule `better` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    detector: Option<Box<Detector>>,
    suspect: Option<Suspect>,
    /// When a level eight times higher or lower was believed at last.
    #[serde(skip_serializing_if = "Option::is_none")]
    level_since: Option<Timestamp>,
    /// The alert of the present dip or stock period.
    told: Option<Told>,
    /// The last alert at all, for the cooldown.
    last_alert: Option<Timestamp>,
    /// Since when the rule is clearly off.
    off_since: Option<Timestamp>,
    /// Since when it cannot be had; `None` while it can or nothing is known.
    missing_since: Option<Timestamp>,
}

/// A predicate's answer.
enum Met {
    Yes(Reason),
    /// What it would take, and whether the cost is clearly off.
    No {
        needs: i64,
        clearly: bool,
    },
    Short {
        known_days: u32,
        needed_days: u32,
    },
}

impl AlertState {
    /// Forgets what was told, for a rule whose text changed; the history stays.
    pub fn rearm(&mut self) {
        self.told = None;
        self.last_alert = None;
        self.off_since = None;
        if let Some(detector) = &mut self.detector {
            detector.rearm();
        }
    }

    /// Takes one observation and decides. Feeding an observation twice, or an older
    /// one, changes nothing.
    pub fn observe(&mut self, rule: &AlertRule, seen: &Seen, tuning: &Tuning) -> Decision {
        match self.decide(rule, seen, tuning) {
            Ok(reason) => {
                let minor = seen.cost.and_then(|c| c.to_minor().ok());
                self.told = Some(Told { at: seen.at, minor });
                self.last_alert = Some(seen.at);
                self.off_since = None;
                Decision::Fire(Fire {
                    reason,
                    stock_unknown: seen.availability == Availability::Unknown,
                    check_unit: self
                        .level_since
                        .is_some_and(|at| seen.at < later(at, NEW_LEVEL)),
                })
            }
            Err(hold) => Decision::Hold(hold),
        }
    }

    fn decide(&mut self, rule: &AlertRule, seen: &Seen, tuning: &Tuning) -> Result<Reason, Hold> {
        if !seen.known {
            return Err(Hold::NotRead);
        }
        if self.last_at.is_some_and(|last| seen.at <= last) {
            return Err(Hold::NotNewer);
        }
        self.last_at = Some(seen.at);
        if *rule == AlertRule::BackInStock {
            self.stock(seen, tuning)
        } else {
            self.price(rule, seen, tuning)
        }
    }

    fn stock(&mut self, seen: &Seen, tuning: &Tuning) -> Result<Reason, Hold> {
        match seen.availability {
            Availability::Unknown => return Err(Hold::StockUnknown),
            a if !a.is_available() => {
                self.missing_since.get_or_insert(seen.at);
                self.told = None;
                return Err(Hold::CannotBuy { availability: a });
            }
            _ => {}
        }
        if let Some(told) = self.told {
            self.missing_since = None;
            return self.reminder(told, seen, tuning, || Reason::InStock {
                cost: real(seen.cost),
                missing_since: None,
            });
        }
        self.cooled(seen, tuning)?;
        Ok(Reason::InStock {
            cost: real(seen.cost),
            missing_since: self.missing_since.take(),
        })
    }

    fn price(&mut self, rule: &AlertRule, seen: &Seen, tuning: &Tuning) -> Result<Reason, Hold> {
        let cost = seen.cost.ok_or(Hold::NoPrice)?;
        let minor = cost.to_minor().map_err(|_| Hold::NoPrice)?;
        if minor <= 0 {
            return Err(Hold::ZeroPrice);
        }
        // A price nobody can buy at is no price: it must neither fire nor become "the
        // low" or "the usual".
        let availability = seen.availability;
        if availability != Availability::Unknown && !availability.is_available() {
            return Err(Hold::CannotBuy { availability });
        }
        self.believe(cost, minor, seen.at)?;
        let day = day(seen.at);
        if *rule == AlertRule::Better {
            // The detector remembers; here only the last price is needed.
            self.history = History::default();
            self.history.push(day, minor);
            return self.better(cost, minor, day);
        }
        self.history.push(day, minor);
        if let AlertRule::Under(limit) = rule
            && limit.currency != cost.currency
        {
            return Err(Hold::LimitCurrency {
                limit: *limit,
                series: cost.currency,
            });
        }
        match self.met(rule, cost.currency, minor, day, tuning) {
            Met::Short {
                known_days,
                needed_days,
            } => Err(Hold::ShortHistory {
                known_days,
                needed_days,
            }),
            Met::No { needs, clearly } => {
                if !clearly {
                    self.off_since = None;
                } else if self.off_long(seen.at, tuning) {
                    self.told = None;
                }
                Err(Hold::NotMet {
                    cost: Some(cost),
                    needs: Some(Money::from_minor(needs, cost.currency)),
                })
            }
            Met::Yes(reason) => {
                if self.off_since.is_some() && self.off_long(seen.at, tuning) {
                    self.told = None;
                }
                self.off_since = None;
                if let Some(told) = self.told {
                    let needs = told.minor.map(|m| less(m, tuning.improve_percent));
                    if needs.is_none_or(|n| minor > n) {
                        return self.reminder(told, seen, tuning, || reason);
                    }
                }
                self.cooled(seen, tuning)?;
                Ok(reason)
            }
        }
    }

    /// The detector has its own memory of what was told and needs no cooldown: within a
    /// dip it speaks again only for a clearly lower price.
    fn better(&mut self, cost: Money, minor: i64, day: i32) -> Result<Reason, Hold> {
        let detector = self.detector.get_or_insert_default();
        let news = detector.observe(day, minor, DEFAULT_SENSITIVITY);
        let known_days = detector.known_days();
        let percent = |share: f64| (share * 100.0).clamp(0.0, 100.0);
        match news {
            Some(news) => Ok(Reason::Better {
                cost,
                usual: Money::from_minor(news.usual, cost.currency),
                percent: percent(news.saving) as u32,
                waiting_percent: percent(news.waiting).ceil() as u32,
            }),
            None if known_days < detector::MIN_DAYS => Err(Hold::ShortHistory {
                known_days: u32::try_from(known_days).unwrap_or(u32::MAX),
                needed_days: detector::MIN_DAYS as u32,
            }),
            None => Err(Hold::NotNews { cost }),
        }
    }

    /// Whether the rule is clearly off since long enough to be armed again.
    fn off_long(&mut self, at: Timestamp, tuning: &Tuning) -> bool {
        let since = *self.off_since.get_or_insert(at);
        at.duration_since(since) >= hours(tuning.rearm_hours)
    }

    fn cooled(&self, seen: &Seen, tuning: &Tuning) -> Result<(), Hold> {
        match self.last_alert.map(|t| later(t, tuning.cooldown_hours)) {
            Some(until) if seen.at < until => Err(Hold::Cooldown { until }),
            _ => Ok(()),
        }
    }

    fn reminder(
        &self,
        told: Told,
        seen: &Seen,
        tuning: &Tuning,
        reason: impl FnOnce() -> Reason,
    ) -> Result<Reason, Hold> {
        if let Some(days) = tuning.remind_days
            && seen.at >= later(told.at, days.saturating_mul(24))
        {
            self.cooled(seen, tuning)?;
            return Ok(reason());
        }
        let currency = seen.cost.map(|c| c.currency);
        let money = |minor: i64| currency.map(|c| Money::from_minor(minor, c));
        let minor = told.minor.filter(|_| self.currency.is_some());
        Err(Hold::AlreadyTold {
            at: told.at,
            told: minor.and_then(money),
            needs: minor
                .map(|m| less(m, tuning.improve_percent))
                .and_then(money),
        })
    }

    /// Keeps prices of another currency or an unlikely size out until they stayed for
    /// [`plausible::DAYS`] days; then the history starts anew at that level.
    fn believe(&mut self, cost: Money, minor: i64, at: Timestamp) -> Result<(), Hold> {
        let series = *self.currency.get_or_insert(cost.currency);
        let Some(last) = self.history.last() else {
            self.currency = Some(cost.currency);
            return Ok(());
        };
        if series == cost.currency && !is_jump(last, minor) {
            self.suspect = None;
            return Ok(());
        }
        let suspect = match self.suspect {
            Some(s) if s.currency == cost.currency && !is_jump(s.minor, minor) => Suspect {
                sightings: s.sightings.saturating_add(1),
                ..s
            },
            _ => Suspect {
                since: at,
                sightings: 1,
                minor,
                currency: cost.currency,
            },
        };
        if suspect.sightings >= plausible::SIGHTINGS
            && at.duration_since(suspect.since) >= SignedDuration::from_hours(24 * plausible::DAYS)
        {
            self.rearm();
            self.history = History::default();
            self.detector = None;
            self.suspect = None;
            self.currency = Some(cost.currency);
            // Another currency is no other unit.
            self.level_since = (series == cost.currency).then_some(at);
            return Ok(());
        }
        self.suspect = Some(suspect);
        Err(if series == cost.currency {
            Hold::Jump {
                cost,
                last: Money::from_minor(last, series),
            }
        } else {
            Hold::OtherCurrency { cost, series }
        })
    }

    fn met(
        &self,
        rule: &AlertRule,
        currency: Currency,
        minor: i64,
        day: i32,
        tuning: &Tuning,
    ) -> Met {
        let money = |m| Money::from_minor(m, currency);
        let cost = money(minor);
        let known_days = self.history.known_days(day).cast_unsigned();
        match rule {
            AlertRule::Under(limit) => {
                let needs = limit.to_minor().unwrap_or(i64::MAX);
                if minor <= needs {
                    return Met::Yes(Reason::Under {
                        cost,
                        limit: *limit,
                    });
                }
                Met::No {
                    needs,
                    clearly: less(minor, tuning.improve_percent) > needs,
                }
            }
            AlertRule::LowIn(days) => {
                let needed_days = tuning.min_history_days.min(*days);
                match self.history.low(day, *days) {
                    Some(before) if known_days >= needed_days => {
                        if minor < before {
                            return Met::Yes(Reason::Low {
                                cost,
                                before: money(before),
                                days: *days,
                                known_days,
                            });
                        }
                        let told = self.told.and_then(|t| t.minor);
                        Met::No {
                            needs: before - 1,
                            clearly: told.is_some_and(|t| less(minor, tuning.improve_percent) >= t),
                        }
                    }
                    // Only one price so far, however long: nothing can be lower.
                    None if known_days >= needed_days => Met::No {
                        needs: minor - 1,
                        clearly: false,
                    },
                    _ => Met::Short {
                        known_days,
                        needed_days,
                    },
                }
            }
            AlertRule::PercentUnderUsual(percent) => {
                let usual = match self.history.usual(day) {
                    Some(usual) if known_days >= tuning.min_history_days => usual,
                    _ => {
                        return Met::Short {
                            known_days,
                            needed_days: tuning.min_history_days,
                        };
                    }
                };
                let needs = less(usual, *percent);
                if minor <= needs {
                    let under = (i128::from(usual) - i128::from(minor)) * 100 / i128::from(usual);
                    return Met::Yes(Reason::UnderUsual {
                        cost,
                        usual: money(usual),
                        percent: u32::try_from(under).unwrap_or(0),
                    });
                }
                Met::No {
                    needs,
                    // Half the gate: noise around the gate must not arm the rule.
                    clearly: minor > less(usual, percent / 2),
                }
            }
            AlertRule::BackInStock
            | AlertRule::Better
            | AlertRule::PriceGuarantee
            | AlertRule::WholeList => Met::No {
                needs: minor,
                clearly: false,
            },
        }
    }
}

/// `minor` reduced by `percent`, rounded down.
fn less(minor: i64, percent: u32) -> i64 {
    let kept = i128::from(100 - percent.min(100));
    i64::try_from((i128::from(minor) * kept).div_euclid(100)).unwrap_or(i64::MAX)
}

fn real(cost: Option<Money>) -> Option<Money> {
    cost.filter(|c| c.amount > Decimal::ZERO)
}

fn day(at: Timestamp) -> i32 {
    i32::try_from(at.as_second().div_euclid(86_400)).unwrap_or(0)
}

fn hours(n: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(n))
}

fn later(at: Timestamp, n: u32) -> Timestamp {
    at.checked_add(hours(n)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
