//! The vault: its condition, its slots, copies of it.

use super::VaultState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The vault's condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VaultView {
    /// Whether it can be read.
    pub state: VaultState,
    /// Everything else, as the vault reports it.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}

/// Changes the passphrase.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassphrase {
    /// The present one.
    pub old: String,
    /// The new one.
    pub new: String,
}

impl std::fmt::Debug for ChangePassphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangePassphrase([secrets])")
    }
}

/// Writes a file of the person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    /// Where to, absolute.
    pub path: String,
}

/// Where the web page is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebPage {
    /// The address, good for one minute and one browser.
    pub url: String,
}

/// What opens the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotChoice {
    /// A passphrase.
    Passphrase,
    /// A recovery code, made by the vault.
    RecoveryCode,
    /// A key file.
    KeyFile,
}

/// Adds a way to open the vault.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSlot {
    /// What opens it.
    pub kind: SlotChoice,
    /// The passphrase, or the key file in base 64.
    #[serde(default)]
    pub secret: Option<String>,
    /// A name for it; not secret.
    #[serde(default)]
    pub label: Option<String>,
}

impl std::fmt::Debug for NewSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSlot")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A secret that is shown once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewSecret {
    /// The recovery code, if one was made.
    pub recovery_code: Option<String>,
}

impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewSecret([secret])")
    }
}

/// Writes a backup: a standard age file.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Where to, absolute.
    pub path: String,
    /// Opens with this passphrase …
    #[serde(default)]
    pub passphrase: Option<String>,
    /// … or with the keys of these age recipients.
    #[serde(default)]
    pub recipients: Vec<String>,
}

impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backup")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
