//! Which addresses may be connected to.
//!
//! A page, a redirect or a name server must not steer the crawler into the person's
//! network (server-side request forgery). So an address is vetted twice: as text,
//! before anything happens, and as the socket address that is about to be used.

use super::error::Refusal;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// IPv4 ranges that are not public: the IANA special-purpose registry (RFC 6890 and
/// its updates), multicast, and the deprecated 6to4 relay range.
const V4_FORBIDDEN: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([192, 175, 48, 0], 24),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
];

/// IPv6 ranges inside 2000::/3 that are not public. Everything outside 2000::/3 is
/// unassigned, local, multicast, or an IPv4 address in disguise.
const V6_FORBIDDEN: [([u16; 8], u32); 6] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48),
    ([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    base: IpAddr,
    bits: u32,
}

impl Prefix {
    /// The range of the addresses that share `bits` leading bits with `base`.
    #[must_use]
    pub const fn new(base: IpAddr, bits: u32) -> Self {
        Self { base, bits }
    }

    /// Whether the address is in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(a)) => {
                let drop = 32_u32.saturating_sub(self.bits);
                (u32::from(base) ^ u32::from(a))
                    .checked_shr(drop)
                    .unwrap_or(0)
                    == 0
            }
            (IpAddr::V6(base), IpAddr::V6(a)) => {
                let drop = 128_u32.saturating_sub(self.bits);
                (u128::from(base) ^ u128::from(a))
                    .checked_shr(drop)
                    .unwrap_or(0)
                    == 0
            }
            _ => false,
        }
    }
}

/// Whether the address is reachable from everywhere and meant for everyone.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => is_public_v4(a),
        IpAddr::V6(a) => is_public_v6(a),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // 224/4 is multicast, 240/4 reserved.
    address.octets()[0] < 224
        && !V4_FORBIDDEN.iter().any(|(base, bits)| {
            Prefix::new(Ipv4Addr::from(*base).into(), *bits).contains(address.into())
        })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Only global unicast is public. This leaves out ::/96, ::ffff:0:0/96,
    // 64:ff9b::/96 and every other form that carries an IPv4 address, as well as
    // fc00::/7, fe80::/10 and ff00::/8; 6to4 and Teredo are in the table.
    address.segments()[0] >> 13 == 1
        && !V6_FORBIDDEN
            .iter()
            .any(|(base, bits)| Prefix::new(Ipv6Addr::from(*base).into(), *bits).contains(address.into()))
        // ISATAP (RFC 5214) hides an IPv4 address in the interface part.
        && !(matches!(address.segments()[4], 0 | 0x0200) && address.segments()[5] == 0x5efe)
}

/// Top-level names that never lead to the public net.
const LOCAL_SUFFIXES: [&str; 14] = [
    "local",
    "localhost",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "home.arpa",
    "onion",
    "test",
    "invalid",
    "in-addr.arpa",
];

/// The person's exceptions.
#[derive(Clone, Debug, Default)]
pub struct AllowPrivate {
    /// Host as [`Url`] writes it, with the ports allowed; none listed means any.
    hosts: HashMap<String, Vec<u16>>,
}

impl AllowPrivate {
    /// Reads entries `host`, `host:port`, `1.2.3.4:port`, `[::1]:port` or `::1`.
    /// Entries that are no host are returned as the second part.
    #[must_use]
    pub fn parse(entries: &[String]) -> (Self, Vec<String>) {
        let mut this = Self::default();
        let mut bad = Vec::new();
        for entry in entries {
            match Self::entry(entry) {
                Some((host, Some(port))) => {
                    let ports = this.hosts.entry(host).or_insert_with(|| vec![port]);
                    if !ports.is_empty() {
                        ports.push(port);
                    }
                }
                Some((host, None)) => {
                    this.hosts.insert(host, Vec::new());
                }
                None => bad.push(entry.clone()),
            }
        }
        (this, bad)
    }

    fn entry(entry: &str) -> Option<(String, Option<u16>)> {
        let entry = entry.trim();
        if let Ok(bare) = entry.parse::<Ipv6Addr>() {
            return Some((format!("[{bare}]"), None));
        }
        if entry.is_empty() || entry.contains(['/', '@', '?', '#', '*']) {
            return None;
        }
        // A scheme without a default port keeps the port as written.
        let url = Url::parse(&format!("http://{entry}/")).ok()?;
        let host = url.host_str()?.to_owned();
        let written = entry.rsplit_once(':').and_then(|(_, p)| p.parse().ok());
        Some((host, url.port().or(written)))
    }

    /// Whether the host may be private at some port.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        self.hosts.contains_key(host)
    }

    fn allows(&self, host: &str, port: u16) -> bool {
        self.hosts
            .get(host)
            .is_some_and(|ports| ports.is_empty() || ports.contains(&port))
    }
}

/// Vets an address as text. Names that pass are vetted again by [`vet_addresses`].
///
/// # Errors
/// A [`Refusal`] that says what is wrong.
pub fn vet_url(url: &Url, allow: &AllowPrivate, max_bytes: usize) -> Result<(), Refusal> {
    if url.as_str().len() > max_bytes {
        return Err(Refusal::TooLong(max_bytes));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refusal::Scheme(url.scheme().chars().take(40).collect()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Userinfo);
    }
    let host = url.host().ok_or(Refusal::NoHost)?;
    let text = host.to_string();
    let port = url.port_or_known_default().ok_or(Refusal::NoHost)?;
    if allow.allows(&text, port) {
        return Ok(());
    }
    // The resolver lets a listed name be private whatever the port, so a listed name
    // is used at its listed ports only.
    if allow.names(&text) {
        return Err(Refusal::ListedPort(text));
    }
    if port != 80 && port != 443 {
        return Err(Refusal::Port(port));
    }
    match host {
        Host::Ipv4(a) => Err(Refusal::Literal(a.into())),
        Host::Ipv6(a) => Err(Refusal::Literal(a.into())),
        Host::Domain(name) => {
            let local = !name.contains('.')
                || name.ends_with('.')
                || LOCAL_SUFFIXES.iter().any(|suffix| {
                    name.strip_suffix(suffix)
                        .is_some_and(|head| head.ends_with('.') || head.is_empty())
                });
            if local {
                Err(Refusal::LocalName(text))
            } else {
                Ok(())
            }
        }
    }
}

/// Vets what a name leads to. One forbidden address among the answers condemns all:
/// an honest shop has none, and a mixture is how such an attack looks.
///
/// # Errors
/// [`Refusal::Private`] with the first forbidden address.
pub fn vet_addresses(
    host: &str,
    addresses: &[IpAddr],
    allow: &AllowPrivate,
    on_link: &[Prefix],
) -> Result<(), Refusal> {
    if allow.names(host) {
        return Ok(());
    }
    match addresses
        .iter()
        .find(|a| !is_public(**a) || on_link.iter().any(|p| p.contains(**a)))
    {
        Some(address) => Err(Refusal::Private {
            host: host.to_owned(),
            address: *address,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
