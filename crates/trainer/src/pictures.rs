//! The learning curves beside a fold's checkpoints: `progress.png`, `progress.csv`, TensorBoard's events.

use std::io::Write;
use std::path::{Path, PathBuf};

use curves::EventFile;
use dataset::DatasetJson;
use run::{Context, EpochReport};

use super::setup::Setup;
use settings::TrainOptions;

/// nnU-Net v1's picture of a training.
pub(crate) const PICTURE_FILE: &str = "progress.png";
/// The same values as a table.
pub(crate) const TABLE_FILE: &str = "progress.csv";
/// Width of the picture and height of its plot, in pixels.
const SIZE: (u32, u32) = (1200, 700);

/// Writes the curves of a fold.
pub(crate) struct Pictures {
    folder: PathBuf,
    title: String,
    classes: Vec<String>,
    tensorboard: bool,
    events: Option<EventFile>,
    warned: bool,
}

impl Pictures {
    /// Curves for the fold in `folder`. Nothing is written yet.
    pub fn new(options: &TrainOptions, setup: &Setup, folder: &Path) -> Self {
        let preprocessed = setup.data.folder.parent().unwrap_or(&setup.data.folder);
        let task = preprocessed.file_name().unwrap_or_default().to_string_lossy();
        let (configuration, fold) = (options.data.configuration, options.data.fold);
        Self {
            folder: folder.to_owned(),
            title: format!("{task}, {configuration}, fold {fold}"),
            classes: class_names(preprocessed, setup.architecture.classes),
            tensorboard: options.tensorboard,
            events: None,
            warned: false,
        }
    }

    /// Writes the curves of all finished epochs. A failure must not stop the training: the first one gives a
    /// warning.
    pub fn write(&mut self, reports: &[EpochReport], context: &Context) {
        let done = [
            self.write_picture(reports),
            self.write_table(reports),
            self.write_events(reports),
        ];
        let failure = done.into_iter().find_map(Result::err);
        if let Some(error) = failure.filter(|_| !self.warned) {
            self.warned = true;
            let message = format!("the learning curves are incomplete; the training goes on: {error}");
            context.warn("WARN_CURVES_NOT_WRITTEN", message, None);
        }
    }

    fn write_picture(&self, reports: &[EpochReport]) -> Result<(), storage::Error> {
        let (width, height) = SIZE;
        let chart = curves::progress(&self.title, reports, &self.classes);
        let png = chart.draw(width, height).to_png();
        storage::write_atomic(&self.folder.join(PICTURE_FILE), |file| file.write_all(&png))
    }

    fn write_table(&self, reports: &[EpochReport]) -> Result<(), storage::Error> {
        let text = curves::table(reports);
        storage::write_atomic(&self.folder.join(TABLE_FILE), |file| {
            file.write_all(text.as_bytes())
        })
    }

    fn write_events(&mut self, reports: &[EpochReport]) -> Result<(), storage::Error> {
        match (&mut self.events, reports.last()) {
            _ if !self.tensorboard => Ok(()),
            (Some(events), Some(last)) => events.add(last),
            // The first epoch of this process: the file of an earlier one may have epochs that do not count.
            _ => {
                self.events = Some(EventFile::start(&self.folder, reports)?);
                Ok(())
            }
        }
    }
}

/// Names of the foreground classes from the task's `dataset.json`; numbers without it.
fn class_names(preprocessed: &Path, classes: i64) -> Vec<String> {
    let labels = DatasetJson::read(&preprocessed.join("dataset.json")).map(|d| d.labels);
    let labels = labels.unwrap_or_default();
    let name = |class: i64| labels.get(&class).cloned().unwrap_or_else(|| class.to_string());
    (1..classes).map(name).collect()
}
