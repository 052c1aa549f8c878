//! A loaded model, which segments images in memory or in files.

use std::path::{Path, PathBuf};

use dataset::CaseProperties;
use engine::{device_name, Compute};
use ndarray::{Array3, Array4};
use preprocess::{preprocess_image, preprocess_test_case};
use run::{Context, OptionError};
use settings::{LoadModelOptions, PredictOptions};
use volume::Geometry;

use crate::cascade::{append_labels, first_stage_model};
use crate::dynamic::LoadedDynamic;
use crate::export::{Export, Predicted};
use crate::memory::Softmax;
use crate::predict::{require_classes, second_stage, Ready, Work};
use crate::setup::{create_folder, record};
use crate::Error;

/// Extension of the segmentations.
const EXTENSION: &str = ".nii.gz";

/// An image to segment.
#[derive(Clone, Debug)]
pub enum Image {
    /// One volume (z, y, x) for each channel, all of one shape, and their position.
    Volumes(Vec<Array3<f32>>, Geometry),
    /// One NIfTI file for each channel.
    Files(Vec<PathBuf>),
}

/// The result of an image, on its grid.
#[derive(Clone, Debug)]
pub struct Segmented {
    /// Labels (z, y, x).
    pub labels: Array3<i16>,
    /// Softmax (class, z, y, x), if it was requested. Postprocessing does not change it.
    pub softmax: Option<Array4<f32>>,
}

/// A model whose networks stay in memory. Results equal those of [`crate::predict`] with the same options.
pub struct LoadedModel {
    compute: Compute,
    loaded: Loaded,
}

/// A model of nnU-Net v1 or v2.
enum Loaded {
    V1(Box<LoadedV1>),
    V2(Box<LoadedDynamic>),
}

impl LoadedModel {
    /// Loads the folds of a model, and of the first stage of a cascade.
    ///
    /// # Errors
    /// As [`crate::predict`] before its first case.
    pub fn load(options: &LoadModelOptions, context: &Context) -> Result<Self, Error> {
        run::validate(options)?;
        let options = options.predict_options();
        let compute = Compute::new(&options.compute)?;
        let loaded = match v2::ModelFolder::open(&options.model)? {
            Some(folder) => Loaded::V2(Box::new(LoadedDynamic::load(folder, options, &compute, context)?)),
            None => Loaded::V1(Box::new(LoadedV1::load(options, &compute, context)?)),
        };
        Ok(Self { compute, loaded })
    }

    /// Number of channels of an image.
    pub fn channels(&self) -> usize {
        match &self.loaded {
            Loaded::V1(v1) => v1.ready.model.plans.num_modalities,
            Loaded::V2(v2) => v2.model.channels(),
        }
    }

    /// Number of channels of the softmax: classes with the background, or the regions of a model of nnU-Net v2.
    pub fn classes(&self) -> usize {
        match &self.loaded {
            Loaded::V1(v1) => v1.classes(),
            Loaded::V2(v2) => v2.model.export.heads(),
        }
    }

    /// Names of the loaded folds.
    pub fn folds(&self) -> Vec<String> {
        let folds = match &self.loaded {
            Loaded::V1(v1) => &v1.ready.model.folds,
            Loaded::V2(v2) => &v2.model.folds,
        };
        folds.iter().map(ToString::to_string).collect()
    }

    /// Name of the device.
    pub fn device(&self) -> String {
        device_name(self.compute.device)
    }

    /// Name of the precision.
    pub fn precision(&self) -> &'static str {
        self.compute.precision_name()
    }

    /// Segments an image. Emits progress in hundredths.
    ///
    /// # Errors
    /// Errors of preprocessing, as of one case of [`crate::predict`]; [`Error::Cancelled`].
    pub fn segment(&self, image: Image, softmax: bool, context: &Context) -> Result<Segmented, Error> {
        self.start(context)?;
        let segmented = match &self.loaded {
            Loaded::V1(v1) => v1.segment(image, softmax, context)?,
            Loaded::V2(v2) => v2.segment(image, softmax, context)?,
        };
        context.progress(100, 100, "%", None);
        Ok(segmented)
    }

    /// Segments an image and writes the segmentation to `output`, as [`crate::predict`] writes it. With `softmax`, also
    /// writes `.npz` and `.pkl` beside it.
    ///
    /// # Errors
    /// As [`LoadedModel::segment`]; [`Error::Option`] if `output` does not end with `.nii.gz`, or with the file ending of a
    /// model of nnU-Net v2.
    pub fn segment_to(
        &self,
        image: Image,
        output: &Path,
        softmax: bool,
        context: &Context,
    ) -> Result<(), Error> {
        self.start(context)?;
        match &self.loaded {
            Loaded::V1(v1) => v1.segment_to(image, output, softmax, context)?,
            Loaded::V2(v2) => v2.segment_to(image, output, softmax, context)?,
        }
        context.progress(100, 100, "%", None);
        Ok(())
    }

    /// Sets the state of libtorch that belongs to the thread or to the whole process.
    fn start(&self, context: &Context) -> Result<(), Error> {
        context.check()?;
        self.compute.set_math(false)?;
        tch::set_num_threads(i32::try_from(context.workers()).unwrap_or(1));
        Ok(())
    }
}

/// Folder and case of an output with this ending. Creates the folder.
pub(crate) fn target<'a>(output: &'a Path, ending: &str) -> Result<(&'a Path, String), Error> {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    let case = name
        .strip_suffix(ending)
        .filter(|case| !case.is_empty())
        .ok_or_else(|| {
            let expected = format!("a file name that ends with {ending}");
            OptionError::expected("output", expected, output.display())
        })?;
    let folder = output.parent().unwrap_or_else(|| Path::new(""));
    create_folder(folder)?;
    Ok((folder, case.to_owned()))
}

