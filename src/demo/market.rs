//! The embedded market: a handful of invented shops on loopback, each written in another
//! style, with the troubles that real shops make.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// One product of the market.
struct Product {
    slug: &'static str,
    name: &'static str,
    brand: &'static str,
    gtin: &'static str,
    mpn: &'static str,
}

const PRODUCTS: [Product; 5] = [
    Product {
        slug: "headphones-nl-400",
        name: "Nordlicht NL-400 wireless headphones, black",
        brand: "Nordlicht",
        gtin: "4099900000018",
        mpn: "NL-400-BK",
    },
    Product {
        slug: "drill-bw-12",
        name: "Brenner & Weiss BW-12 cordless drill 12V",
        brand: "Brenner & Weiss",
        gtin: "4099900000025",
        mpn: "BW-12",
    },
    Product {
        slug: "espresso-beans-1kg",
        name: "Kaffa Espresso beans 1 kg",
        brand: "Kaffa",
        gtin: "4099900000032",
        mpn: "KF-1000",
    },
    Product {
        slug: "bike-light-80",
        name: "Velora Lux 80 bicycle light set",
        brand: "Velora",
        gtin: "4099900000049",
        mpn: "VL-80",
    },
    Product {
        slug: "e-reader-6",
        name: "Papyra 6 e-reader 16 GB",
        brand: "Papyra",
        gtin: "4099900000056",
        mpn: "PY-6-16",
    },
];

/// The market's moving parts.
#[derive(Debug, Default)]
pub struct Market {
    /// The headphones have become cheaper at one shop.
    fallen: AtomicBool,
    requests: AtomicUsize,
}

impl Market {
    /// Lowers one price, as happens.
    pub fn let_price_fall(&self) {
        self.fallen.store(true, Ordering::SeqCst);
    }

    /// How many requests the shops have had.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// The web server: one listener, a virtual host for each shop.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(serve).with_state(self)
    }
}

async fn serve(State(market): State<Arc<Market>>, uri: Uri, headers: HeaderMap) -> Response {
    market.requests.fetch_add(1, Ordering::SeqCst);
    let host = headers
        .get(header::HOST)
        .and_then(|h| h.to_str().ok())
        .unwrap_or_default();
    let shop = host.split('.').next().unwrap_or_default();
    let path = uri.path();
    if path == "/robots.txt" {
        return robots(shop).into_response();
    }
    let query = uri.query().unwrap_or_default();
    let page = match shop {
        "tonhalle" => tonhalle(&market, host, path, query),
        "soundbarn" => soundbarn(path),
        "hallenmarkt" => hallenmarkt(host, path, query),
        "velovia" => velovia(path),
        "altstadt" => altstadt(path),
        "bestbazar" => {
            return (StatusCode::FORBIDDEN, Html(WALL)).into_response();
        }
        _ => None,
    };
    match page {
        Some(html) => Html(html).into_response(),
        None => (StatusCode::NOT_FOUND, Html("<h1>Not found</h1>")).into_response(),
    }
}

fn robots(shop: &str) -> &'static str {
    match shop {
        "hallenmarkt" => "User-agent: *\nDisallow: /intern/\nCrawl-delay: 0.2\n",
        _ => "User-agent: *\nAllow: /\n",
    }
}

fn product(path: &str) -> Option<&'static Product> {
    let slug = path.strip_prefix("/p/")?;
    PRODUCTS.iter().find(|p| p.slug == slug)
}

/// Product names that have every word of the query.
fn search(query: &str) -> Vec<&'static Product> {
    let wanted = url::form_urlencoded::parse(query.as_bytes())
        .find(|(k, _)| k == "q")
        .map(|(_, v)| v.to_lowercase())
        .unwrap_or_default();
    PRODUCTS
        .iter()
        .filter(|p| {
            let text = format!("{} {}", p.name, p.gtin).to_lowercase();
            !wanted.is_empty() && wanted.split_whitespace().all(|w| text.contains(w))
        })
        .collect()
}

