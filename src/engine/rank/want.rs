//! Ranking the offers for one want: its conditions become constraints, its preferences
//! criteria with a worth, each offer's landed cost the money. All amounts shown are
//! exact decimals; floats only order.

mod words;

use super::elicit::TradeOff;
use super::explain::price_cut;
use super::requirement::{Check, check, delivery_within, phrase, stock_words};
use super::score::{Alternative, Interval, order};
use super::shortlist::{Limits, WeightBox, shortlist};
use crate::engine::landed::{LandedError, MAX_AMOUNT};
use crate::model::landed::{Certainty, LandedCost, LandedTerm};
use crate::model::offer::{Availability, Offer};
use crate::model::time::Date;
use crate::model::want::Want;
use crate::model::{Currency, Money, Sentence, sentence};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;

/// An offer matched to the want, with what is known around it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its id: stable, so that ties fall the same way every time.
    pub id: &'a str,
    /// The offer.
    pub offer: &'a Offer,
    /// Its landed cost for the want's quantity, or why there is none.
    pub landed: Result<&'a LandedCost, &'a LandedError>,
    /// The shop's domain.
    pub shop: &'a str,
    /// The shop's usual days until delivery.
    pub shop_days: Option<u32>,
    /// How far away it can be fetched.
    pub distance_km: Option<u32>,
    /// Days since the price was read.
    pub age_days: Option<u32>,
}

impl Candidate<'_> {
    /// Days until it arrives at the latest: as the offer says, else as the shop usually
    /// takes for goods it has.
    #[must_use]
    pub fn delivery_days(&self) -> Option<u32> {
        let said = self.offer.shipping.as_ref();
        if let Some(s) = said.filter(|s| s.max_days.or(s.min_days).is_some()) {
            return s.max_days;
        }
        self.shop_days
            .filter(|_| Stock::of(self.offer.availability) <= Stock::Unknown)
    }
}

/// Settings of a ranking.
#[derive(Clone, Copy, Debug)]
pub struct WantContext<'a> {
    /// The day it is.
    pub today: Date,
    /// The person's currency.
    pub home: Currency,
    /// The longest short list.
    pub k: usize,
    /// How much of the way from expected to worst cost counts, 0 to 1.
    pub risk_aversion: f64,
    /// The short list ends when at most this fraction is regretted.
    pub regret_tolerance: f64,
    /// Worths may be off by this factor, unless `tuned`.
    pub spread: f64,
    /// Trade-offs the person has answered questions about, by condition.
    pub tuned: &'a [TradeOff],
    /// Prices read longer ago than this many days are flagged.
    pub stale_after_days: u32,
}

impl WantContext<'_> {
    /// The defaults: five offers, risk-neutral, 1 % regret, worths within a factor of 2.
    #[must_use]
    pub const fn new(home: Currency, today: Date) -> Self {
        Self {
            today,
            home,
            k: 5,
            risk_aversion: 0.0,
            regret_tolerance: 0.01,
            spread: 2.0,
            tuned: &[],
            stale_after_days: 3,
        }
    }
}

/// Whether it can be had, in the order offers are listed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stock {
    /// Now.
    Now,
    /// Nobody says; listed with what can be had, and flagged.
    Unknown,
    /// Later: pre-order or back order. After all of the above.
    Later,
    /// Not at all. Last, never first and never on the short list.
    Gone,
}

impl Stock {
    const fn of(a: Availability) -> Self {
        match a {
            Availability::InStock | Availability::LimitedAvailability => Self::Now,
            Availability::Unknown => Self::Unknown,
            Availability::PreOrder | Availability::BackOrder => Self::Later,
            Availability::OutOfStock | Availability::Discontinued => Self::Gone,
        }
    }

    const fn tier(self) -> u8 {
        match self {
            Self::Now | Self::Unknown => 0,
            Self::Later => 1,
            Self::Gone => 2,
        }
    }
}

/// A part of the effective cost: of the landed cost, or a preference not met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WantTerm {
    /// `item`, `delivery`, …, or the condition, such as `brand=Bosch`.
    pub id: String,
    /// The least.
    pub low: Decimal,
    /// The expected value.
    pub mid: Decimal,
    /// The most.
    pub high: Decimal,
    /// Known, assumed or unknown.
    pub certainty: Certainty,
    /// Where it comes from, in words.
    pub source: Sentence,
}

