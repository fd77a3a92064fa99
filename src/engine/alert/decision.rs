//! Decisions and their reasons, in numbers and in words.

use super::history::USUAL_DAYS;
use super::plausible;
use crate::engine::wish::Stage;
use crate::model::time::Timestamp;
use crate::model::{Availability, Currency, Money};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why an alert fires, with its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// At or under the limit.
    Under {
        /// The landed cost.
        cost: Money,
        /// The person's limit.
        limit: Money,
    },
    /// Lower than anything seen in the window.
    Low {
        /// The landed cost.
        cost: Money,
        /// The lowest before.
        before: Money,
        /// The rule's window in days.
        days: u32,
        /// How many of these days were watched.
        known_days: u32,
    },
    /// Can be had.
    InStock {
        /// The landed cost, where known.
        cost: Option<Money>,
        /// It could not be had at this earlier time; `None` on the first look.
        missing_since: Option<Timestamp>,
    },
    /// Clearly under the median.
    UnderUsual {
        /// The landed cost.
        cost: Money,
        /// The median of the last 90 days.
        usual: Money,
        /// How far under, in whole percent, rounded down.
        percent: u32,
    },
    /// Clearly better than usual, and waiting promises little.
    Better {
        /// The landed cost.
        cost: Money,
        /// The median of the last 90 days.
        usual: Money,
        /// How far under, in whole percent, rounded down.
        percent: u32,
        /// What waiting 30 days is expected to save, in whole percent, rounded up.
        waiting_percent: u32,
    },
}

impl Reason {
    /// What one piece costs less than the price it is compared with, where the reason
    /// compares prices. The weekly budget of popups goes to what saves most.
    #[must_use]
    pub fn saving(&self) -> Option<Money> {
        let (cost, before) = match self {
            Self::Under { cost, limit } => (cost, limit),
            Self::Low { cost, before, .. } => (cost, before),
            Self::UnderUsual { cost, usual, .. } | Self::Better { cost, usual, .. } => {
                (cost, usual)
            }
            Self::InStock { .. } => return None,
        };
        let saved = before.amount.checked_sub(cost.amount)?;
        (before.currency == cost.currency).then_some(Money::new(saved, cost.currency))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Under { cost, limit } => write!(f, "{cost} is at or under {limit}"),
            Self::Low {
                cost,
                before,
                days,
                known_days,
            } => {
                write!(f, "{cost} is the lowest in {days} days, before {before}")?;
                if known_days < days {
                    write!(f, " (watched for {known_days} days)")?;
                }
                Ok(())
            }
            Self::InStock {
                cost,
                missing_since,
            } => {
                f.write_str("can be had")?;
                if let Some(cost) = cost {
                    write!(f, " for {cost}")?;
                }
                match missing_since {
                    Some(at) => write!(f, ", could not since {at:.0}"),
                    None => f.write_str(" on the first look"),
                }
            }
            Self::UnderUsual {
                cost,
                usual,
                percent,
            } => write!(
                f,
                "{cost} is {percent}% under the usual {usual} of {USUAL_DAYS} days"
            ),
            Self::Better {
                cost,
                usual,
                percent,
                waiting_percent,
            } => write!(
                f,
                "{cost} is {percent}% under the usual {usual} of {USUAL_DAYS} days; \
                 waiting a month is expected to save {waiting_percent}% at most"
            ),
        }
    }
}

/// An alert to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fire {
    /// Why.
    pub reason: Reason,
    /// Stock is not stated on the page: say so beside the alert.
    pub stock_unknown: bool,
    /// The price jumped eightfold or more and stayed: the unit may have changed.
    pub check_unit: bool,
}

impl fmt::Display for Fire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        if self.stock_unknown {
            f.write_str("; stock not stated")?;
        }
        if self.check_unit {
            f.write_str("; the price level changed a lot, check the unit")?;
        }
        Ok(())
    }
}

