//! A small reference provider: the seller's side of a call for tenders.
//!
//! It shows how little a provider needs: take a schema.org `Demand` by POST, answer with a
//! plain JSON-LD `Offer`, listen for the award. No keys, no account, no library of ours.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How this provider answers.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Its name.
    pub name: String,
    /// The price of one, as a decimal.
    pub price: String,
    /// ISO 4217.
    pub currency: String,
    /// The delivery charge, as a decimal.
    pub delivery: String,
    /// Days until it arrives.
    pub days: u32,
    /// Words that come with the quote. A good buyer's agent is not moved by them.
    pub note: String,
}

#[derive(Debug, Default)]
struct Conversation {
    messages: Vec<Value>,
    outcome: Option<String>,
}

/// The provider's state: its terms and its conversations.
#[derive(Clone, Debug)]
pub struct Provider {
    terms: Terms,
    conversations: Arc<Mutex<HashMap<String, Conversation>>>,
}

/// At most so many conversations are kept.
const MAX_CONVERSATIONS: usize = 10_000;

impl Provider {
    /// A provider with these terms.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            conversations: Arc::default(),
        }
    }

    /// The HTTP interface: `POST /sessions`, `GET` and `POST /sessions/ID/messages`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/sessions", post(open))
            .route("/sessions/{id}/messages", get(read).post(write))
            .with_state(self)
    }

    /// What became of each conversation: `accept`, `reject` or nothing yet.
    #[must_use]
    pub fn outcomes(&self) -> Vec<Option<String>> {
        let all = self
            .conversations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.values().map(|c| c.outcome.clone()).collect()
    }

    fn quote(&self, demand: &Value) -> Value {
        let t = &self.terms;
        json!({
            "@context": ["https://schema.org", {"emptor": "urn:x-emptor:tender:1#"}],
            "@type": "Offer",
            "identifier": format!("{}-1", t.name),
            "emptor:inReplyTo": demand["@id"],
            "itemOffered": demand["itemOffered"],
            "price": t.price,
            "priceCurrency": t.currency,
            "priceSpecification": [{
                "@type": "DeliveryChargeSpecification",
                "price": t.delivery,
                "priceCurrency": t.currency,
            }],
            "availability": "https://schema.org/InStock",
            "itemCondition": demand.get("itemCondition").cloned()
                .unwrap_or_else(|| "https://schema.org/NewCondition".into()),
            "deliveryLeadTime": {"@type": "QuantitativeValue", "maxValue": t.days, "unitCode": "DAY"},
            "validThrough": demand["validThrough"],
            "seller": {"@type": "Organization", "name": t.name},
            "description": t.note,
            "emptor:firm": true,
        })
    }
}

async fn open(State(provider): State<Provider>, Json(demand): Json<Value>) -> Response {
    if demand["@type"] != "Demand" {
        let problem = json!({"type": "about:blank", "title": "Expected a schema.org Demand"});
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(problem)).into_response();
    }
    let id = uuid::Uuid::new_v4().to_string();
    let quote = json!({"sequence": 1, "type": "offer", "body": provider.quote(&demand)});
    let mut all = provider
        .conversations
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MAX_CONVERSATIONS {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    all.insert(
        id.clone(),
        Conversation {
            messages: vec![quote],
            outcome: None,
        },
    );
    let mut headers = HeaderMap::new();
    if let Ok(value) = format!("sessions/{id}").parse() {
        headers.insert(header::LOCATION, value);
    }
    (StatusCode::CREATED, headers).into_response()
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after_sequence: u64,
}

async fn read(
    State(provider): State<Provider>,
    Path(id): Path<String>,
    Query(after): Query<After>,
) -> Response {
    let all = provider
        .conversations
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let Some(conversation) = all.get(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let new: Vec<&Value> = conversation
        .messages
        .iter()
        .filter(|m| {
            m["sequence"]
                .as_u64()
                .is_some_and(|n| n > after.after_sequence)
        })
        .collect();
    Json(json!({"messages": new})).into_response()
}

async fn write(
    State(provider): State<Provider>,
    Path(id): Path<String>,
    Json(message): Json<Value>,
) -> Response {
    let mut all = provider
        .conversations
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let Some(conversation) = all.get_mut(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = message["type"].as_str().unwrap_or_default().to_owned();
    if conversation.outcome.is_none() && matches!(kind.as_str(), "accept" | "reject") {
        if kind == "accept" {
            let sequence = conversation.messages.len() as u64 + 1;
            conversation
                .messages
                .push(json!({"sequence": sequence, "type": "confirm"}));
        }
        conversation.outcome = Some(kind);
    }
    StatusCode::ACCEPTED.into_response()
}
