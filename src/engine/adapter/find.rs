//! Evaluates sources on a page.

use super::manifest::{Items, Locus};
use super::source::{Embedded, Origin, Source, Sources, Take};
use super::step::{MAX_VALUE, Step};
use super::types::Css;
use crate::engine::html::Tag;
use scraper::{ElementRef, Html, Node, Selector};
use serde_json::Value;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::LazyLock;
use url::Url;

/// Most finds of one source that are looked at.
pub const MAX_FINDS: usize = 50;
/// Most entries of one list.
pub const MAX_ITEMS: usize = 500;
/// Most JSON-LD nodes of one page.
const MAX_NODES: usize = 1000;

/// A parsed page.
pub struct View<'a> {
    pub url: &'a Url,
    pub body: Body<'a>,
    json_ld: OnceCell<Vec<Value>>,
    /// JSON inside the page by the place it stands at: many fields read the same.
    embedded: RefCell<BTreeMap<String, Option<Rc<Value>>>>,
}

/// What the page is.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    Html(&'a Html),
    Json(&'a Value),
}

/// Where relative sources look.
#[derive(Clone, Copy)]
pub enum Scope<'a> {
    Page,
    Element(ElementRef<'a>),
    Json(&'a Value),
}

/// A value found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub text: String,
    /// A plain number with a decimal point (a JSON number, or the transform said so):
    /// not to be read by the habits of a locale.
    pub is_plain: bool,
    /// The source, for provenance.
    pub place: String,
}

static META: LazyLock<Selector> =
    LazyLock::new(|| Selector::parse("meta[content]").expect("invariant: a valid selector"));
static LANGUAGE: LazyLock<Selector> =
    LazyLock::new(|| Selector::parse("html[lang]").expect("invariant: a valid selector"));
static JSON_LD: LazyLock<Selector> = LazyLock::new(|| {
    Selector::parse("script[type='application/ld+json' i]").expect("invariant: a valid selector")
});

impl<'a> View<'a> {
    pub fn new(url: &'a Url, body: Body<'a>) -> Self {
        Self {
            url,
            body,
            json_ld: OnceCell::new(),
            embedded: RefCell::default(),
        }
    }

    /// The first value of the first source that gives one.
    pub fn first(&self, sources: &Sources, scope: Scope<'_>) -> Option<Found> {
        sources
            .0
            .iter()
            .find_map(|source| self.all(source, scope).into_iter().next())
    }

    /// All values of one source, in page order, after its transform.
    pub fn all(&self, source: &Source, scope: Scope<'_>) -> Vec<Found> {
        let raw = self.raw(source, scope);
        let chosen = match source.nth {
            Some(nth) => raw.into_iter().skip(nth).take(1).collect(),
            None => raw,
        };
        chosen
            .into_iter()
            .filter_map(|(text, is_plain)| finish(source, &text, is_plain))
            .collect()
    }

    fn raw(&self, source: &Source, scope: Scope<'_>) -> Vec<(String, bool)> {
        let texts = |list: Vec<String>| list.into_iter().map(|t| (t, false)).collect();
        match &source.origin {
            Origin::Element { select, take } => {
                let elements = self.elements(select.as_ref(), scope);
                texts(elements.iter().filter_map(|e| text_of(*e, take)).collect())
            }
            Origin::Json(pointer) => match (scope, self.body) {
                (Scope::Json(value), _) | (Scope::Page, Body::Json(value)) => pointer
                    .find(value, MAX_FINDS)
                    .into_iter()
                    .filter_map(scalar)
                    .collect(),
                _ => Vec::new(),
            },
            Origin::Embedded(embedded) => self.embedded(embedded).map_or_else(Vec::new, |json| {
                let found = embedded.json.find(&json, MAX_FINDS);
                found.into_iter().filter_map(scalar).collect()
            }),
            Origin::JsonLd { kind, pointer } => self
                .json_ld()
                .iter()
                .filter(|node| is_kind(node, kind))
                .map(|node| pointer.find(node, MAX_FINDS))
                .map(|found| found.into_iter().filter_map(scalar).collect::<Vec<_>>())
                .find(|found| !found.is_empty())
                .unwrap_or_default(),
            Origin::Meta(name) => texts(self.meta(name)),
            Origin::Address => texts(vec![self.url.as_str().to_owned()]),
            Origin::Constant => texts(vec![String::new()]),
        }
    }

