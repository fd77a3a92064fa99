//! Daily exchange rates.

use super::core::Agent;
use super::store::{Rates, Store};
use crate::model::time::{SignedDuration, Timestamp};
use crate::vault::VaultError;
use crate::worker::{Job, Reply};
use url::Url;

/// How old rates may be before they are read again.
const FRESH: SignedDuration = SignedDuration::from_hours(20);
/// How long to wait after a failure.
const RETRY: SignedDuration = SignedDuration::from_hours(1);

/// Reads the rates if they are needed (some offer is in another currency) and old.
///
/// # Errors
/// As the vault; a source that does not answer is only logged.
pub async fn refresh(agent: &Agent, store: &Store, now: Timestamp) -> Result<(), VaultError> {
    let config = agent.config();
    let Ok(url) = Url::parse(&config.fx.source) else {
        return Ok(());
    };
    let old = store.rates()?;
    if old
        .as_ref()
        .is_some_and(|r| now.duration_since(r.read) < FRESH)
    {
        return Ok(());
    }
    let home = config.person.currency;
    let foreign = store.listings()?.iter().any(|l| {
        l.offer
            .price
            .is_some_and(|p| p.currency != home && !config.fx.rates.contains_key(p.currency.code()))
    });
    if !foreign || !agent.may_try_rates(now, RETRY) {
        return Ok(());
    }
    let fetched = match agent
        .fetcher()
        .get_api(url, "application/xml, text/xml", &[])
        .await
    {
        Ok(f) if f.status == 200 => f,
        Ok(f) => {
            tracing::warn!("exchange rates: HTTP {}", f.status);
            return Ok(());
        }
        Err(e) => {
            tracing::warn!("exchange rates: {e}");
            return Ok(());
        }
    };
    match agent.pool().call(Job::ReadRates, fetched.body).await {
        Ok(Reply::Rates { date, rates }) => {
            store.change(|tx| {
                tx.put_rates(&Rates {
                    date,
                    rates,
                    read: now,
                })
            })?;
        }
        Ok(Reply::Failed(why)) => tracing::warn!("exchange rates: {why}"),
        Ok(_) => tracing::warn!("exchange rates: an answer to another question"),
        Err(e) => tracing::warn!("exchange rates: {e}"),
    }
    Ok(())
}
