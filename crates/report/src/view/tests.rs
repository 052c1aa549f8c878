use std::io::Read;

use volume::Geometry;

use super::*;

fn bytes(cut: &Cut, role: LayerRole) -> (Layer, Array3<u8>) {
    let layer = cut
        .case
        .layers
        .iter()
        .find(|layer| layer.role == role)
        .unwrap()
        .clone();
    let mut raw = Vec::new();
    flate2::read::GzDecoder::new(&cut.blobs[layer.blob][..])
        .read_to_end(&mut raw)
        .unwrap();
    (layer, Array3::from_shape_vec(cut.case.shape, raw).unwrap())
}

fn volumes(geometry: &Geometry, shape: [usize; 3]) -> Volumes {
    let [_, y, x] = shape;
    let image = Array3::from_shape_fn(shape, |(a, b, c)| (a * y * x + b * x + c) as f32);
    Volumes {
        name: "case".to_owned(),
        grid: Grid::of(geometry),
        image: Some(("image".to_owned(), image)),
        reference: None,
        prediction: None,
        weightmap: None,
        ct: Some(false),
        score: None,
    }
}

fn cut_all(volumes: &Volumes, budget: u64) -> Cut {
    cut(
        volumes,
        &|value| format!("label {value}"),
        budget,
        &Context::silent(1),
    )
    .unwrap()
    .unwrap()
}

#[test]
fn crops_keep_the_place_of_an_asymmetric_voxel_for_every_header() {
    let (sin, cos) = 0.3_f64.sin_cos();
    let directions = [
        [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        // A RAS header: the first two axes run to the right and to the front.
        [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0],
        // Turned about x.
        [1.0, 0.0, 0.0, 0.0, cos, -sin, 0.0, sin, cos],
        // Sagittal slices, one axis flipped.
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0],
    ];
    for direction in directions {
        let geometry = Geometry {
            spacing: [8.0, 7.0, 9.0],
            origin: [-30.0, 12.0, 4.0],
            direction,
        };
        let mut volumes = volumes(&geometry, [20, 24, 30]);
        let voxel = [13, 17, 8];
        let mut labels = Array3::<i16>::zeros([20, 24, 30]);
        labels[voxel] = 3;
        volumes.prediction = Some(labels);
        let cut = cut_all(&volumes, u64::MAX);
        assert_eq!((cut.case.offset, cut.case.shape), ([10, 14, 5], [7, 7, 7]));
        assert_eq!(
            cut.case.labels,
            [ViewLabel {
                value: 3,
                name: "label 3".to_owned()
            }]
        );
        let (_, drawn) = bytes(&cut, LayerRole::Prediction);
        let ((z, y, x), _) = drawn.indexed_iter().find(|(_, byte)| **byte == 3).unwrap();
        let affine = cut.case.affine;
        for row in 0..3 {
            let found = affine[4 * row] * x as f64
                + affine[4 * row + 1] * y as f64
                + affine[4 * row + 2] * z as f64
                + affine[4 * row + 3];
            let along =
                |axis: usize| direction[3 * row + axis] * geometry.spacing[2 - axis] * voxel[2 - axis] as f64;
            let expected = geometry.origin[row] + along(0) + along(1) + along(2);
            assert!(
                (found - expected).abs() < 1e-9,
                "{direction:?}: {found} {expected}"
            );
        }
    }
}

#[test]
fn drawn_bytes_are_the_values_of_the_file() {
    let volumes = volumes(&Geometry::default(), [4, 5, 6]);
    let cut = cut_all(&volumes, u64::MAX);
    // Without labels the crop is around what is brighter than the darkest value; the margin covers everything.
    assert_eq!(
        (cut.case.shape, cut.case.full, cut.case.step),
        ([4, 5, 6], [4, 5, 6], [1; 3])
    );
    let (layer, drawn) = bytes(&cut, LayerRole::Image);
    for (voxel, byte) in drawn.indexed_iter() {
        let value = layer.slope * f64::from(*byte) + layer.intercept;
        let (_, image) = volumes.image.as_ref().unwrap();
        assert!((value - f64::from(image[voxel])).abs() <= layer.slope / 2.0 + 1e-9);
    }
    assert_eq!(layer.window, [0.0, 119.0]);
    assert!(!layer.ct);
    assert_eq!(cut.case.bytes, cut.blobs[0].len() as u64);
}

