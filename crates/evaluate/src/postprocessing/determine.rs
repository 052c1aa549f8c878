//! Selection of postprocessing on validation cases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use run::{CaseLoop, Context};
use serde::{Deserialize, Serialize};

use crate::folder::{evaluate_quietly, EvaluateOptions};
use crate::scores::Scores;
use crate::summary::{read_summary, Results};
use crate::{Annotation, Error, Region};

use super::apply::{jobs, process, progress};
use super::{write_rules, Rules};

/// Options of [`determine_postprocessing`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetermineOptions {
    /// Folder of a trained fold or cross-validation, which receives the results.
    pub base: PathBuf,
    /// Folder of the reference segmentations.
    pub reference: PathBuf,
    /// Subfolder of `base` with the predictions and their `summary.json`.
    #[serde(default = "validation_raw")]
    pub raw: String,
    /// Subfolder of `base` for the postprocessed predictions.
    #[serde(default = "validation_final")]
    pub processed: String,
    /// File in `base` for the selected postprocessing.
    #[serde(default = "postprocessing_json")]
    pub file: String,
    /// Minimum increase of a mean Dice.
    #[serde(default)]
    pub dice_threshold: f64,
    /// Whether to remove only components smaller than the smallest largest component of all cases (nnU-Net's
    /// `advanced_postprocessing`).
    #[serde(default)]
    pub minimum_sizes: bool,
    /// Whether to write undefined metrics as the bare token `NaN`, as nnU-Net v1 does, instead of null.
    #[serde(default)]
    pub bare_nan: bool,
    /// Label of the reference whose voxels do not count, such as -1 for unlabelled ones.
    #[serde(default)]
    pub ignore_label: Option<i16>,
    /// What else was not annotated in the references.
    #[serde(skip)]
    pub annotation: Annotation,
}

fn validation_raw() -> String {
    "validation_raw".to_owned()
}

fn validation_final() -> String {
    "validation_final".to_owned()
}

fn postprocessing_json() -> String {
    "postprocessing.json".to_owned()
}

impl DetermineOptions {
    /// Returns options with nnU-Net's names and rules.
    pub fn new(base: &Path, reference: &Path) -> Self {
        Self {
            base: base.to_owned(),
            reference: reference.to_owned(),
            raw: validation_raw(),
            processed: validation_final(),
            file: postprocessing_json(),
            dice_threshold: 0.0,
            minimum_sizes: false,
            bare_nan: false,
            ignore_label: None,
            annotation: Annotation::default(),
        }
    }
}

/// Mean scores by label.
pub(super) type Means = BTreeMap<String, Scores>;
/// Minimum sizes by region.
type Sizes = Option<Vec<(Region, f64)>>;

/// Selects the regions that benefit from keeping only the largest component. Writes `postprocessing.json`,
/// and the postprocessed cases with their `summary.json`.
///
/// First, all foreground labels are one region. It is selected if the mean Dice of some label rises and of no
/// label falls. Then, with several labels, each label is a region. It is selected if its own mean Dice rises.
/// Means exclude cases with an undefined Dice. A label with an undefined mean neither rises nor falls.
///
/// # Errors
/// [`Error::Summary`] if the predictions were not evaluated before, or have labels by name. [`Error::Cases`]
/// if a case fails (all are required). Otherwise as [`evaluate_folder`].
pub fn determine_postprocessing(options: &DetermineOptions, context: &Context) -> Result<Rules, Error> {
    let raw = options.base.join(&options.raw);
    let summary_file = raw.join("summary.json");
    let before = read_summary(&summary_file)?.results;
    let classes = classes_of(&before, &summary_file)?;
    let trial = storage::temporary_folder(&options.base.join("postprocessing"))?;
    let selection = Selection {
        raw: &raw,
        reference: &options.reference,
        dice_threshold: options.dice_threshold,
        minimum_sizes: options.minimum_sizes,
        bare_nan: options.bare_nan,
        ignore_label: options.ignore_label,
        annotation: &options.annotation,
    };
    let mut rules = selection.select(&before, &classes, trial.path(), context)?;
    rules.validation_raw.clone_from(&options.raw);
    rules.validation_final.clone_from(&options.processed);
    let target = options.base.join(&options.processed);
    selection.process(&rules, &classes, &target, context)?;
    write_rules(&options.base.join(&options.file), &rules)?;
    Ok(rules)
}

