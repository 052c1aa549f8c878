//! The verb `exportModel`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

use dataset::Fold;
use flate2::write::DeflateEncoder;
use run::{Context, Event, OptionError, Options};
use serde::Serialize;
use serde_json::json;
use zip_writer::{ArchiveWriter, Checksum, Method};

use crate::members::{ensembles, Member, Model};
use crate::meter::Meter;
use crate::v2_model::V2Model;
use crate::{Error, PIECE};

/// Options of [`export_model`].
#[run::options]
pub struct ExportModelOptions {
    /// Folders of the models, `RESULTS_FOLDER/nnUNet/CONFIGURATION/TaskXXX_NAME/TRAINER__PLANS`, or
    /// `nnUNet_results/DatasetXXX_NAME/TRAINER__PLANS__CONFIGURATION` of nnU-Net v2.
    #[schemars(length(min = 1))]
    pub models: Vec<PathBuf>,
    /// The zip file.
    #[schemars(length(min = 1))]
    pub output: PathBuf,
    /// Folds to export: numbers or `all`. The default is every fold with a number; `all` if no other exists.
    /// Unfinished folds are an error.
    #[schemars(length(min = 1))]
    pub folds: Option<Vec<Fold>>,
    /// Requires every file that nnU-Net v1 requires, also `postprocessing.json`, `debug.json` and `progress.png`.
    /// Otherwise a missing one is a warning.
    #[default]
    pub strict: bool,
    /// Replaces an existing zip file.
    #[default]
    pub overwrite: bool,
}

impl Options for ExportModelOptions {}

/// A model in the zip file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedModel {
    /// The folder.
    pub folder: PathBuf,
    /// Its name in the zip file.
    pub name: String,
    /// The exported folds.
    pub folds: Vec<Fold>,
}

/// Outcome of [`export_model`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportModelSummary {
    /// The zip file.
    pub output: PathBuf,
    /// The exported models.
    pub models: Vec<ExportedModel>,
    /// Number of ensembles whose postprocessing was exported.
    pub ensembles: usize,
    /// Number of files in the zip file.
    pub files: usize,
    /// Bytes of these files.
    pub bytes: u64,
    /// Bytes of the zip file.
    pub size: u64,
}

/// Writes trained models into a zip file that this package and nnU-Net install, with the files that nnU-Net exports, and
/// the postprocessing of the ensembles of nnU-Net v1. The file is complete or absent.
///
/// Sources: `nnunet.inference.pretrained_models.collect_pretrained_models.export_pretrained_model`,
/// `nnunetv2.model_sharing.model_export.export_pretrained_model`.
///
/// # Errors
/// [`Error::FileExists`]; [`Error::Model`]; [`Error::Unfinished`]; [`Error::NotFound`] of a missing file; on
/// cancellation.
pub fn export_model(options: &ExportModelOptions, context: &Context) -> Result<ExportModelSummary, Error> {
    run::validate(options)?;
    let ExportModelOptions { output, strict, .. } = options;
    context.emit(Event::Started {
        verb: "exportModel",
        settings: json!({
            "models": options.models, "output": output, "folds": options.folds, "strict": strict,
        }),
    });
    if !options.overwrite && output.symlink_metadata().is_ok() {
        let path = output.clone();
        return Err(Error::FileExists { path });
    }
    let (mut models, mut members, mut exported) = (Vec::new(), Vec::new(), Vec::new());
    for folder in &options.models {
        context.check()?;
        let folds = options.folds.as_deref();
        if let Some(model) = V2Model::find(folder, folds)? {
            members.extend(model.members(*strict, context)?);
            exported.push(ExportedModel {
                folder: model.folder.path,
                name: model.name,
                folds: model.folds,
            });
            continue;
        }
        let model = Model::find(folder, folds)?;
        members.extend(model.members(*strict, context)?);
        exported.push(ExportedModel {
            folder: model.folder.path.clone(),
            name: model.name.clone(),
            folds: model.folds.clone(),
        });
        models.push(model);
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = exported.iter().find(|model| !names.insert(&model.name)) {
        let problem = format!("two folders have the name {} in the zip file", twice.name);
        return Err(OptionError::new("models", problem).into());
    }
    let ensembles = ensembles(&models, context)?;
    let count = ensembles.len();
    members.extend(ensembles);
    if let Some(parent) = output.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
    }
    let bytes = write(&members, options, context)?;
    let size = output.metadata().map_err(|e| Error::io(output, e))?.len();
    Ok(ExportModelSummary {
        output: output.clone(),
        models: exported,
        ensembles: count,
        files: members.len(),
        bytes,
        size,
    })
}

/// Why a file is not written.
enum Stop {
    /// It cannot be written.
    Write(io::Error),
    /// Anything else.
    Other(Error),
}

/// Writes the zip file, and returns the bytes of its members.
fn write(members: &[Member], options: &ExportModelOptions, context: &Context) -> Result<u64, Error> {
    let mut total = 0;
    for member in members {
        let length = member
            .source
            .metadata()
            .map_err(|e| Error::io(&member.source, e))?
            .len();
        total += length;
    }
    let mut other = None;
    let written = storage::write_atomic(&options.output, |out| {
        let mut archive = ArchiveWriter::new(out);
        let mut meter = Meter::new(context, total);
        let mut bytes = 0;
        for member in members {
            bytes += pack(member, &mut archive, &mut meter).map_err(|stop| match stop {
                Stop::Write(error) => error,
                Stop::Other(error) => {
                    other = Some(error);
                    io::Error::other("stopped")
                }
            })?;
        }
        archive.finish()?;
        meter.end();
        Ok(bytes)
    });
    match other {
        Some(error) => Err(error),
        None => Ok(written?),
    }
}

/// Deflates a file into the archive, piece by piece, and returns its length.
fn pack(
    member: &Member,
    archive: &mut ArchiveWriter<impl Write + Seek>,
    meter: &mut Meter,
) -> Result<u64, Stop> {
    let failed = |e| Stop::Other(Error::io(&member.source, e));
    let mut file = File::open(&member.source).map_err(failed)?;
    let mut packed = archive
        .begin(&member.name, Method::Deflated)
        .map_err(Stop::Write)?;
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    let mut piece = vec![0; PIECE];
    let mut length = 0;
    loop {
        let count = file.read(&mut piece).map_err(failed)?;
        if count == 0 {
            break;
        }
        let bytes = &piece[..count];
        let mut checksum = Checksum::new();
        checksum.update(bytes);
        encoder.write_all(bytes).map_err(Stop::Write)?;
        packed
            .push(encoder.get_ref(), count as u64, &checksum)
            .map_err(Stop::Write)?;
        encoder.get_mut().clear();
        length += count as u64;
        meter.add(count as u64).map_err(|e| Stop::Other(e.into()))?;
    }
    let rest = encoder.finish().map_err(Stop::Write)?;
    packed.push(&rest, 0, &Checksum::new()).map_err(Stop::Write)?;
    packed.end().map_err(Stop::Write)?;
    Ok(length)
}
