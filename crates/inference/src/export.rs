//! Export of a softmax on the network's grid to files on the image's grid.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dataset::CaseProperties;
use evaluate::postprocessing::Rules;
use half::f16;
use ndarray::{s, Array3, Array4, ArrayView3, ArrayView4, Axis};
use resample::export::{export_segmentation, export_softmax, segmentation_of, ExportOptions, Placement};
use resample::{ExportMode, LabelStream};
use run::Cancel;
use storage::Scratch;
use volume::{nifti, npz, Geometry};

use crate::existing::SOFTMAX;
use crate::window::Planes;
use crate::Error;

/// Name of the array in `<case>.npz`.
const SOFTMAX_NAME: &str = "softmax";

/// Writes the results of cases into one folder: segmentations, and their softmax on request.
///
/// Source: `nnunet.inference.segmentation_export.save_segmentation_nifti_from_softmax`.
pub struct Export {
    folder: PathBuf,
    save_softmax: bool,
    rule: ExportOptions,
    transpose_forward: [usize; 3],
    postprocessing: Option<Rules>,
}

impl Export {
    /// An export to an existing folder; `transpose_forward` is that of the plans.
    pub fn new(folder: PathBuf, save_softmax: bool, mode: ExportMode, transpose_forward: [usize; 3]) -> Self {
        let rule = ExportOptions {
            mode,
            ..ExportOptions::default()
        };
        Self {
            folder,
            save_softmax,
            rule,
            transpose_forward,
            postprocessing: None,
        }
    }

    /// Sets the postprocessing of the segmentations. The softmax is not changed.
    #[must_use]
    pub fn with_postprocessing(mut self, rules: Option<Rules>) -> Self {
        self.postprocessing = rules;
        self
    }

