//! The routes about calls for tenders.

use super::handlers::{Body, Reader, Result, done};
use super::routes::Route;
use super::types::*;
use crate::agent::core::Agent;
use crate::agent::tenders;
use axum::Json;
use axum::extract::{Path, State};
use axum::routing::{get, post};

/// The routes, for the table.
pub fn routes() -> Vec<Route> {
    vec![
        Route::list::<TenderView>(
            "get",
            "/v1/tenders",
            "All calls for tenders",
            get(all_tenders),
        ),
        Route::new::<TenderView>(
            "post",
            "/v1/tenders",
            "Draft a call for tenders",
            post(new_tender),
        )
        .takes::<NewTender>(),
        Route::new::<TenderView>(
            "get",
            "/v1/tenders/{tender}",
            "One call for tenders",
            get(one_tender),
        ),
        Route::new::<TenderView>(
            "post",
            "/v1/tenders/{tender}/approve",
            "Send it",
            post(approve_tender),
        ),
        Route::new::<TenderView>(
            "post",
            "/v1/tenders/{tender}/poll",
            "Ask for replies now",
            post(poll_tender),
        ),
        Route::new::<TenderView>(
            "post",
            "/v1/tenders/{tender}/award",
            "Accept a quote",
            post(award_tender),
        )
        .takes::<Award>(),
        Route::new::<Done>(
            "post",
            "/v1/tenders/{tender}/cancel",
            "Call it off",
            post(cancel_tender),
        ),
    ]
}

async fn all_tenders(State(agent): State<Agent>, reader: Reader) -> Result<Vec<TenderView>> {
    Ok(Json(tenders::list(&agent, &reader.0)?))
}

async fn new_tender(
    State(agent): State<Agent>,
    reader: Reader,
    Body(new): Body<NewTender>,
) -> Result<TenderView> {
    Ok(Json(tenders::draft(&agent, &new, &reader.0)?))
}

async fn one_tender(
    State(agent): State<Agent>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<TenderView> {
    Ok(Json(tenders::show(&agent, &id, &reader.0)?))
}

async fn approve_tender(
    State(agent): State<Agent>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<TenderView> {
    Ok(Json(tenders::approve(&agent, &id, &reader.0).await?))
}

async fn poll_tender(
    State(agent): State<Agent>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<TenderView> {
    Ok(Json(tenders::poll(&agent, &id, &reader.0).await?))
}

async fn award_tender(
    State(agent): State<Agent>,
    reader: Reader,
    Path(id): Path<String>,
    Body(award): Body<Award>,
) -> Result<TenderView> {
    Ok(Json(
        tenders::choose(&agent, &id, &award.quote, &reader.0).await?,
    ))
}

async fn cancel_tender(State(agent): State<Agent>, Path(id): Path<String>) -> Result<Done> {
    done(tenders::cancel(&agent, &id).await?)
}
