//! Landed cost: item, delivery, fees, tax, deposit, less coupon and loyalty, in one
//! currency, each term with how sure it is and where it comes from.
//!
//! What nobody said is a range from a prior, never zero. Every term is rounded to the
//! minor unit on its own, so the terms shown add up to the sum shown.

pub mod exchange;

pub use exchange::FxRate;

use crate::model::landed::{Certainty, LandedCost, LandedTerm, TermKind};
use crate::model::offer::{Extractor, Offer};
use crate::model::seller::DeliveryRule;
use crate::model::time::Date;
use crate::model::{Currency, Money, Sentence, sentence};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Rates older than this many days are not used.
pub const MAX_RATE_AGE_DAYS: u32 = 14;

/// No term may exceed this many major units: far above any purchase of a person, and
/// far below where a sum of terms could overflow a decimal.
pub(super) const MAX_AMOUNT: Decimal = Decimal::from_parts(0xA4C6_8000, 0x0003_8D7E, 0, false, 0);

/// The most further terms one offer may carry.
const MAX_ADJUSTMENTS: usize = 1_000;

/// Why an offer has no landed cost. None of these may be shown as a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LandedError {
    /// There is no single price.
    #[error("the offer has no single price")]
    NoPrice,
    /// A price of nothing or less is a fault of the source.
    #[error("a price of {0} is not a price")]
    NotPositive(Money),
    /// A quote past its last day binds nobody.
    #[error("the quote was valid until {0}")]
    Expired(Date),
    /// Nothing to buy.
    #[error("the quantity is zero")]
    NoQuantity,
    /// No rate leads from the offer's currency to the person's.
    #[error("no exchange rate from {0} to {1}")]
    NoRate(Currency, Currency),
    /// The newest rate is too old to estimate with.
    #[error("the newest exchange rate from {from} to {to} is of {day}, too old to use")]
    StaleRate {
        /// From this currency
        from: Currency,
        /// to that one.
        to: Currency,
        /// The day of the newest rate.
        day: Date,
    },
    /// A prior, fee or discount is negative or out of order.
    #[error("{0} must be a range that is not negative, lowest first")]
    BadRange(&'static str),
    /// An amount beyond any purchase, or too many terms.
    #[error("the amounts are too large")]
    TooLarge,
}

impl LandedError {
    /// The same for a person.
    #[must_use]
    pub fn words(&self) -> Sentence {
        match self {
            Self::NotPositive(price) => sentence!("a price of ", *price, " is not a price"),
            Self::Expired(day) => sentence!("the quote was valid until ", *day),
            Self::StaleRate { from, to, day } => sentence!(
                format!("the newest exchange rate from {from} to {to} is of "),
                *day,
                ", too old to use: `[fx]` in the settings takes a newer one"
            ),
            Self::NoRate(..) => format!("{self}: `[fx] rates` in the settings takes one").into(),
            other => other.to_string().into(),
        }
    }
}

/// What delivery costs where nobody says: the least, the most likely, the most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryPrior {
    /// The least.
    pub low: Decimal,
    /// The most likely.
    pub mode: Decimal,
    /// The most.
    pub high: Decimal,
    /// The currency of the three.
    pub currency: Currency,
}

impl Default for DeliveryPrior {
    /// A parcel within Europe: free to 9.90 EUR, usually 4.90 EUR.
    fn default() -> Self {
        Self {
            low: Decimal::ZERO,
            mode: Decimal::new(490, 2),
            high: Decimal::new(990, 2),
            currency: Currency::EUR,
        }
    }
}

/// The mean of a PERT estimate, (low + 4 mode + high) / 6 (Malcolm et al. 1959).
fn pert_mean(low: Decimal, mode: Decimal, high: Decimal) -> Decimal {
    (low + Decimal::from(4) * mode + high) / Decimal::from(6)
}

/// How much a further term is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// A fixed amount for every piece.
    PerPiece(Money),
    /// A fixed amount for the order.
    PerOrder(Money),
    /// A fraction of the items' price: 0.05 is 5 %.
    Fraction(Decimal),
}

/// A further term the offer itself does not carry: a payment fee, tax that comes on
/// top, a deposit, a coupon or loyalty points of the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adjustment {
    /// What it is for. [`TermKind::Coupon`] and [`TermKind::Loyalty`] lower the cost, all
    /// others raise it.
    pub kind: TermKind,
    /// How much, never negative.
    pub amount: Amount,
    /// Known, assumed or, for a coupon that may not be accepted, unknown: then the
    /// term ranges from nothing to the amount.
    pub certainty: Certainty,
    /// Where it comes from, in words.
    pub source: Sentence,
}

/// Who says the delivery rule, unless somebody else is named.
const RULE: &str = "the shop's rule";

