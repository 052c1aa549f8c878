//! Training that goes wrong: what is reported, and what is done about it.

use super::Run;
use crate::trainer::resume::last_checkpoint;
use crate::{Error, Result};

impl Run<'_> {
    /// The error of an iteration after which training must end; `quantity` became `value`.
    pub(super) fn diverged(&self, quantity: &'static str, value: f64, cases: &[String]) -> Error {
        Error::Diverged {
            quantity,
            value,
            epoch: self.epochs(),
            iteration: self.iteration,
            cases: cases.join(", "),
            kept: last_checkpoint(&self.fold).map_or_else(|| "none".to_owned(), |p| p.display().to_string()),
        }
    }

    /// nnU-Net v1's remedy where nothing was learnt in 100 epochs (`nnUNetTrainerV2.on_epoch_end`).
    pub(super) fn start_anew(&mut self) -> Result<()> {
        let message = "At epoch 100, the mean foreground Dice was 0. This can be caused by a too high momentum: momentum has \
                       now been reduced to 0.95 and the network weights have been reinitialised";
        self.session.optimizer.momentum = 0.95;
        self.session.network.reinitialise(self.options.data.seed, 1)?;
        self.context.warn("WARN_REINITIALISED", message, None);
        self.log.line(message);
        Ok(())
    }

    /// Logs the epoch's iterations that changed nothing, and warns of the first. float16 training finds its loss scale by
    /// them, which needs no warning.
    pub(super) fn report_overflows(&mut self) {
        let Some(found) = self
            .overflows
            .take_epoch()
            .filter(|_| self.session.loss_scale.is_none())
        else {
            return;
        };
        let message = format!(
            "{} of {} iterations of this epoch changed nothing, as their gradients were not finite (the last one's cases: {}); \
             if this goes on, lower the initial learning rate or train with --precision float32",
            found.count, self.options.iterations, found.cases
        );
        self.log.line(&message);
        if found.first {
            let message = format!("{message} (later ones are in the training log)");
            self.context.warn("WARN_GRADIENT_OVERFLOW", message, None);
        }
    }
}
