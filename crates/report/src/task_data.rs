//! A raw or preprocessed task.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use dataset::files::image_file;
use dataset::{stage_cases, CaseProperties, Configuration, DatasetJson, Folders, Plans};
use dataset::{PLANS_2D_FILE, PLANS_3D_FILE};
use run::{CaseFailure, CaseLoop, Context, Job as LoopJob, Progress};
use task::check::{check_dataset, CheckOptions};
use volume::nifti;

use crate::data::{Fact, Finding, Patch, Section, Severity, Task};
use crate::find::names as list_names;
use crate::images::Images;
use crate::jobs::{Files, Job, Place};
use crate::measured::{fingerprint, histograms, sizes, table, Measured};
use crate::names::Names;
use crate::options::PageOptions;
use crate::section::{fact, part, Built};
use crate::{Error, Result};

/// The section of a raw task.
pub(crate) fn raw(path: &Path, options: &PageOptions, context: &Context) -> Result<Built> {
    // A path with a separator is a folder, whatever its name.
    let folder = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let checked = check_dataset(&CheckOptions::new(folder.to_string_lossy()), &part(context))?;
    let dataset = DatasetJson::read(&folder.join("dataset.json"))?;
    let names = Names::of(&dataset);
    let findings = checked.problems.iter().map(|problem| {
        let kind = serde_json::to_value(problem.kind).unwrap_or_default();
        Finding {
            severity: Severity::Error,
            code: kind.as_str().unwrap_or_default().to_owned(),
            case: problem.case.clone(),
            message: problem.message.clone(),
        }
    });
    let findings: Vec<Finding> = findings.collect();
    let training: BTreeSet<String> = dataset.cases().into_iter().collect();
    let measured = checked.cases.iter().map(|case| Measured {
        case: case.case.clone(),
        size: case.size,
        spacing: case.spacing,
        labels: case.label_voxels.clone(),
    });
    let measured: Vec<Measured> = measured.collect();
    let mut facts = task_facts(&dataset);
    facts.insert(1, fact("Training cases", training.len()));
    facts.insert(2, fact("Test cases", dataset.test.len()));
    let folders = Folders::default().resolve(context);
    let preprocessed = folders
        .preprocessed
        .map(|base| base.join(&checked.task))
        .filter(|folder| folder.is_dir());
    let planned = preprocessed.as_deref().map(plans).unwrap_or_default();
    facts.extend(fingerprint(&measured));
    let images = Images::new(Some(&folder.join("imagesTr")), &[])?;
    let jobs = training.iter().take(options.cases).map(|case| Job {
        section: 0,
        name: case.clone(),
        files: Files::Raw {
            images: images.of(case),
            reference: image_file(&folder.join("labelsTr"), case),
            prediction: None,
        },
        score: None,
        names: names.clone(),
    });
    Ok(Built {
        jobs: jobs.collect(),
        section: Section::Task(Task {
            kind: "task",
            name: checked.task,
            path: path.display().to_string(),
            facts,
            findings,
            histograms: histograms(&measured),
            table: table(&measured, &names, &[]),
            patches: patches(&planned),
            sizes: sizes(&measured),
            cases: Vec::new(),
        }),
        metrics: Vec::new(),
        names,
        failures: checked.failures,
    })
}

/// The section of a preprocessed task.
pub(crate) fn preprocessed(path: &Path, options: &PageOptions, context: &Context) -> Result<Built> {
    let dataset = path
        .join("dataset.json")
        .is_file()
        .then(|| DatasetJson::read(&path.join("dataset.json")))
        .transpose()?;
    let planned = plans(path);
    let names = dataset.as_ref().map(Names::of).unwrap_or_default();
    let names = names.or_channels(planned.values().next());
    let stages: Vec<String> = list_names(path)?
        .into_iter()
        .filter(|name| name.contains("_stage") && path.join(name).is_dir())
        .collect();
    // The finest one; those of 2D plans come before those of 3D.
    let stage = stages
        .iter()
        .max_by_key(|name| (!name.contains("2D"), (*name).clone()));
    let folder = stage.map(|name| path.join(name));
    let cases: Vec<String> = match &folder {
        Some(folder) => stage_cases(folder)?.into_iter().collect(),
        None => Vec::new(),
    };
    let (measured, places, failures) = measure(path, folder.as_deref(), &cases, context)?;
    let mut facts = dataset.as_ref().map(task_facts).unwrap_or_default();
    facts.push(fact("Preprocessed cases", cases.len()));
    facts.push(fact("Stages", stages.join(", ")));
    let weightmap = |case: &str| {
        let file = folder.as_ref()?.join(format!("{case}_weightmap.npy"));
        file.is_file().then_some(file)
    };
    let weighted: Vec<bool> = cases.iter().map(|case| weightmap(case).is_some()).collect();
    let count = weighted.iter().filter(|there| **there).count();
    facts.push(fact("Weightmaps", format!("{count} of {}", cases.len())));
    facts.extend(fingerprint(&measured));
    let mut findings: Vec<Finding> = failures.iter().map(Finding::failed).collect();
    if count > 0 && count < cases.len() {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "weightmapMissing".to_owned(),
            case: None,
            message: format!(
                "{} cases have no weightmap; run `nnunet-diag weightmaps` again",
                cases.len() - count
            ),
        });
    }
    let axes = planned
        .values()
        .next()
        .map_or([0, 1, 2], |plans| plans.transpose_forward);
    let jobs = folder.iter().flat_map(|folder| {
        let placed = cases.iter().zip(&places).take(options.cases);
        placed.filter_map(|(case, place)| {
            let files = Files::Preprocessed {
                data: folder.join(format!("{case}.npz")),
                weightmap: weightmap(case),
                axes,
                // Without it the case has failed already.
                place: place.get()?.clone(),
            };
            Some(Job {
                section: 0,
                name: case.clone(),
                files,
                score: None,
                names: names.clone(),
            })
        })
    });
    let task = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(Built {
        jobs: jobs.collect(),
        section: Section::Task(Task {
            kind: "task",
            name: task,
            path: path.display().to_string(),
            facts,
            findings,
            histograms: histograms(&measured),
            table: table(&measured, &names, if count > 0 { &weighted } else { &[] }),
            patches: patches(&planned),
            sizes: sizes(&measured),
            cases: Vec::new(),
        }),
        metrics: Vec::new(),
        names,
        failures,
    })
}

