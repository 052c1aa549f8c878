//! The training loss: soft Dice and cross-entropy over the outputs of all scales.
//!
//! One formula covers all trainers. Let m be the mask (0 at ignored voxels) and w the product of mask, voxel
//! weight and class weight of the label. The loss of one scale is `crossEntropy * sum(w * ce) / (sum(w) +
//! 1e-8) - dice * mean over foreground classes of (2 tp + s) / (sum(m p) + sum(m y) + s + 1e-8)`. It equals
//! nnU-Net v1's `DC_and_CE_loss` and DIAG's `DC_and_CE_loss_with_retained_output` and
//! `DC_and_CE_loss_weighted`. With voxel weights, Dice takes m times the voxel weight for m, unless the recipe says
//! otherwise. One departure: these return NaN for a scale without annotated voxels; here such
//! a scale contributes 0.

use std::cell::OnceCell;
use std::rc::Rc;

use tch::{Device, Kind, Tensor};

use crate::shim::composed::LossTerms;
use crate::shim::group::Group;
use crate::shim::{self, BatchPart, RawLossOptions};
use crate::{Error, Kernels, LossRecipe, Result};
use recipe::DiceWeights;

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
    kernels: Kernels,
    part: Option<BatchPart>,
    /// Copied to the device once, as a copy of host memory waits for the device.
    constants: OnceCell<Constants>,
}

/// Values on the device that [`Loss::composed`] needs.
struct Constants {
    /// 0, 1, ...
    classes: Tensor,
    /// Share of each class in the mean Dice: 0 for the background, in all 1.
    share: Tensor,
    zero: Tensor,
    eps: Tensor,
    smooth: Tensor,
    smooth_eps: Tensor,
    cross_entropy: Tensor,
}

/// Added to denominators, as in the reference.
const EPS: f64 = 1e-8;

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
                weight_dice: i32::from(recipe.weight_dice == DiceWeights::Weightmap),
            },
            cross_entropy_class_weights: place(&recipe.cross_entropy_class_weights)?,
            dice_class_weights: place(&recipe.dice_class_weights)?,
            scales,
            kernels: Kernels::of(device),
            part: None,
            constants: OnceCell::new(),
        })
    }

    /// The same loss with other kernels.
    #[must_use]
    pub fn with_kernels(self, kernels: Kernels) -> Self {
        Self { kernels, ..self }
    }

    /// Takes the loss of batches of which each rank of `group` has a part, and that have `images` images together: every
    /// sum, over voxels, weights and images, is over the whole batch. Every rank then has the loss of the whole batch, and
    /// the gradient of its own logits. Every rank evaluates it at the same time.
    pub fn share(&mut self, group: &Rc<Group>, images: usize) {
        let group = group.clone();
        self.part = Some(BatchPart { group, images });
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
            let scale = match self.kernels {
                Kernels::Fused => self.fused(logits, target, weight)?.f_mul_scalar(factor)?,
                Kernels::Composed => self.composed(logits, target, weight, factor)?,
            };
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
        shim::dice_cross_entropy(
            logits,
            target,
            weight,
            ce,
            dice,
            &self.options,
            self.part.as_ref(),
        )
    }

    /// Loss of one scale times `factor`, with libtorch's own operators (any device). Targets may have any
    /// kind.
    fn composed(
        &self,
        logits: &Tensor,
        target: &Tensor,
        weight: Option<&Tensor>,
        factor: f64,
    ) -> Result<Tensor> {
        let options = &self.options;
        let mask = match options.has_ignore {
            0 => None,
            _ => Some(target.f_ne(options.ignore)?.f_to_kind(Kind::Float)?),
        };
        let background = options.ignored_is_background != 0;
        // Else an ignored label is no class, and its voxels weigh nothing.
        let label = match &mask {
            Some(mask) if background => target.f_mul(mask)?,
            _ => target.shallow_clone(),
        };
        // 0 where no voxel is annotated.
        let gate = match &mask {
            Some(mask) if !background => Some(mask.f_max()?),
            _ => None,
        };
        let counted = mask.as_ref().filter(|_| !background);
        let weighted = options.weight_dice != 0;
        let voxel_weight = weight;
        let weight = match (counted, weight) {
            (Some(mask), Some(weight)) => Some(mask.f_mul(weight)?),
            (one, other) => one.or(other).map(Tensor::shallow_clone),
        };
        // What Dice counts of each voxel.
        let dice = match (&mask, voxel_weight.filter(|_| weighted)) {
            // The same tensor as the cross-entropy's saves work.
            (_, Some(_)) if !background => weight.as_ref().map(Tensor::shallow_clone),
            (Some(mask), Some(weight)) => Some(mask.f_mul(weight)?),
            (None, Some(weight)) => Some(weight.shallow_clone()),
            (mask, None) => mask.as_ref().map(Tensor::shallow_clone),
        };
        let constants = self.constants(logits)?;
        let terms = LossTerms {
            label: &label,
            classes: &constants.classes,
            weight: weight.as_ref(),
            mask: dice.as_ref(),
            class_weight: self.cross_entropy_class_weights.as_ref(),
            share: &constants.share,
            gate: gate.as_ref(),
            zero: &constants.zero,
            eps: &constants.eps,
            smooth: &constants.smooth,
            smooth_eps: &constants.smooth_eps,
            cross_entropy: &constants.cross_entropy,
            factor,
            part: self.part.as_ref(),
        };
        shim::composed::loss(logits, &terms, options)
    }

    fn constants(&self, logits: &Tensor) -> Result<&Constants> {
        if let Some(constants) = self.constants.get() {
            return Ok(constants);
        }
        let classes = Tensor::f_arange(logits.size()[1], (Kind::Float, logits.device()))?;
        let foreground = classes.f_gt(0.0)?.f_to_kind(Kind::Float)?;
        let share = match &self.dice_class_weights {
            Some(weights) => foreground.f_mul(weights)?,
            None => foreground,
        };
        let share = share.f_div(&share.f_sum(Kind::Float)?)?;
        let scalar = |value: f64| Tensor::from(value as f32).f_to_device(logits.device());
        let constants = Constants {
            classes,
            share,
            zero: scalar(0.0)?,
            eps: scalar(EPS)?,
            smooth: scalar(self.options.smooth)?,
            smooth_eps: scalar(self.options.smooth + EPS)?,
            cross_entropy: scalar(self.options.cross_entropy)?,
        };
        Ok(self.constants.get_or_init(|| constants))
    }
}

