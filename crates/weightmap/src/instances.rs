//! The U-Net paper's own formula: the sum of the distances to the two nearest objects.

use ndarray::{Array3, Zip};

use crate::classes::{Classes, UNLABELLED};
use crate::components::label;
use crate::{Error, Weight};

/// Squared distances (z, y, x) to the nearest and the second nearest object, infinite beyond `bound`.
pub(crate) fn distances(
    index: &Array3<u8>,
    classes: &Classes,
    spacing: [f64; 3],
    bound: f64,
) -> Result<(Array3<f32>, Array3<f32>), Error> {
    let (objects, _) = label(index, classes);
    Ok(edt::two_nearest_objects(
        objects,
        spacing,
        Some((bound as f32).next_up()),
    )?)
}

/// Weights from the sum of both distances; unlabelled voxels weigh 0.
pub(crate) fn finish<W: Weight>(
    nearest: Array3<f32>,
    second: Array3<f32>,
    index: &Array3<u8>,
    weight: impl Fn(f64, u8) -> f64 + Sync,
) -> Array3<W> {
    let mut sum = nearest;
    Zip::from(&mut sum)
        .and(&second)
        .par_for_each(|sum, &second| *sum = sum.sqrt() + second.sqrt());
    drop(second);
    W::finish(sum, index, |sum, at| {
        if at == UNLABELLED {
            0.0
        } else {
            weight(f64::from(sum), at)
        }
    })
}
