//! `emptor lab alerts`: on which days of a price series to tell.

use crate::engine::alert::detector::{DEFAULT_SENSITIVITY, Detector};
use crate::engine::alert::plausible::{Belief, Plausible};
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Input lines: {\"id\":…,\"prices\":[minor units, one a day; null where none was read],\"sensitivity\":0.25}\nOutput lines: {\"id\":…,\"alerts\":[day,…]}"
)]
pub struct Args {}

#[derive(Deserialize)]
struct Series {
    id: Value,
    prices: Vec<Option<i64>>,
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
        let (mut plausible, mut detector) = (Plausible::default(), Detector::default());
        let mut alerts: Vec<i32> = Vec::new();
        for (day, price) in (0..).zip(series.prices) {
            let price = price.unwrap_or(0);
            match plausible.look(day, price) {
                Belief::Not => continue,
                Belief::Same => {}
                Belief::NewLevel => detector = Detector::default(),
            }
            if detector.observe(day, price, sensitivity).is_some() {
                alerts.push(day);
            }
        }
        Ok(json!({ "id": series.id, "alerts": alerts }))
    })
}
