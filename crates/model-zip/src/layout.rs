//! Where models and ensembles are in `RESULTS_FOLDER/nnUNet`.

use std::path::{Component, Path};

use dataset::{Configuration, Task};

/// The form of a model's folder, for messages.
pub(crate) const EXPECTED: &str = "CONFIGURATION/TaskXXX_NAME/TRAINER__PLANS";
/// Folder of the ensembles of all tasks.
pub(crate) const ENSEMBLES: &str = "ensembles";

/// Components of a folder that is installed as a whole.
const DEPTH: usize = 3;

/// What a folder below `RESULTS_FOLDER/nnUNet` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A model with its folds.
    Model,
    /// The postprocessing of an ensemble.
    Ensemble,
}

/// The folder that a file of a zip file belongs to, `a/b/c`, and its kind; `None` for files of no model.
pub(crate) fn folder_of(parts: &[&str]) -> Option<(String, Kind)> {
    let [first, task, name, _, ..] = parts else {
        return None;
    };
    let kind = kind_of(first, task, name)?;
    Some((parts[..DEPTH].join("/"), kind))
}

/// The name in a zip file of a model's folder on this disk, from the end of its path.
pub(crate) fn model_name(path: &Path) -> Option<String> {
    let parts: Vec<_> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    let last = parts.get(parts.len().checked_sub(DEPTH)?..)?;
    let kind = kind_of(last[0], last[1], last[2]);
    (kind == Some(Kind::Model)).then(|| last.join("/"))
}

fn kind_of(first: &str, task: &str, name: &str) -> Option<Kind> {
    Task::from_name(task).ok()?;
    if first == ENSEMBLES {
        return ensemble_members(name).map(|_| Kind::Ensemble);
    }
    first.parse::<Configuration>().ok()?;
    let (trainer, plans) = name.split_once("__")?;
    (!trainer.is_empty() && !plans.is_empty()).then_some(Kind::Model)
}

/// The models of an ensemble, `CONFIGURATION__TRAINER__PLANS`, from its folder's name `ensemble_A--B`.
pub(crate) fn ensemble_members(name: &str) -> Option<[&str; 2]> {
    let (first, second) = name.strip_prefix("ensemble_")?.split_once("--")?;
    Some([first, second])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_models_and_ensembles_are_told_from_others() {
        let folder = |name: &str| folder_of(&name.split('/').collect::<Vec<_>>());
        let model = "3d_fullres/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1";
        assert_eq!(
            folder(&format!("{model}/fold_0/debug.json")),
            Some((model.into(), Kind::Model))
        );
        let ensemble = "ensembles/Task501_X/ensemble_2d__T__P--3d_fullres__T__P";
        assert_eq!(
            folder(&format!("{ensemble}/postprocessing.json")),
            Some((ensemble.into(), Kind::Ensemble))
        );
        for other in [
            "readme.txt",
            model,
            "4d/Task501_X/T__P/plans.pkl",
            "2d/501/T__P/plans.pkl",
            "2d/Task501_X/T/plans.pkl",
            "nnUNet/2d/Task501_X/T__P/plans.pkl",
            "ensembles/Task501_X/other/postprocessing.json",
        ] {
            assert_eq!(folder(other), None, "{other}");
        }
        assert_eq!(
            model_name(&Path::new("/results/nnUNet").join(model)).as_deref(),
            Some(model)
        );
        assert_eq!(model_name(Path::new("Task501_X/T__P")), None);
    }
}
