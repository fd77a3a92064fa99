//! What a process that holds keys gives up: core dumps, being traced, readable files.

use rustix::process::{Resource, Rlimit, setrlimit, umask};

/// Hardens the calling process: files are created for the owner only, no core dump is
/// written and, on Linux, no other process of the same user may read its memory or
/// attach a debugger. Call it first thing, before any thread starts, because the
/// allocator is told to keep little memory, too.
///
/// # Errors
/// The system refused one of the three.
pub fn harden_process() -> std::io::Result<()> {
    super::locked::limit_arenas();
    umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
