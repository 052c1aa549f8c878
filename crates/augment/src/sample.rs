//! Input and output of an augmentation chain.

use ndarray::ArrayView4;

use crate::buffer::fit;
use crate::Error;

/// A dense (channel, z, y, x) array in C order that keeps its memory when its shape changes. 2D arrays have z
/// = 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block<T> {
    shape: [usize; 4],
    values: Vec<T>,
}

impl<T: Copy + Default> Block<T> {
    /// A block of `T::default()`.
    pub fn new(shape: [usize; 4]) -> Self {
        Self {
            shape,
            values: vec![T::default(); shape.iter().product()],
        }
    }

    /// Copies an array of any memory layout.
    pub fn from_array(array: ArrayView4<'_, T>) -> Self {
        let (c, z, y, x) = array.dim();
        Self {
            shape: [c, z, y, x],
            values: array.iter().copied().collect(),
        }
    }

    /// Changes the shape. Allocates only to grow beyond every earlier shape. The values are unspecified
    /// afterwards.
    pub fn reshape(&mut self, shape: [usize; 4]) {
        self.shape = shape;
        fit(&mut self.values, shape.iter().product(), T::default());
    }

    /// (channel, z, y, x).
    pub fn shape(&self) -> [usize; 4] {
        self.shape
    }

    /// (z, y, x).
    pub fn size(&self) -> [usize; 3] {
        [self.shape[1], self.shape[2], self.shape[3]]
    }

    /// All values, channel by channel.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// All values, channel by channel.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// The values of channel `c`.
    pub fn channel(&self, c: usize) -> &[T] {
        let voxels: usize = self.size().iter().product();
        &self.values[c * voxels..(c + 1) * voxels]
    }
}

/// One loaded sample: a window of the loaded patch.
///
/// The *loaded patch* is cut from the padded case. It is larger than the network's patch, so that rotation
/// and scaling do not run out of voxels ([`crate::initial_patch_size`]). Most draws read only its middle, so
/// a loader may load only the window of [`crate::Pipeline::window`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Image, (channel, z, y, x) of the window.
    pub data: Block<f32>,
    /// Segmentation, one channel; in a cascade a second one with the previous stage's segmentation.
    pub seg: Block<i16>,
    /// Voxel weights, one channel, not negative.
    pub weightmap: Option<Block<f32>>,
    /// First voxel of the window in the loaded patch.
    pub start: [usize; 3],
    /// Size of the loaded patch.
    pub full: [usize; 3],
}

impl Sample {
    /// A sample whose window is the whole loaded patch.
    pub fn whole(data: Block<f32>, seg: Block<i16>, weightmap: Option<Block<f32>>) -> Self {
        let full = data.size();
        Self {
            data,
            seg,
            weightmap,
            start: [0; 3],
            full,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let size = self.data.size();
        let expected = |what: &str| format!("{what} of size {size:?}, the size of `data`");
        let inside = (0..3).all(|a| size[a] > 0 && self.start[a] + size[a] <= self.full[a]);
        if !inside || self.data.shape()[0] == 0 {
            let expected = format!(
                "a window that is not empty and, from {:?} on, lies inside the loaded patch of {:?}",
                self.start, self.full
            );
            return Err(Error::Shape {
                array: "data",
                expected,
                found: self.data.shape(),
            });
        }
        if self.seg.size() != size || self.seg.shape()[0] == 0 {
            return Err(Error::Shape {
                array: "seg",
                expected: expected("at least one channel"),
                found: self.seg.shape(),
            });
        }
        match &self.weightmap {
            Some(map) if map.size() != size || map.shape()[0] != 1 => Err(Error::Shape {
                array: "weightmap",
                expected: expected("one channel"),
                found: map.shape(),
            }),
            _ => Ok(()),
        }
    }
}

/// Output of a chain for one sample: its slice of the tensors of a batch.
pub trait Destination {
    /// Image, (channels of [`crate::Pipeline::output_channels`], patch size) in C order.
    fn data(&mut self) -> &mut [f32];
    /// Segmentation at deep-supervision scale `scale` ([`crate::Pipeline::target_sizes`]); values are labels.
    fn target(&mut self, scale: usize) -> &mut [f32];
    /// Voxel weights at deep-supervision scale `scale`; used only for samples with a weightmap.
    fn weight(&mut self, scale: usize) -> &mut [f32];
}

/// A [`Destination`] that owns its memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Augmented {
    /// Image, (channel, z, y, x).
    pub data: Vec<f32>,
    /// Segmentation, one vector per deep-supervision scale.
    pub targets: Vec<Vec<f32>>,
    /// Voxel weights, one vector per deep-supervision scale; empty without weightmap.
    pub weights: Vec<Vec<f32>>,
}

impl Destination for Augmented {
    fn data(&mut self) -> &mut [f32] {
        &mut self.data
    }

    fn target(&mut self, scale: usize) -> &mut [f32] {
        self.targets.get_mut(scale).map_or(&mut [], Vec::as_mut_slice)
    }

    fn weight(&mut self, scale: usize) -> &mut [f32] {
        self.weights.get_mut(scale).map_or(&mut [], Vec::as_mut_slice)
    }
}
