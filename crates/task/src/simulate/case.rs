//! One case of a simulation.

use std::path::{Path, PathBuf};

use ndarray::{Array3, ArrayView3, Axis};
use random::{Purpose, Rng};
use run::Cancel;
use schemars::JsonSchema;
use serde::Serialize;
use volume::{nifti, UNLABELLED};

use super::classes::Classes;
use super::options::{Pattern, SimulateSparseOptions, SliceAxis};
use super::{scribbles, slices, voxels};
use crate::Error;

/// Annotated voxels of a class.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SparseClassReport")]
pub struct ClassReport {
    /// Value in the label; 0 is the background.
    pub label: i16,
    /// Voxels of the class in the dense label.
    pub voxels: u64,
    /// Annotated ones.
    pub annotated: u64,
}

/// Annotation of a case.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SparseCaseReport")]
pub struct CaseReport {
    /// The case.
    pub case: String,
    /// Annotated share of the labelled voxels.
    pub share: f64,
    /// Annotated slices, counted from 0, for each of the option's axes; empty for other patterns.
    pub slices: Vec<Vec<usize>>,
    /// Classes that occur in the case, by label.
    pub classes: Vec<ClassReport>,
}

/// Files of a case.
#[derive(Clone, Debug)]
pub(super) struct CaseFiles {
    pub name: String,
    /// `Tr` or `Ts`.
    pub part: &'static str,
    /// Dense label; test cases may have none.
    pub label: Option<PathBuf>,
}

/// Writes the files of a case. Training labels become sparse; test labels stay dense.
pub(super) fn write(
    options: &SimulateSparseOptions,
    files: &CaseFiles,
    channels: usize,
    (source, target): (&Path, &Path),
    cancel: &Cancel,
) -> Result<Option<CaseReport>, Error> {
    let images = format!("images{}", files.part);
    for image in dataset::files::channel_files(&source.join(&images), &files.name, channels)? {
        cancel.check()?;
        let name = image.file_name().unwrap_or_default();
        storage::link_or_copy(&image, &target.join(&images).join(name))?;
    }
    let Some(label) = &files.label else {
        return Ok(None);
    };
    let folder = target.join(format!("labels{}", files.part));
    if files.part == "Ts" {
        let name = label.file_name().unwrap_or_default();
        storage::link_or_copy(label, &folder.join(name))?;
        return Ok(None);
    }
    let (mut labels, geometry) = nifti::read_labels(label)?;
    cancel.check()?;
    let (mask, chosen) = annotate(options, &files.name, labels.view());
    let classes = Classes::of(labels.view());
    if classes.len() == 0 {
        let problem = "has no labelled voxel; give a task with dense labels";
        return Err(Error::record(label, problem));
    }
    labels.zip_mut_with(&mask, |value, &annotated| {
        if !annotated {
            *value = UNLABELLED;
        }
    });
    cancel.check()?;
    nifti::write_labels(
        &folder.join(format!("{}.nii.gz", files.name)),
        labels.view(),
        &geometry,
    )?;
    Ok(Some(report(
        &files.name,
        &classes,
        &Classes::of(labels.view()),
        chosen,
    )))
}

/// The voxels to annotate, and the slices of the pattern of slices.
pub(super) fn annotate(
    options: &SimulateSparseOptions,
    case: &str,
    labels: ArrayView3<'_, i16>,
) -> (Array3<bool>, Vec<Vec<usize>>) {
    let classes = Classes::of(labels);
    let mut rng = Rng::keyed(options.seed, Purpose::SparseAnnotation, name_hash(case), 0, 0);
    let axes: Vec<usize> = options
        .axes
        .iter()
        .map(|&axis: &SliceAxis| axis.index())
        .collect();
    let share = options.share.unwrap_or(0.0);
    match options.pattern {
        Pattern::Voxels => (voxels::annotate(labels, &classes, share, &mut rng), Vec::new()),
        Pattern::Scribbles => {
            let mask = scribbles::annotate(labels, &classes, &axes, share, &mut rng);
            (mask, Vec::new())
        }
        Pattern::Slices => {
            let mut mask = Array3::from_elem(labels.dim(), false);
            let mut missing: Vec<usize> = (0..classes.len()).collect();
            let mut chosen = Vec::new();
            for &axis in &axes {
                let length = labels.len_of(Axis(axis));
                let count = match options.slices {
                    Some(count) => count as usize,
                    None => slices::count_for(share, length, axes.len()),
                };
                let found = slices::choose(labels, &classes, axis, count, &mut missing, &mut rng);
                slices::mark(&mut mask, axis, &found);
                chosen.push(found);
            }
            (mask, chosen)
        }
    }
}

fn report(case: &str, dense: &Classes, sparse: &Classes, slices: Vec<Vec<usize>>) -> CaseReport {
    let class = |(&label, &voxels): (&i16, &u64)| ClassReport {
        label,
        voxels,
        annotated: sparse.index(label).map_or(0, |index| sparse.voxels[index]),
    };
    let classes: Vec<ClassReport> = dense.values.iter().zip(&dense.voxels).map(class).collect();
    CaseReport {
        case: case.to_owned(),
        share: share_of(&classes),
        slices,
        classes,
    }
}

/// Annotated share of classes.
pub(super) fn share_of(classes: &[ClassReport]) -> f64 {
    let sum = |count: fn(&ClassReport) -> u64| classes.iter().map(count).sum::<u64>() as f64;
    sum(|c| c.annotated) / sum(|c| c.voxels).max(1.0)
}

/// FNV-1a of a name, 64 bits: the same on every system.
fn name_hash(name: &str) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    name.bytes().fold(0xCBF2_9CE4_8422_2325, step)
}
