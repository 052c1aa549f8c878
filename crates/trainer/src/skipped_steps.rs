//! Steps with a non-finite loss or non-finite gradients.

use super::session::Step;

/// Counts skipped steps: iterations whose loss or gradients are not finite, which change nothing.
///
/// In nnU-Net v1's float16 training, torch's `GradScaler` skips such steps. In its float32 training they set
/// all parameters to NaN. Here steps with non-finite gradients are skipped in every precision, with a warning. A
/// non-finite loss is skipped in float16 alone, whose range an activation may exceed; in other precisions it comes
/// from the data or a diverged network, and ends the training.
#[derive(Default)]
pub(crate) struct SkippedSteps {
    in_a_row: u64,
    in_epoch: u64,
    /// Cases of the last skipped step of the epoch.
    cases: String,
    reported: bool,
}

/// The skipped steps of an epoch.
pub(crate) struct EpochSkips {
    pub count: u64,
    /// Cases of the last one.
    pub cases: String,
    /// Whether earlier epochs of this run had none.
    pub first: bool,
}

impl SkippedSteps {
    /// Maximum number in a row. A loss scale needs fewer steps to fall to a value with finite gradients.
    const MAX_IN_A_ROW: u64 = 100;

    /// Records a step. Returns the quantity that diverged and its value, if training must stop.
    pub fn add(&mut self, step: &Step, cases: &[String], is_float16: bool) -> Option<(&'static str, f64)> {
        let (quantity, value, allowed) = match (step.loss.is_finite(), step.norm.is_finite()) {
            (true, true) => {
                self.in_a_row = 0;
                return None;
            }
            (true, false) => ("norm of the gradients", step.norm, true),
            (false, _) => ("loss", step.loss, is_float16),
        };
        self.in_a_row += 1;
        self.in_epoch += 1;
        self.cases = cases.join(", ");
        (!allowed || self.in_a_row >= Self::MAX_IN_A_ROW).then_some((quantity, value))
    }

    /// Returns and resets the skipped steps of the epoch; `None` if there were none.
    pub fn take_epoch(&mut self) -> Option<EpochSkips> {
        let count = std::mem::take(&mut self.in_epoch);
        let first = !self.reported && count > 0;
        self.reported |= count > 0;
        (count > 0).then(|| EpochSkips {
            count,
            cases: std::mem::take(&mut self.cases),
            first,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: Step = Step { loss: 1.0, norm: 1.0 };
    const OVERFLOW: Step = Step {
        loss: 1.0,
        norm: f64::INFINITY,
    };
    const NO_LOSS: Step = Step {
        loss: f64::NAN,
        norm: f64::NAN,
    };

    #[test]
    fn a_loss_that_is_not_finite_is_skipped_in_float16_alone() {
        let stops = |is_float16| SkippedSteps::default().add(&NO_LOSS, &[], is_float16).is_some();
        assert!(stops(false) && !stops(true));
    }

    #[test]
    fn too_many_skipped_steps_in_a_row_end_the_training() {
        for step in [OVERFLOW, NO_LOSS] {
            let mut skipped = SkippedSteps::default();
            for _ in 0..2 {
                assert!((1..SkippedSteps::MAX_IN_A_ROW).all(|_| skipped.add(&step, &[], true).is_none()));
                assert!(skipped.add(&FINE, &[], true).is_none());
            }
            assert_eq!(
                skipped.take_epoch().unwrap().count,
                2 * (SkippedSteps::MAX_IN_A_ROW - 1)
            );
            assert!((1..SkippedSteps::MAX_IN_A_ROW).all(|_| skipped.add(&step, &[], true).is_none()));
            assert!(skipped.add(&step, &[], true).is_some());
        }
    }
}
