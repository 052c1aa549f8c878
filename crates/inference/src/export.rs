//! Export of a softmax on the network's grid to files on the image's grid.

use std::path::PathBuf;

use dataset::CaseProperties;
use evaluate::postprocessing::Rules;
use half::f16;
use ndarray::{s, Array3, Array4, Axis};
use resample::export::{export_segmentation, export_softmax, segmentation_of, ExportOptions, Placement};
use resample::ExportMode;
use run::Cancel;
use volume::{nifti, npz, Geometry};

use crate::existing::SOFTMAX;
use crate::Error;

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
        let placement = self.placement(&properties)?;
        let mut labels = if self.save_softmax {
            self.write_softmax(case, softmax, &placement, &properties, cancel)?
        } else {
            export_segmentation(softmax.view(), &placement, &self.rule, cancel)?
        };
        let (file, geometry) = (self.file(case, "nii.gz"), geometry(&properties)?);
        if let Some(rules) = &self.postprocessing {
            rules.apply(labels.view_mut(), &geometry)?;
        }
        let end = if self.save_softmax && !record.is_empty() {
            SOFTMAX
        } else {
            ""
        };
        let record = format!("{record}{end}");
        nifti::write_labels_described(&file, labels.view(), &geometry, &record, cancel)?;
        Ok(())
    }

    /// Segmentation (z, y, x) of the whole image and, on request, its softmax (class, z, y, x), without writing them. Voxels
    /// outside the cropped region are background.
    ///
    /// # Errors
    /// As [`Export::write`].
    pub(crate) fn arrays(
        &self,
        softmax: Array4<f32>,
        properties: &CaseProperties,
        cancel: &Cancel,
    ) -> Result<(Array3<i16>, Option<Array4<f32>>), Error> {
        let placement = self.placement(properties)?;
        let (mut labels, whole) = if self.save_softmax {
            let resampled = export_softmax(softmax.view(), &placement, &self.rule, cancel)?;
            drop(softmax);
            let labels = segmentation_of(resampled.view(), &placement, &self.rule.decision(), cancel)?;
            (labels, Some(uncropped(resampled, properties)?))
        } else {
            (
                export_segmentation(softmax.view(), &placement, &self.rule, cancel)?,
                None,
            )
        };
        if let Some(rules) = &self.postprocessing {
            rules.apply(labels.view_mut(), &geometry(properties)?)?;
        }
        Ok((labels, whole))
    }

    fn write_softmax(
        &self,
        case: &str,
        softmax: Array4<f32>,
        placement: &Placement,
        properties: &CaseProperties,
        cancel: &Cancel,
    ) -> Result<Array3<i16>, Error> {
        let resampled = export_softmax(softmax.view(), placement, &self.rule, cancel)?;
        drop(softmax);
        cancel.check()?;
        let half = resampled.mapv(f16::from_f32).into_dyn();
        npz::write(
            &self.file(case, "npz"),
            &[("softmax", half.view())],
            npz::Compression::Fast,
        )?;
        properties.write(&self.file(case, "pkl"))?;
        cancel.check()?;
        Ok(segmentation_of(
            resampled.view(),
            placement,
            &self.rule.decision(),
            cancel,
        )?)
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
