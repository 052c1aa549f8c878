//! Repair of a rounded geometry.

use std::path::Path;

use volume::nifti::Stored;
use volume::Geometry;

use crate::Error;

/// Whether two grids of equal size have the same voxels: no corner differs by more than half a voxel.
///
/// A file without any position (origin 0, spacing 1) is not harmless: nothing proves that its voxels have the
/// order of the image.
pub(super) fn is_harmless(first: &Geometry, other: &Geometry, size: [usize; 3]) -> bool {
    let half_voxel = first.spacing.iter().fold(f64::INFINITY, |m, &s| m.min(s)) / 2.0;
    (0..8).all(|corner| {
        let index = [0, 1, 2].map(|axis| {
            if corner >> axis & 1 == 1 {
                (size[axis] - 1) as f64
            } else {
                0.0
            }
        });
        let (a, b) = (position(first, index), position(other, index));
        let distance = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        // NaN is not harmless.
        distance <= half_voxel
    })
}

/// Returns the position (x, y, z) in mm of a voxel (z, y, x).
fn position(geometry: &Geometry, voxel: [f64; 3]) -> [f64; 3] {
    let along = [2, 1, 0].map(|axis| voxel[axis] * geometry.spacing[axis]);
    let row = |r: usize| {
        (0..3)
            .map(|c| geometry.direction[3 * r + c] * along[c])
            .sum::<f64>()
            + geometry.origin[r]
    };
    [row(0), row(1), row(2)]
}

/// Copies the geometry of `from` to `path`. Voxels keep their stored form. The file is replaced atomically.
/// The original is kept as `<name>.orig`, unless such a file exists.
pub(super) fn copy_geometry(from: &Path, path: &Path, keep_original: bool) -> Result<(), Error> {
    let mut file = Stored::open(path)?;
    file.take_geometry(from)?;
    let mut original = path.as_os_str().to_owned();
    original.push(".orig");
    let original = Path::new(&original);
    if keep_original && !original.exists() {
        storage::copy_file(path, original, storage::Links::Follow)?;
    }
    Ok(file.save(path)?)
}
