//! Conversion of a header's qform and sform to a geometry, by ITK's rules.
//!
//! Source: `itk::NiftiImageIO::SetImageIOOrientationFromNIfTI` (ITK 5.4) and `nifti_quatern_to_mat44` of
//! nifti_clib. Summary of the rules:
//!
//! - Without either code, the volume is aligned with the axes, and its origin is 0.
//! - The sform is used if it has no shear and one of these holds: the qform has no code, the sform's code is
//!   1 (scanner), or both forms agree.
//! - Otherwise the qform is used. If neither form is usable, reading fails.
//! - The spacing always comes from `pixdim`.
//!
//! ITK computes in float32. So does this module for NIfTI-1, so that directions and origins are the same
//! numbers. Departure: ITK compares the forms by singular vectors too, which are unique neither in sign nor
//! for isotropic voxels. Here the forms agree if their elements agree. The two rules differ only between
//! forms that are equal up to rounding.

use crate::geometry::Geometry;

/// The upper three rows of an affine matrix, in NIfTI's RAS convention.
pub(super) type Matrix = [[f64; 4]; 3];

/// Position fields of a header.
pub(super) struct Forms {
    pub version: u8,
    /// Millimetres per unit of length of the header.
    pub scale: f64,
    /// Number of the axes of the file, at most 3.
    pub rank: usize,
    /// `pixdim[1..=3]` as stored, (x, y, z).
    pub stored: [f64; 3],
    /// The same, with 1 for invalid values and unused axes.
    pub spacing: [f64; 3],
    pub qform_code: i64,
    pub sform_code: i64,
    pub quatern: [f64; 3],
    pub offset: [f64; 3],
    /// Whether `pixdim[0]` is negative.
    pub left_handed: bool,
    pub sform: Matrix,
}

/// NIFTI_XFORM_SCANNER_ANAT.
const SCANNER: i64 = 1;

/// Largest difference of two spacings in one header, as a fraction, that is rounding.
const SPACING_TOLERANCE: f64 = 1e-3;
/// Largest difference of two direction cosines in one header that is rounding.
const TURN_TOLERANCE: f64 = 1e-2;

impl Forms {
    /// Returns the geometry, or the reason why it is invalid.
    pub(super) fn geometry(&self) -> Result<Geometry, String> {
        let (mut spacing, mut direction, mut origin) = (self.spacing, identity(), [0.0; 3]);
        if self.qform_code > 0 || self.sform_code > 0 {
            let matrix = self.choose()?;
            for (row, sign) in [-1.0, -1.0, 1.0].into_iter().enumerate() {
                origin[row] = sign * matrix[row][3] * self.scale;
                for column in 0..3 {
                    direction[row][column] = sign * matrix[row][column];
                }
            }
            normalise_columns(&mut direction);
        }
        for column in 0..3 {
            spacing[column] *= self.scale;
            if spacing[column] < 0.0 {
                spacing[column] = -spacing[column];
                direction.iter_mut().for_each(|row| row[column] = -row[column]);
            }
        }
        if !origin.iter().all(|v| v.is_finite()) {
            return Err(format!(
                "its origin is {origin:?} mm; save the image with a valid position"
            ));
        }
        // NaN is not a direction.
        let regular = determinant(&direction).abs() >= 1e-6;
        if !regular {
            return Err("its direction matrix is singular; save the image with orthogonal axes".to_owned());
        }
        let mut flat = [0.0; 9];
        flat.copy_from_slice(direction.as_flattened());
        let [x, y, z] = spacing;
        Ok(Geometry {
            spacing: [z, y, x],
            origin,
            direction: flat,
        })
    }

    /// Returns what in the header contradicts the geometry, if anything.
    pub(super) fn doubt(&self) -> Option<String> {
        let axes = 0..self.rank;
        if let Some(axis) = axes
            .clone()
            .find(|&a| self.stored[a] == 0.0 || !self.stored[a].is_finite())
        {
            return Some(format!(
                "its pixdim[{}] is {}, and a spacing of 1 is assumed",
                axis + 1,
                self.stored[axis]
            ));
        }
        let lengths = lengths(&self.sform);
        let valid = self.sform_code > 0 && lengths.iter().all(|v| v.is_finite() && *v > 0.0);
        if !valid {
            return None;
        }
        let differs = |a: usize| {
            let spacing = self.spacing[a].abs();
            (lengths[a] - spacing).abs() > SPACING_TOLERANCE * spacing.min(lengths[a])
        };
        if axes.clone().any(differs) {
            return Some(format!(
                "its pixdim gives a spacing (x, y, z) of {:?}, its sform {lengths:?}; pixdim is used, as in ITK",
                self.spacing
            ));
        }
        // Forms of different codes are about different spaces.
        let (sform, qform) = (self.sform, self.qform());
        let least = self.spacing.iter().fold(f64::INFINITY, |m, s| m.min(s.abs()));
        let moved = (0..3).any(|r| (sform[r][3] - qform[r][3]).abs() > least / 2.0);
        let (one, two) = (rotation(&sform), rotation(&qform));
        let turned = axes
            .into_iter()
            .any(|a| (0..3).any(|r| (one[r][a] - two[r][a]).abs() > TURN_TOLERANCE));
        (self.qform_code == self.sform_code && (moved || turned)).then(|| {
            let used = if self.choose() == Ok(sform) { "sform" } else { "qform" };
            format!(
                "its sform {sform:?} and its qform {qform:?} have the same code {}, but are different; the {used} is \
                 used, as in ITK",
                self.qform_code
            )
        })
    }

