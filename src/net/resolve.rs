//! The name lookup of the HTTP client: the only one there is, so what is vetted here
//! is what gets connected to. A second lookup that answers differently (DNS
//! rebinding) cannot happen.

use super::error::Refusal;
use super::guard::{AllowPrivate, Prefix, vet_addresses};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Answers considered for one name.
const MAX_ANSWERS: usize = 8;

/// A lookup in progress.
pub type Answers = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// Where addresses come from: the system, or a table in tests.
pub trait Lookup: Send + Sync {
    /// All addresses of a name.
    fn lookup(&self, name: String) -> Answers;
}

/// The system's resolver.
#[derive(Debug)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> Answers {
        // RFC 6761, section 6.3: such names are this machine, whatever a server says. The
        // guard still refuses them unless the person has listed the host.
        if name.ends_with(".localhost") {
            return Box::pin(async { Ok(vec![IpAddr::from(std::net::Ipv4Addr::LOCALHOST)]) });
        }
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|a| a.ip()).collect())
        })
    }
}

/// Looks names up and lets only vetted addresses through.
pub struct GuardedResolver {
    pub lookup: Arc<dyn Lookup>,
    pub allow: Arc<AllowPrivate>,
    pub timeout: Duration,
}

impl reqwest::dns::Resolve for GuardedResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let host = name.as_str().to_owned();
        let answers = self.lookup.lookup(host.clone());
        let allow = Arc::clone(&self.allow);
        let timeout = self.timeout;
        Box::pin(async move {
            let mut addresses = tokio::time::timeout(timeout, answers)
                .await
                .map_err(|_| std::io::Error::new(std::io::ErrorKind::TimedOut, "name lookup"))??;
            vet_addresses(&host, &addresses, &allow, &on_link_prefixes())?;
            addresses.truncate(MAX_ANSWERS);
            // Port 0 stands for the port of the URL.
            let sockets = addresses.into_iter().map(|a| SocketAddr::new(a, 0));
            Ok(Box::new(sockets) as reqwest::dns::Addrs)
        })
    }
}

/// The refusal inside an error of the HTTP client, if that is what it was.
pub fn refusal_in(error: &(dyn std::error::Error + 'static)) -> Option<Refusal> {
    let mut next = Some(error);
    while let Some(e) = next {
        if let Some(refusal) = e.downcast_ref::<Refusal>() {
            return Some(refusal.clone());
        }
        next = e.source();
    }
    None
}

/// The networks this machine is directly connected to, and its own addresses. Devices
/// at home have public IPv6 addresses and are still not for the crawler. Read anew
/// for each lookup, because laptops move. Elsewhere than on Linux this is empty and
/// only the fixed ranges protect.
#[must_use]
pub fn on_link_prefixes() -> Vec<Prefix> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let mut prefixes = own_v6(&read("/proc/net/if_inet6"));
    prefixes.extend(on_link_v4(&read("/proc/net/route")));
    prefixes.extend(own_v4(&read("/proc/net/fib_trie")));
    prefixes
}

/// Lines `address ifindex prefixlen …`, all hexadecimal.
fn own_v6(table: &str) -> Vec<Prefix> {
    table
        .lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let address = u128::from_str_radix(words.next()?, 16).ok()?;
            let bits = u32::from_str_radix(words.nth(1)?, 16).ok()?;
            // A tunnel that claims most of the world is a way out, not a home.
            (bits >= 16).then(|| Prefix::new(IpAddr::V6(address.into()), bits))
        })
        .collect()
}

/// Lines `iface destination gateway flags refs use metric mask …`; the numbers are
/// hexadecimal in the machine's byte order. On-link routes have no gateway.
fn on_link_v4(table: &str) -> Vec<Prefix> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let number = |i: usize| u32::from_str_radix(words.get(i)?, 16).ok();
            let bits = number(7)?.count_ones();
            (number(2)? == 0 && bits >= 8)
                .then(|| Prefix::new(IpAddr::from(number(1).unwrap_or(0).to_ne_bytes()), bits))
        })
        .collect()
}

/// Addresses followed by a line `/32 host LOCAL`.
fn own_v4(table: &str) -> Vec<Prefix> {
    let mut last = None;
    let mut own = Vec::new();
    for line in table.lines() {
        if let Some(text) = line.trim_start().strip_prefix("|-- ") {
            last = text.trim().parse::<IpAddr>().ok();
        } else if line.trim() == "/32 host LOCAL"
            && let Some(address) = last
        {
            own.push(Prefix::new(address, 32));
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_tables() {
        let v6 = own_v6("20010db8000000010000000000000005 02 40 00 80     eth0\nrubbish\n");
        assert!(v6[0].contains("2001:db8:0:1::99".parse().expect("address")));
        assert!(!v6[0].contains("2001:db8:0:2::99".parse().expect("address")));
        assert!(own_v6("00000000000000000000000000000000 02 00 00 80 tun0").is_empty());

        let mask = u32::from_ne_bytes([255, 255, 255, 0]);
        let net = u32::from_ne_bytes([198, 18, 7, 0]);
        let gateway = u32::from_ne_bytes([198, 18, 7, 1]);
        let table = format!(
            "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
             eth0 00000000 {gateway:08X} 0003 0 0 0 00000000 0 0 0\n\
             tun0 00000000 00000000 0001 0 0 0 00000080 0 0 0\n\
             eth0 {net:08X} 00000000 0001 0 0 0 {mask:08X} 0 0 0\n"
        );
        let v4 = on_link_v4(&table);
        assert_eq!(v4.len(), 1, "the default routes are no home network");
        assert!(v4[0].contains("198.18.7.200".parse().expect("address")));
        assert!(!v4[0].contains("198.18.8.1".parse().expect("address")));

        let trie =
            "  |-- 198.18.7.2\n     /32 host LOCAL\n  |-- 198.18.7.0\n     /24 link UNICAST\n";
        assert_eq!(own_v4(trie).len(), 1);
    }
}
