//! Batches for a network.

use augment::Destination;
use ndarray::{ArrayViewD, IxDyn};

use crate::buffer::{Buffer, BufferSource};
use crate::error::Error;
use crate::format::{Element, Format};

/// A C-ordered array in memory of a [`BufferSource`].
pub struct Tensor {
    shape: Vec<usize>,
    element: Element,
    buffer: Box<dyn Buffer>,
}

impl Tensor {
    fn allocate(shape: &[usize], element: Element, source: &dyn BufferSource) -> Result<Self, Error> {
        let bytes = shape.iter().product::<usize>() * element.size();
        let length = bytes.div_ceil(size_of::<f32>());
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
            element,
            buffer,
        })
    }

    /// Length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Type of the values.
    pub fn element(&self) -> Element {
        self.element
    }

    /// The values in C order; none if they are not float32.
    pub fn as_slice(&self) -> &[f32] {
        match self.element {
            Element::Float32 => self.buffer.as_slice(),
            _ => &[],
        }
    }

    /// The values in C order; none if they are not float32.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        match self.element {
            Element::Float32 => self.buffer.as_mut_slice(),
            _ => &mut [],
        }
    }

    /// The bytes of the values in C order, each value in the machine's order.
    pub fn as_bytes(&self) -> &[u8] {
        let length = self.shape.iter().product::<usize>() * self.element.size();
        let bytes: &[u8] = bytemuck::cast_slice(self.buffer.as_slice());
        bytes.get(..length).unwrap_or_default()
    }

    /// The array; `None` if the values are not float32.
    pub fn view(&self) -> Option<ArrayViewD<'_, f32>> {
        ArrayViewD::from_shape(IxDyn(&self.shape), self.as_slice()).ok()
    }

    /// Whether all values of sample `index` are finite.
    fn is_finite(&self, index: usize) -> bool {
        let bytes = self.shape[1..].iter().product::<usize>() * self.element.size();
        let sample = self.as_bytes().get(index * bytes..(index + 1) * bytes);
        self.element.is_finite(sample.unwrap_or_default())
    }

    /// The float32 values of sample `index` of the first axis.
    fn sample(&mut self, index: usize) -> &mut [f32] {
        let length: usize = self.shape[1..].iter().product();
        self.as_mut_slice()
            .get_mut(index * length..(index + 1) * length)
            .unwrap_or_default()
    }

    /// Converts the values of the only sample of `from` into sample `index`.
    fn pack(&mut self, index: usize, from: &Self) {
        let (element, length) = (self.element, self.shape[1..].iter().product::<usize>());
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(self.buffer.as_mut_slice());
        let sample = index * length * element.size()..(index + 1) * length * element.size();
        if let Some(to) = bytes.get_mut(sample) {
            element.pack(from.as_slice(), to);
        }
    }
}

/// One batch. Axes are (sample, channel, z, y, x) in 3D and (sample, channel, y, x) in 2D.
pub struct Batch {
    /// The network's input.
    pub data: Tensor,
    /// Labels at each deep-supervision scale, finest first, one channel; in [`Format::Compact`] only the
    /// finest. -1 occurs only if the recipe has an ignore label.
    pub targets: Vec<Tensor>,
    /// Voxel weights at each deep-supervision scale, one channel, non-negative; `None` unless the recipe uses
    /// them.
    pub weights: Option<Vec<Tensor>>,
    /// Whether a voxel of the finest targets has a label that is not ignored.
    pub annotated: bool,
    /// The case of each sample.
    pub cases: Vec<String>,
    /// Epoch of the batch, counted from 0.
    pub epoch: u64,
    /// Iteration within the epoch, counted from 0.
    pub iteration: u64,
}

