//! The demo: the whole main job against an embedded market.

pub mod market;
pub mod provider;

/// placeholder
#[derive(clap::Args, Debug)]
pub struct Args {}
/// placeholder
/// # Errors
/// none
pub async fn run(_a: &Args, _g: &crate::cli::context::Global) -> crate::cli::context::Result {
    Ok(())
}
