//! The daemon's life: from binding the socket to letting go of everything.

use super::core::{Agent, StartError};
use super::paths::{Paths, private_dir};
use super::socket::{PrivateListener, SocketError};
use super::{alerts, api, scheduler};
use notify::{RecursiveMode, Watcher};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

/// Why the daemon ended or did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The agent could not be set up.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The socket could not be bound.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Serving failed.
    #[error("serving failed: {0}")]
    Serve(#[from] std::io::Error),
}

/// How long requests under way may take when the daemon stops.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until a signal or `POST /v1/stop`.
///
/// # Errors
/// [`ServeError`]
pub async fn serve(paths: Paths) -> Result<(), ServeError> {
    let listener = PrivateListener::bind(&paths.socket).await?;
    let (agent, pressed) = Agent::new(paths)?;
    serve_agent(agent, pressed, listener).await
}

/// Serves an agent on a listener.
///
/// # Errors
/// [`ServeError`]
pub async fn serve_agent(
    agent: Agent,
    pressed: mpsc::Receiver<(String, crate::notify::Action)>,
    listener: PrivateListener,
) -> Result<(), ServeError> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "listening");
    let stop = agent.stopping();
    let work = tokio::spawn(scheduler::run(agent.clone()));
    let actions = tokio::spawn(alerts::follow_actions(agent.clone(), pressed));
    let watcher = watch_config(&agent);
    if let Err(e) = &watcher {
        tracing::warn!("the settings are read again on SIGHUP only: {e}");
    }
    let signals = tokio::spawn(signals(agent.clone()));
    let app = api::router(agent.clone());
    let served = {
        let stop = stop.clone();
        let server = axum::serve(listener, app)
            .with_graceful_shutdown(async move { stop.cancelled().await });
        let grace = async {
            stop_then_wait(&agent).await;
        };
        tokio::select! {
            result = server => result,
            () = grace => Ok(()),
        }
    };
    agent.shut_down();
    signals.abort();
    let _ = tokio::time::timeout(GRACE, work).await;
    actions.abort();
    tracing::info!("stopped");
    served.map_err(ServeError::from)
}

/// Ends some time after the agent was told to stop, whoever still holds a connection.
async fn stop_then_wait(agent: &Agent) {
    agent.stopping().cancelled().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// Stops the agent on SIGTERM and SIGINT; on SIGHUP the configuration is read again.
async fn signals(agent: Agent) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int), Ok(mut hup)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
        signal(SignalKind::hangup()),
    ) else {
        tracing::warn!("signals cannot be caught; stop with `emptor daemon stop`");
        return;
    };
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = hup.recv() => agent.reload_config(),
        }
    }
    agent.shut_down();
}

/// Reads the configuration again when its file changes. The directory is watched, because
/// editors write a new file and rename it.
fn watch_config(agent: &Agent) -> notify::Result<notify::RecommendedWatcher> {
    let file = agent.paths().config.clone();
    let dir = file.parent().map(Path::to_path_buf).unwrap_or_default();
    private_dir(&dir)?;
    let (changed, mut changes) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let ours = |path: &Path| path.file_name() == file.file_name();
        if event.is_ok_and(|e| !e.kind.is_access() && e.paths.iter().any(|p| ours(p))) {
            // A full channel means that a reading is pending already.
            let _ = changed.try_send(());
        }
    })?;
    watcher.watch(&dir, RecursiveMode::NonRecursive)?;
    let agent = agent.clone();
    tokio::spawn(async move {
        while changes.recv().await.is_some() {
            // Several events come for one save.
            tokio::time::sleep(Duration::from_millis(200)).await;
            while changes.try_recv().is_ok() {}
            agent.reload_config();
        }
    });
    Ok(watcher)
}
