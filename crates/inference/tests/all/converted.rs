//! A model of nnU-Net v1 that was converted to one of v2 predicts the same.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{cascade, Work};
use dataset::{Fold, Plans};
use engine::checkpoint::{Checkpoint, Info};
use half::f16;
use ndarray::{Array3, ArrayD, Axis};
use run::{Coded, Context};
use task::convert::{convert, ConvertOptions, Target};
use v2::CheckpointFile;
use volume::{nifti, npz, Geometry};

fn converted(work: &Work) -> Result<PathBuf, task::Error> {
    converted_model(work, &work.model.path)
}

fn converted_model(work: &Work, model: &Path) -> Result<PathBuf, task::Error> {
    let mut options = ConvertOptions::new(model.to_owned());
    options.to = Target::V2;
    options.task = Some("Dataset501_Made".to_owned());
    options.output = Some(work.guard.path().join("nnUNet_results"));
    options.overwrite = true;
    convert(&options, &Context::silent(2)).map(|summary| summary.folder)
}

/// Writes a case on the grid of the model, so that nothing is resampled and preprocessing is the same in both versions.
fn write_case(work: &Work, shape: (usize, usize, usize)) {
    let plans = Plans::read(&work.model.plans()).unwrap();
    let stage = plans.plans_per_stage.keys().next_back().unwrap();
    let spacing = plans.plans_per_stage[stage].current_spacing;
    let backward = plans.transpose_backward.map(|axis| spacing[axis]);
    let geometry = Geometry {
        spacing: backward,
        ..Geometry::default()
    };
    for channel in 0..work.channels() {
        let image = Array3::from_shape_fn(shape, |(z, y, x)| {
            ((z * 7919 + y * 104_729 + x * 1_299_709 + channel) % 97) as f32
                + if z > 4 && y > 6 { 90.0 } else { 1.0 }
        });
        let path = work.options.input.join(format!("a_{channel:04}.nii.gz"));
        nifti::write_image(&path, image.view(), &geometry).unwrap();
    }
}

fn probabilities(folder: &Path, name: &str) -> ArrayD<f32> {
    npz::read::<f16>(&folder.join("a.npz"), name)
        .unwrap()
        .mapv(f16::to_f32)
}

/// Changes the kernels of the plans and of the checkpoint: those of the finest stage lose their axis 0.
fn with_flat_kernels(work: &Work) {
    let fold = work.model.fold(Fold::Index(0));
    let file = fold.checkpoint("model_final_checkpoint");
    let mut checkpoint = Checkpoint::read(&file).unwrap();
    for (name, values) in &mut checkpoint.state {
        if name.starts_with("conv_blocks_context.0.") && name.ends_with("conv.weight") {
            let middle = values.len_of(Axis(2)) / 2;
            *values = values
                .slice_axis(Axis(2), ndarray::Slice::from(middle..=middle))
                .to_owned();
        }
    }
    checkpoint.write(&file).unwrap();
    let file = fold.checkpoint_info("model_final_checkpoint");
    let mut info = Info::read(&file).unwrap();
    let mut plans = Plans::from_value(&info.plans).unwrap();
    for stage in plans.plans_per_stage.values_mut() {
        stage.conv_kernel_sizes[0][0] = 1;
    }
    info.plans = plans.to_value();
    info.write(&file).unwrap();
    plans.write(&work.model.plans()).unwrap();
}

