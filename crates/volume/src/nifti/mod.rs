//! NIfTI-1 and NIfTI-2 volumes: `.nii`, `.nii.gz`, and `.hdr`/`.img` pairs (each also `.gz`).
//!
//! Reading follows ITK (and so SimpleITK and nnU-Net): its geometry, its choice between the two transforms of
//! a header, its scaling of intensities. Arrays are (z, y, x). NIfTI stores x fastest, so this is the order
//! on disk.
//!
//! The `nifti` crate (0.18) does not suffice: it does not read NIfTI-2, uses the sform whenever its code is
//! set (unlike ITK), ignores units, and allocates the size given in a header before checking the data.

mod foreign;
mod header;
mod layout;
mod list;
mod orthogonal;
mod source;
mod stored;
mod transform;
mod write;

use std::path::Path;

use ndarray::{Array3, Array4};

use crate::element::{map_f64, Dtype};
use crate::error::{Error, Place};
use crate::geometry::Geometry;

pub use header::Header;
pub use list::{list, stem, EXTENSIONS};
pub use stored::Stored;
pub use write::{
    write_image, write_labels, write_labels_cancellable, write_labels_described, write_labels_unsigned,
};

use layout::Layout;
use source::Source;

/// Maximum deviation of labels from whole numbers in a scaled or floating-point file, caused by rounding.
const LABEL_TOLERANCE: f64 = 1e-3;

/// Reads only the header of `path`.
///
/// # Errors
/// [`Error::NiftiHeader`], [`Error::NiftiGeometry`], [`Error::Gzip`], [`Error::Io`].
pub fn read_header(path: &Path) -> Result<Header, Error> {
    header_of(&Source::new(path))
}

/// Reads a whole single file without keeping its voxels, and checks that it is an image, is complete, and is not damaged.
///
/// # Errors
/// As [`read_header`], and [`Error::Truncated`], [`Error::Pair`].
pub fn verify(path: &Path) -> Result<(), Error> {
    let source = Source::new(path);
    let header = header_of(&source)?;
    match header.single_file {
        true => source.verify(&header),
        false => Err(Error::Pair {
            path: path.to_owned(),
        }),
    }
}

fn header_of(source: &Source) -> Result<Header, Error> {
    Header::parse(&source.header()?, source.path())
}

/// Reads the description in the header of `path`, without characters that are not ASCII.
///
/// # Errors
/// [`Error::NiftiHeader`], [`Error::Gzip`], [`Error::Io`].
pub fn read_description(path: &Path) -> Result<String, Error> {
    let bytes = Source::new(path).header()?;
    let layout = Layout::detect(&bytes).map_err(|problem| Error::NiftiHeader {
        path: path.to_owned(),
        problem,
    })?;
    let text = layout.description(&bytes).unwrap_or_default();
    let ascii = text.iter().filter(|byte| byte.is_ascii());
    Ok(ascii.map(|byte| char::from(*byte)).collect())
}

/// Reads `path` as float32 with shape (channel, z, y, x). Each volume of a 4D (or 5D) file is one channel.
///
/// Intensities are `stored * scl_slope + scl_inter`, computed in float64. They are unscaled if the slope is
/// 0. NaN and infinity are kept.
///
/// # Errors
/// As [`read_header`], and [`Error::Truncated`], [`Error::Memory`].
pub fn read_image(path: &Path) -> Result<(Array4<f32>, Geometry), Error> {
    let source = Source::new(path);
    let header = header_of(&source)?;
    let place = Place::file(path);
    let (buffer, range) = source.data::<f32>(&header)?;
    let values = match header.scaling() {
        None => buffer.into_values(header.dtype, header.big_endian, range, &place)?,
        Some((slope, inter)) => {
            let bytes = &buffer.bytes()[range];
            map_f64(header.dtype, header.big_endian, bytes, |v| {
                (v * slope + inter) as f32
            })
        }
    };
    let [z, y, x] = header.size;
    let array =
        Array4::from_shape_vec((header.channels, z, y, x), values).map_err(|e| Error::NiftiHeader {
            path: path.to_owned(),
            problem: e.to_string(),
        })?;
    Ok((array, header.geometry))
}

/// Reads `path` as labels with shape (z, y, x).
///
/// # Errors
/// [`Error::Label`] with the first value that is not a whole number of int16; a file with intensity scaling or
/// floating-point voxels may deviate by 1e-3. [`Error::NiftiHeader`] if the file has more than one volume. Otherwise as
/// [`read_image`].
pub fn read_labels(path: &Path) -> Result<(Array3<i16>, Geometry), Error> {
    let source = Source::new(path);
    let header = header_of(&source)?;
    let problem = |problem: String| Error::NiftiHeader {
        path: path.to_owned(),
        problem,
    };
    if header.channels != 1 {
        return Err(problem(format!(
            "it holds {} volumes; a label map has one",
            header.channels
        )));
    }
    let [z, y, x] = header.size;
    let wrong = |index: usize, value: String| Error::Label {
        path: path.to_owned(),
        voxel: [index / (y * x), index / x % y, index % x],
        value,
    };
    let (buffer, range) = source.data::<i16>(&header)?;
    let float = matches!(header.dtype, Dtype::F32 | Dtype::F64);
    let values = match header.scaling().or(float.then_some((1.0, 0.0))) {
        None => buffer
            .into_values(header.dtype, header.big_endian, range, &Place::file(path))
            .map_err(|e| match e {
                Error::Value { index, value, .. } => wrong(index, value),
                other => other,
            })?,
        Some((slope, inter)) => {
            let mut bad = None;
            let mut index = 0;
            let values = map_f64(
                header.dtype,
                header.big_endian,
                &buffer.bytes()[range],
                |stored| {
                    let value = stored * slope + inter;
                    let label = value.round();
                    let fits = (value - label).abs() <= LABEL_TOLERANCE && f64::from(label as i16) == label;
                    if !fits && bad.is_none() {
                        bad = Some(wrong(index, value.to_string()));
                    }
                    index += 1;
                    label as i16
                },
            );
            bad.map_or(Ok(values), Err)?
        }
    };
    let array = Array3::from_shape_vec((z, y, x), values).map_err(|e| problem(e.to_string()))?;
    Ok((array, header.geometry))
}
