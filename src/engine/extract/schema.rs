//! schema.org items, from whatever syntax, to products with offers.

use super::claim::{Amount, Claim, Product};
use super::json::Json;
use super::stock;
use crate::engine::price::{self, Hints};
use crate::model::offer::UnitPrice;
use crate::model::{Currency, Gtin, Money};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// More products than this on one page are dropped.
const MAX_PRODUCTS: usize = 500;

/// More offers than this of one product are dropped.
const MAX_OFFERS: usize = 500;

/// How far items are followed into each other.
const MAX_DEPTH: usize = 32;

/// Properties that lead to other products than the page's.
const RELATIONS: &[&str] = &[
    "isRelatedTo",
    "isSimilarTo",
    "isAccessoryOrSparePartFor",
    "isConsumableFor",
    "hasPart",
    "review",
    "reviews",
    "itemReviewed",
    "hasOfferCatalog",
    "relatedLink",
    "mentions",
    "subjectOf",
    "addOn",
    "includesObject",
    "brand",
    "aggregateRating",
];

const PRODUCT_TYPES: &[&str] = &[
    "product",
    "productmodel",
    "individualproduct",
    "someproducts",
    "productgroup",
    "productcollection",
    "vehicle",
    "car",
    "motorcycle",
    "book",
    "softwareapplication",
    "mobileapplication",
    "videogame",
    "drug",
    "dietarysupplement",
    "service",
    "event",
    "course",
    "accommodation",
    "creativework",
    "movie",
    "musicalbum",
];

/// Finds the products in the items of one syntax. `place` names the syntax's items.
#[must_use]
pub fn products(items: &[Json], place: &str) -> Vec<Product> {
    let mut index = HashMap::new();
    for item in items {
        index_ids(item, 0, &mut index);
    }
    let mut walker = Walker {
        index,
        place,
        found: Vec::new(),
    };
    for item in items {
        walker.walk(item, Role::default(), 0);
    }
    walker.found
}

/// The names and addresses of an `ItemList`, for listing pages.
#[must_use]
pub fn list_items(items: &[Json]) -> Vec<(Claim, Vec<Claim>)> {
    let mut found: Vec<(Claim, Vec<Claim>)> = products(items, "list")
        .into_iter()
        .filter(|p| p.listed)
        .map(|p| (p.base, p.offers))
        .collect();
    for item in items {
        bare_list_items(item, 0, &mut found);
    }
    found
}

/// List entries that give only a name and an address.
fn bare_list_items(node: &Json, depth: usize, found: &mut Vec<(Claim, Vec<Claim>)>) {
    if depth > MAX_DEPTH || found.len() > MAX_PRODUCTS {
        return;
    }
    if let Json::Array(items) = node {
        for item in items {
            bare_list_items(item, depth + 1, found);
        }
    }
    let Json::Object(members) = node else { return };
    if has_type(node, &["itemlist"]) {
        for entry in prop(node, "itemListElement").map_or(&[][..], Json::items) {
            let (name, url) = (text(entry, "name"), text(entry, "url"));
            if let (Some(name), Some(url)) = (name, url) {
                let claim = Claim {
                    name: Some(name),
                    url: Some(url),
                    ..Claim::default()
                };
                found.push((claim, Vec::new()));
            }
        }
    }
    for (key, value) in members {
        if matches!(key.as_str(), "@graph" | "mainEntity") {
            bare_list_items(value, depth + 1, found);
        }
    }
}

fn index_ids<'a>(node: &'a Json, depth: usize, index: &mut HashMap<&'a str, &'a Json>) {
    if depth > MAX_DEPTH {
        return;
    }
    match node {
        Json::Object(members) => {
            if members.len() > 1
                && let Some(id) = node.get("@id").and_then(Json::as_text)
            {
                let known = index.entry(id).or_insert(node);
                if let (Json::Object(old), Json::Object(new)) = (*known, node)
                    && new.len() > old.len()
                {
                    *known = node;
                }
            }
            for (_, value) in members {
                index_ids(value, depth + 1, index);
            }
        }
        Json::Array(items) => {
            for item in items {
                index_ids(item, depth + 1, index);
            }
        }
        _ => {}
    }
}

