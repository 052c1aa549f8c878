//! Writes NIfTI-1 files that ITK and nibabel read with the same geometry.

use std::io::{self, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use ndarray::ArrayView3;
use run::Cancel;

use crate::element::{Dtype, Element};
use crate::error::Error;
use crate::geometry::Geometry;

use super::header::CODES;
use super::layout::{Field, Layout, DESCRIPTION_1, MAGIC_1, REGULAR, SIZE_1};
use super::orthogonal::{nearest, quaternion};

/// NIfTI's codes of the written units.
const MILLIMETRES: u8 = 2;
const SECONDS: u8 = 8;
/// Length of the header and the four bytes for "no extension".
const DATA_START: usize = SIZE_1 + 4;

/// Writes float32 intensities of shape (z, y, x). The file is gzipped if `path` ends in `.gz`.
///
/// # Errors
/// [`Error::NiftiWrite`] if the array or geometry does not fit NIfTI-1, or the name ends in neither `.nii`
/// nor `.nii.gz`. [`Error::Write`].
pub fn write_image(path: &Path, image: ArrayView3<'_, f32>, geometry: &Geometry) -> Result<(), Error> {
    write(
        path,
        image,
        geometry,
        (Dtype::F32, "", 3),
        &Cancel::new(),
        |values, out| out.write_all(f32::bytes(values)),
    )
}

/// Writes labels of shape (z, y, x): as uint8 if all fit, otherwise as int16. The file is gzipped if `path`
/// ends in `.gz`.
///
/// # Errors
/// As [`write_image`].
pub fn write_labels(path: &Path, labels: ArrayView3<'_, i16>, geometry: &Geometry) -> Result<(), Error> {
    write_labels_cancellable(path, labels, geometry, &Cancel::new())
}

/// [`write_labels`] with cancellation, because compression takes long.
///
/// # Errors
/// As [`write_image`]; [`Error::Cancelled`] within the work of one row. The file at `path` is then unchanged.
pub fn write_labels_cancellable(
    path: &Path,
    labels: ArrayView3<'_, i16>,
    geometry: &Geometry,
    cancel: &Cancel,
) -> Result<(), Error> {
    write_labels_described(path, labels, geometry, "", cancel)
}

/// [`write_labels_cancellable`] with a `description` in the header, of at most 79 bytes of ASCII.
/// [`super::read_description`] reads it.
///
/// # Errors
/// As [`write_labels_cancellable`]; [`Error::NiftiWrite`] for another description.
pub fn write_labels_described(
    path: &Path,
    labels: ArrayView3<'_, i16>,
    geometry: &Geometry,
    description: &str,
    cancel: &Cancel,
) -> Result<(), Error> {
    if labels.iter().any(|label| !(0..=255).contains(label)) {
        return write(
            path,
            labels,
            geometry,
            (Dtype::I16, description, 3),
            cancel,
            |values, out| out.write_all(i16::bytes(values)),
        );
    }
    let mut narrow = Vec::new();
    write(
        path,
        labels,
        geometry,
        (Dtype::U8, description, 3),
        cancel,
        |values, out| {
            narrow.clear();
            narrow.extend(values.iter().map(|label| *label as u8));
            out.write_all(&narrow)
        },
    )
}

/// Writes labels of shape (z, y, x) as nnU-Net v2: as uint8 if all are below 255, otherwise as uint16. With `plane`, the
/// file has two axes, as that of an image of rank 2.
///
/// # Errors
/// As [`write_labels_described`]; [`Error::NiftiWrite`] for a negative label, or a plane of several slices.
pub fn write_labels_unsigned(
    path: &Path,
    labels: ArrayView3<'_, i16>,
    geometry: &Geometry,
    plane: bool,
    description: &str,
    cancel: &Cancel,
) -> Result<(), Error> {
    let problem = |problem: String| Error::NiftiWrite {
        path: path.to_owned(),
        problem,
    };
    if let Some(label) = labels.iter().find(|&&label| label < 0) {
        return Err(problem(format!("label {label} is negative")));
    }
    if plane && labels.dim().0 != 1 {
        return Err(problem(format!("a plane cannot have {} slices", labels.dim().0)));
    }
    let rank = if plane { 2 } else { 3 };
    let mut narrow = Vec::new();
    if labels.iter().all(|&label| label < 255) {
        return write(
            path,
            labels,
            geometry,
            (Dtype::U8, description, rank),
            cancel,
            |values, out| {
                narrow.clear();
                narrow.extend(values.iter().map(|label| *label as u8));
                out.write_all(&narrow)
            },
        );
    }
    // The bytes of a label that is not negative are those of uint16.
    write(
        path,
        labels,
        geometry,
        (Dtype::U16, description, rank),
        cancel,
        |values, out| out.write_all(i16::bytes(values)),
    )
}

/// Writes header and voxels row by row, in this machine's byte order.
fn write<T: Element>(
    path: &Path,
    array: ArrayView3<'_, T>,
    geometry: &Geometry,
    (dtype, description, rank): (Dtype, &str, usize),
    cancel: &Cancel,
    mut put: impl FnMut(&[T], &mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    let problem = |problem: String| Error::NiftiWrite {
        path: path.to_owned(),
        problem,
    };
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let gzip = name.ends_with(".nii.gz");
    if !gzip && !name.ends_with(".nii") {
        return Err(problem("its name ends in neither .nii nor .nii.gz".to_owned()));
    }
    let mut start = header(array.dim(), rank, geometry, dtype).map_err(problem)?;
    if !description.is_ascii() || description.len() >= DESCRIPTION_1.len() {
        return Err(problem(format!(
            "its description {description:?} is not ASCII of less than {} bytes",
            DESCRIPTION_1.len()
        )));
    }
    start[DESCRIPTION_1][..description.len()].copy_from_slice(description.as_bytes());
    let array = array.as_standard_layout();
    let voxels = |out: &mut dyn Write| {
        out.write_all(&start)?;
        array
            .rows()
            .into_iter()
            .filter_map(|row| row.to_slice())
            .try_for_each(|row| {
                cancel.check().map_err(io::Error::other)?;
                put(row, out)
            })
    };
    save(path, gzip, voxels).or_else(|error| {
        // A row that was not written is not a disk error.
        cancel.check()?;
        Err(error)
    })
}

/// Writes a file atomically.
pub(super) fn save(
    path: &Path,
    gzip: bool,
    mut content: impl FnMut(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    storage::write_atomic(path, |file| {
        if gzip {
            // The gzip header has no name and no time: equal volumes give equal bytes.
            let mut out = GzBuilder::new().write(file, Compression::default());
            content(&mut out)?;
            out.finish().map(drop)
        } else {
            content(file)
        }
    })?;
    Ok(())
}

/// Returns a header like ITK's: qform and sform both set, both with code 1 (scanner), units mm and s.
fn header(
    (z, y, x): (usize, usize, usize),
    rank: usize,
    geometry: &Geometry,
    dtype: Dtype,
) -> Result<Vec<u8>, String> {
    let layout = Layout {
        version: 1,
        big_endian: cfg!(target_endian = "big"),
        single_file: true,
    };
    let mut bytes = vec![0; DATA_START];
    let code = CODES
        .iter()
        .find(|(_, d)| *d == dtype)
        .map_or(0, |(code, _)| *code);
    bytes[..4].copy_from_slice(&(SIZE_1 as i32).to_ne_bytes());
    bytes[REGULAR] = b'r';
    for (index, length) in [rank, x, y, z, 1, 1, 1, 1].into_iter().enumerate() {
        let length = i16::try_from(length)
            .map_err(|_| format!("an axis has {length} voxels; NIfTI-1 allows at most 32767"))?;
        layout.put_dim(&mut bytes, index, i64::from(length));
    }
    layout.put_datatype(&mut bytes, code, 8 * dtype.size());
    let [sz, sy, sx] = geometry.spacing;
    if ![sx, sy, sz].iter().chain(&geometry.origin).all(|v| v.is_finite())
        || [sx, sy, sz].iter().any(|s| *s <= 0.0)
    {
        return Err(format!(
            "spacing {:?} or origin {:?} is invalid; expected finite numbers and a positive spacing",
            geometry.spacing, geometry.origin
        ));
    }
    // LPS to RAS.
    let signs = [-1.0, -1.0, 1.0];
    let mut ras = [[0.0; 3]; 3];
    for (row, sign) in signs.into_iter().enumerate() {
        for column in 0..3 {
            ras[row][column] = sign * geometry.direction[3 * row + column];
        }
    }
    let ras =
        nearest(ras).ok_or_else(|| format!("the direction matrix {:?} is singular", geometry.direction))?;
    let ([b, c, d], flipped) = quaternion(ras);
    let qfac = if flipped { -1.0 } else { 1.0 };
    let offset: Vec<f64> = signs
        .iter()
        .zip(geometry.origin)
        .map(|(sign, o)| sign * o)
        .collect();
    let rows = [0, 1, 2].map(|row| [ras[row][0] * sx, ras[row][1] * sy, ras[row][2] * sz, offset[row]]);
    let mut floats = |field, values: &[f64]| layout.put_floats(&mut bytes, field, values);
    floats(Field::Pixdim, &[qfac, sx, sy, sz]);
    floats(Field::VoxOffset, &[DATA_START as f64]);
    floats(Field::Slope, &[1.0]);
    floats(Field::Quatern, &[b, c, d]);
    floats(Field::Qoffset, &offset);
    floats(Field::Srow, rows.as_flattened());
    layout.put_space_unit(&mut bytes, MILLIMETRES);
    layout.put_time_unit(&mut bytes, SECONDS);
    layout.put_code(&mut bytes, Field::QformCode, 1);
    layout.put_code(&mut bytes, Field::SformCode, 1);
    bytes[MAGIC_1..MAGIC_1 + 4].copy_from_slice(b"n+1\0");
    Ok(bytes)
}
