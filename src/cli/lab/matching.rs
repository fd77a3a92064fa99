//! `lab match`: pairs on stdin, or the links between two tables.

use super::input::{bytes, complain, json_error, tame};
use super::json_lines;
use crate::cli::context::give_up;
use crate::engine::matching::{self, Rec};
use crate::engine::price;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
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

/// The most bytes read: some four million pairs, which take 4 GB in memory.
const MAX_INPUT: u64 = 512 << 20;

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match (&args.left, &args.right) {
        (Some(left), Some(right)) => tables(left, right),
        _ => pairs(),
    }
}

fn tables(left: &Path, right: &Path) -> ExitCode {
    let mut failed = false;
    let (left, right) = match (table(left, &mut failed), table(right, &mut failed)) {
        (Ok(l), Ok(r)) => (l, r),
        (Err(e), _) | (_, Err(e)) => {
            complain(e);
            return ExitCode::FAILURE;
        }
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for link in matching::link_tables(&left.1, &right.1) {
        let line = json!({
            "left": left.0[link.left],
            "right": right.0[link.right],
            "score": link.score,
            "zone": matching::zone(link.score),
        });
        if let Err(e) = writeln!(out, "{}", tame(line.to_string())) {
            give_up(&e);
        }
    }
    match out.flush() {
        Err(e) => give_up(&e),
        Ok(()) => ExitCode::from(u8::from(failed)),
    }
}

/// Reads a table: the ids (the line number where there is none) and the records. Lines
/// that are no records are reported and left out.
fn table(path: &Path, failed: &mut bool) -> Result<(Vec<Value>, Vec<Rec>), String> {
    let bytes = bytes(path, MAX_INPUT)?;
    let mut out = (Vec::new(), Vec::new());
    for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let read = serde_json::from_slice::<Value>(line)
            .map_err(|e| json_error(&e, line))
            .and_then(|value| Ok((record(&value)?, value)));
        match read {
            Ok((rec, value)) => {
                out.0.push(
                    value
                        .get("id")
                        .cloned()
                        .unwrap_or_else(|| json!(number + 1)),
                );
                out.1.push(rec);
            }
            Err(e) => {
                *failed = true;
                complain(format_args!("{}:{}: {e}", path.display(), number + 1));
            }
        }
    }
    Ok(out)
}

/// Reads all pairs first: the rarity of words and rival pairs decide together.
fn pairs() -> ExitCode {
    let input = match bytes(Path::new("-"), MAX_INPUT) {
        Ok(input) => input,
        Err(e) => {
            complain(e);
            return ExitCode::FAILURE;
        }
    };
    let mut records = Vec::new();
    let (mut lefts, mut rights) = (HashMap::new(), HashMap::new());
    let mut found = Vec::new();
    for line in input.split(|b| *b == b'\n') {
        if let Ok(line) = serde_json::from_slice::<Value>(line)
            && let (Ok(left), Ok(right)) = (record(&line["left"]), record(&line["right"]))
        {
            let left = number(&mut records, &mut lefts, &line["left"], left);
            let right = number(&mut records, &mut rights, &line["right"], right);
            found.push((left, right));
        }
    }
    join_one_table(&lefts, &rights, &mut found);
    let mut judgements = matching::decide_pairs(&records, &found).into_iter();
    json_lines(&input[..], |line| {
        record(&line["left"])?;
        record(&line["right"])?;
        let judgement = judgements.next().ok_or("more pairs than were read")?;
        Ok(json!({
            "id": line["id"],
            "score": judgement.score,
            "same": judgement.is_same(),
            "zone": judgement.zone,
            "terms": judgement.reasons,
        }))
    })
}

/// The number of a record of one side: one with the same content is the same record.
fn number(
    records: &mut Vec<Rec>,
    side: &mut HashMap<String, usize>,
    value: &Value,
    rec: Rec,
) -> usize {
    *side.entry(value.to_string()).or_insert_with(|| {
        records.push(rec);
        records.len() - 1
    })
}

/// Pairs of one table with itself have most records on both sides; two shops may share a
/// few equal names by chance, which stay two records.
fn join_one_table(
    lefts: &HashMap<String, usize>,
    rights: &HashMap<String, usize>,
    pairs: &mut [matching::Pair],
) {
    let common: HashMap<usize, usize> = rights
        .iter()
        .filter_map(|(content, right)| Some((*right, *lefts.get(content)?)))
        .collect();
    if common.len() * 4 > lefts.len().min(rights.len()) {
        for pair in pairs {
            pair.1 = common.get(&pair.1).copied().unwrap_or(pair.1);
        }
    }
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
        Some(Value::String(s)) => price::read(s, &price::Hints::default())
            .amount
            .and_then(|amount| amount.to_f64()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_however_it_is_written() {
        let price = |price: Value| {
            let rec = record(&json!({"name": "Pencil", "price": price}));
            rec.expect("a record").price
        };
        for (written, expected) in [
            (json!(12.99), Some(12.99)),
            (json!("12,99 \u{20ac}"), Some(12.99)),
            (json!("$1,299.00"), Some(1299.0)),
            (json!({"amount": "3.50", "currency": "EUR"}), Some(3.5)),
            (json!("on request"), None),
            (json!("9".repeat(400)), None),
        ] {
            assert_eq!(price(written.clone()), expected, "{written}");
        }
    }
}
