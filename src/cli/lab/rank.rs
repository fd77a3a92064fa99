//! `emptor lab rank`: requests of schema `emptor-rank/1` in, rankings out.

use crate::engine::rank::{Request, rank};
use serde::Deserialize;
use std::io;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Runs it.
#[must_use]
pub fn run(_args: &Args) -> ExitCode {
    super::json_lines(io::stdin().lock(), |line| {
        let request = Request::deserialize(line).map_err(|e| e.to_string())?;
        let reply = rank(&request).map_err(|e| e.to_string())?;
        serde_json::to_value(&reply).map_err(|e| e.to_string())
    })
}
