//! Data of a report that is served while a run trains.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use dataset::results::{
    fold_lock, DEBUG_FILE, FINAL_CHECKPOINT, PROGRESS_FILE, TRAINING_LOG, VALIDATION_FOLDER,
};
use run::Context;

use crate::collect::{cases_of, collect, cut, Collected};
use crate::data::{Report, Section};
use crate::find::Found;
use crate::options::PageOptions;
use crate::page;
use crate::section::Depth;
use crate::verb::image_budget;
use crate::Result;

/// Size and time of the files that a run writes, and whether it runs.
type Stamp = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

/// The data of paths, read again when their files change.
pub struct Source {
    options: PageOptions,
    stamp: Option<Stamp>,
    json: String,
    report: Option<Report>,
    prepared: Option<Prepared>,
    /// Number of the first blob of `prepared`. No number is used twice, so that none of earlier data gives
    /// other bytes.
    first: usize,
}

/// Data with images.
pub struct Prepared {
    report: Report,
    blobs: Vec<Vec<u8>>,
    /// What the images and scores were made of.
    stamp: Stamp,
}

impl Source {
    /// A source of these paths. Nothing is read yet.
    ///
    /// # Errors
    /// [`crate::Error::Option`].
    pub fn new(options: PageOptions) -> Result<Self> {
        run::validate(&options)?;
        Ok(Self {
            options,
            stamp: None,
            json: String::new(),
            report: None,
            prepared: None,
            first: 0,
        })
    }

    /// The options, to [`prepare`] elsewhere while the source is read.
    pub fn options(&self) -> &PageOptions {
        &self.options
    }

    /// Whether [`prepare`] would find other files than those of the images that were taken over: at first,
    /// and after a validation or a prediction.
    ///
    /// # Errors
    /// As [`crate::report`].
    pub fn is_due(&self) -> Result<bool> {
        let stamp = stamp(&self.options, Stamped::Validation)?;
        Ok(self.prepared.as_ref().map(|prepared| &prepared.stamp) != Some(&stamp))
    }

    /// Takes images over. Those before are replaced.
    pub fn take(&mut self, mut prepared: Prepared) {
        if let Some(before) = &self.prepared {
            self.first += before.blobs.len();
        }
        let cases = prepared.report.sections.iter_mut().filter_map(cases_of).flatten();
        for layer in cases.flat_map(|case| &mut case.layers) {
            layer.blob += self.first;
        }
        self.prepared = Some(prepared);
        self.render();
    }

    /// The data as JSON: curves and scores from the run's own files, with the images and scores that were
    /// prepared. Files that did not change are not read again. A task is read once.
    ///
    /// # Errors
    /// As [`crate::report`].
    pub fn read(&mut self, context: &Context) -> Result<&str> {
        let stamp = stamp(&self.options, Stamped::All)?;
        if self.stamp.as_ref() != Some(&stamp) {
            self.report = Some(collect(&self.options, Depth::Quick, context)?.report);
            self.stamp = Some(stamp);
            self.render();
        }
        Ok(&self.json)
    }

    /// Compressed bytes of a layer.
    pub fn blob(&self, number: usize) -> Option<&[u8]> {
        let index = number.checked_sub(self.first)?;
        Some(self.prepared.as_ref()?.blobs.get(index)?)
    }

    fn render(&mut self) {
        let Some(report) = &self.report else { return };
        let mut report = report.clone();
        if let Some(prepared) = &self.prepared {
            let mut sections = prepared.report.sections.clone();
            for (section, now) in sections.iter_mut().zip(&report.sections) {
                if let (Section::Model(model), Section::Model(now)) = (section, now) {
                    model.runs.clone_from(&now.runs);
                    model.facts.clone_from(&now.facts);
                }
            }
            report.sections = sections;
            report.cases_left_out = prepared.report.cases_left_out;
        }
        self.json = page::json(&report);
    }
}

/// The files of a stamp.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stamped {
    /// All that a training writes.
    All,
    /// Those that images and scores depend on.
    Validation,
}

/// The stamp of the files of all paths.
fn stamp(options: &PageOptions, files: Stamped) -> Result<Stamp> {
    let mut stamp = Stamp::new();
    for path in &options.paths {
        match Found::look(path)? {
            Found::Model { folds } => folds.iter().for_each(|fold| of_fold(fold, files, &mut stamp)),
            Found::Predictions if files == Stamped::Validation => of_predictions(path, &mut stamp),
            _ => add(path, &mut stamp),
        }
    }
    Ok(stamp)
}

