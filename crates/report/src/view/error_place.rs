//! The largest error of a prediction.

use components::Connectivity;
use ndarray::{Array3, Zip};

use super::UNLABELLED_BYTE;
use crate::Result;

/// The voxel nearest to the middle of the largest connected error.
pub(super) fn largest_error(reference: &Array3<u8>, prediction: &Array3<u8>) -> Result<Option<[usize; 3]>> {
    let wrong = Zip::from(reference)
        .and(prediction)
        .map_collect(|r, p| r != p && *r != UNLABELLED_BYTE && *p != UNLABELLED_BYTE);
    let found = components::label(wrong.view(), |wrong| wrong, Connectivity::Full)?;
    // The first of equal ones.
    let Some(largest) = found
        .sizes
        .iter()
        .rev()
        .zip((0..found.sizes.len()).rev())
        .max_by_key(|(size, _)| **size)
    else {
        return Ok(None);
    };
    let number = largest.1 as u32 + 1;
    let voxels = || {
        let all = found
            .labels
            .indexed_iter()
            .filter(move |(_, label)| **label == number);
        all.map(|((z, y, x), _)| [z, y, x])
    };
    let mut sum = [0.0; 3];
    for voxel in voxels() {
        for axis in 0..3 {
            sum[axis] += voxel[axis] as f64;
        }
    }
    let middle = sum.map(|total| total / *largest.0 as f64);
    let distance = |voxel: &[usize; 3]| {
        (0..3)
            .map(|axis| (voxel[axis] as f64 - middle[axis]).powi(2))
            .sum::<f64>()
    };
    Ok(voxels().min_by(|one, two| distance(one).total_cmp(&distance(two))))
}
