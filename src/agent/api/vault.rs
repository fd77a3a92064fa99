//! The routes about the vault and its ledger.

use super::ApiError;
use super::handlers::{Body, Result, done};
use super::routes::Route;
use super::types::*;
use crate::agent::core::Agent;
use crate::vault::{BackupTo, ExposeSecret, Secret, SecretString};
use axum::Json;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use base64::Engine;
use serde::Serialize;
use std::path::Path as FilePath;

/// The routes, for the table.
pub fn routes() -> Vec<Route> {
    vec![
        Route::list::<LedgerLine>("get", "/v1/ledger", "What left the vault", get(ledger)),
        Route::new::<LedgerCheck>(
            "post",
            "/v1/ledger/verify",
            "Check the chain",
            post(verify_ledger),
        ),
        Route::new::<Done>(
            "post",
            "/v1/ledger/export",
            "Write it to a file",
            post(export_ledger),
        )
        .takes::<WriteFile>(),
        Route::new::<VaultView>("get", "/v1/vault", "The vault's condition", get(vault)),
        Route::new::<Done>(
            "post",
            "/v1/vault/passphrase",
            "Change the passphrase",
            post(passphrase),
        )
        .takes::<ChangePassphrase>(),
        Route::new::<NewSecret>(
            "post",
            "/v1/vault/slots",
            "Add a way to open the vault",
            post(add_slot),
        )
        .takes::<NewSlot>(),
        Route::new::<Done>(
            "delete",
            "/v1/vault/slots/{slot}",
            "Remove a way to open the vault",
            delete(remove_slot),
        ),
        Route::new::<VaultView>(
            "post",
            "/v1/vault/verify",
            "Read everything again",
            post(verify_vault),
        ),
        Route::new::<Done>("post", "/v1/vault/backup", "Write a backup", post(backup))
            .takes::<Backup>(),
        Route::new::<Done>(
            "post",
            "/v1/vault/export",
            "Write everything in the clear",
            post(export),
        )
        .takes::<WriteFile>(),
    ]
}

async fn ledger(State(agent): State<Agent>) -> Result<Vec<LedgerLine>> {
    let entries = agent.store()?.vault().ledger()?;
    Ok(Json(
        entries
            .into_iter()
            .map(|e| LedgerLine {
                seq: e.n,
                at: e.disclosure.time,
                recipient: e.disclosure.recipient,
                purpose: e.disclosure.purpose,
                fields: e.disclosure.fields,
                sha256: e.disclosure.sha256,
            })
            .collect(),
    ))
}

async fn verify_ledger(State(agent): State<Agent>) -> Result<LedgerCheck> {
    let head = agent.store()?.vault().verify_ledger()?;
    Ok(Json(LedgerCheck {
        entries: head.entries,
        head: head.hash,
    }))
}

/// A new file of the person's, readable by nobody else; never over another one.
fn new_file(path: &str) -> std::result::Result<std::fs::File, ApiError> {
    let path = FilePath::new(path);
    if !path.is_absolute() {
        return Err(ApiError::invalid("the path must be absolute"));
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map_err(|e| ApiError::failed(format!("cannot write {}: {e}", path.display())))
}

/// Writes a file whole or not at all.
fn write_file<E: std::fmt::Display>(
    path: &str,
    f: impl FnOnce(&mut std::io::BufWriter<std::fs::File>) -> std::result::Result<(), E>,
) -> Result<Done> {
    use std::io::Write;
    let mut out = std::io::BufWriter::new(new_file(path)?);
    let result = f(&mut out).map_err(|e| e.to_string()).and_then(|()| {
        out.flush()
            .and_then(|()| out.get_ref().sync_all())
            .map_err(|e| e.to_string())
    });
    match result {
        Ok(()) => done(format!("Wrote {path}.")),
        Err(e) => {
            let _ = std::fs::remove_file(path);
            Err(ApiError::failed(format!("cannot write {path}: {e}")))
        }
    }
}

async fn export_ledger(State(agent): State<Agent>, Body(to): Body<WriteFile>) -> Result<Done> {
    let store = agent.store()?;
    write_file(&to.path, |out| store.vault().export_ledger(out).map(drop))
}

fn vault_view(agent: &Agent, details: &impl Serialize) -> Result<VaultView> {
    let details = serde_json::to_value(details).map_err(|e| ApiError::failed(e.to_string()))?;
    Ok(Json(VaultView {
        state: agent.vault_state(),
        details,
    }))
}

async fn vault(State(agent): State<Agent>) -> Result<VaultView> {
    match agent.store() {
        Ok(store) => {
            let s = store.vault().status()?;
            let slots: Vec<_> = s
                .slots
                .iter()
                .map(|slot| serde_json::json!({"slot": slot.index, "kind": format!("{:?}", slot.kind), "label": slot.label, "proven": slot.proven}))
                .collect();
            vault_view(
                &agent,
                &serde_json::json!({
                    "transactions": s.seq, "records": s.records, "journal_bytes": s.journal_bytes,
                    "read_only": s.read_only, "device": s.device, "head": s.head, "slots": slots,
                    "notices": s.notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
                }),
            )
        }
        Err(_) => vault_view(&agent, &serde_json::json!({})),
    }
}

async fn passphrase(State(agent): State<Agent>, Body(c): Body<ChangePassphrase>) -> Result<Done> {
    let store = agent.store()?;
    blocking(move || {
        store
            .vault()
            .change_passphrase(&SecretString::from(c.old), &SecretString::from(c.new))
    })
    .await?;
    done("The passphrase was changed. Copies of the vault made before still open with the old one.")
}

/// Runs something slow (a key derivation, a backup) off the event loop.
async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> std::result::Result<T, crate::vault::VaultError> + Send + 'static,
) -> std::result::Result<T, ApiError> {
    tokio::task::spawn_blocking(f)
        .await
        .map_err(|e| ApiError::failed(e.to_string()))?
        .map_err(ApiError::from)
}

