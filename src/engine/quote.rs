//! Reading a provider's reply to a call for tenders: a plain JSON-LD `Offer`, or a list of
//! messages that carry one.
//!
//! Strict, because a misread quote can bind: at most 64 KiB, depth 16, no duplicate keys,
//! a price with its ISO 4217 currency. Prose in a reply is kept as text and decides nothing.

use crate::model::offer::{Extractor, Provenance, Shipping};
use crate::model::text::clean;
use crate::model::time::Timestamp;
use crate::model::{Availability, Condition, Currency, Money, Offer};
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The longest reply read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
const MAX_DEPTH: usize = 16;
const MAX_MESSAGES: usize = 50;

/// What is wrong with a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// Over [`MAX_BYTES`].
    #[error("the reply is longer than 64 KiB")]
    TooLong,
    /// Not JSON, or JSON with duplicate keys or nested too deeply.
    #[error("the reply is not acceptable JSON: {0}")]
    Json(String),
    /// A message without a usable offer.
    #[error("message {sequence}: {problem}")]
    Offer {
        /// The message's number.
        sequence: u64,
        /// What is wrong.
        problem: String,
    },
}

/// One reply of a provider.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct Reply {
    /// Its place in the conversation, from 1.
    pub sequence: u64,
    /// What it says.
    pub content: Content,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A quote.
    Quote {
        /// The provider's own identifier of the offer.
        identifier: Option<String>,
        /// The offer.
        offer: Box<Offer>,
        /// Whether the provider is bound by it.
        firm: bool,
        /// Until when.
        valid_through: Option<Timestamp>,
    },
    /// The provider does not quote.
    Decline,
    /// The provider confirms an award.
    Confirm,
    /// Words only: kept for the person.
    Note(String),
}

/// Reads a reply: one `Offer`, or `{"messages":[{"sequence":…,"type":…,"body":…}]}`.
///
/// # Errors
/// [`QuoteError`]; nothing of a bad reply is used.
pub fn read(body: &[u8]) -> Result<Vec<Reply>, QuoteError> {
    if body.len() > MAX_BYTES {
        return Err(QuoteError::TooLong);
    }
    let root = parse(body)?;
    if let Some(Json::Array(messages)) = root.get("messages") {
        if messages.len() > MAX_MESSAGES {
            return Err(QuoteError::Json(format!(
                "more than {MAX_MESSAGES} messages"
            )));
        }
        return messages.iter().map(read_message).collect();
    }
    if root.is_type("Offer") {
        return Ok(vec![Reply {
            sequence: 1,
            content: read_offer(&root, 1)?,
        }]);
    }
    Err(QuoteError::Json(
        "neither an Offer nor a list of messages".into(),
    ))
}

fn read_message(message: &Json) -> Result<Reply, QuoteError> {
    let sequence = message
        .get("sequence")
        .and_then(Json::number)
        .and_then(|n| n.parse::<u64>().ok())
        .ok_or_else(|| QuoteError::Json("a message without a sequence number".into()))?;
    let body = message.get("body").unwrap_or(message);
    let kind = message.get("type").and_then(Json::text).unwrap_or("offer");
    let content = match kind {
        "decline" | "decline_session" | "refuse" => Content::Decline,
        "confirm" | "commit" | "inform-done" => Content::Confirm,
        _ if body.is_type("Offer") => read_offer(body, sequence)?,
        _ => {
            let text = body.get("text").or_else(|| body.get("description"));
            Content::Note(clean(text.and_then(Json::text).unwrap_or_default(), 500))
        }
    };
    Ok(Reply { sequence, content })
}

