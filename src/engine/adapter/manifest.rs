//! The manifest: an adapter as data (`docs/adapters.md` is the specification).

use super::error::{Locator, ManifestError};
use super::source::{Embedded, Origin, Source, Sources};
use super::types::{AdapterId, Css, HostGlob, Pattern, Pointer, Template, Text, Version};
use crate::model::seller::DeliveryRule;
use crate::model::{Currency, Money};
use serde::{Deserialize, Deserializer, de};
use std::sync::Arc;

/// The manifest format this program reads.
pub const FORMAT: u32 = 1;
/// Largest manifest, in bytes.
pub const MAX_MANIFEST: usize = 64 << 10;

/// How to read one kind of shop.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the manifest format: 1.
    #[serde(deserialize_with = "known_format")]
    pub format: u32,
    /// The adapter's key.
    pub id: AdapterId,
    /// The adapter's version.
    pub version: Version,
    /// The name shown.
    pub name: String,
    /// What it is for, in a sentence.
    pub about: Option<String>,
    /// The hosts it claims. Empty for a preset, which a person chooses for a shop.
    #[serde(default)]
    pub hosts: Vec<HostGlob>,
    /// The language and region of the shop's texts (BCP 47), such as `de-AT`.
    pub locale: Option<String>,
    /// The currency of a price written without one.
    pub currency: Option<Currency>,
    /// How often the shop may be asked.
    #[serde(default)]
    pub rate: Rate,
    /// What delivery costs.
    #[serde(default)]
    pub delivery: Delivery,
    /// Signs of a wall instead of the page.
    #[serde(default)]
    pub blocked: Blocked,
    /// Signs that the page still has the known layout.
    #[serde(default)]
    pub layout: Layout,
    /// How to search.
    pub search: Option<Search>,
    /// How to read a product page.
    pub product: Option<Product>,
    #[serde(skip)]
    text: Arc<str>,
}

/// How often the shop may be asked. Can only slow down the program's own pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The least time between two requests, in seconds.
    #[serde(default)]
    pub min_gap_seconds: u32,
}

/// The delivery rule as written: amounts as texts such as `"4.95 EUR"`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The fee for one order.
    pub fee: Option<Amount>,
    /// Free from this order value on.
    pub free_from: Option<Amount>,
    /// The least order value.
    pub min_order: Option<Amount>,
    /// Usual days until delivery.
    pub days: Option<u32>,
}

/// An amount with its currency, such as `"4.95 EUR"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub Money);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let money: Money = text
            .parse()
            .map_err(|e| de::Error::custom(format!("{e}; write an amount such as \"4.95 EUR\"")))?;
        if money.amount.is_sign_negative() {
            return Err(de::Error::custom("an amount here is not negative"));
        }
        Ok(Self(money))
    }
}

/// Signs of a wall instead of the page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocked {
    /// An element only a wall has.
    #[serde(default)]
    pub css: Vec<Css>,
    /// A text only a wall has, without regard to case.
    #[serde(default)]
    pub text: Vec<Text>,
    /// HTTP statuses with which the shop answers robots.
    #[serde(default)]
    pub status: Vec<u16>,
}

/// Canaries: elements (or JSON values) that are on every page of a kind. Where one is
/// missing, the layout changed and nothing else is believed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// On every product page.
    #[serde(default)]
    pub product: Vec<Locus>,
    /// On every page of search results, also on an empty one.
    #[serde(default)]
    pub search: Vec<Locus>,
}

/// A place: a JSON pointer if it starts with `/`, or else a CSS selector.
#[derive(Clone, Debug)]
pub enum Locus {
    /// In HTML.
    Css(Css),
    /// In JSON.
    Json(Pointer),
}

impl<'de> Deserialize<'de> for Locus {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(d)?).map_err(de::Error::custom)
    }
}

impl Locus {
    fn read(text: &str) -> Result<Self, String> {
        if text.starts_with('/') || text.is_empty() {
            text.parse().map(Self::Json)
        } else {
            text.parse().map(Self::Css)
        }
    }
}

