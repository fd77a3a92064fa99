//! What each route does. Handlers are short: the work is in the agent's modules.

use super::routes::{self, Route};
use super::types::*;
use super::{ApiError, Code, alerts, decisions, tenders, terms, vault};
use crate::agent::core::Agent;
use crate::agent::store::{Listing, Rule, Store, Zone};
use crate::agent::view::{self, Market};
use crate::agent::{crawl, life, moment, web};
use crate::engine::locale::Locale;
use crate::market::{links, shop};
use crate::model::seller::Trouble;
use crate::model::time::{Date, Timestamp};
use crate::model::want::{Preference, Want, WantKind, WantStatus};
use crate::model::{AlertRule, Gtin, sentence, text};
use crate::net::FetchRequest;
use crate::vault::{RecoveryCode, Secret};
use crate::worker::{Job, Reply};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use base64::Engine;
use url::Url;

pub(super) type Result<T> = std::result::Result<Json<T>, ApiError>;

/// JSON whose errors say what is wrong in our own form.
pub struct Body<T>(pub(super) T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;
    async fn from_request(
        request: axum::extract::Request,
        state: &S,
    ) -> std::result::Result<Self, ApiError> {
        Ok(Self(Json::<T>::from_request(request, state).await?.0))
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}

/// How the caller writes amounts and days: as the first language of `Accept-Language`
/// (RFC 9110, 12.5.4) says, in the person's time zone. Without it the words of an answer
/// are those of a document.
pub struct Reader(pub(super) Locale);

impl FromRequestParts<Agent> for Reader {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut Parts,
        agent: &Agent,
    ) -> std::result::Result<Self, Self::Rejection> {
        let languages = parts.headers.get(header::ACCEPT_LANGUAGE);
        let first = languages
            .and_then(|l| l.to_str().ok())
            .and_then(|l| l.split([',', ';']).next());
        Ok(Self(first.map_or_else(Locale::default, |name| {
            Locale::named(name.trim()).in_zone(agent.config().time_zone())
        })))
    }
}

/// All routes.
#[must_use]
pub fn table() -> Vec<Route> {
    let mut table = vec![
        Route::new::<Status>("get", "/v1/status", "How the daemon is", get(status)),
        Route::new::<Done>("post", "/v1/unlock", "Open the vault", post(unlock)).takes::<Unlock>(),
        Route::new::<Done>("post", "/v1/lock", "Close the vault", post(lock)),
        Route::new::<Done>("post", "/v1/stop", "Stop the daemon", post(stop)),
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
        Route::list::<ShopView>("get", "/v1/shops", "Followed shops", get(shops)),
        Route::new::<ShopView>("post", "/v1/shops", "Follow a shop", post(add_shop))
            .takes::<NewShop>(),
        Route::new::<ShopView>("get", "/v1/shops/{shop}", "One shop", get(one_shop)),
        Route::new::<Done>(
            "delete",
            "/v1/shops/{shop}",
            "Follow a shop no more",
            delete(remove_shop),
        ),
        Route::new::<CrawlProgress>("post", "/v1/crawl", "Start a crawl", post(start_crawl))
            .takes::<CrawlRequest>(),
        Route::new::<CrawlProgress>(
            "get",
            "/v1/crawl/{run}",
            "How far a crawl is",
            get(crawl_progress),
        ),
        Route::new::<NotifyTest>(
            "post",
            "/v1/notify/test",
            "Send a test message",
            post(notify_test),
        ),
        Route::new::<WebPage>("post", "/v1/web", "A link to the web page", post(web_link)),
        Route::new::<Object>("get", "/v1/openapi.json", "This document", get(document)),
    ];
    table.extend(alerts::routes());
    table.extend(decisions::routes());
    table.extend(tenders::routes());
    table.extend(terms::routes());
    table.extend(vault::routes());
    table
}

/// The router for the socket. Calls from a browser (they carry `Origin` or `Referer`) are
/// refused: nothing of ours calls this API from a page.
pub fn router(agent: Agent) -> Router {
    routes::router(table())
        .layer(axum::middleware::from_fn_with_state(agent.clone(), guard))
        .layer(axum::extract::DefaultBodyLimit::max(1 << 20))
        .with_state(agent)
}

async fn guard(
    State(agent): State<Agent>,
    reader: Reader,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    use axum::response::IntoResponse;
    let headers = request.headers();
    if headers.contains_key("origin") || headers.contains_key("referer") {
        return ApiError::new(Code::Invalid, "this is not a web page's API").into_response();
    }
    agent.used();
    let response = next.run(request).await;
    match response.extensions().get::<ApiError>() {
        Some(error) => error.clone().for_reader(&reader.0).into_response(),
        None => response,
    }
}

pub(super) fn done(text: impl Into<String>) -> Result<Done> {
    Ok(Json(Done { done: text.into() }))
}

pub(super) fn market(agent: &Agent, store: &Store) -> std::result::Result<Market, ApiError> {
    Ok(Market::load(store, &agent.config(), Timestamp::now())?)
}

async fn status(State(agent): State<Agent>) -> Result<Status> {
    Ok(Json(agent.status()?))
}

