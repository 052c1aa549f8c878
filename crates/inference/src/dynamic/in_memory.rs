//! A model of nnU-Net v2 that stays in memory.

use std::path::Path;

use engine::Compute;
use ndarray::Array3;
use run::Context;
use settings::PredictOptions;
use v2::{preprocess, preprocess_volumes, ModelFolder, Preprocessed, PreviousStage, Properties};

use super::cascade::previous_stage;
use super::case::{arrays, write, Predicted, Target};
use super::model::DynamicModel;
use crate::in_memory::{target, Image, Segmented};
use crate::memory::Softmax;
use crate::Error;

/// The model, with that of the previous stage of a cascade.
pub(crate) struct LoadedDynamic {
    pub model: DynamicModel,
    previous: Option<Box<LoadedDynamic>>,
    options: PredictOptions,
}

impl LoadedDynamic {
    /// Loads the folds of a model.
    ///
    /// # Errors
    /// As [`crate::predict`] before its first case.
    pub fn load(
        folder: ModelFolder,
        options: PredictOptions,
        compute: &Compute,
        context: &Context,
    ) -> Result<Self, Error> {
        let previous = match previous_stage(&folder, &options)? {
            Some((folder, options)) => Some(Box::new(Self {
                model: DynamicModel::load(folder, &options, compute, context)?,
                previous: None,
                options,
            })),
            None => None,
        };
        Ok(Self {
            model: DynamicModel::load(folder, &options, compute, context)?,
            previous,
            options,
        })
    }

    /// Labels of an image, and its probabilities on request.
    pub fn segment(&self, image: Image, softmax: bool, context: &Context) -> Result<Segmented, Error> {
        let target = in_memory(None, Softmax::in_memory(softmax));
        let export = &self.model.export;
        self.run(image, &target, context, |predicted, properties| {
            arrays(export, predicted, &properties, softmax, context.cancel())
        })
    }

    /// Writes the segmentation of an image to `output`, as [`crate::predict`] does.
    pub fn segment_to(
        &self,
        image: Image,
        output: &Path,
        softmax: bool,
        context: &Context,
    ) -> Result<(), Error> {
        let ending = self.model.folder.dataset.file_ending.as_str();
        let (folder, case) = target(output, ending)?;
        let target = Target {
            folder: Some(folder),
            ..in_memory(Some(&case), Softmax::in_files(softmax))
        };
        let (record, export) = (self.model.record(), &self.model.export);
        self.run(image, &target, context, |predicted, properties| {
            write(&target, &record, export, predicted, &properties, context.cancel())
        })
    }

    /// Preprocesses an image, runs the networks, and gives their result to `end`.
    fn run<'a, T: Send>(
        &'a self,
        image: Image,
        target: &Target<'_>,
        context: &'a Context,
        end: impl FnOnce(Predicted<'a>, Properties) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let labels = match &self.previous {
            Some(previous) => Some(previous.labels(image.clone(), target.case, context)?),
            None => None,
        };
        let pool = context.pool()?;
        let (case, nonfinite) = (target.case.unwrap_or_default(), self.options.nonfinite);
        // The closure may not share the networks with another thread.
        let folder = &self.model.folder;
        let Preprocessed { data, properties } = pool.install(|| {
            let previous = labels.as_ref().map(|labels| PreviousStage::Labels(labels.view()));
            let (plans, settings, dataset) = (&folder.plans, &folder.settings, &folder.dataset);
            match image {
                Image::Volumes(channels, geometry) => preprocess_volumes(
                    channels, geometry, plans, settings, dataset, previous, nonfinite, context,
                ),
                Image::Files(files) => preprocess(
                    case, &files, plans, settings, dataset, previous, nonfinite, context,
                ),
            }
        })?;
        let mut report = |done: usize, all: usize| {
            context.progress(100 * done as u64 / all.max(1) as u64, 100, "%", None);
        };
        let options = &self.options;
        let predicted = self
            .model
            .predict(&data, &properties, target, options, context, &mut report)?;
        drop(data);
        pool.install(|| end(predicted, properties))
    }

    /// The segmentation alone, for the second stage of a cascade.
    fn labels(&self, image: Image, case: Option<&str>, context: &Context) -> Result<Array3<i16>, Error> {
        let export = &self.model.export;
        let target = in_memory(case, Softmax::Dropped);
        let found = self.run(image, &target, context, |predicted, properties| {
            arrays(export, predicted, &properties, false, context.cancel())
        })?;
        Ok(found.labels)
    }
}

/// A case that is not written, or alone.
fn in_memory(case: Option<&str>, softmax: Softmax) -> Target<'_> {
    Target {
        case,
        folder: None,
        softmax,
        several: false,
    }
}