/// Logits (b, classes, \[z,\] y, x) in which the classes that a sample's annotation leaves out are background: `present` is
/// (b, classes), true for annotated classes and the background. The background of a sample gets the sum of the
/// probabilities of all classes that it stands for, and the others get none (marginal loss, Shi et al. 2021). Then they
/// have no part in cross-entropy and gradients; their Dice is 1.
///
/// # Errors
/// [`Error::Torch`] for inconsistent shapes.
pub fn merge_absent(logits: &Tensor, present: &Tensor) -> Result<Tensor> {
    /// exp(-1e4) is 0, without the NaN of 0 * infinity.
    const NOTHING: f64 = -1e4;
    let mut shape = vec![1; logits.dim()];
    shape[..2].copy_from_slice(&present.size()[..2]);
    let present = present.f_view(shape.as_slice())?;
    let classes = logits.size()[1];
    let foreground = present.f_slice(1, 1, classes, 1)?;
    let background = foreground.f_new_zeros([shape[0], 1], (Kind::Bool, logits.device()))?;
    shape[1] = 1;
    let others = Tensor::f_cat(
        &[background.f_view(shape.as_slice())?, foreground.shallow_clone()],
        1,
    )?;
    let merged = logits.f_masked_fill(&others, NOTHING)?.f_logsumexp(1, true)?;
    let rest = logits
        .f_slice(1, 1, classes, 1)?
        .f_masked_fill(&foreground.f_logical_not()?, NOTHING)?;
    Ok(Tensor::f_cat(&[merged, rest], 1)?)
}

fn missing(scale: usize, what: &str) -> Error {
    Error::network(format!(
        "no {what} for scale {scale}; the loss needs one per scale"
    ))
}

#[cfg(test)]
mod tests;
