//! Checks the files of one case.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ndarray::{Array3, Array4, Axis};
use run::{Coded, Context};
use serde::Serialize;
use serde_json::json;
use volume::{nifti, Geometry, UNLABELLED};

use super::listing::Case;
use super::options::CheckOptions;
use super::problem::{Problem, ProblemKind as Kind};
use super::repair;
use super::scan::{foreground, lost, union, Scan};
use crate::Error;

/// Report of one case.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CheckedCase")]
pub struct CaseReport {
    /// Name of the case.
    pub case: String,
    /// Size (z, y, x) of the first channel, or null if it cannot be read.
    pub size: Option<[usize; 3]>,
    /// Spacing (z, y, x) in mm of the first channel, or null if it cannot be read.
    pub spacing: Option<[f64; 3]>,
    /// Number of voxels of each label value. Empty for a case without a label.
    pub label_voxels: BTreeMap<i16, u64>,
    /// Number of unlabelled voxels (-1).
    pub unlabelled_voxels: u64,
}

/// Size and geometry of the case's first channel. All other files are compared with it.
struct Reference {
    path: PathBuf,
    size: [usize; 3],
    geometry: Geometry,
}

pub(super) struct Checker<'a> {
    pub(super) options: &'a CheckOptions,
    pub(super) context: &'a Context,
    /// Labels of `dataset.json`.
    pub(super) labels: &'a BTreeSet<i64>,
    /// Whether each channel is CT.
    pub(super) ct: Vec<bool>,
}

/// Smallest and largest foreground intensity of each CT channel.
#[derive(Default)]
pub(super) struct Spread(BTreeMap<usize, [f32; 2]>);

impl Spread {
    /// Adds the intensities of another case.
    pub(super) fn add(&mut self, other: Self) {
        for (channel, [low, high]) in other.0 {
            let range = self.0.entry(channel).or_insert([low, high]);
            *range = [range[0].min(low), range[1].max(high)];
        }
    }

    /// Returns a problem for each channel with one single intensity.
    pub(super) fn problems<'a>(&'a self, dataset: &'a Path) -> impl Iterator<Item = Problem> + 'a {
        let flat = self.0.iter().filter(|(_, [low, high])| low == high);
        flat.map(move |(channel, [value, _])| {
            let message = format!(
                "channel {channel} is CT, and every foreground voxel of every case has the intensity {value}; \
                 normalisation would divide by 0: check the images, or give the channel another name than CT"
            );
            let details = json!({ "channel": channel, "value": value });
            Problem::new(Kind::NoSpread, message).in_file(dataset).with(details)
        })
    }
}

/// Result of the check of one case.
pub(super) struct Checked {
    pub(super) report: CaseReport,
    pub(super) problems: Vec<Problem>,
    pub(super) spread: Spread,
}