async fn unlock(State(agent): State<Agent>, Body(u): Body<Unlock>) -> Result<Done> {
    let secret = match (u.passphrase, u.recovery_code, u.key_file) {
        (Some(passphrase), None, None) => Secret::passphrase(passphrase),
        (None, Some(code), None) => Secret::Recovery(RecoveryCode::parse(&code)?),
        (None, None, Some(key)) => {
            let bytes = base64::prelude::BASE64_STANDARD.decode(key);
            Secret::key_file(bytes.map_err(|e| ApiError::invalid(e.to_string()))?)?
        }
        _ => return Err(ApiError::invalid("give one secret")),
    };
    agent.unlock(secret).await?;
    done("The vault is open.")
}

async fn lock(State(agent): State<Agent>) -> Result<Done> {
    done(if agent.lock() {
        "The vault is locked."
    } else {
        "The vault was locked already."
    })
}

async fn stop(State(agent): State<Agent>) -> Result<Done> {
    // The answer must leave before the socket closes.
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        agent.shut_down();
    });
    done("The daemon stops.")
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
        return Err(ApiError::invalid(
            "say what you want: an address, a barcode number or a name",
        ));
    }
    let mut want = Want::new(named(input, 300)?, now);
    let mut new_shop = None;
    if input.starts_with("http://") || input.starts_with("https://") {
        let (address, found) = public_address(&agent, input, now)?;
        let adapter = crawl::adapter_of(&agent, &found);
        let kept = crate::market::crawl::kept_params(adapter.as_ref().map(|a| &*a.manifest));
        let url = links::canonical(&address, &kept).to_string();
        if store.shop(&found.domain)?.is_none() {
            new_shop = Some(found);
        }
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
    want_view(&agent, &store, &want, reader)
}

/// An address the person named, and its shop; refused at once if the network guard would
/// refuse it later.
fn public_address(
    agent: &Agent,
    text: &str,
    now: Timestamp,
) -> std::result::Result<(Url, crate::model::Shop), ApiError> {
    let address = shop::address(text).map_err(|e| ApiError::invalid(e.to_string()))?;
    agent.fetcher().vet(&address).map_err(|e| {
        ApiError::invalid(e.to_string())
            .hint("a host of your own needs a line under [net] allow_private in the settings")
    })?;
    let shop = shop::shop(address.as_str(), now).map_err(|e| ApiError::invalid(e.to_string()))?;
    Ok((address, shop))
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
            Err(ApiError::invalid("a limit must be above 0"))
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
    if let Some(url) = edit.add_url {
        let (address, found) = public_address(&agent, &url, Timestamp::now())?;
        let adapter = crawl::adapter_of(&agent, &found);
        let kept = crate::market::crawl::kept_params(adapter.as_ref().map(|a| &*a.manifest));
        let url = links::canonical(&address, &kept).to_string();
        if store.shop(&found.domain)?.is_none() {
            new_shop = Some(found);
        }
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
    crate::agent::alerts::look(&agent, &store, want.id, Timestamp::now()).await?;
    done(if zone == Zone::Same {
        "Remembered: this is it."
    } else {
        "Remembered: this is not it."
    })
}

fn shop_view(
    agent: &Agent,
    store: &Store,
    shop: crate::model::Shop,
) -> std::result::Result<ShopView, ApiError> {
    let adapter = crawl::adapter_of(agent, &shop);
    let jobs: Vec<_> = store
        .jobs()?
        .into_iter()
        .filter(|j| j.shop == shop.domain)
        .collect();
    let mut blind_pages = Vec::new();
    for job in &jobs {
        let page = store.page(job.kind.url())?;
        // What the whole shop suffers from is said once.
        if page.health.trouble != shop.health.trouble {
            blind_pages.extend(view::blind_view(job.kind.url(), &page.health));
        }
    }
    Ok(ShopView {
        searchable: shop.search.is_some()
            || adapter
                .as_ref()
                .is_some_and(|a| a.manifest.search.is_some()),
        adapter: adapter.map(|a| a.manifest.id.to_string()),
        pages: jobs.len(),
        advice: shop.health.trouble.map(|t| t.advice().to_owned()),
        domain: shop.domain,
        name: shop.name,
        health: shop.health,
        blind_pages,
    })
}

async fn shops(State(agent): State<Agent>) -> Result<Vec<ShopView>> {
    let store = agent.store()?;
    let views: std::result::Result<Vec<_>, _> = store
        .shops()?
        .into_iter()
        .map(|s| shop_view(&agent, &store, s))
        .collect();
    Ok(Json(views?))
}

pub(super) fn find_shop(
    store: &Store,
    text: &str,
) -> std::result::Result<crate::model::Shop, ApiError> {
    store
        .shop(&text.trim().to_ascii_lowercase())?
        .ok_or_else(|| {
            ApiError::not_found(format!("`{text}` is not a followed shop"))
                .hint("see `emptor shop list`")
        })
}

async fn one_shop(State(agent): State<Agent>, Path(text): Path<String>) -> Result<ShopView> {
    let store = agent.store()?;
    let shop = find_shop(&store, &text)?;
    Ok(Json(shop_view(&agent, &store, shop)?))
}

async fn add_shop(State(agent): State<Agent>, Body(new): Body<NewShop>) -> Result<ShopView> {
    let store = agent.store()?;
    let now = Timestamp::now();
    let (_, mut shop) = public_address(&agent, &new.input, now)?;
    if let Some(known) = store.shop(&shop.domain)? {
        shop = known;
    }
    if let Some(name) = new.name {
        shop.name = text::clean(&name, 100);
    }
    if let Some(id) = new.adapter {
        if agent.adapters().by_id(&id).is_none() {
            return Err(
                ApiError::not_found(format!("no adapter `{id}`")).hint("see `emptor adapter list`")
            );
        }
        shop.adapter = Some(id);
    }
    if let Some(adapter) = crawl::adapter_of(&agent, &shop)
        && shop.delivery == crate::model::seller::DeliveryRule::default()
    {
        shop.delivery = adapter.manifest.delivery_rule();
    }
    shop.delivery.fee = new.delivery_fee.or(shop.delivery.fee);
    shop.delivery.free_from = new.free_from.or(shop.delivery.free_from);
    if let Ok(front) = Url::parse(&shop.base_url) {
        look_at_front(&agent, &mut shop, front, now).await;
    }
    store.change(|tx| tx.put_shop(&shop))?;
    crawl::plan(&agent, &store)?;
    agent.wake();
    Ok(Json(shop_view(&agent, &store, shop)?))
}

/// Reads the shop's front page: is it there, and can it be searched?
async fn look_at_front(agent: &Agent, shop: &mut crate::model::Shop, url: Url, now: Timestamp) {
    let request = FetchRequest {
        url,
        validators: None,
        accept: None,
    };
    match agent.fetcher().get(request).await {
        Ok(fetched) => {
            let job = Job::ReadFront {
                url: fetched.final_url,
                content_type: fetched.content_type,
            };
            match agent.pool().call(job, fetched.body).await {
                Ok(Reply::Front(front)) => {
                    shop.search = front.search;
                    shop.health = crate::model::SourceHealth::default();
                }
                Ok(_) => {}
                Err(e) => shop.health.bad(now, Trouble::BadInput, e.to_string()),
            }
        }
        Err(e) => shop.health.bad(now, e.trouble(), e.to_string()),
    }
}

async fn remove_shop(State(agent): State<Agent>, Path(text): Path<String>) -> Result<Done> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    let shop = find_shop(&store, &text)?;
    // Its pages would bring it back: they are taken off the wants.
    let of_shop = |url: &String| {
        Url::parse(url)
            .ok()
            .and_then(|u| shop::domain_of(&u))
            .as_deref()
            == Some(shop.domain.as_str())
    };
    let mut changed = Vec::new();
    for want in store.wants()? {
        let mut new = want.clone();
        new.urls.retain(|u| !of_shop(u));
        new.found.retain(|u| !of_shop(u));
        if new != want {
            changed.push(new);
        }
    }
    store.change(|tx| {
        changed.iter().try_for_each(|w| tx.put_want(w))?;
        tx.remove_shop(&shop.domain)
    })?;
    crawl::plan(&agent, &store)?;
    done(format!(
        "{} is not followed any more; what you noted of it is gone, its price history stays.",
        shop.domain
    ))
}

