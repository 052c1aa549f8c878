//! Exported models are installed with equal bytes.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::common::{content, files, pack, write, MODEL};
use dataset::Fold;
use model_zip::{export_model, install_model, ExportModelOptions, InstallModelOptions};
use run::{Cancel, Coded, Context, Event};
use testkit::{ends_when_cancelled, Recorder};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

fn export(models: &[PathBuf], output: &Path) -> ExportModelOptions {
    ExportModelOptions::new(models, output)
}

fn install(zip: &Path, output: &Path) -> InstallModelOptions {
    InstallModelOptions {
        output: Some(output.to_owned()),
        ..InstallModelOptions::new(zip)
    }
}

fn recorded() -> (Arc<Recorder>, Context) {
    let recorder = Arc::new(Recorder::default());
    (recorder.clone(), Context::new(recorder, Cancel::new(), 1))
}

#[test]
fn models_and_their_ensemble_come_back_with_equal_bytes_in_the_order_of_v1() {
    let root = tempfile::tempdir().unwrap();
    let (results, other) = (root.path().join("results/nnUNet"), root.path().join("other"));
    let second = MODEL.replace("3d_fullres", "2d");
    let mut all = files(MODEL, &["fold_0", "fold_1"]);
    all.insert(
        4,
        (
            format!("{MODEL}/fold_0/network_architecture.pdf"),
            vec![7; 3 << 20],
        ),
    );
    all.extend(files(&second, &["fold_0", "fold_1"]));
    let pair = |second: &str| format!("ensemble_2d__nnUNetTrainerV2__nnUNetPlansv2.1--{second}");
    let ensemble = |name: &str| format!("ensembles/Task011_GoldenTiny/{name}/postprocessing.json");
    all.push((
        ensemble(&pair("3d_fullres__nnUNetTrainerV2__nnUNetPlansv2.1")),
        b"{}".to_vec(),
    ));
    write(&results, &all);
    // Neither the ensemble of a model that is not exported, nor what v1 does not copy.
    let left = [
        ensemble(&pair("3d_lowres__T__P")),
        format!("{MODEL}/fold_0/validation_raw/a.txt"),
    ];
    write(&results, &left.map(|name| (name, Vec::new())));
    let zip = root.path().join("new/models.zip");
    let (recorder, context) = recorded();
    let models = [results.join(MODEL), results.join(&second)];
    let exported = export_model(&export(&models, &zip), &context).unwrap();
    assert_eq!(recorder.warnings(), Vec::<&str>::new());
    assert_eq!((exported.files, exported.ensembles), (all.len(), 1));
    assert_eq!(exported.models[1].name, second);
    assert_eq!(exported.models[0].folds, [Fold::Index(0), Fold::Index(1)]);
    assert_eq!(
        exported.bytes,
        all.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>()
    );
    assert_eq!(exported.size, zip.metadata().unwrap().len());
    let last = recorder.events().into_iter().rev().find_map(|event| match event {
        Event::Progress { done, total, .. } => Some((done, total)),
        _ => None,
    });
    assert!(
        last.is_some_and(|(done, total)| done == total && done > 3),
        "{last:?}"
    );

    let mut archive = ZipArchive::new(File::open(&zip).unwrap()).unwrap();
    for (index, (name, bytes)) in all.iter().enumerate() {
        let mut member = archive.by_index(index).unwrap();
        let mut found = Vec::new();
        member.read_to_end(&mut found).unwrap();
        assert_eq!((member.name().unwrap().as_ref(), &found), (name.as_str(), bytes));
    }

    let installed = install_model(&install(&zip, &other), &context).unwrap();
    assert_eq!(content(&other), all.into_iter().collect());
    assert_eq!((installed.models.len(), installed.ensembles.len()), (2, 1));
    assert_eq!(installed.models[1].folder, other.join(MODEL));
    assert_eq!(installed.models[1].folds, [Fold::Index(0), Fold::Index(1)]);
    assert_eq!(
        (installed.files, installed.bytes),
        (exported.files, exported.bytes)
    );
    assert_eq!(installed.ignored, Vec::<String>::new());
}

