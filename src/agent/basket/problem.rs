//! Wants, offers and delivery rules as an instance in whole cents of the person's currency.

use super::terms::{Terms, is_reachable};
use super::{coupons, not_bought};
use crate::agent::api::types::{NotBought, TryCoupon};
use crate::agent::packs;
use crate::agent::view::{Buyable, Market};
use crate::engine::basket::{
    Basis, Cents, Household, Item, MAX_CENTS, MAX_UNITS, Mode, Offer, Purchase, Shop, Step, explain,
};
use crate::engine::quantity::{self, Unit};
use crate::model::terms::NotedOffer;
use crate::model::want::{Want, WantKind};
use crate::model::{Id, Money, Offer as Asked, Place, Sentence, sentence};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::{BTreeMap, BTreeSet};

/// Offers of one want looked at: the best ranked.
const MAX_OFFERS: usize = 200;
/// Ways to buy one want at one shop.
const MAX_WAYS: i64 = 10_000;
/// The finest division of a piece into common units of its packs.
const FINEST: i64 = 10_000;
/// The finest division tried where packs are counted for a little less than they hold.
const FINEST_TRIED: i64 = 1_000;
/// The share of a pack, one in so many, that may go uncounted then.
const UNCOUNTED: i128 = 100;
/// The share of a limit, one in so many, that may be lost where units bear whole cents.
const LOST: Cents = 20;
/// The heaviest thing whose weight is believed.
const MAX_GRAMS: i64 = 1_000_000;

/// A want with the offers that answer it.
pub struct Entry {
    pub want: Want,
    pub offers: Vec<Buyable>,
}

/// What stands behind an offer of the problem.
enum Source {
    /// An offer of an entry.
    Listed { entry: usize, at: usize },
    /// A price the person noted.
    Noted(NotedOffer),
}

/// The problem and how its parts are called outside.
pub struct Problem {
    pub entries: Vec<Entry>,
    pub household: Household,
    /// What the person should know: coupons that do not count, and the like.
    pub notes: Vec<String>,
    /// The codes of the household's coupons.
    pub codes: Vec<String>,
    terms: Vec<Terms>,
    /// Units of each entry's item that make one piece wanted.
    per_piece: Vec<i64>,
    /// For each offer of the household: what stands behind it, …
    sources: Vec<Source>,
    /// … its prices at the worst, and whether its weight is known.
    worst: Vec<(Vec<Step>, bool)>,
}

/// What an offer of the problem is to the person.
pub struct Named<'a> {
    /// The entries it answers, and the units of each in it.
    pub covers: &'a [(usize, i64)],
    /// Its id outside.
    pub id: String,
    /// Its name in the shop.
    pub title: Option<String>,
    /// Where it is sold.
    pub url: Option<String>,
}

impl Problem {
    /// Builds the problem. Wants without a usable price go to `nobody`.
    pub fn new(
        market: &Market,
        entries: Vec<Entry>,
        start: Option<Place>,
        tried: &[TryCoupon],
        nobody: &mut Vec<NotBought>,
    ) -> Self {
        let mut problem = Self {
            entries: Vec::new(),
            household: Household::default(),
            notes: Vec::new(),
            codes: Vec::new(),
            terms: Vec::new(),
            per_piece: Vec::new(),
            sources: Vec::new(),
            worst: Vec::new(),
        };
        for mut entry in entries {
            entry.offers.truncate(MAX_OFFERS);
            let prices: Vec<_> = entry
                .offers
                .iter()
                .map(|o| goods(market, &o.offer))
                .collect();
            let because = if i64::from(entry.want.quantity) > MAX_UNITS {
                Some(format!(
                    "no list holds more than {MAX_UNITS} pieces of a thing"
                ))
            } else if prices.iter().all(Option::is_none) && !is_noted(market, entry.want.id, start)
            {
                Some("no offer has a usable price".to_owned())
            } else {
                None
            };
            if let Some(because) = because {
                nobody.push(not_bought(market, &entry.want, because.into()));
                continue;
            }
            problem.add(market, entry, &prices);
        }
        for (shop, offer) in market.noted() {
            if is_reachable(market, shop, start) {
                problem.add_noted(market, shop, offer);
            }
        }
        problem.add_terms(market, start);
        let wants: Vec<&Want> = problem.entries.iter().map(|e| &e.want).collect();
        let (codes, notes) = coupons::add(market, &mut problem.household, &wants, tried);
        problem.codes = codes;
        problem.notes.extend(notes);
        problem
    }

