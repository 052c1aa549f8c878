//! Checks a JSON value against a JSON Schema, with readable messages.

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::expected::{alternatives, choices, expected, has_type, resolve};
use super::nearest::advice;
use crate::{OptionError, OptionProblem, OptionResult};

/// Checks `value` against `schema`, a root schema of this package's own types.
///
/// It supports the keywords that `schemars` writes: types, enumerations, unions, objects, lists, ranges,
/// patterns.
pub(super) fn check(schema: &Value, value: &Value) -> OptionResult<()> {
    let mut walk = Walk {
        root: schema,
        problems: Vec::new(),
    };
    walk.value(schema, value, "");
    match walk.problems.is_empty() {
        true => Ok(()),
        false => Err(OptionError {
            problems: walk.problems,
        }),
    }
}

struct Walk<'s> {
    root: &'s Value,
    problems: Vec<OptionProblem>,
}

impl<'s> Walk<'s> {
    fn problem(&mut self, path: &str, problem: String) {
        let option = path.to_owned();
        self.problems.push(OptionProblem { option, problem });
    }

    /// Reports that `value` does not match `schema`.
    fn unexpected(&mut self, schema: &Value, value: &Value, path: &str) {
        let mut problem = format!("expected {}, got {}", expected(self.root, schema), shown(value));
        if let (Some(choices), Some(text)) = (choices(self.root, schema), value.as_str()) {
            problem += &advice(text, choices);
        }
        self.problem(path, problem);
    }

    fn value(&mut self, schema: &'s Value, value: &Value, path: &str) {
        let schema = resolve(self.root, schema);
        if value.is_null() && nullable(schema) {
            return;
        }
        if choices(self.root, schema).is_some() {
            return self.choice(schema, value, path);
        }
        if let Some(all) = alternatives(self.root, schema) {
            return self.union(schema, &all, value, path);
        }
        match value {
            Value::Object(fields) if has_type(schema, "object") => self.object(schema, fields, path),
            Value::Array(items) if has_type(schema, "array") => self.list(schema, items, value, path),
            Value::String(text) if has_type(schema, "string") => {
                let short = schema["minLength"]
                    .as_u64()
                    .is_some_and(|n| (text.chars().count() as u64) < n);
                let other = schema["pattern"]
                    .as_str()
                    .is_some_and(|pattern| Regex::new(pattern).is_ok_and(|r| !r.is_match(text)));
                if short || other {
                    self.unexpected(schema, value, path);
                }
            }
            Value::Number(number) if has_type(schema, "number") || has_type(schema, "integer") => {
                let whole = number.is_u64() || number.is_i64();
                let fits = has_type(schema, "number") || whole;
                if !fits || !in_range(schema, number.as_f64().unwrap_or(f64::NAN)) {
                    self.unexpected(schema, value, path);
                }
            }
            Value::Bool(_) if has_type(schema, "boolean") => {}
            // A schema without a type allows everything.
            _ if schema["type"].is_null() => {}
            _ => self.unexpected(schema, value, path),
        }
    }

    fn choice(&mut self, schema: &'s Value, value: &Value, path: &str) {
        let known = choices(self.root, schema).unwrap_or_default();
        if !value.as_str().is_some_and(|text| known.contains(&text)) {
            self.unexpected(schema, value, path);
        }
    }

    /// Checks a union: selects the form with the value's tag, else any form that matches.
    fn union(&mut self, schema: &'s Value, all: &[&'s Value], value: &Value, path: &str) {
        if let [one] = all {
            return self.value(one, value, path);
        }
        if let (Some(tag), Value::Object(fields)) = (tag(all), value) {
            let named = all
                .iter()
                .find(|one| fields.get(tag) == Some(&one["properties"][tag]["const"]));
            return match named {
                Some(one) => self.value(one, value, path),
                None => self.unknown_tag(all, tag, fields, path),
            };
        }
        for one in all {
            let mut trial = Walk {
                root: self.root,
                problems: Vec::new(),
            };
            trial.value(one, value, path);
            if trial.problems.is_empty() {
                return;
            }
        }
        self.unexpected(schema, value, path);
    }

    fn unknown_tag(&mut self, all: &[&Value], tag: &str, fields: &Map<String, Value>, path: &str) {
        let known: Vec<_> = all
            .iter()
            .filter_map(|one| one["properties"][tag]["const"].as_str())
            .collect();
        let listed = known.join(", ");
        let problem = match fields.get(tag) {
            None => format!("missing; expected one of {listed}"),
            Some(found) => {
                let near = found
                    .as_str()
                    .map_or_else(String::new, |text| advice(text, known));
                format!("expected one of {listed}, got {}{near}", shown(found))
            }
        };
        self.problem(&join(path, tag), problem);
    }

    fn object(&mut self, schema: &'s Value, fields: &Map<String, Value>, path: &str) {
        let none = Map::new();
        let known = schema["properties"].as_object().unwrap_or(&none);
        for (name, value) in fields {
            match schema["properties"].get(name) {
                Some(field) => self.value(field, value, &join(path, name)),
                // Values of any kind, which are checked elsewhere.
                None if schema["additionalProperties"] == true => {}
                None if schema["additionalProperties"].is_object() => {
                    self.value(&schema["additionalProperties"], value, &join(path, name));
                }
                None => {
                    let near = advice(name, known.keys().map(String::as_str));
                    self.problem(&join(path, name), format!("unknown option{near}"));
                }
            }
        }
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if fields.get(name).is_none_or(Value::is_null) {
                let words = expected(self.root, &schema["properties"][name]);
                self.problem(&join(path, name), format!("missing; expected {words}"));
            }
        }
    }

    fn list(&mut self, schema: &'s Value, items: &[Value], value: &Value, path: &str) {
        let count = items.len() as u64;
        let few = schema["minItems"].as_u64().is_some_and(|least| count < least);
        let many = schema["maxItems"].as_u64().is_some_and(|most| count > most);
        if few || many {
            return self.unexpected(schema, value, path);
        }
        if schema["items"].is_object() {
            for (index, item) in items.iter().enumerate() {
                self.value(&schema["items"], item, &join(path, &index.to_string()));
            }
        }
    }
}

/// The property whose constant distinguishes the forms of a union.
fn tag<'s>(all: &[&'s Value]) -> Option<&'s str> {
    let first = all.first()?["properties"].as_object()?;
    let shared = |name: &str| all.iter().all(|one| one["properties"][name]["const"].is_string());
    first.keys().map(String::as_str).find(|name| shared(name))
}

fn nullable(schema: &Value) -> bool {
    let alternatives = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    has_type(schema, "null") || alternatives.is_some_and(|all| all.iter().any(|one| has_type(one, "null")))
}

fn in_range(schema: &Value, number: f64) -> bool {
    let bound = |name: &str| schema[name].as_f64();
    bound("minimum").is_none_or(|b| number >= b)
        && bound("maximum").is_none_or(|b| number <= b)
        && bound("exclusiveMinimum").is_none_or(|b| number > b)
        && bound("exclusiveMaximum").is_none_or(|b| number < b)
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

/// Longest value that a message shows completely, in characters.
const SHOWN: usize = 80;

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
