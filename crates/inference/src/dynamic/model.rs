//! A trained model of nnU-Net v2 with the networks of its folds.

use std::path::Path;

use dataset::Fold;
use engine::network::DynamicUNet;
use engine::Compute;
use run::{Context, OptionError};
use serde_json::json;
use settings::PredictOptions;
use v2::{Architecture, Checkpoint, CheckpointFile, Export, ModelFolder};

use crate::digest::Digest;
use crate::window::{Predictor, WindowOptions};
use crate::Error;

/// The trainer that replaces the normalisation of the plans by batch normalisation.
const BATCH_NORM_TRAINER: &str = "nnUNetTrainerBN";

/// A model, ready to predict.
pub(crate) struct DynamicModel {
    pub folder: ModelFolder,
    /// Name of the trainer of the first fold.
    pub trainer: String,
    pub folds: Vec<Fold>,
    pub checkpoint: Checkpoint,
    pub predictor: Predictor<DynamicUNet>,
    pub export: Export,
    digest: Digest,
}

impl DynamicModel {
    /// Loads the folds that the options name, or all numbered ones, or `all` if there is no other.
    ///
    /// Source: `nnUNetPredictor.initialize_from_trained_model_folder`. As there, trainer and mirror axes are those of the
    /// first fold.
    ///
    /// # Errors
    /// [`Error::V2`] for a missing fold, or a checkpoint that cannot be used; [`Error::Engine`] for one that does not fit the
    /// plans, or whose network is not known; [`Error::Model`] for a checkpoint of another configuration;
    /// [`Error::Option`].
    pub fn load(
        folder: ModelFolder,
        options: &PredictOptions,
        compute: &Compute,
        context: &Context,
    ) -> Result<Self, Error> {
        if let Some(mode) = options.export {
            let expected = "nothing for a model of nnU-Net v2, whose plans name the resampling";
            return Err(OptionError::expected("export", expected, format!("{mode:?}")).into());
        }
        let which = checkpoint_of(options)?;
        let folds = folds_of(&folder, options, which, context)?;
        let settings = &folder.settings;
        let path = &folder.plans.path;
        let architecture =
            Architecture::read(path, &folder.configuration, &settings.json, &settings.patch_size)
                .map_err(engine::Error::from)?;
        let export = Export::new(&folder.plans, settings, &folder.dataset);
        let channels = input_channels(&folder);
        let mut digest = Digest::default();
        digest.text(&json!([settings.json, folder.dataset.json]).to_string());
        digest.text(&format!(
            "{:?} {:?}",
            folder.plans.transpose_forward, folder.plans.reader
        ));
        let mut first: Option<(String, Vec<usize>)> = None;
        let mut networks = Vec::with_capacity(folds.len());
        for &fold in &folds {
            context.check()?;
            let checkpoint = CheckpointFile::read(&folder.checkpoint(fold, which)?)?;
            check_configuration(&folder, &checkpoint)?;
            for (name, values) in &checkpoint.state {
                digest.text(name);
                digest.floats(values.iter());
            }
            let (trainer, _) = first.get_or_insert((checkpoint.trainer.clone(), checkpoint.mirror_axes));
            let architecture = match trainer.as_str() {
                BATCH_NORM_TRAINER => architecture.clone().with_batch_norm(),
                _ => architecture.clone(),
            };
            let heads = export.heads();
            let network =
                DynamicUNet::from_state(architecture, channels, heads, &checkpoint.state, compute.device);
            networks.push(network.map_err(|error| error.in_checkpoint(&checkpoint.path))?);
        }
        let (trainer, mirror_axes) = first.unwrap_or_default();
        if let Some(axis) = mirror_axes
            .iter()
            .find(|&&axis| axis >= settings.patch_size.len())
        {
            return Err(Error::Model {
                folder: folder.path.clone(),
                problem: format!(
                    "the checkpoint mirrors axis {axis}, but the patch has {} axes; it is of another configuration",
                    settings.patch_size.len()
                ),
            });
        }
        if options.mirroring && mirror_axes.is_empty() {
            let message = format!(
                "{trainer} trains without mirroring, so that the prediction does not average mirrored copies"
            );
            context.warn("WARN_NO_MIRRORING", message, None);
        }
        let window = WindowOptions {
            step_size: options.step_size,
            mirror_axes: if options.mirroring {
                mirror_axes
            } else {
                Vec::new()
            },
            gaussian: true,
        };
        let predictor = Predictor::of_folds(networks, compute.kind, &settings.patch_size, window)?;
        Ok(Self {
            trainer,
            folds,
            checkpoint: which,
            predictor,
            export,
            digest,
            folder,
        })
    }

