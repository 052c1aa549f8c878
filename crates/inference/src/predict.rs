//! The verb: every case of a folder, read ahead, predicted, and exported behind.

use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use dataset::{files, CaseProperties, Plans};
use engine::{device_name, Compute};
use ndarray::Array4;
use preprocess::preprocess_test_case;
use rayon::ThreadPool;
use run::{CaseFailure, Context, Event};
use serde_json::json;
use settings::{PredictOptions, PredictSummary};

use crate::export::Export;
use crate::model::Model;
use crate::window::{Predictor, WindowOptions};
use crate::Error;

/// A case ready for the network.
struct Prepared {
    case: String,
    outcome: Result<(Array4<f32>, CaseProperties), Error>,
}

/// A case ready for export.
struct Predicted {
    case: String,
    outcome: Result<(Array4<f32>, CaseProperties), Error>,
}

/// Segments every case of `options.input` into `options.output`: preprocessing, sliding window, mean of mirrored copies
/// and folds, resampling to the image's own grid.
///
/// One case is read ahead and one exported while the network works on a third, so that at most three are in memory. A case
/// that fails is reported in the summary while the others go on. Cases whose segmentation is there are skipped: files
/// appear whole or not at all.
///
/// Source: `nnunet.inference.predict.predict_from_folder`.
///
/// # Errors
/// [`Error::NoCases`], [`Error::Model`], [`Error::Option`], [`Error::Engine`] before the first case;
/// [`Error::Cancelled`].
pub fn predict(options: &PredictOptions, context: &Context) -> Result<PredictSummary, Error> {
    let start = Instant::now();
    run::validate(options)?;
    let compute = Compute::new(&options.compute)?;
    tch::set_num_threads(i32::try_from(context.workers()).unwrap_or(1));
    let pool = pool(context)?;
    let model = Model::load(
        &options.model,
        options.folds.as_deref(),
        &options.checkpoint,
        compute.device,
    )?;
    let patch = model.stage_plan()?.patch_size.clone();
    let window = WindowOptions {
        step_size: options.step_size,
        mirror_axes: if options.mirroring {
            (0..patch.len()).collect()
        } else {
            Vec::new()
        },
        gaussian: true,
    };
    let predictors = model
        .networks
        .iter()
        .map(|network| Predictor::new(network, compute.kind, &patch, window.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    let cases = list_cases(&options.input, model.plans.num_modalities, context)?;
    std::fs::create_dir_all(&options.output).map_err(|source| dataset::Error::Io {
        path: options.output.clone(),
        source,
    })?;
    let export = Export::new(options, model.plans.transpose_forward)?;
    let (skipped, todo): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .partition(|(case, _)| !options.overwrite && export.is_done(case));
    let mut summary = PredictSummary {
        written: 0,
        skipped: skipped.len(),
        failures: Vec::new(),
        output: options.output.clone(),
        device: device_name(compute.device),
        precision: compute.precision_name().to_owned(),
        seconds: 0.0,
    };
    context.emit(Event::Started {
        verb: "predict",
        settings: json!({
            "device": summary.device, "precision": summary.precision, "why": compute.reason,
            "folds": model.networks.len(), "patch": patch, "cases": todo.len(),
        }),
    });
    let source = Source {
        cases: &todo,
        plans: &model.plans,
        stage: model.stage,
        pool: &pool,
    };
    run(&source, &predictors, &export, context, &mut summary)?;
    summary.seconds = start.elapsed().as_secs_f64();
    Ok(summary)
}

/// The cases to predict, and what prepares them. Networks stay with the thread that runs them.
struct Source<'a> {
    cases: &'a [(String, Vec<PathBuf>)],
    plans: &'a Plans,
    stage: usize,
    /// Threads of preprocessing and export.
    pool: &'a ThreadPool,
}

impl Source<'_> {
    /// Runs one case's work on the pool; a panic is that case's error.
    fn guarded<T: Send>(&self, work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
        run::catch(|| self.pool.install(work))?
    }
}

