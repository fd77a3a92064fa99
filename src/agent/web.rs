//! The web page: the person's wants, offers and shops, to look at in a browser.
//!
//! Read-only and without script. It listens on loopback under a host name drawn at start,
//! because cookies of one host are shared by all its ports. The command line gets a link
//! that is good once and for a minute; the browser trades it for a session.

mod basket;

use super::api::ApiError;
use super::api::types::{Blind, OffersReply};
use super::core::Agent;
use super::view::{self, Market};
use crate::engine::locale::{Locale, ago, availability};
use crate::model::time::Timestamp;
use crate::model::want::{Want, WantKind, WantStatus};
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const CODE_LIFE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(15 * 60);
const LIFE: Duration = Duration::from_secs(8 * 3600);
const MAX_SESSIONS: usize = 4;

/// The browsers that may look.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<State_>);

#[derive(Debug, Default)]
struct State_ {
    authority: Option<String>,
    codes: HashMap<String, Instant>,
    sessions: HashMap<String, (Instant, Instant)>,
}

impl Sessions {
    fn state(&self) -> MutexGuard<'_, State_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all sessions.
    pub fn clear(&self) {
        let mut state = self.state();
        state.codes.clear();
        state.sessions.clear();
    }

    fn new_code(&self) -> Result<String, ApiError> {
        let code = secret()?;
        let mut state = self.state();
        state.codes.retain(|_, t| t.elapsed() < CODE_LIFE);
        state.codes.insert(code.clone(), Instant::now());
        Ok(code)
    }

    /// Trades a code for a session.
    fn redeem(&self, code: &str) -> Option<String> {
        let mut state = self.state();
        let made = state.codes.remove(code)?;
        if made.elapsed() > CODE_LIFE {
            return None;
        }
        let session = secret().ok()?;
        if state.sessions.len() >= MAX_SESSIONS
            && let Some(oldest) = state
                .sessions
                .iter()
                .min_by_key(|(_, (start, _))| *start)
                .map(|(k, _)| k.clone())
        {
            state.sessions.remove(&oldest);
        }
        let now = Instant::now();
        state.sessions.insert(session.clone(), (now, now));
        Some(session)
    }

    fn is_valid(&self, session: &str) -> bool {
        let mut state = self.state();
        state
            .sessions
            .retain(|_, (start, used)| start.elapsed() < LIFE && used.elapsed() < IDLE);
        state.sessions.get_mut(session).is_some_and(|(_, used)| {
            *used = Instant::now();
            true
        })
    }
}

fn secret() -> Result<String, ApiError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| ApiError::failed(e.to_string()))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Makes a link for the person's browser, to the overview or to where a list is bought,
/// starting the listener on first use.
///
/// # Errors
/// The vault is locked, or loopback cannot be listened on.
pub async fn link(agent: &Agent, list: Option<&str>) -> Result<String, ApiError> {
    agent.store()?;
    let known = agent.web().state().authority.clone();
    let authority = match known {
        Some(authority) => authority,
        None => listen(agent).await?,
    };
    let code = agent.web().new_code()?;
    let list = list.map_or_else(String::new, |l| format!("&list={}", encode(l)));
    Ok(format!("http://{authority}/?code={code}{list}"))
}

async fn listen(agent: &Agent) -> Result<String, ApiError> {
    let failed = |e: std::io::Error| ApiError::failed(format!("cannot listen on loopback: {e}"));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let authority = format!("emptor-{}.localhost:{port}", &secret()?[..16]);
    agent.web().state().authority = Some(authority.clone());
    let app = router(agent.clone());
    let stop = agent.stopping();
    tokio::spawn(async move {
        let served = axum::serve(listener, app)
            .with_graceful_shutdown(async move { stop.cancelled().await })
            .await;
        if let Err(e) = served {
            tracing::error!("the web page stopped: {e}");
        }
    });
    Ok(authority)
}

/// The page with its guard.
pub fn router(agent: Agent) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/style.css", get(style))
        .layer(middleware::from_fn_with_state(agent.clone(), guard))
        .with_state(agent)
}

