//! Models of nnU-Net v2: the files that it exports, and what a zip file must have.
//!
//! Source: `nnunetv2.model_sharing.model_export`.

use std::collections::BTreeSet;
use std::path::Path;

use dataset::Fold;
use run::{Context, NotFound};
use v2::{fold_folder, Checkpoint, ModelFolder, DATASET_FILE, PLANS_FILE};

use crate::layout::{v2_name, EXPECTED_V2};
use crate::members::{readable, whole_path, Member};
use crate::Error;

/// Environment variable of v2's folder of trained models.
pub(crate) const RESULTS_VARIABLE: &str = "nnUNet_results";
/// Start of the folder with the merged predictions of all folds.
const CROSS_VALIDATION: &str = "crossval_results_folds_";
const CHECKPOINTS: [Checkpoint; 3] = [Checkpoint::Final, Checkpoint::Best, Checkpoint::Latest];

/// A model to export.
pub(crate) struct V2Model {
    pub(crate) folder: ModelFolder,
    /// The folder's name in the zip file.
    pub(crate) name: String,
    pub(crate) folds: Vec<Fold>,
}

impl V2Model {
    /// Finds the model of a folder, and its folds: the given ones, else all with a number. `None` if it is not of v2.
    ///
    /// # Errors
    /// [`Error::Model`] if the end of its path is not that of v2; [`Error::V2`] if the model is not whole, or a fold has no
    /// final checkpoint.
    pub(crate) fn find(folder: &Path, folds: Option<&[Fold]>) -> Result<Option<Self>, Error> {
        let Some(model) = ModelFolder::open(&whole_path(folder)?)? else {
            return Ok(None);
        };
        let name = v2_name(&model.path).ok_or_else(|| Error::Model {
            folder: folder.to_owned(),
            problem: format!(
                "the path of a model of nnU-Net v2 ends with {EXPECTED_V2}, as below nnUNet_results; its zip files have \
                 these names"
            ),
        })?;
        let folds: BTreeSet<Fold> = match folds {
            Some(folds) => folds.iter().copied().collect(),
            None => {
                let all: BTreeSet<Fold> = model.all_folds()?.into_iter().collect();
                let numbered: BTreeSet<Fold> =
                    all.iter().copied().filter(|fold| *fold != Fold::All).collect();
                if numbered.is_empty() {
                    all
                } else {
                    numbered
                }
            }
        };
        for fold in &folds {
            model.checkpoint(*fold, Checkpoint::Final)?;
        }
        Ok(Some(Self {
            folder: model,
            name,
            folds: folds.into_iter().collect(),
        }))
    }

    /// The files of the model. Files that prediction can do without may be missing, unless `strict`.
    ///
    /// # Errors
    /// [`NotFound`] of the first missing file if `strict`; [`Error::Model`] if a pickle is not readable.
    pub(crate) fn members(&self, strict: bool, context: &Context) -> Result<Vec<Member>, Error> {
        let root = &self.folder.path;
        let mut files: Vec<(String, bool)> = Vec::new();
        for fold in &self.folds {
            let fold = fold_folder(*fold);
            for (file, needed) in [
                ("debug.json", false),
                (Checkpoint::Final.file(), true),
                ("progress.png", true),
                ("network_architecture.pdf", false),
                ("validation/summary.json", true),
            ] {
                files.push((format!("{fold}/{file}"), needed));
            }
        }
        let names: Vec<String> = self.folds.iter().map(ToString::to_string).collect();
        for file in ["summary.json", "postprocessing.pkl", "postprocessing.json"] {
            files.push((format!("{CROSS_VALIDATION}{}/{file}", names.join("_")), false));
        }
        for (file, needed) in [
            (PLANS_FILE, true),
            ("dataset_fingerprint.json", true),
            (DATASET_FILE, true),
        ] {
            files.push((file.to_owned(), needed));
        }
        let mut members = Vec::new();
        for (file, needed) in files {
            let source = file.split('/').fold(root.clone(), |path, part| path.join(part));
            if source.is_file() {
                let name = format!("{}/{file}", self.name);
                members.push(Member { source, name });
            } else if needed && strict {
                let advice = "copy it from the training, or export without --strict";
                return Err(NotFound::new("file of the model", source, advice).into());
            } else if needed {
                let message = format!("{} does not exist; the zip file lacks it", source.display());
                context.warn("WARN_NOT_EXPORTED", message, None);
            }
        }
        for member in members.iter().filter(|member| member.name.ends_with(".pkl")) {
            readable(&member.source)?;
        }
        Ok(members)
    }
}

/// Checks that the names of a model's files in a zip file are those of a whole model.
///
/// # Errors
/// What is missing.
pub(crate) fn check_names<'a>(model: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let prefix = format!("{model}/");
    let inner: Vec<&str> = names.filter_map(|name| name.strip_prefix(&prefix)).collect();
    for file in [PLANS_FILE, DATASET_FILE] {
        if !inner.contains(&file) {
            return Err(format!("the model {model} has no {file}"));
        }
    }
    let is_checkpoint = |name: &&str| {
        let file = name.split_once('/').filter(|(fold, _)| fold.starts_with("fold_"));
        file.is_some_and(|(_, file)| CHECKPOINTS.iter().any(|which| which.file() == file))
    };
    match inner.iter().any(is_checkpoint) {
        true => Ok(()),
        false => Err(format!(
            "the model {model} has no fold with {}",
            Checkpoint::Final.file()
        )),
    }
}

/// The folds of an installed model that have a checkpoint.
///
/// # Errors
/// [`Error::V2`] if the folder cannot be listed.
pub(crate) fn folds(path: &Path) -> Result<Vec<Fold>, Error> {
    let mut folds = v2::folds_in(path)?;
    let has = |fold: &Fold| {
        CHECKPOINTS
            .iter()
            .any(|which| path.join(fold_folder(*fold)).join(which.file()).is_file())
    };
    folds.retain(has);
    Ok(folds)
}