/// What the cost depends on besides the offer.
#[derive(Clone, Debug)]
pub struct LandedContext<'a> {
    /// The person's currency: the currency of the sum.
    pub home: Currency,
    /// Exchange rates with their days.
    pub rates: &'a [FxRate],
    /// Delivery where nobody says.
    pub delivery_prior: &'a DeliveryPrior,
    /// Who says the fee of the delivery rule, in words.
    pub fee_source: &'a str,
    /// Who says from where on delivery is free, in words.
    pub free_source: &'a str,
    /// Further terms of this offer.
    pub adjustments: &'a [Adjustment],
    /// What coupons leave out of the order value that free delivery is compared with, in
    /// `home`.
    pub off_order: Decimal,
    /// What the person's bank takes for paying in a foreign currency, as a fraction.
    pub exchange_fee: Decimal,
    /// How many pieces.
    pub quantity: u32,
    /// The day it is.
    pub today: Date,
}

impl<'a> LandedContext<'a> {
    /// One piece, no further terms, no bank fee.
    #[must_use]
    pub fn new(
        home: Currency,
        rates: &'a [FxRate],
        delivery_prior: &'a DeliveryPrior,
        today: Date,
    ) -> Self {
        Self {
            home,
            rates,
            delivery_prior,
            fee_source: RULE,
            free_source: RULE,
            adjustments: &[],
            off_order: Decimal::ZERO,
            exchange_fee: Decimal::ZERO,
            quantity: 1,
            today,
        }
    }
}

/// All the person pays to have `ctx.quantity` pieces of `offer`, in `ctx.home`.
///
/// # Errors
/// [`LandedError`] where an honest number is impossible: no price, no usable exchange
/// rate, an expired quote, amounts out of range.
pub fn landed(
    offer: &Offer,
    rule: &DeliveryRule,
    ctx: &LandedContext<'_>,
) -> Result<LandedCost, LandedError> {
    if ctx.quantity == 0 {
        return Err(LandedError::NoQuantity);
    }
    if ctx.adjustments.len() > MAX_ADJUSTMENTS {
        return Err(LandedError::TooLarge);
    }
    let price = offer.price.ok_or(LandedError::NoPrice)?;
    if price.amount <= Decimal::ZERO {
        return Err(LandedError::NotPositive(price));
    }
    check_expiry(offer, ctx.today)?;

    let mut sum = Sum::new(ctx);
    let quantity = Decimal::from(ctx.quantity);
    let items = Money::new(bounded(price.amount.checked_mul(quantity))?, price.currency);
    let words = if ctx.quantity == 1 {
        price.into()
    } else {
        sentence!(ctx.quantity, " x ", price)
    };
    sum.add(
        TermKind::Item,
        Range::exact(items.amount),
        items.currency,
        Certainty::Known,
        words,
    )?;
    let order = if ctx.off_order.is_zero() {
        items
    } else {
        Money::new(sum.home(items)? - ctx.off_order, ctx.home)
    };
    delivery(&mut sum, offer, rule, order)?;
    minimum_order(&mut sum, rule, items)?;
    for adjustment in ctx.adjustments {
        adjust(&mut sum, adjustment, items)?;
    }
    sum.finish()
}

/// A quote binds until its last day. Pages are another matter: shops leave old dates in
/// their mark-up for years while the price on the page holds.
fn check_expiry(offer: &Offer, today: Date) -> Result<(), LandedError> {
    let is_quote = offer
        .provenance
        .iter()
        .any(|p| p.extractor == Extractor::Quote);
    let last = offer
        .valid_through
        .as_deref()
        .and_then(|s| s.get(..10))
        .and_then(|s| s.parse::<Date>().ok());
    match last {
        Some(last) if is_quote && last < today => Err(LandedError::Expired(last)),
        _ => Ok(()),
    }
}