    /// Whether the way to any of the shops is known.
    pub fn has_trips(&self) -> bool {
        self.terms.iter().any(|t| t.trip.is_some())
    }

    fn add(&mut self, market: &Market, entry: Entry, prices: &[Option<(Cents, Cents)>]) {
        let index = self.entries.len();
        // A wish is worth at most its limit; what is to be bought is bought.
        let limit = entry
            .want
            .limit
            .filter(|_| entry.want.kind == WantKind::Wish)
            .and_then(|limit| market.cents(&limit));
        let (per_piece, units) = in_units(&entry.want, &entry.offers, limit);
        let wanted = i64::from(entry.want.quantity) * per_piece;
        let few = few(&entry.offers, prices, &units, wanted);
        for (at, (offer, price)) in entry.offers.iter().zip(prices).enumerate() {
            let Some((price, worst)) = price.filter(|_| few.contains(&at)) else {
                continue;
            };
            let step = |amount| vec![Step { from: 1, amount }];
            self.push(
                &offer.shop,
                Source::Listed { entry: index, at },
                Offer {
                    // One page may answer two wants of the list.
                    id: format!("{index}:{}", offer.id),
                    shop: 0,
                    covers: vec![(index, units[at])],
                    breaks: step(price),
                    max_qty: packs_for(wanted, units[at]),
                    weight_g: 0,
                    disutility: 0,
                },
                step(worst),
                offer.offer.name.as_deref().unwrap_or(&entry.want.name),
            );
        }
        self.household.items.push(Item {
            id: entry.want.id.to_string(),
            qty: wanted,
            unmet_penalty: limit.map(|limit| limit / per_piece),
        });
        self.per_piece.push(per_piece);
        self.entries.push(entry);
    }

    /// Adds a price the person noted, for those of its wants that are on the list.
    fn add_noted(&mut self, market: &Market, shop: &str, noted: &NotedOffer) {
        let covers: Vec<(usize, i64)> = noted
            .covers
            .iter()
            .filter_map(|(want, pieces)| {
                let index = self.entries.iter().position(|e| e.want.id == *want)?;
                let units = i64::from(*pieces) * self.per_piece[index];
                (1..=FINEST).contains(&units).then_some((index, units))
            })
            .collect();
        let priced = |money: Money| {
            let offer = Asked {
                price: Some(money),
                ..Asked::default()
            };
            goods(market, &offer)
        };
        let first = (1, noted.price);
        let later = noted.breaks.iter().map(|b| (i64::from(b.from), b.price));
        let steps: Option<Vec<_>> = [first]
            .into_iter()
            .chain(later)
            .map(|(from, price)| Some((from, priced(price)?)))
            .collect();
        let Some(steps) = steps.filter(|_| !covers.is_empty()) else {
            return;
        };
        let useful = covers
            .iter()
            .map(|(item, units)| packs_for(self.household.items[*item].qty, *units));
        let enough = useful.chain(steps.iter().map(|s| s.0)).max().unwrap_or(1);
        let step = |(from, amount)| Step { from, amount };
        let offer = Offer {
            id: noted.id.to_string(),
            shop: 0,
            covers,
            breaks: steps.iter().map(|s| step((s.0, s.1.0))).collect(),
            max_qty: enough.min(noted.most.map_or(i64::MAX, i64::from)),
            weight_g: 0,
            disutility: 0,
        };
        let worst = steps.iter().map(|s| step((s.0, s.1.1))).collect();
        self.push(
            shop,
            Source::Noted(noted.clone()),
            offer,
            worst,
            &noted.name,
        );
    }