fn read_offer(json: &Json, sequence: u64) -> Result<Content, QuoteError> {
    let fail = |problem: &str| QuoteError::Offer {
        sequence,
        problem: problem.to_owned(),
    };
    let text = |node: Option<&Json>, max| {
        node.and_then(Json::text)
            .map(|t| clean(t, max))
            .filter(|t| !t.is_empty())
    };
    let specs: Vec<&Json> = match json.get("priceSpecification") {
        Some(Json::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let mut charges = specs
        .iter()
        .filter(|s| s.is_type("DeliveryChargeSpecification"));
    let delivery = charges.next();
    if charges.next().is_some() {
        return Err(fail("several delivery charges"));
    }
    let unit = specs
        .iter()
        .find(|s| s.is_type("UnitPriceSpecification") || s.is_type("PriceSpecification"));
    let price = match (money(json), unit.and_then(|s| money(s))) {
        (Some(total), _) => total,
        (None, Some(unit)) => unit,
        (None, None) => return Err(fail("no price with an ISO 4217 currency")),
    };
    let item = json.get("itemOffered");
    let of_item = |key: &str| item.and_then(|i| i.get(key)).or_else(|| json.get(key));
    let named = |node: Option<&Json>| {
        text(node, 200).or_else(|| text(node.and_then(|n| n.get("name")), 200))
    };
    let days = json
        .get("deliveryLeadTime")
        .and_then(|q| q.get("maxValue").or_else(|| q.get("value")))
        .and_then(Json::number)
        .and_then(|n| n.parse::<u32>().ok());
    let delivery_cost = delivery.and_then(|d| money(d));
    if delivery.is_some() && delivery_cost.is_none() {
        return Err(fail("a delivery charge that cannot be read"));
    }
    if delivery_cost.is_some_and(|d| d.currency != price.currency) {
        return Err(fail("goods and delivery in two currencies"));
    }
    let shipping = (delivery_cost.is_some() || days.is_some()).then_some(Shipping {
        cost: delivery_cost,
        free_from: None,
        min_days: None,
        max_days: days,
    });
    let valid_through = match json.get("validThrough").and_then(Json::text) {
        None => None,
        Some(t) => Some(instant(t).ok_or_else(|| fail("`validThrough` is not a date"))?),
    };
    let offer = Offer {
        name: text(of_item("name"), 300),
        brand: named(of_item("brand")),
        gtin: of_item("gtin")
            .and_then(Json::text)
            .and_then(|g| g.parse().ok()),
        mpn: text(of_item("mpn"), 100),
        sku: text(of_item("sku"), 100),
        price: Some(price),
        availability: schema_word(json.get("availability"), |w| match w {
            "InStock" | "InStoreOnly" | "OnlineOnly" => Some(Availability::InStock),
            "LimitedAvailability" => Some(Availability::LimitedAvailability),
            "PreOrder" | "PreSale" => Some(Availability::PreOrder),
            "BackOrder" => Some(Availability::BackOrder),
            "OutOfStock" | "SoldOut" => Some(Availability::OutOfStock),
            "Discontinued" => Some(Availability::Discontinued),
            _ => None,
        })
        .unwrap_or_default(),
        condition: schema_word(of_item("itemCondition"), |w| match w {
            "NewCondition" => Some(Condition::New),
            "UsedCondition" => Some(Condition::Used),
            "RefurbishedCondition" => Some(Condition::Refurbished),
            "DamagedCondition" => Some(Condition::Damaged),
            _ => None,
        })
        .unwrap_or_default(),
        seller: named(json.get("seller")),
        url: text(json.get("url"), 2000)
            .filter(|u| u.starts_with("https://") || u.starts_with("http://")),
        shipping,
        valid_through: text(json.get("validThrough"), 40),
        confidence: 1.0,
        provenance: vec![Provenance {
            extractor: Extractor::Quote,
            place: "Offer".into(),
        }],
        ..Offer::default()
    };
    Ok(Content::Quote {
        identifier: text(json.get("identifier").or_else(|| json.get("@id")), 200),
        offer: Box::new(offer),
        firm: matches!(json.get("emptor:firm"), Some(Json::Bool(true))),
        valid_through,
    })
}

/// `price` and `priceCurrency` of a node. Amounts above 10^13, below or at zero, or in
/// exponent notation are refused.
fn money(node: &Json) -> Option<Money> {
    let currency = Currency::from_str(node.get("priceCurrency")?.text()?).ok()?;
    let text = node.get("price").and_then(Json::number)?;
    let amount = Decimal::from_str(text).ok()?;
    let free_delivery = amount.is_zero() && node.is_type("DeliveryChargeSpecification");
    (free_delivery || amount > Decimal::ZERO)
        .then_some(amount)
        .filter(|a| *a <= Decimal::from(10_i64.pow(13)))
        .map(|a| Money::new(a, currency))
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        // A bare date means the whole day, in UTC.
        let date: jiff::civil::Date = text.parse().ok()?;
        date.at(23, 59, 59, 0)
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|z| z.timestamp())
    })
}

fn schema_word<T>(node: Option<&Json>, map: impl Fn(&str) -> Option<T>) -> Option<T> {
    let text = node?.text()?;
    map(text.rsplit(['/', '#', ':']).next().unwrap_or(text))
}

/// A JSON value with numbers kept as written.
#[derive(Debug, Clone, PartialEq)]
enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(map) => map.get(key),
            _ => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }

    /// A number, or a text holding one: schema.org allows both for prices.
    fn number(&self) -> Option<&str> {
        match self {
            Self::Number(n) => Some(n),
            Self::Text(t) if t.bytes().all(|b| b.is_ascii_digit() || b == b'.') => Some(t),
            _ => None,
        }
    }

    fn is_type(&self, name: &str) -> bool {
        let is = |j: &Self| {
            j.text()
                .is_some_and(|t| t.rsplit(['/', ':']).next() == Some(name))
        };
        match self.get("@type") {
            Some(Self::Array(types)) => types.iter().any(is),
            Some(one) => is(one),
            None => false,
        }
    }
}

