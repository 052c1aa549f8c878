//! Compares boxes and patches with the recordings of nnU-Net v1's and DIAG's loaders (topic `sampler`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ndarray::{Array2, ArrayD, IxDyn};
use random::Draw;
use sampling::{
    draw_box, is_forced, Case, ClassLocations, Meaning, PatchBox, PatchSizes, Range, StageFolder,
};
use volume::npy;

type Arrays = BTreeMap<String, ArrayD<f64>>;

/// Returns listed numbers in turn, and records the range of each draw.
struct Scripted {
    numbers: Vec<u64>,
    asked: Vec<u64>,
}

impl Scripted {
    fn new(numbers: &[u64]) -> Self {
        Self {
            numbers: numbers.to_vec(),
            asked: Vec::new(),
        }
    }
}

impl Draw for Scripted {
    fn below(&mut self, n: u64) -> u64 {
        self.asked.push(n);
        let number = self
            .numbers
            .get(self.asked.len() - 1)
            .copied()
            .expect("more numbers drawn than scripted");
        assert!(number < n, "scripted {number} of {n}");
        number
    }
}

fn ints(array: &ArrayD<f64>) -> Vec<i64> {
    array.iter().map(|v| *v as i64).collect()
}

fn sizes(array: &ArrayD<f64>) -> Vec<usize> {
    array.iter().map(|v| *v as usize).collect()
}

/// Row `k` of a matrix.
fn row(arrays: &Arrays, name: &str, k: usize) -> Vec<i64> {
    ints(&arrays[name].index_axis(ndarray::Axis(0), k).to_owned())
}

fn unsigned(values: &[i64]) -> Vec<usize> {
    values.iter().map(|v| usize::try_from(*v).unwrap()).collect()
}

fn triple(values: &[usize]) -> [usize; 3] {
    values.try_into().unwrap()
}

/// A class with one voxel.
fn single(voxel: &[i64], shape: [usize; 3]) -> ClassLocations {
    let array = Array2::from_shape_vec((1, 3), voxel.to_vec()).unwrap();
    ClassLocations::new(&BTreeMap::from([(1, array)]), shape).unwrap()
}

/// Number of labels in the segmentation of a recording.
fn labels_of(arrays: &Arrays) -> usize {
    let segmentations = arrays.iter().filter(|(name, _)| name.ends_with("seg"));
    segmentations
        .flat_map(|(_, a)| a)
        .fold(0.0, |most: f64, v| most.max(*v)) as usize
        + 1
}

/// Writes the recorded loaders' input (image: linear index + 1, segmentation: index modulo labels) and opens
/// it.
fn open_case(folder: &Path, shape: [usize; 3], labels: usize, weights: bool) -> Case {
    let voxels: usize = shape.iter().product();
    let values = (0..voxels)
        .map(|i| i as f32 + 1.0)
        .chain((0..voxels).map(|i| (i % labels) as f32))
        .collect();
    let dims = IxDyn(&[2, shape[0], shape[1], shape[2]]);
    npy::write(
        &folder.join("case.npy"),
        ArrayD::from_shape_vec(dims, values).unwrap().view(),
    )
    .unwrap();
    if weights {
        let dims = IxDyn(&[1, shape[0], shape[1], shape[2]]);
        let values: Vec<f64> = (0..voxels).map(|i| i as f64 + 0.5).collect();
        let path = folder.join("case_weightmap.npy");
        npy::write(&path, ArrayD::from_shape_vec(dims, values).unwrap().view()).unwrap();
    }
    let files = StageFolder {
        folder: folder.to_owned(),
        previous_stage: None,
        weightmaps: weights,
        packed: None,
        ignored: Vec::new(),
    };
    let mut case = Case::open("case", &files, Meaning::Plain).unwrap();
    if weights {
        case.open_weights(&files).unwrap();
    }
    case
}

/// Reads a box and compares image and segmentation with a recorded loader's output.
fn assert_patch(case: &Case, found: &PatchBox, data: &ArrayD<f64>, seg: &ArrayD<f64>, what: &str) {
    let mut image = vec![f32::NAN; found.voxels()];
    let mut labels = vec![99; found.voxels()];
    case.read(found, &mut image, &mut labels, None).unwrap();
    assert!(
        image.iter().map(|v| f64::from(*v)).eq(data.iter().copied()),
        "{what}: image"
    );
    assert!(
        labels.iter().map(|v| f64::from(*v)).eq(seg.iter().copied()),
        "{what}: segmentation"
    );
}

