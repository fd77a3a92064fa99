//! What a shop takes for an order, in whole cents: delivery, weight, the least order, the
//! way there.

use super::problem::goods;
use crate::agent::view::{Market, Teller};
use crate::engine::basket::{Basis, Cents, Pickup, Shop, Step};
use crate::model::{Money, Offer as Asked, Place, Sentence, ShopTerms, sentence};

/// Added to the trip where nothing is sent, so that no plan has it sent.
const NOT_SENT: Cents = 100_000_000;

/// A fee, expected and at the worst: exchange rates move.
type Fee = (Cents, Cents);

fn range(market: &Market, fee: &Money) -> Option<Fee> {
    if fee.amount.is_zero() {
        return Some((0, 0));
    }
    let price = Some(*fee);
    goods(
        market,
        &Asked {
            price,
            ..Asked::default()
        },
    )
}

/// What a shop takes.
pub struct Terms {
    pub shop: String,
    tiers: Vec<Step>,
    worst_tiers: Vec<Step>,
    basis: Basis,
    surcharges: Vec<Step>,
    pickup: Option<Pickup>,
    min_order: Cents,
    /// Nothing is sent.
    pub fetch_only: bool,
    /// Where the fee comes from, in words.
    pub source: Sentence,
    /// Where the cost of the trip comes from, in words.
    pub trip: Option<Sentence>,
}

/// Whether goods of a shop can be had: what is not sent must be within reach.
pub fn is_reachable(market: &Market, shop: &str, start: Option<Place>) -> bool {
    let fetch_only = market.terms(shop).is_some_and(|t| t.fetch_only);
    !fetch_only || market.trip(shop, start).is_some()
}

impl Terms {
    /// What the person noted, else what these offers agree on, else the shop's rule, else
    /// the most these offers say, else what its other pages say, else the usual range.
    pub fn new(market: &Market, shop: &str, asked: &[&Asked], start: Option<Place>) -> Self {
        let nothing = ShopTerms::default();
        let noted = market.terms(shop).unwrap_or(&nothing);
        let known = market.delivery(shop);
        let in_cents = |money: Option<Money>| market.cents(&money?);
        let in_range = |money: Option<Money>| range(market, &money?);
        let said: Vec<Option<Fee>> = asked
            .iter()
            .map(|o| in_range(o.shipping.as_ref().and_then(|s| s.cost)))
            .collect();
        let page_free = asked
            .iter()
            .filter_map(|o| in_cents(o.shipping.as_ref().and_then(|s| s.free_from)))
            .max();
        let free_from = in_cents(known.rule.free_from);
        let free_from = match known.free_by {
            Teller::Person | Teller::Shop => free_from,
            Teller::Pages => page_free.or(free_from),
        };
        let agreed = said.first().copied().flatten();
        let agreed = agreed.filter(|fee| said.iter().all(|s| *s == Some(*fee)));
        let most = said.iter().copied().flatten().max();
        let fee = in_range(known.rule.fee);
        let by = |teller| fee.filter(|_| known.fee_by == teller);
        let known_fee = by(Teller::Person)
            .map(|fee| (fee, Teller::Person.words()))
            .or_else(|| agreed.map(|fee| (fee, "as its pages say")))
            .or_else(|| by(Teller::Shop).map(|fee| (fee, Teller::Shop.words())))
            .or_else(|| most.map(|fee| (fee, "the most its pages say")))
            .or_else(|| by(Teller::Pages).map(|fee| (fee, Teller::Pages.words())));
        let (fee, worst_fee, source) = match known_fee {
            Some(((fee, worst), source)) => (fee, worst, source),
            None => {
                let (usual, most) = market.unknown_delivery();
                let fee = in_cents(Some(usual)).unwrap_or(0);
                let most = in_cents(Some(most)).unwrap_or(0);
                (fee, most.max(fee), "nobody says; the usual range")
            }
        };
        let steps: Vec<Step> = noted
            .tiers
            .iter()
            .filter_map(|t| {
                Some(Step {
                    from: market.cents(&t.from)?,
                    amount: market.cents(&t.fee)?,
                })
            })
            .collect();
        let mut terms = Self {
            shop: shop.to_owned(),
            tiers: ladder(fee, &steps, free_from),
            worst_tiers: ladder(worst_fee, &steps, free_from),
            basis: if noted.before_coupons {
                Basis::BeforeCoupons
            } else {
                Basis::AfterCoupons
            },
            surcharges: surcharges(market, noted),
            pickup: None,
            min_order: in_cents(known.rule.min_order).unwrap_or(0),
            fetch_only: noted.fetch_only,
            source: source.into(),
            trip: None,
        };
        let money = |cents| Money::from_minor(cents, market.home());
        for step in &terms.tiers[1..] {
            let fee: Sentence = match step.amount {
                0 => "free".into(),
                fee => money(fee).into(),
            };
            let from = money(step.from);
            terms.source.push(sentence!(", ", fee, " from ", from));
        }
        if terms.min_order > 0 {
            let least = money(terms.min_order);
            terms.source.push(sentence!(", orders from ", least, " on"));
        }
        if let Some(trip) = market.trip(shop, start)
            && let Some(travel) = market.cents(&trip.cost)
            // What cannot be counted is not free.
            && let Some(fee) = noted.pickup_fee.map_or(Some(0), |fee| market.cents(&fee))
        {
            terms.pickup = Some(Pickup { travel, fee });
            terms.trip = Some(trip.source);
            if noted.fetch_only {
                terms.tiers = ladder(travel + fee + NOT_SENT, &[], None);
                terms.worst_tiers.clone_from(&terms.tiers);
                terms.surcharges.clear();
                terms.source = "nothing is sent".into();
            }
        }
        terms
    }

