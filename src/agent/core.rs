//! The agent itself: it owns the vault and everything that works on it.

use super::api::types::{Status, VaultState};
use super::api::{ApiError, Code};
use super::config::{Config, clock_time};
use super::paths::Paths;
use super::store::Store;
use super::view;
use crate::engine::alert::Policy;
use crate::market::adapters::{self, Adapters, Registry};
use crate::model::time::{SignedDuration, Timestamp};
use crate::model::want::{Want, WantStatus};
use crate::net::{Fetcher, NetConfig, user_agent};
use crate::notify::{Action, Notifier};
use crate::vault::{Options, Secret, Vault, VaultError, VaultPaths};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// A handle to the agent; clones share it.
#[derive(Clone)]
pub struct Agent(Arc<Inner>);

struct Inner {
    paths: Paths,
    config: RwLock<Arc<Config>>,
    warning: RwLock<Option<String>>,
    store: RwLock<Option<Store>>,
    fetcher: RwLock<Fetcher>,
    pool: crate::worker::WorkerPool,
    adapters: Option<Adapters>,
    built_in: Arc<Registry>,
    rates_tried: Mutex<Option<Timestamp>>,
    notifier: Notifier,
    since: Timestamp,
    last_used: Mutex<Instant>,
    worked: AtomicBool,
    failures: Mutex<u32>,
    unlocking: tokio::sync::Mutex<()>,
    writing: tokio::sync::Mutex<()>,
    tendering: tokio::sync::Mutex<()>,
    delivering: tokio::sync::Mutex<()>,
    pub(super) runs: super::crawl::Runs,
    baskets: super::basket::Running,
    changed_lists: super::alerts::ChangedLists,
    pub(super) web: super::web::Sessions,
    wake: Notify,
    stop: CancellationToken,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent")
            .field("paths", &self.0.paths)
            .finish_non_exhaustive()
    }
}

