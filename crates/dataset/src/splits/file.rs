//! The splits file `splits_final.pkl`.

use std::path::Path;

use pickle::{Dict, NdArray, Value};

use super::{default_splits, Split};
use crate::text::read_json;
use crate::Error;

/// Name of the splits file in a preprocessed task.
pub const SPLITS_FILE: &str = "splits_final.pkl";

/// Reads splits from nnU-Net v1's pickle, or from nnU-Net v2's JSON list of `{"train": [...], "val": [...]}`.
///
/// # Errors
/// [`Error::Pickle`], [`Error::Io`] or [`Error::Record`] naming the file.
pub fn read_splits(path: &Path) -> Result<Vec<Split>, Error> {
    if path.extension().is_some_and(|e| e == "json") {
        return read_json(path);
    }
    let value = pickle::read_file(path)?;
    let read = || -> Result<Vec<Split>, pickle::Error> {
        let folds = value.expect_as("splits", "a list of folds", Value::as_items)?;
        let fold = |fold: &Value| {
            let fold = fold.expect_as("fold", "a dictionary with train and val", Value::as_dict)?;
            let cases = |key: &str| fold.require_as(key, "a list of cases", Value::to_strings);
            Ok(Split {
                train: cases("train")?,
                val: cases("val")?,
            })
        };
        folds.iter().map(fold).collect()
    };
    read().map_err(|e| e.in_file(path).into())
}

/// Writes splits in the form of nnU-Net v1: a list of ordered dictionaries of string arrays.
///
/// # Errors
/// [`Error::Pickle`] naming the file.
pub fn write_splits(path: &Path, splits: &[Split]) -> Result<(), Error> {
    // numpy gives each array the width of its source array: the longest of all case names.
    let width = splits
        .iter()
        .flat_map(|s| s.train.iter().chain(&s.val))
        .map(|c| c.chars().count())
        .max();
    let array = |cases: &[String]| {
        let mut padded: Vec<String> = cases.to_vec();
        padded.push("x".repeat(width.unwrap_or(1)));
        let wide = NdArray::from_strings(&padded);
        let kept = wide.data().len() - wide.dtype().item_size();
        NdArray::new(wide.dtype(), vec![cases.len()], wide.data()[..kept].to_vec())
    };
    let folds: Result<Vec<Value>, pickle::Error> = splits
        .iter()
        .map(|s| {
            Ok(Dict::ordered()
                .with("train", array(&s.train)?)
                .with("val", array(&s.val)?)
                .into())
        })
        .collect();
    Ok(pickle::write_file(path, &Value::List(folds?))?)
}

/// Reads the splits of a preprocessed task. If the file does not exist, writes and returns nnU-Net's five
/// folds.
///
/// # Errors
/// As [`read_splits`], [`default_splits`] and [`write_splits`].
pub fn ensure_splits<S: AsRef<str>>(preprocessed: &Path, cases: &[S]) -> Result<Vec<Split>, Error> {
    let path = preprocessed.join(SPLITS_FILE);
    if path.is_file() {
        return read_splits(&path);
    }
    let splits = default_splits(cases)?;
    write_splits(&path, &splits)?;
    Ok(splits)
}
