//! What prediction needs of a network.

use tch::{Device, Kind, Tensor};

use super::{DynamicUNet, GenericUNet, Heads, Weights};
use crate::Result;

/// A network that gives logits.
pub trait Network {
    /// Device of the parameters.
    fn device(&self) -> Device;

    /// Number of channels of the logits.
    fn outputs(&self) -> usize;

    /// Estimated bytes of the values that live at the same time in a float32 forward pass on the CPU, for an input of
    /// `voxels` voxels, with the input and the logits.
    fn bytes(&self, voxels: u64) -> u64;

    /// The parameters for forward passes in `kind`; see [`GenericUNet::weights`].
    ///
    /// # Errors
    /// [`crate::Error::OutOfMemory`].
    fn weights(&self, kind: Kind) -> Result<Weights>;

    /// Float32 logits (b, output, \[z,\] y, x) of an input (b, channel, \[z,\] y, x).
    ///
    /// # Errors
    /// [`crate::Error::OutOfMemory`], or [`crate::Error::Torch`] for an input of another form.
    fn logits(&self, input: &Tensor, weights: &Weights) -> Result<Tensor>;
}

impl<N: Network + ?Sized> Network for &N {
    fn device(&self) -> Device {
        (**self).device()
    }

    fn outputs(&self) -> usize {
        (**self).outputs()
    }

    fn bytes(&self, voxels: u64) -> u64 {
        (**self).bytes(voxels)
    }

    fn weights(&self, kind: Kind) -> Result<Weights> {
        (**self).weights(kind)
    }

    fn logits(&self, input: &Tensor, weights: &Weights) -> Result<Tensor> {
        (**self).logits(input, weights)
    }
}

/// Bytes for a U-Net of these channels. `stages` are features and voxels that one voxel of the next stage covers.
fn bytes_of(
    voxels: u64,
    channels: i64,
    outputs: i64,
    stages: impl Iterator<Item = (i64, i64)>,
    finest: u64,
) -> u64 {
    let mut voxels = voxels;
    let mut bytes = voxels * 4 * (2 * channels + 2 * outputs) as u64;
    for (index, (features, covered)) in stages.enumerate() {
        let live = if index == 0 { finest } else { 2 };
        bytes += voxels * 4 * features as u64 * live;
        voxels /= covered.max(1) as u64;
    }
    bytes
}

/// Measured on CPU: the values that live at the same time at the finest resolution, and their copies in other layouts.
const FINEST: u64 = 9;

impl Network for GenericUNet {
    fn device(&self) -> Device {
        GenericUNet::device(self)
    }

    fn outputs(&self) -> usize {
        self.architecture().classes as usize
    }

    fn bytes(&self, voxels: u64) -> u64 {
        let architecture = self.architecture();
        let covered = architecture.pools.iter().map(|pool| pool.iter().product());
        let stages = architecture.features().into_iter().zip(covered.chain([1]));
        bytes_of(
            voxels,
            architecture.input_channels,
            architecture.classes,
            stages,
            FINEST,
        )
    }

    fn weights(&self, kind: Kind) -> Result<Weights> {
        GenericUNet::weights(self, kind)
    }

    fn logits(&self, input: &Tensor, weights: &Weights) -> Result<Tensor> {
        let mut heads = self.forward(input, weights, Heads::Finest(1))?;
        Ok(heads.swap_remove(0))
    }
}

impl Network for DynamicUNet {
    fn device(&self) -> Device {
        DynamicUNet::device(self)
    }

    fn outputs(&self) -> usize {
        self.outputs as usize
    }

    fn bytes(&self, voxels: u64) -> u64 {
        let stages = &self.architecture().stages;
        let covered = stages[1..].iter().map(|stage| stage.stride.iter().product());
        let stages = stages.iter().map(|stage| stage.features).zip(covered.chain([1]));
        bytes_of(voxels, self.channels, self.outputs, stages, FINEST)
    }

    fn weights(&self, kind: Kind) -> Result<Weights> {
        DynamicUNet::weights(self, kind)
    }

    fn logits(&self, input: &Tensor, weights: &Weights) -> Result<Tensor> {
        self.forward(input, weights)
    }
}
