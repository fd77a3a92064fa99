//! `emptor daemon`: run it, start it, stop it, install it.

use super::client::Client;
use super::context::{CliError, Context, Exit, Result};
use super::format::ago;
use crate::agent::api::types::{Done, Status, VaultState};
use crate::model::time::Timestamp;
use clap::Subcommand;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// `emptor daemon`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor daemon status
  emptor daemon run                 in the foreground, with its log
  emptor daemon install --print     the systemd unit")]
pub enum Daemon {
    /// Run in the foreground until Ctrl-C
    Run {
        /// Leave the terminal's session (used when the command line starts it)
        #[arg(long, hide = true)]
        detached: bool,
    },
    /// Start it in the background
    Start,
    /// Stop it
    Stop,
    /// How it is
    Status,
    /// Install it as a service of your user session (systemd)
    Install {
        /// Print the unit instead of writing it
        #[arg(long)]
        print: bool,
    },
}

/// Runs the verbs that talk to a daemon; `run` is the caller's.
///
/// # Errors
/// Whatever goes wrong.
pub async fn verb(cx: &mut Context, verb: Daemon) -> Result {
    match verb {
        Daemon::Run { .. } => Ok(()),
        Daemon::Start => {
            let status: Status = cx.client().await?.get("/v1/status").await?;
            cx.show(&status, print_status)
        }
        Daemon::Stop => stop(cx).await,
        Daemon::Status => {
            let mut client = Client::connect(&cx.paths, false).await?;
            let status: Status = client.get("/v1/status").await?;
            cx.show(&status, print_status)
        }
        Daemon::Install { print } => install(cx, print),
    }
}

async fn stop(cx: &mut Context) -> Result {
    let done = match Client::connect(&cx.paths, false).await {
        Ok(mut client) => client.post::<Done>("/v1/stop", &()).await?,
        Err(_) => Done {
            done: "No daemon is running.".into(),
        },
    };
    let begin = Instant::now();
    while tokio::net::UnixStream::connect(&cx.paths.socket)
        .await
        .is_ok()
    {
        if begin.elapsed() > Duration::from_secs(30) {
            return Err(CliError::failed(
                "the daemon still answers after 30 seconds",
            ));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cx.show(&done, |cx, d| cx.line(&d.done))
}

fn print_status(cx: &Context, s: &Status) {
    let now = Timestamp::now();
    let vault = match s.vault {
        VaultState::Absent => cx.yellow("no vault yet: run `emptor init`"),
        VaultState::Locked => cx.yellow("locked: run `emptor unlock`"),
        VaultState::Open => cx.green("open"),
    };
    cx.line(&format!(
        "emptor {}, process {}, started {}",
        s.version,
        s.pid,
        ago(s.since, now)
    ));
    cx.line(&format!("vault     {vault}"));
    if s.vault == VaultState::Open {
        cx.line(&format!("wants     {}", s.wants));
        cx.line(&format!("shops     {} ({} blind)", s.shops, s.blind));
        cx.line(&format!("prices    {} seen", s.observations));
        if let Some(next) = s.next_crawl {
            cx.line(&format!("next page {}", ago(next, now)));
        }
    }
    for w in &s.warnings {
        cx.line(&cx.yellow(&format!("warning: {w}")));
    }
}

/// The user unit, the same that packages install. Hardening that needs a system manager is
/// left to the sandbox that the worker puts itself into.
fn unit(exe: &str) -> String {
    include_str!("../../packaging/emptor.service").replace("/usr/bin/emptor", exe)
}

fn install(cx: &Context, print: bool) -> Result {
    let exe = std::env::current_exe()
        .map_err(|e| CliError::failed(format!("cannot find this program: {e}")))?;
    let text = unit(&exe.display().to_string());
    if print {
        cx.line(text.trim_end());
        return Ok(());
    }
    let config = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|p| p.is_absolute())
        .or_else(|| std::env::home_dir().map(|h| h.join(".config")))
        .ok_or_else(|| CliError::new(Exit::Failed, "no home directory"))?;
    let dir = config.join("systemd/user");
    let path = dir.join("emptor.service");
    std::fs::create_dir_all(&dir)
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|e| CliError::failed(format!("cannot write {}: {e}", path.display())))?;
    cx.line(&format!("Wrote {}. Switch it on with:", path.display()));
    cx.line("  systemctl --user daemon-reload && systemctl --user enable --now emptor");
    cx.line("To keep it running when you are logged out: loginctl enable-linger");
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_unit_starts_this_program() {
        let unit = super::unit("/opt/emptor");
        assert!(unit.contains("ExecStart=/opt/emptor daemon run\n"));
        assert!(unit.contains("UMask=0077"));
    }
}
