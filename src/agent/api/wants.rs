//! The routes about wants and the offers for them.

use super::ApiError;
use super::handlers::{Body, Reader, Result, done, market};
use super::routes::Route;
use super::shops::page_of;
use super::types::*;
use crate::agent::core::Agent;
use crate::agent::store::{Listing, Rule, Store, Zone};
use crate::agent::{alerts, crawl, life, moment, view};
use crate::model::time::{Date, Timestamp};
use crate::model::want::{Preference, Want, WantKind, WantStatus};
use crate::model::{AlertRule, Gtin, sentence, text};
use axum::Json;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use std::collections::HashSet;

/// Pages taken over at most for a new want by its barcode.
const MAX_KNOWN_PAGES: usize = 20;

/// The routes, for the table.
pub fn routes() -> Vec<Route> {
    vec![
        Route::list::<WantView>("get", "/v1/wants", "All wants", get(wants)),
        Route::new::<WantView>("post", "/v1/wants", "Add a want", post(add_want))
            .takes::<NewWant>(),
        Route::new::<WantView>("get", "/v1/wants/{want}", "One want", get(want)),
        Route::new::<WantView>("post", "/v1/wants/{want}", "Change a want", post(edit_want))
            .takes::<EditWant>(),
        Route::new::<Done>(
            "delete",
            "/v1/wants/{want}",
            "Remove a want",
            delete(remove_want),
        ),
        Route::new::<OffersReply>(
            "get",
            "/v1/wants/{want}/offers",
            "Its ranked offers",
            get(offers_of),
        ),
        Route::new::<HistoryReply>(
            "get",
            "/v1/wants/{want}/history",
            "Its price history",
            get(history),
        ),
        Route::new::<Done>(
            "post",
            "/v1/wants/{want}/decide",
            "Say what an offer is",
            post(decide),
        )
        .takes::<Decide>(),
        Route::list::<OffersReply>(
            "get",
            "/v1/offers",
            "Ranked offers of all open wants",
            get(offers),
        ),
    ]
}

async fn wants(State(agent): State<Agent>, reader: Reader) -> Result<Vec<WantView>> {
    let store = agent.store()?;
    let market = market(&agent, &store)?.for_reader(reader.0);
    let views: std::result::Result<Vec<_>, _> = store
        .wants()?
        .iter()
        .map(|w| view::want(&store, &market, w))
        .collect();
    Ok(Json(views?))
}

fn want_view(agent: &Agent, store: &Store, want: &Want, reader: Reader) -> Result<WantView> {
    let market = market(agent, store)?.for_reader(reader.0);
    Ok(Json(view::want(store, &market, want)?))
}

async fn want(
    State(agent): State<Agent>,
    reader: Reader,
    Path(text): Path<String>,
) -> Result<WantView> {
    let store = agent.store()?;
    let want = agent.find_want(&store, &text)?;
    life::looked(&agent, &store, &want, Timestamp::now()).await?;
    want_view(&agent, &store, &want, reader)
}

async fn add_want(
    State(agent): State<Agent>,
    reader: Reader,
    Body(new): Body<NewWant>,
) -> Result<WantView> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    let now = Timestamp::now();
    let input = new.input.trim();
    if input.is_empty() {
        return Err(ApiError::invalid("nothing is named")
            .hint("say what you want: an address, a barcode number or a name"));
    }
    let mut want = Want::new(named(input, 300)?, now);
    let mut new_shop = None;
    if input.starts_with("http://") || input.starts_with("https://") {
        let url;
        (url, new_shop) = page_of(&agent, &store, input, now)?;
        want.name.clone_from(&url);
        want.urls = vec![url];
    } else if input.contains("://") {
        return Err(
            ApiError::invalid(format!("`{}` is no web address", text::clean(input, 100)))
                .hint("addresses of pages begin with https:// or http://"),
        );
    } else if let Ok(gtin) = input.parse::<Gtin>() {
        want.gtin = Some(gtin);
    } else if input.len() >= 8 && input.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return Err(
            ApiError::invalid(format!("`{input}` is not a valid barcode number"))
                .hint("the last digit is a check digit: compare it with the label"),
        );
    }
    if want.gtin.is_some() {
        want.found = known_pages(&store, &want)?;
    }
    want.kind = new.kind.unwrap_or(WantKind::Wish);
    want.list = match (new.list, want.kind) {
        (Some(list), _) => named(&list, 100)?,
        (None, WantKind::Wish) => "wishes".to_owned(),
        (None, WantKind::Shopping) => "shopping".to_owned(),
    };
    if let Some(name) = new.name {
        want.name = named(&name, 300)?;
    }
    want.quantity = new.quantity.unwrap_or(1).max(1);
    want.limit = positive(new.limit)?;
    want.need_by = not_past(new.need_by, market(&agent, &store)?.today())?;
    want.must = new.must;
    want.prefer = worth_something(new.prefer)?;
    want.intensity = new.intensity.unwrap_or(50).min(100);
    want.note = new.note.map(|n| text::clean(&n, 2000));
    let again: Vec<String> = store
        .wants()?
        .iter()
        .filter(|w| w.status == WantStatus::Open && w.is_again(&want))
        .map(|w| w.id.short())
        .collect();
    // A limit is a wish to be told.
    let rule = want
        .limit
        .map(|limit| Rule::new(want.id, AlertRule::Under(limit)));
    store.change(|tx| {
        new_shop.iter().try_for_each(|s| tx.put_shop(s))?;
        rule.iter().try_for_each(|r| tx.put_rule(r))?;
        tx.put_want(&want)
    })?;
    crawl::plan(&agent, &store)?;
    agent.wake();
    let Json(view) = want_view(&agent, &store, &want, reader)?;
    Ok(Json(WantView { again, ..view }))
}

