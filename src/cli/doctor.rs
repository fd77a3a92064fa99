//! `emptor doctor`: check everything and say how to mend it.

use super::client::Client;
use super::context::{Context, Exit, Result};
use super::format::count;
use crate::agent::api::types::{Status, VaultState};
use crate::agent::config::Config;
use crate::vault::{Vault, VaultPaths};
use crate::worker::{Job, Reply, WorkerPool};
use serde::Serialize;
use std::process::ExitCode;

/// One thing checked.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

fn good(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding {
        what,
        ok: true,
        detail: detail.into(),
        mend: None,
    }
}

fn bad(what: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding {
        what,
        ok: false,
        detail: detail.into(),
        mend: Some(mend.into()),
    }
}

/// Runs `emptor doctor`.
///
/// # Errors
/// None: what is wrong is the result.
pub async fn run(cx: &mut Context) -> Result<ExitCode> {
    let mut findings = vec![config(cx), vault(cx), permissions(cx)];
    findings.push(daemon(cx).await);
    findings.extend(sandbox().await);
    findings.push(desktop().await);
    // Settings that cannot be read allow nothing; `config` has said so.
    let settings = Config::load(&cx.paths.config).unwrap_or_default();
    findings.push(network(settings.net.allow_private.len()));
    cx.show(&findings, |cx, findings| {
        for f in findings {
            let mark = if f.ok {
                cx.green("ok  ")
            } else {
                cx.yellow("look")
            };
            cx.line(&format!("{mark} {:<12} {}", f.what, f.detail));
            if let Some(mend) = &f.mend {
                cx.line(&format!("                  {mend}"));
            }
        }
    })?;
    let fine = findings.iter().all(|f| f.ok);
    Ok(if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Exit::Failed as u8)
    })
}

fn config(cx: &Context) -> Finding {
    let path = cx.paths.config.display();
    match Config::load(&cx.paths.config) {
        Ok(_) if cx.paths.config.exists() => good("settings", format!("{path}")),
        Ok(_) => good("settings", format!("defaults (no {path})")),
        Err(e) => bad(
            "settings",
            e.to_string(),
            "correct the line named, or remove the file",
        ),
    }
}

fn vault(cx: &Context) -> Finding {
    if Vault::exists(&VaultPaths::new(&cx.paths.vault, &cx.paths.anchor)) {
        good("vault", cx.paths.vault.display().to_string())
    } else {
        bad("vault", "none yet", "make one with `emptor init`")
    }
}

fn permissions(cx: &Context) -> Finding {
    use std::os::unix::fs::MetadataExt;
    let mut open = Vec::new();
    let dirs = [
        Some(cx.paths.vault.as_path()),
        cx.paths.anchor.parent(),
        cx.paths.socket.parent(),
    ];
    for path in dirs.into_iter().flatten() {
        if std::fs::metadata(path).is_ok_and(|m| m.mode() & 0o077 != 0) {
            open.push(path.display().to_string());
        }
    }
    if open.is_empty() {
        good("privacy", "nobody else can enter your directories")
    } else {
        bad(
            "privacy",
            format!("others may enter {}", open.join(", ")),
            "chmod 700 them",
        )
    }
}

async fn daemon(cx: &Context) -> Finding {
    let Ok(mut client) = Client::connect(&cx.paths, false).await else {
        return good("daemon", "not running; commands start it");
    };
    match client.get::<Status>("/v1/status").await {
        Ok(s) if !s.warnings.is_empty() => bad(
            "daemon",
            s.warnings.join("; "),
            "see `emptor daemon status`",
        ),
        Ok(s) => {
            let state = match s.vault {
                VaultState::Open => "vault open",
                VaultState::Locked => "vault locked",
                VaultState::Absent => "no vault",
            };
            good(
                "daemon",
                format!(
                    "running, {state}, blind on {} of {} shops",
                    s.blind, s.shops
                ),
            )
        }
        Err(e) => bad(
            "daemon",
            e.to_string(),
            "emptor daemon stop, then try again",
        ),
    }
}

/// Starts a real worker and lets it try what it must not do.
async fn sandbox() -> Vec<Finding> {
    let exe = match crate::worker::this_binary() {
        Ok(exe) => exe,
        Err(e) => return vec![bad("sandbox", e.to_string(), "reinstall emptor")],
    };
    let pool = WorkerPool::new(1, exe);
    let report = match pool.sandbox_report().await {
        Ok(report) => report,
        Err(e) => return vec![bad("sandbox", e.to_string(), "reinstall emptor")],
    };
    let mut force = vec!["rlimits"];
    if report.seccomp {
        force.push("seccomp");
    }
    if report.landlock > 0 {
        force.push("landlock");
    }
    let mut findings = vec![if report.missing.is_empty() {
        good("sandbox", format!("in force: {}", force.join(", ")))
    } else {
        bad(
            "sandbox",
            format!(
                "in force: {}; missing: {}",
                force.join(", "),
                report.missing.join(", ")
            ),
            "a newer Linux kernel has them; pages are still read in a process of its own",
        )
    }];
    if let Ok(Reply::Checks(checks)) = pool.call(Job::SelfCheck, Vec::new()).await {
        let allowed: Vec<&str> = checks
            .iter()
            .filter(|c| !c.forbidden)
            .map(|c| c.what.as_str())
            .collect();
        findings.push(if allowed.is_empty() {
            good(
                "confinement",
                format!("{} forbidden things were tried and refused", checks.len()),
            )
        } else {
            bad(
                "confinement",
                format!("a reader could: {}", allowed.join(", ")),
                "see the line above",
            )
        });
    }
    findings
}

async fn desktop() -> Finding {
    match crate::notify::desktop_service().await {
        Some(name) => good("popups", name),
        None => good(
            "popups",
            "no desktop here: alerts go to the log and `emptor alerts`",
        ),
    }
}

fn network(private: usize) -> Finding {
    good(
        "network",
        match private {
            0 => "public addresses only; hosts of your own need [net] allow_private".to_owned(),
            n => format!(
                "public addresses, and {} under [net] allow_private",
                count(n, "host")
            ),
        },
    )
}