    /// Writes the terms into the problem's shop.
    pub fn apply(&self, shop: &mut Shop) {
        shop.tiers.clone_from(&self.tiers);
        shop.basis = self.basis;
        shop.weight_tiers.clone_from(&self.surcharges);
        shop.pickup = self.pickup;
        shop.min_order = self.min_order;
    }

    /// The same with an unknown fee at its worst.
    pub fn apply_worst(&self, shop: &mut Shop) {
        shop.tiers.clone_from(&self.worst_tiers);
    }

    /// A weight over every threshold; `None` where weight costs nothing.
    pub fn heaviest(&self) -> Option<i64> {
        self.surcharges.last().map(|s| s.from + 1)
    }
}

/// Fees by order value, from 0 on, ascending.
fn ladder(fee: Cents, steps: &[Step], free_from: Option<Cents>) -> Vec<Step> {
    let end = free_from.unwrap_or(Cents::MAX);
    let mut all = vec![Step {
        from: 0,
        amount: fee,
    }];
    all.extend(steps.iter().filter(|s| s.from < end));
    all.extend(free_from.map(|from| Step { from, amount: 0 }));
    // Of two that start together the later one was meant.
    all.sort_by_key(|s| s.from);
    all.reverse();
    all.dedup_by_key(|s| s.from);
    all.reverse();
    all
}

fn surcharges(market: &Market, noted: &ShopTerms) -> Vec<Step> {
    let mut all: Vec<Step> = noted
        .surcharges
        .iter()
        .filter_map(|s| {
            Some(Step {
                from: i64::from(s.over_g),
                amount: market.cents(&s.add)?,
            })
        })
        .collect();
    all.sort_by_key(|s| s.from);
    all.dedup_by_key(|s| s.from);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_starts_at_nothing_and_ends_free() {
        let step = |from, amount| Step { from, amount };
        let fees = ladder(490, &[step(2500, 290), step(9000, 100)], Some(4900));
        assert_eq!(fees, [step(0, 490), step(2500, 290), step(4900, 0)]);
        assert_eq!(ladder(490, &[step(0, 390)], None), [step(0, 390)]);
        assert_eq!(ladder(490, &[], Some(0)), [step(0, 0)]);
    }
}
