//! Online Dice on validation patches (`run_online_evaluation`, `finish_online_evaluation`).

use engine::Group;
use tch::{Kind, Tensor};

use crate::Result;

/// True positives, false positives and false negatives of every foreground class over the validation patches
/// of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OnlineEvaluation {
    classes: usize,
    ignore: Option<i16>,
    weighted: bool,
    /// Voxels by label (row) and prediction (column), or their weights.
    confusion: Vec<f64>,
}

impl OnlineEvaluation {
    /// An evaluation with this many classes, including the background. Voxels with the ignore label are not
    /// counted.
    pub fn new(classes: usize, ignore: Option<i16>) -> Self {
        Self {
            classes,
            ignore,
            weighted: false,
            confusion: vec![0.0; classes * classes],
        }
    }

    /// The same evaluation, which counts each voxel by its weight.
    #[must_use]
    pub fn with_weights(self, weighted: bool) -> Self {
        Self { weighted, ..self }
    }

    /// Counts a batch on its device, without waiting for it: voxels by label and prediction, or their weights, as float64
    /// (classes²). Of logits (b, c, \[z,\] y, x), labels (b, 1, ...) and voxel weights of the finest scale.
    pub fn count(&self, logits: &Tensor, target: &Tensor, weights: Option<&Tensor>) -> Result<Tensor> {
        let classes = self.classes as i64;
        let (cells, on_device) = (classes * classes, (Kind::Double, logits.device()));
        let predicted = logits.f_argmax(1, false)?.f_flatten(0, -1)?;
        let label = target.f_flatten(0, -1)?.f_to_kind(Kind::Int64)?;
        let mut cell = label.f_mul_scalar(classes)?.f_add(&predicted)?;
        if let Some(ignore) = self.ignore {
            // A cell of their own: to leave voxels out, their number would have to be known.
            cell = cell.f_masked_fill(&label.f_eq(i64::from(ignore))?, cells)?;
        }
        let each = match weights.filter(|_| self.weighted) {
            Some(weights) => weights.f_flatten(0, -1)?.f_to_kind(Kind::Double)?,
            None => Tensor::f_ones(cell.size(), on_device)?,
        };
        let counts = Tensor::f_zeros([cells + 1], on_device)?.f_scatter_add(0, &cell, &each)?;
        Ok(counts.f_narrow(0, 0, cells)?)
    }

    /// Adds the counts of a batch.
    pub fn add(&mut self, counts: &[f64]) {
        for (total, count) in self.confusion.iter_mut().zip(counts) {
            *total += count;
        }
    }

    /// Adds what the other ranks have counted.
    pub fn sum_over(&mut self, group: &Group) -> Result<()> {
        self.confusion = group.sum(&self.confusion)?;
        Ok(())
    }

    /// True positives, false positives and false negatives of a class.
    fn counts(&self, class: usize) -> [f64; 3] {
        let n = self.classes;
        let row: f64 = self.confusion[class * n..(class + 1) * n].iter().sum();
        let column: f64 = self.confusion.iter().skip(class).step_by(n).sum();
        let hit = self.confusion[class * n + class];
        [hit, column - hit, row - hit]
    }

    /// Dice of each foreground class; `None` if it occurred neither in labels nor in predictions.
    pub fn dice(&self) -> Vec<Option<f64>> {
        let dice = |class| {
            let [hit, wrong, missed] = self.counts(class);
            let sum = 2.0 * hit + wrong + missed;
            (sum > 0.0).then(|| 2.0 * hit / sum)
        };
        (1..self.classes).map(dice).collect()
    }

    /// Mean Dice over the classes that have one. NaN if no class has one, as in nnU-Net v1.
    pub fn metric(dice: &[Option<f64>]) -> f64 {
        let found: Vec<f64> = dice.iter().flatten().copied().collect();
        found.iter().sum::<f64>() / found.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::tensor;

    fn add(evaluation: &mut OnlineEvaluation, logits: &Tensor, target: &Tensor, weights: Option<&Tensor>) {
        let counts = evaluation.count(logits, target, weights).unwrap();
        evaluation.add(&Vec::<f64>::try_from(&counts).unwrap());
    }

    #[test]
    fn counts_and_metric_equal_the_reference() {
        for case in testkit::cases("training_loop", "online_eval") {
            let arrays = case.arrays();
            let tensor = |name: String| tensor::from_array(&arrays[&name].mapv(|v| v as f32).view()).unwrap();
            let classes = case.parameters["classes"].as_u64().unwrap() as usize;
            let ignore = case.function.contains("Sparse").then_some(-1);
            let mut whole = OnlineEvaluation::new(classes, ignore);
            for batch in 0..case.parameters["batches"].as_u64().unwrap() as usize {
                let (logits, target) = (
                    tensor(format!("logits_{batch}")),
                    tensor(format!("target_{batch}")),
                );
                add(&mut whole, &logits, &target, None);
                let mut one = OnlineEvaluation::new(classes, ignore);
                add(&mut one, &logits, &target, None);
                for class in 1..classes {
                    let expected = ["tp", "fp", "fn"].map(|name| arrays[name][[batch, class - 1]]);
                    assert_eq!(
                        one.counts(class),
                        expected,
                        "{} batch {batch} class {class}",
                        case.file
                    );
                }
            }
            let expected = arrays["val_eval_metric"].iter().next().copied().unwrap();
            let found = OnlineEvaluation::metric(&whole.dice());
            assert!(
                (found - expected).abs() < 1e-7,
                "{}: {found} {expected}",
                case.file
            );
        }
    }

    #[test]
    fn an_absent_class_has_no_dice() {
        let mut evaluation = OnlineEvaluation::new(3, Some(-1));
        let logits = Tensor::from_slice(&[1f32, 1.0, 0.0, 0.0, 0.0, 0.0]).reshape([1, 3, 2]);
        let target = Tensor::from_slice(&[-1f32, 0.0]).reshape([1, 1, 2]);
        add(&mut evaluation, &logits, &target, None);
        assert_eq!(evaluation.dice(), [None, None]);
        assert!(OnlineEvaluation::metric(&evaluation.dice()).is_nan());
    }

    #[test]
    fn a_weighted_evaluation_counts_voxels_by_their_weights() {
        // Labels 1 1 0 and -1, all predicted as 1.
        let logits = Tensor::from_slice(&[0f32, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]).reshape([1, 2, 4]);
        let target = Tensor::from_slice(&[1f32, 1.0, 0.0, -1.0]).reshape([1, 1, 4]);
        let weights = Tensor::from_slice(&[3f32, 0.5, 2.0, 8.0]).reshape([1, 1, 4]);
        for (weighted, expected) in [(true, 7.0 / (7.0 + 2.0)), (false, 4.0 / 5.0)] {
            let mut evaluation = OnlineEvaluation::new(2, Some(-1)).with_weights(weighted);
            add(&mut evaluation, &logits, &target, Some(&weights));
            assert_eq!(evaluation.dice(), [Some(expected)]);
        }
    }
}
