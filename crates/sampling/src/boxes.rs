//! Patch positions: the bounding boxes of the reference's loaders, as pure functions of the drawn numbers.
//!
//! Follows `DataLoader3D` and `DataLoader2D` of nnU-Net v1 (`generate_train_batch`). A 2D patch is a box of
//! one slice: its first axis has size 1 and starts at the chosen slice.

use random::Draw;

use crate::foreground::ClassLocations;

/// A box of voxels `(z, y, x)`. Its lower corner may be negative and it may exceed the case; the excess is
/// padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PatchBox {
    /// First voxel of the box on each axis.
    pub lower: [i64; 3],
    /// Number of voxels on each axis.
    pub size: [usize; 3],
}

impl PatchBox {
    /// Number of voxels in the box.
    pub fn voxels(&self) -> usize {
        self.size.iter().product()
    }

    /// Returns true if the box contains the voxel.
    pub fn contains(&self, voxel: [usize; 3]) -> bool {
        (0..3).all(|d| (self.lower[d]..self.lower[d] + self.size[d] as i64).contains(&(voxel[d] as i64)))
    }

    /// Returns the valid part of axis `d` in a case of `extent` voxels: `(first voxel, count, padding
    /// before)`.
    pub(crate) fn valid(&self, d: usize, extent: usize) -> (usize, usize, usize) {
        let (lower, upper) = (self.lower[d], self.lower[d] + self.size[d] as i64);
        let first = lower.max(0);
        let count = (upper.min(extent as i64) - first).max(0);
        // A box completely outside the case has no valid voxels; padding fills it.
        let before = (first - lower).min(self.size[d] as i64);
        (first as usize, count as usize, before as usize)
    }
}

/// Valid lower corners on one axis, as in the reference's loader; both ends are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Smallest lower corner, at most 0.
    pub lower: i64,
    /// Largest lower corner.
    pub upper: i64,
}

impl Range {
    /// The range of an axis of `shape` voxels for loaded patches of `patch` voxels with a centre crop of
    /// `final_patch` voxels. `pad` is the reference's `pad_sides` (0 in all its trainers).
    ///
    /// The axis is padded by `patch - final_patch + pad` voxels, or by the amount that makes a patch fit. For
    /// an odd padding the larger half is in front. A patch may start one voxel later than the padding allows,
    /// as in the reference.
    pub fn new(shape: usize, patch: usize, final_patch: usize, pad: usize) -> Self {
        let (shape, patch) = (shape as i64, patch as i64);
        let mut need = patch - final_patch as i64 + pad as i64;
        if need + shape < patch {
            need = patch - shape;
        }
        Self {
            lower: (-need).div_euclid(2),
            upper: shape + need.div_euclid(2) + need.rem_euclid(2) - patch,
        }
    }

    /// Number of lower corners in the range.
    pub fn len(&self) -> u64 {
        (self.upper - self.lower + 1).max(0) as u64
    }

    /// Returns true if the range is empty. Never true for a range made by [`Range::new`] with `patch >=
    /// final_patch`.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lower corner that centres a patch on `voxel`. As in the reference, only the lower end of the range
    /// limits it.
    pub fn around(&self, voxel: usize, patch: usize) -> i64 {
        self.lower.max(voxel as i64 - (patch / 2) as i64)
    }

    /// Draws a lower corner uniformly from the range.
    pub fn draw(&self, draw: &mut impl Draw) -> i64 {
        self.lower + draw.below(self.len().max(1)) as i64
    }
}

/// Sizes of the loaded patch and of the network's patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchSizes {
    /// Loaded patch `(z, y, x)`; z is 1 in 2D.
    pub loaded: [usize; 3],
    /// The network's patch `(z, y, x)`; z is 1 in 2D.
    pub network: [usize; 3],
    /// Whether a patch is one slice.
    pub two_dimensional: bool,
}

impl PatchSizes {
    /// Sizes of 2D `(y, x)` or 3D `(z, y, x)` patches. `None` for any other rank, for differing ranks, for an
    /// empty axis, or if the loaded patch is smaller than the network's.
    pub fn new(loaded: &[usize], network: &[usize]) -> Option<Self> {
        let whole = |size: &[usize]| match *size {
            [y, x] => Some([1, y, x]),
            [z, y, x] => Some([z, y, x]),
            _ => None,
        };
        let fits = loaded.len() == network.len() && loaded.iter().zip(network).all(|(l, n)| l >= n && *n > 0);
        let (two_dimensional, loaded, network) = (network.len() == 2, whole(loaded)?, whole(network)?);
        fits.then_some(Self {
            loaded,
            network,
            two_dimensional,
        })
    }