    /// The same export to another folder.
    pub(crate) fn to_folder(&self, folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            save_softmax: self.save_softmax,
            rule: self.rule.clone(),
            transpose_forward: self.transpose_forward,
            postprocessing: self.postprocessing.clone(),
        }
    }

    pub(crate) fn saves_softmax(&self) -> bool {
        self.save_softmax
    }

    pub(crate) fn file(&self, case: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{case}.{extension}"))
    }

    /// Returns true if all output files of a case exist.
    pub fn is_done(&self, case: &str) -> bool {
        let softmax = !self.save_softmax || self.file(case, "npz").is_file();
        softmax && self.file(case, "nii.gz").is_file()
    }

    /// Resamples and writes one case. The segmentation is written last: if it exists, the case is complete.
    ///
    /// # Errors
    /// [`Error::Dataset`] if the properties lack an entry; [`Error::Evaluate`] if the postprocessing cannot be applied;
    /// [`Error::Resample`] or [`Error::Volume`]. These
    /// two also report cancellation, checked within each plane and while a softmax is written. No
    /// segmentation is written then.
    pub fn write(
        &self,
        case: &str,
        softmax: Array4<f32>,
        properties: CaseProperties,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        self.write_as(case, "", softmax, properties, cancel)
    }

    /// [`Export::write`] with a record of at most 60 bytes of ASCII in the header of the segmentation, which identifies
    /// model and settings; see [`Export::existing`].
    ///
    /// # Errors
    /// As [`Export::write`].
    pub fn write_as(
        &self,
        case: &str,
        record: &str,
        softmax: Array4<f32>,
        properties: CaseProperties,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let (classes, z, y, x) = softmax.dim();
        let labels = if self.rule.mode != ExportMode::Default {
            let mut stream = self.begin(case, classes, [z, y, x], &properties, cancel)?;
            stream.push(softmax.view())?;
            drop(softmax);
            stream.finish(&properties)?
        } else if self.save_softmax {
            self.write_softmax(case, softmax, &properties, cancel)?
        } else {
            export_segmentation(softmax.view(), &self.placement(&properties)?, &self.rule, cancel)?
        };
        self.write_labels(case, record, labels, &properties, cancel)
    }

    /// [`Export::write_as`] of what the networks gave.
    ///
    /// # Errors
    /// As [`Export::write`].
    pub(crate) fn write_predicted(
        &self,
        case: &str,
        record: &str,
        predicted: Predicted<'_>,
        properties: CaseProperties,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        match predicted {
            Predicted::Softmax(softmax) => self.write_as(case, record, softmax, properties, cancel),
            Predicted::Exported(exported) => {
                let labels = exported.finish(&properties)?;
                self.write_labels(case, record, labels, &properties, cancel)
            }
        }
    }

    /// Begins the export of a softmax of `shape` (z, y, x) that arrives some planes at a time. With the softmax to save,
    /// [`Exporting::finish`] writes it; [`Export::write_labels`] writes the segmentation.
    ///
    /// # Errors
    /// As [`Export::write`].
    pub fn begin<'a>(
        &self,
        case: &str,
        classes: usize,
        shape: [usize; 3],
        properties: &CaseProperties,
        cancel: &'a Cancel,
    ) -> Result<Exporting<'a>, Error> {
        let placement = self.placement(properties)?;
        let file = self.file(case, "npz");
        let size = self
            .transpose_forward
            .map(|axis| placement.size_after_cropping[axis]);
        Ok(Exporting {
            labels: placement.stream(classes, shape, &self.rule)?,
            saved: match self.save_softmax {
                true => Some(SavedSoftmax {
                    values: Scratch::beside(&file)?,
                    file,
                    properties: self.file(case, "pkl"),
                    shape: [classes, size[0], size[1], size[2]],
                }),
                false => None,
            },
            placement,
            cancel,
        })
    }

    /// Postprocesses and writes the segmentation of a case on the image's grid. It is the last file of a case.
    ///
    /// # Errors
    /// As [`Export::write`].
    pub fn write_labels(
        &self,
        case: &str,
        record: &str,
        labels: Array3<i16>,
        properties: &CaseProperties,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let (file, geometry) = (self.file(case, "nii.gz"), geometry(properties)?);
        let labels = self.postprocessed(labels, properties)?;
        let end = if self.save_softmax && !record.is_empty() {
            SOFTMAX
        } else {
            ""
        };
        let record = format!("{record}{end}");
        nifti::write_labels_described(&file, labels.view(), &geometry, &record, cancel)?;
        Ok(())
    }

    /// Segmentation (z, y, x) of the whole image, postprocessed, and on request its softmax (class, z, y, x), without
    /// writing them. Voxels outside the cropped region are background.
    ///
    /// # Errors
    /// As [`Export::write`].
    pub(crate) fn arrays(
        &self,
        softmax: Array4<f32>,
        keep_softmax: bool,
        properties: &CaseProperties,
        cancel: &Cancel,
    ) -> Result<(Array3<i16>, Option<Array4<f32>>), Error> {
        let placement = self.placement(properties)?;
        if !keep_softmax {
            let labels = export_segmentation(softmax.view(), &placement, &self.rule, cancel)?;
            return Ok((self.postprocessed(labels, properties)?, None));
        }
        let resampled = export_softmax(softmax.view(), &placement, &self.rule, cancel)?;
        drop(softmax);
        let labels = segmentation_of(resampled.view(), &placement, &self.rule.decision(), cancel)?;
        let labels = self.postprocessed(labels, properties)?;
        Ok((labels, Some(uncropped(resampled, properties)?)))
    }

    /// Applies the postprocessing to a segmentation on the image's grid.
    ///
    /// # Errors
    /// [`Error::Dataset`] if the properties lack an entry; [`Error::Evaluate`].
    pub(crate) fn postprocessed(
        &self,
        mut labels: Array3<i16>,
        properties: &CaseProperties,
    ) -> Result<Array3<i16>, Error> {
        if let Some(rules) = &self.postprocessing {
            rules.apply(labels.view_mut(), &geometry(properties)?)?;
        }
        Ok(labels)
    }

    /// Writes the softmax with all classes on the image's grid in memory.
    fn write_softmax(
        &self,
        case: &str,
        softmax: Array4<f32>,
        properties: &CaseProperties,
        cancel: &Cancel,
    ) -> Result<Array3<i16>, Error> {
        let placement = self.placement(properties)?;
        let resampled = export_softmax(softmax.view(), &placement, &self.rule, cancel)?;
        drop(softmax);
        let classes = resampled.outer_iter().map(|class| {
            cancel.check().map_err(io::Error::other)?;
            Ok(class.iter().map(|value| f16::from_f32(*value)).collect())
        });
        let written = npz::write_parts(&self.file(case, "npz"), SOFTMAX_NAME, resampled.shape(), classes);
        cancel.check()?;
        written?;
        properties.write(&self.file(case, "pkl"))?;
        cancel.check()?;
        let decision = self.rule.decision();
        Ok(segmentation_of(resampled.view(), &placement, &decision, cancel)?)
    }

    fn placement(&self, properties: &CaseProperties) -> Result<Placement, Error> {
        Ok(Placement {
            original_size: properties.original_size_of_raw_data()?,
            size_after_cropping: properties.size_after_cropping()?,
            crop_bbox: Some(properties.crop_bbox()?),
            original_spacing: properties.original_spacing()?,
            spacing_after_resampling: properties.spacing_after_resampling()?,
            transpose_forward: self.transpose_forward,
        })
    }
}

/// The result of the networks for a case.
pub(crate) enum Predicted<'a> {
    /// The softmax on the network's grid.
    Softmax(Array4<f32>),
    /// The softmax was resampled while it was computed.
    Exported(Box<Exporting<'a>>),
}

/// The export of a softmax that arrives some planes at a time.
pub struct Exporting<'a> {
    labels: LabelStream,
    placement: Placement,
    saved: Option<SavedSoftmax>,
    cancel: &'a Cancel,
}

/// A softmax on the grid of the image. Its planes arrive with all classes, but the file has one class after the other.
struct SavedSoftmax {
    /// Half-precision values (class, z, y, x) in the network's axis order.
    values: Scratch,
    shape: [usize; 4],
    file: PathBuf,
    properties: PathBuf,
}

