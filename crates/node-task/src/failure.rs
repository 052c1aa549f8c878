//! Errors as N-API values.

use run::{Code, Coded};
use serde::Serialize;
use serde_json::Value;

/// An error as JavaScript receives it; TypeScript turns it into an `NnunetError`.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Stable code.
    pub code: String,
    /// Message: found, expected, where, what to do.
    pub message: String,
    /// Details of the message.
    pub details: Value,
}

impl Failure {
    /// An error of the addon itself, such as options that cannot be parsed.
    pub fn new(code: Code, message: impl Into<String>, details: Value) -> Self {
        Self {
            code: code.as_str().to_owned(),
            message: message.into(),
            details,
        }
    }

    /// An error that only a bug of this package can cause.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message, Value::Null)
    }

    /// Converts this error to a napi error. Its reason is JSON that TypeScript parses.
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

/// Runs `work`. A panic becomes a [`Failure`] with code `ERR_INTERNAL` and does not end the process.
pub fn guard<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    run::catch(work).unwrap_or_else(|panicked| Err(panicked.into()))
}
