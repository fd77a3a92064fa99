//! A product page by a manifest.

use super::find::{Found, Scope, View};
use super::manifest::{Fields, Manifest, Product, Variants};
use super::source::Sources;
use super::values::{Habits, availability, condition, currency};
use crate::engine::price::Kind;
use crate::model::offer::{Extractor, PriceRange, Provenance, Shipping};
use crate::model::text::clean;
use crate::model::{Availability, Condition, Currency, Extraction, Money, Offer, Verdict};
use rust_decimal::Decimal;
use url::Url;

/// How sure a price is that the adapter's author pointed at.
const CONFIDENCE: f64 = 0.95;
/// Longest name, brand, number.
const MAX_NAME: usize = 300;

/// The offer of one scope, and other prices its price sources found.
struct Reading {
    offer: Offer,
    rivals: Vec<Money>,
    /// The currency its amounts were read in, where none stood beside them.
    currency: Option<Currency>,
}

/// Reads the offers of a page whose walls and canaries were checked.
///
/// `shop_currency` is what is known about the shop besides the manifest.
pub fn product(
    manifest: &Manifest,
    product: &Product,
    view: &View<'_>,
    shop_currency: Option<Currency>,
) -> Extraction {
    let known = manifest.currency.or(shop_currency);
    let page = read_fields(manifest, &product.fields, view, Scope::Page, known);
    let title = page.offer.name.clone();
    let mut extraction = if let Some(variants) = &product.variants {
        read_variants(manifest, variants, view, page)
    } else if let Some(sellers) = &product.sellers {
        let mut offers = Vec::new();
        view.each(&sellers.items, |scope| {
            let reading = read_fields(manifest, &sellers.fields, view, scope, page.currency);
            if reading.offer.price.is_some() && reading.rivals.is_empty() {
                offers.push(overlay(&page.offer, reading.offer));
            }
        });
        if offers.is_empty() {
            single(page)
        } else {
            cheapest_first(&mut offers);
            Extraction {
                verdict: Verdict::Value,
                title: None,
                reason: Some(format!("{} sellers on the page", offers.len())),
                offers,
            }
        }
    } else {
        single(page)
    };
    extraction.title = extraction.title.or(title);
    extraction
}

/// The verdict on a page with one offer.
fn single(page: Reading) -> Extraction {
    let Reading { offer, rivals, .. } = page;
    if !rivals.is_empty() {
        let with_price = |price: Money| Offer {
            price: Some(price),
            confidence: 0.5,
            ..offer.clone()
        };
        let offers: Vec<Offer> = offer
            .price
            .into_iter()
            .chain(rivals)
            .map(with_price)
            .collect();
        return Extraction {
            verdict: Verdict::Ambiguous,
            title: None,
            reason: Some(format!(
                "the adapter's price selector finds {} different prices",
                offers.len()
            )),
            offers,
        };
    }
    if offer.price.is_some() {
        Extraction {
            verdict: Verdict::Value,
            title: None,
            reason: None,
            offers: vec![offer],
        }
    } else {
        Extraction {
            verdict: Verdict::Absent,
            title: None,
            reason: Some("the adapter found no single price with a currency".to_owned()),
            offers: if is_empty(&offer) {
                Vec::new()
            } else {
                vec![offer]
            },
        }
    }
}

fn read_variants(
    manifest: &Manifest,
    variants: &Variants,
    view: &View<'_>,
    page: Reading,
) -> Extraction {
    let mut found: Vec<(Selection, Offer)> = Vec::new();
    view.each(&variants.items, |scope| {
        let Some(selection) = selection(variants, view, scope) else {
            return;
        };
        let reading = read_fields(manifest, &variants.fields, view, scope, page.currency);
        let mut offer = overlay(&page.offer, reading.offer);
        if !reading.rivals.is_empty() {
            offer.price = None;
        }
        offer.url = Some(with_params(view.url, &selection));
        found.push((selection, offer));
    });
    if found.is_empty() {
        return single(page);
    }
    let query: Vec<(String, String)> = view.url.query_pairs().into_owned().collect();
    let is_asked = |s: &Selection| {
        s.iter()
            .any(|(k, _)| query.iter().any(|(name, _)| name == k))
    };
    if found.iter().any(|(s, _)| is_asked(s)) {
        let is_chosen = |s: &Selection| {
            s.iter()
                .all(|pair| pair.1.is_empty() || query.contains(pair))
        };
        let (mut chosen, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(s, _)| is_chosen(s));
        if chosen.is_empty() {
            // Not "absent": mark-up for the page as a whole must not stand in for it.
            return Extraction {
                verdict: Verdict::Ambiguous,
                title: None,
                reason: Some(
                    "the chosen variant is no longer on the page; choose another".to_owned(),
                ),
                offers: others.into_iter().map(|(_, offer)| offer).collect(),
            };
        }
        if chosen.len() == 1 {
            let (_, offer) = chosen.remove(0);
            return single(Reading {
                offer,
                rivals: Vec::new(),
                currency: page.currency,
            });
        }
        found = chosen;
    }
    let offers: Vec<Offer> = found.into_iter().map(|(_, offer)| offer).collect();
    let first = offers[0].price;
    if first.is_none() || offers.iter().any(|o| o.price != first) {
        return Extraction {
            verdict: if offers.iter().all(|o| o.price.is_none()) {
                Verdict::Absent
            } else {
                Verdict::Ambiguous
            },
            title: None,
            reason: Some(format!(
                "{} variants with different prices; choose one by its address",
                offers.len()
            )),
            offers,
        };
    }
    // One price for all: the page as a whole has it.
    let mut whole = page.offer;
    whole.price = first;
    whole.confidence = CONFIDENCE;
    whole.availability = common_availability(&offers);
    whole.provenance.extend(
        offers[0]
            .provenance
            .iter()
            .filter(|p| !whole.provenance.contains(p))
            .cloned()
            .collect::<Vec<_>>(),
    );
    let mut all = vec![whole];
    all.extend(offers);
    Extraction {
        verdict: Verdict::Value,
        title: None,
        reason: Some(format!("{} variants with one price", all.len() - 1)),
        offers: all,
    }
}

