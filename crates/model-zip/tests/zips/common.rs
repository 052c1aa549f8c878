//! Models to export, and zip files to install.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::write::DeflateEncoder;
use zip_writer::{ArchiveWriter, Checksum, Content, Method};

/// A model in nnU-Net's folders.
pub const MODEL: &str = "3d_fullres/Task011_GoldenTiny/nnUNetTrainerV2__nnUNetPlansv2.1";

/// A recorded fold with the files that nnU-Net v1 exports, below the name of a fold, and the plans.
fn recorded() -> BTreeMap<&'static str, Vec<u8>> {
    let files = testkit::files_below(&testkit::folder("checkpoint").join("model"));
    let read = |name: &str| fs::read(files.iter().find(|file| file.ends_with(name)).unwrap()).unwrap();
    let names = [
        "debug.json",
        "model_final_checkpoint.model",
        "model_final_checkpoint.model.pkl",
        "plans.pkl",
    ];
    names.into_iter().map(|name| (name, read(name))).collect()
}

/// The files of a whole model with these folds, in the order of nnU-Net v1's zip file.
pub fn files(model: &str, folds: &[&str]) -> Vec<(String, Vec<u8>)> {
    let recorded = recorded();
    let mut files = Vec::new();
    for fold in folds {
        for name in [
            "debug.json",
            "model_final_checkpoint.model",
            "model_final_checkpoint.model.pkl",
        ] {
            files.push((format!("{model}/{fold}/{name}"), recorded[name].clone()));
        }
        files.push((format!("{model}/{fold}/progress.png"), b"a picture".to_vec()));
    }
    files.push((format!("{model}/plans.pkl"), recorded["plans.pkl"].clone()));
    files.push((
        format!("{model}/postprocessing.json"),
        b"{\"for_which_classes\": []}".to_vec(),
    ));
    files
}

/// Writes files below a folder.
pub fn write(root: &Path, files: &[(String, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Packs files, with any names, into a zip file.
pub fn pack(path: &Path, files: &[(String, Vec<u8>)]) {
    pack_with_sizes(path, files, |_, size| size);
}

/// Packs files whose sizes are listed as `listed` says.
pub fn pack_with_sizes(path: &Path, files: &[(String, Vec<u8>)], listed: impl Fn(&str, u64) -> u64) {
    let mut archive = ArchiveWriter::new(Vec::new());
    for (name, bytes) in files {
        let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        let packed = encoder.finish().unwrap();
        let mut checksum = Checksum::new();
        checksum.update(bytes);
        let content = Content {
            method: Method::Deflated,
            checksum: checksum.finalize(),
            size: listed(name, bytes.len() as u64),
            parts: &[&packed],
            alignment: 1,
        };
        archive.add(name, &content).unwrap();
    }
    fs::write(path, archive.finish().unwrap()).unwrap();
}

/// Every file below a folder, by its name there.
pub fn content(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = if root.exists() {
        testkit::files_below(root)
    } else {
        Vec::new()
    };
    let name = |path: &PathBuf| {
        path.strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/")
    };
    files
        .iter()
        .map(|path| (name(path), fs::read(path).unwrap()))
        .collect()
}
