//! Divergence: its error, warnings and remedy.

use loader::Batch;
use run::CheckpointKind;

use super::Run;
use crate::start::last_checkpoint;
use crate::{Error, Result};

impl Run<'_> {
    /// The error of an iteration after which training must stop; `quantity` has the value `value`.
    pub(super) fn diverged(&self, quantity: &'static str, value: f64, batch: &Batch) -> Result<Error> {
        // Of all ranks: the values that are not finite may be in another one's part of the batch.
        let cases = self.together(&batch.cases)?;
        let damaged = self.together(&batch.non_finite_cases())?;
        let advice = if !damaged.is_empty() {
            format!(
                "the preprocessed image or weightmap of {} has values that are not finite: look for them with \
                 `nnunet-diag check`, and preprocess again",
                damaged.join(", ")
            )
        } else if self.setup.compute.precision_name() == "float32" {
            "the images of the batch are finite: lower the initial learning rate (--initial-lr)".to_owned()
        } else {
            "the images of the batch are finite: train with --precision float32, or lower the initial learning rate \
             (--initial-lr)"
                .to_owned()
        };
        Ok(Error::Diverged {
            quantity,
            value,
            epoch: self.epochs(),
            iteration: self.iteration,
            cases: cases.join(", "),
            kept: String::new(),
            advice,
        })
    }

    /// The names of all ranks.
    pub(super) fn together<T: AsRef<str>>(&self, names: &[T]) -> Result<Vec<String>> {
        let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
        let all = self.ranks.texts(&names.join("\n"))?;
        Ok(all
            .iter()
            .flat_map(|text| text.lines())
            .map(str::to_owned)
            .collect())
    }

    /// Saves a stopped run to resume from, unless its network may be damaged.
    pub(super) fn save_stopped(&mut self, error: Error) -> Result<Error> {
        // A device may have changed parameters by gradients that did not arrive.
        let unknown = error.is_collective() && self.session.is_asynchronous();
        if unknown {
            return Ok(error);
        }
        let mut error = if error.may_damage_network() || error.is_collective() {
            error
        } else {
            match (error, self.settle()) {
                (error, Ok(())) => error,
                // The iteration after it had started; the first one is what the user needs to know.
                (error @ Error::Diverged { .. }, Err(Error::Diverged { .. })) => error,
                (_, Err(later)) => later,
            }
        };
        let whole = match &error {
            // Iterations that are not finite change nothing, unless an earlier one has.
            Error::Diverged { .. } => self.session.network.is_finite()?,
            error => !error.may_damage_network(),
        };
        if whole {
            self.save(CheckpointKind::Latest)?;
        }
        if let Error::Diverged { kept, .. } = &mut error {
            *kept =
                last_checkpoint(&self.fold).map_or_else(|| "none".to_owned(), |p| p.display().to_string());
        }
        Ok(error)
    }

    /// nnU-Net v1's remedy if nothing was learnt in 100 epochs (`nnUNetTrainerV2.on_epoch_end`).
    pub(super) fn restart_weights(&mut self) -> Result<()> {
        let message =
            "At epoch 100, the mean foreground Dice was 0. This can be caused by a too high momentum: \
                       momentum has now been reduced to 0.95 and the network weights have been reinitialised";
        self.session.optimizer.momentum = 0.95;
        self.session.network.reinitialise(self.options.data.seed, 1)?;
        self.context.warn("WARN_REINITIALISED", message, None);
        self.log.line(message);
        Ok(())
    }

    /// Logs the skipped steps of the epoch, with a warning for the first. float16 training finds its loss
    /// scale through them, so they are not reported.
    pub(super) fn report_skipped_steps(&mut self) {
        let Some(found) = self
            .skipped_steps
            .take_epoch()
            .filter(|_| self.session.loss_scale.is_none())
        else {
            return;
        };
        let message = format!(
            "{} of {} iterations of this epoch were skipped because their loss or gradients were not finite \
             (cases of the last one: {}); \
             if this continues, lower the initial learning rate or train with --precision float32",
            found.count, self.options.iterations, found.cases
        );
        self.log.line(&message);
        if found.first {
            let message = format!("{message} (see the training log for later ones)");
            self.context.warn("WARN_GRADIENT_OVERFLOW", message, None);
        }
    }
}
