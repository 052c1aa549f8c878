//! The verb `ensemble`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use evaluate::postprocessing::{read_rules, write_rules, Rules};
use half::f16;
use run::{Cancel, CaseFailure, CaseLoop, Context, Event, Job, NotFound, Options, Progress, Shard};
use serde::Serialize;
use serde_json::json;
use volume::{nifti, npz};

use crate::merge::{merge, Merged};
use crate::probabilities::{mean, Description, Mean};
use crate::Error;

/// Subfolder of the segmentations without postprocessing, as in nnU-Net v1.
const NOT_POSTPROCESSED: &str = "not_postprocessed";

/// Options of [`ensemble`].
#[run::options]
pub struct EnsembleOptions {
    /// Folders of the models: `<case>.npz` and `<case>.pkl` of each case, as `predict --save-softmax`, nnU-Net v1 and
    /// nnU-Net v2 write them.
    #[schemars(length(min = 2))]
    pub folders: Vec<PathBuf>,
    /// Folder for the segmentations. Created if missing; existing segmentations are replaced.
    #[schemars(length(min = 1))]
    pub output: PathBuf,
    /// For predictions of nnU-Net v2: the folder of a model of the ensemble, for its `plans.json` and `dataset.json`. The
    /// default is the first of the folders, where `predict` copies them.
    pub model: Option<PathBuf>,
    /// A `postprocessing.json` to apply. The segmentations without it are then in `not_postprocessed`.
    pub rules: Option<PathBuf>,
    /// Also writes the mean softmax, `<case>.npz` and `<case>.pkl`.
    #[default]
    pub save_softmax: bool,
    /// Part of the cases, `I/N`: this machine works on part I of N, from 1.
    pub shard: Option<Shard>,
    /// Memory for the cases that run at the same time, in GiB. The default is 60 % of the available memory.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub memory_budget: Option<f64>,
}

impl Options for EnsembleOptions {}

/// Outcome of [`ensemble`].
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnsembleSummary {
    /// Cases segmented; with `shard`, of its part.
    pub written: usize,
    /// Labels that keep only their largest component, in order; null without postprocessing. A list of several labels
    /// is their union.
    pub postprocessing: Option<Vec<Vec<i16>>>,
    /// Cases that failed while the others continued.
    pub failures: Vec<CaseFailure>,
    /// Folder of the segmentations.
    pub output: PathBuf,
}

/// Averages the softmax of several models and writes the segmentations.
///
/// A case that one model lacks, or whose files disagree, fails; the others continue.
///
/// Source: `nnunet.inference.ensemble_predictions.merge`.
///
/// # Errors
/// [`Error::Option`], [`Error::NotFound`] for a folder or the rules, [`Error::NoCases`], [`Error::Evaluate`] for invalid
/// rules, [`Error::Folder`], [`Error::Cancelled`].
pub fn ensemble(options: &EnsembleOptions, context: &Context) -> Result<EnsembleSummary, Error> {
    run::validate(options)?;
    let advice = "predict with --save-softmax first, or choose another folder";
    for folder in &options.folders {
        NotFound::unless_exists("folder of a model's softmax", folder, advice)?;
    }
    let rules = rules_of(options)?;
    let all = cases_of(&options.folders)?;
    let any = all.first().map(String::as_str).unwrap_or_default();
    let description = Description::find(&options.folders, any, options.model.as_deref())?;
    let cases = Shard::select(options.shard, all.iter().cloned().collect());
    let target = Target::new(options, rules.as_ref())?;
    if description.is_some() {
        let folder = options.model.as_deref().unwrap_or(&options.folders[0]);
        v2::copy_descriptions(folder, &options.output)?;
    }
    context.emit(Event::Started {
        verb: "ensemble",
        settings: json!({
            "models": options.folders.len(), "cases": cases.len(), "shard": options.shard,
            "postprocessing": rules.as_ref().map(Rules::label_lists), "workers": context.workers(),
        }),
    });
    let jobs: Vec<_> = cases
        .into_iter()
        .map(|case| Job {
            bytes: memory(&options.folders[0], &case),
            input: (),
            case,
        })
        .collect();
    let bytes = options
        .memory_budget
        .map(|gib| (gib * (1u64 << 30) as f64) as u64);
    let case_loop = CaseLoop::new(context)?.with_memory_budget(bytes);
    let outcome = case_loop.run(&jobs, Progress::new("cases", jobs.len()), |job| {
        let cancel = context.cancel();
        match &description {
            None => target.write(&job.case, merge(&options.folders, &job.case, cancel)?, cancel),
            Some(description) => {
                let mean = mean(&options.folders, &job.case, description, cancel)?;
                target.write_v2(&job.case, mean, description, cancel)
            }
        }
    })?;
    Ok(EnsembleSummary {
        written: outcome.results.iter().flatten().count(),
        postprocessing: rules.as_ref().map(Rules::label_lists),
        failures: outcome.failures,
        output: options.output.clone(),
    })
}

