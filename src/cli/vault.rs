//! `emptor init`, `unlock`, `lock` and `vault`.

use super::client::Client;
use super::context::{CliError, Context, Exit, Result, aside};
use crate::agent::api::types::{
    Backup, ChangePassphrase, Done, NewSecret, NewSlot, SlotChoice, Unlock, VaultView, WriteFile,
};
use crate::agent::paths::private_dir;
use crate::vault::{
    BackupKey, ExposeSecret, KdfCost, Options, RecoveryCode, SecretString, Vault, VaultError,
    VaultPaths, check_passphrase,
};
use base64::Engine;
use clap::{Args, Subcommand};
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// `emptor init`
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  emptor init
  emptor init --yes --passphrase-file ~/secret     for scripts: prints the code, asks nothing")]
pub struct Init {
    /// Ask nothing: the recovery code is printed and not asked back
    #[arg(long)]
    yes: bool,
}

/// `emptor unlock`
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  emptor unlock                        asks for the passphrase
  emptor unlock --recovery             asks for the recovery code
  emptor unlock --key-file ./key")]
pub struct UnlockArgs {
    /// Open with the recovery code, typed in
    #[arg(long, conflicts_with = "key_file")]
    recovery: bool,
    /// Open with this key file
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// `emptor vault`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor vault status
  emptor vault passwd
  emptor vault backup backup.age
  emptor vault backup backup.age --to age1…   for the holder of an age key
  emptor vault restore backup.age
  emptor vault export everything.tar          in the clear")]
pub enum VaultVerb {
    /// The vault's condition
    Status,
    /// Change the passphrase
    Passwd {
        /// Read the new passphrase from this file
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// The ways to open the vault
    #[command(subcommand)]
    Slot(Slot),
    /// Write a backup: a standard age file (age-encryption.org)
    Backup {
        /// The file; it must not exist
        file: PathBuf,
        /// Encrypt to this age recipient instead of a passphrase; repeat it for more
        #[arg(long, value_name = "AGE1…")]
        to: Vec<String>,
    },
    /// Make a vault from a backup; the daemon must not have one open
    Restore {
        /// The backup
        file: PathBuf,
        /// The age identity file, if the backup was made for a recipient
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
        /// Do not have the new recovery code typed back
        #[arg(long)]
        yes: bool,
    },
    /// Read everything again and say what is damaged
    Verify,
    /// Write everything in the clear, as a tar of JSON lines
    Export {
        /// The file; it must not exist
        file: PathBuf,
    },
}

/// `emptor vault slot`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor vault slot list
  emptor vault slot add key-file --file ./key --label server
  emptor vault slot rm 2")]
pub enum Slot {
    /// List them
    #[command(alias = "ls")]
    List,
    /// Add one
    Add {
        /// What opens it
        #[arg(value_enum)]
        kind: Kind,
        /// The key file, or a file with the new passphrase
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// A name for it; not secret
        #[arg(long)]
        label: Option<String>,
    },
    /// Remove one
    Rm {
        /// Its number
        slot: usize,
    },
}

/// What opens the vault.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Kind {
    /// A passphrase
    Passphrase,
    /// A recovery code
    RecoveryCode,
    /// A key file
    KeyFile,
}

fn vault_error(e: &VaultError) -> CliError {
    let exit = match e {
        VaultError::Missing(_) | VaultError::Locked => Exit::Locked,
        _ => Exit::Failed,
    };
    let error = CliError::new(exit, e.to_string());
    match e {
        VaultError::WeakPassphrase(_) => {
            error.hint("use at least eight characters; several random words are best")
        }
        VaultError::Exists(_) => error.hint("`emptor unlock` opens it"),
        VaultError::AlreadyOpen => error.hint("lock it first: `emptor lock`"),
        _ => error,
    }
}

fn paths(cx: &Context) -> VaultPaths {
    VaultPaths::new(&cx.paths.vault, &cx.paths.anchor)
}

fn make_dirs(cx: &Context) -> Result {
    for path in [&cx.paths.vault, &cx.paths.anchor] {
        let dir = path.parent().unwrap_or(path);
        private_dir(dir)
            .map_err(|e| CliError::failed(format!("cannot make {}: {e}", dir.display())))?;
    }
    Ok(())
}

/// Runs `emptor init`.
///
/// # Errors
/// There is a vault already, or the system refuses.
pub async fn init(cx: &mut Context, args: Init) -> Result {
    if Vault::exists(&paths(cx)) {
        return Err(vault_error(&VaultError::Exists(cx.paths.vault.clone())));
    }
    let passphrase = new_passphrase(cx.global.passphrase_file.as_deref())?;
    make_dirs(cx)?;
    if !cx.global.json {
        cx.line("Choosing how hard guessing shall be on this machine …");
    }
    let kdf = KdfCost::calibrate().map_err(|e| vault_error(&e))?;
    let options = Options {
        kdf,
        ..Options::default()
    };
    let secret = SecretString::from(passphrase.as_str());
    let (vault, code) = Vault::create(&paths(cx), &secret, options).map_err(|e| vault_error(&e))?;
    vault.lock();
    drop(vault);
    give_code(cx, &code, args.yes)?;
    let report = serde_json::json!({"vault": cx.paths.vault});
    cx.show(&report, |cx, _| {
        cx.line(&format!("Your vault is {}.", cx.paths.vault.display()));
        cx.line("Next: `emptor shop add DOMAIN`, `emptor add URL`, `emptor offers`.");
    })
}

/// Shows the recovery code once and has it typed back, so that it is really written down.
fn give_code(cx: &Context, code: &RecoveryCode, yes: bool) -> Result {
    let text = code.reveal();
    let shown = Zeroizing::new(format!(
        "Your recovery code opens the vault when the passphrase is forgotten.\n\
         It is shown this once. Write it on paper:\n\n    {}\n\n",
        text.expose_secret()
    ));
    let mut err = std::io::stderr().lock();
    let written = err.write_all(shown.as_bytes()).and_then(|()| err.flush());
    drop(err);
    written.map_err(|e| {
        CliError::failed(format!("the recovery code cannot be shown: {e}"))
            .hint("`emptor vault slot add recovery-code` makes another one")
    })?;
    if yes || !std::io::stdin().is_terminal() {
        return Ok(());
    }
    loop {
        aside(format_args!("Type it back: "));
        let mut line = Zeroizing::new(String::new());
        let read = std::io::stdin().lock().read_line(&mut line);
        if matches!(read, Ok(0) | Err(_)) {
            cx.line("Not typed back. `emptor vault slot add recovery-code` makes another one.");
            return Ok(());
        }
        match RecoveryCode::parse(line.trim()) {
            Ok(typed) if typed.reveal().expose_secret() == text.expose_secret() => return Ok(()),
            Ok(_) => aside(format_args!("That is another code.\n")),
            Err(e) => aside(format_args!("{e}\n")),
        }
    }
}

/// Asks for a new passphrase twice, or reads it from a file.
fn new_passphrase(file: Option<&Path>) -> Result<Zeroizing<String>> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|e| CliError::failed(format!("cannot read {}: {e}", path.display())))?;
        let text = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
        check_passphrase(&SecretString::from(text.as_str())).map_err(|e| vault_error(&e))?;
        return Ok(text);
    }
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage("a new passphrase is needed")
            .hint("run it in a terminal, or give --passphrase-file FILE"));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|e| CliError::failed(format!("cannot read the passphrase: {e}")))
    };
    loop {
        let first = ask("New passphrase: ")?;
        if let Err(e) = check_passphrase(&SecretString::from(first.as_str())) {
            aside(format_args!("{e}\n"));
            continue;
        }
        if *ask("Once more: ")? == *first {
            return Ok(first);
        }
        aside(format_args!("They differ.\n"));
    }
}

