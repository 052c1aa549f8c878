//! Formula of the U-Net paper: the sum of the distances to the two nearest objects.

use ndarray::{Array3, Zip};
use run::{Cancel, Cancelled};

use crate::classes::{Classes, UNLABELLED};
use crate::{Error, Weight};

/// Returns the squared distances (z, y, x) to the nearest and the second nearest object, infinite above
/// `bound`.
pub(crate) fn distances(
    index: &Array3<u8>,
    classes: &Classes,
    spacing: [f64; 3],
    bound: f64,
    cancel: &Cancel,
) -> Result<(Array3<f32>, Array3<f32>), Error> {
    check_size(index.len())?;
    cancel.check()?;
    let objects = components::label_values(index.view(), |at| classes.is_object(at))?;
    Ok(edt::two_nearest_objects(
        objects.labels,
        spacing,
        Some((bound as f32).next_up()),
        cancel,
    )?)
}

/// Voxels are numbered with 32 bits.
fn check_size(voxels: usize) -> Result<(), Error> {
    match u32::try_from(voxels) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::TooManyVoxels {
            voxels,
            limit: u32::MAX as usize,
        }),
    }
}

/// Computes weights from the sum of both distances. Unlabelled voxels have weight 0.
pub(crate) fn finish<W: Weight>(
    nearest: Array3<f32>,
    second: Array3<f32>,
    index: &Array3<u8>,
    weight: impl Fn(f64, u8) -> f64 + Sync,
    cancel: &Cancel,
) -> Result<Array3<W>, Cancelled> {
    let mut sum = nearest;
    Zip::from(&mut sum)
        .and(&second)
        .par_for_each(|sum, &second| *sum = sum.sqrt() + second.sqrt());
    drop(second);
    let weight = |sum: f32, at| match at {
        UNLABELLED => 0.0,
        at => weight(f64::from(sum), at),
    };
    W::finish(sum, index, weight, cancel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_voxels_than_32_bits_are_rejected() {
        assert!(check_size(u32::MAX as usize).is_ok());
        assert!(matches!(
            check_size(u32::MAX as usize + 1),
            Err(Error::TooManyVoxels {
                voxels: 4_294_967_296,
                ..
            })
        ));
    }
}