fn parse(body: &[u8]) -> Result<Json, QuoteError> {
    let mut depth: usize = 0;
    let mut in_text = false;
    let mut escaped = false;
    for b in body {
        match (in_text, b) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'[' | b'{') => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(QuoteError::Json(format!("nested deeper than {MAX_DEPTH}")));
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    serde_json::from_slice(body).map_err(|e| QuoteError::Json(e.to_string()))
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct JsonVisitor;
        impl<'de> Visitor<'de> for JsonVisitor {
            type Value = Json;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_bool<E>(self, v: bool) -> Result<Json, E> {
                Ok(Json::Bool(v))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Json, E> {
                Ok(Json::Number(v.to_string()))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Json, E> {
                Ok(Json::Number(v.to_string()))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Json, E> {
                // The shortest text that reads back to the same double: exact for any
                // price of up to fifteen digits.
                Ok(Json::Number(v.to_string()))
            }
            fn visit_str<E>(self, v: &str) -> Result<Json, E> {
                Ok(Json::Text(v.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(v) = seq.next_element()? {
                    list.push(v);
                }
                Ok(Json::Array(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut object = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, Json>()? {
                    if object.contains_key(&key) {
                        return Err(de::Error::custom(format!("the key `{key}` stands twice")));
                    }
                    object.insert(key, value);
                }
                Ok(Json::Object(object))
            }
        }
        d.deserialize_any(JsonVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"@context":"https://schema.org","@type":"Offer","identifier":"Q-1",
        "itemOffered":{"@type":"Product","name":"Drill\u001b[31m 12V","brand":{"name":"Bosch"},"gtin":"4006381333931"},
        "price":129.90,"priceCurrency":"EUR","availability":"https://schema.org/InStock",
        "priceSpecification":[{"@type":"DeliveryChargeSpecification","price":"4.90","priceCurrency":"EUR"}],
        "deliveryLeadTime":{"@type":"QuantitativeValue","maxValue":3,"unitCode":"DAY"},
        "validThrough":"2030-01-31","emptor:firm":true,"seller":{"name":"Shop"}}"#;

    #[test]
    fn a_plain_offer_is_a_quote() {
        let replies = read(PLAIN.as_bytes()).expect("a quote");
        let Content::Quote {
            offer,
            firm,
            valid_through,
            identifier,
        } = &replies[0].content
        else {
            panic!("not a quote: {replies:?}");
        };
        assert_eq!(offer.price, "129.90 EUR".parse().ok());
        assert_eq!(offer.name.as_deref(), Some("Drill[31m 12V"));
        let shipping = offer.shipping.as_ref().expect("delivery");
        assert_eq!(shipping.cost, "4.90 EUR".parse().ok());
        assert_eq!(shipping.max_days, Some(3));
        assert_eq!(offer.availability, Availability::InStock);
        assert!(*firm && valid_through.is_some());
        assert_eq!(identifier.as_deref(), Some("Q-1"));
    }

    #[test]
    fn messages_are_read_in_order() {
        let text = format!(
            r#"{{"messages":[{{"sequence":3,"type":"offer","body":{PLAIN}}},{{"sequence":4,"type":"decline"}},{{"sequence":5,"type":"note","body":{{"text":"call \u0007me"}}}}]}}"#
        );
        let replies = read(text.as_bytes()).expect("messages");
        assert_eq!(
            replies.iter().map(|r| r.sequence).collect::<Vec<_>>(),
            [3, 4, 5]
        );
        assert_eq!(replies[1].content, Content::Decline);
        assert_eq!(replies[2].content, Content::Note("call me".into()));
    }

    #[test]
    fn hostile_replies_are_refused_whole() {
        let offer =
            |price: &str| format!(r#"{{"@type":"Offer","price":{price},"priceCurrency":"EUR"}}"#);
        for price in [
            "0",
            "-5",
            "1e99",
            "99999999999999",
            "\"1,5\"",
            "\"free\"",
            "null",
        ] {
            assert!(read(offer(price).as_bytes()).is_err(), "{price}");
        }
        assert!(
            read(br#"{"@type":"Offer","price":5}"#).is_err(),
            "no currency"
        );
        assert!(
            read(br#"{"@type":"Offer","price":5,"price":6,"priceCurrency":"EUR"}"#).is_err(),
            "two prices"
        );
        assert!(read(&vec![b' '; MAX_BYTES + 1]).is_err());
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(read(deep.as_bytes()).is_err());
        assert!(read(b"\xff\xfe").is_err());
        let charge = r#"{"@type":"DeliveryChargeSpecification","price":1,"priceCurrency":"EUR"}"#;
        let twice = format!(
            r#"{{"@type":"Offer","price":5,"priceCurrency":"EUR","priceSpecification":[{charge},{charge}]}}"#
        );
        assert!(read(twice.as_bytes()).is_err(), "which one is paid?");
        let mixed = r#"{"@type":"Offer","price":5,"priceCurrency":"EUR","priceSpecification":{"@type":"DeliveryChargeSpecification","price":1,"priceCurrency":"USD"}}"#;
        assert!(read(mixed.as_bytes()).is_err());
    }
}
