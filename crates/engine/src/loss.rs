//! The training loss: soft Dice and cross-entropy over the outputs of all scales.
//!
//! One formula covers all trainers. Let m be the mask (0 at ignored voxels) and w the product of mask, voxel
//! weight and class weight of the label. The loss of one scale is `crossEntropy * sum(w * ce) / (sum(w) +
//! 1e-8) - dice * mean over foreground classes of (2 tp + s) / (sum(m p) + sum(m y) + s + 1e-8)`. It equals
//! nnU-Net v1's `DC_and_CE_loss` and DIAG's `DC_and_CE_loss_with_retained_output` and
//! `DC_and_CE_loss_weighted`. One departure: these return NaN for a scale without annotated voxels; here such
//! a scale contributes 0.

use tch::{Device, Kind, Tensor};

use crate::shim::{self, RawLossOptions};
use crate::{Error, LossRecipe, Result};

/// Added to denominators, as in the reference.
const EPS: f64 = 1e-8;

/// Weights of the outputs, finest first: halved at each scale, 0 for the coarsest, normalised to sum 1
/// (`nnUNetTrainerV2.initialize`).
pub fn deep_supervision_weights(outputs: usize) -> Vec<f64> {
    let used = outputs.saturating_sub(1).max(1);
    let sum: f64 = (0..used).map(|i| 0.5f64.powi(i as i32)).sum();
    (0..outputs)
        .map(|i| {
            if i < used {
                0.5f64.powi(i as i32) / sum
            } else {
                0.0
            }
        })
        .collect()
}

/// The loss of a recipe on a device.
pub struct Loss {
    options: RawLossOptions,
    cross_entropy_class_weights: Option<Tensor>,
    dice_class_weights: Option<Tensor>,
    scales: Vec<f64>,
}

