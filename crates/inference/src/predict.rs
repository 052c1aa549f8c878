//! The verb `predict`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use dataset::results::ModelFolder;
use dataset::{files, CaseProperties};
use engine::network::GenericUNet;
use engine::Compute;
use evaluate::postprocessing::Rules;
use ndarray::Array4;
use preprocess::preprocess_test_case;
use run::{Cancel, CaseFailure, CaseLoop, Context, Event, Job, NotFound, OptionError};
use serde_json::json;
use settings::{PredictOptions, PredictSummary};
use storage::LocalFolder;

use crate::cascade::{first_stage_folder, first_stage_model, FirstStage};
use crate::dynamic;
use crate::export::{Export, Predicted};
use crate::memory::{choose, Sizes, Softmax, Strategy};
use crate::model::Model;
use crate::setup::{
    create_folder, finished, leave_out, list_cases, precision_reason, record, rules_of, split, summary_of,
    warn_of_model,
};
use crate::window::{Predictor, WindowOptions};
use crate::Error;

/// Segments every case of `options.input` into `options.output`: preprocessing, sliding window, mean over
/// mirrored copies and folds, resampling to the image's grid, postprocessing.
///
/// While the network works on one case, the next one is read and the previous one is exported. At most three
/// cases are in memory. Before a case, the event `memory` reports an upper bound; if the softmax does not fit the memory
/// that the options allow, it is computed and resampled some planes at a time, with the same result. The summary reports failed cases; the other cases continue. Cases are skipped whose
/// segmentation is [`Existing::Done`].
///
/// A model of the second stage of a cascade takes the segmentations of the first stage, which are predicted before it
/// unless the options name them. A case that fails there fails.
///
/// A model of nnU-Net v2, which is found by its `plans.json`, is predicted as `nnUNetv2_predict` does.
///
/// Source: `nnunet.inference.predict.predict_from_folder`, `nnunet.inference.predict_simple`; for models of nnU-Net v2
/// `nnunetv2.inference.predict_from_raw_data`.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NoCases`], [`Error::Model`], [`Error::FoldPlans`], [`Error::Evaluate`],
/// [`Error::Option`], [`Error::Engine`] before the first case; [`Error::Cancelled`].
pub fn predict(options: &PredictOptions, context: &Context) -> Result<PredictSummary, Error> {
    let start = Instant::now();
    run::validate(options)?;
    run::switches::warn_of_unknown(context);
    let compute = Compute::new(&options.compute)?;
    compute.set_math(false)?;
    tch::set_num_threads(i32::try_from(context.workers()).unwrap_or(1));
    if let Some(folder) = v2::ModelFolder::open(&options.model)? {
        return dynamic::predict(folder, options, &compute, start, context);
    }
    let classes = second_stage(options)?;
    let Some(classes) = classes else {
        if options.lowres_segmentations.is_some() || options.lowres_model.is_some() {
            let expected = "a model of the second stage of a cascade";
            return Err(OptionError::expected("model", expected, options.model.display()).into());
        }
        return stage(options, None, &compute, start, context);
    };
    if let Some(folder) = &options.lowres_segmentations {
        let advice = "name the folder of segmentations by the first stage of the cascade";
        NotFound::unless_exists("folder of segmentations", folder, advice)?;
        return stage(
            options,
            Some((folder.clone(), Vec::new())),
            &compute,
            start,
            context,
        );
    }
    let first = PredictOptions {
        model: first_stage_model(options)?,
        output: first_stage_folder(&options.output),
        checkpoint: "final".to_owned(),
        save_softmax: false,
        ..options.clone()
    };
    require_classes(&first, classes)?;
    let found = stage(&first, None, &compute, start, context)?;
    stage(
        options,
        Some((first.output, found.failures)),
        &compute,
        start,
        context,
    )
}

/// Number of classes of a model of the second stage of a cascade; `None` of another model.
pub(crate) fn second_stage(options: &PredictOptions) -> Result<Option<usize>, Error> {
    let plan = Model::peek(
        &options.model,
        options.folds.as_deref(),
        options.checkpoint_name(),
    )?;
    Ok(plan.cascade.then_some(plan.classes))
}

