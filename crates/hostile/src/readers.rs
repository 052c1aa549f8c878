//! The list of readers.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use dataset::{splits, text, CaseProperties, DatasetJson, Plans};
use model_zip::{install_model, InstallModelOptions};
use pickle::Limits;
use run::Context;
use volume::{nifti, npy, npz};

use crate::samples;
use crate::workspace::{with, with_file};

/// Deflate's best ratio: 258 bytes from 2 bits.
const INFLATED: usize = 1032;
/// Bytes of memory for a byte of voxels: an 8-bit voxel as float64, once as read and once as returned.
const CONVERTED: usize = 24;

/// A reader of one kind of file.
pub struct Reader {
    /// Name of the reader, and of its fuzz target.
    pub name: &'static str,
    /// Reads the bytes. Returns whether they were accepted.
    pub read: fn(&[u8]) -> bool,
    /// Valid small files.
    pub samples: fn() -> Vec<Vec<u8>>,
    /// Whether a file of this name, in lower case, is a seed for the fuzzer.
    pub seed: fn(&str) -> bool,
    /// Bytes of memory that a byte of the file may ask for.
    pub per_byte: usize,
    /// Bytes of memory that any file may ask for.
    pub spare: usize,
}

impl Reader {
    /// Largest memory, in bytes, that reading a file of this length may take at a time.
    pub fn allowed(&self, length: usize) -> usize {
        self.spare + self.per_byte * length
    }
}

const PLAIN: usize = 2 << 20;
/// The limits of pickles leave this for values that a pickle refers to many times.
const PICKLED: usize = 256 << 20;

/// Every reader.
pub const READERS: &[Reader] = &[
    Reader {
        name: "nifti",
        read: |bytes| volumes("image.nii", bytes),
        samples: samples::nifti,
        seed: |name| name.ends_with(".nii"),
        per_byte: CONVERTED,
        spare: PLAIN,
    },
    Reader {
        name: "nifti_gz",
        read: |bytes| volumes("image.nii.gz", bytes),
        samples: || samples::nifti().iter().map(|file| samples::gzip(file)).collect(),
        seed: |name| name.ends_with(".nii.gz"),
        per_byte: CONVERTED * INFLATED,
        spare: PLAIN,
    },
    Reader {
        // The checksum of the container is right, so that the fuzzer reaches what is behind it.
        name: "nifti_in_gz",
        read: |bytes| volumes("image.nii.gz", &samples::gzip(bytes)),
        samples: samples::nifti,
        seed: |name| name.ends_with(".nii"),
        per_byte: CONVERTED,
        spare: PLAIN,
    },
    Reader {
        name: "npy",
        read: arrays,
        samples: samples::npy,
        seed: |name| name.ends_with(".npy"),
        per_byte: CONVERTED,
        spare: PLAIN,
    },
    Reader {
        name: "npz",
        read: archives,
        samples: samples::npz,
        seed: |name| name.ends_with(".npz"),
        per_byte: CONVERTED * INFLATED,
        spare: PLAIN,
    },
    Reader {
        name: "npy_in_npz",
        read: |bytes| archives(&samples::zip(&[("data.npy", bytes)])),
        samples: samples::npy,
        seed: |name| name.ends_with(".npy"),
        per_byte: CONVERTED,
        spare: PLAIN,
    },
    Reader {
        name: "pickle",
        read: pickled,
        samples: samples::pickles,
        seed: |name| name.ends_with(".pkl"),
        per_byte: 256,
        spare: PICKLED,
    },
    Reader {
        name: "records_pkl",
        read: |bytes| {
            let plans = with_file("plans.pkl", bytes, Plans::read);
            let properties = with_file("case.pkl", bytes, CaseProperties::read);
            let splits = with_file("splits_final.pkl", bytes, splits::read_splits);
            plans || properties || splits
        },
        samples: samples::pickles,
        seed: |name| name.ends_with(".pkl"),
        per_byte: 256,
        spare: PICKLED,
    },
    Reader {
        name: "checkpoint",
        read: checkpoint,
        samples: samples::checkpoints,
        seed: |name| name.ends_with(".model"),
        per_byte: 256,
        spare: PICKLED,
    },
    Reader {
        name: "pickle_in_checkpoint",
        read: |bytes| {
            let entries = [
                ("model/data.pkl", bytes),
                ("model/data/0", &[0; 64]),
                ("model/version", b"3\n"),
            ];
            checkpoint(&samples::zip(&entries))
        },
        samples: samples::checkpoint_pickles,
        seed: |name| name.ends_with(".pkl"),
        per_byte: 256,
        spare: PICKLED,
    },
    Reader {
        name: "json",
        read: |bytes| {
            let dataset = with_file("dataset.json", bytes, DatasetJson::read);
            let summary = with_file("summary.json", bytes, evaluate::read_summary);
            let rules = with_file("postprocessing.json", bytes, evaluate::postprocessing::read_rules);
            let splits = with_file("splits_final.json", bytes, splits::read_splits);
            let groups = with_file("groups.json", bytes, task::splits::groups_from_file);
            // Records of a run are compared as values.
            let record = with_file("record.json", bytes, text::read_json::<serde_json::Value>);
            dataset || summary || rules || splits || groups || record
        },
        samples: samples::json,
        seed: |name| name.ends_with(".json"),
        per_byte: 512,
        spare: PLAIN,
    },
    Reader {
        name: "v2_json",
        read: |bytes| {
            let plans = with_file("plans.json", bytes, plans_of_v2);
            let dataset = with_file("dataset.json", bytes, v2::Dataset::read);
            let rules = with_file("postprocessing.json", bytes, evaluate::postprocessing::read_rules);
            plans || dataset || rules
        },
        samples: samples::v2_json,
        seed: |name| name.ends_with(".json"),
        per_byte: 512,
        spare: PLAIN,
    },
    Reader {
        name: "v2_pkl",
        read: |bytes| {
            let rules = with_file("postprocessing.pkl", bytes, evaluate::postprocessing::read_rules);
            let properties = with_file("case.pkl", bytes, |path| {
                let plans = samples::v2_plans()?;
                v2::Properties::read(path, &plans)
            });
            rules || properties
        },
        samples: samples::v2_pickles,
        seed: |name| name.ends_with(".pkl"),
        per_byte: 256,
        spare: PICKLED,
    },
    Reader {
        name: "v2_checkpoint",
        read: |bytes| with_file("checkpoint_final.pth", bytes, v2::CheckpointFile::read),
        samples: samples::v2_checkpoints,
        seed: |name| name.ends_with(".pth"),
        per_byte: 256,
        spare: PICKLED,
    },
    Reader {
        name: "groups",
        read: |bytes| with_file("groups.csv", bytes, task::splits::groups_from_file),
        samples: samples::groups,
        seed: |name| name.ends_with(".csv"),
        per_byte: 256,
        spare: PLAIN,
    },
    Reader {
        name: "model_zip",
        read: installed,
        samples: samples::models,
        seed: |name| name.ends_with(".zip"),
        per_byte: 256 * INFLATED,
        spare: PICKLED,
    },
];

