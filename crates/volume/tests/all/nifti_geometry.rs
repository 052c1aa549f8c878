//! Geometry compared with SimpleITK's, recorded by `data/record_itk_geometry.py`.

use serde_json::Value;
use volume::{nifti, Error};

#[test]
fn recorded_headers_give_itk_geometry() {
    let text = include_str!("../data/itk_geometry.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(cases.len() > 50);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nii");
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let hex = case["header"].as_str().unwrap();
        let mut bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        bytes.extend(0..24);
        std::fs::write(&path, bytes).unwrap();
        let found = nifti::read_image(&path);
        if case.get("error").is_some() {
            assert!(matches!(found, Err(Error::NiftiGeometry { .. })), "{name}");
            continue;
        }
        let (_, found) = found.unwrap_or_else(|e| panic!("{name}: {e}"));
        let list = |key: &str| -> Vec<f64> {
            case[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_f64().unwrap())
                .collect()
        };
        let mut spacing = list("spacing");
        spacing.reverse();
        // ITK's choice between two forms that differ only by rounding is not reproducible.
        let tolerance = if name.contains("s2 differ 0") || name.contains("tiny shear") {
            1e-6
        } else {
            1e-15
        };
        // Exact, because nnU-Net's records hold these numbers.
        assert_eq!(found.spacing.as_slice(), spacing, "{name}");
        assert_eq!(found.origin.as_slice(), list("origin"), "{name}");
        for (f, e) in found.direction.iter().zip(list("direction")) {
            assert!(
                (f - e).abs() <= tolerance,
                "{name}: {:?}, expected {:?}",
                found.direction,
                list("direction")
            );
        }
    }
}
