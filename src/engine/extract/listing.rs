//! Products on a listing or search page.

use super::context::Context;
use super::zone::{Zone, zones};
use super::{Page, embedded, microdata, rdfa, schema};
use crate::engine::html::{self, Document, NodeId, Tag};
use crate::engine::price::{self, Hints, Kind};
use crate::model::{Money, text};
use rust_decimal::Decimal;
use std::collections::{HashMap, HashSet};

/// More products than this of one page are dropped.
const MAX_LINKS: usize = 300;

/// A product named on a listing or search page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProductLink {
    /// The product's name.
    pub name: String,
    /// The address, absolute where the page's address is known.
    pub url: String,
    /// The price shown beside it, if readable.
    pub price: Option<Money>,
    /// A picture.
    pub image: Option<String>,
}

/// The products a listing or search page links to, in page order: those of an `ItemList`
/// or of product items, else those in blocks that repeat.
#[must_use]
pub fn links(page: &Page) -> Vec<ProductLink> {
    let doc = html::parse(page.body, page.content_type);
    let meta = embedded::meta(&doc);
    let context = Context::of(&doc, page.url, &meta);
    let marked = marked_up(&doc, &context);
    let repeated = repeated_blocks(&doc, &context);
    // Mark-up often covers only the first rows; keep the longer list, prefer mark-up.
    let mut best = if marked.len() * 2 >= repeated.len() {
        marked
    } else {
        repeated
    };
    let mut seen = HashSet::new();
    best.retain(|l| seen.insert(l.url.clone()));
    best.truncate(MAX_LINKS);
    best
}

fn marked_up(doc: &Document, context: &Context) -> Vec<ProductLink> {
    let sources = [
        embedded::json_ld(doc),
        microdata::items(doc),
        rdfa::items(doc),
    ];
    sources
        .iter()
        .map(|items| {
            let mut found = schema::list_items(items);
            if found.is_empty() {
                found = schema::products(items, "list")
                    .into_iter()
                    .map(|p| (p.base, p.offers))
                    .collect();
            }
            let links: Vec<ProductLink> = found
                .into_iter()
                .filter_map(|(base, offers)| {
                    let url = base
                        .url
                        .or_else(|| offers.iter().find_map(|o| o.url.clone()))?;
                    let offer = offers.iter().find(|o| o.price.is_some());
                    let price = offer.and_then(|o| {
                        let currency = o
                            .currency
                            .or_else(|| context.currency_of(o.symbol.as_deref()?))?;
                        Some(Money::new(o.price.as_ref()?.value, currency))
                    });
                    Some(ProductLink {
                        name: text::clean(&base.name?, 300),
                        url: context.absolute(&url),
                        price,
                        image: base.image.map(|i| context.absolute(&i)),
                    })
                })
                .collect();
            links
        })
        .max_by_key(Vec::len)
        .unwrap_or_default()
}

/// A link with what stands around it.
struct Card {
    link: NodeId,
    block: NodeId,
    signature: String,
}

/// Blocks of the same shape, each with a link to another page and a name.
fn repeated_blocks(doc: &Document, context: &Context) -> Vec<ProductLink> {
    let zones = zones(doc);
    let skip = Zone::HIDDEN
        .with(Zone::CHROME)
        .with(Zone::CART)
        .with(Zone::FILTER)
        .with(Zone::REVIEW);
    let mut groups: HashMap<String, Vec<Card>> = HashMap::new();
    for link in doc.ids() {
        if doc.tag(link) != Some(Tag::A) || zones[link.index()].has(skip) || !leads_on(doc, link) {
            continue;
        }
        // The block is the largest one that holds no link to another page.
        let href = doc.raw_attr(link, "href").unwrap_or_default();
        let mut block = link;
        for above in doc.ancestors(link).take(8) {
            let alone = doc.range(above).len() <= 400
                && doc
                    .descendants(above)
                    .filter(|n| doc.tag(*n) == Some(Tag::A) && leads_on(doc, *n))
                    .all(|n| same_target(doc.raw_attr(n, "href").unwrap_or_default(), href));
            if !alone || matches!(doc.tag(above), Some(Tag::Body | Tag::Html)) {
                break;
            }
            block = above;
        }
        let signature = format!(
            "{}.{} {}",
            doc.name(block),
            doc.raw_attr(block, "class")
                .unwrap_or_default()
                .split_ascii_whitespace()
                .next()
                .unwrap_or_default(),
            doc.parent(block).map_or(0, NodeId::index)
        );
        groups.entry(signature.clone()).or_default().push(Card {
            link,
            block,
            signature,
        });
    }
    let mut best: Vec<ProductLink> = Vec::new();
    let mut best_score = 0;
    let mut keys: Vec<&String> = groups.keys().collect();
    keys.sort_unstable();
    for key in keys {
        let links = group_links(doc, context, &groups[key]);
        let priced = links.iter().filter(|l| l.price.is_some()).count();
        let score = links.len() + 3 * priced;
        if links.len() >= 2 && priced * 2 >= links.len() && score > best_score {
            best_score = score;
            best = links;
        }
    }
    best
}

fn group_links(doc: &Document, context: &Context, cards: &[Card]) -> Vec<ProductLink> {
    let mut out: Vec<ProductLink> = Vec::new();
    let mut blocks = HashMap::new();
    for card in cards {
        debug_assert!(!card.signature.is_empty());
        let Some(href) = doc.attr(card.link, "href") else {
            continue;
        };
        let name = name_of(doc, card);
        match blocks.get(&card.block) {
            Some(&at) => {
                let known: &mut ProductLink = &mut out[at];
                if known.name.is_empty() {
                    known.name = name;
                }
            }
            None => {
                blocks.insert(card.block, out.len());
                out.push(ProductLink {
                    name,
                    url: context.absolute(&href),
                    price: price_of(doc, context, card.block),
                    image: image_of(doc, context, card.block),
                });
            }
        }
    }
    out.retain(|l| l.name.chars().filter(|c| c.is_alphabetic()).count() >= 3);
    out
}

