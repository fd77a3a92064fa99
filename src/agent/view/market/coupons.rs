//! The coupons the person noted, and what they take off an order of one thing.

use super::Market;
use crate::engine::basket::stacking::keep_to_the_price;
use crate::engine::basket::{Cents, Coupon as Counted, CouponKind};
use crate::model::terms::{Coupon, Gives};
use crate::model::{Id, Money, Sentence, sentence};
use std::collections::BTreeMap;

impl Market {
    /// A coupon for a whole shop in cents of the person's currency, of no shop and group yet.
    ///
    /// # Errors
    /// Which of its amounts cannot be counted.
    pub fn counted(&self, coupon: &Coupon) -> Result<Counted, Sentence> {
        let amount = |money: &Money| {
            let home = self.home.code();
            let error = || sentence!(*money, " cannot be counted in ", home);
            self.cents(money).ok_or_else(error)
        };
        Ok(Counted {
            id: String::new(),
            shop: 0,
            kind: match &coupon.gives {
                Gives::Percent(points) => CouponKind::Percent(i64::from(*points)),
                Gives::Fixed(money) => CouponKind::Fixed(amount(money)?),
            },
            min_spend: coupon.min_spend.as_ref().map_or(Ok(0), amount)?,
            offers: None,
            cap: coupon.cap.as_ref().map(amount).transpose()?,
            group: 0,
        })
    }

    /// The coupons that an order of one want at a shop can take, and what each takes off:
    /// the best of every group, as in a basket.
    pub(super) fn coupons(&self, want: Id, shop: &str, order: Money) -> Vec<(&Coupon, Money)> {
        let Some(order) = self.cents(&order) else {
            return Vec::new();
        };
        let known = self.terms.get(shop).map_or(&[][..], |t| &t.coupons);
        let counts = |c: &&Coupon| {
            !c.is_expired(self.today) && (c.wants.is_empty() || c.wants.contains(&want))
        };
        let mut groups: BTreeMap<&Option<String>, usize> = BTreeMap::new();
        let mut mine: Vec<&Coupon> = Vec::new();
        let mut counted: Vec<Counted> = Vec::new();
        for coupon in known.iter().filter(counts) {
            if let Ok(c) = self.counted(coupon) {
                let next = groups.len();
                let group = *groups.entry(&coupon.group).or_insert(next);
                counted.push(Counted { group, ..c });
                mine.push(coupon);
            }
        }
        keep_to_the_price(&mut counted);
        let mut best: BTreeMap<usize, (&Coupon, Cents)> = BTreeMap::new();
        for (coupon, c) in mine.into_iter().zip(&counted) {
            let Some(off) = c.discount(order).filter(|off| *off > 0) else {
                continue;
            };
            let slot = best.entry(c.group).or_insert((coupon, off));
            if off > slot.1 {
                *slot = (coupon, off);
            }
        }
        let off = |(coupon, off)| (coupon, Money::from_minor(off, self.home));
        best.into_values().map(off).collect()
    }
}
