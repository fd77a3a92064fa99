//! Purchases and their price guarantees: while one runs, the shop's page is read on, and a
//! lower price is told as money to claim back.

use super::api::ApiError;
use super::api::types::{NewPurchase, PurchaseView};
use super::store::{Listing, Purchase, Store, Zone};
use super::view::Market;
use crate::engine::alert::after::{Guarded, refund};
use crate::market::shop::domain_of;
use crate::model::time::{Date, Timestamp};
use crate::model::want::{Want, WantStatus};
use crate::model::{Alert, AlertRule, Id, Money, Sentence, sentence};
use crate::vault::VaultError;
use rust_decimal::Decimal;
use url::Url;

/// Looks remembered for each purchase.
const KEPT_LOOKS: usize = 50;
/// The longest guarantee, in days.
const MAX_DAYS: u32 = 3650;
/// The least difference worth a claim, in major units of the currency paid in.
const LEAST: Decimal = Decimal::ONE;

/// Makes the record of a purchase. The caller stores it.
///
/// # Errors
/// A price, day or guarantee out of range; or as the vault.
pub fn purchase(
    store: &Store,
    want: &Want,
    new: &NewPurchase,
    today: Date,
) -> Result<Purchase, ApiError> {
    if new.price.amount <= Decimal::ZERO {
        return Err(ApiError::invalid("the price paid must be above 0")
            .hint("give what one piece cost, as --price '12.50 EUR'"));
    }
    let protect_days = new.protect_days.unwrap_or(0);
    if protect_days > MAX_DAYS {
        return Err(
            ApiError::invalid(format!("a guarantee runs at most {MAX_DAYS} days"))
                .hint("--protect-days counts from the day of the purchase"),
        );
    }
    let bought = new.on.unwrap_or(today);
    if bought > today {
        return Err(ApiError::invalid(sentence!(bought, " is still to come"))
            .hint("--on is the day of the purchase; without it, today"));
    }
    let shop = new.shop.trim().to_ascii_lowercase();
    let of_shop = |url: &str| {
        Url::parse(url).ok().and_then(|u| domain_of(&u)).as_deref() == Some(shop.as_str())
    };
    let listings = store.listings_of(want.id)?;
    let offered = listings
        .iter()
        .filter(|l| l.shop == shop && l.zone(want.id) == Some(Zone::Same) && !l.candidate)
        .map(|l| &l.url);
    let mut pages: Vec<String> = offered
        .chain(want.urls.iter().filter(|u| of_shop(u)))
        .cloned()
        .collect();
    pages.sort_unstable();
    pages.dedup();
    if protect_days > 0 && pages.is_empty() {
        return Err(ApiError::invalid(format!(
            "no page of `{}` at {shop} is known, so its price cannot be watched",
            want.name
        ))
        .hint("add the page with `emptor wish edit WANT --url URL`, or leave --protect-days out"));
    }
    Ok(Purchase {
        id: Id::new(),
        want: want.id,
        name: want.name.clone(),
        paid: new.price,
        shop,
        bought,
        protect_days,
        pages,
        told: None,
        looks: Vec::new(),
    })
}

/// Stand-ins for wants that are done with but whose guarantee runs: their pages at that
/// shop are read, and nothing is searched for.
#[must_use]
pub fn still_read(purchases: &[Purchase], wants: &[Want], today: Date) -> Vec<Want> {
    let running = purchases
        .iter()
        .filter(|p| p.protected_until().is_some_and(|until| until >= today));
    running
        .filter_map(|p| {
            let want = wants.iter().find(|w| w.id == p.want)?;
            (want.status != WantStatus::Open).then(|| Want {
                // A name that is an address is not searched for.
                name: p.pages.first().cloned().unwrap_or_default(),
                urls: p.pages.clone(),
                found: Vec::new(),
                status: WantStatus::Open,
                snoozed_until: None,
                ..want.clone()
            })
        })
        .filter(|w| !w.name.is_empty())
        .collect()
}