/// Runs the three steps beside each other; each hands over one case at a time.
fn run(
    source: &Source<'_>,
    predictors: &[Predictor<'_>],
    export: &Export<'_>,
    context: &Context,
    summary: &mut PredictSummary,
) -> Result<(), Error> {
    thread::scope(|scope| {
        let (to_network, prepared) = sync_channel::<Prepared>(0);
        let (to_export, predicted) = sync_channel::<Predicted>(0);
        scope.spawn(move || {
            for (case, files) in source.cases {
                if context.check().is_err() {
                    return;
                }
                let prepare = || Ok(preprocess_test_case(files, source.plans, source.stage)?);
                let outcome = source.guarded(prepare);
                // The network's side is gone only where it was cancelled.
                if to_network
                    .send(Prepared {
                        case: case.clone(),
                        outcome,
                    })
                    .is_err()
                {
                    return;
                }
            }
        });
        let exporter = scope.spawn(move || {
            let finish = |Predicted { case, outcome }| {
                let write =
                    |(softmax, properties)| source.guarded(|| export.write(&case, softmax, properties));
                outcome.and_then(write).err().map(|error| {
                    context.warn("WARN_CASE_FAILED", error.to_string(), Some(&case));
                    CaseFailure::new(&*case, &error)
                })
            };
            predicted.into_iter().map(finish).collect::<Vec<_>>()
        });
        let mut cancelled = None;
        for (index, Prepared { case, outcome }) in prepared.into_iter().enumerate() {
            let progress = Progress {
                context,
                case: &case,
                index,
                cases: source.cases.len(),
            };
            let outcome = outcome.and_then(|(image, properties)| {
                Ok((mean_softmax(predictors, image, context, &progress)?, properties))
            });
            if let Err(Error::Cancelled(c)) = outcome {
                cancelled = Some(c);
                break;
            }
            if to_export.send(Predicted { case, outcome }).is_err() {
                break;
            }
        }
        drop(to_export);
        let finished = exporter.join().map_err(|_| Error::Internal {
            what: "the export thread panicked".to_owned(),
        })?;
        let total = finished.len();
        summary.failures = finished.into_iter().flatten().collect();
        summary.written = total - summary.failures.len();
        match cancelled {
            Some(cancelled) => Err(cancelled.into()),
            None => Ok(context.check()?),
        }
    })
}

/// Counts tiles of a case as a share of all cases.
struct Progress<'a> {
    context: &'a Context,
    case: &'a str,
    index: usize,
    cases: usize,
}

/// Steps of the progress bar within one case, whatever its number of tiles.
const STEPS: u64 = 100;

impl Progress<'_> {
    fn report(&self, tile: usize, tiles: usize) {
        let done = self.index as u64 * STEPS + STEPS * tile as u64 / tiles.max(1) as u64;
        self.context
            .progress(done, self.cases as u64 * STEPS, "% of a case", Some(self.case));
    }
}

fn mean_softmax(
    predictors: &[Predictor<'_>],
    image: Array4<f32>,
    context: &Context,
    progress: &Progress<'_>,
) -> Result<Array4<f32>, Error> {
    let tiles: usize = predictors.iter().map(|p| p.tiles(&image.shape()[1..])).sum();
    let mut tile = 0;
    let mut step = || {
        tile += 1;
        progress.report(tile, tiles);
    };
    let mut mean: Option<Array4<f32>> = None;
    for predictor in predictors {
        let softmax = predictor.softmax(image.view(), context, &mut step)?;
        mean = Some(match mean {
            Some(sum) => sum + softmax,
            None => softmax,
        });
    }
    let mut mean = mean.ok_or_else(|| Error::Internal {
        what: "a model without folds".to_owned(),
    })?;
    mean /= predictors.len() as f32;
    Ok(mean)
}

/// The cases of a folder with the files of all their channels. Files that no case takes are warned of: left out in silence,
/// they would be missed late.
fn list_cases(
    folder: &Path,
    channels: usize,
    context: &Context,
) -> Result<Vec<(String, Vec<PathBuf>)>, Error> {
    let found = files::ImageFolder::list(folder)?;
    if found.cases.is_empty() {
        return Err(Error::NoCases {
            folder: folder.to_owned(),
            channels,
        });
    }
    let beyond = found.cases.values().flat_map(|files| files.range(channels..));
    let strangers: Vec<_> = found
        .others
        .iter()
        .chain(beyond.map(|(_, path)| path))
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy())
        .collect();
    if !strangers.is_empty() {
        let message = format!(
            "{} holds files that are left out: {}; the model takes <case>_0000 to <case>_{:04}",
            folder.display(),
            strangers.join(", "),
            channels.saturating_sub(1)
        );
        context.warn("WARN_UNEXPECTED_FILES", message, None);
    }
    let all = |case: String| Ok((case.clone(), files::channel_files(folder, &case, channels)?));
    found.cases.into_keys().map(all).collect()
}

/// Threads for what is not the network's work.
fn pool(context: &Context) -> Result<ThreadPool, Error> {
    context.pool().map_err(|e| {
        preprocess::Error::Threads {
            workers: context.workers(),
            reason: e.to_string(),
        }
        .into()
    })
}