    fn push(&mut self, shop: &str, source: Source, offer: Offer, worst: Vec<Step>, title: &str) {
        let weight = grams(title);
        let shop = self.shop(shop);
        self.household.offers.push(Offer {
            shop,
            weight_g: weight.unwrap_or(0),
            ..offer
        });
        self.sources.push(source);
        self.worst.push((worst, weight.is_some()));
    }

    fn shop(&mut self, domain: &str) -> usize {
        let shops = &mut self.household.shops;
        shops
            .iter()
            .position(|s| s.id == domain)
            .unwrap_or_else(|| {
                shops.push(Shop {
                    id: domain.to_owned(),
                    tiers: Vec::new(),
                    basis: Basis::AfterCoupons,
                    weight_tiers: Vec::new(),
                    pickup: None,
                    min_order: 0,
                });
                shops.len() - 1
            })
    }

    fn add_terms(&mut self, market: &Market, start: Option<Place>) {
        let mut asked: Vec<Vec<&Asked>> = vec![Vec::new(); self.household.shops.len()];
        for (offer, source) in self.household.offers.iter().zip(&self.sources) {
            if let Source::Listed { entry, at } = source {
                asked[offer.shop].push(&self.entries[*entry].offers[*at].offer);
            }
        }
        for (shop, asked) in self.household.shops.iter_mut().zip(&asked) {
            let terms = Terms::new(market, &shop.id, asked, start);
            terms.apply(shop);
            self.terms.push(terms);
        }
    }

    /// What a shop of the problem takes.
    pub fn terms(&self, shop: &str) -> &Terms {
        let at = self.terms.iter().position(|t| t.shop == shop);
        &self.terms[at.expect("invariant: carts name shops of the problem")]
    }

