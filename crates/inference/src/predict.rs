//! The verb `predict`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use dataset::files;
use dataset::results::ModelFolder;
use engine::{device_name, Compute};
use evaluate::postprocessing::{read_rules, Rules};
use ndarray::Array4;
use preprocess::preprocess_test_case;
use rayon::prelude::*;
use run::{CaseLoop, Context, Event, Job, NotFound, Share};
use serde_json::json;
use settings::{PredictOptions, PredictSummary};
use tch::Kind;

use crate::existing::{warn_of_replaced, Existing};
use crate::export::Export;
use crate::model::Model;
use crate::window::{not_finite, Predictor, WindowOptions};
use crate::Error;

/// Segments every case of `options.input` into `options.output`: preprocessing, sliding window, mean over
/// mirrored copies and folds, resampling to the image's grid, postprocessing.
///
/// While the network works on one case, the next one is read and the previous one is exported. At most three
/// cases are in memory. The summary reports failed cases; the other cases continue. Cases are skipped whose
/// segmentation is [`Existing::Done`].
///
/// Source: `nnunet.inference.predict.predict_from_folder`.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NoCases`], [`Error::Model`], [`Error::FoldPlans`], [`Error::Evaluate`],
/// [`Error::Option`], [`Error::Engine`] before the first case; [`Error::Cancelled`].
pub fn predict(options: &PredictOptions, context: &Context) -> Result<PredictSummary, Error> {
    let start = Instant::now();
    run::validate(options)?;
    let compute = Compute::new(&options.compute)?;
    compute.set_math(false)?;
    tch::set_num_threads(i32::try_from(context.workers()).unwrap_or(1));
    let case_loop = CaseLoop::new(context)?;
    let rules = rules_of(options)?;
    let model = Model::load(
        &options.model,
        options.folds.as_deref(),
        options.checkpoint_name(),
        compute.device,
    )?;
    warn_of_model(&model, options, context);
    let patch = model.stage_plan()?.patch_size.clone();
    let window = WindowOptions {
        step_size: options.step_size,
        mirror_axes: if options.mirroring && model.mirrored {
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
    let files = ModelFolder::new(&options.model);
    // Like nnU-Net, for `ensemble` and for the reader of the results.
    let copied = [
        Some(files.plans()),
        rules.as_ref().map(|_| files.postprocessing()),
    ];
    for file in copied.iter().flatten().filter(|file| file.is_file()) {
        let name = file.file_name().unwrap_or_default();
        storage::copy_file(file, &options.output.join(name), storage::Links::Follow)?;
    }
    let export = Export::new(
        options.output.clone(),
        options.save_softmax,
        options.export,
        model.plans.transpose_forward,
    )
    .with_record(record(&model, &window, options, rules.as_ref()))
    .with_postprocessing(rules.clone());
    let (skipped, todo) = split(cases, &export, options, &case_loop)?;
    let mut summary = PredictSummary {
        written: 0,
        skipped,
        postprocessing: rules.map(|rules| rules.label_lists()),
        failures: Vec::new(),
        output: options.output.clone(),
        device: device_name(compute.device),
        precision: compute.precision_name().to_owned(),
        seconds: 0.0,
    };
    context.emit(Event::Started {
        verb: "predict",
        settings: json!({
            "device": summary.device, "precision": summary.precision,
            "precisionReason": precision_reason(&compute),
            "folds": model.folds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            "checkpoint": options.checkpoint_name(), "trainer": model.trainer, "mirrorAxes": window.mirror_axes,
            "postprocessing": summary.postprocessing, "patchSize": patch, "cases": todo.len(),
            "workers": context.workers(),
        }),
    });
    let jobs: Vec<_> = todo.into_iter().map(|case| Job::new(case, ())).collect();
    let cancel = context.cancel();
    let outcome = case_loop.pipeline(
        &jobs,
        |job| {
            let images = files::channel_files(&options.input, &job.case, model.plans.num_modalities)?;
            let (image, properties) = preprocess_test_case(&images, &model.plans, model.stage, cancel)?;
            require_finite(&image, &images)?;
            Ok::<_, Error>((image, properties))
        },
        |job, (image, properties), share| {
            let softmax = mean_softmax(&predictors, &job.case, image, context, share)?;
            Ok((softmax, properties))
        },
        |job, (softmax, properties)| export.write(&job.case, softmax, properties, cancel),
    )?;
    summary.written = outcome.results.iter().flatten().count();
    summary.failures = outcome.failures;
    summary.seconds = start.elapsed().as_secs_f64();
    Ok(summary)
}

/// The postprocessing of the model that the options ask for, checked.
fn rules_of(options: &PredictOptions) -> Result<Option<Rules>, Error> {
    let file = ModelFolder::new(&options.model).postprocessing();
    if !options.postprocessing || !file.is_file() {
        return Ok(None);
    }
    let rules = read_rules(&file)?;
    rules.check()?;
    Ok(Some(rules))
}

/// Warns of folds that are left out, and of mirroring that the model does not allow.
fn warn_of_model(model: &Model, options: &PredictOptions, context: &Context) {
    if !model.unfinished.is_empty() {
        let unfinished: Vec<_> = model.unfinished.iter().map(|fold| fold.folder()).collect();
        let used: Vec<_> = model.folds.iter().map(|fold| fold.folder()).collect();
        let message = format!(
            "{} {} no {}.model and {} left out; the prediction averages {}; finish the training, or name the folds",
            unfinished.join(", "),
            if unfinished.len() == 1 { "has" } else { "have" },
            options.checkpoint_name(),
            if unfinished.len() == 1 { "is" } else { "are" },
            used.join(", ")
        );
        context.warn("WARN_UNFINISHED_FOLDS", message, None);
    }
    if options.mirroring && !model.mirrored {
        let message = format!(
            "{} trains without mirroring, so that the prediction does not average mirrored copies",
            model.trainer
        );
        context.warn("WARN_NO_MIRRORING", message, None);
    }
}

/// The text in the header of a segmentation that tells its model and settings from others.
fn record(model: &Model, window: &WindowOptions, options: &PredictOptions, rules: Option<&Rules>) -> String {
    let mut digest = model.digest;
    let folds: Vec<_> = model.folds.iter().map(|fold| fold.folder()).collect();
    digest.text(&folds.join(" "));
    // The precision is left out: results differ in rounding only, and another machine may continue.
    digest.text(
        &json!([
            window,
            options.export,
            rules.map(|r| (&r.for_which_classes, &r.minimum_sizes))
        ])
        .to_string(),
    );
    format!("nnunet-diag predict {}", digest.hex())
}

/// Why the precision was chosen, and what it means for the result.
fn precision_reason(compute: &Compute) -> String {
    match compute.kind {
        Kind::BFloat16 | Kind::Half => format!(
            "{}; labels may differ from those in float32 at a few voxels",
            compute.reason
        ),
        _ => compute.reason.clone(),
    }
}

/// Number of finished cases, and the other cases.
fn split(
    cases: Vec<(String, PathBuf)>,
    export: &Export,
    options: &PredictOptions,
    case_loop: &CaseLoop<'_>,
) -> Result<(usize, Vec<String>), Error> {
    let total = cases.len();
    if options.overwrite {
        return Ok((0, cases.into_iter().map(|(case, _)| case).collect()));
    }
    let jobs: Vec<_> = cases
        .into_iter()
        .map(|(case, image)| Job::new(case, image))
        .collect();
    let (cancel, context) = (case_loop.context().cancel(), case_loop.context());
    // Whole files are read, as many at a time as there are workers.
    let states = case_loop.pool().install(|| {
        jobs.par_iter()
            .map(|job| {
                cancel.check()?;
                Ok((job.case.clone(), export.existing(&job.case, &job.input)))
            })
            .collect::<Result<Vec<_>, Error>>()
    })?;
    warn_of_replaced(&states, &options.output, context);
    let todo = states.into_iter().filter(|(_, state)| *state != Existing::Done);
    let todo: Vec<_> = todo.map(|(case, _)| case).collect();
    Ok((total - todo.len(), todo))
}

/// Checks a preprocessed image (channel, z, y, x), whose channels come from `images`.
fn require_finite(image: &Array4<f32>, images: &[PathBuf]) -> Result<(), Error> {
    let Some(voxels) = not_finite(image) else {
        return Ok(());
    };
    let finite = |channel: ndarray::ArrayView3<'_, f32>| channel.iter().all(|value| value.is_finite());
    let first = image.outer_iter().position(|channel| !finite(channel));
    let path = first.and_then(|channel| images.get(channel)).cloned();
    Err(Error::ImageNotFinite {
        path: path.unwrap_or_default(),
        voxels,
    })
}

fn mean_softmax(
    predictors: &[Predictor<'_>],
    case: &str,
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
        let softmax = predictor.softmax_of(Some(case), image.view(), context, &mut step)?;
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

/// Returns the cases of a folder, each with one of its images. Warns of files that belong to no case, so
/// that a misnamed file is noticed.
fn list_cases(folder: &Path, channels: usize, context: &Context) -> Result<Vec<(String, PathBuf)>, Error> {
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
    let image = |mut files: BTreeMap<usize, PathBuf>| files.pop_first().map(|(_, path)| path);
    let cases = found.cases.into_iter();
    Ok(cases
        .filter_map(|(case, files)| Some((case, image(files)?)))
        .collect())
}
