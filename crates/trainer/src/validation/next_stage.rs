//! Segmentations of the low resolution for the second stage of a cascade (`predict_next_stage`).

use std::fs;
use std::path::PathBuf;

use dataset::Configuration;
use ndarray::ArrayView4;
use resample::{resample_labels, Decision, ExportMode, Order, Resampling};
use run::{Cancel, NotFound};
use settings::TrainOptions;
use volume::npz;

use crate::setup::Setup;
use crate::{Error, Result};

/// Writer of `<case>_segFromPrevStage.npz`: labels (z, y, x) as uint8 on the grid of full resolution.
pub(super) struct NextStage {
    /// `pred_next_stage` of the model.
    folder: PathBuf,
    /// The preprocessed cases of full resolution.
    cases: PathBuf,
}

impl NextStage {
    /// The writer, for 3d_lowres only.
    ///
    /// # Errors
    /// [`Error::NotFound`] if full resolution is not preprocessed.
    pub fn find(options: &TrainOptions, setup: &Setup) -> Result<Option<Self>> {
        if options.data.configuration != Configuration::LowRes || !options.next_stage {
            return Ok(None);
        }
        let cases = setup
            .data
            .preprocessed
            .join(setup.data.plans.data_folder(setup.data.stage + 1));
        let advice = "run `nnunet-diag preprocess` for 3d_fullres first, or train with --no-next-stage";
        NotFound::unless_exists("preprocessed cases of the next stage", &cases, advice)?;
        let folder = setup.model.path.join("pred_next_stage");
        Ok(Some(Self { folder, cases }))
    }

    fn file(&self, case: &str) -> PathBuf {
        self.folder.join(format!("{case}_segFromPrevStage.npz"))
    }

    /// Whether a file of the case exists.
    pub fn is_done(&self, case: &str) -> bool {
        self.file(case).is_file()
    }

    /// Resamples a softmax (class, z, y, x) linearly to the grid of full resolution and writes its labels.
    pub fn write(&self, case: &str, softmax: ArrayView4<'_, f32>, cancel: &Cancel) -> Result<()> {
        let path = self.cases.join(format!("{case}.npz"));
        let headers = npz::headers(&path)?;
        let shape = headers
            .iter()
            .find(|(name, _)| name == "data")
            .map(|(_, header)| &header.shape);
        let shape: [usize; 3] = shape
            .and_then(|shape| shape.get(shape.len().checked_sub(3)?..)?.try_into().ok())
            .ok_or_else(|| Error::wrong_shape(&path, "an array data of (channel, z, y, x)"))?;
        // nnU-Net passes no spacing here, so that no axis is separate.
        let to = Resampling {
            shape,
            separate_axis: None,
            order: Order::Linear,
            order_z: Order::Nearest,
        };
        let labels = resample_labels(softmax, &to, ExportMode::Streamed, &Decision::Argmax, cancel)?;
        let labels = labels.mapv(|label| label as u8).into_dyn();
        fs::create_dir_all(&self.folder).map_err(|e| Error::io(&self.folder, e))?;
        let file = self.file(case);
        npz::write(&file, &[("data", labels.view())], npz::Compression::Fast)?;
        // A training of the second stage may have unpacked the former segmentation.
        match fs::remove_file(file.with_extension("npy")) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&file, e)),
            _ => Ok(()),
        }
    }
}
