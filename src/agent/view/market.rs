//! What every view is computed with: shops and what is known of them, exchange rates, the
//! person's settings.

mod coupons;
mod terms;

pub use terms::{Delivery, Teller, Trip};

use crate::agent::config::{Config, Travel};
use crate::agent::life;
use crate::agent::store::Store;
use crate::engine::basket::{Cents, MAX_CENTS};
use crate::engine::landed::{
    Adjustment, Amount, DeliveryPrior, FxRate, LandedContext, LandedError, landed,
};
use crate::engine::locale::Locale;
use crate::engine::rank::elicit::TradeOff;
use crate::engine::wish::Habit;
use crate::model::landed::{Certainty, TermKind};
use crate::model::offer::Shipping;
use crate::model::terms::Coupon;
use crate::model::time::{Date, SignedDuration, Timestamp};
use crate::model::want::Want;
use crate::model::{
    Currency, Id, LandedCost, Money, Offer, Place, Sentence, Shop, ShopTerms, sentence,
};
use crate::vault::VaultError;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap};

/// A page not read for longer says nothing of delivery any more.
const BELIEVED: SignedDuration = SignedDuration::from_hours(24 * 90);

/// What every view is computed with.
#[derive(Clone, Debug)]
pub struct Market {
    home: Currency,
    rates: Vec<FxRate>,
    prior: DeliveryPrior,
    shops: BTreeMap<String, Shop>,
    terms: BTreeMap<String, ShopTerms>,
    /// What the pages of shops say of delivery: the fee, and from where on it is free.
    said: BTreeMap<String, (Option<Money>, Option<Money>)>,
    places: BTreeMap<String, Place>,
    per_km: Money,
    per_km_assumed: bool,
    tuned: HashMap<Id, Vec<TradeOff>>,
    habit: Habit,
    now: Timestamp,
    today: Date,
    locale: Locale,
}

impl Market {
    /// Reads shops and rates once for many wants.
    ///
    /// # Errors
    /// As the vault.
    pub fn load(store: &Store, config: &Config, now: Timestamp) -> Result<Self, VaultError> {
        let mut rates = Vec::new();
        let mut add = |code: &str, rate, day: Date, source: &str| {
            if let Ok(currency) = code.parse::<Currency>() {
                rates.push(FxRate {
                    base: Currency::EUR,
                    quote: currency,
                    rate,
                    day,
                    source: source.to_owned(),
                });
            }
        };
        if let Some(day) = config.fx.date {
            for (code, rate) in &config.fx.rates {
                add(code, *rate, day, "your configuration");
            }
        }
        if let Some(read) = store.rates()? {
            for (code, rate) in &read.rates {
                if !config.fx.rates.contains_key(code) {
                    add(code, *rate, read.date, "European Central Bank");
                }
            }
        }
        let [low, mode, high] = config.delivery.unknown;
        let home = config.person.currency;
        let shops = store
            .shops()?
            .into_iter()
            .map(|s| (s.domain.clone(), s))
            .collect();
        let today = now.to_zoned(config.time_zone()).date();
        let prior = DeliveryPrior {
            low,
            mode,
            high,
            currency: home,
        };
        Ok(Self {
            home,
            rates,
            prior,
            shops,
            terms: store.all_terms()?,
            said: store
                .said_delivery(now - BELIEVED)
                .into_iter()
                .map(|(shop, said)| (shop, terms::agreed(&said)))
                .collect(),
            places: config.places.clone(),
            per_km: Money::new(config.travel.per_km, home),
            per_km_assumed: config.travel == Travel::default(),
            tuned: store.trade_offs()?,
            habit: life::habit(config),
            now,
            today,
            locale: Locale::default(),
        })
    }

    /// The same for a reader of a locale. Without one, words are for documents.
    #[must_use]
    pub fn for_reader(self, locale: Locale) -> Self {
        Self { locale, ..self }
    }

    /// A sentence as its reader writes amounts and days.
    pub fn say(&self, sentence: impl Into<Sentence>) -> String {
        self.locale.say(&sentence.into())
    }

    /// The person's currency.
    #[must_use]
    pub const fn home(&self) -> Currency {
        self.home
    }

    /// The time it was loaded.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The person's day.
    #[must_use]
    pub const fn today(&self) -> Date {
        self.today
    }

    /// The shops that are followed.
    pub fn shops(&self) -> impl Iterator<Item = &Shop> {
        self.shops.values()
    }

    /// A shop, if it is followed.
    #[must_use]
    pub fn shop(&self, domain: &str) -> Option<&Shop> {
        self.shops.get(domain)
    }

    /// How the person's wishes ripen and fade.
    #[must_use]
    pub const fn habit(&self) -> &Habit {
        &self.habit
    }

