//! The transform compared with recorded distances of scipy.
//!
//! The recordings are weightmaps `w_c + w0 · exp(-d² / 2σ²)`. Outside the eroded classes, scipy's d² follows
//! from them.

use ndarray::{Array3, Ix3};

/// 0 if a voxel and its six neighbours have one class, 1 elsewhere.
fn outside(labels: &Array3<f64>, classes: &[f64]) -> Array3<u8> {
    let steps = [
        (-1, 0, 0),
        (1, 0, 0),
        (0, -1, 0),
        (0, 1, 0),
        (0, 0, -1),
        (0, 0, 1),
    ];
    Array3::from_shape_fn(labels.dim(), |(z, y, x)| {
        let label = labels[[z, y, x]];
        let same = |&(dz, dy, dx): &(isize, isize, isize)| {
            let at = [
                z.wrapping_add_signed(dz),
                y.wrapping_add_signed(dy),
                x.wrapping_add_signed(dx),
            ];
            labels.get(at) == Some(&label)
        };
        u8::from(!(classes.contains(&label) && steps.iter().all(same)))
    })
}

#[test]
fn recorded_distances_equal_scipy() {
    let mut compared = 0;
    for case in testkit::cases("weightmaps", "")
        .into_iter()
        .filter(|case| !case.function.is_empty())
    {
        let (arrays, given) = (case.arrays(), &case.parameters);
        let classes: Vec<f64> = given["classes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c.as_f64().unwrap())
            .collect();
        let (sigma, w0) = (given["sigma"].as_f64().unwrap(), given["w_0"].as_f64().unwrap());
        let labels = arrays["seg"].mapv(|v| if classes.contains(&v) { v } else { 0.0 });
        let labels = labels.into_dimensionality::<Ix3>().unwrap();
        let mask = outside(&labels, &classes);
        if !mask.iter().any(|&v| v == 0) {
            continue;
        }
        let before = mask.clone();
        let found = edt::squared_distance(mask.view(), &[1.0; 3], None).unwrap();
        assert_eq!(mask, before);
        for ((at, &weight), &found) in arrays["weightmap"].indexed_iter().zip(&found) {
            let label = labels[[at[0], at[1], at[2]]];
            let count = labels.iter().filter(|&&v| v == label).count() as f64;
            let term = weight - f64::from((1.0 - count / labels.len() as f64) as f32);
            // Below that, the recorded sum has lost the precision of the distance.
            if mask[[at[0], at[1], at[2]]] == 0 || term > 1e-9 * w0 {
                let inside = mask[[at[0], at[1], at[2]]] == 0;
                let expected = if inside {
                    0.0
                } else {
                    -2.0 * sigma * sigma * (term / w0).ln()
                };
                assert_eq!(
                    f64::from(found),
                    expected.round(),
                    "{} at {at:?}: {expected}",
                    case.file
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "no distance was compared");
}
