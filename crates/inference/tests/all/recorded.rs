//! `predict` from folder to file, compared with recorded runs of nnU-Net v1's `predict_from_folder`.

use std::fs;
use std::path::{Path, PathBuf};

use half::f16;
use inference::{predict, PredictOptions};
use resample::ExportMode;
use run::Context;
use settings::Precision;
use volume::{nifti, npz};

/// Recorded predictions: `e2e_<task>_<configuration>`.
fn recordings() -> Vec<PathBuf> {
    let entries = fs::read_dir(testkit::folder("inference")).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    folders.filter(|path| name(path).starts_with("e2e_")).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Compares the files of a case; returns whether the file is one of a case.
fn compare(found: &Path, recorded: &Path) -> bool {
    let what = recorded.display();
    if name(recorded).ends_with(".npz") {
        let [found, recorded] = [found, recorded].map(|path| npz::read::<f16>(path, "softmax").unwrap());
        // Two steps of half precision below 1: float32 convolutions in another order, and their rounding.
        let values = [found, recorded].map(|softmax| softmax.mapv(f64::from));
        testkit::assert_close(&values[0], &values[1], 1e-3, 0.0, &what.to_string());
        return true;
    }
    if name(recorded).ends_with(".nii.gz") {
        let [(labels, geometry), (expected, place)] =
            [found, recorded].map(|path| nifti::read_labels(path).unwrap());
        assert!(geometry.deviation(&place).within(1e-5), "{what}");
        let [labels, expected] = [labels, expected].map(|labels| labels.mapv(f64::from).into_dyn());
        let share = testkit::agreement(&labels, &expected, &what.to_string());
        // The recorded networks are untrained and have near ties.
        assert!(share >= 0.999, "{what}: {share}");
        return true;
    }
    false
}

#[test]
fn predicted_folders_equal_the_recorded_ones() {
    let recordings = recordings();
    // The second set of recordings has none.
    assert!(!recordings.is_empty() || std::env::var_os("NNUNET_DIAG_FIXTURES").is_some());
    for recording in recordings {
        let task = name(&recording);
        let task = task
            .trim_start_matches("e2e_")
            .splitn(3, '_')
            .take(2)
            .collect::<Vec<_>>()
            .join("_");
        let raw = testkit::folder("preprocess")
            .join("nnunet_base/nnUNet_raw_data")
            .join(task);
        for (folder, export) in [
            ("pred_default", ExportMode::Streamed),
            ("pred_alt", ExportMode::Alt),
        ] {
            let output = tempfile::tempdir().unwrap();
            let mut options =
                PredictOptions::new(raw.join("imagesTs"), output.path(), recording.join("model"));
            options.compute.precision = Precision::Float32;
            options.compute.device = "cpu".to_owned();
            options.save_softmax = true;
            options.export = Some(export);
            let found = predict(&options, &Context::silent(2)).unwrap();
            assert_eq!(found.failures, []);
            let files = testkit::files_below(&recording.join(folder));
            let compared = files
                .iter()
                .filter(|file| compare(&output.path().join(name(file)), file));
            // A recording may leave out softmax files, but no segmentation.
            let segmentations = compared.filter(|file| name(file).ends_with(".nii.gz"));
            assert_eq!(segmentations.count(), found.written, "{}", recording.display());
        }
    }
}