impl std::fmt::Display for Locus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Css(css) => css.fmt(f),
            Self::Json(pointer) => pointer.fmt(f),
        }
    }
}

/// The entries of a list: a [`Locus`], or JSON inside the page, written as a table
/// `{ script = "form.variations", attr = "data-variations", json = "" }`.
#[derive(Clone, Debug)]
pub enum Items {
    /// Elements, or the elements of a JSON array.
    At(Locus),
    /// The elements of a JSON array inside the page.
    Embedded(Embedded),
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Items;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a CSS selector, a JSON pointer or { script, attr, json }")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Items, E> {
                Locus::read(text).map(Items::At).map_err(E::custom)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Items, A::Error> {
                Embedded::deserialize(de::value::MapAccessDeserializer::new(map))
                    .map(Items::Embedded)
            }
        }
        d.deserialize_any(Visitor)
    }
}

impl std::fmt::Display for Items {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(locus) => locus.fmt(f),
            Self::Embedded(embedded) => embedded.fmt(f),
        }
    }
}

/// What kind of document a page is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyFormat {
    /// HTML.
    #[default]
    Html,
    /// JSON.
    Json,
}

/// How to search the shop.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Where to search by words, with `{query}`.
    pub url: Option<Template>,
    /// Where to search by number, with `{gtin}`.
    pub gtin_url: Option<Template>,
    /// What the answer is.
    #[serde(default)]
    pub format: BodyFormat,
    /// The entries of the list.
    pub items: Items,
    /// A sign of a list without entries; without it an empty list cannot be told
    /// from a changed layout.
    pub empty: Option<Locus>,
    /// The number of the first page, where `url` has `{page}`.
    #[serde(default = "one")]
    pub first_page: u32,
    /// Most pages to read.
    #[serde(default = "one")]
    pub max_pages: u32,
    /// Where the address of the next page stands, if not in `{page}`.
    #[serde(default)]
    pub next: Sources,
    /// The fields of an entry; `url` is the link to the product.
    pub fields: Fields,
}

const fn one() -> u32 {
    1
}

/// How to read a product page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// What the page is.
    #[serde(default)]
    pub format: BodyFormat,
    /// Read this address in place of the page's own, such as a JSON twin.
    pub fetch: Option<Rewrite>,
    /// Query parameters that belong to the product's address.
    #[serde(default)]
    pub keep_params: Vec<Text>,
    /// The fields.
    #[serde(default)]
    pub fields: Fields,
    /// Sizes, colours and the like, chosen by a parameter of the address.
    pub variants: Option<Variants>,
    /// Several sellers on one page.
    pub sellers: Option<Sellers>,
}

/// A rewrite of a page's address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// Matched on path and query of the page.
    pub pattern: Pattern,
    /// The address to read; `{1}` is the first group of the pattern.
    pub url: Template,
}

/// Variants on one page. The address chooses one, either by one parameter (`param` and
/// `id`) or by several (`params`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variants {
    /// The query parameter that chooses one.
    pub param: Option<Text>,
    /// The value of `param`.
    #[serde(default)]
    pub id: Sources,
    /// Where in an entry an object of query parameters and their values stands; an empty
    /// value stands for any.
    pub params: Option<Pointer>,
    /// The list.
    pub items: Items,
    /// Fields of one variant; what is not named is the page's.
    #[serde(default)]
    pub fields: Fields,
}

/// Sellers on one page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sellers {
    /// The list.
    pub items: Items,
    /// Fields of one seller's offer; what is not named is the page's.
    #[serde(default)]
    pub fields: Fields,
}

