//! Batches on their way to the device.

use loader::{Batch, Element};
use tch::{Device, Kind, Tensor};

use super::targets::Coarser;
use crate::Result;
use engine::loss::merge_absent;
use engine::{Upload, Uploads};

/// A batch on its way to the device.
pub(crate) struct Input {
    /// Image, targets, weights.
    pub(super) tensors: Upload,
    pub(super) targets: usize,
    /// Whether any voxel is annotated.
    pub annotated: bool,
    /// The classes that each sample is annotated for, (b, classes), if a sample is not annotated for all.
    pub present: Option<Tensor>,
}

/// A batch on the device.
pub(crate) struct Arrived {
    pub data: Tensor,
    /// Labels at the scales of the loss, finest first.
    pub targets: Vec<Tensor>,
    pub weights: Option<Vec<Tensor>>,
    pub present: Option<Tensor>,
}

impl Arrived {
    /// The outputs of the network, in which classes that a sample is not annotated for are background.
    pub fn merged(&self, outputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        match &self.present {
            None => Ok(outputs),
            Some(present) => Ok(outputs
                .iter()
                .map(|one| merge_absent(one, present))
                .collect::<engine::Result<_>>()?),
        }
    }
}

/// Copies batches to the device.
pub(crate) struct Intake {
    pub(super) uploads: Uploads,
    is_cuda: bool,
    /// Number of scales of the loss.
    scales: usize,
    coarser: Coarser,
}

impl Intake {
    /// Batches for `scales` outputs of a network whose parameters are where `like` is. `sources` has, for
    /// each scale and axis, the voxels of the finest target that the scale's target consists of.
    pub fn new(like: &Tensor, scales: usize, sources: &[Vec<Vec<u32>>]) -> Result<Self> {
        let used = sources.get(..scales.min(sources.len())).unwrap_or_default();
        Ok(Self {
            uploads: Uploads::new(like)?,
            is_cuda: like.device().is_cuda(),
            scales,
            coarser: Coarser::new(used, like.device())?,
        })
    }

    /// Starts to copy a batch. For CUDA the batch may be recycled once the results of the iteration that uses
    /// it were read: it is in page-locked memory, which is copied while the iteration before runs.
    pub fn take(&self, batch: &Batch) -> Result<Input> {
        let targets = batch.targets.iter().take(self.scales);
        let weights = batch.weights.iter().flatten().take(self.scales);
        let all = std::iter::once(&batch.data).chain(targets.clone()).chain(weights);
        let host = all.map(|t| self.host(t)).collect::<Result<Vec<_>>>()?;
        Ok(Input {
            tensors: self.uploads.start(&host)?,
            targets: targets.len(),
            annotated: batch.annotated,
            present: None,
        })
    }

    /// The tensors of a batch. A compact batch has only the finest target; the others are made of it.
    pub fn arrive(&self, input: Input) -> Result<Arrived> {
        let present = input.present;
        let mut tensors = input.tensors.finish()?.into_iter();
        let data = tensors
            .next()
            .ok_or_else(|| engine::Error::network("a batch without an image"))?;
        let mut targets: Vec<Tensor> = tensors.by_ref().take(input.targets).collect();
        if let ([finest], true) = (&targets[..], self.scales > 1) {
            targets = self.coarser.targets(finest)?;
        }
        let weights: Vec<Tensor> = tensors.collect();
        Ok(Arrived {
            data,
            targets,
            weights: Some(weights).filter(|w| !w.is_empty()),
            present,
        })
    }

    /// Values of a batch as a tensor in host memory: a copy, or for CUDA a view.
    fn host(&self, values: &loader::Tensor) -> Result<Tensor> {
        let shape: Vec<i64> = values.shape().iter().map(|&n| n as i64).collect();
        let (bytes, kind) = (values.as_bytes(), kind_of(values.element()));
        if !self.is_cuda {
            return Ok(Tensor::f_from_data_size(bytes, &shape, kind)?);
        }
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        // SAFETY: `bytes` are as many values of this kind in C order as the shape requires, aligned for
        // float32. The view is only read, by copies to the device that the caller starts at once. The batch
        // outlives them: the run loop recycles it after it read the iteration's results. On an error before,
        // the batch is dropped, and libtorch's allocator of page-locked memory keeps a freed block until its
        // copies have finished.
        Ok(unsafe { Tensor::f_from_blob(bytes.as_ptr(), &shape, &strides, kind, Device::Cpu) }?)
    }
}

fn kind_of(element: Element) -> Kind {
    match element {
        Element::Float32 => Kind::Float,
        Element::Float16 => Kind::Half,
        Element::BFloat16 => Kind::BFloat16,
        Element::Int8 => Kind::Int8,
        Element::UInt8 => Kind::Uint8,
    }
}

#[cfg(test)]
mod tests {
    use loader::{Format, LoaderOptions, Phase};

    use super::*;
    use crate::setup::Setup;
    use crate::tests::Task;

    #[test]
    fn targets_made_on_the_device_equal_the_loader_s() {
        let task = Task::new();
        for trainer in [
            "nnUNetTrainerV2",
            "nnUNetTrainerV2Sparse",
            "nnUNetTrainerV2Weighted",
        ] {
            let options = task.options(trainer, "results");
            let context = run::Context::silent(1);
            let setup = Setup::new(&options, std::time::Instant::now(), &context).unwrap();
            let sources = setup.target_sources().unwrap();
            let intake = Intake::new(
                &Tensor::zeros([1], (Kind::Float, Device::Cpu)),
                sources.len(),
                &sources,
            );
            let intake = intake.unwrap();
            let full = LoaderOptions {
                format: Format::Full,
                ..setup.loader(&options, Phase::Training, 0, 0)
            };
            let compact = LoaderOptions {
                format: Format::Compact {
                    image: Element::BFloat16,
                },
                ..full.clone()
            };
            let [full, compact] = [full, compact].map(|options| {
                let loader =
                    loader::Loader::start(&options, std::sync::Arc::new(loader::HeapBuffers), &context);
                loader.unwrap()
            });
            for _ in 0..3 {
                let [expected, found] = [&full, &compact].map(|loader| {
                    let batch = loader.next().unwrap();
                    intake.arrive(intake.take(&batch).unwrap()).unwrap()
                });
                assert_eq!(found.data, expected.data.to_kind(Kind::BFloat16));
                assert!(found.targets.len() > 1);
                assert_eq!(found.targets.len(), expected.targets.len());
                for (found, expected) in found.targets.iter().zip(&expected.targets) {
                    assert_ne!(found.kind(), Kind::Float);
                    assert_eq!(&found.to_kind(Kind::Float), expected);
                }
                assert_eq!(found.weights, expected.weights, "{trainer}");
            }
        }
    }
}
