//! Memory of preprocessing, estimated from headers, before and after planning.

use run::{CaseLoop, Context, Job, Progress};
use volume::voxels;

use crate::output::outputs;
use crate::stage::Target;
use crate::task_cases::TaskCases;
use crate::{Error, Options};

/// Peak memory of each case, in a task or a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseMemory {
    /// Bytes of each case whose header can be read.
    pub bytes: Vec<u64>,
    /// Whether the spacing is that of existing plans. Otherwise it is estimated as the planner does, without cropping.
    pub planned: bool,
}

/// Facts of a case from its header.
struct Extent {
    /// Voxels (z, y, x).
    shape: [usize; 3],
    /// Size of a voxel (z, y, x) in mm.
    spacing: [f64; 3],
    /// Bytes that reading takes.
    reading: u64,
}

/// Grid of the preprocessed cases.
enum Grid {
    Planned(Target),
    Spacing([f64; 3]),
}

/// Estimates the peak memory of each case of a task from the headers of its files. Cases are assumed not to be cropped, so
/// that the estimate is an upper bound.
///
/// # Errors
/// If the task cannot be found or read; [`Error::Cancelled`].
pub fn memory_of_cases(options: &Options, context: &Context) -> Result<CaseMemory, Error> {
    let folders = options.folders.resolve(context);
    let task = TaskCases::find(&options.task, &folders)?;
    let channels = task.modalities.len();
    let jobs: Vec<_> = task.cases.iter().map(|case| Job::new(&case.name, case)).collect();
    let progress = Progress::new("headers", jobs.len());
    // A case whose header cannot be read fails later, in its own job.
    let outcome = CaseLoop::new(context)?.run(&jobs, progress, |job| -> Result<Extent, Error> {
        let (shape, reading) = job.input.source.extent(&job.case, channels)?;
        let spacing = job.input.source.spacing(&job.case)?;
        Ok(Extent {
            shape,
            spacing,
            reading,
        })
    })?;
    let extents: Vec<Extent> = outcome.results.into_iter().flatten().collect();
    let existing = match options.overrides.given() {
        None => outputs(&task, options).ok(),
        Some(_) => None,
    };
    let planned = existing.is_some();
    let grids: Vec<Grid> = match existing {
        Some(outputs) => outputs
            .into_iter()
            .map(|output| Grid::Planned(output.target))
            .collect(),
        None => vec![Grid::Spacing(
            options.overrides.spacing.unwrap_or_else(|| usual(&extents)),
        )],
    };
    let bytes = extents
        .iter()
        .map(|extent| extent.peak(&grids, channels))
        .collect();
    Ok(CaseMemory { bytes, planned })
}

impl Extent {
    fn peak(&self, grids: &[Grid], channels: usize) -> u64 {
        let of = |grid: &Grid| match grid {
            Grid::Planned(target) => target.shape(self.shape, self.spacing).map_or(0, voxels),
            Grid::Spacing(target) => {
                let axis = |i: usize| (self.shape[i] as f64 * self.spacing[i] / target[i]).round() as usize;
                voxels([0, 1, 2].map(axis))
            }
        };
        let largest = grids.iter().map(of).max().unwrap_or(0);
        self.reading
            .max(resampling(voxels(self.shape), largest, channels))
    }
}

/// Bytes of the cropped case, its largest resampled form, and the copies of one channel.
pub(crate) fn resampling(cropped: u64, resampled: u64, channels: usize) -> u64 {
    let case = 4 * channels as u64 + 2;
    cropped.saturating_add(resampled).saturating_mul(case + 4)
}

/// The spacing that nnU-Net v1 plans for cases of these headers: the median, and along an axis that is much coarser than
/// the others the tenth percentile. Without the planner's other condition, that the axis has few voxels, it is the finer
/// one of two, so that the estimate stays an upper bound.
fn usual(extents: &[Extent]) -> [f64; 3] {
    let quantile = |axis: usize, part: f64| {
        let mut all: Vec<f64> = extents.iter().map(|extent| extent.spacing[axis]).collect();
        all.sort_by(f64::total_cmp);
        let last = all.len().saturating_sub(1);
        all.get((last as f64 * part).floor() as usize)
            .copied()
            .unwrap_or(1.0)
    };
    let median = [0, 1, 2].map(|axis| quantile(axis, 0.5));
    [0, 1, 2].map(|axis| {
        let finest = median.iter().copied().fold(f64::INFINITY, f64::min);
        match median[axis] > 3.0 * finest {
            true => quantile(axis, 0.1),
            false => median[axis],
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(spacing: [f64; 3]) -> Extent {
        Extent {
            shape: [10, 20, 30],
            spacing,
            reading: 1000,
        }
    }

    #[test]
    fn the_usual_spacing_is_the_median_and_finer_along_a_coarse_axis() {
        let coarse = [8.0, 2.0, 5.0].map(|z| extent([z, 1.0, 0.5]));
        assert_eq!(usual(&coarse), [2.0, 1.0, 0.5]);
        let even = [1.0, 2.0, 3.0].map(|z| extent([z, 1.0, 1.0]));
        assert_eq!(usual(&even), [2.0, 1.0, 1.0]);
    }

    #[test]
    fn a_case_needs_the_larger_of_reading_and_resampling() {
        let grids = [Grid::Spacing([1.0; 3])];
        // 6000 voxels become 20 x 20 x 15.
        assert_eq!(
            extent([2.0, 1.0, 0.5]).peak(&grids, 2),
            (6000 + 6000) * (4 * 2 + 2 + 4)
        );
        assert_eq!(extent([1.0; 3]).peak(&[], 1).max(1000), 6000 * 10);
    }
}
