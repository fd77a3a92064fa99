//! Adapters, shops and crawl jobs.
