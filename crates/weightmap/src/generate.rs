//! The verb: a weightmap for every case of a folder.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::time::Instant;

use half::f16;
use ndarray::Axis;
use rayon::{ThreadPool, ThreadPoolBuilder};
use run::{CaseFailure, Context, Event};
use serde::Serialize;
use serde_json::json;
use volume::npy;

use crate::classes::{Classes, UNLABELLED};
use crate::discover::{self, Case};
use crate::labels::{Counts, Labels};
use crate::map::make;
use crate::properties::Properties;
use crate::{read, Dtype, Error, Frequencies, Options, Parameters, Weight};

/// What a run did.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WeightmapsSummary")]
pub struct Summary {
    /// Files that matched.
    pub cases: usize,
    /// Maps written.
    pub written: usize,
    /// Cases left alone because their map exists.
    pub skipped: usize,
    /// Cases that failed, in the order of their files.
    pub failures: Vec<CaseFailure>,
    /// Folder of the maps; absent when they lie beside their cases.
    pub output_dir: Option<PathBuf>,
    /// The classes used.
    pub classes: Vec<i64>,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// Writes `<case>_weightmap.npy`, of shape (1, z, y, x), for every case of a folder; each file appears whole or not at all.
///
/// A case that fails is reported in the summary (and by a warning event) while the others go on. Cases are worked on in
/// parallel, `context.workers()` at a time; each takes less than four float32 volumes of memory. The result depends
/// neither on that number nor on the order.
///
/// # Errors
/// [`Error::Option`], [`Error::NotFound`], [`Error::Folder`], [`Error::NoCases`], [`Error::NoClasses`], [`Error::DatasetJson`],
/// [`Error::UnknownClass`], [`Error::Class`], [`Error::TooManyClasses`] before anything is written; [`Error::Cancelled`].
pub fn generate(options: &Options, context: &Context) -> Result<Summary, Error> {
    let start = Instant::now();
    run::validate(options)?;
    let cases = discover::cases(options)?;
    let classes = discover::classes(options)?;
    let passes = match options.frequencies {
        Frequencies::Case => 1,
        Frequencies::Dataset => 2,
    };
    let run = Run {
        options,
        context,
        classes: Classes::new(&classes, options.compat)?,
        total: cases.len() * passes,
        done: AtomicUsize::new(0),
    };
    if let Some(path) = &options.output_dir {
        fs::create_dir_all(path).map_err(|source| Error::Folder {
            action: "create",
            folder: path.clone(),
            source,
        })?;
    }
    let settings =
        json!({ "options": options, "classes": classes, "cases": cases.len(), "workers": context.workers() });
    context.emit(Event::Started {
        verb: "weightmaps",
        settings,
    });
    let weights = match options.frequencies {
        Frequencies::Case => None,
        Frequencies::Dataset => Some(run.dataset_weights(&cases)?),
    };
    let outcomes = run.each(&cases, |case| {
        run.one(case, weights.as_ref())
            .map_err(|error| error.in_file(&case.path))
            .inspect_err(|error| context.warn("WARN_CASE_FAILED", error.to_string(), Some(&case.name)))
    })?;
    let mut summary = Summary {
        cases: cases.len(),
        written: 0,
        skipped: 0,
        failures: Vec::new(),
        output_dir: options.output_dir.clone(),
        classes,
        seconds: 0.0,
    };
    for (case, outcome) in cases.iter().zip(outcomes) {
        match outcome {
            Ok(Outcome::Written) => summary.written += 1,
            Ok(Outcome::Skipped) => summary.skipped += 1,
            Err(error) => summary.failures.push(CaseFailure::new(&case.name, &error)),
        }
    }
    summary.seconds = start.elapsed().as_secs_f64();
    Ok(summary)
}

enum Outcome {
    Written,
    Skipped,
}

struct Run<'a> {
    options: &'a Options,
    context: &'a Context,
    classes: Classes,
    /// Cases to go through, in all passes.
    total: usize,
    done: AtomicUsize,
}

