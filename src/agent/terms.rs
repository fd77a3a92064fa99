//! What the person tells of shops: delivery, the way there, coupons, prices noted by hand.
//! Everything is checked here, once, when it comes in.

use super::api::ApiError;
use super::api::types::{
    EditTerms, KnownCoupon, NewCoupon, NewPrice, NotedPrice, Pieces, TermsView, TripView, TryCoupon,
};
use super::store::Store;
use super::view::Market;
use crate::engine::basket::MAX_CENTS;
use crate::market::{links, shop as address};
use crate::model::terms::{Coupon, NotedOffer, ShopTerms};
use crate::model::want::Want;
use crate::model::{Currency, Id, Money, Shop, sentence, text};
use rust_decimal::Decimal;

/// Tiers, surcharges or breaks of one thing.
const MAX_STEPS: usize = 20;
/// Coupons of one shop.
const MAX_COUPONS: usize = 20;
/// Noted prices of one shop.
const MAX_PRICES: usize = 500;
/// Wants in one offer or in the scope of one coupon.
const MAX_WANTS: usize = 50;
/// The most pieces in a pack.
const MAX_PIECES: u32 = 10_000;

/// The terms after a change.
///
/// # Errors
/// Amounts of another currency than the shop's, too many steps, or as the vault.
pub fn edited(store: &Store, shop: &Shop, edit: &EditTerms) -> Result<ShopTerms, ApiError> {
    let old = store.terms(&shop.domain)?;
    let mut terms = if edit.forget {
        ShopTerms {
            coupons: old.coupons,
            offers: old.offers,
            ..ShopTerms::default()
        }
    } else {
        old
    };
    terms.fee = edit.fee.or(terms.fee);
    terms.free_from = edit.free_from.or(terms.free_from);
    terms.min_order = edit.min_order.or(terms.min_order);
    terms.travel = edit.travel.or(terms.travel);
    terms.pickup_fee = edit.pickup_fee.or(terms.pickup_fee);
    terms.place = edit.place.or(terms.place);
    terms.before_coupons = edit.before_coupons.unwrap_or(terms.before_coupons);
    terms.fetch_only = edit.fetch_only.unwrap_or(terms.fetch_only);
    if !edit.tiers.is_empty() {
        terms.tiers.clone_from(&edit.tiers);
        terms.tiers.sort_by_key(|t| t.from.amount);
    }
    if !edit.surcharges.is_empty() {
        terms.surcharges.clone_from(&edit.surcharges);
        terms.surcharges.sort_by_key(|s| s.over_g);
    }
    if terms.tiers.len() > MAX_STEPS || terms.surcharges.len() > MAX_STEPS {
        return Err(ApiError::invalid(format!("at most {MAX_STEPS} steps"))
            .hint("keep those that your orders reach"));
    }
    if terms.amounts().any(|m| m.amount.is_sign_negative()) {
        return Err(ApiError::invalid("an amount must not be negative"));
    }
    // The trip is the person's own cost: it may be in their currency.
    let of_shop = ShopTerms {
        travel: None,
        ..terms.clone()
    };
    let amounts: Vec<Money> = of_shop.amounts().collect();
    check_currency(store, shop, "the amounts are", &amounts)?;
    if terms.fetch_only && terms.place.is_none() && terms.travel.is_none() {
        return Err(
            ApiError::invalid("what must be fetched needs a way there").hint(
                "give --place LAT,LON, or --travel MONEY for what the way there and back costs",
            ),
        );
    }
    Ok(terms)
}

/// The terms with one coupon more; one of the same code is replaced.
///
/// # Errors
/// Amounts of another currency than the shop's, a day that is past, unknown wants, or as
/// the vault.
pub fn with_coupon(
    store: &Store,
    market: &Market,
    shop: &Shop,
    new: &NewCoupon,
    find: impl Fn(&str) -> Result<Want, ApiError>,
) -> Result<ShopTerms, ApiError> {
    let mut terms = store.terms(&shop.domain)?;
    let code = text::clean(new.code.trim(), 60);
    if code.is_empty() {
        return Err(ApiError::invalid("a coupon has a code")
            .hint("write `emptor shop coupon add SHOP CODE GIVES`"));
    }
    if new.wants.len() > MAX_WANTS {
        return Err(ApiError::invalid(format!("at most {MAX_WANTS} wants")));
    }
    let mut wants: Vec<Id> = Vec::new();
    for want in &new.wants {
        wants.push(find(want)?.id);
    }
    let coupon = Coupon {
        code,
        gives: new.gives,
        min_spend: new.min_spend,
        cap: new.cap,
        wants,
        group: new.group.as_ref().map(|g| text::clean(g.trim(), 60)),
        until: new.until,
    };
    if coupon.is_expired(market.today()) {
        return Err(
            ApiError::invalid(format!("coupon {} has expired already", coupon.code))
                .hint("--until is the last day it is good for"),
        );
    }
    check_coupon(store, shop, &coupon)?;
    terms.coupons.retain(|c| c.code != coupon.code);
    terms.coupons.push(coupon);
    if terms.coupons.len() > MAX_COUPONS {
        return Err(
            ApiError::invalid(format!("at most {MAX_COUPONS} coupons a shop"))
                .hint("remove old ones with `emptor shop coupon rm`"),
        );
    }
    Ok(terms)
}