impl Loss {
    /// Makes the loss of `recipe`, with Dice over the whole batch or per image, and one weight per output,
    /// finest first. Outputs with weight 0 are not evaluated.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn new(
        recipe: &LossRecipe,
        ignore_label: Option<i16>,
        batch_dice: bool,
        scales: Vec<f64>,
        device: Device,
    ) -> Result<Self> {
        let place = |weights: &Option<Vec<f64>>| -> Result<Option<Tensor>> {
            let Some(weights) = weights else { return Ok(None) };
            Ok(Some(
                Tensor::f_from_slice(weights)?
                    .f_to_kind(Kind::Float)?
                    .f_to_device(device)?,
            ))
        };
        Ok(Self {
            options: RawLossOptions {
                cross_entropy: recipe.cross_entropy,
                dice: recipe.dice,
                smooth: recipe.smooth,
                ignore: f64::from(ignore_label.unwrap_or_default()),
                has_ignore: i32::from(ignore_label.is_some()),
                batch_dice: i32::from(batch_dice),
                log_dice: i32::from(recipe.log_dice),
                ignored_is_background: i32::from(recipe.ignored_is_background),
            },
            cross_entropy_class_weights: place(&recipe.cross_entropy_class_weights)?,
            dice_class_weights: place(&recipe.dice_class_weights)?,
            scales,
        })
    }

    /// Number of evaluated outputs, counted from the finest.
    pub fn outputs(&self) -> usize {
        self.scales
            .iter()
            .rposition(|&w| w != 0.0)
            .map_or(0, |last| last + 1)
    }

    /// Returns the loss, a differentiable scalar. `logits` are (b, classes, \[z,\] y, x) float32 and
    /// `targets` (b, 1, ...) float32 labels, finest first. If there are voxel weights, `weights` have the
    /// targets' shapes.
    ///
    /// # Errors
    /// [`Error::Torch`] for inconsistent shapes.
    pub fn evaluate(
        &self,
        logits: &[Tensor],
        targets: &[Tensor],
        weights: Option<&[Tensor]>,
    ) -> Result<Tensor> {
        let mut total: Option<Tensor> = None;
        for (i, &factor) in self
            .scales
            .iter()
            .enumerate()
            .filter(|(_, &factor)| factor != 0.0)
        {
            let weight = weights
                .map(|w| w.get(i).ok_or_else(|| missing(i, "weightmap")))
                .transpose()?;
            let logits = logits.get(i).ok_or_else(|| missing(i, "output"))?;
            let target = targets.get(i).ok_or_else(|| missing(i, "target"))?;
            let scale = if logits.device() == Device::Cpu {
                self.fused(logits, target, weight)?
            } else {
                self.composed(logits, target, weight)?
            };
            let scale = scale.f_mul_scalar(factor)?;
            total = Some(match total {
                Some(sum) => sum.f_add(&scale)?,
                None => scale,
            });
        }
        total.ok_or_else(|| Error::network("no output has a weight above 0"))
    }

    /// Loss of one scale in two passes over the logits (CPU).
    fn fused(&self, logits: &Tensor, target: &Tensor, weight: Option<&Tensor>) -> Result<Tensor> {
        let (ce, dice) = (
            self.cross_entropy_class_weights.as_ref(),
            self.dice_class_weights.as_ref(),
        );
        shim::dice_cross_entropy(logits, target, weight, ce, dice, &self.options)
    }

    /// Loss of one scale with libtorch's own operators (any device).
    fn composed(&self, logits: &Tensor, target: &Tensor, weight: Option<&Tensor>) -> Result<Tensor> {
        let options = &self.options;
        let mask = match options.has_ignore {
            0 => target.f_ones_like()?,
            _ => target.f_ne(options.ignore)?.f_to_kind(Kind::Float)?,
        };
        let label = target.f_mul(&mask)?.f_to_kind(Kind::Int64)?;
        let annotated = mask.f_sum(Kind::Float)?.f_gt(0.0)?.f_to_kind(Kind::Float)?;
        let log_softmax = logits.f_log_softmax(1, Kind::Float)?;
        let mut result = Tensor::f_zeros([1], (Kind::Float, logits.device()))?.f_squeeze()?;
        if options.cross_entropy != 0.0 {
            let mut w = if options.ignored_is_background == 0 {
                mask.shallow_clone()
            } else {
                mask.f_ones_like()?
            };
            if let Some(weight) = weight {
                w = w.f_mul(weight)?;
            }
            if let Some(class_weights) = &self.cross_entropy_class_weights {
                let flat = class_weights.f_index_select(0, &label.f_flatten(0, -1)?)?;
                w = w.f_mul(&flat.f_view_as(&label)?)?;
            }
            let ce = log_softmax.f_gather(1, &label, false)?.f_neg()?;
            let sum = ce.f_mul(&w)?.f_sum(Kind::Float)?;
            let mean = sum.f_div(&w.f_sum(Kind::Float)?.f_add_scalar(EPS)?)?;
            result = result.f_add(&mean.f_mul_scalar(options.cross_entropy)?)?;
        }
        if options.dice != 0.0 {
            let mut dice = self.composed_dice(&log_softmax.f_exp()?, &label, &mask)?;
            dice = if options.log_dice != 0 {
                dice.f_log()?
            } else {
                dice
            };
            if options.ignored_is_background == 0 {
                dice = dice.f_mul(&annotated)?;
            }
            result = result.f_sub(&dice.f_mul_scalar(options.dice)?)?;
        }
        Ok(result)
    }

    /// Mean soft Dice of the foreground classes.
    fn composed_dice(&self, softmax: &Tensor, label: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let first = if self.options.batch_dice != 0 { 0 } else { 1 };
        let axes: Vec<i64> = (0..softmax.dim() as i64)
            .filter(|&a| a != 1 && (a != 0 || first == 0))
            .collect();
        let sum = |t: Tensor| t.f_sum_dim_intlist(axes.as_slice(), false, Kind::Float);
        let onehot = softmax
            .f_zeros_like()?
            .f_scatter_value(1, label, 1.0)?
            .f_mul(mask)?;
        let hit = sum(softmax.f_mul(&onehot)?)?;
        let both = sum(softmax.f_mul(mask)?)?.f_add(&sum(onehot)?)?;
        let smooth = self.options.smooth;
        let dice = hit
            .f_mul_scalar(2.0)?
            .f_add_scalar(smooth)?
            .f_div(&both.f_add_scalar(smooth + EPS)?)?;
        let classes = softmax.size()[1];
        // (classes) or (b, classes); excludes the background.
        let foreground = dice.f_narrow(-1, 1, classes - 1)?;
        let Some(weights) = &self.dice_class_weights else {
            return Ok(foreground.f_mean(Kind::Float)?);
        };
        let weights = weights.f_narrow(0, 1, classes - 1)?;
        let images = if first == 0 { 1.0 } else { softmax.size()[0] as f64 };
        let norm = weights.f_sum(Kind::Float)?.f_mul_scalar(images)?;
        Ok(foreground.f_mul(&weights)?.f_sum(Kind::Float)?.f_div(&norm)?)
    }
}

fn missing(scale: usize, what: &str) -> Error {
    Error::network(format!(
        "no {what} for scale {scale}; the loss needs one per scale"
    ))
}

#[cfg(test)]
mod tests;
