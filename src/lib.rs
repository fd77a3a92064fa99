//! emptor: a personal buying agent.
//!
//! The library underneath the `emptor` binary. Modules form floors and import
//! downwards only; `ARCHITECTURE.md` is the tour and `tests/architecture.rs` the guard.

pub mod agent;
pub mod cli;
pub mod demo;
pub mod engine;
pub mod market;
pub mod model;
pub mod net;
pub mod notify;
pub mod tender;
pub mod vault;
pub mod worker;
