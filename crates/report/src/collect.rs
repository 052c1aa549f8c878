//! The data of all paths.

use std::collections::BTreeMap;

use evaluate::measure::CaseMetrics;
use run::{CaseFailure, Context};

use crate::data::{Finding, Model, Report, Section, Severity, Task, ViewCase, VERSION};
use crate::find::Found;
use crate::jobs::Job;
use crate::names::Names;
use crate::options::{PageOptions, PathKind};
use crate::scores::comparison;
use crate::section::{Built, Depth};
use crate::{model, page, predictions, task_data, Error, Result};

/// Smallest part of the limit that a case gets: a thumbnail.
const LEAST_BUDGET: u64 = 8192;

/// Data of a report, without its cases.
pub(crate) struct Collected {
    pub report: Report,
    pub kinds: Vec<PathKind>,
    pub jobs: Vec<Job>,
    pub failures: Vec<CaseFailure>,
}

/// Collects the data of all paths.
pub(crate) fn collect(options: &PageOptions, depth: Depth, context: &Context) -> Result<Collected> {
    let found = options
        .paths
        .iter()
        .map(|path| Found::look(path))
        .collect::<Result<Vec<_>>>()?;
    let kinds: Vec<PathKind> = found.iter().map(Found::kind).collect();
    let mut all: Vec<Built> = Vec::new();
    for (path, found) in options.paths.iter().zip(&found) {
        context.check()?;
        all.push(match found {
            Found::Model { folds } => model::build(path, folds, options, depth, context)?,
            Found::Raw => task_data::raw(path, options, context)?,
            Found::Preprocessed => task_data::preprocessed(path, options, context)?,
            Found::Predictions => predictions::build(path, options, depth, context)?,
        });
    }
    let names = unique(&all, options);
    let mut sections = Vec::new();
    sections.extend(all_runs(&all, &names).map(Section::Model));
    let shift = sections.len();
    let (mut jobs, mut failures) = (Vec::new(), Vec::new());
    let mut measured: Vec<(PathKind, String, Vec<CaseMetrics>, Names)> = Vec::new();
    for (index, built) in all.into_iter().enumerate() {
        jobs.extend(built.jobs.into_iter().map(|job| Job {
            section: index + shift,
            ..job
        }));
        failures.extend(built.failures);
        measured.push((kinds[index], names[index].clone(), built.metrics, built.names));
        sections.push(built.section);
    }
    if let Some((kind, first, cases, labels)) = measured.first() {
        let others = measured.iter().skip(1).filter(|(other, ..)| other == kind);
        let compared =
            others.filter_map(|(_, second, others, _)| comparison([first, second], [cases, others], labels));
        sections.extend(compared.map(Section::Comparison));
    }
    Ok(Collected {
        report: Report {
            version: VERSION,
            title: names.join(", "),
            made: format!("{}Z", run::utc_now().replace(' ', "T")),
            program: format!("nnunet-diag {}", env!("CARGO_PKG_VERSION")),
            cases_left_out: 0,
            sections,
        },
        kinds,
        jobs,
        failures,
    })
}

/// Names of the sections. Equal ones are told apart by their paths.
fn unique(all: &[Built], options: &PageOptions) -> Vec<String> {
    let names: Vec<&str> = all
        .iter()
        .map(|built| match &built.section {
            Section::Model(model) => model.name.as_str(),
            Section::Task(task) => task.name.as_str(),
            Section::Predictions(predictions) => predictions.name.as_str(),
            Section::Comparison(_) => "",
        })
        .collect();
    let alone = |name: &str| names.iter().filter(|other| **other == name).count() == 1;
    let unique = names
        .iter()
        .zip(&options.paths)
        .map(|(name, path)| match alone(name) {
            true => (*name).to_owned(),
            false => path.display().to_string(),
        });
    unique.collect()
}

/// The runs of several models, laid over one another; `None` for fewer.
fn all_runs(all: &[Built], names: &[String]) -> Option<Model> {
    let models: Vec<(&Model, &String)> = all
        .iter()
        .zip(names)
        .filter_map(|(built, name)| match &built.section {
            Section::Model(model) => Some((model, name)),
            _ => None,
        })
        .collect();
    if models.len() < 2 {
        return None;
    }
    let runs = models.iter().flat_map(|(model, name)| {
        let several = model.runs.len() > 1;
        model.runs.iter().cloned().map(move |mut run| {
            run.name = match several {
                true => format!("{name} / {}", run.name),
                false => (*name).clone(),
            };
            run
        })
    });
    Some(Model {
        kind: "model",
        name: "All runs".to_owned(),
        path: String::new(),
        facts: Vec::new(),
        recipe: String::new(),
        command: String::new(),
        runs: runs.collect(),
        scores: None,
        cases: Vec::new(),
    })
}

/// The images of all cases.
#[derive(Default)]
pub(crate) struct Images {
    pub blobs: Vec<Vec<u8>>,
    /// Number of cases that were thinned.
    pub thinned: usize,
    /// Number of cases that lack channels.
    pub lacking: usize,
}