impl Run<'_> {
    /// Does `work` for every case and collects what came of it, in order.
    ///
    /// Every worker takes one case at a time and has its own pool: in a shared one, a thread that waits for a part of its
    /// case would start another case meanwhile, and memory would grow with the depth of that.
    fn each<T: Send>(
        &self,
        cases: &[Case],
        work: impl Fn(&Case) -> Result<T, Error> + Sync,
    ) -> Result<Vec<Result<T, Error>>, Error> {
        let workers = self.context.workers().min(cases.len()).max(1);
        let outcomes: Vec<Mutex<Option<Result<T, Error>>>> = cases.iter().map(|_| Mutex::new(None)).collect();
        let next = AtomicUsize::new(0);
        let drain = |pool: ThreadPool| {
            while self.context.check().is_ok() {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(case) = cases.get(at) else { break };
                let outcome = pool
                    .install(|| work(case))
                    .map_err(|error| error.in_file(&case.path));
                if let Ok(mut slot) = outcomes[at].lock() {
                    *slot = Some(outcome);
                }
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                self.context
                    .progress(done as u64, self.total as u64, "cases", Some(&case.name));
            }
        };
        let pool = |worker| {
            // Threads left over help the first workers.
            let threads =
                self.context.workers() / workers + usize::from(worker < self.context.workers() % workers);
            ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .map_err(Error::Threads)
        };
        let pools = (0..workers).map(pool).collect::<Result<Vec<_>, _>>()?;
        let drain = &drain;
        std::thread::scope(|scope| {
            for pool in pools {
                scope.spawn(move || drain(pool));
            }
        });
        self.context.check()?;
        // A slot stays empty only when the run was cancelled.
        Ok(outcomes
            .into_iter()
            .filter_map(|slot| slot.into_inner().ok().flatten())
            .collect())
    }

    /// The weight of each class from the frequencies in all cases that can be read; the others fail when their map is made.
    fn dataset_weights(&self, cases: &[Case]) -> Result<[f32; 256], Error> {
        let mut counts = Counts::default();
        for found in self
            .each(cases, |case| Ok(self.labels(case)?.counts))?
            .into_iter()
            .flatten()
        {
            counts.add(&found);
        }
        Ok(counts.weights())
    }

    /// The case's segmentation, with what -1 means there settled.
    fn labels(&self, case: &Case) -> Result<Labels, Error> {
        case.check()?;
        let mut labels = read::labels(&case.path, &self.classes, self.options.compat)?;
        if labels.counts.has(UNLABELLED) && Properties::beside(&case.path).minus_one_is_outside_mask()? {
            labels.unlabelled_is_background();
        }
        Ok(labels)
    }

    fn one(&self, case: &Case, weights: Option<&[f32; 256]>) -> Result<Outcome, Error> {
        case.check()?;
        if self.options.skip_existing && case.output.exists() {
            return Ok(Outcome::Skipped);
        }
        let labels = self.labels(case)?;
        let weights = weights.copied().unwrap_or_else(|| labels.counts.weights());
        match self.options.dtype {
            Dtype::Float16 => self.write::<f16>(case, labels, weights),
            Dtype::Float32 => self.write::<f32>(case, labels, weights),
            Dtype::Float64 => self.write::<f64>(case, labels, weights),
        }
    }

    fn write<W: Weight>(&self, case: &Case, labels: Labels, weights: [f32; 256]) -> Result<Outcome, Error> {
        let spacing = match self.options.spacing {
            true => Some(Properties::beside(&case.path).spacing()?),
            false => None,
        };
        let Options {
            sigma,
            w0,
            mode,
            compat,
            ..
        } = *self.options;
        let parameters = Parameters {
            classes: Vec::new(),
            sigma,
            w0,
            mode,
            spacing,
            compat,
        };
        let map = make::<W>(labels, &self.classes, &parameters, weights)?;
        let map = map.insert_axis(Axis(0));
        npy::write(&case.output, map.view().into_dyn())?;
        Ok(Outcome::Written)
    }
}