    /// Returns the loaded box for the network's patch at `lower`, which is its centre crop from `(loaded -
    /// network) / 2` on.
    pub fn loaded_around(&self, lower: [i64; 3]) -> PatchBox {
        let margin = |d: usize| ((self.loaded[d] - self.network[d]) / 2) as i64;
        PatchBox {
            lower: std::array::from_fn(|d| lower[d] - margin(d)),
            size: self.loaded,
        }
    }
}

/// Draws the loaded box of one sample, like the reference's loaders.
///
/// With `foreground` the box is centred on a voxel of a foreground class, as far as padding allows. The class
/// is drawn uniformly, then in 2D its slice, then the voxel. Without it, or if the case has no foreground,
/// the box is uniform over all boxes, in 2D after a uniform slice.
pub fn draw_box(
    shape: [usize; 3],
    sizes: &PatchSizes,
    foreground: Option<&ClassLocations>,
    draw: &mut impl Draw,
) -> PatchBox {
    let range = |d: usize| Range::new(shape[d], sizes.loaded[d], sizes.network[d], 0);
    let voxel = foreground.and_then(|classes| {
        if sizes.two_dimensional {
            classes.draw_by_slice(draw)
        } else {
            classes.draw(draw)
        }
    });
    let mut lower = [0; 3];
    for d in 0..3 {
        lower[d] = match (voxel, sizes.two_dimensional && d == 0) {
            (Some(voxel), true) => voxel[0] as i64,
            (None, true) => draw.below(shape[0] as u64) as i64,
            (Some(voxel), false) => range(d).around(voxel[d], sizes.loaded[d]),
            (None, false) => range(d).draw(draw),
        };
    }
    PatchBox {
        lower,
        size: sizes.loaded,
    }
}

/// Returns true if sample `index` of a batch must contain foreground. These are the last `fraction` of the
/// batch: the number of other samples, `batch_size * (1 - fraction)`, is rounded half to even as in Python
/// (`get_do_oversample`).
pub fn is_forced(index: usize, batch_size: usize, fraction: f64) -> bool {
    let free = (batch_size as f64 * (1.0 - fraction)).round_ties_even();
    index as f64 >= free
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::Scripted;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_drawn_box_lies_within_the_padded_case(
            shape in 1usize..40, network in 1usize..30, margin in 0usize..15, number in any::<u64>(), voxel in 0usize..40,
        ) {
            let patch = network + margin;
            let range = Range::new(shape, patch, network, 0);
            prop_assert!(!range.is_empty());
            let lower = range.draw(&mut Scripted::new(&[number % range.len()]));
            prop_assert!(range.lower <= lower && lower <= range.upper);
            // The network's patch exceeds the case by at most one voxel if it fits, and else covers it.
            let inner = lower + (margin / 2) as i64;
            if shape >= network {
                prop_assert!(inner >= -1 && inner + network as i64 <= shape as i64 + 1, "{inner}");
            } else {
                prop_assert!(inner <= 0 && inner + network as i64 >= shape as i64 - 1, "{inner}");
            }
            let voxel = voxel % shape;
            let forced = range.around(voxel, patch);
            prop_assert!(forced >= range.lower);
            prop_assert!((forced..forced + patch as i64).contains(&(voxel as i64)));
        }

        #[test]
        fn loaded_boxes_have_the_network_box_at_their_centre(
            lower in prop::array::uniform3(-20i64..20), network in prop::array::uniform3(1usize..9), extra in prop::array::uniform3(0usize..9),
        ) {
            let loaded: Vec<_> = (0..3).map(|d| network[d] + extra[d]).collect();
            let whole = PatchSizes::new(&loaded, &network).unwrap().loaded_around(lower);
            for d in 0..3 {
                let before = lower[d] - whole.lower[d];
                let after = whole.size[d] as i64 - before - network[d] as i64;
                prop_assert_eq!(whole.size[d], loaded[d]);
                prop_assert!(after == before || after == before + 1);
            }
        }
    }

    #[test]
    fn sizes_of_differing_ranks_or_too_small_loaded_sizes_are_rejected() {
        assert!(PatchSizes::new(&[4, 4], &[2, 2, 2]).is_none());
        assert!(PatchSizes::new(&[1, 4, 4], &[2, 2, 2]).is_none());
        assert!(PatchSizes::new(&[4, 4], &[0, 2]).is_none());
        assert!(PatchSizes::new(&[4], &[4]).is_none());
        assert_eq!(
            PatchSizes::new(&[4, 5], &[2, 3]).map(|s| (s.loaded, s.two_dimensional)),
            Some(([1, 4, 5], true))
        );
    }

    #[test]
    fn a_batch_of_one_forces_nothing() {
        assert!(!is_forced(0, 1, 0.33));
        assert!(is_forced(1, 2, 0.33) && !is_forced(0, 2, 0.33));
    }
}
