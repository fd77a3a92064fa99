//! The JSON schema `emptor-rank/1`: requests in, replies out.

use super::attributes::Attributes;
use super::explain::{self, Explanation};
use super::score::{Alternative, Interval, order};
use super::shortlist::{Limits, WeightBox, shortlist};
use super::worth::Worth;
use super::{MAX_CRITERIA, MAX_OFFERS, MAX_SHORTLIST, RankError};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

/// No amount may exceed this many cents.
const MAX_CENTS: f64 = 1e12;

/// A request: offers, what they are judged by, and how sure the person is of that.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// `emptor-rank/1`.
    #[serde(default)]
    pub schema: Option<String>,
    /// The person's currency: of every amount but an offer's own.
    pub currency: String,
    /// What one unit of another currency is in the person's.
    #[serde(default)]
    pub fx: BTreeMap<String, f64>,
    /// The longest short list wanted.
    #[serde(default = "defaults::k")]
    pub k: usize,
    /// What offers are judged by besides money.
    #[serde(default)]
    pub criteria: Vec<Criterion>,
    /// What to assume.
    #[serde(default)]
    pub priors: Priors,
    /// How much of the way from the expected to the worst case counts: 0 is neutral.
    #[serde(default)]
    pub risk_aversion: f64,
    /// The stated worths may be off by this factor either way.
    #[serde(default = "defaults::spread")]
    pub tradeoff_spread: f64,
    /// The short list ends when no draw regrets more than this fraction.
    #[serde(default = "defaults::tolerance")]
    pub regret_tolerance: f64,
    /// What an offer must meet.
    #[serde(default)]
    pub constraints: Vec<Constraint>,
    /// The offers.
    pub offers: Vec<OfferIn>,
    /// Adds [`Reply::explanation`].
    #[serde(default)]
    pub explain: bool,
}

mod defaults {
    pub(super) const fn k() -> usize {
        5
    }
    pub(super) const fn spread() -> f64 {
        2.0
    }
    pub(super) const fn tolerance() -> f64 {
        0.01
    }
}

/// One criterion and what it is worth.
#[derive(Clone, Debug, Deserialize)]
pub struct Criterion {
    /// The attribute it reads.
    pub id: String,
    /// From a value to cents.
    pub worth: Worth,
    /// Cents where the value is unknown: least, most likely, most. The range of the
    /// anchors if not given.
    #[serde(default)]
    pub prior: Option<[f64; 3]>,
    /// This criterion's own spread, once the person's answers have shrunk it.
    #[serde(default)]
    pub spread: Option<f64>,
}

/// What to assume where nobody says.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Priors {
    /// Delivery: least, most likely, most cents.
    #[serde(default)]
    pub shipping_cents: Option<[f64; 3]>,
}

/// How a constraint compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub enum Op {
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "!=")]
    Unequal,
    #[serde(rename = "in")]
    In,
}

/// A condition every ranked offer meets or may meet: an unknown value does not reject.
#[derive(Clone, Debug, Deserialize)]
pub struct Constraint {
    /// Its name, given as the reason of a rejection.
    pub id: String,
    /// `price_cents`, `shipping_cents` or an attribute.
    pub attr: String,
    /// The comparison.
    pub op: Op,
    /// The limit; a list for `in`.
    pub value: Value,
}

/// An offer to rank.
#[derive(Clone, Debug, Deserialize)]
pub struct OfferIn {
    /// Its id.
    pub id: String,
    /// The price in hundredths of its currency.
    pub price_cents: f64,
    /// Delivery, likewise; `null` is unknown.
    #[serde(default)]
    pub shipping_cents: Option<f64>,
    /// Its currency; the person's if not given.
    #[serde(default)]
    pub currency: Option<String>,
    /// The other attributes; `null` is unknown.
    #[serde(default)]
    pub attrs: Attributes,
}

/// A ranked reply.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reply<'a> {
    /// Best first.
    pub ranked: Vec<Ranked<'a>>,
    /// Those that broke a constraint or cannot be costed, in the order of the request.
    pub rejected: Vec<Rejected<'a>>,
    /// Ids of the short list, best first.
    pub shortlist: Vec<&'a str>,
    /// Why, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation<'a>>,
}

