//! The vote: one verdict and one offer from what the readers say.

use super::claim::{Amount, Claim, Witness};
use super::context::Context;
use super::embedded::Meta;
use super::visible::{CLEAR, Candidate, Visible};
use crate::model::offer::{Extractor, PriceRange, Provenance, Shipping};
use crate::model::{Availability, Condition, Currency, Extraction, Money, Offer, Verdict, text};
use rust_decimal::Decimal;

/// Everything the readers found.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The page around the offer.
    pub context: &'a Context,
    /// Meta elements.
    pub meta: &'a Meta,
    /// Structured data, one witness a syntax.
    pub witnesses: &'a [Witness],
    /// What a person sees.
    pub visible: &'a Visible,
    /// Amounts under price-like keys in scripts.
    pub state: &'a [(Decimal, String)],
    /// Structured data names products, but none of them is the page's.
    pub lists_products: bool,
}

/// A price that some reader names.
#[derive(Clone, Debug)]
struct Nominee<'a> {
    value: Decimal,
    /// Weight of structured readers.
    structured: f64,
    meta: f64,
    visible: f64,
    state: f64,
    /// Shown with "from", or only the low end of a range.
    is_low: bool,
    shown: Option<&'a Candidate>,
    sources: Vec<Provenance>,
}

impl Nominee<'_> {
    fn total(&self) -> f64 {
        self.structured + self.meta + self.visible + self.state
    }
}

/// How far a syntax is trusted. Shops keep JSON-LD for search engines and forget the
/// others.
const fn trust(source: Extractor) -> f64 {
    match source {
        Extractor::JsonLd => 1.0,
        Extractor::Microdata => 0.95,
        _ => 0.85,
    }
}

const META_TRUST: f64 = 0.8;
const STATE_TRUST: f64 = 0.12;

/// Below this a price is offered as a candidate only.
const ENOUGH: f64 = 0.5;

/// Combines the evidence.
#[must_use]
pub fn combine(evidence: &Evidence) -> Extraction {
    let nominees = nominate(evidence);
    let mut extraction = decide(evidence, &nominees);
    extraction.title = evidence
        .visible
        .title
        .as_deref()
        .or(evidence.context.title.as_deref())
        .map(|t| text::clean(t, 300))
        .filter(|t| !t.is_empty());
    extraction
}

