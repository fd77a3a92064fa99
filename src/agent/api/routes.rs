//! The route table: one list from which the router and the OpenAPI document are made, so
//! that neither can have what the other lacks.

use crate::agent::core::Agent;
use axum::Router;
use axum::routing::MethodRouter;
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// One route as documented.
pub struct Route {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: Option<fn(&mut Schemas) -> Value>,
    reply: fn(&mut Schemas) -> Value,
    handler: MethodRouter<Agent>,
}

/// The schema of `T`, by reference where it is named.
fn schema_of<T: ToSchema + PartialSchema>(all: &mut Schemas) -> Value {
    all.push((T::name().into_owned(), T::schema()));
    T::schemas(all);
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

fn list_of<T: ToSchema + PartialSchema>(all: &mut Schemas) -> Value {
    json!({"type": "array", "items": schema_of::<T>(all)})
}

impl Route {
    /// A route that takes no body.
    pub fn new<R: ToSchema + PartialSchema>(
        method: &'static str,
        path: &'static str,
        summary: &'static str,
        handler: MethodRouter<Agent>,
    ) -> Self {
        Self {
            method,
            path,
            summary,
            body: None,
            reply: schema_of::<R>,
            handler,
        }
    }

    /// The same, answering a list of `R`.
    pub fn list<R: ToSchema + PartialSchema>(
        method: &'static str,
        path: &'static str,
        summary: &'static str,
        handler: MethodRouter<Agent>,
    ) -> Self {
        Self {
            reply: list_of::<R>,
            ..Self::new::<R>(method, path, summary, handler)
        }
    }

    /// The same, taking a `B`.
    pub fn takes<B: ToSchema + PartialSchema>(mut self) -> Self {
        self.body = Some(schema_of::<B>);
        self
    }
}

/// The router of a table.
pub fn router(routes: Vec<Route>) -> Router<Agent> {
    routes
        .into_iter()
        .fold(Router::new(), |app, r| app.route(r.path, r.handler))
}

/// The OpenAPI 3.1 document of a table.
pub fn openapi(routes: &[Route]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    let error = json!({
        "description": "What went wrong and what to do",
        "content": {"application/json": {"schema": schema_of::<super::ApiError>(&mut schemas)}},
    });
    for r in routes {
        let parameters: Vec<Value> = r
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| {
                json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
            })
            .collect();
        let reply = (r.reply)(&mut schemas);
        let mut operation = json!({
            "summary": r.summary,
            "operationId": operation_id(r.method, r.path),
            "responses": {
                "200": {"description": "Done", "content": {"application/json": {"schema": reply}}},
                "default": error,
            },
        });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = r.body {
            let schema = body(&mut schemas);
            operation["requestBody"] =
                json!({"required": true, "content": {"application/json": {"schema": schema}}});
        }
        paths.entry(r.path).or_insert_with(|| json!({}))[r.method] = operation;
    }
    let schemas: Map<String, Value> = schemas
        .into_iter()
        .filter_map(|(name, schema)| Some((name, serde_json::to_value(schema).ok()?)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "emptor",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The local API of the emptor daemon: HTTP/1.1 over a unix socket that only its owner can open.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

fn operation_id(method: &str, path: &str) -> String {
    let words: Vec<&str> = path
        .split(['/', '{', '}', '.'])
        .filter(|w| !w.is_empty() && *w != "v1")
        .collect();
    format!("{method}_{}", words.join("_"))
}
