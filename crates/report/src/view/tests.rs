use std::io::Read;

use volume::Geometry;

use super::*;
use crate::page;

/// The first layer of a role.
fn bytes(cut: &Cut, role: LayerRole) -> (Layer, Array3<u8>) {
    let layer = cut.case.layers.iter().find(|layer| layer.role == role).unwrap();
    unpacked(cut, layer)
}

fn unpacked(cut: &Cut, layer: &Layer) -> (Layer, Array3<u8>) {
    let mut raw = Vec::new();
    flate2::read::GzDecoder::new(&cut.blobs[layer.blob][..])
        .read_to_end(&mut raw)
        .unwrap();
    (
        layer.clone(),
        Array3::from_shape_vec(cut.case.shape, raw).unwrap(),
    )
}

/// A case without labels, whose voxels are numbered.
fn volumes(geometry: &Geometry) -> Volumes {
    Volumes::new("case", Grid::of(geometry), None)
}

fn numbered(shape: [usize; 3]) -> Array3<f32> {
    let [_, y, x] = shape;
    Array3::from_shape_fn(shape, |(a, b, c)| (a * y * x + b * x + c) as f32)
}

/// Values that cannot be compressed.
fn noise(shape: [usize; 3], seed: usize) -> Array3<f32> {
    let [_, y, x] = shape;
    Array3::from_shape_fn(shape, |(a, b, c)| {
        let mixed = ((a * y + b) * x + c + 1 + seed * 7919).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 56) as f32
    })
}

fn add(volumes: &mut Volumes, name: &str, values: &Array3<f32>) {
    volumes.add_channel(name.to_owned(), values.view(), Some(false));
}