    /// Number of channels of the images.
    pub fn channels(&self) -> usize {
        self.folder.dataset.channel_names.len()
    }

    /// The text in the header of a segmentation that tells its model and settings from others.
    pub fn record(&self) -> String {
        let mut digest = self.digest;
        let folds: Vec<_> = self.folds.iter().map(|fold| fold.folder()).collect();
        digest.text(&folds.join(" "));
        digest.text(&json!([self.predictor.options(), self.checkpoint.file()]).to_string());
        format!("nnunet-diag predict {}", digest.hex())
    }
}

/// Channels of the network's input: those of the images, and one for each foreground label of the previous stage.
fn input_channels(folder: &ModelFolder) -> usize {
    let previous = match folder.settings.previous_stage {
        Some(_) => folder.dataset.labels.foreground().len(),
        None => 0,
    };
    folder.dataset.channel_names.len() + previous
}

fn check_configuration(folder: &ModelFolder, checkpoint: &CheckpointFile) -> Result<(), Error> {
    match &checkpoint.configuration {
        Some(other) if *other != folder.configuration => Err(Error::Model {
            folder: folder.path.clone(),
            problem: format!(
                "{} is of the configuration {other}, but the folder's name says {}; put it into the folder of its model",
                relative(&folder.path, &checkpoint.path),
                folder.configuration
            ),
        }),
        _ => Ok(()),
    }
}

fn relative(folder: &Path, file: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).display().to_string()
}

/// The checkpoint that the options name.
pub(crate) fn checkpoint_of(options: &PredictOptions) -> Result<Checkpoint, Error> {
    let name = options.checkpoint.as_str();
    let all = [Checkpoint::Final, Checkpoint::Best, Checkpoint::Latest];
    let short = ["final", "best", "latest"];
    let found = all.into_iter().zip(short).find(|(which, short)| {
        let file = which.file();
        name == *short || name == file || Some(name) == file.strip_suffix(".pth")
    });
    found.map(|(which, _)| which).ok_or_else(|| {
        let expected = "final, best or latest for a model of nnU-Net v2";
        OptionError::expected("checkpoint", expected, format!("{name:?}")).into()
    })
}

/// The folds to average, with a warning of those that are left out.
fn folds_of(
    folder: &ModelFolder,
    options: &PredictOptions,
    which: Checkpoint,
    context: &Context,
) -> Result<Vec<Fold>, Error> {
    if let Some(folds) = &options.folds {
        if folds.is_empty() {
            return Err(OptionError::expected("folds", "at least one fold", "none").into());
        }
        for fold in folds {
            folder.checkpoint(*fold, which)?;
        }
        return Ok(folds.clone());
    }
    let mut folds = folder.folds(which)?;
    if folds.iter().any(|fold| *fold != Fold::All) {
        folds.retain(|fold| *fold != Fold::All);
    }
    let names = std::fs::read_dir(&folder.path).into_iter().flatten().flatten();
    let mut unfinished: Vec<String> = names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| {
            let fold = name
                .strip_prefix("fold_")
                .and_then(|fold| fold.parse::<Fold>().ok());
            fold.is_some_and(|fold| fold != Fold::All && !folds.contains(&fold))
        })
        .collect();
    unfinished.sort();
    if !unfinished.is_empty() {
        let used: Vec<_> = folds.iter().map(|fold| fold.folder()).collect();
        let message = format!(
            "{} {} no {which} and {} left out; the prediction averages {}; finish the training, or name the folds",
            unfinished.join(", "),
            if unfinished.len() == 1 { "has" } else { "have" },
            if unfinished.len() == 1 { "is" } else { "are" },
            used.join(", ")
        );
        context.warn("WARN_UNFINISHED_FOLDS", message, None);
    }
    Ok(folds)
}