/// JSON-LD with a graph, euro, delivery terms in the mark-up, a search box.
fn tonhalle(market: &Market, host: &str, path: &str, query: &str) -> Option<String> {
    let headphones = if market.fallen.load(Ordering::SeqCst) {
        "119.00"
    } else {
        "149.00"
    };
    let price = |p: &Product| match p.slug {
        "headphones-nl-400" => headphones,
        "drill-bw-12" => "94.90",
        "espresso-beans-1kg" => "17.49",
        _ => "39.95",
    };
    if path == "/" {
        return Some(format!(
            r#"<!doctype html><html lang="en"><head><title>Tonhalle</title>
<script type="application/ld+json">{{"@context":"https://schema.org","@type":"WebSite","url":"http://{host}/",
"potentialAction":{{"@type":"SearchAction","target":{{"@type":"EntryPoint","urlTemplate":"http://{host}/search?q={{search_term_string}}"}},"query-input":"required name=search_term_string"}}}}</script>
</head><body><h1>Tonhalle</h1><form role="search" action="/search"><input type="search" name="q"></form></body></html>"#
        ));
    }
    if path == "/search" {
        let items: String = search(query)
            .iter()
            .map(|p| {
                format!(
                    r#"<li class="product-card"><a href="/p/{}"><h3>{}</h3></a><span class="price">{} €</span></li>"#,
                    p.slug, escape(p.name), price(p).replace('.', ",")
                )
            })
            .collect();
        return Some(format!(
            r#"<!doctype html><html lang="en"><head><title>Search</title></head><body><ul class="results">{items}</ul></body></html>"#
        ));
    }
    let p = product(path).filter(|p| p.slug != "bike-light-80")?;
    let json = serde_json::json!({
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "BreadcrumbList", "itemListElement": []},
            {"@type": "Product", "name": p.name, "gtin13": p.gtin, "mpn": p.mpn, "sku": p.slug,
             "brand": {"@type": "Brand", "name": p.brand},
             "offers": {"@type": "Offer", "price": price(p), "priceCurrency": "EUR",
                "availability": "https://schema.org/InStock",
                "itemCondition": "https://schema.org/NewCondition",
                "shippingDetails": {"@type": "OfferShippingDetails",
                    "shippingRate": {"@type": "MonetaryAmount", "value": "4.90", "currency": "EUR"},
                    "deliveryTime": {"@type": "ShippingDeliveryTime",
                        "transitTime": {"@type": "QuantitativeValue", "minValue": 1, "maxValue": 2, "unitCode": "DAY"}}}}}
        ]
    });
    // One broken block, as real pages have.
    Some(format!(
        r#"<!doctype html><html lang="en"><head><title>{name} | Tonhalle</title>
<script type="application/ld+json">{{"@type": "Organization", "name": "Tonhalle",,}}</script>
<script type="application/ld+json">{json}</script></head>
<body><h1>{name}</h1><p class="price">{shown} €</p><button class="add-to-cart">Add to cart</button></body></html>"#,
        name = escape(p.name),
        shown = price(p).replace('.', ","),
    ))
}

/// Microdata, pounds.
fn soundbarn(path: &str) -> Option<String> {
    let p = product(path)?;
    let price = match p.slug {
        "headphones-nl-400" => "112.00",
        "e-reader-6" => "89.00",
        _ => return None,
    };
    Some(format!(
        r#"<!doctype html><html lang="en-GB"><head><title>{name} - Soundbarn</title></head><body>
<div itemscope itemtype="https://schema.org/Product">
<h1 itemprop="name">{name}</h1><meta itemprop="gtin13" content="{gtin}">
<span itemprop="brand" itemscope itemtype="https://schema.org/Brand"><meta itemprop="name" content="{brand}"></span>
<div itemprop="offers" itemscope itemtype="https://schema.org/Offer">
<span itemprop="price" content="{price}">£{price}</span><meta itemprop="priceCurrency" content="GBP">
<link itemprop="availability" href="https://schema.org/InStock"><button>Add to basket</button></div></div></body></html>"#,
        name = escape(p.name),
        gtin = p.gtin,
        brand = escape(p.brand),
    ))
}