/// Refuses a coupon to try that no shop here would take.
///
/// # Errors
/// An unknown shop, or amounts of another currency than the shop's.
pub fn check_tried(store: &Store, market: &Market, tried: &TryCoupon) -> Result<(), ApiError> {
    let shop = store.shop(&tried.shop)?.ok_or_else(|| {
        ApiError::not_found(format!("`{}` is not a followed shop", tried.shop))
            .hint("write --coupon 'SHOP 10%'; see `emptor shop list`")
    })?;
    let coupon = Coupon {
        code: "tried".to_owned(),
        gives: tried.gives,
        min_spend: tried.min_spend,
        cap: tried.cap,
        wants: Vec::new(),
        group: None,
        until: Some(market.today()),
    };
    check_coupon(store, &shop, &coupon)
}

fn check_coupon(store: &Store, shop: &Shop, coupon: &Coupon) -> Result<(), ApiError> {
    let amounts: Vec<Money> = coupon.amounts().collect();
    if amounts.iter().any(|m| m.amount.is_sign_negative()) {
        return Err(ApiError::invalid("an amount must not be negative"));
    }
    check_currency(store, shop, "the coupon is", &amounts)
}

/// The terms with one noted price more.
///
/// # Errors
/// Amounts of another currency than the shop's, numbers that make no sense, unknown wants,
/// or as the vault.
pub fn with_price(
    store: &Store,
    market: &Market,
    shop: &Shop,
    new: &NewPrice,
    find: impl Fn(&str) -> Result<Want, ApiError>,
) -> Result<(ShopTerms, Id), ApiError> {
    let mut terms = store.terms(&shop.domain)?;
    if new.covers.is_empty() || new.covers.len() > MAX_WANTS {
        return Err(ApiError::invalid(format!("name 1 to {MAX_WANTS} wants")));
    }
    let mut covers: Vec<(Id, u32)> = Vec::new();
    let mut names = Vec::new();
    for part in &new.covers {
        let want = find(&part.want)?;
        if covers.iter().any(|c| c.0 == want.id) {
            return Err(ApiError::invalid(format!("`{}` is named twice", want.name))
                .hint("write WANT:2 for two pieces of it"));
        }
        if !(1..=MAX_PIECES).contains(&part.pieces) {
            return Err(ApiError::invalid(format!(
                "a pack holds 1 to {MAX_PIECES} pieces"
            )));
        }
        covers.push((want.id, part.pieces));
        names.push(want.name);
    }
    let prices = [new.price]
        .into_iter()
        .chain(new.breaks.iter().map(|b| b.price));
    let prices: Vec<Money> = prices.collect();
    if prices.iter().any(|m| m.amount <= Decimal::ZERO) {
        return Err(ApiError::invalid("a price must be above 0")
            .hint("note what one piece or pack costs, as --price '12.50 EUR'"));
    }
    check_currency(store, shop, "the price is", &prices)?;
    let mut breaks = new.breaks.clone();
    breaks.sort_by_key(|b| b.from);
    let twice = breaks.windows(2).any(|w| w[0].from == w[1].from);
    if twice || breaks.len() > MAX_STEPS || breaks.iter().any(|b| b.from > MAX_PIECES) {
        return Err(ApiError::invalid(format!(
            "at most {MAX_STEPS} breaks, each from another number up to {MAX_PIECES}"
        )));
    }
    let mut each = new.price;
    for b in &breaks {
        if b.price.amount >= each.amount {
            let text = sentence!(
                b.price,
                " each from ",
                b.from,
                " on is not less than ",
                each
            );
            return Err(
                ApiError::invalid(text).hint("--from takes what each costs where more are bought")
            );
        }
        each = b.price;
    }
    if new.most == Some(0) {
        return Err(ApiError::invalid("0 pieces cannot be bought"));
    }
    let url = match &new.url {
        Some(url) => {
            let url = address::address(url).map_err(|e| ApiError::invalid(e.to_string()))?;
            Some(links::canonical(&url, &[]).to_string())
        }
        None => None,
    };
    let name = new.name.clone().unwrap_or_else(|| names.join(" + "));
    let noted = NotedOffer {
        id: Id::new(),
        name: text::clean(name.trim(), 300),
        covers,
        price: new.price,
        breaks,
        most: new.most,
        url,
        noted: market.today(),
        until: new.until,
    };
    if noted.is_expired(market.today()) {
        return Err(ApiError::invalid("the price has expired already")
            .hint("--until is the last day it holds"));
    }
    let id = noted.id;
    terms.offers.push(noted);
    if terms.offers.len() > MAX_PRICES {
        return Err(
            ApiError::invalid(format!("at most {MAX_PRICES} noted prices a shop"))
                .hint("remove old ones with `emptor shop price rm`"),
        );
    }
    Ok((terms, id))
}

