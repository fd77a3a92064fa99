//! JSON-LD and other data that shops embed in scripts and meta elements.

use super::claim::{Amount, Claim};
use super::json::{self, Json};
use super::{schema, stock};
use crate::engine::html::{Document, Tag};
use rust_decimal::Decimal;
use std::str::FromStr;

/// The values of all `application/ld+json` scripts, wherever they stand.
#[must_use]
pub fn json_ld(doc: &Document) -> Vec<Json> {
    let mut out = Vec::new();
    for id in doc.ids() {
        if doc.tag(id) != Some(Tag::Script) {
            continue;
        }
        let kind = doc.raw_attr(id, "type").unwrap_or_default();
        if !kind.to_ascii_lowercase().contains("ld+json") {
            continue;
        }
        for text in doc.children(id).filter_map(|t| doc.raw_text(t)) {
            let values = json::parse_all(text);
            // Scripts that were escaped like attributes.
            if values.is_empty() && text.contains("&quot;") {
                out.extend(json::parse_all(&crate::engine::html::entity::expand_text(
                    text,
                )));
            }
            out.extend(values);
        }
    }
    out
}

/// What the meta elements of Open Graph and its product extension say.
#[derive(Clone, Debug, Default)]
pub struct Meta {
    /// The claim about the page's product.
    pub claim: Claim,
    /// `og:type`.
    pub kind: String,
    /// `og:locale`.
    pub locale: Option<String>,
    /// `og:site_name`.
    pub site: Option<String>,
    /// `description`.
    pub description: Option<String>,
}

/// Reads the meta elements.
#[must_use]
pub fn meta(doc: &Document) -> Meta {
    let mut out = Meta::default();
    let mut sale = None;
    let mut labels: Vec<(String, String)> = Vec::new();
    for id in doc.ids() {
        if doc.tag(id) != Some(Tag::Meta) {
            continue;
        }
        let Some(content) = doc.attr(id, "content").filter(|c| !c.trim().is_empty()) else {
            continue;
        };
        let Some(name) = doc
            .raw_attr(id, "property")
            .or_else(|| doc.raw_attr(id, "name"))
        else {
            continue;
        };
        let content = content.trim().to_owned();
        let claim = &mut out.claim;
        let fill = |field: &mut Option<String>| {
            if field.is_none() {
                *field = Some(content.clone());
            }
        };
        match name.to_ascii_lowercase().as_str() {
            "og:title" => fill(&mut claim.name),
            "og:type" => out.kind = content,
            "og:url" => fill(&mut claim.url),
            "og:image" | "og:image:url" | "og:image:secure_url" => fill(&mut claim.image),
            "og:locale" => fill(&mut out.locale),
            "og:site_name" => fill(&mut out.site),
            "description" => fill(&mut out.description),
            "product:price:amount" | "og:price:amount" | "product:price" | "og:price" | "price" => {
                if claim.price.is_none() {
                    claim.price = Amount::read(&content, None);
                }
            }
            "product:sale_price:amount" | "og:sale_price:amount" => {
                sale = Amount::read(&content, None)
            }
            "product:original_price:amount"
            | "og:price:standard_amount"
            | "product:price:standard_amount"
            | "og:standard_price:amount"
            | "product:regular_price:amount" => {
                claim.list = Amount::read(&content, None);
            }
            "product:price:currency"
            | "og:price:currency"
            | "product:sale_price:currency"
            | "og:currency"
            | "pricecurrency" => {
                fill(&mut claim.symbol);
            }
            "product:availability" | "og:availability" | "product:is_product_shareable"
                if name.ends_with("ailability") =>
            {
                claim.availability = stock::from_value(&content);
            }
            "product:condition" | "og:condition" => claim.condition = stock::condition(&content),
            "product:brand" | "og:brand" => fill(&mut claim.brand),
            "product:retailer_item_id" | "product:sku" => fill(&mut claim.sku),
            "product:mfr_part_no" => fill(&mut claim.mpn),
            "product:ean" | "product:upc" | "product:isbn" | "product:gtin" | "og:upc"
            | "og:ean" => {
                claim.gtin = claim.gtin.or_else(|| schema::gtin(&content));
            }
            other => {
                if let Some(number) = other.strip_prefix("twitter:label") {
                    labels.push((number.to_owned(), content));
                } else if let Some(number) = other.strip_prefix("twitter:data")
                    && labels
                        .iter()
                        .any(|(n, label)| n == number && is_price_label(label))
                    && claim.price.is_none()
                {
                    claim.price = Amount::read(&content, None);
                    claim.symbol = claim.symbol.take().or_else(|| {
                        crate::engine::price::read(
                            &content,
                            &crate::engine::price::Hints::default(),
                        )
                        .symbol
                    });
                }
            }
        }
    }
    if let Some(sale) = sale {
        let full = out.claim.price.replace(sale.clone());
        if out.claim.list.is_none() && full.as_ref().is_some_and(|f| f.value > sale.value) {
            out.claim.list = full;
        }
    }
    if let Some(code) = out.claim.symbol.as_deref() {
        out.claim.currency = code.parse().ok();
    }
    out.claim.place = "meta product:price:amount".into();
    out
}

