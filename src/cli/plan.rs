//! `emptor wish plan`: what wishes cost against a budget.

use super::context::{Context, Result};
use crate::agent::api::types::{LifeView, PlanRequest, SpendLine, SpendPlan};
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
        section(cx, "Fits", &plan.buy);
        section(cx, "Later", &plan.later);
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
            "Of {} {} would be spent, {} is left; {}.",
            money(budget),
            money(&plan.spent),
            money(&plan.left),
            if plan.missing.amount.is_zero() {
                "it is enough for all, and what has not lasted yet can wait".to_owned()
            } else {
                format!("{} is missing for all", money(&plan.missing))
            }
        )),
        None => cx.line(&cx.dim("What fits a budget: --budget MONEY, or [wishes] budget.")),
    }
}

fn section(cx: &Context, title: &str, lines: &[SpendLine]) {
    if lines.is_empty() {
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
    }
}

/// Where a wish stands, in a few words.
#[must_use]
pub fn stage(cx: &Context, life: &LifeView) -> String {
    let until = life
        .until
        .map(|t| format!(" until {}", cx.locale.time(t)))
        .unwrap_or_default();
    format!("{}{until}, {:.0}/100", life.stage.words(), life.intensity)
}
