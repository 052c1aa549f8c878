//! The second stage of a cascade: the segmentation of the first stage as input.

use std::path::{Path, PathBuf};

use dataset::results::ModelFolder;
use dataset::{CaseProperties, Configuration, PLANS_IDENTIFIER};
use ndarray::{concatenate, s, Array3, Array4, Axis};
use resample::{resize_segmentation, Order};
use run::NotFound;
use settings::PredictOptions;
use volume::nifti;

use crate::digest::Digest;
use crate::Error;

/// Subfolder of the output with the segmentations of the first stage, as in nnU-Net v1.
const FIRST_STAGE: &str = "3d_lowres_predictions";

/// Name of nnU-Net v1's default trainer, which trains the first stage.
const FIRST_TRAINER: &str = "nnUNetTrainerV2";

/// Folder of the segmentations of the first stage that a prediction makes itself.
pub(crate) fn first_stage_folder(output: &Path) -> PathBuf {
    output.join(FIRST_STAGE)
}

/// The model of the first stage of a cascade: the given one, or nnU-Net's place beside the second stage,
/// `3d_lowres/<task>/nnUNetTrainerV2__<plans>`.
///
/// # Errors
/// [`Error::NotFound`] with the options that name it.
pub(crate) fn first_stage_model(options: &PredictOptions) -> Result<PathBuf, Error> {
    let advice =
        "it is the first stage of the cascade; train 3d_lowres, name its model with --lowres-model, or its \
                  segmentations with --lowres-segmentations";
    if let Some(model) = &options.lowres_model {
        NotFound::unless_exists("model", model, advice)?;
        return Ok(model.clone());
    }
    let model = std::path::absolute(&options.model).unwrap_or_else(|_| options.model.clone());
    let name = model
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let plans = name.split_once("__").map_or(PLANS_IDENTIFIER, |(_, plans)| plans);
    let task = model.parent().and_then(Path::file_name).unwrap_or_default();
    let configurations = model.parent().and_then(Path::parent).and_then(Path::parent);
    let folder = configurations
        .unwrap_or_else(|| Path::new(""))
        .join(Configuration::LowRes.name())
        .join(task)
        .join(format!("{FIRST_TRAINER}__{plans}"));
    NotFound::unless_exists("model", &folder, advice)?;
    Ok(ModelFolder::new(folder).path)
}

/// Segmentations of a first stage, one file `<case>.nii.gz` or `.nii` each.
pub(crate) struct FirstStage {
    folder: PathBuf,
    classes: usize,
    transpose_forward: [usize; 3],
}

impl FirstStage {
    pub(crate) fn new(folder: PathBuf, classes: usize, transpose_forward: [usize; 3]) -> Self {
        Self {
            folder,
            classes,
            transpose_forward,
        }
    }

    /// Folder of the segmentations.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn file(&self, case: &str) -> Option<PathBuf> {
        dataset::files::image_file(&self.folder, case)
    }

    /// Digest of the segmentation of a case; that of nothing if it cannot be read, which fails later.
    pub(crate) fn digest(&self, case: &str) -> String {
        Digest::of_file(self.file(case).as_deref())
    }

    /// Appends one channel a class, with the segmentation of the first stage, to a preprocessed image (channel, z, y, x).
    ///
    /// The segmentation is cropped like the image, and resized linearly. nnU-Net v1 does not crop it, so that it is
    /// displaced in images with empty margins. Source: `nnunet.inference.predict.preprocess_save_to_queue`.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the case has none; [`Error::FirstStage`] if it is not on the grid of the image.
    pub(crate) fn append(
        &self,
        case: &str,
        image: &Array4<f32>,
        properties: &CaseProperties,
    ) -> Result<Array4<f32>, Error> {
        let advice = "the second stage of a cascade needs the segmentation of every case by the first one";
        let file = self.file(case).ok_or_else(|| {
            let path = self.folder.join(format!("{case}.nii.gz"));
            NotFound::new("segmentation of the first stage", path, advice)
        })?;
        let (labels, _) = nifti::read_labels(&file)?;
        append_labels(
            &labels,
            &file,
            self.classes,
            self.transpose_forward,
            image,
            properties,
        )
    }
}

