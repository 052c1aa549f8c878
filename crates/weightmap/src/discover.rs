//! Discovery of cases and classes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use run::{NotFound, OptionError};
use serde_json::Value;

use crate::{Error, Options};

/// Suffix of weightmap names, before the extension.
pub(crate) const SUFFIX: &str = "_weightmap";

/// A file to write a weightmap for.
#[derive(Debug)]
pub(crate) struct Case {
    /// File name without extension.
    pub(crate) name: String,
    /// Path of the file.
    pub(crate) path: PathBuf,
    /// Path of the weightmap.
    pub(crate) output: PathBuf,
    /// Reason to reject the file, if its name is sufficient.
    refused: Option<Refusal>,
}

#[derive(Debug)]
enum Refusal {
    IsWeightmap,
    Extension,
    SameOutput(PathBuf),
}

impl Case {
    /// Fails if the file name shows that the file is not a case.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.refused {
            None => Ok(()),
            Some(Refusal::IsWeightmap) => Err(Error::IsWeightmap),
            Some(Refusal::Extension) => Err(Error::Extension),
            Some(Refusal::SameOutput(other)) => Err(Error::SameOutput { other: other.clone() }),
        }
    }
}

/// Returns the matching files of the folder, by path. Weightmaps of an earlier run are marked as rejected.
pub(crate) fn cases(options: &Options) -> Result<Vec<Case>, Error> {
    let folder = &options.folder;
    let advice = "run `nnunet-diag preprocess` first, or choose another folder";
    NotFound::unless_exists("folder of preprocessed cases", folder, advice)?;
    fs::read_dir(folder).map_err(|source| Error::Folder {
        action: "read",
        folder: folder.clone(),
        source,
    })?;
    let pattern = &options.matching_pattern;
    let malformed = |problem: String| OptionError::new("matchingPattern", format!("{pattern:?}: {problem}"));
    if Path::new(pattern).is_absolute() || pattern.is_empty() {
        return Err(malformed("expected a pattern relative to the folder".to_owned()).into());
    }
    // Checked before the folder is prepended, so that the error position refers to the user's pattern.
    glob::Pattern::new(pattern).map_err(|e| malformed(e.to_string()))?;
    let whole = Path::new(&glob::Pattern::escape(&folder.to_string_lossy())).join(pattern);
    let found = glob::glob(&whole.to_string_lossy()).map_err(|e| malformed(e.to_string()))?;
    // An unreadable entry has no file name.
    let mut paths: Vec<PathBuf> = found
        .filter_map(Result::ok)
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(Error::NoCases {
            folder: folder.clone(),
            pattern: pattern.clone(),
        });
    }
    let mut outputs: HashMap<PathBuf, PathBuf> = HashMap::new();
    Ok(paths
        .into_iter()
        .map(|path| case(path, options, &mut outputs))
        .collect())
}

fn case(path: PathBuf, options: &Options, outputs: &mut HashMap<PathBuf, PathBuf>) -> Case {
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let folder = options
        .output_dir
        .as_deref()
        .or(path.parent())
        .unwrap_or(Path::new(""));
    let output = folder.join(format!("{name}{SUFFIX}.npy"));
    let extension = path.extension().unwrap_or_default();
    let refused = if name.ends_with(SUFFIX) {
        Some(Refusal::IsWeightmap)
    } else if extension != "npz" && extension != "npy" {
        Some(Refusal::Extension)
    } else {
        let other = outputs.get(&output).cloned().map(Refusal::SameOutput);
        outputs.entry(output.clone()).or_insert_with(|| path.clone());
        other
    };
    Case {
        name,
        path,
        output,
        refused,
    }
}

/// Returns the given classes, checked against dataset.json if it exists. Without given classes, returns the
/// non-zero labels of dataset.json.
pub(crate) fn classes(options: &Options) -> Result<Vec<i64>, Error> {
    let asked = options.classes.as_deref().unwrap_or_default();
    // The fork treats a list without a non-zero class as empty.
    let none = if options.compat {
        asked.iter().all(|&class| class == 0)
    } else {
        asked.is_empty()
    };
    let path = dataset_json(&options.folder)?;
    let labels = match labels(&path)? {
        None if none => return Err(Error::NoClasses { path }),
        None => return Ok(asked.to_vec()),
        Some(labels) => labels,
    };
    if none {
        return Ok(labels.into_iter().filter(|&label| label != 0).collect());
    }
    match asked.iter().find(|class| !labels.contains(class)) {
        Some(&class) if !options.compat => Err(Error::UnknownClass { class, labels, path }),
        _ => Ok(asked.to_vec()),
    }
}

/// Returns the path of `dataset.json` in the parent folder of the cases, with links resolved.
fn dataset_json(folder: &Path) -> Result<PathBuf, Error> {
    let real = fs::canonicalize(folder).map_err(|source| Error::Folder {
        action: "read",
        folder: folder.to_owned(),
        source,
    })?;
    Ok(real.parent().unwrap_or(&real).join("dataset.json"))
}

/// Returns the labels of a dataset.json in its order, or `None` if the file does not exist.
fn labels(path: &Path) -> Result<Option<Vec<i64>>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    let refused = |problem: String| Error::DatasetJson {
        path: path.to_owned(),
        problem,
    };
    let bytes = fs::read(path).map_err(|e| refused(e.to_string()))?;
    let text = dataset::text::decode(bytes).map_err(refused)?;
    let json: Value = serde_json::from_str(&text).map_err(|e| refused(e.to_string()))?;
    let labels = json.get("labels").and_then(Value::as_object);
    let labels = labels.ok_or_else(|| refused("the object \"labels\" is missing".to_owned()))?;
    let number = |key: &String| {
        key.trim()
            .parse()
            .map_err(|_| refused(format!("label {key:?} is not a whole number")))
    };
    labels.keys().map(number).collect::<Result<_, _>>().map(Some)
}