async fn start_crawl(
    State(agent): State<Agent>,
    Body(r): Body<CrawlRequest>,
) -> Result<CrawlProgress> {
    Ok(Json(crawl::start(&agent, &r)?))
}

async fn crawl_progress(State(agent): State<Agent>, Path(run): Path<u64>) -> Result<CrawlProgress> {
    agent.store()?;
    let progress = agent.runs().progress(run);
    progress
        .map(Json)
        .ok_or_else(|| ApiError::not_found(format!("no crawl {run}")))
}

async fn notify_test(State(agent): State<Agent>) -> Result<NotifyTest> {
    let message = crate::notify::Message {
        key: "test".into(),
        title: "emptor".into(),
        body: "This is how a better offer is announced.".into(),
        actions: &[],
    };
    let delivered = match agent.notifier().deliver(&message).await {
        crate::notify::Delivery::Desktop => "desktop",
        crate::notify::Delivery::Log => "log",
    };
    Ok(Json(NotifyTest {
        delivered: delivered.to_owned(),
    }))
}

async fn web_link(State(agent): State<Agent>) -> Result<WebPage> {
    Ok(Json(WebPage {
        url: web::link(&agent, None).await?,
    }))
}

async fn document() -> Json<serde_json::Value> {
    Json(routes::openapi(&table()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_every_route_and_resolves() {
        let table = table();
        let document = routes::openapi(&table);
        let text = document.to_string();
        let paths = document["paths"].as_object().expect("paths");
        let operations: usize = paths
            .values()
            .filter_map(|p| p.as_object())
            .map(|p| p.len())
            .sum();
        assert_eq!(operations, table.len());
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap_or_default();
            assert!(
                document["components"]["schemas"].get(name).is_some(),
                "{name} is missing"
            );
        }
    }
}
