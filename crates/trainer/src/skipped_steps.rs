//! Steps with non-finite gradients.

use super::session::Step;

/// Counts skipped steps: iterations with non-finite gradients, which change nothing.
///
/// In nnU-Net v1's float16 training, torch's `GradScaler` skips such steps. In its float32 training they set
/// all parameters to NaN. Here they are skipped in every precision, with a warning.
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
    pub fn add(&mut self, step: &Step, cases: &[String]) -> Option<(&'static str, f64)> {
        if !step.loss.is_finite() {
            return Some(("loss", step.loss));
        }
        if step.norm.is_finite() {
            self.in_a_row = 0;
            return None;
        }
        self.in_a_row += 1;
        self.in_epoch += 1;
        self.cases = cases.join(", ");
        (self.in_a_row >= Self::MAX_IN_A_ROW).then_some(("norm of the gradients", step.norm))
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