#[derive(Clone, Copy, Default)]
struct Role {
    aside: bool,
    listed: bool,
}

struct Walker<'a> {
    index: HashMap<&'a str, &'a Json>,
    place: &'a str,
    found: Vec<Product>,
}

impl<'a> Walker<'a> {
    fn walk(&mut self, node: &'a Json, role: Role, depth: usize) {
        if depth > MAX_DEPTH || self.found.len() >= MAX_PRODUCTS {
            return;
        }
        let members = match node {
            Json::Array(items) => {
                for item in items {
                    self.walk(item, role, depth + 1);
                }
                return;
            }
            Json::Object(members) => members,
            _ => return,
        };
        if has_type(node, &["breadcrumblist"]) {
            return;
        }
        let is_product = has_type(node, PRODUCT_TYPES)
            && (prop(node, "offers").is_some()
                || prop(node, "hasVariant").is_some()
                || has_type(
                    node,
                    &[
                        "product",
                        "productgroup",
                        "individualproduct",
                        "productmodel",
                    ],
                ));
        if is_product {
            let product = self.product(node, role);
            self.found.push(product);
        } else if has_type(node, &["offer", "aggregateoffer"]) {
            let product = self.bare_offer(node, role);
            self.found.push(product);
            return;
        }
        let in_list = has_type(
            node,
            &[
                "itemlist",
                "collectionpage",
                "searchresultspage",
                "offercatalog",
                "listitem",
            ],
        );
        for (key, value) in members {
            let key = local(key);
            if is_product && matches!(key, "offers" | "hasVariant" | "isVariantOf" | "model") {
                continue;
            }
            let role = Role {
                aside: role.aside || is_product || RELATIONS.contains(&key),
                listed: role.listed
                    || (in_list
                        && matches!(
                            key,
                            "itemListElement" | "item" | "mainEntity" | "itemOffered"
                        )),
            };
            self.walk(value, role, depth + 1);
        }
    }