/// No mark-up at all; a crossed-out price, instalments, a delivery threshold, other products.
fn hallenmarkt(host: &str, path: &str, query: &str) -> Option<String> {
    if path == "/" {
        return Some(format!(
            r#"<!doctype html><html lang="de"><head><title>Hallenmarkt</title></head><body>
<form action="http://{host}/suche" method="get" role="search"><input type="search" name="q" placeholder="Suche"></form></body></html>"#
        ));
    }
    if path == "/suche" {
        let items: String = search(query)
            .iter()
            .filter(|p| matches!(p.slug, "drill-bw-12" | "espresso-beans-1kg"))
            .map(|p| {
                format!(
                    r#"<div class="product-tile"><a href="/p/{}">{}</a></div>"#,
                    p.slug,
                    escape(p.name)
                )
            })
            .collect();
        return Some(format!(
            r#"<!doctype html><html lang="de"><head><title>Suche</title></head><body>{items}</body></html>"#
        ));
    }
    let p = product(path)?;
    let (now, before, rate) = match p.slug {
        "drill-bw-12" => ("84,90", "109,00", "7,99"),
        "espresso-beans-1kg" => ("15,99", "18,99", "1,60"),
        _ => return None,
    };
    Some(format!(
        r#"<!doctype html><html lang="de"><head><title>{name} günstig kaufen</title></head><body>
<header>Versandkostenfrei ab 50,00 €</header>
<main class="product-detail"><h1>{name}</h1>
<div class="buybox"><del class="old-price">{before} €</del> <strong class="product-price">{now} €</strong>
<p class="financing">oder 12 x {rate} € im Monat</p><p class="tax">inkl. MwSt., zzgl. Versand 4,95 €</p>
<p class="stock">Auf Lager, Lieferzeit 2-4 Tage</p><button>In den Warenkorb</button></div></main>
<aside class="related"><h2>Ähnliche Artikel</h2><div>Koffer <span class="price">9,99 €</span></div></aside>
</body></html>"#,
        name = escape(p.name),
    ))
}

/// Open Graph, Swiss francs, sold out.
fn velovia(path: &str) -> Option<String> {
    let p = product(path).filter(|p| p.slug == "bike-light-80")?;
    Some(format!(
        r#"<!doctype html><html lang="de-CH" prefix="og: http://ogp.me/ns# product: http://ogp.me/ns/product#"><head>
<title>{name} | Velovia</title><meta property="og:type" content="product"><meta property="og:title" content="{name}">
<meta property="product:price:amount" content="64.50"><meta property="product:price:currency" content="CHF">
<meta property="product:availability" content="out of stock"></head>
<body><h1>{name}</h1><p>CHF 64.50</p><p>Ausverkauft</p></body></html>"#,
        name = escape(p.name),
    ))
}

/// Read by an adapter whose selectors the shop has outgrown.
fn altstadt(path: &str) -> Option<String> {
    let p = product(path)?;
    Some(format!(
        r#"<!doctype html><html lang="en"><head><title>Altstadt</title></head><body><div id="app" data-state="v2">
<div class="x9f2">{name}</div><div class="k1">Sign in to see what it costs</div></div></body></html>"#,
        name = escape(p.name),
    ))
}

/// The adapter for `altstadt`, written for its old layout.
#[must_use]
pub fn altstadt_adapter(host: &str) -> String {
    include_str!("altstadt.toml").replace("HOST", host)
}

const WALL: &str = r#"<!doctype html><html lang="en"><head><title>Just a moment...</title></head><body>
<h1>Verify you are human</h1><p>Please complete the captcha to continue.</p><div class="g-recaptcha"></div></body></html>"#;

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
