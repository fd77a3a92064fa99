//! The command line.

pub mod client;
pub mod context;
pub mod format;
pub mod lab;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A personal buying agent: it reads shops, ranks offers on landed cost and keeps your data.
#[derive(Parser, Debug)]
#[command(name = "emptor", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run one engine on a file: stateless and offline
    #[command(subcommand)]
    Lab(lab::Lab),
    /// Parse foreign bytes for another emptor process
    #[command(hide = true)]
    Worker,
}

/// Runs the program on the process arguments.
#[must_use]
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Lab(lab) => lab.run(),
        Command::Worker => crate::worker::child::run(),
    }
}
