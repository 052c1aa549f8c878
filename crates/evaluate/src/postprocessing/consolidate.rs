//! The verb `consolidateFolds`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dataset::results::ModelFolder;
use dataset::Fold;
use run::{Context, Event, NotFound, OptionError, Options};
use serde::Serialize;
use serde_json::json;

use crate::folder::{evaluate_quietly, list, EvaluateOptions};
use crate::summary::read_summary;
use crate::{Annotation, Error, Region};

use super::determine::{classes_of, dice};
use super::{determine_postprocessing, DetermineOptions};

/// Subfolder of the model with the validation cases of all folds.
const RAW: &str = "cv_niftis_raw";
/// Subfolder of the model with the same after postprocessing.
const PROCESSED: &str = "cv_niftis_postprocessed";

/// Options of [`consolidate_folds`].
#[run::options]
pub struct ConsolidateFoldsOptions {
    /// Folder `<trainer>__<plans>` with the folds.
    #[schemars(length(min = 1))]
    pub model: PathBuf,
    /// Folds of the cross-validation. The default is every numbered fold of the model.
    #[schemars(length(min = 1))]
    pub folds: Option<Vec<Fold>>,
    /// Subfolder of each fold with its segmented validation cases.
    #[default("validation_raw".to_owned())]
    #[schemars(length(min = 1))]
    pub validation: String,
    /// Excludes voxels with this label in the reference, such as -1 for unlabelled voxels.
    pub ignore_label: Option<i16>,
    /// Removes only components smaller than the smallest largest component of all cases (nnU-Net's
    /// `advanced_postprocessing`).
    #[default]
    pub minimum_sizes: bool,
}

impl Options for ConsolidateFoldsOptions {}

/// Result of [`consolidate_folds`].
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsolidateFoldsSummary {
    /// The written `postprocessing.json` of the model.
    pub output: PathBuf,
    /// Folder of all validation cases with their `summary.json`.
    pub folder: PathBuf,
    /// The folds.
    pub folds: Vec<Fold>,
    /// Number of validation cases.
    pub cases: usize,
    /// Labels that keep only their largest component, in order; empty if that helps no label. A list of several labels
    /// is their union.
    pub postprocessing: Vec<Vec<i16>>,
    /// Mean Dice of each label over all validation cases; null if it is undefined.
    pub dice: BTreeMap<String, Option<f64>>,
    /// Mean Dice of each label with postprocessing.
    pub postprocessed_dice: BTreeMap<String, Option<f64>>,
}

/// Evaluates the validation cases of all folds of a model as one cross-validation, and determines the postprocessing of
/// the model, which `predict` applies.
///
/// Writes `cv_niftis_raw` and `cv_niftis_postprocessed`, each with its `summary.json`, and `postprocessing.json` into the
/// model folder, as nnU-Net v1 does. Every case of `gt_niftis` must be a validation case of one fold.
///
/// Source: `nnunet.postprocessing.consolidate_postprocessing.consolidate_folds`.
///
/// # Errors
/// [`Error::NotFound`] for a fold without validation cases; [`Error::MissingPrediction`] for a case that no fold has;
/// [`Error::Option`] for a case of two folds. Otherwise as [`determine_postprocessing`].
pub fn consolidate_folds(
    options: &ConsolidateFoldsOptions,
    context: &Context,
) -> Result<ConsolidateFoldsSummary, Error> {
    run::validate(options)?;
    consolidate(options, true, context, |folds, cases| {
        context.emit(Event::Started {
            verb: "consolidateFolds",
            settings: json!({
                "folds": folds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), "cases": cases,
                "workers": context.workers(),
            }),
        });
    })
}

/// Runs [`consolidate_folds`] as a part of another verb: without its start event, and if not `postprocess`, without
/// postprocessing, whose results are then empty and whose files are left as they are.
///
/// # Errors
/// As [`consolidate_folds`].
pub fn consolidate_quietly(
    options: &ConsolidateFoldsOptions,
    postprocess: bool,
    context: &Context,
) -> Result<ConsolidateFoldsSummary, Error> {
    consolidate(options, postprocess, context, |_, _| ())
}

