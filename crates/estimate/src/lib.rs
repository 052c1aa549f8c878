//! Memory that a verb needs, estimated before it runs: for a scheduler, which wants to know it at submission.
//!
//! The estimate needs no libtorch and reads no voxels: headers of images, plans, and the properties of cases. It is meant to
//! be an upper bound that is not much too large. What the operating system keeps of files is not counted: it is given back
//! when memory is short.

mod error;
mod network;
mod training;

use std::collections::BTreeMap;
use std::path::Path;

use dataset::files::ImageFolder;
use dataset::Plans;
use recipe::Architecture;
use run::{CaseLoop, Context, Job, Options, Progress};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use settings::{PredictOptions, TrainOptions};
use volume::{nifti, voxels};

pub use error::Error;
use network::{Prediction, Sizes};

/// A verb whose memory is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EstimatedVerb {
    /// Planning.
    Plan,
    /// Planning and preprocessing.
    Preprocess,
    /// Weightmaps.
    Weightmaps,
    /// Training of a fold.
    Train,
    /// Segmentation.
    Predict,
    /// Mean softmax.
    Ensemble,
    /// Evaluation.
    Evaluate,
}

/// Options of [`estimate_memory`].
#[run::options]
pub struct EstimateMemoryOptions {
    /// The verb.
    pub verb: EstimatedVerb,
    /// The options of the verb.
    pub options: Map<String, Value>,
    /// Whether libtorch computes on a GPU.
    #[default]
    pub gpu: bool,
}

impl Options for EstimateMemoryOptions {}

/// Result of [`estimate_memory`].
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemoryEstimate {
    /// Memory of the process in bytes, with a tenth in reserve; null if it cannot be estimated, such as before the data of
    /// a training are preprocessed.
    pub bytes: Option<u64>,
    /// Composition of the estimate in bytes.
    pub parts: BTreeMap<&'static str, u64>,
    /// What the estimate is based on, or why there is none.
    pub basis: String,
}

/// The program without libtorch.
const PROGRAM: u64 = 128 << 20;
/// The program with libtorch.
const WITH_LIBTORCH: u64 = 512 << 20;
/// The program with libtorch, the libraries of CUDA, and memory that is locked for copies. This was not measured.
const WITH_CUDA: u64 = 4 << 30;
/// Bytes of a voxel while a prediction is compared with its reference: labels of both; and with surfaces, masks, distances
/// and their scratch.
const COMPARED: [u64; 2] = [8, 40];

/// An estimate in the making.
#[derive(Default)]
struct Estimate {
    parts: BTreeMap<&'static str, u64>,
    basis: String,
}

/// Estimates the memory of a verb with `context.workers()` threads.
///
/// # Errors
/// [`Error::Option`] for invalid options of the verb, [`Error::Cancelled`]. What is missing for an estimate is told in the
/// result.
pub fn estimate_memory(options: &EstimateMemoryOptions, context: &Context) -> Result<MemoryEstimate, Error> {
    let text = Value::Object(options.options.clone()).to_string();
    let gpu = options.gpu;
    let found = match options.verb {
        EstimatedVerb::Plan | EstimatedVerb::Preprocess => preprocessing(&text, context),
        EstimatedVerb::Weightmaps => weightmaps(&text, context),
        EstimatedVerb::Train => {
            let given = run::parse::<TrainOptions>(&text)?;
            training::estimate(
                &given.options,
                threads(given.common.workers, context),
                gpu,
                context,
            )
        }
        EstimatedVerb::Predict => prediction(&text, gpu, context),
        EstimatedVerb::Ensemble => ensembling(&text, context),
        EstimatedVerb::Evaluate => evaluation(&text, context),
    };
    match found {
        Ok(Estimate { parts, basis }) => Ok(MemoryEstimate {
            bytes: Some(parts.values().sum::<u64>().div_ceil(10).saturating_mul(11)),
            parts,
            basis,
        }),
        Err(Error::Unknown(basis)) => Ok(MemoryEstimate {
            bytes: None,
            parts: BTreeMap::new(),
            basis,
        }),
        Err(error) => Err(error),
    }
}

/// Threads of the verb: its own option, or those of the task.
fn threads(workers: usize, context: &Context) -> usize {
    match workers {
        0 => context.workers(),
        count => count,
    }
}

/// Cases that run at the same time are assumed to be the largest ones.
fn of_cases(mut bytes: Vec<u64>, threads: usize, what: &str) -> Result<Estimate, Error> {
    if bytes.is_empty() {
        return Err(Error::Unknown("no case has a header that can be read".to_owned()));
    }
    bytes.sort_unstable_by(|a, b| b.cmp(a));
    let at_once = threads.min(bytes.len());
    let cases = bytes.iter().take(at_once).sum();
    Ok(Estimate {
        parts: BTreeMap::from([("program", PROGRAM), ("cases", cases)]),
        basis: format!("{at_once} of {} cases at once, {what}", bytes.len()),
    })
}

