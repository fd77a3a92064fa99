//! Calls for tenders: the documents and their states.

use super::time::Timestamp;
use super::{Id, Offer};
use serde::{Deserialize, Serialize};

/// Where a call for tenders stands. OCDS words where OCDS has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenderStatus {
    /// Written, not yet shown to the person.
    Draft,
    /// The person saw what will be sent and agreed.
    Approved,
    /// Sent; replies may come.
    Open,
    /// The time for replies is over.
    Evaluating,
    /// Counter-offers are out.
    Negotiating,
    /// One quote is chosen and being confirmed.
    Awarding,
    /// The provider confirmed.
    Awarded,
    /// Delivered.
    Fulfilled,
    /// Done.
    Closed,
    /// Nobody made a usable quote.
    Unsuccessful,
    /// The person called it off.
    Cancelled,
    /// The time ran out before anything was chosen.
    Expired,
}

/// Where the conversation with one provider stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Invited, no answer yet.
    Proposed,
    /// The provider answered.
    Active,
    /// The provider agreed to our indicative counter: its firm offer now, not yet ours.
    AgreedProvisional,
    /// The person bought here.
    Committed,
    /// One side said no.
    Rejected,
    /// Out of time.
    Expired,
    /// Runner-up, kept until the winner confirms.
    Dormant,
}

/// A call for tenders and its conversations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tender {
    /// Its id.
    pub id: Id,
    /// The want behind it.
    pub want: Id,
    /// Where it stands.
    pub status: TenderStatus,
    /// The exact document that is sent: a schema.org `Demand`.
    pub demand: serde_json::Value,
    /// When it was made.
    pub created: Timestamp,
    /// Replies must come before.
    pub closes: Timestamp,
    /// One conversation for each invited provider.
    pub sessions: Vec<Session>,
}

/// The conversation with one provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id, in every message. Providers cannot link two of them.
    pub id: Id,
    /// The provider's endpoint.
    pub endpoint: String,
    /// The seed of the Ed25519 key this provider knows the buyer by, in base 64. Made for
    /// this conversation alone; never leaves the vault.
    #[serde(default)]
    pub seed: String,
    /// The address to poll, from the provider's `Location` header.
    pub location: Option<String>,
    /// Where it stands.
    pub status: SessionStatus,
    /// The last sequence number seen when polling.
    #[serde(default)]
    pub cursor: u64,
    /// The provider's quotes, newest last.
    #[serde(default)]
    pub quotes: Vec<Quote>,
    /// The provider has confirmed our acceptance.
    #[serde(default)]
    pub confirmed: bool,
    /// What went wrong last, for the person.
    #[serde(default)]
    pub trouble: Option<String>,
    /// The next time to poll it.
    #[serde(default)]
    pub next_poll: Option<Timestamp>,
}

impl Session {
    /// A conversation that has not begun, with the seed of its own key.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, seed: String) -> Self {
        Self {
            // Version 4: a version 7 id would carry the time and link two invitees.
            id: Id(uuid::Uuid::new_v4()),
            endpoint: endpoint.into(),
            seed,
            location: None,
            status: SessionStatus::Proposed,
            cursor: 0,
            quotes: Vec::new(),
            confirmed: false,
            trouble: None,
            next_poll: None,
        }
    }
}

/// An offer in reply to a tender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// Its id.
    pub id: Id,
    /// Counts up with each revision by the provider.
    pub revision: u32,
    /// When it came.
    pub received: Timestamp,
    /// It holds until.
    pub valid_through: Option<Timestamp>,
    /// The provider's own name for it, to say which offer is accepted.
    #[serde(default)]
    pub identifier: Option<String>,
    /// Whether the provider is bound by it.
    pub firm: bool,
    /// The offer itself.
    pub offer: Offer,
    /// SHA-256 of the bytes received, in hex: what exactly was said.
    pub sha256: String,
}
