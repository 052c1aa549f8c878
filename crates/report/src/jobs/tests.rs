use std::io::Read;

use super::*;
use crate::data::LayerRole;

/// A voxel of one label, by the headers of real files: LPS, RAS, turned, flipped and with exchanged axes.
#[test]
fn voxels_of_files_are_drawn_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (sin, cos) = 0.25_f64.sin_cos();
    let directions = [
        [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0],
        [cos, -sin, 0.0, sin, cos, 0.0, 0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0],
    ];
    for direction in directions {
        let geometry = Geometry {
            spacing: [25.0, 10.0, 5.0],
            origin: [-70.0, 31.0, 9.0],
            direction,
        };
        let voxel = [5, 3, 17];
        let mut labels = Array3::<i16>::zeros([9, 12, 25]);
        labels[voxel] = 4;
        let image = labels.mapv(f32::from);
        let (label_file, image_file) = (folder.path().join("a.nii.gz"), folder.path().join("a_0000.nii"));
        nifti::write_labels(&label_file, labels.view(), &geometry).unwrap();
        nifti::write_image(&image_file, image.view(), &geometry).unwrap();
        let job = Job {
            section: 0,
            name: "a".to_owned(),
            files: Files::Raw {
                images: vec![(0, image_file.clone())],
                reference: Some(label_file),
                prediction: None,
            },
            score: None,
            names: Names::default(),
        };
        let (cut, problems) = job.cut(u64::MAX, &Context::silent(1)).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        let cut = cut.unwrap();
        for layer in &cut.case.layers {
            let mut bytes = Vec::new();
            let packed = &cut.blobs[layer.blob][..];
            flate2::read::GzDecoder::new(packed)
                .read_to_end(&mut bytes)
                .unwrap();
            let drawn = Array3::from_shape_vec(cut.case.shape, bytes).unwrap();
            let brightest = drawn.iter().copied().max().unwrap();
            let (place, _) = drawn
                .indexed_iter()
                .find(|(_, byte)| **byte == brightest)
                .unwrap();
            if layer.role == LayerRole::Reference {
                assert_eq!(brightest, 4);
            }
            let (z, y, x) = place;
            for row in 0..3 {
                let drawn_at = [x, y, z].map(|n| n as f64);
                let mut found = cut.case.affine[4 * row + 3];
                let mut expected = geometry.origin[row];
                for column in 0..3 {
                    found += cut.case.affine[4 * row + column] * drawn_at[column];
                    let steps = voxel[2 - column] as f64 * geometry.spacing[2 - column];
                    expected += direction[3 * row + column] * steps;
                }
                // The header has single precision.
                assert!(
                    (found - expected).abs() < 1e-4,
                    "{direction:?}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn layers_on_other_grids_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, shape: [usize; 3]| {
        let path = folder.path().join(name);
        nifti::write_labels(&path, Array3::<i16>::zeros(shape).view(), &Geometry::default()).unwrap();
        Some(path)
    };
    let job = Job {
        section: 0,
        name: "a".to_owned(),
        files: Files::Raw {
            images: Vec::new(),
            reference: write("a.nii", [2, 3, 4]),
            prediction: write("b.nii", [2, 3, 5]),
        },
        score: None,
        names: Names::default(),
    };
    let error = job.cut(u64::MAX, &Context::silent(1)).err().unwrap();
    assert!(
        matches!(
            error,
            Error::Shape {
                expected: [2, 3, 4],
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_channel_that_cannot_be_read_leaves_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = |number: usize| folder.path().join(format!("a_{number:04}.nii"));
    for number in [0, 2] {
        let values = Array3::from_shape_fn([3, 4, 5], |(_, y, x)| (x + y + number) as f32);
        nifti::write_image(&file(number), values.view(), &Geometry::default()).unwrap();
    }
    std::fs::write(file(1), "damaged").unwrap();
    let other = Array3::<f32>::zeros([3, 4, 6]);
    nifti::write_image(&file(3), other.view(), &Geometry::default()).unwrap();
    let job = |numbers: &[usize]| Job {
        section: 0,
        name: "a".to_owned(),
        files: Files::Raw {
            images: numbers.iter().map(|number| (*number, file(*number))).collect(),
            reference: None,
            prediction: None,
        },
        score: None,
        names: Names::default(),
    };
    let (cut, problems) = job(&[0, 1, 2, 3]).cut(u64::MAX, &Context::silent(1)).unwrap();
    let names: Vec<String> = cut
        .unwrap()
        .case
        .layers
        .into_iter()
        .map(|layer| layer.name)
        .collect();
    assert_eq!(names, ["Channel 0", "Channel 2"]);
    let files: Vec<bool> = problems
        .iter()
        .zip([1, 3])
        .map(|(problem, number)| problem.to_string().contains(&format!("a_{number:04}.nii")))
        .collect();
    assert_eq!(files, [true, true], "{problems:?}");
    let (nothing, problems) = job(&[1]).cut(u64::MAX, &Context::silent(1)).unwrap();
    assert!(nothing.is_none() && problems.len() == 1);
}

#[test]
fn a_preprocessed_case_has_a_layer_for_every_channel_and_needs_one() {
    let folder = tempfile::tempdir().unwrap();
    let cut = |shape: [usize; 4]| {
        let data = folder.path().join("a.npz");
        let values = ndarray::Array4::from_shape_fn(shape, |(c, z, y, x)| (c + z + y * x) as f32);
        let array = [("data", values.view().into_dyn())];
        npz::write(&data, &array, npz::Compression::Fast).unwrap();
        let job = Job {
            section: 0,
            name: "a".to_owned(),
            files: Files::Preprocessed {
                data,
                weightmap: None,
                axes: [0, 1, 2],
                place: Place {
                    raw: Grid::of(&Geometry::default()),
                    bounds: [[0, 2], [0, 3], [0, 4]],
                },
            },
            score: None,
            names: Names::default(),
        };
        job.cut(u64::MAX, &Context::silent(1))
    };
    let (found, _) = cut([4, 2, 3, 4]).unwrap();
    let layers = found.unwrap().case.layers;
    let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    let channels = [0, 1, 2].map(|number| format!("Channel {number}, normalised"));
    assert_eq!(names[..3], channels);
    assert_eq!(names[3..], ["Reference"]);
    let error = cut([1, 2, 3, 4]).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("[1, 2, 3, 4]; expected (channels, z, y, x)"),
        "{error}"
    );
}
