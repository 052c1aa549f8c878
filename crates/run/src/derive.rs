//! Functions used by the code that [`derive@crate::Coded`] generates.

use serde::Serialize;
pub use serde_json::Value;

/// Details of an error by name.
pub type Details = serde_json::Map<String, Value>;

/// A value as JSON; null if it has no JSON form.
pub fn json(value: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Adds a detail unless its value is null.
pub fn insert(details: &mut Details, name: &str, value: &(impl Serialize + ?Sized)) {
    let value = json(value);
    if !value.is_null() {
        details.insert(name.to_owned(), value);
    }
}

/// Adds the entries of a JSON object.
pub fn extend(details: &mut Details, more: Value) {
    if let Value::Object(more) = more {
        details.extend(more);
    }
}

/// The details as a JSON object, or null if there are none.
pub fn into_json(details: Details) -> Value {
    match details.is_empty() {
        true => Value::Null,
        false => Value::Object(details),
    }
}
