//! Stochastic gradient descent with nnU-Net v1's settings.

use tch::{Device, Kind, Tensor};

use crate::network::Gradients;
use crate::shim::composed::DeviceSgdOptions;
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

    /// Clips the gradients and makes one step, on the CPU. Returns the norm of the gradients before clipping.
    /// If it is not finite, nothing changes.
    ///
    /// # Errors
    /// [`Error::Torch`] for tensors that are not float32 on the CPU.
    pub fn step(&mut self, parameters: &[Tensor], gradients: &[Tensor], learning_rate: f64) -> Result<f64> {
        tch::no_grad(|| {
            let norm = shim::norm(gradients)?;
            if !norm.is_finite() {
                return Ok(norm);
            }
            let options = SgdOptions {
                learning_rate,
                momentum: self.momentum,
                weight_decay: self.weight_decay,
                scale: (self.clip / (norm + 1e-6)).min(1.0),
            };
            shim::sgd_step(parameters, gradients, &mut self.momenta, options)?;
            Ok(norm)
        })
    }

    /// The same step on any device, without waiting for it: with libtorch's operators on lists of tensors,
    /// and with factors that stay on the device. Gradients are of `loss` times the factor of `loss_scale`,
    /// which is then updated as [`LossScale::update`] does. Returns the norm of the unscaled gradients before
    /// clipping, a scalar on the device. If it or the loss is not finite, only the loss scale changes.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn launch(
        &mut self,
        parameters: &[Tensor],
        gradients: &Gradients,
        learning_rate: f64,
        loss: &Tensor,
        loss_scale: Option<&DeviceLossScale>,
    ) -> Result<Tensor> {
        let options = DeviceSgdOptions {
            learning_rate,
            momentum: self.momentum,
            weight_decay: self.weight_decay,
            clip: self.clip,
            growth: LossScale::GROWTH,
            backoff: LossScale::BACKOFF,
            interval: LossScale::INTERVAL,
        };
        let scale = loss_scale.map(|s| (&s.scale, &s.growth_tracker));
        let momenta = &mut self.momenta;
        tch::no_grad(|| shim::composed::sgd_step(parameters, gradients, momenta, options, loss, scale))
    }
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

/// A [`LossScale`] on a device.
pub struct DeviceLossScale {
    /// Current factor of the loss, a float32 scalar.
    pub scale: Tensor,
    /// Steps since the last change of the scale, an int32 scalar.
    growth_tracker: Tensor,
}

