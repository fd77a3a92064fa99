//! The integration tests: one binary, because each one links the world.
#![allow(clippy::unwrap_used)]

mod adapters;
mod matching;
mod net;
mod rank;
mod vault_crash;
mod vault_damage;
mod vault_faults;
mod vault_support;
mod worker;
