//! What an offer says of itself, by name.

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::ops::Range;

/// Values by name. The names of one offer share one string, because a request has a dozen
/// for each of many thousand offers.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    names: String,
    /// In the order of the names, each name once.
    entries: Vec<(Range<usize>, Value)>,
}

impl Attributes {
    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self
            .entries
            .binary_search_by(|(range, _)| self.names[range.clone()].cmp(name))
            .ok()?;
        Some(&self.entries[at].1)
    }

    /// A cursor that finds names asked for in their order, in one pass over all.
    pub(super) fn in_order(&self) -> InOrder<'_> {
        InOrder {
            names: &self.names,
            rest: &self.entries,
        }
    }
}

/// See [`Attributes::in_order`].
pub(super) struct InOrder<'a> {
    names: &'a str,
    rest: &'a [(Range<usize>, Value)],
}

impl<'a> InOrder<'a> {
    /// The value of `name`, which must not come before one asked for earlier.
    pub(super) fn find(&mut self, name: &str) -> Option<&'a Value> {
        while let [(range, value), after @ ..] = self.rest {
            match self.names[range.clone()].cmp(name) {
                std::cmp::Ordering::Less => self.rest = after,
                std::cmp::Ordering::Equal => return Some(value),
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut names = String::new();
        let mut entries: Vec<(Range<usize>, Value)> = Vec::new();
        while let Some(range) = map.next_key_seed(Append(&mut names))? {
            entries.push((range, map.next_value()?));
        }
        let name = |(range, _): &(Range<usize>, Value)| &names[range.clone()];
        entries.sort_by(|a, b| name(a).cmp(name(b)));
        if let Some(pair) = entries.windows(2).find(|p| name(&p[0]) == name(&p[1])) {
            let name = name(&pair[0]);
            return Err(A::Error::custom(format!("`{name}` is there twice")));
        }
        Ok(Attributes { names, entries })
    }
}

/// Appends a name to those before it and gives its place.
struct Append<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Append<'_> {
    type Value = Range<usize>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_str(self)
    }
}

impl Visitor<'_> for Append<'_> {
    type Value = Range<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let start = self.0.len();
        self.0.push_str(name);
        Ok(start..self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_found_in_any_order_and_each_is_there_once() {
        let all: Attributes = serde_json::from_str(r#"{"b":"3","a":2,"c":null}"#).expect("a map");
        assert_eq!(all.get("a"), Some(&json!(2)));
        assert_eq!(all.get("b"), Some(&json!("3")));
        assert_eq!(all.get("bb"), None);
        let mut cursor = all.in_order();
        let found = ["a", "aa", "b", "c", "d"].map(|n| cursor.find(n).cloned());
        let want = [
            Some(json!(2)),
            None,
            Some(json!("3")),
            Some(json!(null)),
            None,
        ];
        assert_eq!(found, want);
        assert!(serde_json::from_str::<Attributes>("[1]").is_err());
        let twice = serde_json::from_str::<Attributes>(r#"{"b":1,"a":2,"b":"3"}"#);
        let error = twice.expect_err("twice").to_string();
        assert!(error.contains("`b` is there twice"), "{error}");
        let same: Attributes =
            serde_json::from_value(json!({"a":2,"b":"3","c":null})).expect("a map");
        assert_eq!(same.get("b"), all.get("b"));
    }
}