/// Checks that the first stage has the classes of the second one, before it segments anything.
pub(crate) fn require_classes(first: &PredictOptions, classes: usize) -> Result<(), Error> {
    let plan = Model::peek(&first.model, first.folds.as_deref(), first.checkpoint_name())?;
    let problem = if plan.cascade {
        "it is the second stage of a cascade; name a model of 3d_lowres with --lowres-model".to_owned()
    } else if plan.classes != classes {
        format!(
            "the first stage of the cascade has {} classes, but the second one {classes}; name a model of the same task with \
             --lowres-model",
            plan.classes
        )
    } else {
        return Ok(());
    };
    Err(Error::Model {
        folder: first.model.clone(),
        problem,
    })
}

/// Segments every case with one model. `first` are the segmentations of the first stage of a cascade, and the cases that
/// failed there.
fn stage(
    options: &PredictOptions,
    first: Option<(PathBuf, Vec<CaseFailure>)>,
    compute: &Compute,
    start: Instant,
    context: &Context,
) -> Result<PredictSummary, Error> {
    let case_loop = CaseLoop::new(context)?;
    let Ready {
        model,
        rules,
        predictor,
    } = Ready::load(options, compute, context)?;
    let mut cases = list_cases(options, model.plans.num_modalities, context)?;
    let (first, failed) = first.unzip();
    let failed = failed.unwrap_or_default();
    leave_out(&mut cases, &failed);
    let first =
        first.map(|folder| FirstStage::new(folder, model.plans.num_classes, model.plans.transpose_forward));
    create_folder(&options.output)?;
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
        options.export_mode(),
        model.plans.transpose_forward,
    )
    .with_postprocessing(rules.clone());
    let record = record(&model, predictor.options(), options, rules.as_ref());
    let existing =
        |case: &str, image: &Path| export.existing(case, &record_of(&record, first.as_ref(), case), image);
    let (skipped, todo) = split(cases, existing, options, &case_loop)?;
    let summary = summary_of(options, compute, skipped, rules.map(|rules| rules.label_lists()));
    context.emit(Event::Started {
        verb: "predict",
        settings: json!({
            "device": summary.device, "precision": summary.precision,
            "precisionReason": precision_reason(compute),
            "folds": model.folds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            "checkpoint": options.checkpoint_name(), "export": options.export_mode(), "trainer": model.trainer,
            "lowresSegmentations": first.as_ref().map(FirstStage::folder),
            "mirrorAxes": predictor.options().mirror_axes,
            "postprocessing": summary.postprocessing, "patchSize": predictor.patch_size(), "cases": todo.len(),
            "workers": context.workers(),
        }),
    });
    let jobs: Vec<_> = todo.into_iter().map(|case| Job::new(case, ())).collect();
    let cancel = context.cancel();
    let local = LocalFolder::of_option::<Error>(options.scratch.as_deref())?;
    // The same export to another folder, from where the results are moved.
    let made = local.as_ref().map(|local| export.to_folder(local.path()));
    let maker = made.as_ref().unwrap_or(&export);
    let work = Work {
        predictor: &predictor,
        export: maker,
        options,
        context,
        classes: model.plans.num_classes + 1,
        several: jobs.len() > 1,
        softmax: Softmax::in_files(options.save_softmax),
    };
    let outcome = case_loop.pipeline(
        &jobs,
        |job| {
            let images = files::channel_files(&options.input, &job.case, model.plans.num_modalities)?;
            let (image, properties) = preprocess_test_case(
                &job.case,
                &images,
                &model.plans,
                model.stage,
                options.nonfinite,
                context,
            )?;
            let image = match &first {
                Some(first) => first.append(&job.case, &image, &properties)?,
                None => image,
            };
            Ok::<_, Error>((image, properties))
        },
        |job, (image, properties), share| {
            let mut report = |done, all| share.report(done, all);
            let predicted = work.predict(Some(&job.case), image, &properties, &mut report)?;
            Ok((predicted, properties))
        },
        |job, (predicted, properties)| {
            let record = record_of(&record, first.as_ref(), &job.case);
            maker.write_predicted(&job.case, &record, predicted, properties, cancel)?;
            publish(local.as_ref(), &job.case, ".nii.gz", &options.output, cancel)
        },
    )?;
    Ok(finished(summary, failed, outcome, start))
}