/// The pages of followed shops, already read for something else, that state the barcode
/// wanted, newest first.
fn known_pages(store: &Store, want: &Want) -> std::result::Result<Vec<String>, ApiError> {
    let shops = store.shops()?;
    let followed: HashSet<&str> = shops.iter().map(|s| s.domain.as_str()).collect();
    let mut known = store.listings()?;
    known.retain(|l| {
        l.offer.gtin == want.gtin && !l.candidate && followed.contains(l.shop.as_str())
    });
    known.sort_by_key(|l| std::cmp::Reverse(l.last_seen));
    let mut pages = Vec::new();
    for listing in known {
        if pages.len() < MAX_KNOWN_PAGES && !pages.contains(&listing.url) {
            pages.push(listing.url);
        }
    }
    Ok(pages)
}

/// A name that can be seen, without what could steer a terminal.
fn named(text: &str, max: usize) -> std::result::Result<String, ApiError> {
    let name = text::clean(text.trim(), max);
    if name.is_empty() {
        return Err(ApiError::invalid("a name has letters").hint("write one that can be read"));
    }
    Ok(name)
}

fn worth_something(all: Vec<Preference>) -> std::result::Result<Vec<Preference>, ApiError> {
    for (at, p) in all.iter().enumerate() {
        if all[..at].iter().any(|q| q.requirement == p.requirement) {
            let twice = format!("`{}` is preferred twice", p.requirement);
            return Err(ApiError::invalid(twice).hint("say once what it is worth in all"));
        }
    }
    all.into_iter()
        .map(|p| p.checked().map_err(|e| ApiError::invalid(e.to_string())))
        .collect()
}

fn not_past(day: Option<Date>, today: Date) -> std::result::Result<Option<Date>, ApiError> {
    match day {
        Some(day) if day < today => Err(ApiError::invalid(sentence!(day, " is past"))
            .hint("give today or a day to come, as YYYY-MM-DD")),
        other => Ok(other),
    }
}

fn positive(
    limit: Option<crate::model::Money>,
) -> std::result::Result<Option<crate::model::Money>, ApiError> {
    match limit {
        Some(m) if m.amount <= rust_decimal::Decimal::ZERO => {
            Err(ApiError::invalid("a limit must be above 0")
                .hint("give the most one piece may cost, as --max '12.50 EUR'"))
        }
        other => Ok(other),
    }
}

async fn edit_want(
    State(agent): State<Agent>,
    reader: Reader,
    Path(text): Path<String>,
    Body(edit): Body<EditWant>,
) -> Result<WantView> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    let old = agent.find_want(&store, &text)?;
    let mut want = old.clone();
    if let Some(name) = edit.name {
        want.name = named(&name, 300)?;
    }
    if let Some(list) = edit.list {
        want.list = named(&list, 100)?;
    }
    want.kind = edit.kind.unwrap_or(want.kind);
    want.quantity = edit.quantity.unwrap_or(want.quantity).max(1);
    want.limit = if edit.no_limit {
        None
    } else {
        positive(edit.limit)?.or(want.limit)
    };
    want.need_by = if edit.no_need_by {
        None
    } else {
        not_past(edit.need_by, market(&agent, &store)?.today())?.or(want.need_by)
    };
    want.must = edit.must.unwrap_or(want.must);
    if let Some(prefer) = edit.prefer {
        want.prefer = worth_something(prefer)?;
    }
    want.intensity = edit.intensity.unwrap_or(want.intensity).min(100);
    want.note = edit.note.map(|n| text::clean(&n, 2000)).or(want.note);
    want.status = edit.status.unwrap_or(want.status);
    if edit
        .snoozed_until
        .is_some_and(|until| until <= Timestamp::now())
    {
        return Err(
            ApiError::invalid("a snooze ends in the future").hint("give --until a day after today")
        );
    }
    want.snoozed_until = if want.status == WantStatus::Snoozed {
        edit.snoozed_until.or(want.snoozed_until)
    } else {
        None
    };
    let mut new_shop = None;
    if let Some(address) = edit.add_url {
        let url;
        (url, new_shop) = page_of(&agent, &store, &address, Timestamp::now())?;
        if !want.urls.contains(&url) {
            want.urls.push(url);
        }
    }
    // The rule that came with the old limit follows the new one.
    let rules: Vec<Rule> = store
        .rules()?
        .into_iter()
        .filter(|r| r.want == want.id && old.limit.map(AlertRule::Under) == Some(r.rule.clone()))
        .collect();
    store.change(|tx| {
        new_shop.iter().try_for_each(|s| tx.put_shop(s))?;
        for mut rule in rules {
            match want.limit {
                Some(limit) if AlertRule::Under(limit) != rule.rule => {
                    rule.rule = AlertRule::Under(limit);
                    rule.state.rearm();
                    tx.put_rule(&rule)?;
                }
                Some(_) => {}
                None => tx.remove_rule(rule.id)?,
            }
        }
        if let (None, Some(limit)) = (old.limit, want.limit) {
            tx.put_rule(&Rule::new(want.id, AlertRule::Under(limit)))?;
        }
        life::edited(&store, tx, &old, &want, edit.renew, Timestamp::now())?;
        tx.put_want(&want)
    })?;
    if old.limit != want.limit {
        // A limit is about what is true, so it may speak at once.
        alerts::look(&agent, &store, want.id, Timestamp::now()).await?;
    }
    crawl::plan(&agent, &store)?;
    agent.wake();
    want_view(&agent, &store, &want, reader)
}