    /// The trade-offs of a want's preferences: what was answered, else the stated worth
    /// give or take a factor. Answers to a worth that was changed since do not count.
    #[must_use]
    pub fn trade_offs(&self, want: &Want) -> Vec<TradeOff> {
        let known = self.tuned.get(&want.id).map_or(&[][..], Vec::as_slice);
        let spread = Decimal::TWO;
        want.prefer
            .iter()
            .filter_map(|p| {
                let id = p.requirement.to_string();
                let tuned = known.iter().find(|t| t.id == id && t.stated == p.worth);
                tuned
                    .cloned()
                    .or_else(|| TradeOff::new(id, p.worth, spread))
            })
            .collect()
    }

    /// What one delivery costs where nobody says: expected and at the most.
    #[must_use]
    pub fn unknown_delivery(&self) -> (Money, Money) {
        let silent = Offer {
            price: Some(Money::new(Decimal::ONE, self.home)),
            ..Offer::default()
        };
        let cost = self.landed(&silent, "", 1, &[]);
        let of = |cost: &LandedCost| {
            let term = cost.terms.iter().find(|t| t.kind == TermKind::Delivery)?;
            Some((term.mid, term.high))
        };
        let (mid, high) = cost.ok().and_then(|c| of(&c)).unwrap_or_default();
        (Money::new(mid, self.home), Money::new(high, self.home))
    }

    /// All the person pays for `quantity` pieces of an offer for a want, with the coupons
    /// of the shop where they pay.
    ///
    /// # Errors
    /// [`LandedError`] where an honest number is impossible.
    pub fn landed_for(
        &self,
        want: Id,
        offer: &Offer,
        shop: &str,
        quantity: u32,
    ) -> Result<LandedCost, LandedError> {
        let plain = self.landed(offer, shop, quantity, &[])?;
        let order = offer.price.and_then(|p| p.times(quantity.max(1)));
        let order = order.and_then(|order| self.home_price(&order));
        let coupons = order.map_or_else(Vec::new, |order| self.coupons(want, shop, order));
        if coupons.is_empty() {
            return Ok(plain);
        }
        // What is left may be too little for free delivery.
        let less = self.landed(offer, shop, quantity, &coupons)?;
        let pays = less.mid().amount < plain.mid().amount;
        Ok(if pays { less } else { plain })
    }

    /// All the person pays for `quantity` pieces of an offer, less what coupons take off.
    ///
    /// # Errors
    /// [`LandedError`] where an honest number is impossible.
    pub fn landed(
        &self,
        offer: &Offer,
        shop: &str,
        quantity: u32,
        coupons: &[(&Coupon, Money)],
    ) -> Result<LandedCost, LandedError> {
        let mut delivery = self.delivery(shop);
        let mut offer = offer.clone();
        let mut off = coupons.iter().map(|(_, off)| off.amount).sum();
        if let Some(terms) = self.terms.get(shop) {
            if terms.before_coupons {
                off = Decimal::ZERO;
            }
            self.as_noted(terms, shop, quantity, off, &mut offer, &mut delivery);
        }
        let offer = &offer;
        let mut context = LandedContext::new(self.home, &self.rates, &self.prior, self.today);
        context.quantity = quantity.max(1);
        context.fee_source = delivery.fee_by.words();
        context.free_source = delivery.free_by.words();
        let deposit = offer.deposit.map(|d| Adjustment {
            kind: TermKind::Deposit,
            amount: Amount::PerPiece(d),
            certainty: Certainty::Known,
            source: sentence!("deposit of ", d),
        });
        let coupons = coupons.iter().map(|(coupon, off)| Adjustment {
            kind: TermKind::Coupon,
            amount: Amount::PerOrder(*off),
            certainty: Certainty::Assumed,
            source: sentence!("coupon ", &coupon.code),
        });
        let adjustments: Vec<Adjustment> = deposit.into_iter().chain(coupons).collect();
        context.adjustments = &adjustments;
        context.off_order = off;
        landed(offer, &delivery.rule, &context)
    }

    /// A price in the person's currency, without delivery; `None` without a rate.
    #[must_use]
    pub fn home_price(&self, price: &Money) -> Option<Money> {
        if price.currency == self.home {
            return Some(*price);
        }
        if price.amount.is_zero() {
            return Some(Money::zero(self.home));
        }
        let offer = Offer {
            price: Some(*price),
            ..Offer::default()
        };
        self.goods(&offer).ok().map(|l| l.mid().rounded())
    }

    /// An amount in cents of the person's currency, rounded half up; `None` without a rate,
    /// and where no basket can count it.
    #[must_use]
    pub fn cents(&self, money: &Money) -> Option<Cents> {
        let home = self.home_price(money)?.to_minor().ok();
        home.filter(|c| (0..=MAX_CENTS).contains(c))
    }

    /// All the person pays for one piece of an offer but its delivery.
    ///
    /// # Errors
    /// [`LandedError`] where an honest number is impossible.
    pub fn goods(&self, offer: &Offer) -> Result<LandedCost, LandedError> {
        let fetched = Offer {
            shipping: Some(Shipping {
                cost: offer.price.map(|p| Money::zero(p.currency)),
                ..Shipping::default()
            }),
            ..offer.clone()
        };
        self.landed(&fetched, "", 1, &[])
    }
}
