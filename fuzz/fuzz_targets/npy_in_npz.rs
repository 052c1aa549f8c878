#![no_main]
fuzz::target!("npy_in_npz");
