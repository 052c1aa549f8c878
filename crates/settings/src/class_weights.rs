//! Class weights of the class-weighted loss.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Weights of the classes in cross-entropy and Dice.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// Computed from the training cases of the fold.
    Auto,
    /// One weight a class, background first.
    Values(Vec<f64>),
}

/// The text for [`ClassWeights::Auto`].
const AUTO: &str = "auto";

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str(AUTO),
            Self::Values(values) => write!(f, "{values:?}"),
        }
    }
}

impl schemars::JsonSchema for ClassWeights {
    fn schema_name() -> Cow<'static, str> {
        "ClassWeights".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A weight for each class, background first, or `auto`.",
            "x-expected": "auto, or a list of numbers of at least 0",
            "anyOf": [
                { "type": "string", "const": AUTO },
                { "type": "array", "items": { "type": "number", "minimum": 0 }, "minItems": 1 },
            ],
        })
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str(AUTO),
            Self::Values(values) => values.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Values(Vec<f64>),
        }
        match Either::deserialize(deserializer)? {
            Either::Text(text) if text == AUTO => Ok(Self::Auto),
            Either::Text(text) => Err(serde::de::Error::custom(format!(
                "{text:?} is neither auto nor a list"
            ))),
            Either::Values(values) => Ok(Self::Values(values)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_a_list_or_auto() {
        for (json, expected) in [
            ("\"auto\"", ClassWeights::Auto),
            ("[1.0,0.5]", ClassWeights::Values(vec![1.0, 0.5])),
        ] {
            let found: ClassWeights = serde_json::from_str(json).unwrap();
            assert_eq!(found, expected);
            assert_eq!(serde_json::to_string(&found).unwrap(), json);
        }
        assert!(serde_json::from_str::<ClassWeights>("\"automatic\"").is_err());
    }
}
