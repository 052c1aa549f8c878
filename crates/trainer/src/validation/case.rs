//! A preprocessed case as input of the network.

use std::path::Path;

use dataset::CaseProperties;
use ndarray::{concatenate, Array3, Array4, ArrayD, Axis, Slice};
use volume::{npy, npz, Element};

use crate::setup::Setup;
use crate::{Error, Result};

/// Image channels (channel, z, y, x), and for a cascade's second stage one channel a class of the first stage's
/// segmentation.
pub(super) struct Case {
    pub image: Array4<f32>,
    pub properties: CaseProperties,
}

impl Case {
    /// Reads a case of the preprocessed configuration.
    pub fn read(name: &str, setup: &Setup) -> Result<Self> {
        let stack = read::<f32>(&setup.data.folder, name)?;
        let path = setup.data.folder.join(format!("{name}.npz"));
        let stack = four_axes(stack).ok_or_else(|| Error::wrong_shape(&path, "(channel, z, y, x)"))?;
        let channels = stack.len_of(Axis(0)) - 1;
        // The last channel is the segmentation.
        let mut image = stack.slice_axis(Axis(0), Slice::from(..channels)).to_owned();
        if let Some(folder) = &setup.data.previous_stage {
            let previous = read::<f32>(folder, &format!("{name}_segFromPrevStage"))?;
            let path = folder.join(format!("{name}_segFromPrevStage.npz"));
            let shape = [
                stack.len_of(Axis(1)),
                stack.len_of(Axis(2)),
                stack.len_of(Axis(3)),
            ];
            let previous = previous
                .into_shape_with_order(shape)
                .map_err(|_| Error::wrong_shape(&path, &format!("{shape:?}, the case's own")))?;
            let channels = one_hot(&previous, setup.data.plans.num_classes);
            image = concatenate(Axis(0), &[image.view(), channels.view()])
                .map_err(|e| Error::wrong_shape(&path, &e.to_string()))?;
        }
        let properties = CaseProperties::read(&setup.data.folder.join(format!("{name}.pkl")))?;
        Ok(Self { image, properties })
    }
}

/// Reads `data` of an npz file, or the npy file beside it where only that exists.
fn read<T: Element>(folder: &Path, name: &str) -> Result<ArrayD<T>> {
    let (packed, unpacked) = (
        folder.join(format!("{name}.npz")),
        folder.join(format!("{name}.npy")),
    );
    Ok(if packed.is_file() || !unpacked.is_file() {
        npz::read(&packed, "data")?
    } else {
        npy::read(&unpacked)?
    })
}

/// A 2D data set may have cases of (channel, y, x).
fn four_axes(array: ArrayD<f32>) -> Option<Array4<f32>> {
    let array = if array.ndim() == 3 {
        array.insert_axis(Axis(1))
    } else {
        array
    };
    array
        .into_dimensionality()
        .ok()
        .filter(|array: &Array4<f32>| array.len_of(Axis(0)) > 1)
}

/// One channel for each of the classes 1, 2, ...
fn one_hot(labels: &Array3<f32>, classes: usize) -> Array4<f32> {
    let (z, y, x) = labels.dim();
    let mut channels = Array4::zeros((classes, z, y, x));
    for (mut channel, class) in channels.outer_iter_mut().zip(1..) {
        channel.zip_mut_with(labels, |value, &label| {
            *value = f32::from(label == f32::from(class as u16))
        });
    }
    channels
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn each_class_has_a_channel() {
        let channels = one_hot(&array![[[0.0, 2.0, 1.0]]], 2);
        assert_eq!(channels, array![[[[0.0, 0.0, 1.0]]], [[[0.0, 1.0, 0.0]]]]);
    }
}