/// An offer in its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankedOffer {
    /// Its id.
    pub id: String,
    /// From 1.
    pub rank: usize,
    /// Whether it can be had.
    pub stock: Stock,
    /// What the person pays, expected.
    pub landed: Money,
    /// The effective cost at the least: the sum of the terms.
    pub low: Money,
    /// Expected.
    pub mid: Money,
    /// At the most.
    pub high: Money,
    /// The parts.
    pub terms: Vec<WantTerm>,
    /// What could not be checked or should be known.
    pub flags: Vec<Sentence>,
}

/// An offer left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RejectedOffer {
    /// Its id.
    pub id: String,
    /// The first condition it breaks, such as `delivery<=3` or `limit`; `cost` where it
    /// has no landed cost.
    pub constraint: String,
    /// What it has.
    pub value: String,
    /// By how much it misses, where that can be said.
    pub excess: Option<Decimal>,
    /// What it has and by how much it misses, in words, for who knows the condition.
    pub miss: Sentence,
    /// In words.
    pub reason: Sentence,
}

/// A member of the short list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Where it wins, in words.
    pub wins: String,
    /// The share of draws of trade-offs and unknowns in which it is best of all.
    pub p_first: f64,
    /// How it differs from the first, in words; empty for the first.
    pub against_first: Sentence,
    /// The price cut that would make it first.
    pub price_cut: Option<Money>,
}

/// The offers for a want.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ranking {
    /// Best first.
    pub ranked: Vec<RankedOffer>,
    /// Left out, with reasons, in the order given.
    pub rejected: Vec<RejectedOffer>,
    /// The few to choose from.
    pub shortlist: Vec<Listed>,
    /// The result in words.
    pub summary: Sentence,
}

impl Ranking {
    /// The first offer, unless even that cannot be had.
    #[must_use]
    pub fn best(&self) -> Option<&RankedOffer> {
        self.ranked.first().filter(|r| r.stock != Stock::Gone)
    }
}

/// A candidate that meets or may meet all conditions.
struct Entry<'a> {
    candidate: &'a Candidate<'a>,
    terms: Vec<WantTerm>,
    landed: Money,
    /// How many of `terms` are landed cost; the rest are preferences in order.
    money: usize,
    flags: Vec<Sentence>,
}

