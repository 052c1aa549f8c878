//! The folder of a model: `<trainer>__<plans>__<configuration>`.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use dataset::Fold;
use run::NotFound;

use crate::{Configuration, Dataset, Error, Plans};

/// Name of the plans in a model folder.
pub const PLANS_FILE: &str = "plans.json";
/// Name of the description of the data set in a model folder.
pub const DATASET_FILE: &str = "dataset.json";

/// A checkpoint of a fold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checkpoint {
    /// The end of the training.
    #[default]
    Final,
    /// The epoch with the best validation.
    Best,
    /// The latest epoch of an unfinished training.
    Latest,
}

impl Checkpoint {
    /// Name of the file.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Final => "checkpoint_final.pth",
            Self::Best => "checkpoint_best.pth",
            Self::Latest => "checkpoint_latest.pth",
        }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file())
    }
}

/// Name of a fold's folder: `fold_0`, `fold_all`.
#[must_use]
pub fn fold_folder(fold: Fold) -> String {
    format!("fold_{fold}")
}

/// A model of nnU-Net v2.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFolder {
    /// The folder.
    pub path: PathBuf,
    /// `plans.json`.
    pub plans: Plans,
    /// `dataset.json`.
    pub dataset: Dataset,
    /// Name of the configuration: the end of the folder's name, or the only configuration of the plans.
    pub configuration: String,
    /// The settings of this configuration.
    pub settings: Configuration,
    /// Name of the trainer's class: the beginning of the folder's name, if it has v2's form.
    pub trainer: Option<String>,
    /// Name of the plans: the middle of the folder's name, or as `plans.json` has it.
    pub plans_name: String,
}

impl ModelFolder {
    /// Reads the model of a folder. `None` if the folder has neither `plans.json` nor a checkpoint of v2.
    ///
    /// # Errors
    /// [`Error::NotFound`] if plans, `dataset.json` or the folder do not exist. [`Error::Model`] if the folder is also one of v1, is
    /// a fold, or its name does not tell the configuration. [`Error::Record`], [`Error::Unsupported`].
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        NotFound::unless_exists("model", path, "choose the folder of a trained model")?;
        let plans = path.join(PLANS_FILE);
        let checkpoint = checkpoint_below(path, &OF_V2)?;
        let of_v2 = plans.is_file().then(|| plans.clone()).or(checkpoint);
        let Some(of_v2) = of_v2 else {
            return Ok(None);
        };
        let old = path.join("plans.pkl");
        let of_v1 = match old.is_file() {
            true => Some(old),
            false => checkpoint_below(path, &OF_V1)?,
        };
        if let Some(of_v1) = of_v1 {
            return Err(mixed(path, &of_v1, &of_v2));
        }
        if !plans.is_file() {
            return Err(without_plans(path, &of_v2));
        }
        let plans = Plans::read(&plans)?;
        let dataset = Dataset::read(&path.join(DATASET_FILE))?;
        let (trainer, plans_name, configuration) = names(path, &plans)?;
        let settings = plans.configuration(&configuration)?;
        let (channels, schemes) = (dataset.channel_names.len(), settings.normalization.len());
        if channels != schemes {
            return Err(Error::Model {
                folder: path.to_owned(),
                problem: format!(
                    "dataset.json has {channels} channel_names, but plans.json has {schemes} normalization_schemes for \
                     {configuration}; they are of different models"
                ),
            });
        }
        Ok(Some(Self {
            settings,
            path: path.to_owned(),
            plans,
            dataset,
            configuration,
            trainer,
            plans_name,
        }))
    }

    /// Folds that have a folder: numbers in ascending order, then `all`. At least one.
    ///
    /// # Errors
    /// [`Error::Model`] if there is no fold; [`Error::Io`].
    pub fn all_folds(&self) -> Result<Vec<Fold>, Error> {
        let all = folds_in(&self.path)?;
        if all.is_empty() {
            return Err(Error::Model {
                folder: self.path.clone(),
                problem: "it contains no folder fold_0, fold_1, …, or fold_all".to_owned(),
            });
        }
        Ok(all)
    }

    /// Folds that have a checkpoint: numbers in ascending order, then `all`.
    ///
    /// # Errors
    /// [`Error::NotFound`] naming the checkpoint if no fold has it; [`Error::Model`] if there is no fold; [`Error::Io`].
    pub fn folds(&self, which: Checkpoint) -> Result<Vec<Fold>, Error> {
        let all = self.all_folds()?;
        let first = all[0];
        let finished: Vec<Fold> = all
            .iter()
            .copied()
            .filter(|&fold| self.path.join(fold_folder(fold)).join(which.file()).is_file())
            .collect();
        if finished.is_empty() {
            return Err(self.missing(first, which));
        }
        Ok(finished)
    }

    /// Path of a checkpoint, which must exist.
    ///
    /// # Errors
    /// [`Error::NotFound`] naming the folds that have the checkpoint, and the fold's other checkpoints.
    pub fn checkpoint(&self, fold: Fold, which: Checkpoint) -> Result<PathBuf, Error> {
        let path = self.path.join(fold_folder(fold)).join(which.file());
        match path.is_file() {
            true => Ok(path),
            false => Err(self.missing(fold, which)),
        }
    }

    fn missing(&self, fold: Fold, which: Checkpoint) -> Error {
        let folder = self.path.join(fold_folder(fold));
        let others = [Checkpoint::Final, Checkpoint::Best, Checkpoint::Latest]
            .into_iter()
            .filter(|other| folder.join(other.file()).is_file());
        let others: Vec<_> = others.map(Checkpoint::file).collect();
        let having: Vec<String> = entries(&self.path)
            .unwrap_or_default()
            .into_iter()
            .filter(|name| fold_of(name).is_some() && self.path.join(name).join(which.file()).is_file())
            .collect();
        let advice = match (others.as_slice(), having.as_slice()) {
            ([], []) => "no fold has it; copy the checkpoints of the training".to_owned(),
            ([], folds) => format!("the folds with this checkpoint are {}", folds.join(", ")),
            (others, _) => format!("the fold has {}; choose that checkpoint", others.join(" and ")),
        };
        NotFound::new("checkpoint", folder.join(which.file()), advice).into()
    }
}

