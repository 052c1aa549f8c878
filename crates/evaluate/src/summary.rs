//! nnU-Net's `summary.json`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use run::CaseFailure;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, PrettyFormatter};
use serde_json::Serializer;

use crate::mean::nanmean;
use crate::scores::Scores;
use crate::Error;

/// Content of a `summary.json`, with keys in nnU-Net's (alphabetical) order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Author of the file.
    #[serde(default)]
    pub author: String,
    /// Free text.
    #[serde(default)]
    pub description: String,
    /// Cases that could not be evaluated. nnU-Net does not have this key; it is absent without failures.
    #[serde(default, skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub failures: Vec<CaseFailure>,
    /// Identifier of twelve hexadecimal digits, derived from the results.
    #[serde(default)]
    pub id: String,
    /// Free text.
    #[serde(default)]
    pub name: String,
    /// The scores.
    pub results: Results,
    /// Name of the task.
    #[serde(default)]
    pub task: String,
    /// Time of creation (UTC), in Python's date format.
    #[serde(default)]
    pub timestamp: String,
}

/// Scores of each case and their means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "EvaluateResults")]
pub struct Results {
    /// Each case, in the order of file names.
    pub all: Vec<CaseScores>,
    /// Mean of each metric by region, over the cases where it is defined.
    pub mean: BTreeMap<String, Scores>,
}

/// Scores of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "CaseMetrics")]
pub struct CaseScores {
    /// Scores by region.
    #[serde(flatten)]
    pub regions: BTreeMap<String, Scores>,
    /// File of the reference segmentation.
    #[serde(default)]
    pub reference: String,
    /// File of the prediction.
    #[serde(default)]
    pub test: String,
}

impl Results {
    /// Computes the means of the cases' scores.
    pub fn new(all: Vec<CaseScores>) -> Self {
        let mut by_region: BTreeMap<&String, Vec<&Scores>> = BTreeMap::new();
        for (region, scores) in all.iter().flat_map(|case| &case.regions) {
            by_region.entry(region).or_default().push(scores);
        }
        let mean = |scores: Vec<&Scores>| {
            let hausdorff = scores.iter().any(|s| s.hausdorff_distance_95.is_some());
            let rows: Vec<[f64; 14]> = scores.into_iter().map(Scores::values).collect();
            let column = |i: usize| nanmean(&rows.iter().map(|row| row[i]).collect::<Vec<_>>());
            Scores::from_values(std::array::from_fn(column), hausdorff)
        };
        let mean = by_region
            .into_iter()
            .map(|(region, scores)| (region.clone(), mean(scores)))
            .collect();
        Self { all, mean }
    }
}

impl Summary {
    /// Returns a summary of `results` with the current date.
    pub fn new(results: Results, task: &str) -> Self {
        Self {
            author: "nnunet-diag".to_owned(),
            description: String::new(),
            failures: Vec::new(),
            id: fingerprint(&results),
            name: String::new(),
            results,
            task: task.to_owned(),
            timestamp: run::utc_now(),
        }
    }
}

/// Returns twelve hexadecimal digits of the FNV-1a hash of the results.
fn fingerprint(results: &Results) -> String {
    let text = serde_json::to_string(results).unwrap_or_default();
    format!("{:012x}", run::fnv1a(text.as_bytes()) >> 16)
}

/// Reads a `summary.json`. Python's bare `NaN` and `Infinity` are read as undefined.
///
/// # Errors
/// [`Error::Summary`].
pub fn read_summary(path: &Path) -> Result<Summary, Error> {
    let problem = |problem: String| Error::Summary {
        path: path.to_owned(),
        problem,
    };
    read_python_json(path).map_err(problem)
}

/// Reads a JSON file that Python may have written, with bare `NaN` and `Infinity` as null. The error is the problem.
pub(crate) fn read_python_json<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let text = dataset::text::decode(bytes)?;
    serde_json::from_str(&strict(&text)).map_err(|e| e.to_string())
}

/// Replaces Python's bare `NaN`, `Infinity` and `-Infinity` by null, outside strings.
fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut quoted = false;
    while let Some(c) = rest.chars().next() {
        let token = ["NaN", "Infinity", "-Infinity"]
            .into_iter()
            .find(|t| !quoted && rest.starts_with(t));
        let taken = match (token, c) {
            (Some(token), _) => {
                out.push_str("null");
                token.len()
            }
            (None, '\\') if quoted => {
                let length = rest.chars().take(2).map(char::len_utf8).sum();
                out.push_str(&rest[..length]);
                length
            }
            (None, c) => {
                quoted ^= c == '"';
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out
}

/// Writes a `summary.json`. An existing file is replaced atomically. Undefined metrics are null or, with
/// `bare_nan`, the token `NaN`. That token is not JSON, but nnU-Net v1 writes it and requires it for
/// comparisons of numbers.
///
/// # Errors
/// [`Error::Storage`].
pub fn write_summary(path: &Path, summary: &Summary, bare_nan: bool) -> Result<(), Error> {
    write_python_json(path, summary, bare_nan)
}

/// Writes a value as `json.dump(..., indent=4)` does; see [`write_summary`].
pub(crate) fn write_python_json(path: &Path, value: &impl Serialize, bare_nan: bool) -> Result<(), Error> {
    storage::write_atomic(path, |file| {
        value
            .serialize(&mut Serializer::with_formatter(file, Python::new(bare_nan)))
            .map_err(io::Error::from)
    })?;
    Ok(())
}

/// Formats JSON as `json.dump(..., indent=4)` does.
pub(crate) struct Python {
    pretty: PrettyFormatter<'static>,
    bare_nan: bool,
}

impl Python {
    /// With `bare_nan`, null is written as `NaN`.
    pub(crate) fn new(bare_nan: bool) -> Self {
        Self {
            pretty: PrettyFormatter::with_indent(b"    "),
            bare_nan,
        }
    }
}

impl Formatter for Python {
    fn write_null<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        // Only undefined metrics are null.
        writer.write_all(if self.bare_nan { b"NaN" } else { b"null" })
    }
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_array(writer)
    }
    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_array(writer)
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_array_value(writer, first)
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_array_value(writer)
    }
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object(writer)
    }
    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_object(writer)
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_object_key(writer, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(writer)
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_tokens_are_replaced_only_outside_strings() {
        let text = r#"{"NaN \" NaN": NaN, "é\\": [-Infinity, Infinity]}"#;
        assert_eq!(strict(text), r#"{"NaN \" NaN": null, "é\\": [null, null]}"#);
    }
}
