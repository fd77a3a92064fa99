//! What the person knows of a shop and its pages do not say: what delivery costs, where
//! the goods can be fetched, coupons, and prices noted by hand.

use super::time::Date;
use super::{Id, Money, Place};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// What the person knows of one shop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShopTerms {
    /// The fee for one delivery. `None` is unknown.
    pub fee: Option<Money>,
    /// Other fees from an order value on.
    pub tiers: Vec<Tier>,
    /// Delivery is free from this order value on.
    pub free_from: Option<Money>,
    /// The order value counts before coupons. Otherwise what is left after them must
    /// reach a tier, which never promises too much.
    pub before_coupons: bool,
    /// What heavy orders cost on top; the last one passed counts.
    pub surcharges: Vec<Surcharge>,
    /// The least order value.
    pub min_order: Option<Money>,
    /// Nothing is sent: the goods must be fetched.
    pub fetch_only: bool,
    /// Where the goods can be fetched.
    pub place: Option<Place>,
    /// What the way there and back costs, where it is not to be counted from the distance.
    pub travel: Option<Money>,
    /// What the shop asks for having the goods ready.
    pub pickup_fee: Option<Money>,
    /// Coupons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<Coupon>,
    /// Prices noted by hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<NotedOffer>,
}

impl ShopTerms {
    /// Whether delivery is said here: then it counts instead of what pages say.
    #[must_use]
    pub const fn says_delivery(&self) -> bool {
        self.fee.is_some() || !self.tiers.is_empty() || self.free_from.is_some()
    }

    /// The fee for an order of so many units of the currency of the terms; `None` where
    /// the terms do not say.
    #[must_use]
    pub fn fee_for(&self, order: &Money) -> Option<Money> {
        let reached = |from: &Money| from.currency == order.currency && from.amount <= order.amount;
        if let Some(from) = self.free_from.filter(reached) {
            return Some(Money::zero(from.currency));
        }
        let tiers = self.tiers.iter().filter(|t| reached(&t.from));
        tiers
            .max_by_key(|t| t.from.amount)
            .map(|t| t.fee)
            .or(self.fee)
    }

    /// All amounts, to check that they have one currency.
    pub fn amounts(&self) -> impl Iterator<Item = Money> {
        let fixed = [
            self.fee,
            self.free_from,
            self.min_order,
            self.pickup_fee,
            self.travel,
        ];
        let tiers = self.tiers.iter().flat_map(|t| [t.from, t.fee]);
        let heavy = self.surcharges.iter().map(|s| s.add);
        let all: Vec<Money> = fixed
            .into_iter()
            .flatten()
            .chain(tiers)
            .chain(heavy)
            .collect();
        all.into_iter()
    }
}

/// Why a text is no part of a shop's terms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// Not a tier.
    #[error("`{0}` is not a fee from an order value on; write for example '25 EUR:2.90 EUR'")]
    Tier(String),
    /// Not a surcharge.
    #[error("`{0}` is not a surcharge over a weight; write for example '5 kg:3.00 EUR'")]
    Surcharge(String),
    /// Not what a coupon gives.
    #[error("`{0}` is not what a coupon gives; write 10% or '5 EUR'")]
    Gives(String),
    /// Not a price from a number on.
    #[error("`{0}` is not a price from a number on; write for example '3:2.50 EUR'")]
    Break(String),
}

/// From an order value on, delivery costs this. Written `25 EUR:2.90 EUR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// The order value.
    pub from: Money,
    /// The fee from there on.
    pub fee: Money,
}

impl FromStr for Tier {
    type Err = TermsError;
    fn from_str(s: &str) -> Result<Self, TermsError> {
        s.split_once(':')
            .and_then(|(from, fee)| {
                Some(Self {
                    from: not_negative(from)?,
                    fee: not_negative(fee)?,
                })
            })
            .ok_or_else(|| TermsError::Tier(s.to_owned()))
    }
}

/// Over a weight, delivery costs this on top. Written `5 kg:3.00 EUR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surcharge {
    /// Grams that are still without it.
    pub over_g: u32,
    /// The surcharge.
    pub add: Money,
}

