//! The configuration whose segmentation is an additional input, in a cascade.

use std::path::{Path, PathBuf};

use run::{NotFound, OptionError};
use settings::PredictOptions;
use v2::ModelFolder;

use crate::cascade::first_stage_folder;
use crate::digest::Digest;
use crate::Error;

/// The options of the model of the previous stage: the given one, or the one beside the folder of this model. `None` if
/// this model has no previous stage.
///
/// # Errors
/// [`Error::NotFound`] with the options that name it; [`Error::Option`] for options of a cascade without one;
/// [`Error::Model`] if its labels differ, or it has a previous stage itself.
pub(crate) fn previous_stage(
    folder: &ModelFolder,
    options: &PredictOptions,
) -> Result<Option<(ModelFolder, PredictOptions)>, Error> {
    let Some(configuration) = &folder.settings.previous_stage else {
        if options.lowres_segmentations.is_some() || options.lowres_model.is_some() {
            let expected = "a model of the second stage of a cascade";
            return Err(OptionError::expected("model", expected, options.model.display()).into());
        }
        return Ok(None);
    };
    let advice =
        "it is the previous stage of the cascade; train it, name its model with --lowres-model, or its \
                  segmentations with --lowres-segmentations";
    let path = match &options.lowres_model {
        Some(model) => model.clone(),
        None => beside(folder, configuration),
    };
    NotFound::unless_exists("model", &path, advice)?;
    let wrong = |problem: String| Error::Model {
        folder: path.clone(),
        problem,
    };
    let previous = ModelFolder::open(&path)?.ok_or_else(|| {
        wrong("the previous stage of a cascade of nnU-Net v2 must be a model of v2, too".to_owned())
    })?;
    if previous.settings.previous_stage.is_some() {
        return Err(wrong(
            "it is a second stage itself; name the model of the first stage with --lowres-model".to_owned(),
        ));
    }
    if previous.dataset.labels != folder.dataset.labels {
        return Err(wrong(
            "its labels differ from those of the second stage; name a model of the same data set with --lowres-model"
                .to_owned(),
        ));
    }
    let options = PredictOptions {
        model: path,
        output: first_stage_folder(&options.output),
        checkpoint: "final".to_owned(),
        save_softmax: false,
        lowres_model: None,
        lowres_segmentations: None,
        ..options.clone()
    };
    Ok(Some((previous, options)))
}

/// `<trainer>__<plans>__<configuration>` beside the model's folder.
fn beside(folder: &ModelFolder, configuration: &str) -> PathBuf {
    let path = std::path::absolute(&folder.path).unwrap_or_else(|_| folder.path.clone());
    let trainer = folder.trainer.as_deref().unwrap_or("nnUNetTrainer");
    path.with_file_name(format!("{trainer}__{}__{configuration}", folder.plans_name))
}

/// Segmentations of the previous stage, one file a case with the ending of the data set.
#[derive(Clone, Debug)]
pub(crate) struct PreviousFolder {
    pub folder: PathBuf,
    pub ending: &'static str,
}

impl PreviousFolder {
    /// The file of a case.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub fn file(&self, case: &str) -> Result<PathBuf, Error> {
        let path = self.path(case);
        let advice = "the second stage of a cascade needs the segmentation of every case by the previous one";
        NotFound::unless_exists("segmentation of the previous stage", &path, advice)?;
        Ok(path)
    }

    fn path(&self, case: &str) -> PathBuf {
        self.folder.join(format!("{case}{}", self.ending))
    }

    /// Digest of the segmentation of a case; that of nothing if it cannot be read, which fails later.
    pub fn digest(&self, case: &str) -> String {
        Digest::of_file(Some(&self.path(case)))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
