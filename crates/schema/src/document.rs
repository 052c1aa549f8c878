//! `schema.json`: one JSON Schema for all verbs.

use serde_json::{json, Map, Value};

use crate::collect::Collected;
use crate::prose::plain_all;

/// Returns the schema of an object with one property per verb: its options. Outcomes and events are
/// definitions.
///
/// The command line generates its flags from it. It is draft 2020-12 with one additional keyword:
/// `x-expected` describes the values that a pattern allows.
pub(crate) fn document(collected: &Collected) -> Value {
    let properties: Map<String, Value> = collected
        .verbs
        .iter()
        .map(|described| {
            let reference = json!({ "$ref": format!("#/$defs/{}", described.options) });
            (described.verb.name.to_owned(), reference)
        })
        .collect();
    let mut definitions = collected.inputs.clone();
    for (name, schema) in &collected.outputs {
        definitions.entry(name.clone()).or_insert_with(|| schema.clone());
    }
    definitions.insert("Event".to_owned(), collected.event.clone());
    definitions.sort_keys();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nnunet-diag",
        "description": "Options of every verb of nnunet-diag, by the verb's name.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": definitions,
    });
    plain_all(&mut schema);
    schema
}
