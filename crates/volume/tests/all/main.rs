//! One program for the tests of a crate, which are compiled and linked once.

mod gzip;
mod nifti;
mod nifti_geometry;
mod nifti_write;
mod npy;
mod npz;
