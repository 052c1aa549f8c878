//! Writes the cases of a converted dataset.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::files::only_one;
use run::{Cancel, CaseLoop, Context, Event, Job as Case, Outcome, Progress};
use serde_json::json;
use storage::Links;
use volume::nifti::{self, Stored};

use super::source::{Images, Job, Relabel, Source};
use super::ConvertOptions;
use crate::Error;

/// Writes all cases into the folder of the result, and says so. Returns of each case whether a label value became another
/// one.
pub(super) fn write_cases(
    source: &Source,
    options: &ConvertOptions,
    folder: &Path,
    context: &Context,
) -> Result<Outcome<bool>, Error> {
    let settings = json!({ "source": options.source, "convention": source.convention, "folder": folder });
    context.emit(Event::Started {
        verb: "convert",
        settings,
    });
    make_folders(folder, &source.jobs)?;
    let jobs: Vec<_> = source.jobs.iter().map(|job| Case::new(&job.case, job)).collect();
    let progress = Progress::new("cases", jobs.len());
    CaseLoop::new(context)?.run(&jobs, progress, |job| {
        write_case(source, job.input, folder, context.cancel())
    })
}

/// Creates the folders of the cases.
fn make_folders(folder: &Path, jobs: &[Job]) -> Result<(), Error> {
    let mut names = vec!["imagesTr", "labelsTr"];
    if jobs.iter().any(|job| job.test) {
        names.push("imagesTs");
    }
    if jobs.iter().any(|job| job.test && job.label.is_some()) {
        names.push("labelsTs");
    }
    for name in names {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).map_err(|e| Error::io(path, e))?;
    }
    Ok(())
}

/// Writes all files of a case, the label last. Checks for cancellation between files. Returns whether a label value became
/// another one.
fn write_case(source: &Source, job: &Job, folder: &Path, cancel: &Cancel) -> Result<bool, Error> {
    let part = if job.test { "Ts" } else { "Tr" };
    let images = folder.join(format!("images{part}"));
    let target = |channel: usize| images.join(format!("{}_{channel:04}.nii.gz", job.case));
    let expected = source.dataset.modality.len();
    match &job.images {
        Images::Channels(files) => {
            numbered(&job.case, files, expected)?;
            files
                .iter()
                .try_for_each(|(&channel, file)| copy(file, &target(channel), cancel))?;
        }
        Images::Listed(files) => {
            if files.len() != expected {
                let problem = format!(
                    "case {} lists {} images for {expected} channels",
                    job.case,
                    files.len()
                );
                return Err(Error::value("dataset", problem));
            }
            files
                .iter()
                .enumerate()
                .try_for_each(|(channel, file)| copy(file, &target(channel), cancel))?;
        }
        Images::Volumes(file) => {
            only_one(file)?;
            let found = nifti::read_header(file)?.channels;
            if found != expected {
                let problem = format!("contains {found} volumes, but dataset.json lists {expected} channels");
                return Err(Error::record(file, problem));
            }
            let image = Stored::open(file)?;
            for channel in 0..image.channels() {
                cancel.check()?;
                image.save_volume(channel, &target(channel))?;
            }
        }
    }
    let Some(label) = &job.label else {
        if job.test {
            return Ok(false);
        }
        let image = match &job.images {
            Images::Channels(files) => files.values().next(),
            Images::Listed(files) => files.first(),
            Images::Volumes(file) => Some(file),
        };
        let place = image.map_or(folder, PathBuf::as_path);
        let problem = format!("case {} has no label beside this image", job.case);
        return Err(Error::record(place, problem));
    };
    let path = folder
        .join(format!("labels{part}"))
        .join(format!("{}.nii.gz", job.case));
    if let Some(Relabel { from, to }) = source.relabel {
        cancel.check()?;
        only_one(label)?;
        let (mut labels, geometry) = nifti::read_labels(label)?;
        if labels.iter().any(|&value| value == from) {
            labels.mapv_inplace(|value| if value == from { to } else { value });
            nifti::write_labels(&path, labels.view(), &geometry)?;
            return Ok(true);
        }
    }
    copy(label, &path, cancel)?;
    Ok(false)
}

/// Fails unless a case has exactly the files of channels 0, 1, ...
fn numbered(case: &str, files: &BTreeMap<usize, PathBuf>, channels: usize) -> Result<(), Error> {
    if let Some(channel) = (0..channels).find(|channel| !files.contains_key(channel)) {
        let any = files.values().next().and_then(|file| file.parent());
        return Err(dataset::Error::ChannelMissing {
            case: case.to_owned(),
            name: format!("{case}_{channel:04}"),
            folder: any.unwrap_or(Path::new("imagesTr")).to_owned(),
            channels,
        }
        .into());
    }
    match files.range(channels..).next() {
        Some((channel, file)) => {
            let problem = format!("is channel {channel}, but dataset.json lists {channels} channels");
            Err(Error::record(file, problem))
        }
        None => Ok(()),
    }
}

/// Copies a NIfTI file, compressed.
fn copy(from: &Path, to: &Path, cancel: &Cancel) -> Result<(), Error> {
    cancel.check()?;
    only_one(from)?;
    if from.extension().is_some_and(|e| e == "gz") {
        // Checks that the source is a whole image before it is copied.
        nifti::verify(from)?;
        storage::copy_file(from, to, Links::Follow)?;
        return Ok(());
    }
    Ok(Stored::open(from)?.save(to)?)
}