fn delivery(
    sum: &mut Sum<'_>,
    offer: &Offer,
    rule: &DeliveryRule,
    order: Money,
) -> Result<(), LandedError> {
    let reaches = |sum: &Sum<'_>, threshold: &Option<Money>| match threshold {
        Some(t) if t.amount >= Decimal::ZERO => {
            sum.at_least(order, *t).map(|yes| yes.then_some(*t))
        }
        _ => Ok(None),
    };
    let fee = |m: &Option<Money>| m.filter(|m| m.amount >= Decimal::ZERO);
    let said = offer.shipping.as_ref();
    let free = Range::exact(Decimal::ZERO);

    if let Some(shipping) = said
        && let Some(t) = reaches(sum, &shipping.free_from)?
    {
        let source = sentence!("the offer: free from ", t);
        return sum.add(
            TermKind::Delivery,
            free,
            t.currency,
            Certainty::Known,
            source,
        );
    }
    let by_rule = reaches(sum, &rule.free_from)?;
    if let Some(cost) = said.and_then(|s| fee(&s.cost)) {
        // A page speaks for one piece. Several may pass the shop's own threshold,
        // which the page then does not mention.
        return match by_rule {
            Some(t) if sum.ctx.quantity > 1 && cost.amount > Decimal::ZERO => sum.add(
                TermKind::Delivery,
                Range {
                    low: Decimal::ZERO,
                    mid: Decimal::ZERO,
                    high: cost.amount,
                },
                cost.currency,
                Certainty::Assumed,
                sentence!(
                    sum.ctx.free_source,
                    ": free from ",
                    t,
                    "; the offer says ",
                    cost,
                    " for one"
                ),
            ),
            _ => sum.add(
                TermKind::Delivery,
                Range::exact(cost.amount),
                cost.currency,
                Certainty::Known,
                sentence!("the offer: ", cost),
            ),
        };
    }
    if let Some(t) = by_rule {
        let source = sentence!(sum.ctx.free_source, ": free from ", t);
        return sum.add(
            TermKind::Delivery,
            free,
            t.currency,
            Certainty::Assumed,
            source,
        );
    }
    if let Some(cost) = fee(&rule.fee) {
        let source = sentence!(sum.ctx.fee_source, ": ", cost, " an order");
        return sum.add(
            TermKind::Delivery,
            Range::exact(cost.amount),
            cost.currency,
            Certainty::Assumed,
            source,
        );
    }
    let prior = sum.ctx.delivery_prior;
    if !(Decimal::ZERO <= prior.low && prior.low <= prior.mode && prior.mode <= prior.high) {
        return Err(LandedError::BadRange("the delivery prior"));
    }
    bounded(Some(prior.high))?;
    sum.add(
        TermKind::Delivery,
        Range {
            low: prior.low,
            mid: pert_mean(prior.low, prior.mode, prior.high),
            high: prior.high,
        },
        prior.currency,
        Certainty::Unknown,
        "nobody says; the usual range".into(),
    )
}

/// A shop that takes no small orders costs up to the rest of its least order; what is
/// bought for that rest has a value of its own, so the term starts at nothing.
fn minimum_order(sum: &mut Sum<'_>, rule: &DeliveryRule, items: Money) -> Result<(), LandedError> {
    let Some(least) = rule.min_order else {
        return Ok(());
    };
    if least.amount <= Decimal::ZERO || sum.at_least(items, least)? {
        return Ok(());
    }
    let order = sum.home(items)?;
    let missing = sum.home(least)? - order;
    sum.add(
        TermKind::Fee,
        Range {
            low: Decimal::ZERO,
            mid: Decimal::ZERO,
            high: missing,
        },
        sum.ctx.home,
        Certainty::Assumed,
        sentence!("the shop takes orders from ", least, " on"),
    )
}

fn adjust(sum: &mut Sum<'_>, a: &Adjustment, items: Money) -> Result<(), LandedError> {
    let quantity = Decimal::from(sum.ctx.quantity);
    let (amount, currency) = match &a.amount {
        Amount::PerPiece(m) => (m.amount.checked_mul(quantity), m.currency),
        Amount::PerOrder(m) => (Some(m.amount), m.currency),
        Amount::Fraction(f) => (items.amount.checked_mul(*f), items.currency),
    };
    let amount = bounded(amount)?;
    if amount < Decimal::ZERO {
        return Err(LandedError::BadRange("a fee or discount"));
    }
    let lowers = matches!(a.kind, TermKind::Coupon | TermKind::Loyalty);
    // Nobody is paid for buying: discounts end at the price of the goods.
    let amount = if lowers {
        let room = sum.discount_room(items, currency)?;
        -amount.min(room)
    } else {
        amount
    };
    let range = match a.certainty {
        Certainty::Unknown => Range {
            low: amount.min(Decimal::ZERO),
            mid: amount / Decimal::TWO,
            high: amount.max(Decimal::ZERO),
        },
        _ => Range::exact(amount),
    };
    sum.add(a.kind, range, currency, a.certainty, a.source.clone())
}

#[derive(Clone, Copy)]
struct Range {
    low: Decimal,
    mid: Decimal,
    high: Decimal,
}

impl Range {
    const fn exact(x: Decimal) -> Self {
        Self {
            low: x,
            mid: x,
            high: x,
        }
    }
}

fn bounded(amount: Option<Decimal>) -> Result<Decimal, LandedError> {
    amount
        .filter(|a| a.abs() <= MAX_AMOUNT)
        .ok_or(LandedError::TooLarge)
}

/// The terms so far, in the home currency.
struct Sum<'a> {
    ctx: &'a LandedContext<'a>,
    terms: Vec<LandedTerm>,
    /// What is paid in a foreign currency, converted, and by which rate.
    foreign: Option<(Decimal, exchange::Conversion)>,
}

