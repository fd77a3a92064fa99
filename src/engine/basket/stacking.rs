//! Which coupons of one shop may be used together: a shop does not pay its customers.

use super::instance::{Cents, Coupon, CouponKind};
use std::collections::BTreeMap;

/// The whole price, in basis points.
const WHOLE: i64 = 10_000;

/// How the coupons of a shop were kept from taking off more than is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stacking {
    /// They could not: nothing was changed.
    AsGiven,
    /// Several count together from so much spent on.
    From(Cents),
    /// Only one of them counts.
    One,
}

/// Keeps the coupons of one shop, of which one of each group may be used, from taking off
/// more than is bought. No two count together below the spend at which the most that every
/// group gives cannot exceed it; the group that gives most counts alone there.
pub fn keep_to_the_price(coupons: &mut [Coupon]) -> Stacking {
    let mut highest: BTreeMap<usize, (Cents, i64)> = BTreeMap::new();
    for coupon in coupons.iter() {
        let (fixed, rate) = highest.entry(coupon.group).or_default();
        match coupon.kind {
            CouponKind::Fixed(value) => *fixed = (*fixed).max(capped(coupon, value)),
            CouponKind::Percent(points) => *rate = points.max(*rate),
        }
    }
    if highest.len() < 2 {
        return Stacking::AsGiven;
    }
    // `spend - fixed - rate * spend` is not negative from `fixed / (1 - rate)` on.
    let fixed: i128 = highest.values().map(|h| i128::from(h.0)).sum();
    let left = i128::from(WHOLE) - highest.values().map(|h| i128::from(h.1)).sum::<i128>();
    let spend = match (left, fixed) {
        (0.., 0) => 0,
        (1.., _) => (fixed * i128::from(WHOLE) + left - 1) / left,
        _ => i128::MAX,
    };
    let Ok(spend) = Cents::try_from(spend) else {
        let one = coupons.iter().map(|c| c.group).min().unwrap_or_default();
        coupons.iter_mut().for_each(|c| c.group = one);
        return Stacking::One;
    };
    let gives = |coupon: &Coupon| match coupon.kind {
        CouponKind::Fixed(value) => capped(coupon, value),
        CouponKind::Percent(points) => {
            let part = i128::from(spend) * i128::from(points) / i128::from(WHOLE);
            capped(coupon, Cents::try_from(part).unwrap_or(Cents::MAX))
        }
    };
    // The first of those that give as much.
    let best = coupons.iter().rev().max_by_key(|c| gives(c));
    let best = best.map(|c| c.group);
    let mut stacking = Stacking::AsGiven;
    for coupon in coupons.iter_mut().filter(|c| Some(c.group) != best) {
        if coupon.min_spend < spend {
            coupon.min_spend = spend;
            stacking = Stacking::From(spend);
        }
    }
    stacking
}

fn capped(coupon: &Coupon, value: Cents) -> Cents {
    coupon.cap.map_or(value, |cap| value.min(cap))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn coupon(group: usize, kind: CouponKind, min_spend: Cents, cap: Option<Cents>) -> Coupon {
        Coupon {
            id: String::new(),
            shop: 0,
            kind,
            min_spend,
            offers: None,
            cap,
            group,
        }
    }

    /// The most that a choice of one of each group takes off `spend`.
    fn most(coupons: &[Coupon], spend: Cents) -> Cents {
        let mut best: BTreeMap<usize, Cents> = BTreeMap::new();
        for c in coupons {
            let off = c.discount(spend).unwrap_or(0);
            let most = best.entry(c.group).or_default();
            *most = off.max(*most);
        }
        best.values().sum()
    }

    #[test]
    fn what_each_asks_for_enough_is_left_as_it_is() {
        let mut all = [
            coupon(0, CouponKind::Fixed(1_200), 3_000, None),
            coupon(1, CouponKind::Percent(1_000), 2_000, None),
        ];
        assert_eq!(keep_to_the_price(&mut all), Stacking::AsGiven);
        assert_eq!(most(&all, 3_400), 1_540);
        let mut all = [
            coupon(0, CouponKind::Fixed(1_200), 0, None),
            coupon(1, CouponKind::Fixed(1_000), 0, None),
        ];
        assert_eq!(keep_to_the_price(&mut all), Stacking::From(2_200));
        assert_eq!([most(&all, 1_800), most(&all, 2_200)], [1_200, 2_200]);
        let mut all = [
            coupon(0, CouponKind::Percent(6_000), 0, None),
            coupon(1, CouponKind::Percent(6_000), 0, None),
        ];
        assert_eq!(keep_to_the_price(&mut all), Stacking::One);
        assert_eq!(most(&all, 1_000), 600);
    }

    fn any_coupon() -> impl Strategy<Value = Coupon> {
        let kind = prop_oneof![
            (0_i64..5_000).prop_map(CouponKind::Fixed),
            (0_i64..10_000).prop_map(CouponKind::Percent),
            Just(CouponKind::Fixed(Cents::MAX)),
        ];
        (
            0_usize..4,
            kind,
            0_i64..5_000,
            prop::option::of(0_i64..3_000),
        )
            .prop_map(|(group, kind, min, cap)| coupon(group, kind, min, cap))
    }

    proptest! {
        #[test]
        fn nothing_takes_off_more_than_is_bought_and_one_always_counts(
            all in prop::collection::vec(any_coupon(), 0..6),
            spend in 0_i64..20_000,
        ) {
            let mut kept = all.clone();
            keep_to_the_price(&mut kept);
            prop_assert!(most(&kept, spend) <= spend, "{:?}", kept);
            prop_assert!(most(&kept, spend) <= most(&all, spend));
        }
    }
}
