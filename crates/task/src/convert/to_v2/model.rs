//! Trained models.

use std::path::{Path, PathBuf};

use dataset::results::{ModelFolder, BEST_CHECKPOINT, FINAL_CHECKPOINT};
use dataset::{
    trains_second_stage, trains_with_mirroring, Configuration, DatasetJson, Fold, Folders, Plans, Task,
};
use pickle::torch::{read_checkpoint, write_checkpoint};
use pickle::{Dict, Value};
use run::{Context, Event, NotFound};
use serde_json::json;
use v2::Checkpoint as Kind;

use super::plans::{pickled, Converted, PLANS};
use super::weights::{Checkpoint, Network};
use super::{name, parent, plans, write_json};
use crate::convert::{refuse_existing, Convention, ConvertOptions, ConvertSummary};
use crate::Error;

/// The trainer of a converted model. v2 finds the class by this name.
const TRAINER: &str = "nnUNetTrainer";
/// v2's trainer without mirroring.
const WITHOUT_MIRRORING: &str = "nnUNetTrainerNoMirroring";

/// Converts a trained model to a model folder of nnU-Net v2. `plans.json` is written last.
pub(super) fn convert(options: &ConvertOptions, context: &Context) -> Result<ConvertSummary, Error> {
    let model = ModelFolder::new(&options.source);
    let folds = model.folds(FINAL_CHECKPOINT)?;
    let first = read(&model, folds[0])?;
    let task = task_of(&options.source);
    let name = name(options, task.clone())?;
    let configuration = configuration(&options.source, &first);
    let trainer = match trains_with_mirroring(&first.trainer) {
        true => TRAINER,
        false => WITHOUT_MIRRORING,
    };
    let folder = parent(options)?
        .join(&name)
        .join(format!("{trainer}__{PLANS}__{}", configuration.name()));
    refuse_existing(options, &folder, v2::PLANS_FILE)?;
    context.emit(Event::Started {
        verb: "convert",
        settings: json!({
            "source": options.source, "convention": Convention::NnunetV1Model, "folder": folder,
            "folds": folds.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
    });

    let raw = task.and_then(|task| raw_task(&options.folders.resolve(context), &task));
    let mut made: Option<(Network, Converted)> = None;
    for (done, &fold) in folds.iter().enumerate() {
        context.check()?;
        context.progress(done as u64, folds.len() as u64, "folds", None);
        let record = read(&model, fold)?;
        let differences = first.plans.differences(&record.plans, first.stage);
        if record.stage != first.stage || !differences.is_empty() {
            let problem = format!(
                "{} has other plans than {}: {}",
                fold.folder(),
                folds[0].folder(),
                differences.join(", ")
            );
            return Err(Error::NotInV2 {
                path: options.source.clone(),
                problem,
            });
        }
        for (from, to) in [(FINAL_CHECKPOINT, Kind::Final), (BEST_CHECKPOINT, Kind::Best)] {
            let path = model.fold(fold).checkpoint(from);
            if to == Kind::Best && !path.is_file() {
                continue;
            }
            let value = read_checkpoint(&path)?;
            let state = value.get("state_dict").and_then(Value::as_dict);
            let checkpoint = Checkpoint {
                path: &path,
                state: state.ok_or_else(|| Error::Checkpoint {
                    path: path.clone(),
                    problem: "it has no state_dict; expected a checkpoint of nnU-Net v1".to_owned(),
                })?,
            };
            let network = Network::new(&first.plans, first.plans.stage(first.stage)?, &checkpoint)?;
            let (expected, converted) = match &mut made {
                Some(made) => made,
                None => {
                    let names = (name.as_str(), configuration.name());
                    let plans = model.plans();
                    let converted =
                        plans::convert(&plans, &first.plans, first.stage, names, &network, raw.as_ref())?;
                    made.insert((network, converted))
                }
            };
            let weights = expected.weights(&checkpoint)?;
            let epochs = value.get("epoch").and_then(Value::as_i64).unwrap_or_default();
            let axes = match trainer == TRAINER {
                true => Value::tuple(
                    (0..first.plans.stage(first.stage)?.patch_size.len()).map(|axis| axis as i64),
                ),
                false => Value::None,
            };
            let root = Dict::new()
                .with("network_weights", weights)
                .with("optimizer_state", Value::None)
                .with("grad_scaler_state", Value::None)
                .with("logging", Value::None)
                .with("_best_ema", Value::None)
                .with("current_epoch", epochs)
                .with("init_args", init(converted, configuration, fold))
                .with("trainer_name", trainer)
                .with("inference_allowed_mirroring_axes", axes);
            let place = folder.join(v2::fold_folder(fold));
            std::fs::create_dir_all(&place).map_err(|error| Error::io(&place, error))?;
            write_checkpoint(&place.join(to.file()), &root.into())?;
        }
    }
    if let Some((_, converted)) = &made {
        write_json(&folder.join(v2::DATASET_FILE), &converted.dataset)?;
        write_json(&folder.join(v2::PLANS_FILE), &converted.plans)?;
    }
    if model.postprocessing().is_file() {
        let message = format!(
            "{} is not converted: nnU-Net v2 determines the postprocessing of its own models; predict with \
             --no-postprocessing to compare",
            model.postprocessing().display()
        );
        context.warn("WARN_NOT_CONVERTED", message, None);
    }
    Ok(ConvertSummary {
        convention: Convention::NnunetV1Model,
        task: name,
        folder,
        training: 0,
        test: 0,
        ignore_label: None,
        folds: folds.iter().map(ToString::to_string).collect(),
        failures: Vec::new(),
    })
}

/// `init_args` of a checkpoint: the arguments of v2's trainer.
fn init(converted: &Converted, configuration: Configuration, fold: Fold) -> Dict {
    let fold = match fold {
        Fold::Index(index) => Value::Int(index as i64),
        Fold::All => "all".into(),
    };
    Dict::new()
        .with("plans", pickled(&converted.plans))
        .with("configuration", configuration.name())
        .with("fold", fold)
        .with("dataset_json", pickled(&converted.dataset))
}

/// What a fold says of its training.
struct Record {
    plans: Plans,
    stage: usize,
    trainer: String,
}

fn read(model: &ModelFolder, fold: Fold) -> Result<Record, Error> {
    let file = model.fold(fold).checkpoint_info(FINAL_CHECKPOINT);
    let advice = "copy it with the checkpoint; nnU-Net v1 writes both";
    NotFound::unless_exists("description of the checkpoint", &file, advice).map_err(dataset::Error::from)?;
    let info = pickle::read_file(&file)?;
    let plans =
        Plans::from_value(info.get("plans").unwrap_or(&Value::None)).map_err(|error| error.in_file(&file))?;
    // init = (plans_file, fold, output_folder, dataset_directory, batch_dice, stage, ...)
    let stage = info
        .get("init")
        .and_then(Value::as_items)
        .and_then(|init| init.get(5)?.as_i64());
    let last = plans.plans_per_stage.keys().next_back().copied().unwrap_or(0);
    Ok(Record {
        stage: stage
            .and_then(|stage| usize::try_from(stage).ok())
            .unwrap_or(last),
        trainer: info
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        plans,
    })
}

/// The configuration of a model, from its plans and its trainer.
fn configuration(source: &Path, record: &Record) -> Configuration {
    if record.plans.is_2d() {
        return Configuration::TwoD;
    }
    if trains_second_stage(&record.trainer) {
        return Configuration::CascadeFullRes;
    }
    let lowres = |path: &Path| {
        path.ancestors()
            .any(|folder| folder.file_name() == Some("3d_lowres".as_ref()))
    };
    match record.plans.num_stages > 1 && record.stage == 0 || lowres(&absolute(source)) {
        true => Configuration::LowRes,
        false => Configuration::FullRes,
    }
}

/// The task that a folder above the model names.
fn task_of(source: &Path) -> Option<String> {
    let absolute = absolute(source);
    let names = absolute
        .ancestors()
        .filter_map(|folder| folder.file_name()?.to_str());
    names
        .filter_map(|name| Task::from_name(name).ok())
        .map(|task| task.name)
        .next()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// `dataset.json` of the raw task, for the names of the labels.
fn raw_task(folders: &Folders, task: &str) -> Option<DatasetJson> {
    let file = folders.raw_data().ok()?.join(task).join("dataset.json");
    DatasetJson::read(&file).ok()
}