/// Looks at the guarantees on a want after something about it was read: the purchases
/// that changed, and what is to be told.
///
/// # Errors
/// As the vault.
pub fn look(
    store: &Store,
    want: Id,
    today: Date,
    now: Timestamp,
) -> Result<(Vec<Purchase>, Vec<Alert>), VaultError> {
    let mut changed = Vec::new();
    let mut alerts = Vec::new();
    for mut purchase in store.purchases()?.into_iter().filter(|p| p.want == want) {
        if purchase.protected_until().is_none_or(|until| until < today) {
            continue;
        }
        let (asks, page) = asks(store, &purchase)?;
        let (alert, reason) = judge(&purchase, asks.as_ref(), today);
        if let (Some(asks), true) = (asks, alert) {
            purchase.told = Some(asks);
            alerts.push(Alert {
                id: Id::new(),
                at: now,
                want,
                list: None,
                rule: AlertRule::PriceGuarantee,
                title: sentence!(&purchase.name, ": claim money back from ", &purchase.shop),
                reason: reason.clone(),
                cost: Some(asks),
                url: page,
                delivered: None,
                saving: purchase
                    .paid
                    .amount
                    .checked_sub(asks.amount)
                    .map(|saved| Money::new(saved, asks.currency)),
                // A guarantee runs out, and the person said they hold it.
                own_word: true,
                held: None,
            });
        }
        purchase.looks.push((now, alert, reason));
        let surplus = purchase.looks.len().saturating_sub(KEPT_LOOKS);
        purchase.looks.drain(..surplus);
        changed.push(purchase);
    }
    Ok((changed, alerts))
}

/// The lowest price the shop asks now, and its page.
fn asks(store: &Store, purchase: &Purchase) -> Result<(Option<Money>, Option<String>), VaultError> {
    let is_it = |l: &Listing| {
        l.shop == purchase.shop && !l.candidate && l.zone(purchase.want) == Some(Zone::Same)
    };
    let listings = store.listings_of(purchase.want)?;
    let lowest = listings
        .iter()
        .filter(|l| is_it(l))
        .filter_map(|l| Some((l.offer.price?, &l.url)))
        .filter(|(price, _)| price.currency == purchase.paid.currency)
        .min_by_key(|(price, _)| price.amount);
    Ok(lowest.map_or((None, None), |(price, url)| {
        (Some(price), Some(url.clone()))
    }))
}

/// Whether to tell, and why or why not.
fn judge(purchase: &Purchase, asks: Option<&Money>, today: Date) -> (bool, Sentence) {
    let shop = &purchase.shop;
    let paid = purchase.paid;
    let Some(&asks) = asks else {
        let why = sentence!(shop, " asks no price in ", paid.currency.code(), " now");
        return (false, why);
    };
    let guarded = Guarded {
        paid,
        bought: purchase.bought,
        days: purchase.protect_days,
    };
    let Some(due) = refund(&guarded, &asks, today, LEAST) else {
        return (false, sentence!(shop, " asks ", asks, ", you paid ", paid));
    };
    let told = purchase
        .told
        .is_some_and(|t| t.currency == asks.currency && asks.amount > t.amount - LEAST);
    if told {
        return (false, sentence!("told already: ", shop, " asks ", asks));
    }
    let bought = format!("you bought it {} at ", days_ago(purchase.bought, today));
    let reason = sentence!(
        bought,
        paid,
        "; ",
        shop,
        " asks ",
        asks,
        " now and guarantees the price until ",
        due.until,
        ": ",
        due.difference,
        " to claim back"
    );
    (true, reason)
}

fn days_ago(day: Date, today: Date) -> String {
    match (today - day).get_days() {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        n => format!("{n} days ago"),
    }
}

/// A purchase for the API.
///
/// # Errors
/// As the vault.
pub fn view(
    store: &Store,
    market: &Market,
    purchase: &Purchase,
) -> Result<PurchaseView, VaultError> {
    let today = market.today();
    let runs = purchase
        .protected_until()
        .is_some_and(|until| until >= today);
    let (asks, _) = asks(store, purchase)?;
    let guarded = Guarded {
        paid: purchase.paid,
        bought: purchase.bought,
        days: purchase.protect_days,
    };
    let due = asks
        .filter(|_| runs)
        .and_then(|asks| refund(&guarded, &asks, today, LEAST));
    Ok(PurchaseView {
        id: purchase.id.short(),
        want: purchase.want.short(),
        name: purchase.name.clone(),
        paid: purchase.paid,
        shop: purchase.shop.clone(),
        bought: purchase.bought,
        protected_until: purchase.protected_until(),
        refund: due.map(|r| r.difference),
        state: match purchase.protected_until() {
            None => "no price guarantee".to_owned(),
            Some(until) if until < today => market.say(sentence!("the guarantee ended on ", until)),
            Some(_) => {
                let untold = Purchase {
                    told: None,
                    ..purchase.clone()
                };
                market.say(judge(&untold, asks.as_ref(), today).1)
            }
        },
    })
}
