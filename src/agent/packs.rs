//! How many pieces of an offer make what is wanted, where its pack is another one.

use crate::engine::quantity::{self, Quantity, Unit};
use crate::model::offer::{Content, ContentUnit};
use crate::model::want::Want;
use crate::model::{Money, Offer};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Packs that differ by less than this share of the wanted amount are the same pack.
const SAME_PACK: Decimal = Decimal::from_parts(5, 0, 0, false, 2);

fn content(name: &str) -> Option<Quantity> {
    quantity::parse(name).filter(|q| q.unit.is_content())
}

/// What one piece of something of this name holds, where the name says it.
#[must_use]
pub fn content_of(name: &str) -> Option<Content> {
    let q = content(name).filter(|q| q.amount > Decimal::ZERO)?;
    let unit = match q.unit {
        Unit::Gram => ContentUnit::Gram,
        Unit::Millilitre => ContentUnit::Millilitre,
        Unit::Piece => ContentUnit::Piece,
        _ => return None,
    };
    Some(Content {
        amount: q.amount,
        unit,
    })
}

/// What as much as `wanted` costs where `held` costs `price`; the price itself where the
/// two are the same pack or cannot be compared.
#[must_use]
pub fn price_of(price: Money, held: Option<Content>, wanted: Option<Content>) -> Money {
    let scaled = || {
        let (held, wanted) = (held?, wanted?);
        let apart = (held.amount - wanted.amount).abs();
        if held.unit != wanted.unit || apart <= wanted.amount.checked_mul(SAME_PACK)? {
            return None;
        }
        let all = price.amount.checked_mul(wanted.amount)?;
        Some(Money::new(all.checked_div(held.amount)?, price.currency).rounded())
    };
    scaled().unwrap_or(price)
}

/// What one piece wanted holds, where its name says so.
#[must_use]
pub fn wanted(want: &Want) -> Option<Quantity> {
    content(&want.name)
}

/// What one piece of an offer holds, in the unit of the wanted piece, where it is another
/// amount.
#[must_use]
pub fn held(want: &Want, wanted: &Quantity, offer: &Offer) -> Option<Decimal> {
    let same_number = want.gtin.is_some() && want.gtin == offer.gtin;
    let held = content(offer.name.as_deref().unwrap_or_default())
        .filter(|q| q.unit == wanted.unit && !same_number)?;
    let apart = (held.amount - wanted.amount).abs();
    (apart > wanted.amount * SAME_PACK).then_some(held.amount)
}

/// How many pieces of an offer it takes to have as much as is wanted.
#[must_use]
pub fn number(want: &Want, offer: &Offer) -> u32 {
    let packs = || {
        let one = wanted(want)?;
        let held = held(want, &one, offer)?;
        let all = one.amount.checked_mul(want.quantity.into())?;
        all.checked_div(held)?.ceil().to_u32()
    };
    packs().unwrap_or(want.quantity).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    #[test]
    fn smaller_packs_are_bought_in_greater_number() {
        let coffee = Want {
            quantity: 3,
            ..Want::new("coffee 1 kg", Timestamp::UNIX_EPOCH)
        };
        let of = |name: &str| {
            let offer = Offer {
                name: Some(name.to_owned()),
                ..Offer::default()
            };
            number(&coffee, &offer)
        };
        assert_eq!(of("beans 500 g"), 6);
        assert_eq!(of("beans 400 g"), 8, "7.5 packs");
        assert_eq!(of("beans 2 x 1 kg"), 2);
        assert_eq!(of("beans 980 g"), 3, "nearly the same");
        assert_eq!(of("beans 1 l"), 3, "another unit");
        assert_eq!(of("beans"), 3);
    }

    #[test]
    fn prices_are_compared_for_as_much() {
        let cost = |price: &str, held: &str, wanted: &str| {
            let price = price.parse().expect("test money");
            price_of(price, content_of(held), content_of(wanted)).to_string()
        };
        assert_eq!(cost("5 EUR", "beans 500 g", "beans 1 kg"), "10.00 EUR");
        assert_eq!(cost("9 EUR", "beans 2 x 1 kg", "beans 1 kg"), "4.50 EUR");
        for same in ["beans 980 g", "beans 1 l", "beans"] {
            assert_eq!(cost("5 EUR", same, "beans 1 kg"), "5.00 EUR", "{same}");
        }
        let wild = "79228162514264337593543950335 EUR";
        assert!(cost(wild, "beans 1 g", "beans 900 kg").ends_with(" EUR"));
    }
}