#[test]
fn boxes_3d() {
    for case in testkit::cases("sampler", "loader3d_bbox") {
        let arrays = case.arrays();
        let pad = match &case.parameters["pad_sides"] {
            serde_json::Value::Array(pads) => pads.iter().map(|p| p.as_u64().unwrap() as usize).collect(),
            _ => vec![0; 3],
        };
        let mut patches = 0;
        for k in 0..arrays["shape"].shape()[0] {
            let what = format!("{} row {k}", case.file);
            let shape = triple(&unsigned(&row(&arrays, "shape", k)));
            let (patch, last) = (
                unsigned(&row(&arrays, "patch_size", k)),
                unsigned(&row(&arrays, "final_patch_size", k)),
            );
            let ranges: Vec<Range> = (0..3)
                .map(|d| Range::new(shape[d], patch[d], last[d], pad[d]))
                .collect();
            assert_eq!(
                ranges.iter().map(|r| r.lower).collect::<Vec<_>>(),
                row(&arrays, "lb", k),
                "{what}"
            );
            assert_eq!(
                ranges.iter().map(|r| r.upper).collect::<Vec<_>>(),
                row(&arrays, "ub_inclusive", k),
                "{what}"
            );
            if !arrays.contains_key("bbox_lb_forced") {
                continue;
            }
            let patch_sizes = PatchSizes::new(&patch, &last).unwrap();
            let classes = single(&row(&arrays, "voxel", k), shape);
            let forced = draw_box(shape, &patch_sizes, Some(&classes), &mut Scripted::new(&[0, 0]));
            assert_eq!(forced.lower.to_vec(), row(&arrays, "bbox_lb_forced", k), "{what}");
            let mut script = Scripted::new(&[0; 3]);
            let random = draw_box(shape, &patch_sizes, None, &mut script);
            assert_eq!(random.lower.to_vec(), row(&arrays, "lb", k), "{what}");
            assert_eq!(
                script.asked,
                ranges.iter().map(Range::len).collect::<Vec<_>>(),
                "{what}"
            );
            for (name, found) in [("", &forced), ("random_at_lb_", &random)] {
                let Some(data) = arrays.get(&format!("case{k}_{name}data")) else {
                    continue;
                };
                let folder = tempfile::tempdir().unwrap();
                let case = open_case(folder.path(), shape, labels_of(&arrays), false);
                assert_patch(&case, found, data, &arrays[&format!("case{k}_{name}seg")], &what);
                patches += 1;
            }
        }
        assert_eq!(
            patches > 0,
            arrays.contains_key("bbox_lb_forced"),
            "{}",
            case.file
        );
    }
}

#[test]
fn boxes_2d() {
    for case in testkit::cases("sampler", "loader2d_bbox") {
        let arrays = case.arrays();
        let mut patches = 0;
        for k in 0..arrays["shape"].shape()[0] {
            let what = format!("{} row {k}", case.file);
            let shape = triple(&unsigned(&row(&arrays, "shape", k)));
            let voxel = row(&arrays, "voxel", k);
            let (patch, last) = (
                unsigned(&row(&arrays, "patch_size", k)),
                unsigned(&row(&arrays, "final_patch_size", k)),
            );
            let patch_sizes = PatchSizes::new(&patch, &last).unwrap();
            let found = draw_box(
                shape,
                &patch_sizes,
                Some(&single(&voxel, shape)),
                &mut Scripted::new(&[0, 0, 0]),
            );
            assert_eq!(found.lower[0], voxel[0], "{what}: slice");
            assert_eq!(found.lower[1..], row(&arrays, "bbox_lb_forced", k), "{what}");
            let ranges: Vec<Range> = (0..2)
                .map(|d| Range::new(shape[d + 1], patch[d], last[d], 0))
                .collect();
            let mut script = Scripted::new(&[shape[0] as u64 - 1, ranges[0].len() - 1, ranges[1].len() - 1]);
            let random = draw_box(shape, &patch_sizes, None, &mut script);
            assert_eq!(random.lower[0], shape[0] as i64 - 1, "{what}");
            assert_eq!(random.lower[1..], row(&arrays, "ub_inclusive", k), "{what}");
            assert_eq!(
                script.asked,
                [shape[0] as u64, ranges[0].len(), ranges[1].len()],
                "{what}"
            );
            assert_eq!(
                ranges.iter().map(|r| r.lower).collect::<Vec<_>>(),
                row(&arrays, "lb", k),
                "{what}"
            );
            if let Some(data) = arrays.get(&format!("case{k}_data")) {
                let folder = tempfile::tempdir().unwrap();
                let case = open_case(folder.path(), shape, labels_of(&arrays), false);
                assert_patch(&case, &found, data, &arrays[&format!("case{k}_seg")], &what);
                patches += 1;
            }
        }
        assert!(patches > 0);
    }
}

#[test]
fn weightmaps_are_cropped_with_their_case() {
    for case in testkit::cases("sampler", "loader3d_weighted") {
        let arrays = case.arrays();
        let shape = triple(&sizes(&arrays["shape"]));
        let patch_sizes =
            PatchSizes::new(&sizes(&arrays["patch_size"]), &sizes(&arrays["final_patch_size"])).unwrap();
        let classes = single(&ints(&arrays["voxel"]), shape);
        let found = draw_box(shape, &patch_sizes, Some(&classes), &mut Scripted::new(&[0, 0]));
        let folder = tempfile::tempdir().unwrap();
        let opened = open_case(folder.path(), shape, labels_of(&arrays), true);
        assert_patch(&opened, &found, &arrays["data"], &arrays["seg"], &case.file);
        let (mut image, mut labels) = (vec![0.0; found.voxels()], vec![0; found.voxels()]);
        let mut weights = vec![f32::NAN; found.voxels()];
        opened
            .read(&found, &mut image, &mut labels, Some(&mut weights))
            .unwrap();
        assert!(
            weights
                .iter()
                .map(|w| f64::from(*w))
                .eq(arrays["weightmap"].iter().copied()),
            "{}",
            case.file
        );
    }
}

