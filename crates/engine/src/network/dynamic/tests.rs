//! Compares networks with a composition of libtorch's plain operators that follows the names in the checkpoint.

use std::collections::BTreeMap;

use ndarray::{ArrayD, IxDyn};
use random::Normals;
use tch::{Device, Kind, Tensor};
use v2::architecture::{Activation, Encoder, Norm, Stage, Statistics};
use v2::Architecture;

use super::DynamicUNet;
use crate::{tensor, Kernels};

type State = BTreeMap<String, ArrayD<f32>>;

fn architecture(axes: usize, encoder: Encoder) -> Architecture {
    let anisotropic = |values: [i64; 3]| values[3 - axes..].to_vec();
    let stage = |features, kernel, stride, blocks| Stage {
        features,
        kernel: anisotropic(kernel),
        stride: anisotropic(stride),
        blocks,
    };
    Architecture {
        stages: vec![
            stage(4, [1, 3, 3], [1, 1, 1], 1),
            stage(6, [3, 3, 5], [1, 2, 2], 2),
            // No more features: a block that pools without a projection.
            stage(6, [3, 3, 3], [2, 2, 2], 2),
        ],
        decoder: vec![2, 1],
        bias: true,
        norm: Some(Norm {
            statistics: Statistics::Instance,
            eps: 1e-5,
            affine: true,
        }),
        activation: Activation::LeakyRelu { slope: 0.01 },
        encoder,
    }
}

fn random_state(architecture: &Architecture, channels: usize, outputs: usize) -> State {
    let parameters = DynamicUNet::parameters_of(architecture, channels, outputs);
    let value = |index: usize, name: &str, shape: &[usize]| {
        let normals = Normals::keyed(5, &[index as u64]);
        let count: usize = shape.iter().product();
        let values = (0..count as u64).map(|i| {
            let value = normals.at(i) as f32;
            match name.rsplit('.').next() {
                Some("running_var") => value.abs() + 0.3,
                _ if name.contains(".norm.") => 1.0 + 0.5 * value,
                _ => 0.3 * value,
            }
        });
        ArrayD::from_shape_vec(IxDyn(shape), values.collect()).unwrap()
    };
    let each = parameters.into_iter().enumerate();
    each.map(|(i, (name, shape))| (name.clone(), value(i, &name, &shape)))
        .collect()
}

/// The network by the names of its parameters, one operator after the other.
struct Plain<'a> {
    architecture: &'a Architecture,
    state: &'a State,
}