/// What every request must pass, and what every answer carries.
async fn guard(State(agent): State<Agent>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let mut response = if request.method() != Method::GET {
        StatusCode::METHOD_NOT_ALLOWED.into_response()
    } else if host.is_none() || host != agent.web().state().authority.as_deref() {
        // Another name for this address: DNS rebinding.
        StatusCode::MISDIRECTED_REQUEST.into_response()
    } else if !is_own_request(headers) {
        StatusCode::FORBIDDEN.into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A page of another site may not even ask.
fn is_own_request(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_none_or(|v| v == "same-origin" || v == "none")
}

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[derive(Deserialize)]
struct Asked {
    code: Option<String>,
    /// The list whose basket is shown; the overview without it.
    list: Option<String>,
}

fn session_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split(';')
        .find_map(|c| c.trim().strip_prefix("emptor="))
}

async fn page(
    State(agent): State<Agent>,
    headers: HeaderMap,
    Query(query): Query<Asked>,
) -> Response {
    if let Some(code) = query.code {
        let Some(session) = agent.web().redeem(&code) else {
            return (StatusCode::FORBIDDEN, Html(EXPIRED)).into_response();
        };
        // Away from the address with the code, so that it stays out of the history.
        let to = query
            .list
            .map_or_else(|| "/".to_owned(), |l| format!("/?list={}", encode(&l)));
        let cookie = format!("emptor={session}; HttpOnly; SameSite=Strict; Path=/");
        return (
            StatusCode::SEE_OTHER,
            [(header::LOCATION, to), (header::SET_COOKIE, cookie)],
        )
            .into_response();
    }
    if !session_of(&headers).is_some_and(|s| agent.web().is_valid(s)) {
        return (StatusCode::FORBIDDEN, Html(EXPIRED)).into_response();
    }
    let page = match &query.list {
        Some(list) => basket::render(&agent, list).await,
        None => render(&agent),
    };
    match page {
        Ok(html) => Html(html).into_response(),
        Err(e) => (e.status(), Html(error_html(&agent, &e))).into_response(),
    }
}

/// What went wrong, what to do, and the way back.
fn error_html(agent: &Agent, error: &ApiError) -> String {
    let mut out = String::from(HEAD);
    let said = agent.config().locale().say(&error.error);
    let _ = write!(out, "<p class=\"bad\">{}</p>", escape(&said));
    if let Some(hint) = &error.hint {
        let _ = write!(out, "<p>{}</p>", escape(hint));
    }
    out.push_str(FOOT);
    out
}

async fn style() -> Response {
    (
        [(header::CONTENT_TYPE, "text/css")],
        include_str!("web.css"),
    )
        .into_response()
}

const EXPIRED: &str = "<!doctype html><title>emptor</title><p>This link has expired. Get a new one with <code>emptor web</code>.</p>";

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>emptor</title>\
     <meta name=\"viewport\" content=\"width=device-width\">\
     <link rel=\"stylesheet\" href=\"/style.css\"></head><body><h1>emptor</h1>";

const FOOT: &str = "<p><a href=\"/\">All wants</a></p></body></html>";

fn render(agent: &Agent) -> Result<String, ApiError> {
    let store = agent.store()?;
    let config = agent.config();
    let now = Timestamp::now();
    let locale = config.locale();
    let market = Market::load(&store, &config, now)?.for_reader(locale.clone());
    let mut out = String::from(HEAD);
    let alerts = store.alerts()?;
    if !alerts.is_empty() {
        out.push_str("<section><h2>Alerts</h2><ul class=\"alerts\">");
        for a in alerts.iter().rev().take(10) {
            let _ = write!(
                out,
                "<li><strong>{}</strong><br>{} <time>{}</time></li>",
                link_to(a.url.as_ref(), &locale.say(&a.title)),
                escape(&locale.say(&a.reason)),
                ago(a.at, now)
            );
        }
        out.push_str("</ul></section>");
    }
    out.push_str("<section><h2>Wants</h2>");
    let wants = store.wants()?;
    let mut blind: Vec<Blind> = Vec::new();
    for want in wants.iter().filter(|w| w.status == WantStatus::Open) {
        let reply = view::offers(&store, &market, want)?;
        want_html(&mut out, &reply, &locale, now);
        blind.extend(reply.blind);
    }
    if !wants.iter().any(|w| w.status == WantStatus::Open) {
        out.push_str("<p>No open wants. Add something with <code>emptor add</code>.</p>");
    }
    lists_html(&mut out, &wants);
    out.push_str("</section><section><h2>Shops</h2><table><tbody>");
    let shops = store.shops()?;
    if shops.is_empty() {
        let how = "Follow one with <code>emptor shop add DOMAIN</code>.";
        let _ = write!(out, "<tr><td>No shops yet. {how}</td></tr>");
    }
    for shop in shops {
        let state = match (shop.health.trouble, shop.health.last_good) {
            (Some(_), _) => "<span class=\"bad\">blind</span>".to_owned(),
            (None, Some(good)) => format!("<span class=\"good\">read {}</span>", ago(good, now)),
            (None, None) => "not read yet".to_owned(),
        };
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{state}</td></tr>",
            escape(&shop.domain)
        );
    }
    out.push_str("</tbody></table>");
    for b in Blind::once(blind) {
        let _ = write!(
            out,
            "<p class=\"bad\">Blind: {}<br>{}</p>",
            escape(&b.words()),
            escape(&b.advice)
        );
    }
    out.push_str("</section></body></html>");
    Ok(out)
}

