//! Parts of a list of cases, for several machines.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A part of a list of cases, written `I/N`: part I of N, from 1.
///
/// Part I has the cases I, I + N, I + 2 N, … of the list in its order. The parts are disjoint, have all cases
/// together, and differ by at most one case in size. Callers pass lists that are sorted by name, so that the parts do
/// not depend on the order of the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

const EXPECTED: &str = "part I of N, such as 1/4 to 4/4";

impl Shard {
    /// Part `index` (from 1) of `count`. `None` unless `1 <= index <= count`.
    #[must_use]
    pub fn new(index: usize, count: usize) -> Option<Self> {
        (1..=count).contains(&index).then_some(Self { index, count })
    }

    /// Reads `2/5`. `None` for any other text, and for a part that does not exist.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| plain)
        };
        let (index, count) = text.split_once('/')?;
        Self::new(number(index)?, number(count)?)
    }

    /// Returns the items of the part in their order. Without a part, returns all items.
    #[must_use]
    pub fn select<T>(part: Option<Self>, items: Vec<T>) -> Vec<T> {
        match part {
            None => items,
            Some(Self { index, count }) => items.into_iter().skip(index - 1).step_by(count).collect(),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl schemars::JsonSchema for Shard {
    fn schema_name() -> Cow<'static, str> {
        "Shard".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A part of a list of cases: `I/N`, part I of N, from 1.",
            "x-expected": EXPECTED,
            "type": "string",
            "pattern": r"^[0-9]+/[0-9]+$",
        })
    }
}

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom(format!("shard: expected {EXPECTED}, got {text:?}"));
        Self::parse(&text).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_are_read_and_nonsense_is_not() {
        assert_eq!(Shard::parse("2/5"), Shard::new(2, 5));
        assert_eq!(
            Shard::parse("1/1").map(|part| part.to_string()).as_deref(),
            Some("1/1")
        );
        for bad in [
            "", "/", "1", "1/", "/1", "0/3", "4/3", "0/0", "+1/2", "1/+2", "-1/2", "1.0/2", " 1/2", "1/2/3",
        ] {
            assert_eq!(Shard::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_part_that_does_not_exist_is_refused_with_what_was_expected() {
        let error = serde_json::from_value::<Shard>("4/3".into()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "shard: expected part I of N, such as 1/4 to 4/4, got \"4/3\""
        );
    }

    #[test]
    fn without_a_part_all_items_are_kept() {
        assert_eq!(Shard::select(None, vec![3, 1, 2]), [3, 1, 2]);
    }

    proptest! {
        #[test]
        fn parts_are_disjoint_complete_ordered_and_even(length in 0usize..50, count in 1usize..60) {
            let items: Vec<usize> = (0..length).collect();
            let parts: Vec<_> =
                (1..=count).map(|index| Shard::select(Shard::new(index, count), items.clone())).collect();
            for part in &parts {
                prop_assert!(part.is_sorted());
                prop_assert!(part.len() == length / count || part.len() == length.div_ceil(count));
            }
            let mut all = parts.concat();
            all.sort_unstable();
            prop_assert_eq!(all, items);
        }
    }
}
