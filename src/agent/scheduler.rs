//! What happens by itself: due pages, replies to tenders, held alerts, the automatic lock.

use super::core::Agent;
use super::{alerts, crawl, rates, tenders};
use crate::market::crawl::JobKind;
use crate::model::Id;
use crate::model::time::{SignedDuration, Timestamp};
use crate::vault::VaultError;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The longest pause between two looks at what is due.
const PAUSE: Duration = Duration::from_secs(30);
/// Jobs taken up at a time, so that a long queue does not delay everything else.
const BATCH: usize = 16;

/// How often the plan is made anew though nothing has called for it: needs get nearer.
const REPLAN: Duration = Duration::from_secs(3600);

/// When which job is due. Reading all jobs at every look would keep the machine busy and the
/// memory full for nothing.
#[derive(Default)]
struct Timetable {
    made: Option<Instant>,
    due: BTreeSet<(Timestamp, Id)>,
}

/// Runs until the agent stops.
pub async fn run(agent: Agent) {
    let stop = agent.stopping();
    let mut timetable = Timetable::default();
    loop {
        agent.lock_if_idle();
        let pause = match work(&agent, &mut timetable).await {
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
            () = agent.woken() => timetable.made = None,
        }
    }
}

/// One look. Returns how long to wait for the next.
async fn work(agent: &Agent, timetable: &mut Timetable) -> Result<Duration, VaultError> {
    let Ok(store) = agent.store() else {
        timetable.made = None;
        return Ok(PAUSE);
    };
    let now = Timestamp::now();
    alerts::deliver_due(agent, &store, now).await?;
    tenders::poll_due(agent, &store, now).await?;
    if timetable.made.is_none_or(|t| t.elapsed() > REPLAN) {
        {
            let _writer = agent.writer().await;
            wake_snoozed(&store, now)?;
        }
        rates::refresh(agent, &store, now).await?;
        let jobs = crawl::plan(agent, &store)?;
        let waiting = jobs.iter().filter(|j| !j.is_stopped());
        timetable.due = waiting
            .map(|j| (j.due.max(j.not_before.unwrap_or(j.due)), j.id))
            .collect();
        timetable.made = Some(Instant::now());
    }
    let due: Vec<Id> = timetable
        .due
        .iter()
        .take_while(|d| d.0 <= now)
        .take(BATCH)
        .map(|d| d.1)
        .collect();
    if !due.is_empty() {
        let mut jobs = Vec::new();
        for id in &due {
            jobs.extend(store.job(*id)?);
        }
        crawl::run_jobs(agent, &store, jobs, None).await;
        agent.has_worked();
        timetable.due.retain(|d| !due.contains(&d.1));
        for id in due {
            // A search may have brought up pages that nobody has planned yet.
            let job = store.job(id)?.filter(|j| !j.is_stopped());
            timetable.made = timetable.made.filter(|_| {
                job.as_ref()
                    .is_none_or(|j| matches!(j.kind, JobKind::Product { .. }))
            });
            timetable
                .due
                .extend(job.map(|j| (j.due.max(j.not_before.unwrap_or(j.due)), id)));
        }
        return Ok(Duration::ZERO);
    }
    let wait = timetable
        .due
        .first()
        .map_or(SignedDuration::MAX, |d| d.0.duration_since(now));
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
