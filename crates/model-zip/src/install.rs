//! The verb `installModel`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use dataset::results::{ModelFolder, FINAL_CHECKPOINT};
use dataset::{Fold, Folders};
use run::{Context, Event, NotFound, Options};
use serde::Serialize;
use serde_json::json;
use storage::Lock;

use crate::archive::Archive;
use crate::layout::{folder_of, Kind, EXPECTED, EXPECTED_V2};
use crate::meter::Meter;
use crate::names::components;
use crate::v2_model;
use crate::{check_pickle, Error, LARGEST_PICKLE};

/// Names that a message lists.
const SHOWN: usize = 5;

/// Options of [`install_model`].
#[run::options]
pub struct InstallModelOptions {
    /// The zip file, of `export-model`, nnU-Net v1 or v2.
    #[schemars(length(min = 1))]
    pub zip: PathBuf,
    /// Folder that gets `CONFIGURATION/TaskXXX_NAME/TRAINER__PLANS`, or `DatasetXXX_NAME/TRAINER__PLANS__CONFIGURATION` of
    /// nnU-Net v2. Created if missing. The default is `nnUNet` in the folder of trained models; for models of v2
    /// `$nnUNet_results`, else the folder of trained models.
    pub output: Option<PathBuf>,
    /// Folder of trained models. The default is `$RESULTS_FOLDER`.
    pub results: Option<PathBuf>,
    /// Installs models in the place of existing ones, whose folders are kept under another name.
    #[default]
    pub overwrite: bool,
}

impl Options for InstallModelOptions {}

/// A folder that was installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstalledFolder {
    /// The folder.
    pub folder: PathBuf,
    /// The folds of a model with a final checkpoint; empty for an ensemble.
    pub folds: Vec<Fold>,
    /// Where the previous folder of this name is now.
    pub replaced: Option<PathBuf>,
}

/// Outcome of [`install_model`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstallModelSummary {
    /// The installed models, for `predict --model`.
    pub models: Vec<InstalledFolder>,
    /// The installed ensembles.
    pub ensembles: Vec<InstalledFolder>,
    /// Number of installed files.
    pub files: usize,
    /// Bytes of these files.
    pub bytes: u64,
    /// Files in the zip file that are part of no model, and were left out.
    pub ignored: Vec<String>,
}

/// Installs the models of a zip file. All of them are installed, or nothing is. The zip file may come from anyone:
/// nothing in it is executed, its pickles are read by the restricted reader, and its names, sizes and checksums are
/// verified.
///
/// Sources: `nnunet.inference.pretrained_models.download_pretrained_model.install_model_from_zip_file`,
/// `nnunetv2.model_sharing.model_import.install_model_from_zip_file`.
///
/// # Errors
/// [`Error::Zip`] if the file is damaged, not acceptable or contains no model; [`Error::ModelExists`];
/// [`Error::Storage`] if the disk is too small, or another process installs into the folder; on cancellation.
pub fn install_model(options: &InstallModelOptions, context: &Context) -> Result<InstallModelSummary, Error> {
    run::validate(options)?;
    NotFound::unless_exists("zip file", &options.zip, "correct the path")?;
    let mut archive = Archive::open(&options.zip)?;
    let contents = Contents::of(&archive, &options.zip)?;
    let root = root(options, contents.is_v2(), context)?;
    context.emit(Event::Started {
        verb: "installModel",
        settings: json!({ "zip": options.zip, "output": root, "overwrite": options.overwrite }),
    });
    contents.check_pickles(&mut archive, &options.zip, context)?;
    contents.refuse_existing(&root, options)?;
    storage::require_space(&root, contents.bytes)?;
    fs::create_dir_all(&root).map_err(|e| Error::io(&root, e))?;
    let _lock = Lock::acquire(&root.join("installing.lock"))?;
    let unpacked = storage::temporary_folder(&root.join("installing"))?;
    let mut meter = Meter::new(context, contents.bytes);
    for (file, entry) in contents.files(&archive) {
        unpack(&mut archive, file, &join(unpacked.path(), &entry), &mut meter)?;
    }
    // Another process may have trained or copied one meanwhile.
    contents.refuse_existing(&root, options)?;
    let replaced = place(&contents, unpacked.path(), &root)?;
    meter.end();
    let [models, ensembles] = contents.installed(&root, replaced)?;
    for folder in models.iter().chain(&ensembles) {
        if let Some(aside) = &folder.replaced {
            let message = format!("the previous folder was moved to {}", aside.display());
            context.warn("WARN_MODEL_REPLACED", message, None);
        }
    }
    if let Some(first) = contents.ignored.first() {
        let count = contents.ignored.len();
        let message =
            format!("{count} files of the zip file are part of no model and were left out, such as {first}");
        context.warn("WARN_NOT_INSTALLED", message, None);
    }
    Ok(InstallModelSummary {
        models,
        ensembles,
        files: contents.folders.values().map(|folder| folder.files.len()).sum(),
        bytes: contents.bytes,
        ignored: contents.ignored,
    })
}

