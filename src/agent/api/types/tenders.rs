//! Calls for tenders and the ledger of what left.

use super::OfferView;
use crate::model::tender::{SessionStatus, TenderStatus};
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A new call for tenders: a draft until it is approved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewTender {
    /// The want.
    pub want: String,
    /// The providers' endpoints.
    pub to: Vec<String>,
    /// Replies must come within so many hours.
    pub hours: Option<u32>,
}

/// What one provider would get or got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// The endpoint.
    pub endpoint: String,
    /// Where the conversation stands.
    #[schema(value_type = String)]
    pub status: SessionStatus,
    /// The exact bytes, as text.
    pub document: String,
    /// What went wrong last.
    pub trouble: Option<String>,
}

/// A call for tenders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TenderView {
    /// What people type.
    pub id: String,
    /// The want.
    pub want: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    #[schema(value_type = String)]
    pub status: TenderStatus,
    /// Replies must come before.
    #[schema(value_type = String)]
    pub closes: Timestamp,
    /// One conversation for each provider.
    pub sessions: Vec<SessionView>,
    /// The valid quotes, best first, in the same ranking as crawled offers.
    pub quotes: Vec<OfferView>,
}

/// Chooses a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Award {
    /// The quote's id, as shown.
    pub quote: String,
}

/// One line of the disclosure ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerLine {
    /// Its number.
    pub seq: u64,
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// To whom.
    pub recipient: String,
    /// What for.
    pub purpose: String,
    /// The fields that left.
    pub fields: Vec<String>,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
}

/// Whether the ledger is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerCheck {
    /// How many entries were checked.
    pub entries: u64,
    /// The hash of the last one, in hex.
    pub head: String,
}
