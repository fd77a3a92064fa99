//! Finding out what something is worth to the person by few comparisons: each question
//! halves (on a log scale) the interval that matters most in money. An end that no answer
//! has set is a guess and gives way: who would pay more than guessed is asked about more.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// Below this ratio of the ends an interval needs no more questions.
const SETTLED: f64 = 1.25;
/// People err near their true worth: an answer moves an end to this factor beyond the
/// amount asked about, never exactly to it.
const DOUBT: f64 = 1.05;
/// An end that is only guessed stays this factor beyond the last amount asked about.
const OPEN: f64 = 2.0;
/// Nobody tells amounts closer together than this apart, in major units.
const IDLE: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// How much a criterion may be worth, as the answers so far allow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TradeOff {
    /// The criterion or condition.
    pub id: String,
    /// The worth as stated, in major units of the person's currency.
    pub stated: Decimal,
    /// The least it may be worth.
    pub low: Decimal,
    /// The most it may be worth.
    pub high: Decimal,
    /// Whether an answer set the least; otherwise it is a guess.
    #[serde(default)]
    pub low_said: bool,
    /// Whether an answer set the most.
    #[serde(default)]
    pub high_said: bool,
}

/// "Would you pay `amount` more for it?"
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What it is about.
    pub id: String,
    /// The amount, between the ends of the interval.
    pub amount: Decimal,
}

/// What the person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes: it is worth at least that.
    Yes,
    /// No: it is worth at most that.
    No,
    /// I do not mind either way: it is worth about that.
    Same,
}

impl TradeOff {
    /// A worth that may be off by `spread` either way. Nothing for a worth that is not
    /// positive: there is nothing to trade.
    #[must_use]
    pub fn new(id: impl Into<String>, stated: Decimal, spread: Decimal) -> Option<Self> {
        if stated <= Decimal::ZERO || spread < Decimal::ONE {
            return None;
        }
        Some(Self {
            id: id.into(),
            stated,
            low: stated.checked_div(spread)?,
            high: stated.checked_mul(spread)?,
            low_said: false,
            high_said: false,
        })
    }

    /// The ends as factors of the stated worth, for a [`super::WeightBox`].
    #[must_use]
    pub fn factors(&self) -> (f64, f64) {
        let factor = |x: Decimal| {
            x.checked_div(self.stated)
                .and_then(|f| f.to_f64())
                .filter(|f| f.is_finite() && *f > 0.0)
        };
        match (factor(self.low), factor(self.high)) {
            (Some(low), Some(high)) if low <= high => (low, high),
            _ => (1.0, 1.0),
        }
    }

    /// The worth to go by: the geometric middle, to the cent.
    #[must_use]
    pub fn middle(&self) -> Decimal {
        let (low, high) = self.factors();
        Decimal::from_f64_retain((low * high).sqrt())
            .and_then(|f| f.checked_mul(self.stated))
            .unwrap_or(self.stated)
            .round_dp(2)
            .clamp(self.low.min(self.high), self.high.max(self.low))
    }

    /// Whether more questions would be idle: the ends are near each other, or the next
    /// question, rounded to the cent, was answered before.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let (low, high) = self.factors();
        let answered = |answer| self.answered(self.middle(), answer) == *self;
        high / low <= SETTLED
            || self.high - self.low < IDLE
            || answered(Answer::Yes)
            || answered(Answer::No)
    }

    /// The interval after an answer to a question about `amount`. An end that was said
    /// never moves outwards.
    #[must_use]
    pub fn answered(&self, amount: Decimal, answer: Answer) -> Self {
        let scaled = |by: f64| {
            Decimal::from_f64_retain(by)
                .and_then(|by| amount.checked_mul(by))
                .unwrap_or(amount)
        };
        let (low_said, high_said) = match answer {
            Answer::Yes => (true, self.high_said),
            Answer::No => (self.low_said, true),
            Answer::Same => (true, true),
        };
        let least = if low_said {
            self.low
        } else {
            self.low.min(scaled(1.0 / OPEN))
        };
        let most = if high_said {
            self.high
        } else {
            self.high.max(scaled(OPEN))
        };
        let (from, to) = match answer {
            Answer::Yes => (scaled(1.0 / DOUBT), most),
            Answer::No => (least, scaled(DOUBT)),
            Answer::Same => (scaled(1.0 / DOUBT), scaled(DOUBT)),
        };
        // An answer about an amount outside the interval contradicts an earlier one or
        // adds nothing; the end nearest to it is kept.
        let low = from.max(least).min(most);
        let high = to.max(low).min(most);
        Self {
            low,
            high,
            low_said,
            high_said,
            ..self.clone()
        }
    }
}