#[test]
fn the_zip_file_of_another_program_is_installed_without_its_foreign_files() {
    let root = tempfile::tempdir().unwrap();
    let (zip, other) = (root.path().join("a.zip"), root.path().join("other"));
    let all = files(MODEL, &["all"]);
    let mut writer = ZipWriter::new(File::create(&zip).unwrap());
    let deflated = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer.add_directory("3d_fullres/", stored).unwrap();
    writer.start_file("readme.txt", deflated).unwrap();
    writer.write_all(b"a model").unwrap();
    for (index, (name, bytes)) in all.iter().enumerate() {
        let options = if index % 2 == 0 { deflated } else { stored };
        writer
            .start_file(name.as_str(), options.large_file(index == 1))
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
    let (recorder, context) = recorded();
    let installed = install_model(&install(&zip, &other), &context).unwrap();
    assert_eq!(content(&other), all.into_iter().collect());
    assert_eq!(installed.ignored, ["readme.txt"]);
    assert_eq!(installed.models[0].folds, [Fold::All]);
    assert_eq!(recorder.warnings(), ["WARN_NOT_INSTALLED"]);
}

#[test]
fn an_unfinished_fold_is_refused_unless_others_are_named() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &files(MODEL, &["fold_0", "fold_1", "fold_2"]));
    let model = root.path().join(MODEL);
    fs::remove_file(model.join("fold_1/model_final_checkpoint.model")).unwrap();
    fs::remove_file(model.join("fold_2/model_final_checkpoint.model.pkl")).unwrap();
    let zip = root.path().join("a.zip");
    let mut options = export(&[model], &zip);
    let refused = |options: &ExportModelOptions| {
        let error = export_model(options, &Context::silent(1)).unwrap_err();
        assert_eq!(error.code(), "ERR_FOLD_UNFINISHED");
        assert!(!zip.exists());
        error.to_string()
    };
    assert!(refused(&options).contains("fold_1 is not finished"));
    options.folds = Some(vec![Fold::Index(0), Fold::Index(2), Fold::All]);
    assert!(refused(&options).contains("fold_2, all is not finished"));
    options.folds = Some(vec![Fold::Index(0), Fold::Index(0)]);
    let exported = export_model(&options, &Context::silent(1)).unwrap();
    assert_eq!(exported.models[0].folds, [Fold::Index(0)]);
}

#[test]
fn an_existing_zip_file_is_kept_unless_overwritten() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &files(MODEL, &["fold_0"]));
    let zip = root.path().join("a.zip");
    fs::write(&zip, "mine").unwrap();
    let mut options = export(&[root.path().join(MODEL)], &zip);
    let error = export_model(&options, &Context::silent(1)).unwrap_err();
    assert_eq!(error.code(), "ERR_FILE_EXISTS");
    assert_eq!(fs::read(&zip).unwrap(), b"mine");
    options.overwrite = true;
    export_model(&options, &Context::silent(1)).unwrap();
    install_model(&install(&zip, &root.path().join("other")), &Context::silent(1)).unwrap();
}

#[test]
fn files_that_prediction_does_without_are_warnings_and_errors_if_strict() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &files(MODEL, &["fold_0"]));
    let model = root.path().join(MODEL);
    for name in ["postprocessing.json", "fold_0/debug.json", "fold_0/progress.png"] {
        fs::remove_file(model.join(name)).unwrap();
        let mut options = export(std::slice::from_ref(&model), &root.path().join("a.zip"));
        (options.strict, options.overwrite) = (true, true);
        let error = export_model(&options, &Context::silent(1)).unwrap_err();
        assert_eq!(error.code(), "ERR_NOT_FOUND");
        options.strict = false;
        let (recorder, context) = recorded();
        export_model(&options, &context).unwrap();
        assert!(recorder
            .warnings()
            .iter()
            .all(|code| *code == "WARN_NOT_EXPORTED"));
        assert!(!recorder.warnings().is_empty());
    }
}

#[test]
fn folders_that_are_no_models_are_refused() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &files("2d/Task011_X/no_plans", &["fold_0"]));
    write(root.path(), &files(MODEL, &["fold_0"]));
    let code = |models: &[&str]| {
        let models: Vec<_> = models.iter().map(|model| root.path().join(model)).collect();
        let error = export_model(&export(&models, &root.path().join("a.zip")), &Context::silent(1));
        error.unwrap_err().code()
    };
    assert_eq!(code(&["2d/Task011_X/no_plans"]), "ERR_MODEL_FOLDER");
    assert_eq!(code(&[&format!("{MODEL}/fold_0")]), "ERR_MODEL_FOLDER");
    assert_eq!(code(&["absent"]), "ERR_NOT_FOUND");
    assert_eq!(code(&[MODEL, &format!("{MODEL}/fold_0/..")]), "ERR_OPTIONS");
    fs::write(root.path().join(MODEL).join("plans.pkl"), "no pickle").unwrap();
    assert_eq!(code(&[MODEL]), "ERR_MODEL_FOLDER");
    fs::remove_file(root.path().join(MODEL).join("plans.pkl")).unwrap();
    assert_eq!(code(&[MODEL]), "ERR_NOT_FOUND");
}

