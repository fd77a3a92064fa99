//! HTML to offers.

use super::html::Document;
use crate::model::{Extraction, Verdict};

/// A fetched page.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The bytes after content decoding.
    pub body: &'a [u8],
    /// The `Content-Type` header, if known.
    pub content_type: Option<&'a str>,
    /// The address it was fetched from, after redirects.
    pub url: Option<&'a url::Url>,
}

/// Reads a product page with every generic reader and combines what they say.
#[must_use]
pub fn read_page(page: &Page) -> Extraction {
    let document = super::html::parse(page.body, page.content_type);
    read_document(&document, page.url)
}

/// As [`read_page`] on a page that is parsed already.
#[must_use]
pub fn read_document(_document: &Document, _url: Option<&url::Url>) -> Extraction {
    Extraction::empty(Verdict::Absent, "no reader yet")
}

/// A product named on a listing or search page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProductLink {
    /// The product's name.
    pub name: String,
    /// The absolute address, where the page's address is known.
    pub url: String,
    /// The price shown beside it, if readable.
    pub price: Option<crate::model::Money>,
    /// A picture.
    pub image: Option<String>,
}

/// The products a listing or search page links to, in page order.
#[must_use]
pub fn links(_page: &Page) -> Vec<ProductLink> {
    Vec::new()
}
