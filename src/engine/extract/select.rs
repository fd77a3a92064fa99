//! Which of several products and offers is the page's.

use super::claim::{Claim, Product};
use super::context::Context;
use super::visible::{Visible, overlap, words};
use crate::model::Availability;
use rust_decimal::Decimal;
use url::Url;

/// The product a page is about, among those one reader found. `None` where the page is a
/// list, or where several are as likely.
#[must_use]
pub fn main_product<'a>(
    products: &'a [Product],
    context: &Context,
    title: Option<&str>,
) -> Option<&'a Product> {
    let title_words = words(title.or(context.title.as_deref()).unwrap_or_default());
    let score = |product: &Product| {
        let mut score = 0.0;
        if product.aside {
            score -= 2.5;
        }
        if product.listed {
            score -= 2.5;
        }
        let urls = product
            .base
            .url
            .iter()
            .chain(product.offers.iter().filter_map(|o| o.url.as_ref()));
        let mut urls = urls.take(20).peekable();
        if urls.peek().is_some() {
            let same = urls.any(|u| is_page(u, context));
            score += if same { 2.0 } else { -0.5 };
        }
        if let Some(name) = &product.base.name {
            score += 2.0 * overlap(&words(name), &title_words);
        }
        if product
            .offers
            .iter()
            .any(|o| o.price.is_some() || o.low.is_some())
        {
            score += 1.0;
        }
        score
    };
    let scored: Vec<(f64, &Product)> = products.iter().map(|p| (score(p), p)).collect();
    let best = scored.iter().map(|s| s.0).max_by(f64::total_cmp)?;
    let mut leaders = scored.iter().filter(|s| s.0 >= best - 0.01).map(|s| s.1);
    let first = leaders.next()?;
    let unlike = leaders.filter(|p| !same_thing(first, p)).count();
    let accepted = best >= 0.5 && (unlike == 0 || (unlike <= 1 && best >= 3.0));
    accepted.then_some(first)
}

/// Whether two items describe one product, as when a page repeats its markup.
fn same_thing(a: &Product, b: &Product) -> bool {
    let prices = |p: &Product| -> Vec<Decimal> {
        p.offers
            .iter()
            .filter_map(|o| o.price.as_ref().map(|a| a.value))
            .collect()
    };
    let known_equal = |x: &Option<String>, y: &Option<String>| x.is_some() && x == y;
    known_equal(&a.base.sku, &b.base.sku)
        || known_equal(&a.base.name, &b.base.name)
        || (!prices(a).is_empty() && prices(a) == prices(b))
}

/// Whether an address is the page's own, tracking and order of parameters aside.
fn is_page(link: &str, context: &Context) -> bool {
    let Some(page) = &context.url else {
        return false;
    };
    let Ok(link) = page.join(link) else {
        return false;
    };
    let canonical = context.canonical.as_deref().and_then(|c| page.join(c).ok());
    let same =
        |other: &Url| trim(other.path()) == trim(link.path()) && !trim(link.path()).is_empty();
    same(page) || canonical.is_some_and(|c| same(&c))
}

fn trim(path: &str) -> &str {
    path.trim_end_matches('/')
}

/// The chosen offer of a product.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The offer, completed with what the product says.
    pub claim: Claim,
    /// The other offers with a price of their own.
    pub others: Vec<Claim>,
    /// Several prices, and nothing on the page decided between them.
    pub uncertain: bool,
}

