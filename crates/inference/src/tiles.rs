//! Tile positions of a sliding window, and the padding of volumes smaller than one tile.

/// First voxels of the tiles along each axis. Steps are at most `step` patches. The last tile ends at the end
/// of the volume.
///
/// `volume` is at least as large as `patch` on every axis (see [`Padding`]); `0 < step <= 1`. Positions are
/// rounded half to even. Source: `SegmentationNetwork._compute_steps_for_sliding_window`.
pub fn tile_starts(patch: &[usize], volume: &[usize], step: f64) -> Vec<Vec<usize>> {
    let along = |(&patch, &volume): (&usize, &usize)| {
        let range = volume.saturating_sub(patch);
        let distance = patch as f64 * step;
        let count = (range as f64 / distance).ceil() as usize + 1;
        let actual = if count > 1 {
            range as f64 / (count - 1) as f64
        } else {
            0.0
        };
        (0..count)
            .map(|i| (actual * i as f64).round_ties_even() as usize)
            .collect()
    };
    patch.iter().zip(volume).map(along).collect()
}

/// All combinations of one start per axis; the last axis varies fastest.
pub fn tile_corners(starts: &[Vec<usize>]) -> Vec<Vec<usize>> {
    starts.iter().fold(vec![Vec::new()], |corners, along| {
        let extend = |corner: &Vec<usize>| {
            let with = |&start: &usize| corner.iter().copied().chain([start]).collect();
            along.iter().map(with).collect::<Vec<_>>()
        };
        corners.iter().flat_map(extend).collect()
    })
}

/// Zero padding of a volume to at least one patch. For an odd amount the larger half is after the volume.
/// Source: batchgenerators' `pad_nd_image`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Padding {
    /// Voxels before, per axis.
    pub before: Vec<usize>,
    /// Shape after padding.
    pub shape: Vec<usize>,
}

impl Padding {
    /// The padding of a volume for tiles of `patch`.
    pub fn new(volume: &[usize], patch: &[usize]) -> Self {
        let shape: Vec<usize> = volume.iter().zip(patch).map(|(&v, &p)| v.max(p)).collect();
        let before = shape.iter().zip(volume).map(|(s, v)| (s - v) / 2).collect();
        Self { before, shape }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn sizes(value: &Value) -> Vec<usize> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_u64().unwrap() as usize)
            .collect()
    }

    #[test]
    fn starts_equal_the_recorded_ones() {
        let cases = testkit::json(&testkit::folder("inference").join("sliding_window_steps.json"));
        let cases = cases.as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let (patch, volume) = (sizes(&case["patch_size"]), sizes(&case["image_size"]));
            let expected: Vec<Vec<usize>> = case["steps"].as_array().unwrap().iter().map(sizes).collect();
            assert_eq!(
                tile_starts(&patch, &volume, case["step_size"].as_f64().unwrap()),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn padding_equals_the_recorded_one() {
        let cases = testkit::json(&testkit::folder("inference").join("pad_nd_image.json"));
        let cases = cases.as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let (shape, patch) = (sizes(&case["shape"]), sizes(&case["new_shape"]));
            // Leading axes that the patch does not have are channels.
            let channels = shape.len() - patch.len();
            let padding = Padding::new(&shape[channels..], &patch);
            assert_eq!(padding.shape, sizes(&case["out_shape"])[channels..], "{case}");
            let slicer: Vec<Vec<usize>> = case["slicer"].as_array().unwrap().iter().map(sizes).collect();
            let before: Vec<usize> = slicer[channels..].iter().map(|s| s[0]).collect();
            assert_eq!(padding.before, before, "{case}");
        }
    }

    proptest! {
        #[test]
        fn tiles_cover_every_voxel_and_stay_inside(
            axes in prop::collection::vec((1usize..20, 0usize..30), 1..4),
            step in 0.1f64..=1.0,
        ) {
            let patch: Vec<usize> = axes.iter().map(|a| a.0).collect();
            let volume: Vec<usize> = axes.iter().map(|a| a.0 + a.1).collect();
            let starts = tile_starts(&patch, &volume, step);
            for ((along, &patch), &volume) in starts.iter().zip(&patch).zip(&volume) {
                prop_assert_eq!(along[0], 0);
                prop_assert_eq!(along[along.len() - 1] + patch, volume);
                prop_assert!(along.windows(2).all(|w| w[0] <= w[1] && w[1] - w[0] <= patch));
            }
            let corners = tile_corners(&starts);
            prop_assert_eq!(corners.len(), starts.iter().map(Vec::len).product::<usize>());
        }
    }
}
