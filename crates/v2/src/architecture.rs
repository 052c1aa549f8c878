//! The network that a configuration of `plans.json` describes.
//!
//! Source: `dynamic_network_architectures.architectures.unet` 0.4.4 (`PlainConvUNet`, `ResidualEncoderUNet`), and
//! `nnunetv2.utilities.plans_handling.plans_handler.ConfigurationManager` for the plans of v2.0 to v2.3, which have
//! `UNet_class_name` in place of `architecture`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

mod arguments;

use arguments::Arguments;

/// The network is not one that this package computes, or its description is invalid.
#[derive(Debug, thiserror::Error, run::Coded)]
#[error("{}: {what} is {found}; expected {known}", path.display())]
#[code(Architecture)]
pub struct ArchitectureError {
    /// The plans.
    pub path: PathBuf,
    /// The entry, such as `configurations.2d.architecture.network_class_name`.
    pub what: Box<str>,
    /// Its value.
    pub found: Box<str>,
    /// The values that are known here.
    pub known: Box<str>,
}

type Result<T> = std::result::Result<T, ArchitectureError>;

/// A U-Net of `dynamic_network_architectures`. Axes are (z, y, x) or (y, x). Dropout does nothing at prediction and is
/// left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// Stages of the encoder, finest first, the bottleneck last. At least two.
    pub stages: Vec<Stage>,
    /// Convolutions of the decoder's stages, coarsest first: one fewer than `stages`.
    pub decoder: Vec<usize>,
    /// Whether convolutions have a bias.
    pub bias: bool,
    /// Normalisation after each convolution.
    pub norm: Option<Norm>,
    /// Activation after each normalisation.
    pub activation: Activation,
    /// Class of the network.
    pub encoder: Encoder,
}

/// A stage of the encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Channels of its output.
    pub features: i64,
    /// Kernel of its convolutions: odd sizes.
    pub kernel: Vec<i64>,
    /// Stride of its first convolution.
    pub stride: Vec<i64>,
    /// Convolutions, or residual blocks.
    pub blocks: usize,
}

/// Class of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encoder {
    /// `PlainConvUNet`: stacked convolutions.
    Plain {
        /// Whether the activation comes before the normalisation.
        activation_first: bool,
    },
    /// `ResidualEncoderUNet`: a stem and residual blocks (He et al. 2019, ResNet-D).
    Residual {
        /// Channels of the stem.
        stem: i64,
        /// Channels of the middle convolution of each stage's blocks, if they are `BottleneckD`; `None` for
        /// `BasicBlockD`.
        bottlenecks: Option<Vec<i64>>,
    },
}

/// A normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm {
    /// What its mean and variance are of.
    pub statistics: Statistics,
    /// Added to the variance.
    pub eps: f64,
    /// Whether it has a weight and a bias for each channel.
    pub affine: bool,
}

/// The mean and variance of a normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// Of each sample and channel: `InstanceNorm`.
    Instance,
    /// Of the training: `BatchNorm`, and `InstanceNorm` with `track_running_stats`.
    Running,
}

/// An activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// None.
    Identity,
    /// `LeakyReLU`, and `ReLU` with a slope of 0.
    LeakyRelu {
        /// Factor of negative values.
        slope: f64,
    },
    /// `ELU`
    Elu {
        /// Factor of negative values.
        alpha: f64,
    },
    /// `GELU`
    Gelu {
        /// Whether it is the approximation by tanh.
        tanh: bool,
    },
    /// `SiLU`
    Silu,
    /// `Mish`
    Mish,
}

impl Architecture {
    /// The architecture of a configuration, whose entry in the plans is `json`, for patches of `patch` voxels. `path` and
    /// `name` are those of the plans and of the configuration, for messages.
    ///
    /// # Errors
    /// [`ArchitectureError`] for a network, a block, a normalisation, an activation or an argument that is not known here,
    /// for contradicting arguments, and for a patch that is no multiple of the strides.
    pub fn read(path: &Path, name: &str, json: &Map<String, Json>, patch: &[usize]) -> Result<Self> {
        let place = format!("configurations.{name}");
        let at = Arguments {
            path,
            place: &place,
            map: json,
        };
        let found = match json.get("architecture") {
            Some(Json::Object(architecture)) => {
                let place = format!("{place}.architecture");
                Self::from_entry(
                    Arguments {
                        place: &place,
                        map: architecture,
                        path,
                    },
                    patch.len(),
                )?
            }
            Some(other) => return Err(at.wrong("architecture", other, "an object")),
            None => Self::from_old(at, patch.len())?,
        };
        found.check_patch(at, patch)?;
        Ok(found)
    }

    fn from_entry(entry: Arguments<'_>, axes: usize) -> Result<Self> {
        let class = entry.text("network_class_name")?;
        let residual = match known_class(&class) {
            Some("PlainConvUNet") => false,
            Some("ResidualEncoderUNet") => true,
            _ => return Err(entry.unknown_class("network_class_name", &class)),
        };
        let Some(Json::Object(map)) = entry.map.get("arch_kwargs") else {
            let found = entry.map.get("arch_kwargs").unwrap_or(&Json::Null);
            return Err(entry.wrong("arch_kwargs", found, "an object"));
        };
        let place = format!("{}.arch_kwargs", entry.place);
        let arguments = Arguments {
            place: &place,
            map,
            path: entry.path,
        };
        Self::from_arguments(arguments, axes, residual)
    }