#[test]
fn only_classes_with_voxels_are_drawn() {
    for case in testkit::cases("sampler", "loader3d_class_choice") {
        let arrays = case.arrays();
        let (keys, counts) = (ints(&arrays["class_keys"]), sizes(&arrays["class_counts"]));
        let locations = keys
            .iter()
            .zip(&counts)
            .map(|(key, count)| (*key, Array2::zeros((*count, 3))))
            .collect();
        let classes = ClassLocations::new(&locations, [2, 2, 2]).unwrap();
        assert_eq!(
            classes.labels().collect::<Vec<_>>(),
            ints(&arrays["candidates"]),
            "{}",
            case.file
        );
        let mut script = Scripted::new(&[0, 0]);
        classes.draw(&mut script);
        let first = keys
            .iter()
            .position(|key| *key == ints(&arrays["candidates"])[0])
            .unwrap();
        assert_eq!(
            script.asked,
            [arrays["candidates"].len() as u64, counts[first] as u64]
        );
    }
}

#[test]
fn only_slices_with_the_class_are_drawn() {
    for case in testkit::cases("sampler", "loader2d_slice_choice") {
        let arrays = case.arrays();
        let label = ints(&arrays["class_candidates"])[0];
        let voxels = &arrays[&format!("voxels_of_class{label}")];
        let slices = ints(&arrays["slice_candidates"]);
        let array = Array2::from_shape_vec((voxels.shape()[0], 3), ints(voxels)).unwrap();
        let extent = triple(
            &(0..3)
                .map(|d| array.column(d).iter().max().map_or(1, |m| *m as usize + 1))
                .collect::<Vec<_>>(),
        );
        let classes = ClassLocations::new(&BTreeMap::from([(label, array.clone())]), extent).unwrap();
        for (i, slice) in slices.iter().enumerate() {
            let here: BTreeSet<Vec<usize>> = array
                .rows()
                .into_iter()
                .filter(|v| v[0] == *slice)
                .map(|v| unsigned(&v.to_vec()))
                .collect();
            let found: BTreeSet<Vec<usize>> = (0..here.len() as u64)
                .map(|n| {
                    let mut script = Scripted::new(&[0, i as u64, n]);
                    let voxel = classes.draw_by_slice(&mut script).unwrap();
                    assert_eq!(
                        script.asked,
                        [1, slices.len() as u64, here.len() as u64],
                        "{}",
                        case.file
                    );
                    voxel.to_vec()
                })
                .collect();
            assert_eq!(found, here, "{} slice {slice}", case.file);
        }
    }
}

#[test]
fn a_case_without_foreground_gets_a_random_box() {
    for case in testkit::cases("sampler", "loader3d_no_foreground") {
        let arrays = case.arrays();
        let parameter =
            |name: &str| -> Vec<usize> { serde_json::from_value(case.parameters[name].clone()).unwrap() };
        let shape = triple(&parameter("shape"));
        let patch_sizes = PatchSizes::new(&parameter("patch_size"), &parameter("final_patch_size")).unwrap();
        let calls: Vec<Vec<i64>> = (0..3).map(|d| row(&arrays, "randint_calls", d)).collect();
        let mut script = Scripted::new(&[0; 3]);
        let found = draw_box(shape, &patch_sizes, Some(&ClassLocations::default()), &mut script);
        assert_eq!(
            found.lower.to_vec(),
            calls.iter().map(|c| c[0]).collect::<Vec<_>>(),
            "{}",
            case.file
        );
        assert_eq!(
            script.asked,
            calls.iter().map(|c| (c[1] - c[0]) as u64).collect::<Vec<_>>(),
            "{}",
            case.file
        );
    }
}

#[test]
fn the_forced_samples_of_a_batch_equal_the_recording() {
    for case in testkit::cases("sampler", "oversample_rule") {
        for (name, table) in case.arrays() {
            let fraction: f64 = name.trim_start_matches('p').parse().unwrap();
            for ((batch, index), forced) in table
                .into_dimensionality::<ndarray::Ix2>()
                .unwrap()
                .indexed_iter()
            {
                // Beyond the batch's own samples the table holds what the rule would say.
                let found = is_forced(index, batch + 1, fraction);
                assert!(
                    index > batch || found == (*forced == 1.0),
                    "{name}: sample {index} of {}",
                    batch + 1
                );
            }
        }
    }
}
