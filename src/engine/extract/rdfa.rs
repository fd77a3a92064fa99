//! RDFa Lite 1.1 (W3C) as [`Json`] items: `vocab`, `typeof`, `property`, `resource`.

use super::json::Json;
use super::microdata::merge;
use crate::engine::html::{Document, NodeId, Tag};

/// Items nested deeper than this are dropped.
const MAX_DEPTH: usize = 24;

/// Properties of one item.
const MAX_PROPERTIES: usize = 2000;

/// The top-level typed items of a page.
#[must_use]
pub fn items(doc: &Document) -> Vec<Json> {
    let mut out = Vec::new();
    let mut covered = 0;
    for id in doc.ids() {
        if id.index() < covered || doc.tag(id).is_none() || doc.raw_attr(id, "typeof").is_none() {
            continue;
        }
        out.push(item(doc, id, 0));
        covered = doc.range(id).end;
    }
    out
}

fn item(doc: &Document, scope: NodeId, depth: usize) -> Json {
    let mut members = Vec::new();
    let types = doc.attr(scope, "typeof").unwrap_or_default();
    let types = types
        .split_whitespace()
        .map(|t| Json::Text(t.to_owned()))
        .collect();
    members.push(("@type".to_owned(), Json::Array(types)));
    let about = doc
        .attr(scope, "resource")
        .or_else(|| doc.attr(scope, "about"));
    if let Some(about) = about {
        members.push(("@id".to_owned(), Json::Text(about.into_owned())));
    }
    if depth < MAX_DEPTH {
        let range = doc.range(scope);
        let mut at = range.start + 1;
        while at < range.end && members.len() < MAX_PROPERTIES {
            let id = doc.id_at(at);
            at += 1;
            if doc.tag(id).is_none() {
                continue;
            }
            let typed = doc.raw_attr(id, "typeof").is_some();
            let names = doc.raw_attr(id, "property").or_else(|| {
                doc.raw_attr(id, "rel")
                    .filter(|_| typed || is_term(doc, id))
            });
            if let Some(names) = names {
                let value = if typed {
                    item(doc, id, depth + 1)
                } else {
                    Json::Text(value_of(doc, id))
                };
                for name in names.split_ascii_whitespace().take(8) {
                    let name = name.rsplit(['/', '#', ':']).next().unwrap_or(name);
                    members.push((name.to_owned(), value.clone()));
                }
            }
            if typed {
                at = doc.range(id).end;
            }
        }
        merge(&mut members);
    }
    Json::Object(members)
}

/// Whether `rel` holds a vocabulary term and not a link type such as `nofollow`.
fn is_term(doc: &Document, id: NodeId) -> bool {
    doc.raw_attr(id, "rel").is_some_and(|r| r.contains(':'))
}

/// The value of a property (RDFa Core 1.1, 7.5, step 11): `content` first, then a link
/// target, then the text.
fn value_of(doc: &Document, id: NodeId) -> String {
    if let Some(content) = doc.attr(id, "content") {
        return content.into_owned();
    }
    let tag = doc.tag(id).unwrap_or(Tag::Other);
    let names: &[&str] = if tag == Tag::Time {
        &["datetime"]
    } else {
        &["resource", "href", "src"]
    };
    names
        .iter()
        .find_map(|n| doc.attr(id, n))
        .map_or_else(|| doc.inner_text(id, 2000), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::html;

    #[test]
    fn lite_items() {
        let doc = html::parse(
            br#"<div vocab="https://schema.org/" typeof="Product"><span property="name">Pot</span>
              <div property="offers" typeof="schema:Offer"><b property="price">12.50</b>
              <link property="schema:availability" href="https://schema.org/OutOfStock"></div></div>"#,
            None,
        );
        let items = items(&doc);
        assert_eq!(items[0].get("name").and_then(Json::as_text), Some("Pot"));
        let offer = items[0].get("offers").expect("an offer");
        assert_eq!(offer.get("price").and_then(Json::as_text), Some("12.50"));
        assert_eq!(
            offer.get("availability").and_then(Json::as_text),
            Some("https://schema.org/OutOfStock")
        );
    }
}