/// Links to where each shopping list is bought.
fn lists_html(out: &mut String, wants: &[Want]) {
    let open = wants.iter().filter(|w| w.status == WantStatus::Open);
    let shopping = open.filter(|w| w.kind == WantKind::Shopping);
    let lists: BTreeSet<&str> = shopping.map(|w| w.list.as_str()).collect();
    for list in lists {
        let _ = write!(
            out,
            "<p><a href=\"/?list={}\">Where to buy all of {}</a></p>",
            encode(list),
            escape(list)
        );
    }
}

fn want_html(out: &mut String, reply: &OffersReply, locale: &Locale, now: Timestamp) {
    let _ = write!(
        out,
        "<article><h3>{}</h3><p>{}</p><table><tbody>",
        escape(&reply.want.want.counted()),
        escape(&reply.summary)
    );
    for o in reply.ranked.iter().take(8) {
        let cost = o.landed.as_ref().map(|c| c.words(locale));
        let cost = cost.unwrap_or_else(|| "no price".to_owned());
        let class = if o.shortlisted {
            " class=\"short\""
        } else {
            ""
        };
        // The person's own note has a day, and nobody looked whether it can be had.
        let (state, seen) = match (o.source.as_str(), o.notes.first()) {
            ("noted", Some(noted)) => (escape(noted), String::new()),
            _ => (availability(o.availability).to_owned(), ago(o.seen, now)),
        };
        let _ = write!(
            out,
            "<tr{class}><td class=\"money\">{}</td><td>{}</td><td>{state}</td><td class=\"seen\">{seen}</td></tr>",
            escape(&cost),
            link_to(Some(&o.url), &o.shop),
        );
    }
    out.push_str("</tbody></table></article>");
}

/// A name, linked to where it is sold. Only the web is linked to.
fn link_to(url: Option<&String>, name: &str) -> String {
    let name = escape(name);
    let is_web = |url: &&String| url.starts_with("https://") || url.starts_with("http://");
    match url.filter(is_web) {
        Some(url) => format!("<a href=\"{}\">{name}</a>", escape(url)),
        None => name,
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once() {
        let sessions = Sessions::default();
        let code = sessions.new_code().expect("a code");
        let session = sessions.redeem(&code).expect("a session");
        assert!(sessions.is_valid(&session));
        assert_eq!(sessions.redeem(&code), None);
        assert!(!sessions.is_valid("0000"));
        sessions.clear();
        assert!(!sessions.is_valid(&session));
    }

    #[test]
    fn at_most_four_browsers() {
        let sessions = Sessions::default();
        let all: Vec<String> = (0..6)
            .map(|_| {
                sessions
                    .redeem(&sessions.new_code().expect("code"))
                    .expect("session")
            })
            .collect();
        assert_eq!(
            all.iter().filter(|s| sessions.is_valid(s)).count(),
            MAX_SESSIONS
        );
    }
}
