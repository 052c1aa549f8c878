//! Errors with codes, as TypeScript receives them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An error with a stable code and machine-readable details. Every error enum of this package derives it:
///
/// ```
/// # use std::path::PathBuf;
/// #[derive(Debug, thiserror::Error, run::Coded)]
/// enum Error {
///     /// Details are the fields in camelCase: `{"path":"a.npy","problem":"…"}`.
///     #[error("{} is not a valid npy array: {problem}", path.display())]
///     #[code(NpyHeader)]
///     Header { path: PathBuf, problem: String },
///     /// An I/O error becomes the text `reason`. [`Code::of_io`](crate::Code::of_io) gives its code:
///     /// `ERR_NOT_FOUND` for a missing file, `ERR_VOLUME_IO` for errors without a code of their own.
///     #[error("{}: {source}", path.display())]
///     #[code(io(VolumeIo))]
///     Io { path: PathBuf, source: std::io::Error },
///     /// Attributes change the details: `skip` omits a field, `text` formats it as text, `flatten` adds
///     /// the fields of a struct, `name = "…"` renames it. An attribute of the variant adds details.
///     /// A field that is `None` is omitted.
///     #[error("interpolation order {order} is not supported: use 0, 1 or 3")]
///     #[code(ResampleOrder)]
///     #[detail(expected = [0, 1, 3])]
///     Order {
///         #[detail(name = "found")]
///         order: u8,
///     },
///     /// Code and details of the inner error, which is the only unnamed field or the one named `source`.
///     #[error(transparent)]
///     #[code(transparent)]
///     Cancelled(#[from] run::Cancelled),
/// }
/// # use run::Coded;
/// # let error = Error::Header { path: "a.npy".into(), problem: "empty".into() };
/// assert_eq!(error.code(), "ERR_NPY_HEADER");
/// assert_eq!(error.details()["path"], "a.npy");
/// assert_eq!(Error::from(run::Cancelled).code(), "ERR_CANCELLED");
/// let source = std::io::ErrorKind::NotFound.into();
/// assert_eq!(Error::Io { path: "a.npy".into(), source }.code(), "ERR_NOT_FOUND");
/// let details = Error::Order { order: 2 }.details();
/// assert_eq!(details.to_string(), r#"{"expected":[0,1,3],"found":2}"#);
/// ```
///
/// Names of details are the same in every crate: `path` (a file), `folder`, `case`, `found`, `expected`,
/// `problem` (this package's description), `reason` (the message of the system or a library).
pub trait Coded: std::error::Error {
    /// One of [`crate::Code`].
    fn code(&self) -> &'static str;

    /// The details of the message (file, case, key, found, expected) as a JSON object, or null.
    fn details(&self) -> Value {
        Value::Null
    }
}

/// A failed case of a verb that continues with the other cases.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, schemars::JsonSchema)]
pub struct CaseFailure {
    /// The case's identifier, or the file name if the case is unknown.
    pub case: String,
    /// The error's code.
    pub code: String,
    /// The error's message: found, expected, where, what to do.
    pub message: String,
    /// The details of the message: file, found, expected. Null if there are none.
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
