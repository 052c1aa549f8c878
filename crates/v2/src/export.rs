//! Export of the network's logits to the grid of the image.
//!
//! Reference: `nnunetv2.inference.export_prediction`.

use std::io;
use std::path::{Path, PathBuf};

use ndarray::{s, Array3, Array4, ArrayView3, Axis};
use resample::{decide, resample_labels, resample_softmax, ExportMode, Resampling};
use run::Cancel;
use volume::{nifti, npz};

use crate::{Configuration, Dataset, Error, FileEnding, Labels, Plans, Properties, ResampleFunction};

mod stream;

pub use stream::Exporting;

/// Name of the array in `<case>.npz`.
pub const PROBABILITIES: &str = "probabilities";

/// Conversion of logits to segmentations and probabilities, for one configuration.
#[derive(Clone, Debug)]
pub struct Export {
    transpose_forward: [usize; 3],
    transpose_backward: [usize; 3],
    configuration: Configuration,
    labels: Labels,
    ending: FileEnding,
}

/// Result of a case in memory, with the axes of the image's file.
#[derive(Clone, Debug)]
pub struct Exported {
    /// Labels (z, y, x).
    pub labels: Array3<i16>,
    /// Probabilities (channel, z, y, x), if asked for: softmax of the labels, or sigmoid of each region. Outside the
    /// cropped region, the background has 1, and regions have 0.
    pub probabilities: Option<Array4<f32>>,
}

impl Export {
    /// An export of a model's configuration.
    #[must_use]
    pub fn new(plans: &Plans, configuration: &Configuration, dataset: &Dataset) -> Self {
        Self {
            transpose_forward: plans.transpose_forward,
            transpose_backward: plans.transpose_backward,
            configuration: configuration.clone(),
            labels: dataset.labels.clone(),
            ending: dataset.file_ending,
        }
    }

    /// Number of channels of the logits.
    #[must_use]
    pub fn heads(&self) -> usize {
        self.labels.heads()
    }

    /// Path of a case's segmentation.
    #[must_use]
    pub fn segmentation_file(&self, folder: &Path, case: &str) -> PathBuf {
        folder.join(format!("{case}{}", self.ending.as_str()))
    }

    /// Whether all files of a case exist.
    #[must_use]
    pub fn is_done(&self, folder: &Path, case: &str, save_probabilities: bool) -> bool {
        let probabilities = !save_probabilities || folder.join(format!("{case}.npz")).is_file();
        probabilities && self.segmentation_file(folder, case).is_file()
    }

    /// Converts logits (channel, z, y, x) in the network's axis order.
    ///
    /// # Errors
    /// [`Error::Heads`]; [`Error::Resample`]; [`Error::Cancelled`] within the work of a few rows.
    pub fn arrays<T: Copy + Into<f32>>(
        &self,
        logits: Array4<T>,
        properties: &Properties,
        keep_probabilities: bool,
        cancel: &Cancel,
    ) -> Result<Exported, Error> {
        if !keep_probabilities && self.streams() {
            let (_, z, y, x) = logits.dim();
            let mut exporting = self.begin([z, y, x], properties, None, cancel)?;
            exporting.push_all(logits.view())?;
            drop(logits);
            return Ok(Exported {
                labels: exporting.finish()?,
                probabilities: None,
            });
        }
        let logits = logits.mapv(Into::into);
        let (labels, probabilities) = self.on_crop(logits, properties, keep_probabilities, cancel)?;
        let axes = properties.axes();
        let probabilities = probabilities.map(|cropped| {
            let whole = self.uncropped(cropped, properties);
            match axes.is_identity() {
                true => whole,
                false => {
                    let size = properties.size;
                    let mut turned = Array4::zeros((whole.dim().0, size[0], size[1], size[2]));
                    for (mut to, from) in turned.outer_iter_mut().zip(whole.outer_iter()) {
                        to.assign(&axes.undo(from));
                    }
                    turned
                }
            }
        });
        Ok(Exported {
            labels: self.placed(labels.view(), properties)?,
            probabilities,
        })
    }

