//! Written NIfTI files read back unchanged.

use ndarray::Array3;
use proptest::prelude::*;
use volume::{nifti, Dtype, Error, Geometry};

proptest! {
    #[test]
    fn written_volumes_read_back_unchanged(
        size in [1_usize..6, 1_usize..6, 1_usize..6],
        spacing in [0.1_f64..9.0, 0.1_f64..9.0, 0.1_f64..9.0],
        origin in [-500.0_f64..500.0, -500.0_f64..500.0, -500.0_f64..500.0],
        q in [-1.0_f64..1.0, -1.0_f64..1.0, -1.0_f64..1.0, -1.0_f64..1.0],
        mirrored in any::<bool>(),
        low in -300_i16..1,
        packed in any::<bool>(),
    ) {
        let length = q.iter().map(|v| v * v).sum::<f64>().sqrt();
        prop_assume!(length > 0.1);
        let [a, b, c, d] = q.map(|v| v / length);
        let m = if mirrored { -1.0 } else { 1.0 };
        let direction = [
            a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), m * 2.0 * (b * d + a * c),
            2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, m * 2.0 * (c * d - a * b),
            2.0 * (b * d - a * c), 2.0 * (c * d + a * b), m * (a * a + d * d - c * c - b * b),
        ];
        let geometry = Geometry { spacing: spacing.map(|s| f64::from(s as f32)), origin, direction };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(if packed { "a.nii.gz" } else { "a.nii" });
        let labels = Array3::from_shape_fn(size, |(z, y, x)| low + (z * 7 + y * 3 + x) as i16);
        nifti::write_labels(&path, labels.view(), &geometry).unwrap();
        let (found, place) = nifti::read_labels(&path).unwrap();
        prop_assert_eq!(&found, &labels);
        let header = nifti::read_header(&path).unwrap();
        prop_assert_eq!(header.dtype, if low < 0 { Dtype::I16 } else { Dtype::U8 });
        prop_assert_eq!(place.spacing, geometry.spacing);
        let far = geometry.deviation(&place);
        prop_assert!(far.direction < 1e-6 && far.origin < 1e-4, "{:?}", far);
        // The qform alone gives the same geometry. Near 180 degrees the format itself is imprecise.
        if !packed {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[254] = 0;
            let other = folder.path().join("q.nii");
            std::fs::write(&other, bytes).unwrap();
            let (_, place) = nifti::read_image(&other).unwrap();
            let far = geometry.deviation(&place);
            prop_assert!(far.direction < 1e-3 && far.origin < 1e-4, "{:?}", far);
        }
        let image = labels.mapv(|v| f32::from(v) * 0.37);
        nifti::write_image(&path, image.view().permuted_axes([2, 1, 0]), &geometry).unwrap();
        let (found, _) = nifti::read_image(&path).unwrap();
        prop_assert_eq!(found.index_axis(ndarray::Axis(0), 0), image.permuted_axes([2, 1, 0]));
    }
}

#[test]
fn unsupported_volumes_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let array = Array3::<i16>::zeros((1, 1, 1));
    let name = nifti::write_labels(&folder.path().join("a.mha"), array.view(), &Geometry::default());
    assert!(matches!(name, Err(Error::NiftiWrite { .. })));
    let flat = Geometry {
        direction: [0.0; 9],
        ..Geometry::default()
    };
    assert!(matches!(
        nifti::write_labels(&folder.path().join("a.nii"), array.view(), &flat),
        Err(Error::NiftiWrite { .. })
    ));
    assert!(!folder.path().join("a.nii").exists());
}

#[test]
fn a_description_is_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let array = Array3::<i16>::from_elem((2, 3, 4), 7);
    let cancel = run::Cancel::new();
    let write = |path: &std::path::Path, text: &str| {
        nifti::write_labels_described(path, array.view(), &Geometry::default(), text, &cancel)
    };
    for (name, text) in [
        ("a.nii", "model 7"),
        ("b.nii.gz", ""),
        ("c.nii.gz", &*"x".repeat(79)),
    ] {
        let path = folder.path().join(name);
        write(&path, text).unwrap();
        assert_eq!(nifti::read_description(&path).unwrap(), text);
        assert_eq!(nifti::read_labels(&path).unwrap().0, array);
    }
    for text in ["x".repeat(80), "\u{fc}".to_owned()] {
        let error = write(&folder.path().join("d.nii"), &text);
        assert!(matches!(error, Err(Error::NiftiWrite { .. })));
    }
    assert!(!folder.path().join("d.nii").exists());
    let rubbish = folder.path().join("e.nii");
    std::fs::write(&rubbish, "rubbish").unwrap();
    assert!(nifti::read_description(&rubbish).is_err());
}
