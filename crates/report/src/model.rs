//! A trained model or fold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::results::{ModelFolder, DEBUG_FILE, TRAINING_LOG, VALIDATION_FOLDER};
use dataset::text::read_json;
use dataset::{Configuration, Fold, Plans};
use recipe::{DataOptions, Recipe, Trainer};
use run::Context;
use serde_json::{json, Map, Value};
use settings::TrainOptions;

use crate::curves::Epochs;
use crate::data::{Fact, Model, Run, RunState, Section};
use crate::images::Images;
use crate::names::Names;
use crate::options::PageOptions;
use crate::predictions::{jobs, list, metrics};
use crate::scores::{scores, worst_first};
use crate::section::{fact, short, times, Built, Depth};
use crate::Result;

/// The settings of a run, from `debug.json`: texts by name.
struct Settings(Map<String, Value>);

impl Settings {
    fn read(fold: &Path) -> Result<Self> {
        let file = fold.join(DEBUG_FILE);
        Ok(Self(if file.is_file() {
            read_json(&file)?
        } else {
            Map::new()
        }))
    }

    fn text(&self, key: &str) -> Option<&str> {
        let text = self.0.get(key)?.as_str()?.trim();
        Some(text).filter(|text| !["", "null", "None"].contains(text))
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.text(key)?.parse().ok()
    }

    fn json(&self, key: &str) -> Option<Value> {
        serde_json::from_str(self.text(key)?).ok()
    }

    /// `128 × 128 × 128`, from a list of either program.
    fn sizes(&self, key: &str) -> Option<String> {
        let text = self.text(key)?.trim_matches(['[', ']', '(', ')']);
        let parts: Vec<&str> = text.split([',', ' ']).filter(|part| !part.is_empty()).collect();
        Some(times(&parts))
    }
}

/// The section of a model or fold.
pub(crate) fn build(
    path: &Path,
    folds: &[PathBuf],
    options: &PageOptions,
    depth: Depth,
    context: &Context,
) -> Result<Built> {
    let first = folds.first().map_or(path, PathBuf::as_path);
    let model = ModelFolder::new(first.parent().unwrap_or(first));
    let settings = Settings::read(first)?;
    let data = settings.text("folder_with_preprocessed_data").map(PathBuf::from);
    let preprocessed = data.as_deref().and_then(Path::parent).map(Path::to_owned);
    let plans = Plans::read(&model.plans()).ok();
    let names = Names::find(preprocessed.as_deref()).or_channels(plans.as_ref());
    let classes = plans.map(|plans| plans.all_classes).unwrap_or_default();

    let mut runs = Vec::new();
    let mut seconds = 0.0;
    let mut built = Vec::new();
    let mut failures = Vec::new();
    let mut cases = Vec::new();
    let (mut files, mut references) = (BTreeMap::new(), BTreeMap::new());
    for fold in folds {
        context.check()?;
        let epochs = Epochs::read(fold)?;
        seconds += epochs.reports.iter().map(|report| report.seconds).sum::<f64>();
        built.extend(epochs.logs.first().cloned());
        let name = fold
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        runs.push(epochs.run(fold, name, &names, &classes));
        let folder = fold.join(VALIDATION_FOLDER);
        if !folder.is_dir() {
            continue;
        }
        let found = list(&folder)?;
        let reference = reference(&found, options, &model, preprocessed.as_deref())?;
        let (measured, failed) = metrics(&folder, reference.as_deref(), options, depth, context)?;
        cases.extend(measured);
        failures.extend(failed);
        files.extend(found);
        if let Some(reference) = reference {
            references.extend(list(&reference)?);
        }
    }
    worst_first(&mut cases);
    let properties: Vec<PathBuf> = data.into_iter().collect();
    let images = Images::new(options.images.as_deref(), &properties)?;
    let (name, task) = title(path, first, &model);
    let mut facts = facts(&settings, &runs, task.as_deref());
    if let Some(started) = built.first().and_then(|log| started(log)) {
        facts.push(fact("First log", started));
    }
    if seconds > 0.0 {
        facts.push(fact("Time of all epochs", duration(seconds)));
    }
    Ok(Built {
        jobs: match depth {
            Depth::Full => jobs(
                &files,
                &references,
                &cases,
                &|case| images.of(case),
                &names,
                options.cases,
            ),
            Depth::Quick => Vec::new(),
        },
        section: Section::Model(Model {
            kind: "model",
            name,
            path: path.display().to_string(),
            facts,
            recipe: recipe(&settings),
            command: command(&settings, task.as_deref(), folds, preprocessed.as_deref()),
            runs,
            scores: scores(&cases, &names),
            cases: Vec::new(),
        }),
        metrics: cases,
        names,
        failures,
    })
}

