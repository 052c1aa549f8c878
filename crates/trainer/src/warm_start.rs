//! Initial weights from another model (`nnunet.run.load_pretrained_weights`).

use std::path::{Path, PathBuf};

use dataset::results::{FoldFolder, ModelFolder, BEST_CHECKPOINT, FINAL_CHECKPOINT, LATEST_CHECKPOINT};
use dataset::Fold;
use engine::checkpoint::Checkpoint;
use engine::network::GenericUNet;
use run::{Context, NotFound};

use crate::{Error, Result};

/// Takes the parameters of `from` that match in name and shape, and warns of the others. Unlike the reference, which
/// refuses a model with another encoder or decoder, this takes the layers that fit.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Pretrained`] if nothing matches; errors of a damaged checkpoint.
pub(crate) fn load(network: &mut GenericUNet, from: &Path, context: &Context) -> Result<()> {
    let path = checkpoint_of(from)?;
    let checkpoint = Checkpoint::read(&path)?;
    let others = network.load_matching(&checkpoint.state)?;
    let all = network.parameters().len();
    if others.len() == all {
        return Err(Error::Pretrained { path });
    }
    if !others.is_empty() {
        let message = format!(
            "{} has {} of {all} layers of this network; these begin with random weights: {}",
            path.display(),
            all - others.len(),
            others.join(", ")
        );
        context.warn("WARN_PRETRAINED", message, None);
    }
    Ok(())
}

/// The checkpoint of a `.model` file, a fold's folder or a model's folder: of the first fold, the final one if it exists.
fn checkpoint_of(path: &Path) -> Result<PathBuf> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let advice = "name a .model file, a fold's folder or a model's folder";
    NotFound::unless_exists("pretrained model", path, advice)?;
    let model = ModelFolder::new(path);
    let this = FoldFolder {
        path: path.to_owned(),
        fold: Fold::All,
    };
    let folds = [FINAL_CHECKPOINT, BEST_CHECKPOINT]
        .into_iter()
        .find_map(|name| model.folds(name).ok())
        .unwrap_or_default();
    let folders = std::iter::once(this).chain(folds.into_iter().map(|fold| model.fold(fold)));
    let names = [FINAL_CHECKPOINT, BEST_CHECKPOINT, LATEST_CHECKPOINT];
    folders
        .flat_map(|folder| names.map(|name| folder.checkpoint(name)))
        .find(|file| file.is_file())
        .ok_or_else(|| NotFound::new("checkpoint of a pretrained model", path, advice).into())
}
