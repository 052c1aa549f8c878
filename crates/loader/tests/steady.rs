//! The steady state allocates nothing: buffers, patches and workspaces are reused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test helpers: what fails must fail the test"
)]

#[path = "all/common.rs"]
mod common;

use std::sync::Arc;

use common::{cascade, dense, folder, options, scribbles};
use loader::{HeapBuffers, Loader, LoaderOptions};
use run::Context;
use sampling::{Annotated, Sampling};
use testkit::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations and their bytes over `count` batches.
fn measure(loader: &Loader, count: usize) -> (usize, usize) {
    let before = (Counting::calls(), Counting::bytes());
    for _ in 0..count {
        let batch = loader.next().unwrap();
        loader.recycle(batch);
    }
    (Counting::calls() - before.0, Counting::bytes() - before.1)
}

/// Cases, options and threads, whose memory does not depend on the patches.
const FIXED: usize = 64 << 10;

fn assert_steady(options: &LoaderOptions, what: &str) {
    let before = Counting::live();
    let loader = Loader::start(options, Arc::new(HeapBuffers), &Context::silent(1)).unwrap();
    let (_, first) = measure(&loader, 300);
    let (calls, bytes) = measure(&loader, 300);
    // The remaining allocations: windows or fields larger than any before, which become increasingly rare.
    assert!(
        calls <= 30 && bytes <= first / 10,
        "{what}: {calls} allocations of {bytes} bytes in 300 batches, {first} before"
    );
    assert_announced(&loader, before, what);
}

/// The loader uses at most the announced memory, and not far less.
fn assert_announced(loader: &Loader, before: usize, what: &str) {
    let taken = Counting::live() - before;
    let announced = loader.memory().total();
    assert!(
        taken <= announced + FIXED && announced < 4 * taken,
        "{what}: {taken} bytes taken, {:?} announced",
        loader.memory()
    );
}

/// A single test, because other tests would allocate at the same time.
#[test]
fn nothing_is_allocated_in_the_steady_state() {
    let (folder_dense, cases) = folder(dense);
    let mut weighted = options(folder_dense.path(), &cases, &[12, 10, 14]);
    weighted.pipeline.weightmap = true;
    assert_steady(&weighted, "3D with weightmaps");
    assert_steady(&options(folder_dense.path(), &cases, &[16, 12]), "2D");
    assert_steady(&cascade(folder_dense.path(), &cases, &[20, 24, 22]), "cascade");
    let packed = LoaderOptions {
        unpack: false,
        cache_bytes: 0,
        ..options(folder_dense.path(), &cases, &[12, 10, 14])
    };
    let before = Counting::live();
    let loader = Loader::start(&packed, Arc::new(HeapBuffers), &Context::silent(1)).unwrap();
    measure(&loader, 50);
    assert_announced(&loader, before, "packed");
    drop(loader);
    let (folder_sparse, cases) = folder(scribbles);
    let mut sparse = options(folder_sparse.path(), &cases, &[12, 10, 14]);
    sparse.pipeline.ignore_label = Some(-1);
    sparse.sampling = Sampling::Annotated(Annotated::default());
    assert_steady(&sparse, "annotated");
    // With constant sizes of window, kernel and zoom, there are no allocations at all.
    let mut strength = weighted.pipeline.strength();
    strength.spatial.rotation_probability = 0.0;
    strength.spatial.scale_probability = 0.0;
    (strength.blur.sigma, strength.low_resolution.zoom) = ([0.7; 2], [0.6; 2]);
    weighted.pipeline.strength = Some(strength);
    let loader = Loader::start(&weighted, Arc::new(HeapBuffers), &Context::silent(1)).unwrap();
    measure(&loader, 400);
    // A busy machine lets a thread wait for the first time here and there, which allocates its place in a queue.
    let windows = [(); 3].map(|()| measure(&loader, 200));
    assert!(windows.contains(&(0, 0)), "{windows:?}");
}
