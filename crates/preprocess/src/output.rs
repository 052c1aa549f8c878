//! Folders of preprocessed data, one per stage.

use std::path::PathBuf;

use dataset::{Configuration, Plans, PLANS_2D_FILE, PLANS_3D_FILE};
use run::{Context, NotFound};

use crate::finished::is_preprocessed;
use crate::stage::Target;
use crate::task_cases::{TaskCases, TrainingCase};
use crate::{Crop, Error, Options};

/// Output of one stage.
#[derive(Clone, Debug)]
pub struct Output {
    /// The folder.
    pub folder: PathBuf,
    /// Target grid and normalisation of every case.
    pub target: Target,
    /// Classes whose locations are sampled.
    pub classes: Vec<i64>,
}

/// Returns the outputs of the requested configurations, 3D first.
pub fn outputs(task: &TaskCases, options: &Options) -> Result<Vec<Output>, Error> {
    let mut outputs: Vec<Output> = vec![];
    for (file, configurations) in [
        (
            PLANS_3D_FILE,
            &[
                Configuration::LowRes,
                Configuration::FullRes,
                Configuration::CascadeFullRes,
            ][..],
        ),
        (PLANS_2D_FILE, &[Configuration::TwoD][..]),
    ] {
        let path = task.preprocessed.join(file);
        let named = configurations.iter().any(|c| options.names(*c));
        // Without a selection: every configuration with a plans file.
        let wanted = named || (options.configurations.is_none() && path.is_file());
        if !wanted {
            continue;
        }
        if !path.is_file() {
            return Err(no_plans(task, path));
        }
        let plans = Plans::read(&path)?;
        if Crop::of_plans(&plans) != options.crop {
            let problem = format!("differs from that of {}: plan the task again", path.display());
            return Err(run::OptionError::new("crop", problem).into());
        }
        let stages: Vec<usize> = if named {
            let chosen = configurations.iter().filter(|c| options.names(**c));
            chosen.map(|c| c.stage(&plans)).collect::<Result<_, _>>()?
        } else {
            plans.plans_per_stage.keys().copied().collect()
        };
        for stage in stages {
            let folder = task.preprocessed.join(plans.data_folder(stage));
            if outputs.iter().all(|o| o.folder != folder) {
                let target = Target::of_plans(&plans, stage)?;
                outputs.push(Output {
                    folder,
                    target,
                    classes: plans.all_classes.clone(),
                });
            }
        }
    }
    if outputs.is_empty() {
        return Err(no_plans(task, task.preprocessed.join(PLANS_3D_FILE)));
    }
    Ok(outputs)
}

fn no_plans(task: &TaskCases, path: PathBuf) -> Error {
    let advice = format!(
        "run `nnunet-diag preprocess {}`, which also writes the plans",
        task.name
    );
    NotFound::new("plans", path, advice).into()
}

/// Returns the outputs that are missing for a case.
pub fn unfinished<'a>(case: &TrainingCase, outputs: &'a [Output], options: &Options) -> Vec<&'a Output> {
    let finished = |o: &Output| {
        !options.overwrite
            && is_preprocessed(
                &o.folder,
                &case.name,
                &o.target,
                &o.classes,
                options.reading(),
                &case.source,
            )
    };
    outputs.iter().filter(|o| !finished(o)).collect()
}

/// Deletes the unpacked array of an earlier run. Training would read it instead of the new one.
pub fn drop_unpacked(output: &Output, name: &str, context: &Context) -> Result<(), Error> {
    let npy = output.folder.join(format!("{name}.npy"));
    match std::fs::remove_file(&npy) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::Folder { path: npy, source });
        }
        _ => {}
    }
    let weightmap = output.folder.join(format!("{name}_weightmap.npy"));
    if weightmap.exists() {
        let message = format!(
            "{} was written for the previous data; write it again",
            weightmap.display()
        );
        context.warn("WARN_STALE_WEIGHTMAP", message, Some(name));
    }
    Ok(())
}

/// Warns about cases in `output` that are not in the task: training would use them.
pub fn warn_of_unlisted_cases(output: &Output, task: &TaskCases, context: &Context) {
    let entries = std::fs::read_dir(&output.folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|e| e.file_name().into_string().ok());
    let mut unlisted: Vec<String> = names
        .filter_map(|n| n.strip_suffix(".npz").map(str::to_owned))
        .filter(|n| task.cases.iter().all(|case| case.name != *n))
        .collect();
    if !unlisted.is_empty() {
        unlisted.sort();
        let message = format!(
            "{} contains cases that dataset.json does not list, and training would use them: {}; remove their files",
            output.folder.display(),
            unlisted.join(", ")
        );
        context.warn("WARN_UNLISTED_CASES", message, None);
    }
}
