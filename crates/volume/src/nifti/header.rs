//! Parsed and checked NIfTI header.

use std::path::{Path, PathBuf};

use crate::element::Dtype;
use crate::error::Error;
use crate::geometry::Geometry;

use super::layout::{Field, Layout};
use super::transform::{Forms, Matrix};

/// NIfTI's codes of the supported element types.
pub(super) const CODES: [(i16, Dtype); 10] = [
    (2, Dtype::U8),
    (4, Dtype::I16),
    (8, Dtype::I32),
    (16, Dtype::F32),
    (64, Dtype::F64),
    (256, Dtype::I8),
    (512, Dtype::U16),
    (768, Dtype::U32),
    (1024, Dtype::I64),
    (1280, Dtype::U64),
];

/// Header of a NIfTI file.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Number of the axes of the file (`dim[0]`), 1 to 7. A file of a plane has 2.
    pub rank: usize,
    /// Number of voxels along (z, y, x).
    pub size: [usize; 3],
    /// Number of volumes in the file: the product of the fourth and later dimensions.
    pub channels: usize,
    /// Position of the voxels, as read by ITK.
    pub geometry: Geometry,
    /// Element type on disk.
    pub dtype: Dtype,
    /// NIfTI version: 1 or 2.
    pub version: u8,
    /// Whether the file is big endian.
    pub big_endian: bool,
    /// `scl_slope` as stored; 0 means unscaled intensities.
    pub slope: f64,
    /// `scl_inter` as stored.
    pub inter: f64,
    /// Byte offset of the voxels, in the same file or in the `.img`.
    pub offset: usize,
    /// Whether the voxels are in the same file.
    pub single_file: bool,
    /// What in the header contradicts [`Self::geometry`], so that other programs may place the voxels elsewhere.
    pub doubt: Option<String>,
}

impl Header {
    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        let problem = |problem: String| Error::NiftiHeader {
            path: PathBuf::from(path),
            problem,
        };
        let layout = Layout::detect(bytes).map_err(problem)?;
        let (size, channels) = dimensions(layout, bytes).map_err(problem)?;
        let code = layout.datatype(bytes);
        let dtype = CODES
            .iter()
            .find(|(known, _)| i64::from(*known) == code)
            .map(|(_, dtype)| *dtype);
        let dtype = dtype.ok_or_else(|| {
            let (name, advice) = describe(code);
            problem(format!(
                "its datatype code {code} ({name}) is not an integer, float32 or float64; {advice}"
            ))
        })?;
        let count = size
            .iter()
            .chain([&channels])
            .try_fold(dtype.size(), |n, axis| n.checked_mul(*axis));
        count.ok_or_else(|| problem(format!("its dimensions {channels} x {size:?} overflow")))?;
        let start = layout.vox_offset(bytes);
        // The voxels of a single file cannot begin within its header. Some tools write 0 for the end of the
        // header.
        let least = if layout.single_file { layout.size() } else { 0 };
        if !(0.0..1e15).contains(&start) {
            return Err(problem(format!("its voxels begin at byte {start}")));
        }
        let forms = forms(layout, bytes);
        let geometry = forms.geometry().map_err(|problem| Error::NiftiGeometry {
            path: PathBuf::from(path),
            problem,
        })?;
        // Non-finite values count as 0, as in nifti_clib.
        let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
        Ok(Self {
            rank: layout.dim(bytes, 0).clamp(1, 7) as usize,
            size,
            channels,
            geometry,
            dtype,
            version: layout.version,
            big_endian: layout.big_endian,
            slope: finite(layout.float(bytes, Field::Slope, 0)),
            inter: finite(layout.float(bytes, Field::Inter, 0)),
            offset: (start as usize).max(least),
            single_file: layout.single_file,
            doubt: forms.doubt(),
        })
    }

    /// Returns slope and intercept, or `None` if they change nothing.
    ///
    /// A slope of 0 disables both, as the format specifies. ITK would still add the intercept.
    pub(super) fn scaling(&self) -> Option<(f64, f64)> {
        let identity = self.slope == 0.0 || (self.slope == 1.0 && self.inter == 0.0);
        (!identity).then_some((self.slope, self.inter))
    }
}

/// Returns size (z, y, x) and number of volumes.
fn dimensions(layout: Layout, bytes: &[u8]) -> Result<([usize; 3], usize), String> {
    let rank = layout.dim(bytes, 0);
    if !(1..=7).contains(&rank) {
        return Err(format!("its dim[0] is {rank}, expected 1 to 7"));
    }
    let mut axes = [1_usize; 7];
    for (index, axis) in axes.iter_mut().enumerate().take(rank as usize) {
        let length = layout.dim(bytes, index + 1);
        // Unused axes are often written as 0.
        *axis = match (index, length) {
            (3.., 0) => 1,
            (_, 1..) => usize::try_from(length).map_err(|e| e.to_string())?,
            _ => {
                let hint = match layout.version {
                    1 if length < 0 => " (an axis of more than 32767 voxels needs NIfTI-2)",
                    _ => "",
                };
                return Err(format!(
                    "its dim[{}] is {length}, expected at least 1{hint}",
                    index + 1
                ));
            }
        };
    }
    let [x, y, z, rest @ ..] = axes;
    let channels = rest.iter().try_fold(1_usize, |n, axis| n.checked_mul(*axis));
    Ok(([z, y, x], channels.ok_or("its dimensions overflow")?))
}

/// Returns the two transforms of the header with their related fields.
fn forms(layout: Layout, bytes: &[u8]) -> Forms {
    let float = |field, index| layout.float(bytes, field, index);
    let scale = match layout.space_unit(bytes) {
        1 => 1e3,
        3 => 1e-3,
        _ => 1.0,
    };
    let rank = layout.dim(bytes, 0).clamp(1, 7) as usize;
    let stored = [1, 2, 3].map(|axis| float(Field::Pixdim, axis));
    let spacing = [1, 2, 3].map(|axis| {
        let value = stored[axis - 1];
        // As in nifti_clib: an invalid spacing becomes 1. Axes above the rank have no spacing.
        if axis > rank || value == 0.0 || !value.is_finite() {
            1.0
        } else {
            value
        }
    });
    let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
    let mut sform: Matrix = [[0.0; 4]; 3];
    for (row, values) in sform.iter_mut().enumerate() {
        for (column, value) in values.iter_mut().enumerate() {
            *value = float(Field::Srow, 4 * row + column);
        }
    }
    Forms {
        version: layout.version,
        scale,
        rank: rank.min(3),
        stored,
        spacing,
        qform_code: layout.code(bytes, Field::QformCode),
        sform_code: layout.code(bytes, Field::SformCode),
        quatern: [0, 1, 2].map(|i| finite(float(Field::Quatern, i))),
        offset: [0, 1, 2].map(|i| finite(float(Field::Qoffset, i))),
        left_handed: float(Field::Pixdim, 0) < 0.0,
        sform,
    }
}

/// Names of the known but unsupported element types, and what to do.
fn describe(code: i64) -> (&'static str, &'static str) {
    let again = "save it as integers, float32 or float64";
    match code {
        0 => ("none", again),
        1 => ("binary", again),
        1536 => ("float128", again),
        16384 => ("float16", again),
        32 | 1792 | 2048 => ("complex", "save magnitude or phase as a real image"),
        128 | 2304 => (
            "RGB or RGBA",
            "save each colour as an image of its own, or a label map as integers",
        ),
        _ => ("unknown", again),
    }
}
