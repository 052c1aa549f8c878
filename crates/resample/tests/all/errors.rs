//! Invalid requests and their messages.
#![expect(clippy::unwrap_used, reason = "test support")]

use ndarray::{Array3, Array4};
use resample::export::{export_segmentation, segmentation_of, ExportOptions, Placement};
use resample::*;
use run::Cancel;
use run::Coded;

fn placement() -> Placement {
    Placement {
        original_size: [6, 7, 8],
        size_after_cropping: [4, 5, 6],
        crop_bbox: Some([[1, 5], [1, 6], [1, 7]]),
        original_spacing: [1.0; 3],
        spacing_after_resampling: [1.0; 3],
        transpose_forward: [0, 1, 2],
    }
}

fn export(placement: &Placement, options: &ExportOptions) -> Result<Array3<i16>, Error> {
    export_segmentation(
        Array4::zeros((2, 3, 3, 3)).view(),
        placement,
        options,
        &Cancel::new(),
    )
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, code: &str, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code);
    assert!(error.details().is_object());
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn invalid_requests_are_rejected() {
    let volume = Array3::<f32>::zeros((2, 0, 3));
    refused(
        resize(volume.view(), [2, 2, 2], Order::Cubic),
        "ERR_RESAMPLE_SHAPE",
        "[2, 0, 3]",
    );
    refused(Order::try_from(2), "ERR_RESAMPLE_ORDER", "order 2");
    assert_eq!(serde_json::from_str::<Order>("3").unwrap(), Order::Cubic);
    assert!(serde_json::from_str::<Order>("5")
        .unwrap_err()
        .to_string()
        .contains("0 (nearest)"));
    let to = Resampling {
        shape: [2; 3],
        separate_axis: Some(3),
        order: Order::Linear,
        order_z: Order::Nearest,
    };
    refused(
        resample_data(Array4::zeros((1, 3, 3, 3)).view(), &to, &Cancel::new()),
        "ERR_RESAMPLE_AXIS",
        "axis 3",
    );
    let spacing = [1.0, f64::NAN, 1.0];
    refused(
        resampled_shape([2; 3], [1.0; 3], spacing),
        "ERR_RESAMPLE_SPACING",
        "NaN",
    );
    refused(
        separate_axis([0.0, 1.0, 1.0], [1.0; 3], SeparateZ::Auto, 3.0),
        "ERR_RESAMPLE_SPACING",
        "positive",
    );
}

#[test]
fn invalid_exports_are_rejected() {
    let options = ExportOptions::default();
    let found = export(&placement(), &options).unwrap();
    assert_eq!(found.dim(), (6, 7, 8));
    let outside = Placement {
        crop_bbox: Some([[3, 7], [1, 6], [1, 7]]),
        ..placement()
    };
    refused(
        export(&outside, &options),
        "ERR_EXPORT_CROP",
        "[[3, 7], [1, 6], [1, 7]]",
    );
    let twice = Placement {
        transpose_forward: [0, 2, 2],
        ..placement()
    };
    refused(export(&twice, &options), "ERR_EXPORT_TRANSPOSE", "[0, 2, 2]");
    let regions = ExportOptions {
        regions: Some(vec![1, 2, 3]),
        ..options
    };
    refused(export(&placement(), &regions), "ERR_EXPORT_REGIONS", "3 classes");
    let other = segmentation_of(
        Array4::zeros((2, 4, 5, 7)).view(),
        &placement(),
        &Decision::Argmax,
        &Cancel::new(),
    );
    refused(other, "ERR_EXPORT_SHAPE", "[4, 5, 7]");
}

/// One voxel remains where the reference would request an array of size 0.
#[test]
fn shapes_round_half_to_even_and_stay_positive() {
    assert_eq!(
        resampled_shape([5, 7, 1], [1.5; 3], [1.0, 1.0, 4.0]).unwrap(),
        [8, 10, 1]
    );
}
