//! Stored pages of real shops, served on loopback and read like any other page.

use crate::cli::context::{CliError, Context, Result};
use crate::model::Verdict;
use crate::net::{FetchRequest, Fetcher, NetConfig};
use crate::worker::{Job, Reply, Source, WorkerPool};
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// One stored page.
#[derive(Clone, Debug, Deserialize)]
struct Entry {
    id: String,
    /// Where it was stored from, if that is known.
    url: Option<String>,
    file: PathBuf,
}

/// The longest manifest read, in pages.
const MAX_PAGES: usize = 10_000;

/// Serves the pages of `dir` and prints a line for each.
///
/// # Errors
/// The manifest cannot be read: the message names its line.
pub async fn read(cx: &Context, dir: &Path) -> Result {
    let entries = Arc::new(manifest(dir)?);
    let fail = |e: &dyn std::fmt::Display| CliError::failed(e.to_string());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(|e| fail(&e))?;
    let address = listener.local_addr().map_err(|e| fail(&e))?;
    let app = Router::new()
        .route("/{number}", get(page))
        .with_state((Arc::clone(&entries), dir.to_path_buf()));
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let net = Fetcher::new(NetConfig {
        gap: Duration::from_millis(5),
        allow_private: vec![address.to_string()],
        ..NetConfig::default()
    })
    .map_err(|e| fail(&e))?;
    let pool = WorkerPool::new(1, crate::worker::this_binary().map_err(|e| fail(&e))?);
    for (number, entry) in entries.iter().enumerate() {
        let line = one(cx, &net, &pool, address, number, entry).await;
        cx.line(&format!("  {:<14} {line}", entry.id));
    }
    server.abort();
    Ok(())
}

async fn one(
    cx: &Context,
    net: &Fetcher,
    pool: &WorkerPool,
    address: std::net::SocketAddr,
    number: usize,
    entry: &Entry,
) -> String {
    let Ok(url) = Url::parse(&format!("http://{address}/{number}")) else {
        return cx.yellow("its address is no address");
    };
    let original = match entry.url.as_deref().map(Url::parse) {
        None => url.clone(),
        Some(Ok(original)) => original,
        Some(Err(e)) => return cx.yellow(&format!("its address is no address: {e}")),
    };
    let request = FetchRequest {
        url,
        validators: None,
        accept: None,
    };
    let fetched = match net.get(request).await {
        Ok(fetched) => fetched,
        Err(e) => return cx.yellow(&e.to_string()),
    };
    // It is read as the page it was, at the address it had.
    let source = Source {
        url: original,
        status: fetched.status,
        content_type: None,
        adapter: None,
        shop_currency: None,
    };
    match pool.call(Job::ReadPage(source), fetched.body).await {
        Ok(Reply::Extraction(e)) => {
            let offer = e.offers.first();
            let title = offer
                .and_then(|o| o.name.as_deref())
                .or(e.title.as_deref())
                .unwrap_or("(no title)");
            let title: String = title.chars().take(48).collect();
            let verdict = e.verdict.as_str();
            match (e.verdict, offer.and_then(|o| o.price)) {
                (Verdict::Value, Some(price)) => {
                    format!(
                        "{} {}",
                        cx.green(&format!("{:>16}", cx.locale.money(&price))),
                        title
                    )
                }
                _ => {
                    let reason = e.reason.unwrap_or_default();
                    format!("{} {title}: {reason}", cx.yellow(&format!("{verdict:>16}")))
                }
            }
        }
        Ok(Reply::Failed(why)) => cx.yellow(&why),
        Ok(_) => cx.yellow("an answer to another question"),
        Err(e) => cx.yellow(&e.to_string()),
    }
}

async fn page(
    State((entries, dir)): State<(Arc<Vec<Entry>>, PathBuf)>,
    UrlPath(number): UrlPath<usize>,
) -> Response {
    let Some(entry) = entries.get(number) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match tokio::fs::read(dir.join(&entry.file)).await {
        Ok(body) => ([(header::CONTENT_TYPE, "text/html")], body).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

fn manifest(dir: &Path) -> Result<Vec<Entry>> {
    let path = dir.join("manifest.jsonl");
    let text = std::fs::read_to_string(&path)
        .map_err(|e| CliError::usage(format!("cannot read {}: {e}", path.display())))?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .take(MAX_PAGES)
        .map(|(i, line)| {
            let at = |e: &dyn std::fmt::Display| {
                CliError::usage(format!("{}:{}: {e}", path.display(), i + 1))
            };
            let entry: Entry = serde_json::from_str(line).map_err(|e| at(&e))?;
            // The folder is what the person named; nothing outside it is served.
            if entry
                .file
                .components()
                .all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
            {
                Ok(entry)
            } else {
                Err(at(&"`file` must lie inside the folder"))
            }
        })
        .collect()
}
