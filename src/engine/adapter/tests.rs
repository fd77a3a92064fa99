use super::*;
use crate::model::{Availability, Offer};
use proptest::prelude::*;

const SHOP: &str = r##"
format = 1
id = "corner"
version = "1.0.0"
name = "Corner shop"
hosts = ["shop.example", "*.shop.example"]
locale = "de-DE"
currency = "EUR"

[blocked]
text = ["are you a robot"]
status = [403]

[layout]
product = ["#product"]

[search]
url = "{base}/s?q={query}&p={page}"
items = "li.hit"
empty = ".no-hits"
max_pages = 3
[search.fields]
url = { css = "a", attr = "href" }
name = "a"
price = ".price"

[product.fields]
name = "h1"
price = [{ css = ".price" }, { meta = "product:price:amount", transform = ["number"] }]
list_price = ".was"
availability = [{ css = ".stock", transform = [{ words = [["nicht auf lager", "OutOfStock"], ["auf lager", "InStock"]] }] }]
gtin = { css = "[data-ean]", attr = "data-ean" }
sku = { url = true, regex = '/p/(\d+)' }
"##;

fn manifest(text: &str) -> Manifest {
    Manifest::parse(text, "test.toml").unwrap_or_else(|e| panic!("{e}"))
}

fn extract(manifest: &Manifest, url: &str, body: &str) -> Extraction {
    let url = Url::parse(url).expect("test url");
    read(manifest, &page(&url, body))
}

fn page<'a>(url: &'a Url, body: &'a str) -> Page<'a> {
    Page {
        url,
        status: 200,
        content_type: None,
        body: body.as_bytes(),
        shop_currency: None,
    }
}

fn price(offer: &Offer) -> String {
    offer
        .price
        .map_or_else(|| "none".to_owned(), |p| p.to_string())
}

#[test]
fn fields_are_read_in_order_of_their_sources() {
    let m = manifest(SHOP);
    let body = r#"<div id="product"><h1>Tea <b>mug</b></h1><span class="price">12,50 €</span>
        <del class="was">15,00 €</del><p class="stock">Sofort auf Lager</p>
        <i data-ean="4006381333931"></i></div>"#;
    let x = extract(&m, "https://shop.example/p/77", body);
    assert_eq!(x.verdict, Verdict::Value, "{x:?}");
    let offer = &x.offers[0];
    assert_eq!(price(offer), "12.50 EUR");
    assert_eq!(offer.name.as_deref(), Some("Tea mug"));
    assert_eq!(offer.sku.as_deref(), Some("77"));
    assert_eq!(offer.availability, Availability::InStock);
    assert_eq!(
        offer.list_price.map(|p| p.to_string()).as_deref(),
        Some("15.00 EUR")
    );
    assert!(offer.gtin.is_some());
    assert!(offer.provenance.iter().any(|p| p.place == "price: .price"));

    let body = r#"<meta property="product:price:amount" content="1.299"><div id="product">"#;
    let x = extract(&m, "https://shop.example/p/77", body);
    assert_eq!(
        x.offers[0].price.map(|p| p.amount.to_string()).as_deref(),
        Some("1.299")
    );
}

#[test]
fn walls_changed_layouts_and_rival_prices_give_no_value() {
    let m = manifest(SHOP);
    let verdict = |body: &str| extract(&m, "https://shop.example/p/1", body).verdict;
    assert_eq!(verdict("<h1>Are you a ROBOT?</h1>"), Verdict::Blocked);
    assert_eq!(
        verdict("<span class=price>5,00 €</span>"),
        Verdict::LayoutChanged
    );
    assert_eq!(verdict("<div id=product>"), Verdict::Absent);
    assert_eq!(
        verdict("<div id=product><b class=price>0,00 €</b>"),
        Verdict::Absent
    );
    let two = "<div id=product><b class=price>5,00 €</b><b class=price>6,00 €</b>";
    assert_eq!(verdict(two), Verdict::Ambiguous);
    let same = "<div id=product><b class=price>5,00 €</b><b class=price>5,00 €</b>";
    assert_eq!(verdict(same), Verdict::Value);
    let url = Url::parse("https://shop.example/p/1").expect("url");
    let denied = Page {
        status: 403,
        ..page(&url, "")
    };
    assert_eq!(read(&m, &denied).verdict, Verdict::Blocked);
}

