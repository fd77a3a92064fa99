//! Why a fetch failed, in words for people and as a [`Trouble`].

use crate::model::seller::Trouble;
use crate::model::time::Timestamp;
use std::net::IpAddr;
use std::time::Duration;
use url::Url;

/// Why an address is not connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a web address.
    #[error("{0} is not a web address (http or https)")]
    Scheme(String),
    /// A user name or password in the address.
    #[error("the address carries a user name or a password")]
    Userinfo,
    /// No host.
    #[error("the address names no host")]
    NoHost,
    /// A port that is not the web's.
    #[error("port {0} is not a web port (80, 443)")]
    Port(u16),
    /// An address in numbers instead of a name.
    #[error("{0} is a bare address, not a host name")]
    Literal(IpAddr),
    /// A name that only means something at home.
    #[error("{0} is a name of a private network")]
    LocalName(String),
    /// The host is listed as private, but for another port.
    #[error("{0} is listed under allow_private for another port")]
    ListedPort(String),
    /// The name leads to an address that is not public.
    #[error("{host} leads to {address}, which is not a public address")]
    Private {
        /// The name looked up.
        host: String,
        /// The first forbidden address.
        address: IpAddr,
    },
    /// An address too long to be honest.
    #[error("the address is longer than {0} bytes")]
    TooLong(usize),
}

/// Why a fetch failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The guard forbids the address. Nothing was sent to it.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// robots.txt forbids the page.
    #[error("robots.txt of {host} forbids {path} (line {line}: {pattern})")]
    Robots {
        /// The host.
        host: String,
        /// The path asked for.
        path: String,
        /// The line of the rule.
        line: u32,
        /// The rule's pattern.
        pattern: String,
    },
    /// robots.txt could not be read, which forbids everything until it can.
    #[error("robots.txt of {host} cannot be read (HTTP {status}), so nothing is read there")]
    RobotsUnreachable {
        /// The host.
        host: String,
        /// What it answered.
        status: u16,
    },
    /// The host wants a pause, or its turn is too far away.
    #[error("{host} is to be left alone until {until}")]
    RateLimited {
        /// The host.
        host: String,
        /// When it may be asked again.
        until: Timestamp,
    },
    /// An HTTP status that is no page.
    #[error("{url} answered HTTP {status}")]
    Status {
        /// The address.
        url: Box<Url>,
        /// The status.
        status: u16,
    },
    /// More redirects than allowed, or a circle.
    #[error("{0} redirects too often")]
    TooManyRedirects(Box<Url>),
    /// A redirect that leads nowhere good.
    #[error("a redirect of {from} is not followed: {why}")]
    BadRedirect {
        /// The address that redirected.
        from: Box<Url>,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The head or the body is larger than allowed.
    #[error("the answer is larger than {limit} bytes ({what})")]
    TooLarge {
        /// The part that is too large.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A small body that unpacks into a huge one.
    #[error("the answer unpacks to more than {0} times its size")]
    Bomb(usize),
    /// A body in a coding we do not know, or a broken one.
    #[error("the answer cannot be unpacked: {0}")]
    Coding(String),
    /// No answer in time.
    #[error("no answer within {0:?} ({1})")]
    Timeout(Duration, &'static str),
    /// An answer that trickles.
    #[error("the answer trickles: fewer than {bytes} bytes in {window:?}")]
    TooSlow {
        /// The bytes asked for.
        bytes: usize,
        /// In this time.
        window: Duration,
    },
    /// No connection, or it broke.
    #[error("{host}: {why}")]
    Transport {
        /// The host.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// The fetcher itself could not be set up.
    #[error("the network cannot be used: {0}")]
    Setup(String),
}

impl FetchError {
    /// The kind of trouble, for the health of a source.
    #[must_use]
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::Refused(_) | Self::BadRedirect { .. } => Trouble::Refused,
            Self::Robots { .. } => Trouble::BlockedByRobots,
            Self::RateLimited { .. } => Trouble::RateLimited,
            Self::Status { status, .. } => match status {
                404 | 410 => Trouble::Gone,
                401 | 402 | 403 | 407 | 451 => Trouble::Blocked,
                429 => Trouble::RateLimited,
                _ => Trouble::VendorDown,
            },
            Self::TooLarge { .. } | Self::Bomb(_) | Self::Coding(_) | Self::TooSlow { .. } => {
                Trouble::BadInput
            }
            Self::RobotsUnreachable { .. }
            | Self::TooManyRedirects(_)
            | Self::Timeout(..)
            | Self::Transport { .. }
            | Self::Setup(_) => Trouble::VendorDown,
        }
    }

    /// When it makes sense to try again, if the host said so.
    #[must_use]
    pub const fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::RateLimited { until, .. } => Some(*until),
            _ => None,
        }
    }
}
