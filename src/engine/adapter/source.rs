//! Where a field's value comes from.

use super::step::Step;
use super::types::{Css, Pattern, Pointer, Text};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// Most sources one field may list.
pub const MAX_SOURCES: usize = 16;
/// Most steps one transform may have.
pub const MAX_STEPS: usize = 16;

/// The sources of one field, tried in order; the first that gives a value wins.
///
/// Written as a list of tables, as one table, or as a text, which is a CSS selector.
#[derive(Clone, Debug, Default)]
pub struct Sources(pub Vec<Source>);

/// One way to find a value.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where to look.
    pub origin: Origin,
    /// Which of several finds to take. Without it the first is taken, except for a
    /// price: several different prices are an ambiguity.
    pub nth: Option<usize>,
    /// Keep the first capture group of this pattern.
    pub regex: Option<Pattern>,
    /// Where the origin finds something, the value is this text.
    pub value: Option<Text>,
    /// What to do with the text.
    pub transform: Vec<Step>,
}

/// Where to look.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Elements below the scope, or the scope's own element where `select` is absent.
    Element {
        /// Which elements.
        select: Option<Css>,
        /// What to take of them.
        take: Take,
    },
    /// A pointer into the JSON body, or into the JSON item of a list.
    Json(Pointer),
    /// A pointer into JSON that stands in the page.
    Embedded(Embedded),
    /// A pointer into the first JSON-LD node of a type.
    JsonLd {
        /// The node's `@type`.
        kind: Text,
        /// The pointer.
        pointer: Pointer,
    },
    /// The content of `<meta name=…>`, `<meta property=…>` or `<meta itemprop=…>`.
    Meta(Text),
    /// The page's address; `regex` says which part.
    Address,
    /// Always there; `value` says what it is.
    Constant,
}

/// JSON inside an HTML page: the text of a `<script>`, or an attribute.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedded {
    /// The element; the first one counts.
    pub script: Css,
    /// The attribute that holds the JSON; the element's text where absent.
    pub attr: Option<Text>,
    /// Where in the JSON.
    pub json: Pointer,
}

impl Embedded {
    /// The element and attribute that hold the JSON.
    pub(super) fn place(&self) -> String {
        match &self.attr {
            Some(attr) => format!("{}@{}", self.script, attr.as_str()),
            None => self.script.to_string(),
        }
    }
}

impl fmt::Display for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} json {}", self.place(), self.json)
    }
}

/// What to take of an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Take {
    /// All text below it.
    #[default]
    Text,
    /// Its own text without that of its children: "12.99" in `<b>12.99 <s>15.99</s></b>`.
    OwnText,
    /// An attribute.
    Attribute(String),
}

/// The table as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    css: Option<Css>,
    attr: Option<Text>,
    #[serde(default)]
    own_text: bool,
    json: Option<Pointer>,
    script: Option<Css>,
    json_ld: Option<Pointer>,
    #[serde(rename = "type")]
    kind: Option<Text>,
    meta: Option<Text>,
    #[serde(default)]
    url: bool,
    nth: Option<usize>,
    regex: Option<Pattern>,
    value: Option<Text>,
    #[serde(default)]
    transform: Vec<Step>,
}