impl Batch {
    /// The cases whose images or weights have values that are not finite.
    pub fn non_finite_cases(&self) -> Vec<&str> {
        let tensors = || std::iter::once(&self.data).chain(self.weights.iter().flatten());
        let affected = |index: &usize| !tensors().all(|tensor| tensor.is_finite(*index));
        let cases = (0..self.cases.len())
            .filter(affected)
            .map(|index| self.cases[index].as_str());
        let mut cases: Vec<_> = cases.collect();
        cases.sort_unstable();
        cases.dedup();
        cases
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shapes = |tensors: &[Tensor]| tensors.iter().map(|t| t.shape.clone()).collect::<Vec<_>>();
        f.debug_struct("Batch")
            .field("data", &self.data.shape)
            .field("targets", &shapes(&self.targets))
            .field("weights", &self.weights.as_deref().map(shapes))
            .field("annotated", &self.annotated)
            .field("cases", &self.cases)
            .field("epoch", &self.epoch)
            .field("iteration", &self.iteration)
            .finish()
    }
}

/// Shapes and types of a batch's arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) data: Vec<usize>,
    /// Every scale, finest first.
    pub(crate) targets: Vec<Vec<usize>>,
    pub(crate) weighted: bool,
    pub(crate) format: Format,
    /// Type of labels in a compact batch.
    pub(crate) labels: Element,
}

impl Layout {
    /// Bytes of one batch.
    pub(crate) fn bytes(&self) -> usize {
        let count = |shape: &Vec<usize>| shape.iter().product::<usize>();
        let weights: usize = self.targets.iter().map(count).sum::<usize>() * size_of::<f32>();
        let targets: usize = self.kept_targets().iter().map(count).sum();
        count(&self.data) * self.image().size()
            + targets * self.label().size()
            + weights * usize::from(self.weighted)
    }

    /// The full batch of one sample from which a sample of a compact batch is made.
    pub(crate) fn staging(&self) -> Option<Self> {
        let single = |shape: &Vec<usize>| std::iter::once(1).chain(shape.iter().skip(1).copied()).collect();
        (self.format != Format::Full).then(|| Self {
            data: single(&self.data),
            targets: self.targets.iter().map(single).collect(),
            format: Format::Full,
            ..*self
        })
    }

    fn image(&self) -> Element {
        match self.format {
            Format::Full => Element::Float32,
            Format::Compact { image } => image,
        }
    }

    fn label(&self) -> Element {
        match self.format {
            Format::Full => Element::Float32,
            Format::Compact { .. } => self.labels,
        }
    }

    fn kept_targets(&self) -> &[Vec<usize>] {
        match self.format {
            Format::Full => &self.targets,
            Format::Compact { .. } => self.targets.get(..1).unwrap_or_default(),
        }
    }

    pub(crate) fn allocate(&self, source: &dyn BufferSource) -> Result<Batch, Error> {
        let all = |shapes: &[Vec<usize>], element| {
            shapes
                .iter()
                .map(|shape| Tensor::allocate(shape, element, source))
                .collect::<Result<_, _>>()
        };
        Ok(Batch {
            data: Tensor::allocate(&self.data, self.image(), source)?,
            targets: all(self.kept_targets(), self.label())?,
            weights: if self.weighted {
                Some(all(&self.targets, Element::Float32)?)
            } else {
                None
            },
            annotated: false,
            cases: vec![String::new(); self.data[0]],
            epoch: 0,
            iteration: 0,
        })
    }

    /// Returns true if a batch has these shapes and types, so that its memory can be reused.
    pub(crate) fn fits(&self, batch: &Batch) -> bool {
        let same = |tensors: &[Tensor], shapes: &[Vec<usize>], element| {
            tensors.iter().map(|t| &t.shape).eq(shapes) && tensors.iter().all(|t| t.element == element)
        };
        batch.data.shape == self.data
            && batch.data.element == self.image()
            && same(&batch.targets, self.kept_targets(), self.label())
            && batch.weights.as_deref().map_or(!self.weighted, |weights| {
                self.weighted && same(weights, &self.targets, Element::Float32)
            })
            && batch.cases.len() == self.data[0]
    }
}

impl Batch {
    /// Converts `from`, a full batch of one sample, into sample `index` of this one.
    pub(crate) fn pack(&mut self, index: usize, from: &Self) {
        self.data.pack(index, &from.data);
        for (to, from) in self.targets.iter_mut().zip(&from.targets) {
            to.pack(index, from);
        }
        let weights = self.weights.iter_mut().flatten();
        for (to, from) in weights.zip(from.weights.iter().flatten()) {
            to.pack(index, from);
        }
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