async fn add_slot(State(agent): State<Agent>, Body(new): Body<NewSlot>) -> Result<NewSecret> {
    let store = agent.store()?;
    let label = new.label.unwrap_or_default();
    match new.kind {
        SlotChoice::RecoveryCode => {
            let code = blocking(move || store.vault().add_recovery_code()).await?;
            Ok(Json(NewSecret {
                recovery_code: Some(code.reveal().expose_secret().to_owned()),
            }))
        }
        SlotChoice::Passphrase => {
            let passphrase = new
                .secret
                .ok_or_else(|| ApiError::invalid("no passphrase given"))?;
            blocking(move || {
                store
                    .vault()
                    .add_slot(&Secret::passphrase(passphrase), &label)
            })
            .await?;
            Ok(Json(NewSecret {
                recovery_code: None,
            }))
        }
        SlotChoice::KeyFile => {
            let text = new
                .secret
                .ok_or_else(|| ApiError::invalid("no key file given"))?;
            let bytes = base64::prelude::BASE64_STANDARD
                .decode(text)
                .map_err(|e| ApiError::invalid(e.to_string()))?;
            let secret = Secret::key_file(bytes)?;
            blocking(move || store.vault().add_slot(&secret, &label)).await?;
            Ok(Json(NewSecret {
                recovery_code: None,
            }))
        }
    }
}

async fn remove_slot(State(agent): State<Agent>, Path(slot): Path<usize>) -> Result<Done> {
    agent.store()?.vault().remove_slot(slot)?;
    done(format!("Slot {slot} does not open the vault any more."))
}

async fn verify_vault(State(agent): State<Agent>) -> Result<VaultView> {
    let store = agent.store()?;
    let anchor = agent.paths().anchor.clone();
    let found = blocking(move || store.vault().verify(&anchor)).await?;
    vault_view(
        &agent,
        &serde_json::json!({
            "whole": found.problems.is_empty(),
            "checkpoints": found.checkpoints,
            "journals": found.journals,
            "transactions": found.transactions,
            "records": found.records,
            "ledger_entries": found.ledger_entries,
            "problems": found.problems,
        }),
    )
}

async fn backup(State(agent): State<Agent>, Body(b): Body<Backup>) -> Result<Done> {
    let store = agent.store()?;
    let to = match (b.passphrase, b.recipients) {
        (Some(passphrase), r) if r.is_empty() => {
            BackupTo::Passphrase(SecretString::from(passphrase))
        }
        (None, recipients) if !recipients.is_empty() => BackupTo::Recipients(recipients),
        _ => {
            return Err(ApiError::invalid(
                "give a passphrase or age recipients, not both",
            ));
        }
    };
    let path = b.path;
    tokio::task::spawn_blocking(move || {
        write_file(&path, |out| {
            store.vault().backup(out, &to, crate::agent::store::TREES)
        })
    })
    .await
    .map_err(|e| ApiError::failed(e.to_string()))?
}

async fn export(State(agent): State<Agent>, Body(to): Body<WriteFile>) -> Result<Done> {
    let store = agent.store()?;
    tokio::task::spawn_blocking(move || {
        write_file(&to.path, |out| {
            store.vault().export(out, crate::agent::store::TREES)
        })
    })
    .await
    .map_err(|e| ApiError::failed(e.to_string()))?
}
