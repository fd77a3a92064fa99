//! `lab match`: pairs on stdin, or the links between two tables.

use super::json_lines;
use crate::engine::matching::{self, Prepared, Rec, Vocabulary};
use serde_json::{Value, json};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Say which records are the same product.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Pairs on stdin: {"id","left":Rec,"right":Rec}
    #[arg(long, required_unless_present = "left", conflicts_with_all = ["left", "right"])]
    pairs: bool,
    /// A table of records, one a line
    #[arg(long, requires = "right")]
    left: Option<PathBuf>,
    /// Another table
    #[arg(long, requires = "left")]
    right: Option<PathBuf>,
}

/// Runs it.
#[must_use]
pub fn run(_args: &Args) -> ExitCode {
    let vocabulary = Vocabulary::default();
    json_lines(io::stdin().lock(), |line| {
        let left = Prepared::new(&record(&line["left"])?, &vocabulary);
        let right = Prepared::new(&record(&line["right"])?, &vocabulary);
        let judgement = matching::explain(&left, &right);
        Ok(json!({
            "id": line["id"],
            "score": judgement.score,
            "same": judgement.score >= matching::THRESHOLD,
            "zone": judgement.zone,
            "terms": judgement.reasons,
        }))
    })
}

/// Reads `{"name","brand"?,"description"?,"price"?,"gtin"?,"mpn"?}`. A price or GTIN that
/// cannot be read says nothing.
fn record(value: &Value) -> Result<Rec, String> {
    let text = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
    };
    let price = match value.get("price") {
        Some(Value::Number(n)) => n.as_f64(),
        Some(Value::String(s)) => s
            .trim_matches(|c: char| !c.is_ascii_digit())
            .replace(',', "")
            .parse()
            .ok(),
        Some(Value::Object(o)) => o
            .get("amount")
            .and_then(Value::as_str)
            .and_then(|s| s.parse().ok()),
        _ => None,
    };
    Ok(Rec {
        name: text("name").ok_or("a record needs a name")?,
        brand: text("brand"),
        description: text("description"),
        price,
        gtin: match value.get("gtin") {
            Some(Value::Number(n)) => n.to_string().parse().ok(),
            Some(Value::String(s)) => s.parse().ok(),
            _ => None,
        },
        mpn: text("mpn"),
    })
}
