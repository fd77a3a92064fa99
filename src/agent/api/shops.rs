//! The routes about shops and reading them.

use super::ApiError;
use super::handlers::{Body, Result, done};
use super::routes::Route;
use super::types::*;
use crate::agent::core::Agent;
use crate::agent::store::Store;
use crate::agent::{crawl, terms, view};
use crate::market::{links, shop};
use crate::model::seller::Trouble;
use crate::model::time::Timestamp;
use crate::model::{Money, Shop, SourceHealth, text};
use crate::net::FetchRequest;
use crate::worker::{Job, Reply};
use axum::Json;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use url::Url;

/// The routes, for the table.
pub fn routes() -> Vec<Route> {
    vec![
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
    ]
}

fn shop_view(agent: &Agent, store: &Store, shop: Shop) -> std::result::Result<ShopView, ApiError> {
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

pub(super) fn find_shop(store: &Store, text: &str) -> std::result::Result<Shop, ApiError> {
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
    let (_, named) = public_address(&agent, &new.input, now)?;
    let front = match store.shop(&named.domain)? {
        Some(known) => look_at_front(&agent, &known.base_url).await,
        None => look_at_front(&agent, &named.base_url).await,
    };
    let _writer = agent.writer().await;
    // Read again: a page of it may have been read meanwhile.
    let mut shop = store.shop(&named.domain)?.unwrap_or(named);
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
    let amounts: Vec<Money> = [new.delivery_fee, new.free_from]
        .into_iter()
        .flatten()
        .collect();
    if amounts.iter().any(|m| m.amount.is_sign_negative()) {
        return Err(ApiError::invalid("an amount must not be negative")
            .hint("free delivery is `--delivery '0 EUR'`"));
    }
    terms::check_currency(&store, &shop, "the amounts are", &amounts)?;
    shop.delivery.fee = new.delivery_fee.or(shop.delivery.fee);
    shop.delivery.free_from = new.free_from.or(shop.delivery.free_from);
    match front {
        Front::Read { search } => {
            shop.search = search;
            shop.health = SourceHealth::default();
        }
        // Its products may well be there.
        Front::Failed(trouble, _) if !crawl::is_shop_wide(trouble) => {}
        Front::Failed(trouble, detail) => shop.health.bad(now, trouble, detail),
    }
    store.change(|tx| tx.put_shop(&shop))?;
    crawl::plan(&agent, &store)?;
    agent.wake();
    Ok(Json(shop_view(&agent, &store, shop)?))
}

/// What a shop's front page tells.
enum Front {
    /// It is there; how the shop can be searched, if it says so.
    Read { search: Option<String> },
    /// It could not be read.
    Failed(Trouble, String),
}

/// Reads the shop's front page: is it there, and can it be searched?
async fn look_at_front(agent: &Agent, address: &str) -> Front {
    let url = match Url::parse(address) {
        Ok(url) => url,
        Err(e) => return Front::Failed(Trouble::Refused, e.to_string()),
    };
    let request = FetchRequest {
        url,
        validators: None,
        accept: None,
    };
    let fetched = match agent.fetcher().get(request).await {
        Ok(fetched) => fetched,
        Err(e) => return Front::Failed(e.trouble(), e.to_string()),
    };
    let job = Job::ReadFront {
        url: fetched.final_url,
        content_type: fetched.content_type,
    };
    match agent.pool().call(job, fetched.body).await {
        Ok(Reply::Front(front)) => Front::Read {
            search: front.search,
        },
        Ok(Reply::Failed(why)) => Front::Failed(Trouble::BadInput, why),
        Ok(_) => Front::Failed(Trouble::BadInput, "an answer to another question".into()),
        Err(e) => Front::Failed(Trouble::BadInput, e.to_string()),
    }
}

/// A page the person gave for a want: its canonical address, and its shop where that is
/// not followed yet.
pub(super) fn page_of(
    agent: &Agent,
    store: &Store,
    text: &str,
    now: Timestamp,
) -> std::result::Result<(String, Option<Shop>), ApiError> {
    let (address, shop) = public_address(agent, text, now)?;
    let adapter = crawl::adapter_of(agent, &shop);
    let kept = crate::market::crawl::kept_params(adapter.as_ref().map(|a| &*a.manifest));
    let url = links::canonical(&address, &kept).to_string();
    let is_new = store.shop(&shop.domain)?.is_none();
    Ok((url, is_new.then_some(shop)))
}

/// An address the person named, and its shop; refused at once if the network guard would
/// refuse it later.
pub(super) fn public_address(
    agent: &Agent,
    text: &str,
    now: Timestamp,
) -> std::result::Result<(Url, Shop), ApiError> {
    let address = shop::address(text).map_err(|e| ApiError::invalid(e.to_string()))?;
    agent.fetcher().vet(&address).map_err(|e| {
        ApiError::invalid(e.to_string())
            .hint("a host of your own needs a line under [net] allow_private in the settings")
    })?;
    let shop = shop::shop(address.as_str(), now).map_err(|e| ApiError::invalid(e.to_string()))?;
    Ok((address, shop))
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
