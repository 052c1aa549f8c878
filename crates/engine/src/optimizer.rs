//! Stochastic gradient descent with nnU-Net v1's settings.

use tch::{Device, Kind, Tensor};

use crate::shim::{self, SgdOptions};
use crate::{Error, Result};

/// nnU-Net v1's weight decay, applied to all parameters including biases.
pub const WEIGHT_DECAY: f64 = 3e-5;
/// nnU-Net v1's momentum.
pub const MOMENTUM: f64 = 0.99;
/// nnU-Net v1's maximum gradient norm.
pub const CLIP: f64 = 12.0;

/// SGD with Nesterov momentum, weight decay and gradient clipping: `clip_grad_norm_(12)` followed by
/// `torch.optim.SGD(nesterov=True)`, as in `nnUNetTrainerV2.run_iteration`.
///
/// Parameters without a gradient do not change: no decay, no momentum.
pub struct Sgd {
    /// Momentum factor.
    pub momentum: f64,
    weight_decay: f64,
    clip: f64,
    momenta: Vec<Option<Tensor>>,
}

impl Sgd {
    /// An optimiser for this many parameters, with nnU-Net v1's settings.
    pub fn new(parameters: usize) -> Self {
        let momenta = (0..parameters).map(|_| None).collect();
        Self {
            momentum: MOMENTUM,
            weight_decay: WEIGHT_DECAY,
            clip: CLIP,
            momenta,
        }
    }

    /// Momentum of every parameter; `None` before its first step.
    pub fn momenta(&self) -> &[Option<Tensor>] {
        &self.momenta
    }

    /// Sets saved momenta, one per parameter.
    ///
    /// # Errors
    /// [`Error::Network`] if their number or a shape differs from the parameters.
    pub fn load_momenta(&mut self, momenta: Vec<Option<Tensor>>, parameters: &[Tensor]) -> Result<()> {
        if momenta.len() != parameters.len() {
            let (found, expected) = (momenta.len(), parameters.len());
            return Err(Error::network(format!(
                "found {found} momentum buffers for {expected} parameters"
            )));
        }
        for (i, (momentum, parameter)) in momenta.iter().zip(parameters).enumerate() {
            if let Some(shape) = momentum
                .as_ref()
                .map(Tensor::size)
                .filter(|s| *s != parameter.size())
            {
                let expected = parameter.size();
                return Err(Error::network(format!(
                    "momentum {i} has shape {shape:?}, its parameter {expected:?}"
                )));
            }
        }
        self.momenta = momenta;
        Ok(())
    }

    /// Clips the gradients and makes one step. Returns the norm of the gradients before clipping. If it is
    /// not finite, nothing changes.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn step(&mut self, parameters: &[Tensor], gradients: &[Tensor], learning_rate: f64) -> Result<f64> {
        tch::no_grad(|| {
            let on_cpu = parameters.iter().all(|p| p.device() == Device::Cpu);
            let norm = if on_cpu {
                shim::norm(gradients)?
            } else {
                composed_norm(gradients)?
            };
            if !norm.is_finite() {
                return Ok(norm);
            }
            let options = SgdOptions {
                learning_rate,
                momentum: self.momentum,
                weight_decay: self.weight_decay,
                scale: (self.clip / (norm + 1e-6)).min(1.0),
            };
            if on_cpu {
                shim::sgd_step(parameters, gradients, &mut self.momenta, options)?;
            } else {
                self.composed_step(parameters, gradients, options)?;
            }
            Ok(norm)
        })
    }

    /// The step with libtorch's own operators, on any device.
    fn composed_step(
        &mut self,
        parameters: &[Tensor],
        gradients: &[Tensor],
        options: SgdOptions,
    ) -> Result<()> {
        for ((parameter, gradient), momentum) in parameters.iter().zip(gradients).zip(&mut self.momenta) {
            if !gradient.defined() {
                continue;
            }
            let mut parameter = parameter.shallow_clone();
            let decay = parameter.f_mul_scalar(options.weight_decay)?;
            let gradient = gradient.f_mul_scalar(options.scale)?.f_add(&decay)?;
            let kept = match momentum.take() {
                Some(mut kept) => kept.f_mul_scalar_(options.momentum)?.f_add_(&gradient)?,
                None => gradient.copy(),
            };
            let update = kept.f_mul_scalar(options.momentum)?.f_add(&gradient)?;
            let _ = parameter.f_sub_(&update.f_mul_scalar(options.learning_rate)?)?;
            *momentum = Some(kept);
        }
        Ok(())
    }
}

fn composed_norm(gradients: &[Tensor]) -> Result<f64> {
    let mut squares = Vec::new();
    for gradient in gradients.iter().filter(|g| g.defined()) {
        squares.push(gradient.f_to_kind(Kind::Float)?.f_square()?.f_sum(Kind::Float)?);
    }
    // One transfer from the device instead of one per parameter.
    Ok(Tensor::f_stack(&squares, 0)?
        .f_sum(Kind::Double)?
        .f_sqrt()?
        .f_double_value(&[])?)
}

/// nnU-Net v1's learning rate in `epoch` of `epochs`: `initial * (1 - epoch / epochs)^0.9` (`poly_lr`).
pub fn poly_learning_rate(epoch: u64, epochs: u64, initial: f64) -> f64 {
    initial * (1.0 - epoch as f64 / epochs.max(1) as f64).max(0.0).powf(0.9)
}

