//! HTML to offers.
//!
//! Several independent readers look at the page: schema.org items in three syntaxes
//! ([`embedded`], [`microdata`], [`rdfa`], read alike by [`schema`]), meta elements, the
//! state of the page's program, and what a person would see ([`visible`]). [`verdict`]
//! lets them vote. Where they cannot agree the answer is [`Verdict::Ambiguous`] with the
//! candidates: a wrong price is worse than none.

pub mod blocked;
pub mod claim;
pub mod context;
pub mod embedded;
pub mod json;
pub mod listing;
pub mod microdata;
pub mod rdfa;
pub mod schema;
pub mod select;
pub mod stock;
pub mod verdict;
pub mod visible;
pub mod zone;

pub use listing::{ProductLink, links};

use super::html::{self, Document};
use super::price::Hints;
use crate::model::offer::Extractor;
use crate::model::{Extraction, Verdict};
use claim::{Product, Witness};
use context::Context;
use url::Url;

/// A fetched page.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The bytes after content decoding.
    pub body: &'a [u8],
    /// The `Content-Type` header, if known.
    pub content_type: Option<&'a str>,
    /// The address it was fetched from, after redirects.
    pub url: Option<&'a Url>,
}

/// Reads a product page with every generic reader and combines what they say.
#[must_use]
pub fn read_page(page: &Page) -> Extraction {
    read_document(&html::parse(page.body, page.content_type), page.url)
}

/// As [`read_page`], on a page that is parsed already.
#[must_use]
pub fn read_document(doc: &Document, url: Option<&Url>) -> Extraction {
    let meta = embedded::meta(doc);
    let context = Context::of(doc, url, &meta);
    let found = [
        (
            Extractor::JsonLd,
            schema::products(&embedded::json_ld(doc), "json-ld"),
        ),
        (
            Extractor::Microdata,
            schema::products(&microdata::items(doc), "microdata"),
        ),
        (Extractor::Rdfa, schema::products(&rdfa::items(doc), "rdfa")),
    ];
    let name = product_name(&found, &context)
        .or_else(|| meta.claim.name.clone())
        .or_else(|| context.title.clone());
    let visible = visible::read(doc, name.as_deref(), &Hints::default());
    let title = visible
        .title
        .as_deref()
        .filter(|t| !t.is_empty())
        .or(name.as_deref());
    let mut witnesses = Vec::new();
    for (source, products) in &found {
        if let Some(product) = select::main_product(products, &context, title) {
            let choice = select::offer(product, &context, &visible);
            witnesses.push(Witness {
                source: *source,
                claim: choice.claim,
                others: choice.others,
                uncertain: choice.uncertain,
            });
        }
    }
    let has_items = found.iter().any(|(_, p)| !p.is_empty());
    let state = embedded::state_prices(doc);
    let evidence = verdict::Evidence {
        context: &context,
        meta: &meta,
        witnesses: &witnesses,
        visible: &visible,
        state: &state,
        lists_products: has_items && witnesses.is_empty(),
    };
    let mut extraction = verdict::combine(&evidence);
    if extraction.verdict != Verdict::Value
        && let Some(reason) = blocked::check(doc)
    {
        extraction.verdict = Verdict::Blocked;
        extraction.reason = Some(reason.into());
        extraction.offers.clear();
    }
    extraction
}

/// The name that the page's own product has in structured data, to find its heading.
fn product_name(found: &[(Extractor, Vec<Product>)], context: &Context) -> Option<String> {
    found
        .iter()
        .find_map(|(_, products)| select::main_product(products, context, None))
        .and_then(|p| p.base.name.clone())
}

#[cfg(test)]
mod tests;
