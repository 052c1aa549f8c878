//! Cross-validation splits, draw for draw those of nnU-Net v1 (`nnUNetTrainerV2.do_split`).

mod file;

pub use file::{ensure_splits, read_splits, write_splits, SPLITS_FILE};

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use random::RandomState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;

/// Folds of a cross-validation.
pub const FOLDS: usize = 5;
/// nnU-Net's seed for splits.
const SEED: u32 = 12345;

/// Cases of one fold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Split {
    /// Cases to train on.
    pub train: Vec<String>,
    /// Cases to validate on.
    pub val: Vec<String>,
}

/// Which cases to train on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fold {
    /// A fold of the splits file; beyond its end, a random 80:20 split drawn for that number.
    Index(u32),
    /// All cases, for training and for validation.
    All,
}

impl Fold {
    /// Name of the folder that a model of this fold is in: `fold_0`, `all`.
    pub fn folder(self) -> String {
        match self {
            Self::Index(i) => format!("fold_{i}"),
            Self::All => "all".into(),
        }
    }

    /// The fold whose model is in a folder of that name.
    pub fn from_folder(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::All),
            // `fold_01` would be a folder that this fold is never looked for in.
            other => {
                let fold = Self::Index(other.strip_prefix("fold_")?.parse().ok()?);
                (fold.folder() == other).then_some(fold)
            }
        }
    }
}

impl fmt::Display for Fold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(i) => write!(f, "{i}"),
            Self::All => f.write_str("all"),
        }
    }
}

impl FromStr for Fold {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.trim() {
            "all" => Ok(Self::All),
            number => number.parse().map(Self::Index).map_err(|_| {
                run::OptionError::expected("fold", "a number or \"all\"", format!("{text:?}")).into()
            }),
        }
    }
}

impl schemars::JsonSchema for Fold {
    fn schema_name() -> Cow<'static, str> {
        "Fold".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A fold: its number, or `all`.",
            "x-expected": "a fold number or all",
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                { "type": "string", "pattern": r"^\s*(\d{1,9}|all)\s*$" },
            ],
        })
    }
}

impl Serialize for Fold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Index(i) => serializer.serialize_u32(*i),
            Self::All => serializer.serialize_str("all"),
        }
    }
}

impl<'de> Deserialize<'de> for Fold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u32),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(i) => Ok(Self::Index(i)),
            Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// nnU-Net's five folds: scikit-learn's `KFold(5, shuffle=True, random_state=12345)` over the sorted cases.
///
/// # Errors
/// [`Error::TooFewCases`] below five cases.
pub fn default_splits<S: AsRef<str>>(cases: &[S]) -> Result<Vec<Split>, Error> {
    let cases = sorted(cases);
    let parts = k_fold(cases.len(), "cases")?;
    let pick = |indices: &[usize]| indices.iter().map(|&i| cases[i].clone()).collect();
    Ok(parts
        .iter()
        .map(|(train, val)| Split {
            train: pick(train),
            val: pick(val),
        })
        .collect())
}

/// Train and test indices of scikit-learn's `KFold(5, shuffle=True, random_state=12345)` over `n` items, each ascending.
/// `unit` names the items in the error.
///
/// # Errors
/// [`Error::TooFewCases`] below five items.
pub fn k_fold(n: usize, unit: &'static str) -> Result<Vec<(Vec<usize>, Vec<usize>)>, Error> {
    if n < FOLDS {
        return Err(Error::TooFewCases {
            unit,
            found: n,
            folds: FOLDS,
        });
    }
    let order = RandomState::new(SEED).permutation(n);
    let mut start = 0;
    let fold = |i: usize| {
        let length = n / FOLDS + usize::from(i < n % FOLDS);
        let test: BTreeSet<usize> = order[start..start + length].iter().copied().collect();
        start += length;
        (
            (0..n).filter(|i| !test.contains(i)).collect(),
            test.into_iter().collect(),
        )
    };
    Ok((0..FOLDS).map(fold).collect())
}

/// The cases of a fold, train and validation each sorted.
///
/// A fold beyond the end of `splits` is nnU-Net's random 80:20 split of all cases, `RandomState(12345 + fold)`.
///
/// # Errors
/// [`Error::Splits`] when the split names cases that the data set does not have, or trains on cases it validates on.
pub fn split_for_fold<S: AsRef<str>>(splits: &[Split], cases: &[S], fold: Fold) -> Result<Split, Error> {
    let cases = sorted(cases);
    let number = match fold {
        Fold::All => {
            return Ok(Split {
                train: cases.clone(),
                val: cases,
            })
        }
        Fold::Index(number) => number,
    };
    let Some(split) = splits.get(number as usize) else {
        let chosen = RandomState::new(SEED.wrapping_add(number)).choice(cases.len(), cases.len() * 8 / 10);
        let chosen: BTreeSet<usize> = chosen.into_iter().collect();
        let part = |of: bool| {
            let indices = (0..cases.len()).filter(|i| chosen.contains(i) == of);
            indices.map(|i| cases[i].clone()).collect()
        };
        return Ok(Split {
            train: part(true),
            val: part(false),
        });
    };
    check_split(split, &cases, number as usize, "that are not preprocessed")?;
    Ok(Split {
        train: sorted(&split.train),
        val: sorted(&split.val),
    })
}

/// Checks the split of fold number `fold`. The message about cases that are not among `cases` ends with `lacking`, such as
/// "that are not preprocessed".
///
/// # Errors
/// [`Error::Splits`] naming cases that are not among `cases`, or cases in both parts.
pub fn check_split(split: &Split, cases: &[String], fold: usize, lacking: &str) -> Result<(), Error> {
    let known: BTreeSet<&String> = cases.iter().collect();
    let refuse = |problem: String, cases: BTreeSet<&String>| match cases.is_empty() {
        true => Ok(()),
        false => Err(Error::Splits {
            problem,
            cases: cases.into_iter().cloned().collect(),
        }),
    };
    let named = split.train.iter().chain(&split.val);
    let unknown = named.filter(|case| !known.contains(case)).collect();
    refuse(format!("fold {fold} names cases {lacking}"), unknown)?;
    let train: BTreeSet<&String> = split.train.iter().collect();
    let both = split.val.iter().filter(|case| train.contains(case)).collect();
    refuse(format!("fold {fold} validates on cases it trains on"), both)
}

/// In code point order, as numpy sorts strings.
fn sorted<S: AsRef<str>>(cases: &[S]) -> Vec<String> {
    let mut cases: Vec<String> = cases.iter().map(|c| c.as_ref().to_owned()).collect();
    cases.sort();
    cases
}
