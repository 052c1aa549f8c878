//! Computation of a task's fingerprint.

use std::collections::BTreeMap;
use std::path::Path;

use dataset::CaseProperties;
use ndarray::Axis;
use run::{Job, Progress};

use crate::files::{copy_label, copy_unless_same, create};
use crate::fingerprint::{Fingerprint, ModalityIntensities};
use crate::finished::{cropped_properties, modified};
use crate::intensity::{foreground, modality};
use crate::session::Session;
use crate::source::{write_cropped, Loaded, Source};
use crate::task_cases::{TaskCases, TrainingCase};
use crate::{Crop, Error};

/// File name of the fingerprint.
const PROPERTIES: &str = "dataset_properties.pkl";

/// Fingerprint data of one case.
struct CaseFacts {
    size: [usize; 3],
    original_size: [usize; 3],
    spacing: [f64; 3],
    /// Foreground voxels of each modality, if intensities are needed.
    foreground: Option<Vec<Vec<f32>>>,
}

/// Returns the task's fingerprint. An existing one is reused if it is newer than every file of every case.
/// Otherwise the cases are read, and the cropped data are written if requested.
pub fn collect(session: &Session<'_>) -> Result<Fingerprint, Error> {
    let Session {
        task, options, cases, ..
    } = session;
    let keep = task.cropped.as_deref().filter(|_| options.keep_cropped);
    if !options.overwrite && keep.is_none() {
        if let Some(found) = existing_fingerprint(task).filter(|found| found.crop == options.crop) {
            return Ok(found);
        }
    }
    let facts = facts_of_selected(session)?;
    let fingerprint = cases.pool().install(|| assemble(task, options.crop, facts));
    if let Some(folder) = keep {
        pickle::write_file(&folder.join(PROPERTIES), &fingerprint.to_value())?;
        if fingerprint.intensities.is_some() {
            pickle::write_file(
                &folder.join("intensityproperties.pkl"),
                &fingerprint.intensities_value(),
            )?;
        }
    }
    Ok(fingerprint)
}

/// Crops the selected cases into the folder of cropped data and returns their number.
pub fn crop_selected(session: &Session<'_>) -> Result<usize, Error> {
    Ok(facts_of_selected(session)?.len())
}

/// Reads the selected cases, and writes their cropped data if requested.
fn facts_of_selected(session: &Session<'_>) -> Result<Vec<CaseFacts>, Error> {
    let Session {
        task, options, cases, ..
    } = session;
    let keep = task.cropped.as_deref().filter(|_| options.keep_cropped);
    if let Some(folder) = keep {
        create(&folder.join("gt_segmentations"))?;
        copy_unless_same(&task.dataset_json, &folder.join("dataset.json"))?;
    }
    let jobs = session
        .selected()
        .into_iter()
        .map(|case| job(case, task))
        .collect::<Result<Vec<_>, Error>>()?;
    let total = jobs.len();
    let progress = Progress::new("cases cropped", total);
    let outcome = cases.run(&jobs, progress, |job| facts(job.input, keep, session))?;
    if !outcome.failures.is_empty() {
        return Err(Error::Cases {
            total,
            failures: outcome.failures,
        });
    }
    Ok(outcome.results.into_iter().flatten().collect())
}

fn job<'a>(case: &'a TrainingCase, task: &TaskCases) -> Result<Job<&'a TrainingCase>, Error> {
    // A case that cannot be read fails later, in its own job.
    let bytes = case
        .source
        .extent(&case.name, task.modalities.len())
        .map_or(0, |(_, bytes)| bytes);
    Ok(Job {
        case: case.name.clone(),
        bytes,
        input: case,
    })
}

