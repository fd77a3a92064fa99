//! What happens by itself: due pages, replies to tenders, held alerts, the automatic lock.

use super::core::Agent;
use super::{alerts, crawl, rates, tenders};
use crate::model::time::{SignedDuration, Timestamp};
use crate::vault::VaultError;
use std::time::Duration;

/// The longest pause between two looks at what is due.
const PAUSE: Duration = Duration::from_secs(30);
/// Jobs taken up at a time, so that a long queue does not delay everything else.
const BATCH: usize = 16;

/// Runs until the agent stops.
pub async fn run(agent: Agent) {
    let stop = agent.stopping();
    loop {
        agent.lock_if_idle();
        let pause = match work(&agent).await {
            Ok(pause) => pause,
            Err(VaultError::Locked) => PAUSE,
            Err(e) => {
                tracing::error!("{e}");
                PAUSE
            }
        };
        if pause > Duration::from_secs(5) {
            let agent = agent.clone();
            let _ = tokio::task::spawn_blocking(move || agent.rest()).await;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            () = agent.woken() => {}
        }
    }
}

/// One look. Returns how long to wait for the next.
async fn work(agent: &Agent) -> Result<Duration, VaultError> {
    let Ok(store) = agent.store() else {
        return Ok(PAUSE);
    };
    let now = Timestamp::now();
    {
        let _writer = agent.writer().await;
        wake_snoozed(&store, now)?;
    }
    alerts::deliver_due(agent, &store, now).await?;
    tenders::poll_due(agent, &store, now).await?;
    rates::refresh(agent, &store, now).await?;
    let jobs = crawl::plan(agent, &store)?;
    let due: Vec<_> = crate::market::crawl::due(&jobs, now)
        .into_iter()
        .take(BATCH)
        .cloned()
        .collect();
    if !due.is_empty() {
        crawl::run_jobs(agent, &store, due, None).await;
        return Ok(Duration::ZERO);
    }
    let next = jobs.iter().filter(|j| !j.is_stopped()).map(|j| j.due).min();
    let wait = next.map_or(SignedDuration::MAX, |t| t.duration_since(Timestamp::now()));
    let wait = Duration::try_from(wait).unwrap_or(Duration::from_millis(100));
    Ok(wait.clamp(Duration::from_millis(100), PAUSE))
}

/// Wants whose snooze is over are looked for again.
fn wake_snoozed(store: &super::store::Store, now: Timestamp) -> Result<(), VaultError> {
    for mut want in store.wants()? {
        if want.status == crate::model::want::WantStatus::Snoozed
            && want.snoozed_until.is_some_and(|t| t <= now)
        {
            want.status = crate::model::want::WantStatus::Open;
            want.snoozed_until = None;
            store.change(|tx| tx.put_want(&want))?;
        }
    }
    Ok(())
}
