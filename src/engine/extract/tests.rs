//! Whole pages: hostile and misleading ones, each for one property.

mod measured;

use super::{Page, read_page};
use crate::model::offer::Extractor;
use crate::model::{Availability, Extraction, Verdict};
use rust_decimal::Decimal;
use url::Url;

fn read_at(address: &str, html: &str) -> Extraction {
    let url = Url::parse(address).expect("address");
    read_page(&Page {
        body: html.as_bytes(),
        content_type: None,
        url: Some(&url),
    })
}

fn read(html: &str) -> Extraction {
    read_at("https://shop.example.de/p/blue-cup", html)
}

fn price(extraction: &Extraction) -> Option<String> {
    let first = extraction
        .offers
        .first()
        .filter(|_| extraction.verdict == Verdict::Value)?;
    first.price.map(|p| p.to_string())
}

fn ld(offers: &str) -> String {
    format!(
        r#"<title>Blue cup</title><h1>Blue cup</h1><script type="application/ld+json">{{"@context":"https://schema.org","@type":"Product","name":"Blue cup","sku":"C1","gtin13":"4006381333931","brand":{{"name":"Potter"}},"offers":{offers}}}</script>"#
    )
}

#[test]
fn every_syntax_alone() {
    for page in [
        ld(r#"{"@type":"Offer","price":"12.50","priceCurrency":"EUR","availability":"https://schema.org/InStock"}"#),
        r#"<div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">Blue cup</h1><div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><meta itemprop="price" content="12.50"><meta itemprop="priceCurrency" content="EUR"><link itemprop="availability" href="https://schema.org/InStock"></div></div>"#.into(),
        r#"<div vocab="https://schema.org/" typeof="Product"><h1 property="name">Blue cup</h1><div property="offers" typeof="Offer"><meta property="price" content="12.50"><meta property="priceCurrency" content="EUR"><link property="availability" href="https://schema.org/InStock"></div></div>"#.into(),
        r#"<title>Blue cup</title><meta property="og:title" content="Blue cup"><meta property="product:price:amount" content="12.50"><meta property="product:price:currency" content="EUR"><meta property="og:availability" content="instock">"#.into(),
        r#"<h1>Blue cup</h1><div class="price">12,50 €</div><p class="stock">Auf Lager</p><button class="add-to-cart">In den Warenkorb</button>"#.into(),
    ] {
        let extraction = read(&page);
        assert_eq!(price(&extraction).as_deref(), Some("12.50 EUR"), "{page}");
        let offer = &extraction.offers[0];
        assert_eq!(offer.name.as_deref(), Some("Blue cup"));
        assert_eq!(offer.availability, Availability::InStock, "{page}");
        assert!(!offer.provenance.is_empty());
    }
}

#[test]
fn one_price_in_two_writings() {
    let page = ld(r#"{"@type":"Offer","price":2879.2,"priceCurrency":"EUR"}"#)
        + r#"<meta property="product:price:amount" content="2879.20"><b class=price>2.879,20 €</b>"#;
    let extraction = read(&page);
    assert_eq!(price(&extraction).as_deref(), Some("2879.20 EUR"));
    assert!(extraction.offers[0].confidence > 0.9);
}

#[test]
fn zero_is_no_price() {
    for zero in [r#""0""#, r#""0.00""#, "0", r#""""#] {
        let extraction = read(&ld(&format!(
            r#"{{"@type":"Offer","price":{zero},"priceCurrency":"EUR"}}"#
        )));
        assert_eq!(extraction.verdict, Verdict::Absent, "{zero}");
    }
    assert_eq!(
        price(&read(
            "<h1>Cup</h1><b class=price>0,00 €</b><button>In den Warenkorb</button>"
        )),
        None
    );
}

#[test]
fn from_is_no_price() {
    let page = "<h1>Blue cup</h1><b class=price>ab 9,99 €</b><button>In den Warenkorb</button>";
    assert_eq!(price(&read(page)), None);
    let range = ld(
        r#"{"@type":"AggregateOffer","lowPrice":"9.99","highPrice":"19.99","priceCurrency":"EUR"}"#,
    );
    let extraction = read(&range);
    assert_eq!(price(&extraction), None);
    let found = extraction.offers[0].price_range.expect("a range");
    assert_eq!(
        (found.low, found.high),
        (Decimal::new(999, 2), Some(Decimal::new(1999, 2)))
    );
    assert_eq!(
        price(&read(&ld(
            r#"{"@type":"Offer","price":"from 9.99","priceCurrency":"EUR"}"#
        ))),
        None
    );
}

#[test]
fn two_currencies_abstain() {
    let page = ld(r#"{"@type":"Offer","price":"43.90","priceCurrency":"EUR"}"#)
        + r#"<meta property="product:price:amount" content="48.00"><meta property="product:price:currency" content="USD">"#;
    assert_eq!(read(&page).verdict, Verdict::Ambiguous);
    // What the page shows decides.
    let shown = page + "<b class=price>43,90 €</b>";
    assert_eq!(price(&read(&shown)).as_deref(), Some("43.90 EUR"));
}

#[test]
fn crossed_out_prices() {
    for page in [
        "<h1>Cup</h1><div class=price><del>20,00 €</del> <ins>15,00 €</ins></div><button>In den Warenkorb</button>",
        "<h1>Cup</h1><span class=old-price>20,00 €</span><span class=special-price>15,00 €</span><button>In den Warenkorb</button>",
        "<h1>Cup</h1><span style='text-decoration: line-through'>20,00 €</span> <b>15,00 €</b><button>In den Warenkorb</button>",
        "<h1>Cup</h1><p>-25 %</p><b>15,00 €</b> <b>20,00 €</b><button>In den Warenkorb</button>",
        "<h1>Cup</h1><p>UVP: <b>20,00 €</b></p><p><b class=price>15,00 €</b></p><button>In den Warenkorb</button>",
    ] {
        let extraction = read(page);
        assert_eq!(price(&extraction).as_deref(), Some("15.00 EUR"), "{page}");
        assert_eq!(
            extraction.offers[0]
                .list_price
                .map(|p| p.to_string())
                .as_deref(),
            Some("20.00 EUR"),
            "{page}"
        );
    }
}

#[test]
fn markup_with_the_old_price() {
    let page = ld(r#"{"@type":"Offer","price":"20.00","priceCurrency":"EUR"}"#)
        + "<p class=price><del>20,00 €</del> <b class=price>15,00 €</b></p><button>In den Warenkorb</button>";
    assert_eq!(price(&read(&page)).as_deref(), Some("15.00 EUR"));
}

#[test]
fn instalments_shipping_and_unit_prices_are_not_it() {
    let page = "<h1>Cup</h1><div class=product-info><p>12 x 9,99 €</p><p>Versandkosten 4,90 €</p><p>Versandkostenfrei ab 50 €</p><p>(3,98 €/100 g)</p>
        <b class=price>119,88 €</b><p>oder 9,99 €/Monat</p><button>In den Warenkorb</button></div>";
    assert_eq!(price(&read(page)).as_deref(), Some("119.88 EUR"));
    let without = page.replace("<b class=price>119,88 €</b>", "");
    assert_eq!(price(&read(&without)), None);
}

#[test]
fn related_products_are_not_it() {
    let cards =
        "<li class=product-card><a href=/p/x>Red cup</a><b class=price>5,00 €</b></li>".repeat(3);
    let page = format!(
        "<h1>Blue cup</h1><p>Leider ausverkauft</p><div class=related-products><h2>Das könnte Ihnen gefallen</h2><ul>{cards}</ul></div>"
    );
    assert_eq!(price(&read(&page)), None);
}

#[test]
fn lists_are_no_products() {
    let cards: String = (1..9)
        .map(|i| {
            format!("<li class=card><a href=/p/{i}>Cup {i}</a><b class=price>{i},50 €</b></li>")
        })
        .collect();
    assert_eq!(
        price(&read(&format!("<h1>Cups</h1><ul>{cards}</ul>"))),
        None
    );
    let items: Vec<String> = (1..4)
        .map(|i| format!(r#"{{"@type":"ListItem","item":{{"@type":"Product","name":"Cup {i}","offers":{{"@type":"Offer","price":"{i}.50","priceCurrency":"EUR"}}}}}}"#))
        .collect();
    let list = format!(
        r#"<h1>Cups</h1><script type="application/ld+json">{{"@type":"ItemList","itemListElement":[{}]}}</script>"#,
        items.join(",")
    );
    assert_eq!(price(&read(&list)), None);
}

#[test]
fn the_address_selects_the_variant() {
    let page = r#"<h1>Shirt</h1><script type="application/ld+json">{"@type":"ProductGroup","name":"Shirt","hasVariant":[
        {"@type":"Product","sku":"S1","name":"Shirt S","offers":{"@type":"Offer","price":"10","priceCurrency":"EUR","url":"https://shop.example.de/p/shirt?variant=1","availability":"InStock"}},
        {"@type":"Product","sku":"S2","name":"Shirt XL","offers":{"@type":"Offer","price":"12","priceCurrency":"EUR","url":"https://shop.example.de/p/shirt?variant=2","availability":"OutOfStock"}}]}</script>"#;
    let second = read_at(
        "https://shop.example.de/p/shirt?utm_source=x&variant=2",
        page,
    );
    assert_eq!(price(&second).as_deref(), Some("12.00 EUR"));
    assert_eq!(second.offers[0].availability, Availability::OutOfStock);
    assert_eq!(second.offers[0].sku.as_deref(), Some("S2"));
    assert_eq!(
        read_at("https://shop.example.de/p/shirt", page).verdict,
        Verdict::Ambiguous
    );
}

#[test]
fn graphs_references_and_broken_scripts() {
    let page = r##"<h1>Blue cup</h1><script type="application/ld+json">{"@graph": [ oops </script>
        <script type="application/ld+json">{"@graph":[{"@type":"WebPage","name":"x"},{"@type":["Product","Thing"],"@id":"#p","name":"Blue cup","offers":{"@id":"#o"}},
        {"@type":"Offer","@id":"#o","priceSpecification":[{"@type":"UnitPriceSpecification","price":"20","priceCurrency":"EUR","priceType":"https://schema.org/ListPrice"},{"@type":"UnitPriceSpecification","price":"15","priceCurrency":"EUR"}],"availability":"InStock",}]}</script>"##;
    let extraction = read(page);
    assert_eq!(price(&extraction).as_deref(), Some("15.00 EUR"));
    assert_eq!(
        extraction.offers[0]
            .list_price
            .map(|p| p.to_string())
            .as_deref(),
        Some("20.00 EUR")
    );
    assert_eq!(
        extraction.offers[0].provenance[0].extractor,
        Extractor::JsonLd
    );
}

#[test]
fn a_wrong_check_digit_is_dropped() {
    let good = ld(r#"{"@type":"Offer","price":"5","priceCurrency":"EUR"}"#);
    assert_eq!(
        read(&good).offers[0].gtin.map(|g| g.to_string()).as_deref(),
        Some("4006381333931")
    );
    assert_eq!(
        read(&good.replace("4006381333931", "4006381333932")).offers[0].gtin,
        None
    );
}

#[test]
fn walls_are_blocked() {
    let wall = read("<title>Just a moment...</title><body><h1>Checking your browser</h1></body>");
    assert_eq!(wall.verdict, Verdict::Blocked);
    assert!(wall.offers.is_empty());
}

#[test]
fn titles_cannot_steer_a_terminal() {
    let page = ld(r#"{"@type":"Offer","price":"5","priceCurrency":"EUR"}"#)
        .replace("Blue cup", "Blue\u{1b}[31m \u{202e}cup\u{7}");
    let extraction = read(&page);
    let texts = [
        extraction.title.as_deref(),
        extraction.offers[0].name.as_deref(),
    ];
    for text in texts.into_iter().flatten() {
        assert!(!text.chars().any(crate::model::text::is_hidden), "{text:?}");
    }
}

#[test]
fn hostile_pages_give_an_answer() {
    let deep_ld = format!(
        r#"<script type="application/ld+json">{{"@type":"Product","a":{}</script>"#,
        r#"{"a":["#.repeat(10_000)
    );
    let scopes = "<div itemscope itemprop=offers id=a itemref=a>".repeat(2000);
    let references: String = (0..200)
        .map(|i| {
            format!(
                "<div itemscope id=i{i} itemref='i{} i{} i{}'>",
                (i + 1) % 200,
                (i + 7) % 200,
                (i + 13) % 200
            )
        })
        .collect();
    for page in [
        "<div>".repeat(40_000),
        "<ul><li>".repeat(20_000),
        format!("<p {}>", "a=b ".repeat(220_000)),
        "<span class=price>9,99 €</span>".repeat(20_000),
        "<b>9</b>€".repeat(30_000),
        "9,99 € ".repeat(100_000),
        deep_ld,
        scopes,
        references,
        "<a href=/x>".repeat(20_000),
        String::new(),
    ] {
        let _ = read(&page);
        let _ = super::links(&Page {
            body: page.as_bytes(),
            content_type: None,
            url: None,
        });
    }
}

#[test]
fn broken_bytes_and_labels() {
    let mut body = ld(r#"{"@type":"Offer","price":"5","priceCurrency":"EUR"}"#).into_bytes();
    body.extend([0xFF, 0xFE, 0x80, 0x00]);
    let page = Page {
        body: &body,
        content_type: Some("text/html; charset=nonsense"),
        url: None,
    };
    assert_eq!(price(&read_page(&page)).as_deref(), Some("5.00 EUR"));
    let latin: Vec<u8> = "<meta charset=utf-8><h1>T\u{fc}r</h1><b class=price>5,00 "
        .chars()
        .map(|c| c as u8)
        .chain(*b"\x80</b><button>In den Warenkorb</button>")
        .collect();
    let extraction = read_page(&Page {
        body: &latin,
        content_type: None,
        url: None,
    });
    assert_eq!(price(&extraction).as_deref(), Some("5.00 EUR"));
    assert_eq!(extraction.title.as_deref(), Some("Tür"));
}