/// [`FirstStage::append`] of the segmentation of a whole image (z, y, x); an error names it `path`.
///
/// # Errors
/// [`Error::FirstStage`] if it is not on the grid of the image.
pub(crate) fn append_labels(
    labels: &Array3<i16>,
    path: &Path,
    classes: usize,
    transpose_forward: [usize; 3],
    image: &Array4<f32>,
    properties: &CaseProperties,
) -> Result<Array4<f32>, Error> {
    let (z, y, x) = labels.dim();
    let expected = properties.original_size_of_raw_data()?;
    if [z, y, x] != expected {
        return Err(Error::FirstStage {
            path: path.to_owned(),
            found: [z, y, x],
            expected,
        });
    }
    let [z, y, x] = properties.crop_bbox()?.map(|[start, end]| start..end);
    let cropped = labels.slice(s![z, y, x]).permuted_axes(transpose_forward);
    let (_, z, y, x) = image.dim();
    let resized = resize_segmentation(cropped, [z, y, x], Order::Linear, None)?;
    let channels = one_hot(&resized, classes);
    concatenate(Axis(0), &[image.view(), channels.view()]).map_err(|e| Error::shape(&e))
}

/// One channel for each of the classes 1, 2, ...
fn one_hot(labels: &Array3<i16>, classes: usize) -> Array4<f32> {
    let (z, y, x) = labels.dim();
    let mut channels = Array4::zeros((classes, z, y, x));
    for (mut channel, class) in channels.outer_iter_mut().zip(1i16..) {
        channel.zip_mut_with(labels, |value, label| {
            *value = f32::from(u8::from(*label == class))
        });
    }
    channels
}

#[cfg(test)]
mod tests {
    use super::*;
    use volume::Geometry;

    #[test]
    fn the_first_stage_is_cropped_transposed_resized_and_split_into_classes() {
        let folder = tempfile::tempdir().unwrap();
        let mut properties = CaseProperties::new();
        properties.set_original_size_of_raw_data([6, 5, 4]);
        properties.set_crop_bbox([[2, 6], [1, 4], [0, 4]]);
        let labels = Array3::from_shape_fn((6, 5, 4), |(z, y, x)| ((z * 3 + y * 2 + x) % 3) as i16);
        let file = folder.path().join("a.nii.gz");
        nifti::write_labels(&file, labels.view(), &Geometry::default()).unwrap();
        let stage = FirstStage::new(folder.path().to_owned(), 2, [2, 0, 1]);
        // The network's axes are x, z, y of the case.
        let image = Array4::from_elem((1, 4, 4, 3), 7.0);
        let found = stage.append("a", &image, &properties).unwrap();
        assert_eq!(found.dim(), (3, 4, 4, 3));
        for ((channel, x, z, y), value) in found.indexed_iter() {
            let label = labels[[z + 2, y + 1, x]];
            let expected = if channel == 0 {
                7.0
            } else {
                f32::from(u8::from(label == channel as i16))
            };
            assert_eq!(*value, expected);
        }
        // Twice the size: the same labels away from borders.
        let large = Array4::zeros((1, 8, 8, 6));
        let found = stage.append("a", &large, &properties).unwrap();
        assert!(found
            .slice(s![1.., .., .., ..])
            .iter()
            .all(|value| [0.0, 1.0].contains(value)));

        let other = Array3::<i16>::zeros((6, 5, 5));
        nifti::write_labels(&file, other.view(), &Geometry::default()).unwrap();
        let wrong = stage.append("a", &image, &properties);
        assert!(matches!(wrong, Err(Error::FirstStage { found: [6, 5, 5], .. })));
        assert!(matches!(
            stage.append("b", &image, &properties),
            Err(Error::NotFound(_))
        ));
    }
}
