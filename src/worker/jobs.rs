//! The jobs themselves. Everything here runs confined.

use super::{Check, Job, Listings, Reply, Source};
use crate::engine::adapter::{self, Listing, Manifest};
use crate::engine::{discover, extract, quote, rates};
use crate::model::Verdict;
use std::io;

/// Products listed of one page.
const MAX_LISTINGS: usize = 2000;

/// Does a job.
pub fn run(job: Job, body: &[u8]) -> Reply {
    let reply = match job {
        Job::ReadPage(source) => read_page(&source, body),
        Job::ReadList(source) => read_list(&source, body),
        Job::ReadQuotes => quote::read(body)
            .map(Reply::Quotes)
            .map_err(|e| e.to_string()),
        Job::ReadFront { url, content_type } => Ok(Reply::Front(discover::front_page(
            body,
            content_type.as_deref(),
            &url,
        ))),
        Job::ReadRates => rates::read(body).map(|(date, rates)| Reply::Rates { date, rates }),
        Job::SelfCheck => Ok(Reply::Checks(self_check())),
    };
    reply.unwrap_or_else(Reply::Failed)
}

/// The adapter's manifest. It was checked when it was installed, so a fault is odd.
fn manifest(source: &Source) -> Result<Option<Manifest>, String> {
    let parse = |text: &String| Manifest::parse(text, "adapter").map_err(|e| e.to_string());
    source.adapter.as_ref().map(parse).transpose()
}

/// A page in the words of the generic readers.
fn page<'a>(source: &'a Source, body: &'a [u8]) -> extract::Page<'a> {
    extract::Page {
        body,
        content_type: source.content_type.as_deref(),
        url: Some(&source.url),
    }
}

/// A page in the words of the adapters.
fn adapter_page<'a>(source: &'a Source, body: &'a [u8]) -> adapter::Page<'a> {
    adapter::Page {
        url: &source.url,
        status: source.status,
        content_type: source.content_type.as_deref(),
        body,
        shop_currency: source.shop_currency,
    }
}

fn read_page(source: &Source, body: &[u8]) -> Result<Reply, String> {
    Ok(Reply::Extraction(match manifest(source)? {
        Some(manifest) => adapter::read_with_markup(&manifest, &adapter_page(source, body)),
        None => extract::read_page(&page(source, body)),
    }))
}

fn read_list(source: &Source, body: &[u8]) -> Result<Reply, String> {
    if let Some(manifest) = manifest(source)?
        && manifest.search.is_some()
    {
        let mut found = adapter::list(&manifest, &adapter_page(source, body));
        found.listings.truncate(MAX_LISTINGS);
        return Ok(Reply::Listings(Listings {
            verdict: found.verdict,
            reason: found.reason,
            listings: found.listings,
            next: found.next,
        }));
    }
    let listings: Vec<Listing> = extract::links(&page(source, body))
        .into_iter()
        .take(MAX_LISTINGS)
        .map(|link| Listing {
            url: link.url,
            name: Some(link.name),
            gtin: None,
            price: link.price,
        })
        .collect();
    let listings = if listings.is_empty() {
        discover::product_links(body, source.content_type.as_deref(), &source.url)
            .into_iter()
            .map(|(url, name)| Listing {
                url,
                name: Some(name),
                gtin: None,
                price: None,
            })
            .collect()
    } else {
        listings
    };
    let nothing = listings.is_empty();
    Ok(Reply::Listings(Listings {
        verdict: if nothing {
            Verdict::Absent
        } else {
            Verdict::Value
        },
        reason: nothing.then(|| "no products were recognised on the page".to_owned()),
        listings,
        next: None,
    }))
}

/// Tries what must not work. "Not there" is not "forbidden".
fn self_check() -> Vec<Check> {
    let forbidden = |what: &str, result: io::Result<()>| Check {
        what: what.to_owned(),
        forbidden: matches!(result, Err(e) if e.kind() == io::ErrorKind::PermissionDenied
            // NPROC and NOFILE answer with these.
            || matches!(e.raw_os_error(), Some(code) if code == EAGAIN)),
    };
    let temp = std::env::temp_dir().join("emptor-self-check");
    vec![
        forbidden("read a file", std::fs::File::open("/").map(drop)),
        forbidden("write a file", std::fs::File::create(temp).map(drop)),
        forbidden("list a folder", std::fs::read_dir("/").map(drop)),
        forbidden(
            "open a TCP socket",
            std::net::TcpListener::bind(("127.0.0.1", 0)).map(drop),
        ),
        forbidden(
            "open a UDP socket",
            std::net::UdpSocket::bind(("127.0.0.1", 0)).map(drop),
        ),
        forbidden(
            "start a program",
            std::process::Command::new("/bin/true").spawn().map(drop),
        ),
        forbidden(
            "start a thread",
            std::thread::Builder::new().spawn(|| {}).map(drop),
        ),
        Check {
            what: "see the environment".to_owned(),
            forbidden: std::env::vars_os().next().is_none(),
        },
    ]
}

#[cfg(unix)]
const EAGAIN: i32 = rustix::io::Errno::AGAIN.raw_os_error();
#[cfg(not(unix))]
const EAGAIN: i32 = i32::MIN;