    /// What an offer of the household is to the person.
    pub fn offer(&self, id: &str) -> Option<Named<'_>> {
        let at = self.household.offers.iter().position(|o| o.id == id)?;
        let covers = &self.household.offers[at].covers;
        Some(match &self.sources[at] {
            Source::Listed { entry, at } => {
                let offer = &self.entries[*entry].offers[*at];
                Named {
                    covers,
                    id: offer.id.clone(),
                    title: offer.offer.name.clone(),
                    url: Some(offer.url.clone()),
                }
            }
            Source::Noted(noted) => Named {
                covers,
                id: noted.id.short(),
                title: Some(noted.name.clone()),
                url: noted.url.clone(),
            },
        })
    }

    /// Units that make one piece wanted.
    pub fn units_per_piece(&self, entry: usize) -> i64 {
        self.per_piece[entry]
    }

    /// The want behind an item of the household.
    pub fn want_of(&self, item: &str) -> Option<&Want> {
        let at = self.household.items.iter().position(|i| i.id == item)?;
        Some(&self.entries[at].want)
    }

    /// The code of a coupon of the household.
    pub fn code(&self, coupon: &str) -> &str {
        let at = self.household.coupons.iter().position(|c| c.id == coupon);
        at.and_then(|at| self.codes.get(at)).map_or("", |c| c)
    }

    /// Whether a coupon counts for everything in its shop.
    pub fn is_for_all(&self, coupon: &str) -> bool {
        let mut coupons = self.household.coupons.iter();
        coupons.any(|c| c.id == coupon && c.offers.is_none())
    }

    /// The same problem with everything unknown at its worst.
    pub fn worst(&self) -> Household {
        let mut h = self.household.clone();
        for (shop, terms) in h.shops.iter_mut().zip(&self.terms) {
            terms.apply_worst(shop);
        }
        for (offer, (worst, weighed)) in h.offers.iter_mut().zip(&self.worst) {
            offer.breaks.clone_from(worst);
            if let (Some(heaviest), false) = (self.terms[offer.shop].heaviest(), weighed) {
                offer.weight_g = heaviest;
            }
        }
        h
    }

    /// What is unknown in a plan, a line each.
    pub fn unknowns(&self, market: &Market, purchase: &Purchase) -> Vec<String> {
        let money = |cents| Money::from_minor(cents, market.home());
        let mut lines = Vec::new();
        let worst = explain::carts(&self.worst(), purchase);
        for (cart, worst) in explain::carts(&self.household, purchase).iter().zip(worst) {
            let shop = &cart.shop;
            if worst.fee > cart.fee {
                lines.push(market.say(sentence!(
                    "delivery at ",
                    shop,
                    " may cost ",
                    money(worst.fee),
                    " instead of ",
                    money(cart.fee)
                )));
            }
            if worst.goods > cart.goods {
                lines.push(market.say(sentence!(
                    "the goods at ",
                    shop,
                    " may cost ",
                    money(worst.goods - cart.goods),
                    " more: the exchange rate moves"
                )));
            }
        }
        lines
    }

    /// Wishes that a plan does not buy in full.
    pub fn left_out(&self, market: &Market, purchase: &Purchase) -> Vec<NotBought> {
        let mut covered = vec![0_i64; self.entries.len()];
        for offer in &self.household.offers {
            let quantity = purchase.buy.get(&offer.id).copied().unwrap_or(0);
            for (entry, units) in &offer.covers {
                covered[*entry] += units * quantity;
            }
        }
        let short = |i: &usize| covered[*i] < self.household.items[*i].qty;
        (0..self.entries.len())
            .filter(short)
            .map(|i| {
                let want = &self.entries[i].want;
                let limits = &self.household.limits;
                let mut reason = match (limits.budget, limits.max_shops) {
                    (None, None) => Sentence::default(),
                    (Some(_), None) => "it does not fit the budget, or ".into(),
                    (None, Some(_)) => "it does not fit the number of shops, or ".into(),
                    (Some(_), Some(_)) => {
                        "it does not fit the budget or the number of shops, or ".into()
                    }
                };
                reason.push("it would add more than your limit");
                if let Some(limit) = want.limit {
                    reason.push(sentence!(" of ", limit));
                }
                reason.push(" each");
                not_bought(market, want, reason)
            })
            .collect()
    }

    /// Everything by itself from the shop with the lowest price for it, whatever delivery
    /// adds.
    pub fn cheapest_each(&self) -> Option<Purchase> {
        let mut purchase = Purchase::default();
        for (index, item) in self.household.items.iter().enumerate() {
            let alone = |o: &&Offer| o.covers.len() == 1 && o.covers[0].0 == index;
            let (cost, id, quantity, shop) = self
                .household
                .offers
                .iter()
                .filter(alone)
                .filter_map(|offer| {
                    let quantity = packs_for(item.qty, offer.covers[0].1);
                    Some((offer.price_of(quantity)?, &offer.id, quantity, offer.shop))
                })
                .min()?;
            let worth = item
                .unmet_penalty
                .is_none_or(|p| cost <= p.saturating_mul(item.qty));
            if worth {
                purchase.buy.insert(id.clone(), quantity);
                if self.terms[shop].fetch_only {
                    let shop = self.terms[shop].shop.clone();
                    purchase.mode.insert(shop, Mode::Pickup);
                }
            }
        }
        Some(purchase)
    }

    /// What the shop with the most of the list does not have.
    pub fn missing_at_best_shop(&self) -> Vec<String> {
        let missing = |shop: usize| -> Vec<String> {
            let has = |entry: usize| {
                let mut offers = self.household.offers.iter();
                offers.any(|o| o.shop == shop && o.covers.iter().any(|c| c.0 == entry))
            };
            let names = self.entries.iter().enumerate();
            names
                .filter(|(entry, _)| !has(*entry))
                .map(|(_, e)| e.want.name.clone())
                .collect()
        };
        (0..self.household.shops.len())
            .map(missing)
            .min_by_key(Vec::len)
            .unwrap_or_default()
    }
}

