//! Calls for tenders: from the draft to the award. What leaves is in the ledger first.

use super::api::types::{NewTender, SessionView, TenderView};
use super::api::{ApiError, Code};
use super::core::Agent;
use super::store::Store;
use super::view::{self, Market};
use crate::engine::locale::Locale;
use crate::engine::quote::{Content, Reply as Message};
use crate::model::Id;
use crate::model::tender::{Quote, Session, SessionStatus, Tender, TenderStatus};
use crate::model::time::{SignedDuration, Timestamp};
use crate::model::want::WantStatus;
use crate::net::Fetcher;
use crate::tender::https::TransportError;
use crate::tender::state::{SessionEvent, TenderEvent, award, session_step, tender_step};
use crate::tender::{demand_for, did, document, https};
use crate::vault::{Disclosure, VaultError};
use crate::worker::{Job, Reply};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

/// At most so many providers for one tender: a wish is no mass mailing.
const MAX_INVITEES: usize = 12;
/// At most so many revisions of one provider's quote.
const MAX_REVISIONS: usize = 5;
/// How long replies may take by default.
const DEFAULT_HOURS: u32 = 72;
/// The longest time for replies, 90 days.
const MAX_HOURS: u32 = 2160;
/// What the person is told where an award cannot be sent.
const NO_PLACE: &str =
    "the provider names no address for an answer: tell it yourself that you accept";
/// The pause between two polls, doubled each time …
const FIRST_POLL: SignedDuration = SignedDuration::from_secs(5);
/// … up to this.
const SLOWEST_POLL: SignedDuration = SignedDuration::from_mins(30);

/// Makes a draft. Nothing is sent.
///
/// # Errors
/// An unknown want or a bad endpoint.
pub fn draft(agent: &Agent, new: &NewTender, locale: &Locale) -> Result<TenderView, ApiError> {
    let store = agent.store()?;
    let want = agent.find_want(&store, &new.want)?;
    if new.to.is_empty() || new.to.len() > MAX_INVITEES {
        return Err(
            ApiError::invalid(format!("name 1 to {MAX_INVITEES} providers"))
                .hint("give each with --to URL"),
        );
    }
    let now = Timestamp::now();
    let hours = new.hours.unwrap_or(DEFAULT_HOURS);
    if !(1..=MAX_HOURS).contains(&hours) {
        return Err(
            ApiError::invalid(format!("replies must come within 1 to {MAX_HOURS} hours"))
                .hint(format!("without --hours it is {DEFAULT_HOURS}")),
        );
    }
    let closes = now
        .checked_add(SignedDuration::from_hours(i64::from(hours)))
        .map_err(|e| ApiError::invalid(e.to_string()))?;
    // To the full hour: an exact time in every invitation would tell invitees who compare
    // them that they were asked together.
    let hour = closes.as_second().div_euclid(3600) + 1;
    let closes = Timestamp::from_second(hour * 3600).unwrap_or(closes);
    let config = agent.config();
    let mut sessions: Vec<Session> = Vec::new();
    for text in &new.to {
        let url = https::endpoint(text, &config.net.allow_private).map_err(|e| {
            ApiError::invalid(e.to_string()).hint(
                "a provider of your own may use http if its host is under [net] allow_private",
            )
        })?;
        if sessions.iter().any(|s| s.endpoint == url.as_str()) {
            continue;
        }
        let seed = did::fresh_seed().map_err(|e| ApiError::failed(e.to_string()))?;
        sessions.push(Session::new(url, seed));
    }
    let tender = Tender {
        id: Id::new(),
        want: want.id,
        status: TenderStatus::Draft,
        demand: demand_for(&want, closes),
        created: now,
        closes,
        sessions,
    };
    store.change(|tx| tx.put_tender(&tender))?;
    view(agent, &store, &tender, locale)
}

/// The exact bytes for one provider.
fn bytes(tender: &Tender, session: &Session) -> Result<(Value, Vec<u8>), ApiError> {
    let buyer = did::did_of_seed(&session.seed)
        .ok_or_else(|| ApiError::failed("the conversation's key is damaged"))?;
    let document = document(tender, session, &buyer);
    let text = serde_json::to_vec_pretty(&document).map_err(|e| ApiError::failed(e.to_string()))?;
    Ok((document, text))
}

