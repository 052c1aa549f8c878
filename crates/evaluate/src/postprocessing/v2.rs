//! nnU-Net v2's `postprocessing.json` and `postprocessing.pkl`.
//!
//! Source: `nnunetv2.postprocessing.remove_connected_components`. Each step keeps the largest component of a union of
//! labels, connected by faces, edges and corners.

use std::path::Path;

use serde_json::{json, Value as Json};

use crate::Region;

use super::Rules;

/// The only function that v2 writes.
const FUNCTION: &str = "remove_all_but_largest_component_from_segmentation";
const FUNCTIONS: &str = "postprocessing_fns";
const ARGUMENTS: &str = "postprocessing_kwargs";

/// Whether a `postprocessing.json` is one of v2.
pub(super) fn is_v2(json: &Json) -> bool {
    json.get(FUNCTIONS).is_some()
}

/// Rules of v2's JSON.
///
/// # Errors
/// The problem.
pub(super) fn rules_of(json: &Json) -> Result<Rules, String> {
    let list = |key: &str| {
        let list = json.get(key).and_then(Json::as_array);
        list.ok_or_else(|| format!("{key}: expected a list"))
    };
    let (functions, arguments) = (list(FUNCTIONS)?, list(ARGUMENTS)?);
    if functions.len() != arguments.len() {
        return Err(format!(
            "{FUNCTIONS} has {} entries, but {ARGUMENTS} has {}",
            functions.len(),
            arguments.len()
        ));
    }
    let mut regions = Vec::new();
    for (function, arguments) in functions.iter().zip(arguments) {
        if function != FUNCTION {
            return Err(format!(
                "{FUNCTIONS}: {function} is not known; expected {FUNCTION}"
            ));
        }
        let background = &arguments["background_label"];
        if !background.is_null() && background != &json!(0) {
            return Err(format!(
                "{ARGUMENTS}: background_label is {background}; expected 0"
            ));
        }
        let mut labels = Vec::new();
        collect(&arguments["labels_or_regions"], &mut labels)?;
        labels.sort_unstable();
        labels.dedup();
        regions.push(match labels[..] {
            [] => return Err(format!("{ARGUMENTS}: labels_or_regions names no label")),
            [one] => Region::Label(one),
            _ => Region::Union(labels),
        });
    }
    Ok(Rules {
        for_which_classes: regions,
        full_connectivity: true,
        num_samples: json.get("num_samples").and_then(Json::as_u64).unwrap_or_default(),
        ..Rules::default()
    })
}

/// Labels of a label, a region, or a list of both.
fn collect(value: &Json, labels: &mut Vec<i16>) -> Result<(), String> {
    if let Json::Array(items) = value {
        return items.iter().try_for_each(|item| collect(item, labels));
    }
    let label = value.as_i64().and_then(|label| i16::try_from(label).ok());
    labels.push(label.ok_or_else(|| format!("{ARGUMENTS}: labels_or_regions has {value}; expected labels"))?);
    Ok(())
}

