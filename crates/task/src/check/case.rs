//! Checks the files of one case.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use run::{Coded, Context};
use serde::Serialize;
use serde_json::json;
use volume::{nifti, Geometry, UNLABELLED};

use super::listing::Case;
use super::options::CheckOptions;
use super::problem::{Problem, ProblemKind as Kind};
use super::repair;
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
}

impl Checker<'_> {
    /// Reads all files of a case, one at a time, and reports their problems.
    pub(super) fn check(&self, case: &Case) -> Result<(CaseReport, Vec<Problem>), Error> {
        let mut problems = Vec::new();
        let mut report = CaseReport {
            case: case.name.clone(),
            size: None,
            spacing: None,
            label_voxels: BTreeMap::new(),
            unlabelled_voxels: 0,
        };
        let mut reference: Option<Reference> = None;
        for path in &case.images {
            self.context.check()?;
            if let Some((size, geometry)) = self.image(path, &mut problems) {
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
        if let Some(path) = &case.label {
            self.context.check()?;
            if let Some((size, geometry)) = self.label(path, &mut report, &mut problems) {
                if let Some(first) = &reference {
                    self.compare(first, path, size, &geometry, &mut problems)?;
                }
            }
        }
        let problems = problems.into_iter().map(|p| p.of_case(&case.name)).collect();
        Ok((report, problems))
    }

    fn image(&self, path: &Path, problems: &mut Vec<Problem>) -> Option<([usize; 3], Geometry)> {
        let (image, geometry) = readable(nifti::read_image(path), path, problems)?;
        let (volumes, z, y, x) = image.dim();
        if volumes != 1 {
            let message = format!("contains {volumes} volumes; each channel needs a separate file");
            problems.push(
                Problem::new(Kind::SeveralVolumes, message)
                    .in_file(path)
                    .with(json!({ "volumes": volumes })),
            );
        }
        let nan = image.iter().filter(|v| v.is_nan()).count();
        let infinite = image.iter().filter(|v| v.is_infinite()).count();
        if nan + infinite > 0 {
            let message = format!(
                "contains {nan} NaN and {infinite} infinite values of {}",
                image.len()
            );
            let problem = Problem::new(Kind::NotFinite, message).in_file(path);
            problems.push(problem.with(json!({ "nan": nan, "infinite": infinite, "voxels": image.len() })));
        }
        Some(([z, y, x], geometry))
    }

    fn label(
        &self,
        path: &Path,
        report: &mut CaseReport,
        problems: &mut Vec<Problem>,
    ) -> Option<([usize; 3], Geometry)> {
        let (labels, geometry) = readable(nifti::read_labels(path), path, problems)?;
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
        let (z, y, x) = labels.dim();
        Some(([z, y, x], geometry))
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
        if deviation.within(self.options.tolerance) {
            return Ok(());
        }
        let mut message = format!(
            "differs from {name} by up to {:.6} mm in spacing, {:.6} mm in origin, {:.6} in direction; \
             {} is tolerated",
            deviation.spacing, deviation.origin, deviation.direction, self.options.tolerance
        );
        let harmless = repair::is_harmless(&first.geometry, geometry, size);
        let details = json!({
            "deviation": deviation, "found": geometry, "expected": first.geometry, "reference": first.path,
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