/// Sends a draft: the person saw it and agrees.
///
/// # Errors
/// It is no draft, or nobody could be reached.
pub async fn approve(agent: &Agent, text: &str, locale: &Locale) -> Result<TenderView, ApiError> {
    let _tenderer = agent.tenderer().await;
    let store = agent.store()?;
    let mut tender = find(&store, text)?;
    tender.status = step(tender.status, TenderEvent::Approve)?;
    store.change(|tx| tx.put_tender(&tender))?;
    let net = agent.fetcher();
    let now = Timestamp::now();
    for i in 0..tender.sessions.len() {
        let session = &tender.sessions[i];
        let (document, bytes) = bytes(&tender, session)?;
        let endpoint =
            Url::parse(&session.endpoint).map_err(|e| ApiError::failed(e.to_string()))?;
        disclose(
            &store,
            &tender,
            session,
            crate::tender::demand::fields(&document),
            &bytes,
            "call for tenders",
        )?;
        let key = session.id.to_string();
        let result = https::open(&net, &endpoint, &key, bytes).await;
        let session = &mut tender.sessions[i];
        match result {
            Ok(opened) => {
                session.location = opened.location;
                session.trouble = None;
                session.next_poll = now.checked_add(SignedDuration::from_secs(1)).ok();
                if !opened.body.iter().all(u8::is_ascii_whitespace) && session.location.is_none() {
                    take_replies(agent, session, opened.body, now).await;
                }
            }
            Err(e) => session.trouble = Some(e.to_string()),
        }
    }
    let reached = tender.sessions.iter().any(|s| s.trouble.is_none());
    if reached {
        tender.status = step(tender.status, TenderEvent::Sent)?;
    }
    store.change(|tx| tx.put_tender(&tender))?;
    agent.wake();
    if !reached {
        let why: Vec<String> = tender
            .sessions
            .iter()
            .map(|s| format!("{}: {}", s.endpoint, s.trouble.as_deref().unwrap_or("?")))
            .collect();
        return Err(ApiError::failed("no provider could be reached").hint(why.join("; ")));
    }
    view(agent, &store, &tender, locale)
}

/// Puts into the ledger what is about to leave; on disk when this returns.
fn disclose(
    store: &Store,
    tender: &Tender,
    session: &Session,
    fields: Vec<String>,
    bytes: &[u8],
    purpose: &str,
) -> Result<(), VaultError> {
    let disclosure = Disclosure {
        time: Timestamp::now(),
        actor: "person".into(),
        recipient: session.endpoint.clone(),
        subject: tender.id.to_string(),
        fields,
        sha256: hex(&Sha256::digest(bytes)),
        purpose: purpose.into(),
    };
    store
        .vault()
        .transaction(|tx| tx.disclose(&disclosure).map(drop))
}