    /// The elements a selector finds in the scope; the scope's own element without one.
    fn elements<'s>(&self, select: Option<&Css>, scope: Scope<'s>) -> Vec<ElementRef<'s>>
    where
        'a: 's,
    {
        match (scope, self.body, select) {
            (Scope::Element(element), _, None) => vec![element],
            (Scope::Element(element), _, Some(css)) => {
                element.select(&css.0).take(MAX_FINDS).collect()
            }
            (Scope::Page, Body::Html(html), Some(css)) => {
                html.select(&css.0).take(MAX_FINDS).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether there is something at a place of the page.
    pub fn has(&self, locus: &Locus) -> bool {
        match (locus, self.body) {
            (Locus::Css(css), Body::Html(html)) => html.select(&css.0).next().is_some(),
            (Locus::Json(pointer), Body::Json(value)) => !pointer.find(value, 1).is_empty(),
            _ => false,
        }
    }

    /// Calls `visit` for each entry of a list. Whether there is a list at all.
    pub fn each(&self, items: &Items, mut visit: impl FnMut(Scope<'_>)) -> bool {
        let mut visit_array = |list: Vec<&Value>| {
            // A pointer to an array means its elements.
            let elements = list.iter().flat_map(|v| match v {
                Value::Array(items) => items.as_slice(),
                other => std::slice::from_ref(*other),
            });
            elements
                .take(MAX_ITEMS)
                .for_each(|item| visit(Scope::Json(item)));
            !list.is_empty()
        };
        match (items, self.body) {
            (Items::At(Locus::Json(pointer)), Body::Json(value)) => {
                visit_array(pointer.find(value, MAX_ITEMS))
            }
            (Items::Embedded(embedded), Body::Html(_)) => self
                .embedded(embedded)
                .is_some_and(|json| visit_array(embedded.json.find(&json, MAX_ITEMS))),
            (Items::At(Locus::Css(css)), Body::Html(html)) => {
                let mut any = false;
                for element in html.select(&css.0).take(MAX_ITEMS) {
                    any = true;
                    visit(Scope::Element(element));
                }
                any
            }
            _ => false,
        }
    }

    fn embedded(&self, embedded: &Embedded) -> Option<Rc<Value>> {
        let place = embedded.place();
        if let Some(known) = self.embedded.borrow().get(&place) {
            return known.clone();
        }
        let json = self.parse_embedded(embedded).map(Rc::new);
        self.embedded.borrow_mut().insert(place, json.clone());
        json
    }

    fn parse_embedded(&self, embedded: &Embedded) -> Option<Value> {
        let Body::Html(html) = self.body else {
            return None;
        };
        let element = html.select(&embedded.script.0).next()?;
        match &embedded.attr {
            Some(name) => serde_json::from_str(element.attr(name)?).ok(),
            None => serde_json::from_str(&element.text().collect::<String>()).ok(),
        }
    }

    fn meta(&self, name: &str) -> Vec<String> {
        let Body::Html(html) = self.body else {
            return Vec::new();
        };
        html.select(&META)
            .filter(|e| {
                ["name", "property", "itemprop"]
                    .iter()
                    .any(|a| e.attr(a).is_some_and(|v| v.eq_ignore_ascii_case(name)))
            })
            .filter_map(|e| e.attr("content"))
            .take(MAX_FINDS)
            .map(ToOwned::to_owned)
            .collect()
    }

    fn json_ld(&self) -> &[Value] {
        self.json_ld.get_or_init(|| {
            let mut nodes = Vec::new();
            if let Body::Html(html) = self.body {
                for script in html.select(&JSON_LD) {
                    let text: String = script.text().collect();
                    if let Ok(value) = serde_json::from_str(&text) {
                        flatten(value, &mut nodes);
                    }
                }
            }
            nodes
        })
    }

    /// The language the page says it is in, such as `en-GB`.
    pub fn language(&self) -> Option<&'a str> {
        let Body::Html(html) = self.body else {
            return None;
        };
        html.select(&LANGUAGE).next()?.attr("lang")
    }

    /// All text of the page, for markers of a wall.
    pub fn page_text(&self) -> String {
        match self.body {
            // Not through `root_element`: an empty page has none.
            Body::Html(html) => html
                .tree
                .root()
                .descendants()
                .filter_map(|n| n.value().as_text().map(|t| &**t))
                .take(10_000)
                .flat_map(|t| [t, " "])
                .collect(),
            Body::Json(value) => value.to_string(),
        }
    }
}

/// Lists and `@graph`s taken apart.
fn flatten(value: Value, nodes: &mut Vec<Value>) {
    if nodes.len() >= MAX_NODES {
        return;
    }
    match value {
        Value::Array(items) => items.into_iter().for_each(|i| flatten(i, nodes)),
        Value::Object(mut map) => match map.remove("@graph") {
            Some(graph) => flatten(graph, nodes),
            None => nodes.push(Value::Object(map)),
        },
        _ => {}
    }
}

/// Whether a JSON-LD node has the type, with or without `https://schema.org/` before it.
fn is_kind(node: &Value, kind: &str) -> bool {
    let is = |v: &Value| {
        v.as_str()
            .is_some_and(|t| t.rsplit(['/', ':', '#']).next() == Some(kind))
    };
    match node.get("@type") {
        Some(Value::Array(types)) => types.iter().any(is),
        Some(t) => is(t),
        None => false,
    }
}

fn scalar(value: &Value) -> Option<(String, bool)> {
    match value {
        Value::String(s) => Some((s.clone(), false)),
        // The shortest text that reads back as the same number has the digits of the
        // source up to the fifteenth, more than any price has.
        Value::Number(n) => Some((n.to_string(), true)),
        Value::Bool(b) => Some((b.to_string(), false)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text_of(element: ElementRef<'_>, take: &Take) -> Option<String> {
    match take {
        Take::Attribute(name) => element.attr(name).map(ToOwned::to_owned),
        Take::Text => Some(visible_text(element)),
        Take::OwnText => Some(
            element
                .children()
                .filter_map(|n| n.value().as_text().map(|t| &**t))
                .collect::<Vec<_>>()
                .join(" "),
        ),
    }
}

/// The text below an element. Blocks separate words and inline elements do not, except
/// `<sup>`: joined, "19<sup>99</sup>" would read as nineteen hundred.
fn visible_text(element: ElementRef<'_>) -> String {
    let separates = |node: &Node| {
        node.as_element().is_some_and(|e| {
            let tag = Tag::from_name(e.name());
            !tag.is_inline() || tag == Tag::Sup
        })
    };
    let mut out = String::new();
    for node in element.descendants() {
        if separates(node.value()) || node.prev_sibling().is_some_and(|n| separates(n.value())) {
            out.push(' ');
        }
        if let Node::Text(text) = node.value()
            && out.len() < MAX_VALUE
        {
            out.push_str(text);
        }
    }
    out
}

fn finish(source: &Source, text: &str, is_plain: bool) -> Option<Found> {
    let mut text = match &source.regex {
        Some(pattern) => pattern.capture(text)?,
        None => text,
    };
    if let Some(value) = &source.value {
        text = value;
    }
    let mut is_plain = is_plain;
    let mut text = text.trim().to_owned();
    for step in &source.transform {
        text = step.apply(&text)?;
        is_plain = matches!(step, Step::Number | Step::Scale(_)) || is_plain;
    }
    (!text.is_empty() && text.len() <= MAX_VALUE).then(|| Found {
        text,
        is_plain,
        place: source.to_string(),
    })
}
