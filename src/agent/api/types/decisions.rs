//! What travels about decisions: the basket, trade-offs, the life of wishes, the right
//! moment, purchases.

use crate::engine::rank::elicit;
use crate::engine::wish::Stage;
use crate::model::terms::Gives;
use crate::model::time::{Date, Timestamp};
use crate::model::{Money, Sentence};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where to buy a whole list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BasketRequest {
    /// The list; all shopping items without it.
    pub list: Option<String>,
    /// At most so many shops.
    pub max_shops: Option<usize>,
    /// Where trips to shops start: a place of the settings, or latitude and longitude;
    /// `home` of the settings if not given.
    pub from: Option<String>,
    /// The most to pay in all.
    #[schema(value_type = Option<Object>)]
    pub budget: Option<Money>,
    /// Stop after so many milliseconds with the best so far; 30 seconds if not given.
    pub limit_ms: Option<u64>,
    /// A name for this request, to stop it by.
    pub run: Option<String>,
    /// Coupons to count this once.
    pub coupons: Vec<TryCoupon>,
}

/// A coupon to try out on a basket: for everything in its shop, and not with another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryCoupon {
    /// The shop's domain.
    pub shop: String,
    /// What it takes off: `10%` or `5 EUR`.
    #[schema(value_type = String)]
    pub gives: Gives,
    /// The least order value.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub min_spend: Option<Money>,
    /// The most it takes off.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub cap: Option<Money>,
}

/// Where to buy a whole list, and what else was possible.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BasketReply {
    /// The list.
    pub list: String,
    /// How many of its wants the plan is about.
    pub wants: usize,
    /// The best plan; absent where nothing is offered.
    pub plan: Option<PlanView>,
    /// The best plan for each number of shops, from one.
    pub splits: Vec<SplitView>,
    /// What it would cost to buy everything at the shop with the lowest price for it.
    #[schema(value_type = Option<Object>)]
    pub cheapest_each: Option<Money>,
    /// The bundles of the plan against buying their parts by themselves.
    pub bundles: Vec<BundleView>,
    /// The plan if everything unknown turns out at its worst; absent where all is known.
    pub worst: Option<WorstView>,
    /// What keeping a limit of the request costs.
    pub limits: Vec<LimitView>,
    /// Wishes that are not worth what they would add.
    pub left_out: Vec<NotBought>,
    /// Wants nobody offers.
    pub nobody: Vec<NotBought>,
    /// What else should be known: coupons that do not count, and why.
    pub notes: Vec<String>,
    /// How long it took.
    pub milliseconds: u64,
}

/// A plan, checked by the independent evaluator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// What to buy where.
    pub shops: Vec<CartView>,
    /// What the person pays in all.
    #[schema(value_type = Object)]
    pub pay: Money,
    /// The same with the limits of wishes that are not bought: what was minimised.
    #[schema(value_type = Object)]
    pub cost: Money,
    /// No plan has a lower `cost`.
    #[schema(value_type = Object)]
    pub bound: Money,
    /// Whether `bound` proves the plan best.
    pub proven: bool,
    /// How much lower than `cost` the best could be, in percent.
    pub gap_percent: f64,
}

impl PlanView {
    /// How sure it is that nothing costs less, in words. Whole percents, rounded up.
    #[must_use]
    pub fn sure(&self) -> String {
        if self.proven {
            return "no plan costs less".to_owned();
        }
        let gap = self.gap_percent.ceil().max(1.0);
        format!("the best plan costs at most {gap} % less")
    }
}

/// One order at one shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartView {
    /// The shop's domain or the provider.
    pub shop: String,
    /// Whether the person fetches it; sent otherwise.
    pub fetched: bool,
    /// What to order.
    pub lines: Vec<CartLine>,
    /// All lines together.
    #[schema(value_type = Object)]
    pub goods: Money,
    /// Coupons to use, and what each takes off the goods.
    pub coupons: Vec<CouponView>,
    /// Delivery with what the weight adds, expected; or what the shop asks for fetching.
    #[schema(value_type = Object)]
    pub delivery: Money,
    /// Delivery at the most.
    #[schema(value_type = Object)]
    pub delivery_high: Money,
    /// Where that comes from.
    pub delivery_source: String,
    /// The way there and back, where it is fetched.
    pub trip: Option<TripView>,
    /// Goods less coupons, delivery and the trip.
    #[schema(value_type = Object)]
    pub pay: Money,
    /// How far it is from cheaper delivery.
    pub next: Option<ThresholdView>,
    /// How far it is from the nearest coupon's least order value.
    pub next_coupon: Option<CouponThreshold>,
}

/// A coupon that is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CouponView {
    /// Its code.
    pub code: String,
    /// What it takes off.
    #[schema(value_type = Object)]
    pub saves: Money,
}

/// The way to a shop and back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TripView {
    /// What it costs.
    #[schema(value_type = Object)]
    pub cost: Money,
    /// Where that comes from.
    pub source: String,
}

