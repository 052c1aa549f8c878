//! The choice of the best candidate, and the files that tell it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use dataset::{Configuration, Fold};

use super::models::Model;
use super::{Candidate, FindBestConfigurationOptions, FindBestConfigurationSummary};
use crate::Error;

/// Commands of prediction.
pub(super) struct Commands {
    /// Those of the best candidate.
    pub best: Vec<String>,
    /// Those of every candidate that is as good, as nnU-Net v1 writes them.
    pub all: Vec<String>,
}

/// The first of the best candidates.
pub(super) fn choose<'a>(
    candidates: &'a [Candidate],
    options: &FindBestConfigurationOptions,
    models: &[Model],
    folds: &[Fold],
    results: &Path,
    task: &str,
) -> Result<(&'a Candidate, Commands), Error> {
    let highest = candidates
        .iter()
        .filter_map(|one| one.mean_dice)
        .max_by(f64::total_cmp);
    let mut equal = candidates
        .iter()
        .filter(|one| one.mean_dice.is_some() && one.mean_dice == highest);
    let Some(best) = equal.next() else {
        let path = models
            .first()
            .map(|model| model.folder.path.join("cv_niftis_raw/summary.json"));
        return Err(evaluate::Error::Summary {
            path: path.unwrap_or_default(),
            problem: "no foreground label has a Dice in any configuration; check the references".to_owned(),
        }
        .into());
    };
    let lowres = results
        .join("3d_lowres")
        .join(task)
        .join(format!("{}__{}", options.trainer, options.plans));
    let commands = |one: &Candidate| commands_of(one, options, models, folds, &lowres);
    let first = commands(best);
    let all = first.iter().cloned().chain(equal.flat_map(commands)).collect();
    Ok((best, Commands { best: first, all }))
}

fn commands_of(
    candidate: &Candidate,
    options: &FindBestConfigurationOptions,
    models: &[Model],
    folds: &[Fold],
    lowres: &Path,
) -> Vec<String> {
    let folds: Vec<String> = folds.iter().map(ToString::to_string).collect();
    let ensemble = candidate.configurations.len() > 1;
    let mut commands = Vec::new();
    for (i, configuration) in candidate.configurations.iter().enumerate() {
        let model = models.iter().find(|model| model.configuration == *configuration);
        let path = model.map_or(&*candidate.folder, |model| &*model.folder.path);
        let mut command = format!(
            "nnunet-diag predict -i FOLDER_WITH_TEST_CASES -o OUTPUT_FOLDER_MODEL{} --model {} --folds {}",
            i + 1,
            quoted(path),
            folds.join(" ")
        );
        if *configuration == Configuration::CascadeFullRes {
            let _ = write!(command, " --lowres-model {}", quoted(lowres));
        }
        if !options.postprocessing {
            command.push_str(" --no-postprocessing");
        }
        if ensemble {
            command.push_str(" --save-softmax");
        }
        commands.push(command);
    }
    if ensemble {
        let mut command =
            "nnunet-diag ensemble OUTPUT_FOLDER_MODEL1 OUTPUT_FOLDER_MODEL2 -o OUTPUT_FOLDER".to_owned();
        if options.postprocessing {
            let rules = candidate.folder.join("postprocessing.json");
            let _ = write!(command, " --rules {}", quoted(&rules));
        }
        commands.push(command);
    }
    commands
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/\\:._-+".contains(c);
    if text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Writes `prediction_commands.txt` and `summary.csv`, as nnU-Net v1 does, and `best_configuration.json`.
pub(super) fn write(summary: &FindBestConfigurationSummary, commands: &[String]) -> Result<(), Error> {
    let mut text = commands.join("\n");
    text.push('\n');
    let mut json = serde_json::to_string_pretty(summary).map_err(std::io::Error::from);
    if let Ok(json) = &mut json {
        json.push('\n');
    }
    let files = [
        ("prediction_commands.txt", Ok(text)),
        ("summary.csv", Ok(csv(&summary.candidates))),
        ("best_configuration.json", json),
    ];
    for (name, content) in files {
        storage::write_atomic(&summary.output.join(name), |file| {
            file.write_all(content?.as_bytes())
        })?;
    }
    Ok(())
}

/// One line for each candidate: Dice of each label, and their mean. An undefined one is `nan`, as in nnU-Net v1.
fn csv(candidates: &[Candidate]) -> String {
    let mut labels: Vec<i16> = candidates
        .iter()
        .flat_map(|one| one.dice.keys().filter_map(|key| key.parse().ok()))
        .collect();
    labels.sort_unstable();
    labels.dedup();
    let number = |dice: Option<f64>| dice.map_or_else(|| "nan".to_owned(), |dice| format!("{dice:.4}"));
    let mut text = "model".to_owned();
    for label in &labels {
        let _ = write!(text, ",class{label}");
    }
    text.push_str(",average\n");
    for one in candidates {
        text.push_str(&one.name);
        for label in &labels {
            let dice = one.dice.get(&label.to_string()).copied().flatten();
            let _ = write!(text, ",{}", number(dice));
        }
        let _ = writeln!(text, ",{}", number(one.mean_dice));
    }
    text
}
