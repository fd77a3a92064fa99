//! `emptor lab basket`: the whole-basket optimiser on one instance.

use super::input::{bytes, complain, name, odd_number, tame};
use crate::cli::context::print_line;
use crate::engine::basket::conflict::{conflict, over_budget};
use crate::engine::basket::{BasketError, Instance, Solved, solve};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The largest instance read.
const MAX_INPUT: u64 = 256 << 20;

/// The most time for finding out why there is no answer.
const CONFLICT_LIMIT: Duration = Duration::from_secs(5);

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The instance (JSON), or - for stdin
    file: PathBuf,
    /// Stop after this many milliseconds with the best answer so far
    #[arg(long, value_name = "N")]
    limit_ms: Option<u64>,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let started = Instant::now();
    let answer = read(&args.file).and_then(|instance| {
        let limit = args.limit_ms.map(Duration::from_millis);
        let mut stop = stopper(started, limit);
        refuse_budget(&instance, limit, &mut stop).map_err(|e| e.to_string())?;
        solve(&instance, &mut stop).map_err(|e| reason(e, &instance, &mut stop).to_string())
    });
    match answer.and_then(|solved| print(&solved, started.elapsed())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

fn read(file: &Path) -> Result<Instance, String> {
    let name = name(file);
    let bytes = bytes(file, MAX_INPUT)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|e| format!("{name}: not JSON: byte {} is not UTF-8", e.valid_up_to()))?;
    Instance::from_json(text).map_err(|e| {
        let odd = match e {
            BasketError::NotJson { line, column, .. } => {
                let line = text.lines().nth(line.saturating_sub(1));
                odd_number(line.unwrap_or_default().as_bytes(), column)
            }
            _ => String::new(),
        };
        format!("{name}: {e}{odd}")
    })
}

/// Says at once that the budget is too low, in a part of the time.
fn refuse_budget(
    instance: &Instance,
    limit: Option<Duration>,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(), BasketError> {
    let Instance::Household(h) = instance else {
        return Ok(());
    };
    let slice = limit.map_or(CONFLICT_LIMIT, |l| (l / 4).min(CONFLICT_LIMIT));
    let until = Instant::now() + slice;
    match over_budget(h, &mut || stop() || Instant::now() >= until) {
        Some(relief) => Err(BasketError::Infeasible(relief.to_string())),
        None => Ok(()),
    }
}

/// An error that says which limits are in the way.
fn reason(error: BasketError, instance: &Instance, stop: &mut dyn FnMut() -> bool) -> BasketError {
    match (&error, instance) {
        (BasketError::Infeasible(_), Instance::Household(h)) => {
            let until = Instant::now() + CONFLICT_LIMIT;
            let found = conflict(h, &mut || stop() || Instant::now() >= until);
            BasketError::Infeasible(found.to_string())
        }
        _ => error,
    }
}

/// True once the time is over or the person pressed Ctrl-C.
fn stopper(started: Instant, limit: Option<Duration>) -> impl FnMut() -> bool {
    let interrupted = Arc::new(AtomicBool::new(false));
    let mut armed = false;
    move || {
        let elapsed = started.elapsed();
        // Most instances are over before anyone can press a key.
        if !armed && elapsed > Duration::from_millis(50) {
            armed = true;
            catch_interrupt(&interrupted);
        }
        limit.is_some_and(|l| elapsed >= l) || interrupted.load(Ordering::Relaxed)
    }
}

/// Sets the flag on Ctrl-C. Without a signal handler the default stays: to end.
fn catch_interrupt(flag: &Arc<AtomicBool>) {
    let flag = Arc::clone(flag);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build();
        if let Ok(runtime) = runtime
            && runtime.block_on(tokio::signal::ctrl_c()).is_ok()
        {
            flag.store(true, Ordering::Relaxed);
        }
    });
}

fn print(solved: &Solved, elapsed: Duration) -> Result<(), String> {
    let mut answer = serde_json::to_value(&solved.solution).map_err(|e| e.to_string())?;
    if let Value::Object(fields) = &mut answer {
        fields.insert("cost".into(), json!(solved.evaluation.cost));
        fields.insert("bound".into(), json!(solved.bound));
        fields.insert("optimal".into(), json!(solved.optimal));
        fields.insert("seconds".into(), json!(elapsed.as_secs_f64()));
    }
    print_line(&tame(answer.to_string()));
    Ok(())
}
