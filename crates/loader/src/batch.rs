//! Batches for a network.

use augment::Destination;
use ndarray::{ArrayViewD, IxDyn};

use crate::buffer::{Buffer, BufferSource};
use crate::error::Error;

/// A C-ordered float32 array in memory of a [`BufferSource`].
pub struct Tensor {
    shape: Vec<usize>,
    buffer: Box<dyn Buffer>,
}

impl Tensor {
    fn allocate(shape: &[usize], source: &dyn BufferSource) -> Result<Self, Error> {
        let length = shape.iter().product();
        let failed = |reason| Error::Memory {
            bytes: length * size_of::<f32>(),
            reason,
        };
        let buffer = source.allocate(length).map_err(failed)?;
        let found = buffer.as_slice().len();
        if found != length {
            return Err(failed(format!(
                "{length} values were asked for, {found} supplied"
            )));
        }
        Ok(Self {
            shape: shape.to_vec(),
            buffer,
        })
    }

    /// Length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values in C order.
    pub fn as_slice(&self) -> &[f32] {
        self.buffer.as_slice()
    }

    /// The values in C order.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        self.buffer.as_mut_slice()
    }

    /// The array; `None` only if the buffer changed its length after allocation.
    pub fn view(&self) -> Option<ArrayViewD<'_, f32>> {
        ArrayViewD::from_shape(IxDyn(&self.shape), self.as_slice()).ok()
    }

    /// The values of sample `index` of the first axis.
    fn sample(&mut self, index: usize) -> &mut [f32] {
        let length: usize = self.shape[1..].iter().product();
        self.buffer
            .as_mut_slice()
            .get_mut(index * length..(index + 1) * length)
            .unwrap_or_default()
    }
}

/// One batch. Axes are (sample, channel, z, y, x) in 3D and (sample, channel, y, x) in 2D.
pub struct Batch {
    /// The network's input.
    pub data: Tensor,
    /// Labels at each deep-supervision scale, one channel. -1 occurs only if the recipe has an ignore label.
    pub targets: Vec<Tensor>,
    /// Voxel weights at each deep-supervision scale, one channel, non-negative; `None` unless the recipe uses
    /// them.
    pub weights: Option<Vec<Tensor>>,
    /// The case of each sample.
    pub cases: Vec<String>,
    /// Epoch of the batch, counted from 0.
    pub epoch: u64,
    /// Iteration within the epoch, counted from 0.
    pub iteration: u64,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shapes = |tensors: &[Tensor]| tensors.iter().map(|t| t.shape.clone()).collect::<Vec<_>>();
        f.debug_struct("Batch")
            .field("data", &self.data.shape)
            .field("targets", &shapes(&self.targets))
            .field("weights", &self.weights.as_deref().map(shapes))
            .field("cases", &self.cases)
            .field("epoch", &self.epoch)
            .field("iteration", &self.iteration)
            .finish()
    }
}

/// Shapes of a batch's arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) data: Vec<usize>,
    pub(crate) targets: Vec<Vec<usize>>,
    pub(crate) weighted: bool,
}

impl Layout {
    /// Bytes of one batch.
    pub(crate) fn bytes(&self) -> usize {
        let count = |shape: &Vec<usize>| shape.iter().product::<usize>();
        let targets: usize = self.targets.iter().map(count).sum();
        (count(&self.data) + targets * (1 + usize::from(self.weighted))) * size_of::<f32>()
    }

    pub(crate) fn allocate(&self, source: &dyn BufferSource) -> Result<Batch, Error> {
        let targets = || {
            self.targets
                .iter()
                .map(|shape| Tensor::allocate(shape, source))
                .collect::<Result<_, _>>()
        };
        Ok(Batch {
            data: Tensor::allocate(&self.data, source)?,
            targets: targets()?,
            weights: if self.weighted { Some(targets()?) } else { None },
            cases: vec![String::new(); self.data[0]],
            epoch: 0,
            iteration: 0,
        })
    }

    /// Returns true if a batch has these shapes, so that its memory can be reused.
    pub(crate) fn fits(&self, batch: &Batch) -> bool {
        let same = |tensors: &[Tensor]| tensors.iter().map(|t| &t.shape).eq(&self.targets);
        batch.data.shape == self.data
            && same(&batch.targets)
            && batch
                .weights
                .as_deref()
                .map_or(!self.weighted, |weights| self.weighted && same(weights))
            && batch.cases.len() == self.data[0]
    }
}

/// One sample of a batch, as the output of the augmentation chain.
pub(crate) struct Slot<'a> {
    pub(crate) batch: &'a mut Batch,
    pub(crate) sample: usize,
}

impl Destination for Slot<'_> {
    fn data(&mut self) -> &mut [f32] {
        self.batch.data.sample(self.sample)
    }

    fn target(&mut self, scale: usize) -> &mut [f32] {
        self.batch
            .targets
            .get_mut(scale)
            .map(|t| t.sample(self.sample))
            .unwrap_or_default()
    }

    fn weight(&mut self, scale: usize) -> &mut [f32] {
        let weights = self.batch.weights.as_mut().and_then(|w| w.get_mut(scale));
        weights.map(|t| t.sample(self.sample)).unwrap_or_default()
    }
}
