//! Long resamplings and exports stop soon after cancellation.

use ndarray::{Array3, Array4};
use resample::export::{export_segmentation, export_softmax, segmentation_of, ExportOptions, Placement};
use resample::{resample_data, resample_segmentation, Decision, ExportMode, Order, Resampling};
use run::Cancel;
use testkit::ends_when_cancelled;

const SMALL: (usize, usize, usize) = (12, 20, 24);
const LARGE: [usize; 3] = [30, 70, 40];

fn volume(channels: usize) -> Array4<f32> {
    let (z, y, x) = SMALL;
    Array4::from_shape_fn((channels, z, y, x), |(c, z, y, x)| {
        ((c * 5 + z * y + x) % 7) as f32
    })
}

/// Every kind of resampling: isotropic, and with each axis separate.
fn kinds() -> Vec<Resampling> {
    let orders = [Order::Nearest, Order::Linear, Order::Cubic];
    let axes = [None, Some(0), Some(2)];
    let kind = |order| {
        axes.map(|separate_axis| Resampling {
            shape: LARGE,
            separate_axis,
            order,
            order_z: order,
        })
    };
    orders.into_iter().flat_map(kind).collect()
}

#[test]
fn cancelled_resampling_stops_within_a_few_rows() {
    let labels = Array3::from_shape_fn(SMALL, |(z, y, x)| ((z + y * x) % 3) as i16 - 1);
    // Blocks of at most 64 rows.
    let blocks = |to: &Resampling| {
        let [z, y, x] = LARGE;
        match to.separate_axis {
            Some(2) => x * z.div_ceil(64),
            _ => z * y.div_ceil(64),
        }
    };
    for to in kinds() {
        let least = blocks(&to) as u64;
        let parts = ends_when_cancelled(|cancel| resample_data(volume(2).view(), &to, cancel));
        assert!(parts >= 2 * least, "{parts} {to:?}");
        let parts = ends_when_cancelled(|cancel| resample_segmentation(labels.view(), &to, Some(-1), cancel));
        assert!(parts >= least, "{parts} {to:?}");
    }
}

#[test]
fn cancelled_export_stops_within_a_few_rows() {
    let placement = Placement {
        original_size: [45, 75, 32],
        size_after_cropping: [40, 70, 30],
        crop_bbox: Some([[1, 41], [2, 72], [0, 30]]),
        original_spacing: [1.0; 3],
        spacing_after_resampling: [2.0; 3],
        transpose_forward: [2, 1, 0],
    };
    for (mode, order) in [
        (ExportMode::Default, Order::Linear),
        (ExportMode::Streamed, Order::Linear),
        (ExportMode::Streamed, Order::Cubic),
    ] {
        let options = ExportOptions {
            mode,
            order,
            ..ExportOptions::default()
        };
        let softmax = volume(3);
        let parts =
            ends_when_cancelled(|cancel| export_segmentation(softmax.view(), &placement, &options, cancel));
        // Two blocks in each of 30 planes, and 40 planes of the image.
        assert!(parts >= 2 * 30 + 40, "{parts} {options:?}");
        ends_when_cancelled(|cancel| export_softmax(softmax.view(), &placement, &options, cancel));
        let resampled = export_softmax(softmax.view(), &placement, &options, &Cancel::new()).unwrap();
        let parts = ends_when_cancelled(|cancel| {
            segmentation_of(resampled.view(), &placement, &Decision::Argmax, cancel)
        });
        assert!(parts >= 2 * 40 + 40, "{parts}");
    }
}
