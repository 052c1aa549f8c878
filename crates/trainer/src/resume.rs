//! What a continued run must have in common with the run before.

use std::path::Path;

use engine::checkpoint::Checkpoint;
use engine::device_name;
use run::Context;
use serde_json::{json, Map, Value};
use settings::TrainOptions;

use crate::setup::Setup;

/// Everything besides the seed that decides about the bits of the result, as JSON for the checkpoint.
pub(crate) fn conditions(options: &TrainOptions, setup: &Setup, context: &Context) -> Map<String, Value> {
    let text = options.fingerprint(&setup.data.recipe, setup.compute.precision_name());
    let mut all: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let split = json!([setup.data.split.train, setup.data.split.val]).to_string();
    let plan = &setup.data.plan;
    let plans = format!("{plan:?} {:?}", setup.architecture);
    all.insert("device".to_owned(), device_name(setup.compute.device).into());
    all.insert("threads".to_owned(), context.workers().into());
    all.insert("split".to_owned(), digest(split.as_bytes()).into());
    all.insert("plans".to_owned(), digest(plans.as_bytes()).into());
    let present = format!("{:?}", setup.data.present);
    all.insert("presentLabels".to_owned(), digest(present.as_bytes()).into());
    if setup.ranks > 1 {
        all.insert("ranks".to_owned(), setup.ranks.into());
    }
    all
}

/// FNV-1a in hexadecimal digits: tells changed contents apart without storing them.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("{:016x}", run::fnv1a(bytes))
}

/// Warns of each condition that differs from the checkpoint's. With any of them, the result can differ from that of an
/// uninterrupted run.
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
    let before: Map<String, Value> = serde_json::from_str(&position.options).unwrap_or_default();
    let changes = changes(
        &before,
        position.seed,
        &conditions(options, setup, context),
        options.data.seed,
    );
    if changes.is_empty() {
        return;
    }
    let message = format!(
        "{} was trained with other settings: {}; the result can differ from an uninterrupted run",
        path.display(),
        changes.join(", ")
    );
    context.warn("WARN_RESUME_CHANGED", message, None);
}

fn changes(before: &Map<String, Value>, seed: u64, now: &Map<String, Value>, new_seed: u64) -> Vec<String> {
    let mut all = Vec::new();
    if seed != new_seed {
        all.push(format!("seed {seed}, now {new_seed}"));
    }
    // A condition that an older version did not record is unknown, not different.
    for (name, old) in before {
        let new = now.get(name).unwrap_or(&Value::Null);
        if old == new {
            continue;
        }
        all.push(match name.as_str() {
            "split" => "other training or validation cases".to_owned(),
            "plans" => "other plans".to_owned(),
            "presentLabels" => "other annotated classes".to_owned(),
            _ => format!("{name} {old}, now {new}"),
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_what_differs() {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let before = map(json!({ "threads": 2, "split": "a", "epochs": 5 }));
        let now = map(json!({ "threads": 4, "split": "b", "epochs": 5, "device": "cpu" }));
        assert_eq!(
            changes(&before, 1, &now, 2),
            [
                "seed 1, now 2",
                "threads 2, now 4",
                "other training or validation cases"
            ]
        );
        assert!(changes(&now, 1, &now, 1).is_empty());
    }
}
