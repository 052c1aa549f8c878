//! Class weights from the data.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use run::Context;
use sampling::{count_labels, StageFolder};

use crate::{Result, TrainingData};

impl TrainingData {
    /// A weight for each class, background first, by median frequency balancing (Eigen & Fergus 2015): the
    /// frequency of a class is its share of the labelled voxels of those training cases that contain it, and its
    /// weight is the median of all frequencies divided by its own. A class that no training case contains has
    /// weight 1. Every labelled voxel of the fold's training cases is counted, in parallel.
    ///
    /// # Errors
    /// [`crate::Error::Sampling`] for a case that cannot be read; [`crate::Error::Cancelled`].
    pub fn balanced_class_weights(&self, context: &Context) -> Result<Vec<f64>> {
        let stage = StageFolder {
            folder: self.folder.clone(),
            previous_stage: None,
            weightmaps: false,
            packed: None,
            ignored: self.recipe.ignored_labels.clone(),
        };
        let classes = self.plans.num_classes + 1;
        let (ignores, rules) = (
            self.recipe.ignore_label.is_some(),
            self.recipe.augmentation.reference_rules,
        );
        let (done, total) = (AtomicU64::new(0), self.split.train.len() as u64);
        let count = |case: &String| -> Result<Vec<u64>> {
            context.check()?;
            let counts = count_labels(case, &stage, classes, ignores, rules)?;
            let done = 1 + done.fetch_add(1, Ordering::Relaxed);
            context.progress(done, total, "cases", Some(case));
            Ok(counts)
        };
        let counts: Vec<Vec<u64>> = context
            .pool()?
            .install(|| self.split.train.par_iter().map(count).collect::<Result<_>>())?;
        Ok(median_frequency_balancing(&counts, classes))
    }
}

/// Weights of the classes from the voxels of each class in each case.
fn median_frequency_balancing(cases: &[Vec<u64>], classes: usize) -> Vec<f64> {
    let frequency = |class: usize| {
        let containing = || cases.iter().filter(move |counts| counts[class] > 0);
        let own: u64 = containing().map(|counts| counts[class]).sum();
        let all: u64 = containing().flatten().sum();
        (own > 0).then(|| own as f64 / all as f64)
    };
    let frequencies: Vec<Option<f64>> = (0..classes).map(frequency).collect();
    let mut sorted: Vec<f64> = frequencies.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = |at: usize| sorted.get(at).copied().unwrap_or(1.0);
    let median = (middle(sorted.len().saturating_sub(1) / 2) + middle(sorted.len() / 2)) / 2.0;
    frequencies
        .iter()
        .map(|frequency| frequency.map_or(1.0, |f| median / f))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_classes_weigh_more_and_absent_ones_1() {
        // Class 1 is 20 of the 100 voxels of the only case that contains it; class 3 is nowhere.
        let cases = [vec![80, 20, 0, 0], vec![90, 0, 10, 0], vec![95, 0, 5, 0]];
        let found = median_frequency_balancing(&cases, 4);
        let frequencies = [265.0 / 300.0, 0.2, 15.0 / 200.0];
        let expected = frequencies.map(|f| 0.2 / f);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert_eq!(found[3], 1.0);
        // With an even number of classes, the median is the mean of the middle two.
        let found = median_frequency_balancing(&[vec![75, 25]], 2);
        assert_eq!(found, [0.5 / 0.75, 2.0]);
        assert_eq!(median_frequency_balancing(&[vec![0, 0]], 2), [1.0, 1.0]);
    }
}
