//! Shops, adapters and crawl jobs.
//!
//! [`links`] and [`shop`] bring addresses into one form, [`adapters`] knows how to read
//! a shop, [`crawl`] plans what to read when. Nothing here opens a connection: fetching
//! is `net`'s, and the agent joins the two.

pub mod adapters;
pub mod crawl;
pub mod links;
pub mod shop;