#[test]
fn lists_tell_empty_from_changed() {
    let m = manifest(SHOP);
    let url = Url::parse("https://shop.example/s?q=mug").expect("url");
    let body = r#"<li class=hit><a href="/p/1">Mug</a><b class=price>5,00 €</b></li>
        <li class=hit><a href="/p/1">Mug again</a></li><li class=hit>no link</li>"#;
    let found = list(&m, &page(&url, body));
    assert_eq!(found.listings.len(), 1);
    assert_eq!(found.listings[0].url, "https://shop.example/p/1");
    assert_eq!(
        list(&m, &page(&url, "<p class=no-hits>")).verdict,
        Verdict::Absent
    );
    assert_eq!(list(&m, &page(&url, "<p>")).verdict, Verdict::LayoutChanged);
    let next = |n| m.search_address(&url, "tea mug", None, n).map(String::from);
    assert_eq!(
        next(1).as_deref(),
        Some("https://shop.example/s?q=tea%20mug&p=2")
    );
    assert_eq!(next(3), None);
}

const VARIANTS: &str = r#"
format = 1
id = "boots"
version = "1.0.0"
name = "Boots"
currency = "EUR"
[product]
format = "json"
fetch = { pattern = '^/products/([a-z-]+)', url = "{base}/products/{1}.js" }
[product.fields]
name = { json = "/title" }
[product.variants]
param = "variant"
items = "/variants"
id = { json = "/id" }
[product.variants.fields]
sku = { json = "/sku" }
price = { json = "/price", transform = [{ scale = -2 }] }
availability = { json = "/available" }
"#;

#[test]
fn variants_are_chosen_by_the_address_or_are_ambiguous() {
    let m = manifest(VARIANTS);
    let body = r#"{"title":"Boot","variants":[{"id":1,"sku":"a","price":5990,"available":true},
        {"id":2,"sku":"b","price":6990,"available":false}]}"#;
    let page = "https://shop.example/products/boot";
    assert_eq!(extract(&m, page, body).verdict, Verdict::Ambiguous);
    let one = extract(&m, &format!("{page}?variant=2"), body);
    assert_eq!(
        (one.verdict, price(&one.offers[0])),
        (Verdict::Value, "69.90 EUR".to_owned())
    );
    assert_eq!(one.offers[0].availability, Availability::OutOfStock);
    assert_eq!(one.offers[0].name.as_deref(), Some("Boot"));
    assert_eq!(
        extract(&m, &format!("{page}?variant=9"), body).verdict,
        Verdict::Ambiguous
    );
    let same = extract(&m, page, &body.replace("6990", "5990"));
    assert_eq!((same.verdict, same.offers.len()), (Verdict::Value, 3));
    assert_eq!(
        same.offers[0].availability,
        Availability::LimitedAvailability
    );
    let url = Url::parse(&format!("{page}?variant=2")).expect("url");
    assert_eq!(
        m.fetch_address(&url).as_str(),
        "https://shop.example/products/boot.js"
    );
    assert_eq!(extract(&m, page, "<html>log in").verdict, Verdict::Blocked);
}

#[test]
fn errors_name_file_line_and_field() {
    let error = |text: &str| {
        let error = Manifest::parse(text, "x.toml").expect_err("a fault");
        (error.line, error.to_string())
    };
    // Changes the manifest; the error must stand on the changed line.
    let fault = |from: &str, to: &str, expected: &str| {
        let at = SHOP.find(from).expect("the text to change");
        let line = SHOP[..at].matches('\n').count() + 1;
        let (found, text) = error(&SHOP.replacen(from, to, 1));
        assert!(
            found == line && text.contains(expected),
            "line {line}: {text}"
        );
    };
    fault(
        "{ css = \".price\" }",
        "{ csss = \".price\" }",
        ": product.fields.price[0].csss: unknown field `csss`",
    );
    fault(
        "{ css = \".price\" }",
        "{ csss = \".price\" }",
        ", did you mean `css`?",
    );
    fault("[\"number\"]", "[\"numbre\"]", ", did you mean `number`?");
    fault(
        "\"h1\"",
        "\"h1[\"",
        ": product.fields.name: not a CSS selector",
    );
    fault(
        r"'/p/(\d+)'",
        "'(?=x)'",
        ": product.fields.sku.regex: not a regular expression: look-around",
    );
    fault(
        "\"{base}/s?q={query}",
        "\"{base}/s?q=mug",
        ": search.url: the address has no {query}",
    );
    fault(
        "\"li.hit\"",
        "\"/hits\"",
        ": search.items: the document is HTML",
    );
    fault(
        "\"EUR\"",
        "\"EURO\"",
        ": currency: `EURO` is not an ISO 4217",
    );
    fault(
        "format = 1",
        "format = 2",
        ": format: format 2 is not known",
    );
    fault("\"h1\"", "", ": string values must be quoted");
    let large = "#".repeat(manifest::MAX_MANIFEST + 1);
    assert!(error(&large).1.starts_with("x.toml:1: larger than"));
}

