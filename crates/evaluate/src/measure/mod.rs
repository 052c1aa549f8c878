//! Metrics that nnU-Net v1 does not have.

mod calibration;
mod lesions;
mod metrics;
mod options;
mod surface;
mod surfels;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::{Array3, ArrayView3, Zip};
use run::{Cancel, NotFound};

pub use calibration::{calibration, Calibration};
pub use lesions::{count_lesions, LesionConnectivity, LesionCounts, LesionRule};
pub(crate) use metrics::COLUMNS;
pub use metrics::{metric_title, CaseMetrics, RegionMetrics};
pub use options::{MeasureOptions, MetricGroup};
pub use surface::{surface_scores, SurfaceScores};

use crate::scores::Scores;
use crate::{Error, Region};

/// Checks that a folder has the softmax of a case if the options ask for calibration.
///
/// # Errors
/// [`Error::NotFound`].
pub(crate) fn require_softmax<'a>(
    folder: &Path,
    mut cases: impl Iterator<Item = &'a String>,
    options: &MeasureOptions,
) -> Result<(), Error> {
    let wanted = options.metrics.contains(&MetricGroup::Calibration);
    if wanted && !cases.any(|case| softmax_of(folder, case).exists()) {
        let advice = "calibration needs the softmax of a case; predict with --save-softmax";
        NotFound::unless_exists("softmax", &folder.join("<case>.npz"), advice)?;
    }
    Ok(())
}

/// Upper bound of the memory that the softmax of a case needs, from its header. An unreadable file needs none; its case
/// fails.
pub(crate) fn softmax_memory(folder: &Path, case: &str, options: &MeasureOptions) -> u64 {
    if !options.metrics.contains(&MetricGroup::Calibration) {
        return 0;
    }
    let headers = volume::npz::headers(&softmax_of(folder, case)).unwrap_or_default();
    let values = headers
        .iter()
        .map(|(_, header)| header.shape.iter().map(|n| *n as u64).product::<u64>());
    // Read in half precision, used in single precision.
    values.max().unwrap_or(0) * 6
}

/// Where the softmax of a case may be.
pub(crate) fn softmax_of(folder: &Path, case: &str) -> PathBuf {
    folder.join(format!("{case}.npz"))
}

/// Two label maps of a case, and where its softmax may be.
pub(crate) struct Pair<'a> {
    pub case: &'a str,
    /// Labels of the reference (z, y, x).
    pub reference: ArrayView3<'a, i16>,
    /// Labels of the prediction.
    pub prediction: ArrayView3<'a, i16>,
    /// Size of a voxel (z, y, x) in mm.
    pub spacing: [f64; 3],
    pub ignore_label: Option<i16>,
    /// Folder of predictions.
    pub folder: &'a Path,
}

/// Measures the regions of a case. `scores` are nnU-Net's, by region.
pub(crate) fn measure(
    pair: &Pair<'_>,
    regions: &[Region],
    scores: &BTreeMap<String, Scores>,
    options: &MeasureOptions,
    cancel: &Cancel,
) -> Result<CaseMetrics, Error> {
    let mut found = CaseMetrics {
        case: pair.case.to_owned(),
        ..CaseMetrics::default()
    };
    for region in regions {
        cancel.check()?;
        let dice = scores.get(&region.key()).map_or(f64::NAN, |scores| scores.dice);
        let metrics = measure_region(pair, region, dice, options, cancel)?;
        found.regions.insert(region.key(), metrics);
    }
    if options.metrics.contains(&MetricGroup::Calibration) {
        let softmax = softmax_of(pair.folder, pair.case);
        let errors = if softmax.exists() {
            let bins = options.calibration_bins;
            calibration(
                pair.folder,
                pair.case,
                pair.reference,
                regions,
                pair.ignore_label,
                bins,
                cancel,
            )?
        } else {
            Calibration::undefined(regions.len())
        };
        found.calibration_error = Some(errors.top_label);
        for (region, error) in regions.iter().zip(errors.regions) {
            if let Some(metrics) = found.regions.get_mut(&region.key()) {
                metrics.calibration_error = Some(error);
            }
        }
    }
    Ok(found)
}

fn measure_region(
    pair: &Pair<'_>,
    region: &Region,
    dice: f64,
    options: &MeasureOptions,
    cancel: &Cancel,
) -> Result<RegionMetrics, Error> {
    let mut metrics = RegionMetrics {
        dice: Some(dice),
        ..RegionMetrics::default()
    };
    let wants = |group| options.metrics.contains(&group);
    if ![MetricGroup::Surface, MetricGroup::Volume, MetricGroup::Lesions]
        .into_iter()
        .any(wants)
    {
        return Ok(metrics);
    }
    let ignored = |value: i16| pair.ignore_label == Some(value);
    let reference = pair.reference.mapv(|r| region.contains(r) && !ignored(r));
    let prediction = Zip::from(&pair.prediction)
        .and(&pair.reference)
        .map_collect(|p, r| region.contains(*p) && !ignored(*r));
    let (reference, prediction) = (reference.view(), prediction.view());
    if wants(MetricGroup::Surface) {
        let known: Option<Array3<bool>> = pair.ignore_label.map(|label| pair.reference.mapv(|r| r != label));
        let known = known.as_ref().map(|known| known.view());
        let (spacing, tolerance) = (pair.spacing, options.surface_tolerance);
        let found = surface_scores(reference, prediction, known, spacing, tolerance, cancel)?;
        metrics.hd95 = Some(found.hausdorff_95);
        metrics.assd = Some(found.mean_distance);
        metrics.surface_dice = Some(found.surface_dice);
    }
    let voxel = pair.spacing.iter().product::<f64>();
    if wants(MetricGroup::Volume) {
        let volume = |mask: ArrayView3<'_, bool>| mask.iter().filter(|voxel| **voxel).count() as f64 * voxel;
        let [reference, prediction] = [reference, prediction].map(volume);
        // Not 1 or infinite without a reference, but undefined.
        let relative = if reference > 0.0 {
            (prediction - reference) / reference
        } else {
            f64::NAN
        };
        metrics.reference_volume = Some(reference);
        metrics.predicted_volume = Some(prediction);
        metrics.volume_error = Some(prediction - reference);
        metrics.relative_volume_error = Some(relative);
        metrics.absolute_relative_volume_error = Some(relative.abs());
    }
    if wants(MetricGroup::Lesions) {
        let rule = LesionRule {
            connectivity: options.lesion_connectivity,
            overlap: options.lesion_overlap,
            sizes: &options.lesion_sizes,
        };
        let groups = count_lesions(reference, prediction, voxel, rule)?;
        let total = LesionCounts::total(&groups);
        metrics.reference_lesions = Some(total.reference as f64);
        metrics.detected_lesions = Some(total.detected as f64);
        metrics.predicted_lesions = Some(total.predicted as f64);
        metrics.correct_lesions = Some(total.correct as f64);
        metrics.lesion_sensitivity = Some(total.sensitivity);
        metrics.lesion_precision = Some(total.precision);
        metrics.lesion_f1 = Some(total.f1);
        metrics.lesions_by_size = Some(groups);
    }
    Ok(metrics)
}