/// Copies `plans.json` and `dataset.json` of a folder into a folder of predictions, as v2 does. Ensembles need them.
///
/// # Errors
/// [`Error::Io`], [`Error::Storage`].
pub fn copy_descriptions(from: &Path, to: &Path) -> Result<(), Error> {
    for name in [PLANS_FILE, DATASET_FILE] {
        let path = from.join(name);
        let bytes = fs::read(&path).map_err(|source| Error::Io {
            path: path.clone(),
            source,
        })?;
        storage::write_atomic(&to.join(name), |file| file.write_all(&bytes))?;
    }
    Ok(())
}

/// Trainer, plans and configuration from the folder's name.
fn names(path: &Path, plans: &Plans) -> Result<(Option<String>, String, String), Error> {
    let full = fs::canonicalize(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })?;
    let name = full.file_name().map(|name| name.to_string_lossy().into_owned());
    let parts: Vec<&str> = name.as_deref().unwrap_or_default().split("__").collect();
    if let [trainer, plans_name, configuration] = parts[..] {
        return Ok((
            Some(trainer.to_owned()),
            plans_name.to_owned(),
            configuration.to_owned(),
        ));
    }
    let configurations = plans.configuration_names();
    match configurations.as_slice() {
        [only] => Ok((None, plans.plans_name.clone(), (*only).to_owned())),
        all => Err(Error::Model {
            folder: path.to_owned(),
            problem: format!(
                "the folder's name does not tell which configuration it is; rename it to \
                 <trainer>__<plans>__<configuration>, such as nnUNetTrainer__{}__{}; the plans have {}",
                plans.plans_name,
                all.first().copied().unwrap_or("3d_fullres"),
                all.join(", ")
            ),
        }),
    }
}

fn without_plans(path: &Path, checkpoint: &Path) -> Error {
    let parent = path.parent().filter(|parent| parent.join(PLANS_FILE).is_file());
    match parent {
        Some(parent) => Error::Model {
            folder: path.to_owned(),
            problem: format!(
                "this is one fold of a model of nnU-Net v2; name the model's folder {}, and the fold as an option",
                parent.display()
            ),
        },
        None => NotFound::new(
            "plans",
            path.join(PLANS_FILE),
            format!(
                "{} is of nnU-Net v2, which needs plans.json and dataset.json in the model's folder",
                checkpoint.display()
            ),
        )
        .into(),
    }
}

fn mixed(path: &Path, of_v1: &Path, of_v2: &Path) -> Error {
    let relative = |file: &Path| file.strip_prefix(path).unwrap_or(file).display().to_string();
    Error::Model {
        folder: path.to_owned(),
        problem: format!(
            "it has {} of nnU-Net v1 and {} of nnU-Net v2; move the files of one of them to a folder of their own",
            relative(of_v1),
            relative(of_v2)
        ),
    }
}

const OF_V1: [&str; 2] = ["model_final_checkpoint.model", "model_best.model"];
const OF_V2: [&str; 3] = [
    "checkpoint_final.pth",
    "checkpoint_best.pth",
    "checkpoint_latest.pth",
];

/// A checkpoint of one of these names in the folder or in a fold of it.
fn checkpoint_below(path: &Path, files: &[&str]) -> Result<Option<PathBuf>, Error> {
    let within = |folder: &Path| {
        files
            .iter()
            .map(|file| folder.join(file))
            .find(|file| file.is_file())
    };
    if let Some(found) = within(path) {
        return Ok(Some(found));
    }
    if !path.is_dir() {
        return Ok(None);
    }
    let mut names = entries(path)?;
    // v1's fold of all cases is `all`.
    names.retain(|name| fold_of(name).is_some() || name == "all");
    Ok(names.iter().find_map(|name| within(&path.join(name))))
}

/// Folds that have a folder in `path`: numbers in ascending order, then `all`.
///
/// # Errors
/// [`Error::Io`].
pub fn folds_in(path: &Path) -> Result<Vec<Fold>, Error> {
    let mut folds: Vec<Fold> = entries(path)?.iter().filter_map(|name| fold_of(name)).collect();
    folds.sort();
    Ok(folds)
}

fn fold_of(name: &str) -> Option<Fold> {
    let fold: Fold = name.strip_prefix("fold_")?.parse().ok()?;
    (fold_folder(fold) == name).then_some(fold)
}

/// Names in a folder, sorted.
fn entries(path: &Path) -> Result<Vec<String>, Error> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(io)? {
        names.push(entry.map_err(io)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
