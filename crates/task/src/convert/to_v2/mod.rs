//! Conversion of nnU-Net v1's raw tasks and trained models to those of v2.

mod dataset;
mod model;
mod plans;
mod weights;

use std::io::Write;
use std::path::{Path, PathBuf};

use run::{Context, NotFound, OptionError};
use serde_json::Value as Json;

use super::{ConvertOptions, ConvertSummary};
use crate::Error;

/// Converts a raw task or a trained model.
pub(super) fn convert(options: &ConvertOptions, context: &Context) -> Result<ConvertSummary, Error> {
    let advice = "name the folder of a raw task of nnU-Net v1, or of one of its trained models";
    NotFound::unless_exists("folder", &options.source, advice).map_err(::dataset::Error::from)?;
    match options.source.join("plans.pkl").is_file() {
        true => model::convert(options, context),
        false => dataset::convert(options, context),
    }
}

/// The folder that receives the result.
fn parent(options: &ConvertOptions) -> Result<PathBuf, Error> {
    options.output.clone().ok_or_else(|| {
        let expected = "the folder of nnU-Net v2 that receives the result, its nnUNet_raw or nnUNet_results";
        OptionError::expected("output", expected, "none").into()
    })
}

/// Name of v2's data set: the given one, or that of the source's task.
fn name(options: &ConvertOptions, of_source: Option<String>) -> Result<String, Error> {
    let expected = "a name such as Dataset027_ACDC";
    let name = match &options.task {
        Some(name) => Some(name.clone()),
        None => of_source.and_then(|name| Some(format!("Dataset{}", name.strip_prefix("Task")?))),
    };
    let name = name.ok_or_else(|| {
        let found = "none, and no folder of the source is named as a task";
        OptionError::expected("task", expected, found)
    })?;
    let valid = name
        .strip_prefix("Dataset")
        .and_then(|rest| rest.split_once('_'))
        .is_some_and(|(id, rest)| {
            let digits = id.len() == 3 && id.bytes().all(|byte| byte.is_ascii_digit());
            digits && !rest.is_empty() && !rest.contains(['/', '\\', '\0'])
        });
    match valid {
        true => Ok(name),
        false => Err(OptionError::expected("task", expected, format!("{name:?}")).into()),
    }
}

fn write_json(path: &Path, json: &Json) -> Result<(), Error> {
    let text = format!("{json:#}\n");
    Ok(storage::write_atomic(path, |file| {
        file.write_all(text.as_bytes())
    })?)
}
