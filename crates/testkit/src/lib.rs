//! Recorded reference values for tests, a sink that keeps events, an allocator that counts, and a synthetic task
//! to train on.
//!
//! Fixtures are in `__test__/fixtures/<topic>/`, in the layout of the recording. `NNUNET_DIAG_FIXTURES` names
//! another folder of the same layout. Tests read each topic's JSON and must pass with other recordings.
//! `__test__/fixtures-second` is a second set; `bench/record` makes such sets.

mod allocator;
mod ball;
mod cancel;
mod recorder;

pub use allocator::Counting;
pub use ball::BallTask;
pub use cancel::ends_when_cancelled;
pub use recorder::Recorder;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use serde_json::Value;

/// Returns the folder of a topic's fixtures: `$NNUNET_DIAG_FIXTURES/<topic>`, or the committed one if that is
/// not set.
pub fn folder(topic: &str) -> PathBuf {
    let base = std::env::var_os("NNUNET_DIAG_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/fixtures"),
        PathBuf::from,
    );
    base.join(topic)
}

/// Returns a port of this machine that nobody listens to. Panics if there is none.
#[expect(clippy::unwrap_used, reason = "test support")]
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Lists all files below a folder, sorted. Panics with the folder that cannot be listed.
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

/// Parses a JSON file. Panics with its path.
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
    /// Reference function that made the file, or empty.
    pub function: String,
    /// Parameters of that call.
    pub parameters: Value,
    /// Note of the recording.
    pub note: String,
    /// Absolute path of the file.
    pub path: PathBuf,
}

impl Case {
    /// Reads the arrays of this case's npz, as float64.
    pub fn arrays(&self) -> BTreeMap<String, ArrayD<f64>> {
        npz(&self.path)
    }
}

/// Returns the cases of a topic whose file name starts with `prefix` and ends in `.npz`. Panics if none
/// exists, so that a fixture test cannot pass without cases.
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

/// Reads all arrays of an npz file, converted to float64. Bool becomes 0 and 1; strings are skipped.
#[expect(clippy::panic, reason = "test support")]
pub fn npz(path: &Path) -> BTreeMap<String, ArrayD<f64>> {
    volume::npz::read_all_f64(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Panics unless both arrays have the same shape and agree within `absolute + relative * |expected|`. NaN
/// equals NaN.
#[expect(clippy::panic, reason = "test support")]
pub fn assert_close(found: &ArrayD<f64>, expected: &ArrayD<f64>, absolute: f64, relative: f64, what: &str) {
    assert_eq!(found.shape(), expected.shape(), "{what}: shape");
    let mut worst = (0.0, 0usize);
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        if f == e || (f.is_nan() && e.is_nan()) {
            continue;
        }
        let excess = (f - e).abs() / (absolute + relative * e.abs());
        // A NaN in only one of the arrays is the largest possible error.
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

/// Returns the fraction of equal elements. Panics unless the shapes agree.
pub fn agreement(found: &ArrayD<f64>, expected: &ArrayD<f64>, what: &str) -> f64 {
    assert_eq!(found.shape(), expected.shape(), "{what}: shape");
    let equal = found.iter().zip(expected).filter(|(f, e)| f == e).count();
    equal as f64 / found.len().max(1) as f64
}
