//! Searches under way, so that they can be ended with their best so far.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The searches under way, by the name their request gave.
#[derive(Debug, Default)]
pub struct Running(Mutex<HashMap<String, Arc<AtomicBool>>>);

impl Running {
    /// Asks a search to come back with its best so far; says whether there was one.
    pub fn stop(&self, run: &str) -> bool {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.get(run).is_some_and(|flag| {
            flag.store(true, Ordering::Relaxed);
            true
        })
    }

    /// Notes a search. It is forgotten, and stopped, when the returned value is dropped:
    /// nobody waits for it any more then.
    pub fn begin(&self, run: Option<String>) -> Stopper<'_> {
        let flag = Arc::new(AtomicBool::new(false));
        if let Some(run) = &run {
            let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            runs.insert(run.clone(), Arc::clone(&flag));
        }
        Stopper {
            running: self,
            run,
            flag,
        }
    }
}

/// Ends a search when dropped.
#[derive(Debug)]
pub struct Stopper<'a> {
    running: &'a Running,
    run: Option<String>,
    flag: Arc<AtomicBool>,
}

impl Stopper<'_> {
    /// True once the search should end.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }
}

impl Drop for Stopper<'_> {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::Relaxed);
        if let Some(run) = &self.run {
            let mut runs = self
                .running
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            runs.remove(run);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_stopped_by_name_and_forgotten_when_nobody_waits() {
        let running = Running::default();
        let stopper = running.begin(Some("one".into()));
        let flag = stopper.flag();
        assert!(!running.stop("two") && !flag.load(Ordering::Relaxed));
        assert!(running.stop("one") && flag.load(Ordering::Relaxed));
        drop(stopper);
        assert!(!running.stop("one"));

        let gone = running.begin(None);
        let flag = gone.flag();
        drop(gone);
        assert!(flag.load(Ordering::Relaxed), "the caller went away");
    }
}
