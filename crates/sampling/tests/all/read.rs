//! Compares patch reading with a plain definition, and counts the touched pages.

use std::path::Path;
use std::sync::Arc;

use ndarray::{Array3, Array4};
use proptest::prelude::*;
use sampling::{Case, Error, Meaning, PackedCache, PatchBox, StageFolder};
use volume::npz::Compression;
use volume::{npy, npz};

/// A number that differs from voxel to voxel.
fn hash(i: usize) -> u64 {
    (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40
}

struct Written {
    folder: tempfile::TempDir,
    stack: Array4<f32>,
    weights: Array4<f32>,
    previous: Array3<u8>,
}

/// A case of two image channels (many exact zeros) and labels -1 to 2.
fn write(shape: [usize; 3]) -> Written {
    let [z, y, x] = shape;
    let mut i = 0;
    let stack = Array4::from_shape_simple_fn((3, z, y, x), || {
        i += 1;
        let value = hash(i);
        if i > 2 * z * y * x {
            (value % 4) as f32 - 1.0
        } else {
            (value % 3) as f32
        }
    });
    let weights = Array4::from_shape_fn((1, z, y, x), |(_, a, b, c)| (a * 16 + b * 4 + c) as f32 / 8.0);
    let previous = Array3::from_shape_fn(shape, |(a, b, c)| (1 + (a + b + c) % 3) as u8);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    npz::write(
        &at("c.npz"),
        &[("data", stack.view().into_dyn())],
        Compression::Fast,
    )
    .unwrap();
    npy::write(&at("c.npy"), stack.view().into_dyn()).unwrap();
    npy::write(
        &at("c_weightmap.npy"),
        weights.mapv(half::f16::from_f32).view().into_dyn(),
    )
    .unwrap();
    npz::write(
        &at("c_segFromPrevStage.npz"),
        &[("data", previous.view().into_dyn())],
        Compression::Fast,
    )
    .unwrap();
    npy::write(&at("c_segFromPrevStage.npy"), previous.view().into_dyn()).unwrap();
    Written {
        folder,
        stack,
        weights,
        previous,
    }
}

fn files(folder: &Path, packed: bool) -> StageFolder {
    StageFolder {
        folder: folder.to_owned(),
        previous_stage: Some(folder.to_owned()),
        weightmaps: true,
        packed: packed.then(|| Arc::new(PackedCache::new(0))),
        ignored: Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_patch_is_its_box_with_padding(
        shape in prop::array::uniform3(1usize..6),
        lower in prop::array::uniform3(-7i64..8),
        size in prop::array::uniform3(1usize..7),
        dense in any::<bool>(),
        packed in any::<bool>(),
        ignoring in any::<bool>(),
    ) {
        let written = write(shape);
        let mut files = files(written.folder.path(), packed);
        if ignoring {
            files.ignored = vec![255, 1];
        }
        let meaning = if dense { Meaning::Dense } else { Meaning::Sparse };
        let mut case = Case::open("c", &files, meaning).unwrap();
        case.open_weights(&files).unwrap();
        prop_assert_eq!((case.shape(), case.channels(), case.label_channels()), (shape, 2, 2));
        let window = PatchBox { lower, size };
        let n = window.voxels();
        let (mut image, mut labels, mut weights) = (vec![7.0; 2 * n], vec![7; 2 * n], vec![7.0; n]);
        case.read(&window, &mut image, &mut labels, Some(&mut weights)).unwrap();
        for i in 0..n {
            let place = [i / (size[1] * size[2]), i / size[2] % size[1], i % size[2]];
            let voxel: Vec<i64> = (0..3).map(|d| lower[d] + place[d] as i64).collect();
            let inside = (0..3).all(|d| (0..shape[d] as i64).contains(&voxel[d]));
            let found = (image[i], image[n + i], labels[i], labels[n + i], weights[i]);
            if inside {
                let v: Vec<usize> = voxel.iter().map(|v| *v as usize).collect();
                let at = |c: usize| written.stack[[c, v[0], v[1], v[2]]];
                let label = match at(2) as i16 {
                    -1 if dense => 0,
                    1 if ignoring => -1,
                    label => label,
                };
                let previous = i16::from(written.previous[[v[0], v[1], v[2]]]);
                prop_assert_eq!(found, (at(0), at(1), label, previous, written.weights[[0, v[0], v[1], v[2]]]));
            } else {
                prop_assert_eq!(found, (0.0, 0.0, -1, 0, 0.0));
            }
        }
    }
}

#[test]
fn a_single_slice_without_axis_is_a_volume_of_one_slice() {
    let folder = tempfile::tempdir().unwrap();
    let stack = ndarray::Array3::from_shape_fn((2, 3, 4), |(c, y, x)| (c * 12 + y * 4 + x) as f32);
    npy::write(&folder.path().join("c.npy"), stack.view().into_dyn()).unwrap();
    let files = StageFolder {
        folder: folder.path().to_owned(),
        previous_stage: None,
        weightmaps: false,
        packed: None,
        ignored: Vec::new(),
    };
    let case = Case::open("c", &files, Meaning::Plain).unwrap();
    assert_eq!((case.shape(), case.channels()), ([1, 3, 4], 1));
}

#[test]
fn mismatched_files_are_reported() {
    let written = write([2, 3, 4]);
    let folder = written.folder.path();
    let with = files(folder, false);
    let mut case = Case::open("c", &with, Meaning::Plain).unwrap();
    npy::write(
        &folder.join("c_weightmap.npy"),
        Array3::<f32>::zeros((2, 3, 4)).view().into_dyn(),
    )
    .unwrap();
    let error = case.open_weights(&with).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("c has shape [2, 3, 4], expected [1, 2, 3, 4]"),
        "{error}"
    );
    std::fs::remove_file(folder.join("c_weightmap.npy")).unwrap();
    let error = case.open_weights(&with).unwrap_err();
    assert!(
        matches!(&error, Error::Weightmaps { missing, .. } if missing == &["c"]),
        "{error}"
    );
    for value in [f32::NAN, f32::INFINITY, -1.0] {
        let mut wrong = written.weights.clone();
        wrong[[0, 1, 2, 3]] = value;
        npy::write(&folder.join("c_weightmap.npy"), wrong.view().into_dyn()).unwrap();
        case.open_weights(&with).unwrap();
        let window = PatchBox {
            lower: [1, 1, 1],
            size: [1, 2, 3],
        };
        let error = case
            .read(&window, &mut [0.0; 12], &mut [0; 12], Some(&mut [0.0; 6]))
            .unwrap_err();
        assert!(
            matches!(&error, Error::WeightmapValue { voxel: [1, 2, 1], .. }),
            "{error}"
        );
    }
    npy::write(
        &folder.join("c_segFromPrevStage.npy"),
        Array3::<u8>::zeros((2, 3, 5)).view().into_dyn(),
    )
    .unwrap();
    let error = Case::open("c", &with, Meaning::Plain).map(|_| ()).unwrap_err();
    assert!(
        matches!(&error, Error::CaseShape { found, .. } if found == &[2, 3, 5]),
        "{error}"
    );
    let error = Case::open("d", &with, Meaning::Plain).map(|_| ()).unwrap_err();
    assert!(
        matches!(&error, Error::MissingCase { case, .. } if case == "d"),
        "{error}"
    );
}

/// Kibibytes of a mapped file that are resident in this process.
#[cfg(target_os = "linux")]
fn resident(path: &Path) -> usize {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let of_file = maps.lines().skip_while(|line| !line.ends_with(name));
    let line = of_file.skip(1).find(|line| line.starts_with("Rss:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn only_the_pages_of_a_patch_are_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("touched-pages.npy");
    npy::write(&path, Array4::<f32>::zeros((2, 192, 192, 192)).view().into_dyn()).unwrap();
    let files = StageFolder {
        folder: folder.path().to_owned(),
        previous_stage: None,
        weightmaps: false,
        packed: None,
        ignored: Vec::new(),
    };
    let case = Case::open("touched-pages", &files, Meaning::Plain).unwrap();
    let window = PatchBox {
        lower: [50, 60, 70],
        size: [16, 16, 16],
    };
    case.read(&window, &mut [0.0; 4096], &mut [0; 4096], None)
        .unwrap();
    let whole = std::fs::metadata(&path).unwrap().len() as usize / 1024;
    // 16 slices of two channels, 16 rows of 768 bytes each; the kernel maps up to 64 KiB around cached pages.
    let touched = resident(&path);
    assert!(
        touched > 0 && touched <= 16 * 2 * 128 + 64,
        "{touched} of {whole} KiB"
    );
}