/// Whether the person noted a usable price for a want.
pub fn is_noted(market: &Market, want: Id, start: Option<Place>) -> bool {
    market.noted().any(|(shop, offer)| {
        offer.covers.iter().any(|c| c.0 == want)
            && market.home_price(&offer.price).is_some()
            && is_reachable(market, shop, start)
    })
}

/// Grams of one, from its title; a litre is taken for a kilogram.
fn grams(title: &str) -> Option<i64> {
    let quantity = quantity::parse(title)?;
    let weighs = matches!(quantity.unit, Unit::Gram | Unit::Millilitre);
    let grams = quantity.amount.round().to_i64().filter(|_| weighs)?;
    (0..=MAX_GRAMS).contains(&grams).then_some(grams)
}

/// One piece of an offer without delivery, in cents: expected and at the worst.
pub fn goods(market: &Market, offer: &Asked) -> Option<(Cents, Cents)> {
    let cost = market.goods(offer).ok()?;
    let (mid, high) = (cost.mid().to_minor().ok()?, cost.high().to_minor().ok()?);
    (0 < mid && mid <= high && high <= MAX_CENTS).then_some((mid, high))
}

/// How many common units make one piece wanted, and how many each offer holds. Where the
/// want or the title says no amount, one offer is one piece.
///
/// A `limit` in cents for one piece is spread over its units: where too much of it would be
/// lost to whole cents, or there would be more units than the solver takes, packs are
/// counted in coarser ones, each for no more than it holds.
fn in_units(want: &Want, offers: &[Buyable], limit: Option<Cents>) -> (i64, Vec<i64>) {
    let one_each = (1, vec![1; offers.len()]);
    let whole = |amount: Decimal| {
        let rounded = amount.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        rounded.to_i64().filter(|n| *n > 0)
    };
    let Some(wanted) = packs::wanted(want) else {
        return one_each;
    };
    let amount = |offer: &Buyable| packs::held(want, &wanted, &offer.offer);
    let piece = whole(wanted.amount);
    let held: Option<Vec<i64>> = offers
        .iter()
        .map(|o| amount(o).map_or(piece, whole))
        .collect();
    let (Some(piece), Some(held)) = (piece, held) else {
        return one_each;
    };
    let unit = held.iter().fold(piece, |a, b| gcd(a, *b));
    let most = FINEST.min(MAX_UNITS / i64::from(want.quantity.max(1)));
    let is_borne = |units: i64| limit.is_none_or(|limit| limit % units <= limit / LOST);
    let fits = piece / unit <= most && held.iter().all(|n| n / unit <= FINEST);
    let exact = || (piece / unit, held.iter().map(|n| n / unit).collect());
    if fits && is_borne(piece / unit) {
        return exact();
    }
    let coarser = (1..=most.min(FINEST_TRIED))
        .filter(|units| is_borne(*units))
        .find_map(|units| Some((units, counted(&held, units, piece)?)));
    match coarser {
        Some(coarser) => coarser,
        None if fits => exact(),
        None => one_each,
    }
}

/// How many of the `units` that make a `piece` each pack holds, rounded down; `None` where
/// that leaves out too much.
fn counted(held: &[i64], units: i64, piece: i64) -> Option<Vec<i64>> {
    let of = |held: &i64| {
        let (all, piece) = (i128::from(*held) * i128::from(units), i128::from(piece));
        let count = i64::try_from(all / piece).ok()?;
        let nearly = (all % piece) * UNCOUNTED <= all;
        ((1..=FINEST).contains(&count) && nearly).then_some(count)
    };
    held.iter().map(of).collect()
}

/// The offers to look at, by index: of each shop the cheapest ones a unit, so many that the
/// ways to combine them stay few.
fn few(
    offers: &[Buyable],
    prices: &[Option<(Cents, Cents)>],
    units: &[i64],
    wanted: i64,
) -> BTreeSet<usize> {
    let mut by_shop: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, offer) in offers.iter().enumerate() {
        by_shop.entry(&offer.shop).or_default().push(at);
    }
    let mut few = BTreeSet::new();
    for mut here in by_shop.into_values() {
        let price = |at: &usize| prices[*at].map_or(i128::MAX, |p| i128::from(p.0) * 1_000_000);
        here.sort_by_key(|at| (price(at) / i128::from(units[*at]), *at));
        let smallest = here.iter().map(|at| units[*at]).min().unwrap_or(1);
        here.truncate(most_offers(packs_for(wanted, smallest)));
        few.extend(here);
    }
    few
}

