//! Test-time mirroring: the axes, and their subsets.

/// Trainers of nnU-Net v1 that train without mirroring; the names of their variants begin with these.
const WITHOUT_MIRRORING: [&str; 3] = [
    "nnUNetTrainerV2_noMirroring",
    "nnUNetTrainerV2_noDataAugmentation",
    "nnUNetTrainerNoDA",
];

/// Whether a trainer of this name mirrors its patches. A network that has not seen mirrored patches is worse on them.
///
/// Source: `data_aug_params["do_mirror"]` and `["mirror_axes"]` of nnU-Net v1's trainers. The other ones mirror every
/// axis of the patch.
pub fn trains_with_mirroring(trainer: &str) -> bool {
    !WITHOUT_MIRRORING.iter().any(|name| trainer.starts_with(name))
}

/// All subsets of `axes`, the empty one first. Each is the set of mirrored axes of one copy. No axes give one
/// empty subset.
pub fn mirror_subsets(axes: &[usize]) -> Vec<Vec<i64>> {
    (0..1usize << axes.len())
        .map(|bits| {
            let chosen = axes.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
            // Tensors are (sample, channel, z, y, x).
            chosen.map(|(_, &axis)| axis as i64 + 2).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trainers_without_mirroring_are_not_mirrored() {
        for trainer in [
            "nnUNetTrainerV2",
            "nnUNetTrainerV2Sparse",
            "nnUNetTrainerV2CascadeFullRes",
            "nnUNetTrainerV2_DA5",
            "nnUNetTrainerV2_noDeepSupervision",
        ] {
            assert!(trains_with_mirroring(trainer), "{trainer}");
        }
        for trainer in [
            "nnUNetTrainerV2_noMirroring",
            "nnUNetTrainerV2_noDataAugmentation",
            "nnUNetTrainerV2_noDataAugmentation_copy1",
            "nnUNetTrainerNoDA",
        ] {
            assert!(!trains_with_mirroring(trainer), "{trainer}");
        }
    }

    #[test]
    fn subsets_of_axes() {
        assert_eq!(mirror_subsets(&[]), vec![Vec::<i64>::new()]);
        assert_eq!(
            mirror_subsets(&[0, 2]),
            vec![vec![], vec![2], vec![4], vec![2, 4]]
        );
        assert_eq!(mirror_subsets(&[0, 1, 2]).len(), 8);
    }
}
