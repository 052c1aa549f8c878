//! Makes one batch, as a pure function of epoch and iteration.

use augment::{Destination, Params, Pipeline, Sample, SpatialParams, Workspace};
use random::{Purpose, Rng};
use sampling::{Collection, PatchBox, PatchSizes, Placement, SampledCase};
use volume::UNLABELLED;

use crate::batch::{Batch, Layout, Slot};
use crate::buffer::HeapBuffers;
use crate::error::Error;
use crate::labels::LabelRule;
use crate::options::LoaderOptions;

/// Maximum attempts to draw a transform that leaves an annotated voxel in the patch. After them the patch is
/// only cropped, which always keeps the drawn voxel.
const ATTEMPTS: u64 = 8;

/// Memory of a thread, reused from batch to batch.
#[derive(Default)]
pub(crate) struct Scratch {
    params: Params,
    pub(crate) sample: Sample,
    workspace: Workspace,
    /// A sample before it becomes part of a compact batch.
    staged: Option<Batch>,
}

/// State shared by all threads.
pub(crate) struct Maker {
    pub(crate) options: LoaderOptions,
    pub(crate) collection: Collection,
    pub(crate) pipeline: Pipeline,
    pub(crate) labels: LabelRule,
    /// Layout of a staged sample, for compact batches.
    pub(crate) staging: Option<Layout>,
}

/// Key of a sample's random numbers.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    seed: u64,
    pub(crate) epoch: u64,
    pub(crate) iteration: u64,
    pub(crate) sample: u64,
}

impl Key {
    fn stream(&self, purpose: Purpose) -> Rng {
        Rng::keyed(self.seed, purpose, self.epoch, self.iteration, self.sample)
    }

    /// The random stream of one attempt at the transforms. The sample number fits into the low half of its
    /// word.
    fn transforms(&self, attempt: u64) -> Rng {
        let sample = self.sample | (attempt << 32);
        Rng::keyed(
            self.seed,
            Purpose::TrainingTransform,
            self.epoch,
            self.iteration,
            sample,
        )
    }
}

/// Case, position and centre of one sample.
pub(crate) struct Job<'a> {
    pub(crate) key: Key,
    pub(crate) case: &'a SampledCase,
    pub(crate) placement: Placement,
    center: Option<[f64; 3]>,
}

impl Maker {
    /// Fills `batch` with the batch of an epoch and iteration.
    pub(crate) fn make(
        &self,
        epoch: u64,
        iteration: u64,
        scratch: &mut Scratch,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        (batch.epoch, batch.iteration, batch.annotated) = (epoch, iteration, false);
        for (slot, sample) in self.options.made_samples().enumerate() {
            let key = Key {
                seed: self.options.seed,
                epoch,
                iteration,
                sample: sample as u64,
            };
            let case = self
                .collection
                .draw_case(&mut key.stream(self.options.phase.cases()));
            let mut stream = key.stream(self.options.phase.patches());
            let placement = self.collection.draw_placement(case, sample, &mut stream);
            let mut job = Job {
                key,
                case,
                placement,
                center: None,
            };
            job.center = self.fork_center(&job, &mut stream, scratch)?;
            batch.cases[slot].clear();
            batch.cases[slot].push_str(case.case.name());
            self.fill(&job, scratch, batch, slot)?;
        }
        Ok(())
    }

    /// Makes a sample of `batch` and checks its labels.
    fn fill(
        &self,
        job: &Job<'_>,
        scratch: &mut Scratch,
        batch: &mut Batch,
        sample: usize,
    ) -> Result<(), Error> {
        let Some(layout) = &self.staging else {
            let mut slot = Slot { batch, sample };
            self.make_sample(job, scratch, &mut slot)?;
            let annotated = self.labels.check(slot.target(0), job.case.case.name())?;
            batch.annotated |= annotated;
            return Ok(());
        };
        let mut staged = match scratch.staged.take() {
            Some(staged) => staged,
            None => layout.allocate(&HeapBuffers)?,
        };
        let mut slot = Slot {
            batch: &mut staged,
            sample: 0,
        };
        self.make_sample(job, scratch, &mut slot)?;
        batch.annotated |= self.labels.check(slot.target(0), job.case.case.name())?;
        batch.pack(sample, &staged);
        scratch.staged = Some(staged);
        Ok(())
    }