/// An offer in its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranked<'a> {
    /// Its id.
    pub id: &'a str,
    /// From 1.
    pub rank: usize,
    /// The effective cost: the sums of the terms.
    pub effective_cents: Effective,
    /// The parts.
    pub terms: Vec<Term<'a>>,
}

/// An effective cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Effective {
    /// The least.
    pub lo: Cents,
    /// The expected value.
    pub mid: Cents,
    /// The most.
    pub hi: Cents,
}

/// One part of an effective cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Term<'a> {
    /// `price`, `shipping` or a criterion.
    pub id: &'a str,
    /// What it adds.
    pub cents: Cents,
    /// Least and most, where it is assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed: Option<[Cents; 2]>,
}

/// An offer left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rejected<'a> {
    /// Its id.
    pub id: &'a str,
    /// The first constraint it breaks, or `price`, `currency`, `shipping`.
    pub constraint: &'a str,
    /// What it has.
    pub value: Value,
    /// What was asked.
    pub limit: Value,
}

/// Cents kept as whole hundredths, so that shown terms add up to the shown sum exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cents(i64);

impl Cents {
    /// Rounds half away from zero.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    pub fn new(cents: f64) -> Self {
        let limit = MAX_CENTS * 1e4;
        Self((cents * 100.0).round().clamp(-limit, limit) as i64)
    }

    /// As a number of cents.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "below 2^53 for any real purchase"
    )]
    pub fn value(self) -> f64 {
        self.0 as f64 / 100.0
    }
}

impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64(self.value())
    }
}

/// Ranks the offers of a request.
///
/// # Errors
/// [`RankError`] if the request as a whole is unsound. Offers that are unsound are
/// rejected one by one.
pub fn rank(request: &Request) -> Result<Reply<'_>, RankError> {
    let criteria = prepare(request)?;
    let mut costed = Vec::with_capacity(request.offers.len());
    let mut alternatives = Vec::with_capacity(request.offers.len());
    let mut rejected = Vec::new();
    for offer in &request.offers {
        match cost(request, &criteria, offer) {
            Ok((money, alternative)) => {
                costed.push(money);
                alternatives.push(alternative);
            }
            Err(why) => rejected.push(why),
        }
    }
    let order = order(&alternatives, request.risk_aversion);
    let boxes: Vec<WeightBox<'_>> = criteria.iter().map(|c| c.weight).collect();
    let limits = Limits {
        k: request.k.min(MAX_SHORTLIST),
        tolerance: request.regret_tolerance,
    };
    let list = shortlist(&alternatives, &order, &boxes, limits);
    let ranked: Vec<Ranked<'_>> = order
        .iter()
        .enumerate()
        .map(|(place, &i)| explained(&criteria, costed[i], &alternatives[i], place + 1))
        .collect();
    let explanation = request.explain.then(|| {
        let unknown = explain::Unknowns {
            constraints: &request.constraints,
            offers: &request.offers,
        };
        explain::explanation(
            &alternatives,
            &order,
            &boxes,
            &list,
            &ranked,
            request.risk_aversion,
            &unknown,
        )
    });
    Ok(Reply {
        shortlist: list
            .members
            .iter()
            .map(|m| alternatives[m.index].id)
            .collect(),
        ranked,
        rejected,
        explanation,
    })
}

/// A criterion ready for use.
struct Prepared<'a> {
    worth: Worth,
    prior: Interval,
    weight: WeightBox<'a>,
}

/// Price and delivery of one offer in the person's currency.
#[derive(Clone, Copy)]
struct Costs {
    price: f64,
    shipping: Interval,
    shipping_known: bool,
}

fn setting(name: &'static str, range: &'static str, good: bool) -> Result<(), RankError> {
    if good {
        Ok(())
    } else {
        Err(RankError::Setting { name, range })
    }
}

fn unique<'a>(
    what: &'static str,
    ids: impl ExactSizeIterator<Item = &'a String>,
) -> Result<(), RankError> {
    let mut seen = HashSet::with_capacity(ids.len());
    for id in ids {
        if !seen.insert(id) {
            return Err(RankError::Duplicate(what, id.clone()));
        }
    }
    Ok(())
}

