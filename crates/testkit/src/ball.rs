#![expect(
    clippy::unwrap_used,
    reason = "test support: a file that cannot be written must fail the test"
)]

use std::path::{Path, PathBuf};

use dataset::{CaseProperties, Configuration, Plans, StagePlan};
use ndarray::{Array2, Array3, Array4, Axis};
use pickle::{Dict, Value};
use serde_json::json;
use tempfile::TempDir;
use volume::npz::Compression;
use volume::Geometry;

/// A preprocessed task, `Task901_Ball`, with one class: a bright ball. Every second plane of its cases is
/// unlabelled. Recipes without an ignore label treat those planes as background.
pub struct BallTask {
    /// Temporary folder of the task. Tests may add their own files.
    pub folder: TempDir,
    /// nnU-Net's folder of preprocessed tasks.
    pub preprocessed: PathBuf,
    /// Folder of the cases `ball_000`, `ball_001`, ...
    pub stage: PathBuf,
}

impl BallTask {
    /// Cases of the task.
    pub const CASES: usize = 6;
    /// Shape (z, y, x) of a case.
    pub const SHAPE: [usize; 3] = [10, 16, 14];

    /// Writes the task with plans for batches of two patches of this size (z, y, x).
    pub fn new(patch_size: [usize; 3]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let preprocessed = folder.path().join("preprocessed");
        let task = preprocessed.join("Task901_Ball");
        let plans = plans(patch_size);
        let stage = task.join(plans.data_folder(0));
        std::fs::create_dir_all(&stage).unwrap();
        plans
            .write(&task.join(Configuration::FullRes.plans_file()))
            .unwrap();
        let record = json!({
            "name": "Ball", "modality": { "0": "T1" }, "labels": { "0": "background", "1": "ball" }, "training": [],
        });
        std::fs::write(task.join("dataset.json"), record.to_string()).unwrap();
        std::fs::create_dir_all(task.join("gt_segmentations")).unwrap();
        (0..Self::CASES).for_each(|case| write_case(&stage, case));
        Self {
            folder,
            preprocessed,
            stage,
        }
    }

    /// Writes a weightmap of constant 1.5 for every case.
    pub fn write_weightmaps(&self) {
        let [z, y, x] = Self::SHAPE;
        let weights = Array4::<f32>::from_elem((1, z, y, x), 1.5);
        for case in 0..Self::CASES {
            let path = self.stage.join(format!("ball_{case:03}_weightmap.npy"));
            volume::npy::write(&path, weights.view().into_dyn()).unwrap();
        }
    }
}

/// Plans with one channel, one class and two poolings by 2. They do not depend on a recording.
fn plans(patch_size: [usize; 3]) -> Plans {
    let spacing = [1.2, 1.0, 1.0];
    let size = BallTask::SHAPE.map(|n| n as i64);
    let (pool, kernel) = (vec![2; 3], vec![3; 3]);
    let stage = StagePlan {
        batch_size: 2,
        num_pool_per_axis: vec![2; 3],
        patch_size: patch_size.to_vec(),
        median_patient_size_in_voxels: size,
        current_spacing: spacing,
        original_spacing: spacing,
        do_dummy_2d_data_aug: false,
        pool_op_kernel_sizes: vec![pool; 2],
        conv_kernel_sizes: vec![kernel; 3],
        extra: Dict::new(),
    };
    Plans {
        num_stages: 1,
        num_modalities: 1,
        modalities: [(0, "T1".to_owned())].into(),
        normalization_schemes: [(0, "nonCT".to_owned())].into(),
        dataset_properties: Value::None,
        list_of_npz_files: vec![],
        original_spacings: vec![spacing; BallTask::CASES],
        original_sizes: vec![size; BallTask::CASES],
        preprocessed_data_folder: String::new(),
        num_classes: 1,
        all_classes: vec![1],
        base_num_features: 4,
        use_mask_for_norm: [(0, false)].into(),
        keep_only_largest_region: Value::None,
        min_region_size_per_class: Value::None,
        min_size_per_class: Value::None,
        transpose_forward: [0, 1, 2],
        transpose_backward: [0, 1, 2],
        data_identifier: "nnUNetData_plans_v2.1".to_owned(),
        plans_per_stage: [(0, stage)].into(),
        preprocessor_name: "GenericPreprocessor".to_owned(),
        conv_per_stage: 2,
        extra: Dict::new(),
    }
}

fn write_case(stage: &Path, case: usize) {
    let [z, y, x] = BallTask::SHAPE;
    let inside = |z: usize, y: usize, x: usize| {
        let d = |a: usize, b: f64| (a as f64 - b).powi(2);
        d(z, 4.0 + 0.3 * case as f64) + d(y, 8.0) + d(x, 6.0) < 12.0
    };
    let stack = Array4::from_shape_fn((2, z, y, x), |(c, z, y, x)| {
        let label = f32::from(inside(z, y, x));
        match c {
            0 => 2.0 * label + ((z * 7 + y * 3 + x * 5 + case) % 11) as f32 * 0.1,
            _ if z % 2 == 1 => -1.0,
            _ => label,
        }
    });
    let path = stage.join(format!("ball_{case:03}.npz"));
    volume::npz::write(&path, &[("data", stack.view().into_dyn())], Compression::Fast).unwrap();
    let ball: Vec<i64> = stack
        .index_axis(Axis(0), 1)
        .indexed_iter()
        .filter(|(_, &label)| label == 1.0)
        .flat_map(|((z, y, x), _)| [z as i64, y as i64, x as i64])
        .collect();
    let locations = Array2::from_shape_vec((ball.len() / 3, 3), ball).unwrap();
    let mut properties = CaseProperties::new();
    properties.set_class_locations([(1, locations)].into());
    properties.set_outside_nonzero_mask_label(0);
    let [z, y, x] = BallTask::SHAPE;
    properties.set_original_size_of_raw_data([z, y, x]);
    properties.set_size_after_cropping([z, y, x]);
    properties.set_crop_bbox([[0, z], [0, y], [0, x]]);
    properties.set_original_spacing([1.0; 3]);
    properties.set_spacing_after_resampling([1.0; 3]);
    properties.set_itk_spacing([1.0; 3]);
    properties.set_itk_origin([0.0; 3]);
    properties.set_itk_direction(Geometry::default().direction);
    properties.write(&path.with_extension("pkl")).unwrap();
    // The reference has every plane.
    let reference = Array3::from_shape_fn((z, y, x), |(z, y, x)| i16::from(inside(z, y, x)));
    let file = stage
        .with_file_name("gt_segmentations")
        .join(format!("ball_{case:03}.nii.gz"));
    volume::nifti::write_labels(&file, reference.view(), &Geometry::default()).unwrap();
}
