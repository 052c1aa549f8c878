//! Verb that writes a weightmap for every case of a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use half::f16;
use ndarray::Axis;
use run::{Cancel, CaseFailure, CaseLoop, Context, Event, Job, Progress, Shard};
use serde::Serialize;
use serde_json::json;
use volume::npy;

use crate::classes::{Classes, UNLABELLED};
use crate::discover::{self, Case};
use crate::labels::{Counts, Labels};
use crate::map::make;
use crate::properties::Properties;
use crate::{read, Dtype, Error, Frequencies, Options, Parameters, Weight};

/// Result of a run.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WeightmapsSummary")]
pub struct Summary {
    /// Number of matching files; with `shard`, of its part.
    pub cases: usize,
    /// Number of written weightmaps.
    pub written: usize,
    /// Number of skipped cases, whose weightmap exists.
    pub skipped: usize,
    /// Failed cases, in the order of their files.
    pub failures: Vec<CaseFailure>,
    /// Folder of the weightmaps. Absent if it is the folder of the cases.
    pub output_dir: Option<PathBuf>,
    /// Classes of the weightmaps.
    pub classes: Vec<i64>,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// Writes `<case>_weightmap.npy`, of shape (1, z, y, x), for every case of a folder. Each file is written
/// atomically.
///
/// A failed case is reported in the summary and by a warning event; the others continue. `context.workers()`
/// cases run in parallel. Each requires less than four float32 volumes of memory. The result depends neither
/// on that number nor on the order.
///
/// # Errors
/// Before anything is written: [`Error::Option`], [`Error::NotFound`], [`Error::Folder`], [`Error::NoCases`],
/// [`Error::NoClasses`], [`Error::DatasetJson`], [`Error::UnknownClass`], [`Error::Class`],
/// [`Error::TooManyClasses`]. At any time: [`Error::Cancelled`].
pub fn generate(options: &Options, context: &Context) -> Result<Summary, Error> {
    let start = Instant::now();
    run::validate(options)?;
    let cases = discover::cases(options)?;
    let classes = discover::classes(options)?;
    let run = Run {
        options,
        cancel: context.cancel(),
        classes: Classes::new(&classes, options.compat)?,
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
    let case_loop = CaseLoop::new(context)?;
    let selected = Shard::select(options.shard, cases.iter().collect());
    let mut jobs: Vec<_> = selected.iter().map(|case| Job::new(&case.name, *case)).collect();
    let mut progress = Progress::new("cases", jobs.len());
    let (mut weights, mut failures) = (None, vec![]);
    if options.frequencies == Frequencies::Dataset {
        // Every part counts all cases.
        let all: Vec<_> = cases.iter().map(|case| Job::new(&case.name, case)).collect();
        progress.total += all.len() as u64;
        let counted = case_loop.run(&all, progress, |job| {
            let labels = run.labels(job.input);
            labels
                .map(|labels| labels.counts)
                .map_err(|error| error.in_file(&job.input.path))
        })?;
        progress.done = all.len() as u64;
        weights = Some(dataset_weights(counted.results.iter().flatten()));
        // A case fails only once, in the part that it belongs to.
        let kept = Shard::select(
            options.shard,
            counted.results.iter().map(Option::is_some).collect(),
        );
        let mut kept = kept.into_iter();
        let total = jobs.len();
        let mut failed = BTreeSet::new();
        jobs.retain(|job| {
            let keep = kept.next() == Some(true);
            if !keep {
                failed.insert(job.case.clone());
            }
            keep
        });
        failures = counted.failures;
        failures.retain(|failure| failed.contains(&failure.case));
        progress.total -= (total - jobs.len()) as u64;
    }
    let made = case_loop.run(&jobs, progress, |job| {
        run.one(job.input, weights.as_ref())
            .map_err(|error| error.in_file(&job.input.path))
    })?;
    failures.extend(made.failures);
    let places: BTreeMap<&String, usize> = cases.iter().map(|case| &case.name).zip(0..).collect();
    failures.sort_by_key(|failure| places.get(&failure.case).copied());
    let of = |kind: Outcome| {
        made.results
            .iter()
            .flatten()
            .filter(|&&found| found == kind)
            .count()
    };
    Ok(Summary {
        cases: selected.len(),
        written: of(Outcome::Written),
        skipped: of(Outcome::Skipped),
        failures,
        output_dir: options.output_dir.clone(),
        classes,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Bytes of a voxel while a weightmap is made: labels as read and as classes, inside, distances and their scratch, weights.
const BYTES_PER_VOXEL: u64 = 40;

/// Estimated memory of each case in bytes, from the headers of the files.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Folder`], [`Error::NoCases`], [`Error::Option`] for a pattern.
pub fn memory_of_cases(options: &Options) -> Result<Vec<u64>, Error> {
    let voxels = |path: &Path| {
        let shape = match path.extension().is_some_and(|extension| extension == "npy") {
            true => volume::npy::read_header(path).ok().map(|header| header.shape),
            false => volume::npz::headers(path)
                .ok()
                .and_then(|all| all.into_iter().next())
                .map(|(_, header)| header.shape),
        };
        // (channel, z, y, x)
        let shape = shape.unwrap_or_default();
        shape.iter().skip(1).map(|n| *n as u64).product::<u64>()
    };
    let cases = discover::cases(options)?;
    Ok(cases
        .iter()
        .map(|case| BYTES_PER_VOXEL * voxels(&case.path))
        .collect())
}

/// Returns the weight of each class by its frequency in all cases.
fn dataset_weights<'a>(cases: impl Iterator<Item = &'a Counts>) -> [f32; 256] {
    let mut counts = Counts::default();
    cases.for_each(|found| counts.add(found));
    counts.weights()
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Written,
    Skipped,
}

struct Run<'a> {
    options: &'a Options,
    cancel: &'a Cancel,
    classes: Classes,
}

impl Run<'_> {
    /// Reads the case's segmentation and resolves the meaning of -1.
    fn labels(&self, case: &Case) -> Result<Labels, Error> {
        case.check()?;
        let mut labels = read::labels(&case.path, &self.classes, self.options.compat, self.cancel)?;
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
        let map = make::<W>(labels, &self.classes, &parameters, weights, self.cancel)?;
        let map = map.insert_axis(Axis(0));
        npy::write(&case.output, map.view().into_dyn())?;
        Ok(Outcome::Written)
    }
}