/// The foreground labels of evaluated cases. nnU-Net uses the order of the file, which is that of its sorted keys.
pub(super) fn classes_of(results: &Results, summary_file: &Path) -> Result<Vec<i16>, Error> {
    let mut classes = Vec::new();
    for key in results.mean.keys() {
        let label = key.parse::<i16>().map_err(|_| Error::Summary {
            path: summary_file.to_owned(),
            problem: format!("its results are for '{key}'; postprocessing needs labels by number"),
        })?;
        if label != 0 {
            classes.push(label);
        }
    }
    Ok(classes)
}

/// The predictions and references of a selection, and its rules.
pub(super) struct Selection<'a> {
    pub raw: &'a Path,
    pub reference: &'a Path,
    pub dice_threshold: f64,
    pub minimum_sizes: bool,
    pub bare_nan: bool,
    pub ignore_label: Option<i16>,
    pub annotation: &'a Annotation,
}

impl Selection<'_> {
    /// Tries both kinds of regions in `trial`. `before` are the scores of the predictions.
    pub(super) fn select(
        &self,
        before: &Results,
        classes: &[i16],
        trial: &Path,
        context: &Context,
    ) -> Result<Rules, Error> {
        let singles: Vec<Region> = classes.iter().copied().map(Region::Label).collect();
        let together = [Region::Union(classes.to_vec())];
        let (all_folder, each_folder) = (trial.join("all"), trial.join("each"));
        let raw = self.raw;
        let sizes = if self.minimum_sizes {
            Some(smallest_kept(raw, &all_folder, &together, context)?)
        } else {
            None
        };
        process_folder(raw, &all_folder, &together, sizes.as_deref(), context)?;
        let after_all = self.means(&all_folder, &singles, context)?;
        let mut rules = Rules {
            num_samples: before.all.len() as u64,
            dc_per_class_raw: dice(&before.mean, classes),
            dc_per_class_pp_all: dice(&after_all, classes),
            ..Rules::default()
        };
        let mut all_sizes: Sizes = self.minimum_sizes.then(Vec::new);
        let better = |new: f64, old: f64| new > old + self.dice_threshold;
        let compare = |test: &dyn Fn(f64, f64) -> bool, new: &Means, old: &Means| {
            classes
                .iter()
                .any(|class| test(mean_dice(new, *class), mean_dice(old, *class)))
        };
        let joint = compare(&better, &after_all, &before.mean)
            && !compare(&|new, old| new < old, &after_all, &before.mean);
        if joint {
            rules.for_which_classes.extend(together);
            all_sizes
                .iter_mut()
                .for_each(|all| all.extend(sizes.iter().flatten().cloned()));
        }

        if classes.len() > 1 {
            let (source, old) = if joint {
                (&*all_folder, &after_all)
            } else {
                (raw, &before.mean)
            };
            let sizes = if self.minimum_sizes {
                Some(smallest_kept(source, &each_folder, &singles, context)?)
            } else {
                None
            };
            process_folder(source, &each_folder, &singles, sizes.as_deref(), context)?;
            let after_each = self.means(&each_folder, &singles, context)?;
            rules.dc_per_class_pp_per_class = dice(&after_each, classes);
            for class in classes {
                if better(mean_dice(&after_each, *class), mean_dice(old, *class)) {
                    let region = Region::Label(*class);
                    let size = sizes
                        .iter()
                        .flatten()
                        .find(|(other, _)| *other == region)
                        .cloned();
                    all_sizes.iter_mut().for_each(|all| all.extend(size.clone()));
                    rules.for_which_classes.push(region);
                }
            }
        }
        rules.minimum_sizes = all_sizes;
        Ok(rules)
    }

    /// Postprocesses the predictions into `target` and evaluates them.
    pub(super) fn process(
        &self,
        rules: &Rules,
        classes: &[i16],
        target: &Path,
        context: &Context,
    ) -> Result<Means, Error> {
        let sizes = rules.minimum_sizes.as_deref();
        process_folder(self.raw, target, &rules.for_which_classes, sizes, context)?;
        let singles: Vec<Region> = classes.iter().copied().map(Region::Label).collect();
        self.means(target, &singles, context)
    }

    /// Evaluates a folder of postprocessed cases. Fails if a case fails.
    fn means(&self, folder: &Path, labels: &[Region], context: &Context) -> Result<Means, Error> {
        let mut evaluation = EvaluateOptions::new(self.reference, folder);
        evaluation.labels = (!labels.is_empty()).then(|| labels.to_vec());
        evaluation.bare_nan = self.bare_nan;
        evaluation.ignore_label = self.ignore_label;
        // References of other folds have no prediction here.
        evaluation.predicted_only = true;
        let result = evaluate_quietly(&evaluation, self.annotation, context)?;
        if result.failures.is_empty() {
            Ok(result.results.mean)
        } else {
            Err(Error::Cases {
                failures: result.failures,
            })
        }
    }
}

