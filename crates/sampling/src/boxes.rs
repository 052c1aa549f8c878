//! Where a patch lies in its case: the reference loaders' bounding boxes, as pure functions of the drawn numbers.
//!
//! Follows `DataLoader3D` and `DataLoader2D` of nnU-Net v1 (`generate_train_batch`). A 2D patch is a box of one slice:
//! its first axis has size 1 and starts at the chosen slice.

use random::Draw;

use crate::foreground::ClassLocations;

/// A box of voxels `(z, y, x)`; its lower corner may be negative and it may reach beyond the case, where it is padded.
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

    /// Whether the box contains a voxel.
    pub fn contains(&self, voxel: [usize; 3]) -> bool {
        (0..3).all(|d| (self.lower[d]..self.lower[d] + self.size[d] as i64).contains(&(voxel[d] as i64)))
    }

    /// The part of axis `d` that lies within a case of `extent` voxels, as `(first voxel, count, padding before)`.
    pub(crate) fn valid(&self, d: usize, extent: usize) -> (usize, usize, usize) {
        let (lower, upper) = (self.lower[d], self.lower[d] + self.size[d] as i64);
        let first = lower.max(0);
        let count = (upper.min(extent as i64) - first).max(0);
        // A box wholly beyond the case has nothing valid; its padding then fills it.
        let before = (first - lower).min(self.size[d] as i64);
        (first as usize, count as usize, before as usize)
    }
}

/// The lower corners that the reference's loader allows on one axis, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Smallest lower corner, at most 0.
    pub lower: i64,
    /// Largest lower corner.
    pub upper: i64,
}

impl Range {
    /// The range of an axis of `shape` voxels for loaded patches of `patch` voxels whose centre of `final_patch` voxels
    /// reaches the network. `pad` is the reference's `pad_sides` (0 in all its trainers).
    ///
    /// The axis is padded by `patch - final_patch + pad` voxels, or by as much as makes a patch fit; an odd padding has
    /// its larger half in front, and a patch may start one voxel later than the padding accounts for.
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

    /// Whether no corner is allowed. Never true of a range made by [`Range::new`] with `patch >= final_patch`.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lower corner that centres a patch on `voxel`: limited by the range's lower end only, as in the reference.
    pub fn around(&self, voxel: usize, patch: usize) -> i64 {
        self.lower.max(voxel as i64 - (patch / 2) as i64)
    }

    /// A lower corner drawn uniformly from the range.
    pub fn draw(&self, draw: &mut impl Draw) -> i64 {
        self.lower + draw.below(self.len().max(1)) as i64
    }
}

/// The sizes that decide a box: what is loaded, and what of it reaches the network.
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
    /// Sizes of 2D `(y, x)` or 3D `(z, y, x)` patches; `None` for any other rank, for differing ranks, for an empty axis,
    /// or where less is loaded than the network takes.
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

    /// The loaded box whose centre crop, which starts at `(loaded - network) / 2`, is the network's patch at `lower`.
    pub fn loaded_around(&self, lower: [i64; 3]) -> PatchBox {
        let margin = |d: usize| ((self.loaded[d] - self.network[d]) / 2) as i64;
        PatchBox {
            lower: std::array::from_fn(|d| lower[d] - margin(d)),
            size: self.loaded,
        }
    }
}

/// Draws the loaded box of one sample as the reference's loaders do.
///
/// With `foreground` the box is centred on a voxel of a foreground class (class uniform, then in 2D its slice uniform, then
/// the voxel uniform), as far as padding allows. Without it, or where the case has no foreground, the box is uniform over
/// all boxes, in 2D after a uniform slice.
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

/// Whether sample `index` of a batch is forced to contain foreground: the last `fraction` of the batch, where the number
/// of free samples `batch_size * (1 - fraction)` is rounded half to even as Python does (`get_do_oversample`).
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
            // The network's patch never leaves the case by more than one voxel where it fits, and covers it where not.
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
    fn sizes_of_differing_rank_or_too_little_loaded_are_refused() {
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
