//! The verb `determinePostprocessing`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use run::{Context, Event, Options};
use serde::Serialize;
use serde_json::json;

use crate::folder::{evaluate_quietly, EvaluateOptions};
use crate::{Annotation, Error};

use super::determine::{classes_of, dice, Selection};
use super::write_rules;

/// Options of [`determine`].
#[run::options]
pub struct DeterminePostprocessingOptions {
    /// Folder of reference segmentations, `.nii.gz` or `.nii`.
    #[schemars(length(min = 1))]
    pub reference_dir: PathBuf,
    /// Folder of predictions without postprocessing, with the same file names. Every one needs its reference.
    #[schemars(length(min = 1))]
    pub prediction_dir: PathBuf,
    /// File to write. The default is `postprocessing.json` in the folder of predictions.
    pub output: Option<PathBuf>,
    /// Folder for the postprocessed predictions and their `summary.json`. By default they are not kept.
    pub postprocessed_dir: Option<PathBuf>,
    /// Minimum increase of a mean Dice.
    #[default]
    #[schemars(range(min = 0.0))]
    pub dice_threshold: f64,
    /// Removes only components smaller than the smallest largest component of all cases (nnU-Net's
    /// `advanced_postprocessing`).
    #[default]
    pub minimum_sizes: bool,
    /// Excludes voxels with this label in the reference, such as -1 for unlabelled voxels.
    pub ignore_label: Option<i16>,
}

impl Options for DeterminePostprocessingOptions {}

/// Result of [`determine`].
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeterminePostprocessingSummary {
    /// The written file.
    pub output: PathBuf,
    /// Labels that keep only their largest component, in order; empty if that helps no label. A list of several labels
    /// is their union.
    pub postprocessing: Vec<Vec<i16>>,
    /// Number of cases.
    pub cases: usize,
    /// Mean Dice of each label without postprocessing; null if it is undefined.
    pub dice: BTreeMap<String, Option<f64>>,
    /// Mean Dice of each label with it.
    pub postprocessed_dice: BTreeMap<String, Option<f64>>,
}

/// Selects the regions that benefit from keeping only the largest component, and writes them as a
/// `postprocessing.json`. The rules are those of [`super::determine_postprocessing`].
///
/// Source: `nnunet.postprocessing.connected_components.determine_postprocessing`.
///
/// # Errors
/// [`Error::Cases`] if a case fails (all are required). Otherwise as [`crate::evaluate_folder`].
pub fn determine(
    options: &DeterminePostprocessingOptions,
    context: &Context,
) -> Result<DeterminePostprocessingSummary, Error> {
    run::validate(options)?;
    context.emit(Event::Started {
        verb: "determinePostprocessing",
        settings: json!({
            "referenceDir": options.reference_dir, "predictionDir": options.prediction_dir,
            "diceThreshold": options.dice_threshold, "minimumSizes": options.minimum_sizes,
            "ignoreLabel": options.ignore_label, "workers": context.workers(),
        }),
    });
    let output = options
        .output
        .clone()
        .unwrap_or_else(|| options.prediction_dir.join("postprocessing.json"));
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.map_or_else(|| PathBuf::from("."), PathBuf::from);
    std::fs::create_dir_all(&parent).map_err(|source| Error::Folder {
        folder: parent.clone(),
        source,
    })?;
    let trial = storage::temporary_folder(&output)?;
    let summary_file = trial.path().join("summary.json");
    let mut evaluation = EvaluateOptions::new(&*options.reference_dir, &*options.prediction_dir);
    evaluation.ignore_label = options.ignore_label;
    evaluation.predicted_only = true;
    evaluation.output = Some(summary_file.clone());
    let before = evaluate_quietly(&evaluation, &Annotation::default(), context)?;
    if !before.failures.is_empty() {
        return Err(Error::Cases {
            failures: before.failures,
        });
    }
    let mut classes = classes_of(&before.results, &summary_file)?;
    // Unlabelled voxels that are not ignored are no class.
    classes.retain(|class| *class > 0);
    let annotation = Annotation::default();
    let selection = Selection {
        raw: &options.prediction_dir,
        reference: &options.reference_dir,
        dice_threshold: options.dice_threshold,
        minimum_sizes: options.minimum_sizes,
        bare_nan: false,
        ignore_label: options.ignore_label,
        annotation: &annotation,
    };
    let mut rules = selection.select(&before.results, &classes, trial.path(), context)?;
    rules.validation_raw = name(&options.prediction_dir);
    rules.validation_final = options.postprocessed_dir.as_deref().map(name).unwrap_or_default();
    let kept = trial.path().join("final");
    let target = options.postprocessed_dir.as_ref().unwrap_or(&kept);
    let after = selection.process(&rules, &classes, target, context)?;
    write_rules(&output, &rules)?;
    Ok(DeterminePostprocessingSummary {
        output,
        postprocessing: rules.label_lists(),
        cases: before.results.all.len(),
        dice: dice(&before.results.mean, &classes),
        postprocessed_dice: dice(&after, &classes),
    })
}

/// The name of a folder.
fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