    /// Follows `{"@id": …}`.
    fn resolve(&self, node: &'a Json) -> &'a Json {
        match node {
            Json::Object(members) if members.len() == 1 => node
                .get("@id")
                .and_then(Json::as_text)
                .and_then(|id| self.index.get(id))
                .copied()
                .unwrap_or(node),
            _ => node,
        }
    }

    fn product(&self, node: &'a Json, role: Role) -> Product {
        let mut product = Product {
            base: self.base(node),
            aside: role.aside,
            listed: role.listed,
            ..Product::default()
        };
        if let Some(group) = prop(node, "isVariantOf").map(|g| self.resolve(g)) {
            let group = self.base(group);
            product.base.fill_from(&Claim {
                url: None,
                sku: None,
                gtin: None,
                ..group
            });
        }
        self.add_offers(node, &mut product, &Claim::default());
        for variant in prop(node, "hasVariant")
            .or_else(|| prop(node, "model"))
            .map_or(&[][..], Json::items)
        {
            let variant = self.resolve(variant);
            let base = self.base(variant);
            self.add_offers(variant, &mut product, &base);
        }
        product
    }

    fn bare_offer(&self, node: &'a Json, role: Role) -> Product {
        let thing = prop(node, "itemOffered").map(|i| self.resolve(i));
        let mut product = Product {
            base: thing.map(|t| self.base(t)).unwrap_or_default(),
            aside: role.aside,
            listed: role.listed,
            ..Product::default()
        };
        if product.base.name.is_none() {
            product.base.name = text(node, "name");
        }
        product.base.place = format!("{} Offer", self.place);
        self.add_offer(node, &mut product, &Claim::default(), 0);
        product
    }

    fn add_offers(&self, node: &'a Json, product: &mut Product, base: &Claim) {
        for offer in prop(node, "offers").map_or(&[][..], Json::items) {
            self.add_offer(self.resolve(offer), product, base, 0);
        }
        // Some shops put the price on the product itself.
        if prop(node, "offers").is_none() && prop(node, "price").is_some() {
            self.add_offer(node, product, base, 0);
        }
    }

    fn add_offer(&self, offer: &'a Json, product: &mut Product, base: &Claim, depth: usize) {
        if depth > 3 || product.offers.len() >= MAX_OFFERS || !matches!(offer, Json::Object(_)) {
            return;
        }
        let mut claim = self.offer(offer);
        claim.fill_from(base);
        claim.keys.extend(base.keys.iter().cloned());
        if let Some(thing) = prop(offer, "itemOffered").map(|i| self.resolve(i)) {
            let base = self.base(thing);
            claim.keys.extend(base.keys.iter().cloned());
            claim.fill_from(&base);
        }
        claim.place = format!("{} {}", self.place, product.base.place);
        let nested = prop(offer, "offers").map_or(&[][..], Json::items);
        let is_aggregate = has_type(offer, &["aggregateoffer"]) || claim.low.is_some();
        if is_aggregate {
            product.aggregate = true;
        }
        let before = product.offers.len();
        for inner in nested {
            self.add_offer(self.resolve(inner), product, base, depth + 1);
        }
        for inner in &mut product.offers[before..] {
            inner.fill_from(&Claim {
                availability: None,
                ..claim.clone()
            });
        }
        let priced_inside = product.offers[before..].iter().any(|o| o.price.is_some());
        if priced_inside {
            // The range repeats what the single offers say.
            claim.low = None;
            claim.high = None;
        }
        if claim.price.is_some()
            || claim.low.is_some()
            || (claim.availability.is_some() && !priced_inside)
        {
            product.offers.push(claim);
        }
    }

    /// The properties of a thing.
    fn base(&self, node: &'a Json) -> Claim {
        let gtin = [
            "gtin13",
            "gtin",
            "gtin14",
            "gtin12",
            "gtin8",
            "ean",
            "isbn",
            "productID",
            "upc",
            "barcode",
        ]
        .iter()
        .filter_map(|key| text(node, key))
        .find_map(|t| gtin(&t));
        let mut claim = Claim {
            name: text(node, "name").or_else(|| text(node, "title")),
            brand: prop(node, "brand")
                .or_else(|| prop(node, "manufacturer"))
                .and_then(|b| self.name_of(b)),
            gtin,
            mpn: text(node, "mpn"),
            sku: text(node, "sku").or_else(|| text(node, "productID")),
            condition: text(node, "itemCondition").and_then(|c| stock::condition(&c)),
            url: text(node, "url")
                .or_else(|| text(node, "@id").filter(|id| id.starts_with("http"))),
            image: prop(node, "image").and_then(image),
            place: types(node).next().unwrap_or("item").to_owned(),
            ..Claim::default()
        };
        claim.keys = [
            "sku",
            "productID",
            "mpn",
            "@id",
            "url",
            "color",
            "size",
            "name",
            "identifier",
            "productGroupID",
        ]
        .iter()
        .filter_map(|key| text(node, key))
        .chain(claim.gtin.map(|g| g.to_string()))
        .collect();
        claim
    }

    fn offer(&self, node: &'a Json) -> Claim {
        let mut claim = self.base(node);
        claim.brand = None;
        claim.name = None;
        claim.currency = currency_of(node);
        claim.availability = text(node, "availability").and_then(|a| stock::from_value(&a));
        claim.seller = prop(node, "seller")
            .or_else(|| prop(node, "offeredBy"))
            .and_then(|s| self.name_of(s));
        claim.valid_through = text(node, "priceValidUntil").or_else(|| text(node, "validThrough"));
        for spec in prop(node, "priceSpecification").map_or(&[][..], Json::items) {
            self.specification(self.resolve(spec), &mut claim, 0);
        }
        if claim.currency.is_none() {
            claim.symbol = text(node, "priceCurrency")
                .or_else(|| text(node, "price").and_then(|p| symbol_in(&p)));
        }
        let amount = |key: &str, currency| text(node, key).and_then(|t| Amount::read(&t, currency));
        let currency = claim.currency;
        if let Some(price) = amount("price", currency) {
            claim.price = Some(price);
        }
        claim.low = amount("lowPrice", currency).or_else(|| amount("minPrice", currency));
        claim.high = amount("highPrice", currency).or_else(|| amount("maxPrice", currency));
        if claim.price.is_none()
            && let Some(range) = text(node, "price").and_then(|t| range_in(&t))
        {
            claim.low = Some(range.0);
            claim.high = range.1;
        }
        if claim.list.as_ref() == claim.price.as_ref() {
            claim.list = None;
        }
        for details in prop(node, "shippingDetails")
            .map_or(&[][..], Json::items)
            .iter()
            .take(1)
        {
            self.shipping(self.resolve(details), &mut claim);
        }
        claim
    }

    /// A `PriceSpecification` and its kinds.
    fn specification(&self, spec: &'a Json, claim: &mut Claim, depth: usize) {
        if depth > 2 {
            return;
        }
        for part in prop(spec, "priceComponent").map_or(&[][..], Json::items) {
            self.specification(self.resolve(part), claim, depth + 1);
        }
        let currency = currency_of(spec);
        if claim.currency.is_none() {
            claim.currency = currency;
        }
        let Some(amount) = text(spec, "price").and_then(|t| Amount::read(&t, currency)) else {
            if claim.low.is_none() {
                claim.low = text(spec, "minPrice").and_then(|t| Amount::read(&t, currency));
                claim.high = text(spec, "maxPrice").and_then(|t| Amount::read(&t, currency));
            }
            return;
        };
        let kind = text(spec, "priceType").unwrap_or_default().to_lowercase();
        let delivery = has_type(spec, &["deliverychargespecification"]);
        let quantity = prop(spec, "referenceQuantity").map(|q| self.resolve(q));
        let by_unit = quantity.is_some() || text(spec, "unitCode").is_some_and(|u| !is_piece(&u));
        if delivery {
            claim.shipping_cost = Some((amount.value, currency));
        } else if ["list", "strike", "srp", "msrp", "regular", "suggested"]
            .iter()
            .any(|k| kind.contains(k))
        {
            claim.list = Some(amount);
        } else if by_unit && has_type(spec, &["unitpricespecification"]) {
            if let Some(currency) = currency.or(claim.currency) {
                claim.unit_price = Some(unit_price(
                    spec,
                    quantity,
                    Money::new(amount.value, currency),
                ));
            }
        } else if text(spec, "billingDuration").is_some()
            || text(spec, "billingIncrement").is_some()
        {
            // A payment plan, unless nothing else is said.
        } else if claim.price.is_none() || kind.contains("sale") {
            claim.price = Some(amount);
        }
    }

    fn shipping(&self, details: &'a Json, claim: &mut Claim) {
        if let Some(rate) = prop(details, "shippingRate").map(|r| self.resolve(r)) {
            let value = text(rate, "value").or_else(|| text(rate, "price"));
            let amount = value.and_then(|v| price::read(&v, &Hints::default()).amount);
            let currency = text(rate, "currency").or_else(|| text(rate, "priceCurrency"));
            if let Some(amount) = amount {
                claim.shipping_cost = Some((amount, currency.and_then(|c| c.parse().ok())));
            }
        }
        let time = prop(details, "deliveryTime").map(|t| self.resolve(t));
        let days = |key: &str| {
            let part = self.resolve(prop(time?, key)?);
            let number = |k| text(part, k)?.parse::<u32>().ok();
            Some((number("minValue")?, number("maxValue")?))
        };
        if let Some(transit) = days("transitTime") {
            let handling = days("handlingTime").unwrap_or((0, 0));
            claim.shipping_days = Some((
                transit.0.saturating_add(handling.0),
                transit.1.saturating_add(handling.1),
            ));
        }
    }

    /// The name of an organisation or brand given as text or item.
    fn name_of(&self, node: &'a Json) -> Option<String> {
        let node = self.resolve(node.items().first()?);
        match node {
            Json::Text(s) if !s.starts_with("http") => some(s),
            Json::Object(_) => text(node, "name"),
            _ => None,
        }
    }
}

/// UN/CEFACT codes for single pieces.
fn is_piece(unit: &str) -> bool {
    matches!(
        unit.to_ascii_uppercase().as_str(),
        "C62" | "EA" | "PCE" | "H87" | "NMP" | "PC" | "ST"
    )
}

fn unit_price(spec: &Json, quantity: Option<&Json>, price: Money) -> UnitPrice {
    let from = quantity.unwrap_or(spec);
    let code = text(from, "unitText")
        .or_else(|| text(from, "unitCode"))
        .unwrap_or_default();
    let unit = match code.to_ascii_uppercase().as_str() {
        "KGM" => "kg".to_owned(),
        "GRM" => "g".to_owned(),
        "LTR" => "l".to_owned(),
        "MLT" => "ml".to_owned(),
        "MTR" => "m".to_owned(),
        "MTK" => "m2".to_owned(),
        _ => code,
    };
    let quantity = quantity
        .and_then(|q| text(q, "value"))
        .and_then(|v| v.parse().ok())
        .filter(|q: &Decimal| *q > Decimal::ZERO)
        .unwrap_or(Decimal::ONE);
    UnitPrice {
        price,
        quantity,
        unit,
    }
}

fn currency_of(node: &Json) -> Option<Currency> {
    let written = text(node, "priceCurrency").or_else(|| text(node, "currency"))?;
    written
        .parse()
        .ok()
        .or_else(|| price::read(&format!("1 {written}"), &Hints::default()).currency)
}

fn symbol_in(price: &str) -> Option<String> {
    price::read(price, &Hints::default()).symbol
}

/// "from 9.99" and "9.99 - 19.99".
fn range_in(text: &str) -> Option<(Amount, Option<Amount>)> {
    let figures = price::figures(text, &Hints::default());
    let figure = figures
        .first()
        .filter(|f| f.kind == price::Kind::From && f.amount > Decimal::ZERO)?;
    let amount = |value| Amount { value, other: None };
    Some((amount(figure.amount), figure.high.map(amount)))
}

/// A number that is a valid GTIN, maybe with a prefix such as `gtin13:`.
#[must_use]
pub fn gtin(text: &str) -> Option<Gtin> {
    text.trim().rsplit([':', '/']).next()?.trim().parse().ok()
}

fn image(node: &Json) -> Option<String> {
    match node.items().first()? {
        Json::Text(s) => some(s),
        object => text(object, "contentUrl")
            .or_else(|| text(object, "url"))
            .or_else(|| text(object, "@id")),
    }
}

/// A property under its name, with or without the vocabulary's prefix.
#[must_use]
pub fn prop<'a>(node: &'a Json, name: &str) -> Option<&'a Json> {
    let Json::Object(members) = node else {
        return None;
    };
    members
        .iter()
        .find(|(key, value)| *value != Json::Null && local(key).eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// The first text of a property.
fn text(node: &Json, name: &str) -> Option<String> {
    prop(node, name)?
        .items()
        .iter()
        .take(4)
        .find_map(|value| match value {
            Json::Object(_) => ["@value", "value", "@id", "name"]
                .iter()
                .find_map(|k| value.get(k)?.as_text().and_then(some)),
            Json::Bool(b) => Some(b.to_string()),
            one => one.as_text().and_then(some),
        })
}

fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The last part of a vocabulary name: `price` of `https://schema.org/price`.
fn local(name: &str) -> &str {
    if name.starts_with('@') {
        return name;
    }
    name.rsplit(['/', '#', ':']).next().unwrap_or(name)
}

fn types(node: &Json) -> impl Iterator<Item = &str> {
    node.get("@type")
        .map_or(&[][..], Json::items)
        .iter()
        .filter_map(Json::as_text)
        .map(|t| local(t.trim_end_matches('/')))
}

fn has_type(node: &Json, wanted: &[&str]) -> bool {
    types(node).any(|t| wanted.iter().any(|w| t.eq_ignore_ascii_case(w)))
}
