//! Position of a volume in space.

use serde::{Deserialize, Serialize};

/// Position of a volume's voxels, in ITK's convention: LPS (x to the left, y to the back, z up), in
/// millimetres.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Geometry {
    /// Distance between voxel centres along the array's axes (z, y, x), in mm; always positive.
    pub spacing: [f64; 3],
    /// Centre of the first voxel (x, y, z), in mm.
    pub origin: [f64; 3],
    /// Row-major matrix whose columns are the directions of the x, y and z axis of the voxel grid.
    pub direction: [f64; 9],
}

impl Default for Geometry {
    /// Unit spacing, origin at 0, axes parallel to the patient's.
    fn default() -> Self {
        Self {
            spacing: [1.0; 3],
            origin: [0.0; 3],
            direction: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        }
    }
}

/// Largest absolute differences between two geometries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Deviation {
    /// Largest difference of the spacing, in mm.
    pub spacing: f64,
    /// Largest difference of the origin, in mm.
    pub origin: f64,
    /// Largest difference of the direction cosines.
    pub direction: f64,
}

impl Deviation {
    /// Whether every difference is at most `tolerance`. NaN exceeds every tolerance.
    pub fn within(&self, tolerance: f64) -> bool {
        [self.spacing, self.origin, self.direction]
            .iter()
            .all(|d| *d <= tolerance)
    }
}

impl Geometry {
    /// Returns the deviation of `other` from this geometry.
    pub fn deviation(&self, other: &Self) -> Deviation {
        fn largest(a: &[f64], b: &[f64]) -> f64 {
            // `f64::max` would ignore a NaN.
            a.iter()
                .zip(b)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, |m, d| if d.is_nan() || d > m { d } else { m })
        }
        Deviation {
            spacing: largest(&self.spacing, &other.spacing),
            origin: largest(&self.origin, &other.origin),
            direction: largest(&self.direction, &other.direction),
        }
    }

    /// Returns the deviation of `other` from this geometry relative to this voxel: spacing as a fraction of the
    /// smaller one, origin as a fraction of a voxel along the grid's axes, direction cosines as they are.
    ///
    /// A tolerance for it means the same for a mouse's vessel and a whole body.
    pub fn relative_deviation(&self, other: &Self) -> Deviation {
        let mut voxels = [0.0; 3];
        let mut spacings = [0.0; 3];
        for axis in 0..3 {
            // Spacing is (z, y, x), the columns of the direction are x, y, z.
            let spacing = self.spacing[2 - axis];
            let along: f64 = (0..3)
                .map(|row| self.direction[3 * row + axis] * (other.origin[row] - self.origin[row]))
                .sum();
            voxels[axis] = along / spacing;
            let found = other.spacing[2 - axis];
            // Of the smaller spacing, so that neither file is the measure of the other.
            spacings[axis] = 1.0 + (found - spacing) / found.min(spacing);
        }
        let relative = |spacing, origin| Self {
            spacing,
            origin,
            direction: self.direction,
        };
        let moved = Self {
            direction: other.direction,
            ..relative(spacings, voxels)
        };
        relative([1.0; 3], [0.0; 3]).deviation(&moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_deviation_is_in_voxels_along_the_axes() {
        let one = Geometry {
            spacing: [2.0, 0.5, 4e-4],
            origin: [5.0, 6.0, 7.0],
            // x and y are exchanged.
            direction: [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        };
        let mut two = one.clone();
        two.spacing[2] = 1e-3;
        two.origin = [5.25, 6.0 + 1e-4, 6.0];
        let found = one.relative_deviation(&two);
        // 150 % of 0.4 micrometres; half a voxel in y and z, a quarter in x.
        assert!(
            (found.spacing - 1.5).abs() < 1e-9 && (found.origin - 0.5).abs() < 1e-9,
            "{found:?}"
        );
        assert!(one.deviation(&two).spacing < 1e-3);
        two.origin[1] = f64::NAN;
        assert!(!one.relative_deviation(&two).within(1e9));
    }

    #[test]
    fn deviation_returns_largest_difference_per_field() {
        let one = Geometry::default();
        let mut two = one.clone();
        two.spacing[1] = 1.5;
        two.origin = [0.1, -0.3, 0.2];
        let found = one.deviation(&two);
        assert_eq!(
            found,
            Deviation {
                spacing: 0.5,
                origin: 0.3,
                direction: 0.0
            }
        );
        assert!(found.within(0.5) && !found.within(0.4));
        two.origin = [0.0, f64::NAN, 7.0];
        assert!(!one.deviation(&two).within(1e9));
    }
}
