//! Zip files that must not be installed.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::common::{content, files, pack, pack_with_sizes, MODEL};
use model_zip::{install_model, InstallModelOptions};
use run::{Coded, Context};
use zip::write::SimpleFileOptions;
use zip::ZipWriter;

/// Installs `a.zip`, which must be refused and leave nothing, and returns the message.
fn refused(root: &Path) -> String {
    let output = root.join("below/other");
    let options = InstallModelOptions {
        output: Some(output.clone()),
        overwrite: true,
        ..InstallModelOptions::new(root.join("a.zip"))
    };
    let error = install_model(&options, &Context::silent(1)).unwrap_err();
    assert_eq!(error.code(), "ERR_MODEL_ZIP", "{error}");
    assert!(content(&output).is_empty(), "{error}");
    let left: Vec<_> = content(root).into_keys().collect();
    assert_eq!(left, ["a.zip"], "{error}");
    error.to_string()
}

/// The message for a whole model to which `more` is added.
fn refused_with(more: &[(&str, &[u8])]) -> String {
    let root = tempfile::tempdir().unwrap();
    let mut all = files(MODEL, &["fold_0"]);
    all.extend(
        more.iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())),
    );
    pack(&root.path().join("a.zip"), &all);
    refused(root.path())
}

#[test]
fn names_that_leave_the_folder_or_differ_by_system() {
    for name in [
        "../outside.txt",
        "2d/../../outside.txt",
        "/tmp/outside.txt",
        "C:/outside.txt",
        "C:outside.txt",
        "..\\outside.txt",
        "2d\\Task011_X\\T__P\\plans.pkl",
        "\\\\host\\share\\a",
        "2d/./a",
        "2d//a",
        "2d/a\0.txt",
        "2d/NUL",
        "2d/a.",
    ] {
        let message = refused_with(&[(name, b"x")]);
        assert!(message.contains(&format!("{name:?}")), "{message}");
        // Also within a model.
        let inner = format!("{MODEL}/{name}");
        refused_with(&[(&inner, b"x")]);
    }
}

#[test]
fn entries_with_the_name_of_another_one() {
    let plans = format!("{MODEL}/plans.pkl");
    assert!(refused_with(&[(&plans, b"x")]).contains("same name"));
    let message = refused_with(&[(&format!("{MODEL}/PLANS.pkl"), b"x")]);
    assert!(message.contains("the name of another one"), "{message}");
    let message = refused_with(&[(&format!("{plans}/a"), b"x")]);
    assert!(message.contains("of a folder"), "{message}");
}

#[test]
fn links() {
    let root = tempfile::tempdir().unwrap();
    let mut writer = ZipWriter::new(fs::File::create(root.path().join("a.zip")).unwrap());
    writer
        .add_symlink("2d", "/etc", SimpleFileOptions::default())
        .unwrap();
    for (name, bytes) in files(MODEL, &["fold_0"]) {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(&bytes).unwrap();
    }
    writer.finish().unwrap();
    assert!(refused(root.path()).contains("link"));
}

#[test]
fn content_that_cannot_be_a_model() {
    let zeros = vec![0; 65 << 20];
    let message = refused_with(&[(&format!("{MODEL}/fold_0/model_best.model"), &zeros)]);
    assert!(message.contains("no model shrinks so much"), "{message}");
    // Many small ones.
    let names: Vec<_> = (0..70).map(|i| format!("{MODEL}/fold_0/{i}")).collect();
    let many: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), &zeros[..1 << 20]))
        .collect();
    let message = refused_with(&many);
    assert!(message.contains("no model shrinks so much"), "{message}");
}

#[test]
fn sizes_that_are_not_those_of_the_content() {
    for change in [-1_i64, 1, 1 << 40] {
        let root = tempfile::tempdir().unwrap();
        let all = files(MODEL, &["fold_0"]);
        pack_with_sizes(&root.path().join("a.zip"), &all, |name, size| {
            match name.ends_with("progress.png") {
                true => size.checked_add_signed(change).unwrap(),
                false => size,
            }
        });
        let message = refused(root.path());
        assert!(message.contains("progress.png"), "{message}");
    }
}

/// Changes the bytes of the zip file.
fn refused_after(change: impl Fn(&mut Vec<u8>)) -> String {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.zip");
    pack(&path, &files(MODEL, &["fold_0"]));
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(&path, bytes).unwrap();
    refused(root.path())
}

/// Positions of the entries in the list at the end.
fn listed(bytes: &[u8]) -> Vec<usize> {
    let places = bytes.windows(4).enumerate();
    places
        .filter(|(_, four)| four == b"PK\x01\x02")
        .map(|(at, _)| at)
        .collect()
}

#[test]
fn damaged_and_encrypted_files() {
    for index in 0..6 {
        // The checksum of an entry.
        refused_after(|bytes| {
            let at = listed(bytes)[index] + 16;
            bytes[at] ^= 1;
        });
        let message = refused_after(|bytes| {
            let at = listed(bytes)[index] + 8;
            bytes[at] |= 1;
        });
        assert!(message.contains("encrypted"), "{message}");
    }
    let message = refused_after(|bytes| {
        let at = listed(bytes)[0] + 10;
        bytes[at] = 14;
    });
    assert!(message.contains("use deflate"), "{message}");
    assert!(refused_after(|bytes| bytes.truncate(bytes.len() / 2)).contains("not a whole zip file"));
    refused_after(|bytes| bytes.clear());
    refused_after(|bytes| *bytes = b"no zip file".to_vec());
    // Weights that are damaged in the middle.
    refused_after(|bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 100].fill(0x55);
    });
}

#[test]
fn a_zip_file_without_a_model_says_what_it_has() {
    let root = tempfile::tempdir().unwrap();
    let zip = root.path().join("a.zip");
    pack(&zip, &[]);
    assert!(refused(root.path()).contains("found no file"));
    let nested: Vec<_> = files(&format!("nnUNet/{MODEL}"), &["fold_0", "fold_1"]);
    pack(&zip, &nested);
    let message = refused(root.path());
    assert!(
        message.contains("expected files CONFIGURATION/TaskXXX_NAME/TRAINER__PLANS/fold_X/")
            && message.contains("found nnUNet/3d_fullres")
            && message.contains("and 5 more"),
        "{message}"
    );
    for lost in [
        "plans.pkl",
        "model_final_checkpoint.model",
        "model_final_checkpoint.model.pkl",
    ] {
        let mut all = files(MODEL, &["fold_0"]);
        all.retain(|(name, _)| !name.ends_with(&format!("/{lost}")));
        pack(&zip, &all);
        assert!(refused(root.path()).contains(lost));
    }
}

#[test]
fn pickles_that_are_programs() {
    // os.system("…"), as pickle.loads would run it.
    let program = b"cos\nsystem\n(S'touch pwned'\ntR.";
    for inner in ["plans.pkl", "fold_0/model_final_checkpoint.model.pkl"] {
        let root = tempfile::tempdir().unwrap();
        let mut all = files(MODEL, &["fold_0"]);
        let name = format!("{MODEL}/{inner}");
        all.iter_mut().find(|(other, _)| *other == name).unwrap().1 = program.to_vec();
        pack(&root.path().join("a.zip"), &all);
        let message = refused(root.path());
        assert!(message.contains(inner) && message.contains("system"), "{message}");
    }
}
