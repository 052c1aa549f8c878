//! Source of a training case: raw or cropped data.

use std::path::PathBuf;
use std::time::SystemTime;

use dataset::CaseProperties;
use ndarray::{s, Array3, Axis};
use pickle::NdArray;
use run::Cancel;

use crate::archive;
use crate::case::{check_finite, CaseFiles, RawCase};
use crate::crop::Cropped;
use crate::rules::{Crop, Notice, ReadRules, CROP};
use crate::Error;

/// NIfTI files or, for a task without raw data, cropped data.
#[derive(Clone, Debug)]
pub enum Source {
    /// Images and label.
    Raw(CaseFiles),
    /// `<case>.npz` and `<case>.pkl` in a folder of `nnUNet_cropped_data`.
    Cropped {
        /// The folder.
        folder: PathBuf,
    },
}

/// A cropped case and its properties.
pub struct Loaded {
    /// The cropped case.
    pub cropped: Cropped,
    /// Properties of the cropped data.
    pub properties: CaseProperties,
    /// What the user should know about the case.
    pub notices: Vec<Notice>,
}

impl Loaded {
    /// A raw case that was read and cropped by `rules`.
    pub fn of_raw(files: &CaseFiles, raw: RawCase, rules: ReadRules) -> Self {
        Self {
            properties: properties(files, &raw, rules.crop),
            cropped: raw.cropped,
            notices: raw.notices,
        }
    }
}

impl Source {
    /// Reads and crops the case `name`. Stops within the reading of one file if cancelled.
    pub fn load(&self, name: &str, rules: ReadRules, cancel: &Cancel) -> Result<Loaded, Error> {
        match self {
            Self::Raw(files) => {
                let raw = files.read(rules, cancel)?;
                Ok(Loaded::of_raw(files, raw, rules))
            }
            Self::Cropped { folder } => {
                let properties = CaseProperties::read(&folder.join(format!("{name}.pkl")))?;
                let sparse = properties.outside_nonzero_mask_label()? == 0;
                let mut cropped = read_cropped(folder, name, sparse, &properties, cancel)?;
                let path = folder.join(format!("{name}.npz"));
                let notice = check_finite(&path, cropped.data.iter(), rules.nonfinite)?;
                if notice.is_some() {
                    cropped.remove_nonfinite(cancel)?;
                }
                Ok(Loaded {
                    cropped,
                    properties,
                    notices: notice.into_iter().collect(),
                })
            }
        }
    }

    /// Returns the source files of the case.
    pub fn files(&self, name: &str) -> Vec<PathBuf> {
        match self {
            Self::Raw(files) => files.all().cloned().collect(),
            Self::Cropped { folder } => ["npz", "pkl"]
                .map(|e| folder.join(format!("{name}.{e}")))
                .to_vec(),
        }
    }

    /// Returns the user's label file, which is copied to `gt_segmentations`.
    pub fn label(&self, name: &str) -> Option<PathBuf> {
        match self {
            Self::Raw(files) => files.label.clone(),
            Self::Cropped { folder } => {
                Some(folder.join("gt_segmentations").join(format!("{name}.nii.gz"))).filter(|p| p.is_file())
            }
        }
    }

    /// Returns the time of the latest change of the files, or `None` if a file has none.
    pub fn modified(&self, name: &str) -> Option<SystemTime> {
        let times = self
            .files(name)
            .into_iter()
            .map(|f| f.metadata().ok()?.modified().ok());
        times.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Returns the spacing (z, y, x) in mm.
    pub fn spacing(&self, name: &str) -> Result<[f64; 3], Error> {
        match self {
            Self::Raw(files) => files.spacing(),
            Self::Cropped { folder } => {
                Ok(CaseProperties::read(&folder.join(format!("{name}.pkl")))?.original_spacing()?)
            }
        }
    }

    /// Returns the shape of the case before cropping (for cropped data after it), and the bytes needed to
    /// load it.
    pub fn extent(&self, name: &str, channels: usize) -> Result<([usize; 3], u64), Error> {
        match self {
            Self::Raw(files) => {
                let shape = files.shape()?;
                Ok((shape, files.bytes_to_read(shape)))
            }
            Self::Cropped { folder } => {
                let properties = CaseProperties::read(&folder.join(format!("{name}.pkl")))?;
                let shape = properties.size_after_cropping()?;
                let voxels = shape.iter().product::<usize>() as u64;
                // The array as read, then its parts.
                Ok((shape, voxels * (8 * (channels as u64 + 1) + 4)))
            }
        }
    }
}

/// Returns the properties that nnU-Net v1 records for a cropped case, in its order, and the meaning of -1.
pub fn properties(files: &CaseFiles, raw: &RawCase, crop: Crop) -> CaseProperties {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let [z, y, x] = raw.geometry.spacing;
    let mut out = CaseProperties::new();
    out.set_original_size_of_raw_data(raw.shape);
    out.set_original_spacing([z, y, x]);
    out.set_list_of_data_files(files.images.iter().map(text).collect());
    out.set_seg_file(files.label.as_ref().map(text));
    out.set_itk_origin(raw.geometry.origin);
    out.set_itk_spacing([x, y, z]);
    out.set_itk_direction(raw.geometry.direction);
    out.set_crop_bbox(raw.cropped.bounds);
    let classes = &raw.cropped.classes;
    if files.label.is_some() {
        out.set_classes(classes.iter().map(|&c| f32::from(c)).collect());
    } else {
        let integers: Vec<i64> = classes.iter().map(|&c| i64::from(c)).collect();
        out.dict_mut().set("classes", NdArray::from_i64(&integers));
    }
    out.set_size_after_cropping(raw.cropped.segmentation.dim().into());
    out.set_outside_nonzero_mask_label(if raw.cropped.is_sparse() { 0 } else { -1 });
    if let Some(rule) = crop.record() {
        out.dict_mut().set(CROP, rule);
    }
    out
}

/// Writes `<case>.npz` and then `<case>.pkl`, each atomically. A complete pkl guarantees a complete npz.
pub fn write_cropped(
    folder: &std::path::Path,
    name: &str,
    case: &Loaded,
    cancel: &Cancel,
) -> Result<(), Error> {
    let (data, segmentation) = (case.cropped.data.view(), case.cropped.segmentation.view());
    archive::write(&folder.join(format!("{name}.npz")), data, segmentation, cancel)?;
    Ok(case.properties.write(&folder.join(format!("{name}.pkl")))?)
}

fn read_cropped(
    folder: &std::path::Path,
    name: &str,
    sparse: bool,
    properties: &CaseProperties,
    cancel: &Cancel,
) -> Result<Cropped, Error> {
    let path = folder.join(format!("{name}.npz"));
    let all = volume::npz::read::<f32>(&path, "data")?;
    cancel.check()?;
    let found = all.shape().to_vec();
    let mut all = all
        .into_dimensionality::<ndarray::Ix4>()
        .ok()
        .filter(|a| a.len_of(Axis(0)) > 1)
        .ok_or(Error::CroppedShape { path, found })?;
    let last = all.len_of(Axis(0)) - 1;
    let segmentation: Array3<i16> = all.index_axis(Axis(0), last).mapv(|v| v as i16);
    all.slice_collapse(s![..last, .., .., ..]);
    let bounds = properties.crop_bbox()?;
    let classes = properties.classes()?.into_iter().map(|c| c as i16).collect();
    Ok(Cropped::from_parts(
        all,
        segmentation,
        sparse,
        bounds,
        classes,
        cancel,
    )?)
}