impl Plain<'_> {
    fn get(&self, name: &str) -> Option<Tensor> {
        Some(tensor::from_array(&self.state.get(name)?.view()).unwrap())
    }

    fn conv(&self, x: &Tensor, name: &str, stride: &[i64]) -> Tensor {
        let weight = self.get(&format!("{name}.weight")).unwrap();
        let padding: Vec<i64> = weight.size()[2..].iter().map(|k| k / 2).collect();
        let bias = self.get(&format!("{name}.bias"));
        match stride.len() {
            2 => x.conv2d(&weight, bias, stride, padding, [1, 1], 1),
            _ => x.conv3d(&weight, bias, stride, padding, [1, 1, 1], 1),
        }
    }

    fn activate(&self, x: &Tensor) -> Tensor {
        match self.architecture.activation {
            Activation::Identity => x.shallow_clone(),
            Activation::LeakyRelu { slope } => x.clamp_min(0.0) + x.clamp_max(0.0) * slope,
            Activation::Elu { alpha } => x.clamp_min(0.0) + (x.clamp_max(0.0).exp() - 1.0) * alpha,
            Activation::Gelu { tanh } => x.gelu(if tanh { "tanh" } else { "none" }),
            Activation::Silu => x * x.sigmoid(),
            Activation::Mish => x * x.softplus().tanh(),
        }
    }

    fn norm(&self, x: &Tensor, name: &str) -> Tensor {
        let Some(norm) = self.architecture.norm else {
            return x.shallow_clone();
        };
        let axes: Vec<i64> = (2..x.dim() as i64).collect();
        let shape: Vec<i64> = [1, -1].into_iter().chain(axes.iter().map(|_| 1)).collect();
        let of = |part: &str| self.get(&format!("{name}.{part}")).map(|t| t.reshape(&shape));
        let (mean, variance) = match norm.statistics {
            Statistics::Instance => {
                let axes = axes.as_slice();
                (x.mean_dim(axes, true, Kind::Float), x.var_dim(axes, false, true))
            }
            Statistics::Running => (of("running_mean").unwrap(), of("running_var").unwrap()),
        };
        let x = (x - mean) / (variance + norm.eps).sqrt();
        match (of("weight"), of("bias")) {
            (Some(weight), Some(bias)) => x * weight + bias,
            _ => x,
        }
    }

    fn block(&self, x: &Tensor, name: &str, stride: &[i64], activated: bool) -> Tensor {
        let x = self.conv(x, &format!("{name}.conv"), stride);
        let norm = format!("{name}.norm");
        match (activated, &self.architecture.encoder) {
            (false, _) => self.norm(&x, &norm),
            (
                true,
                Encoder::Plain {
                    activation_first: true,
                },
            ) => self.norm(&self.activate(&x), &norm),
            (true, _) => self.activate(&self.norm(&x, &norm)),
        }
    }

    fn residual(&self, x: &Tensor, name: &str, stride: &[i64], bottleneck: bool) -> Tensor {
        let one = vec![1; stride.len()];
        let strides: Vec<&[i64]> = if bottleneck {
            vec![&one, stride, &one]
        } else {
            vec![stride, &one]
        };
        let mut out = x.shallow_clone();
        for (i, stride) in strides.iter().enumerate() {
            out = self.block(
                &out,
                &format!("{name}.conv{}", i + 1),
                stride,
                i + 1 < strides.len(),
            );
        }
        let mut skip = x.shallow_clone();
        if stride != one {
            skip = match stride.len() {
                2 => skip.avg_pool2d(stride, stride, [0, 0], false, true, None),
                _ => skip.avg_pool3d(stride, stride, [0, 0, 0], false, true, None),
            };
        }
        let index = usize::from(stride != one);
        if self
            .state
            .contains_key(&format!("{name}.skip.{index}.conv.weight"))
        {
            skip = self.block(&skip, &format!("{name}.skip.{index}"), &one, false);
        }
        self.activate(&(out + skip))
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let stages = &self.architecture.stages;
        let one = vec![1; self.architecture.dimensions()];
        let mut x = x.shallow_clone();
        let mut skips = Vec::new();
        if let Encoder::Residual { .. } = self.architecture.encoder {
            x = self.block(&x, "encoder.stem.convs.0", &one, true);
        }
        for (s, stage) in stages.iter().enumerate() {
            for b in 0..stage.blocks {
                let stride = if b == 0 { &stage.stride } else { &one };
                x = match &self.architecture.encoder {
                    Encoder::Plain { .. } => {
                        self.block(&x, &format!("encoder.stages.{s}.0.convs.{b}"), stride, true)
                    }
                    Encoder::Residual { bottlenecks, .. } => {
                        let name = format!("encoder.stages.{s}.blocks.{b}");
                        self.residual(&x, &name, stride, bottlenecks.is_some())
                    }
                };
            }
            skips.push(x.shallow_clone());
        }
        skips.pop();
        for (u, &count) in self.architecture.decoder.iter().enumerate() {
            let stride = &stages[stages.len() - 1 - u].stride;
            let weight = self.get(&format!("decoder.transpconvs.{u}.weight")).unwrap();
            let bias = self.get(&format!("decoder.transpconvs.{u}.bias"));
            x = match stride.len() {
                2 => x.conv_transpose2d(&weight, bias, stride, [0, 0], [0, 0], 1, [1, 1]),
                _ => x.conv_transpose3d(&weight, bias, stride, [0; 3], [0; 3], 1, [1; 3]),
            };
            x = Tensor::cat(&[x, skips.pop().unwrap()], 1);
            for i in 0..count {
                x = self.block(&x, &format!("decoder.stages.{u}.convs.{i}"), &one, true);
            }
        }
        self.conv(&x, &format!("decoder.seg_layers.{}", stages.len() - 2), &one)
    }
}

fn input(axes: usize) -> Tensor {
    let shape = [&[2, 2][..], &[4, 8, 12][3 - axes..]].concat();
    let normals = Normals::keyed(9, &[]);
    let count: usize = shape.iter().product();
    let values = (0..count as u64).map(|i| normals.at(i) as f32).collect();
    let array: ArrayD<f32> = ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap();
    tensor::from_array(&array.view()).unwrap()
}

/// Largest difference of two tensors, relative to the largest value.
fn difference(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    let largest = |t: Tensor| t.abs().max().double_value(&[]);
    largest(found - expected) / largest(expected.shallow_clone())
}