fn nominate<'a>(evidence: &Evidence<'a>) -> Vec<Nominee<'a>> {
    let mut out: Vec<Nominee> = Vec::new();
    let shown = |value: Decimal| {
        let mut prices = evidence.visible.prices.iter();
        prices.find(|p| p.amount == value && !p.old)
    };
    let mut add = |amount: &Amount, give: &dyn Fn(&mut Nominee), source: Option<Provenance>| {
        // Where the text may mean two amounts, the one on the page is meant.
        let value = match amount.other {
            Some(other) if shown(amount.value).is_none() && shown(other).is_some() => other,
            _ => amount.value,
        };
        let at = out
            .iter()
            .position(|n| n.value == value)
            .unwrap_or_else(|| {
                out.push(Nominee {
                    value,
                    structured: 0.0,
                    meta: 0.0,
                    visible: 0.0,
                    state: 0.0,
                    is_low: false,
                    shown: shown(value),
                    sources: Vec::new(),
                });
                out.len() - 1
            });
        give(&mut out[at]);
        out[at].sources.extend(source);
    };
    for witness in evidence.witnesses {
        let claim = &witness.claim;
        let source = |place: &str| {
            Some(Provenance {
                extractor: witness.source,
                place: place.to_owned(),
            })
        };
        let weight = trust(witness.source) * if witness.uncertain { 0.45 } else { 1.0 };
        if let Some(price) = &claim.price {
            // A second syntax is often a copy of the first.
            add(
                price,
                &|n| {
                    n.structured += if n.structured > 0.0 {
                        weight * 0.4
                    } else {
                        weight
                    }
                },
                source(&claim.place),
            );
        } else if let Some(low) = &claim.low {
            let single = claim.high.as_ref() == Some(low);
            let share = if single { 0.8 } else { 0.35 };
            add(
                low,
                &|n| {
                    n.structured += weight * share;
                    n.is_low |= !single;
                },
                source("lowPrice"),
            );
        }
        for other in &witness.others {
            if let Some(price) = &other.price {
                add(price, &|n| n.structured += weight * 0.25, None);
            }
        }
    }
    if let Some(price) = &evidence.meta.claim.price {
        let source = Provenance {
            extractor: Extractor::OpenGraph,
            place: evidence.meta.claim.place.clone(),
        };
        add(price, &|n| n.meta = META_TRUST, Some(source));
    }
    let shown: Vec<_> = evidence
        .visible
        .prices
        .iter()
        .filter(|p| !p.old && p.score > 1.5)
        .take(12)
        .collect();
    for candidate in &shown {
        let weight = ((candidate.score - 1.5) / 4.5).clamp(0.0, 1.1);
        let source = Provenance {
            extractor: Extractor::Heuristic,
            // Told apart by their order on the page, so that a person's choice among
            // several finds the same one again.
            place: match shown.len() {
                1 => "price shown near the title".into(),
                n => {
                    let before = shown.iter().filter(|p| p.node < candidate.node).count();
                    format!("price {} of {n} shown near the title", before + 1)
                }
            },
        };
        let amount = Amount {
            value: candidate.amount,
            other: None,
        };
        let is_low = candidate.high.is_some() || candidate.kind == crate::engine::price::Kind::From;
        add(
            &amount,
            &|n| {
                n.visible = n.visible.max(weight);
                n.is_low |= is_low;
            },
            (candidate.score > 2.5).then_some(source),
        );
    }
    for nominee in &mut out {
        if let Some((_, key)) = evidence.state.iter().find(|(v, _)| *v == nominee.value) {
            nominee.state = STATE_TRUST;
            nominee.sources.push(Provenance {
                extractor: Extractor::Platform,
                place: format!("script data: {key}"),
            });
        }
    }
    // Markup with the list price, where the page shows a lower one to pay, is out of date
    // or means something else.
    let listed: Vec<Decimal> = out
        .iter()
        .filter(|n| n.structured > 0.0 && is_listed(evidence, n.value))
        .map(|n| n.value)
        .collect();
    let cheaper = |value: Decimal| {
        evidence
            .meta
            .claim
            .price
            .as_ref()
            .is_some_and(|p| p.value < value)
            || evidence
                .visible
                .prices
                .iter()
                .any(|p| !p.old && !p.aside && p.score >= CLEAR && p.amount < value)
    };
    for nominee in out.iter_mut().filter(|n| listed.contains(&n.value)) {
        if cheaper(nominee.value) {
            nominee.structured *= 0.3;
            nominee.visible = 0.0;
        }
    }
    // A seller on the page asks the low end of the range: then it is a price.
    for nominee in &mut out {
        if nominee.is_low && nominee.structured > 0.0 && nominee.shown.is_some_and(|s| s.single) {
            nominee.is_low = false;
            nominee.structured += 0.3;
        }
    }
    out.sort_by(|a, b| b.total().total_cmp(&a.total()));
    out
}

/// Whether an amount is known to be crossed out or a list price.
fn is_listed(evidence: &Evidence, value: Decimal) -> bool {
    evidence
        .meta
        .claim
        .list
        .as_ref()
        .is_some_and(|l| l.value == value)
        || evidence
            .visible
            .prices
            .iter()
            .any(|p| p.old && !p.aside && p.amount == value && p.score > -3.0)
}

