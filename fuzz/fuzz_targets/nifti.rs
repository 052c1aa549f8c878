#![no_main]
fuzz::target!("nifti");
