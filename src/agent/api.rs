//! The local API: JSON over HTTP on the unix socket.

mod alerts;
mod decisions;
pub mod error;
pub mod handlers;
pub mod routes;
mod shops;
pub mod tenders;
mod terms;
pub mod types;
pub mod vault;
mod wants;

pub use error::{ApiError, Code};
pub use handlers::router;
