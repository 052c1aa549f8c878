//! The grid of a volume: its shape, and squared steps along its axes.

use crate::lane::Lane;

/// Squared steps along one axis.
pub(crate) struct Axis<L> {
    /// Squared distance of k voxels, for every k below the axis length.
    pub(crate) steps: Vec<L>,
    /// Steps of this count or more exceed the cap.
    pub(crate) limit: usize,
    /// Squared spacing.
    pub(crate) s2: f64,
}

impl<L: Lane> Axis<L> {
    /// An axis of `n` voxels with squared spacing `s2`.
    pub(crate) fn new(n: usize, s2: f32, cap: Option<L>) -> Self {
        let steps = L::steps(n, s2);
        let limit = cap.map_or(n, |cap| steps.partition_point(|&step| step <= cap));
        Self {
            steps,
            limit,
            s2: f64::from(s2),
        }
    }
}

/// The grid of a volume, for both sweeps.
pub(crate) struct Grid<L> {
    /// Shape (z, y, x).
    pub(crate) shape: [usize; 3],
    /// Squared spacing along y. The first sweep measures y by counting.
    pub(crate) y2: f32,
    /// Steps along x.
    pub(crate) x: Axis<L>,
    /// Steps along z.
    pub(crate) z: Axis<L>,
    /// The largest value to keep. Larger values become [`Lane::FAR`].
    pub(crate) cap: Option<L>,
}

impl<L: Lane> Grid<L> {
    pub(crate) fn new(shape: [usize; 3], s2: [f32; 3], cap: Option<L>) -> Self {
        Self {
            shape,
            y2: s2[1],
            x: Axis::new(shape[2], s2[2], cap),
            z: Axis::new(shape[0], s2[0], cap),
            cap,
        }
    }

    /// Replaces values above the cap.
    #[inline(always)]
    pub(crate) fn clamp(&self, values: &mut [L]) {
        if let Some(cap) = self.cap {
            for value in values {
                *value = if *value > cap { L::FAR } else { *value };
            }
        }
    }
}
