//! Which voxels touch.

/// Which voxels touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Connectivity {
    /// Those that share a face: 6 neighbours in 3D, 4 in 2D. scipy's default, and nnU-Net's.
    #[default]
    Face,
    /// Those that share a face, edge or corner: 26 neighbours in 3D, 8 in 2D.
    Full,
}
