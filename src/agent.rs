//! The daemon: scheduler, jobs, events, the local API and the web page.

pub mod api;
pub mod config;
pub mod paths;
pub mod socket;