/// What can be read about an offer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct Fields {
    pub name: Sources,
    pub brand: Sources,
    pub gtin: Sources,
    pub mpn: Sources,
    pub sku: Sources,
    pub price: Sources,
    /// The code or symbol, where it stands apart from the price.
    pub currency: Sources,
    pub list_price: Sources,
    /// The price for a reference quantity, such as `4.98 € / 1 kg`.
    pub unit_price: Sources,
    pub availability: Sources,
    pub condition: Sources,
    pub seller: Sources,
    pub url: Sources,
    pub image: Sources,
    /// The fee for delivery; `0` or a word for "free" mapped to `0`.
    pub shipping: Sources,
    pub shipping_days: Sources,
    /// Paid on top and given back with the empties.
    pub deposit: Sources,
    pub valid_through: Sources,
}

impl Fields {
    fn all(&self) -> [(&'static str, &Sources); 18] {
        [
            ("name", &self.name),
            ("brand", &self.brand),
            ("gtin", &self.gtin),
            ("mpn", &self.mpn),
            ("sku", &self.sku),
            ("price", &self.price),
            ("currency", &self.currency),
            ("list_price", &self.list_price),
            ("unit_price", &self.unit_price),
            ("availability", &self.availability),
            ("condition", &self.condition),
            ("seller", &self.seller),
            ("url", &self.url),
            ("image", &self.image),
            ("shipping", &self.shipping),
            ("shipping_days", &self.shipping_days),
            ("deposit", &self.deposit),
            ("valid_through", &self.valid_through),
        ]
    }
}

fn known_format<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    let format = u32::deserialize(d)?;
    if format == FORMAT {
        Ok(format)
    } else {
        Err(de::Error::custom(format!(
            "format {format} is not known; this program reads format {FORMAT}"
        )))
    }
}

impl Manifest {
    /// Reads and checks a manifest. `file` is the name used in errors.
    ///
    /// # Errors
    /// [`ManifestError`] with file, line and field of the first fault.
    pub fn parse(text: &str, file: &str) -> Result<Self, ManifestError> {
        let locate = Locator { file, text };
        if text.len() > MAX_MANIFEST {
            return Err(locate.at(&[], format!("larger than {} KiB", MAX_MANIFEST >> 10)));
        }
        let mut manifest: Self = toml::from_str(text).map_err(|e| locate.toml(&e))?;
        manifest.text = text.into();
        manifest
            .check()
            .map_err(|(path, message)| locate.at(&path, message))?;
        Ok(manifest)
    }

