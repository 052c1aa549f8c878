//! Amounts of memory.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of memory in bytes, written as a number or as text such as `8G`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemorySize(pub u64);

const EXPECTED: &str = "a number of bytes above 0, or text such as 8G, 1.5GiB or 500M";

impl MemorySize {
    /// Reads `8G`, `8 GiB`, `1.5g`, `500MB` or `8000000000`. Units are powers of 1024. `None` for any other text, and for
    /// less than one byte.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let end = lower
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(lower.len());
        let (number, unit) = lower.split_at(end);
        let unit = unit.trim_start();
        let unit = unit.strip_suffix('b').unwrap_or(unit);
        let power = match unit.strip_suffix('i').unwrap_or(unit) {
            "" if !unit.is_empty() => return None,
            "" => 0,
            "k" => 1,
            "m" => 2,
            "g" => 3,
            "t" => 4,
            _ => return None,
        };
        Self::of(number.parse::<f64>().ok()? * 1024f64.powi(power))
    }

    /// Whole bytes of a number, if it is at least one and fits.
    fn of(bytes: f64) -> Option<Self> {
        (bytes >= 1.0 && bytes < u64::MAX as f64).then_some(Self(bytes as u64))
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

impl schemars::JsonSchema for MemorySize {
    fn schema_name() -> Cow<'static, str> {
        "MemorySize".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An amount of memory: bytes, or text such as `8G` or `500M` (powers of 1024).",
            "x-expected": EXPECTED,
            "anyOf": [
                { "type": "string", "pattern": r"^\s*(\d+\.?\d*|\.\d+)\s*([kKmMgGtT][iI]?)?[bB]?\s*$" },
                { "type": "number", "minimum": 1 },
            ],
        })
    }
}

impl Serialize for MemorySize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for MemorySize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Bytes(f64),
            Text(String),
        }
        let found = match Either::deserialize(deserializer)? {
            Either::Bytes(bytes) => Self::of(bytes).ok_or_else(|| bytes.to_string()),
            Either::Text(text) => Self::parse(&text).ok_or_else(|| format!("{text:?}")),
        };
        found.map_err(|found| serde::de::Error::custom(format!("expected {EXPECTED}, got {found}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_nonsense_is_not() {
        let gib = 1u64 << 30;
        for (text, bytes) in [
            ("8G", 8 * gib),
            ("8g", 8 * gib),
            ("8 GiB", 8 * gib),
            ("8GB", 8 * gib),
            ("1.5G", 3 * gib / 2),
            (" 500M ", 500 << 20),
            ("2k", 2048),
            ("1T", 1024 * gib),
            ("4096", 4096),
            ("4096B", 4096),
        ] {
            assert_eq!(MemorySize::parse(text), Some(MemorySize(bytes)), "{text}");
        }
        for bad in [
            "",
            "G",
            "8X",
            "-1G",
            "0",
            "0G",
            "8Gi8",
            "1e3",
            "nan",
            "8iB",
            ".",
            "99999999999999T",
            "é",
        ] {
            assert_eq!(MemorySize::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn json_holds_text_or_bytes() {
        let read = |text: &str| serde_json::from_str::<MemorySize>(text);
        assert_eq!(read("\"2K\"").unwrap(), MemorySize(2048));
        assert_eq!(read("2048").unwrap(), MemorySize(2048));
        for bad in ["\"2 fish\"", "0", "-5", "true"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