/// Runs `emptor unlock`.
///
/// # Errors
/// A wrong secret.
pub async fn unlock(cx: &mut Context, args: UnlockArgs) -> Result {
    let none = Unlock {
        passphrase: None,
        recovery_code: None,
        key_file: None,
    };
    if !Vault::exists(&paths(cx)) {
        return Err(CliError::new(Exit::Locked, "there is no vault yet")
            .hint("make one with `emptor init`"));
    }
    let secret = if let Some(path) = &args.key_file {
        Unlock {
            key_file: Some(read_base64(path)?),
            ..none
        }
    } else if args.recovery {
        let code = rpassword::prompt_password("Recovery code: ")
            .map_err(|e| CliError::failed(format!("cannot read the code: {e}")))?;
        Unlock {
            recovery_code: Some(code),
            ..none
        }
    } else {
        Unlock {
            passphrase: Some(cx.passphrase("Passphrase: ")?.to_string()),
            ..none
        }
    };
    let done = cx.unlock(&secret).await?;
    cx.show(&done, |cx, d| cx.line(&d.done))
}

fn read_base64(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path)
        .map_err(|e| CliError::failed(format!("cannot read {}: {e}", path.display())))?;
    Ok(base64::prelude::BASE64_STANDARD.encode(bytes))
}