/// Chooses the offer that the page shows.
#[must_use]
pub fn offer(product: &Product, context: &Context, visible: &Visible) -> Choice {
    let complete = |offer: &Claim| {
        let mut claim = offer.clone();
        claim.fill_from(&product.base);
        claim
    };
    let priced: Vec<&Claim> = product
        .offers
        .iter()
        .filter(|o| o.price.is_some())
        .collect();
    let mut values: Vec<Decimal> = priced
        .iter()
        .filter_map(|o| o.price.as_ref().map(|p| p.value))
        .collect();
    values.sort_unstable();
    values.dedup();
    let others = |chosen: &Claim| -> Vec<Claim> {
        let mut seen = vec![chosen.price.as_ref().map(|p| p.value)];
        let mut out = Vec::new();
        for offer in &priced {
            let value = offer.price.as_ref().map(|p| p.value);
            if !seen.contains(&value) {
                seen.push(value);
                out.push(complete(offer));
            }
        }
        out
    };
    let done = |chosen: &Claim, uncertain: bool, by_key: bool| {
        let mut claim = complete(chosen);
        // One variant out of stock does not make the product so.
        if !by_key {
            let own = claim.availability;
            claim.availability = any_available(&product.offers).or(own);
        }
        Choice {
            others: others(&claim),
            claim,
            uncertain,
        }
    };
    if priced.is_empty() {
        return match product
            .offers
            .iter()
            .find(|o| o.low.is_some())
            .or(product.offers.first())
        {
            Some(range) => done(range, false, false),
            None => done(&Claim::default(), false, false),
        };
    }
    if let Some(selected) = by_address(&priced, context) {
        return done(selected, false, true);
    }
    if values.len() == 1 {
        return done(priced[0], false, false);
    }
    // The page shows one of the prices and not the others.
    for shown in visible
        .prices
        .iter()
        .filter(|p| !p.old && !p.aside && p.score > 2.0)
        .take(3)
    {
        if let Some(offer) = priced
            .iter()
            .find(|o| o.price.as_ref().is_some_and(|p| p.may_be(shown.amount)))
        {
            return done(offer, false, false);
        }
    }
    let own = product.base.sku.as_ref();
    if let Some(offer) = priced
        .iter()
        .find(|o| own.is_some() && o.sku.as_ref() == own)
    {
        return done(offer, true, false);
    }
    let first = priced
        .iter()
        .find(|o| o.availability.is_none_or(Availability::is_available))
        .unwrap_or(&priced[0]);
    done(first, true, false)
}

/// In stock if any offer is; else what they say alike.
fn any_available(offers: &[Claim]) -> Option<Availability> {
    let known: Vec<Availability> = offers.iter().filter_map(|o| o.availability).collect();
    known
        .iter()
        .copied()
        .find(|a| a.is_available())
        .or(known.first().copied())
}

/// The one offer that the page's address names, by its own address or by a key such as a
/// SKU in the parameters or the last part of the path.
fn by_address<'a>(offers: &[&'a Claim], context: &Context) -> Option<&'a Claim> {
    let page = context.url.as_ref()?;
    let mut named: Vec<String> = page
        .query_pairs()
        .map(|(_, v)| v.to_lowercase())
        .filter(|v| v.len() > 1)
        .collect();
    if let Some(fragment) = page.fragment() {
        named.extend(fragment.split(['&', '=', '/']).map(str::to_lowercase));
    }
    let parameters: Vec<(String, String)> = page
        .query_pairs()
        .map(|(k, v)| (k.into_owned(), v.into_owned()))
        .collect();
    let by_url = |offer: &Claim| {
        let link = offer.url.as_ref().and_then(|u| page.join(u).ok());
        link.is_some_and(|link| {
            let mut own = link.query_pairs().peekable();
            own.peek().is_some()
                && trim(link.path()) == trim(page.path())
                && own.all(|(k, v)| parameters.iter().any(|p| p.0 == k && p.1 == v))
        })
    };
    let last = page
        .path_segments()
        .and_then(|mut s| s.rfind(|p| !p.is_empty()))
        .unwrap_or_default()
        .to_lowercase();
    let by_key = |offer: &Claim| {
        offer.keys.iter().any(|key| {
            let key = key.to_lowercase();
            key.len() > 1
                && (named.contains(&key)
                    || (key.len() >= 4 && last.split(['-', '_', '.']).any(|part| part == key)))
        })
    };
    let only = |matches: &dyn Fn(&Claim) -> bool| {
        let mut hits = offers.iter().filter(|o| matches(o));
        let first = hits.next()?;
        let price = first.price.as_ref().map(|p| p.value);
        hits.all(|o| o.price.as_ref().map(|p| p.value) == price)
            .then_some(*first)
    };
    only(&by_url).or_else(|| only(&by_key))
}