fn decide(evidence: &Evidence, nominees: &[Nominee]) -> Extraction {
    let least = if evidence.visible.has_buy_button {
        0.15
    } else {
        0.3
    };
    let Some(winner) = nominees.first().filter(|n| n.total() >= least) else {
        let mut extraction = Extraction::empty(Verdict::Absent, "no price on this page");
        if has_product(evidence) {
            extraction.reason = Some("a product without a price".into());
            extraction.offers.push(offer(evidence, None, 0.3));
        }
        return extraction;
    };
    let runner = nominees.get(1);
    let confidence = confidence(evidence, winner, runner);
    let from_structure = winner.structured + winner.meta >= 0.3;
    let clear = winner.shown.filter(|s| s.score >= CLEAR);
    let stands_out = clear.is_some_and(|s| !s.repeated || margin(evidence, winner) >= 2.0);
    let is_list = (evidence.lists_products || evidence.visible.repeated >= 6)
        && !evidence.visible.has_buy_button
        && !stands_out;
    if !from_structure && is_list {
        return Extraction::empty(Verdict::Absent, "a list of products, not one product");
    }
    let best = offer(evidence, Some(winner), confidence);
    if best.price.is_none() {
        let mut extraction = Extraction::empty(Verdict::Ambiguous, "a price without a currency");
        extraction.offers.push(best);
        return extraction;
    }
    if confidence < ENOUGH {
        let mut extraction = Extraction::empty(
            Verdict::Ambiguous,
            "several prices that cannot be told apart",
        );
        extraction.offers = nominees
            .iter()
            .take(5)
            .map(|n| offer(evidence, Some(n), confidence * n.total() / winner.total()))
            .collect();
        return extraction;
    }
    let mut extraction = Extraction {
        verdict: Verdict::Value,
        title: None,
        reason: None,
        offers: vec![best],
    };
    for witness in evidence.witnesses.iter().take(1) {
        extraction.offers.extend(
            witness
                .others
                .iter()
                .take(50)
                .filter_map(|o| variant(evidence, o, witness.source)),
        );
    }
    extraction
}

fn has_product(evidence: &Evidence) -> bool {
    !evidence.witnesses.is_empty() || evidence.meta.kind.to_lowercase().contains("product")
}

/// How likely the winner is right, from who agrees and who does not.
fn confidence(evidence: &Evidence, winner: &Nominee, runner: Option<&Nominee>) -> f64 {
    let seen = winner.shown.map_or(0.0, |s| s.score);
    let top_shown = evidence
        .visible
        .prices
        .iter()
        .filter(|p| !p.old)
        .map(|p| p.score)
        .fold(0.0, f64::max);
    let is_structured = winner.structured >= 0.6;
    let mut p: f64 = if is_structured && winner.visible > 0.3 {
        0.97
    } else if is_structured && winner.meta > 0.0 {
        0.93
    } else if winner.meta > 0.0 && winner.visible > 0.3 {
        0.94
    } else if is_structured {
        // Nothing shown agrees. The state of the page's own program may.
        match winner.state > 0.0 {
            _ if top_shown >= CLEAR => 0.6,
            true => 0.85,
            false => 0.78,
        }
    } else if winner.meta > 0.0 {
        if top_shown >= CLEAR { 0.5 } else { 0.75 }
    } else if winner.structured > 0.2 && winner.visible > 0.3 {
        0.75
    } else {
        // Only seen: as sure as it stands out.
        let margin = margin(evidence, winner).clamp(0.0, 3.0);
        (0.30 + 0.07 * (seen - 2.0).clamp(0.0, 5.0) + 0.10 * margin + winner.state).min(0.79)
    };
    if let Some(runner) = runner {
        let ratio = runner.total() / winner.total();
        if ratio > 0.6 {
            p *= 1.0 - (ratio - 0.6);
        }
    }
    if winner.is_low {
        p *= 0.6;
    }
    // The page shows another price more openly.
    if top_shown >= CLEAR && top_shown - seen > 0.75 {
        p = p.min(0.7);
    }
    // Amounts in two currencies, and nothing on the page to tell which one is asked.
    let named = evidence
        .witnesses
        .iter()
        .map(|w| &w.claim)
        .chain([&evidence.meta.claim]);
    let mut currencies: Vec<Currency> = named
        .filter(|c| c.price.is_some() || c.low.is_some())
        .filter_map(|c| c.currency)
        .collect();
    currencies.dedup();
    if currencies.len() > 1 && winner.visible < 0.3 {
        p = p.min(0.45);
    }
    p.clamp(0.0, 0.99)
}