/// Runs `emptor lock`.
///
/// # Errors
/// The daemon cannot be reached.
pub async fn lock(cx: &mut Context) -> Result {
    let done: Done = match Client::connect(&cx.paths, false).await {
        Ok(mut client) => client.post("/v1/lock", &()).await?,
        Err(_) => Done {
            done: "No daemon is running, so the vault is locked.".into(),
        },
    };
    cx.show(&done, |cx, d| cx.line(&d.done))
}

/// Runs `emptor vault`.
///
/// # Errors
/// Whatever goes wrong.
pub async fn run(cx: &mut Context, verb: VaultVerb) -> Result {
    match verb {
        VaultVerb::Status => {
            let view: VaultView = cx.get("/v1/vault").await?;
            cx.show(&view, print_details)
        }
        VaultVerb::Passwd {
            new_passphrase_file,
        } => {
            let old = cx.passphrase("Present passphrase: ")?;
            let new = new_passphrase(new_passphrase_file.as_deref())?;
            let change = ChangePassphrase {
                old: old.to_string(),
                new: new.to_string(),
            };
            let done: Done = cx.post("/v1/vault/passphrase", &change).await?;
            cx.show(&done, |cx, d| cx.line(&d.done))
        }
        VaultVerb::Slot(verb) => slot(cx, verb).await,
        VaultVerb::Backup { file, to } => {
            let path = super::absolute(&file)?;
            let passphrase = if to.is_empty() {
                Some(cx.passphrase("Passphrase for the backup: ")?.to_string())
            } else {
                None
            };
            let backup = Backup {
                path,
                passphrase,
                recipients: to,
            };
            let done: Done = cx.post("/v1/vault/backup", &backup).await?;
            cx.show(&done, |cx, d| cx.line(&d.done))
        }
        VaultVerb::Restore {
            file,
            identity,
            yes,
        } => restore(cx, &file, identity.as_deref(), yes),
        VaultVerb::Verify => {
            let view: VaultView = cx.post("/v1/vault/verify", &()).await?;
            let whole = view
                .details
                .get("whole")
                .and_then(serde_json::Value::as_bool);
            cx.show(&view, print_details)?;
            if whole == Some(false) {
                return Err(CliError::failed("the vault is damaged")
                    .hint("make a copy of it, then `emptor vault restore BACKUP`"));
            }
            Ok(())
        }
        VaultVerb::Export { file } => {
            let path = super::absolute(&file)?;
            let done: Done = cx.post("/v1/vault/export", &WriteFile { path }).await?;
            cx.show(&done, |cx, d| cx.line(&d.done))
        }
    }
}

fn print_details(cx: &Context, view: &VaultView) {
    cx.line(&format!(
        "vault {}",
        format!("{:?}", view.state).to_lowercase()
    ));
    for (key, value) in view.details.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::Array(list) => {
                for item in list {
                    let text = match item {
                        serde_json::Value::String(s) => s.clone(),
                        serde_json::Value::Object(map) => map
                            .iter()
                            .map(|(k, v)| format!("{k} {v}"))
                            .collect::<Vec<_>>()
                            .join(", ")
                            .replace('"', ""),
                        other => other.to_string(),
                    };
                    cx.line(&format!("  {key:<14} {text}"));
                }
            }
            serde_json::Value::String(s) => cx.line(&format!("  {key:<14} {s}")),
            other => cx.line(&format!("  {key:<14} {other}")),
        }
    }
}

