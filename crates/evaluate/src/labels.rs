//! Checks of the labels of all cases of an evaluation.

use std::collections::BTreeSet;
use std::path::Path;

use dataset::Plans;

use crate::metrics::Comparison;
use crate::{Error, Region};

/// Labels that occur in the evaluated cases.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    reference: BTreeSet<i16>,
    prediction: BTreeSet<i16>,
}

impl Labels {
    pub(crate) fn of<'a>(cases: impl Iterator<Item = &'a Comparison>) -> Self {
        let mut labels = Self::default();
        for case in cases {
            labels.reference.extend(&case.reference);
            labels.prediction.extend(&case.prediction);
        }
        labels
    }

    /// The labels of all cases.
    pub(crate) fn merge<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut labels = Self::default();
        for one in all {
            labels.reference.extend(&one.reference);
            labels.prediction.extend(&one.prediction);
        }
        labels
    }

    /// Checks that every requested region occurs in a case.
    ///
    /// # Errors
    /// [`Error::LabelsAbsent`] with the regions that no voxel of any case has.
    pub(crate) fn require(&self, regions: &[Region]) -> Result<(), Error> {
        let occurs = |label: &i16| self.reference.contains(label) || self.prediction.contains(label);
        let absent = regions
            .iter()
            .filter(|region| !region.labels().iter().any(occurs));
        let absent: Vec<String> = absent.map(Region::key).collect();
        if absent.is_empty() {
            return Ok(());
        }
        Err(Error::LabelsAbsent {
            labels: absent,
            found: self.reference.union(&self.prediction).copied().collect(),
        })
    }

    /// Returns the labels above 0 of predictions that are neither in a reference, nor requested, nor of the model.
    pub(crate) fn only_predicted(
        &self,
        regions: Option<&[Region]>,
        classes: Option<&BTreeSet<i16>>,
    ) -> BTreeSet<i16> {
        let requested: BTreeSet<i16> = regions
            .into_iter()
            .flatten()
            .flat_map(Region::labels)
            .copied()
            .collect();
        let known = |label: &i16| {
            self.reference.contains(label)
                || requested.contains(label)
                || classes.is_some_and(|all| all.contains(label))
        };
        let found = self.prediction.iter().copied();
        found.filter(|label| *label > 0 && !known(label)).collect()
    }

    /// Checks that the predictions can have the labels of the references. `regions` are the requested ones; without
    /// them, every label of the references is one. `classes` are those of the model that made the predictions.
    ///
    /// # Errors
    /// [`Error::LabelsUnknown`] if the model has no label of a region that the references have, or if both folders
    /// have labels above 0 but none in common.
    pub(crate) fn match_references(
        &self,
        regions: Option<&[Region]>,
        classes: Option<&BTreeSet<i16>>,
    ) -> Result<(), Error> {
        if let Some(classes) = classes {
            let every: Vec<Region> = self.reference.iter().copied().map(Region::Label).collect();
            let known = |label: &i16| *label == 0 || classes.contains(label);
            let unknown = regions
                .unwrap_or(&every)
                .iter()
                .filter(|region| !region.labels().iter().any(known))
                .flat_map(Region::labels)
                .filter(|label| self.reference.contains(label));
            let unknown: BTreeSet<i16> = unknown.copied().collect();
            if !unknown.is_empty() {
                return Err(Error::LabelsUnknown {
                    labels: unknown.into_iter().collect(),
                    known: classes.iter().copied().collect(),
                });
            }
        }
        let foreground = |labels: &BTreeSet<i16>| -> BTreeSet<i16> {
            labels.iter().copied().filter(|label| *label > 0).collect()
        };
        let (reference, prediction) = (foreground(&self.reference), foreground(&self.prediction));
        if !reference.is_empty() && !prediction.is_empty() && reference.is_disjoint(&prediction) {
            return Err(Error::LabelsUnknown {
                labels: reference.into_iter().collect(),
                known: prediction.into_iter().collect(),
            });
        }
        Ok(())
    }
}

/// The classes of the model that wrote a folder of predictions, from its `plans.pkl`, which prediction puts there.
/// `None` without a readable one.
pub(crate) fn classes_of(predictions: &Path) -> Option<BTreeSet<i16>> {
    let file = predictions.join("plans.pkl");
    let plans = file.is_file().then(|| Plans::read(&file).ok()).flatten()?;
    let classes = plans.all_classes.into_iter();
    Some(classes.filter_map(|class| i16::try_from(class).ok()).collect())
}