fn rules_of(options: &EnsembleOptions) -> Result<Option<Rules>, Error> {
    let Some(file) = &options.rules else {
        return Ok(None);
    };
    let advice = "make it with `nnunet-diag determine-postprocessing`, or choose another file";
    NotFound::unless_exists("postprocessing file", file, advice)?;
    let rules = read_rules(file)?;
    rules.check()?;
    Ok(Some(rules))
}

/// Every case of which a folder has a softmax.
fn cases_of(folders: &[PathBuf]) -> Result<BTreeSet<String>, Error> {
    let mut cases = BTreeSet::new();
    for folder in folders {
        let failed = |source| Error::Folder {
            folder: folder.clone(),
            source,
        };
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "npz") {
                cases.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
    }
    if cases.is_empty() {
        return Err(Error::NoCases {
            folder: folders.first().cloned().unwrap_or_default(),
        });
    }
    Ok(cases)
}

/// Upper bound of the memory of a case, from the header of its first softmax: two in float32 and one in half precision.
/// An unreadable file needs none; its case fails.
pub(crate) fn memory(folder: &Path, case: &str) -> u64 {
    let headers = npz::headers(&folder.join(format!("{case}.npz"))).unwrap_or_default();
    let values = headers
        .iter()
        .map(|(_, header)| header.shape.iter().map(|n| *n as u64).product::<u64>());
    values.max().unwrap_or(0) * 10
}

/// Upper bound of the memory of each case in bytes, from the headers of the softmax.
///
/// # Errors
/// [`Error::NoCases`], [`Error::Folder`].
pub fn memory_of_cases(options: &EnsembleOptions) -> Result<Vec<u64>, Error> {
    let cases = cases_of(&options.folders)?;
    let first = options
        .folders
        .first()
        .map(PathBuf::as_path)
        .unwrap_or(Path::new(""));
    Ok(cases.iter().map(|case| memory(first, case)).collect())
}

/// Where the results of a case are written.
struct Target<'a> {
    /// Segmentations without postprocessing, and the softmax.
    raw: PathBuf,
    /// Segmentations with postprocessing, and its rules.
    postprocessed: Option<(&'a Path, &'a Rules)>,
    save_softmax: bool,
}

impl<'a> Target<'a> {
    fn new(options: &'a EnsembleOptions, rules: Option<&'a Rules>) -> Result<Self, Error> {
        let output = &*options.output;
        let raw = match rules {
            Some(_) => output.join(NOT_POSTPROCESSED),
            None => output.to_owned(),
        };
        std::fs::create_dir_all(&raw).map_err(|source| Error::Folder {
            folder: raw.clone(),
            source,
        })?;
        if let Some(rules) = rules {
            write_rules(&output.join("postprocessing.json"), rules)?;
        }
        Ok(Self {
            raw,
            postprocessed: rules.map(|rules| (output, rules)),
            save_softmax: options.save_softmax,
        })
    }

    /// Writes a case. The segmentation in the output folder is the last file.
    fn write(&self, case: &str, merged: Merged, cancel: &Cancel) -> Result<(), Error> {
        let Merged {
            softmax,
            properties,
            mut labels,
            geometry,
        } = merged;
        if self.save_softmax {
            let half = softmax.mapv(f16::from_f32).into_dyn();
            let file = self.raw.join(format!("{case}.npz"));
            npz::write(&file, &[("softmax", half.view())], npz::Compression::Fast)?;
            properties.write(&self.raw.join(format!("{case}.pkl")))?;
        }
        let name = format!("{case}.nii.gz");
        nifti::write_labels_cancellable(&self.raw.join(&name), labels.view(), &geometry, cancel)?;
        if let Some((folder, rules)) = self.postprocessed {
            rules.apply(labels.view_mut(), &geometry)?;
            nifti::write_labels_cancellable(&folder.join(&name), labels.view(), &geometry, cancel)?;
        }
        Ok(())
    }

    /// Writes a case of nnU-Net v2, as [`Target::write`].
    fn write_v2(
        &self,
        case: &str,
        mean: Mean,
        description: &Description,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let Mean {
            probabilities,
            properties,
            mut labels,
        } = mean;
        if self.save_softmax {
            let file = self.raw.join(format!("{case}.npz"));
            let values = probabilities.into_dyn();
            npz::write(
                &file,
                &[(v2::PROBABILITIES, values.view())],
                npz::Compression::Fast,
            )?;
            properties.write(&self.raw.join(format!("{case}.pkl")))?;
        }
        let name = format!("{case}{}", description.dataset.file_ending.as_str());
        let (geometry, plane) = (&properties.geometry, properties.plane);
        let file = self.raw.join(&name);
        nifti::write_labels_unsigned(&file, labels.view(), geometry, plane, "", cancel)?;
        if let Some((folder, rules)) = self.postprocessed {
            rules.apply(labels.view_mut(), geometry)?;
            let file = folder.join(&name);
            nifti::write_labels_unsigned(&file, labels.view(), geometry, plane, "", cancel)?;
        }
        Ok(())
    }
}
