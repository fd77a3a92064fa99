//! What a list costs and what of it a budget buys: planned, not spent.

use super::Stage;
use crate::model::{Id, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One line of a list, with what the best offer costs now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The want.
    pub want: Id,
    /// The landed cost of all pieces; `None` where no price is known.
    pub cost: Option<Money>,
    /// The sort key of the wish, see [`super::Wish::key`].
    pub key: (Stage, u32),
}

/// A list against a budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What fits, the most wanted first.
    pub buy: Vec<Id>,
    /// What is left for later, in the same order.
    pub later: Vec<Id>,
    /// What has no price in the budget's currency: the sums are without it.
    pub unpriced: Vec<Id>,
    /// What `buy` costs.
    pub spent: Money,
    /// What is left of the budget.
    pub left: Money,
    /// What all priced lines cost together.
    pub total: Money,
}

impl Plan {
    /// How much more it takes to buy all priced lines; zero if the budget suffices.
    #[must_use]
    pub fn missing(&self) -> Money {
        let later = self.total.amount - self.spent.amount - self.left.amount;
        Money::new(later.max(Decimal::ZERO), self.total.currency)
    }
}

/// Spends `budget` on the most wanted first; a dear wish that does not fit does not
/// block a cheaper one behind it. Only ripe wishes are bought. Lines of equal key go by
/// cost, then by id, so that the plan does not depend on the order given.
///
/// Costs above what a decimal can sum count as unpriced.
#[must_use]
pub fn plan(lines: &[Line], budget: Money) -> Plan {
    let currency = budget.currency;
    let mut unpriced = Vec::new();
    let mut priced: Vec<(Line, Decimal)> = Vec::with_capacity(lines.len());
    let mut total = Decimal::ZERO;
    for line in lines {
        let cost = line
            .cost
            .filter(|c| c.currency == currency && c.amount > Decimal::ZERO)
            .map(|c| c.amount);
        match (cost, cost.and_then(|c| total.checked_add(c))) {
            (Some(cost), Some(sum)) => {
                total = sum;
                priced.push((*line, cost));
            }
            _ => unpriced.push(line.want),
        }
    }
    unpriced.sort_unstable();
    priced.sort_by(|(a, a_cost), (b, b_cost)| {
        b.key
            .cmp(&a.key)
            .then(a_cost.cmp(b_cost))
            .then(a.want.cmp(&b.want))
    });
    let (mut buy, mut later) = (Vec::new(), Vec::new());
    let mut left = budget.amount.max(Decimal::ZERO);
    let mut spent = Decimal::ZERO;
    for (line, cost) in priced {
        if line.key.0 == Stage::Ripe && cost <= left {
            left -= cost;
            spent += cost;
            buy.push(line.want);
        } else {
            later.push(line.want);
        }
    }
    Plan {
        buy,
        later,
        unpriced,
        spent: Money::new(spent, currency),
        left: Money::new(left, currency),
        total: Money::new(total, currency),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Currency;
    use proptest::prelude::*;

    fn eur(minor: i64) -> Money {
        Money::from_minor(minor, Currency::EUR)
    }

    fn line(minor: i64, stage: Stage, intensity: u32) -> Line {
        Line {
            want: Id::new(),
            cost: Some(eur(minor)),
            key: (stage, intensity),
        }
    }

    #[test]
    fn the_most_wanted_first_and_a_dear_one_does_not_block() {
        let dear = line(90_000, Stage::Ripe, 90);
        let cheap = line(2_000, Stage::Ripe, 50);
        let unripe = line(100, Stage::Ripening, 99);
        let unknown = Line {
            cost: None,
            ..cheap
        };
        let plan = plan(&[unripe, cheap, dear, unknown], eur(10_000));
        assert_eq!(plan.buy, [cheap.want]);
        assert_eq!(plan.later, [dear.want, unripe.want]);
        assert_eq!(plan.unpriced.len(), 1);
        assert_eq!(plan.left, eur(8_000));
        assert_eq!(plan.missing(), eur(82_100));
    }

    proptest! {
        /// Never over budget, nothing lost, sums exact, order irrelevant.
        #[test]
        fn plans_add_up(
            rows in proptest::collection::vec((1..100_000i64, any::<bool>(), 0..100u32), 0..30),
            budget in 0..500_000i64,
        ) {
            let lines: Vec<Line> = rows
                .iter()
                .map(|&(minor, ripe, i)| {
                    line(minor, if ripe { Stage::Ripe } else { Stage::Fading }, i)
                })
                .collect();
            let got = plan(&lines, eur(budget));
            prop_assert!(got.spent.amount <= eur(budget).amount);
            prop_assert_eq!(got.spent.amount + got.left.amount, eur(budget).amount);
            prop_assert_eq!(got.buy.len() + got.later.len() + got.unpriced.len(), lines.len());
            let sum: i64 = rows.iter().map(|r| r.0).sum();
            prop_assert_eq!(got.total.amount, eur(sum).amount);
            let reversed: Vec<Line> = lines.iter().rev().copied().collect();
            prop_assert_eq!(plan(&reversed, eur(budget)), got.clone());
            // Whatever ripe was left out would not have fitted into what remains.
            for l in &lines {
                if l.key.0 == Stage::Ripe && got.later.contains(&l.want) {
                    prop_assert!(l.cost.is_some_and(|c| c.amount > got.left.amount));
                }
            }
        }
    }
}