impl RawSource {
    fn check(self) -> Result<Source, String> {
        let is_element =
            self.css.is_some() || self.own_text || (self.attr.is_some() && self.script.is_none());
        let origins = [
            is_element,
            self.json.is_some() || self.script.is_some(),
            self.json_ld.is_some(),
            self.meta.is_some(),
            self.url,
        ];
        let named = origins.iter().filter(|o| **o).count();
        if named > 1 || (named == 0 && self.value.is_none()) {
            return Err(
                "a source names exactly one of css (or attr, own_text), json (or script + json), json_ld, meta, url or value"
                    .to_owned(),
            );
        }
        if self.attr.is_some() && self.own_text {
            return Err("attr and own_text exclude each other".to_owned());
        }
        if self.kind.is_some() && self.json_ld.is_none() {
            return Err("type belongs to json_ld".to_owned());
        }
        if self.transform.len() > MAX_STEPS {
            return Err(format!("a transform has at most {MAX_STEPS} steps"));
        }
        let origin = if is_element {
            let take = match self.attr {
                Some(name) => Take::Attribute(name.to_lowercase()),
                None if self.own_text => Take::OwnText,
                None => Take::Text,
            };
            Origin::Element {
                select: self.css,
                take,
            }
        } else if let Some(script) = self.script {
            match (self.json, &self.regex) {
                (Some(json), _) => Origin::Embedded(Embedded {
                    script,
                    attr: self.attr,
                    json,
                }),
                (None, Some(_)) => Origin::Element {
                    select: Some(script),
                    take: Take::Text,
                },
                (None, None) => return Err("script needs json or regex beside it".to_owned()),
            }
        } else if let Some(pointer) = self.json {
            Origin::Json(pointer)
        } else if let Some(pointer) = self.json_ld {
            let kind = match self.kind {
                Some(kind) => kind,
                None => "Product".parse()?,
            };
            Origin::JsonLd { kind, pointer }
        } else if let Some(name) = self.meta {
            Origin::Meta(name)
        } else if self.url {
            if self.regex.is_none() && self.value.is_none() && self.transform.is_empty() {
                return Err("url needs regex or transform beside it".to_owned());
            }
            Origin::Address
        } else {
            Origin::Constant
        };
        Ok(Source {
            origin,
            nth: self.nth,
            regex: self.regex,
            value: self.value,
            transform: self.transform,
        })
    }
}

impl Source {
    fn css(text: &str) -> Result<Self, String> {
        Ok(Self {
            origin: Origin::Element {
                select: Some(text.parse()?),
                take: Take::Text,
            },
            nth: None,
            regex: None,
            value: None,
            transform: Vec::new(),
        })
    }
}

struct SourceVisitor;

impl<'de> de::Visitor<'de> for SourceVisitor {
    type Value = Source;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CSS selector or a table such as { css = \"h1\", attr = \"title\" }")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Source, E> {
        Source::css(text).map_err(E::custom)
    }
    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Source, A::Error> {
        RawSource::deserialize(MapAccessDeserializer::new(map))?
            .check()
            .map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(SourceVisitor)
    }
}

struct SourcesVisitor;

impl<'de> de::Visitor<'de> for SourcesVisitor {
    type Value = Sources;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CSS selector, a source table or a list of them")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Sources, E> {
        SourceVisitor.visit_str(text).map(|s| Sources(vec![s]))
    }
    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Sources, A::Error> {
        SourceVisitor.visit_map(map).map(|s| Sources(vec![s]))
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Sources, A::Error> {
        let list = Vec::<Source>::deserialize(SeqAccessDeserializer::new(seq))?;
        if list.len() > MAX_SOURCES {
            return Err(de::Error::custom(format!(
                "a field has at most {MAX_SOURCES} sources"
            )));
        }
        Ok(Sources(list))
    }
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(SourcesVisitor)
    }
}

impl Sources {
    /// Whether no source is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Element { select, take } => {
                match select {
                    Some(css) => css.fmt(f)?,
                    None => f.write_str(":scope")?,
                }
                match take {
                    Take::Attribute(name) => write!(f, "@{name}"),
                    Take::Text | Take::OwnText => Ok(()),
                }
            }
            Origin::Json(pointer) => write!(f, "json {pointer}"),
            Origin::Embedded(embedded) => embedded.fmt(f),
            Origin::JsonLd { kind, pointer } => write!(f, "json-ld {}{pointer}", kind.as_str()),
            Origin::Meta(name) => write!(f, "meta {}", name.as_str()),
            Origin::Address => f.write_str("url"),
            Origin::Constant => f.write_str("value"),
        }
    }
}