/// Rules of v2's pickle: a pair of lists, of functions and of their arguments. The functions are only named, never called.
///
/// # Errors
/// The problem.
pub(super) fn read_pickle(path: &Path) -> Result<Rules, String> {
    let value = pickle::read_file(path).map_err(|error| error.to_string())?;
    match value.as_items() {
        Some([functions, arguments]) => rules_of(&json!({
            FUNCTIONS: functions.to_json(usize::MAX), ARGUMENTS: arguments.to_json(usize::MAX),
        })),
        _ => Err("expected a pair of lists, as nnU-Net v2 writes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use pickle::{write, Protocol};
    use volume::Geometry;

    use super::*;
    use crate::postprocessing::{apply_postprocessing, read_rules, write_rules, ApplyPostprocessingOptions};

    fn step(labels: Json) -> Json {
        json!({ FUNCTIONS: [FUNCTION], ARGUMENTS: [{ "labels_or_regions": labels }] })
    }

    #[test]
    fn a_step_keeps_the_largest_component_of_the_union_with_all_neighbours() {
        // The 1 and 2 above touch in a corner; 4 voxels together. The others are 3 and 1.
        let image = array![[[1, 0, 0, 2, 2], [0, 2, 0, 0, 2], [1, 1, 0, 0, 0], [0, 0, 0, 1, 0]]];
        let rules = rules_of(&step(json!([1, 2]))).unwrap();
        let mut found = image.clone();
        rules.apply(found.view_mut(), &Geometry::default()).unwrap();
        assert_eq!(
            found,
            array![[[1, 0, 0, 0, 0], [0, 2, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]]]
        );
        // Regions in a list are one union, too.
        assert_eq!(rules_of(&step(json!([[1, 2], 2]))).unwrap(), rules);
        // Alone, two components of 2 have different sizes; 1 has the largest below.
        let mut found = image;
        rules_of(&step(json!(2)))
            .unwrap()
            .apply(found.view_mut(), &Geometry::default())
            .unwrap();
        assert_eq!(
            found,
            array![[[1, 0, 0, 2, 2], [0, 0, 0, 0, 2], [1, 1, 0, 0, 0], [0, 0, 0, 1, 0]]]
        );
    }

    #[test]
    fn files_of_both_kinds_give_the_same_rules_which_are_written_with_their_connectivity() {
        let folder = tempfile::tempdir().unwrap();
        let [json_file, pickle_file, own] =
            ["postprocessing.json", "postprocessing.pkl", "own.json"].map(|n| folder.path().join(n));
        std::fs::write(&json_file, step(json!([1, [2, 3]])).to_string()).unwrap();
        // Pickle of `([f], [{"labels_or_regions": [1, (2, 3)]}])`, protocol 2, where f is the function.
        let arguments = pickle::Dict::new().with(
            "labels_or_regions",
            pickle::Value::List(vec![1.into(), pickle::Value::tuple([2i64, 3])]),
        );
        let arguments = pickle::Value::List(vec![pickle::Value::Dict(arguments)]);
        let tail = write(&arguments, Protocol::V2).unwrap();
        let mut bytes = b"\x80\x02](cnnunetv2.postprocessing.remove_connected_components\n".to_vec();
        bytes.extend(FUNCTION.as_bytes());
        bytes.extend(b"\ne");
        bytes.extend(&tail[2..tail.len() - 1]);
        bytes.extend(b"\x86.");
        std::fs::write(&pickle_file, bytes).unwrap();
        let rules = read_rules(&json_file).unwrap();
        assert_eq!(rules.label_lists(), [[1, 2, 3]]);
        assert_eq!(read_rules(&pickle_file).unwrap(), rules);
        write_rules(&own, &rules).unwrap();
        assert_eq!(read_rules(&own).unwrap(), rules);
    }

    #[test]
    fn a_folder_is_postprocessed_with_full_connectivity() {
        let work = tempfile::tempdir().unwrap();
        let [input, output, rules] = ["in", "out", "postprocessing.json"].map(|name| work.path().join(name));
        std::fs::create_dir_all(&input).unwrap();
        // Connected by a corner: two components in nnU-Net v1.
        let labels = array![[[1i16, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]];
        let geometry = Geometry::default();
        volume::nifti::write_labels(&input.join("a.nii.gz"), labels.view(), &geometry).unwrap();
        std::fs::write(&rules, step(json!([1])).to_string()).unwrap();
        let options = ApplyPostprocessingOptions::new(input, output.clone(), rules);
        apply_postprocessing(&options, &run::Context::silent(1)).unwrap();
        let (found, _) = volume::nifti::read_labels(&output.join("a.nii.gz")).unwrap();
        assert_eq!(
            found,
            array![[[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]]
        );
    }

    #[test]
    fn unknown_functions_and_labels_are_refused() {
        let other = json!({ FUNCTIONS: ["system"], ARGUMENTS: [{}] });
        assert!(rules_of(&other).unwrap_err().contains("\"system\" is not known"));
        assert!(rules_of(&step(json!("a"))).unwrap_err().contains("\"a\""));
        assert!(rules_of(&step(json!([]))).unwrap_err().contains("no label"));
        let lengths = json!({ FUNCTIONS: [], ARGUMENTS: [{}] });
        assert!(rules_of(&lengths).unwrap_err().contains("has 1"));
    }
}
