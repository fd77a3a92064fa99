//! `emptor lab alerts`: on which days of a price series to tell.

use crate::engine::alert::detector::{DEFAULT_SENSITIVITY, Detector};
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Input lines: {\"id\":…,\"prices\":[minor units, one a day],\"sensitivity\":0.25}\nOutput lines: {\"id\":…,\"alerts\":[day,…]}"
)]
pub struct Args {}

#[derive(Deserialize)]
struct Series {
    id: Value,
    prices: Vec<i64>,
    sensitivity: Option<f64>,
}

/// Runs it.
#[must_use]
pub fn run(_args: &Args) -> ExitCode {
    super::json_lines(std::io::stdin().lock(), |line| {
        let series = Series::deserialize(line).map_err(|e| e.to_string())?;
        let sensitivity = series.sensitivity.unwrap_or(DEFAULT_SENSITIVITY);
        if !(0.0..=1.0).contains(&sensitivity) {
            return Err("sensitivity must lie between 0 and 1".to_owned());
        }
        let mut detector = Detector::default();
        let alerts: Vec<i32> = (0..)
            .zip(&series.prices)
            .filter(|&(day, &price)| detector.observe(day, price, sensitivity).is_some())
            .map(|(day, _)| day)
            .collect();
        Ok(json!({ "id": series.id, "alerts": alerts }))
    })
}