/// One thing in an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartLine {
    /// The want's short id; of a bundle the first one's.
    pub want: String,
    /// Its name; of a bundle all of them.
    pub name: String,
    /// The wants it answers: several for a bundle.
    pub covers: Vec<Covered>,
    /// The offer.
    pub offer: String,
    /// Its name there.
    pub title: Option<String>,
    /// Where to order it, where that is known.
    pub url: Option<String>,
    /// How many.
    pub quantity: i64,
    /// One, in the person's currency.
    #[schema(value_type = Object)]
    pub price: Money,
    /// All.
    #[schema(value_type = Object)]
    pub total: Money,
    /// Where the packs are others than the want's.
    pub packs: Option<String>,
}

impl CartLine {
    /// What stands on the shelf: the shop's own words where it is another pack than wanted.
    #[must_use]
    pub fn bought(&self) -> &str {
        let other = self.title.as_ref().filter(|_| self.packs.is_some());
        other.unwrap_or(&self.name)
    }
}

/// A want that a line answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Covered {
    /// Its short id.
    pub want: String,
    /// Its name.
    pub name: String,
    /// How many are wanted.
    pub pieces: u32,
    /// How much of one piece is in one of the line, where it is not one piece.
    pub packs: Option<String>,
}

/// What to add to an order for a coupon to count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CouponThreshold {
    /// Its code.
    pub code: String,
    /// Goods still missing.
    #[schema(value_type = Object)]
    pub missing: Money,
    /// What it takes off then, beyond a coupon that it excludes.
    #[schema(value_type = Object)]
    pub saves: Money,
    /// The cheapest other want that reaches it at this shop, and its price.
    pub add: Option<String>,
}

/// A bundle of the plan against buying its parts by themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BundleView {
    /// The offer.
    pub offer: String,
    /// Its name.
    pub name: String,
    /// What it costs in the plan.
    #[schema(value_type = Object)]
    pub price: Money,
    /// What the best plan without it costs more; absent where there is none.
    #[schema(value_type = Option<Object>)]
    pub saves: Option<Money>,
    /// What would be bought without the bundle, too …
    pub anyway: Vec<String>,
    /// … and what as much of that costs by itself, without delivery.
    #[schema(value_type = Object)]
    pub apart: Money,
    /// What comes only because of the bundle; without another plan, what nobody else has.
    pub only_here: Vec<String>,
}

/// What to add to an order for cheaper delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ThresholdView {
    /// Goods still missing.
    #[schema(value_type = Object)]
    pub missing: Money,
    /// What delivery falls by.
    #[schema(value_type = Object)]
    pub saves: Money,
    /// The cheapest other want that reaches it at this shop, and its price.
    pub add: Option<String>,
}

/// The best plan with at most so many shops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SplitView {
    /// At most so many.
    pub shops: usize,
    /// Which; empty if so few cannot serve the list.
    pub at: Vec<String>,
    /// What the person pays.
    #[schema(value_type = Option<Object>)]
    pub pay: Option<Money>,
    /// What it saves over one shop fewer that sells as much.
    #[schema(value_type = Option<Object>)]
    pub saving: Option<Money>,
    /// Whether it is proven best.
    pub proven: bool,
    /// Wants that are not bought then: wishes the plan leaves out, or, where one shop cannot
    /// serve the list, what the fullest one lacks.
    pub missing: Vec<String>,
}

/// What the unknown can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorstView {
    /// What is unknown, a line each.
    pub unknown: Vec<String>,
    /// What the plan costs then.
    #[schema(value_type = Object)]
    pub pay: Money,
    /// A plan that would be better then, if there is one: its shops …
    pub instead: Vec<String>,
    /// … and what it costs then.
    #[schema(value_type = Option<Object>)]
    pub instead_pay: Option<Money>,
    /// What that one leaves out and this one buys: it would cost more than it is worth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead_without: Vec<String>,
}

/// What a limit costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LimitView {
    /// `max_shops` or `budget`.
    pub limit: String,
    /// The plan without it would cost less by this; absent if the time was over.
    #[schema(value_type = Option<Object>)]
    pub saving: Option<Money>,
}

/// A want that is not in the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotBought {
    /// Its short id.
    pub want: String,
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// The same before it was written for a reader; not in the answer.
    #[serde(skip)]
    pub because: Sentence,
}

/// What a preference may be worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TradeOffView {
    /// The condition.
    pub id: String,
    /// What it is counted with.
    #[schema(value_type = Object)]
    pub worth: Money,
    /// At least.
    #[schema(value_type = Object)]
    pub low: Money,
    /// At most.
    #[schema(value_type = Object)]
    pub high: Money,
    /// Whether more questions would be idle.
    pub settled: bool,
}

/// A question about a trade-off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Question {
    /// The condition.
    pub id: String,
    /// The amount asked about.
    #[schema(value_type = Object)]
    pub amount: Money,
    /// The question in words.
    pub text: String,
}