/// How many offers can be combined to `packs` packs in at most [`MAX_WAYS`] ways: with n of
/// them there are at most `packs + n` over `n`.
fn most_offers(packs: i64) -> usize {
    let mut ways: i64 = 1;
    let fits = |n: &i64| {
        ways = ways.saturating_mul(packs.saturating_add(*n)) / n;
        ways <= MAX_WAYS
    };
    (1..=MAX_OFFERS as i64).take_while(fits).count().max(1)
}

/// How many packs of `units` it takes to have `wanted`.
const fn packs_for(wanted: i64, units: i64) -> i64 {
    (wanted + units - 1) / units
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn offer(name: &str) -> Buyable {
        Buyable {
            id: name.to_owned(),
            shop: "shop.example".to_owned(),
            url: String::new(),
            offer: Asked {
                name: Some(name.to_owned()),
                ..Asked::default()
            },
        }
    }

    fn packs_of(want: &str, titles: &[&str]) -> (i64, Vec<i64>) {
        let offers: Vec<Buyable> = titles.iter().map(|t| offer(t)).collect();
        in_units(&Want::new(want, Timestamp::UNIX_EPOCH), &offers, None)
    }

    #[test]
    fn odd_packs_neither_eat_up_a_limit_nor_outgrow_the_solver() {
        let of = |want: &str, quantity, title: &str, limit| {
            let want = Want {
                quantity,
                ..Want::new(want, Timestamp::UNIX_EPOCH)
            };
            in_units(&want, &[offer(title)], limit)
        };
        let pound = "beans 907 g";
        assert_eq!(of("coffee 1 kg", 1, pound, None), (1000, vec![907]));
        assert_eq!(of("coffee 1 kg", 1, pound, Some(1_500)), (10, vec![9]));
        assert_eq!(of("coffee 1 kg", 1, pound, Some(200)), (10, vec![9]));
        assert_eq!(
            of("coffee 1 kg", 1, "beans 500 g", Some(1_499)),
            (2, vec![1])
        );
        // Thirty times ten thousand grams are more units than the solver takes.
        assert_eq!(of("rice 10 kg", 1, "rice 997 g", None), (10_000, vec![997]));
        let (piece, held) = of("rice 10 kg", 30, "rice 997 g", None);
        assert!(30 * piece <= MAX_UNITS, "{piece} units a piece");
        assert!(held[0] * 10_000 <= 997 * piece && held[0] * 10_000 * 99 >= 996 * 98 * piece);
    }

    #[test]
    fn as_many_offers_as_can_be_combined() {
        assert_eq!(most_offers(1), MAX_OFFERS, "one piece: one way an offer");
        assert_eq!(most_offers(12), 5, "17 over 5 is 6188, 18 over 6 is 18564");
        assert_eq!(most_offers(1_000_000), 1);
        let offers = [offer("a"), offer("b"), offer("c")];
        let prices = [Some((900, 900)), Some((500, 500)), None];
        let few = few(&offers, &prices, &[2, 1, 1], 1_000_000);
        assert_eq!(few, BTreeSet::from([0]), "450 a unit");
    }

    #[test]
    fn packs_are_counted_in_their_common_unit() {
        assert_eq!(
            packs_of(
                "coffee 1 kg",
                &["beans 500 g", "beans 1 kg", "beans 2 x 1 kg", "beans"]
            ),
            (2, vec![1, 2, 4, 2])
        );
        assert_eq!(
            packs_of("milk 1 l", &["milk 0.98 l", "milk 1000 g"]),
            (1, vec![1, 1])
        );
        assert_eq!(packs_of("drill", &["drill 2 kg"]), (1, vec![1]));
    }
}