fn consolidate(
    options: &ConsolidateFoldsOptions,
    postprocess: bool,
    context: &Context,
    started: impl FnOnce(&[Fold], usize),
) -> Result<ConsolidateFoldsSummary, Error> {
    let model = ModelFolder::new(&options.model);
    let folds = match &options.folds {
        Some(folds) => folds.clone(),
        None => model.numbered_folds()?,
    };
    let advice = "train the fold with its validation, which segments its cases there";
    let folders: Vec<PathBuf> = folds
        .iter()
        .map(|fold| model.fold(*fold).path.join(&options.validation))
        .collect();
    for folder in &folders {
        NotFound::unless_exists("folder of validation cases", folder, advice)?;
    }
    let references = model.gt_niftis();
    let advice = "it holds the references of all cases; the validation of a training writes it";
    NotFound::unless_exists("folder of references", &references, advice)?;
    let cases = cases_of(&folders, &folds)?;
    let raw = model.path.join(RAW);
    if let Some(case) = list(&references)?
        .into_keys()
        .find(|case| !cases.contains_key(case))
    {
        return Err(Error::MissingPrediction { case, folder: raw });
    }
    started(&folds, cases.len());
    collect(&cases, &raw, context)?;
    let first = folders.first().map(|folder| folder.join("summary.json"));
    let expected = read_summary(&first.unwrap_or_default())?.results;
    let mut evaluation = EvaluateOptions::new(&*references, &*raw);
    let labels = expected.mean.keys().filter_map(|key| key.parse().ok());
    evaluation.labels = Some(labels.map(Region::Label).collect());
    evaluation.ignore_label = options.ignore_label;
    // nnU-Net's own readers expect numbers.
    evaluation.bare_nan = true;
    let before = evaluate_quietly(&evaluation, &Annotation::default(), context)?;
    if !before.failures.is_empty() {
        return Err(Error::Cases {
            failures: before.failures,
        });
    }
    let classes = classes_of(&before.results, &before.output)?;
    let mut found = ConsolidateFoldsSummary {
        output: model.postprocessing(),
        folder: raw,
        folds,
        cases: cases.len(),
        postprocessing: Vec::new(),
        dice: dice(&before.results.mean, &classes),
        postprocessed_dice: BTreeMap::new(),
    };
    if !postprocess {
        return Ok(found);
    }
    let mut selection = DetermineOptions::new(&model.path, &references);
    selection.raw = RAW.to_owned();
    selection.processed = PROCESSED.to_owned();
    selection.minimum_sizes = options.minimum_sizes;
    selection.bare_nan = true;
    selection.ignore_label = options.ignore_label;
    let rules = determine_postprocessing(&selection, context)?;
    let after = read_summary(&model.path.join(PROCESSED).join("summary.json"))?.results;
    found.postprocessing = rules.label_lists();
    found.postprocessed_dice = dice(&after.mean, &classes);
    Ok(found)
}

/// The segmentation of each case.
fn cases_of(folders: &[PathBuf], folds: &[Fold]) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut cases = BTreeMap::new();
    for (folder, fold) in folders.iter().zip(folds) {
        for (case, path) in list(folder)? {
            if let Some(other) = cases.insert(case.clone(), path) {
                let expected = "folds with different validation cases";
                let found = format!("{case} in fold {fold} and in {}", other.display());
                return Err(OptionError::expected("folds", expected, found).into());
            }
        }
    }
    Ok(cases)
}

/// Copies the segmentations into a new folder, which replaces that of an earlier run.
fn collect(cases: &BTreeMap<String, PathBuf>, raw: &Path, context: &Context) -> Result<(), Error> {
    let failed = |source| Error::Folder {
        folder: raw.to_owned(),
        source,
    };
    if raw.exists() {
        fs::remove_dir_all(raw).map_err(failed)?;
    }
    fs::create_dir_all(raw).map_err(failed)?;
    for path in cases.values() {
        context.check()?;
        let target = raw.join(path.file_name().unwrap_or_default());
        storage::copy_file(path, &target, storage::Links::Follow)?;
    }
    Ok(())
}