/// Size, spacing and labels of preprocessed cases, as they were before preprocessing, and where the cases were. Each
/// `<case>.pkl` is read once.
fn measure(
    path: &Path,
    folder: Option<&Path>,
    cases: &[String],
    context: &Context,
) -> Result<(Vec<Measured>, Vec<OnceLock<Place>>, Vec<CaseFailure>)> {
    let Some(folder) = folder else {
        return Ok((Vec::new(), Vec::new(), Vec::new()));
    };
    // Known even where the labels of a case cannot be read.
    let places: Vec<OnceLock<Place>> = cases.iter().map(|_| OnceLock::new()).collect();
    let jobs: Vec<_> = cases
        .iter()
        .zip(&places)
        .map(|(case, place)| LoopJob::new(case, place))
        .collect();
    let outcome = CaseLoop::new(context)?.run(&jobs, Progress::new("cases", jobs.len()), |job| {
        let properties = CaseProperties::read(&folder.join(format!("{}.pkl", job.case)))?;
        let place = Place::of(&properties)?;
        job.input.get_or_init(|| place);
        let mut labels = BTreeMap::new();
        if let Some(file) = image_file(&path.join("gt_segmentations"), &job.case) {
            for label in nifti::read_labels(&file)?.0 {
                *labels.entry(label).or_insert(0) += 1;
            }
        }
        Ok::<_, Error>(Measured {
            case: job.case.clone(),
            size: Some(properties.original_size_of_raw_data()?),
            spacing: Some(properties.original_spacing()?),
            labels,
        })
    })?;
    // A case that failed keeps its row, without values.
    let measured = outcome.results.into_iter().zip(cases).map(|(found, case)| {
        found.unwrap_or_else(|| Measured {
            case: case.clone(),
            ..Measured::default()
        })
    });
    let measured = measured.collect();
    Ok((measured, places, outcome.failures))
}

fn task_facts(dataset: &DatasetJson) -> Vec<Fact> {
    let join = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>().join(", ");
    let labels = dataset
        .labels
        .iter()
        .map(|(value, name)| format!("{value} {name}"));
    vec![
        fact("Channels", join(&mut dataset.modality.values().cloned())),
        fact("Labels", join(&mut { labels })),
    ]
}

/// The plans of a preprocessed task that can be read, by file name: 2D, 3D.
fn plans(folder: &Path) -> BTreeMap<&'static str, Plans> {
    let read = |name: &'static str| Some((name, Plans::read(&folder.join(name)).ok()?));
    [PLANS_3D_FILE, PLANS_2D_FILE]
        .into_iter()
        .filter_map(read)
        .collect()
}

fn patches(plans: &BTreeMap<&'static str, Plans>) -> Vec<Patch> {
    let patch = |configuration: Configuration| {
        let plans = plans.get(configuration.plans_file())?;
        let stage = plans.stage(configuration.stage(plans).ok()?).ok()?;
        let patch = stage.patch_size.clone();
        // 2D patches have the last two axes of the network.
        let skipped = 3_usize.saturating_sub(patch.len());
        Some(Patch {
            configuration: configuration.name().to_owned(),
            spacing: stage.current_spacing[skipped..].to_vec(),
            axes: plans.transpose_forward[skipped..].to_vec(),
            patch,
            batch: stage.batch_size,
        })
    };
    Configuration::ALL.into_iter().filter_map(patch).collect()
}
