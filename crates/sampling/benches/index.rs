//! Time to build an annotation index of a large volume and to draw from it: `cargo bench -p sampling --bench
//! index`.

use std::hint::black_box;
use std::time::Instant;

use random::{Purpose, Rng};
use sampling::{AnnotationIndex, IndexBuilder, Meaning};

/// Labels of slice `z`: scribbles of three classes in one slice of eight, or every voxel labelled in bands.
fn slice(z: usize, side: usize, dense: bool) -> Vec<f32> {
    let label = |y: usize, x: usize| ((x / 23 + y / 31 + z / 17) % 4) as f32;
    let scribble = |y: usize, x: usize| z % 8 == 3 && (x + 3 * y) % 97 < 4;
    let at = |i: usize| (i / side, i % side);
    (0..side * side)
        .map(at)
        .map(|(y, x)| {
            if dense || scribble(y, x) {
                label(y, x)
            } else {
                -1.0
            }
        })
        .collect()
}

fn report(name: &str, side: usize, dense: bool, balance: bool) {
    let slices: Vec<Vec<f32>> = (0..side).map(|z| slice(z, side, dense)).collect();
    let started = Instant::now();
    let mut builder = IndexBuilder::new([side; 3], Meaning::Sparse, balance);
    slices.iter().for_each(|slice| builder.push(slice));
    let index: AnnotationIndex = builder.finish();
    let built = started.elapsed();
    let draws = 1_000_000;
    let mut numbers = Rng::keyed(1, Purpose::TrainingPatch, 0, 0, 0);
    let started = Instant::now();
    for _ in 0..draws {
        black_box(index.draw(balance, &mut numbers));
    }
    println!(
        "{name:32} {side}^3: build {:6.1} ms, {:8.1} KiB, draw {:.3} us of {} annotated voxels",
        built.as_secs_f64() * 1e3,
        index.bytes() as f64 / 1024.0,
        started.elapsed().as_secs_f64() * 1e6 / f64::from(draws),
        index.annotated(),
    );
}

fn main() {
    report("scribbles, uniform", 512, false, false);
    report("scribbles, balanced", 512, false, true);
    report("every voxel labelled, uniform", 512, true, false);
    report("every voxel labelled, balanced", 512, true, true);
}
