//! The table of verbs.
//!
//! It is the only list of verbs. The addons run the listed verbs, and `schema` generates the TypeScript types
//! and the command line's flags from it. A visitor receives each verb with its types.

use run::{Coded, Context, EventKind, Options};
use schemars::JsonSchema;
use serde::Serialize;

use EventKind::{Checkpoint, Epoch, Iteration, Memory, Progress, Started, Validation, Warning};

/// Events of verbs over cases.
const CASES: &[EventKind] = &[Started, Progress, Warning];
/// Events of verbs that tell their memory before they use it.
const ESTIMATED: &[EventKind] = &[Started, Memory, Progress, Warning];
/// Events of a training.
const TRAINING: &[EventKind] = &[
    Started, Memory, Progress, Iteration, Epoch, Validation, Checkpoint, Warning,
];

/// Name and events of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verb {
    /// Name on the command line and in the addons.
    pub name: &'static str,
    /// Events of the verb.
    pub events: &'static [EventKind],
}

/// Receives every verb with its types.
pub trait Visitor {
    /// A verb of the `core` addon.
    fn verb<O, S, E>(&mut self, verb: Verb, function: fn(&O, &Context) -> Result<S, E>)
    where
        O: Options,
        S: Serialize + JsonSchema,
        E: Coded;

    /// A verb known here only by its types: the `torch` addon runs it, or TypeScript builds it on an addon's
    /// result. Without events, only its options are of interest: TypeScript has other types for the rest.
    fn types<O, S>(&mut self, verb: Verb)
    where
        O: Options,
        S: JsonSchema;
}

/// Passes every verb to the visitor.
pub fn visit(visitor: &mut impl Visitor) {
    let verb = |name, events| Verb { name, events };
    visitor.verb(verb("check", CASES), task::check::check_dataset);
    visitor.verb(verb("plan", CASES), preprocess::plan_experiment);
    visitor.verb(verb("preprocess", CASES), preprocess::plan_and_preprocess);
    visitor.verb(verb("splits", CASES), task::splits::make_splits);
    visitor.verb(verb("weightmaps", CASES), weightmap::generate);
    visitor.types::<preview::PreviewOptions, ()>(verb("previewBatches", ESTIMATED));
    visitor.types::<preview::PictureOptions, preview::PictureSummary>(verb("preview", ESTIMATED));
    visitor.types::<settings::TrainOptions, settings::TrainSummary>(verb("train", TRAINING));
    visitor.types::<settings::PredictOptions, settings::PredictSummary>(verb("predict", ESTIMATED));
    visitor.types::<settings::LoadModelOptions, ()>(verb("loadModel", &[Memory, Progress, Warning]));
    visitor.types::<settings::SlurmOptions, ()>(verb("slurm", &[]));
    visitor.verb(verb("estimateMemory", CASES), estimate::estimate_memory);
    visitor.verb(verb("evaluate", CASES), evaluate::evaluate_folder);
    visitor.verb(verb("compare", CASES), evaluate::compare_folders);
    visitor.verb(verb("report", CASES), report::report);
    visitor.types::<report::WatchOptions, ()>(verb("watch", &[]));
    visitor.verb(verb("ensemble", CASES), ensemble::ensemble);
    visitor.verb(
        verb("determinePostprocessing", CASES),
        evaluate::postprocessing::determine,
    );
    visitor.verb(
        verb("applyPostprocessing", CASES),
        evaluate::postprocessing::apply_postprocessing,
    );
    visitor.verb(
        verb("consolidateFolds", CASES),
        evaluate::postprocessing::consolidate_folds,
    );
    visitor.verb(
        verb("findBestConfiguration", CASES),
        ensemble::find_best_configuration,
    );
    visitor.verb(verb("exportModel", CASES), model_zip::export_model);
    visitor.verb(verb("installModel", CASES), model_zip::install_model);
    visitor.verb(verb("convert", CASES), task::convert::convert);
    visitor.verb(verb("simulateSparse", CASES), task::simulate::simulate_sparse);
    visitor.verb(verb("copyFile", CASES), task::copy::copy_file);
    visitor.verb(verb("copyTree", CASES), task::copy::copy_tree);
    visitor.verb(verb("inspect", CASES), task::inspect::inspect);
}
