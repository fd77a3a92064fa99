//! Offers that no best plan needs: a million of them for one item must not be more work
//! than the few that count.

use super::instance::{BasketError, Household, Offer};
use std::collections::BTreeMap;

/// Offers of one shop for one item that the solver takes.
const MAX_SAME: usize = 2_000;

/// Offers that differ in nothing but price and stock: shop, item, units, weight, disutility.
type Kind = (usize, usize, i64, i64, i64);

fn kind(offer: &Offer) -> Option<Kind> {
    let ([(item, units)], [step]) = (&offer.covers[..], &offer.breaks[..]) else {
        return None;
    };
    let plain = step.from == 1 && offer.max_qty > 0;
    plain.then_some((offer.shop, *item, *units, offer.weight_g, offer.disutility))
}

impl Household {
    /// Drops the offers for which cheaper ones of the same kind have stock enough. Where a
    /// shop has thresholds or coupons a dearer offer can be the better one, and all stay.
    ///
    /// # Errors
    /// [`BasketError::TooLarge`] if a shop still has too many offers for an item.
    pub fn drop_dominated(&mut self) -> Result<(), BasketError> {
        let mut simple: Vec<bool> = self
            .shops
            .iter()
            .map(|s| s.min_order == 0 && s.tiers.len() == 1)
            .collect();
        for coupon in &self.coupons {
            simple[coupon.shop] = false;
        }
        let mut kinds: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
        for (o, offer) in self.offers.iter().enumerate() {
            if let Some(kind) = kind(offer).filter(|_| simple[offer.shop]) {
                kinds.entry(kind).or_default().push(o);
            }
        }
        let mut keep = vec![true; self.offers.len()];
        for ((_, item, units, ..), mut offers) in kinds {
            offers.sort_by_key(|o| self.offers[*o].breaks[0].amount);
            let enough = (self.items[item].qty + units - 1) / units;
            let mut stock: i64 = 0;
            for o in offers {
                keep[o] = stock < enough;
                stock = stock.saturating_add(self.offers[o].max_qty);
            }
        }
        self.keep_offers(&keep);
        let mut same: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for offer in &self.offers {
            for (item, _) in &offer.covers {
                let count = same.entry((offer.shop, *item)).or_default();
                *count += 1;
                if *count > MAX_SAME {
                    let (shop, item) = (&self.shops[offer.shop].id, &self.items[*item].id);
                    return Err(BasketError::TooLarge {
                        field: "offers".into(),
                        problem: format!(
                            "shop `{shop}` has more than {MAX_SAME} offers for `{item}` that may each be best"
                        ),
                    });
                }
            }
        }
        Ok(())
    }

    fn keep_offers(&mut self, keep: &[bool]) {
        if keep.iter().all(|k| *k) {
            return;
        }
        let mut next = 0;
        let place: Vec<usize> = keep
            .iter()
            .map(|k| {
                next += usize::from(*k);
                next - usize::from(*k)
            })
            .collect();
        for coupon in &mut self.coupons {
            for offer in coupon.offers.iter_mut().flatten() {
                *offer = place[*offer];
            }
        }
        let mut at = 0;
        self.offers.retain(|_| {
            at += 1;
            keep[at - 1]
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::basket::{BasketError, Household, Instance};
    use serde_json::{Value, json};

    fn many(
        tiers: Value,
        prices: std::ops::Range<i64>,
        coupons: Value,
    ) -> Result<Household, BasketError> {
        let offers: Vec<Value> = prices
            .map(|unit| {
                json!({"id": format!("o{unit}"), "shop": "s", "covers": [["i", 2]],
                    "breaks": [{"min_qty": 1, "unit": unit}], "max_qty": 1, "weight_g": 0,
                    "disutility": 0})
            })
            .collect();
        let value = json!({"schema": "emptor-basket/1",
            "items": [{"id": "i", "qty": 3, "unmet_penalty_cents": null}],
            "shops": [{"id": "s", "pickup": null, "min_order": 0, "ship":
                {"tiers": tiers, "basis": "after_coupons", "weight_tiers": []}}],
            "offers": offers, "coupons": coupons, "limits": {}});
        match Instance::from_json(&value.to_string())? {
            Instance::Household(h) => Ok(h),
            Instance::Classic(_) => unreachable!("full schema"),
        }
    }

    fn ids(h: &Household) -> Vec<&str> {
        h.offers.iter().map(|o| o.id.as_str()).collect()
    }

    #[test]
    fn cheaper_ones_with_stock_enough_are_kept() {
        let flat = json!([{"min_spend": 0, "fee": 300}]);
        let h = many(flat.clone(), 10..5_000, json!([])).expect("small enough");
        assert_eq!(ids(&h), ["o10", "o11"], "two packs of two for three");
        let coupon = json!([{"id": "c", "shop": "s", "kind": "fixed", "value": 1, "cap": null,
            "min_spend": 12, "offers": ["o12"], "group": "g"}]);
        let h = many(flat, 10..20, coupon).expect("small enough");
        assert_eq!(h.offers.len(), 10, "the dearer ones reach the coupon");
    }

    #[test]
    fn too_many_that_may_count_are_refused() {
        let tiers = json!([{"min_spend": 0, "fee": 300}, {"min_spend": 900, "fee": 0}]);
        assert_eq!(
            many(tiers.clone(), 10..20, json!([]))
                .map(|h| h.offers.len())
                .ok(),
            Some(10)
        );
        let error = many(tiers, 10..5_000, json!([]))
            .expect_err("too many")
            .to_string();
        assert!(error.contains("shop `s` has more than"), "{error}");
    }
}
