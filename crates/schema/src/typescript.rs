//! JSON Schema as TypeScript types.

use serde_json::{Map, Value};

use crate::prose::jsdoc;

/// The side that writes values of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Callers: options with a default are optional.
    Input,
    /// This package: all fields are present.
    Output,
}

/// The declaration of a type, exported.
pub(crate) fn declaration(name: &str, schema: &Value, role: Role, base: Option<&str>) -> String {
    let comment = jsdoc(&documentation(schema), "");
    let mapped = schema["additionalProperties"].is_object();
    if schema["properties"].is_object() && !mapped {
        let extends = base.map_or_else(String::new, |base| format!("extends {base} "));
        format!(
            "{comment}export interface {name} {extends}{}\n",
            object(schema, role, "")
        )
    } else {
        format!(
            "{comment}export type {name} = {};\n",
            expression(schema, role, "")
        )
    }
}

/// The TypeScript type of a schema.
pub(crate) fn expression(schema: &Value, role: Role, indent: &str) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
        return name.to_owned();
    }
    if let Some(values) = schema["enum"].as_array() {
        return union(values.iter().map(literal));
    }
    if !schema["const"].is_null() {
        return literal(&schema["const"]);
    }
    if let Some(all) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        return union(all.iter().map(|one| expression(one, role, indent)));
    }
    match &schema["type"] {
        Value::Array(types) => union(types.iter().map(|name| typed(name, schema, role, indent))),
        name => typed(name, schema, role, indent),
    }
}

fn typed(name: &Value, schema: &Value, role: Role, indent: &str) -> String {
    match name.as_str() {
        Some("integer" | "number") => "number".to_owned(),
        Some("string") => "string".to_owned(),
        Some("boolean") => "boolean".to_owned(),
        Some("null") => "null".to_owned(),
        Some("array") => list(schema, role, indent),
        Some("object") => object_type(schema, role, indent),
        _ => "unknown".to_owned(),
    }
}

fn list(schema: &Value, role: Role, indent: &str) -> String {
    let item = match &schema["items"] {
        items @ Value::Object(_) => expression(items, role, indent),
        _ => "unknown".to_owned(),
    };
    let (least, most) = (schema["minItems"].as_u64(), schema["maxItems"].as_u64());
    match (least, most) {
        (Some(a), Some(b)) if a == b => format!("readonly [{}]", vec![item; a as usize].join(", ")),
        _ if item.contains(" | ") || item.starts_with("readonly ") => format!("readonly ({item})[]"),
        _ => format!("readonly {item}[]"),
    }
}

fn object_type(schema: &Value, role: Role, indent: &str) -> String {
    // A pattern describes maps with whole numbers as keys.
    let pattern = schema["patternProperties"]
        .as_object()
        .and_then(|all| all.values().next());
    let map = match pattern.unwrap_or(&schema["additionalProperties"]) {
        values @ Value::Object(_) => Some(format!(
            "Readonly<Record<string, {}>>",
            expression(values, role, indent)
        )),
        _ => None,
    };
    match (map, schema["properties"].is_object()) {
        (Some(map), true) => format!("{map} & {}", object(schema, role, indent)),
        (Some(map), false) => map,
        (None, true) => object(schema, role, indent),
        (None, false) => "Readonly<Record<string, unknown>>".to_owned(),
    }
}

fn object(schema: &Value, role: Role, indent: &str) -> String {
    let none = Map::new();
    let fields = schema["properties"].as_object().unwrap_or(&none);
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let inner = format!("{indent}  ");
    let lines: String = fields
        .iter()
        .map(|(name, field)| {
            let comment = jsdoc(&documentation(field), &inner);
            let given = required.contains(&name.as_str());
            let mut kind = expression(field, role, &inner);
            if !given && role == Role::Input {
                // Null also means "not given", but callers write undefined.
                kind = kind.trim_end_matches(" | null").to_owned() + " | undefined";
            }
            let mark = if given { "" } else { "?" };
            format!("{comment}{inner}readonly {}{mark}: {kind};\n", key(name))
        })
        .collect();
    format!("{{\n{lines}{indent}}}")
}

fn key(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    match plain && !name.starts_with(char::is_numeric) {
        true => name.to_owned(),
        false => format!("'{name}'"),
    }
}

/// Description, range and default, as paragraphs of a comment.
fn documentation(schema: &Value) -> Vec<String> {
    let mut paragraphs = Vec::new();
    if let Some(text) = schema["description"].as_str() {
        paragraphs.extend(text.split('\n').map(str::to_owned));
    }
    paragraphs.extend(variants(schema));
    let bounds: Vec<String> = [
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("minItems", "at least"),
        ("maxItems", "at most"),
    ]
    .into_iter()
    .filter_map(|(keyword, words)| bound(schema, keyword, words))
    .collect();
    let default = match &schema["default"] {
        Value::Null => None,
        value => Some(format!("@default {value}")),
    };
    if !bounds.is_empty() || default.is_some() {
        paragraphs.push(String::new());
    }
    if !bounds.is_empty() {
        paragraphs.push(format!("Range: {}.", bounds.join(", ")));
    }
    paragraphs.extend(default);
    if paragraphs.first().is_some_and(String::is_empty) {
        paragraphs.remove(0);
    }
    paragraphs
}

/// A bound, unless the type implies it.
fn bound(schema: &Value, keyword: &str, words: &str) -> Option<String> {
    let value = schema[keyword].as_f64()?;
    let informative = match keyword {
        "minimum" => value != 0.0 || schema["type"] == "number",
        "maximum" => value < 4e9,
        _ => true,
    };
    let unit = if keyword.ends_with("Items") { " values" } else { "" };
    let fixed = schema["minItems"].is_number() && schema["minItems"] == schema["maxItems"];
    (informative && !fixed).then(|| format!("{words} {value}{unit}"))
}

/// The documented choices of an enumeration, one per line.
fn variants(schema: &Value) -> Vec<String> {
    let Some(all) = schema["oneOf"].as_array() else {
        return Vec::new();
    };
    all.iter()
        .filter_map(|one| {
            let first = one["description"].as_str()?.split("\n\n").next()?;
            Some(format!(
                "- `{}`: {}",
                one["const"].as_str()?,
                first.replace('\n', " ")
            ))
        })
        .collect()
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

fn union(members: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for member in members {
        if !all.contains(&member) {
            all.push(member);
        }
    }
    all.join(" | ")
}