impl DeviceLossScale {
    /// Copies a scale to a device.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn new(from: LossScale, device: Device) -> Result<Self> {
        Ok(Self {
            scale: Tensor::f_full([], from.scale, (Kind::Float, device))?,
            growth_tracker: Tensor::f_full([], from.growth_tracker, (Kind::Int, device))?,
        })
    }

    /// Copies the scale back, after the work of the device.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn read(&self) -> Result<LossScale> {
        Ok(LossScale {
            scale: self.scale.f_double_value(&[])?,
            growth_tracker: self.growth_tracker.f_int64_value(&[])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testkit::assert_close;

    use super::*;
    use crate::tensor;

    /// The same values times `factor`, in one tensor.
    fn together(parameters: &[Tensor], gradients: &[Tensor], factor: f64) -> Gradients {
        let together = Gradients::zeros(parameters).unwrap();
        for (to, from) in together.iter().zip(gradients).filter(|(_, from)| from.defined()) {
            to.shallow_clone().copy_(&(from * factor));
        }
        together.only(|index| gradients[index].defined())
    }

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
        fn fused_and_launched_steps_agree(seed in 0i64..1000, long in 1i64..70_000, scale in 0.001f64..1.0) {
            let shapes = vec![vec![long], vec![3, 2, 5], vec![7]];
            let (start, gradients) = series(seed, &shapes, 4, scale);
            let copies = || start.iter().map(Tensor::copy).collect::<Vec<_>>();
            let (fused, launched) = (copies(), copies());
            let (mut a, mut b) = (Sgd::new(3), Sgd::new(3));
            let loss_scale = LossScale { scale: 8.0, growth_tracker: 0 };
            let loss_scale = DeviceLossScale::new(loss_scale, Device::Cpu).unwrap();
            for (i, mut gradients) in gradients.into_iter().enumerate() {
                gradients[2] = Tensor::new();
                let norm = a.step(&fused, &gradients, 0.01).unwrap();
                let loss_scale = (i > 1).then_some(&loss_scale);
                let factor = if loss_scale.is_some() { 8.0 } else { 1.0 };
                let scaled = together(&start, &gradients, factor);
                let found = b.launch(&launched, &scaled, 0.01, &Tensor::from(1f32), loss_scale).unwrap();
                let found = found.double_value(&[]);
                prop_assert!((norm - found).abs() <= 1e-5 * norm, "{} {}", norm, found);
            }
            for (found, expected) in launched.iter().zip(&fused) {
                let arrays = [found, expected].map(|t| tensor::to_array(t).unwrap().mapv(f64::from));
                assert_close(&arrays[0], &arrays[1], 1e-6, 1e-5, "parameters");
            }
            // Without a gradient: no step, no decay, no momentum.
            for (parameters, sgd) in [(&fused, &a), (&launched, &b)] {
                prop_assert_eq!(&parameters[2], &start[2]);
                prop_assert!(sgd.momenta()[2].is_none());
            }
        }

        /// A series of steps with and without finite gradients.
        #[test]
        fn a_loss_scale_on_the_device_follows_the_one_on_the_host(finite in prop::collection::vec(any::<bool>(), 1..20)) {
            let mut host = LossScale { scale: 1024.0, growth_tracker: LossScale::INTERVAL - 4 };
            let device = DeviceLossScale::new(host, Device::Cpu).unwrap();
            let parameters = [Tensor::from_slice(&[1f32, 2.0])];
            let mut sgd = Sgd::new(1);
            for finite in finite {
                let value = if finite { 1.0 } else { f32::INFINITY };
                let gradients = together(&parameters, &[Tensor::from_slice(&[value, 0.0])], 1.0);
                let loss = Tensor::from(0f32);
                let _norm = sgd.launch(&parameters, &gradients, 0.01, &loss, Some(&device)).unwrap();
                host.update(finite);
                prop_assert_eq!(device.read().unwrap(), host);
            }
        }
    }

    #[test]
    fn non_finite_gradients_change_nothing() {
        let parameters = vec![Tensor::from_slice(&[1f32, 2.0])];
        let mut sgd = Sgd::new(1);
        let infinite = [Tensor::from_slice(&[f32::INFINITY, 0.0])];
        let norm = sgd.step(&parameters, &infinite, 0.1).unwrap();
        assert!(!norm.is_finite());
        assert!(sgd.momenta()[0].is_none());
        let values = |t: &Tensor| Vec::<f32>::try_from(t).unwrap();
        assert_eq!(values(&parameters[0]), [1.0, 2.0]);

        let gradients = [Tensor::from_slice(&[3f32, 4.0])];
        let launch = |sgd: &mut Sgd, gradients: &[Tensor], loss: f32| {
            let gradients = together(&parameters, gradients, 1.0);
            let norm = sgd.launch(&parameters, &gradients, 0.1, &Tensor::from(loss), None);
            norm.unwrap().double_value(&[])
        };
        for loss in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(launch(&mut sgd, &gradients, loss), 5.0);
        }
        assert!(launch(&mut sgd, &infinite, 1.0).is_infinite());
        assert!(launch(&mut sgd, &[Tensor::from_slice(&[f32::NAN, 0.0])], 1.0).is_nan());
        assert_eq!(values(&parameters[0]), [1.0, 2.0]);
        assert_eq!(values(sgd.momenta()[0].as_ref().unwrap()), [0.0, 0.0]);
        assert_eq!(launch(&mut sgd, &gradients, 1.0), 5.0);
        assert_ne!(values(&parameters[0]), [1.0, 2.0]);
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
