//! Reading a page by an adapter's declared rules.
//!
//! A [`Manifest`] is data: which hosts it reads, how to search, and for each field a
//! list of sources tried in order. [`read`] turns a product page into an
//! [`Extraction`], [`list`] a page of search results into [`Listing`]s. Both are pure:
//! the same bytes in give the same offers out, so adapters are tested on stored pages.
//! `docs/adapters.md` is the specification of the manifest.

mod error;
mod find;
mod list;
pub mod manifest;
mod read;
pub mod source;
pub mod step;
pub mod types;
mod values;

pub use error::ManifestError;
pub use list::Listing;
pub use manifest::Manifest;

use crate::model::{Currency, Extraction, Verdict};
use find::{Body, View};
use manifest::{BodyFormat, Locus};
use url::Url;

/// A fetched page.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The address the person knows: the product's page, also where a twin was fetched
    /// in its place ([`Manifest::fetch_address`]).
    pub url: &'a Url,
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` header, if known.
    pub content_type: Option<&'a str>,
    /// The bytes after content decoding.
    pub body: &'a [u8],
    /// The currency the shop is known to sell in: for amounts without one where the
    /// manifest, such as that of a preset, names none.
    pub shop_currency: Option<Currency>,
}

/// What a page of search results gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// [`Verdict::Value`] with entries, [`Verdict::Absent`] for a list that is empty.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub reason: Option<String>,
    /// The entries, in page order, each address once.
    pub listings: Vec<Listing>,
    /// The address of the next page, if the page names one.
    pub next: Option<Url>,
}

/// Reads a product page by a manifest alone.
#[must_use]
pub fn read(manifest: &Manifest, page: &Page<'_>) -> Extraction {
    let Some(product) = &manifest.product else {
        return Extraction::empty(Verdict::Absent, "the adapter reads no product pages");
    };
    with_view(page, product.format, |view| {
        if let Some(stop) = stopped(manifest, &manifest.layout.product, page, view) {
            return stop;
        }
        read::product(manifest, product, view, page.shop_currency)
    })
    .unwrap_or_else(|stop| stop)
}

/// Reads a product page by a manifest and by the mark-up any page may have, and
/// combines both with [`combine`].
#[must_use]
pub fn read_with_markup(manifest: &Manifest, page: &Page<'_>) -> Extraction {
    let adapted = read(manifest, page);
    let is_html = manifest
        .product
        .as_ref()
        .is_none_or(|p| p.format == BodyFormat::Html);
    if !is_html || is_final(adapted.verdict) {
        return adapted;
    }
    let generic = super::extract::read_page(&super::extract::Page {
        body: page.body,
        content_type: page.content_type,
        url: Some(page.url),
    });
    combine(adapted, generic)
}

const fn is_final(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Blocked | Verdict::LayoutChanged | Verdict::Ambiguous
    )
}

/// Joins what an adapter and what the generic readers found on one page.
///
/// The adapter's values win; the generic readers fill gaps, and only where both are sure
/// to speak of one thing: the generic verdict is a value and does not contradict the
/// adapter's GTIN; where its price differs, only what it says about the product is taken.
/// A wall, a changed layout or an ambiguity seen by the adapter stands.
#[must_use]
pub fn combine(adapted: Extraction, generic: Extraction) -> Extraction {
    if is_final(adapted.verdict) {
        return adapted;
    }
    let Some(under) = generic
        .offers
        .first()
        .filter(|_| generic.verdict == Verdict::Value)
    else {
        return match adapted.verdict {
            Verdict::Absent if adapted.offers.is_empty() => generic,
            _ => adapted,
        };
    };
    let title = adapted.title.or(generic.title);
    let mut offers = adapted.offers.into_iter();
    let Some(first) = offers.next() else {
        return Extraction { title, ..generic };
    };
    if first.gtin.is_some() && under.gtin.is_some() && first.gtin != under.gtin {
        return Extraction {
            verdict: adapted.verdict,
            title,
            reason: adapted.reason,
            offers: std::iter::once(first).chain(offers).collect(),
        };
    }
    // Another price is another offer, of another seller or variant: what it says about
    // the product holds, what it says about the deal does not.
    let is_other_deal = (first.seller.is_some() && offers.len() > 0)
        || matches!((&first.price, &under.price), (Some(a), Some(b)) if a != b);
    let under = if is_other_deal {
        read::about_the_product(under)
    } else {
        under.clone()
    };
    let joined = read::overlay(&under, first);
    Extraction {
        verdict: if joined.price.is_some() {
            Verdict::Value
        } else {
            adapted.verdict
        },
        title,
        reason: adapted.reason,
        offers: std::iter::once(joined).chain(offers).collect(),
    }
}

/// Reads a page of search results.
#[must_use]
pub fn list(manifest: &Manifest, page: &Page<'_>) -> Results {
    let nothing = |verdict, reason: Option<String>| Results {
        verdict,
        reason,
        listings: Vec::new(),
        next: None,
    };
    let Some(search) = &manifest.search else {
        return nothing(
            Verdict::Absent,
            Some("the adapter cannot search".to_owned()),
        );
    };
    with_view(page, search.format, |view| {
        if let Some(stop) = stopped(manifest, &manifest.layout.search, page, view) {
            return nothing(stop.verdict, stop.reason);
        }
        let (listings, unread) = list::listings(manifest, search, view, page.shop_currency);
        if listings.is_empty() {
            let is_empty = search.empty.as_ref().map(|sign| view.has(sign));
            return match (is_empty, unread) {
                (Some(true), 0) => nothing(Verdict::Absent, Some("nothing was found".to_owned())),
                (Some(false), 0) => nothing(
                    Verdict::LayoutChanged,
                    Some(format!(
                        "neither `{}` nor the sign of an empty list is there",
                        search.items
                    )),
                ),
                (None, 0) => nothing(Verdict::Absent, Some("the list has no entries".to_owned())),
                (_, n) => nothing(
                    Verdict::LayoutChanged,
                    Some(format!("none of {n} entries has a link")),
                ),
            };
        }
        let next = view
            .first(&search.next, find::Scope::Page)
            .and_then(|f| page.url.join(&f.text).ok())
            .filter(|next| next != page.url && manifest.may_ask(page.url, next));
        Results {
            verdict: Verdict::Value,
            reason: (unread > 0).then(|| format!("{unread} entries without a link were left out")),
            listings,
            next,
        }
    })
    .unwrap_or_else(|stop| nothing(stop.verdict, stop.reason))
}

/// Parses the page and calls `then`; the error says why there is nothing to read.
fn with_view<T>(
    page: &Page<'_>,
    format: BodyFormat,
    then: impl FnOnce(&View<'_>) -> T,
) -> Result<T, Extraction> {
    match format {
        BodyFormat::Html => {
            let html = super::html::parse(page.body, page.content_type).to_scraper();
            Ok(then(&View::new(page.url, Body::Html(&html))))
        }
        BodyFormat::Json => match serde_json::from_slice(page.body) {
            Ok(json) => Ok(then(&View::new(page.url, Body::Json(&json)))),
            // A wall or an error page comes as HTML where JSON was promised.
            Err(_) if page.body.trim_ascii_start().starts_with(b"<") => Err(Extraction::empty(
                Verdict::Blocked,
                "the shop sent a web page in place of JSON",
            )),
            Err(e) => Err(Extraction::empty(
                Verdict::LayoutChanged,
                format!("the answer is not JSON: {e}"),
            )),
        },
    }
}

/// A wall, or a canary that is missing.
fn stopped(
    manifest: &Manifest,
    canaries: &[Locus],
    page: &Page<'_>,
    view: &View<'_>,
) -> Option<Extraction> {
    let blocked = &manifest.blocked;
    let wall = |sign: String| {
        Some(Extraction::empty(
            Verdict::Blocked,
            format!("the shop shows a wall: {sign}"),
        ))
    };
    if blocked.status.contains(&page.status) {
        return wall(format!("status {}", page.status));
    }
    for css in &blocked.css {
        if view.has(&Locus::Css(css.clone())) {
            return wall(format!("`{css}` is on the page"));
        }
    }
    if !blocked.text.is_empty() {
        let text = view.page_text().to_lowercase();
        let sign = blocked
            .text
            .iter()
            .find(|t| text.contains(&t.to_lowercase()));
        if let Some(sign) = sign {
            return wall(format!("it says \"{}\"", sign.as_str()));
        }
    }
    let missing = canaries.iter().find(|c| !view.has(c))?;
    Some(Extraction::empty(
        Verdict::LayoutChanged,
        format!("`{missing}` is no longer on the page"),
    ))
}

impl Manifest {
    /// The address to search at, for a shop at `base`. By number where a GTIN is given
    /// and the shop can be asked so, or else by words. Pages count from 0.
    #[must_use]
    pub fn search_address(
        &self,
        base: &Url,
        query: &str,
        gtin: Option<crate::model::Gtin>,
        page: u32,
    ) -> Option<Url> {
        let search = self.search.as_ref()?;
        if page >= search.max_pages {
            return None;
        }
        let by_number = gtin.and(search.gtin_url.as_ref());
        let template = by_number.or(search.url.as_ref())?;
        if page > 0 && !template.uses("page") {
            return None;
        }
        let url = template.fill(base, |place| match place {
            "query" => Some(query.to_owned()),
            "gtin" => gtin.map(|g| g.to_string()),
            "page" => Some(search.first_page.saturating_add(page).to_string()),
            _ => None,
        })?;
        self.may_ask(base, &url).then_some(url)
    }

    /// The address to fetch for a product page: the page's own, or its twin by
    /// `[product.fetch]`.
    #[must_use]
    pub fn fetch_address(&self, page: &Url) -> Url {
        let rewritten = || {
            let rewrite = self.product.as_ref()?.fetch.as_ref()?;
            let path_and_query = page.query().map_or_else(
                || page.path().to_owned(),
                |query| format!("{}?{query}", page.path()),
            );
            let groups = rewrite.pattern.groups(&path_and_query)?;
            let url = rewrite.url.fill(page, |place| {
                let n: usize = place.parse().ok()?;
                groups.get(n).map(|g| (*g).to_owned())
            })?;
            self.may_ask(page, &url).then_some(url)
        };
        rewritten().unwrap_or_else(|| page.clone())
    }

    /// Whether `url` is on the shop's own host or on one the adapter claims.
    fn may_ask(&self, base: &Url, url: &Url) -> bool {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && (url.origin() == base.origin()
                || url.host_str().is_some_and(|h| self.claims(h).is_some()))
    }
}

/// Manifests are shared between tasks.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Manifest>();
};

#[cfg(test)]
mod tests;