/// How much more a price looks like the one to pay than the next one shown.
fn margin(evidence: &Evidence, winner: &Nominee) -> f64 {
    let others = evidence
        .visible
        .prices
        .iter()
        .filter(|p| !p.old && p.amount != winner.value);
    winner.shown.map_or(0.0, |s| s.score) - others.map(|p| p.score).fold(0.0, f64::max)
}

/// The offer for a nominated price, with every field from the best reader that has it.
fn offer(evidence: &Evidence, nominee: Option<&Nominee>, confidence: f64) -> Offer {
    let meta = &evidence.meta.claim;
    let mut merged = Claim::default();
    for witness in evidence.witnesses {
        merged.fill_from(&witness.claim);
    }
    merged.fill_from(meta);
    let context = evidence.context;
    let clean = |field: &Option<String>, max| {
        field
            .as_deref()
            .map(|t| text::clean(t, max))
            .filter(|t| !t.is_empty())
    };
    let mut offer = Offer {
        name: clean(&merged.name, 300)
            .or_else(|| clean(&evidence.visible.title, 300))
            .or_else(|| clean(&context.title, 300)),
        brand: clean(&merged.brand, 120),
        gtin: merged.gtin,
        mpn: clean(&merged.mpn, 80),
        sku: clean(&merged.sku, 80),
        availability: availability(evidence),
        condition: merged.condition.unwrap_or(Condition::Unknown),
        seller: clean(&merged.seller, 120),
        url: context
            .canonical
            .as_deref()
            .map(|c| context.absolute(c))
            .or_else(|| context.url.as_ref().map(ToString::to_string)),
        image: merged.image.as_deref().map(|i| context.absolute(i)),
        unit_price: merged.unit_price.clone(),
        valid_through: clean(&merged.valid_through, 40),
        confidence: (confidence * 1000.0).round() / 1000.0,
        ..Offer::default()
    };
    let currency = nominee.and_then(|n| currency(evidence, n));
    if let (Some(nominee), Some(currency)) = (nominee, currency) {
        offer.price = Some(Money::new(nominee.value, currency));
        offer.list_price = list_price(evidence, &merged, nominee).map(|v| Money::new(v, currency));
        offer.provenance.clone_from(&nominee.sources);
        offer.price_range = range(evidence, currency);
    } else if nominee.is_none()
        && let Some(currency) = merged.currency
    {
        offer.price_range = range(evidence, currency);
    }
    offer.shipping = shipping(&merged, currency);
    offer
}

fn variant(evidence: &Evidence, claim: &Claim, source: Extractor) -> Option<Offer> {
    let price = claim.price.as_ref()?;
    let currency = claim
        .currency
        .or_else(|| evidence.context.currency_of(claim.symbol.as_deref()?))?;
    let clean = |field: &Option<String>, max| {
        field
            .as_deref()
            .map(|t| text::clean(t, max))
            .filter(|t| !t.is_empty())
    };
    Some(Offer {
        name: clean(&claim.name, 300),
        brand: clean(&claim.brand, 120),
        gtin: claim.gtin,
        mpn: clean(&claim.mpn, 80),
        sku: clean(&claim.sku, 80),
        price: Some(Money::new(price.value, currency)),
        availability: claim.availability.unwrap_or_default(),
        condition: claim.condition.unwrap_or_default(),
        seller: clean(&claim.seller, 120),
        url: claim.url.as_deref().map(|u| evidence.context.absolute(u)),
        confidence: 0.7,
        provenance: vec![Provenance {
            extractor: source,
            place: claim.place.clone(),
        }],
        ..Offer::default()
    })
}

