//! `emptor lab`: one engine on a file, stateless and offline.

pub mod alerts;
pub mod basket;
pub mod extract;
mod input;
pub mod matching;
pub mod price;
pub mod rank;
pub mod robots;
pub mod wait;

use super::context::give_up;
use clap::Subcommand;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

/// The engines.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor lab extract --url https://shop.example/p/1 page.html
  emptor lab extract --manifest pages.jsonl
  emptor lab robots --agent emptor robots.txt < addresses.jsonl
  emptor lab match --pairs < pairs.jsonl
  emptor lab match --left ours.jsonl --right theirs.jsonl
  emptor lab basket list.json
  emptor lab basket --limit-ms 300 - < list.json     the best found in that time
  emptor lab rank < requests.jsonl
  emptor lab price < texts.jsonl

JSON Lines in and out, one line for each, in order. A line that makes no sense is answered
with {\"id\",\"line\",\"error\"}, and the exit code is 1 at the end.")]
pub enum Lab {
    /// Read product pages: HTML to offers
    Extract(extract::Args),
    /// Read prices: text to amount and currency (JSON Lines on stdin)
    Price(price::Args),
    /// Ask a robots.txt file about addresses (JSON Lines on stdin)
    Robots(robots::Args),
    /// Say which records are the same product
    Match(matching::Args),
    /// Buy a whole list at the least cost
    Basket(basket::Args),
    /// Rank offers (JSON Lines on stdin)
    Rank(rank::Args),
    /// Say when to alert on price series (JSON Lines on stdin)
    Alerts(alerts::Args),
    /// Say whether to buy now or wait (JSON Lines on stdin)
    Wait(wait::Args),
}

impl Lab {
    /// Runs the chosen engine.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self {
            Self::Extract(a) => extract::run(&a),
            Self::Price(a) => price::run(&a),
            Self::Robots(a) => robots::run(&a),
            Self::Match(a) => matching::run(&a),
            Self::Basket(a) => basket::run(&a),
            Self::Rank(a) => rank::run(&a),
            Self::Alerts(a) => alerts::run(&a),
            Self::Wait(a) => wait::run(&a),
        }
    }
}

/// The longest line read; a longer one is an error of that line. As a [`Value`] it takes up
/// to eighty times the memory.
const MAX_LINE: usize = 16 << 20;

/// The longest line that an engine reads itself: a million offers.
const MAX_LONG_LINE: usize = 128 << 20;

/// Answers each line of `source` with one line on stdout, in order. A bad line gives
/// `{"id":…,"line":…,"error":"…"}`, the run goes on, and the exit code is 1 at the end.
pub fn json_lines(
    source: impl io::Read,
    mut answer: impl FnMut(&Value) -> Result<Value, String>,
) -> ExitCode {
    lines(source, MAX_LINE, |line| {
        let value = serde_json::from_slice(line).map_err(|e| input::json_error(&e, line))?;
        answer(&value).map(|reply| reply.to_string())
    })
}

/// [`json_lines`] for lines too long to pass through a [`Value`]: `answer` reads the
/// bytes and writes the reply itself.
pub fn text_lines(
    source: impl io::Read,
    answer: impl FnMut(&[u8]) -> Result<String, String>,
) -> ExitCode {
    lines(source, MAX_LONG_LINE, answer)
}

/// Of a line that cannot be answered, what it is called.
#[derive(Deserialize)]
struct Named {
    id: Value,
}

/// Refuses lists, texts and numbers, which an engine would name by its own types.
fn begins_an_object(line: &[u8]) -> Result<(), String> {
    if line.trim_ascii_start().starts_with(b"{") {
        return Ok(());
    }
    match serde_json::from_slice::<IgnoredAny>(line) {
        Ok(_) => Err("a line must be an object".to_owned()),
        Err(e) => Err(input::json_error(&e, line)),
    }
}

fn lines(
    source: impl io::Read,
    longest: usize,
    mut answer: impl FnMut(&[u8]) -> Result<String, String>,
) -> ExitCode {
    let mut reader = io::BufReader::new(source);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut failed = false;
    let mut line = Vec::new();
    let mut number: u64 = 0;
    loop {
        line.clear();
        number += 1;
        let mut limited = io::Read::take(&mut reader, longest as u64 + 1);
        match limited.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(e) => {
                input::complain(format_args!("cannot read the input: {e}"));
                return ExitCode::FAILURE;
            }
        }
        let too_long = line.len() > longest;
        if too_long {
            // Skip the rest of the line so that the next one starts clean.
            loop {
                let buffer = match reader.fill_buf() {
                    Ok(b) if !b.is_empty() => b,
                    _ => break,
                };
                let end = buffer.iter().position(|b| *b == b'\n');
                let used = end.map_or(buffer.len(), |i| i + 1);
                reader.consume(used);
                if end.is_some() {
                    break;
                }
            }
        }
        // Without its end, which is no column of it.
        let line = line.trim_ascii_end();
        if line.is_empty() {
            continue;
        }
        let answered = if too_long {
            Err(format!("the line is longer than {} MiB", longest >> 20))
        } else {
            begins_an_object(line).and_then(|()| answer(line))
        };
        let reply = answered.unwrap_or_else(|error| {
            failed = true;
            let id = (!too_long && line.trim_ascii_start().starts_with(b"{"))
                .then(|| serde_json::from_slice::<Named>(line).ok())
                .flatten()
                .map(|named| named.id);
            json!({ "id": id, "line": number, "error": error }).to_string()
        });
        let reply = input::tame(reply);
        if let Err(e) = writeln!(out, "{reply}") {
            give_up(&e);
        }
        // Nothing more has come in: who asks line by line waits for this answer.
        if reader.buffer().is_empty()
            && let Err(e) = out.flush()
        {
            give_up(&e);
        }
    }
    match out.flush() {
        Err(e) => give_up(&e),
        Ok(()) => ExitCode::from(u8::from(failed)),
    }
}
