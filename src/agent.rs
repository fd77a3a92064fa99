//! The daemon: scheduler, jobs, events, the local API and the web page.

pub mod config;
pub mod paths;
