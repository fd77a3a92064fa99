//! Two small alerts that are about more than one offer's price: the shop asks less
//! after the purchase, and a whole basket became cheaper.

use crate::model::Money;
use crate::model::time::{Date, SignedDuration};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A purchase under a price guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guarded {
    /// What was paid.
    pub paid: Money,
    /// The day of the purchase.
    pub bought: Date,
    /// For how many days the shop refunds the difference; the purchase day is day 0.
    pub days: u32,
}

/// A difference to claim back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// Paid less what the shop asks now.
    pub difference: Money,
    /// The last day to claim.
    pub until: Date,
}

/// What can be claimed back if the same shop asks `asks` on `today`. `None` after the
/// guarantee ended, before the purchase, in another currency, when the difference is
/// under `least`, or when `asks` is not a price.
#[must_use]
pub fn refund(purchase: &Guarded, asks: &Money, today: Date, least: Decimal) -> Option<Refund> {
    let span = SignedDuration::from_hours(24 * i64::from(purchase.days));
    let until = purchase.bought.checked_add(span).unwrap_or(Date::MAX);
    let paid = purchase.paid;
    if today < purchase.bought
        || today > until
        || asks.currency != paid.currency
        || asks.amount <= Decimal::ZERO
    {
        return None;
    }
    let difference = paid.amount.checked_sub(asks.amount)?;
    (difference > Decimal::ZERO && difference >= least).then_some(Refund {
        difference: Money::new(difference, paid.currency),
        until,
    })
}

/// How much better a basket must be to be news: by both an amount and a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasketGate {
    /// The least saving, in the basket's currency.
    pub amount: Decimal,
    /// The least saving in percent of the best basket so far.
    pub percent: u32,
}

/// The saving of a `new` best basket over the `standing` one, if it is news. One offer
/// may get cheaper without this: what counts is what the whole list costs.
#[must_use]
pub fn basket_news(standing: &Money, new: &Money, gate: &BasketGate) -> Option<Money> {
    if standing.currency != new.currency || new.amount <= Decimal::ZERO {
        return None;
    }
    let saving = standing.amount.checked_sub(new.amount)?;
    let share = standing
        .amount
        .checked_mul(Decimal::from(gate.percent))?
        .checked_div(Decimal::ONE_HUNDRED)?;
    (saving > Decimal::ZERO && saving >= gate.amount.max(share))
        .then_some(Money::new(saving, standing.currency))
}

/// What a whole list costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListCost {
    /// As expected.
    pub pay: Money,
    /// With everything unknown at its worst.
    pub worst: Money,
}

/// The saving of a list that costs `new` over what it cost, if it is news whatever the
/// unknown prices turn out to be.
#[must_use]
pub fn list_news(standing: &ListCost, new: &ListCost, gate: &BasketGate) -> Option<Money> {
    basket_news(&standing.worst, &new.worst, gate)?;
    basket_news(&standing.pay, &new.pay, gate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(text: &str) -> Money {
        format!("{text} EUR").parse().expect("test money")
    }

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn a_refund_is_due_within_the_guarantee_only() {
        let purchase = Guarded {
            paid: eur("199.00"),
            bought: day("2026-01-20"),
            days: 30,
        };
        let ask = |asks: &str, today: &str| {
            refund(&purchase, &eur(asks), day(today), Decimal::ONE).map(|r| r.difference)
        };
        assert_eq!(ask("189.00", "2026-02-19"), Some(eur("10.00")));
        assert_eq!(ask("189.00", "2026-02-20"), None, "a day late");
        assert_eq!(ask("189.00", "2026-01-19"), None, "before the purchase");
        assert_eq!(ask("198.50", "2026-01-21"), None, "too little");
        assert_eq!(ask("0", "2026-01-21"), None, "no price");
        let dollars = "1.00 USD".parse().expect("test money");
        assert!(refund(&purchase, &dollars, day("2026-01-21"), Decimal::ONE).is_none());
    }

    #[test]
    fn a_basket_must_improve_by_amount_and_share() {
        let gate = BasketGate {
            amount: Decimal::from(2),
            percent: 5,
        };
        let news = |old: &str, new: &str| basket_news(&eur(old), &eur(new), &gate);
        assert_eq!(news("100.00", "95.00"), Some(eur("5.00")));
        assert_eq!(news("100.00", "95.01"), None, "under five percent");
        assert_eq!(news("20.00", "18.01"), None, "under two euros");
        assert_eq!(news("100.00", "101.00"), None);
        assert_eq!(news("100.00", "0"), None);
    }

    #[test]
    fn a_list_that_may_cost_more_is_no_news() {
        let gate = BasketGate {
            amount: Decimal::ONE,
            percent: 0,
        };
        let list = |pay: &str, worst: &str| ListCost {
            pay: eur(pay),
            worst: eur(worst),
        };
        let standing = list("90.00", "90.00");
        let news = |new: &ListCost| list_news(&standing, new, &gate);
        assert_eq!(news(&list("84.00", "84.00")), Some(eur("6.00")));
        assert_eq!(news(&list("84.00", "89.50")), None, "delivery may eat it");
    }
}
