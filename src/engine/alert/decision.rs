//! Decisions and their reasons, in numbers and in words.

use super::history::USUAL_DAYS;
use super::plausible;
use crate::engine::locale::{availability as availability_words, count};
use crate::engine::wish::Stage;
use crate::model::time::Timestamp;
use crate::model::{Availability, Currency, Money, Sentence, sentence};
use serde::{Deserialize, Serialize};

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

impl Reason {
    /// The reason in words.
    #[must_use]
    pub fn words(&self) -> Sentence {
        match *self {
            Self::Under { cost, limit } => sentence!(cost, " is at or under ", limit),
            Self::Low {
                cost,
                before,
                days,
                known_days,
            } => {
                let mut said =
                    sentence!(cost, " is the lowest in ", days, " days, before ", before);
                if known_days < days {
                    said.push(sentence!(" (watched for ", known_days, " days)"));
                }
                said
            }
            Self::InStock {
                cost,
                missing_since,
            } => {
                let mut said = sentence!("can be had");
                if let Some(cost) = cost {
                    said.push(sentence!(" for ", cost));
                }
                said.push(match missing_since {
                    Some(at) => sentence!(", could not since ", at),
                    None => sentence!(" on the first look"),
                });
                said
            }
            Self::UnderUsual {
                cost,
                usual,
                percent,
            } => under_usual(cost, usual, percent),
            Self::Better {
                cost,
                usual,
                percent,
                waiting_percent,
            } => sentence!(
                under_usual(cost, usual, percent),
                "; waiting a month is expected to save ",
                waiting_percent,
                "% at most"
            ),
        }
    }
}

fn under_usual(cost: Money, usual: Money, percent: u32) -> Sentence {
    let days = USUAL_DAYS.to_string();
    sentence!(
        cost,
        " is ",
        percent,
        "% under the usual ",
        usual,
        " of ",
        days,
        " days"
    )
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

impl Fire {
    /// The alert in words.
    #[must_use]
    pub fn words(&self) -> Sentence {
        let mut said = self.reason.words();
        if self.stock_unknown {
            said.push("; stock not stated");
        }
        if self.check_unit {
            said.push("; the price level changed a lot, check the unit");
        }
        said
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
        unsaid: Sentence,
    },
    /// The person noted a price that is no higher.
    KnownCheaper {
        /// What they noted, delivered.
        noted: Money,
        /// Where.
        shop: String,
        /// What would have been told.
        unsaid: Sentence,
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

impl Hold {
    /// The reason for silence in words.
    #[must_use]
    pub fn words(&self) -> Sentence {
        match self {
            Self::NotRead => "no offer could be read, so nothing changed".into(),
            Self::NotNewer => "not newer than what is already counted".into(),
            Self::NoPrice => "no price was found".into(),
            Self::ZeroPrice => "a price of zero is not taken for a price".into(),
            Self::OtherCurrency { cost, series } => sentence!(
                *cost,
                " is in another currency than before (",
                series.code(),
                ")"
            ),
            Self::LimitCurrency { limit, series } => {
                sentence!(
                    "the limit ",
                    *limit,
                    " cannot be compared with ",
                    series.code()
                )
            }
            Self::Jump { cost, last } => sentence!(
                *cost,
                " after ",
                *last,
                " looks like another unit; believed if it stays ",
                plausible::DAYS.to_string(),
                " days"
            ),
            Self::CannotBuy { availability } => {
                sentence!(
                    "it cannot be bought now (",
                    availability_words(*availability),
                    ")"
                )
            }
            Self::StockUnknown => "the page does not say whether it can be had".into(),
            Self::ShortHistory {
                known_days,
                needed_days,
            } => sentence!(
                "watched for ",
                count(*known_days as usize, "day"),
                ", ",
                *needed_days,
                " are needed"
            ),
            Self::NotMet { cost, needs } => match (cost, needs) {
                (Some(cost), Some(needs)) => sentence!(*cost, "; it takes ", *needs, " or less"),
                _ => "the rule does not hold".into(),
            },
            Self::NotNews { cost } => sentence!(
                *cost,
                " is not clearly better than usual, or a better price is likely soon"
            ),
            Self::Cooling {
                stage,
                until,
                unsaid,
            } => {
                let mut said = sentence!("the wish is ", stage.words(*until));
                if let Some(until) = until {
                    said.push(sentence!(" until ", *until));
                }
                said.push(sentence!(", so this was not said: ", unsaid));
                said
            }
            Self::KnownCheaper {
                noted,
                shop,
                unsaid,
            } => sentence!(
                "you noted ",
                *noted,
                " at ",
                shop,
                ", so this was not said: ",
                unsaid
            ),
            Self::AlreadyTold { at, told, needs } => {
                let mut said = sentence!("told at ", *at);
                if let Some(told) = told {
                    said.push(sentence!(" at ", *told));
                }
                if let Some(needs) = needs {
                    said.push(sentence!("; told again from ", *needs));
                }
                said
            }
            Self::Cooldown { until } => {
                sentence!("the last alert is fresh; quiet until ", *until)
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

    /// What was decided, in words.
    #[must_use]
    pub fn words(&self) -> Sentence {
        match self {
            Self::Fire(fire) => fire.words(),
            Self::Hold(hold) => hold.words(),
        }
    }
}
