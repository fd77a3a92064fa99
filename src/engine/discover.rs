//! How a shop can be searched: read from its front page.
//!
//! Two public conventions are understood: schema.org `SearchAction` with a URL template,
//! and an HTML form that sends its text by GET. Anything else is not guessed.

use super::html::{self, Document, NodeId};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::LazyLock;
use url::Url;

/// What a front page says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontPage {
    /// The page's title.
    pub title: Option<String>,
    /// An absolute address with `{query}` where the text goes.
    pub search: Option<String>,
}

/// Links read of one page.
const MAX_LINKS: usize = 300;

/// The longest template kept.
const MAX_TEMPLATE: usize = 500;

/// Reads a shop's front page.
#[must_use]
pub fn front_page(body: &[u8], content_type: Option<&str>, url: &Url) -> FrontPage {
    let document = html::parse(body, content_type);
    let title = document
        .ids()
        .find(|id| document.name(*id) == "title")
        .map(|id| crate::model::text::clean(&document.inner_text(id, 300), 200))
        .filter(|t| !t.is_empty());
    let search = search_action(&document, url).or_else(|| search_form(&document, url));
    FrontPage { title, search }
}

/// A schema.org `SearchAction`: `target` is a template or an `EntryPoint` with `urlTemplate`.
fn search_action(document: &Document, base: &Url) -> Option<String> {
    static TARGET: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""(?:target|urlTemplate)"\s*:\s*"([^"]{1,400}?)\{[^}"]{1,60}\}([^"]{0,100})""#)
            .expect("invariant: a valid pattern")
    });
    document
        .ids()
        .filter(|id| document.name(*id) == "script")
        .filter(|id| {
            document
                .attr(*id, "type")
                .is_some_and(|t| t.contains("ld+json"))
        })
        .filter_map(|id| document.children(id).find_map(|c| document.raw_text(c)))
        .filter(|text| text.contains("SearchAction"))
        .find_map(|text| {
            let captures = TARGET.captures(text)?;
            let unescape = |t: &str| t.replace("\\/", "/");
            template(base, &unescape(&captures[1]), &unescape(&captures[2]))
        })
}

/// A form sent by GET with one text field.
fn search_form(document: &Document, base: &Url) -> Option<String> {
    document
        .ids()
        .filter(|id| document.name(*id) == "form")
        .find_map(|form| {
            let method = document.attr(form, "method").unwrap_or_default();
            if method.eq_ignore_ascii_case("post") {
                return None;
            }
            let inputs: Vec<NodeId> = document
                .descendants(form)
                .filter(|id| document.name(*id) == "input")
                .collect();
            let field = inputs.iter().find_map(|id| {
                let name = document.attr(*id, "name")?;
                let kind = document
                    .attr(*id, "type")
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                let role = document.attr(form, "role").unwrap_or_default();
                let is_search = kind == "search"
                    || (matches!(kind.as_str(), "" | "text")
                        && (role.eq_ignore_ascii_case("search")
                            || matches!(
                                name.to_ascii_lowercase().as_str(),
                                "q" | "s"
                                    | "search"
                                    | "query"
                                    | "keyword"
                                    | "keywords"
                                    | "ssearch"
                                    | "suche"
                                    | "search_query"
                                    | "searchterm"
                                    | "text"
                                    | "k"
                            )));
                is_search.then(|| name.into_owned())
            })?;
            let mut action = base
                .join(&document.attr(form, "action").unwrap_or_default())
                .ok()?;
            action.set_query(None);
            action.set_fragment(None);
            let mut before = String::new();
            for id in inputs {
                let hidden = document
                    .attr(id, "type")
                    .is_some_and(|t| t.eq_ignore_ascii_case("hidden"));
                let (Some(name), Some(value)) =
                    (document.attr(id, "name"), document.attr(id, "value"))
                else {
                    continue;
                };
                // Session tokens are one visitor's; a template with one soon breaks.
                if hidden && value.len() <= 40 && !name.to_ascii_lowercase().contains("token") {
                    let pair = url::form_urlencoded::Serializer::new(String::new())
                        .append_pair(&name, &value)
                        .finish();
                    before.push_str(&pair);
                    before.push('&');
                }
            }
            let key: String = url::form_urlencoded::byte_serialize(field.as_bytes()).collect();
            template(base, &format!("{action}?{before}{key}="), "")
        })
}

