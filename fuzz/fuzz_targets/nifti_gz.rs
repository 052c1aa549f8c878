#![no_main]
fuzz::target!("nifti_gz");
