//! Where the voxels of an array are.

use volume::Geometry;

/// A grid of voxels in millimetres (LPS): the steps along the array's axes, and its first voxel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid {
    /// Step from a voxel to the next along the last, second and first axis of the array (x, y, z).
    pub steps: [[f64; 3]; 3],
    /// Centre of the first voxel.
    pub origin: [f64; 3],
}

impl Grid {
    /// The grid of an image.
    pub fn of(geometry: &Geometry) -> Self {
        let column = |axis: usize| {
            std::array::from_fn(|row| geometry.direction[3 * row + axis] * geometry.spacing[2 - axis])
        };
        Self {
            steps: std::array::from_fn(column),
            origin: geometry.origin,
        }
    }

    /// The grid of a preprocessed case: of the image whose array has these axes in another order, cropped from `first`,
    /// `cropped` voxels wide, and resampled to `size`. `axes` names the image's axis (z, y, x) of each axis of the
    /// array.
    pub fn resampled(
        &self,
        axes: [usize; 3],
        first: [usize; 3],
        cropped: [usize; 3],
        size: [usize; 3],
    ) -> Self {
        let mut steps = [[0.0; 3]; 3];
        let mut origin = self.origin;
        for (axis, &of_image) in axes.iter().enumerate() {
            let old = self.steps[2 - of_image];
            // Voxels are resampled between the edges of the image, so that the first centre moves, too.
            let ratio = cropped[of_image] as f64 / size[axis].max(1) as f64;
            steps[2 - axis] = old.map(|step| step * ratio);
            let start = first[of_image] as f64 + (ratio - 1.0) / 2.0;
            for (sum, step) in origin.iter_mut().zip(old) {
                *sum += step * start;
            }
        }
        Self { steps, origin }
    }

    /// The grid of every `step`th voxel from `offset` (z, y, x) on.
    pub fn part(&self, offset: [usize; 3], step: [usize; 3]) -> Self {
        let mut origin = self.origin;
        for (axis, along) in self.steps.iter().enumerate() {
            for (sum, value) in origin.iter_mut().zip(along) {
                *sum += value * offset[2 - axis] as f64;
            }
        }
        let steps = std::array::from_fn(|axis| self.steps[axis].map(|value| value * step[2 - axis] as f64));
        Self { steps, origin }
    }

    /// Distance of voxels in mm along the axes of the array (z, y, x).
    pub fn spacing(&self) -> [f64; 3] {
        let length = |step: [f64; 3]| step.iter().map(|v| v * v).sum::<f64>().sqrt();
        let [x, y, z] = self.steps.map(length);
        [z, y, x]
    }

    /// Row-major matrix from (x, y, z, 1) to millimetres.
    pub fn affine(&self) -> [f64; 16] {
        let mut matrix = [0.0; 16];
        for row in 0..3 {
            for column in 0..3 {
                // Without negative zeros.
                matrix[4 * row + column] = self.steps[column][row] + 0.0;
            }
            matrix[4 * row + 3] = self.origin[row];
        }
        matrix[15] = 1.0;
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The millimetres of voxel (x, y, z) by a matrix.
    fn at(affine: [f64; 16], [x, y, z]: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|row| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|column| affine[4 * row + column]);
            a * x + b * y + c * z + d
        })
    }

    fn close(found: [f64; 3], expected: [f64; 3]) {
        let near = found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-9);
        assert!(near, "{found:?} {expected:?}");
    }

    #[test]
    fn parts_keep_the_place_of_their_voxels() {
        let (sin, cos) = 0.4_f64.sin_cos();
        let geometry = Geometry {
            spacing: [3.0, 0.5, 0.75],
            origin: [-10.0, 20.0, 5.0],
            // Flipped and turned about z.
            direction: [-cos, -sin, 0.0, -sin, cos, 0.0, 0.0, 0.0, 1.0],
        };
        let whole = Grid::of(&geometry);
        close(at(whole.affine(), [0.0; 3]), geometry.origin);
        let expected = [
            -10.0 - 0.75 * cos * 7.0 - 0.5 * sin * 4.0,
            20.0 - 0.75 * sin * 7.0 + 0.5 * cos * 4.0,
            11.0,
        ];
        close(at(whole.affine(), [7.0, 4.0, 2.0]), expected);
        let part = whole.part([1, 2, 3], [1, 2, 4]);
        close(at(part.affine(), [1.0, 1.0, 1.0]), expected);
        close(part.spacing(), [3.0, 1.0, 3.0]);
    }

    #[test]
    fn resampled_grids_cover_the_same_box() {
        let geometry = Geometry {
            spacing: [4.0, 1.0, 2.0],
            origin: [1.0, 2.0, 3.0],
            ..Geometry::default()
        };
        // Axes (y, z, x) of the image; 8 voxels of y to 4, 3 of z to 6, x stays.
        let grid = Grid::of(&geometry).resampled([1, 0, 2], [2, 1, 5], [3, 8, 4], [4, 6, 4]);
        close(grid.spacing(), [2.0, 2.0, 2.0]);
        // The first voxel: y from 1 on, two voxels of 1 mm; z from 2 on, half a voxel of 4 mm; x from 5 on.
        close(
            at(grid.affine(), [0.0; 3]),
            [1.0 + 10.0, 2.0 + 1.5, 3.0 + 8.0 - 1.0],
        );
        // A step along the array's first axis is one along y, along its second one along z.
        close(at(grid.affine(), [0.0, 0.0, 1.0]), [11.0, 5.5, 10.0]);
        close(at(grid.affine(), [0.0, 1.0, 0.0]), [11.0, 3.5, 12.0]);
    }
}
