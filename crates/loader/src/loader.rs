//! Threads that sample and augment into a bounded queue.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use augment::Pipeline;
use run::{Cancel, Context, OptionError};
use sampling::{unpack, Collection, CollectionOptions, PackedCache, StageFolder};

use crate::batch::{Batch, Layout};
use crate::buffer::BufferSource;
use crate::error::Error;
use crate::maker::{scratch_bytes, Maker, Scratch};
use crate::memory::MemoryUse;
use crate::options::{patch_sizes, LoaderOptions, Phase};
use crate::queue::{Queue, Taken};

/// A loader whose options and cases were checked, and whose memory is known, before its threads start.
pub struct PreparedLoader {
    maker: Maker,
    layout: Layout,
    threads: usize,
    memory: MemoryUse,
    cancel: Cancel,
}

impl PreparedLoader {
    /// Checks the options, unpacks the cases where asked for (with progress), opens and checks them all.
    ///
    /// # Errors
    /// [`Error::Option`], [`Error::Augment`], [`Error::Sampling`]; see [`sampling::Collection::open`] and
    /// [`sampling::unpack`].
    pub fn open(options: &LoaderOptions, context: &Context) -> Result<Self, Error> {
        options.check()?;
        let pipeline = match options.phase {
            Phase::Training => Pipeline::training(&options.pipeline),
            Phase::Validation => Pipeline::validation(&options.pipeline),
        }
        .map_err(|e| Error::chain(None, e))?;
        let sizes = patch_sizes(&options.loaded_size(), &options.pipeline.patch_size)?;
        let cache = (!options.unpack).then(|| Arc::new(PackedCache::new(options.cache_bytes)));
        let stage = StageFolder {
            folder: options.folder.clone(),
            previous_stage: options.previous_stage.clone(),
            weightmaps: options.pipeline.weightmap,
            packed: cache,
        };
        if options.unpack {
            unpack(&options.cases, &stage, context)?;
        }
        let collection = Collection::open(
            &CollectionOptions {
                stage,
                cases: options.cases.clone(),
                sampling: options.sampling,
                ignore_label: options.pipeline.ignore_label.is_some(),
                reference_rules: options.pipeline.reference_rules,
                batch_size: options.batch_size,
                sizes,
            },
            context,
        )?;
        let found = collection.channels();
        if found != options.pipeline.channels {
            return Err(OptionError::expected(
                "channels",
                format!(
                    "{found}, the image channels of the cases in {}",
                    options.folder.display()
                ),
                options.pipeline.channels.to_string(),
            )
            .into());
        }
        let layout = layout(options, &pipeline);
        let threads = if options.threads == 0 {
            context.workers()
        } else {
            options.threads
        };
        let scratch = scratch_bytes(options, &pipeline, &sizes);
        let memory = MemoryUse {
            batch: layout.bytes(),
            batches: threads + options.queue + 1,
            scratch: threads * scratch,
            sampling: collection.bytes(),
            cache: if options.unpack {
                0
            } else {
                inflated_bytes(&collection, options, threads)
            },
        };
        let maker = Maker {
            options: options.clone(),
            collection,
            pipeline,
        };
        Ok(Self {
            maker,
            layout,
            threads,
            memory,
            cancel: context.cancel().clone(),
        })
    }

    /// Memory that the loader will hold at most.
    pub fn memory(&self) -> &MemoryUse {
        &self.memory
    }

    /// Bytes that the loader will hold at most; [`MemoryUse::total`].
    pub fn estimated_bytes(&self) -> usize {
        self.memory.total()
    }

    /// The cases that patches are drawn from.
    pub fn collection(&self) -> &Collection {
        &self.maker.collection
    }

    /// Allocates all batches from `buffers`, so that none has to be later, and starts the threads.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Thread`].
    pub fn start(self, buffers: Arc<dyn BufferSource>) -> Result<Loader, Error> {
        let queue = Queue::new(
            self.threads + self.maker.options.queue,
            self.maker.options.tickets(),
        );
        let spare: Vec<Batch> = (0..self.memory.batches)
            .map(|_| self.layout.allocate(buffers.as_ref()))
            .collect::<Result<_, _>>()?;
        let shared = Arc::new(Shared {
            maker: self.maker,
            layout: self.layout,
            buffers,
            queue,
            spare: Mutex::new(spare),
        });
        let mut loader = Loader {
            shared,
            threads: Vec::new(),
            memory: self.memory,
            cancel: self.cancel,
        };
        for number in 0..self.threads {
            let shared = loader.shared.clone();
            let builder = std::thread::Builder::new().name(format!("loader-{number}"));
            // A failure drops the loader, which ends the threads that did start.
            let thread = builder.spawn(move || shared.work()).map_err(|e| Error::Thread {
                reason: e.to_string(),
            })?;
            loader.threads.push(thread);
        }
        Ok(loader)
    }
}

