//! What the child takes from itself before it sees foreign bytes.

use serde::{Deserialize, Serialize};

/// What is in force, for `emptor doctor`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxReport {
    /// Limits on memory, CPU time, files and processes.
    pub rlimits: bool,
    /// No privileges through set-uid programs.
    pub no_new_privs: bool,
    /// No files (Landlock); the version of the kernel's interface, 0 for none.
    pub landlock: i32,
    /// Only the system calls a parser needs.
    pub seccomp: bool,
    /// What could not be done, and why.
    pub missing: Vec<String>,
}

impl SandboxReport {
    fn note<E: std::fmt::Display>(&mut self, what: &str, result: Result<(), E>) -> bool {
        match result {
            Ok(()) => true,
            Err(e) => {
                self.missing.push(format!("{what}: {e}"));
                false
            }
        }
    }
}

/// Bounds the child sets on itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Bytes of address space.
    pub memory: u64,
    /// Seconds of CPU over the child's life.
    pub cpu_seconds: u64,
}

/// Everything that must happen before the working thread is started: new threads
/// inherit it.
pub fn before_threads(bounds: Bounds, report: &mut SandboxReport) {
    #[cfg(unix)]
    {
        report.rlimits = report.note("rlimits", rlimits(bounds));
    }
    #[cfg(not(unix))]
    {
        let _ = bounds;
        report
            .missing
            .push("rlimits: not on this system".to_owned());
    }
    #[cfg(target_os = "linux")]
    linux::before_threads(report);
    #[cfg(not(target_os = "linux"))]
    report
        .missing
        .push("landlock, seccomp: only on Linux".to_owned());
}

/// The last step: no further thread, process, file or socket after this.
pub fn seal(report: &mut SandboxReport) {
    #[cfg(unix)]
    {
        use rustix::process::Resource;
        let done = limit(Resource::Nproc, 0);
        report.rlimits &= report.note("limit on processes", done);
    }
    #[cfg(target_os = "linux")]
    linux::seal(report);
    let _ = report;
}

#[cfg(unix)]
fn limit(resource: rustix::process::Resource, value: u64) -> rustix::io::Result<()> {
    use rustix::process::{Rlimit, getrlimit, setrlimit};
    // Never above what the system allows already.
    let hard = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let value = Some(value.min(hard));
    setrlimit(
        resource,
        Rlimit {
            current: value,
            maximum: value,
        },
    )
}

#[cfg(unix)]
fn rlimits(bounds: Bounds) -> rustix::io::Result<()> {
    use rustix::process::Resource;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, 16)?;
    limit(Resource::Cpu, bounds.cpu_seconds)?;
    // macOS takes the call and ignores it; OpenBSD and others have no such limit.
    #[cfg(any(target_os = "linux", target_os = "macos", target_os = "freebsd"))]
    limit(Resource::As, bounds.memory)?;
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use super::SandboxReport;
    use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, Scope};

    pub fn before_threads(report: &mut SandboxReport) {
        let done = rustix::thread::set_no_new_privs(true);
        report.no_new_privs = report.note("no_new_privs", done);
        match landlock() {
            Ok(version) => report.landlock = version,
            Err(e) => report.missing.push(format!("landlock: {e}")),
        }
    }

    /// Forbids all of the file system, and what else the kernel's version knows.
    fn landlock() -> Result<i32, String> {
        use landlock::{LandlockStatus, RulesetStatus};
        let text = |e: &dyn std::fmt::Display| e.to_string();
        // The crate leaves out what the kernel does not know.
        let newest = ABI::V6;
        let status = Ruleset::default()
            .handle_access(AccessFs::from_all(newest))
            .and_then(|r| r.handle_access(AccessNet::from_all(newest)))
            .and_then(|r| r.scope(Scope::from_all(newest)))
            .and_then(Ruleset::create)
            .and_then(landlock::RulesetCreated::restrict_self)
            .map_err(|e| text(&e))?;
        match (status.ruleset, status.landlock) {
            (RulesetStatus::NotEnforced, _) => Err("the kernel does not have it".to_owned()),
            (_, LandlockStatus::Available { effective_abi, .. }) => Ok(effective_abi as i32),
            _ => Ok(1),
        }
    }

    pub fn seal(report: &mut SandboxReport) {
        report.seccomp = report.note("seccomp", super::seccomp::install());
    }
}

#[cfg(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
mod seccomp {
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule,
    };
    use std::collections::BTreeMap;

    /// The system calls of a program that only computes, reads and writes its pipes:
    /// memory, locks, signals, time, randomness and the end.
    const ALLOWED: [libc::c_long; 33] = [
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_fstat,
        libc::SYS_lseek,
        libc::SYS_ppoll,
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_membarrier,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_tgkill,
        libc::SYS_restart_syscall,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_getrandom,
        libc::SYS_getrusage,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];

    /// Forbidden calls answer "not permitted" rather than kill: a library that probes
    /// for a file then does without, and the job still gives an answer.
    pub fn install() -> Result<(), String> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
            ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
        // Memory may be mapped and protected, but never made executable.
        let not_executable = || -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
            let exec = u64::from(libc::PROT_EXEC.unsigned_abs());
            let no_exec =
                SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(exec), 0)?;
            Ok(vec![SeccompRule::new(vec![no_exec])?])
        };
        let text = |e: seccompiler::BackendError| e.to_string();
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            rules.insert(call, not_executable().map_err(text)?);
        }
        let arch = std::env::consts::ARCH.try_into().map_err(text)?;
        let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let filter = SeccompFilter::new(rules, denied, SeccompAction::Allow, arch).map_err(text)?;
        let program: BpfProgram = filter.try_into().map_err(text)?;
        seccompiler::apply_filter_all_threads(&program).map_err(|e| e.to_string())
    }
}

#[cfg(all(
    target_os = "linux",
    not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    ))
))]
mod seccomp {
    pub fn install() -> Result<(), String> {
        Err("no filter for this processor".to_owned())
    }
}
