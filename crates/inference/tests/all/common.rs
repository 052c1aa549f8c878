//! A recorded model of one fold, and images for it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::results::{ModelFolder, FINAL_CHECKPOINT};
use dataset::{Fold, Plans};
use engine::checkpoint::{Checkpoint, Info};
use inference::{predict, Error, PredictOptions, PredictSummary};
use ndarray::{concatenate, Array3, ArrayD, Axis, IxDyn};
use run::{Cancel, Context, Event};
use settings::Precision;
use testkit::Recorder;
use volume::{nifti, Geometry};

pub const SHAPE: (usize, usize, usize) = (12, 18, 20);

/// A recorded model of one fold, and images for it.
pub struct Work {
    pub guard: tempfile::TempDir,
    pub model: ModelFolder,
    pub options: PredictOptions,
    pub events: Arc<Recorder>,
}

impl Work {
    pub fn new(cases: &[&str]) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let recorded = testkit::files_below(&testkit::folder("checkpoint").join("model"));
        let is_final = |path: &&PathBuf| path.file_name().unwrap() == "model_final_checkpoint.model";
        let fold = recorded.iter().find(is_final).unwrap().parent().unwrap();
        let model = ModelFolder::new(guard.path().join("model"));
        copy(fold, &model.fold(Fold::Index(0)).path);
        fs::copy(fold.join("../plans.pkl"), model.plans()).unwrap();
        let (input, output) = (guard.path().join("in"), guard.path().join("out"));
        fs::create_dir(&input).unwrap();
        let mut options = PredictOptions::new(input, output, model.path.clone());
        options.compute.precision = Precision::Float32;
        options.compute.device = "cpu".to_owned();
        options.step_size = 1.0;
        let work = Self {
            guard,
            model,
            options,
            events: Arc::default(),
        };
        for case in cases {
            work.write(case, |image| image);
        }
        work
    }

    pub fn channels(&self) -> usize {
        Plans::read(&self.model.plans()).unwrap().num_modalities
    }

    /// Writes every channel of a case, after a change of the last one.
    pub fn write(&self, case: &str, change: impl Fn(Array3<f32>) -> Array3<f32>) {
        let seed = case.bytes().map(usize::from).sum::<usize>();
        for channel in 0..self.channels() {
            let image = Array3::from_shape_fn(SHAPE, |(z, y, x)| {
                let noise = (z * 7919 + y * 104_729 + x * 1_299_709 + seed * 31 + channel) % 97;
                noise as f32 + if (4..9).contains(&z) && y > 6 { 100.0 } else { 1.0 }
            });
            let image = if channel + 1 == self.channels() {
                change(image)
            } else {
                image
            };
            let path = self.options.input.join(format!("{case}_{channel:04}.nii.gz"));
            nifti::write_image(&path, image.view(), &Geometry::default()).unwrap();
        }
    }

    pub fn run(&mut self) -> Result<PredictSummary, Error> {
        self.events = Arc::default();
        predict(
            &self.options,
            &Context::new(self.events.clone(), Cancel::new(), 2),
        )
    }

    /// Written and skipped cases, and the warnings.
    pub fn counts(&mut self) -> (usize, usize, Vec<&'static str>) {
        let found = self.run().unwrap();
        assert_eq!(found.failures, []);
        (found.written, found.skipped, self.events.warnings())
    }

    pub fn setting(&self, name: &str) -> serde_json::Value {
        let started = self.events.events().into_iter().find_map(|event| match event {
            Event::Started { settings, .. } => Some(settings[name].clone()),
            _ => None,
        });
        started.unwrap()
    }

    pub fn output(&self, name: &str) -> PathBuf {
        self.options.output.join(name)
    }

    pub fn labels(&self, case: &str) -> Array3<i16> {
        nifti::read_labels(&self.output(&format!("{case}.nii.gz")))
            .unwrap()
            .0
    }

    /// Adds a fold with changed weights. `change` changes its settings.
    pub fn add_fold(&self, fold: Fold, change: impl FnOnce(&mut Info)) {
        let (from, to) = (self.model.fold(Fold::Index(0)), self.model.fold(fold));
        copy(&from.path, &to.path);
        let file = to.checkpoint(FINAL_CHECKPOINT);
        let mut checkpoint = Checkpoint::read(&file).unwrap();
        for (_, values) in &mut checkpoint.state {
            values.mapv_inplace(|value| -value);
        }
        checkpoint.write(&file).unwrap();
        let file = to.checkpoint_info(FINAL_CHECKPOINT);
        let mut info = Info::read(&file).unwrap();
        change(&mut info);
        info.write(&file).unwrap();
    }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// Makes a second stage of the recorded model: its first convolution also takes one channel a class.
fn second_stage(model: &ModelFolder) {
    let fold = model.fold(Fold::Index(0));
    let plans = Plans::read(&model.plans()).unwrap();
    let mut checkpoint = Checkpoint::read(&fold.checkpoint(FINAL_CHECKPOINT)).unwrap();
    for (name, values) in &mut checkpoint.state {
        if name.starts_with("conv_blocks_context.0.blocks.0") && name.ends_with("conv.weight") {
            let mut shape = values.shape().to_vec();
            shape[1] = plans.num_classes;
            let more = ArrayD::from_shape_fn(IxDyn(&shape), |at| (at[0] + 2 * at[1]) as f32 / 4.0 - 0.5);
            *values = concatenate(Axis(1), &[values.view(), more.view()]).unwrap();
        }
    }
    checkpoint.write(&fold.checkpoint(FINAL_CHECKPOINT)).unwrap();
    let mut info = Info::read(&fold.checkpoint_info(FINAL_CHECKPOINT)).unwrap();
    info.name = "nnUNetTrainerV2CascadeFullRes".to_owned();
    info.write(&fold.checkpoint_info(FINAL_CHECKPOINT)).unwrap();
}

/// Both stages in nnU-Net's folders; the options name the second one.
pub fn cascade(cases: &[&str]) -> (Work, ModelFolder) {
    let mut work = Work::new(cases);
    let results = work.guard.path().join("results");
    let folder = |configuration: &str, trainer: &str| {
        let path = results
            .join(configuration)
            .join("Task007_X")
            .join(format!("{trainer}__plans"));
        let model = ModelFolder::new(path);
        copy(
            &work.model.fold(Fold::Index(0)).path,
            &model.fold(Fold::Index(0)).path,
        );
        fs::copy(work.model.plans(), model.plans()).unwrap();
        model
    };
    let first = folder("3d_lowres", "nnUNetTrainerV2");
    let second = folder("3d_cascade_fullres", "nnUNetTrainerV2CascadeFullRes");
    second_stage(&second);
    work.options.model.clone_from(&second.path);
    (work, first)
}
