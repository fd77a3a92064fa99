//! The document that is sent: a schema.org `Demand`.
//!
//! It is built from a fixed list of fields of the want. The limit price, what a criterion
//! is worth, the intensity, notes, pages the person looked at and the other invitees are
//! not on the list, so they cannot leak by a field added later.

use crate::model::tender::{Session, Tender};
use crate::model::time::Timestamp;
use crate::model::want::{Requirement, Want};
use crate::model::{Condition, Id};
use serde_json::{Map, Value, json};

/// The namespace of the profile's own terms.
pub const NAMESPACE: &str = "urn:x-emptor:tender:1#";

/// The part of the document that is the same for every invitee.
#[must_use]
pub fn demand_for(want: &Want, closes: Timestamp) -> Value {
    let mut item = Map::new();
    item.insert("@type".into(), "Product".into());
    item.insert("name".into(), want.name.clone().into());
    if let Some(gtin) = want.gtin {
        item.insert("gtin".into(), gtin.to_string().into());
    }
    if let Some(brand) = &want.brand {
        item.insert("brand".into(), json!({"@type": "Brand", "name": brand}));
    }
    if let Some(mpn) = &want.mpn {
        item.insert("mpn".into(), mpn.clone().into());
    }
    let mut properties = Vec::new();
    let mut condition = None;
    let mut lead_days = None;
    for requirement in &want.must {
        match requirement {
            Requirement::Brand(brand) => {
                item.insert("brand".into(), json!({"@type": "Brand", "name": brand}));
            }
            Requirement::Condition(list) => condition = list.first().copied(),
            Requirement::DeliveryDays(days) => lead_days = Some(*days),
            Requirement::Contains(word) => properties.push(must("name contains", word)),
            Requirement::NotContains(word) => properties.push(must("name does not contain", word)),
            Requirement::NotBrand(brand) => properties.push(must("brand is not", brand)),
            // Whom the person buys from, and how far they would drive, is theirs.
            Requirement::Seller(_)
            | Requirement::NotSeller(_)
            | Requirement::DistanceKm(_)
            | Requirement::InStock => {}
        }
    }
    if !properties.is_empty() {
        item.insert("additionalProperty".into(), properties.into());
    }
    let mut demand = json!({
        "@context": ["https://schema.org", {"emptor": NAMESPACE}],
        "@type": "Demand",
        "name": want.name,
        "itemOffered": item,
        "eligibleQuantity": {"@type": "QuantitativeValue", "value": want.quantity, "unitCode": "C62"},
        "validThrough": closes.to_string(),
        "emptor:award": "buyer_commit",
        "emptor:binding": "indicative",
    });
    if let Some(condition) = condition.and_then(schema_condition) {
        demand["itemCondition"] = condition.into();
    }
    if let Some(days) = lead_days {
        demand["deliveryLeadTime"] =
            json!({"@type": "QuantitativeValue", "maxValue": days, "unitCode": "DAY"});
    }
    demand
}

/// The whole document for one invitee: the common part with an identifier and a key that no
/// other invitee sees.
#[must_use]
pub fn document(tender: &Tender, session: &Session, buyer: &str) -> Value {
    let mut demand = tender.demand.clone();
    demand["@id"] = format!("urn:uuid:{}", session.id).into();
    demand["identifier"] = reference(session.id).into();
    demand["emptor:buyer"] = buyer.into();
    demand
}

/// A short reference a person can say on the telephone.
#[must_use]
pub fn reference(session: Id) -> String {
    format!("T-{}", session.short()[..6].to_ascii_uppercase())
}

/// The fields of a document, as they are noted in the ledger.
#[must_use]
pub fn fields(document: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (key, inner) in map.iter().filter(|(k, _)| !k.starts_with('@')) {
                    let path = if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    };
                    walk(inner, &path, out);
                }
            }
            _ => out.push(path.to_owned()),
        }
    }
    let mut out = Vec::new();
    walk(document, "", &mut out);
    out
}

fn must(what: &str, value: &str) -> Value {
    json!({"@type": "PropertyValue", "propertyID": what, "value": value, "emptor:must": true})
}

const fn schema_condition(condition: Condition) -> Option<&'static str> {
    match condition {
        Condition::New => Some("https://schema.org/NewCondition"),
        Condition::Used => Some("https://schema.org/UsedCondition"),
        Condition::Refurbished => Some("https://schema.org/RefurbishedCondition"),
        Condition::Damaged => Some("https://schema.org/DamagedCondition"),
        Condition::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tender::TenderStatus;

    #[test]
    fn what_is_private_stays_in_the_vault() {
        let now = Timestamp::from_second(1_800_000_000).expect("in range");
        let mut want = Want::new("Cordless drill 12V", now);
        want.limit = "7531.97 EUR".parse().ok();
        want.intensity = 93;
        want.note = Some("birthday-of-anna".into());
        want.urls = vec!["https://other.example/secret-page".into()];
        want.must = vec![
            "condition=new".parse().expect("condition"),
            "seller!=rival.example".parse().expect("condition"),
            "distance<=17".parse().expect("condition"),
        ];
        want.prefer = vec!["brand=Bosch:48.15".parse().expect("preference")];
        let session = |endpoint: &str| Session::new(endpoint, String::new());
        let tender = Tender {
            id: Id::new(),
            want: want.id,
            status: TenderStatus::Draft,
            demand: demand_for(&want, now),
            created: now,
            closes: now,
            sessions: vec![session("https://a.example/"), session("https://b.example/")],
        };
        let texts: Vec<String> = tender
            .sessions
            .iter()
            .zip(["did:key:zA", "did:key:zB"])
            .map(|(s, key)| document(&tender, s, key).to_string())
            .collect();
        assert!(!texts[0].contains("b.example") && !texts[1].contains("a.example"));
        for id in [want.id.to_string(), tender.id.to_string()] {
            assert!(!texts[0].contains(&id), "{id} in {}", texts[0]);
        }
        // The two differ in every identifier and in nothing else.
        let strip = |i: usize| {
            let mut v: Value = serde_json::from_str(&texts[i]).expect("JSON");
            for key in ["@id", "identifier", "emptor:buyer"] {
                assert!(v.as_object_mut().expect("object").remove(key).is_some());
            }
            v
        };
        assert_eq!(strip(0), strip(1));
        // Looked for where no random identifier can hold the same digits.
        let lasting = strip(0).to_string();
        for private in [
            "7531",
            "93",
            "birthday",
            "secret-page",
            "rival",
            "17,",
            "48.15",
            "Bosch",
        ] {
            assert!(!lasting.contains(private), "{private} in {lasting}");
        }
        for key in ["@id", "identifier", "emptor:buyer"] {
            let value = |t: &str| serde_json::from_str::<Value>(t).expect("JSON")[key].clone();
            assert_ne!(value(&texts[0]), value(&texts[1]), "{key}");
        }
    }

    #[test]
    fn fields_are_listed_for_the_ledger() {
        let doc = json!({"@type": "Demand", "name": "x", "itemOffered": {"gtin": "1", "brand": {"name": "b"}}});
        assert_eq!(
            fields(&doc),
            ["itemOffered.brand.name", "itemOffered.gtin", "name"]
        );
    }
}
