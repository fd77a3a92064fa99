//! `emptor lab rank`: requests of schema `emptor-rank/1` in, rankings out.

use super::input::json_error;
use crate::engine::rank::{Request, rank};
use std::io;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Runs it.
#[must_use]
pub fn run(_args: &Args) -> ExitCode {
    super::text_lines(io::stdin().lock(), |line| {
        let request: Request = serde_json::from_slice(line).map_err(|e| json_error(&e, line))?;
        let reply = rank(&request).map_err(|e| e.to_string())?;
        serde_json::to_string(&reply).map_err(|e| e.to_string())
    })
}