async fn remove_want(State(agent): State<Agent>, Path(text): Path<String>) -> Result<Done> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    let want = agent.find_want(&store, &text)?;
    let today = market(&agent, &store)?.today();
    let purchases = store.purchases()?;
    let guarded = purchases
        .iter()
        .find(|p| p.want == want.id && p.protected_until().is_some_and(|until| until >= today));
    if let Some(purchase) = guarded {
        let until = purchase.protected_until().unwrap_or(today);
        return Err(ApiError::conflict(sentence!(
            "the price guarantee of ",
            &purchase.shop,
            " for it runs until ",
            until
        ))
        .hint(format!(
            "`emptor wish done` keeps it off the list; `emptor purchases rm {}` ends the watch",
            purchase.id.short()
        )));
    }
    let rules: Vec<Rule> = store
        .rules()?
        .into_iter()
        .filter(|r| r.want == want.id)
        .collect();
    store.change(|tx| {
        rules.iter().try_for_each(|r| tx.remove_rule(r.id))?;
        tx.remove_want(want.id)
    })?;
    crawl::plan(&agent, &store)?;
    done(format!("Removed {}.", want.name))
}

async fn offers_of(
    State(agent): State<Agent>,
    reader: Reader,
    Path(text): Path<String>,
) -> Result<OffersReply> {
    let store = agent.store()?;
    let want = agent.find_want(&store, &text)?;
    life::looked(&agent, &store, &want, Timestamp::now()).await?;
    let market = market(&agent, &store)?.for_reader(reader.0);
    let mut reply = view::offers(&store, &market, &want)?;
    let history = view::history(&store, &market, &want)?;
    let lead = reply.ranked.first().and_then(|o| o.delivery_days);
    reply.advice = moment::advice(&market, &want, &history.points, lead);
    Ok(Json(reply))
}

async fn offers(State(agent): State<Agent>, reader: Reader) -> Result<Vec<OffersReply>> {
    let store = agent.store()?;
    let market = market(&agent, &store)?.for_reader(reader.0);
    let replies: std::result::Result<Vec<_>, _> = store
        .wants()?
        .iter()
        .filter(|w| w.status == WantStatus::Open)
        .map(|w| view::offers(&store, &market, w))
        .collect();
    Ok(Json(replies?))
}

async fn history(
    State(agent): State<Agent>,
    reader: Reader,
    Path(text): Path<String>,
) -> Result<HistoryReply> {
    let store = agent.store()?;
    let want = agent.find_want(&store, &text)?;
    life::looked(&agent, &store, &want, Timestamp::now()).await?;
    let market = market(&agent, &store)?.for_reader(reader.0);
    let mut reply = view::history(&store, &market, &want)?;
    let best = view::want(&store, &market, &want)?.best;
    let lead = best.and_then(|o| o.delivery_days);
    reply.advice = moment::advice(&market, &want, &reply.points, lead);
    Ok(Json(reply))
}

async fn decide(
    State(agent): State<Agent>,
    Path(text): Path<String>,
    Body(d): Body<Decide>,
) -> Result<Done> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    let want = agent.find_want(&store, &text)?;
    let listing: Listing = store
        .listing(&d.offer)?
        .filter(|l| l.links.iter().any(|k| k.want == want.id))
        .ok_or_else(|| {
            ApiError::not_found(format!("no offer `{}` for this want", d.offer))
                .hint("the ids stand in brackets in `emptor offers`")
        })?;
    if d.answer == Answer::Choose {
        let mut page = store.page(&listing.url)?;
        page.choice = Some(listing.offer.provenance.clone());
        store.change(|tx| tx.put_page(&listing.url, &page))?;
        agent.wake();
        return done("Remembered. The page is read this way from now on: `emptor crawl --now`.");
    }
    let zone = if d.answer == Answer::Same {
        Zone::Same
    } else {
        Zone::Different
    };
    store.decide(want.id, listing, zone)?;
    alerts::look(&agent, &store, want.id, Timestamp::now()).await?;
    done(if zone == Zone::Same {
        "Remembered: this is it."
    } else {
        "Remembered: this is not it."
    })
}
