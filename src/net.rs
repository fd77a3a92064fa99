//! The polite fetcher: the only way out to the network.
//!
//! Everything goes through one [`Fetcher`]. It obeys robots.txt, asks each host one
//! thing at a time with a pause in between, keeps the promises a host asked for
//! (`Retry-After`), bounds what an answer may cost, and connects to public addresses
//! only, whatever a page, a redirect or a name server says.

mod body;
mod clock;
mod error;
mod fetcher;
pub mod guard;
mod http;
mod pace;
mod resolve;
mod retry_after;
mod robots;

pub use clock::{Clock, SystemClock};
pub use error::{FetchError, Refusal};
pub use fetcher::Fetcher;
pub use resolve::{Answers, Lookup, SystemLookup};

use std::time::Duration;
use url::Url;

/// What the person may set, and the limits that hold for every answer.
#[derive(Clone, Debug)]
pub struct NetConfig {
    /// The User-Agent sent. It names emptor and never pretends to be a browser.
    pub user_agent: String,
    /// The least pause between two page requests to one host.
    pub gap: Duration,
    /// The longest Crawl-delay obeyed in full; longer ones count as this.
    pub max_crawl_delay: Duration,
    /// How long a request may wait for its turn before it is put off.
    pub max_queue_wait: Duration,
    /// The least pause between two API requests to one host.
    pub api_gap: Duration,
    /// Page requests to one host in a day (UTC).
    pub max_per_day: u32,
    /// Hosts that may be loopback or private: `host` or `host:port`. For servers at
    /// home and for tests; there is no other way around the guard.
    pub allow_private: Vec<String>,
    /// Bounds on one answer.
    pub limits: Limits,
}

/// Bounds on one answer.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes on the wire.
    pub compressed: usize,
    /// Bytes after decoding.
    pub decoded: usize,
    /// Decoded bytes a wire byte, once [`Limits::ratio_from`] bytes are decoded.
    pub ratio: usize,
    /// Decoded bytes below which the ratio does not matter.
    pub ratio_from: usize,
    /// Bytes of all header fields together.
    pub header_bytes: usize,
    /// Number of header fields.
    pub header_fields: usize,
    /// Redirects followed.
    pub redirects: usize,
    /// Bytes of an address.
    pub url_bytes: usize,
    /// Time to look a name up.
    pub dns: Duration,
    /// Time to connect, with the name and TLS.
    pub connect: Duration,
    /// Time from the request to the answer's head.
    pub first_byte: Duration,
    /// Time for one exchange.
    pub total: Duration,
    /// Bytes that must arrive in each [`Limits::rate_window`].
    pub rate_bytes: usize,
    /// See [`Limits::rate_bytes`].
    pub rate_window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            compressed: 8 << 20,
            decoded: 16 << 20,
            ratio: 100,
            ratio_from: 64 << 10,
            header_bytes: 64 << 10,
            header_fields: 100,
            redirects: 5,
            url_bytes: 8 << 10,
            dns: Duration::from_secs(5),
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(15),
            total: Duration::from_secs(60),
            rate_bytes: 10 << 10,
            rate_window: Duration::from_secs(10),
        }
    }
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            user_agent: user_agent(None),
            gap: Duration::from_secs(5),
            max_crawl_delay: Duration::from_secs(600),
            max_queue_wait: Duration::from_secs(900),
            api_gap: Duration::from_millis(500),
            max_per_day: 2000,
            allow_private: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// The honest User-Agent, with an address to complain to if the person gives one.
#[must_use]
pub fn user_agent(contact: Option<&str>) -> String {
    let contact: String = contact
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_graphic() && !matches!(c, '(' | ')' | ';'))
        .take(100)
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    if contact.is_empty() {
        format!("emptor/{version} (personal buying agent)")
    } else {
        format!("emptor/{version} (personal buying agent; +{contact})")
    }
}

/// What a server gave to recognise a version of a page by (RFC 9110, 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Validators {
    /// The `ETag` field.
    pub etag: Option<String>,
    /// The `Last-Modified` field.
    pub last_modified: Option<String>,
}

impl Validators {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// A page to read.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// Its address.
    pub url: Url,
    /// From the last answer, to be told "not modified" instead of the page.
    pub validators: Option<Validators>,
    /// The `Accept` field; HTML by default.
    pub accept: Option<String>,
}

impl FetchRequest {
    /// A plain request for a page.
    #[must_use]
    pub const fn page(url: Url) -> Self {
        Self {
            url,
            validators: None,
            accept: None,
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Where it came from, after redirects.
    pub final_url: Url,
    /// The HTTP status: 2xx or 304 for pages, any for API calls.
    pub status: u16,
    /// The `Content-Type` field as sent.
    pub content_type: Option<String>,
    /// The decoded body.
    pub body: Vec<u8>,
    /// What to send next time.
    pub validators: Validators,
    /// The page is the one the validators came from (304); the body is empty.
    pub not_modified: bool,
    /// The addresses that redirected, in order.
    pub redirects: Vec<Url>,
    /// The `Location` field as sent: where an API put what it made (201).
    pub location: Option<String>,
}
