//! Whole splits: checks before training, and distributions of the draws.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::common::{annotated, open, options, scribble, write, SHAPE};
use ndarray::Array4;
use run::{Cancel, Context};
use sampling::{index_path, Collection, Error, PatchBox, PatchSizes, Placement, Sampling};
use testkit::Recorder;
use volume::npy;

/// The network's box at the centre of a loaded box.
fn network_within(sizes: &PatchSizes, loaded: &PatchBox) -> PatchBox {
    let size = sizes.network;
    PatchBox {
        lower: std::array::from_fn(|d| loaded.lower[d] + ((loaded.size[d] - size[d]) / 2) as i64),
        size,
    }
}

/// Counts of each voxel over many draws.
fn draw_many(collection: &Collection, draws: usize) -> BTreeMap<[usize; 3], usize> {
    let mut numbers = crate::common::numbers(7);
    let mut counts = BTreeMap::new();
    for _ in 0..draws {
        let case = collection.draw_case(&mut numbers);
        let Placement { loaded, voxel } = collection.draw_placement(case, 0, &mut numbers);
        let voxel = voxel.unwrap();
        let network = network_within(collection.sizes(), &loaded);
        assert!(network.contains(voxel), "{voxel:?} outside {network:?}");
        for d in 0..3 {
            assert!(
                network.lower[d] >= 0 && network.lower[d] as usize + network.size[d] <= SHAPE[d],
                "{network:?}"
            );
        }
        *counts.entry(voxel).or_default() += 1;
    }
    counts
}

/// Pearson's statistic of counts against one expectation each.
fn chi_square(counts: impl Iterator<Item = (usize, f64)>) -> f64 {
    counts
        .map(|(found, expected)| (found as f64 - expected).powi(2) / expected)
        .sum()
}

fn voxels() -> Vec<([usize; 3], i16)> {
    let [z, y, x] = SHAPE;
    (0..z * y * x)
        .map(|i| [i / (y * x), i / x % y, i % x])
        .map(|v| (v, scribble(v[0], v[1], v[2])))
        .filter(|(_, label)| *label >= 0)
        .collect()
}

#[test]
fn annotated_voxels_are_drawn_uniformly() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a", 1, scribble);
    for offset in [0.0, 1.0] {
        let collection = open(&options(folder.path(), &["a"], annotated(|a| a.offset = offset))).unwrap();
        let (expected, draws) = (voxels(), 46_000);
        let counts = draw_many(&collection, draws);
        let each = draws as f64 / expected.len() as f64;
        let statistic = chi_square(
            expected
                .iter()
                .map(|(v, _)| (counts.get(v).copied().unwrap_or(0), each)),
        );
        assert!(counts.keys().all(|v| expected.iter().any(|(e, _)| e == v)));
        // 22 degrees of freedom: 48 is the 0.1 % quantile.
        assert!(
            expected.len() == 23 && statistic < 48.3,
            "{statistic} over {} voxels",
            expected.len()
        );
    }
}

#[test]
fn ignored_labels_are_never_drawn_and_the_index_knows_them() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a", 1, scribble);
    for ignored in [vec![], vec![2], vec![255, 2], vec![]] {
        let mut options = options(folder.path(), &["a"], annotated(|_| {}));
        options.stage.ignored.clone_from(&ignored);
        let counts = draw_many(&open(&options).unwrap(), 2000);
        for (voxel, label) in voxels() {
            assert_eq!(
                counts.contains_key(&voxel),
                !ignored.contains(&label),
                "{ignored:?} {voxel:?}"
            );
        }
    }
}

#[test]
fn balance_draws_classes_uniformly() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a", 1, scribble);
    let collection = open(&options(folder.path(), &["a"], annotated(|a| a.balance = true))).unwrap();
    let draws = 46_000;
    let counts = draw_many(&collection, draws);
    let expected = |label| {
        if label == 2 {
            draws as f64 / 4.0
        } else {
            draws as f64 / 42.0
        }
    };
    let statistic = chi_square(
        voxels()
            .iter()
            .map(|(v, l)| (counts.get(v).copied().unwrap_or(0), expected(*l))),
    );
    assert!(statistic < 48.3, "{statistic}");
}

#[test]
fn cases_are_drawn_uniformly_and_with_replacement() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["a", "b", "c", "d"];
    names
        .iter()
        .for_each(|case| write(folder.path(), case, 1, scribble));
    let collection = open(&options(folder.path(), &names, annotated(|_| ()))).unwrap();
    let (mut numbers, mut counts) = (crate::common::numbers(3), BTreeMap::new());
    for _ in 0..8000 {
        *counts
            .entry(collection.draw_case(&mut numbers).case.name().to_owned())
            .or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 4);
    // 3 degrees of freedom.
    assert!(
        chi_square(counts.values().map(|n| (*n, 2000.0))) < 16.3,
        "{counts:?}"
    );
}

