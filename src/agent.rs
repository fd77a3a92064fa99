//! The daemon: scheduler, jobs, events, the local API and the web page.

pub mod alerts;
pub mod api;
pub mod basket;
pub mod config;
pub mod core;
pub mod crawl;
pub mod life;
pub mod moment;
pub mod packs;
pub mod paths;
pub mod purchases;
pub mod rates;
pub mod scheduler;
pub mod server;
pub mod socket;
pub mod store;
pub mod tenders;
pub mod terms;
pub mod tune;
pub mod view;
pub mod web;

pub use core::{Agent, StartError};