    fn make_sample(&self, job: &Job<'_>, scratch: &mut Scratch, slot: &mut Slot<'_>) -> Result<(), Error> {
        self.pipeline
            .draw(&mut job.key.transforms(0), &mut scratch.params);
        self.read(job, scratch)?;
        self.apply(job, scratch, slot)?;
        let keep = self
            .options
            .sampling
            .annotated()
            .is_some_and(|options| options.keep_annotated);
        let is_bare = |labels: &[f32]| labels.iter().all(|label| *label == f32::from(UNLABELLED));
        if !keep || scratch.params.spatial.is_identity() || !is_bare(slot.target(0)) {
            return Ok(());
        }
        for attempt in 1..=ATTEMPTS {
            if attempt == ATTEMPTS {
                scratch.params.spatial = SpatialParams::default();
            } else {
                self.pipeline
                    .draw_spatial(&mut job.key.transforms(attempt), &mut scratch.params.spatial);
            }
            self.read(job, scratch)?;
            let Scratch {
                params,
                sample,
                workspace,
                ..
            } = &mut *scratch;
            let kept = self
                .pipeline
                .keeps_annotation(&params.spatial, job.center, sample, workspace);
            if attempt == ATTEMPTS || kept.map_err(|e| job.error(e))? {
                break;
            }
        }
        self.apply(job, scratch, slot)
    }

    fn apply(&self, job: &Job<'_>, scratch: &mut Scratch, slot: &mut Slot<'_>) -> Result<(), Error> {
        let Scratch {
            params,
            sample,
            workspace,
            ..
        } = scratch;
        self.pipeline
            .apply(params, job.center, sample, workspace, slot)
            .map_err(|e| job.error(e))
    }

    /// Reads the window of the loaded patch that the drawn parameters need.
    fn read(&self, job: &Job<'_>, scratch: &mut Scratch) -> Result<(), Error> {
        let full = job.placement.loaded.size;
        let window = self.pipeline.window(&scratch.params, full, job.center);
        let start = window.clone().map(|range| range.start);
        self.read_window(job, start, window.map(|range| range.len()), &mut scratch.sample)
    }

    pub(crate) fn read_window(
        &self,
        job: &Job<'_>,
        start: [usize; 3],
        size: [usize; 3],
        sample: &mut Sample,
    ) -> Result<(), Error> {
        let (case, [z, y, x]) = (&job.case.case, size);
        let Placement { loaded, .. } = &job.placement;
        sample.data.reshape([case.channels(), z, y, x]);
        sample.seg.reshape([case.label_channels(), z, y, x]);
        if self.options.pipeline.weightmap {
            sample.weightmap.get_or_insert_default().reshape([1, z, y, x]);
        }
        (sample.start, sample.full) = (start, loaded.size);
        let lower = std::array::from_fn(|d| loaded.lower[d] + start[d] as i64);
        let weights = sample.weightmap.as_mut().map(|map| map.values_mut());
        case.read(
            &PatchBox { lower, size },
            sample.data.values_mut(),
            sample.seg.values_mut(),
            weights,
        )?;
        Ok(())
    }
}

impl Job<'_> {
    fn error(&self, source: augment::Error) -> Error {
        Error::chain(Some(self.case.case.name()), source)
    }
}

/// Upper bound of a thread's memory besides batches: the largest window of a loaded patch, and the workspace
/// of the chain.
pub(crate) fn scratch_bytes(options: &LoaderOptions, pipeline: &Pipeline, sizes: &PatchSizes) -> usize {
    let read = &options.pipeline;
    let labels = size_of::<i16>() * (1 + usize::from(read.cascade.is_some()));
    let weights = size_of::<f32>() * usize::from(read.weightmap);
    let image = size_of::<f32>() * read.channels;
    sizes.loaded.iter().product::<usize>() * (image + labels + weights)
        + pipeline.workspace_bytes(sizes.loaded)
}