#[test]
fn cases_without_annotation_are_all_reported_or_skipped() {
    let folder = tempfile::tempdir().unwrap();
    for (case, bare) in [("a", true), ("b", false), ("c", true)] {
        write(
            folder.path(),
            case,
            1,
            |z, y, x| if bare { -1 } else { scribble(z, y, x) },
        );
    }
    let names = ["a", "b", "c"];
    let error = open(&options(folder.path(), &names, annotated(|_| ())))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(&error, Error::NoAnnotation { cases } if cases == &["a", "c"]),
        "{error}"
    );
    let warnings = Arc::new(Recorder::default());
    let context = Context::new(warnings.clone(), Cancel::new(), 1);
    let skipping = annotated(|a| a.skip_unannotated = true);
    let collection = Collection::open(&options(folder.path(), &names, skipping), &context).unwrap();
    assert_eq!(collection.skipped(), ["a", "c"]);
    assert_eq!(
        collection
            .cases()
            .iter()
            .map(|c| c.case.name())
            .collect::<Vec<_>>(),
        ["b"]
    );
    assert_eq!(warnings.warnings(), ["WARN_SKIPPED_UNANNOTATED"]);
    let error = open(&options(folder.path(), &["a", "c"], skipping))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(&error, Error::NoAnnotation { cases } if cases.len() == 2),
        "nothing would be left: {error}"
    );
}

#[test]
fn missing_and_mismatched_weightmaps_are_all_reported() {
    let folder = tempfile::tempdir().unwrap();
    ["a", "b", "c", "d"]
        .iter()
        .for_each(|case| write(folder.path(), case, 1, scribble));
    let weights = |case: &str, z: usize| {
        let array = Array4::<f32>::ones((1, z, SHAPE[1], SHAPE[2]));
        npy::write(
            &folder.path().join(format!("{case}_weightmap.npy")),
            array.view().into_dyn(),
        )
        .unwrap();
    };
    weights("b", SHAPE[0]);
    weights("d", SHAPE[0] + 1);
    let mut options = options(folder.path(), &["a", "b", "c", "d"], annotated(|_| ()));
    options.stage.weightmaps = true;
    match open(&options).map(drop).unwrap_err() {
        Error::Weightmaps {
            folder: named,
            missing,
            mismatched,
        } => {
            assert_eq!(named, folder.path());
            assert_eq!(missing, ["a", "c"]);
            assert_eq!((mismatched.len(), mismatched[0].case.as_str()), (1, "d"));
        }
        other => panic!("{other}"),
    }
    ["a", "c", "d"].iter().for_each(|case| weights(case, SHAPE[0]));
    assert!(open(&options).is_ok());
}

#[test]
fn the_index_file_is_written_and_rebuilt_after_a_change() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a", 1, scribble);
    let options = options(folder.path(), &["a"], annotated(|_| ()));
    let first = open(&options).unwrap();
    let path = index_path(folder.path(), "a");
    let written = std::fs::read(&path).unwrap();
    let modified = path.metadata().unwrap().modified().unwrap();
    assert_eq!(first.bytes(), 0, "mapped");
    open(&options).unwrap();
    assert_eq!(
        path.metadata().unwrap().modified().unwrap(),
        modified,
        "used again"
    );
    // The case changes: one voxel annotated, elsewhere.
    write(
        folder.path(),
        "a",
        1,
        |z, y, x| if (z, y, x) == (0, 0, 3) { 1 } else { -1 },
    );
    // File systems may have millisecond timestamps: both writes could get the same one.
    let later = modified + std::time::Duration::from_secs(5);
    for file in std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if file != path {
            std::fs::File::options()
                .write(true)
                .open(&file)
                .unwrap()
                .set_modified(later)
                .unwrap();
        }
    }
    let changed = open(&options).unwrap();
    assert_ne!(std::fs::read(&path).unwrap(), written);
    assert_eq!(
        draw_many(&changed, 10).into_keys().collect::<Vec<_>>(),
        [[0, 0, 3]]
    );
    // The first collection still draws from the old case.
    assert_eq!(draw_many(&first, 1000).len(), 23);
}

#[test]
fn differing_channel_counts_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a", 1, scribble);
    write(folder.path(), "b", 2, scribble);
    let error = open(&options(folder.path(), &["a", "b"], annotated(|_| ())))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(&error, Error::CaseShape { case, .. } if case == "b"),
        "{error}"
    );
}

#[test]
fn no_case_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        open(&options(folder.path(), &[], Sampling::default())),
        Err(Error::NoCases { .. })
    ));
}
