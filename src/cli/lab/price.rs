//! `emptor lab price`: text to amount and currency.

use crate::engine::price::{Hints, Kind, read};
use serde_json::{Value, json};
use std::io;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Answers JSON Lines `{"id","text","currency_hint"?,"locale"?,"decimal_separator"?}`.
#[must_use]
pub fn run(_args: &Args) -> ExitCode {
    super::json_lines(io::stdin().lock(), answer)
}

fn answer(line: &Value) -> Result<Value, String> {
    let text_of = |key: &str| match line.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok(Some(s.as_str())),
        Some(_) => Err(format!("`{key}` is not a text")),
    };
    let text = line.get("text").ok_or("`text` is missing")?;
    let text = match text {
        Value::String(s) => s.as_str(),
        Value::Null => "",
        _ => return Err("`text` is not a text".into()),
    };
    let hints = Hints {
        currency: text_of("currency_hint")?.or(text_of("hint")?),
        locale: text_of("locale")?,
        decimal_separator: text_of("decimal_separator")?.and_then(|s| s.chars().next()),
    };
    let reading = read(text, &hints);
    Ok(json!({
        "id": line.get("id"),
        "amount": reading.amount.map(|a| a.to_string()),
        "currency": reading.currency,
        "symbol": reading.symbol,
        "verdict": reading.kind.map_or("none", Kind::as_str),
    }))
}
