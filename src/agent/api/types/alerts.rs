//! Rules, what fired, and why the rest was silent.

use crate::model::time::Timestamp;
use crate::model::{AlertRule, Id, Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A rule on a want.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleView {
    /// What people type.
    pub id: String,
    /// The want.
    pub want: String,
    /// Its name.
    pub name: String,
    /// The rule.
    #[schema(value_type = String)]
    pub rule: AlertRule,
    /// What it said last, and why it holds its tongue now.
    pub state: String,
}

/// A new rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// The want; for `whole list` the list.
    pub want: String,
    /// Such as `under 250 EUR`.
    #[schema(value_type = String)]
    pub rule: AlertRule,
}

/// Alerts, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertsReply {
    /// What fired.
    pub alerts: Vec<AlertView>,
    /// The rules.
    pub rules: Vec<RuleView>,
    /// The lists watched as a whole.
    pub lists: Vec<ListView>,
}

/// Something that was worth telling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: Id,
    /// When the rule fired.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// The want it is about; of a whole list the first on it.
    #[schema(value_type = String)]
    pub want: Id,
    /// The list it is about, where it is about a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// The rule that fired.
    #[schema(value_type = String)]
    pub rule: AlertRule,
    /// One line.
    pub title: String,
    /// Why, with the numbers.
    pub reason: String,
    /// The landed cost that fired it, where the rule is about a cost.
    #[schema(value_type = Option<Object>)]
    pub cost: Option<Money>,
    /// Where to buy.
    pub url: Option<String>,
    /// When it was delivered.
    #[schema(value_type = Option<String>)]
    pub delivered: Option<Timestamp>,
    /// What it saves against the price it is compared with, for all that is wanted.
    #[schema(value_type = Option<Object>)]
    pub saving: Option<Money>,
    /// The person's own word holds, so that the weekly budget never silences it.
    pub own_word: bool,
    /// Why it was not delivered yet, where the weekly budget is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// A list watched as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListView {
    /// Its name.
    pub list: String,
    /// What came of the last look.
    pub state: String,
    /// Nothing is told of it until then.
    #[schema(value_type = Option<String>)]
    pub snoozed_until: Option<Timestamp>,
    /// Nothing is told of it at all.
    pub muted: bool,
}

/// Nothing is told of what a list costs as a whole for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SnoozeList {
    /// Until then; from now on again without it.
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
}

/// Why a rule spoke or was silent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// When it was looked at.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// The rule.
    pub rule: String,
    /// `fired` or `held`.
    pub decision: String,
    /// The numbers behind it.
    pub reason: String,
}

/// How a test message went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotifyTest {
    /// `desktop` or `log`.
    pub delivered: String,
}
