//! Coded errors, as they cross into TypeScript.

use serde::Serialize;
use serde_json::Value;

use crate::Cancelled;

/// An error with a stable code and machine-readable facts. Every crate's error enum implements it.
pub trait Coded: std::error::Error {
    /// Stable identifier such as `ERR_NIFTI_HEADER`; never changes once released.
    fn code(&self) -> &'static str;

    /// The facts behind the message (file, case, key, found, expected) as a JSON object, or null.
    fn details(&self) -> Value {
        Value::Null
    }
}

impl Coded for Cancelled {
    fn code(&self) -> &'static str {
        "ERR_CANCELLED"
    }
}

/// One case of a verb over many cases that failed while the others went on.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct CaseFailure {
    /// The case's identifier, or the file name where no case could be told.
    pub case: String,
    /// The error's [`Coded::code`].
    pub code: String,
    /// The error's message: found, expected, where, what to do.
    pub message: String,
    /// The error's [`Coded::details`].
    pub details: Value,
}

impl CaseFailure {
    /// Records that `case` failed with `error`.
    pub fn new(case: impl Into<String>, error: &dyn Coded) -> Self {
        Self {
            case: case.into(),
            code: error.code().to_owned(),
            message: error.to_string(),
            details: error.details(),
        }
    }
}
