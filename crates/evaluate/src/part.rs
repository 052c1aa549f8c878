//! Results of a part of the cases, kept in a file until all parts are merged.
//!
//! The file has every number of the comparison: counts as integers, and float64 in the shortest decimal form that is read
//! as the same number. So the merged results are those of one run, to the last bit.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use run::{CaseFailure, NotFound, Shard};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::folder::{Compared, EvaluateOptions, EvaluateSummary, Folders};
use crate::measure::{softmax_of, MetricGroup};
use crate::summary::Results;
use crate::Error;

/// Size and time of change (nanoseconds since 1970) of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    size: u64,
    changed: u64,
}

/// States of the files of a case: reference, prediction, and softmax if it is read. `None` for a file that does not exist.
pub(crate) type States = [Option<State>; 3];

/// Content of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    /// Options of the evaluation, without the part.
    options: Value,
    /// Every case of the part.
    states: BTreeMap<String, States>,
    /// Cases that were compared, by name.
    compared: Vec<Compared>,
    /// Cases that failed.
    failures: Vec<CaseFailure>,
}

/// The states of the files of `cases`.
pub(crate) fn states(
    options: &EvaluateOptions,
    folders: &Folders,
    cases: &[&String],
) -> BTreeMap<String, States> {
    let calibrated = options.measures.metrics.contains(&MetricGroup::Calibration);
    let of_case = |case: &str| {
        let softmax = calibrated.then(|| softmax_of(&options.prediction_dir, case));
        let listed = [&folders.references, &folders.predictions].map(|files| files.get(case).cloned());
        let [reference, prediction] = listed;
        [reference, prediction, softmax].map(|file| file.and_then(|file| state(&file)))
    };
    cases
        .iter()
        .map(|case| ((*case).clone(), of_case(case)))
        .collect()
}

fn state(file: &Path) -> Option<State> {
    let metadata = std::fs::metadata(file).ok()?;
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(State {
        size: metadata.len(),
        changed: u64::try_from(since.as_nanos()).ok()?,
    })
}

/// Writes the results of a part.
pub(crate) fn write(
    options: &EvaluateOptions,
    shard: Shard,
    states: BTreeMap<String, States>,
    compared: Vec<Compared>,
    failures: Vec<CaseFailure>,
) -> Result<EvaluateSummary, Error> {
    let output = file(options, shard);
    let part = Part {
        options: shared(options),
        states,
        compared,
        failures,
    };
    storage::write_atomic(&output, |file| {
        serde_json::to_writer(file, &part).map_err(io::Error::from)
    })?;
    Ok(EvaluateSummary {
        output,
        shard: Some(shard),
        results: Results::new(part.compared.into_iter().map(Compared::scores).collect()),
        report: None,
        failures: part.failures,
    })
}

/// Reads the results of all parts: cases and failures in the order of names.
///
/// # Errors
/// [`Error::NotFound`] for a part without a file. [`Error::Part`] if a part has other options or cases, or if a file has
/// changed since.
pub(crate) fn read(
    options: &EvaluateOptions,
    folders: &Folders,
    count: usize,
) -> Result<(Vec<Compared>, Vec<CaseFailure>), Error> {
    let mut compared = BTreeMap::new();
    let mut failures = BTreeMap::new();
    for shard in parts(count) {
        let path = file(options, shard);
        let advice = format!("run evaluate with --shard {shard} first");
        NotFound::unless_exists("result of a part", &path, advice)?;
        let cases = Shard::select(Some(shard), folders.cases.iter().collect());
        let part =
            read_part(&path, options, &states(options, folders, &cases)).map_err(|problem| Error::Part {
                path,
                part: shard,
                problem,
            })?;
        let failed: BTreeMap<_, _> = part
            .failures
            .into_iter()
            .map(|one| (one.case.clone(), one))
            .collect();
        let done = part.states.into_keys().filter(|case| !failed.contains_key(case));
        // Case names and results have the same order.
        compared.extend(done.zip(part.compared));
        failures.extend(failed);
    }
    Ok((compared.into_values().collect(), failures.into_values().collect()))
}

fn read_part(
    path: &Path,
    options: &EvaluateOptions,
    states: &BTreeMap<String, States>,
) -> Result<Part, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let part: Part = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let expected = shared(options);
    if part.options != expected {
        return Err(format!("was made with {}", difference(&part.options, &expected)));
    }
    let changed = states
        .iter()
        .find(|(case, state)| part.states.get(*case) != Some(*state));
    let gone = || part.states.iter().find(|(case, _)| !states.contains_key(*case));
    match changed.or_else(gone) {
        Some((case, _)) => Err(format!("files of case {case} have changed since")),
        None if part.compared.len() + part.failures.len() != states.len() => {
            Err("does not have every case of the part".to_owned())
        }
        None => Ok(part),
    }
}

/// The first option that differs.
fn difference(found: &Value, expected: &Value) -> String {
    let differs = |(name, value): (&String, &Value)| {
        let found = found.get(name).unwrap_or(&Value::Null);
        (found != value).then(|| format!("{name} {found} instead of {value}"))
    };
    let first = expected
        .as_object()
        .and_then(|expected| expected.iter().find_map(differs));
    first.unwrap_or_else(|| "other options".to_owned())
}

/// Removes the files of all parts.
pub(crate) fn remove(options: &EvaluateOptions, count: usize) -> Result<(), Error> {
    for shard in parts(count) {
        let path = file(options, shard);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::Folder { folder: path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

fn parts(count: usize) -> impl Iterator<Item = Shard> {
    (1..=count).filter_map(move |index| Shard::new(index, count))
}

/// `summary_part_1_of_3.json` beside the summary.
fn file(options: &EvaluateOptions, shard: Shard) -> PathBuf {
    let summary = options.summary_file();
    let stem = summary.file_stem().unwrap_or_default().to_string_lossy();
    let part = shard.to_string().replace('/', "_of_");
    summary.with_file_name(format!("{stem}_part_{part}.json"))
}

/// The options that all parts share.
fn shared(options: &EvaluateOptions) -> Value {
    let all = EvaluateOptions {
        shard: None,
        merge_shards: None,
        output: Some(options.summary_file()),
        ..options.clone()
    };
    serde_json::to_value(all).unwrap_or_default()
}
