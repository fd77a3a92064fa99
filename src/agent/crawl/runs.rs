//! The crawls people asked for, and the jobs under way.

use crate::agent::api::types::{CrawlProgress, CrawlResult};
use crate::agent::core::Agent;
use crate::model::Id;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Finished runs that can still be asked about.
const KEPT_RUNS: usize = 8;

/// The crawls people asked for, and the jobs under way.
#[derive(Debug, Default)]
pub struct Runs {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    runs: BTreeMap<u64, CrawlProgress>,
    /// What each job under way will have given.
    running: HashMap<Id, watch::Receiver<Option<CrawlResult>>>,
}

impl Runs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far a run is.
    pub fn progress(&self, run: u64) -> Option<CrawlProgress> {
        self.state().runs.get(&run).cloned()
    }

    pub(super) fn begin(&self, total: usize) -> CrawlProgress {
        let mut state = self.state();
        state.last += 1;
        let run = state.last;
        let progress = CrawlProgress {
            run,
            total,
            finished: total == 0,
            ..CrawlProgress::default()
        };
        state.runs.insert(run, progress.clone());
        while state.runs.len() > KEPT_RUNS {
            state.runs.pop_first();
        }
        progress
    }

    pub(super) fn update(&self, run: u64, f: impl FnOnce(&mut CrawlProgress)) {
        if let Some(progress) = self.state().runs.get_mut(&run) {
            f(progress);
        }
    }

    /// Marks a job as under way, unless it is already.
    pub(super) fn claim(&self, agent: &Agent, job: Id) -> Turn {
        let mut state = self.state();
        if let Some(result) = state.running.get(&job) {
            return Turn::Theirs(result.clone());
        }
        let (result, later) = watch::channel(None);
        state.running.insert(job, later);
        Turn::Mine(Claim {
            agent: agent.clone(),
            job,
            result,
        })
    }
}

/// Who does a job.
pub(super) enum Turn {
    /// The caller.
    Mine(Claim),
    /// Somebody else already does; this is what it will have given.
    Theirs(watch::Receiver<Option<CrawlResult>>),
}

/// A job under way; dropping it ends that, also when the task is cancelled.
pub(super) struct Claim {
    agent: Agent,
    job: Id,
    pub(super) result: watch::Sender<Option<CrawlResult>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.agent.runs().state().running.remove(&self.job);
    }
}