/// The question that shrinks most, in money: about the widest interval, at its geometric
/// middle. `differs` tells whether the offers at hand differ in a criterion: where they
/// do not, there is nothing to trade. `None` when all is settled.
#[must_use]
pub fn next_question(
    trade_offs: &[TradeOff],
    differs: impl Fn(&str) -> bool,
) -> Option<Comparison> {
    trade_offs
        .iter()
        .filter(|t| !t.is_settled() && differs(&t.id))
        .max_by(|a, b| {
            let width = |t: &TradeOff| t.high.checked_sub(t.low);
            width(a).cmp(&width(b)).then_with(|| b.id.cmp(&a.id))
        })
        .map(|t| Comparison {
            id: t.id.clone(),
            amount: t.middle(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trade_off(id: &str, stated: i64) -> TradeOff {
        TradeOff::new(id, Decimal::new(stated, 2), Decimal::TWO).expect("positive")
    }

    #[test]
    fn the_widest_in_money_is_asked_first_at_its_geometric_middle() {
        let all = [
            trade_off("delivery<=2", 600),
            trade_off("brand=Bosch", 1_500),
        ];
        let q = next_question(&all, |_| true).expect("unsettled");
        assert_eq!(
            (q.id.as_str(), q.amount),
            ("brand=Bosch", Decimal::new(1_500, 2))
        );
        let q = next_question(&all, |id| id != "brand=Bosch").expect("unsettled");
        assert_eq!(q.id, "delivery<=2");
        assert_eq!(next_question(&all, |_| false), None);
        assert_eq!(TradeOff::new("x", Decimal::ZERO, Decimal::TWO), None);
    }

    #[test]
    fn questions_about_a_few_cents_end() {
        for (cents, answer) in [(4, Answer::Yes), (1, Answer::Yes), (3, Answer::No)] {
            let mut all = [trade_off("a", cents)];
            let mut asked = Vec::new();
            for _ in 0..8 {
                if let Some(q) = next_question(&all, |_| true) {
                    assert!(!asked.contains(&q.amount), "twice: {:?}", all[0]);
                    all[0] = all[0].answered(q.amount, answer);
                    asked.push(q.amount);
                }
            }
            // Upwards there is no end.
            let ends = answer == Answer::No || cents == 1;
            assert_eq!(all[0].is_settled(), ends, "{:?}", all[0]);
        }
    }

    #[test]
    fn indifference_settles() {
        let t = trade_off("a", 1_000);
        assert!(
            t.answered(Decimal::new(1_000, 2), Answer::Same)
                .is_settled()
        );
    }

    proptest! {
        #[test]
        fn honest_answers_close_in_on_the_true_worth(
            stated in 1_i64..100_000,
            truth in 0.1_f64..10.0,
        ) {
            // Few cents are not told apart far from where they were said to be.
            let truth = if stated < 50 { truth.clamp(0.55, 1.79) } else { truth };
            let near = (0.55..1.8).contains(&truth);
            let truth = Decimal::from_f64_retain(truth).expect("finite") * Decimal::new(stated, 2);
            let mut all = vec![trade_off("a", stated)];
            let mut asked = 0;
            while let Some(q) = next_question(&all, |_| true) {
                let answer = if truth >= q.amount { Answer::Yes } else { Answer::No };
                let (old, next) = (&all[0], all[0].answered(q.amount, answer));
                prop_assert!(next.low >= old.low || !next.low_said);
                prop_assert!(next.high <= old.high || !next.high_said);
                all[0] = next;
                asked += 1;
                prop_assert!(asked <= if near { 8 } else { 13 }, "{all:?}");
            }
            prop_assert!(all[0].low <= truth && truth <= all[0].high);
        }

        #[test]
        fn no_answer_breaks_an_interval(
            stated in 1_i64..100_000,
            answers in prop::collection::vec((any::<i64>(), 0..3_u8), 0..20),
        ) {
            let mut t = trade_off("a", stated);
            for (amount, answer) in answers {
                let answer = [Answer::Yes, Answer::No, Answer::Same][usize::from(answer)];
                t = t.answered(Decimal::new(amount, 2), answer);
                prop_assert!(t.low <= t.high, "{t:?}");
                prop_assert!(t.low <= t.middle() && t.middle() <= t.high);
            }
        }
    }
}
