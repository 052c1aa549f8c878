//! The estimate of the memory of a model of nnU-Net v2 is not exceeded. A test of its own, because the peak is that of the
//! process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "all/made.rs"]
mod made;

use std::fs;

use made::{geometry, Work, CONFIGURATION};
use ndarray::Array3;
use settings::MemorySize;
use volume::nifti;

#[test]
fn the_estimate_bounds_the_peak() {
    let mut work = Work::new(CONFIGURATION);
    work.write_model(CONFIGURATION, 1);
    for case in ["a", "b"] {
        fs::remove_file(work.options.input.join(format!("{case}_0000.nii.gz"))).unwrap();
    }
    let image = Array3::from_shape_fn((48, 128, 128), |(z, y, x)| {
        ((z * 7 + y * 3 + x) % 97) as f32 + 1.0
    });
    let path = work.options.input.join("a_0000.nii.gz");
    nifti::write_image(&path, image.view(), &geometry()).unwrap();
    (work.options.mirroring, work.options.step_size) = (false, 1.0);
    let mut peaks = Vec::new();
    for (save_softmax, memory, expected) in [
        (false, None, "whole"),
        (false, Some(MemorySize(1)), "slabs"),
        (true, None, "whole"),
        (true, Some(MemorySize(1)), "slabs"),
    ] {
        work.options.memory = memory;
        work.options.save_softmax = save_softmax;
        work.options.overwrite = true;
        work.events = Default::default();
        // The peak begins again at the present use.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        work.predict().unwrap();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        let peak = line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024;
        let (found, bound) = work.events.strategies()[0];
        println!("{found}: {} MiB, estimated {} MiB", peak >> 20, bound >> 20);
        assert_eq!(found, expected);
        assert!(peak <= bound, "{found}: {peak} bytes, estimated {bound}");
        peaks.push(peak);
    }
}