impl Checker<'_> {
    /// Reads all files of a case, one at a time, and reports their problems.
    pub(super) fn check(&self, case: &Case) -> Result<Checked, Error> {
        let mut problems = Vec::new();
        let mut report = CaseReport {
            case: case.name.clone(),
            size: None,
            spacing: None,
            label_voxels: BTreeMap::new(),
            unlabelled_voxels: 0,
        };
        let mut reference: Option<Reference> = None;
        let mut spread = Spread::default();
        let (mut bounds, mut complete) = (None, !case.images.is_empty());
        // The label is read first, but its problems are listed after those of the images.
        let mut of_label = Vec::new();
        let label = match &case.label {
            Some(path) => self.label(path, &mut report, &mut of_label),
            None => None,
        };
        for (channel, path) in case.images.iter().enumerate() {
            self.context.check()?;
            let read = self.image(path, &mut problems);
            complete &= read.is_some();
            if let Some((image, scan, geometry)) = read {
                let (_, z, y, x) = image.dim();
                let size = [z, y, x];
                complete &= reference.as_ref().is_none_or(|first| first.size == size);
                bounds = union(bounds, scan.bounds);
                if let Some((label, _)) = label
                    .as_ref()
                    .filter(|(l, _)| <[usize; 3]>::from(l.dim()) == size)
                {
                    // Missing channels are not in the list.
                    let numbered = case.images.len() == self.ct.len();
                    let ct = numbered && self.ct[channel];
                    let range = ct.then(|| foreground(image.index_axis(Axis(0), 0), label.view()));
                    spread.0.extend(range.flatten().map(|range| (channel, range)));
                }
                drop(image);
                match &reference {
                    Some(first) => self.compare(first, path, size, &geometry, &mut problems)?,
                    None => {
                        (report.size, report.spacing) = (Some(size), Some(geometry.spacing));
                        reference = Some(Reference {
                            path: path.clone(),
                            size,
                            geometry,
                        });
                    }
                }
            }
        }
        problems.append(&mut of_label);
        self.context.check()?;
        if let (Some(first), Some((label, geometry)), Some(path)) = (&reference, label, &case.label) {
            let size = label.dim().into();
            if let (true, true, Some(bounds)) = (complete, size == first.size, bounds) {
                problems.extend(cropped(&label, bounds, path));
            }
            self.compare(first, path, size, &geometry, &mut problems)?;
        }
        let problems = problems.into_iter().map(|p| p.of_case(&case.name)).collect();
        Ok(Checked {
            report,
            problems,
            spread,
        })
    }

    fn image(&self, path: &Path, problems: &mut Vec<Problem>) -> Option<(Array4<f32>, Scan, Geometry)> {
        let (image, geometry) = readable(nifti::read_image(path), path, problems)?;
        problems.extend(doubt(path));
        let volumes = image.len_of(Axis(0));
        if volumes != 1 {
            let message = format!("contains {volumes} volumes; each channel needs a separate file");
            problems.push(
                Problem::new(Kind::SeveralVolumes, message)
                    .in_file(path)
                    .with(json!({ "volumes": volumes })),
            );
        }
        let scan = Scan::of(&image.view());
        let Scan { nan, infinite, .. } = scan;
        if nan + infinite > 0 {
            let message = format!(
                "contains {nan} NaN and {infinite} infinite values (or too large for float32 statistics) of {}",
                image.len()
            );
            let problem = Problem::new(Kind::NotFinite, message).in_file(path);
            problems.push(problem.with(json!({ "nan": nan, "infinite": infinite, "voxels": image.len() })));
        }
        match scan.constant() {
            Some(0.0) => {
                let message = "all voxels are 0; preprocessing refuses a case whose channels are all 0";
                problems.push(Problem::new(Kind::AllZero, message).in_file(path));
            }
            Some(value) => {
                let message = format!("all voxels are {value}");
                let problem = Problem::new(Kind::Constant, message).in_file(path);
                problems.push(problem.with(json!({ "value": value })));
            }
            None => {}
        }
        Some((image, scan, geometry))
    }

    fn label(
        &self,
        path: &Path,
        report: &mut CaseReport,
        problems: &mut Vec<Problem>,
    ) -> Option<(Array3<i16>, Geometry)> {
        let (labels, geometry) = readable(nifti::read_labels(path), path, problems)?;
        problems.extend(doubt(path));
        // Neighbours are mostly equal, so that runs are counted, not voxels.
        let mut run = (0i16, 0u64);
        for &label in &labels {
            if label != run.0 {
                *report.label_voxels.entry(run.0).or_default() += run.1;
                run = (label, 0);
            }
            run.1 += 1;
        }
        *report.label_voxels.entry(run.0).or_default() += run.1;
        report.label_voxels.retain(|_, count| *count > 0);
        report.unlabelled_voxels = report.label_voxels.get(&UNLABELLED).copied().unwrap_or(0);
        let unlisted: BTreeMap<i16, u64> = report
            .label_voxels
            .iter()
            .filter(|(&label, _)| label != UNLABELLED && !self.labels.contains(&i64::from(label)))
            .map(|(&label, &count)| (label, count))
            .collect();
        if !unlisted.is_empty() {
            let found: Vec<_> = unlisted
                .iter()
                .map(|(label, count)| format!("{label} ({count} voxels)"))
                .collect();
            let message = format!(
                "contains labels that dataset.json does not list: {}; expected {:?} (and -1 for unlabelled voxels)",
                found.join(", "),
                self.labels
            );
            let problem = Problem::new(Kind::UnlistedLabel, message).in_file(path);
            problems.push(problem.with(json!({ "unlisted": unlisted, "listed": self.labels })));
        }
        if report.unlabelled_voxels == labels.len() as u64 {
            let message = "all voxels are -1 (unlabelled); training cannot use this case";
            problems.push(Problem::new(Kind::NoAnnotation, message).in_file(path));
        }
        Some((labels, geometry))
    }

    /// Compares a file with the first channel. Repairs its geometry if requested and harmless.
    fn compare(
        &self,
        first: &Reference,
        path: &Path,
        size: [usize; 3],
        geometry: &Geometry,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Error> {
        let name = first.path.file_name().unwrap_or_default().to_string_lossy();
        if size != first.size {
            let message = format!("size (z, y, x) is {size:?}, that of {name} is {:?}", first.size);
            let details = json!({ "found": size, "expected": first.size, "reference": first.path });
            problems.push(Problem::new(Kind::Size, message).in_file(path).with(details));
            return Ok(());
        }
        let deviation = first.geometry.deviation(geometry);
        let relative = first.geometry.relative_deviation(geometry);
        if relative.within(self.options.tolerance) {
            return Ok(());
        }
        let mut message = format!(
            "differs from {name} by up to {:.6} mm ({:.3} %) in spacing, {:.6} mm ({:.4} voxels) in origin, {:.6} in \
             direction; {} of a voxel is tolerated",
            deviation.spacing,
            100.0 * relative.spacing,
            deviation.origin,
            relative.origin,
            deviation.direction,
            self.options.tolerance
        );
        let harmless = repair::is_harmless(&first.geometry, geometry, size);
        let details = json!({
            "deviation": deviation, "relative": relative, "found": geometry, "expected": first.geometry, "reference": first.path,
            "tolerance": self.options.tolerance, "harmless": harmless,
        });
        let fix = self.options.fix && (harmless || self.options.fix_displaced);
        if fix {
            repair::copy_geometry(&first.path, path, self.options.keep_originals)?;
            message.push_str("; the geometry of that file was copied");
        } else if harmless {
            message.push_str("; --fix copies that file's geometry");
        } else {
            message
                .push_str("; the files may be at different positions: inspect them before you force a fix");
        }
        let problem = Problem::new(Kind::Geometry, message).in_file(path).with(details);
        problems.push(Problem {
            fixed: fix,
            ..problem
        });
        Ok(())
    }
}