    /// The rules that concern more than one field.
    fn check(&self) -> Result<(), (Vec<&'static str>, String)> {
        let fail = |path: &[&'static str], message: &str| Err((path.to_vec(), message.to_owned()));
        if self.search.is_none() && self.product.is_none() {
            return fail(&[], "neither [search] nor [product] is there");
        }
        if let Some(search) = &self.search {
            match (&search.url, &search.gtin_url) {
                (None, None) => return fail(&["search"], "url or gtin_url is missing"),
                (Some(url), _) if !url.uses("query") => {
                    return fail(&["search", "url"], "the address has no {query}");
                }
                (_, Some(url)) if !url.uses("gtin") => {
                    return fail(&["search", "gtin_url"], "the address has no {gtin}");
                }
                _ => {}
            }
            if !(1..=20).contains(&search.max_pages) {
                return fail(&["search", "max_pages"], "between 1 and 20 pages are read");
            }
            let paged = search
                .url
                .iter()
                .chain(&search.gtin_url)
                .any(|u| u.uses("page"));
            if search.max_pages > 1 && !paged && search.next.is_empty() {
                return fail(
                    &["search", "max_pages"],
                    "further pages need {page} in the address or next",
                );
            }
            if search.fields.url.is_empty() {
                return fail(
                    &["search", "fields"],
                    "url, the link to the product, is missing",
                );
            }
            items_suit(search.format, &search.items, &["search", "items"])?;
            if let Some(empty) = &search.empty {
                suits(search.format, empty, &["search", "empty"])?;
            }
            for locus in &self.layout.search {
                suits(search.format, locus, &["layout", "search"])?;
            }
            fields_suit(
                item_format(&search.items),
                &search.fields,
                &["search", "fields"],
            )?;
        }
        if let Some(product) = &self.product {
            if product.fields.price.is_empty()
                && product
                    .variants
                    .as_ref()
                    .is_none_or(|v| v.fields.price.is_empty())
                && product
                    .sellers
                    .as_ref()
                    .is_none_or(|s| s.fields.price.is_empty())
            {
                return fail(&["product"], "no price is read: fields.price is missing");
            }
            for locus in &self.layout.product {
                suits(product.format, locus, &["layout", "product"])?;
            }
            fields_suit(product.format, &product.fields, &["product", "fields"])?;
            if let Some(v) = &product.variants {
                let is_one = v.param.is_some() && !v.id.is_empty();
                if is_one == v.params.is_some() {
                    return fail(
                        &["product", "variants"],
                        "either param and id, or params, says how the address chooses one",
                    );
                }
                items_suit(product.format, &v.items, &["product", "variants", "items"])?;
                fields_suit(
                    item_format(&v.items),
                    &v.fields,
                    &["product", "variants", "fields"],
                )?;
            }
            if let Some(s) = &product.sellers {
                items_suit(product.format, &s.items, &["product", "sellers", "items"])?;
                fields_suit(
                    item_format(&s.items),
                    &s.fields,
                    &["product", "sellers", "fields"],
                )?;
            }
        }
        Ok(())
    }

    /// The manifest as written: what is handed to the process that reads pages.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How specific this adapter's claim on a domain is, if it claims it.
    #[must_use]
    pub fn claims(&self, domain: &str) -> Option<usize> {
        self.hosts.iter().filter_map(|h| h.matches(domain)).max()
    }

    /// The delivery rule in the model's words.
    #[must_use]
    pub fn delivery_rule(&self) -> DeliveryRule {
        let money = |amount: &Option<Amount>| amount.as_ref().map(|a| a.0);
        DeliveryRule {
            fee: money(&self.delivery.fee),
            free_from: money(&self.delivery.free_from),
            min_order: money(&self.delivery.min_order),
            days: self.delivery.days,
            currency: self.currency,
        }
    }
}

type Fault = (Vec<&'static str>, String);

const fn item_format(items: &Items) -> BodyFormat {
    match items {
        Items::At(Locus::Css(_)) => BodyFormat::Html,
        Items::At(Locus::Json(_)) | Items::Embedded(_) => BodyFormat::Json,
    }
}

/// A place must fit the kind of document.
fn suits(format: BodyFormat, locus: &Locus, path: &[&'static str]) -> Result<(), Fault> {
    match (format, locus) {
        (BodyFormat::Json, Locus::Css(_)) => Err((
            path.to_vec(),
            "the document is JSON: write a pointer such as /items".to_owned(),
        )),
        (BodyFormat::Html, Locus::Json(_)) => Err((
            path.to_vec(),
            "the document is HTML: write a CSS selector, or set format = \"json\"".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn items_suit(format: BodyFormat, items: &Items, path: &[&'static str]) -> Result<(), Fault> {
    match (format, items) {
        (_, Items::At(locus)) => suits(format, locus, path),
        (BodyFormat::Html, Items::Embedded(_)) => Ok(()),
        (BodyFormat::Json, Items::Embedded(_)) => Err((
            path.to_vec(),
            "the document is JSON: write a pointer such as /items".to_owned(),
        )),
    }
}

fn fields_suit(format: BodyFormat, fields: &Fields, path: &[&'static str]) -> Result<(), Fault> {
    for (name, sources) in fields.all() {
        for Source { origin, .. } in &sources.0 {
            let problem = match (format, origin) {
                (
                    BodyFormat::Json,
                    Origin::Element { .. }
                    | Origin::Embedded(_)
                    | Origin::JsonLd { .. }
                    | Origin::Meta(_),
                ) => "the document is JSON: use json = \"/pointer\"",
                (BodyFormat::Html, Origin::Json(_)) => {
                    "the document is HTML: add script = \"…\" beside json, or set format = \"json\""
                }
                _ => continue,
            };
            let mut path = path.to_vec();
            path.push(name);
            return Err((path, problem.to_owned()));
        }
    }
    Ok(())
}