/// Cuts out the images of the cases, one case at a time, at most `budget` bytes of the page in all. A case that cannot be
/// read becomes a failure. Cases for which there is no room are left out, with a warning.
pub(crate) fn cut(collected: &mut Collected, budget: u64, context: &Context) -> Result<Images> {
    let mut images = Images::default();
    let mut left = budget;
    let all = collected.jobs.len();
    let jobs = with_room(std::mem::take(&mut collected.jobs), budget, context);
    collected.report.cases_left_out = all - jobs.len();
    for (done, job) in jobs.iter().enumerate() {
        context.check()?;
        let share = left / (jobs.len() - done) as u64;
        let (found, problems) = match job.cut(share, context) {
            Err(error @ Error::Cancelled(_)) => return Err(error),
            Err(error) => (None, vec![error]),
            Ok(cut) => cut,
        };
        for problem in problems {
            // What cannot be measured cannot be drawn: that is told once.
            let known =
                |failure: &CaseFailure| failure.case == job.name && failure.message == problem.to_string();
            if !collected.failures.iter().any(known) {
                context.warn("WARN_CASE_FAILED", problem.to_string(), Some(&job.name));
                let failure = CaseFailure::new(&job.name, &problem);
                if let Some(Section::Task(task)) = collected.report.sections.get_mut(job.section) {
                    add_finding(task, &failure);
                }
                collected.failures.push(failure);
            }
        }
        if let Some(mut found) = found {
            images.thinned += usize::from(found.case.step != [1; 3]);
            images.lacking += usize::from(!found.case.left_out.is_empty());
            left = left.saturating_sub(page::bytes_of_case(&found.case, &found.blobs));
            for layer in &mut found.case.layers {
                layer.blob += images.blobs.len();
            }
            images.blobs.extend(found.blobs);
            if let Some(cases) = collected.report.sections.get_mut(job.section).and_then(cases_of) {
                cases.push(found.case);
            }
        }
        context.progress(done as u64 + 1, jobs.len() as u64, "images", Some(&job.name));
    }
    Ok(images)
}

/// Adds a failure to the findings of its task, unless the case has an error there.
fn add_finding(task: &mut Task, failure: &CaseFailure) {
    let known = |finding: &Finding| {
        finding.severity == Severity::Error && finding.case.as_deref() == Some(&failure.case)
    };
    if !task.findings.iter().any(known) {
        task.findings.push(Finding::failed(failure));
    }
}

/// The first cases of each section, as many as there is room for.
fn with_room(jobs: Vec<Job>, budget: u64, context: &Context) -> Vec<Job> {
    let room = (budget / LEAST_BUDGET) as usize;
    if jobs.len() <= room {
        return jobs;
    }
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let ranked = jobs.into_iter().map(|job| {
        let rank = counts.entry(job.section).or_default();
        *rank += 1;
        (*rank, job)
    });
    let mut ranked: Vec<(usize, Job)> = ranked.collect();
    let all = ranked.len();
    // Stable: the worst cases of all sections before the second worst ones.
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.truncate(room);
    ranked.sort_by_key(|(rank, job)| (job.section, *rank));
    let message = format!(
        "maxSize has room for the images of {room} of {all} cases; the others are left out. Raise --max-size for more"
    );
    context.warn("WARN_REPORT_SIZE", message, None);
    ranked.into_iter().map(|(_, job)| job).collect()
}

/// The cases of a section.
pub(crate) fn cases_of(section: &mut Section) -> Option<&mut Vec<ViewCase>> {
    match section {
        Section::Model(model) => Some(&mut model.cases),
        Section::Task(task) => Some(&mut task.cases),
        Section::Predictions(predictions) => Some(&mut predictions.cases),
        Section::Comparison(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use run::Cancel;
    use testkit::Recorder;

    use super::*;
    use crate::jobs::Files;

    #[test]
    fn where_there_is_no_room_each_section_keeps_its_first_cases() {
        let job = |section: usize, name: &str| Job {
            section,
            name: name.to_owned(),
            files: Files::Raw {
                images: Vec::new(),
                reference: None,
                prediction: None,
            },
            score: None,
            names: Names::default(),
        };
        let jobs = || vec![job(0, "a"), job(0, "b"), job(0, "c"), job(2, "d"), job(2, "e")];
        let recorder = Arc::new(Recorder::default());
        let context = Context::new(recorder.clone(), Cancel::new(), 1);
        let names = |budget: u64| -> String {
            let kept = with_room(jobs(), budget, &context);
            kept.iter().map(|job| job.name.as_str()).collect()
        };
        assert_eq!(names(5 * LEAST_BUDGET), "abcde");
        assert!(recorder.events().is_empty());
        assert_eq!(names(4 * LEAST_BUDGET), "abde");
        assert_eq!(names(3 * LEAST_BUDGET + 1), "abd");
        assert_eq!(names(0), "");
        assert_eq!(recorder.warnings(), ["WARN_REPORT_SIZE"; 3]);
    }
}
