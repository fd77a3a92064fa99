//! The integration tests: one binary, because each one links the world.
#![allow(clippy::unwrap_used)]

mod adapters;
mod alert;
mod alerts;
mod basket;
mod cli;
mod config;
mod crawl;
mod daemon;
mod decisions;
mod demo;
mod lab;
mod locked;
mod matching;
mod net;
mod notify;
mod offers;
mod output;
mod rank;
mod refusals;
mod shopping;
mod support;
mod tender;
mod vault_backup;
mod vault_crash;
mod vault_damage;
mod vault_faults;
mod vault_support;
mod web;
mod words;
mod worker;
