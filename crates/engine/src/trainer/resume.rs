//! Going on from a checkpoint.

use std::path::{Path, PathBuf};

use dataset::results::{FoldFolder, BEST_CHECKPOINT, FINAL_CHECKPOINT, LATEST_CHECKPOINT};
use run::Context;

use super::setup::Setup;
use crate::checkpoint::Checkpoint;
use settings::TrainOptions;

/// The checkpoint to continue from. Departs from nnU-Net v1, which takes a final checkpoint first: a finished run removes
/// `model_latest`, so that where both exist, `model_latest` is of a run that went on after the end.
pub(super) fn last_checkpoint(fold: &FoldFolder) -> Option<PathBuf> {
    let names = [LATEST_CHECKPOINT, FINAL_CHECKPOINT, BEST_CHECKPOINT];
    names
        .into_iter()
        .map(|name| fold.checkpoint(name))
        .find(|path| path.is_file())
}

/// Warns that a new run replaces what a former one left in its fold; whether there is such.
pub(super) fn warn_of_former(fold: &FoldFolder, context: &Context) -> bool {
    let Some(path) = last_checkpoint(fold) else {
        return false;
    };
    let message = format!(
        "{} is of a former run; this one starts anew and replaces it (--continue goes on with it)",
        path.display()
    );
    context.warn("WARN_FORMER_RUN", message, None);
    true
}

/// Warns where a checkpoint was trained with other settings than it goes on with.
pub(super) fn warn_of_changes(
    checkpoint: &Checkpoint,
    path: &Path,
    options: &TrainOptions,
    setup: &Setup,
    context: &Context,
) {
    let Some(position) = &checkpoint.position else {
        return;
    };
    let now = options.fingerprint(&setup.recipe, setup.compute.precision_name());
    if position.seed != options.data.seed || position.options != now {
        let message = format!(
            "{} was trained with seed {} and {}; going on with seed {} and {now}",
            path.display(),
            position.seed,
            position.options,
            options.data.seed
        );
        context.warn("WARN_RESUME_CHANGED", message, None);
    }
}
