//! Checks of the cases of a training, before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use dataset::CaseProperties;
use rayon::prelude::*;
use run::Context;
use sampling::ShapeMismatch;
use volume::UNLABELLED;

use crate::{Error, Result, TrainingData};

/// What is wrong with a case.
#[derive(Default)]
struct Findings {
    /// Labels that the network has no class for.
    unknown: Vec<i64>,
    /// Classes that were not annotated in a partially annotated case.
    absent: Vec<i64>,
    unlabelled: bool,
    weightmap_missing: bool,
    weightmap_stale: bool,
    weightmap_zero: bool,
    mismatch: Option<ShapeMismatch>,
}

impl TrainingData {
    /// Checks the cases of the fold by their records: labels above the number of classes, unlabelled voxels
    /// under a recipe that takes -1 for background, and the weightmaps of a recipe with voxel weights. Reads
    /// each case's `<case>.pkl` and the headers of its arrays, no image. Cases are checked in parallel. All
    /// affected cases are named.
    ///
    /// Labels are those that preprocessing recorded (`classes`). Cases without this record are not checked
    /// for labels here. A weightmap that is older than its case gives the warning `WARN_STALE_WEIGHTMAP`. One
    /// of a case without foreground that is 0 everywhere gives `WARN_ZERO_WEIGHTMAP`.
    ///
    /// # Errors
    /// [`Error::Labels`], [`Error::AbsentLabels`], [`Error::Unlabelled`], [`Error::Sampling`] for weightmaps that are missing or have
    /// another shape, [`Error::Dataset`] for a record that cannot be read, [`Error::Cancelled`].
    pub fn check_cases(&self, context: &Context) -> Result<()> {
        let cases: BTreeSet<&String> = self.split.train.iter().chain(&self.split.val).collect();
        let cases: Vec<&String> = cases.into_iter().collect();
        let done = AtomicU64::new(0);
        let check = |case: &&String| -> Result<Findings> {
            context.check()?;
            let findings = self.check_case(case)?;
            let done = 1 + done.fetch_add(1, Ordering::Relaxed);
            context.progress(done, cases.len() as u64, "cases", Some(case));
            Ok(findings)
        };
        let found: Vec<Findings> = context
            .pool()?
            .install(|| cases.par_iter().map(check).collect::<Result<_>>())?;
        let named = |test: fn(&Findings) -> bool| -> Vec<String> {
            let affected = cases.iter().zip(&found).filter(|(_, findings)| test(findings));
            affected.map(|(&case, _)| case.clone()).collect()
        };
        let listed = |list: fn(&Findings) -> &Vec<i64>| -> BTreeMap<String, Vec<i64>> {
            let affected = cases
                .iter()
                .zip(&found)
                .filter(|(_, findings)| !list(findings).is_empty());
            affected
                .map(|(&case, findings)| (case.clone(), list(findings).clone()))
                .collect()
        };
        let labels = listed(|findings| &findings.unknown);
        if !labels.is_empty() {
            return Err(Error::Labels {
                labels,
                highest: self.plans.num_classes,
            });
        }
        let labels = listed(|findings| &findings.absent);
        if !labels.is_empty() {
            return Err(Error::AbsentLabels { labels });
        }
        let unlabelled = named(|findings| findings.unlabelled);
        if !unlabelled.is_empty() {
            return Err(Error::Unlabelled { cases: unlabelled });
        }
        let missing = named(|findings| findings.weightmap_missing);
        let mismatched: Vec<ShapeMismatch> = found.iter().filter_map(|f| f.mismatch.clone()).collect();
        if !missing.is_empty() || !mismatched.is_empty() {
            return Err(Error::Sampling(sampling::Error::Weightmaps {
                folder: self.folder.clone(),
                missing,
                mismatched,
            }));
        }
        let stale = named(|findings| findings.weightmap_stale);
        if !stale.is_empty() {
            let message = format!(
                "the weightmaps of {} of {} cases are older than the cases; if the cases have changed, write them again \
                 with `nnunet-diag weightmaps {} --overwrite` ({})",
                stale.len(),
                cases.len(),
                self.folder.display(),
                stale.join(", ")
            );
            context.warn("WARN_STALE_WEIGHTMAP", message, None);
        }
        let zero = named(|findings| findings.weightmap_zero);
        if !zero.is_empty() {
            let message = format!(
                "the weightmaps of {} of {} cases, which have no foreground, are 0 everywhere, so the cross-entropy of \
                 their patches is 0; `nnunet-diag weightmaps --frequencies dataset` gives their background a weight ({})",
                zero.len(),
                cases.len(),
                zero.join(", ")
            );
            context.warn("WARN_ZERO_WEIGHTMAP", message, None);
        }
        Ok(())
    }