    /// Writes the segmentation of a case and, with `save_probabilities`, `<case>.npz` and `<case>.pkl` as v2. The
    /// segmentation is written last: if it exists, the case is complete.
    ///
    /// `change` may change the labels (z, y, x, with the axes of the file) before they are written, such as a
    /// postprocessing. `record` is a text of at most 60 bytes of ASCII for the header of the segmentation.
    ///
    /// # Errors
    /// As [`Export::arrays`], and [`Error::Volume`], [`Error::Pickle`], or the error of `change`.
    pub fn write<T: Copy + Into<f32>, E: From<Error>>(
        &self,
        folder: &Path,
        case: &str,
        record: &str,
        logits: Array4<T>,
        properties: &Properties,
        save_probabilities: bool,
        change: impl FnOnce(Array3<i16>) -> Result<Array3<i16>, E>,
        cancel: &Cancel,
    ) -> Result<PathBuf, E> {
        let labels = if self.streams() {
            let (_, z, y, x) = logits.dim();
            let save = save_probabilities.then_some((folder, case));
            let mut exporting = self.begin([z, y, x], properties, save, cancel)?;
            exporting.push_all(logits.view())?;
            drop(logits);
            exporting.finish()?
        } else {
            let logits = logits.mapv(Into::into);
            let (labels, probabilities) = self.on_crop(logits, properties, save_probabilities, cancel)?;
            if let Some(probabilities) = probabilities {
                let channels = probabilities.outer_iter().map(|channel| Ok(channel.to_owned()));
                self.write_probabilities(folder, case, channels, properties, cancel)?;
            }
            self.placed(labels.view(), properties)?
        };
        self.write_labels(folder, case, record, change(labels)?, properties, cancel)
            .map_err(E::from)
    }

    /// Writes the segmentation of a case, with labels (z, y, x) in the axes of the file. It is the last file of a case.
    ///
    /// # Errors
    /// [`Error::Volume`].
    pub fn write_labels(
        &self,
        folder: &Path,
        case: &str,
        record: &str,
        labels: Array3<i16>,
        properties: &Properties,
        cancel: &Cancel,
    ) -> Result<PathBuf, Error> {
        let file = self.segmentation_file(folder, case);
        let (geometry, plane) = (&properties.geometry, properties.plane);
        nifti::write_labels_unsigned(&file, labels.view(), geometry, plane, record, cancel)?;
        Ok(file)
    }

    /// Labels, and probabilities on request, of the cropped region in the network's axis order.
    fn on_crop(
        &self,
        logits: Array4<f32>,
        properties: &Properties,
        keep_probabilities: bool,
        cancel: &Cancel,
    ) -> Result<(Array3<i16>, Option<Array4<f32>>), Error> {
        let (found, expected) = (logits.dim().0, self.heads());
        if found != expected {
            return Err(Error::Heads { found, expected });
        }
        let (mode, decision) = (ExportMode::Streamed, self.labels.decision_of_logits());
        let (_, z, y, x) = logits.dim();
        let to = self.resampling([z, y, x], properties)?;
        if !keep_probabilities {
            return Ok((
                resample_labels(logits.view(), &to, mode, &decision, cancel)?,
                None,
            ));
        }
        let mut resampled = resample_softmax(logits.view(), &to, mode, cancel)?;
        drop(logits);
        let labels = decide(resampled.view(), &decision, cancel)?;
        match self.labels.regions_class_order {
            Some(_) => resampled.par_mapv_inplace(sigmoid),
            None => softmax(&mut resampled, cancel)?,
        }
        Ok((labels, Some(resampled)))
    }

    /// The resampling of logits to the cropped region.
    fn resampling(&self, logits: [usize; 3], properties: &Properties) -> Result<Resampling, Error> {
        let new = self.transpose_forward.map(|axis| properties.spacing[axis]);
        let current = self.configuration.spacing_for(new);
        let shape = properties.shape_after_cropping;
        let function: &ResampleFunction = &self.configuration.resample_probabilities;
        match function.resampling(shape, current, new)? {
            Some(to) => Ok(to),
            None if logits == shape => Ok(Resampling {
                shape,
                separate_axis: None,
                order: resample::Order::Nearest,
                order_z: resample::Order::Nearest,
            }),
            None => Err(resample::Error::Region {
                found: logits,
                expected: shape,
            }
            .into()),
        }
    }