/// Predicts with both models: share of equal labels, and the largest difference of the probabilities in the middle of the
/// image and the mean one of all.
fn compared(work: &mut Work) -> (f32, f32, f32) {
    work.options.save_softmax = true;
    work.options.postprocessing = false;
    work.options.overwrite = true;
    work.options.model = work.model.path.clone();
    assert_eq!(work.run().unwrap().written, 1);
    let (labels, softmax) = (work.labels("a"), probabilities(&work.options.output, "softmax"));
    work.options.model = converted(work).unwrap();
    assert_eq!(work.run().unwrap().written, 1);
    let found = probabilities(&work.options.output, v2::PROBABILITIES);
    assert_eq!(found.shape(), softmax.shape());
    let differences = (&found - &softmax).mapv(f32::abs);
    let middle = differences.slice_each_axis(|axis| match axis.axis {
        Axis(0) => ndarray::Slice::from(..),
        _ => ndarray::Slice::from(axis.len / 4..axis.len - axis.len / 4),
    });
    let of_v2 = work.labels("a");
    let equal = of_v2.iter().zip(&labels).filter(|(a, b)| a == b).count();
    (
        equal as f32 / labels.len() as f32,
        middle.iter().copied().fold(0.0, f32::max),
        differences.mean().unwrap(),
    )
}

/// The configuration of the model, and the shape of an image of one tile; in 2D with three slices.
fn planned(work: &Work) -> (&'static str, (usize, usize, usize)) {
    let plans = Plans::read(&work.model.plans()).unwrap();
    let stage = plans.plans_per_stage.values().next_back().unwrap();
    match stage.patch_size[..] {
        [y, x] => ("2d", (3, y, x)),
        [z, y, x] => ("3d_fullres", (z, y, x)),
        _ => panic!("{:?}", stage.patch_size),
    }
}

#[test]
fn a_converted_model_predicts_what_the_model_of_v1_predicts() {
    for flat in [false, true] {
        let mut work = Work::new(&[]);
        if flat {
            with_flat_kernels(&work);
        }
        let model = converted(&work).unwrap();
        let (configuration, patch) = planned(&work);
        let name = format!("nnUNetTrainer__nnUNetPlans__{configuration}");
        assert!(model.ends_with(Path::new("nnUNet_results/Dataset501_Made").join(name)));
        // One tile and no copies: only logits in half precision differ. They have few bits at the border of the tile, whose
        // weights are tiny.
        work.options.mirroring = false;
        write_case(&work, patch);
        let (equal, largest, mean) = compared(&mut work);
        println!("flat {flat}, one tile: {equal} equal, within {largest}, on average {mean}");
        assert!(
            equal >= 0.96 && largest <= 2e-3,
            "{equal} equal, within {largest}"
        );
        // v2 averages logits where v1 averages the softmax, and has another Gaussian. Copies of an untrained network
        // disagree, so that this matters more than after a training.
        work.options.mirroring = true;
        write_case(&work, crate::common::SHAPE);
        let (equal, largest, mean) = compared(&mut work);
        println!("flat {flat}, all copies: {equal} equal, within {largest}, on average {mean}");
        assert!(equal >= 0.8 && mean <= 3e-2, "{equal} equal, on average {mean}");
    }
}

