//! `emptor wish plan`: what wishes cost against a budget.

use super::context::{Context, Result};
use crate::agent::api::types::{LifeView, PlanRequest, SpendLine, SpendPlan};
use crate::engine::wish::Stage;
use crate::model::Money;

/// Runs it.
///
/// # Errors
/// Whatever the daemon says.
pub async fn run(cx: &mut Context, budget: Option<Money>, list: Option<String>) -> Result {
    let request = PlanRequest { budget, list };
    let plan: SpendPlan = cx.post("/v1/wishes/plan", &request).await?;
    cx.show(&plan, print)
}

fn print(cx: &Context, plan: &SpendPlan) {
    let money = |m: &Money| cx.locale.money(m);
    if plan.buy.is_empty() && plan.later.is_empty() && plan.unpriced.is_empty() {
        cx.line("No open wishes.");
        return;
    }
    if plan.budget.is_some() {
        let (dear, young): (Vec<_>, Vec<_>) =
            plan.later.iter().partition(|l| l.life.stage == Stage::Ripe);
        section(cx, "Fits", &plan.buy);
        section(cx, "Does not fit", dear);
        section(cx, "Waits: only what is ripe is planned", young);
    } else {
        section(cx, "Wishes", &plan.later);
    }
    section(cx, "No price now", &plan.unpriced);
    cx.line(&format!(
        "All that has a price costs {}.",
        cx.bold(&money(&plan.total))
    ));
    match &plan.budget {
        Some(budget) => cx.line(&format!(
            "Budget {}: {} would be spent, {} is left; {}.",
            money(budget),
            money(&plan.spent),
            money(&plan.left),
            if plan.missing.amount.is_zero() {
                "it is enough for all".to_owned()
            } else {
                format!("to have it all, {} is missing", money(&plan.missing))
            }
        )),
        None => cx.line(&cx.dim("What fits a budget: --budget MONEY, or [wishes] budget.")),
    }
}

fn section<'a>(cx: &Context, title: &str, lines: impl IntoIterator<Item = &'a SpendLine>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        return;
    }
    cx.line(&cx.bold(title));
    for line in lines {
        let cost = line
            .cost
            .map_or_else(|| "no price".to_owned(), |m| cx.locale.money(&m));
        cx.line(&format!(
            "  {cost:>12}  {}  {}  {}",
            line.name,
            stage(cx, &line.life),
            cx.dim(&format!("[{}]", line.want))
        ));
        if let Some(why) = &line.why {
            cx.line(&cx.dim(&format!("                {why}")));
        }
    }
}

/// Where a wish stands, in a few words.
#[must_use]
pub fn stage(cx: &Context, life: &LifeView) -> String {
    let until = life
        .until
        .map(|t| format!(" until {}", cx.locale.time(t)))
        .unwrap_or_default();
    format!(
        "{}{until}, {:.0}/100",
        life.stage.words(life.until),
        life.intensity
    )
}