    /// Labels on the grid of the file.
    fn placed(&self, labels: ArrayView3<'_, i16>, properties: &Properties) -> Result<Array3<i16>, Error> {
        let bounds = properties.bbox_used_for_cropping;
        let (region, original) = (labels.dim().into(), properties.shape_before_cropping);
        let fits = (0..3).all(|axis| {
            let [start, end] = bounds[axis];
            end <= original[axis] && start + labels.shape()[axis] == end
        });
        if !fits {
            return Err(resample::Error::Crop {
                bbox: bounds,
                region,
                original,
            }
            .into());
        }
        let mut whole = Array3::zeros(original);
        let [z, y, x] = bounds.map(|[start, end]| start..end);
        whole.slice_mut(s![z, y, x]).assign(&labels);
        let reader = whole.permuted_axes(self.transpose_backward);
        Ok(properties
            .axes()
            .undo(reader.view())
            .as_standard_layout()
            .into_owned())
    }

    /// Probabilities of the whole image, with the reader's axes.
    fn uncropped(&self, cropped: Array4<f32>, properties: &Properties) -> Array4<f32> {
        let [z, y, x] = self.transpose_backward;
        let bounds = properties.bbox_used_for_cropping;
        let shape = properties.shape_before_cropping;
        let whole = if bounds == shape.map(|n| [0, n]) {
            cropped
        } else {
            let mut whole = Array4::zeros((cropped.dim().0, shape[0], shape[1], shape[2]));
            if self.labels.regions_class_order.is_none() {
                whole.index_axis_mut(Axis(0), 0).fill(1.0);
            }
            let [z, y, x] = bounds.map(|[start, end]| start..end);
            whole.slice_mut(s![.., z, y, x]).assign(&cropped);
            whole
        };
        whole.permuted_axes([0, z + 1, y + 1, x + 1])
    }

    /// Writes `<case>.npz` and `<case>.pkl`, one channel of the whole image in memory at a time.
    fn write_probabilities(
        &self,
        folder: &Path,
        case: &str,
        cropped: impl ExactSizeIterator<Item = io::Result<Array3<f32>>>,
        properties: &Properties,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let bounds = properties.bbox_used_for_cropping.map(|[start, end]| start..end);
        let shape = properties.shape_before_cropping;
        let regions = self.labels.regions_class_order.is_some();
        let count = cropped.len();
        let channels = cropped.enumerate().map(|(index, channel)| {
            cancel.check().map_err(io::Error::other)?;
            let outside = if index == 0 && !regions { 1.0 } else { 0.0 };
            let mut whole = Array3::from_elem(shape, outside);
            let [z, y, x] = bounds.clone();
            whole.slice_mut(s![z, y, x]).assign(&channel?);
            let whole = whole.permuted_axes(self.transpose_backward);
            Ok(whole.iter().copied().collect())
        });
        let [z, y, x] = self.transpose_backward.map(|axis| shape[axis]);
        let file = folder.join(format!("{case}.npz"));
        let written = npz::write_parts(&file, PROBABILITIES, &[count, z, y, x], channels);
        // Cancellation is reported as such, not as a failure to write.
        cancel.check()?;
        written?;
        properties.write(&folder.join(format!("{case}.pkl")))
    }
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// Softmax over the channels, in place.
fn softmax(logits: &mut Array4<f32>, cancel: &Cancel) -> Result<(), Error> {
    for mut plane in logits.axis_iter_mut(Axis(1)) {
        cancel.check()?;
        let mut largest = plane.index_axis(Axis(0), 0).to_owned();
        for channel in plane.outer_iter() {
            largest.zip_mut_with(&channel, |m, &v| *m = m.max(v));
        }
        let mut sum = ndarray::Array2::<f32>::zeros(largest.dim());
        for mut channel in plane.outer_iter_mut() {
            channel.zip_mut_with(&largest, |v, &m| *v = (*v - m).exp());
            sum += &channel;
        }
        for mut channel in plane.outer_iter_mut() {
            channel /= &sum;
        }
    }
    Ok(())
}