fn is_range(r: [f64; 3]) -> bool {
    r.iter().all(|x| x.abs() <= MAX_CENTS) && r[0] <= r[1] && r[1] <= r[2]
}

/// Checks the request and puts the criteria in the order of their ids, so that sums of
/// floats do not depend on the order they came in.
fn prepare(request: &Request) -> Result<Vec<Prepared<'_>>, RankError> {
    if let Some(other) = request.schema.as_ref().filter(|s| *s != "emptor-rank/1") {
        return Err(RankError::Schema(other.clone()));
    }
    for (count, most, what) in [
        (request.offers.len(), MAX_OFFERS, "offers"),
        (request.criteria.len(), MAX_CRITERIA, "criteria"),
        (request.constraints.len(), MAX_CRITERIA, "constraints"),
    ] {
        if count > most {
            return Err(RankError::TooMany(most, what));
        }
    }
    unique("offer", request.offers.iter().map(|o| &o.id))?;
    unique("criterion", request.criteria.iter().map(|c| &c.id))?;
    unique("constraint", request.constraints.iter().map(|c| &c.id))?;
    let spread = |s: f64| (1.0..=1e3).contains(&s);
    setting("k", "at least 1", request.k >= 1)?;
    setting(
        "tradeoff_spread",
        "from 1 to 1000",
        spread(request.tradeoff_spread),
    )?;
    setting(
        "risk_aversion",
        "from 0 to 1",
        (0.0..=1.0).contains(&request.risk_aversion),
    )?;
    setting(
        "regret_tolerance",
        "from 0 to 1",
        (0.0..=1.0).contains(&request.regret_tolerance),
    )?;
    setting(
        "priors.shipping_cents",
        "three amounts, least first, none negative",
        request
            .priors
            .shipping_cents
            .is_none_or(|p| is_range(p) && p[0] >= 0.0),
    )?;
    if let Some((code, _)) = request.fx.iter().find(|(_, r)| !(**r > 0.0 && **r <= 1e9)) {
        return Err(RankError::Rate(code.clone()));
    }
    for c in &request.constraints {
        let sound = match c.op {
            Op::In => c.value.is_array(),
            Op::AtMost | Op::AtLeast => c.value.is_number(),
            Op::Equal | Op::Unequal => !c.value.is_array() && !c.value.is_object(),
        };
        if !sound {
            return Err(RankError::Constraint {
                id: c.id.clone(),
                problem: "has a limit of the wrong kind",
            });
        }
    }
    let mut criteria = request
        .criteria
        .iter()
        .map(|c| {
            let unsound = |problem| RankError::Criterion {
                id: c.id.clone(),
                problem,
            };
            let mut worth = c.worth.clone();
            worth.prepare(MAX_CENTS).map_err(unsound)?;
            let (low, high) = worth.range();
            let prior = c.prior.unwrap_or([low, f64::midpoint(low, high), high]);
            if !is_range(prior) {
                return Err(unsound("has a prior that is not least, most likely, most"));
            }
            let factor = c.spread.unwrap_or(request.tradeoff_spread);
            if !spread(factor) {
                return Err(unsound("has a spread outside 1 to 1000"));
            }
            Ok(Prepared {
                worth,
                prior: Interval::pert(prior),
                weight: WeightBox {
                    id: &c.id,
                    low: 1.0 / factor,
                    high: factor,
                },
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    criteria.sort_by(|a, b| a.weight.id.cmp(b.weight.id));
    Ok(criteria)
}

/// One offer in the person's currency, or why not.
fn cost<'a>(
    request: &'a Request,
    criteria: &[Prepared<'a>],
    offer: &'a OfferIn,
) -> Result<(Costs, Alternative<'a>), Rejected<'a>> {
    let reject = |constraint, value, limit| Rejected {
        id: &offer.id,
        constraint,
        value,
        limit,
    };
    let currency = offer.currency.as_ref().unwrap_or(&request.currency);
    let rate = if *currency == request.currency {
        1.0
    } else {
        *request.fx.get(currency).ok_or_else(|| {
            reject(
                "currency",
                Value::from(currency.as_str()),
                Value::from(request.currency.as_str()),
            )
        })?
    };
    let sound = |cents: f64| (0.0..=MAX_CENTS).contains(&cents);
    let price = offer.price_cents * rate;
    if !sound(price) {
        return Err(reject("price", Value::from(price), Value::from(MAX_CENTS)));
    }
    let said = offer.shipping_cents.map(|s| s * rate);
    if let Some(s) = said.filter(|s| !sound(*s)) {
        return Err(reject("shipping", Value::from(s), Value::from(MAX_CENTS)));
    }
    for c in &request.constraints {
        let value = match c.attr.as_str() {
            "price_cents" => Some(Cow::Owned(Value::from(price))),
            "shipping_cents" => said.map(|s| Cow::Owned(Value::from(s))),
            name => offer.attrs.get(name).map(Cow::Borrowed),
        };
        if let Some(value) = value
            && c.op.holds(&value, &c.value) == Some(false)
        {
            return Err(reject(&c.id, value.into_owned(), c.value.clone()));
        }
    }
    let shipping = match (said, request.priors.shipping_cents) {
        (Some(s), _) => Interval::exact(s),
        (None, Some(prior)) => Interval::pert(prior),
        // Without a prior the cost has no upper end; free would be a guess.
        (None, None) => return Err(reject("shipping", Value::Null, Value::Null)),
    };
    let mut said_of = offer.attrs.in_order();
    let weighted = criteria
        .iter()
        .map(|c| {
            said_of
                .find(c.weight.id)
                .and_then(|v| c.worth.cents(v))
                .map_or(c.prior, |x| Interval::exact(x.clamp(-MAX_CENTS, MAX_CENTS)))
        })
        .collect();
    let costs = Costs {
        price,
        shipping,
        shipping_known: said.is_some(),
    };
    let alternative = Alternative {
        id: &offer.id,
        tier: 0,
        fixed: Interval {
            lo: price + shipping.lo,
            mid: price + shipping.mid,
            hi: price + shipping.hi,
        },
        weighted,
    };
    Ok((costs, alternative))
}

impl Op {
    /// Whether `value` meets `limit`; `None` where they cannot be compared.
    pub(super) fn holds(self, value: &Value, limit: &Value) -> Option<bool> {
        if value.is_null() {
            return None;
        }
        match self {
            Self::AtMost => Some(at_most(value.as_f64()?, limit.as_f64()?)),
            Self::AtLeast => Some(at_most(limit.as_f64()?, value.as_f64()?)),
            Self::Equal => Some(equal(value, limit)),
            Self::Unequal => Some(!equal(value, limit)),
            Self::In => Some(limit.as_array()?.iter().any(|l| equal(value, l))),
        }
    }
}

/// Numbers by value (2 is 2.0), all else as JSON.
fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(x), Some(y)) => at_most(x, y) && at_most(y, x),
        _ => a == b,
    }
}

/// Whether `a <= b`, where a price that was converted may miss by the rounding of floats.
fn at_most(a: f64, b: f64) -> bool {
    a - b <= 1e-12 * a.abs().max(b.abs())
}

fn explained<'a>(
    criteria: &[Prepared<'a>],
    costs: Costs,
    a: &Alternative<'a>,
    rank: usize,
) -> Ranked<'a> {
    let mut sum = Effective::default();
    let mut term = |id, i: &Interval, known: bool| {
        let cents = Cents::new(i.mid);
        let (lo, hi) = if i.is_exact() {
            (cents, cents)
        } else {
            (Cents::new(i.lo), Cents::new(i.hi))
        };
        sum.lo = sum.lo + lo;
        sum.mid = sum.mid + cents;
        sum.hi = sum.hi + hi;
        Term {
            id,
            cents,
            assumed: (!known).then_some([lo, hi]),
        }
    };
    let mut terms = Vec::with_capacity(criteria.len() + 2);
    terms.push(term("price", &Interval::exact(costs.price), true));
    terms.push(term("shipping", &costs.shipping, costs.shipping_known));
    for (c, i) in criteria.iter().zip(&a.weighted) {
        terms.push(term(c.weight.id, i, i.is_exact()));
    }
    Ranked {
        id: a.id,
        rank,
        effective_cents: sum,
        terms,
    }
}

impl std::ops::Add for Cents {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Cents {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
