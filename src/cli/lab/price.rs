//! Placeholder until the engine lands.

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Runs it.
#[must_use]
pub fn run(_args: &Args) -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}
