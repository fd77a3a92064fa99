//! Alert rules and what they fire.

use super::time::Timestamp;
use super::{Id, Money, Sentence, sentence};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// A rule over the state of a want's best offer. Rules are predicates on states, not on
/// changes, so they also fire on the first observation.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertRule {
    /// The landed cost is at or under an amount: `under 250 EUR`.
    Under(Money),
    /// The lowest landed cost in so many days: `low in 90 days`.
    LowIn(u32),
    /// It can be had again after it could not: `back in stock`.
    BackInStock,
    /// So many percent under the usual (the median of the last 90 days): `15% under usual`.
    PercentUnderUsual(u32),
    /// Clearly better than usual, and hardly better soon, judged by the offer's own
    /// history: `better`.
    Better,
    /// Asked less by the shop it was bought at, while its guarantee runs:
    /// `price guarantee`. It comes with a purchase and cannot be set on a want.
    PriceGuarantee,
    /// The whole list costs clearly less than when last told: `whole list`. It comes with
    /// the list and cannot be set on a want.
    WholeList,
}

/// Why a rule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a rule; write `under 250 EUR`, `low in 90 days`, `15% under usual`, `better` or `back in stock`"
)]
pub struct AlertRuleError(pub String);

impl FromStr for AlertRule {
    type Err = AlertRuleError;
    fn from_str(s: &str) -> Result<Self, AlertRuleError> {
        let error = || AlertRuleError(s.to_owned());
        let text = s.trim().to_ascii_lowercase();
        match text.as_str() {
            "back in stock" => return Ok(Self::BackInStock),
            "better" | "better offer" => return Ok(Self::Better),
            "price guarantee" => return Ok(Self::PriceGuarantee),
            "whole list" => return Ok(Self::WholeList),
            _ => {}
        }
        if let Some(amount) = text.strip_prefix("under ") {
            let limit: Money = amount.parse().map_err(|_| error())?;
            return if limit.amount.is_sign_positive() {
                Ok(Self::Under(limit))
            } else {
                Err(error())
            };
        }
        if let Some(days) = text
            .strip_prefix("new ")
            .unwrap_or(&text)
            .strip_prefix("low in ")
            .and_then(|t| t.strip_suffix(" days"))
        {
            let days = days.trim().parse().map_err(|_| error())?;
            return if (1..=3650).contains(&days) {
                Ok(Self::LowIn(days))
            } else {
                Err(error())
            };
        }
        if let Some(percent) = text
            .strip_suffix("under usual")
            .map(|t| t.trim().trim_end_matches('%').trim())
        {
            let percent = percent.parse().map_err(|_| error())?;
            return if (1..=95).contains(&percent) {
                Ok(Self::PercentUnderUsual(percent))
            } else {
                Err(error())
            };
        }
        Err(error())
    }
}

impl AlertRule {
    /// The rule as it is written, for a person to read.
    #[must_use]
    pub fn words(&self) -> Sentence {
        match self {
            Self::Under(limit) => sentence!("under ", *limit),
            Self::LowIn(days) => sentence!("low in ", *days, " days"),
            Self::BackInStock => "back in stock".into(),
            Self::PercentUnderUsual(percent) => sentence!(*percent, "% under usual"),
            Self::Better => "better".into(),
            Self::PriceGuarantee => "price guarantee".into(),
            Self::WholeList => "whole list".into(),
        }
    }
}

/// As it is read back.
impl fmt::Display for AlertRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words().fmt(f)
    }
}

impl Serialize for AlertRule {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AlertRule {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// Something worth telling the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id.
    pub id: Id,
    /// When the rule fired.
    pub at: Timestamp,
    /// The want it is about; of a whole list the first on it.
    pub want: Id,
    /// The list it is about, where it is about a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// The rule that fired.
    pub rule: AlertRule,
    /// One line.
    pub title: Sentence,
    /// Why, with the numbers.
    pub reason: Sentence,
    /// The landed cost that fired it, where the rule is about a cost.
    pub cost: Option<Money>,
    /// Where to buy.
    pub url: Option<String>,
    /// When it was delivered. `None` while held back by quiet hours, a digest or a cap.
    pub delivered: Option<Timestamp>,
    /// What it saves against the price it is compared with, for all that is wanted.
    #[serde(default)]
    pub saving: Option<Money>,
    /// The person's own word holds: a price at or under their limit, something they
    /// waited for to be had again. The weekly budget never silences it.
    #[serde(default)]
    pub own_word: bool,
    /// Why it was not delivered yet, where the weekly budget is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Sentence>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_round_trip() {
        for text in [
            "under 250.00 EUR",
            "low in 90 days",
            "back in stock",
            "15% under usual",
            "better",
            "price guarantee",
            "whole list",
        ] {
            let rule: AlertRule = text.parse().expect(text);
            assert_eq!(rule.to_string(), text);
        }
        for bad in [
            "under 250",
            "under -3 EUR",
            "low in 0 days",
            "0% under usual",
            "cheap",
        ] {
            assert!(bad.parse::<AlertRule>().is_err(), "{bad}");
        }
    }
}