    fn choose(&self) -> Result<Matrix, String> {
        let qform = self.qform();
        if self.sform_code > 0 {
            let sform = self.sform;
            if without_shear(&sform) {
                let preferred = self.qform_code <= 0 || self.sform_code == SCANNER;
                if preferred || identical(&sform, &qform) {
                    return Ok(sform);
                }
            } else if identical(&sform, &qform) {
                return Ok(sform);
            }
        }
        if self.qform_code > 0 {
            Ok(qform)
        } else {
            Err(format!(
                "its sform {:?} has shear, a zero axis or a value that is not finite, and there is no qform; save the \
                 image with orthogonal axes",
                self.sform
            ))
        }
    }

    /// Returns the matrix of the quaternion.
    fn qform(&self) -> Matrix {
        let [mut b, mut c, mut d] = self.quatern;
        let mut a = 1.0 - (b * b + c * c + d * d);
        if a < 1e-7 {
            // A rotation by 180 degrees, or a quaternion whose norm exceeds 1 by rounding.
            let length = (b * b + c * c + d * d).sqrt();
            (b, c, d) = (b / length, c / length, d / length);
            a = 0.0;
        } else {
            a = a.sqrt();
        }
        let [x, y, mut z] = self.spacing.map(|s| if s > 0.0 { s } else { 1.0 });
        if self.left_handed {
            z = -z;
        }
        let rotation = [
            [
                a * a + b * b - c * c - d * d,
                2.0 * (b * c - a * d),
                2.0 * (b * d + a * c),
            ],
            [
                2.0 * (b * c + a * d),
                a * a + c * c - b * b - d * d,
                2.0 * (c * d - a * b),
            ],
            [
                2.0 * (b * d - a * c),
                2.0 * (c * d + a * b),
                a * a + d * d - c * c - b * b,
            ],
        ];
        let mut matrix = [[0.0; 4]; 3];
        for row in 0..3 {
            for (column, scale) in [x, y, z].into_iter().enumerate() {
                matrix[row][column] = self.rounded(rotation[row][column] * scale);
            }
            matrix[row][3] = self.rounded(self.offset[row]);
        }
        matrix
    }

    /// nifti_clib stores matrices in float32.
    fn rounded(&self, value: f64) -> f64 {
        if self.version == 1 {
            f64::from(value as f32)
        } else {
            value
        }
    }
}

fn identity() -> [[f64; 3]; 3] {
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
}

/// Length of each column of the 3 x 3 part.
fn lengths<const N: usize>(matrix: &[[f64; N]; 3]) -> [f64; 3] {
    [0, 1, 2].map(|column| {
        matrix
            .iter()
            .map(|row| row[column] * row[column])
            .sum::<f64>()
            .sqrt()
    })
}

/// Scales each column to length 1. A zero column is unchanged.
fn normalise_columns(matrix: &mut [[f64; 3]; 3]) {
    let lengths = lengths(matrix);
    for row in matrix {
        for (value, length) in row.iter_mut().zip(lengths) {
            if length != 0.0 {
                *value /= length;
            }
        }
    }
}

fn rotation(matrix: &Matrix) -> [[f64; 3]; 3] {
    let mut rotation = matrix.map(|[x, y, z, _]| [x, y, z]);
    normalise_columns(&mut rotation);
    rotation
}

pub(super) fn determinant(m: &[[f64; 3]; 3]) -> f64 {
    m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
        + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
}

/// Whether the axes are orthogonal within 1e-4 and non-zero.
fn without_shear(matrix: &Matrix) -> bool {
    let unit = rotation(matrix);
    (0..3).all(|i| {
        (0..3).all(|j| {
            let product: f64 = (0..3).map(|k| unit[i][k] * unit[j][k]).sum();
            (product - f64::from(u8::from(i == j))).abs() <= 1e-4
        })
    })
}

/// Whether both matrices are equal up to float32 rounding.
fn identical(one: &Matrix, two: &Matrix) -> bool {
    let offset: f64 = one.iter().zip(two).map(|(a, b)| (a[3] - b[3]).abs()).sum();
    let mut linear = one.iter().zip(two).flat_map(|(a, b)| a[..3].iter().zip(&b[..3]));
    offset <= 1e-7 && linear.all(|(a, b)| (a - b).abs() <= 1e-5)
}
