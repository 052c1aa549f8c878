//! `validation_args.json`: what a folder of validation cases was made with.

use std::fs;
use std::io::Write;
use std::path::Path;

use dataset::results::FINAL_CHECKPOINT;
use serde_json::{json, Value};
use settings::TrainOptions;

use crate::resume::digest;
use crate::setup::Setup;
use crate::{Error, Result};

const FILE: &str = "validation_args.json";

/// The arguments of a validation with nnU-Net's names, the checkpoint, and the cases.
pub(super) struct Record(Value);

impl Record {
    pub fn new(options: &TrainOptions, setup: &Setup) -> Result<Self> {
        let checkpoint = setup.model.fold(options.data.fold).checkpoint(FINAL_CHECKPOINT);
        let bytes = fs::read(&checkpoint).map_err(|e| Error::io(&checkpoint, e))?;
        Ok(Self(json!({
            "do_mirroring": true,
            "use_sliding_window": true,
            "step_size": 0.5,
            "save_softmax": options.npz,
            "use_gaussian": true,
            "overwrite": true,
            "validation_folder_name": "validation_raw",
            "debug": false,
            "all_in_gpu": false,
            "segmentation_export_kwargs": null,
            "precision": setup.compute.precision_name(),
            "checkpoint": digest(&bytes),
        })))
    }

    /// Empties the folder, unless it was made with the same arguments and checkpoint.
    pub fn prepare(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        let before = fs::read(&path)
            .ok()
            .and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        if before.as_ref() == Some(&self.0) {
            return Ok(());
        }
        for entry in fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
            let path = entry.map_err(|e| Error::io(folder, e))?.path();
            if path.is_file() {
                fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
            }
        }
        storage::write_atomic(&path, |file| {
            serde_json::to_writer_pretty(&mut *file, &self.0)?;
            file.write_all(b"\n")
        })?;
        Ok(())
    }
}
