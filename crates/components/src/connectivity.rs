//! Connectivity of voxels.

/// Which voxels are neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Connectivity {
    /// Voxels that share a face: 6 neighbours in 3D, 4 in 2D. This is the default of scipy and nnU-Net.
    #[default]
    Face,
    /// Voxels that share a face, an edge or a corner: 26 neighbours in 3D, 8 in 2D.
    Full,
}
