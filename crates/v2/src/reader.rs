//! v2's readers of images, and its file endings.

use std::path::{Path, PathBuf};

use dataset::NonFinite;
use ndarray::{Array3, ArrayView3};
use preprocess::case::{CaseFiles, Images};
use run::Cancel;
use volume::{nifti, Geometry};

use crate::Error;

/// A class that reads images and writes segmentations. Arrays are (z, y, x) for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reader {
    /// `SimpleITKIO`: the axes of the file.
    #[default]
    SimpleItk,
    /// `NibabelIO`: the axes of the file.
    Nibabel,
    /// `NibabelIOWithReorient`: axes that are permuted and flipped to point right, to the front and up (RAS) as closely as
    /// possible. Segmentations are written with the axes of the file.
    NibabelReorient,
}

const KNOWN: &str = "SimpleITKIO, NibabelIO and NibabelIOWithReorient";

impl Reader {
    /// Reads a class name.
    pub(crate) fn parse(path: &Path, what: &str, name: &str) -> Result<Self, Error> {
        match name {
            "SimpleITKIO" => Ok(Self::SimpleItk),
            "NibabelIO" => Ok(Self::Nibabel),
            "NibabelIOWithReorient" => Ok(Self::NibabelReorient),
            other => Err(Error::unsupported(path, what, other, KNOWN)),
        }
    }

    /// Name of v2's class.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SimpleItk => "SimpleITKIO",
            Self::Nibabel => "NibabelIO",
            Self::NibabelReorient => "NibabelIOWithReorient",
        }
    }

    /// Reads the images of a case.
    pub(crate) fn read(
        self,
        images: &[PathBuf],
        nonfinite: NonFinite,
        cancel: &Cancel,
    ) -> Result<(Images, bool), Error> {
        let files = CaseFiles {
            images: images.to_vec(),
            label: None,
        };
        let read = files.read_images(nonfinite, cancel)?;
        let plane = match images.first() {
            Some(path) => self == Self::SimpleItk && nifti::read_header(path)?.rank == 2,
            None => false,
        };
        Ok((read, plane))
    }

    /// The order of the axes in which the network sees a volume of this geometry.
    pub(crate) fn axes(self, geometry: &Geometry) -> Axes {
        match self {
            Self::SimpleItk | Self::Nibabel => Axes::default(),
            Self::NibabelReorient => Axes::canonical(geometry),
        }
    }
}

/// A permutation of the axes (z, y, x) with flips: axis `i` is axis `from[i]` of the file, reversed if `flip[i]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axes {
    pub(crate) from: [usize; 3],
    pub(crate) flip: [bool; 3],
}

impl Default for Axes {
    fn default() -> Self {
        Self {
            from: [0, 1, 2],
            flip: [false; 3],
        }
    }
}

impl Axes {
    /// The closest order to RAS, as nibabel's `io_orientation`: the axis of the file that lies closest to an axis of the
    /// patient is assigned first.
    fn canonical(geometry: &Geometry) -> Self {
        // Rows x, y, z of the patient in RAS; columns are the axes x, y, z of the file.
        let sign = [-1.0, -1.0, 1.0];
        let cosine = |row: usize, column: usize| sign[row] * geometry.direction[3 * row + column];
        let closeness = |column: usize| (0..3).map(|row| cosine(row, column).powi(2)).fold(0.0, f64::max);
        let mut columns = [0, 1, 2];
        columns.sort_by(|&a, &b| closeness(b).total_cmp(&closeness(a)));
        let mut axes = Self::default();
        let mut free = [true; 3];
        for column in columns {
            let mut best = None;
            for row in (0..3).filter(|&row| free[row]) {
                let size = cosine(row, column).abs();
                if best.is_none_or(|(_, largest)| size > largest) {
                    best = Some((row, size));
                }
            }
            if let Some((row, _)) = best {
                free[row] = false;
                axes.from[2 - row] = 2 - column;
                axes.flip[2 - row] = cosine(row, column) < 0.0;
            }
        }
        axes
    }

    /// A view with these axes of a volume of the file.
    pub(crate) fn apply<'a, T>(&self, volume: ArrayView3<'a, T>) -> ArrayView3<'a, T> {
        let mut view = volume.permuted_axes(self.from);
        for axis in 0..3 {
            if self.flip[axis] {
                view.invert_axis(ndarray::Axis(axis));
            }
        }
        view
    }

    /// The opposite of [`Axes::apply`].
    pub(crate) fn undo<'a, T>(&self, volume: ArrayView3<'a, T>) -> ArrayView3<'a, T> {
        let mut view = volume;
        for axis in 0..3 {
            if self.flip[axis] {
                view.invert_axis(ndarray::Axis(axis));
            }
        }
        let mut back = [0; 3];
        for (axis, &from) in self.from.iter().enumerate() {
            back[from] = axis;
        }
        view.permuted_axes(back)
    }

    pub(crate) fn is_identity(&self) -> bool {
        *self == Self::default()
    }

    /// A volume with these axes, without a copy if they are those of the file.
    pub(crate) fn take(&self, volume: Array3<f32>) -> Array3<f32> {
        match self.is_identity() {
            true => volume,
            false => self.apply(volume.view()).as_standard_layout().into_owned(),
        }
    }
}

/// End of the names of images and segmentations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FileEnding {
    /// `.nii.gz`
    #[default]
    NiiGz,
    /// `.nii`
    Nii,
}

impl FileEnding {
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        match text {
            ".nii.gz" => Ok(Self::NiiGz),
            ".nii" => Ok(Self::Nii),
            other => Err(Error::unsupported(path, "file_ending", other, ".nii.gz and .nii")),
        }
    }

    /// The ending with its point.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NiiGz => ".nii.gz",
            Self::Nii => ".nii",
        }
    }
}
