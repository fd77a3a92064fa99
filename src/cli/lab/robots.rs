//! `emptor lab robots`: ask a robots.txt file about addresses.

use super::input::{bytes, complain};
use super::json_lines;
use crate::engine::robots::{Robots, product_token};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// The largest file read; a parser need not look beyond 500 KiB (RFC 9309, 2.5).
const MAX_FILE: u64 = 64 << 20;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The robot's name: a product token such as `emptor`, or a whole User-Agent value
    #[arg(long, value_name = "NAME")]
    agent: String,
    /// The robots.txt file
    #[arg(value_name = "ROBOTS_FILE")]
    file: PathBuf,
}

/// Answers `{"id","url"}` with `{"id","allowed","crawl_delay"}`; the delay is in seconds.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let bytes = match bytes(&args.file, MAX_FILE) {
        Ok(bytes) => bytes,
        Err(e) => {
            complain(e);
            return ExitCode::FAILURE;
        }
    };
    let robots = Robots::parse(&bytes);
    let agent = product_token(&args.agent);
    json_lines(std::io::stdin().lock(), |line| {
        let url = line
            .get("url")
            .and_then(|u| u.as_str())
            .ok_or("no \"url\" text")?;
        let decision = robots.decide(agent, url);
        let delay = decision.crawl_delay.map(|d| d.as_secs_f64());
        Ok(json!({
            "id": line.get("id"),
            "allowed": decision.allowed,
            "crawl_delay": delay.map(whole_if_possible),
        }))
    })
}

/// `5` rather than `5.0`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and small"
)]
fn whole_if_possible(seconds: f64) -> serde_json::Value {
    if seconds.fract() == 0.0 && seconds < 1e15 {
        json!(seconds as i64)
    } else {
        json!(seconds)
    }
}