    fn check_case(&self, case: &str) -> Result<Findings> {
        let mut findings = Findings::default();
        let file = |end: &str| self.folder.join(format!("{case}{end}"));
        let record = file(".pkl");
        let mut background_only = false;
        // The loader decides whether it needs the record.
        if record.is_file() {
            let properties = CaseProperties::read(&record)?;
            if properties.dict().get("classes").is_some() {
                let labels: Vec<i64> = properties
                    .classes()?
                    .into_iter()
                    .map(|label| label as i64)
                    .collect();
                background_only = labels.iter().all(|&label| label <= 0);
                // Preprocessing records values below -1 and makes them background, as nnU-Net v1 does.
                let highest = self.plans.num_classes as i64;
                let ignored = &self.recipe.ignored_labels;
                let known = |label: &i64| {
                    *label <= highest || ignored.iter().any(|&ignored| i64::from(ignored) == *label)
                };
                findings.unknown = labels.iter().copied().filter(|label| !known(label)).collect();
                if let Some(present) = self.present.get(case) {
                    let classes = labels.iter().copied().filter(|&label| label > 0 && known(&label));
                    findings.absent = classes.filter(|label| !present.contains(label)).collect();
                }
                findings.unlabelled = self.takes_unlabelled_for_background()
                    && labels.contains(&i64::from(UNLABELLED))
                    && properties.outside_nonzero_mask_label()? == 0;
            }
        }
        if self.recipe.voxel_weights {
            let (path, archive) = (file("_weightmap.npy"), file(".npz"));
            let weightmap = modified(&path);
            findings.weightmap_missing = weightmap.is_none();
            findings.weightmap_stale = weightmap
                .zip(modified(&archive))
                .is_some_and(|(map, case)| map < case);
            findings.mismatch = mismatch(case, &path, &archive);
            // The weight of a class is one minus its frequency, so only such cases are worth the reading.
            findings.weightmap_zero = background_only && is_zero(&path).unwrap_or(false);
        }
        Ok(findings)
    }

    /// Whether unlabelled voxels enter the loss as background. Weightmaps weigh them 0, which leaves them out
    /// of the cross-entropy. The reference's rules are asked for on purpose.
    fn takes_unlabelled_for_background(&self) -> bool {
        let recipe = &self.recipe;
        let weighted_out = recipe.voxel_weights && recipe.loss.dice == 0.0;
        recipe.ignore_label.is_none() && !weighted_out && !recipe.augmentation.reference_rules
    }
}

/// Compares the shapes in the headers of a weightmap and its case. Files that cannot be read are left to the
/// loader, which reports them.
fn mismatch(case: &str, weightmap: &Path, archive: &Path) -> Option<ShapeMismatch> {
    let found = volume::npy::read_header(weightmap).ok()?.shape;
    let headers = volume::npz::headers(archive).ok()?;
    let mut expected = headers.into_iter().find(|(name, _)| name == "data")?.1.shape;
    *expected.first_mut()? = 1;
    (found != expected).then(|| ShapeMismatch {
        case: case.to_owned(),
        found,
        expected,
    })
}

/// Whether every element of an npy file is zero. Zero is all bits zero in each float type.
fn is_zero(path: &Path) -> io::Result<bool> {
    let offset = volume::npy::read_header(path).map_err(io::Error::other)?.offset;
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset as u64))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(true);
        }
        if buffer[..read].iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
    }
}

/// Time of the last change of a file; `None` if there is no such file.
fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|file| file.modified()).ok()
}