fn is_price_label(label: &str) -> bool {
    let label = label.to_lowercase();
    [
        "price", "preis", "prix", "precio", "prezzo", "cena", "prijs", "preço", "цена",
    ]
    .contains(&label.trim())
}

/// Amounts under price-like keys in scripts that are not JSON-LD: the state of the page's
/// own program. Weak, because the keys mean different things in different shops.
#[must_use]
pub fn state_prices(doc: &Document) -> Vec<(Decimal, String)> {
    let mut out: Vec<(Decimal, String)> = Vec::new();
    for id in doc.ids() {
        if doc.tag(id) != Some(Tag::Script) {
            continue;
        }
        let kind = doc.raw_attr(id, "type").unwrap_or_default();
        if kind.to_ascii_lowercase().contains("ld+json") {
            continue;
        }
        for text in doc.children(id).filter_map(|t| doc.raw_text(t)) {
            scan(text, &mut out);
            if out.len() >= MAX_STATE {
                return out;
            }
        }
    }
    out
}

/// Enough to see which amounts a page repeats.
const MAX_STATE: usize = 400;

/// Keys whose amount is what the buyer pays, in lower case without separators.
const PRICE_KEYS: &[&str] = &[
    "price",
    "saleprice",
    "sellingprice",
    "currentprice",
    "finalprice",
    "offerprice",
    "ourprice",
    "productprice",
    "priceamount",
    "ecommtotalvalue",
    "unitprice",
    "specialprice",
    "actualprice",
    "pricevalue",
    "discountedprice",
    "pricewithtax",
    "priceincltax",
    "itemprice",
    "baseprice",
    "displayprice",
    "formattedprice",
    "buyprice",
    "salesprice",
];

fn scan(text: &str, out: &mut Vec<(Decimal, String)>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(found) = find_rice(bytes, from) {
        from = found + 4;
        let is_key = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let mut start = found;
        while start > 0 && is_key(bytes[start - 1]) && found - start < 32 {
            start -= 1;
        }
        let mut end = found + 4;
        while end < bytes.len() && is_key(bytes[end]) && end - found < 32 {
            end += 1;
        }
        let key: String = text[start..end]
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if !PRICE_KEYS.contains(&key.as_str()) {
            continue;
        }
        let mut at = end;
        while at < bytes.len()
            && at < end + 8
            && matches!(bytes[at], b'"' | b'\'' | b'\\' | b' ' | b':' | b'=')
        {
            at += 1;
        }
        if !bytes[end..at].iter().any(|b| matches!(b, b':' | b'=')) {
            continue;
        }
        let number: String = bytes[at..]
            .iter()
            .take(16)
            .take_while(|b| b.is_ascii_digit() || **b == b'.')
            .map(|b| char::from(*b))
            .collect();
        let next = bytes.get(at + number.len());
        if next.is_some_and(|b| {
            b.is_ascii_alphabetic()
                || *b == b','
                    && bytes
                        .get(at + number.len() + 1)
                        .is_some_and(u8::is_ascii_digit)
        }) {
            continue;
        }
        if let Ok(value) = Decimal::from_str(number.trim_end_matches('.'))
            && value > Decimal::ZERO
            && out.len() < MAX_STATE
        {
            out.push((value, text[start..end].to_owned()));
        }
    }
}

/// The next `rice` or `RICE` (of any kind of price), or `alue` of `totalvalue`.
fn find_rice(bytes: &[u8], from: usize) -> Option<usize> {
    bytes[from..]
        .windows(4)
        .position(|w| matches!(w, b"rice" | b"RICE" | b"alue"))
        .map(|i| from + i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::html;

    #[test]
    fn scripts_after_the_end_and_with_junk() {
        let doc = html::parse(
            b"<html><body></body></html><script type='application/ld+json;charset=utf-8'>//<![CDATA[\n{\"@type\":\"Product\"}//]]></script>",
            None,
        );
        assert_eq!(json_ld(&doc).len(), 1);
    }

    #[test]
    fn meta_prices() {
        let doc = html::parse(
            b"<meta property='product:price:amount' content='48,00'><meta property='product:price:currency' content='EUR'>
              <meta property='og:availability' content='oos'><meta property='product:sale_price:amount' content='40'>",
            None,
        );
        let claim = meta(&doc).claim;
        assert_eq!(claim.price.map(|p| p.value), Some(Decimal::from(40)));
        assert_eq!(claim.list.map(|p| p.value), Some(Decimal::new(4800, 2)));
        assert_eq!(claim.currency.map(|c| c.code()), Some("EUR"));
        assert_eq!(
            claim.availability,
            Some(crate::model::Availability::OutOfStock)
        );
    }

    #[test]
    fn prices_in_program_state() {
        let doc = html::parse(
            b"<script>var p={\"price\":\"12.50\",\"oldPrice\":20,salePrice:11.5,\"price\":\"1,299\",ecomm_totalvalue: 7}</script>",
            None,
        );
        let values: Vec<String> = state_prices(&doc).iter().map(|p| p.0.to_string()).collect();
        assert_eq!(values, ["12.50", "11.5", "7"]);
    }
}
