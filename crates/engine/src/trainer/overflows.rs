//! Steps whose gradients are not finite.

use super::session::Step;

/// Counts iterations that changed nothing because their gradients were not finite.
///
/// Instance normalisation divides by the deviation of each channel, so that a patch without contrast (all outside the head,
/// say) multiplies gradients by up to `1 / sqrt(eps)` = 316 a layer. Where nnU-Net v1 trains in float16, torch's
/// `GradScaler` skips such steps; in float32 it turns all parameters to NaN. Here they are skipped in every precision.
#[derive(Default)]
pub(super) struct Overflows {
    in_a_row: u64,
    in_epoch: u64,
    reported: bool,
}

impl Overflows {
    /// So many in a row are no accident of patches: more than any loss scale needs to fall to where gradients are finite.
    const MOST: u64 = 100;

    /// Takes note of a step; what diverged, if training must end.
    pub fn add(&mut self, step: &Step) -> Option<(&'static str, f64)> {
        if !step.loss.is_finite() {
            return Some(("loss", step.loss));
        }
        if step.norm.is_finite() {
            self.in_a_row = 0;
            return None;
        }
        self.in_a_row += 1;
        self.in_epoch += 1;
        (self.in_a_row >= Self::MOST).then_some(("norm of the gradients", step.norm))
    }

    /// Those of the epoch that ends, and whether no epoch of this run had any before.
    pub fn take_epoch(&mut self) -> (u64, bool) {
        let count = std::mem::take(&mut self.in_epoch);
        let first = !self.reported;
        self.reported |= count > 0;
        (count, first)
    }
}
