//! Compares patch centres with the recordings of DIAG's sparse trainer (topic `sampler`).

use ndarray::{ArrayD, Axis};
use sampling::{fork_centre, place, IndexBuilder, Meaning};

/// Row `k` of a matrix of coordinates.
fn row(array: &ArrayD<f64>, k: usize) -> Vec<i64> {
    array.index_axis(Axis(0), k).iter().map(|v| *v as i64).collect()
}

/// The last axes of (z, y, x); the others are `fill`.
fn whole(values: &[usize], fill: usize) -> [usize; 3] {
    let mut whole = [fill; 3];
    whole[3 - values.len()..].copy_from_slice(values);
    whole
}

#[test]
fn centres() {
    for case in testkit::cases("sampler", "sparse_centers_") {
        let arrays = case.arrays();
        let (seg, picked) = (&arrays["seg"], &arrays["picked"]);
        let patch: Vec<usize> = arrays["patch_size"].iter().map(|v| *v as usize).collect();
        let shape = seg.shape();
        let mut builder = IndexBuilder::new(whole(shape, 1), Meaning::Unknown, true);
        for labels in seg.rows() {
            builder.push(&labels.mapv(|v| v as f32).to_vec());
        }
        let index = builder.finish();
        let mut listed: Vec<[usize; 3]> = (0..index.annotated()).map(|rank| index.voxel(rank)).collect();
        let mut expected = Vec::new();
        for k in 0..picked.shape()[0] {
            let voxel: Vec<usize> = row(picked, k).into_iter().map(|v| v as usize).collect();
            let what = format!("{} voxel {voxel:?}", case.file);
            let recorded = row(&arrays["center"], k);
            for d in 0..shape.len() {
                let centre = fork_centre(voxel[d], shape[d], patch[d]);
                assert_eq!(centre, recorded[d], "{what}");
                // This package's rule gives the same position if the fork's centre is the voxel itself.
                let lower = place(voxel[d], shape[d], patch[d], 0);
                assert!(
                    (lower..lower + patch[d] as i64).contains(&(voxel[d] as i64)),
                    "{what}"
                );
                let fits = voxel[d] + patch[d].div_ceil(2) <= shape[d];
                assert!(
                    !fits || centre != voxel[d] as i64 || lower + (patch[d] / 2) as i64 == centre,
                    "{what}"
                );
            }
            expected.push(whole(&voxel, 0));
        }
        listed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(listed, expected, "{}", case.file);
    }
}