fn facts(case: &TrainingCase, keep: Option<&Path>, session: &Session<'_>) -> Result<CaseFacts, Error> {
    let Session {
        task, options, cases, ..
    } = session;
    let cancel = cases.context().cancel();
    let channels = task.modalities.len();
    // The intensities of all cases are one sample: the fingerprint needs them, a part does not.
    let sampled = task.has_ct() && options.shard.is_none();
    let kept = keep
        .filter(|_| !options.overwrite && matches!(case.source, Source::Raw(_)))
        .and_then(|folder| {
            Some((
                folder,
                cropped_properties(folder, &case.name, channels, options.crop, &case.source)?,
            ))
        });
    if let Some((folder, properties)) = kept {
        let foreground = sampled.then(|| {
            let cropped = Source::Cropped {
                folder: folder.to_owned(),
            };
            cropped
                .load(&case.name, options.reading(), cancel)
                .map(|loaded| intensities(&loaded))
        });
        return CaseFacts::new(&properties, foreground.transpose()?);
    }
    let mut loaded = case.source.load(&case.name, options.reading(), cancel)?;
    session.notice_case(&case.name, &mut loaded);
    let foreground = sampled.then(|| intensities(&loaded));
    if let (Some(folder), Source::Raw(_)) = (keep, &case.source) {
        // First, because a case with its cropped data is complete: a run after a killed one skips it.
        if let Some(label) = case.source.label(&case.name) {
            copy_label(&label, folder)?;
        }
        write_cropped(folder, &case.name, &loaded, cancel)?;
    }
    CaseFacts::new(&loaded.properties, foreground)
}

impl CaseFacts {
    fn new(properties: &CaseProperties, foreground: Option<Vec<Vec<f32>>>) -> Result<Self, Error> {
        Ok(Self {
            size: properties.size_after_cropping()?,
            original_size: properties.original_size_of_raw_data()?,
            spacing: properties.original_spacing()?,
            foreground,
        })
    }
}

fn intensities(case: &Loaded) -> Vec<Vec<f32>> {
    let channels = case.cropped.data.axis_iter(Axis(0));
    channels
        .map(|channel| foreground(channel, case.cropped.segmentation.view()))
        .collect()
}

fn assemble(task: &TaskCases, crop: Crop, mut facts: Vec<CaseFacts>) -> Fingerprint {
    let intensities = task.has_ct().then(|| {
        let of = |m: usize, facts: &mut [CaseFacts]| -> ModalityIntensities {
            let voxels = facts.iter_mut().map(|f| match &mut f.foreground {
                Some(all) => std::mem::take(&mut all[m]),
                None => vec![],
            });
            modality(voxels.collect())
        };
        task.modalities
            .keys()
            .map(|&m| (m, of(m, &mut facts)))
            .collect::<BTreeMap<_, _>>()
    });
    let voxels = |shape: [usize; 3]| shape.iter().product::<usize>() as f64;
    Fingerprint {
        crop,
        cases: task.cases.iter().map(|c| c.name.clone()).collect(),
        sizes: facts.iter().map(|f| f.size).collect(),
        spacings: facts.iter().map(|f| f.spacing).collect(),
        classes: task.classes(),
        modalities: task.modalities.clone(),
        intensities,
        size_reductions: facts
            .iter()
            .map(|f| voxels(f.size) / voxels(f.original_size))
            .collect(),
    }
}

/// Reads a fingerprint from the preprocessed folder. It must have exactly these cases, and be no older than
/// any of their files.
fn existing_fingerprint(task: &TaskCases) -> Option<Fingerprint> {
    let path = task.preprocessed.join(PROPERTIES);
    let taken = modified(&path)?;
    let found = Fingerprint::from_value(&pickle::read_file(&path).ok()?).ok()?;
    let same_cases = found.cases.iter().eq(task.cases.iter().map(|c| &c.name));
    let current = task
        .cases
        .iter()
        .all(|c| c.source.modified(&c.name).is_some_and(|t| t <= taken));
    let same_intensities =
        found.modalities == task.modalities && found.intensities.is_some() == task.has_ct();
    let usable = same_cases && current && same_intensities;
    // Classes may have been renamed or added since.
    usable.then(|| Fingerprint {
        classes: task.classes(),
        ..found
    })
}