/// Ranks `candidates` for `want`.
///
/// An unknown value never rejects: the offer is kept and flagged. Offers that cannot be
/// had now come after all that can.
#[must_use]
pub fn for_want(want: &Want, candidates: &[Candidate<'_>], ctx: &WantContext<'_>) -> Ranking {
    let mut entries = Vec::new();
    let mut rejected = Vec::new();
    for candidate in candidates {
        match admit(want, candidate, ctx) {
            Ok(entry) => entries.push(entry),
            Err(why) => rejected.push(*why),
        }
    }
    let alternatives: Vec<Alternative<'_>> = entries.iter().map(alternative).collect();
    let rho = if ctx.risk_aversion.is_finite() {
        ctx.risk_aversion.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let order = order(&alternatives, rho);
    let labels: Vec<String> = want
        .prefer
        .iter()
        .map(|p| p.requirement.to_string())
        .collect();
    let boxes: Vec<WeightBox<'_>> = labels.iter().map(|l| weight_box(l, ctx)).collect();
    let mut ranking = Ranking {
        rejected,
        ..Ranking::default()
    };
    if let Some(&first) = order.first()
        && alternatives[first].tier < Stock::Gone.tier()
    {
        let limits = Limits {
            k: ctx.k.min(super::MAX_SHORTLIST),
            tolerance: if ctx.regret_tolerance >= 0.0 {
                ctx.regret_tolerance
            } else {
                0.01
            },
        };
        let list = shortlist(&alternatives, &order, &boxes, limits);
        let best = &entries[first];
        ranking.shortlist = list
            .members
            .iter()
            .map(|m| {
                let minor = |i: usize| alternatives[i].key(rho) * minor_per_cent(ctx.home);
                let cut = (m.index != first).then(|| price_cut(minor(m.index), minor(first)));
                words::listed(want, m, &entries[m.index], best, cut, ctx.home)
            })
            .collect();
    }
    drop(alternatives);
    let mut slots: Vec<Option<Entry<'_>>> = entries.into_iter().map(Some).collect();
    ranking.ranked = order
        .iter()
        .filter_map(|&i| slots[i].take())
        .enumerate()
        .map(|(place, entry)| ranked(entry, place + 1, ctx.home))
        .collect();
    ranking.summary = words::summary(want, &ranking, candidates);
    ranking
}

/// Checks the conditions and adds up the terms.
fn admit<'a>(
    want: &Want,
    candidate: &'a Candidate<'a>,
    ctx: &WantContext<'_>,
) -> Result<Entry<'a>, Box<RejectedOffer>> {
    let reject = |constraint: &str, value: String, excess, miss, reason| {
        Box::new(RejectedOffer {
            id: candidate.id.to_owned(),
            constraint: constraint.to_owned(),
            value,
            excess,
            miss,
            reason,
        })
    };
    let no_cost = |why: Sentence| reject("cost", why.to_string(), None, why.clone(), why);
    let cost = candidate.landed.map_err(|e| no_cost(e.words()))?;
    if cost.currency != ctx.home {
        let why = format!("its cost is in {}, not {}", cost.currency, ctx.home);
        return Err(no_cost(why.into()));
    }
    let mut flags = Vec::new();
    for requirement in &want.must {
        match check(requirement, candidate) {
            Check::Met => {}
            Check::Unknown => {
                flags.push(sentence!("nobody says whether it ", phrase(requirement)));
            }
            Check::Unmet { value, excess } => {
                let by = excess.map_or_else(String::new, |e| format!(", {e} too many"));
                let miss = sentence!(&value, by);
                let condition = requirement.to_string();
                let reason = sentence!("fails ", &condition, ": ", &miss);
                let excess = excess.map(Decimal::from);
                return Err(reject(&condition, value, excess, miss, reason));
            }
        }
    }
    if let Some(day) = want.need_by {
        let left = u32::try_from(ctx.today.duration_until(day).as_hours() / 24).unwrap_or(0);
        match delivery_within(left, candidate) {
            Check::Met => {}
            Check::Unknown => {
                flags.push(sentence!("nobody says whether it arrives by ", day));
            }
            Check::Unmet { value, excess } => {
                let late = excess.unwrap_or(0);
                let miss = sentence!(&value, ", ", late, " too many");
                let reason = sentence!("arrives after ", day, ": ", &miss);
                let excess = Some(Decimal::from(late));
                return Err(reject("need by", value, excess, miss, reason));
            }
        }
    }
    let mut terms: Vec<WantTerm> = cost.terms.iter().map(landed_term).collect();
    let money = terms.len();
    let too_large = || no_cost("its cost is too large".into());
    let [low, mid, high] = sums(&terms).ok_or_else(too_large)?;
    if let Some(limit) = want.limit {
        let most = Decimal::from(want.quantity)
            .checked_mul(limit.amount.max(Decimal::ZERO))
            .unwrap_or(Decimal::MAX);
        if limit.currency != ctx.home {
            let currency = limit.currency.code();
            flags.push(sentence!(
                "your limit is in ",
                currency,
                "; it was not checked"
            ));
        } else if low > most {
            let over = Money::new(low - most, ctx.home);
            let cost = Money::new(mid, ctx.home);
            // Where it is not sure, the least is what the limit is held against.
            let least = if low == high {
                Sentence::default()
            } else {
                sentence!(" expected and at least ", Money::new(low, ctx.home))
            };
            let miss = sentence!(cost, &least, ", ", over, " too much");
            let reason = sentence!("costs ", cost, least, ", ", over, " above your limit");
            let excess = Some(over.amount);
            return Err(reject("limit", cost.to_string(), excess, miss, reason));
        } else if high > most {
            flags.push("may come to more than your limit".into());
        }
    }
    for preference in &want.prefer {
        let id = preference.requirement.to_string();
        let met = check(&preference.requirement, candidate);
        terms.push(preference_term(id, preference.worth, &met));
    }
    sums(&terms).ok_or_else(too_large)?;
    let availability = candidate.offer.availability;
    if !availability.is_available() {
        flags.push(stock_words(availability).into());
    }
    if let Some(days) = candidate.age_days.filter(|d| *d > ctx.stale_after_days) {
        flags.push(sentence!("price read ", days, " days ago"));
    }
    Ok(Entry {
        candidate,
        terms,
        landed: Money::new(mid, ctx.home),
        money,
        flags,
    })
}