/// Moves the results of a case from the folder of this machine to the output folder, the segmentation last.
pub(crate) fn publish(
    local: Option<&LocalFolder>,
    case: &str,
    ending: &str,
    output: &Path,
    cancel: &Cancel,
) -> Result<(), Error> {
    let Some(local) = local else {
        return Ok(());
    };
    let names = [".npz", ".pkl", ending].map(|ending| format!("{case}{ending}"));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(local.publish(&names, output, cancel)?)
}

/// The record of a case, which also identifies its segmentation by the first stage of a cascade.
fn record_of(record: &str, first: Option<&FirstStage>, case: &str) -> String {
    match first {
        Some(first) => format!("{record} {}", first.digest(case)),
        None => record.to_owned(),
    }
}

/// A model with the settings of its prediction.
pub(crate) struct Ready {
    pub model: Model,
    pub rules: Option<Rules>,
    pub predictor: Predictor<GenericUNet>,
}

impl Ready {
    /// Loads the model of the options, and warns of what the prediction leaves out.
    pub(crate) fn load(
        options: &PredictOptions,
        compute: &Compute,
        context: &Context,
    ) -> Result<Self, Error> {
        let rules = rules_of(options)?;
        let (model, networks) = Model::load(
            &options.model,
            options.folds.as_deref(),
            options.checkpoint_name(),
            compute.device,
        )?;
        warn_of_model(&model, options, context);
        let patch = &model.stage_plan()?.patch_size;
        let window = WindowOptions {
            step_size: options.step_size,
            mirror_axes: if options.mirroring && model.mirrored {
                (0..patch.len()).collect()
            } else {
                Vec::new()
            },
            gaussian: true,
        };
        let predictor = Predictor::of_folds(networks, compute.kind, patch, window)?;
        Ok(Self {
            model,
            rules,
            predictor,
        })
    }
}

/// What the prediction of every case uses.
pub(crate) struct Work<'a> {
    pub predictor: &'a Predictor<GenericUNet>,
    pub export: &'a Export,
    pub options: &'a PredictOptions,
    pub context: &'a Context,
    pub classes: usize,
    pub several: bool,
    pub softmax: Softmax,
}

impl<'a> Work<'a> {
    /// Runs the networks on a preprocessed image. `report` receives the number of finished and of all tile positions.
    pub fn predict(
        &self,
        case: Option<&str>,
        image: Array4<f32>,
        properties: &CaseProperties,
        report: &mut dyn FnMut(usize, usize),
    ) -> Result<Predicted<'a>, Error> {
        let (channels, z, y, x) = image.dim();
        let shape = (channels, [z, y, x]);
        let sizes = Sizes::new(shape, self.classes, properties, self.several, self.softmax)?;
        let strategy = choose(self.predictor, case, &sizes, self.options, self.context);
        let tiles = self.predictor.tiles(&image.shape()[1..]);
        let mut tile = 0;
        let mut step = || {
            tile += 1;
            report(tile, tiles);
        };
        let (predictor, context) = (self.predictor, self.context);
        if strategy == Strategy::Whole {
            let softmax = predictor
                .softmax_of(case, image.view(), context, &mut step)
                .map_err(Error::advise)?;
            return Ok(Predicted::Softmax(softmax));
        }
        let (export, cancel) = (self.export, context.cancel());
        let begin = || {
            export.begin(
                case.unwrap_or_default(),
                self.classes,
                [z, y, x],
                properties,
                cancel,
            )
        };
        let exported = predictor
            .stream(case, image.view(), context, &mut step, begin)
            .map_err(Error::advise)?;
        Ok(Predicted::Exported(Box::new(exported)))
    }
}
