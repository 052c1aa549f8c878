#![no_main]
fuzz::target!("nifti_in_gz");