/// The currency of the winning price: of a reader that names it with this price, then of
/// the sign beside it, then of the country.
fn currency(evidence: &Evidence, nominee: &Nominee) -> Option<Currency> {
    let has_price = |claim: &Claim| {
        claim
            .price
            .as_ref()
            .or(claim.low.as_ref())
            .is_some_and(|p| p.may_be(nominee.value))
    };
    let claims = || {
        evidence
            .witnesses
            .iter()
            .map(|w| &w.claim)
            .chain([&evidence.meta.claim])
    };
    let stated = claims().filter(|c| has_price(c)).find_map(|c| c.currency);
    let seen = nominee.shown.and_then(|s| {
        s.currency
            .or_else(|| evidence.context.currency_of(s.symbol.as_deref()?))
    });
    let sign_is_certain = nominee.shown.is_some_and(|s| s.currency.is_some());
    match (stated, seen) {
        // A clear sign on the page contradicts the markup, which shops copy around.
        (Some(stated), Some(seen))
            if stated != seen && sign_is_certain && nominee.visible > 0.6 =>
        {
            Some(seen)
        }
        (Some(stated), _) => Some(stated),
        (None, seen) => {
            let sign = || {
                claims()
                    .filter(|c| has_price(c))
                    .find_map(|c| c.symbol.as_deref())
                    .and_then(|s| evidence.context.currency_of(s))
            };
            let elsewhere = || claims().find_map(|c| c.currency);
            let other_signs = || {
                evidence.visible.prices.iter().find_map(|p| {
                    p.currency
                        .or_else(|| evidence.context.currency_of(p.symbol.as_deref()?))
                })
            };
            seen.or_else(sign)
                .or_else(elsewhere)
                .or_else(other_signs)
                .or_else(|| evidence.context.home_currency())
        }
    }
}

fn list_price(evidence: &Evidence, merged: &Claim, nominee: &Nominee) -> Option<Decimal> {
    let above = |v: &Decimal| *v > nominee.value && *v <= nominee.value * Decimal::from(20);
    let stated = merged.list.as_ref().map(|a| a.value).filter(above);
    stated.or_else(|| {
        let price_at = nominee.shown?.node.index();
        evidence
            .visible
            .prices
            .iter()
            .filter(|p| p.old && !p.aside && above(&p.amount))
            .map(|p| (p.node.index().abs_diff(price_at), p.amount))
            .filter(|(distance, _)| *distance < 60)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, amount)| amount)
    })
}

fn range(evidence: &Evidence, currency: Currency) -> Option<PriceRange> {
    let claim = evidence
        .witnesses
        .iter()
        .map(|w| &w.claim)
        .find(|c| c.low.is_some())?;
    let low = claim.low.as_ref()?.value;
    let high = claim.high.as_ref().map(|h| h.value).filter(|h| *h >= low);
    (high != Some(low)).then_some(PriceRange {
        low,
        high,
        currency,
    })
}

fn shipping(claim: &Claim, currency: Option<Currency>) -> Option<Shipping> {
    let cost = claim
        .shipping_cost
        .and_then(|(amount, own)| Some(Money::new(amount, own.or(currency)?)));
    let days = claim.shipping_days;
    let found = Shipping {
        cost,
        free_from: claim.shipping_free_from,
        min_days: days.map(|d| d.0),
        max_days: days.map(|d| d.1),
    };
    (found != Shipping::default()).then_some(found)
}

/// Structured data first; where syntaxes disagree, what the page shows decides.
fn availability(evidence: &Evidence) -> Availability {
    let mut stated: Vec<Availability> = evidence
        .witnesses
        .iter()
        .filter_map(|w| w.claim.availability)
        .collect();
    stated.extend(evidence.meta.claim.availability);
    let gone = |a: Availability| matches!(a, Availability::OutOfStock | Availability::Discontinued);
    match (stated.first(), evidence.visible.availability) {
        // Templates say "in stock" for ever; the line beside the button is kept right.
        (Some(first), Some(seen))
            if first.is_available() && gone(seen) && evidence.visible.states_availability =>
        {
            seen
        }
        (Some(first), Some(seen))
            if stated.iter().any(|s| s != first) && stated.contains(&seen) =>
        {
            seen
        }
        (Some(first), _) => *first,
        (None, seen) => seen.unwrap_or_default(),
    }
}
