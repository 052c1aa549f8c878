//! The files of a model that nnU-Net v1 exports.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dataset::results::{ModelFolder, FINAL_CHECKPOINT};
use dataset::Fold;
use run::{Context, NotFound};

use crate::layout::{ensemble_members, model_name, ENSEMBLES, EXPECTED};
use crate::{check_pickle, Error, LARGEST_PICKLE};

/// A file, and its name in the zip file.
pub(crate) struct Member {
    pub(crate) source: PathBuf,
    pub(crate) name: String,
}

/// A model to export.
pub(crate) struct Model {
    pub(crate) folder: ModelFolder,
    /// The folder's name in the zip file.
    pub(crate) name: String,
    pub(crate) folds: Vec<Fold>,
}

impl Model {
    /// Finds the model of a folder, and its folds: the given ones, else all with a number as `predict` takes them.
    ///
    /// # Errors
    /// [`Error::Model`] if the end of its path is not that of nnU-Net; [`Error::Unfinished`]; as
    /// [`ModelFolder::default_folds`].
    pub(crate) fn find(folder: &Path, folds: Option<&[Fold]>) -> Result<Self, Error> {
        let whole = whole_path(folder)?;
        let name = model_name(&whole).ok_or_else(|| Error::Model {
            folder: folder.to_owned(),
            problem: format!(
                "the path of a model ends with {EXPECTED}, as below RESULTS_FOLDER/nnUNet; zip files of nnU-Net v1 \
                 have these names"
            ),
        })?;
        let model = ModelFolder::new(whole);
        let unfinished = |folds: Vec<Fold>| Error::Unfinished {
            folder: folder.to_owned(),
            folds,
        };
        let folds = match folds {
            Some(folds) => folds
                .iter()
                .copied()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            None => {
                let found = model.default_folds(FINAL_CHECKPOINT)?;
                if !found.unfinished.is_empty() {
                    return Err(unfinished(found.unfinished));
                }
                found.finished
            }
        };
        let lacks = |fold: &&Fold| {
            let fold = model.fold(**fold);
            !(fold.checkpoint(FINAL_CHECKPOINT).is_file() && fold.checkpoint_info(FINAL_CHECKPOINT).is_file())
        };
        let missing: Vec<_> = folds.iter().filter(lacks).copied().collect();
        if !missing.is_empty() {
            return Err(unfinished(missing));
        }
        NotFound::unless_exists(
            "plans of the model",
            &model.plans(),
            "copy the model again, or train it",
        )?;
        Ok(Self {
            folder: model,
            name,
            folds,
        })
    }

    /// The files of the model, in nnU-Net v1's order. Files that prediction can do without may be missing, unless
    /// `strict`.
    ///
    /// # Errors
    /// [`NotFound`] of the first missing file if `strict`; [`Error::Model`] if a pickle is not readable.
    pub(crate) fn members(&self, strict: bool, context: &Context) -> Result<Vec<Member>, Error> {
        let checkpoint = |suffix: &str| format!("{FINAL_CHECKPOINT}{suffix}");
        let mut members = Vec::new();
        let mut missing = Vec::new();
        let mut add = |inner: String, needed: bool| {
            let source = inner
                .split('/')
                .fold(self.folder.path.clone(), |path, part| path.join(part));
            if source.is_file() {
                let name = format!("{}/{inner}", self.name);
                members.push(Member { source, name });
            } else if needed {
                missing.push(source);
            }
        };
        for fold in &self.folds {
            let fold = fold.folder();
            for (file, needed) in [
                ("debug.json".to_owned(), true),
                (checkpoint(".model"), true),
                (checkpoint(".model.pkl"), true),
                ("progress.png".to_owned(), true),
                ("network_architecture.pdf".to_owned(), false),
            ] {
                add(format!("{fold}/{file}"), needed);
            }
        }
        add("plans.pkl".to_owned(), true);
        add("postprocessing.json".to_owned(), true);
        for path in missing {
            let advice = match path.ends_with("postprocessing.json") {
                true => "run `nnunet-diag consolidate-folds`, or export without --strict",
                false => "finish the training, or export without --strict",
            };
            if strict {
                return Err(NotFound::new("file of the model", path, advice).into());
            }
            let message = format!("{} does not exist; the zip file lacks it", path.display());
            context.warn("WARN_NOT_EXPORTED", message, None);
        }
        for member in members.iter().filter(|member| member.name.ends_with(".pkl")) {
            readable(&member.source)?;
        }
        Ok(members)
    }

    /// The folder of the ensembles of this task.
    fn ensembles(&self) -> Option<(PathBuf, &str)> {
        let task = self.name.split('/').nth(1)?;
        let root = self.folder.path.ancestors().nth(3)?;
        Some((root.join(ENSEMBLES).join(task), task))
    }

    /// The name of the model in those of ensembles.
    fn in_ensembles(&self) -> Option<String> {
        let mut parts = self.name.split('/');
        let (configuration, trainer) = (parts.next()?, parts.nth(1)?);
        Some(format!("{configuration}__{trainer}"))
    }
}

/// The postprocessing files of the ensembles whose models are both exported.
///
/// # Errors
/// [`Error::Io`] if a folder cannot be listed.
pub(crate) fn ensembles(models: &[Model], context: &Context) -> Result<Vec<Member>, Error> {
    let exported: BTreeSet<_> = models.iter().filter_map(Model::in_ensembles).collect();
    let folders: BTreeSet<_> = models.iter().filter_map(Model::ensembles).collect();
    let mut members = Vec::new();
    for (folder, task) in folders.into_iter().filter(|(folder, _)| folder.is_dir()) {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::io(&folder, e))? {
            let name = entry.map_err(|e| Error::io(&folder, e))?.file_name();
            names.extend(name.into_string());
        }
        names.sort();
        let whole = |name: &String| {
            ensemble_members(name).is_some_and(|both| both.iter().all(|model| exported.contains(*model)))
        };
        for name in names.into_iter().filter(whole) {
            let source = folder.join(&name).join("postprocessing.json");
            if source.is_file() {
                let name = format!("{ENSEMBLES}/{task}/{name}/postprocessing.json");
                members.push(Member { source, name });
            } else {
                let message = format!("{} does not exist; the zip file lacks it", source.display());
                context.warn("WARN_NOT_EXPORTED", message, None);
            }
        }
    }
    Ok(members)
}

/// The absolute path of the folder of a model.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Io`].
pub(crate) fn whole_path(folder: &Path) -> Result<PathBuf, Error> {
    let advice = "train it with `nnunet-diag train` first, or choose another folder";
    NotFound::unless_exists("model", folder, advice)?;
    let dots = folder
        .components()
        .any(|part| part == std::path::Component::ParentDir);
    // Without links, whose targets may have other names.
    let whole = if dots {
        folder.canonicalize()
    } else {
        std::path::absolute(folder)
    };
    whole.map_err(|e| Error::io(folder, e))
}

/// Refuses a pickle that installing would refuse.
pub(crate) fn readable(path: &Path) -> Result<(), Error> {
    let length = path.metadata().map_err(|e| Error::io(path, e))?.len();
    let problem = if length > LARGEST_PICKLE {
        format!("it has {length} bytes, more than {LARGEST_PICKLE}")
    } else {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        match check_pickle(&bytes) {
            Ok(()) => return Ok(()),
            Err(error) => error.to_string(),
        }
    };
    Err(Error::Model {
        folder: path.to_owned(),
        problem,
    })
}
