//! The verb `findBestConfiguration`.

mod models;
mod pair;
mod report;

use std::collections::BTreeMap;
use std::path::PathBuf;

use dataset::{Configuration, Fold, Folders, Task};
use evaluate::postprocessing::{consolidate_quietly, ConsolidateFoldsOptions};
use run::{Context, Event, Options};
use serde::Serialize;
use serde_json::json;

use crate::Error;

/// Options of [`find_best_configuration`].
#[run::options]
pub struct FindBestConfigurationOptions {
    /// Number, name or folder of the task.
    #[schemars(length(min = 1))]
    pub task: String,
    /// Configurations to compare. The default is every configuration.
    #[schemars(length(min = 1))]
    pub configurations: Option<Vec<Configuration>>,
    /// Folds of the cross-validation. The default is 0 to 4, as in nnU-Net v1.
    #[schemars(length(min = 1))]
    pub folds: Option<Vec<Fold>>,
    /// Trainer of the models.
    #[default("nnUNetTrainerV2".to_owned())]
    #[schemars(length(min = 1))]
    pub trainer: String,
    /// Trainer of `3d_cascade_fullres`.
    #[default("nnUNetTrainerV2CascadeFullRes".to_owned())]
    #[schemars(length(min = 1))]
    pub cascade_trainer: String,
    /// Plans identifier in the names of the model folders.
    #[default("nnUNetPlansv2.1".to_owned())]
    #[schemars(length(min = 1))]
    pub plans: String,
    /// Also compares the ensemble of every two configurations, which needs the softmax of their validation cases.
    #[default(true)]
    pub ensembling: bool,
    /// Determines the postprocessing of every configuration and ensemble.
    #[default(true)]
    pub postprocessing: bool,
    /// A configuration without a trained model is an error. Otherwise it is left out with a warning.
    #[default]
    pub strict: bool,
    /// Excludes voxels with this label in the reference, such as -1 for unlabelled voxels.
    pub ignore_label: Option<i16>,
    /// nnU-Net's folders.
    #[default]
    #[serde(flatten)]
    pub folders: Folders,
}

impl Options for FindBestConfigurationOptions {}

/// A configuration or an ensemble, with its scores over the whole cross-validation.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Name of the configuration, or of the folder of the ensemble.
    pub name: String,
    /// The configurations: one, or the two of an ensemble.
    pub configurations: Vec<Configuration>,
    /// Folder of the model or ensemble.
    pub folder: PathBuf,
    /// Mean Dice of each foreground label over all validation cases; null if it is undefined.
    pub dice: BTreeMap<String, Option<f64>>,
    /// Mean of `dice`, by which candidates are compared, as in nnU-Net v1; null if it is undefined.
    pub mean_dice: Option<f64>,
    /// Labels that keep only their largest component, in order; null if that was not determined.
    pub postprocessing: Option<Vec<Vec<i16>>>,
    /// Mean Dice of each foreground label with postprocessing; null if that was not determined.
    pub postprocessed_dice: Option<BTreeMap<String, Option<f64>>>,
    /// Mean of `postprocessedDice`.
    pub postprocessed_mean_dice: Option<f64>,
}

/// Result of [`find_best_configuration`].
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindBestConfigurationSummary {
    /// Name of the task.
    pub task: String,
    /// Name of the best candidate. Of several equal ones it is the first: configurations come before ensembles.
    pub best: String,
    /// Mean foreground Dice of the best candidate.
    pub mean_dice: f64,
    /// Commands that segment new cases with the best candidate, in order.
    pub commands: Vec<String>,
    /// Every configuration, then every ensemble.
    pub candidates: Vec<Candidate>,
    /// Configurations that were left out because they have no model.
    pub missing: Vec<Configuration>,
    /// The folds.
    pub folds: Vec<Fold>,
    /// Number of validation cases.
    pub cases: usize,
    /// Folder of the ensembles, with `prediction_commands.txt`, `summary.csv` and `best_configuration.json`.
    pub output: PathBuf,
}

