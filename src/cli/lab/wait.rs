//! `emptor lab wait`: buy now, or wait until a deadline.

use crate::engine::alert::wait::{Advice, advise};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Input lines: {\"id\":…,\"prices\":[minor units, one a day, up to today; null where none was read],\"deadline_days\":30}\nOutput lines: {\"id\":…,\"threshold\":share of the median of the last 90 days|null to buy now,\"saving\":…,\"chance\":…,\"dearer\":…,\"days\":…}"
)]
pub struct Args {}

#[derive(Deserialize)]
struct Question {
    id: Value,
    prices: Vec<Option<i64>>,
    deadline_days: u32,
}

#[derive(Serialize)]
struct Answer {
    id: Value,
    #[serde(flatten)]
    advice: Advice,
}

/// Runs it.
#[must_use]
pub fn run(_args: &Args) -> ExitCode {
    super::json_lines(std::io::stdin().lock(), |line| {
        let question = Question::deserialize(line).map_err(|e| e.to_string())?;
        let deadline = usize::try_from(question.deadline_days).map_err(|e| e.to_string())?;
        let prices: Vec<i64> = question.prices.iter().map(|p| p.unwrap_or(0)).collect();
        let advice = advise(&prices, deadline);
        serde_json::to_value(Answer {
            id: question.id,
            advice,
        })
        .map_err(|e| e.to_string())
    })
}
