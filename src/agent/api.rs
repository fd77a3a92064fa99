//! The local API: JSON over HTTP on the unix socket.

pub mod error;
pub mod types;

pub use error::{ApiError, Code};