/// Folder of the references of validation cases: the first that has one of them.
fn reference(
    files: &BTreeMap<String, PathBuf>,
    options: &PageOptions,
    model: &ModelFolder,
    preprocessed: Option<&Path>,
) -> Result<Option<PathBuf>> {
    if files.is_empty() {
        return Ok(None);
    }
    if let Some(folder) = &options.reference {
        return Ok(Some(folder.clone()));
    }
    let usual = [
        Some(model.gt_niftis()),
        preprocessed.map(|folder| folder.join("gt_segmentations")),
    ];
    for folder in usual.into_iter().flatten().filter(|folder| folder.is_dir()) {
        if list(&folder)?.keys().any(|case| files.contains_key(case)) {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

/// Name of the model or fold, and its task: `<configuration>/<task>/<trainer>__<plans>`.
fn title(path: &Path, fold: &Path, model: &ModelFolder) -> (String, Option<String>) {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let task = model
        .path
        .parent()
        .and_then(name)
        .filter(|name| dataset::Task::from_name(name).is_ok());
    let configuration = model.path.parent().and_then(Path::parent).and_then(name);
    let own = name(&model.path).unwrap_or_default();
    let mut parts: Vec<String> = match &task {
        Some(task) => configuration.into_iter().chain([task.clone()]).collect(),
        None => Vec::new(),
    };
    parts.push(own.split("__").next().unwrap_or_default().to_owned());
    if path == fold {
        parts.extend(name(fold));
    }
    (parts.join(" / "), task)
}

fn facts(settings: &Settings, runs: &[Run], task: Option<&str>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            facts.push(fact(name, value));
        }
    };
    let text = |key: &str| settings.text(key).map(str::to_owned);
    add("Task", task.map(str::to_owned));
    add("Configuration", text("configuration"));
    add("Trainer", text("trainer"));
    add("Seed", text("seed"));
    let epochs = runs.iter().map(|run| run.epochs.len()).max().unwrap_or(0);
    add(
        "Epochs",
        Some(match settings.text("max_num_epochs") {
            Some(planned) => format!("{epochs} of {planned}"),
            None => epochs.to_string(),
        }),
    );
    let state = |wanted: RunState| runs.iter().filter(|run| run.state == wanted).count();
    let states = [
        (RunState::Running, "running"),
        (RunState::Finished, "finished"),
        (RunState::Stopped, "stopped"),
    ];
    let states = states.map(|(wanted, name)| (state(wanted), name));
    let states = states.iter().filter(|(count, _)| *count > 0);
    let states: Vec<String> = states.map(|(count, name)| format!("{count} {name}")).collect();
    add("Runs", Some(states.join(", ")));
    let versions = [
        ("nnunet_diag_version", "nnunet-diag"),
        ("torch_version", "libtorch"),
    ];
    let versions = versions.map(|(key, name)| Some(format!("{name} {}", settings.text(key)?)));
    let versions: Vec<String> = versions.into_iter().flatten().collect();
    add("Versions", (!versions.is_empty()).then(|| versions.join(", ")));
    add("Device", text("device"));
    add("Precision", text("precision"));
    add("Threads", text("threads"));
    add("Patch (voxels)", settings.sizes("patch_size"));
    add("Batch", text("batch_size"));
    add(
        "Parameters",
        settings
            .number("num_parameters")
            .map(|n| format!("{:.2} million", n / 1e6)),
    );
    add("Training cases", text("training_cases"));
    add("Validation cases", text("validation_cases"));
    facts
}

/// The recipe as sentences.
fn recipe(settings: &Settings) -> String {
    let Some(recipe) = settings.json("recipe") else {
        return String::new();
    };
    let mut text = String::new();
    let sampling = &recipe["sampling"];
    match sampling["kind"].as_str() {
        Some("foreground") => {
            let share = sampling["fraction"].as_f64().unwrap_or(0.33) * 100.0;
            text += &format!(
                "Patches are drawn at random, {} % of each batch on foreground. ",
                short(share)
            );
        }
        Some("annotated") => text += "Every patch contains a random annotated voxel. ",
        Some("fork") => text += "Patches are drawn by the rules of DIAG’s fork. ",
        _ => {}
    }
    if !recipe["ignoreLabel"].is_null() {
        text += &format!(
            "Voxels with the label {} count for nothing. ",
            recipe["ignoreLabel"]
        );
    }
    if recipe["voxelWeights"] == true {
        text += "Voxels are weighted by weightmaps. ";
    }
    let loss = &recipe["loss"];
    let terms = [("crossEntropy", "cross-entropy"), ("dice", "Dice")];
    let terms = terms.into_iter().filter_map(|(key, name)| {
        let weight = loss[key].as_f64().filter(|weight| *weight > 0.0)?;
        Some(if weight == 1.0 {
            name.to_owned()
        } else {
            format!("{} × {name}", short(weight))
        })
    });
    let terms: Vec<String> = terms.collect();
    if !terms.is_empty() {
        let weighted = match loss["crossEntropyClassWeights"].is_null() && loss["diceClassWeights"].is_null()
        {
            true => "",
            false => ", with class weights",
        };
        text += &format!("The loss is {}{weighted}. ", terms.join(" + "));
    }
    let plan = ["max_num_epochs", "num_batches_per_epoch", "initial_lr"].map(|key| settings.text(key));
    if let [Some(epochs), Some(iterations), Some(rate)] = plan {
        text += &format!("{epochs} epochs of {iterations} iterations, learning rate {rate} at first.");
    }
    text.trim_end().to_owned()
}

/// The command that repeats the training.
fn command(
    settings: &Settings,
    task: Option<&str>,
    folds: &[PathBuf],
    preprocessed: Option<&Path>,
) -> String {
    let (Some(task), Some(configuration)) = (task, settings.text("configuration")) else {
        return String::new();
    };
    let mut text = format!("nnunet-diag train {task} -c {configuration}");
    let mut add = |flag: &str, value: Option<&str>, default: &str| {
        if let Some(value) = value.filter(|value| *value != default) {
            text += &format!(" {flag} {value}");
        }
    };
    let folds: Vec<String> = folds
        .iter()
        .filter_map(|fold| Some(Fold::from_folder(fold.file_name()?.to_str()?)?.to_string()))
        .collect();
    match folds.as_slice() {
        [] => add("-f", settings.text("fold"), ""),
        [one] => add("-f", Some(one), ""),
        several => add("--folds", Some(&several.join(" ")), ""),
    }
    // The cascade's own trainer is that of its configuration.
    let trainer = settings.text("trainer").filter(|name| !name.contains("Cascade"));
    let default = TrainOptions::new(DataOptions::new(task, Configuration::FullRes));
    add("--trainer", trainer, &default.data.trainer.to_string());
    for (flag, key, default) in [
        ("--seed", "seed", default.data.seed.to_string()),
        ("--epochs", "max_num_epochs", default.epochs.to_string()),
        (
            "--iterations",
            "num_batches_per_epoch",
            default.iterations.to_string(),
        ),
        (
            "--validation-iterations",
            "num_val_batches_per_epoch",
            default.validation_iterations.to_string(),
        ),
        ("--initial-lr", "initial_lr", default.initial_lr.to_string()),
    ] {
        add(flag, settings.text(key), &default);
    }
    add("--precision", settings.text("precision"), "");
    add("--pretrained", settings.text("pretrained"), "");
    let planned = preprocessed.and_then(|folder| planned(folder, configuration));
    if let (Some(patch), Some((planned, _))) = (settings.json("patch_size"), &planned) {
        if patch != json!(planned) {
            let size = settings.sizes("patch_size").unwrap_or_default();
            text += &format!(" --patch-size {}", size.replace(" × ", "x"));
        }
    }
    if let (Some(batch), Some((_, planned))) = (settings.number("batch_size"), &planned) {
        if batch != *planned as f64 {
            text += &format!(" --batch-size {batch}");
        }
    }
    let preset = trainer.and_then(|name| name.parse::<Trainer>().ok());
    let recipe = settings.json("recipe");
    let weighted = settings.text("class_weights").is_some();
    if let (Some(preset), Some(recipe), false) = (preset, &recipe, weighted) {
        if serde_json::to_value(Recipe::preset(preset)).ok().as_ref() != Some(recipe) {
            text += &format!(" --recipe '{recipe}'");
        }
    }
    if let Some(weights) = settings.text("class_weights") {
        let weights = weights.trim_matches(['[', ']', '"']).replace(',', " ");
        text += &format!(" --class-weights {weights}");
    }
    text
}

/// The planned patch and batch size of a configuration.
fn planned(preprocessed: &Path, configuration: &str) -> Option<(Vec<usize>, usize)> {
    let configuration: Configuration = configuration.parse().ok()?;
    let plans = Plans::read(&preprocessed.join(configuration.plans_file())).ok()?;
    let stage = plans.stage(configuration.stage(&plans).ok()?).ok()?;
    Some((stage.patch_size.clone(), stage.batch_size))
}

/// Time in the name of a log: `2026-11-26 17:34:37`.
fn started(log: &Path) -> Option<String> {
    let name = log.file_stem()?.to_str()?.strip_prefix(TRAINING_LOG)?;
    let parts: Vec<u32> = name.split('_').map_while(|part| part.parse().ok()).collect();
    let [year, month, day, hour, minute, second] = parts[..] else {
        return None;
    };
    Some(format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
    ))
}

/// `2 h 5 min`.
fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match seconds {
        _ if seconds < 120.0 => format!("{} s", short(seconds)),
        _ if minutes < 120 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}