fn leads_on(doc: &Document, link: NodeId) -> bool {
    let href = doc.raw_attr(link, "href").unwrap_or_default().trim();
    !href.is_empty()
        && !href.starts_with('#')
        && !href.starts_with("javascript:")
        && !href.starts_with("mailto:")
        && !href.starts_with("tel:")
}

fn same_target(a: &str, b: &str) -> bool {
    let base = |s: &str| {
        s.split(['#', '?'])
            .next()
            .unwrap_or_default()
            .trim_end_matches('/')
            .to_owned()
    };
    a == b || base(a) == base(b)
}

/// The heading of the block, else the title or text of its link, else the picture's text.
fn name_of(doc: &Document, card: &Card) -> String {
    let heading = doc.descendants(card.block).find(|n| {
        matches!(
            doc.tag(*n),
            Some(Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6)
        )
    });
    let candidates = [
        heading.map(|h| doc.inner_text(h, 300)),
        doc.attr(card.link, "title")
            .map(std::borrow::Cow::into_owned),
        Some(doc.inner_text(card.link, 300)),
        doc.attr(card.link, "aria-label")
            .map(std::borrow::Cow::into_owned),
        doc.descendants(card.block)
            .find_map(|n| doc.attr(n, "alt").map(std::borrow::Cow::into_owned)),
    ];
    candidates
        .into_iter()
        .flatten()
        .map(|t| text::clean(&t, 300))
        .find(|t| t.chars().filter(|c| c.is_alphabetic()).count() >= 3 && t.len() < 250)
        .unwrap_or_default()
}

/// The one price to pay in a block.
fn price_of(doc: &Document, context: &Context, block: NodeId) -> Option<Money> {
    let mut text = String::new();
    let mut skip_to = 0;
    for id in doc.descendants(block) {
        if id.index() < skip_to {
            continue;
        }
        match doc.tag(id) {
            Some(Tag::Del | Tag::S | Tag::Strike | Tag::Script | Tag::Style | Tag::Template) => {
                skip_to = doc.range(id).end
            }
            Some(_) => {
                let class = doc
                    .raw_attr(id, "class")
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                if ["old", "was", "strike", "rrp", "regular-price", "unit"]
                    .iter()
                    .any(|w| {
                        class
                            .split(|c: char| !c.is_ascii_alphanumeric())
                            .any(|p| p == *w)
                    })
                {
                    skip_to = doc.range(id).end;
                }
            }
            None => {
                text.push_str(&doc.text(id).unwrap_or_default());
                text.push(' ');
            }
        }
    }
    let figures = price::figures(&text, &Hints::default());
    let figure = figures
        .iter()
        .find(|f| f.has_mark && f.kind == Kind::Price && f.amount > Decimal::ZERO)?;
    let currency = figure
        .currency
        .or_else(|| context.currency_of(figure.symbol.as_deref()?))?;
    Some(Money::new(figure.amount, currency))
}

fn image_of(doc: &Document, context: &Context, block: NodeId) -> Option<String> {
    let img = doc
        .descendants(block)
        .find(|n| doc.tag(*n) == Some(Tag::Img))?;
    let source = ["src", "data-src", "data-original"]
        .iter()
        .filter_map(|a| doc.attr(img, a))
        .find(|s| !s.is_empty() && !s.starts_with("data:"))?;
    Some(context.absolute(&source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn read(html: &str) -> Vec<ProductLink> {
        let url = Url::parse("https://shop.example.de/search?q=x").expect("address");
        links(&Page {
            body: html.as_bytes(),
            content_type: None,
            url: Some(&url),
        })
    }

    #[test]
    fn blocks_that_repeat() {
        let cards: String = (1..5)
            .map(|i| format!("<li class=card><a href='/p/{i}'><img src='/i/{i}.jpg' alt=x></a><h3><a href='/p/{i}'>Blue cup {i}</a></h3><del>9,00 €</del> <b>{i},50 €</b></li>"))
            .collect();
        let found = read(&format!(
            "<nav><a href=/a>About us</a><a href=/b>Terms of sale</a></nav><ul>{cards}</ul>"
        ));
        assert_eq!(found.len(), 4);
        assert_eq!(found[1].name, "Blue cup 2");
        assert_eq!(found[1].url, "https://shop.example.de/p/2");
        assert_eq!(
            found[1].price.map(|p| p.to_string()),
            Some("2.50 EUR".into())
        );
        assert_eq!(
            found[1].image.as_deref(),
            Some("https://shop.example.de/i/2.jpg")
        );
    }

    #[test]
    fn an_item_list() {
        let found = read(
            r#"<script type="application/ld+json">{"@type":"ItemList","itemListElement":[
            {"@type":"ListItem","position":1,"item":{"@type":"Product","name":"Cup","url":"/p/1","offers":{"@type":"Offer","price":"4.50","priceCurrency":"EUR"}}},
            {"@type":"ListItem","position":2,"name":"Plate","url":"/p/2"}]}</script>"#,
        );
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0].price.map(|p| p.to_string()),
            Some("4.50 EUR".into())
        );
        assert_eq!(found[1].url, "https://shop.example.de/p/2");
    }
}