#[test]
fn an_installed_model_is_kept_or_moved_aside() {
    let root = tempfile::tempdir().unwrap();
    let (zip, other) = (root.path().join("a.zip"), root.path().join("other"));
    let (old, new) = (files(MODEL, &["fold_0", "fold_1"]), files(MODEL, &["fold_2"]));
    write(&other, &old);
    pack(&zip, &new);
    let mut options = install(&zip, &other);
    let error = install_model(&options, &Context::silent(1)).unwrap_err();
    assert_eq!(error.code(), "ERR_MODEL_EXISTS");
    assert_eq!(content(&other), old.iter().cloned().collect());
    options.overwrite = true;
    let (recorder, context) = recorded();
    let installed = install_model(&options, &context).unwrap();
    assert_eq!(recorder.warnings(), ["WARN_MODEL_REPLACED"]);
    let aside = installed.models[0].replaced.clone().unwrap();
    let stripped = |files: Vec<(String, Vec<u8>)>| {
        let name = |name: String| name.strip_prefix(MODEL).unwrap()[1..].to_owned();
        files
            .into_iter()
            .map(|(file, bytes)| (name(file), bytes))
            .collect()
    };
    assert_eq!(content(&aside), stripped(old));
    assert_eq!(content(&other.join(MODEL)), stripped(new));
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
}

#[test]
fn a_model_in_training_is_not_moved_and_another_one_is_not_installed() {
    let root = tempfile::tempdir().unwrap();
    let (zip, other) = (root.path().join("a.zip"), root.path().join("other"));
    let second = MODEL.replace("3d_fullres", "2d");
    write(&other, &files(MODEL, &["fold_0"]));
    pack(
        &zip,
        &[files(&second, &["fold_0"]), files(MODEL, &["fold_1"])].concat(),
    );
    let lock = storage::Lock::acquire(&other.join(MODEL).join("fold_0.lock")).unwrap();
    let options = InstallModelOptions {
        overwrite: true,
        ..install(&zip, &other)
    };
    let error = install_model(&options, &Context::silent(1)).unwrap_err();
    assert_eq!(error.code(), "ERR_LOCKED");
    drop(lock);
    assert_eq!(content(&other), files(MODEL, &["fold_0"]).into_iter().collect());
    install_model(&options, &Context::silent(1)).unwrap();
}

#[test]
fn what_a_killed_installation_left_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let (zip, other) = (root.path().join("a.zip"), root.path().join("other"));
    pack(&zip, &files(MODEL, &["fold_0"]));
    write(
        &other,
        &[(".installing.AbC123.tmp/2d/big".to_owned(), vec![0; 10])],
    );
    let left = File::open(other.join(".installing.AbC123.tmp")).unwrap();
    let weeks_ago = SystemTime::now() - Duration::from_secs(14 * 24 * 3600);
    left.set_modified(weeks_ago).unwrap();
    install_model(&install(&zip, &other), &Context::silent(1)).unwrap();
    assert_eq!(content(&other), files(MODEL, &["fold_0"]).into_iter().collect());
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut all = files(MODEL, &["fold_0", "fold_1"]);
    all.push((
        format!("{MODEL}/fold_0/network_architecture.pdf"),
        vec![1; 30 << 20],
    ));
    write(root.path(), &all);
    let (zip, other) = (root.path().join("zips/a.zip"), root.path().join("other"));
    let model = root.path().join(MODEL);
    ends_when_cancelled(|cancel| {
        let _ = fs::remove_file(&zip);
        let context = Context::new(Arc::new(Recorder::default()), cancel.clone(), 1);
        let exported = export_model(&export(std::slice::from_ref(&model), &zip), &context);
        if exported.is_err() {
            assert_eq!(content(zip.parent().unwrap()).len(), 0);
        }
        exported
    });
    export_model(&export(&[model], &zip), &Context::silent(1)).unwrap();
    ends_when_cancelled(|cancel| {
        let _ = fs::remove_dir_all(&other);
        let context = Context::new(Arc::new(Recorder::default()), cancel.clone(), 1);
        let installed = install_model(&install(&zip, &other), &context);
        if installed.is_err() {
            assert_eq!(content(&other).len(), 0);
        }
        installed
    });
}
