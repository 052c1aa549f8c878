//! Connected components compared with a flood fill.
#![allow(clippy::unwrap_used, reason = "tests")]

use components::{label, label_values, Components, Connectivity, Error};
use ndarray::{Array3, Dim, Ix3};
use proptest::prelude::*;

/// Labels components by a flood fill from each unvisited voxel.
fn flood(image: &Array3<u8>, connectivity: Connectivity) -> Components<Ix3> {
    let mut labels = Array3::<u32>::zeros(image.dim());
    let mut sizes = Vec::new();
    let shape = [image.dim().0, image.dim().1, image.dim().2];
    for (start, &value) in image.indexed_iter() {
        if value == 0 || labels[start] != 0 {
            continue;
        }
        sizes.push(0);
        let number = sizes.len() as u32;
        let mut open = vec![[start.0, start.1, start.2]];
        labels[start] = number;
        while let Some(voxel) = open.pop() {
            *sizes.last_mut().unwrap() += 1;
            for code in 0..27_usize {
                let step = [code / 9, code / 3 % 3, code % 3].map(|n| n as isize - 1);
                let moved = step.iter().map(|n| n.unsigned_abs()).sum::<usize>();
                if moved == 0 || (connectivity == Connectivity::Face && moved > 1) {
                    continue;
                }
                let next: Option<Vec<usize>> = (0..3)
                    .map(|axis| {
                        voxel[axis]
                            .checked_add_signed(step[axis])
                            .filter(|n| *n < shape[axis])
                    })
                    .collect();
                if let Some(next) = next {
                    let next = [next[0], next[1], next[2]];
                    if image[next] == value && labels[next] == 0 {
                        labels[next] = number;
                        open.push(next);
                    }
                }
            }
        }
    }
    Components { labels, sizes }
}

/// Uniform random numbers from 0 to 1.
fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

proptest! {
    #[test]
    fn labels_equal_flood_fill(
        depth in 1_usize..9,
        height in 1_usize..9,
        width in prop_oneof![1_usize..12, 60_usize..140],
        density in 0.05_f64..0.95,
        seed in any::<u64>(),
        full in any::<bool>(),
        turned in any::<bool>(),
    ) {
        let mut random = uniform(seed);
        let mask = Array3::from_shape_fn((depth, height, width), |_| random() <= density);
        let mask = if turned { mask.reversed_axes() } else { mask };
        let connectivity = if full { Connectivity::Full } else { Connectivity::Face };
        let expected = flood(&mask.mapv(u8::from), connectivity);
        let found = label(mask.view(), |inside| inside, connectivity).unwrap();
        prop_assert_eq!(&found.labels, &expected.labels);
        prop_assert_eq!(&found.sizes, &expected.sizes);
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        prop_assert_eq!(one.install(|| label(mask.view(), |inside| inside, connectivity)).unwrap(), found);
    }

    #[test]
    fn value_labels_equal_flood_fill(
        depth in 1_usize..7,
        height in 1_usize..7,
        width in 1_usize..90,
        classes in 2_u8..5,
        repeats in 0.0_f64..0.9,
        seed in any::<u64>(),
    ) {
        let (mut random, mut last) = (uniform(seed), 0);
        let image = Array3::from_shape_fn((depth, height, width), |_| {
            if random() >= repeats {
                last = (random() * f64::from(classes)) as u8;
            }
            last
        });
        let found = label_values(image.view(), |value| value != 0).unwrap();
        prop_assert_eq!(found, flood(&image, Connectivity::Face));
    }
}

#[test]
fn two_dimensional_image_equals_one_slice() {
    let mask = ndarray::array![[true, false, true], [false, true, false], [true, true, false]];
    let face = label(mask.view(), |inside| inside, Connectivity::Face).unwrap();
    assert_eq!(face.labels, ndarray::array![[1, 0, 2], [0, 3, 0], [3, 3, 0]]);
    assert_eq!(face.sizes, [1, 1, 3]);
    let full = label(mask.view(), |inside| inside, Connectivity::Full).unwrap();
    assert_eq!((full.labels[[0, 2]], full.sizes), (1, vec![5]));
    let line = label(ndarray::array![1, 1, 0, 1].view(), |v| v == 1, Connectivity::Face).unwrap();
    assert_eq!(
        (line.labels, line.sizes),
        (ndarray::array![1, 1, 0, 2], vec![2, 1])
    );
}

#[test]
fn empty_and_full_images_are_labelled_and_four_axes_rejected() {
    let empty = Array3::<bool>::default((0, 3, 4));
    assert!(label(empty.view(), |inside| inside, Connectivity::Face)
        .unwrap()
        .sizes
        .is_empty());
    let none = Array3::<bool>::default((2, 3, 4));
    assert!(label(none.view(), |inside| inside, Connectivity::Full)
        .unwrap()
        .sizes
        .is_empty());
    assert_eq!(
        label(none.view(), |inside| !inside, Connectivity::Face)
            .unwrap()
            .sizes,
        [24]
    );
    let four = ndarray::Array::<bool, _>::default(Dim([1, 1, 1, 1]));
    assert!(matches!(
        label(four.view(), |inside| inside, Connectivity::Face),
        Err(Error::Rank { found: 4 })
    ));
}
