//! What the API says when it cannot do something.

use crate::engine::locale::Locale;
use crate::model::Sentence;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize, Serializer};

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
    #[serde(serialize_with = "in_words")]
    #[schema(value_type = String)]
    pub error: Sentence,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

fn in_words<S: Serializer>(sentence: &Sentence, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(sentence)
}

impl ApiError {
    /// An error of a kind.
    #[must_use]
    pub fn new(code: Code, error: impl Into<Sentence>) -> Self {
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

    /// The same with its amounts and days in the words of a reader.
    #[must_use]
    pub fn for_reader(self, locale: &Locale) -> Self {
        Self {
            error: locale.say(&self.error).into(),
            ..self
        }
    }

    /// The request makes no sense.
    #[must_use]
    pub fn invalid(error: impl Into<Sentence>) -> Self {
        Self::new(Code::Invalid, error)
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(error: impl Into<Sentence>) -> Self {
        Self::new(Code::NotFound, error)
    }

    /// It cannot be done in the present state.
    #[must_use]
    pub fn conflict(error: impl Into<Sentence>) -> Self {
        Self::new(Code::Conflict, error)
    }

    /// Something failed.
    #[must_use]
    pub fn failed(error: impl Into<Sentence>) -> Self {
        Self::new(Code::Failed, error)
    }
}

impl ApiError {
    /// How HTTP says it.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.code {
            Code::Invalid => StatusCode::BAD_REQUEST,
            Code::Locked => StatusCode::LOCKED,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Conflict => StatusCode::CONFLICT,
            Code::WrongSecret => StatusCode::FORBIDDEN,
            Code::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(&self)).into_response();
        // For whoever knows the reader's locale.
        response.extensions_mut().insert(self);
        response
    }
}