/// The query parameters, and their values, that choose a variant.
type Selection = Vec<(String, String)>;

fn selection(variants: &Variants, view: &View<'_>, scope: Scope<'_>) -> Option<Selection> {
    if let Some(param) = &variants.param {
        let id = view.first(&variants.id, scope)?;
        return Some(vec![(param.to_string(), id.text)]);
    }
    let Scope::Json(item) = scope else {
        return None;
    };
    let object = variants.params.as_ref()?.find(item, 1).pop()?.as_object()?;
    let pairs = object.iter().take(16);
    Some(
        pairs
            .map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned()))
            .collect(),
    )
}

/// What can be said about all variants: their common state, or limited where some can
/// be had and some not.
fn common_availability(offers: &[Offer]) -> Availability {
    let first = offers
        .first()
        .map_or(Availability::Unknown, |o| o.availability);
    if offers.iter().all(|o| o.availability == first) {
        first
    } else if offers.iter().any(|o| o.availability.is_available()) {
        Availability::LimitedAvailability
    } else {
        Availability::Unknown
    }
}

/// Sorted by price where all prices have one currency; equal prices keep page order.
fn cheapest_first(offers: &mut [Offer]) {
    let currency = offers.first().and_then(|o| o.price).map(|p| p.currency);
    if offers
        .iter()
        .all(|o| o.price.map(|p| p.currency) == currency)
    {
        offers.sort_by_key(|o| o.price.map(|p| p.amount));
    }
}

/// `over` where it says something, `under` elsewhere.
pub fn overlay(under: &Offer, over: Offer) -> Offer {
    let mut provenance = over.provenance;
    for p in &under.provenance {
        if !provenance.contains(p) {
            provenance.push(p.clone());
        }
    }
    let is_priced = over.price.is_some();
    Offer {
        name: over.name.or_else(|| under.name.clone()),
        brand: over.brand.or_else(|| under.brand.clone()),
        gtin: over.gtin.or(under.gtin),
        mpn: over.mpn.or_else(|| under.mpn.clone()),
        sku: over.sku.or_else(|| under.sku.clone()),
        price: over.price.or(under.price),
        price_range: over.price_range.or(under.price_range),
        // A crossed-out price belongs to its own price.
        list_price: if is_priced {
            over.list_price
        } else {
            over.list_price.or(under.list_price)
        },
        unit_price: if is_priced {
            over.unit_price
        } else {
            over.unit_price.or_else(|| under.unit_price.clone())
        },
        availability: match over.availability {
            Availability::Unknown => under.availability,
            known => known,
        },
        condition: match over.condition {
            Condition::Unknown => under.condition,
            known => known,
        },
        seller: over.seller.or_else(|| under.seller.clone()),
        url: over.url.or_else(|| under.url.clone()),
        image: over.image.or_else(|| under.image.clone()),
        deposit: over.deposit.or(under.deposit),
        shipping: over.shipping.or_else(|| under.shipping.clone()),
        valid_through: over.valid_through.or_else(|| under.valid_through.clone()),
        confidence: if is_priced {
            over.confidence
        } else {
            under.confidence
        },
        provenance,
    }
}

/// The parts of an offer that hold for every seller of the product.
pub fn about_the_product(offer: &Offer) -> Offer {
    Offer {
        name: offer.name.clone(),
        brand: offer.brand.clone(),
        gtin: offer.gtin,
        mpn: offer.mpn.clone(),
        image: offer.image.clone(),
        provenance: offer.provenance.clone(),
        ..Offer::default()
    }
}

fn is_empty(offer: &Offer) -> bool {
    offer.provenance.is_empty()
}

/// Collects values and where they come from.
struct Collector<'v, 'a> {
    view: &'v View<'a>,
    scope: Scope<'v>,
    provenance: Vec<Provenance>,
}

impl Collector<'_, '_> {
    fn get<T>(
        &mut self,
        field: &str,
        sources: &Sources,
        read: impl Fn(&Found) -> Option<T>,
    ) -> Option<T> {
        for source in &sources.0 {
            for found in self.view.all(source, self.scope) {
                if let Some(value) = read(&found) {
                    self.note(field, &found);
                    return Some(value);
                }
            }
        }
        None
    }

