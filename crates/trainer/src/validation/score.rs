//! Scores of the validation cases, and the postprocessing that they ask for.

use std::collections::BTreeMap;
use std::path::Path;

use evaluate::postprocessing::{determine_postprocessing, DetermineOptions};
use evaluate::{evaluate_quietly, Annotation, EvaluateOptions, Region, Scores};
use run::{CaseFailure, ValidatedCase, ValidationReport};

use super::Validation;
use crate::Result;

impl Validation<'_> {
    /// Evaluates the folder and determines the postprocessing, unless a case failed.
    pub(super) fn score(&self, failures: Vec<CaseFailure>) -> Result<ValidationReport> {
        let (setup, folder) = (self.setup, self.folder());
        let classes: Vec<i16> = (1..=setup.data.plans.num_classes as i16).collect();
        let mut report = ValidationReport {
            folder: folder.clone(),
            dice: vec![None; classes.len()],
            cases: Vec::new(),
            postprocessing: None,
            postprocessed_dice: None,
            failures,
        };
        if report.failures.len() >= setup.data.split.val.len() {
            return Ok(report);
        }
        let mut evaluation = EvaluateOptions::new(setup.references.as_path(), folder.as_path());
        // nnU-Net's summary has the background, too.
        let labels = std::iter::once(0).chain(classes.iter().copied());
        evaluation.labels = Some(labels.map(Region::Label).collect());
        evaluation.ignore_label = setup.data.recipe.ignore_label;
        evaluation.bare_nan = true;
        evaluation.predicted_only = true;
        evaluation.task.clone_from(&setup.data.task.name);
        let found = evaluate_quietly(&evaluation, &self.annotation(), self.context)?;
        report.failures.extend(found.failures);
        report.dice = dice(&classes, &found.results.mean);
        report.cases = found
            .results
            .all
            .iter()
            .map(|case| ValidatedCase {
                case: name(&case.test),
                dice: dice(&classes, &case.regions),
            })
            .collect();
        if self.options.postprocessing && report.failures.is_empty() {
            self.postprocess(&classes, &mut report)?;
        }
        Ok(report)
    }

    /// What the references leave out.
    fn annotation(&self) -> Annotation {
        let data = &self.setup.data;
        Annotation {
            ignored: data.recipe.ignored_labels.clone(),
            present: data.present.clone(),
        }
    }

    fn postprocess(&self, classes: &[i16], report: &mut ValidationReport) -> Result<()> {
        let fold = self.setup.model.fold(self.options.data.fold);
        let mut options = DetermineOptions::new(&fold.path, &self.setup.references);
        options.processed = "validation_raw_postprocessed".to_owned();
        options.bare_nan = true;
        options.ignore_label = self.setup.data.recipe.ignore_label;
        options.annotation = self.annotation();
        let rules = determine_postprocessing(&options, self.context)?;
        let after = evaluate::read_summary(&fold.validation_raw_postprocessed().join("summary.json"))?;
        let regions = rules.for_which_classes.iter();
        report.postprocessing = Some(regions.map(|region| region.labels().to_vec()).collect());
        report.postprocessed_dice = Some(dice(classes, &after.results.mean));
        Ok(())
    }
}

/// Dice of each class; `None` where it is undefined.
fn dice(classes: &[i16], scores: &BTreeMap<String, Scores>) -> Vec<Option<f64>> {
    let of = |class: &i16| scores.get(&class.to_string()).map(|scores| scores.dice);
    classes
        .iter()
        .map(|class| of(class).filter(|dice| dice.is_finite()))
        .collect()
}

/// The case of a segmentation's file.
fn name(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".nii.gz").unwrap_or(&name).to_owned()
}