/// Whether the bytes of a layer are the values of an array at the drawn voxels.
fn check_values(cut: &Cut, layer: &Layer, drawn: &Array3<u8>, values: &Array3<f32>) {
    let (offset, step) = (cut.case.offset, cut.case.step);
    for ((z, y, x), byte) in drawn.indexed_iter() {
        let value = values[[
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
        let mut volumes = volumes(&geometry);
        let voxel = [13, 17, 8];
        let mut labels = Array3::<i16>::zeros([20, 24, 30]);
        labels[voxel] = 3;
        volumes.prediction = Some(labels);
        add(&mut volumes, "image", &numbered([20, 24, 30]));
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
    let mut volumes = volumes(&Geometry::default());
    let values = numbered([4, 5, 6]);
    add(&mut volumes, "image", &values);
    let cut = cut_all(&volumes, u64::MAX);
    // Without labels the crop is around what is brighter than the darkest value; the margin covers everything.
    assert_eq!(
        (cut.case.shape, cut.case.full, cut.case.step),
        ([4, 5, 6], [4, 5, 6], [1; 3])
    );
    let (layer, drawn) = bytes(&cut, LayerRole::Image);
    check_values(&cut, &layer, &drawn, &values);
    assert_eq!(layer.window, [0.0, 119.0]);
    assert!(!layer.ct);
    assert_eq!(cut.case.bytes, cut.blobs[0].len() as u64);
}

#[test]
fn every_channel_is_a_layer_with_its_own_window() {
    let mut volumes = volumes(&Geometry::default());
    let shape = [60, 70, 80];
    let mut reference = Array3::<i16>::zeros(shape);
    reference[[30, 35, 40]] = 1;
    volumes.reference = Some(reference);
    let first = numbered(shape);
    let all = [
        ("T1", first.clone()),
        ("T2", first.mapv(|v| 10.0 - v / 7.0)),
        ("FLAIR", noise(shape, 1)),
    ];
    for (name, values) in &all {
        add(&mut volumes, name, values);
    }
    let cut = cut_all(&volumes, u64::MAX);
    assert_eq!((cut.case.offset, cut.case.shape), ([10, 15, 20], [41, 41, 41]));
    assert!(cut.case.left_out.is_empty());
    let roles: Vec<LayerRole> = cut.case.layers.iter().map(|layer| layer.role).collect();
    let image = LayerRole::Image;
    assert_eq!(roles, [image, image, image, LayerRole::Reference]);
    for (layer, (name, values)) in cut.case.layers.iter().zip(&all) {
        assert_eq!(layer.name, *name);
        let (layer, drawn) = unpacked(&cut, layer);
        // Without the outermost thousandth.
        let inside: Vec<f32> = values.iter().copied().collect();
        assert!(inside.iter().any(|v| f64::from(*v) >= layer.window[1]), "{name}");
        if *name == "FLAIR" {
            check_values(&cut, &layer, &drawn, values);
        }
    }
    let windows: Vec<[f64; 2]> = cut.case.layers.iter().map(|layer| layer.window).collect();
    assert!(windows[0][0] > 0.0 && windows[1][1] < 0.0, "{windows:?}");
}

#[test]
fn channels_share_the_room_and_those_left_out_are_named() {
    let geometry = Geometry {
        spacing: [3.0, 1.0, 1.0],
        ..Geometry::default()
    };
    let shape = [10, 64, 64];
    let mut volumes = volumes(&geometry);
    for number in 0..8 {
        add(&mut volumes, &format!("channel {number}"), &noise(shape, number));
    }
    let whole = cut_all(&volumes, u64::MAX);
    let all = page::bytes_of_case(&whole.case, &whole.blobs);
    assert_eq!((whole.case.step, whole.case.layers.len()), ([1; 3], 8));
    // Half of it: everything is thinned once, and every channel is there.
    let half = cut_all(&volumes, all / 2);
    assert_eq!((half.case.step, half.case.left_out.len()), ([1, 2, 2], 0));
    for budget in [all / 2, all / 8, all / 16, all / 40, 20_000] {
        let cut = cut_all(&volumes, budget);
        let bytes = page::bytes_of_case(&cut.case, &cut.blobs);
        assert!(bytes <= budget, "{bytes} of {budget}");
        let names: Vec<String> = cut.case.layers.iter().map(|layer| layer.name.clone()).collect();
        let expected: Vec<String> = (0..8).map(|number| format!("channel {number}")).collect();
        assert_eq!([names, cut.case.left_out.clone()].concat(), expected, "{budget}");
        let shown: Vec<usize> = cut.case.layers.iter().map(|layer| layer.blob).collect();
        assert_eq!(shown, (0..cut.blobs.len()).collect::<Vec<_>>());
    }
    // The first one alone fills this: thinned once more, others are left out only where they do not fit then.
    let first = cut_all(&volumes, all / 8 + 6000);
    assert_eq!(first.case.step, [1, 2, 2]);
    assert_eq!(first.case.left_out.len(), 4);
}

#[test]
fn unlabelled_voxels_have_a_byte_of_their_own_and_are_no_error() {
    let mut volumes = volumes(&Geometry::default());
    let mut reference = Array3::<i16>::from_elem([3, 40, 40], UNLABELLED);
    let mut prediction = Array3::<i16>::zeros([3, 40, 40]);
    reference.slice_mut(s![1, .., ..]).fill(0);
    reference[[1, 5, 5]] = 2;
    prediction.slice_mut(s![0, .., ..]).fill(1);
    prediction.slice_mut(s![1, 20..23, 30..33]).fill(1);
    (volumes.reference, volumes.prediction) = (Some(reference), Some(prediction));
    add(&mut volumes, "image", &numbered([3, 40, 40]));
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
    let mut volumes = volumes(&geometry);
    let values = noise([10, 64, 64], 0);
    add(&mut volumes, "noise", &values);
    let whole = cut_all(&volumes, u64::MAX);
    assert_eq!(whole.case.step, [1; 3]);
    let bytes_of = |cut: &Cut| page::bytes_of_case(&cut.case, &cut.blobs);
    for budget in [bytes_of(&whole) - 1, 8000, 3000] {
        let cut = cut_all(&volumes, budget);
        assert!(bytes_of(&cut) <= budget, "{} of {budget}", bytes_of(&cut));
        let step = cut.case.step;
        // The slices are thinned before their number.
        assert!(
            step[1] > 1 && step[1] == step[2] && step[0] <= step[1],
            "{step:?}"
        );
        let (layer, drawn) = bytes(&cut, LayerRole::Image);
        check_values(&cut, &layer, &drawn, &values);
    }
}

#[test]
fn air_makes_an_image_ct_where_nothing_says_what_it_is() {
    let layer_of = |values: &Array3<f32>| {
        let mut volumes = volumes(&Geometry::default());
        volumes.add_channel("image".to_owned(), values.view(), None);
        cut_all(&volumes, u64::MAX).case.layers[0].clone()
    };
    assert!(!layer_of(&numbered([2, 3, 4])).ct);
    let values = Array3::from_shape_fn([2, 3, 4], |(z, _, x)| (x * 900 + z) as f32 - 3000.0);
    let layer = layer_of(&values);
    assert!(layer.ct);
    assert!(layer.window[0] >= -1024.0);
}
