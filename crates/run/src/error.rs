//! Coded errors, as they cross into TypeScript.

use serde::Serialize;
use serde_json::Value;

/// An error with a stable code and machine-readable facts. Every crate's error enum derives it:
///
/// ```
/// # use std::path::PathBuf;
/// #[derive(Debug, thiserror::Error, run::Coded)]
/// enum Error {
///     /// Details are the fields in camelCase: `{"path":"a.npy","problem":"…"}`.
///     #[error("{} is not a valid npy array: {problem}", path.display())]
///     #[code(NpyHeader)]
///     Header { path: PathBuf, problem: String },
///     /// An error of the system becomes the text `reason`. `#[detail(skip)]`, `#[detail(text)]`, `#[detail(flatten)]` and
///     /// `#[detail(name = "…")]` change how a field is given.
///     #[error("{}: {source}", path.display())]
///     #[code(VolumeIo)]
///     Io { path: PathBuf, source: std::io::Error },
///     /// Code and details of the error inside, which is the only unnamed field or the one called `source`.
///     #[error(transparent)]
///     #[code(transparent)]
///     Cancelled(#[from] run::Cancelled),
/// }
/// # use run::Coded;
/// # let error = Error::Header { path: "a.npy".into(), problem: "empty".into() };
/// assert_eq!(error.code(), "ERR_NPY_HEADER");
/// assert_eq!(error.details()["path"], "a.npy");
/// assert_eq!(Error::from(run::Cancelled).code(), "ERR_CANCELLED");
/// ```
pub trait Coded: std::error::Error {
    /// One of [`crate::Code`].
    fn code(&self) -> &'static str;

    /// The facts behind the message (file, case, key, found, expected) as a JSON object, or null.
    fn details(&self) -> Value {
        Value::Null
    }
}

/// One case of a verb over many cases that failed while the others went on.
#[derive(Clone, Debug, Serialize, PartialEq, schemars::JsonSchema)]
pub struct CaseFailure {
    /// The case's identifier, or the file name where no case could be told.
    pub case: String,
    /// The error's code.
    pub code: String,
    /// The error's message: found, expected, where, what to do.
    pub message: String,
    /// The facts behind the message: file, found, expected; null where there are none.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
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
