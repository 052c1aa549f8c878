//! Cross-validation splits, equal to those of nnU-Net v1 (`nnUNetTrainerV2.do_split`).

mod file;

pub use file::{ensure_splits, read_splits, write_splits, SPLITS_FILE};

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use random::RandomState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;

/// Number of folds of a cross-validation.
pub const FOLDS: usize = 5;
/// nnU-Net's random seed of splits.
const SEED: u32 = 12345;

/// Cases of one fold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Split {
    /// Training cases.
    pub train: Vec<String>,
    /// Validation cases.
    pub val: Vec<String>,
}

/// Selection of training cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fold {
    /// A fold of the splits file. Numbers past its end are random 80:20 splits, seeded with the number.
    Index(u32),
    /// All cases, for both training and validation.
    All,
}

impl Fold {
    /// Returns the name of the fold's folder: `fold_0`, `all`.
    pub fn folder(self) -> String {
        match self {
            Self::Index(i) => format!("fold_{i}"),
            Self::All => "all".into(),
        }
    }

    /// Returns the fold of a folder name.
    pub fn from_folder(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::All),
            // `fold_01` is not the folder name of any fold.
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

/// Returns nnU-Net's five folds: scikit-learn's `KFold(5, shuffle=True, random_state=12345)` on the sorted
/// cases.
///
/// # Errors
/// [`Error::TooFewCases`] for fewer than five cases.
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

/// Returns the train and test indices of scikit-learn's `KFold(5, shuffle=True, random_state=12345)` for `n`
/// items, each in ascending order. `unit` names the items in the error.
///
/// # Errors
/// [`Error::TooFewCases`] for fewer than five items.
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

/// Returns the cases of a fold. Training and validation cases are each sorted.
///
/// A fold past the end of `splits` is nnU-Net's random 80:20 split of all cases, `RandomState(12345 + fold)`.
///
/// # Errors
/// [`Error::Splits`] as [`check_split`].
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

/// Checks the split of fold number `fold`. `problem` completes the message about cases outside `cases`, such
/// as "that are not preprocessed".
///
/// # Errors
/// [`Error::Splits`] naming cases outside `cases`, cases in both training and validation, or cases listed twice.
pub fn check_split(split: &Split, cases: &[String], fold: usize, problem: &str) -> Result<(), Error> {
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
    refuse(format!("fold {fold} contains cases {problem}"), unknown)?;
    let train: BTreeSet<&String> = split.train.iter().collect();
    let both = split.val.iter().filter(|case| train.contains(case)).collect();
    refuse(
        format!("fold {fold} has cases in both training and validation"),
        both,
    )?;
    for (part, cases) in [("training", &split.train), ("validation", &split.val)] {
        let mut seen = BTreeSet::new();
        let twice = cases.iter().filter(|case| !seen.insert(*case)).collect();
        refuse(format!("fold {fold} lists {part} cases more than once"), twice)?;
    }
    Ok(())
}

/// Checks that `splits` has the fold, for callers that do not want nnU-Net's random split. Fold `all` always
/// exists.
///
/// # Errors
/// [`Error::FoldMissing`] naming the existing folds.
pub fn check_fold(splits: &[Split], fold: Fold) -> Result<(), Error> {
    match fold {
        Fold::Index(fold) if fold as usize >= splits.len() => Err(Error::FoldMissing {
            fold,
            folds: splits.len(),
        }),
        _ => Ok(()),
    }
}

/// Sorts in code point order, as numpy sorts strings.
fn sorted<S: AsRef<str>>(cases: &[S]) -> Vec<String> {
    let mut cases: Vec<String> = cases.iter().map(|c| c.as_ref().to_owned()).collect();
    cases.sort();
    cases
}
