//! How an error crosses N-API.

use run::{Code, Coded};
use serde::Serialize;
use serde_json::Value;

/// An error as JavaScript receives it; TypeScript turns it into an `NnunetError`.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Stable identifier.
    pub code: String,
    /// Found, expected, where, what to do.
    pub message: String,
    /// The facts behind the message.
    pub details: Value,
}

impl Failure {
    /// A failure of the addon's own, for options it cannot parse and the like.
    pub fn new(code: Code, message: impl Into<String>, details: Value) -> Self {
        Self {
            code: code.as_str().to_owned(),
            message: message.into(),
            details,
        }
    }

    /// A failure that only a bug of this package can cause.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message, Value::Null)
    }

    /// This failure as a napi error whose reason is the JSON that TypeScript parses.
    pub fn into_napi(self) -> napi::Error {
        let reason = serde_json::to_string(&self).unwrap_or(self.message);
        napi::Error::from_reason(reason)
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            code: error.code().to_owned(),
            message: error.to_string(),
            details: error.details(),
        }
    }
}

/// Runs `work`; a panic becomes a [`Failure`] with code `ERR_INTERNAL`, never a dead process.
pub fn guard<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    run::catch(work).unwrap_or_else(|panicked| Err(panicked.into()))
}
