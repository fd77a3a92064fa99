//! JSON as an instance needs it: each key once, texts borrowed, and no more values than
//! fit a machine. `serde_json::Value` would keep the last of two equal keys in silence and
//! take several times the memory.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use std::borrow::Cow;
use std::fmt;

/// The most values of one text: a million offers have half as many.
const MAX_VALUES: usize = 32_000_000;

/// A value.
#[derive(Debug)]
pub(super) enum Json<'a> {
    Null,
    Bool,
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    /// Each key once.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads one value and nothing after it.
    pub(super) fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        let mut source = serde_json::Deserializer::from_str(text);
        let mut left = MAX_VALUES;
        let value = Reader { left: &mut left }.deserialize(&mut source)?;
        source.end()?;
        Ok(value)
    }

    /// A member of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        members.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

struct Reader<'b> {
    left: &'b mut usize,
}

impl Reader<'_> {
    fn again(&mut self) -> Reader<'_> {
        Reader { left: self.left }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Json<'de>, D::Error> {
        *self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| de::Error::custom(format!("more than {MAX_VALUES} values")))?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Json<'de>, E> {
        let number = Number::from_f64(number);
        number
            .map(Json::Number)
            .ok_or_else(|| E::custom("not a number"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = from.next_element_seed(self.again())? {
            list.push(value);
        }
        list.shrink_to_fit();
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::new();
        while let Some(key) = from.next_key_seed(Key)? {
            // Objects of an instance have a dozen keys; more are looked at when all are there.
            if members.len() < MANY && members.iter().any(|(k, _)| *k == key) {
                return Err(twice(&key));
            }
            members.push((key, from.next_value_seed(self.again())?));
        }
        if members.len() > MANY {
            let mut keys: Vec<&str> = members.iter().map(|(k, _)| &**k).collect();
            keys.sort_unstable();
            if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(twice(pair[0]));
            }
        }
        members.shrink_to_fit();
        Ok(Json::Object(members))
    }
}

/// Up to so many keys are compared one by one.
const MANY: usize = 32;

fn twice<E: de::Error>(key: &str) -> E {
    E::custom(format!("the key `{key}` is there twice"))
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Cow<'de, str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_there_once_however_many_there_are() {
        assert!(Json::read(r#"{"a":1,"b":{"a":[null,true,-2.5,"x\n"]}}"#).is_ok());
        let twice = r#"{"a":1,"\u0061":2}"#;
        let error = Json::read(twice).expect_err("twice").to_string();
        assert!(error.contains("`a` is there twice"), "{error}");
        let many: Vec<String> = (0..40).map(|i| format!("\"k{i}\":0")).collect();
        assert!(Json::read(&format!("{{{}}}", many.join(","))).is_ok());
        for again in [0, 39] {
            let text = format!("{{{},\"k{again}\":0}}", many.join(","));
            assert!(Json::read(&text).is_err(), "{again}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100_000);
        for bad in ["", "{", "[1,]", "1 2", "NaN", "1e999", deep.as_str()] {
            assert!(Json::read(bad).is_err(), "{}", bad.len());
        }
    }
}
