//! Options of the integrity check.

use dataset::Folders;
use run::Options;

/// Options of `check_dataset`.
#[run::options]
pub struct CheckOptions {
    /// Number, `TaskXXX_NAME` or folder of a raw task.
    #[schemars(length(min = 1))]
    pub task: String,
    /// Maximum difference of spacing and origin, as a fraction of the voxel, and of direction cosines.
    #[default(1e-3)]
    #[schemars(range(min = 0.0))]
    pub tolerance: f64,
    /// Copies the geometry of a case's first channel into other files of the case if their difference is
    /// harmless.
    ///
    /// `ProblemKind::Geometry` defines harmless differences.
    #[default]
    pub fix: bool,
    /// With `fix`, copies the geometry whenever the sizes agree, even if the files are at different
    /// positions.
    #[default]
    pub fix_displaced: bool,
    /// With `fix`, keeps the original of each repaired file as `<name>.orig`.
    #[default(true)]
    pub keep_originals: bool,
    /// nnU-Net's folders.
    #[default]
    #[serde(flatten)]
    pub folders: Folders,
}

impl Options for CheckOptions {}