/// Delivers batches in order while threads make the next ones. Dropping it stops the threads.
pub struct Loader {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    memory: MemoryUse,
    cancel: Cancel,
}

impl Loader {
    /// [`PreparedLoader::open`] and [`PreparedLoader::start`] in one.
    ///
    /// # Errors
    /// Those of both.
    pub fn start(
        options: &LoaderOptions,
        buffers: Arc<dyn BufferSource>,
        context: &Context,
    ) -> Result<Self, Error> {
        PreparedLoader::open(options, context)?.start(buffers)
    }

    /// The next batch of the schedule; waits until it is made. Give it back with [`Loader::recycle`].
    ///
    /// # Errors
    /// The first error of the schedule, with its case, once all batches before it were delivered, and from then on always;
    /// [`Error::Finished`] after the last epoch; [`Error::Cancelled`].
    pub fn next(&self) -> Result<Batch, Error> {
        self.cancel.check()?;
        match self.shared.queue.take(|| self.cancel.is_cancelled()) {
            Taken::Item(batch) => Ok(batch),
            Taken::Failed(error) => Err(error),
            Taken::Finished => Err(Error::Finished {
                epochs: self.shared.maker.options.epochs.unwrap_or_default(),
            }),
            Taken::Stopped => Err(run::Cancelled.into()),
        }
    }

    /// Takes back a batch whose content is no longer needed, so that its memory serves for a later one.
    pub fn recycle(&self, batch: Batch) {
        self.shared.recycle(batch);
    }

    /// Batches that [`Loader::next`] would give without waiting; 0 while the consumer outruns the loader.
    pub fn ready(&self) -> usize {
        self.shared.queue.ready()
    }

    /// Memory that the loader holds at most.
    pub fn memory(&self) -> &MemoryUse {
        &self.memory
    }

    /// Bytes that the loader holds at most; [`MemoryUse::total`].
    pub fn estimated_bytes(&self) -> usize {
        self.memory.total()
    }

    /// The cases that patches are drawn from.
    pub fn collection(&self) -> &Collection {
        &self.shared.maker.collection
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.shared.queue.stop();
        for thread in self.threads.drain(..) {
            // A panic was already reported as the error of its batch.
            let _ = thread.join();
        }
    }
}

/// What threads and loader share.
struct Shared {
    maker: Maker,
    layout: Layout,
    buffers: Arc<dyn BufferSource>,
    queue: Queue<Batch, Error>,
    spare: Mutex<Vec<Batch>>,
}

impl Shared {
    /// What a thread does: claims tickets and makes their batches, until no more are wanted.
    fn work(&self) {
        let mut scratch = Scratch::default();
        while let Some(ticket) = self.queue.claim() {
            let (epoch, iteration) = self.maker.options.schedule(ticket);
            let made = run::catch(|| self.make(epoch, iteration, &mut scratch));
            let made = made.unwrap_or_else(|panicked| {
                Err(Error::Internal {
                    epoch,
                    iteration,
                    reason: panicked.words,
                })
            });
            self.queue.put(ticket, made);
        }
    }

    fn make(&self, epoch: u64, iteration: u64, scratch: &mut Scratch) -> Result<Batch, Error> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut batch = match spare {
            Some(batch) => batch,
            // The consumer keeps more than one.
            None => self.layout.allocate(self.buffers.as_ref())?,
        };
        self.maker.make(epoch, iteration, scratch, &mut batch)?;
        Ok(batch)
    }

    fn recycle(&self, batch: Batch) {
        if self.layout.fits(&batch) {
            self.spare
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(batch);
        }
    }
}

/// Bytes of inflated cases, each taken for as large as the largest: what the cache may keep, and one case that each thread
/// reads from, which may have been dropped there; never more than all of them.
fn inflated_bytes(collection: &Collection, options: &LoaderOptions, threads: usize) -> usize {
    let arrays = 1 + usize::from(options.previous_stage.is_some());
    let sizes = collection.cases().iter().map(|sampled| {
        let voxels: usize = sampled.case.shape().iter().product();
        (sampled.case.channels() + arrays) * voxels * size_of::<f32>()
    });
    let largest = sizes.max().unwrap_or(0);
    let kept = options
        .cache_bytes
        .saturating_add(largest.saturating_mul(threads));
    kept.min(largest * options.cases.len())
}

/// Shapes of a batch: axes (sample, channel, z, y, x), without z in 2D.
fn layout(options: &LoaderOptions, pipeline: &Pipeline) -> Layout {
    let skip = 3 - options.pipeline.patch_size.len();
    let shape = |channels: usize, size: [usize; 3]| {
        [options.batch_size, channels]
            .into_iter()
            .chain(size.into_iter().skip(skip))
            .collect()
    };
    Layout {
        data: shape(pipeline.output_channels(), pipeline.patch()),
        targets: pipeline
            .target_sizes()
            .iter()
            .map(|size| shape(1, *size))
            .collect(),
        weighted: options.pipeline.weightmap,
    }
}
