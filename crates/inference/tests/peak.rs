//! The estimate of the memory is not exceeded. A test of its own, because the peak is that of the process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "all/common.rs"]
mod common;

use std::fs;

use common::Work;
use ndarray::Array3;
use settings::MemorySize;
use volume::{nifti, Geometry};

#[test]
fn the_estimate_bounds_the_peak() {
    let mut work = Work::new(&[]);
    let (z, y, x) = (160, 128, 128);
    for channel in 0..work.channels() {
        let image = Array3::from_shape_fn((z, y, x), |(z, y, x)| ((z * 7 + y * 3 + x) % 97) as f32 + 1.0);
        let path = work.options.input.join(format!("a_{channel:04}.nii.gz"));
        nifti::write_image(&path, image.view(), &Geometry::default()).unwrap();
    }
    work.options.mirroring = false;
    for (memory, strategy) in [(None, "whole"), (Some(MemorySize(1)), "slabs")] {
        work.options.memory = memory;
        work.options.overwrite = true;
        // The peak begins again at the present use.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        work.counts();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        let peak = line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024;
        let (found, bound) = work.events.strategies()[0];
        assert_eq!(found, strategy);
        assert!(peak <= bound, "{strategy}: {peak} bytes, estimated {bound}");
        println!("{strategy}: {} MiB, estimated {} MiB", peak >> 20, bound >> 20);
    }
}