async fn slot(cx: &mut Context, verb: Slot) -> Result {
    match verb {
        Slot::List => {
            let view: VaultView = cx.get("/v1/vault").await?;
            let slots = view.details.get("slots").cloned().unwrap_or_default();
            cx.show(&slots, |cx, slots| {
                for s in slots.as_array().into_iter().flatten() {
                    let text = |k: &str| s.get(k).map(ToString::to_string).unwrap_or_default();
                    cx.line(
                        &format!("{}  {}  {}", text("slot"), text("kind"), text("label"))
                            .replace('"', ""),
                    );
                }
            })
        }
        Slot::Add { kind, file, label } => {
            let (kind, secret) = match kind {
                Kind::RecoveryCode => (SlotChoice::RecoveryCode, None),
                Kind::Passphrase => {
                    let text = new_passphrase(file.as_deref())?;
                    (SlotChoice::Passphrase, Some(text.to_string()))
                }
                Kind::KeyFile => {
                    let path = file.ok_or_else(|| {
                        CliError::usage("which key file?").hint(
                            "make one with `head -c 32 /dev/urandom > key` and give --file key",
                        )
                    })?;
                    (SlotChoice::KeyFile, Some(read_base64(&path)?))
                }
            };
            let made: NewSecret = cx
                .post(
                    "/v1/vault/slots",
                    &NewSlot {
                        kind,
                        secret,
                        label,
                    },
                )
                .await?;
            cx.show(&made, |cx, made| match &made.recovery_code {
                Some(code) => cx.line(&format!("Write this down, it is shown once: {code}")),
                None => cx.line("Added."),
            })
        }
        Slot::Rm { slot } => {
            let done: Done = cx.delete(&format!("/v1/vault/slots/{slot}")).await?;
            cx.show(&done, |cx, d| cx.line(&d.done))
        }
    }
}

fn restore(cx: &Context, file: &Path, identity: Option<&Path>, yes: bool) -> Result {
    if Vault::exists(&paths(cx)) {
        return Err(
            CliError::failed(format!("there is a vault in {}", cx.paths.vault.display()))
                .hint("move it away first; nothing is ever restored over a vault"),
        );
    }
    let backup = std::fs::File::open(file)
        .map_err(|e| CliError::failed(format!("cannot read {}: {e}", file.display())))?;
    let passphrase;
    let key = if let Some(path) = identity {
        let text = std::fs::read_to_string(path)
            .map_err(|e| CliError::failed(format!("cannot read {}: {e}", path.display())))?;
        passphrase = new_passphrase(cx.global.passphrase_file.as_deref())?;
        let key = text
            .lines()
            .map(str::trim)
            .find(|l| l.starts_with("AGE-SECRET-KEY-"));
        let key = key
            .ok_or_else(|| CliError::usage(format!("{} holds no age identity", path.display())))?;
        BackupKey::Identity(SecretString::from(key))
    } else {
        passphrase = cx.passphrase("Passphrase of the backup: ")?;
        BackupKey::Passphrase(SecretString::from(passphrase.as_str()))
    };
    make_dirs(cx)?;
    let kdf = KdfCost::calibrate().map_err(|e| vault_error(&e))?;
    let options = Options {
        kdf,
        ..Options::default()
    };
    let secret = SecretString::from(passphrase.as_str());
    let (vault, code) =
        Vault::restore(backup, &key, &paths(cx), &secret, options).map_err(|e| vault_error(&e))?;
    let records = vault.status().map(|s| s.records).unwrap_or_default();
    vault.lock();
    drop(vault);
    give_code(cx, &code, yes)?;
    cx.line(&format!(
        "Restored {records} records to {}.",
        cx.paths.vault.display()
    ));
    cx.line("The passphrase of the backup opens it.");
    Ok(())
}
