//! What the API says when it cannot do something.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// The kinds of failure; the command line turns each into an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request makes no sense.
    Invalid,
    /// The vault is locked or not made yet.
    Locked,
    /// There is no such thing.
    NotFound,
    /// It cannot be done in the present state.
    Conflict,
    /// The passphrase or code is wrong.
    WrongSecret,
    /// Something failed.
    Failed,
}

/// An error with what to do about it.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, thiserror::Error,
)]
#[error("{error}")]
pub struct ApiError {
    /// The kind.
    pub code: Code,
    /// What went wrong.
    pub error: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl ApiError {
    /// An error of a kind.
    #[must_use]
    pub fn new(code: Code, error: impl Into<String>) -> Self {
        Self {
            code,
            error: error.into(),
            hint: None,
        }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The request makes no sense.
    #[must_use]
    pub fn invalid(error: impl Into<String>) -> Self {
        Self::new(Code::Invalid, error)
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(error: impl Into<String>) -> Self {
        Self::new(Code::NotFound, error)
    }

    /// It cannot be done in the present state.
    #[must_use]
    pub fn conflict(error: impl Into<String>) -> Self {
        Self::new(Code::Conflict, error)
    }

    /// Something failed.
    #[must_use]
    pub fn failed(error: impl Into<String>) -> Self {
        Self::new(Code::Failed, error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match self.code {
            Code::Invalid => StatusCode::BAD_REQUEST,
            Code::Locked => StatusCode::LOCKED,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Conflict => StatusCode::CONFLICT,
            Code::WrongSecret => StatusCode::FORBIDDEN,
            Code::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self)).into_response()
    }
}
