//! Descriptions of the values that a schema allows.

use serde_json::Value;

/// Schema keyword with a description of the expected value, for patterns that are hard to read:
/// `#[schemars(extend("x-expected" = "…"))]`.
const EXPECTED: &str = "x-expected";

/// Resolves a `$ref` to one of the root's `$defs`.
pub(super) fn resolve<'s>(root: &'s Value, mut schema: &'s Value) -> &'s Value {
    while let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
        schema = &root["$defs"][name];
    }
    schema
}

/// The alternatives of a schema: `oneOf` and `anyOf`, without null.
pub(super) fn alternatives<'s>(root: &'s Value, schema: &'s Value) -> Option<Vec<&'s Value>> {
    let list = schema["oneOf"]
        .as_array()
        .or_else(|| schema["anyOf"].as_array())?;
    let all = list.iter().map(|one| resolve(root, one));
    Some(all.filter(|one| one["type"] != "null").collect())
}

/// The texts allowed by an enumeration.
pub(super) fn choices<'s>(root: &'s Value, schema: &'s Value) -> Option<Vec<&'s str>> {
    if let Some(values) = schema["enum"].as_array() {
        return Some(values.iter().filter_map(Value::as_str).collect());
    }
    if let Some(text) = schema["const"].as_str() {
        return Some(vec![text]);
    }
    let all: Option<Vec<Vec<&str>>> = alternatives(root, schema)?
        .into_iter()
        .map(|one| choices(root, one))
        .collect();
    all.map(|lists| lists.concat())
}

/// Returns true if a schema's `type` is or includes `name`.
pub(super) fn has_type(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::Array(types) => types.iter().any(|t| t == name),
        one => one == name,
    }
}

/// The expected value, such as `a whole number of at least 1`.
pub(super) fn expected(root: &Value, schema: &Value) -> String {
    let schema = resolve(root, schema);
    if let Some(words) = schema[EXPECTED].as_str() {
        return words.to_owned();
    }
    if let Some(choices) = choices(root, schema) {
        return match choices.as_slice() {
            [one] => (*one).to_owned(),
            many => format!("one of {}", many.join(", ")),
        };
    }
    if let Some(all) = alternatives(root, schema) {
        let words: Vec<_> = all.into_iter().map(|one| expected(root, one)).collect();
        return words.join(" or ");
    }
    if has_type(schema, "integer") {
        return format!("a whole number{}", range(schema));
    }
    if has_type(schema, "number") {
        return format!("a number{}", range(schema));
    }
    if has_type(schema, "boolean") {
        return "true or false".to_owned();
    }
    if has_type(schema, "string") {
        return match schema["pattern"].as_str() {
            Some(pattern) => format!("text that matches {pattern}"),
            None if schema["minLength"].as_u64() > Some(0) => "text that is not empty".to_owned(),
            None => "text".to_owned(),
        };
    }
    if has_type(schema, "array") {
        return list(root, schema);
    }
    "an object".to_owned()
}

fn list(root: &Value, schema: &Value) -> String {
    let (least, most) = (schema["minItems"].as_u64(), schema["maxItems"].as_u64());
    let count = match (least, most) {
        (Some(a), Some(b)) if a == b => format!(" of {a} values"),
        (Some(a), Some(b)) => format!(" of {a} to {b} values"),
        (Some(a), None) if a > 0 => format!(" of at least {a} values"),
        (_, Some(b)) => format!(" of at most {b} values"),
        _ => String::new(),
    };
    match &schema["items"] {
        Value::Object(_) => format!("a list{count}, each {}", expected(root, &schema["items"])),
        _ => format!("a list{count}"),
    }
}

/// The upper bound, unless it is just the bound of an integer type.
const TELLING: f64 = 4e9;

fn range(schema: &Value) -> String {
    let least = schema["minimum"].as_f64();
    let above = schema["exclusiveMinimum"].as_f64();
    let most = schema["maximum"].as_f64().filter(|most| *most < TELLING);
    let below = schema["exclusiveMaximum"].as_f64();
    match (least, above, most, below) {
        (Some(a), None, Some(b), None) => format!(" from {a} to {b}"),
        (Some(a), None, None, None) => format!(" of at least {a}"),
        (None, Some(a), None, None) => format!(" above {a}"),
        (None, Some(a), Some(b), None) => format!(" above {a} and at most {b}"),
        (None, None, Some(b), None) => format!(" of at most {b}"),
        (Some(a), None, None, Some(b)) => format!(" of at least {a} and below {b}"),
        _ => String::new(),
    }
}