/// A model of nnU-Net v1.
struct LoadedV1 {
    options: PredictOptions,
    ready: Ready,
    /// The model of the first stage of a cascade.
    first: Option<Box<LoadedV1>>,
}

impl LoadedV1 {
    fn load(options: PredictOptions, compute: &Compute, context: &Context) -> Result<Self, Error> {
        let first = match second_stage(&options)? {
            Some(classes) => {
                let first = PredictOptions {
                    model: first_stage_model(&options)?,
                    checkpoint: "final".to_owned(),
                    ..options.clone()
                };
                require_classes(&first, classes)?;
                Some(Box::new(Self::of_options(first, compute, None, context)?))
            }
            None if options.lowres_model.is_some() => {
                let expected = "a model of the second stage of a cascade";
                return Err(OptionError::expected("model", expected, options.model.display()).into());
            }
            None => None,
        };
        Self::of_options(options, compute, first, context)
    }

    fn of_options(
        options: PredictOptions,
        compute: &Compute,
        first: Option<Box<Self>>,
        context: &Context,
    ) -> Result<Self, Error> {
        context.check()?;
        let ready = Ready::load(&options, compute, context)?;
        Ok(Self {
            options,
            ready,
            first,
        })
    }

    /// Number of classes, with the background.
    fn classes(&self) -> usize {
        self.ready.model.plans.num_classes + 1
    }

    fn segment(&self, image: Image, softmax: bool, context: &Context) -> Result<Segmented, Error> {
        let kept = Softmax::in_memory(softmax);
        let export = self.export(PathBuf::new(), false);
        self.run(image, &export, (None, kept), context, |predicted, properties| {
            segmented(predicted, &export, softmax, &properties, context)
        })
    }

    fn segment_to(&self, image: Image, output: &Path, softmax: bool, context: &Context) -> Result<(), Error> {
        let (folder, case) = target(output, EXTENSION)?;
        let kept = Softmax::in_files(softmax);
        let export = self.export(folder.to_owned(), softmax);
        let Ready {
            model,
            predictor,
            rules,
        } = &self.ready;
        let record = record(model, predictor.options(), &self.options, rules.as_ref());
        self.run(
            image,
            &export,
            (Some(&case), kept),
            context,
            |predicted, properties| {
                export.write_predicted(&case, &record, predicted, properties, context.cancel())
            },
        )
    }

    fn export(&self, folder: PathBuf, softmax: bool) -> Export {
        let forward = self.ready.model.plans.transpose_forward;
        Export::new(folder, softmax, self.options.export_mode(), forward)
            .with_postprocessing(self.ready.rules.clone())
    }

    /// Preprocesses an image, runs the networks, and gives their result to `end`. `target` is the name of the case and
    /// what becomes of its softmax.
    fn run<T: Send>(
        &self,
        image: Image,
        export: &Export,
        target: (Option<&str>, Softmax),
        context: &Context,
        end: impl FnOnce(Predicted<'_>, CaseProperties) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let lowres = match &self.first {
            Some(first) => Some(first.labels(image.clone(), target.0, context)?),
            None => None,
        };
        let Ready { model, predictor, .. } = &self.ready;
        let pool = context.pool()?;
        // The closure may not share the networks with another thread.
        let (plans, stage, nonfinite) = (&model.plans, model.stage, self.options.nonfinite);
        let (input, properties) = pool.install(|| match image {
            Image::Volumes(channels, geometry) => {
                preprocess_image(channels, geometry, plans, stage, nonfinite, context)
            }
            Image::Files(files) => preprocess_test_case("", &files, plans, stage, nonfinite, context),
        })?;
        let input = match lowres {
            Some(labels) => {
                let (classes, forward) = (plans.num_classes, plans.transpose_forward);
                append_labels(
                    &labels,
                    Path::new("first stage"),
                    classes,
                    forward,
                    &input,
                    &properties,
                )?
            }
            None => input,
        };
        let work = Work {
            predictor,
            export,
            options: &self.options,
            context,
            classes: self.classes(),
            several: false,
            softmax: target.1,
        };
        let predicted = work.predict(target.0, input, &properties, &mut |done, all| {
            context.progress(100 * done as u64 / all.max(1) as u64, 100, "%", None);
        })?;
        pool.install(|| end(predicted, properties))
    }

    /// The segmentation alone, for the second stage of a cascade.
    fn labels(&self, image: Image, case: Option<&str>, context: &Context) -> Result<Array3<i16>, Error> {
        let export = self.export(PathBuf::new(), false);
        let target = (case, Softmax::Dropped);
        let found = self.run(image, &export, target, context, |predicted, properties| {
            segmented(predicted, &export, false, &properties, context)
        })?;
        Ok(found.labels)
    }
}

/// The segmentation on the image's grid, and its softmax if `keep_softmax`.
fn segmented(
    predicted: Predicted<'_>,
    export: &Export,
    keep_softmax: bool,
    properties: &CaseProperties,
    context: &Context,
) -> Result<Segmented, Error> {
    let (labels, softmax) = match predicted {
        Predicted::Softmax(softmax) => export.arrays(softmax, keep_softmax, properties, context.cancel())?,
        Predicted::Exported(exported) => {
            let labels = exported.finish(properties)?;
            (export.postprocessed(labels, properties)?, None)
        }
    };
    Ok(Segmented { labels, softmax })
}
