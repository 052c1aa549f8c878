//! Architecture of the network, from the plans.

use dataset::Plans;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// All parameters of a `Generic_UNet` that define its shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Architecture {
    /// Input channels: modalities, and in a cascade the one-hot classes of the previous stage.
    pub input_channels: i64,
    /// Classes, including the background.
    pub classes: i64,
    /// Features of the first stage.
    pub base_features: i64,
    /// Convolutions per encoder stage.
    pub conv_per_stage: usize,
    /// Pooling of every stage, axes (z, y, x) or (y, x). The number of poolings is the depth.
    pub pools: Vec<Vec<i64>>,
    /// Kernel of every encoder stage and of the bottleneck: one more than `pools`.
    pub kernels: Vec<Vec<i64>>,
}

/// Maximum features of a stage: `Generic_UNet.MAX_NUM_FILTERS_3D` and `MAX_FILTERS_2D`.
const MAX_FEATURES_3D: i64 = 320;
const MAX_FEATURES_2D: i64 = 480;

impl Architecture {
    /// The network of a stage of the plans. A cascade's second stage also has one input channel per
    /// foreground class, with the first stage's segmentation.
    ///
    /// # Errors
    /// [`Error::Dataset`] if the plans lack the stage, [`Error::Network`] for an invalid architecture.
    pub fn from_plans(plans: &Plans, stage: usize, cascade: bool) -> Result<Self> {
        let plan = plans.stage(stage)?;
        let sizes = |all: &[Vec<usize>]| {
            all.iter()
                .map(|s| s.iter().map(|&n| n as i64).collect())
                .collect()
        };
        let previous = if cascade { plans.num_classes } else { 0 };
        let architecture = Self {
            input_channels: (plans.num_modalities + previous) as i64,
            classes: plans.num_classes as i64 + 1,
            base_features: plans.base_num_features as i64,
            conv_per_stage: plans.conv_per_stage,
            pools: sizes(&plan.pool_op_kernel_sizes),
            kernels: sizes(&plan.conv_kernel_sizes),
        };
        architecture.validate()?;
        Ok(architecture)
    }

    /// Number of spatial axes: 2 or 3.
    pub fn dimensions(&self) -> usize {
        self.pools.first().map_or(0, Vec::len)
    }

    /// Features of every encoder stage, finest first, the bottleneck last.
    pub fn features(&self) -> Vec<i64> {
        let most = if self.dimensions() == 3 {
            MAX_FEATURES_3D
        } else {
            MAX_FEATURES_2D
        };
        let mut features = self.base_features;
        let mut stages = Vec::with_capacity(self.pools.len() + 1);
        for _ in 0..=self.pools.len() {
            stages.push(features);
            features = (features * 2).min(most);
        }
        stages
    }

    /// Product of all poolings per axis. The patch size must be a multiple of it.
    pub fn divisor(&self) -> Vec<i64> {
        let mut divisor = vec![1; self.dimensions()];
        for pool in &self.pools {
            divisor.iter_mut().zip(pool).for_each(|(d, p)| *d *= p);
        }
        divisor
    }

    /// Checks that a network with this architecture can be built.
    ///
    /// # Errors
    /// [`Error::Network`] with the reason.
    pub fn validate(&self) -> Result<()> {
        let dimensions = self.dimensions();
        if !(2..=3).contains(&dimensions) {
            return Err(Error::network(format!(
                "found poolings {:?}; expected at least one, over 2 or 3 axes",
                self.pools
            )));
        }
        if self.kernels.len() != self.pools.len() + 1 {
            return Err(Error::network(format!(
                "found {} kernels for {} poolings; expected one more than poolings",
                self.kernels.len(),
                self.pools.len()
            )));
        }
        for sizes in self.pools.iter().chain(&self.kernels) {
            if sizes.len() != dimensions || sizes.iter().any(|&s| s < 1) {
                return Err(Error::network(format!(
                    "found pooling or kernel {sizes:?}; expected {dimensions} sizes of at least 1"
                )));
            }
        }
        // v1 uses padding 1 for kernel size 3, else 0. Other kernels would shrink the image.
        if let Some(kernel) = self.kernels.iter().find(|k| k.iter().any(|&s| s != 1 && s != 3)) {
            return Err(Error::network(format!(
                "found kernel {kernel:?}; expected sizes 1 or 3"
            )));
        }
        if self.input_channels < 1 || self.classes < 2 || self.base_features < 1 || self.conv_per_stage < 2 {
            return Err(Error::network(format!(
                "found {} input channels, {} classes, {} base features, {} convolutions a stage; expected at least \
                 1, 2, 1, 2",
                self.input_channels, self.classes, self.base_features, self.conv_per_stage
            )));
        }
        Ok(())
    }

    /// Checks that the network accepts patches of `size` (axes as in the poolings).
    ///
    /// # Errors
    /// [`Error::Network`] if the size is not a multiple of [`divisor`](Self::divisor), or if the bottleneck
    /// would have only one voxel, which instance normalisation cannot process.
    pub fn validate_patch(&self, size: &[i64]) -> Result<()> {
        let divisor = self.divisor();
        if size.len() != divisor.len() || size.iter().zip(&divisor).any(|(s, d)| *s < 1 || s % d != 0) {
            return Err(Error::network(format!(
                "patch size {size:?} is not a multiple of {divisor:?}, the product of the poolings of each axis"
            )));
        }
        if size == divisor {
            return Err(Error::network(format!(
                "patch size {size:?} leaves a single voxel at the bottleneck, which instance normalisation cannot \
                 handle; at least one axis must be twice as large"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn architecture() -> Architecture {
        Architecture {
            input_channels: 1,
            classes: 3,
            base_features: 32,
            conv_per_stage: 2,
            pools: vec![vec![1, 2, 2], vec![2, 2, 2]],
            kernels: vec![vec![1, 3, 3], vec![3, 3, 3], vec![3, 3, 3]],
        }
    }

    #[test]
    fn a_patch_with_a_remainder_or_one_bottleneck_voxel_is_rejected() {
        let network = architecture();
        assert!(network.validate().is_ok());
        assert_eq!(network.divisor(), [2, 4, 4]);
        assert!(network.validate_patch(&[2, 4, 8]).is_ok());
        for wrong in [&[2, 4, 4][..], &[2, 4, 6], &[3, 4, 8], &[4, 8], &[0, 4, 8]] {
            assert!(network.validate_patch(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_invalid_architecture_is_rejected() {
        let wrong = [
            Architecture {
                kernels: vec![vec![3, 3, 3]; 2],
                ..architecture()
            },
            Architecture {
                kernels: vec![vec![3, 5, 3]; 3],
                ..architecture()
            },
            Architecture {
                pools: vec![vec![2, 2], vec![2, 2, 2]],
                ..architecture()
            },
            Architecture {
                pools: vec![],
                kernels: vec![vec![3, 3]],
                ..architecture()
            },
            Architecture {
                classes: 1,
                ..architecture()
            },
        ];
        for network in wrong {
            assert!(network.validate().is_err(), "{network:?}");
        }
    }
}
