//! Peak memory, counted by the allocator, compared with the documented bounds.

use ndarray::{Array3, Array4};
use resample::*;
use run::Cancel;
use testkit::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the peak of bytes allocated by `work` above the previous level, including its result.
fn peak<T>(work: impl FnOnce() -> T) -> usize {
    Counting::peak_of(work).1
}

/// A single test, because all threads of the process share the counters.
#[test]
fn peak_memory_stays_within_documented_bounds() {
    rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build_global()
        .unwrap();
    let (from, shape) = ([24, 64, 64], [60, 160, 160]);
    let voxels: usize = shape.iter().product();
    let input_voxels: usize = from.iter().product();
    // Rows of two threads, taps, and rayon's own memory.
    let slack = 800_000;
    let to = |order, separate_axis| Resampling {
        shape,
        separate_axis,
        order,
        order_z: Order::Nearest,
    };

    for classes in [2, 12] {
        let softmax = Array4::from_shape_fn((classes, from[0], from[1], from[2]), |(c, z, y, x)| {
            ((c * 7 + z * 5 + y * 3 + x) % 11) as f32
        });
        for separate in [None, Some(0)] {
            let labels = |order, mode| {
                peak(|| {
                    resample_labels(
                        softmax.view(),
                        &to(order, separate),
                        mode,
                        &Decision::Argmax,
                        &Cancel::new(),
                    )
                    .unwrap()
                })
            };
            assert!(labels(Order::Linear, ExportMode::Default) > classes * voxels * 4);
            let streamed = labels(Order::Linear, ExportMode::Streamed);
            assert!(
                streamed < voxels * 2 + slack,
                "{classes} classes: {streamed} bytes"
            );
            let cubic = labels(Order::Cubic, ExportMode::Streamed);
            assert!(
                cubic < voxels * (2 + 4) + input_voxels * 4 + slack,
                "{classes} classes, cubic: {cubic} bytes"
            );
        }
    }

    let data = Array4::from_shape_fn((3, from[0], from[1], from[2]), |(c, z, y, x)| {
        (c + z * y + x) as f32
    });
    for separate in [None, Some(0)] {
        let used = peak(|| resample_data(data.view(), &to(Order::Cubic, separate), &Cancel::new()).unwrap());
        assert!(
            used < 3 * voxels * 4 + input_voxels * 4 + slack,
            "data: {used} bytes"
        );
    }
    let labels = Array3::from_shape_fn(from, |(z, y, x)| ((z + y / 3 + x / 5) % 9) as i16);
    let used = peak(|| {
        resample_segmentation(labels.view(), &to(Order::Linear, None), Some(-1), &Cancel::new()).unwrap()
    });
    assert!(used < 2 * voxels * 2 + slack, "labels: {used} bytes");
}
