//! Patch centres as in DIAG's fork, for comparison with its results.

use random::Rng;
use sampling::{draw_fork_centre, Sampling};

use crate::error::Error;
use crate::maker::{Job, Maker, Scratch};
use crate::options::Phase;

impl Maker {
    /// Draws the centre of a training patch with the fork's sampling rule, in voxels of the loaded patch;
    /// `None` with any other rule. In dummy 2D, as in the fork, only the first slice is used.
    ///
    /// # Errors
    /// [`Error::NoAnnotationInPatch`] if the loaded patch has no annotated voxel.
    pub(crate) fn fork_center(
        &self,
        job: &Job<'_>,
        stream: &mut Rng,
        scratch: &mut Scratch,
    ) -> Result<Option<[f64; 3]>, Error> {
        let (Sampling::Fork { .. }, Phase::Training) = (self.options.sampling, self.options.phase) else {
            return Ok(None);
        };
        let loaded = job.placement.loaded.size;
        self.read_window(job, [0; 3], loaded, &mut scratch.sample)?;
        let slices = if self.options.pipeline.dummy_2d {
            1
        } else {
            loaded[0]
        };
        let patch = self.collection.sizes().network;
        let center = draw_fork_centre(scratch.sample.seg.values(), loaded, slices, patch, stream);
        match center {
            Some(center) => Ok(Some(center)),
            None => Err(Error::NoAnnotationInPatch {
                case: job.case.case.name().to_owned(),
                epoch: job.key.epoch,
                iteration: job.key.iteration,
                sample: job.key.sample as usize,
            }),
        }
    }
}