fn of_fold(fold: &Path, files: Stamped, stamp: &mut Stamp) {
    let validation = fold.join(VALIDATION_FOLDER);
    if files == Stamped::Validation {
        return of_predictions(&validation, stamp);
    }
    add(&validation.join("summary.json"), stamp);
    for file in [PROGRESS_FILE, DEBUG_FILE] {
        add(&fold.join(file), stamp);
    }
    add(&fold.join(format!("{FINAL_CHECKPOINT}.model")), stamp);
    let lock = fold_lock(fold);
    // A process that was killed leaves its lock.
    let held = u64::from(storage::Lock::holder(&lock).is_some());
    stamp.insert(lock, (held, None));
    for name in crate::find::names(fold).unwrap_or_default() {
        if name.starts_with(TRAINING_LOG) {
            add(&fold.join(name), stamp);
        }
    }
}

/// Every file: other programs do not write all at once, so that a folder is older than its last file.
fn of_predictions(folder: &Path, stamp: &mut Stamp) {
    add(folder, stamp);
    for name in crate::find::names(folder).unwrap_or_default() {
        add(&folder.join(name), stamp);
    }
}

fn add(path: &Path, stamp: &mut Stamp) {
    if let Ok(found) = std::fs::metadata(path) {
        stamp.insert(path.to_owned(), (found.len(), found.modified().ok()));
    }
}

/// Measures predictions and cuts out the images of cases for a [`Source`]. This takes as long as
/// [`crate::report`].
///
/// # Errors
/// As [`crate::report`].
pub fn prepare(options: &PageOptions, context: &Context) -> Result<Prepared> {
    // Before anything is read: what changes meanwhile is found by the next look.
    let stamp = stamp(options, Stamped::Validation)?;
    let mut collected: Collected = collect(options, Depth::Full, context)?;
    let budget = image_budget(options, &page::json(&collected.report));
    let blobs = cut(&mut collected, budget, context)?.blobs;
    Ok(Prepared {
        report: collected.report,
        blobs,
        stamp,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ndarray::Array3;
    use run::Coded;
    use volume::{nifti, Geometry};

    use super::*;

    fn segmentation(folder: &Path, name: &str, label: i16) {
        let labels = Array3::from_elem([2, 3, 4], label);
        nifti::write_labels(&folder.join(name), labels.view(), &Geometry::default()).unwrap();
    }

    /// Whether images of the path are due, before and after they are prepared.
    fn due(source: &mut Source) -> bool {
        let before = source.is_due().unwrap();
        if before {
            let prepared = prepare(source.options(), &Context::silent(1)).unwrap();
            source.take(prepared);
        }
        assert!(!source.is_due().unwrap(), "due again, without a change");
        before
    }

    #[test]
    fn images_of_a_model_are_due_after_a_validation_not_after_an_epoch() {
        let root = tempfile::tempdir().unwrap();
        let fold = root.path().join("fold_0");
        fs::create_dir(&fold).unwrap();
        let progress = fold.join(PROGRESS_FILE);
        fs::write(&progress, "").unwrap();
        let mut source = Source::new(PageOptions::new(vec![root.path().to_owned()])).unwrap();
        assert!(due(&mut source), "nothing is prepared yet");
        fs::write(&progress, "{}\n").unwrap();
        fs::write(fold.join(DEBUG_FILE), "{}").unwrap();
        assert!(!due(&mut source), "an epoch");

        let validation = fold.join(VALIDATION_FOLDER);
        fs::create_dir(&validation).unwrap();
        assert!(due(&mut source), "the folder of the validation");
        segmentation(&validation, "a.nii", 1);
        assert!(due(&mut source), "a case");
        fs::write(
            validation.join("summary.json"),
            r#"{"results": {"all": [], "mean": {}}}"#,
        )
        .unwrap();
        assert!(due(&mut source), "scores");
        // The same number of bytes, as when a file without compression is written again.
        let file = validation.join("a.nii");
        let (before, time) = (
            fs::read(&file).unwrap(),
            fs::metadata(&file).unwrap().modified().unwrap(),
        );
        segmentation(&validation, "a.nii", 2);
        assert_eq!(fs::read(&file).unwrap().len(), before.len());
        let later = time + std::time::Duration::from_secs(2);
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(later)
            .unwrap();
        assert!(due(&mut source), "a case that was predicted again");
        fs::remove_file(&file).unwrap();
        assert!(due(&mut source), "a case that is gone");
    }

    #[test]
    fn images_of_predictions_are_due_for_every_new_file_and_a_lost_folder_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("predictions");
        fs::create_dir(&folder).unwrap();
        segmentation(&folder, "a.nii.gz", 1);
        let mut source = Source::new(PageOptions::new(vec![folder.clone()])).unwrap();
        assert!(due(&mut source));
        segmentation(&folder, "b.nii.gz", 1);
        assert!(due(&mut source));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(source.is_due().unwrap_err().code(), "ERR_NOT_FOUND");
    }
}