    /// The plans of v2.0 to v2.3.
    fn from_old(old: Arguments<'_>, axes: usize) -> Result<Self> {
        let class = old.text("UNet_class_name")?;
        let residual = match class.as_str() {
            "PlainConvUNet" => false,
            "ResidualEncoderUNet" => true,
            other => return Err(old.unknown_class("UNet_class_name", other)),
        };
        let count = old.per_stage_length("n_conv_per_stage_encoder")?;
        let (base, most) = (
            old.positive("UNet_base_num_features")?,
            old.positive("unet_max_num_features")?,
        );
        let features = |stage: usize| base.saturating_mul(1 << stage.min(40)).min(most);
        let encoder = if residual {
            Encoder::Residual {
                stem: features(0),
                bottlenecks: None,
            }
        } else {
            Encoder::Plain {
                activation_first: false,
            }
        };
        let stages = old.stages(
            &Keys {
                kernels: "conv_kernel_sizes",
                strides: "pool_op_kernel_sizes",
                blocks: "n_conv_per_stage_encoder",
            },
            &(0..count).map(features).collect::<Vec<_>>(),
            axes,
        )?;
        Ok(Self {
            stages,
            decoder: old.counts("n_conv_per_stage_decoder", count - 1)?,
            bias: true,
            norm: Some(Norm {
                statistics: Statistics::Instance,
                eps: 1e-5,
                affine: true,
            }),
            activation: Activation::LeakyRelu { slope: 0.01 },
            encoder,
        })
    }

    fn from_arguments(arguments: Arguments<'_>, axes: usize, residual: bool) -> Result<Self> {
        const COMMON: [&str; 14] = [
            "n_stages",
            "features_per_stage",
            "conv_op",
            "kernel_sizes",
            "strides",
            "n_conv_per_stage_decoder",
            "conv_bias",
            "norm_op",
            "norm_op_kwargs",
            "dropout_op",
            "dropout_op_kwargs",
            "nonlin",
            "nonlin_kwargs",
            "deep_supervision",
        ];
        let own: &[&str] = match residual {
            true => &[
                "n_blocks_per_stage",
                "block",
                "bottleneck_channels",
                "stem_channels",
            ],
            false => &["n_conv_per_stage", "nonlin_first"],
        };
        let known: Vec<&str> = COMMON.iter().chain(own).copied().collect();
        arguments.only(&known)?;
        arguments.class("conv_op", &[&format!("Conv{axes}d")])?;
        let count = arguments.positive("n_stages")?;
        let count = usize::try_from(count)
            .ok()
            .filter(|n| (2..=MOST_STAGES).contains(n));
        let count = count.ok_or_else(|| {
            let found = arguments.map.get("n_stages").unwrap_or(&Json::Null);
            arguments.wrong("n_stages", found, &format!("a number from 2 to {MOST_STAGES}"))
        })?;
        let features = arguments.per_stage("features_per_stage", count)?;
        let keys = Keys {
            kernels: "kernel_sizes",
            strides: "strides",
            blocks: if residual {
                "n_blocks_per_stage"
            } else {
                "n_conv_per_stage"
            },
        };
        let stages = arguments.stages(&keys, &features, axes)?;
        let encoder = if residual {
            let block = arguments.optional_class("block", &["BasicBlockD", "BottleneckD"])?;
            let bottlenecks = match block {
                Some("BottleneckD") => Some(arguments.per_stage("bottleneck_channels", count)?),
                _ => None,
            };
            let stem = match arguments.given("stem_channels") {
                true => arguments.positive("stem_channels")?,
                false => features[0],
            };
            Encoder::Residual { stem, bottlenecks }
        } else {
            Encoder::Plain {
                activation_first: arguments.flag("nonlin_first")?,
            }
        };
        Ok(Self {
            stages,
            decoder: arguments.counts("n_conv_per_stage_decoder", count - 1)?,
            bias: arguments.flag("conv_bias")?,
            norm: arguments.norm(axes)?,
            activation: arguments.activation()?,
            encoder,
        })
    }

    /// The architecture of `nnUNetTrainerBN`, which replaces the normalisation of the plans.
    #[must_use]
    pub fn with_batch_norm(self) -> Self {
        let norm = Norm {
            statistics: Statistics::Running,
            eps: 1e-5,
            affine: true,
        };
        Self {
            norm: Some(norm),
            ..self
        }
    }

    /// Number of axes: 2 or 3.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.stages.first().map_or(0, |stage| stage.stride.len())
    }

    /// Name of the class.
    #[must_use]
    pub fn class_name(&self) -> &'static str {
        match self.encoder {
            Encoder::Plain { .. } => "PlainConvUNet",
            Encoder::Residual { .. } => "ResidualEncoderUNet",
        }
    }

    /// Checks the patch: every stride divides the size that reaches it.
    fn check_patch(&self, at: Arguments<'_>, patch: &[usize]) -> Result<()> {
        for (axis, &size) in patch.iter().enumerate() {
            let product: i64 = self.stages.iter().map(|stage| stage.stride[axis]).product();
            if size as i64 % product != 0 {
                let known = format!("a multiple of {product} on axis {axis}, the product of the strides");
                return Err(at.wrong("patch_size", &Json::from(patch.to_vec()), &known));
            }
        }
        Ok(())
    }
}

/// Stages at most, against plans that are not of nnU-Net.
const MOST_STAGES: usize = 32;

/// Names of the arguments of the encoder's stages.
struct Keys<'a> {
    kernels: &'a str,
    strides: &'a str,
    blocks: &'a str,
}

/// The known class of a full name such as `dynamic_network_architectures.architectures.unet.PlainConvUNet`. The module may
/// differ between versions.
fn known_class(full: &str) -> Option<&str> {
    let (module, class) = full.rsplit_once('.')?;
    (module == "dynamic_network_architectures" || module.starts_with("dynamic_network_architectures."))
        .then_some(class)
}

#[cfg(test)]
mod tests;