fn variants() -> Vec<Architecture> {
    let plain = Encoder::Plain {
        activation_first: false,
    };
    let residual = Encoder::Residual {
        stem: 4,
        bottlenecks: None,
    };
    let mut all = Vec::new();
    for axes in [2, 3] {
        let base = architecture(axes, plain.clone());
        all.push(base.clone());
        all.push(architecture(axes, residual.clone()));
        all.push(architecture(
            axes,
            Encoder::Residual {
                stem: 5,
                bottlenecks: Some(vec![2, 3, 4]),
            },
        ));
        all.push(Architecture {
            bias: false,
            norm: None,
            ..base.clone()
        });
        all.push(base.clone().with_batch_norm());
        all.push(architecture(axes, residual.clone()).with_batch_norm());
        all.push(Architecture {
            encoder: Encoder::Plain {
                activation_first: true,
            },
            ..base.clone()
        });
        for activation in [
            Activation::Identity,
            Activation::LeakyRelu { slope: 0.0 },
            Activation::LeakyRelu { slope: 0.2 },
            Activation::Elu { alpha: 0.7 },
            Activation::Gelu { tanh: false },
            Activation::Gelu { tanh: true },
            Activation::Silu,
            Activation::Mish,
        ] {
            all.push(Architecture {
                activation,
                ..architecture(axes, residual.clone())
            });
        }
        let norm = Norm {
            statistics: Statistics::Instance,
            eps: 1e-3,
            affine: false,
        };
        all.push(Architecture {
            norm: Some(norm),
            ..base
        });
    }
    all
}

#[test]
fn networks_equal_a_composition_of_plain_operators() {
    for architecture in variants() {
        let state = random_state(&architecture, 2, 3);
        let x = input(architecture.dimensions());
        let plain = Plain {
            architecture: &architecture,
            state: &state,
        };
        let expected = tch::no_grad(|| plain.forward(&x));
        for kernels in [Kernels::Fused, Kernels::Composed] {
            let network = DynamicUNet::from_state(architecture.clone(), 2, 3, &state, Device::Cpu);
            let network = network.unwrap().with_kernels(kernels);
            for (kind, tolerance) in [(Kind::Float, 2e-5), (Kind::BFloat16, 0.15)] {
                let weights = network.weights(kind).unwrap();
                let found = tch::no_grad(|| network.forward(&x, &weights)).unwrap();
                let found = difference(&found, &expected);
                assert!(
                    found < tolerance,
                    "{architecture:?} {kernels:?} {kind:?}: {found}"
                );
            }
        }
    }
}

#[test]
fn a_prediction_does_not_change_its_input_and_repeats() {
    let architecture = architecture(
        3,
        Encoder::Residual {
            stem: 4,
            bottlenecks: None,
        },
    );
    let state = random_state(&architecture, 2, 3);
    let network = DynamicUNet::from_state(architecture, 2, 3, &state, Device::Cpu).unwrap();
    let (x, weights) = (input(3), network.weights(Kind::Float).unwrap());
    let first = tch::no_grad(|| network.forward(&x, &weights)).unwrap();
    let second = tch::no_grad(|| network.forward(&x, &weights)).unwrap();
    assert_eq!(first, second);
    assert_eq!(x, input(3));
}

#[test]
fn parameters_that_are_missing_unknown_or_of_another_shape_are_named() {
    let architecture = architecture(
        2,
        Encoder::Plain {
            activation_first: false,
        },
    );
    let state = random_state(&architecture, 2, 3);
    let load = |state: &State, channels| {
        let network = DynamicUNet::from_state(architecture.clone(), channels, 3, state, Device::Cpu);
        network.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(load(&state, 2), Ok(()));
    let first = "encoder.stages.0.0.convs.0.conv.weight";
    assert!(load(&state, 3).unwrap_err().contains(first));
    let mut missing = state.clone();
    missing.remove(first);
    assert!(load(&missing, 2).unwrap_err().contains(first));
    // Heads of deep supervision are left out; there are two.
    let mut more = state.clone();
    let head = ArrayD::zeros(IxDyn(&[3, 6, 1, 1]));
    more.insert("decoder.seg_layers.0.weight".into(), head.clone());
    assert_eq!(load(&more, 2), Ok(()));
    more.insert("decoder.seg_layers.2.weight".into(), head);
    assert!(load(&more, 2)
        .unwrap_err()
        .contains("decoder.seg_layers.2.weight"));
}
