//! Resuming from a checkpoint.

use std::path::{Path, PathBuf};

use dataset::results::{FoldFolder, BEST_CHECKPOINT, FINAL_CHECKPOINT, LATEST_CHECKPOINT};
use run::Context;

use super::setup::Setup;
use engine::checkpoint::Checkpoint;
use settings::TrainOptions;

/// Returns the checkpoint to continue from. nnU-Net v1 prefers a final checkpoint. Here `model_latest` comes
/// first: a finished run removes it, so if both exist, `model_latest` belongs to a run that was continued
/// after its end.
pub(crate) fn last_checkpoint(fold: &FoldFolder) -> Option<PathBuf> {
    let names = [LATEST_CHECKPOINT, FINAL_CHECKPOINT, BEST_CHECKPOINT];
    names
        .into_iter()
        .map(|name| fold.checkpoint(name))
        .find(|path| path.is_file())
}

/// Warns that a new run replaces the checkpoints of a previous run. Returns true if there are any.
pub(crate) fn warn_replaced_run(fold: &FoldFolder, context: &Context) -> bool {
    let Some(path) = last_checkpoint(fold) else {
        return false;
    };
    let message = format!(
        "{} belongs to a previous run; this run restarts training and replaces it (use --continue to resume)",
        path.display()
    );
    context.warn("WARN_FORMER_RUN", message, None);
    true
}

/// Warns if the settings differ from those stored in the checkpoint.
pub(crate) fn warn_of_changes(
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
            "{} was trained with seed {} and {}; continuing with seed {} and {now}",
            path.display(),
            position.seed,
            position.options,
            options.data.seed
        );
        context.warn("WARN_RESUME_CHANGED", message, None);
    }
}
