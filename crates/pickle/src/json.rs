//! JSON form of a [`Value`], for display and `inspect`.

use serde_json::{json, Map, Number, Value as Json};

use crate::{NdArray, Value};

impl Value {
    /// Returns this value as JSON. Tuples, sets and arrays become (nested) arrays, keys become strings, NaN
    /// and infinities become null. Arrays of more than `longest` elements, tensors and bytes become an object
    /// with type and shape.
    pub fn to_json(&self, longest: usize) -> Json {
        match self {
            Self::None => Json::Null,
            Self::Bool(b) => json!(b),
            Self::Int(i) => json!(i),
            Self::BigInt(_) => number(self.as_f64().unwrap_or(f64::NAN)),
            Self::Float(f) => number(*f),
            Self::Str(s) => json!(s),
            Self::Bytes(b) | Self::ByteArray(b) => json!({ "type": self.type_name(), "length": b.len() }),
            Self::List(items) | Self::Tuple(items) | Self::Set(items) | Self::FrozenSet(items) => {
                Json::Array(items.iter().map(|v| v.to_json(longest)).collect())
            }
            Self::Dict(dict) => {
                let entries = dict.iter().map(|(k, v)| (key_text(k), v.to_json(longest)));
                Json::Object(entries.collect::<Map<_, _>>())
            }
            Self::Array(a) | Self::Scalar(a) => array(a, longest),
            Self::ObjectArray(shape, items) if items.is_empty() => {
                json!({ "type": "numpy object", "shape": shape })
            }
            Self::ObjectArray(shape, items) => nest(
                shape,
                &items.iter().map(|v| v.to_json(longest)).collect::<Vec<_>>(),
            ),
            Self::Tensor(t) => json!({ "type": t.dtype.name(), "shape": t.shape }),
        }
    }
}

fn key_text(key: &Value) -> String {
    match key {
        Value::Str(s) => s.clone(),
        other => other.to_json(16).to_string(),
    }
}

fn number(value: f64) -> Json {
    Number::from_f64(value).map_or(Json::Null, Json::Number)
}

fn array(a: &NdArray, longest: usize) -> Json {
    let summary = || json!({ "type": format!("numpy {}", a.dtype().code()), "shape": a.shape() });
    // Empty axes count as 1: a shape of (1000000, 0) would otherwise be a million empty lists.
    if a.shape().iter().map(|&n| n.max(1)).product::<usize>() > longest {
        return summary();
    }
    let items: Vec<Json> = match (a.to_i64(), a.to_f64(), a.to_strings()) {
        (Some(v), _, _) if a.dtype() == crate::DType::Bool => v.iter().map(|&i| json!(i != 0)).collect(),
        (Some(v), _, _) => v.into_iter().map(Json::from).collect(),
        (_, Some(v), _) => v.into_iter().map(number).collect(),
        (_, _, Some(v)) => v.into_iter().map(Json::from).collect(),
        _ => return summary(),
    };
    nest(a.shape(), &items)
}

fn nest(shape: &[usize], items: &[Json]) -> Json {
    match shape {
        [] => items.first().cloned().unwrap_or(Json::Null),
        [_] => Json::Array(items.to_vec()),
        [n, inner @ ..] => {
            let step: usize = inner.iter().product();
            Json::Array(
                (0..*n)
                    .map(|i| nest(inner, &items[i * step..(i + 1) * step]))
                    .collect(),
            )
        }
    }
}