/// Loss scale of float16 training, which prevents small gradients from vanishing: torch's `GradScaler` with
/// its defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossScale {
    /// Current factor of the loss.
    pub scale: f64,
    /// Steps since the last change of the scale.
    pub growth_tracker: i64,
}

impl Default for LossScale {
    fn default() -> Self {
        Self {
            scale: 65536.0,
            growth_tracker: 0,
        }
    }
}

impl LossScale {
    /// Factor of a growth.
    pub const GROWTH: f64 = 2.0;
    /// Factor after non-finite gradients.
    pub const BACKOFF: f64 = 0.5;
    /// Steps between growths.
    pub const INTERVAL: i64 = 2000;

    /// Updates the scale after a step with finite or non-finite gradients.
    pub fn update(&mut self, finite: bool) {
        if !finite {
            *self = Self {
                scale: self.scale * Self::BACKOFF,
                growth_tracker: 0,
            };
        } else if self.growth_tracker + 1 == Self::INTERVAL {
            *self = Self {
                scale: self.scale * Self::GROWTH,
                growth_tracker: 0,
            };
        } else {
            self.growth_tracker += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testkit::assert_close;

    use super::*;
    use crate::tensor;

    fn series(seed: i64, shapes: &[Vec<i64>], steps: usize, scale: f64) -> (Vec<Tensor>, Vec<Vec<Tensor>>) {
        tch::manual_seed(seed);
        let options = (Kind::Float, Device::Cpu);
        let draw = || {
            shapes
                .iter()
                .map(|s| Tensor::randn(s.as_slice(), options) * scale)
                .collect::<Vec<_>>()
        };
        (draw(), (0..steps).map(|_| draw()).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn fused_and_composed_steps_agree(seed in 0i64..1000, long in 1i64..70_000, scale in 0.001f64..1.0) {
            let shapes = vec![vec![long], vec![3, 2, 5], vec![7]];
            let (start, gradients) = series(seed, &shapes, 4, scale);
            let copies = || start.iter().map(Tensor::copy).collect::<Vec<_>>();
            let (fused, composed) = (copies(), copies());
            let (mut a, mut b) = (Sgd::new(3), Sgd::new(3));
            for mut gradients in gradients {
                gradients[2] = Tensor::new();
                let norm = composed_norm(&gradients).unwrap();
                let found = a.step(&fused, &gradients, 0.01).unwrap();
                prop_assert!((norm - found).abs() <= 1e-5 * norm, "{} {}", norm, found);
                let scale = (CLIP / (norm + 1e-6)).min(1.0);
                let options = SgdOptions { learning_rate: 0.01, momentum: MOMENTUM, weight_decay: WEIGHT_DECAY, scale };
                b.composed_step(&composed, &gradients, options).unwrap();
            }
            for (found, expected) in fused.iter().zip(&composed) {
                let arrays = [found, expected].map(|t| tensor::to_array(t).unwrap().mapv(f64::from));
                assert_close(&arrays[0], &arrays[1], 1e-6, 1e-5, "parameters");
            }
            // Without a gradient: no step, no decay, no momentum.
            prop_assert_eq!(&fused[2], &start[2]);
            prop_assert!(a.momenta()[2].is_none());
        }
    }

    #[test]
    fn non_finite_gradients_change_nothing() {
        let parameters = vec![Tensor::from_slice(&[1f32, 2.0])];
        let mut sgd = Sgd::new(1);
        let norm = sgd
            .step(&parameters, &[Tensor::from_slice(&[f32::INFINITY, 0.0])], 0.1)
            .unwrap();
        assert!(!norm.is_finite());
        assert_eq!(Vec::<f32>::try_from(&parameters[0]).unwrap(), [1.0, 2.0]);
        assert!(sgd.momenta()[0].is_none());
    }

    #[test]
    fn learning_rates_equal_the_reference() {
        let mut compared = 0;
        for case in testkit::cases("training_loop", "lr_schedule")
            .iter()
            .chain(&testkit::cases("network", "poly_lr"))
        {
            let p = &case.parameters;
            let epochs = p["max_epochs"].as_u64().or(p["max_num_epochs"].as_u64()).unwrap();
            let arrays = case.arrays();
            let steps: Vec<u64> = match arrays.iter().find(|(_, a)| a.iter().all(|v| v.fract() == 0.0)) {
                Some((_, epochs)) => epochs.iter().map(|&e| e as u64).collect(),
                None => (0..epochs).collect(),
            };
            let rates = arrays
                .values()
                .find(|a| a.iter().any(|v| v.fract() != 0.0))
                .unwrap();
            for (&epoch, &expected) in steps.iter().zip(rates) {
                let found = poly_learning_rate(epoch, epochs, p["initial_lr"].as_f64().unwrap());
                assert!(
                    (found - expected).abs() <= 1e-12,
                    "{} {epoch}: {found} {expected}",
                    case.file
                );
                compared += 1;
            }
        }
        assert!(compared > 0);
    }

    #[test]
    fn the_loss_scale_halves_and_doubles() {
        let mut scale = LossScale::default();
        scale.update(false);
        assert_eq!(
            scale,
            LossScale {
                scale: 32768.0,
                growth_tracker: 0
            }
        );
        (0..LossScale::INTERVAL).for_each(|_| scale.update(true));
        assert_eq!(
            scale,
            LossScale {
                scale: 65536.0,
                growth_tracker: 0
            }
        );
    }
}
