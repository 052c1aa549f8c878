//! From a softmax on the network's grid to files on the image's.

use std::path::PathBuf;

use dataset::{results::ModelFolder, CaseProperties};
use half::f16;
use ndarray::{Array3, Array4};
use resample::export::{export_segmentation, export_softmax, segmentation_of, ExportOptions, Placement};
use volume::{nifti, npz, Geometry};

use crate::Error;
use settings::PredictOptions;

/// Writes the results of cases into one folder.
pub struct Export<'a> {
    options: &'a PredictOptions,
    rule: ExportOptions,
    transpose_forward: [usize; 3],
}

impl<'a> Export<'a> {
    /// Prepares the output folder: the model's plans are kept beside its predictions, as nnU-Net does.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn new(options: &'a PredictOptions, transpose_forward: [usize; 3]) -> Result<Self, Error> {
        let plans = ModelFolder::new(&options.model).plans();
        if plans.is_file() {
            storage::copy_file(&plans, &options.output.join("plans.pkl"), storage::Links::Follow)?;
        }
        let rule = ExportOptions {
            mode: options.export,
            ..ExportOptions::default()
        };
        Ok(Self {
            options,
            rule,
            transpose_forward,
        })
    }

    fn file(&self, case: &str, extension: &str) -> PathBuf {
        self.options.output.join(format!("{case}.{extension}"))
    }

    /// Whether everything that is to be written of a case is there.
    pub fn is_done(&self, case: &str) -> bool {
        let softmax = !self.options.save_softmax || self.file(case, "npz").is_file();
        softmax && self.file(case, "nii.gz").is_file()
    }

    /// Resamples and writes one case; the segmentation comes last, so that its presence means the case is done.
    ///
    /// # Errors
    /// [`Error::Dataset`] where the properties lack something, [`Error::Resample`], [`Error::Volume`].
    pub fn write(&self, case: &str, softmax: Array4<f32>, properties: CaseProperties) -> Result<(), Error> {
        let placement = self.placement(&properties)?;
        let labels = if self.options.save_softmax {
            self.write_softmax(case, softmax, &placement, &properties)?
        } else {
            export_segmentation(softmax.view(), &placement, &self.rule)?
        };
        nifti::write_labels(&self.file(case, "nii.gz"), labels.view(), &geometry(&properties)?)?;
        Ok(())
    }

    fn write_softmax(
        &self,
        case: &str,
        softmax: Array4<f32>,
        placement: &Placement,
        properties: &CaseProperties,
    ) -> Result<Array3<i16>, Error> {
        let resampled = export_softmax(softmax.view(), placement, &self.rule)?;
        drop(softmax);
        let half = resampled.mapv(f16::from_f32).into_dyn();
        npz::write(
            &self.file(case, "npz"),
            &[("softmax", half.view())],
            npz::Compression::Fast,
        )?;
        properties.write(&self.file(case, "pkl"))?;
        Ok(segmentation_of(
            resampled.view(),
            placement,
            &self.rule.decision(),
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

fn geometry(properties: &CaseProperties) -> Result<Geometry, Error> {
    let [x, y, z] = properties.itk_spacing()?;
    Ok(Geometry {
        spacing: [z, y, x],
        origin: properties.itk_origin()?,
        direction: properties.itk_direction()?,
    })
}
