//! The routes about decisions: the basket, trade-offs, the spending plan, purchases.

use super::ApiError;
use super::handlers::{Body, Reader, Result, done, market};
use super::routes::Route;
use super::types::*;
use crate::agent::core::Agent;
use crate::agent::{alerts, basket, crawl, life, purchases, tune};
use crate::model::time::Timestamp;
use axum::Json;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};

/// The routes, for the table.
pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<BasketReply>(
            "post",
            "/v1/basket",
            "Where to buy a list",
            post(plan_basket),
        )
        .takes::<BasketRequest>(),
        Route::new::<Done>(
            "post",
            "/v1/basket/{run}/stop",
            "End a search with its best so far",
            post(stop_basket),
        ),
        Route::new::<TuneReply>(
            "get",
            "/v1/wants/{want}/tune",
            "The next question about a trade-off",
            get(question),
        ),
        Route::new::<TuneReply>("post", "/v1/wants/{want}/tune", "Answer it", post(answer))
            .takes::<TuneAnswer>(),
        Route::new::<SpendPlan>(
            "post",
            "/v1/wishes/plan",
            "What wishes cost against a budget",
            post(plan_wishes),
        )
        .takes::<PlanRequest>(),
        Route::list::<PurchaseView>("get", "/v1/purchases", "What was bought", get(bought)),
        Route::new::<PurchaseView>("post", "/v1/purchases", "Note a purchase", post(buy))
            .takes::<NewPurchase>(),
        Route::new::<Done>(
            "delete",
            "/v1/purchases/{purchase}",
            "Remove a purchase",
            delete(forget),
        ),
    ]
}

async fn plan_basket(
    State(agent): State<Agent>,
    reader: Reader,
    Body(request): Body<BasketRequest>,
) -> Result<BasketReply> {
    let store = agent.store()?;
    let market = market(&agent, &store)?.for_reader(reader.0);
    // When the caller goes away, this future is dropped.
    basket::find(&agent, &store, market, request)
        .await
        .map(Json)
}

async fn stop_basket(State(agent): State<Agent>, Path(run): Path<String>) -> Result<Done> {
    if agent.baskets().stop(&run) {
        done("It comes back with the best so far.")
    } else {
        Err(ApiError::not_found(format!("no search `{run}`")))
    }
}

async fn question(
    State(agent): State<Agent>,
    reader: Reader,
    Path(text): Path<String>,
) -> Result<TuneReply> {
    let store = agent.store()?;
    let want = agent.find_want(&store, &text)?;
    let market = market(&agent, &store)?.for_reader(reader.0);
    Ok(Json(tune::state(&store, &market, &want)?))
}

async fn answer(
    State(agent): State<Agent>,
    reader: Reader,
    Path(text): Path<String>,
    Body(answer): Body<TuneAnswer>,
) -> Result<TuneReply> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    let want = agent.find_want(&store, &text)?;
    let want = tune::answer(&store, &market(&agent, &store)?, &want, &answer)?;
    // What was just learnt is part of the market.
    let market = market(&agent, &store)?.for_reader(reader.0);
    Ok(Json(tune::state(&store, &market, &want)?))
}

async fn plan_wishes(
    State(agent): State<Agent>,
    reader: Reader,
    Body(request): Body<PlanRequest>,
) -> Result<SpendPlan> {
    let store = agent.store()?;
    let market = market(&agent, &store)?.for_reader(reader.0);
    life::plan(&store, &market, &agent.config(), &request).map(Json)
}

async fn bought(State(agent): State<Agent>, reader: Reader) -> Result<Vec<PurchaseView>> {
    let store = agent.store()?;
    let market = market(&agent, &store)?.for_reader(reader.0);
    let views: std::result::Result<Vec<_>, _> = store
        .purchases()?
        .iter()
        .map(|p| purchases::view(&store, &market, p))
        .collect();
    Ok(Json(views?))
}

async fn buy(
    State(agent): State<Agent>,
    reader: Reader,
    Body(new): Body<NewPurchase>,
) -> Result<PurchaseView> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    let want = agent.find_want(&store, &new.want)?;
    let market = market(&agent, &store)?.for_reader(reader.0);
    let purchase = purchases::purchase(&store, &want, &new, market.today())?;
    store.change(|tx| tx.put_purchase(&purchase))?;
    crawl::plan(&agent, &store)?;
    agent.wake();
    // The shop may ask less already.
    alerts::look(&agent, &store, want.id, Timestamp::now()).await?;
    Ok(Json(purchases::view(&store, &market, &purchase)?))
}

async fn forget(State(agent): State<Agent>, Path(id): Path<String>) -> Result<Done> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    let text = id.trim().to_ascii_lowercase();
    let all = store.purchases()?;
    let purchase = all
        .iter()
        .find(|p| p.id.short() == text || p.id.to_string() == text)
        .ok_or_else(|| {
            ApiError::not_found(format!("no purchase `{id}`"))
                .hint("the ids stand in brackets in `emptor purchases`")
        })?;
    store.change(|tx| tx.remove_purchase(purchase.id))?;
    crawl::plan(&agent, &store)?;
    done(format!("Removed the purchase of {}.", purchase.name))
}