/// Why nothing is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "hold", rename_all = "snake_case")]
pub enum Hold {
    /// The page was not read; nothing is known.
    NotRead,
    /// Not newer than what is already counted.
    NotNewer,
    /// No price was found.
    NoPrice,
    /// Zero or less is not a price.
    ZeroPrice,
    /// Another currency than before.
    OtherCurrency {
        /// What was seen.
        cost: Money,
        /// The currency of the series.
        series: Currency,
    },
    /// The rule's limit is in another currency and no rate is applied here.
    LimitCurrency {
        /// The rule's limit.
        limit: Money,
        /// The currency of the series.
        series: Currency,
    },
    /// Eight times higher or lower than the last price.
    Jump {
        /// What was seen.
        cost: Money,
        /// The last believed price.
        last: Money,
    },
    /// It cannot be bought now.
    CannotBuy {
        /// What the source says.
        availability: Availability,
    },
    /// Stock is not stated, and the rule is about stock.
    StockUnknown,
    /// Too few days known.
    ShortHistory {
        /// Days known.
        known_days: u32,
        /// Days needed.
        needed_days: u32,
    },
    /// The rule does not hold.
    NotMet {
        /// What was seen.
        cost: Option<Money>,
        /// What it takes.
        needs: Option<Money>,
    },
    /// Not clearly better than usual, or a better price is likely soon.
    NotNews {
        /// What was seen.
        cost: Money,
    },
    /// The wish has not lasted yet, or no longer does.
    Cooling {
        /// Where it stands.
        stage: Stage,
        /// When that can change by itself.
        until: Option<Timestamp>,
        /// What would have been told.
        unsaid: String,
    },
    /// Told already, and not clearly better now.
    AlreadyTold {
        /// When.
        at: Timestamp,
        /// At what cost.
        told: Option<Money>,
        /// From what cost on it is told again.
        needs: Option<Money>,
    },
    /// The last alert is too fresh.
    Cooldown {
        /// Until when.
        until: Timestamp,
    },
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRead => f.write_str("the page could not be read, so nothing changed"),
            Self::NotNewer => f.write_str("not newer than what is already counted"),
            Self::NoPrice => f.write_str("no price was found"),
            Self::ZeroPrice => f.write_str("a price of zero is not taken for a price"),
            Self::OtherCurrency { cost, series } => {
                write!(f, "{cost} is in another currency than before ({series})")
            }
            Self::LimitCurrency { limit, series } => {
                write!(f, "the limit {limit} cannot be compared with {series}")
            }
            Self::Jump { cost, last } => write!(
                f,
                "{cost} after {last} looks like another unit; believed if it stays {} days",
                plausible::DAYS
            ),
            Self::CannotBuy { availability } => {
                write!(f, "it cannot be bought now ({availability:?})")
            }
            Self::StockUnknown => f.write_str("the page does not say whether it can be had"),
            Self::ShortHistory {
                known_days,
                needed_days,
            } => write!(f, "watched for {known_days} days, {needed_days} are needed"),
            Self::NotMet { cost, needs } => match (cost, needs) {
                (Some(cost), Some(needs)) => write!(f, "{cost}; it takes {needs} or less"),
                _ => f.write_str("the rule does not hold"),
            },
            Self::NotNews { cost } => write!(
                f,
                "{cost} is not clearly better than usual, or a better price is likely soon"
            ),
            Self::Cooling {
                stage,
                until,
                unsaid,
            } => {
                write!(f, "the wish is {}", stage.words())?;
                if let Some(until) = until {
                    write!(f, " until {until:.0}")?;
                }
                write!(f, ", so this was not said: {unsaid}")
            }
            Self::AlreadyTold { at, told, needs } => {
                write!(f, "told at {at:.0}")?;
                if let Some(told) = told {
                    write!(f, " at {told}")?;
                }
                if let Some(needs) = needs {
                    write!(f, "; told again from {needs}")?;
                }
                Ok(())
            }
            Self::Cooldown { until } => {
                write!(f, "the last alert is fresh; quiet until {until:.0}")
            }
        }
    }
}

/// The answer to one observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Tell.
    Fire(Fire),
    /// Say nothing.
    Hold(Hold),
}

impl Decision {
    /// The alert, if there is one.
    #[must_use]
    pub const fn fire(&self) -> Option<&Fire> {
        match self {
            Self::Fire(f) => Some(f),
            Self::Hold(_) => None,
        }
    }
}