#[test]
fn the_specification_shows_a_manifest_that_works() {
    let text = include_str!("../../../docs/adapters.md");
    let blocks = text
        .split("```toml\n")
        .skip(1)
        .filter_map(|b| b.split("```").next());
    let head = "format = 1\nid = \"doc\"\nversion = \"1.0.0\"\nname = \"Doc\"\n";
    let whole: String = std::iter::once(head).chain(blocks).collect();
    let m = manifest(&whole);
    assert!(m.search.is_some() && m.product.is_some_and(|p| p.variants.is_some()));
}

#[test]
fn no_address_leaves_the_hosts() {
    let away = SHOP.replace("{base}/s?", "https://evil.example/s?");
    let base = Url::parse("https://shop.example/").expect("url");
    assert_eq!(manifest(&away).search_address(&base, "x", None, 0), None);
    let own = SHOP.replace("{base}/s?", "https://api.shop.example/s?");
    assert!(manifest(&own).search_address(&base, "x", None, 0).is_some());
    let preset = VARIANTS.replace("{base}/products", "https://evil.example/products");
    let page = Url::parse("https://shop.example/products/boot").expect("url");
    assert_eq!(manifest(&preset).fetch_address(&page), page);
}

#[test]
fn markup_fills_gaps_and_never_overrides() {
    let m = |s: &str| s.parse::<crate::model::Money>().ok();
    let value = |offer: Offer| Extraction {
        verdict: Verdict::Value,
        title: None,
        reason: None,
        offers: vec![offer],
    };
    let adapted = value(Offer {
        price: m("5.00 EUR"),
        confidence: 0.95,
        ..Offer::default()
    });
    let generic = value(Offer {
        price: m("9.00 EUR"),
        brand: Some("Acme".into()),
        shipping: Some(crate::model::offer::Shipping::default()),
        ..Offer::default()
    });
    let both = combine(adapted.clone(), generic.clone());
    assert_eq!(price(&both.offers[0]), "5.00 EUR");
    assert_eq!(both.offers[0].brand.as_deref(), Some("Acme"));
    assert_eq!(
        both.offers[0].shipping, None,
        "another price is another deal"
    );
    let same = combine(adapted.clone(), {
        let mut same = generic.clone();
        same.offers[0].price = m("5.00 EUR");
        same
    });
    assert!(same.offers[0].shipping.is_some());
    let absent = Extraction::empty(Verdict::Absent, "");
    assert_eq!(
        combine(absent.clone(), generic.clone()).verdict,
        Verdict::Value
    );
    assert_eq!(combine(adapted.clone(), absent).offers, adapted.offers);
    let wall = Extraction::empty(Verdict::Blocked, "");
    assert_eq!(combine(wall, generic.clone()).verdict, Verdict::Blocked);
    let other = value(Offer {
        gtin: "4006381333931".parse().ok(),
        ..generic.offers[0].clone()
    });
    let numbered = value(Offer {
        gtin: "036000291452".parse().ok(),
        ..adapted.offers[0].clone()
    });
    assert_eq!(combine(numbered, other).offers[0].brand, None);
}

proptest! {
    #[test]
    fn any_text_is_a_manifest_or_an_error_with_a_line(text in "\\PC{0,200}") {
        if let Err(e) = Manifest::parse(&text, "x.toml") {
            prop_assert!(e.line >= 1);
        }
    }

    #[test]
    fn a_broken_manifest_is_an_error_with_a_line(at in 0..SHOP.len(), with in "[ -~]{0,6}") {
        let mut text = SHOP.to_owned();
        text.replace_range(at..=at, &with);
        if let Err(e) = Manifest::parse(&text, "x.toml") {
            prop_assert!(e.line >= 1 && e.line <= text.lines().count().max(1));
        }
    }

    #[test]
    fn a_price_is_never_made_up(body in "(<div id=product>|<b class=price>|</b>|[0-9.,€ -]{1,8}|<li class=hit>){0,20}") {
        let x = extract(&manifest(SHOP), "https://shop.example/p/1", &body);
        for offer in &x.offers {
            prop_assert!(offer.price.is_none_or(|p| p.amount > rust_decimal::Decimal::ZERO));
        }
        prop_assert_eq!(x.verdict == Verdict::Value, x.offers.first().is_some_and(|o| o.price.is_some()) && x.verdict != Verdict::Ambiguous);
    }
}
