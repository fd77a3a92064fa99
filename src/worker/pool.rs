//! The host's side: children that are started when needed, one job at a time each.

use super::frame::{self, PREFIX};
use super::sandbox::{Bounds, SandboxReport};
use super::{Job, Reply, WorkerError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Bounds on one job and one child.
#[derive(Clone, Copy, Debug)]
pub struct WorkerLimits {
    /// Time for one job, by the clock.
    pub wall: Duration,
    /// Bytes of address space of a child.
    pub memory: u64,
    /// Seconds of CPU in a child's life.
    pub cpu_seconds: u64,
    /// A child is retired after this much time at work, before `cpu_seconds` ends it
    /// in the middle of an innocent job.
    pub retire_after: Duration,
    /// An idle child is let go after this.
    pub idle: Duration,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(10),
            memory: 512 << 20,
            cpu_seconds: 60,
            retire_after: Duration::from_secs(30),
            idle: Duration::from_secs(60),
        }
    }
}

/// The binary that runs now, for [`WorkerPool::new`]. On Linux this is the very file,
/// even after an upgrade replaced it: both sides must speak the same protocol.
///
/// # Errors
/// When the system does not know its path.
pub fn this_binary() -> io::Result<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && own.exists() {
        return Ok(own);
    }
    std::env::current_exe()
}

/// Workers for foreign bytes. Cheap to clone; dropping the last clone ends them.
#[derive(Clone)]
pub struct WorkerPool {
    inner: Arc<Inner>,
}

struct Inner {
    exe: PathBuf,
    limits: WorkerLimits,
    slots: Semaphore,
    idle: Mutex<Vec<Worker>>,
}

/// One child with its pipes. Dropping it kills the child.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    report: SandboxReport,
    /// Time spent on jobs so far.
    worked: Duration,
    idle_since: Instant,
}

impl WorkerPool {
    /// At most `n` children of `exe`, which must be the `emptor` binary. None is
    /// started before the first job.
    #[must_use]
    pub fn new(n: usize, exe: PathBuf) -> Self {
        Self::with_limits(n, exe, WorkerLimits::default())
    }

    /// As [`WorkerPool::new`] with other bounds.
    #[must_use]
    pub fn with_limits(n: usize, exe: PathBuf, limits: WorkerLimits) -> Self {
        Self {
            inner: Arc::new(Inner {
                exe,
                limits,
                slots: Semaphore::new(n.max(1)),
                idle: Mutex::new(Vec::new()),
            }),
        }
    }

    /// Has a child do a job. Waits while all are busy; a child that breaks a bound is
    /// killed and only this job is lost.
    ///
    /// # Errors
    /// Any [`WorkerError`].
    pub async fn call(&self, job: Job, body: Vec<u8>) -> Result<Reply, WorkerError> {
        if body.len() > frame::MAX_BODY {
            return Err(WorkerError::TooLarge {
                what: "the input",
                limit: frame::MAX_BODY,
            });
        }
        let _slot = self.slot().await?;
        let mut worker = self.worker().await?;
        let started = Instant::now();
        let wall = self.inner.limits.wall;
        // Dropped half-way, the worker is in the middle of a job and is not put back.
        let outcome = tokio::time::timeout(wall, worker.exchange(&job, &body)).await;
        match outcome {
            Ok(Ok(reply)) => {
                worker.worked += started.elapsed();
                self.put_back(worker);
                match reply {
                    Reply::Failed(why) => Err(WorkerError::Failed(why)),
                    reply => Ok(reply),
                }
            }
            Ok(Err(e)) => Err(worker.post_mortem(e).await),
            Err(_) => Err(WorkerError::Timeout(wall)),
        }
    }

    /// What confines the children on this machine.
    ///
    /// # Errors
    /// When no child can be started.
    pub async fn sandbox_report(&self) -> Result<SandboxReport, WorkerError> {
        let _slot = self.slot().await?;
        let worker = self.worker().await?;
        let report = worker.report.clone();
        self.put_back(worker);
        Ok(report)
    }

    /// The number of children that wait for work.
    #[must_use]
    pub fn idle_workers(&self) -> usize {
        self.inner.idle().len()
    }