/// Why the agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] super::config::ConfigError),
    /// The network client cannot be made.
    #[error("cannot set up the network: {0}")]
    Net(#[from] crate::net::FetchError),
    /// This program cannot be found again to start workers.
    #[error("cannot find this program: {0}")]
    Exe(#[from] std::io::Error),
}

impl Agent {
    /// Sets everything up; the vault stays locked.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn new(paths: Paths) -> Result<(Self, mpsc::Receiver<(String, Action)>), StartError> {
        let config = Config::load(&paths.config)?;
        let fetcher = Fetcher::new(net_config(&config))?;
        let pool = crate::worker::WorkerPool::new(2, crate::worker::this_binary()?);
        // A directory that cannot be watched costs the person their own adapters, not the
        // daemon; `warning` says so.
        let (adapters, warning) = match adapters::watch(&paths.adapters) {
            Ok((adapters, _)) => (Some(adapters), None),
            Err(e) => (None, Some(format!("your adapters are not used: {e}"))),
        };
        let (notifier, pressed) = Notifier::new(config.notify.desktop);
        let inner = Inner {
            paths,
            config: RwLock::new(Arc::new(config)),
            warning: RwLock::new(warning),
            store: RwLock::new(None),
            fetcher: RwLock::new(fetcher),
            pool,
            adapters,
            built_in: Arc::new(Registry::built_in()),
            rates_tried: Mutex::new(None),
            notifier,
            since: Timestamp::now(),
            last_used: Mutex::new(Instant::now()),
            worked: AtomicBool::new(true),
            failures: Mutex::new(0),
            unlocking: tokio::sync::Mutex::new(()),
            writing: tokio::sync::Mutex::new(()),
            tendering: tokio::sync::Mutex::new(()),
            delivering: tokio::sync::Mutex::new(()),
            runs: super::crawl::Runs::default(),
            baskets: super::basket::Running::default(),
            changed_lists: super::alerts::ChangedLists::default(),
            web: super::web::Sessions::default(),
            wake: Notify::new(),
            stop: CancellationToken::new(),
        };
        Ok((Self(Arc::new(inner)), pressed))
    }

    /// Where things are.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.0.paths
    }

    /// The basket searches under way.
    #[must_use]
    pub fn baskets(&self) -> &super::basket::Running {
        &self.0.baskets
    }

    /// The lists to add up again.
    pub(super) fn changed_lists(&self) -> &super::alerts::ChangedLists {
        &self.0.changed_lists
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.0.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the configuration file again. A wrong one changes nothing and is shown in
    /// `emptor daemon status`.
    pub fn reload_config(&self) {
        let result = Config::load(&self.0.paths.config)
            .map_err(StartError::from)
            .and_then(|new| {
                let fetcher = Fetcher::new(net_config(&new))?;
                Ok((new, fetcher))
            });
        let warning = match result {
            Ok((new, fetcher)) => {
                if *self.config() != new {
                    let old = self.config();
                    if old.net != new.net || old.crawl.gap_seconds != new.crawl.gap_seconds {
                        *self
                            .0
                            .fetcher
                            .write()
                            .unwrap_or_else(PoisonError::into_inner) = fetcher;
                    }
                    *self
                        .0
                        .config
                        .write()
                        .unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                    tracing::info!("the configuration was read again");
                    self.wake();
                }
                None
            }
            Err(e) => {
                tracing::warn!("the configuration is not used: {e}");
                Some(format!("the configuration was not read again: {e}"))
            }
        };
        *self
            .0
            .warning
            .write()
            .unwrap_or_else(PoisonError::into_inner) = warning;
    }

    /// The network.
    #[must_use]
    pub fn fetcher(&self) -> Fetcher {
        self.0
            .fetcher
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The readers of foreign bytes.
    #[must_use]
    pub fn pool(&self) -> &crate::worker::WorkerPool {
        &self.0.pool
    }

    /// The adapters.
    #[must_use]
    pub fn adapters(&self) -> Arc<Registry> {
        self.0
            .adapters
            .as_ref()
            .map_or_else(|| Arc::clone(&self.0.built_in), Adapters::current)
    }

    /// Whether the exchange rates may be asked for: not again within `pause`.
    pub(super) fn may_try_rates(&self, now: Timestamp, pause: SignedDuration) -> bool {
        let mut tried = self
            .0
            .rates_tried
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let may = tried.is_none_or(|t| now.duration_since(t) >= pause);
        if may {
            *tried = Some(now);
        }
        may
    }

    /// The ways to the person.
    #[must_use]
    pub fn notifier(&self) -> &Notifier {
        &self.0.notifier
    }

    pub(super) fn runs(&self) -> &super::crawl::Runs {
        &self.0.runs
    }

    pub(super) fn web(&self) -> &super::web::Sessions {
        &self.0.web
    }

    /// Ends when the agent is to stop.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.0.stop.clone()
    }

    /// Makes the scheduler look again.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// The open vault.
    ///
    /// # Errors
    /// [`Code::Locked`] with what to do.
    pub fn store(&self) -> Result<Store, ApiError> {
        let store = self
            .0
            .store
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        store.ok_or_else(|| match self.vault_state() {
            VaultState::Absent => ApiError::new(Code::Locked, "there is no vault yet")
                .hint("make one with `emptor init`"),
            _ => ApiError::new(Code::Locked, "the vault is locked")
                .hint("open it with `emptor unlock`"),
        })
    }

    /// Gives memory back once there has been work and then a quiet while. The store and
    /// the allocator would keep it otherwise, and the daemon is there all day.
    pub fn rest(&self) {
        let quiet = self
            .0
            .last_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed();
        if quiet < Duration::from_secs(10) || !self.0.worked.swap(false, Ordering::Relaxed) {
            return;
        }
        if let Ok(store) = self.store()
            && let Err(e) = store.vault().release_memory()
        {
            tracing::warn!("memory was not given back: {e}");
        }
    }

    /// Notes that there is memory to give back.
    pub(super) fn has_worked(&self) {
        self.0.worked.store(true, Ordering::Relaxed);
    }

    /// Notes that the person is there, for the automatic lock.
    pub fn used(&self) {
        self.0.worked.store(true, Ordering::Relaxed);
        *self
            .0
            .last_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Locks the vault if nobody used it for as long as configured.
    pub fn lock_if_idle(&self) {
        let minutes = self.config().vault.auto_lock_minutes;
        let idle = self
            .0
            .last_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed();
        if minutes > 0 && idle > Duration::from_secs(u64::from(minutes) * 60) && self.lock() {
            tracing::info!("the vault was locked after {minutes} minutes without a command");
        }
    }

    fn vault_paths(&self) -> VaultPaths {
        VaultPaths::new(&self.0.paths.vault, &self.0.paths.anchor)
    }

    /// The right to change wants, offers and rules: who reads a record to write it back
    /// holds it, and never waits for the network meanwhile.
    pub(super) async fn writer(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.writing.lock().await
    }

    /// The right to change tenders, held over the network so that a poll never overwrites
    /// an award.
    pub(super) async fn tenderer(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.tendering.lock().await
    }

    /// The right to deliver alerts, so that each is shown once.
    pub(super) async fn deliverer(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.delivering.lock().await
    }

    /// Whether the vault can be read.
    #[must_use]
    pub fn vault_state(&self) -> VaultState {
        if self
            .0
            .store
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
        {
            VaultState::Open
        } else if Vault::exists(&self.vault_paths()) {
            VaultState::Locked
        } else {
            VaultState::Absent
        }
    }

    /// Opens the vault. Each failure makes the next try wait a little longer, up to ten
    /// seconds; nothing is ever locked out for good.
    ///
    /// # Errors
    /// A wrong secret, or a damaged vault with what to do.
    pub async fn unlock(&self, secret: Secret) -> Result<(), ApiError> {
        let _one_at_a_time = self.0.unlocking.lock().await;
        if self.vault_state() == VaultState::Open {
            return Ok(());
        }
        let failures = *self
            .0
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        tokio::time::sleep(Duration::from_millis(u64::from(failures.min(100)) * 100)).await;
        let paths = self.vault_paths();
        let opened = tokio::task::spawn_blocking(move || {
            let vault = Vault::open(&paths, &secret, Options::default())?;
            Store::open(vault)
        })
        .await
        .map_err(|e| ApiError::failed(format!("opening the vault failed: {e}")))?;
        let mut failures = self
            .0
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match opened {
            Ok(store) => {
                *failures = 0;
                *self.0.store.write().unwrap_or_else(PoisonError::into_inner) = Some(store);
                drop(failures);
                self.used();
                self.wake();
                Ok(())
            }
            Err(e) => {
                if matches!(e, VaultError::WrongSecret) {
                    *failures += 1;
                }
                Err(e.into())
            }
        }
    }

    /// Locks the vault; says whether it was open.
    pub fn lock(&self) -> bool {
        let store = self
            .0
            .store
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.0.web.clear();
        store.is_some_and(|s| {
            s.vault().lock();
            true
        })
    }

    /// Lets go of everything.
    pub fn shut_down(&self) {
        self.0.stop.cancel();
        self.lock();
    }

    /// How the agent is.
    ///
    /// # Errors
    /// As the vault.
    pub fn status(&self) -> Result<Status, ApiError> {
        let mut status = Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            since: self.0.since,
            vault: self.vault_state(),
            wants: 0,
            shops: 0,
            blind: 0,
            observations: 0,
            next_crawl: None,
            warnings: Vec::new(),
        };
        status.warnings.extend(
            self.0
                .warning
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        );
        status.warnings.extend(
            self.adapters()
                .broken()
                .map(|(file, why)| format!("{}: {why}", file.display())),
        );
        if let Ok(store) = self.store() {
            let shops = store.shops()?;
            status.wants = store
                .wants()?
                .iter()
                .filter(|w| w.status == WantStatus::Open)
                .count();
            status.blind = shops.iter().filter(|s| s.health.trouble.is_some()).count();
            status.shops = shops.len();
            status.observations = store.observations();
            status.next_crawl = store
                .jobs()?
                .iter()
                .filter(|j| !j.is_stopped())
                .map(|j| j.due)
                .min();
            let vault = store.vault().status()?;
            status.warnings.extend(
                vault
                    .read_only
                    .map(|why| format!("the vault is read-only: {why}")),
            );
            status
                .warnings
                .extend(vault.notices.iter().map(ToString::to_string));
        }
        Ok(status)
    }

    /// The one want a text names.
    ///
    /// # Errors
    /// None or several fit.
    pub fn find_want(&self, store: &Store, text: &str) -> Result<Want, ApiError> {
        let wants = store.wants()?;
        match view::find_want(&wants, text).as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(ApiError::not_found(format!("no want `{text}`"))
                .hint("see `emptor wish list` and `emptor list list`")),
            several => {
                let names: Vec<String> = several
                    .iter()
                    .take(5)
                    .map(|w| format!("{} {}", w.id.short(), w.name))
                    .collect();
                Err(
                    ApiError::invalid(format!("`{text}` fits {} wants", several.len()))
                        .hint(format!("say which: {}", names.join("; "))),
                )
            }
        }
    }

    /// How alerts may reach the person.
    #[must_use]
    pub fn delivery_policy(&self) -> Policy {
        let n = &self.config().notify;
        Policy {
            quiet: n
                .quiet
                .as_ref()
                .and_then(|[from, to]| Some((clock_time(from)?, clock_time(to)?))),
            per_day: n.daily_cap,
            per_week: Some(n.weekly_cap).filter(|most| *most > 0),
            digest: n.digest.as_deref().and_then(clock_time),
            // Each rule has a cooldown of its own.
            want_cooldown_hours: 0,
        }
    }
}

