//! What the code that [`derive@crate::Coded`] makes refers to.

use serde::Serialize;
pub use serde_json::Value;

/// Facts by name.
pub type Facts = serde_json::Map<String, Value>;

/// A fact as JSON; null where it has no JSON form.
pub fn json(fact: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(fact).unwrap_or_default()
}

/// Adds a fact, unless it is absent.
pub fn insert(facts: &mut Facts, name: &str, fact: &(impl Serialize + ?Sized)) {
    let value = json(fact);
    if !value.is_null() {
        facts.insert(name.to_owned(), value);
    }
}

/// Adds the facts of an object.
pub fn extend(facts: &mut Facts, more: Value) {
    if let Value::Object(more) = more {
        facts.extend(more);
    }
}

/// The facts as details; null where there are none.
pub fn details(facts: Facts) -> Value {
    match facts.is_empty() {
        true => Value::Null,
        false => Value::Object(facts),
    }
}
