//! The jobs themselves. Everything here runs confined.

use super::{Check, Job, Link, Reply};
use crate::model::text::clean;
use crate::model::{Extraction, Verdict};
use std::io;
use url::Url;

/// Links listed of one page.
const MAX_LINKS: usize = 2000;
/// Characters of a link's text.
const MAX_TEXT: usize = 300;

pub fn run(job: Job, body: &[u8]) -> Reply {
    match job {
        Job::ReadPage {
            url,
            content_type,
            adapter,
        } => {
            let html = text_of(body, content_type.as_deref());
            read_page(&url, &html, adapter.as_deref())
        }
        Job::ListLinks { url, content_type } => {
            let html = text_of(body, content_type.as_deref());
            match Url::parse(&url) {
                Ok(base) => Reply::Links(links(&base, &html)),
                Err(e) => Reply::Failed(format!("{url}: {e}")),
            }
        }
        Job::ReadOffer => read_offer(body),
        Job::SelfCheck => Reply::Checks(self_check()),
    }
}

fn read_page(_url: &str, _html: &str, _adapter: Option<&str>) -> Reply {
    Reply::Extraction(Extraction::empty(Verdict::Absent, "no reader yet"))
}

fn read_offer(_body: &[u8]) -> Reply {
    Reply::Extraction(Extraction::empty(Verdict::Absent, "no reader yet"))
}

/// The text of a page: the charset is that of the byte order mark, else the one the
/// server names, else the one in the first bytes of the page, else UTF-8 if it is
/// that, else Windows-1252 (the order of the HTML standard).
fn text_of(body: &[u8], content_type: Option<&str>) -> String {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(body) {
        return encoding.decode(body).0.into_owned();
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    let named = content_type
        .and_then(charset)
        .or_else(|| charset(&head))
        .and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    match named {
        Some(encoding) => encoding.decode(body).0.into_owned(),
        None => match std::str::from_utf8(body) {
            Ok(text) => text.to_owned(),
            Err(_) => encoding_rs::WINDOWS_1252.decode(body).0.into_owned(),
        },
    }
}

/// The value after the first `charset=`.
fn charset(text: &str) -> Option<&str> {
    let at = text.to_ascii_lowercase().find("charset=")? + "charset=".len();
    let rest = text.get(at..)?.trim_start_matches(['"', '\'', ' ']);
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)))
        .unwrap_or(rest.len());
    Some(&rest[..end])
}

/// The links of a page in their order, each address once.
fn links(base: &Url, html: &str) -> Vec<Link> {
    let document = scraper::Html::parse_document(html);
    let Ok(anchors) = scraper::Selector::parse("a[href]") else {
        return Vec::new();
    };
    let mut seen = std::collections::HashSet::new();
    let mut found = Vec::new();
    for anchor in document.select(&anchors) {
        let Some(href) = anchor.value().attr("href") else {
            continue;
        };
        let Ok(mut url) = base.join(href.trim()) else {
            continue;
        };
        url.set_fragment(None);
        if !matches!(url.scheme(), "http" | "https") || !seen.insert(url.to_string()) {
            continue;
        }
        let mut text = clean(&anchor.text().collect::<String>(), MAX_TEXT);
        if text.is_empty() {
            let described = anchor
                .value()
                .attr("title")
                .or(anchor.value().attr("aria-label"));
            text = clean(described.unwrap_or_default(), MAX_TEXT);
        }
        found.push(Link {
            url: url.into(),
            text,
        });
        if found.len() == MAX_LINKS {
            break;
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets() {
        let page = "<meta charset=\"iso-8859-1\"><p>K\u{fc}che \u{20ac}";
        assert!(text_of(page.as_bytes(), Some("text/html; charset=utf-8")).contains("Küche €"));
        assert!(
            text_of(b"\xef\xbb\xbfK\xc3\xbc", Some("text/html; charset=latin1")).ends_with("Kü")
        );
        assert!(text_of(b"<meta charset='windows-1252'>\x80 9", None).ends_with("€ 9"));
        assert_eq!(text_of("Kü".as_bytes(), None), "Kü");
        assert_eq!(text_of(b"K\xfc", Some("text/html")), "Kü");
        assert_eq!(text_of(b"K\xfc", Some("text/html; charset=nonsense")), "Kü");
    }

    #[test]
    fn links_are_absolute_and_unique() {
        let base = Url::parse("https://shop.example/search?q=a").expect("URL");
        let html = "<a href='/p/1#top'>One\u{202e} <b>thing</b></a><a href='/p/1'>again</a>\
            <a href='javascript:alert(1)'>no</a><a href='mailto:a@b.example'>no</a>\
            <a href='//other.example/x' title='Other'><img></a><a>none</a><a href='http://['>bad</a>";
        let found = links(&base, html);
        let pairs: Vec<_> = found
            .iter()
            .map(|l| (l.url.as_str(), l.text.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("https://shop.example/p/1", "One thing"),
                ("https://other.example/x", "Other")
            ]
        );
    }
}
