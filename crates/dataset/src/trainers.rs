//! What the name of a trainer says.

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
#[must_use]
pub fn trains_with_mirroring(trainer: &str) -> bool {
    !WITHOUT_MIRRORING.iter().any(|name| trainer.starts_with(name))
}

/// Whether a trainer of this name trains the second stage of a cascade. nnU-Net v1's classes have this in their names.
#[must_use]
pub fn trains_second_stage(trainer: &str) -> bool {
    trainer.contains("Cascade")
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
}