/// Tells a provider what became of its offer, after the ledger has it.
async fn tell(
    net: &Fetcher,
    store: &Store,
    tender: &Tender,
    session: &Session,
    location: &str,
    message: &Value,
    purpose: &str,
) -> Result<Result<(), TransportError>, VaultError> {
    let bytes = message.to_string().into_bytes();
    let fields = crate::tender::demand::fields(message);
    disclose(store, tender, session, fields, &bytes, purpose)?;
    let key = format!("{}-{purpose}", session.id);
    Ok(https::send(net, location, &key, bytes).await)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads replies in a worker and adds the quotes among them.
async fn take_replies(agent: &Agent, session: &mut Session, body: Vec<u8>, now: Timestamp) {
    let sha256 = hex(&Sha256::digest(&body));
    let messages = match agent.pool().call(Job::ReadQuotes, body).await {
        Ok(Reply::Quotes(messages)) => messages,
        Ok(Reply::Failed(why)) => {
            session.trouble = Some(format!("a reply could not be used: {why}"));
            return;
        }
        Ok(_) => return,
        Err(e) => {
            session.trouble = Some(format!("a reply could not be read: {e}"));
            return;
        }
    };
    for message in messages {
        take(session, message, &sha256, now);
    }
}

/// Takes one reply. Numbers must rise, so a message repeated changes nothing.
fn take(session: &mut Session, message: Message, sha256: &str, now: Timestamp) {
    if message.sequence <= session.cursor {
        return;
    }
    session.cursor = message.sequence;
    match message.content {
        Content::Quote {
            identifier,
            offer,
            firm,
            valid_through,
        } => {
            let Ok(status) = session_step(session.status, SessionEvent::Replied) else {
                return;
            };
            if session.quotes.len() >= MAX_REVISIONS {
                session.trouble = Some(format!("more than {MAX_REVISIONS} revisions: ignored"));
                return;
            }
            session.status = status;
            session.quotes.push(Quote {
                id: Id(uuid::Uuid::new_v4()),
                revision: session.quotes.len() as u32 + 1,
                received: now,
                valid_through,
                identifier,
                firm,
                offer: *offer,
                sha256: sha256.to_owned(),
            });
        }
        Content::Decline => {
            if let Ok(status) = session_step(session.status, SessionEvent::Reject) {
                session.status = status;
            }
        }
        Content::Confirm => session.confirmed = session.status == SessionStatus::Committed,
        Content::Note(text) => session.trouble = Some(format!("the provider writes: {text}")),
    }
}

/// Polls what is due and closes what is over. Called by the scheduler.
///
/// # Errors
/// As the vault.
pub async fn poll_due(agent: &Agent, store: &Store, now: Timestamp) -> Result<(), VaultError> {
    for tender in store.tenders()? {
        let due = tender
            .sessions
            .iter()
            .any(|s| s.next_poll.is_some_and(|t| t <= now));
        let over = tender.closes <= now && is_taking(&tender);
        if (due && is_polled(&tender)) || over {
            let _tenderer = agent.tenderer().await;
            poll_tender(agent, store, tender.id, now, false).await?;
        }
    }
    Ok(())
}

/// Whether quotes may still come.
const fn is_taking(t: &Tender) -> bool {
    matches!(t.status, TenderStatus::Open | TenderStatus::Negotiating)
}

/// Whether the provider may still say something that matters.
const fn is_polled(t: &Tender) -> bool {
    is_taking(t) || matches!(t.status, TenderStatus::Awarding)
}

async fn poll_tender(
    agent: &Agent,
    store: &Store,
    id: Id,
    now: Timestamp,
    all: bool,
) -> Result<(), VaultError> {
    let Some(mut tender) = store.tender(id)? else {
        return Ok(());
    };
    let net = agent.fetcher();
    let awarding = tender.status == TenderStatus::Awarding;
    let mut heard = false;
    for session in &mut tender.sessions {
        let ended = matches!(
            session.status,
            SessionStatus::Rejected | SessionStatus::Expired
        );
        let due = session.next_poll.is_some_and(|t| t <= now);
        let Some(location) = session.location.clone().filter(|_| !ended && (due || all)) else {
            continue;
        };
        let before = session.cursor;
        match https::poll(&net, &location, session.cursor).await {
            Ok(body) => {
                session.trouble = None;
                take_replies(agent, session, body, now).await;
            }
            Err(e) => session.trouble = Some(e.to_string()),
        }
        heard |= session.cursor > before;
        // Slower the longer nothing comes.
        let age = now.duration_since(tender.created);
        let pause = (age / 4).clamp(FIRST_POLL, SLOWEST_POLL);
        session.next_poll = now.checked_add(pause).ok();
    }
    if awarding && tender.sessions.iter().any(|s| s.confirmed) {
        if let Ok(status) = tender_step(tender.status, TenderEvent::Confirmed) {
            tender.status = status;
        }
    } else if tender.closes <= now && is_taking(&tender) {
        let quotes = tender.sessions.iter().any(|s| !s.quotes.is_empty());
        let event = if quotes {
            TenderEvent::Close
        } else {
            TenderEvent::NoQuotes
        };
        if let Ok(status) = tender_step(tender.status, event) {
            tender.status = status;
        }
        for session in &mut tender.sessions {
            if session.quotes.is_empty()
                && let Ok(status) = session_step(session.status, SessionEvent::Expire)
            {
                session.status = status;
            }
            session.next_poll = None;
        }
    }
    store.change(|tx| tx.put_tender(&tender))?;
    if heard {
        let _writer = agent.writer().await;
        super::alerts::look(agent, store, tender.want, now).await?;
    }
    Ok(())
}

/// Asks all providers of a tender now.
///
/// # Errors
/// No such tender.
pub async fn poll(agent: &Agent, text: &str, locale: &Locale) -> Result<TenderView, ApiError> {
    let _tenderer = agent.tenderer().await;
    poll_now(agent, text, locale).await
}

async fn poll_now(agent: &Agent, text: &str, locale: &Locale) -> Result<TenderView, ApiError> {
    let store = agent.store()?;
    let tender = find(&store, text)?;
    if is_polled(&tender) {
        poll_tender(agent, &store, tender.id, Timestamp::now(), true).await?;
    }
    show(agent, text, locale)
}

/// Chooses a quote: tells its provider, declines the others.
///
/// # Errors
/// The quote is gone, replaced or expired, or the tender is decided.
pub async fn choose(
    agent: &Agent,
    text: &str,
    quote: &str,
    locale: &Locale,
) -> Result<TenderView, ApiError> {
    let _tenderer = agent.tenderer().await;
    let store = agent.store()?;
    let mut tender = find(&store, text)?;
    let chosen = tender
        .sessions
        .iter()
        .flat_map(|s| &s.quotes)
        .find(|q| q.id.short() == quote)
        .map(|q| (q.id, q.sha256.clone()))
        .ok_or_else(|| ApiError::not_found(format!("no quote `{quote}` in this tender")))?;
    award(&mut tender, chosen.0, Timestamp::now())
        .map_err(|e| ApiError::conflict(e.to_string()))?;
    // From here on no other quote of this tender can be taken, whatever happens next.
    store.change(|tx| tx.put_tender(&tender))?;
    let net = agent.fetcher();
    for i in 0..tender.sessions.len() {
        let session = &tender.sessions[i];
        let won = session.status == SessionStatus::Committed;
        let quoted = !session.quotes.is_empty();
        let Some(location) = session.location.clone().filter(|_| won || quoted) else {
            // It answered at once and named no place to be answered at.
            if won {
                tender.sessions[i].trouble = Some(NO_PLACE.to_owned());
            }
            continue;
        };
        let (message, purpose) = if won {
            let quote = session.quotes.last().and_then(|q| q.identifier.as_deref());
            (https::accept(quote, &chosen.1), "award")
        } else {
            (https::reject("comparison"), "decline")
        };
        let result = tell(&net, &store, &tender, session, &location, &message, purpose).await?;
        let session = &mut tender.sessions[i];
        session.next_poll = won.then(Timestamp::now);
        session.trouble = result
            .err()
            .map(|e| format!("the {purpose} did not arrive: {e}"));
    }
    store.change(|tx| tx.put_tender(&tender))?;
    let writer = agent.writer().await;
    if let Some(mut want) = store.want(tender.want)? {
        want.status = WantStatus::Fulfilled;
        store.change(|tx| tx.put_want(&want))?;
    }
    drop(writer);
    poll_now(agent, text, locale).await
}

/// Calls a tender off and tells those who were asked.
///
/// # Errors
/// It is decided already.
pub async fn cancel(agent: &Agent, text: &str) -> Result<String, ApiError> {
    let _tenderer = agent.tenderer().await;
    let store = agent.store()?;
    let mut tender = find(&store, text)?;
    tender.status = step(tender.status, TenderEvent::Cancel)?;
    let net = agent.fetcher();
    for i in 0..tender.sessions.len() {
        let session = &tender.sessions[i];
        if let Some(location) = session.location.clone() {
            let message = https::reject("other");
            let told = tell(
                &net, &store, &tender, session, &location, &message, "cancel",
            );
            if let Err(e) = told.await? {
                tracing::warn!("{}: {e}", session.endpoint);
            }
        }
        let session = &mut tender.sessions[i];
        session.next_poll = None;
        if let Ok(status) = session_step(session.status, SessionEvent::Reject) {
            session.status = status;
        }
    }
    store.change(|tx| tx.put_tender(&tender))?;
    Ok("The call for tenders was called off.".to_owned())
}

/// One tender.
///
/// # Errors
/// No such tender.
pub fn show(agent: &Agent, text: &str, locale: &Locale) -> Result<TenderView, ApiError> {
    let store = agent.store()?;
    let tender = find(&store, text)?;
    view(agent, &store, &tender, locale)
}

/// All tenders, newest first.
///
/// # Errors
/// As the vault.
pub fn list(agent: &Agent, locale: &Locale) -> Result<Vec<TenderView>, ApiError> {
    let store = agent.store()?;
    store
        .tenders()?
        .iter()
        .rev()
        .map(|t| view(agent, &store, t, locale))
        .collect()
}

fn view(
    agent: &Agent,
    store: &Store,
    tender: &Tender,
    locale: &Locale,
) -> Result<TenderView, ApiError> {
    let market = Market::load(store, &agent.config(), Timestamp::now())?;
    let market = market.for_reader(locale.clone());
    let want = store.want(tender.want)?;
    let sessions = tender
        .sessions
        .iter()
        .map(|s| {
            let (_, bytes) = bytes(tender, s)?;
            Ok(SessionView {
                endpoint: s.endpoint.clone(),
                status: s.status,
                document: String::from_utf8_lossy(&bytes).into_owned(),
                trouble: s.trouble.clone(),
            })
        })
        .collect::<Result<_, ApiError>>()?;
    Ok(TenderView {
        id: tender.id.short(),
        want: tender.want.short(),
        name: want
            .as_ref()
            .map_or_else(|| "(removed)".to_owned(), |w| w.name.clone()),
        status: tender.status,
        closes: tender.closes,
        sessions,
        quotes: want
            .map(|w| view::quotes(&market, &w, tender))
            .unwrap_or_default(),
    })
}

fn find(store: &Store, text: &str) -> Result<Tender, ApiError> {
    let mut fitting = store.tenders()?.into_iter().filter(|t| {
        t.id.short() == text
            || t.id.to_string() == text
            || (text.len() >= 4 && t.id.short().starts_with(text))
    });
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(ApiError::not_found(format!("no call for tenders `{text}`"))
            .hint("see `emptor tender list`")),
        _ => Err(ApiError::new(
            Code::Invalid,
            format!("`{text}` fits several calls for tenders"),
        )),
    }
}

fn step(status: TenderStatus, event: TenderEvent) -> Result<TenderStatus, ApiError> {
    tender_step(status, event).map_err(|e| ApiError::conflict(e.to_string()))
}