#[test]
fn unlabelled_voxels_have_a_byte_of_their_own_and_are_no_error() {
    let mut volumes = volumes(&Geometry::default(), [3, 40, 40]);
    let mut reference = Array3::<i16>::from_elem([3, 40, 40], UNLABELLED);
    let mut prediction = Array3::<i16>::zeros([3, 40, 40]);
    reference.slice_mut(s![1, .., ..]).fill(0);
    reference[[1, 5, 5]] = 2;
    prediction.slice_mut(s![0, .., ..]).fill(1);
    prediction.slice_mut(s![1, 20..23, 30..33]).fill(1);
    (volumes.reference, volumes.prediction) = (Some(reference), Some(prediction));
    let cut = cut_all(&volumes, u64::MAX);
    let (layer, drawn) = bytes(&cut, LayerRole::Reference);
    assert_eq!(
        (layer.unlabelled, drawn[[0, 0, 0]], drawn[[1, 5, 5]]),
        (Some(255), 255, 2)
    );
    assert_eq!(bytes(&cut, LayerRole::Prediction).0.unlabelled, None);
    assert_eq!(cut.case.largest_error, Some([1, 21, 31]));
    let values: Vec<i64> = cut.case.labels.iter().map(|label| label.value).collect();
    assert_eq!(values, [1, 2]);
}

#[test]
fn large_crops_are_thinned_until_they_fit() {
    let geometry = Geometry {
        spacing: [3.0, 1.0, 1.0],
        ..Geometry::default()
    };
    let mut volumes = volumes(&geometry, [10, 64, 64]);
    let noise = |(z, y, x): (usize, usize, usize)| {
        let mixed = ((z * 64 + y) * 64 + x + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 56) as f32
    };
    volumes.image = Some(("noise".to_owned(), Array3::from_shape_fn([10, 64, 64], noise)));
    let whole = cut_all(&volumes, u64::MAX);
    assert_eq!(whole.case.step, [1; 3]);
    for budget in [whole.case.bytes - 1, 2000, 300] {
        let cut = cut_all(&volumes, budget);
        assert!(cut.case.bytes <= budget, "{} of {budget}", cut.case.bytes);
        let step = cut.case.step;
        // The slices are thinned before their number.
        assert!(
            step[1] > 1 && step[1] == step[2] && step[0] <= step[1],
            "{step:?}"
        );
        let (layer, drawn) = bytes(&cut, LayerRole::Image);
        let (_, image) = volumes.image.as_ref().unwrap();
        for ((z, y, x), byte) in drawn.indexed_iter() {
            let offset = cut.case.offset;
            let value = image[[
                offset[0] + z * step[0],
                offset[1] + y * step[1],
                offset[2] + x * step[2],
            ]];
            let shown = layer.slope * f64::from(*byte) + layer.intercept;
            assert!(
                (shown - f64::from(value)).abs() <= layer.slope / 2.0 + 1e-3,
                "{shown} {value}"
            );
        }
    }
}

#[test]
fn air_makes_an_image_ct_where_nothing_says_what_it_is() {
    let mut volumes = volumes(&Geometry::default(), [2, 3, 4]);
    volumes.ct = None;
    assert!(!cut_all(&volumes, u64::MAX).case.layers[0].ct);
    volumes.image = Some((
        "ct".to_owned(),
        Array3::from_shape_fn([2, 3, 4], |(z, _, x)| (x * 900 + z) as f32 - 3000.0),
    ));
    let cut = cut_all(&volumes, u64::MAX);
    assert!(cut.case.layers[0].ct);
    assert!(cut.case.layers[0].window[0] >= -1024.0);
}
