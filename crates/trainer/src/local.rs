//! The cases of a fold on a disk of this machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use recipe::TrainingData;
use run::Context;
use settings::TrainOptions;
use storage::{copy_file_cancellable, Links, SharedFolder};

use crate::Result;

/// Copies of the cases. They are removed when the last process of this machine drops them.
pub(crate) struct LocalCases {
    _folder: SharedFolder,
    /// Folder of the cases.
    pub cases: PathBuf,
    /// Folder of the segmentations by the previous stage of a cascade.
    pub previous_stage: Option<PathBuf>,
}

impl LocalCases {
    /// Copies the cases of the fold, if the options ask for it. The ranks of a machine share the copies: each copies what is
    /// missing. `key` is the same for all ranks of a training, and for no other training.
    ///
    /// # Errors
    /// [`run::OptionError`] for a variable that is not set; [`storage::Error`]; cancellation.
    pub fn copy(
        options: &TrainOptions,
        data: &TrainingData,
        key: &str,
        context: &Context,
    ) -> Result<Option<Self>> {
        let Some(scratch) = &options.scratch else {
            return Ok(None);
        };
        let place = run::expand_variables("scratch", scratch)?;
        let folder = SharedFolder::join(&place, &format!("{key} {}", data.folder.display()))?;
        let cases = folder.path().join("cases");
        let previous = data
            .previous_stage
            .as_ref()
            .map(|_| folder.path().join("previous"));
        let names: BTreeSet<&String> = data.split.train.iter().chain(&data.split.val).collect();
        let mut files: Vec<(PathBuf, PathBuf)> = Vec::new();
        let mut add = |from: &Path, to: &Path, names: &[String]| {
            files.extend(names.iter().map(|name| (from.join(name), to.join(name))));
        };
        for name in &names {
            add(
                &data.folder,
                &cases,
                &[packed(&data.folder, name), format!("{name}.pkl")],
            );
            if data.recipe.voxel_weights {
                add(&data.folder, &cases, &[format!("{name}_weightmap.npy")]);
            }
            if let (Some(from), Some(to)) = (&data.previous_stage, &previous) {
                add(from, to, &[packed(from, &format!("{name}_segFromPrevStage"))]);
            }
        }
        for made in [Some(&cases), previous.as_ref()].into_iter().flatten() {
            fs::create_dir_all(made).map_err(|source| storage::Error::Io {
                action: "create",
                path: made.clone(),
                source,
            })?;
        }
        let size = |path: &Path| path.metadata().ok().map(|metadata| metadata.len());
        // A missing file is an error of the loader, which names the case and its folder.
        files.retain(|(from, to)| size(from).is_some() && size(from) != size(to));
        storage::require_space(&cases, files.iter().filter_map(|(from, _)| size(from)).sum())?;
        let total = files.len() as u64;
        let done = std::sync::atomic::AtomicU64::new(0);
        context.pool()?.install(|| {
            files.par_iter().try_for_each(|(from, to)| {
                copy_file_cancellable(from, to, Links::Follow, context.cancel())?;
                let count = 1 + done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                context.progress(count, total, "files copied", None);
                Ok::<_, storage::Error>(())
            })
        })?;
        Ok(Some(Self {
            _folder: folder,
            cases,
            previous_stage: previous,
        }))
    }
}

/// The packed file of a case, or the unpacked one if there is no other.
fn packed(folder: &Path, name: &str) -> String {
    let [npz, npy] = ["npz", "npy"].map(|ending| format!("{name}.{ending}"));
    let is_file = |name: &String| folder.join(name).is_file();
    if !is_file(&npz) && is_file(&npy) {
        npy
    } else {
        npz
    }
}
