//! Reads a case from its NIfTI files.

use std::path::{Path, PathBuf};

use dataset::{files, is_usable, NonFinite};
use ndarray::{Array3, Axis};
use run::Cancel;
use volume::{nifti, Deviation, Geometry};

use crate::crop::{crop, labelled, Cropped};
use crate::rules::{Notice, ReadRules};
use crate::Error;

/// Files of a case: one image per modality, and the label of a training case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFiles {
    /// `<case>_0000.nii.gz`, `<case>_0001.nii.gz`, ...
    pub images: Vec<PathBuf>,
    /// `<case>.nii.gz`
    pub label: Option<PathBuf>,
}

/// A cropped case, with the shape and geometry of the original.
#[derive(Clone, Debug)]
pub struct RawCase {
    /// The cropped case.
    pub cropped: Cropped,
    /// Shape before cropping (z, y, x).
    pub shape: [usize; 3],
    /// Geometry of the first image.
    pub geometry: Geometry,
    /// What the user should know about the case.
    pub notices: Vec<Notice>,
}

/// The images of a case.
#[derive(Clone, Debug)]
pub struct Images {
    /// One volume (z, y, x) for each image, all of one shape.
    pub channels: Vec<Array3<f32>>,
    /// Geometry of the first image.
    pub geometry: Geometry,
    /// What the user should know about the case. Values that are not finite are still in the volumes.
    pub notices: Vec<Notice>,
}

impl CaseFiles {
    /// Reads and crops the case.
    ///
    /// # Errors
    /// If a file cannot be read or exists with both extensions, the files differ in shape, every voxel is 0, or
    /// a voxel is not finite and must be. [`Error::Cancelled`] within the reading of one file.
    pub fn read(&self, rules: ReadRules, cancel: &Cancel) -> Result<RawCase, Error> {
        let Images {
            channels,
            geometry,
            mut notices,
        } = self.read_images(rules.nonfinite, cancel)?;
        let first = Some(&geometry);
        let label = match &self.label {
            Some(path) => {
                cancel.check()?;
                files::only_one(path)?;
                let (label, found) = nifti::read_labels(path)?;
                self.check_shape(path, label.dim().into(), &channels)?;
                notices.extend(self.elsewhere(path, first, &found));
                notices.extend(doubt(path)?);
                Some(label)
            }
            None => None,
        };
        self.cut(channels, label, geometry, notices, rules, cancel)
    }

    /// Reads the images of the case as they are.
    ///
    /// # Errors
    /// If a file cannot be read or exists with both extensions, the files differ in shape, or a voxel is not finite and
    /// must be. [`Error::Cancelled`] within the reading of one file.
    pub fn read_images(&self, nonfinite: NonFinite, cancel: &Cancel) -> Result<Images, Error> {
        let mut notices = Vec::new();
        let mut channels: Vec<Array3<f32>> = Vec::with_capacity(self.images.len());
        let mut first: Option<Geometry> = None;
        for path in &self.images {
            cancel.check()?;
            files::only_one(path)?;
            let (image, geometry) = nifti::read_image(path)?;
            let found = image.len_of(Axis(0));
            if found != 1 {
                return Err(Error::Channels {
                    path: path.clone(),
                    found,
                });
            }
            let image = image.index_axis_move(Axis(0), 0);
            self.check_shape(path, image.dim().into(), &channels)?;
            notices.extend(check_finite(path, image.iter(), nonfinite)?);
            channels.push(image);
            notices.extend(self.elsewhere(path, first.as_ref(), &geometry));
            notices.extend(doubt(path)?);
            first.get_or_insert(geometry);
        }
        Ok(Images {
            channels,
            geometry: first.unwrap_or_default(),
            notices,
        })
    }

    /// Crops the volumes of the case, all of one shape.
    ///
    /// # Errors
    /// If every voxel is 0; [`Error::Cancelled`].
    pub(crate) fn cut(
        &self,
        channels: Vec<Array3<f32>>,
        label: Option<Array3<i16>>,
        geometry: Geometry,
        mut notices: Vec<Notice>,
        rules: ReadRules,
        cancel: &Cancel,
    ) -> Result<RawCase, Error> {
        let empty = || Error::EmptyImage {
            paths: self.images.clone(),
        };
        let shape = channels.first().ok_or_else(empty)?.dim().into();
        let voxels = label.as_ref().map_or(0, labelled);
        let mut cropped = crop(channels, label, rules, cancel)?.ok_or_else(empty)?;
        if cropped.lost > 0 {
            let message = format!(
                "{} of {voxels} labelled voxels lie outside the box around the non-zero voxels, and cropping takes \
                 them away; check the image, or keep them with --crop none",
                cropped.lost
            );
            let code = "WARN_LABELS_CROPPED";
            notices.push(Notice { code, message });
        }
        if notices.iter().any(|n| n.code == REPLACED) {
            // After cropping: as in nnU-Net v1, such voxels are not background.
            cropped.remove_nonfinite(cancel)?;
        }
        Ok(RawCase {
            notices,
            cropped,
            shape,
            geometry,
        })
    }

