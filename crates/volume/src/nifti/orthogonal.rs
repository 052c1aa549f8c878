//! Nearest rotation of a matrix, and its quaternion.

use super::transform::determinant;

/// Returns the orthogonal matrix nearest to `matrix` (its polar factor), by Higham's iteration X <- (X +
/// X^-T) / 2. Returns `None` if the matrix is singular.
pub(super) fn nearest(matrix: [[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let mut x = matrix;
    // Converges quadratically from any regular matrix. Direction cosines need two or three iterations.
    for _ in 0..100 {
        let det = determinant(&x);
        if det.is_nan() || det.abs() <= 1e-9 {
            return None;
        }
        let mut next = [[0.0; 3]; 3];
        let mut change = 0.0_f64;
        for i in 0..3 {
            for j in 0..3 {
                // The transposed inverse is the matrix of cofactors divided by the determinant.
                let (a, b, c, d) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
                let cofactor = x[a][c] * x[b][d] - x[a][d] * x[b][c];
                next[i][j] = 0.5 * (x[i][j] + cofactor / det);
                change = change.max((next[i][j] - x[i][j]).abs());
            }
        }
        x = next;
        if change < 1e-15 {
            break;
        }
    }
    x.as_flattened().iter().all(|v| v.is_finite()).then_some(x)
}

/// Returns the quaternion (b, c, d) of an orthogonal matrix, and whether its third column was negated (`qfac`
/// -1) because the matrix is left-handed. See method 2 of NIfTI-1, section "Quaternion representation of
/// rotation matrix" of nifti1.h.
pub(super) fn quaternion(mut r: [[f64; 3]; 3]) -> ([f64; 3], bool) {
    let flipped = determinant(&r) < 0.0;
    if flipped {
        r.iter_mut().for_each(|row| row[2] = -row[2]);
    }
    // Four times the square of each component. Division by the largest preserves precision.
    let squares = [
        1.0 + r[0][0] + r[1][1] + r[2][2],
        1.0 + r[0][0] - r[1][1] - r[2][2],
        1.0 + r[1][1] - r[0][0] - r[2][2],
        1.0 + r[2][2] - r[0][0] - r[1][1],
    ];
    let largest = (0..4).fold(0, |best, i| if squares[i] > squares[best] { i } else { best });
    let root = squares[largest].sqrt();
    let half = 0.5 / root;
    let mut q = match largest {
        0 => [
            0.5 * root,
            (r[2][1] - r[1][2]) * half,
            (r[0][2] - r[2][0]) * half,
            (r[1][0] - r[0][1]) * half,
        ],
        1 => [
            (r[2][1] - r[1][2]) * half,
            0.5 * root,
            (r[0][1] + r[1][0]) * half,
            (r[0][2] + r[2][0]) * half,
        ],
        2 => [
            (r[0][2] - r[2][0]) * half,
            (r[0][1] + r[1][0]) * half,
            0.5 * root,
            (r[1][2] + r[2][1]) * half,
        ],
        _ => [
            (r[1][0] - r[0][1]) * half,
            (r[0][2] + r[2][0]) * half,
            (r[1][2] + r[2][1]) * half,
            0.5 * root,
        ],
    };
    if q[0] < 0.0 {
        // Only b, c, d are stored. Readers assume a positive a.
        q = q.map(|v| -v);
    }
    let [_, b, c, d] = q;
    ([b, c, d], flipped)
}
