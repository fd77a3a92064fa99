//! Watches the person's directory of adapters.

use super::{AdapterEvent, Registry, read_dir};
use notify::{RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

/// Editors write a file in several steps; reading waits until it has been quiet so long.
const QUIET: Duration = Duration::from_millis(200);

/// Why a directory cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// It cannot be made or read.
    #[error("cannot use the adapter directory {0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// The system refuses to watch it.
    #[error("cannot watch the adapter directory: {0}; changes are seen at the next start")]
    Notify(#[from] notify::Error),
}

/// The adapters, kept up to date until dropped.
pub struct Adapters {
    current: watch::Receiver<Arc<Registry>>,
    events: broadcast::Sender<AdapterEvent>,
    task: JoinHandle<()>,
    _watcher: notify::RecommendedWatcher,
}

impl Adapters {
    /// The adapters now.
    #[must_use]
    pub fn current(&self) -> Arc<Registry> {
        Arc::clone(&self.current.borrow())
    }

    /// Tells when the adapters change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<Registry>> {
        self.current.clone()
    }

    /// What happens to single adapters from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<AdapterEvent> {
        self.events.subscribe()
    }
}

impl Drop for Adapters {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads `dir`, makes it if it is missing, and watches it. The events of the first
/// reading are returned. Must be called within a tokio runtime.
///
/// # Errors
/// [`WatchError`] if the directory cannot be used.
pub fn watch(dir: &Path) -> Result<(Adapters, Vec<AdapterEvent>), WatchError> {
    let io = |e| WatchError::Io(dir.to_owned(), e);
    std::fs::create_dir_all(dir).map_err(io)?;
    let (wake, woken) = mpsc::channel(1);
    // The directory, not the files: editors replace a file by a new one.
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let matters = event.as_ref().map_or(true, |e| !e.kind.is_access());
        if matters {
            // A full channel means that a reading is about to happen anyway.
            let _ = wake.try_send(());
        }
    })?;
    watcher.watch(dir, RecursiveMode::Recursive)?;
    let (registry, first) = Registry::load(dir);
    let (sender, current) = watch::channel(Arc::new(registry));
    let (events, _) = broadcast::channel(64);
    let task = tokio::spawn(follow(dir.to_owned(), woken, sender, events.clone()));
    let adapters = Adapters {
        current,
        events,
        task,
        _watcher: watcher,
    };
    Ok((adapters, first))
}

async fn follow(
    dir: PathBuf,
    mut woken: mpsc::Receiver<()>,
    current: watch::Sender<Arc<Registry>>,
    events: broadcast::Sender<AdapterEvent>,
) {
    while woken.recv().await.is_some() {
        while let Ok(Some(())) = tokio::time::timeout(QUIET, woken.recv()).await {}
        let old = Arc::clone(&current.borrow());
        let dir = dir.clone();
        let read = tokio::task::spawn_blocking(move || old.reload(read_dir(&dir)));
        let Ok((registry, changes)) = read.await else {
            continue;
        };
        if changes.is_empty() {
            continue;
        }
        current.send_replace(Arc::new(registry));
        for change in changes {
            // Nobody may be listening.
            let _ = events.send(change);
        }
    }
}
