//! The child's side: confine, then answer one job after the other.

use super::sandbox::{self, Bounds, SandboxReport};
use super::{Job, Reply, frame, jobs};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Stack of the working thread; pages nest deeply.
const STACK: usize = 64 << 20;

/// Runs the child until its input ends. `emptor worker` calls this and nothing else,
/// before any other thread exists.
#[must_use]
pub fn run() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: worker: {e}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    // What a panic says may quote the page; it goes nowhere.
    std::panic::set_hook(Box::new(|_| {}));
    let mut input = io::stdin().lock();
    // The first frame comes from the host and says how much is allowed.
    let Some((bounds, _)) = frame::read::<Bounds>(&mut input)? else {
        return Ok(());
    };
    drop(input);
    let mut report = SandboxReport::default();
    sandbox::before_threads(bounds, &mut report);
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || work(report))?
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the working thread panicked")))
}

fn work(mut report: SandboxReport) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    sandbox::seal(&mut report);
    frame::write(&mut output, &report)?;
    while let Some((job, body)) = frame::read::<Job>(&mut input)? {
        let reply = catch_unwind(AssertUnwindSafe(|| jobs::run(job, &body)))
            .unwrap_or_else(|_| Reply::Failed("the reader failed on this input".to_owned()));
        frame::write(&mut output, &reply)?;
    }
    Ok(())
}