/// The links of a page that may lead to a product: those outside navigation, with their
/// words. For result pages too short for a listing to be recognised (one hit has no
/// repetition); the matcher then decides by the words.
#[must_use]
pub fn product_links(body: &[u8], content_type: Option<&str>, url: &Url) -> Vec<(String, String)> {
    let document = html::parse(body, content_type);
    let mut links: Vec<(String, String)> = Vec::new();
    for id in document.ids().filter(|id| document.name(*id) == "a") {
        let in_navigation = document.ancestors(id).any(|a| {
            matches!(document.name(a), "nav" | "header" | "footer")
                || document.attr(a, "role").is_some_and(|r| r == "navigation")
        });
        let Some(target) = document
            .attr(id, "href")
            .and_then(|h| url.join(h.trim()).ok())
        else {
            continue;
        };
        if in_navigation || target.host() != url.host() || target.path() == url.path() {
            continue;
        }
        let image = || {
            document
                .descendants(id)
                .find(|d| document.name(*d) == "img")
                .and_then(|d| document.attr(d, "alt").map(Cow::into_owned))
        };
        let words = document.inner_text(id, 400);
        let words = if words.trim().is_empty() {
            document
                .attr(id, "title")
                .map(Cow::into_owned)
                .or_else(image)
                .unwrap_or_default()
        } else {
            words
        };
        let name = crate::model::text::clean(&words, 300);
        if name.split_whitespace().count() < 2 {
            continue;
        }
        if let Some((_, known)) = links.iter_mut().find(|(known, _)| known == target.as_str()) {
            // The longest text of several links to one page is its name.
            if known.len() < name.len() {
                *known = name;
            }
        } else if links.len() < MAX_LINKS {
            links.push((target.into(), name));
        } else {
            break;
        }
    }
    links
}

/// Puts `{query}` between the two halves, if the result is an address of the same site.
fn template(base: &Url, before: &str, after: &str) -> Option<String> {
    const MARK: &str = "emptorquerymark";
    let whole = base.join(&format!("{before}{MARK}{after}")).ok()?;
    let site = |u: &Url| {
        let host = u.host_str()?.trim_start_matches("www.").to_owned();
        Some((host, u.port_or_known_default()))
    };
    let same_site = site(&whole)? == site(base)? || {
        let (a, b) = (site(&whole)?.0, site(base)?.0);
        a.ends_with(&format!(".{b}")) || b.ends_with(&format!(".{a}"))
    };
    let ok = matches!(whole.scheme(), "http" | "https")
        && same_site
        && whole.as_str().len() <= MAX_TEMPLATE
        && whole.as_str().matches(MARK).count() == 1;
    ok.then(|| whole.as_str().replace(MARK, "{query}"))
}

/// The search address for a text.
#[must_use]
pub fn fill(template: &str, query: &str) -> Option<Url> {
    let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    Url::parse(&template.replace("{query}", &encoded)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(html: &str) -> FrontPage {
        let url = Url::parse("https://www.shop.example/en/").expect("url");
        front_page(html.as_bytes(), None, &url)
    }

    #[test]
    fn a_search_action_is_a_template() {
        let page = read(
            r#"<title>Shop</title><script type="application/ld+json">{"@type":"WebSite","potentialAction":
            {"@type":"SearchAction","target":{"@type":"EntryPoint","urlTemplate":"https:\/\/www.shop.example\/search?q={search_term_string}&x=1"}}}</script>"#,
        );
        assert_eq!(
            page.search.as_deref(),
            Some("https://www.shop.example/search?q={query}&x=1")
        );
        let filled = page
            .search
            .and_then(|t| fill(&t, "red & blue"))
            .expect("address");
        assert_eq!(filled.query(), Some("q=red+%26+blue&x=1"));
    }

    #[test]
    fn a_get_form_is_a_template() {
        let page = read(
            r#"<form action="/find"><input type="hidden" name="lang" value="en"><input type="hidden" name="csrf_token" value="abc"><input type="search" name="term"></form>"#,
        );
        assert_eq!(
            page.search.as_deref(),
            Some("https://www.shop.example/find?lang=en&term={query}")
        );
    }

    #[test]
    fn links_outside_navigation_with_their_words() {
        let url = Url::parse("https://shop.example/s?q=drill").expect("url");
        let html = r#"<nav><a href="/all">All our things</a></nav><div><a href="/p/1"><img alt="x"></a>
            <a href="/p/1">Cordless drill 12V</a><a href="https://other.example/p">Cordless drill 12V</a><a href="/p/2">More</a></div>"#;
        let links = product_links(html.as_bytes(), None, &url);
        assert_eq!(
            links,
            [(
                "https://shop.example/p/1".to_owned(),
                "Cordless drill 12V".to_owned()
            )]
        );
    }

    #[test]
    fn other_forms_and_other_sites_are_not() {
        assert_eq!(
            read(r#"<form method="post" action="/s"><input name="q"></form>"#).search,
            None
        );
        assert_eq!(
            read(r#"<form action="/newsletter"><input name="email"></form>"#).search,
            None
        );
        let foreign =
            r#"<form action="https://evil.example/s" role="search"><input name="q"></form>"#;
        assert_eq!(read(foreign).search, None);
    }
}
