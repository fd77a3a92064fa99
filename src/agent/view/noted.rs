//! The prices the person noted for a want, as offers to look at.

use super::{Market, NOTED, Row};
use crate::agent::store::{Store, Zone};
use crate::model::terms::NotedOffer;
use crate::model::want::Want;
use crate::model::{Money, Offer, Sentence, sentence};
use crate::vault::VaultError;
use jiff::tz::TimeZone;

/// The noted prices for a want that hold today, the cheapest first: those to be ranked
/// with what was read, and those that only a basket can weigh, bundles and too few.
///
/// # Errors
/// As the vault.
pub(super) fn rows(
    store: &Store,
    market: &Market,
    want: &Want,
) -> Result<(Vec<Row>, Vec<Row>), VaultError> {
    let mut all: Vec<(bool, Row)> = Vec::new();
    for (shop, noted) in market.noted() {
        all.extend(row(store, market, want, shop, noted)?);
    }
    let cost = |r: &Row| r.cost.as_ref().ok().map(|c| c.mid().amount);
    all.sort_by_key(|(_, r)| (cost(r).is_none(), cost(r)));
    let (ranked, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(alone, _)| *alone);
    let rows = |all: Vec<(bool, Row)>| all.into_iter().map(|(_, row)| row).collect();
    Ok((rows(ranked), rows(rest)))
}

/// A noted price as an offer, and whether it answers the want by itself.
fn row(
    store: &Store,
    market: &Market,
    want: &Want,
    shop: &str,
    noted: &NotedOffer,
) -> Result<Option<(bool, Row)>, VaultError> {
    let Some((_, pieces)) = noted.covers.iter().find(|c| c.0 == want.id) else {
        return Ok(None);
    };
    let number = want.quantity.max(1).div_ceil((*pieces).max(1));
    let offer = Offer {
        name: Some(noted.name.clone()),
        price: Some(price_from(noted, number)),
        url: noted.url.clone(),
        confidence: 1.0,
        ..Offer::default()
    };
    let mut said = vec![market.say(label(noted))];
    if *pieces > 1 {
        said.push(format!(
            "a pack of {pieces}: {number} for {}",
            want.quantity
        ));
    }
    let mut others = Vec::new();
    for (id, n) in noted.covers.iter().filter(|c| c.0 != want.id) {
        let other = store.want(*id)?;
        others.extend(other.map(|other| format!("{n} x {}", other.name)));
    }
    let mut alone = noted.covers.len() == 1;
    if !others.is_empty() {
        said.push(format!("a bundle, with {}", others.join(", ")));
    }
    let steps = noted.breaks.iter();
    said.extend(steps.map(|b| market.say(sentence!(b.price, " each from ", b.from, " on"))));
    if let Some(most) = noted.most.filter(|most| *most < number) {
        said.push(format!("at most {most} can be bought, {number} are needed"));
        alone = false;
    }
    let Ok(day) = noted.noted.to_zoned(TimeZone::UTC) else {
        return Ok(None);
    };
    let row = Row {
        id: noted.id.short(),
        cost: if alone {
            market.landed_for(want.id, &offer, shop, number)
        } else {
            market.landed(&offer, shop, number, &[])
        },
        shop: shop.to_owned(),
        url: noted.url.clone().unwrap_or_default(),
        offer,
        // East of Greenwich the day began before it did there.
        seen: day.timestamp().min(market.now()),
        source: NOTED,
        zone: Zone::Same,
        reasons: said,
        pieces: None,
    };
    Ok(Some((alone, row)))
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