    fn text(&mut self, field: &str, sources: &Sources) -> Option<String> {
        self.get(field, sources, |found| {
            let text = clean(&found.text, MAX_NAME);
            (!text.is_empty()).then_some(text)
        })
    }

    fn note(&mut self, field: &str, found: &Found) {
        self.provenance.push(Provenance {
            extractor: Extractor::Adapter,
            place: format!("{field}: {}", found.place),
        });
    }

    /// The price and, where one source without `nth` finds several, the others.
    fn price(&mut self, sources: &Sources, habits: Habits<'_>) -> (Option<Money>, Vec<Money>) {
        for source in &sources.0 {
            let mut prices: Vec<Money> = Vec::new();
            for found in self.view.all(source, self.scope) {
                let Some(price) = habits
                    .money(&found, &[Kind::Price])
                    .filter(|p| p.amount > Decimal::ZERO)
                else {
                    continue;
                };
                if prices.is_empty() {
                    self.note("price", &found);
                }
                let is_known = prices
                    .iter()
                    .any(|p| p.currency == price.currency && p.amount == price.amount);
                if !is_known {
                    prices.push(price);
                }
            }
            if !prices.is_empty() {
                let first = prices.remove(0);
                return (Some(first), prices);
            }
        }
        (None, Vec::new())
    }
}

fn read_fields(
    manifest: &Manifest,
    fields: &Fields,
    view: &View<'_>,
    scope: Scope<'_>,
    known: Option<Currency>,
) -> Reading {
    let mut c = Collector {
        view,
        scope,
        provenance: Vec::new(),
    };
    let locale = manifest.locale.as_deref().or_else(|| view.language());
    let stated = c.get("currency", &fields.currency, |f| currency(&f.text, locale));
    let habits = Habits {
        currency: stated.or(known),
        locale,
    };
    let positive = |m: &Money| m.amount > Decimal::ZERO;
    let (price, rivals) = c.price(&fields.price, habits);
    let list_price = c.get("list_price", &fields.list_price, |f| {
        habits.money(f, &[Kind::Price, Kind::List]).filter(positive)
    });
    let cost = c.get("shipping", &fields.shipping, |f| {
        habits
            .money(f, &[Kind::Price, Kind::Shipping, Kind::Free])
            .filter(|m| !m.amount.is_sign_negative())
    });
    let days: Option<u32> = c.get("shipping_days", &fields.shipping_days, |f| {
        f.text.trim().parse().ok()
    });
    let shipping = (cost.is_some() || days.is_some()).then(|| Shipping {
        cost,
        max_days: days,
        ..Shipping::default()
    });
    let deposit = c.get("deposit", &fields.deposit, |f| {
        habits
            .money(f, &[Kind::Price, Kind::Shipping])
            .filter(positive)
    });
    let offer = Offer {
        name: c.text("name", &fields.name),
        brand: c.text("brand", &fields.brand),
        gtin: c.get("gtin", &fields.gtin, |f| f.text.parse().ok()),
        mpn: c.text("mpn", &fields.mpn),
        sku: c.text("sku", &fields.sku),
        price,
        price_range: None::<PriceRange>,
        // A crossed-out price below the price is something else.
        list_price: list_price
            .filter(|l| price.is_none_or(|p| p.currency == l.currency && p.amount < l.amount)),
        unit_price: c.get("unit_price", &fields.unit_price, |f| habits.unit_price(f)),
        availability: c
            .get("availability", &fields.availability, |f| {
                availability(&f.text)
            })
            .unwrap_or_default(),
        condition: c
            .get("condition", &fields.condition, |f| condition(&f.text))
            .unwrap_or_default(),
        seller: c.text("seller", &fields.seller),
        url: c.get("url", &fields.url, |f| absolute(view.url, &f.text)),
        image: c.get("image", &fields.image, |f| absolute(view.url, &f.text)),
        shipping,
        deposit,
        valid_through: c.text("valid_through", &fields.valid_through),
        confidence: if price.is_some() { CONFIDENCE } else { 0.0 },
        provenance: c.provenance,
    };
    Reading {
        offer,
        rivals,
        currency: habits.currency,
    }
}

/// A web address relative to the page, if it is one.
pub fn absolute(page: &Url, text: &str) -> Option<String> {
    let url = page.join(text.trim()).ok()?;
    let is_web =
        matches!(url.scheme(), "http" | "https") && url.as_str().len() <= super::types::MAX_URL;
    is_web.then(|| url.into())
}

/// The page's address with the variant chosen.
fn with_params(url: &Url, selection: &Selection) -> String {
    let mut out = url.clone();
    out.set_fragment(None);
    let is_ours = |name: &str| selection.iter().any(|(k, _)| k == name);
    let others: Vec<(String, String)> = url
        .query_pairs()
        .into_owned()
        .filter(|(k, _)| !is_ours(k))
        .collect();
    let chosen = selection.iter().filter(|(_, v)| !v.is_empty());
    out.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .extend_pairs(chosen);
    out.into()
}
