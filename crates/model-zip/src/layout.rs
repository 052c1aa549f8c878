//! Where models and ensembles are in `RESULTS_FOLDER/nnUNet`, and models in `nnUNet_results` of nnU-Net v2.

use std::path::{Component, Path};

use dataset::{Configuration, Task};

/// The form of a model's folder, for messages.
pub(crate) const EXPECTED: &str = "CONFIGURATION/TaskXXX_NAME/TRAINER__PLANS";
/// Folder of the ensembles of all tasks.
pub(crate) const ENSEMBLES: &str = "ensembles";

/// Components of a folder that is installed as a whole.
const DEPTH: usize = 3;
/// The form of the folder of a model of nnU-Net v2, for messages.
pub(crate) const EXPECTED_V2: &str = "DatasetXXX_NAME/TRAINER__PLANS__CONFIGURATION";
/// Components of such a folder.
const DEPTH_V2: usize = 2;

/// What a folder below `RESULTS_FOLDER/nnUNet` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A model with its folds.
    Model,
    /// A model of nnU-Net v2 with its folds.
    V2,
    /// The postprocessing of an ensemble.
    Ensemble,
}

/// The folder that a file of a zip file belongs to, `a/b/c`, and its kind; `None` for files of no model.
pub(crate) fn folder_of(parts: &[&str]) -> Option<(String, Kind)> {
    if let [dataset, name, _, ..] = parts {
        if is_v2(dataset, name) {
            return Some((parts[..DEPTH_V2].join("/"), Kind::V2));
        }
    }
    let [first, task, name, _, ..] = parts else {
        return None;
    };
    let kind = kind_of(first, task, name)?;
    Some((parts[..DEPTH].join("/"), kind))
}

/// The name in a zip file of a model's folder on this disk, from the end of its path.
pub(crate) fn model_name(path: &Path) -> Option<String> {
    let parts = names(path);
    let last = parts.get(parts.len().checked_sub(DEPTH)?..)?;
    let kind = kind_of(last[0], last[1], last[2]);
    (kind == Some(Kind::Model)).then(|| last.join("/"))
}

/// [`model_name`] of a model of nnU-Net v2.
pub(crate) fn v2_name(path: &Path) -> Option<String> {
    let parts = names(path);
    let last = parts.get(parts.len().checked_sub(DEPTH_V2)?..)?;
    is_v2(last[0], last[1]).then(|| last.join("/"))
}

fn names(path: &Path) -> Vec<&str> {
    let name = |part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

/// Whether these are the names of a data set and a model of nnU-Net v2.
fn is_v2(dataset: &str, model: &str) -> bool {
    let number = dataset
        .strip_prefix("Dataset")
        .and_then(|rest| rest.split_once('_'));
    let number = number.is_some_and(|(digits, name)| {
        digits.len() >= 3 && digits.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty()
    });
    let parts: Vec<_> = model.split("__").collect();
    number && parts.len() == 3 && parts.iter().all(|part| !part.is_empty())
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
        let v2 = "Dataset004_H/nnUNetTrainer__nnUNetPlans__3d_fullres";
        assert_eq!(folder(&format!("{v2}/plans.json")), Some((v2.into(), Kind::V2)));
        assert_eq!(v2_name(&Path::new("/results").join(v2)).as_deref(), Some(v2));
        let ensemble = "ensembles/Task501_X/ensemble_2d__T__P--3d_fullres__T__P";
        assert_eq!(
            folder(&format!("{ensemble}/postprocessing.json")),
            Some((ensemble.into(), Kind::Ensemble))
        );
        for other in [
            "readme.txt",
            model,
            v2,
            "Dataset4_H/T__P__C/plans.json",
            "Dataset004_H/T__P/plans.json",
            "Dataset004_H/inference_information.json",
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
