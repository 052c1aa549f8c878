//! References with properties beside them.

use serde_json::{Map, Value};

/// Replaces every `$ref` with properties beside it by one object with all properties.
///
/// Such a schema describes a tagged variant that contains a struct: its tag is beside the reference.
pub fn merge_references(root: &mut Value) {
    let definitions = root["$defs"].as_object().cloned().unwrap_or_default();
    merge(root, &definitions);
}

fn merge(schema: &mut Value, definitions: &Map<String, Value>) {
    match schema {
        Value::Object(fields) => {
            let held = fields
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| definitions.get(reference.strip_prefix("#/$defs/")?))
                .filter(|_| fields.contains_key("properties"))
                .cloned();
            if let Some(held) = held {
                fields.remove("$ref");
                include(fields, &held);
            }
            fields.values_mut().for_each(|value| merge(value, definitions));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| merge(item, definitions)),
        _ => {}
    }
}

/// Adds the properties of `held`, and which of them are required.
fn include(fields: &mut Map<String, Value>, held: &Value) {
    if let (Some(Value::Object(own)), Some(more)) =
        (fields.get_mut("properties"), held["properties"].as_object())
    {
        own.extend(more.clone());
    }
    if let Some(more) = held["required"].as_array() {
        let own = fields
            .entry("required")
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(own) = own {
            own.extend(more.clone());
        }
    }
}