fn net_config(config: &Config) -> NetConfig {
    let contact = Some(config.net.contact.as_str()).filter(|c| !c.is_empty());
    NetConfig {
        user_agent: user_agent(contact),
        gap: Duration::from_secs_f64(config.crawl.gap_seconds),
        allow_private: config.net.allow_private.clone(),
        ..NetConfig::default()
    }
}

impl From<VaultError> for ApiError {
    fn from(e: VaultError) -> Self {
        let code = match &e {
            VaultError::WrongSecret => Code::WrongSecret,
            VaultError::Locked | VaultError::Missing(_) => Code::Locked,
            VaultError::AlreadyOpen | VaultError::ReadOnly(_) | VaultError::LastSlot => {
                Code::Conflict
            }
            VaultError::WeakPassphrase(_)
            | VaultError::BadRecoveryCode
            | VaultError::Slot(_)
            | VaultError::TooLarge { .. } => Code::Invalid,
            _ => Code::Failed,
        };
        let hint = match &e {
            VaultError::Damaged(_) => Some(
                "`emptor vault verify` lists what is damaged; `emptor vault restore FILE` brings a backup back",
            ),
            VaultError::DiskFull => Some("free some space; reading still works"),
            VaultError::ReadOnly(_) => Some("stop the daemon, look at the disk, start it again"),
            VaultError::AlreadyOpen => {
                Some("another emptor uses this vault: `emptor daemon status`")
            }
            _ => None,
        };
        Self {
            code,
            error: e.to_string().into(),
            hint: hint.map(str::to_owned),
        }
    }
}