fn root(options: &InstallModelOptions, v2: bool, context: &Context) -> Result<PathBuf, Error> {
    if let Some(output) = &options.output {
        return Ok(output.clone());
    }
    let variable = std::env::var_os(v2_model::RESULTS_VARIABLE).filter(|value| !value.is_empty());
    if let (true, None, Some(folder)) = (v2, &options.results, variable) {
        return Ok(folder.into());
    }
    let folders = Folders {
        results: options.results.clone(),
        ..Folders::default()
    };
    let results = folders.resolve(context).results()?.to_owned();
    Ok(if v2 { results } else { results.join("nnUNet") })
}

/// A folder of the zip file that is installed as a whole.
struct Folder {
    kind: Kind,
    /// Positions of its files in the archive.
    files: Vec<usize>,
}

/// What the zip file installs.
struct Contents {
    /// By name, such as `2d/Task501_X/TRAINER__PLANS`, or `Dataset501_X/TRAINER__PLANS__2d` of nnU-Net v2.
    folders: BTreeMap<String, Folder>,
    ignored: Vec<String>,
    bytes: u64,
}

impl Contents {
    /// Sorts the files into folders.
    ///
    /// # Errors
    /// [`Error::Zip`] if a model is not whole, or there is none.
    fn of(archive: &Archive, zip: &Path) -> Result<Self, Error> {
        let mut contents = Self {
            folders: BTreeMap::new(),
            ignored: Vec::new(),
            bytes: 0,
        };
        for (file, entry) in archive.files.iter().enumerate() {
            let parts = components(&entry.name).unwrap_or_default();
            let Some((name, kind)) = folder_of(&parts) else {
                contents.ignored.push(entry.name.clone());
                continue;
            };
            let folder = contents.folders.entry(name).or_insert_with(|| Folder {
                kind,
                files: Vec::new(),
            });
            folder.files.push(file);
            contents.bytes += entry.size;
        }
        let refuse = |problem: String| Error::Zip {
            path: zip.to_owned(),
            problem,
        };
        let mut none = true;
        for (name, folder) in contents.folders.iter().filter(|(_, f)| f.kind == Kind::V2) {
            none = false;
            let names = folder.files.iter().map(|file| &*archive.files[*file].name);
            v2_model::check_names(name, names).map_err(refuse)?;
        }
        let models = contents
            .folders
            .iter()
            .filter(|(_, folder)| folder.kind == Kind::Model);
        let v1 = |folder: &Folder| folder.kind != Kind::V2;
        if !none && contents.folders.values().any(v1) {
            return Err(refuse(
                "it contains models of nnU-Net v1 and v2, which belong to different folders".to_owned(),
            ));
        }
        for (name, folder) in models {
            none = false;
            let has = |inner: &str| {
                let whole = format!("{name}/{inner}");
                folder.files.iter().any(|file| archive.files[*file].name == whole)
            };
            let is_fold = |fold: &str| {
                let file = format!("{fold}/{FINAL_CHECKPOINT}.model");
                has(&file) && has(&format!("{file}.pkl"))
            };
            let folds = folder.files.iter().filter_map(|file| {
                let parts = archive.files[*file].name.split('/');
                parts.rev().nth(1)
            });
            if !has("plans.pkl") {
                return Err(refuse(format!("the model {name} has no plans.pkl")));
            }
            if !folds.into_iter().any(is_fold) {
                return Err(refuse(format!(
                    "the model {name} has no fold with {FINAL_CHECKPOINT}.model and {FINAL_CHECKPOINT}.model.pkl"
                )));
            }
        }
        if none {
            return Err(refuse(format!(
                "it contains no model: expected files {EXPECTED}/fold_X/{FINAL_CHECKPOINT}.model, or \
                 {EXPECTED_V2}/fold_X/checkpoint_final.pth of nnU-Net v2, {}",
                found(archive)
            )));
        }
        Ok(contents)
    }

    /// Whether the models are of nnU-Net v2.
    fn is_v2(&self) -> bool {
        self.folders.values().any(|folder| folder.kind == Kind::V2)
    }

    /// Positions and names of the files to unpack.
    fn files(&self, archive: &Archive) -> Vec<(usize, String)> {
        let files = self.folders.values().flat_map(|folder| &folder.files);
        files
            .map(|file| (*file, archive.files[*file].name.clone()))
            .collect()
    }

