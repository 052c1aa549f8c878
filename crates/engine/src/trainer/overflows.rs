//! Steps whose gradients are not finite.

use super::session::Step;

/// Counts iterations that changed nothing because their gradients were not finite.
///
/// Where nnU-Net v1 trains in float16, torch's `GradScaler` skips such steps; in float32 they turn all its parameters to
/// NaN. Here they are skipped in every precision, and told of.
#[derive(Default)]
pub(super) struct Overflows {
    in_a_row: u64,
    in_epoch: u64,
    /// Cases of the epoch's last one.
    cases: String,
    reported: bool,
}

/// Those of an epoch.
pub(super) struct EpochOverflows {
    pub count: u64,
    /// Cases of the last one.
    pub cases: String,
    /// Whether no epoch of this run had any before.
    pub first: bool,
}

impl Overflows {
    /// So many in a row are no accident: more than any loss scale needs to fall to where gradients are finite.
    const MOST: u64 = 100;

    /// Takes note of a step; what diverged, if training must end.
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
        (self.in_a_row >= Self::MOST).then_some(("norm of the gradients", step.norm))
    }

    /// Those of the epoch that ends, if there were any.
    pub fn take_epoch(&mut self) -> Option<EpochOverflows> {
        let count = std::mem::take(&mut self.in_epoch);
        let first = !self.reported && count > 0;
        self.reported |= count > 0;
        (count > 0).then(|| EpochOverflows {
            count,
            cases: std::mem::take(&mut self.cases),
            first,
        })
    }
}
