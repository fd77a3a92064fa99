//! Microdata (WHATWG HTML, chapter 5) as [`Json`] items.

use super::json::Json;
use crate::engine::html::{Document, NodeId, Tag};
use std::cell::Cell;
use std::collections::HashMap;

/// Items nested deeper than this are dropped.
const MAX_DEPTH: usize = 24;

/// Items read from one page: references can make one item part of many.
const MAX_ITEMS: usize = 4000;

/// Properties of one item.
const MAX_PROPERTIES: usize = 2000;

/// The top-level items of a page.
#[must_use]
pub fn items(doc: &Document) -> Vec<Json> {
    let Some(scopes) = Scopes::of(doc) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for id in doc.ids() {
        if doc.raw_attr(id, "itemscope").is_some() && doc.raw_attr(id, "itemprop").is_none() {
            out.push(scopes.item(id, 0));
        }
    }
    out
}

struct Scopes<'a> {
    doc: &'a Document,
    by_id: HashMap<&'a str, NodeId>,
    items: Cell<usize>,
}

impl<'a> Scopes<'a> {
    /// `None` where the page has no microdata.
    fn of(doc: &'a Document) -> Option<Self> {
        let mut any = false;
        let mut refs = false;
        for id in doc.ids() {
            for (name, _) in doc.attrs(id) {
                any |= name.eq_ignore_ascii_case("itemscope");
                refs |= name.eq_ignore_ascii_case("itemref");
            }
        }
        let mut by_id = HashMap::new();
        if refs {
            for id in doc.ids() {
                if let Some(name) = doc.raw_attr(id, "id") {
                    by_id.entry(name).or_insert(id);
                }
            }
        }
        any.then_some(Self {
            doc,
            by_id,
            items: Cell::new(0),
        })
    }

    fn item(&self, scope: NodeId, depth: usize) -> Json {
        let doc = self.doc;
        let mut members = Vec::new();
        if let Some(types) = doc.attr(scope, "itemtype") {
            let types = types
                .split_whitespace()
                .map(|t| Json::Text(t.to_owned()))
                .collect();
            members.push(("@type".to_owned(), Json::Array(types)));
        }
        if let Some(id) = doc.attr(scope, "itemid") {
            members.push(("@id".to_owned(), Json::Text(id.into_owned())));
        }
        self.items.set(self.items.get() + 1);
        if depth < MAX_DEPTH && self.items.get() < MAX_ITEMS {
            self.properties(scope, true, depth, &mut members);
            for name in doc
                .raw_attr(scope, "itemref")
                .unwrap_or_default()
                .split_ascii_whitespace()
                .take(16)
            {
                if let Some(other) = self.by_id.get(name)
                    && !doc.contains(*other, scope)
                {
                    self.properties(*other, false, depth, &mut members);
                }
            }
        }
        Json::Object(members)
    }

    /// Adds the properties below `root` that belong to the item around it.
    fn properties(
        &self,
        root: NodeId,
        skip_root: bool,
        depth: usize,
        members: &mut Vec<(String, Json)>,
    ) {
        let doc = self.doc;
        let range = doc.range(root);
        let mut at = range.start + usize::from(skip_root);
        while at < range.end && members.len() < MAX_PROPERTIES {
            let id = doc.id_at(at);
            at += 1;
            if doc.tag(id).is_none() {
                continue;
            }
            let scope = doc.raw_attr(id, "itemscope").is_some();
            if let Some(names) = doc.raw_attr(id, "itemprop") {
                let value = if scope {
                    self.item(id, depth + 1)
                } else {
                    Json::Text(value_of(doc, id))
                };
                for name in names.split_ascii_whitespace().take(8) {
                    let name = name.rsplit(['/', '#', ':']).next().unwrap_or(name);
                    members.push((name.to_owned(), value.clone()));
                }
            }
            if scope {
                at = doc.range(id).end;
            }
        }
        merge(members);
    }
}

/// The value of a property without an item of its own (WHATWG HTML, 5.2.4). `content`
/// counts on every element, as search engines read it.
fn value_of(doc: &Document, id: NodeId) -> String {
    let tag = doc.tag(id).unwrap_or(Tag::Other);
    if let Some(content) = doc.attr(id, "content")
        && (tag == Tag::Meta || !content.trim().is_empty())
    {
        return content.into_owned();
    }
    let attribute = match tag {
        Tag::A | Tag::Area | Tag::Link => "href",
        Tag::Img | Tag::Embed | Tag::Iframe | Tag::Source | Tag::Track => "src",
        Tag::Object => "data",
        Tag::Data | Tag::Meter | Tag::Input | Tag::Option => "value",
        Tag::Time => "datetime",
        _ => "",
    };
    match doc.attr(id, attribute) {
        Some(value) if !value.is_empty() => value.into_owned(),
        _ => doc.inner_text(id, 2000),
    }
}

/// Repeated properties become arrays.
pub(super) fn merge(members: &mut Vec<(String, Json)>) {
    let mut out: Vec<(String, Json)> = Vec::with_capacity(members.len());
    for (name, value) in members.drain(..) {
        match out.iter_mut().find(|(n, _)| *n == name) {
            None => out.push((name, value)),
            Some((_, Json::Array(items))) => match value {
                Json::Array(more) => items.extend(more),
                one => items.push(one),
            },
            Some((_, first)) => {
                let one = std::mem::replace(first, Json::Null);
                *first = match value {
                    Json::Array(mut more) => {
                        more.insert(0, one);
                        Json::Array(more)
                    }
                    second => Json::Array(vec![one, second]),
                };
            }
        }
    }
    *members = out;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::html;

    #[test]
    fn nested_items_and_references() {
        let doc = html::parse(
            br##"<div itemscope itemtype="https://schema.org/Product" itemref="more">
              <h1 itemprop="name">Red <b>shoe</b></h1>
              <div itemprop="offers" itemscope itemtype="https://schema.org/Offer">
                <span itemprop="price" content="9.90">9,90</span><link itemprop="availability" href="https://schema.org/InStock">
              </div><img itemprop="image" src="/a.jpg"><img itemprop="image" src="/b.jpg">
            </div><p id="more"><i itemprop="sku">X1</i></p>"##,
            None,
        );
        let items = items(&doc);
        assert_eq!(items.len(), 1);
        let product = &items[0];
        assert_eq!(
            product.get("name").and_then(Json::as_text),
            Some("Red shoe")
        );
        assert_eq!(product.get("sku").and_then(Json::as_text), Some("X1"));
        assert_eq!(product.get("image").map(|i| i.items().len()), Some(2));
        let offer = product.get("offers").expect("an offer");
        assert_eq!(offer.get("price").and_then(Json::as_text), Some("9.90"));
    }
}
