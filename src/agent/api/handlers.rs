//! The table of all routes, what every request passes, and the routes about the daemon
//! itself. Handlers are short: the work is in the agent's modules.

use super::routes::{self, Route};
use super::types::*;
use super::{ApiError, Code, alerts, decisions, shops, tenders, terms, vault, wants};
use crate::agent::core::Agent;
use crate::agent::store::Store;
use crate::agent::view::Market;
use crate::agent::web;
use crate::engine::locale::Locale;
use crate::model::time::Timestamp;
use crate::vault::{RecoveryCode, Secret};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;

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
        Route::new::<NotifyTest>(
            "post",
            "/v1/notify/test",
            "Send a test message",
            post(notify_test),
        ),
        Route::new::<WebPage>("post", "/v1/web", "A link to the web page", post(web_link)),
        Route::new::<Object>("get", "/v1/openapi.json", "This document", get(document)),
    ];
    table.extend(wants::routes());
    table.extend(shops::routes());
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
