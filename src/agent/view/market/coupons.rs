//! The coupons the person noted, on an order of one thing.

use super::Market;
use crate::model::terms::{Coupon, Gives};
use crate::model::{Id, Money};
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::BTreeMap;

/// The whole price, in hundredths of a percent.
const WHOLE: u32 = 10_000;

impl Market {
    /// The coupons that an order of one want at a shop can take, and what each takes off:
    /// the best of every group. Where percentages could add up to more than the price, the
    /// best of all, as in a basket.
    pub(super) fn coupons(&self, want: Id, shop: &str, order: Money) -> Vec<(&Coupon, Money)> {
        let known = self.terms.get(shop).map_or(&[][..], |t| &t.coupons);
        let mut best: BTreeMap<&Option<String>, (&Coupon, Money)> = BTreeMap::new();
        let mut rates: BTreeMap<&Option<String>, u32> = BTreeMap::new();
        for coupon in known.iter().filter(|c| !c.is_expired(self.today)) {
            if !coupon.wants.is_empty() && !coupon.wants.contains(&want) {
                continue;
            }
            if let Gives::Percent(points) = coupon.gives {
                let rate = rates.entry(&coupon.group).or_default();
                *rate = u32::from(points).max(*rate);
            }
            let Some(off) = self.takes_off(coupon, order) else {
                continue;
            };
            let slot = best.entry(&coupon.group).or_insert((coupon, off));
            if off.amount > slot.1.amount {
                *slot = (coupon, off);
            }
        }
        let mut taken: Vec<_> = best.into_values().collect();
        if rates.values().sum::<u32>() > WHOLE {
            taken.sort_by_key(|(_, off)| std::cmp::Reverse(off.amount));
            taken.truncate(1);
        }
        taken
    }

    /// What a coupon takes off an order in the person's currency, if it counts for it.
    fn takes_off(&self, coupon: &Coupon, order: Money) -> Option<Money> {
        let home = |m: &Money| self.home_price(m).map(|m| m.amount);
        let counts = match &coupon.min_spend {
            Some(least) => home(least)? <= order.amount,
            None => true,
        };
        let raw = match &coupon.gives {
            Gives::Percent(points) => order
                .amount
                .checked_mul(Decimal::from(*points))?
                .checked_div(Decimal::from(WHOLE))?
                .round_dp_with_strategy(order.currency.exponent(), RoundingStrategy::ToZero),
            Gives::Fixed(money) => home(money)?.min(order.amount),
        };
        let off = match &coupon.cap {
            Some(cap) => raw.min(home(cap)?),
            None => raw,
        };
        (counts && off > Decimal::ZERO).then(|| Money::new(off, order.currency))
    }
}
