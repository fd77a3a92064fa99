//! Calls for tenders: what is sent, what state a conversation is in, how replies become
//! quotes. `docs/tender-protocol.md` states the profile for providers.

pub mod demand;
pub mod did;
pub mod https;
pub mod state;

pub use demand::{demand_for, document};
pub use state::{SessionEvent, TenderEvent, TransitionError};
