//! The models of a comparison, and the checks of their files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dataset::results::ModelFolder;
use dataset::{Configuration, Fold};
use evaluate::read_summary;
use run::{Context, NotFound, OptionError};

use super::FindBestConfigurationOptions;
use crate::Error;

const RETRAIN: &str = "run `nnunet-diag train --validation-only --npz` for every fold of every configuration";

/// A model to compare.
pub(super) struct Model {
    pub configuration: Configuration,
    /// `<trainer>__<plans>`.
    pub identifier: String,
    pub folder: ModelFolder,
    /// Each fold's folder of validation cases, and its cases.
    pub folds: Vec<(PathBuf, BTreeSet<String>)>,
    /// Labels of the evaluation.
    pub labels: BTreeSet<i16>,
}

impl Model {
    /// Number of validation cases.
    pub fn cases(&self) -> usize {
        self.folds.iter().map(|(_, cases)| cases.len()).sum()
    }
}

/// The models that exist, and the configurations without one.
pub(super) fn find(
    options: &FindBestConfigurationOptions,
    results: &Path,
    task: &str,
    folds: &[Fold],
    context: &Context,
) -> Result<(Vec<Model>, Vec<Configuration>), Error> {
    use Configuration::{CascadeFullRes, FullRes, LowRes, TwoD};
    let wanted = options
        .configurations
        .clone()
        .unwrap_or_else(|| vec![TwoD, LowRes, FullRes, CascadeFullRes]);
    once("configurations", &wanted)?;
    once("folds", folds)?;
    let mut models = Vec::new();
    let mut missing = Vec::new();
    let advice = "train it, correct --trainer, --cascade-trainer or --plans, or leave the configuration out";
    for configuration in wanted {
        let trainer = if configuration == CascadeFullRes {
            &options.cascade_trainer
        } else {
            &options.trainer
        };
        let identifier = format!("{trainer}__{}", options.plans);
        let path = results.join(configuration.name()).join(task).join(&identifier);
        if let Err(error) = NotFound::unless_exists("model", &path, advice) {
            missing.push((configuration, error));
            continue;
        }
        models.push(Model::open(configuration, identifier, path, folds)?);
    }
    if options.strict || models.is_empty() {
        if let Some((_, error)) = missing.pop() {
            return Err(error.into());
        }
    }
    for (configuration, error) in &missing {
        let message = format!("{configuration} is left out: {error}");
        context.warn("WARN_CONFIGURATION_MISSING", message, None);
    }
    Ok((models, missing.into_iter().map(|(one, _)| one).collect()))
}

fn once<T: PartialEq + std::fmt::Display>(option: &str, values: &[T]) -> Result<(), OptionError> {
    let twice = values
        .iter()
        .enumerate()
        .find(|(i, value)| values[..*i].contains(value));
    match twice {
        Some((_, value)) => Err(OptionError::expected(
            option,
            "each value once",
            format!("{value} twice"),
        )),
        None => Ok(()),
    }
}

impl Model {
    fn open(
        configuration: Configuration,
        identifier: String,
        path: PathBuf,
        folds: &[Fold],
    ) -> Result<Self, Error> {
        let folder = ModelFolder::new(path);
        let mut labels = BTreeSet::new();
        let mut found = Vec::new();
        for fold in folds {
            let validation = folder.fold(*fold).validation_raw();
            NotFound::unless_exists("folder of validation cases", &validation, RETRAIN)?;
            let summary = validation.join("summary.json");
            // Without it, the validation is not finished.
            NotFound::unless_exists("result of the validation", &summary, RETRAIN)?;
            let keys = read_summary(&summary)?.results.mean;
            labels.extend(
                keys.keys()
                    .filter_map(|key| key.parse::<i16>().ok())
                    .filter(|key| *key > 0),
            );
            let cases = names(&validation, ".nii.gz")?;
            if cases.is_empty() {
                return Err(evaluate::Error::NoCases { folder: validation }.into());
            }
            found.push((validation, cases));
        }
        Ok(Self {
            configuration,
            identifier,
            folder,
            folds: found,
            labels,
        })
    }
}

/// Names of the files with an ending, without it.
fn names(folder: &Path, ending: &str) -> Result<BTreeSet<String>, Error> {
    let failed = |source| Error::Folder {
        folder: folder.to_owned(),
        source,
    };
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        found.extend(
            name.to_str()
                .and_then(|name| name.strip_suffix(ending))
                .map(str::to_owned),
        );
    }
    Ok(found)
}

/// Every two models, in order.
pub(super) fn pairs(models: &[Model], ensembling: bool) -> Vec<[&Model; 2]> {
    let others = |i: usize| models.iter().skip(i + 1);
    let all = models.iter().enumerate();
    all.filter(|_| ensembling)
        .flat_map(|(i, one)| others(i).map(move |two| [one, two]))
        .collect()
}

/// Checks that the models were validated on the same cases and labels, and with `softmax`, that each case has its
/// softmax.
pub(super) fn check(models: &[Model], softmax: bool) -> Result<(), Error> {
    let Some(first) = models.first() else {
        return Ok(());
    };
    for model in models {
        for ((expected_in, expected), (folder, cases)) in first.folds.iter().zip(&model.folds) {
            if let Some(case) = expected.symmetric_difference(cases).next() {
                let (found, expected) = if cases.contains(case) {
                    (format!("has {case}"), "no such case")
                } else {
                    (format!("lacks {case}"), "it")
                };
                return Err(Error::Mismatch {
                    first: expected_in.clone(),
                    path: folder.clone(),
                    what: "the validation",
                    found,
                    expected: expected.to_owned(),
                });
            }
            for case in cases.iter().filter(|_| softmax) {
                for extension in ["npz", "pkl"] {
                    let file = folder.join(format!("{case}.{extension}"));
                    let advice =
                        "ensembles need the softmax of every validation case: validate every fold with \
                                  `nnunet-diag train --validation-only --npz`, or pass --no-ensembling";
                    NotFound::unless_exists("softmax of a validation case", &file, advice)?;
                }
            }
        }
        if model.labels != first.labels {
            return Err(Error::Mismatch {
                first: first.folder.path.clone(),
                path: model.folder.path.clone(),
                what: "the validation has the labels",
                found: format!("{:?}", model.labels),
                expected: format!("{:?}", first.labels),
            });
        }
    }
    Ok(())
}