fn preprocessing(text: &str, context: &Context) -> Result<Estimate, Error> {
    let given = run::parse::<preprocess::Options>(text)?;
    let found = preprocess::memory_of_cases(&given.options, context)?;
    let what = match found.planned {
        true => "from headers and plans",
        false => "from headers, before planning",
    };
    let largest = found.bytes.iter().copied().max().unwrap_or(0);
    let mut estimate = of_cases(found.bytes, threads(given.common.workers, context), what)?;
    if let (Some(gib), Some(cases)) = (given.options.memory_budget, estimate.parts.get_mut("cases")) {
        *cases = (*cases).min(((gib * (1u64 << 30) as f64) as u64).max(largest));
    }
    Ok(estimate)
}

fn weightmaps(text: &str, context: &Context) -> Result<Estimate, Error> {
    let given = run::parse::<weightmap::Options>(text)?;
    let bytes = weightmap::memory_of_cases(&given.options)?;
    of_cases(bytes, threads(given.common.workers, context), "from headers")
}

fn ensembling(text: &str, context: &Context) -> Result<Estimate, Error> {
    let given = run::parse::<ensemble::EnsembleOptions>(text)?;
    let bytes = ensemble::memory_of_cases(&given.options)?;
    of_cases(bytes, threads(given.common.workers, context), "from headers")
}

fn evaluation(text: &str, context: &Context) -> Result<Estimate, Error> {
    let given = run::parse::<evaluate::EvaluateOptions>(text)?;
    let options = given.options;
    let surfaces = options.hausdorff || !options.measures.metrics.is_empty();
    let folder = &options.reference_dir;
    let files = nifti::list(folder).map_err(|error| unread(folder, &error))?;
    let files: Vec<_> = files
        .into_iter()
        .map(|(case, file)| Job::new(case, file))
        .collect();
    let headers = headers(&files, context)?;
    let bytes = headers
        .iter()
        .map(|header| voxels(header.size) * COMPARED[usize::from(surfaces)])
        .collect();
    of_cases(bytes, threads(given.common.workers, context), "from headers")
}

fn unread(folder: &Path, error: &std::io::Error) -> Error {
    Error::Unknown(format!("{}: {error}", folder.display()))
}

/// Headers of the files that can be read.
fn headers(files: &[Job<std::path::PathBuf>], context: &Context) -> Result<Vec<nifti::Header>, Error> {
    let progress = Progress::new("headers", files.len());
    let read = |job: &Job<std::path::PathBuf>| -> Result<nifti::Header, Error> {
        nifti::read_header(&job.input).map_err(|error| Error::Unknown(error.to_string()))
    };
    let outcome = CaseLoop::new(context)?.run(files, progress, read)?;
    Ok(outcome.results.into_iter().flatten().collect())
}

fn prediction(text: &str, gpu: bool, context: &Context) -> Result<Estimate, Error> {
    let given = run::parse::<PredictOptions>(text)?;
    let options = given.options;
    let file = options.model.join("plans.pkl");
    if !file.is_file() {
        let problem = format!(
            "{} does not exist yet, or the model is of nnU-Net v2",
            file.display()
        );
        return Err(Error::Unknown(problem));
    }
    let plans = Plans::read(&file)?;
    let stage = plans.plans_per_stage.keys().copied().max().unwrap_or(0);
    let plan = plans.stage(stage)?;
    let found = ImageFolder::list(&options.input)?;
    let images: Vec<_> = found
        .cases
        .into_iter()
        .filter_map(|(case, mut files)| Some(Job::new(case, files.pop_first()?.1)))
        .collect();
    let count = images.len();
    let grids = headers(&images, context)?.into_iter().map(|header| {
        let axis = |i: usize| {
            let own = plans.transpose_forward[i];
            let kept = plans.is_2d() && i == 0;
            let target = if kept {
                header.geometry.spacing[own]
            } else {
                plan.current_spacing[i]
            };
            (header.size[own] as f64 * header.geometry.spacing[own] / target).round() as usize
        };
        Sizes {
            network: [0, 1, 2].map(axis),
            image: header.size,
        }
    });
    let cascade = options.lowres_segmentations.is_some() || options.lowres_model.is_some();
    let architecture = Architecture::from_plans(&plans, stage, cascade)?;
    let folds = options.folds.as_ref().map_or(5, Vec::len) as u64;
    let prediction = Prediction {
        architecture: &architecture,
        patch: &plan.patch_size,
        several: count > 1,
        saved: options.save_softmax,
        gpu,
    };
    let largest = prediction
        .largest(grids)
        .ok_or_else(|| Error::Unknown(format!("{} has no image", options.input.display())))?;
    let mut parts = BTreeMap::from([
        ("program", if gpu { WITH_CUDA } else { WITH_LIBTORCH }),
        (
            "model",
            if gpu {
                0
            } else {
                folds * 4 * network::parameters(&architecture)
            },
        ),
        ("prediction", largest),
    ]);
    if let Some(limit) = options.memory {
        // The option bounds the whole process.
        let rest: u64 = parts["program"] + parts["model"];
        parts.insert("prediction", largest.min(limit.0.saturating_sub(rest)));
    }
    Ok(Estimate {
        parts,
        basis: format!("the largest of {count} cases, from headers and plans"),
    })
}