    /// Reads the pickles of the models with the restricted reader.
    ///
    /// # Errors
    /// [`Error::Zip`] if one is damaged, or does more than hold values.
    fn check_pickles(&self, archive: &mut Archive, zip: &Path, context: &Context) -> Result<(), Error> {
        for (file, name) in self.files(archive) {
            if !name.ends_with(".pkl") {
                continue;
            }
            let refuse = |problem: String| Error::Zip {
                path: zip.to_owned(),
                problem: format!("entry {name:?}: {problem}"),
            };
            let size = archive.files[file].size;
            if size > LARGEST_PICKLE {
                return Err(refuse(format!("it has {size} bytes, more than {LARGEST_PICKLE}")));
            }
            let mut bytes = Vec::new();
            // Not part of the progress: the file is unpacked again.
            let mut meter = Meter::new(context, size);
            archive.unpack(file, &mut bytes, zip, &mut meter)?;
            check_pickle(&bytes).map_err(|e| refuse(e.to_string()))?;
        }
        Ok(())
    }

    /// Refuses to replace what exists, unless `overwrite`.
    fn refuse_existing(&self, root: &Path, options: &InstallModelOptions) -> Result<(), Error> {
        let mut targets = self.folders.keys().map(|name| join(root, name));
        match targets.find(|target| !options.overwrite && target.symlink_metadata().is_ok()) {
            None => Ok(()),
            Some(path) => Err(Error::ModelExists {
                path,
                zip: options.zip.clone(),
            }),
        }
    }

    /// The installed models and ensembles.
    fn installed(
        &self,
        root: &Path,
        replaced: Vec<Option<PathBuf>>,
    ) -> Result<[Vec<InstalledFolder>; 2], Error> {
        let mut installed = [Vec::new(), Vec::new()];
        for ((name, folder), replaced) in self.folders.iter().zip(replaced) {
            let path = join(root, name);
            let (place, folds) = match folder.kind {
                Kind::Model => (0, ModelFolder::new(&path).folds(FINAL_CHECKPOINT)?),
                Kind::V2 => (0, v2_model::folds(&path)?),
                Kind::Ensemble => (1, Vec::new()),
            };
            installed[place].push(InstalledFolder {
                folder: path,
                folds,
                replaced,
            });
        }
        Ok(installed)
    }
}

/// The first names in the archive, for a message.
fn found(archive: &Archive) -> String {
    let names: Vec<_> = archive
        .files
        .iter()
        .take(SHOWN)
        .map(|entry| entry.name.as_str())
        .collect();
    match archive.files.len() {
        0 => "found no file".to_owned(),
        count if count > SHOWN => format!("found {} and {} more", names.join(", "), count - SHOWN),
        _ => format!("found {}", names.join(", ")),
    }
}

/// The path of a checked name below a folder.
fn join(folder: &Path, name: &str) -> PathBuf {
    name.split('/')
        .fold(folder.to_owned(), |path, part| path.join(part))
}

fn unpack(archive: &mut Archive, file: usize, target: &Path, meter: &mut Meter) -> Result<(), Error> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
    }
    let mut out = File::create_new(target).map_err(|e| Error::io(target, e))?;
    archive.unpack(file, &mut out, target, meter)?;
    out.sync_all().map_err(|e| Error::io(target, e))
}

/// Moves the unpacked folders to their places. Returns where each previous one is; after a failure, all are back.
fn place(contents: &Contents, unpacked: &Path, root: &Path) -> Result<Vec<Option<PathBuf>>, Error> {
    let mut placed = Vec::new();
    for name in contents.folders.keys() {
        let (source, target) = (join(unpacked, name), join(root, name));
        match place_one(&source, &target) {
            Ok(aside) => placed.push((source, target, aside)),
            Err(error) => {
                for (source, target, aside) in placed.into_iter().rev() {
                    let _ = fs::rename(&target, source);
                    if let Some(aside) = aside {
                        let _ = fs::rename(aside, target);
                    }
                }
                return Err(error);
            }
        }
    }
    Ok(placed.into_iter().map(|(.., aside)| aside).collect())
}

fn place_one(source: &Path, target: &Path) -> Result<Option<PathBuf>, Error> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
    }
    let aside = match target.symlink_metadata() {
        Ok(_) => {
            refuse_training(target)?;
            Some(storage::move_aside(target)?)
        }
        Err(_) => None,
    };
    fs::rename(source, target).map_err(|e| {
        if let Some(aside) = &aside {
            let _ = fs::rename(aside, target);
        }
        Error::io(target, e)
    })?;
    Ok(aside)
}

/// Refuses to move a model while a fold of it is trained: its lock is beside the fold.
fn refuse_training(model: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(model).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "lock") {
            Lock::refuse_held(&path)?;
        }
    }
    Ok(())
}