    async fn slot(&self) -> Result<tokio::sync::SemaphorePermit<'_>, WorkerError> {
        let slot = self.inner.slots.acquire().await;
        slot.map_err(|e| WorkerError::Spawn(io::Error::other(e)))
    }

    async fn worker(&self) -> Result<Worker, WorkerError> {
        loop {
            let Some(mut worker) = self.inner.idle().pop() else {
                return Worker::start(&self.inner.exe, &self.inner.limits).await;
            };
            // One that died while idle is not this job's fault.
            if matches!(worker.child.try_wait(), Ok(None)) {
                return Ok(worker);
            }
        }
    }

    fn put_back(&self, mut worker: Worker) {
        if worker.worked >= self.inner.limits.retire_after {
            return;
        }
        worker.idle_since = Instant::now();
        let mut idle = self.inner.idle();
        idle.push(worker);
        // One reaper watches as long as somebody is idle.
        if idle.len() == 1 {
            tokio::spawn(reap(Arc::downgrade(&self.inner)));
        }
    }
}

impl Inner {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets idle children go, so that a daemon with nothing to read is small.
async fn reap(pool: Weak<Inner>) {
    loop {
        let Some(wait) = pool.upgrade().map(|p| p.limits.idle) else {
            return;
        };
        tokio::time::sleep(wait).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut idle = pool.idle();
        idle.retain(|w| w.idle_since.elapsed() < wait);
        if idle.is_empty() {
            return;
        }
    }
}

impl Worker {
    async fn start(exe: &PathBuf, limits: &WorkerLimits) -> Result<Self, WorkerError> {
        let mut child = Command::new(exe)
            .arg("worker")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(WorkerError::Spawn)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(WorkerError::Spawn(io::Error::other("no pipes")));
        };
        let mut worker = Self {
            child,
            input,
            output,
            report: SandboxReport::default(),
            worked: Duration::ZERO,
            idle_since: Instant::now(),
        };
        let bounds = Bounds {
            memory: limits.memory,
            cpu_seconds: limits.cpu_seconds,
        };
        match tokio::time::timeout(limits.wall, worker.exchange(&bounds, &[])).await {
            Ok(Ok(report)) => {
                worker.report = report;
                Ok(worker)
            }
            Ok(Err(e)) => Err(worker.post_mortem(e).await),
            Err(_) => Err(WorkerError::Timeout(limits.wall)),
        }
    }

    /// Sends a frame and reads the answer.
    async fn exchange<T: DeserializeOwned>(
        &mut self,
        header: &impl Serialize,
        body: &[u8],
    ) -> io::Result<T> {
        let head = frame::head(header, body.len())?;
        self.input.write_all(&head).await?;
        self.input.write_all(body).await?;
        self.input.flush().await?;
        let mut prefix = [0; PREFIX];
        self.output.read_exact(&mut prefix).await?;
        let (header_len, body_len) = frame::lengths(prefix)?;
        if body_len != 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a body"));
        }
        let mut header = vec![0; header_len];
        self.output.read_exact(&mut header).await?;
        frame::parse(&header)
    }

    /// Why the pipe broke.
    async fn post_mortem(mut self, error: io::Error) -> WorkerError {
        if error.kind() == io::ErrorKind::InvalidData {
            return WorkerError::Protocol(error.to_string());
        }
        match tokio::time::timeout(Duration::from_secs(1), self.child.wait()).await {
            Ok(Ok(status)) => WorkerError::Died(cause_of(status)),
            _ => WorkerError::Died(error.to_string()),
        }
    }
}

#[cfg(unix)]
fn cause_of(status: std::process::ExitStatus) -> String {
    use rustix::process::Signal;
    use std::os::unix::process::ExitStatusExt;
    let Some(number) = status.signal() else {
        return status.to_string();
    };
    let known = [
        (Signal::ABORT, "out of memory or aborted"),
        (Signal::XCPU, "out of CPU time"),
        (Signal::KILL, "killed"),
        (Signal::SEGV, "out of stack or a bad address"),
        (Signal::SYS, "a forbidden system call"),
    ];
    known
        .iter()
        .find(|(signal, _)| signal.as_raw() == number)
        .map_or_else(
            || format!("signal {number}"),
            |(_, text)| (*text).to_owned(),
        )
}

#[cfg(not(unix))]
fn cause_of(status: std::process::ExitStatus) -> String {
    status.to_string()
}