impl FromStr for Surcharge {
    type Err = TermsError;
    fn from_str(s: &str) -> Result<Self, TermsError> {
        let grams = |text: &str| {
            let text = text.trim();
            let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
            let number: Decimal = number.trim().parse().ok()?;
            let grams = match unit.to_ascii_lowercase().as_str() {
                "g" => number,
                "kg" => number.checked_mul(Decimal::ONE_THOUSAND)?,
                _ => return None,
            };
            grams.to_u32()
        };
        s.split_once(':')
            .and_then(|(over, add)| {
                Some(Self {
                    over_g: grams(over)?,
                    add: not_negative(add)?,
                })
            })
            .ok_or_else(|| TermsError::Surcharge(s.to_owned()))
    }
}

/// What a coupon takes off: `10%` or `5 EUR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A share of the goods, in hundredths of a percent: 1 to 10,000.
    Percent(u16),
    /// An amount, at most the goods.
    Fixed(Money),
}

impl FromStr for Gives {
    type Err = TermsError;
    fn from_str(s: &str) -> Result<Self, TermsError> {
        let percent = |text: &str| {
            let points = text.trim().parse::<Decimal>().ok()?;
            let points = points.checked_mul(Decimal::ONE_HUNDRED)?;
            let points = points.is_integer().then(|| points.to_u16())??;
            (1..=10_000)
                .contains(&points)
                .then_some(Self::Percent(points))
        };
        match s.trim().strip_suffix('%') {
            Some(number) => percent(number),
            // Kept as text, which has no more digits than the currency.
            None => not_negative(s)
                .map(|m| m.rounded())
                .filter(|m| !m.amount.is_zero())
                .map(Self::Fixed),
        }
        .ok_or_else(|| TermsError::Gives(s.to_owned()))
    }
}

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(points) => {
                write!(f, "{}%", Decimal::new(i64::from(*points), 2).normalize())
            }
            Self::Fixed(money) => money.fmt(f),
        }
    }
}

impl Serialize for Gives {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Gives {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// A coupon the person has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupon {
    /// What is typed at the checkout.
    pub code: String,
    /// What it takes off.
    pub gives: Gives,
    /// The least value of the goods it counts for.
    #[serde(default)]
    pub min_spend: Option<Money>,
    /// The most it takes off.
    #[serde(default)]
    pub cap: Option<Money>,
    /// The wants it counts for; none for everything in the shop.
    #[serde(default)]
    pub wants: Vec<Id>,
    /// One order takes one coupon of a group. Coupons without a group are one group: most
    /// shops take one code an order.
    #[serde(default)]
    pub group: Option<String>,
    /// The last day it is good for.
    #[serde(default)]
    pub until: Option<Date>,
}

impl Coupon {
    /// Whether it is past.
    #[must_use]
    pub fn is_expired(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }

    /// All its amounts.
    pub fn amounts(&self) -> impl Iterator<Item = Money> {
        let fixed = match self.gives {
            Gives::Fixed(money) => Some(money),
            Gives::Percent(_) => None,
        };
        [fixed, self.min_spend, self.cap].into_iter().flatten()
    }
}

/// Days for which a noted price counts where its last day is not known.
pub const NOTED_DAYS: i32 = 90;

/// A price the person noted: a pack, a price that falls with the number, a bundle that
/// answers several wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotedOffer {
    /// Its id.
    pub id: Id,
    /// What it is called in the shop.
    pub name: String,
    /// The wants it answers, and how many pieces of each are in one.
    pub covers: Vec<(Id, u32)>,
    /// What one costs.
    pub price: Money,
    /// What one costs from a number on, for all of them.
    #[serde(default)]
    pub breaks: Vec<Break>,
    /// The most that can be bought.
    #[serde(default)]
    pub most: Option<u32>,
    /// Where it is sold.
    #[serde(default)]
    pub url: Option<String>,
    /// The day it was noted.
    pub noted: Date,
    /// The last day it holds.
    #[serde(default)]
    pub until: Option<Date>,
}

impl NotedOffer {
    /// Whether it is past: its last day is over, or nobody said one and it was noted
    /// [`NOTED_DAYS`] ago.
    #[must_use]
    pub fn is_expired(&self, today: Date) -> bool {
        match self.until {
            Some(until) => until < today,
            None => (today - self.noted).get_days() > NOTED_DAYS,
        }
    }
}

