//! The routes about what the person knows of shops.

use super::ApiError;
use super::handlers::{Body, Reader, Result, done, market};
use super::routes::Route;
use super::shops::find_shop;
use super::types::*;
use crate::agent::core::Agent;
use crate::agent::store::Store;
use crate::agent::terms;
use crate::model::{Shop, ShopTerms};
use axum::Json;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};

/// The routes, for the table.
pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<TermsView>(
            "get",
            "/v1/shops/{shop}/terms",
            "What is known of a shop",
            get(known),
        ),
        Route::new::<TermsView>(
            "post",
            "/v1/shops/{shop}/terms",
            "Tell what a shop takes",
            post(edit),
        )
        .takes::<EditTerms>(),
        Route::new::<TermsView>(
            "post",
            "/v1/shops/{shop}/coupons",
            "Remember a coupon",
            post(add_coupon),
        )
        .takes::<NewCoupon>(),
        Route::new::<Done>(
            "delete",
            "/v1/shops/{shop}/coupons/{code}",
            "Forget a coupon",
            delete(remove_coupon),
        ),
        Route::new::<TermsView>(
            "post",
            "/v1/shops/{shop}/prices",
            "Note a price",
            post(add_price),
        )
        .takes::<NewPrice>(),
        Route::new::<Done>(
            "delete",
            "/v1/shops/{shop}/prices/{price}",
            "Forget a noted price",
            delete(remove_price),
        ),
    ]
}

async fn known(
    State(agent): State<Agent>,
    reader: Reader,
    Path(shop): Path<String>,
) -> Result<TermsView> {
    let store = agent.store()?;
    let shop = find_shop(&store, &shop)?;
    let market = market(&agent, &store)?.for_reader(reader.0);
    Ok(Json(terms::view(&store, &market, &shop)?))
}

/// Changes what is known of a shop. The view of it afterwards comes with what the change
/// tells besides.
async fn changed<T>(
    agent: &Agent,
    reader: Reader,
    shop: &str,
    change: impl FnOnce(&Store, &Shop) -> std::result::Result<(ShopTerms, T), ApiError>,
) -> std::result::Result<(TermsView, T), ApiError> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    let shop = find_shop(&store, shop)?;
    let (terms, told) = change(&store, &shop)?;
    store.change(|tx| tx.put_terms(&shop.domain, &terms))?;
    let market = market(agent, &store)?.for_reader(reader.0);
    let view = terms::view(&store, &market, &shop)?;
    Ok((view, told))
}

async fn edit(
    State(agent): State<Agent>,
    reader: Reader,
    Path(shop): Path<String>,
    Body(edit): Body<EditTerms>,
) -> Result<TermsView> {
    let change = |store: &Store, shop: &Shop| Ok((terms::edited(store, shop, &edit)?, ()));
    Ok(Json(changed(&agent, reader, &shop, change).await?.0))
}

async fn add_coupon(
    State(agent): State<Agent>,
    reader: Reader,
    Path(shop): Path<String>,
    Body(new): Body<NewCoupon>,
) -> Result<TermsView> {
    let change = |store: &Store, shop: &Shop| {
        let find = |text: &str| agent.find_want(store, text);
        let terms = terms::with_coupon(store, &market(&agent, store)?, shop, &new, find)?;
        Ok((terms, ()))
    };
    Ok(Json(changed(&agent, reader, &shop, change).await?.0))
}

async fn remove_coupon(
    State(agent): State<Agent>,
    reader: Reader,
    Path((shop, code)): Path<(String, String)>,
) -> Result<Done> {
    let change = |store: &Store, shop: &Shop| {
        let mut terms = store.terms(&shop.domain)?;
        let before = terms.coupons.len();
        terms.coupons.retain(|c| c.code != code.trim());
        if terms.coupons.len() == before {
            return Err(
                ApiError::not_found(format!("no coupon `{code}` at {}", shop.domain))
                    .hint("see `emptor shop coupon list SHOP`"),
            );
        }
        Ok((terms, ()))
    };
    let (view, ()) = changed(&agent, reader, &shop, change).await?;
    done(format!("Coupon {code} at {} is forgotten.", view.shop))
}

async fn add_price(
    State(agent): State<Agent>,
    reader: Reader,
    Path(shop): Path<String>,
    Body(new): Body<NewPrice>,
) -> Result<TermsView> {
    let change = |store: &Store, shop: &Shop| {
        let find = |text: &str| agent.find_want(store, text);
        terms::with_price(store, &market(&agent, store)?, shop, &new, find)
    };
    let (mut view, id) = changed(&agent, reader, &shop, change).await?;
    view.prices.retain(|p| p.id == id.short());
    Ok(Json(view))
}

async fn remove_price(
    State(agent): State<Agent>,
    reader: Reader,
    Path((shop, price)): Path<(String, String)>,
) -> Result<Done> {
    let change = |store: &Store, shop: &Shop| {
        let mut terms = store.terms(&shop.domain)?;
        let text = price.trim().to_ascii_lowercase();
        let at = terms.offers.iter().position(|o| o.id.short() == text);
        let Some(at) = at else {
            return Err(ApiError::not_found(format!(
                "no noted price `{price}` at {}",
                shop.domain
            ))
            .hint("the ids stand in brackets in `emptor shop price list SHOP`"));
        };
        let gone = terms.offers.remove(at);
        Ok((terms, gone.name))
    };
    let (_, name) = changed(&agent, reader, &shop, change).await?;
    done(format!("The price of {name} is forgotten."))
}