/// Postprocesses every case of `source` into `target`. Fails if a case fails. Returns the smallest kept size
/// of each region.
fn process_folder(
    source: &Path,
    target: &Path,
    regions: &[Region],
    sizes: Option<&[(Region, f64)]>,
    context: &Context,
) -> Result<Vec<(Region, f64)>, Error> {
    std::fs::create_dir_all(target).map_err(|e| Error::Folder {
        folder: target.to_owned(),
        source: e,
    })?;
    let jobs = jobs(source)?;
    let outcome = CaseLoop::new(context)?.run(&jobs, progress(&jobs), |job| {
        let target = target.join(job.input.file_name().unwrap_or_default());
        process(&job.input, &target, regions, sizes)
    })?;
    if !outcome.failures.is_empty() {
        return Err(Error::Cases {
            failures: outcome.failures,
        });
    }
    let removals = outcome.results.into_iter().flatten().flatten();
    let kept: Vec<_> = removals.filter_map(|r| Some((r.region, r.kept_size?))).collect();
    let smallest = |region: &Region| {
        kept.iter()
            .filter(|(other, _)| other == region)
            .map(|(_, size)| *size)
            .min_by(f64::total_cmp)
    };
    Ok(regions
        .iter()
        .filter_map(|region| Some((region.clone(), smallest(region)?)))
        .collect())
}

/// Returns the smallest largest component of each region over all cases.
///
/// A region without voxels in any case gets the size 0, so that none of its components is removed.
fn smallest_kept(
    source: &Path,
    target: &Path,
    regions: &[Region],
    context: &Context,
) -> Result<Vec<(Region, f64)>, Error> {
    let found = process_folder(source, target, regions, None, context)?;
    let size = |region: &Region| {
        found
            .iter()
            .find(|(other, _)| other == region)
            .map_or(0.0, |(_, size)| *size)
    };
    Ok(regions
        .iter()
        .map(|region| (region.clone(), size(region)))
        .collect())
}

fn mean_dice(means: &Means, class: i16) -> f64 {
    means
        .get(&class.to_string())
        .map_or(f64::NAN, |scores| scores.dice)
}

/// Returns the mean Dice by label, `None` if undefined.
pub(super) fn dice(means: &Means, classes: &[i16]) -> BTreeMap<String, Option<f64>> {
    let defined = |class: &i16| Some(mean_dice(means, *class)).filter(|dice| !dice.is_nan());
    classes
        .iter()
        .map(|class| (class.to_string(), defined(class)))
        .collect()
}