fn landed_term(t: &LandedTerm) -> WantTerm {
    WantTerm {
        id: format!("{:?}", t.kind).to_lowercase(),
        low: t.low,
        mid: t.mid,
        high: t.high,
        certainty: t.certainty,
        source: t.source.clone(),
    }
}

/// A preference costs its worth where it is not met (a negative worth: where it is), and
/// up to that where nobody says.
fn preference_term(id: String, worth: Decimal, met: &Check) -> WantTerm {
    let (with, without) = ((-worth).max(Decimal::ZERO), worth.max(Decimal::ZERO));
    let (least, most) = (with.min(without), with.max(without));
    let (low, mid, high, certainty, source) = match met {
        Check::Met => (with, with, with, Certainty::Known, "met".into()),
        Check::Unmet { value, .. } => (
            without,
            without,
            without,
            Certainty::Known,
            sentence!("not met: ", value),
        ),
        Check::Unknown => {
            let half = ((least + most) / Decimal::TWO).round_dp(2);
            (least, half, most, Certainty::Unknown, "nobody says".into())
        }
    };
    WantTerm {
        id,
        low,
        mid,
        high,
        certainty,
        source,
    }
}

/// The sums of low, mid and high; `None` where a term is out of range or out of order.
fn sums(terms: &[WantTerm]) -> Option<[Decimal; 3]> {
    terms.iter().try_fold([Decimal::ZERO; 3], |[l, m, h], t| {
        let in_range = |x: Decimal| x.abs() <= MAX_AMOUNT;
        if !(t.low <= t.mid && t.mid <= t.high && in_range(t.low) && in_range(t.high)) {
            return None;
        }
        Some([
            l.checked_add(t.low)?,
            m.checked_add(t.mid)?,
            h.checked_add(t.high)?,
        ])
    })
}

fn cents(x: Decimal) -> f64 {
    x.to_f64().unwrap_or(f64::MAX) * 100.0
}

/// What a hundredth of a currency is in its minor units: 1 for EUR, a hundredth for JPY.
fn minor_per_cent(currency: Currency) -> f64 {
    10_f64.powi(currency.exponent().cast_signed() - 2)
}

fn interval(t: &WantTerm) -> Interval {
    Interval {
        lo: cents(t.low),
        mid: cents(t.mid),
        hi: cents(t.high),
    }
}

fn alternative<'a>(e: &Entry<'a>) -> Alternative<'a> {
    let (money, preferences) = e.terms.split_at(e.money);
    let [lo, mid, hi] = sums(money).unwrap_or_default().map(cents);
    Alternative {
        id: e.candidate.id,
        tier: Stock::of(e.candidate.offer.availability).tier(),
        fixed: Interval { lo, mid, hi },
        weighted: preferences.iter().map(interval).collect(),
    }
}

fn weight_box<'a>(label: &'a str, ctx: &WantContext<'_>) -> WeightBox<'a> {
    let tuned = ctx.tuned.iter().find(|t| t.id == label);
    let spread = if ctx.spread.is_finite() {
        ctx.spread.clamp(1.0, 1e3)
    } else {
        2.0
    };
    let (low, high) = tuned.map_or((1.0 / spread, spread), TradeOff::factors);
    WeightBox {
        id: label,
        low,
        high,
    }
}

fn ranked(e: Entry<'_>, rank: usize, home: Currency) -> RankedOffer {
    let [low, mid, high] = sums(&e.terms)
        .unwrap_or_default()
        .map(|x| Money::new(x, home));
    RankedOffer {
        id: e.candidate.id.to_owned(),
        rank,
        stock: Stock::of(e.candidate.offer.availability),
        landed: e.landed,
        low,
        mid,
        high,
        terms: e.terms,
        flags: e.flags,
    }
}

#[cfg(test)]
mod tests;