/// Returns a problem if cropping takes labelled voxels away.
fn cropped(label: &Array3<i16>, bounds: [[usize; 2]; 3], path: &Path) -> Option<Problem> {
    let (lost, labelled) = lost(label.view(), bounds);
    (lost > 0).then(|| {
        let message = format!(
            "{lost} of {labelled} labelled voxels lie outside the box around the non-zero voxels, and cropping takes \
             them away; check the image, or preprocess with --crop none"
        );
        let details = json!({ "lost": lost, "labelled": labelled, "bounds": bounds });
        Problem::new(Kind::LabelsCropped, message).in_file(path).with(details)
    })
}

/// Returns a problem if the header of a readable file contradicts itself.
fn doubt(path: &Path) -> Option<Problem> {
    let doubt = nifti::read_header(path).ok()?.doubt?;
    let message =
        format!("{doubt}; other programs may use the other value: write the right one into the header");
    Some(Problem::new(Kind::Header, message).in_file(path))
}

fn readable<T>(read: Result<T, volume::Error>, path: &Path, problems: &mut Vec<Problem>) -> Option<T> {
    read.map_err(|error| {
        let details = json!({ "code": error.code(), "details": error.details() });
        problems.push(
            Problem::new(Kind::Unreadable, error.to_string())
                .in_file(path)
                .with(details),
        );
    })
    .ok()
}
