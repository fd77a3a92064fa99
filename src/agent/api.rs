//! The local API: JSON over HTTP on the unix socket.

mod alerts;
mod decisions;
pub mod error;
pub mod handlers;
pub mod routes;
pub mod tenders;
mod terms;
pub mod types;
pub mod vault;

pub use error::{ApiError, Code};
pub use handlers::router;
