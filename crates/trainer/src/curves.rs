//! Moving averages over epochs and their best values (`NetworkTrainer.manage_patience`).

use engine::checkpoint::{Best, Curves};

const TRAIN_ALPHA: f64 = 0.93;
const METRIC_ALPHA: f64 = 0.9;
/// Minimum decrease of the training loss that counts as an improvement.
const EPS: f64 = 5e-4;
/// nnU-Net v1's patience: epochs without an improvement of the training loss.
const PATIENCE: u64 = 50;
/// Above this learning rate, patience does not apply.
const RATE_THRESHOLD: f64 = 1e-6;

/// Moving averages and best values. They depend only on the curves, so a resumed run has the same values.
///
/// One departure from the reference: an epoch without a metric (no foreground in any validation patch) leaves
/// the metric's average unchanged, and one without a training loss (no annotated voxel in any patch) the loss's. The
/// reference sets them to NaN from then on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Averages {
    pub train_loss: Option<f64>,
    pub metric: Option<f64>,
    pub best: Best,
    /// Epoch of the best average metric.
    best_metric_epoch: u64,
}

impl Averages {
    /// Epochs since the best average metric, after `epochs` epochs.
    pub fn epochs_without_best(&self, epochs: u64) -> u64 {
        epochs.saturating_sub(self.best_metric_epoch + 1)
    }

    /// The averages after all epochs of `curves`; `rate` gives the learning rate after an epoch.
    pub fn replay(curves: &Curves, rate: impl Fn(u64) -> f64) -> Self {
        let mut averages = Self::default();
        for (epoch, (&loss, &metric)) in curves.train_loss.iter().zip(&curves.metric).enumerate() {
            averages.update(epoch as u64, loss, metric, rate(epoch as u64 + 1));
        }
        averages
    }

    /// Adds an epoch. Returns true if its average metric is the best so far; the first epoch never is.
    pub fn update(&mut self, epoch: u64, train_loss: f64, metric: f64, next_rate: f64) -> bool {
        let average =
            |old: Option<f64>, new: f64, alpha: f64| old.map_or(new, |old| alpha * old + (1.0 - alpha) * new);
        if !metric.is_nan() {
            self.metric = Some(average(self.metric, metric, METRIC_ALPHA));
        }
        let best = &mut self.best;
        let best_epoch = *best.epoch.get_or_insert(epoch);
        let improved = match (self.metric, best.metric) {
            (Some(new), Some(old)) => new > old,
            _ => false,
        };
        if improved || best.metric.is_none() {
            best.metric = self.metric;
            self.best_metric_epoch = epoch;
        }
        if train_loss.is_nan() {
            return improved;
        }
        let train = average(self.train_loss, train_loss, TRAIN_ALPHA);
        self.train_loss = Some(train);
        let best_train = *best.train_loss.get_or_insert(train);
        if train + EPS < best_train {
            best.train_loss = Some(train);
            best.epoch = Some(epoch);
        } else if epoch.saturating_sub(best_epoch) > PATIENCE && next_rate > RATE_THRESHOLD {
            best.epoch = Some(epoch - PATIENCE / 2);
        }
        improved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_equal_the_reference() {
        for case in testkit::cases("training_loop", "moving_averages") {
            let arrays = case.arrays();
            let at = |name: &str, epoch: usize| arrays[name][[epoch]];
            let mut averages = Averages::default();
            let epochs = arrays["train_loss"].len();
            for epoch in 0..epochs {
                let metric = at("val_metric", epoch);
                let improved = averages.update(epoch as u64, at("train_loss", epoch), metric, 0.01);
                let close = |found: Option<f64>, name: &str| {
                    let expected = at(name, epoch);
                    assert!(
                        (found.unwrap() - expected).abs() < 1e-12,
                        "{name} {epoch}: {found:?} {expected}"
                    );
                };
                close(averages.train_loss, "train_loss_MA");
                close(averages.metric, "val_eval_criterion_MA");
                close(averages.best.metric, "best_val_eval_criterion_MA");
                close(averages.best.train_loss, "best_MA_tr_loss");
                assert_eq!(
                    averages.best.epoch,
                    Some(at("best_epoch_tr", epoch) as u64),
                    "{epoch}"
                );
                assert_eq!(improved, at("saved_best", epoch) != 0.0, "{epoch}");
            }
            let curve = |name: &str| arrays[name].iter().copied().collect::<Vec<_>>();
            let curves = Curves {
                train_loss: curve("train_loss"),
                validation_loss: curve("train_loss"),
                metric: curve("val_metric"),
            };
            assert_eq!(Averages::replay(&curves, |_| 0.01), averages);
        }
    }

    #[test]
    fn an_epoch_without_metric_leaves_the_average_unchanged() {
        let mut averages = Averages::default();
        assert!(!averages.update(0, 1.0, f64::NAN, 0.01));
        assert!(
            !averages.update(1, 1.0, 0.2, 0.01),
            "the first metric is not an improvement"
        );
        assert!(!averages.update(2, 1.0, f64::NAN, 0.01));
        assert!(averages.update(3, 1.0, 0.4, 0.01));
        assert_eq!(averages.best.metric, averages.metric);
    }
}