#[test]
fn a_converted_cascade_predicts_what_the_cascade_of_v1_predicts() {
    let (mut work, first) = cascade(&[]);
    let (configuration, patch) = planned(&work);
    if configuration == "2d" {
        return; // A cascade has no stage in 2D.
    }
    work.options.mirroring = false;
    work.options.postprocessing = false;
    work.options.overwrite = true;
    write_case(&work, patch);
    assert_eq!(work.run().unwrap().written, 1);
    let of_v1 = work.labels("a");
    let stage = work.guard.path().join("first_stage");
    fs::rename(work.options.output.join("3d_lowres_predictions"), &stage).unwrap();

    let second = work.options.model.clone();
    work.options.model = converted_model(&work, &second).unwrap();
    let name = "nnUNetTrainer__nnUNetPlans__3d_cascade_fullres";
    assert!(work.options.model.ends_with(name));
    // Without the model of the first stage beside it, nothing is predicted.
    assert_eq!(work.run().unwrap_err().code(), "ERR_NOT_FOUND");
    converted_model(&work, &first.path).unwrap();
    assert_eq!(work.run().unwrap().written, 1);
    let equal = |a: &Array3<i16>, b: &Array3<i16>| {
        let equal = a.iter().zip(b).filter(|(a, b)| a == b).count();
        equal as f32 / a.len() as f32
    };
    let labels = |folder: &Path| nifti::read_labels(&folder.join("a.nii.gz")).unwrap();
    let (of_first, geometry) = labels(&stage);
    let found = labels(&work.options.output.join("3d_lowres_predictions")).0;
    assert!(equal(&found, &of_first) >= 0.96);

    // An untrained second stage makes more of a voxel that differs in the first one, so that it is compared with the same.
    work.options.lowres_segmentations = Some(stage.clone());
    assert_eq!(work.run().unwrap().written, 1);
    let share = equal(&work.labels("a"), &of_v1);
    assert!(share >= 0.96, "{share} equal");
    // Each label has the channel of the first stage that it had in v1.
    let highest = of_first.iter().copied().max().unwrap_or_default();
    let changed = of_first.mapv(|label| highest - label);
    nifti::write_labels(&stage.join("a.nii.gz"), changed.view(), &geometry).unwrap();
    assert_eq!(work.run().unwrap().written, 1);
    assert!(equal(&work.labels("a"), &of_v1) < share);
}

#[test]
fn the_checkpoint_has_the_names_of_v2_and_only_v1s_network_is_converted() {
    let work = Work::new(&[]);
    let model = converted(&work).unwrap();
    let file = model.join("fold_0/checkpoint_final.pth");
    let checkpoint = CheckpointFile::read(&file).unwrap();
    assert_eq!(checkpoint.trainer, "nnUNetTrainer");
    let (configuration, _) = planned(&work);
    assert_eq!(checkpoint.configuration.as_deref(), Some(configuration));
    let axes: &[i64] = if configuration == "2d" {
        &[0, 1]
    } else {
        &[0, 1, 2]
    };
    assert!(checkpoint
        .mirror_axes
        .iter()
        .map(|axis| *axis as i64)
        .eq(axes.iter().copied()));
    let value = pickle::torch::read_checkpoint(&file).unwrap();
    let weights = value.get("network_weights").unwrap();
    for name in [
        "encoder.stages.0.0.convs.0.all_modules.1.weight",
        "decoder.encoder.stages.0.0.convs.0.conv.weight",
        "decoder.transpconvs.0.bias",
        "decoder.seg_layers.0.bias",
    ] {
        assert!(weights.get(name).is_some(), "{name}");
    }
    let file = work
        .model
        .fold(Fold::Index(0))
        .checkpoint("model_final_checkpoint");
    let original = Checkpoint::read(&file).unwrap();
    let mut more = original.clone();
    more.state
        .push(("extra.weight".to_owned(), more.state[0].1.clone()));
    more.write(&file).unwrap();
    let error = converted(&work).unwrap_err();
    assert_eq!(error.code(), "ERR_CHECKPOINT");
    let mut fewer = original.clone();
    fewer.state.remove(0);
    fewer.write(&file).unwrap();
    assert_eq!(converted(&work).unwrap_err().code(), "ERR_CHECKPOINT");
    original.write(&file).unwrap();
    let file = work
        .model
        .fold(Fold::Index(0))
        .checkpoint_info("model_final_checkpoint");
    let mut info = Info::read(&file).unwrap();
    let mut plans = Plans::from_value(&info.plans).unwrap();
    plans.preprocessor_name = "PreprocessorFor3D_NoResampling".to_owned();
    info.plans = plans.to_value();
    info.write(&file).unwrap();
    let error = converted(&work).unwrap_err();
    assert_eq!(error.code(), "ERR_MODEL_UNSUPPORTED");
    assert!(
        error.to_string().contains("PreprocessorFor3D_NoResampling"),
        "{error}"
    );
    fs::remove_file(&file).unwrap();
    assert_eq!(converted(&work).unwrap_err().code(), "ERR_NOT_FOUND");
}
