//! What a want cost over time.

use super::Market;
use crate::agent::api::types::{HistoryPoint, HistoryReply};
use crate::agent::packs;
use crate::agent::store::{Store, Zone};
use crate::model::offer::Observation;
use crate::model::want::Want;
use crate::vault::VaultError;

/// The price history of a want over all its offers, oldest first.
///
/// # Errors
/// As the vault.
pub fn history(store: &Store, market: &Market, want: &Want) -> Result<HistoryReply, VaultError> {
    let mut all = Vec::new();
    for listing in store.listings_of(want.id)? {
        if listing.zone(want.id) != Some(Zone::Same) || listing.candidate {
            continue;
        }
        let mut seen = store.history(&listing.id)?;
        fill_packs(&mut seen, listing.offer.name.as_deref().unwrap_or_default());
        let place = (listing.shop, listing.url);
        all.extend(seen.into_iter().map(|o| (o, place.clone())));
    }
    all.sort_by_key(|(o, _)| o.at);
    // Packs differ and change: all prices are for as much as is wanted, or as now.
    let last = || all.iter().rev().find_map(|(o, _)| o.content);
    let wanted = packs::content_of(&want.name).or_else(last);
    let points = all
        .into_iter()
        .map(|(o, (shop, url))| HistoryPoint {
            at: o.at,
            home: o
                .price
                .and_then(|p| market.home_price(&packs::price_of(p, o.content, wanted))),
            shop,
            url,
            price: o.price,
            availability: o.availability,
        })
        .collect();
    Ok(HistoryReply {
        want: want.id.short(),
        name: want.name.clone(),
        points,
        advice: None,
    })
}

/// Gives observations without a pack that of the next one of the same offer, else what its
/// name says now: they are from before packs were kept, or the title did not say it yet.
fn fill_packs(seen: &mut [Observation], name: &str) {
    let mut next = packs::content_of(name);
    for o in seen.iter_mut().rev() {
        o.content = o.content.or(next);
        next = o.content;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use crate::model::{Availability, Condition};

    #[test]
    fn an_observation_without_a_pack_had_the_next_one() {
        let seen = |name: &str| Observation {
            at: Timestamp::UNIX_EPOCH,
            price: None,
            availability: Availability::InStock,
            condition: Condition::New,
            content: packs::content_of(name),
        };
        let filled = |names: &[&str], now: &str| {
            let mut all: Vec<Observation> = names.iter().map(|n| seen(n)).collect();
            fill_packs(&mut all, now);
            all.iter().map(|o| o.content).collect::<Vec<_>>()
        };
        let (half, whole) = (packs::content_of("500 g"), packs::content_of("1 kg"));
        assert!(half.is_some() && whole.is_some());
        assert_eq!(
            filled(&["", "500 g", "", "1 kg", ""], "500 g"),
            [half, half, whole, whole, half]
        );
        assert_eq!(filled(&["", ""], "coffee"), [None, None]);
    }
}