impl Planes for Exporting<'_> {
    fn push(&mut self, planes: ArrayView4<'_, f32>) -> Result<(), Error> {
        let failed = Mutex::new(None);
        let keep = |class: usize, z: usize, rows: Range<usize>, values: &[f32]| {
            let Some(saved) = &self.saved else { return };
            let half: Vec<f16> = values.iter().map(|value| f16::from_f32(*value)).collect();
            let [_, depth, height, width] = saved.shape;
            let first = ((class * depth + z) * height + rows.start) * width;
            if let Err(error) = saved
                .values
                .write_at(2 * first as u64, bytemuck::cast_slice(&half))
            {
                failed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(error);
            }
        };
        self.labels.push(planes, &keep, self.cancel)?;
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

impl Exporting<'_> {
    /// Writes the softmax if it is to be saved, and returns the segmentation on the image's grid.
    ///
    /// # Errors
    /// As [`Export::write`]. [`Error::Resample`] if planes are missing.
    pub fn finish(self, properties: &CaseProperties) -> Result<Array3<i16>, Error> {
        let labels = self.labels.finish()?;
        if let Some(saved) = &self.saved {
            saved.write(&self.placement, self.cancel)?;
            properties.write(&saved.properties)?;
            self.cancel.check()?;
        }
        Ok(self.placement.place_network(labels.view(), self.cancel)?)
    }
}

impl SavedSoftmax {
    /// Writes the npz file, in the axis order of the image, with one class at a time in memory.
    fn write(&self, placement: &Placement, cancel: &Cancel) -> Result<(), Error> {
        let [classes, z, y, x] = self.shape;
        let axes = placement.transpose_backward()?;
        let read = |class: usize| {
            cancel.check().map_err(io::Error::other)?;
            let mut values = vec![f16::ZERO; z * y * x];
            let position = 2 * (class * values.len()) as u64;
            let bytes = bytemuck::cast_slice_mut(&mut values);
            self.values.read_at(position, bytes).map_err(io::Error::other)?;
            if axes == [0, 1, 2] {
                return Ok(values);
            }
            let volume = ArrayView3::from_shape((z, y, x), &values).map_err(io::Error::other)?;
            Ok(volume.permuted_axes(axes).iter().copied().collect())
        };
        let [z, y, x] = placement.size_after_cropping;
        let parts = (0..classes).map(read);
        let written = npz::write_parts(&self.file, SOFTMAX_NAME, &[classes, z, y, x], parts);
        // Cancellation is reported as such, not as a failure to write.
        cancel.check()?;
        Ok(written?)
    }
}

/// The softmax of the whole image, from that of its cropped region.
fn uncropped(softmax: Array4<f32>, properties: &CaseProperties) -> Result<Array4<f32>, Error> {
    let (size, bounds) = (properties.original_size_of_raw_data()?, properties.crop_bbox()?);
    if bounds == size.map(|n| [0, n]) {
        return Ok(softmax);
    }
    let mut whole = Array4::zeros((softmax.dim().0, size[0], size[1], size[2]));
    whole.index_axis_mut(Axis(0), 0).fill(1.0);
    let [z, y, x] = bounds.map(|[start, end]| start..end);
    whole.slice_mut(s![.., z, y, x]).assign(&softmax);
    Ok(whole)
}

fn geometry(properties: &CaseProperties) -> Result<Geometry, Error> {
    let [x, y, z] = properties.itk_spacing()?;
    Ok(Geometry {
        spacing: [z, y, x],
        origin: properties.itk_origin()?,
        direction: properties.itk_direction()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_export_ends_after_a_few_rows_and_leaves_no_segmentation() {
        let folder = tempfile::tempdir().unwrap();
        let softmax = Array4::from_shape_fn((3, 12, 20, 24), |(c, z, y, x)| ((c * 5 + z * y + x) % 7) as f32);
        let mut properties = CaseProperties::new();
        properties.set_original_size_of_raw_data([26, 42, 50]);
        properties.set_size_after_cropping([24, 40, 48]);
        properties.set_crop_bbox([[1, 25], [2, 42], [0, 48]]);
        properties.set_original_spacing([1.0; 3]);
        properties.set_spacing_after_resampling([2.0; 3]);
        properties.set_itk_spacing([1.0; 3]);
        properties.set_itk_origin([0.0; 3]);
        properties.set_itk_direction(Geometry::default().direction);
        for save_softmax in [false, true] {
            let output = folder.path().join(save_softmax.to_string());
            std::fs::create_dir(&output).unwrap();
            let export = Export::new(output.clone(), save_softmax, ExportMode::default(), [0, 1, 2]);
            let parts = testkit::ends_when_cancelled(|cancel| {
                let written = export.write("a", softmax.clone(), properties.clone(), cancel);
                assert_eq!(written.is_ok(), export.is_done("a"));
                let whole = ["a.nii.gz", "a.npz", "a.pkl"];
                for file in std::fs::read_dir(&output).unwrap() {
                    let file = file.unwrap();
                    assert!(whole.contains(&&*file.file_name().to_string_lossy()), "{file:?}");
                    std::fs::remove_file(file.path()).unwrap();
                }
                written
            });
            // The resampled planes, the planes of the image, and the rows of its file.
            assert!(parts >= 24 + 24 + 26 * 42, "{parts}");
        }
    }
}