impl<'a> Sum<'a> {
    const fn new(ctx: &'a LandedContext<'a>) -> Self {
        Self {
            ctx,
            terms: Vec::new(),
            foreign: None,
        }
    }

    fn rate(&self, from: Currency) -> Result<exchange::Conversion, LandedError> {
        let to = self.ctx.home;
        let found =
            exchange::conversion(self.ctx.rates, from, to).ok_or(LandedError::NoRate(from, to))?;
        if age(found.day, self.ctx.today) > MAX_RATE_AGE_DAYS {
            return Err(LandedError::StaleRate {
                from,
                to,
                day: found.day,
            });
        }
        Ok(found)
    }

    /// `money` in the home currency, not rounded.
    fn home(&self, money: Money) -> Result<Decimal, LandedError> {
        if money.currency == self.ctx.home {
            return bounded(Some(money.amount));
        }
        let rate = self.rate(money.currency)?.rate;
        bounded(money.amount.checked_mul(rate))
    }

    /// Whether the order reaches a threshold; across currencies only by a rate.
    fn at_least(&self, order: Money, threshold: Money) -> Result<bool, LandedError> {
        if order.currency == threshold.currency {
            return Ok(order.amount >= threshold.amount);
        }
        Ok(self.home(order)? >= self.home(threshold)?)
    }

    /// How far discounts may still go, in `currency`.
    fn discount_room(&self, items: Money, currency: Currency) -> Result<Decimal, LandedError> {
        let given: Decimal = self
            .terms
            .iter()
            .filter(|t| matches!(t.kind, TermKind::Coupon | TermKind::Loyalty))
            .map(|t| t.low)
            .sum();
        let room = (self.home(items)? + given).max(Decimal::ZERO);
        if currency == self.ctx.home {
            return Ok(room);
        }
        bounded(room.checked_div(self.rate(currency)?.rate))
    }

    fn add(
        &mut self,
        kind: TermKind,
        range: Range,
        currency: Currency,
        certainty: Certainty,
        mut source: Sentence,
    ) -> Result<(), LandedError> {
        let home = self.ctx.home;
        let convert = |rate: Decimal, x: Decimal| {
            bounded(x.checked_mul(rate)).map(|x| Money::new(x, home).rounded().amount)
        };
        let mut rate = Decimal::ONE;
        if currency != home {
            let found = self.rate(currency)?;
            rate = found.rate;
            let rate = rate.round_dp(6).normalize();
            let stated = format!("; 1 {currency} = {rate} {home}, {} of ", found.source);
            source.push(sentence!(stated, found.day));
            let paid = convert(rate, range.mid)?;
            match &mut self.foreign {
                Some((total, oldest)) => {
                    *total += paid;
                    oldest.day = oldest.day.min(found.day);
                }
                None => self.foreign = Some((paid, found)),
            }
        }
        self.terms.push(LandedTerm {
            kind,
            low: convert(rate, range.low)?,
            mid: convert(rate, range.mid)?,
            high: convert(rate, range.high)?,
            certainty,
            source,
        });
        Ok(())
    }

    /// Adds what changing money costs and how far the rate may have moved.
    fn finish(mut self) -> Result<LandedCost, LandedError> {
        let fee = self.ctx.exchange_fee;
        if fee < Decimal::ZERO {
            return Err(LandedError::BadRange("the bank's fee"));
        }
        if let Some((total, conversion)) = self.foreign.take()
            && total > Decimal::ZERO
        {
            let spread = exchange::spread(age(conversion.day, self.ctx.today));
            let part = |f: Decimal| bounded(total.checked_mul(f));
            let percent = |f: Decimal| (f * Decimal::ONE_HUNDRED).normalize().to_string();
            let moved = percent(spread);
            let mut source = sentence!(
                "rate of ",
                conversion.day,
                ", may have moved by ",
                moved,
                " %"
            );
            if fee > Decimal::ZERO {
                source.push(sentence!("; bank fee ", percent(fee), " %"));
            }
            let range = Range {
                low: part(fee - spread)?,
                mid: part(fee)?,
                high: part(fee + spread)?,
            };
            let home = self.ctx.home;
            self.add(TermKind::Exchange, range, home, Certainty::Assumed, source)?;
        }
        Ok(LandedCost {
            currency: self.ctx.home,
            terms: self.terms,
        })
    }
}

/// Whole days from `day` to `today`; a rate from tomorrow (another time zone) is fresh.
fn age(day: Date, today: Date) -> u32 {
    u32::try_from(today.duration_since(day).as_hours() / 24).unwrap_or(0)
}

#[cfg(test)]
mod tests;