/// Compares the configurations of a task, and the ensembles of two, by their cross-validation, and says how to predict
/// with the best.
///
/// The validation cases of every configuration are consolidated first, as by `consolidateFolds`. Everything is computed
/// again in every run. Results are in `RESULTS_FOLDER/nnUNet/ensembles/<task>`.
///
/// Source: `nnunet.evaluation.model_selection.figure_out_what_to_submit`, which reuses results of earlier runs, and
/// fails if a label has no Dice; here the mean leaves that label out.
///
/// # Errors
/// [`Error::NotFound`] for a model, fold, validation or softmax that is missing; [`Error::Mismatch`] if configurations
/// were validated on other cases or labels; [`Error::Option`]. Otherwise as [`consolidate_quietly`] and
/// [`crate::merge`]. Before the first case is read, every file is looked for.
pub fn find_best_configuration(
    options: &FindBestConfigurationOptions,
    context: &Context,
) -> Result<FindBestConfigurationSummary, Error> {
    run::validate(options)?;
    let folders = options.folders.resolve(context);
    let task = Task::resolve(&options.task, &folders)?;
    let results = folders.results()?.join("nnUNet");
    let folds = options
        .folds
        .clone()
        .unwrap_or_else(|| (0..5).map(Fold::Index).collect());
    let (models, missing) = models::find(options, &results, &task.name, &folds, context)?;
    let pairs = models::pairs(&models, options.ensembling);
    models::check(&models, !pairs.is_empty())?;
    let cases = models.first().map_or(0, models::Model::cases);
    context.emit(Event::Started {
        verb: "findBestConfiguration",
        settings: json!({
            "task": task.name, "configurations": models.iter().map(|m| m.configuration.name()).collect::<Vec<_>>(),
            "ensembles": pairs.len(), "cases": cases, "workers": context.workers(),
        }),
    });
    let mut candidates = Vec::new();
    for model in &models {
        let mut one = ConsolidateFoldsOptions::new(model.folder.path.clone());
        one.folds = Some(folds.clone());
        one.ignore_label = options.ignore_label;
        let found = consolidate_quietly(&one, options.postprocessing, context)?;
        let after = options
            .postprocessing
            .then_some((found.postprocessing, found.postprocessed_dice));
        let name = model.configuration.name().to_owned();
        let configurations = vec![model.configuration];
        candidates.push(Candidate::new(
            name,
            configurations,
            &model.folder.path,
            found.dice,
            after,
        ));
    }
    let output = results.join("ensembles").join(&task.name);
    std::fs::create_dir_all(&output).map_err(|source| Error::Folder {
        folder: output.clone(),
        source,
    })?;
    for [one, two] in pairs {
        candidates.push(pair::candidate(one, two, &output, options, context)?);
    }
    let (best, commands) = report::choose(&candidates, options, &models, &folds, &results, &task.name)?;
    let summary = FindBestConfigurationSummary {
        task: task.name,
        best: best.name.clone(),
        mean_dice: best.mean_dice.unwrap_or(f64::NAN),
        commands: commands.best,
        candidates: candidates.clone(),
        missing,
        folds,
        cases,
        output,
    };
    report::write(&summary, &commands.all)?;
    Ok(summary)
}

/// Scores by label, as [`ConsolidateFoldsOptions`] gives them.
type Dice = BTreeMap<String, Option<f64>>;

impl Candidate {
    /// `after` are the postprocessing and the scores with it.
    fn new(
        name: String,
        configurations: Vec<Configuration>,
        folder: &std::path::Path,
        mut dice: Dice,
        after: Option<(Vec<Vec<i16>>, Dice)>,
    ) -> Self {
        // Unlabelled voxels are no class.
        let foreground = |key: &String| key.parse::<i16>().is_ok_and(|label| label > 0);
        dice.retain(|key, _| foreground(key));
        let (postprocessing, mut postprocessed_dice) = after.unzip();
        postprocessed_dice
            .iter_mut()
            .for_each(|dice| dice.retain(|key, _| foreground(key)));
        Self {
            name,
            configurations,
            folder: folder.to_owned(),
            mean_dice: mean(&dice),
            dice,
            postprocessing,
            postprocessed_mean_dice: postprocessed_dice.as_ref().and_then(mean),
            postprocessed_dice,
        }
    }
}

/// The mean of the defined scores.
fn mean(dice: &Dice) -> Option<f64> {
    let values: Vec<f64> = dice.values().map(|dice| dice.unwrap_or(f64::NAN)).collect();
    Some(evaluate::nanmean(&values)).filter(|mean| !mean.is_nan())
}
