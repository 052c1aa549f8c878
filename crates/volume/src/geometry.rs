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
}

#[cfg(test)]
mod tests {
    use super::*;

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