    fn check_shape(&self, file: &Path, found: [usize; 3], read: &[Array3<f32>]) -> Result<(), Error> {
        match read.first().map(|c| <[usize; 3]>::from(c.dim())) {
            Some(expected) if expected != found => Err(Error::Shape {
                path: file.to_owned(),
                found,
                first: self.images[0].clone(),
                expected,
            }),
            _ => Ok(()),
        }
    }

    /// Returns a notice if a file lies elsewhere than the first image. As in nnU-Net v1, its voxels are used in order.
    fn elsewhere(&self, file: &Path, first: Option<&Geometry>, found: &Geometry) -> Option<Notice> {
        let first = first?;
        let Deviation {
            spacing,
            origin,
            direction,
        } = first.relative_deviation(found);
        // NaN is elsewhere.
        let same =
            spacing <= SPACING_TOLERANCE && origin <= ORIGIN_TOLERANCE && direction <= DIRECTION_TOLERANCE;
        (!same).then(|| Notice {
            code: "WARN_GEOMETRY",
            message: format!(
                "{} lies elsewhere than {}: spacing differs by {:.1} %, origin by {origin:.2} voxels, direction by \
                 {direction:.3}; its voxels are used in their order: run `nnunet-diag check`",
                file.display(),
                self.images[0].display(),
                100.0 * spacing
            ),
        })
    }

    /// Reads the shape (z, y, x) of the first image from its header.
    pub fn shape(&self) -> Result<[usize; 3], Error> {
        Ok(self.header()?.size)
    }

    /// Reads the spacing (z, y, x) of the first image in mm from its header.
    pub fn spacing(&self) -> Result<[f64; 3], Error> {
        Ok(self.header()?.geometry.spacing)
    }

    fn header(&self) -> Result<nifti::Header, Error> {
        match self.images.first() {
            Some(path) => Ok(nifti::read_header(path)?),
            None => Err(Error::EmptyImage { paths: vec![] }),
        }
    }

    /// Returns the peak memory in bytes of [`CaseFiles::read`] for a volume of `shape`: every channel as
    /// float32, the raw bytes of one file, and the label.
    pub fn bytes_to_read(&self, shape: [usize; 3]) -> u64 {
        let voxels = shape.iter().product::<usize>() as u64;
        voxels * (4 * self.images.len() as u64 + 4 + 2)
    }

    /// Iterates over all files of the case.
    pub fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.images.iter().chain(&self.label)
    }
}

/// Returns a notice if the header of a file contradicts itself.
fn doubt(path: &Path) -> Result<Option<Notice>, Error> {
    let doubt = nifti::read_header(path)?.doubt;
    Ok(doubt.map(|doubt| Notice {
        code: "WARN_HEADER",
        message: format!("{}: {doubt}", path.display()),
    }))
}

/// Largest differences of two files of a case of which nothing is said: a hundredth of the spacing, half a voxel, a
/// hundredth of a direction cosine. `check` reports smaller ones.
const SPACING_TOLERANCE: f64 = 0.01;
const ORIGIN_TOLERANCE: f64 = 0.5;
const DIRECTION_TOLERANCE: f64 = 0.01;

/// Code of the warning that voxels were replaced.
pub const REPLACED: &str = "WARN_NONFINITE_REPLACED";

/// Counts the voxels of a file that cannot be normalised ([`is_usable`]). Returns a notice if they are to be replaced.
///
/// # Errors
/// [`Error::NotFinite`] if they are not.
pub fn check_finite<'a>(
    path: &Path,
    voxels: impl ExactSizeIterator<Item = &'a f32>,
    rule: NonFinite,
) -> Result<Option<Notice>, Error> {
    let (mut nan, mut infinite, total) = (0, 0, voxels.len());
    for v in voxels.filter(|v| !is_usable(**v)) {
        *(if v.is_nan() { &mut nan } else { &mut infinite }) += 1;
    }
    match rule {
        _ if nan + infinite == 0 => Ok(None),
        NonFinite::Refuse => Err(Error::NotFinite {
            path: path.to_owned(),
            nan,
            infinite,
            voxels: total,
        }),
        NonFinite::Zero => Ok(Some(Notice {
            code: REPLACED,
            message: format!(
                "{} has {nan} NaN and {infinite} infinite or too large values of {total}; they became 0",
                path.display()
            ),
        })),
    }
}