/// From so many on, each costs this. Written `3:2.50 EUR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// The number.
    pub from: u32,
    /// What each costs then.
    pub price: Money,
}

impl FromStr for Break {
    type Err = TermsError;
    fn from_str(s: &str) -> Result<Self, TermsError> {
        s.split_once(':')
            .and_then(|(from, price)| {
                Some(Self {
                    from: from.trim().parse().ok().filter(|n| *n > 1)?,
                    price: not_negative(price)?,
                })
            })
            .ok_or_else(|| TermsError::Break(s.to_owned()))
    }
}

fn not_negative(text: &str) -> Option<Money> {
    let money: Money = text.trim().parse().ok()?;
    (money.amount >= Decimal::ZERO).then_some(money)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        text.parse().expect("test money")
    }

    #[test]
    fn terms_are_read_as_people_write_them() {
        let tier: Tier = "25 EUR:2.90 EUR".parse().expect("a tier");
        assert_eq!((tier.from, tier.fee), (money("25 EUR"), money("2.90 EUR")));
        let heavy: Surcharge = "0.5 kg: 3 EUR".parse().expect("a surcharge");
        assert_eq!((heavy.over_g, heavy.add), (500, money("3 EUR")));
        assert_eq!("12.5 %".parse(), Ok(Gives::Percent(1250)));
        assert_eq!("5 EUR".parse(), Ok(Gives::Fixed(money("5 EUR"))));
        let three: Break = "3:2.50 EUR".parse().expect("a break");
        assert_eq!((three.from, three.price), (3, money("2.50 EUR")));
        for bad in [
            "0%",
            "101%",
            "1.234%",
            "-5 EUR",
            "0 EUR",
            "0.001 EUR",
            "5",
            "many",
            "%",
        ] {
            assert!(bad.parse::<Gives>().is_err(), "{bad}");
        }
        assert!("5 EUR".parse::<Tier>().is_err());
        assert!("-1 EUR:2 EUR".parse::<Tier>().is_err());
        assert!("5 lb:2 EUR".parse::<Surcharge>().is_err());
        assert!("99999999 kg:2 EUR".parse::<Surcharge>().is_err());
        assert!(
            "1:2 EUR".parse::<Break>().is_err(),
            "one is the price itself"
        );
    }

    #[test]
    fn a_noted_price_counts_to_its_last_day_or_for_a_while() {
        let day = |text: &str| text.parse::<Date>().expect("a day");
        let mut noted = NotedOffer {
            id: Id::new(),
            name: "Tea".into(),
            covers: Vec::new(),
            price: money("3 EUR"),
            breaks: Vec::new(),
            most: None,
            url: None,
            noted: day("2030-01-01"),
            until: None,
        };
        assert!(!noted.is_expired(day("2030-04-01")));
        assert!(noted.is_expired(day("2030-04-02")));
        noted.until = Some(day("2030-12-31"));
        assert!(!noted.is_expired(day("2030-12-31")));
        assert!(noted.is_expired(day("2031-01-01")));
    }

    #[test]
    fn the_last_tier_reached_counts() {
        let terms = ShopTerms {
            fee: Some(money("4.90 EUR")),
            tiers: vec!["25 EUR:2.90 EUR".parse().expect("a tier")],
            free_from: Some(money("49 EUR")),
            ..ShopTerms::default()
        };
        let fee = |order: &str| terms.fee_for(&money(order)).map(|m| m.to_string());
        assert_eq!(fee("24.99 EUR").as_deref(), Some("4.90 EUR"));
        assert_eq!(fee("25 EUR").as_deref(), Some("2.90 EUR"));
        assert_eq!(fee("49 EUR").as_deref(), Some("0.00 EUR"));
        assert_eq!(ShopTerms::default().fee_for(&money("9 EUR")), None);
    }

    #[test]
    fn what_a_coupon_gives_survives_json() {
        for text in ["10%", "12.5%", "5.00 EUR"] {
            let gives: Gives = text.parse().expect(text);
            let json = serde_json::to_string(&gives).expect("serialise");
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Gives>(&json).expect("read"), gives);
        }
    }
}
