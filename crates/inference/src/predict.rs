//! The verb `predict`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use dataset::files;
use dataset::results::ModelFolder;
use engine::{device_name, Compute};
use ndarray::Array4;
use preprocess::preprocess_test_case;
use run::{CaseLoop, Context, Event, Job, NotFound, Share};
use serde_json::json;
use settings::{PredictOptions, PredictSummary};

use crate::export::Export;
use crate::model::Model;
use crate::window::{Predictor, WindowOptions};
use crate::Error;

/// Segments every case of `options.input` into `options.output`: preprocessing, sliding window, mean over
/// mirrored copies and folds, resampling to the image's grid.
///
/// While the network works on one case, the next one is read and the previous one is exported. At most three
/// cases are in memory. The summary reports failed cases; the other cases continue. Cases with an existing
/// segmentation are skipped, since files are written atomically.
///
/// Source: `nnunet.inference.predict.predict_from_folder`.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NoCases`], [`Error::Model`], [`Error::Option`], [`Error::Engine`] before the
/// first case; [`Error::Cancelled`].
pub fn predict(options: &PredictOptions, context: &Context) -> Result<PredictSummary, Error> {
    let start = Instant::now();
    run::validate(options)?;
    let compute = Compute::new(&options.compute)?;
    compute.set_math(false)?;
    tch::set_num_threads(i32::try_from(context.workers()).unwrap_or(1));
    let case_loop = CaseLoop::new(context)?;
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
    let plans = ModelFolder::new(&options.model).plans();
    if plans.is_file() {
        // Like nnU-Net, for `ensemble`.
        storage::copy_file(&plans, &options.output.join("plans.pkl"), storage::Links::Follow)?;
    }
    let export = Export::new(
        options.output.clone(),
        options.save_softmax,
        options.export,
        model.plans.transpose_forward,
    );
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
            "device": summary.device, "precision": summary.precision, "precisionReason": compute.reason,
            "folds": model.networks.len(), "patchSize": patch, "cases": todo.len(), "workers": context.workers(),
        }),
    });
    let jobs: Vec<_> = todo
        .into_iter()
        .map(|(case, files)| Job::new(case, files))
        .collect();
    let cancel = context.cancel();
    let outcome = case_loop.pipeline(
        &jobs,
        |job| {
            Ok(preprocess_test_case(
                &job.case,
                &job.input,
                &model.plans,
                model.stage,
                options.nonfinite,
                context,
            )?)
        },
        |_, (image, properties), share| Ok((mean_softmax(&predictors, image, context, share)?, properties)),
        |job, (softmax, properties)| export.write(&job.case, softmax, properties, cancel),
    )?;
    summary.written = outcome.results.iter().flatten().count();
    summary.failures = outcome.failures;
    summary.seconds = start.elapsed().as_secs_f64();
    Ok(summary)
}

fn mean_softmax(
    predictors: &[Predictor<'_>],
    image: Array4<f32>,
    context: &Context,
    share: &Share<'_>,
) -> Result<Array4<f32>, Error> {
    let tiles: usize = predictors.iter().map(|p| p.tiles(&image.shape()[1..])).sum();
    let mut tile = 0;
    let mut step = || {
        tile += 1;
        share.report(tile, tiles);
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
        problem: "a model without folds".to_owned(),
    })?;
    mean /= predictors.len() as f32;
    Ok(mean)
}

/// Returns the cases of a folder with the files of all channels. Warns of files that belong to no case, so
/// that a misnamed file is noticed.
fn list_cases(
    folder: &Path,
    channels: usize,
    context: &Context,
) -> Result<Vec<(String, Vec<PathBuf>)>, Error> {
    NotFound::unless_exists("folder of images", folder, "name an existing folder")?;
    let found = files::ImageFolder::list(folder)?;
    if found.cases.is_empty() {
        return Err(Error::NoCases {
            folder: folder.to_owned(),
            channels,
        });
    }
    let beyond = found.cases.values().flat_map(|files| files.range(channels..));
    let unexpected: Vec<_> = found
        .others
        .iter()
        .chain(beyond.map(|(_, path)| path))
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy())
        .collect();
    if !unexpected.is_empty() {
        let message = format!(
            "{} holds files that are ignored: {}; the model uses <case>_0000 to <case>_{:04}",
            folder.display(),
            unexpected.join(", "),
            channels.saturating_sub(1)
        );
        context.warn("WARN_UNEXPECTED_FILES", message, None);
    }
    let all = |case: String| Ok((case.clone(), files::channel_files(folder, &case, channels)?));
    found.cases.into_keys().map(all).collect()
}
