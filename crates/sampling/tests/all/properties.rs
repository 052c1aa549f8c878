//! Use of the properties of cases.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::common::{annotated, open, options, scribble, write};
use ndarray::Array2;
use run::{Cancel, Context};
use sampling::{Collection, CollectionOptions, Error, Meaning, Sampling};
use testkit::Recorder;

/// Writes the properties of a case.
fn properties(
    folder: &Path,
    case: &str,
    locations: Option<BTreeMap<i64, Array2<i64>>>,
    outside: Option<i64>,
) {
    let mut properties = dataset::CaseProperties::new();
    if let Some(locations) = locations {
        properties.set_class_locations(locations);
    }
    if let Some(outside) = outside {
        properties.set_outside_nonzero_mask_label(outside);
    }
    properties.write(&folder.join(format!("{case}.pkl"))).unwrap();
}

#[test]
fn forced_samples_show_a_foreground_voxel() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a", 1, scribble);
    write(folder.path(), "b", 1, |_, _, _| 0);
    let voxel = Array2::from_shape_vec((1, 3), vec![5, 6, 7]).unwrap();
    let empty = BTreeMap::from([(2, Array2::zeros((0, 3)))]);
    properties(folder.path(), "a", Some(BTreeMap::from([(2, voxel)])), None);
    properties(folder.path(), "b", Some(empty), None);
    let warnings = Arc::new(Recorder::default());
    let context = Context::new(warnings.clone(), Cancel::new(), 1);
    let options = options(folder.path(), &["a", "b"], Sampling::default());
    let collection = Collection::open(&options, &context).unwrap();
    assert_eq!(warnings.warnings(), ["WARN_NO_FOREGROUND"]);
    assert!(collection.bytes() > 0);
    let mut numbers = crate::common::numbers(5);
    let mut elsewhere = 0;
    for case in collection.cases() {
        for _ in 0..50 {
            let free = collection.draw_placement(case, 0, &mut numbers).loaded;
            let forced = collection.draw_placement(case, 1, &mut numbers).loaded;
            assert!(case.case.name() == "b" || forced.contains([5, 6, 7]));
            elsewhere += usize::from(!free.contains([5, 6, 7]));
        }
    }
    assert!(elsewhere > 0, "only the last sample of a batch of two is forced");
}

#[test]
fn missing_class_locations_and_voxels_outside_the_case_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a", 1, scribble);
    let options = options(folder.path(), &["a"], Sampling::default());
    let error = open(&options).map(drop).unwrap_err();
    assert!(
        matches!(&error, Error::Properties { case, .. } if case == "a"),
        "{error}"
    );
    properties(folder.path(), "a", None, None);
    let error = open(&options).map(drop).unwrap_err();
    assert!(
        matches!(&error, Error::ClassLocations { label: None, .. }),
        "{error}"
    );
    let voxel = Array2::from_shape_vec((1, 3), vec![6, 0, 0]).unwrap();
    properties(folder.path(), "a", Some(BTreeMap::from([(3, voxel)])), None);
    let error = open(&options).map(drop).unwrap_err();
    assert!(
        matches!(&error, Error::ClassLocations { label: Some(3), .. }),
        "{error}"
    );
    let unforced = CollectionOptions {
        batch_size: 1,
        ..options
    };
    assert!(open(&unforced).is_ok(), "a batch of one forces nothing");
}

#[test]
fn properties_determine_the_meaning_of_minus_one() {
    let folder = tempfile::tempdir().unwrap();
    for (case, outside) in [("dense", Some(-1)), ("sparse", Some(0)), ("v1", None)] {
        write(folder.path(), case, 1, scribble);
        properties(folder.path(), case, None, outside);
    }
    let mut options = options(folder.path(), &["dense", "sparse", "v1"], annotated(|_| ()));
    options.ignore_label = true;
    let opened = |options: &CollectionOptions| {
        let warnings = Arc::new(Recorder::default());
        let context = Context::new(warnings.clone(), Cancel::new(), 1);
        let collection = Collection::open(options, &context).unwrap();
        let meanings: Vec<Meaning> = collection
            .cases()
            .iter()
            .map(|case| case.case.meaning())
            .collect();
        let codes = warnings.warnings();
        (meanings, codes)
    };
    let expected = vec![Meaning::Dense, Meaning::Sparse, Meaning::Unknown];
    assert_eq!(opened(&options), (expected, vec!["WARN_UNLABELLED_UNKNOWN"]));
    options.reference_rules = true;
    assert_eq!(opened(&options), (vec![Meaning::Unknown; 3], Vec::new()));
    options.ignore_label = false;
    assert_eq!(opened(&options), (vec![Meaning::Plain; 3], Vec::new()));
}
