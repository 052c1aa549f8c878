//! Recorded reference values for tests, a sink that keeps events, and a made-up task to train on.
//!
//! Fixtures live in `__test__/fixtures/<topic>/`, laid out as they were recorded. `NNUNET_DIAG_FIXTURES` names another
//! folder of the same form: tests are driven by each topic's JSON and must pass on other recordings. The committed second
//! set, `__test__/fixtures-second`, holds every topic, too; `bench/record` makes such sets.

mod ball;
mod cancel;
mod recorder;

pub use ball::BallTask;
pub use cancel::ends_when_cancelled;
pub use recorder::Recorder;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use serde_json::Value;

/// Folder of a topic's fixtures: `$NNUNET_DIAG_FIXTURES/<topic>`, else the committed one.
pub fn folder(topic: &str) -> PathBuf {
    let base = std::env::var_os("NNUNET_DIAG_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/fixtures"),
        PathBuf::from,
    );
    base.join(topic)
}

/// All files below a folder, sorted; panics with the folder that cannot be listed.
#[expect(clippy::panic, reason = "test support")]
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let below = |path: PathBuf| {
        if path.is_dir() {
            files_below(&path)
        } else {
            vec![path]
        }
    };
    let mut files: Vec<_> = entries
        .filter_map(Result::ok)
        .flat_map(|entry| below(entry.path()))
        .collect();
    files.sort();
    files
}

/// Parses a JSON file; panics with its path, as tests want.
#[expect(
    clippy::panic,
    reason = "test support: a missing fixture must fail the test loudly"
)]
pub fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    // The reference writes bare NaN and Infinity tokens.
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// One entry of a topic's `cases.json`.
#[derive(Clone, Debug)]
pub struct Case {
    /// File name, relative to the topic's folder.
    pub file: String,
    /// Reference function that made it, or empty.
    pub function: String,
    /// Parameters of that call.
    pub parameters: Value,
    /// What the recording says about it.
    pub note: String,
    /// Absolute path of the file.
    pub path: PathBuf,
}

impl Case {
    /// The arrays of this case's npz, as float64.
    pub fn arrays(&self) -> BTreeMap<String, ArrayD<f64>> {
        npz(&self.path)
    }
}

/// The cases of a topic whose file name starts with `prefix` and ends in `.npz`; panics when there is none, so that a
/// fixture test cannot pass by testing nothing.
#[expect(clippy::panic, reason = "test support")]
pub fn cases(topic: &str, prefix: &str) -> Vec<Case> {
    let folder = folder(topic);
    let index = json(&folder.join("cases.json"));
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let found: Vec<Case> = index
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(file, _)| file.starts_with(prefix) && file.ends_with(".npz"))
        .map(|(file, entry)| Case {
            file: file.clone(),
            function: text(&entry["function"]),
            parameters: entry["parameters"].clone(),
            note: text(&entry["note"]),
            path: folder.join(file),
        })
        .collect();
    if found.is_empty() {
        panic!("no case {prefix}*.npz in {}", folder.display());
    }
    found
}

/// All arrays of an npz file, converted to float64 (bool becomes 0 and 1; strings are left out).
#[expect(clippy::panic, reason = "test support")]
pub fn npz(path: &Path) -> BTreeMap<String, ArrayD<f64>> {
    volume::npz::read_all_f64(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Panics unless both arrays have one shape and agree within `absolute + relative * |expected|`; NaN equals NaN.
#[expect(clippy::panic, reason = "test support")]
pub fn assert_close(found: &ArrayD<f64>, expected: &ArrayD<f64>, absolute: f64, relative: f64, what: &str) {
    assert_eq!(found.shape(), expected.shape(), "{what}: shape");
    let mut worst = (0.0, 0usize);
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        if f == e || (f.is_nan() && e.is_nan()) {
            continue;
        }
        let excess = (f - e).abs() / (absolute + relative * e.abs());
        // A NaN on one side is as wrong as can be.
        let excess = if excess.is_nan() { f64::INFINITY } else { excess };
        if excess > worst.0 {
            worst = (excess, i);
        }
    }
    if worst.0 > 1.0 {
        let (f, e) = (found.iter().nth(worst.1), expected.iter().nth(worst.1));
        panic!(
            "{what}: at flat index {} found {f:?}, expected {e:?} ({:.3} times the tolerance)",
            worst.1, worst.0
        );
    }
}

/// Fraction of equal elements; panics unless shapes agree.
pub fn agreement(found: &ArrayD<f64>, expected: &ArrayD<f64>, what: &str) -> f64 {
    assert_eq!(found.shape(), expected.shape(), "{what}: shape");
    let equal = found.iter().zip(expected).filter(|(f, e)| f == e).count();
    equal as f64 / found.len().max(1) as f64
}