/// Where the finding out stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TuneReply {
    /// The want's short id.
    pub want: String,
    /// Its name.
    pub name: String,
    /// The preferences.
    pub trade_offs: Vec<TradeOffView>,
    /// The next question; absent when all is settled.
    pub question: Option<Question>,
    /// Why there is no question.
    pub reason: Option<String>,
}

/// The answer to the question about a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TuneAnswer {
    /// The condition, as in the question; the open question without it.
    #[serde(default)]
    pub id: Option<String>,
    /// `yes`, `no` or `same`.
    #[schema(value_type = String)]
    pub answer: elicit::Answer,
}

/// Where a wish stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LifeView {
    /// `ripening`, `ripe`, `fading`, `asleep` or `gone`.
    #[schema(value_type = String)]
    pub stage: Stage,
    /// How strongly it is still wanted, 0 to 100.
    pub intensity: f64,
    /// On how many further days it was looked at.
    pub returns: u32,
    /// When the next stage can come by itself.
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
}

/// Asks what a list costs against a budget.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlanRequest {
    /// The budget; the one of the configuration without it.
    #[schema(value_type = Option<Object>)]
    pub budget: Option<Money>,
    /// Only this list.
    pub list: Option<String>,
}

/// A line of a spending plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpendLine {
    /// The want's short id.
    pub want: String,
    /// Its name.
    pub name: String,
    /// What all pieces cost, delivered.
    #[schema(value_type = Option<Object>)]
    pub cost: Option<Money>,
    /// Why nothing is known of what it costs, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Where the wish stands.
    pub life: LifeView,
}

/// What wishes cost against a budget: planned, not spent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpendPlan {
    /// The budget, if there is one.
    #[schema(value_type = Option<Object>)]
    pub budget: Option<Money>,
    /// What fits, the most wanted first.
    pub buy: Vec<SpendLine>,
    /// What is left for later.
    pub later: Vec<SpendLine>,
    /// What has no price now: the sums are without it.
    pub unpriced: Vec<SpendLine>,
    /// What `buy` costs.
    #[schema(value_type = Object)]
    pub spent: Money,
    /// What is left of the budget.
    #[schema(value_type = Object)]
    pub left: Money,
    /// What everything priced costs.
    #[schema(value_type = Object)]
    pub total: Money,
    /// How much the budget lacks for all of it.
    #[schema(value_type = Object)]
    pub missing: Money,
}

/// Buy now or wait, judged by the want's own past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdviceView {
    /// `buy`, `wait` or `unknown`: too little history.
    pub advice: String,
    /// In words.
    pub text: String,
    /// Days it may wait: until it is needed, else 30.
    pub deadline_days: usize,
    /// Buy at or under this.
    #[schema(value_type = Option<Object>)]
    pub target: Option<Money>,
    /// The chance that such a price comes in time, 0 to 1.
    pub chance: f64,
    /// What waiting is expected to save.
    #[schema(value_type = Option<Object>)]
    pub saving: Option<Money>,
    /// The chance of paying more in the end, 0 to 1 …
    pub dearer: f64,
    /// … and the most that would have cost in the past, over so many days.
    #[schema(value_type = Option<Object>)]
    pub regret: Option<Money>,
    /// The past days it is judged by.
    pub days: usize,
}

/// Something bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPurchase {
    /// The want.
    pub want: String,
    /// What one piece cost, without delivery.
    #[schema(value_type = Object)]
    pub price: Money,
    /// The shop's domain.
    pub shop: String,
    /// The day; today without it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub on: Option<Date>,
    /// For how many days the shop refunds a difference.
    #[serde(default)]
    pub protect_days: Option<u32>,
}

/// A purchase with its price guarantee.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PurchaseView {
    /// What people type.
    pub id: String,
    /// The want's short id.
    pub want: String,
    /// The name.
    pub name: String,
    /// What one piece cost.
    #[schema(value_type = Object)]
    pub paid: Money,
    /// The shop.
    pub shop: String,
    /// The day.
    #[schema(value_type = String)]
    pub bought: Date,
    /// The last day of the guarantee.
    #[schema(value_type = Option<String>)]
    pub protected_until: Option<Date>,
    /// What can be claimed back now.
    #[schema(value_type = Option<Object>)]
    pub refund: Option<Money>,
    /// The last look at the shop's price, in words.
    pub state: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_sure_a_plan_is_is_never_overstated() {
        let eur = |cents| Money::from_minor(cents, crate::model::Currency::EUR);
        let plan = |proven, gap_percent| PlanView {
            shops: Vec::new(),
            pay: eur(1000),
            cost: eur(1000),
            bound: eur(900),
            proven,
            gap_percent,
        };
        assert_eq!(plan(true, 0.0).sure(), "no plan costs less");
        assert_eq!(
            plan(false, 0.01).sure(),
            "the best plan costs at most 1 % less"
        );
        assert_eq!(
            plan(false, 10.2).sure(),
            "the best plan costs at most 11 % less"
        );
    }
}