/// Returns the reader of this name.
pub fn find(name: &str) -> Option<&'static Reader> {
    READERS.iter().find(|reader| reader.name == name)
}

fn volumes(name: &str, bytes: &[u8]) -> bool {
    with(|workspace| {
        let path = workspace.path(name);
        if fs::write(&path, bytes).is_err() {
            return false;
        }
        let header = nifti::read_header(&path).is_ok();
        let description = nifti::read_description(&path).is_ok();
        let image = nifti::read_image(&path).is_ok();
        let labels = nifti::read_labels(&path).is_ok();
        let copied = match nifti::Stored::open(&path) {
            Ok(stored) => stored.save(&workspace.path("copy.nii")).is_ok(),
            Err(_) => false,
        };
        header || description || image || labels || copied
    })
}

fn arrays(bytes: &[u8]) -> bool {
    with_file("array.npy", bytes, |path| {
        let header = npy::read_header(path).map(drop);
        let mapped = npy::Mapped::<f32>::open(path).map(|mapped| {
            std::hint::black_box(mapped.view().sum());
        });
        let double = npy::read::<f64>(path).map(drop);
        let label = npy::read::<i16>(path).map(drop);
        header.or(mapped).or(double).or(label)
    })
}

fn archives(bytes: &[u8]) -> bool {
    with_file("arrays.npz", bytes, |path| {
        let headers = npz::headers(path).map(drop);
        for name in npz::names(path).unwrap_or_default() {
            let _ = npz::read::<f32>(path, &name);
        }
        headers.and(npz::read_all_f64(path).map(drop))
    })
}

fn pickled(bytes: &[u8]) -> bool {
    match pickle::read(bytes, &Limits::default()) {
        Ok(value) => {
            value.to_json(100);
            // What can be read can be written and read again.
            pickle::write(&value, pickle::Protocol::default()).is_ok()
        }
        Err(_) => false,
    }
}

fn checkpoint(bytes: &[u8]) -> bool {
    pickle::torch::read_from(Cursor::new(bytes), bytes.len() as u64, &Limits::default()).is_ok()
}

/// Plans of nnU-Net v2, with every configuration and its network.
fn plans_of_v2(path: &Path) -> Result<(), v2::Error> {
    let plans = v2::Plans::read(path)?;
    for name in plans.configuration_names() {
        let configuration = plans.configuration(name);
        // A network may be unknown; the plans are valid all the same.
        let _ = configuration.map(|found| v2::Architecture::read(path, name, &found.json, &found.patch_size));
    }
    Ok(())
}

fn installed(bytes: &[u8]) -> bool {
    with_file("model.zip", bytes, |path: &Path| {
        let output = path.with_file_name("models");
        let options = InstallModelOptions {
            output: Some(output.clone()),
            overwrite: true,
            ..InstallModelOptions::new(path.to_owned())
        };
        let result = install_model(&options, &Context::silent(1));
        let _ = fs::remove_dir_all(output);
        result
    })
}