/// Refuses amounts that no basket can count, of several currencies, or of another than the
/// shop sells in.
///
/// # Errors
/// Which currencies they are; or as the vault.
pub fn check_currency(
    store: &Store,
    shop: &Shop,
    what: &str,
    amounts: &[Money],
) -> Result<(), ApiError> {
    let Some(first) = amounts.first() else {
        return Ok(());
    };
    let is_huge = |m: &&Money| m.to_minor().map_or(true, |minor| minor > MAX_CENTS);
    if let Some(huge) = amounts.iter().find(is_huge) {
        let text = sentence!(what, " ", *huge, ", which nobody pays");
        return Err(ApiError::invalid(text).hint("look whether a digit slipped in"));
    }
    if let Some(other) = amounts.iter().find(|m| m.currency != first.currency) {
        return Err(ApiError::invalid(format!(
            "{what} in {} and in {}: give them in one currency",
            first.currency, other.currency
        )));
    }
    match currency_of(store, shop)? {
        Some(sold) if sold != first.currency => Err(ApiError::invalid(format!(
            "{what} in {}, but {} sells in {sold}",
            first.currency, shop.domain
        ))
        .hint("give the amounts as the shop states them")),
        _ => Ok(()),
    }
}

/// The currency a shop sells in, as far as one is known.
fn currency_of(store: &Store, shop: &Shop) -> Result<Option<Currency>, ApiError> {
    if shop.delivery.currency.is_some() {
        return Ok(shop.delivery.currency);
    }
    let listings = store.listings()?;
    let here = listings.iter().filter(|l| l.shop == shop.domain);
    let mut sold: Vec<Currency> = here
        .filter_map(|l| l.offer.price.map(|p| p.currency))
        .collect();
    sold.sort_unstable();
    sold.dedup();
    Ok(match sold[..] {
        [one] => Some(one),
        _ => None,
    })
}

/// What is known of a shop, for the person.
///
/// # Errors
/// As the vault.
pub fn view(store: &Store, market: &Market, shop: &Shop) -> Result<TermsView, ApiError> {
    let mut terms = store.terms(&shop.domain)?;
    let wants = store.wants()?;
    let pieces = |id: Id, pieces| Pieces {
        want: id.short(),
        name: wants
            .iter()
            .find(|w| w.id == id)
            .map_or_else(|| "something removed".to_owned(), |w| w.name.clone()),
        pieces,
    };
    let today = market.today();
    let coupons = std::mem::take(&mut terms.coupons);
    let offers = std::mem::take(&mut terms.offers);
    let home = market.start(None).ok().flatten();
    Ok(TermsView {
        trip: market.trip(&shop.domain, home).map(|t| TripView {
            cost: t.cost,
            source: market.say(t.source),
        }),
        shop: shop.domain.clone(),
        terms,
        coupons: coupons
            .into_iter()
            .map(|c| KnownCoupon {
                expired: c.is_expired(today),
                wants: c.wants.iter().map(|w| pieces(*w, 1)).collect(),
                code: c.code,
                gives: c.gives,
                min_spend: c.min_spend,
                cap: c.cap,
                group: c.group,
                until: c.until,
            })
            .collect(),
        prices: offers
            .into_iter()
            .map(|o| NotedPrice {
                expired: o.is_expired(today),
                id: o.id.short(),
                covers: o.covers.iter().map(|(w, n)| pieces(*w, *n)).collect(),
                name: o.name,
                price: o.price,
                breaks: o.breaks,
                most: o.most,
                url: o.url,
                noted: o.noted,
                until: o.until,
            })
            .collect(),
    })
}
