//! Patch centres from annotated voxels.

use random::Draw;

use crate::boxes::PatchSizes;

/// Returns the lower corner, on one axis, of a network patch that contains `voxel`.
///
/// The patch is centred on the voxel (it starts `patch / 2` voxels before it) plus `shift`. It is then moved
/// only as far as necessary to lie within the case. If the case is smaller than the patch, the patch covers
/// it completely, with the reference's padding (the larger half in front). With a shift from [`shift_range`]
/// the voxel is always inside.
pub fn place(voxel: usize, shape: usize, patch: usize, shift: i64) -> i64 {
    let (shape, patch) = (shape as i64, patch as i64);
    if shape < patch {
        (shape - patch).div_euclid(2)
    } else {
        (voxel as i64 - patch / 2 + shift).clamp(0, shape - patch)
    }
}

/// Returns the shifts, both ends inclusive, that keep a voxel inside a patch of `patch` voxels, scaled by
/// `offset`: 0 allows no shift, 1 all of them.
pub fn shift_range(patch: usize, offset: f64) -> (i64, i64) {
    let patch = patch as i64;
    let part = |reach: i64| (reach as f64 * offset.clamp(0.0, 1.0)).floor() as i64;
    (-part(patch - 1 - patch / 2), part(patch / 2))
}

/// Returns the lower corner `(z, y, x)` of the network's patch around an annotated voxel of a case of
/// `shape`. The random shift is at most the fraction `offset` of the shifts that keep the voxel inside. In 2D
/// the patch is the voxel's slice.
pub fn draw_lower(
    voxel: [usize; 3],
    shape: [usize; 3],
    sizes: &PatchSizes,
    offset: f64,
    draw: &mut impl Draw,
) -> [i64; 3] {
    std::array::from_fn(|d| {
        let (low, high) = shift_range(sizes.network[d], offset);
        let shift = if low == high {
            low
        } else {
            low + draw.below((high - low + 1) as u64) as i64
        };
        place(voxel[d], shape[d], sizes.network[d], shift)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::Scripted;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_voxel_is_inside_and_the_patch_within_the_case(
            shape in 1usize..50, patch in 1usize..40, voxel in 0usize..50, offset in 0.0f64..=1.0, number in any::<u64>(),
        ) {
            let voxel = voxel % shape;
            let (low, high) = shift_range(patch, offset);
            let shift = low + (number % (high - low + 1) as u64) as i64;
            let lower = place(voxel, shape, patch, shift);
            prop_assert!((lower..lower + patch as i64).contains(&(voxel as i64)));
            if shape >= patch {
                prop_assert!(lower >= 0 && lower + patch as i64 <= shape as i64);
            } else {
                prop_assert!(lower <= 0 && lower + patch as i64 >= shape as i64);
            }
        }

        #[test]
        fn a_patch_moves_no_further_than_it_needs(shape in 1usize..50, patch in 1usize..50, voxel in 0usize..50) {
            let (patch, voxel) = (patch.min(shape), voxel % shape);
            let centred = voxel as i64 - (patch / 2) as i64;
            let moved = place(voxel, shape, patch, 0) - centred;
            // The nearest of all valid lower corners to the centred one.
            let nearest = (0..=(shape - patch) as i64).map(|lower| lower - centred).min_by_key(|m| m.abs());
            prop_assert_eq!(Some(moved), nearest);
        }
    }

    #[test]
    fn offset_one_reaches_both_ends_of_the_patch() {
        for patch in 1..9 {
            let (low, high) = shift_range(patch, 1.0);
            assert_eq!(
                place(100, 200, patch, low),
                100 - patch as i64 + 1,
                "voxel at the end of {patch}"
            );
            assert_eq!(place(100, 200, patch, high), 100, "voxel at the start of {patch}");
            assert_eq!(shift_range(patch, 0.0), (0, 0));
        }
    }

    #[test]
    fn a_2d_patch_is_the_slice_of_its_voxel() {
        let sizes = PatchSizes::new(&[6, 6], &[4, 4]).unwrap();
        let lower = draw_lower([7, 0, 5], [9, 10, 10], &sizes, 0.0, &mut Scripted::new(&[]));
        assert_eq!(lower, [7, 0, 3]);
        // Shifts of 4 voxels are -1..=2; in the slice axis no shift is drawn.
        let lower = draw_lower([7, 5, 5], [9, 10, 10], &sizes, 1.0, &mut Scripted::new(&[0, 3]));
        assert_eq!(lower, [7, 2, 5]);
    }
}
