//! The prices the person noted for a want, as offers to look at.

use super::{Market, cost_view};
use crate::agent::api::types::OfferView;
use crate::agent::store::Zone;
use crate::model::terms::NotedOffer;
use crate::model::want::Want;
use crate::model::{Availability, Condition, Money, Offer, Sentence, sentence};
use jiff::tz::TimeZone;

/// The noted prices for a want that hold today, the cheapest first. `wants` has the names
/// of what else is in a bundle.
pub(super) fn offers(market: &Market, want: &Want, wants: &[Want]) -> Vec<OfferView> {
    let mut views: Vec<OfferView> = market
        .noted()
        .filter_map(|(shop, noted)| view(market, want, wants, shop, noted))
        .collect();
    let cost = |v: &OfferView| v.landed.as_ref().map(|c| c.mid.amount);
    views.sort_by_key(|v| (cost(v).is_none(), cost(v)));
    views
}

fn view(
    market: &Market,
    want: &Want,
    wants: &[Want],
    shop: &str,
    noted: &NotedOffer,
) -> Option<OfferView> {
    let (_, pieces) = noted.covers.iter().find(|c| c.0 == want.id)?;
    let number = want.quantity.max(1).div_ceil((*pieces).max(1));
    let price = price_from(noted, number);
    let asked = Offer {
        price: Some(price),
        ..Offer::default()
    };
    let cost = market.landed(&asked, shop, number);
    let mut notes = vec![market.say(label(noted))];
    notes.extend(cost.as_ref().err().map(|e| market.say(e.words())));
    if *pieces > 1 {
        notes.push(format!(
            "a pack of {pieces}: {number} for {}",
            want.quantity
        ));
    }
    let others = noted.covers.iter().filter(|c| c.0 != want.id);
    let others: Vec<String> = others
        .filter_map(|(id, n)| {
            let other = wants.iter().find(|w| w.id == *id)?;
            Some(format!("{n} x {}", other.name))
        })
        .collect();
    if !others.is_empty() {
        notes.push(format!("a bundle, with {}", others.join(", ")));
    }
    let steps = noted.breaks.iter();
    notes.extend(steps.map(|b| market.say(sentence!(b.price, " each from ", b.from, " on"))));
    if let Some(most) = noted.most.filter(|most| *most < number) {
        notes.push(format!("at most {most} can be bought, {number} are needed"));
    }
    let seen = noted.noted.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(OfferView {
        id: noted.id.short(),
        rank: None,
        shop: shop.to_owned(),
        url: noted.url.clone().unwrap_or_default(),
        name: Some(noted.name.clone()),
        brand: None,
        gtin: None,
        price: Some(price),
        landed: cost.as_ref().ok().map(|c| cost_view(market, c)),
        effective: None,
        availability: Availability::Unknown,
        condition: Condition::default(),
        delivery_days: None,
        source: "noted".to_owned(),
        // East of Greenwich the day began before it did there.
        seen: seen.min(market.now()),
        zone: Zone::Same.name().to_owned(),
        confidence: 1.0,
        provenance: Vec::new(),
        shortlisted: false,
        notes,
    })
}

/// What one costs where so many are bought.
fn price_from(noted: &NotedOffer, number: u32) -> Money {
    let reached = noted.breaks.iter().filter(|b| b.from <= number);
    reached
        .max_by_key(|b| b.from)
        .map_or(noted.price, |b| b.price)
}

fn label(noted: &NotedOffer) -> Sentence {
    let mut said = sentence!("noted by you on ", noted.noted);
    if let Some(until) = noted.until {
        said.push(sentence!(", holds until ", until));
    }
    said
}
