//! The loader threads and their bounded queue.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use augment::Pipeline;
use run::{Cancel, Context, OptionError};
use sampling::{unpack, Collection, CollectionOptions};

use crate::batch::{Batch, Layout};
use crate::buffer::BufferSource;
use crate::error::Error;
use crate::format::Element;
use crate::labels::LabelRule;
use crate::maker::{scratch_bytes, Maker, Scratch};
use crate::memory::MemoryUse;
use crate::options::{patch_sizes, LoaderOptions, Phase};
use crate::queue::{Queue, Taken};
use crate::stage::Stage;

/// A loader with checked options and cases and known memory. Its threads are not running yet.
pub struct PreparedLoader {
    maker: Maker,
    layout: Layout,
    threads: usize,
    memory: MemoryUse,
    cancel: Cancel,
}

impl PreparedLoader {
    /// Checks the options, optionally unpacks the cases (with progress), and opens and checks all of them.
    ///
    /// If the folder cannot be written or is too small for the unpacked cases, their npz files are read, with
    /// the warning `WARN_NOT_UNPACKED`.
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
        let stage = Stage::open(options, context, unpack)?;
        let packed = stage.is_packed();
        let collection = Collection::open(
            &CollectionOptions {
                stage: stage.folder,
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
        let staging = layout.staging();
        let scratch = scratch_bytes(options, &pipeline, &sizes) + staging.as_ref().map_or(0, Layout::bytes);
        let memory = MemoryUse {
            batch: layout.bytes(),
            batches: threads + options.queue + 1,
            scratch: threads * scratch,
            sampling: collection.bytes(),
            cache: if packed {
                inflated_bytes(&collection, options, threads)
            } else {
                0
            },
        };
        if let Some(reason) = stage.not_unpacked {
            let message = format!(
                "the cases are not unpacked: {reason}; patches are cut from the npz files, which is slower and needs up to {} \
                 bytes of memory; --no-unpack does the same without trying",
                memory.cache
            );
            context.warn("WARN_NOT_UNPACKED", message, None);
        }
        let maker = Maker {
            options: options.clone(),
            labels: LabelRule::of(options),
            staging,
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

    /// Upper bound of the loader's memory.
    pub fn memory(&self) -> &MemoryUse {
        &self.memory
    }

    /// Upper bound of the loader's memory in bytes; [`MemoryUse::total`].
    pub fn estimated_bytes(&self) -> usize {
        self.memory.total()
    }

    /// The cases of the patches.
    pub fn collection(&self) -> &Collection {
        &self.maker.collection
    }

    /// The same loader, which only this flag stops.
    #[must_use]
    pub fn with_cancel(self, cancel: Cancel) -> Self {
        Self { cancel, ..self }
    }

    /// Allocates all batches from `buffers` and starts the threads.
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
            // On an error the loader is dropped, which ends the threads already started.
            let thread = builder.spawn(move || shared.work()).map_err(|e| Error::Thread {
                reason: e.to_string(),
            })?;
            loader.threads.push(thread);
        }
        Ok(loader)
    }
}

/// Returns batches in order while threads prepare the next ones. Dropping it stops the threads.
pub struct Loader {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    memory: MemoryUse,
    cancel: Cancel,
}

impl Loader {
    /// Combines [`PreparedLoader::open`] and [`PreparedLoader::start`].
    ///
    /// # Errors
    /// The errors of both.
    pub fn start(
        options: &LoaderOptions,
        buffers: Arc<dyn BufferSource>,
        context: &Context,
    ) -> Result<Self, Error> {
        PreparedLoader::open(options, context)?.start(buffers)
    }

    /// Returns the next batch of the schedule and waits for it if necessary. Return it with
    /// [`Loader::recycle`].
    ///
    /// # Errors
    /// The first error of the schedule, with its case, after all batches before it; later calls return it
    /// again. [`Error::Finished`] after the last epoch; [`Error::Cancelled`].
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

    /// Reuses the memory of a batch for a later one.
    pub fn recycle(&self, batch: Batch) {
        self.shared.recycle(batch);
    }

    /// Number of batches that [`Loader::next`] can return without waiting. 0 means that the consumer is
    /// faster.
    pub fn ready(&self) -> usize {
        self.shared.queue.ready()
    }

    /// Upper bound of the loader's memory.
    pub fn memory(&self) -> &MemoryUse {
        &self.memory
    }

    /// Upper bound of the loader's memory in bytes; [`MemoryUse::total`].
    pub fn estimated_bytes(&self) -> usize {
        self.memory.total()
    }

    /// The cases of the patches.
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

/// Memory of a loader with these options, from the options alone: without the sampling index, and without the cases that are
/// decompressed if they are not unpacked.
///
/// # Errors
/// [`Error::Option`] for invalid sizes.
pub fn expected_memory(options: &LoaderOptions, threads: usize) -> Result<MemoryUse, Error> {
    let pipeline = match options.phase {
        Phase::Training => Pipeline::training(&options.pipeline),
        Phase::Validation => Pipeline::validation(&options.pipeline),
    }
    .map_err(|e| Error::chain(None, e))?;
    let sizes = patch_sizes(&options.loaded_size(), &options.pipeline.patch_size)?;
    let layout = layout(options, &pipeline);
    let staging = layout.staging().as_ref().map_or(0, Layout::bytes);
    Ok(MemoryUse {
        batch: layout.bytes(),
        batches: threads + options.queue + 1,
        scratch: threads * (scratch_bytes(options, &pipeline, &sizes) + staging),
        sampling: 0,
        cache: 0,
    })
}

/// State shared by threads and loader.
struct Shared {
    maker: Maker,
    layout: Layout,
    buffers: Arc<dyn BufferSource>,
    queue: Queue<Batch, Error>,
    spare: Mutex<Vec<Batch>>,
}

impl Shared {
    /// Main loop of a thread: claims tickets and makes their batches until the queue ends.
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
            // The consumer keeps more than one batch.
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

/// Upper bound of the bytes of decompressed cases, with every case as large as the largest: the cache budget
/// (at least one case) plus one possibly evicted case per thread, at most all cases; and the working memory of
/// the threads that decompress a case.
fn inflated_bytes(collection: &Collection, options: &LoaderOptions, threads: usize) -> usize {
    let arrays = 1 + usize::from(options.previous_stage.is_some());
    let sizes = collection.cases().iter().map(|sampled| {
        let voxels: usize = sampled.case.shape().iter().product();
        (sampled.case.channels() + arrays) * voxels * size_of::<f32>()
    });
    let largest = sizes.max().unwrap_or(0);
    let in_threads = largest.saturating_mul(threads);
    let kept = options.cache_bytes.max(largest).saturating_add(in_threads);
    kept.min(largest * options.cases.len()).saturating_add(in_threads)
}

/// Shapes of a batch: axes (sample, channel, z, y, x), without z in 2D.
fn layout(options: &LoaderOptions, pipeline: &Pipeline) -> Layout {
    let skip = 3 - options.pipeline.patch_size.len();
    let shape = |channels: usize, size: [usize; 3]| {
        [options.made_samples().len(), channels]
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
        format: options.format,
        labels: match options.highest_label {
            Some(highest) => {
                let ignored = options.pipeline.ignore_label.unwrap_or_default();
                Element::of_labels(ignored.min(0), ignored.max(highest))
            }
            None => Element::Float32,
        },
    }
}
