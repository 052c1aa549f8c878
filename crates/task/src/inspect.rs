//! Shows the content of an nnU-Net file as JSON.

use std::path::{Path, PathBuf};

use run::{Context, Event, Options};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{json, Value};

use crate::Error;

mod model;

/// Options of [`inspect`].
#[run::options]
pub struct InspectOptions {
    /// A `.pkl`, `.model`, `.pth`, `.npz`, `.npy`, `.nii` or `.nii.gz` file, or the folder of a model of nnU-Net v2.
    #[schemars(length(min = 1))]
    pub file: PathBuf,
    /// Shows arrays of up to this many elements whole, longer ones by shape and type.
    #[default(64)]
    pub longest: usize,
}

impl Options for InspectOptions {}

/// Result of [`inspect`]: the content of a pickle or checkpoint with tensors and arrays as shapes and types,
/// the headers of an archive, array or image, or what a model of nnU-Net v2 is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct InspectSummary(pub Value);

/// Reads a file by its extension, or a model by its folder. Nothing in them is executed.
///
/// # Errors
/// [`Error::FileKind`] for another extension or folder; [`Error::Pickle`] or [`Error::Volume`] naming the file;
/// [`Error::V2`] for a model of nnU-Net v2 that cannot be read.
pub fn inspect(options: &InspectOptions, context: &Context) -> Result<InspectSummary, Error> {
    context.emit(Event::Started {
        verb: "inspect",
        settings: json!({ "file": options.file }),
    });
    content(&options.file, options.longest).map(InspectSummary)
}

fn content(file: &Path, longest: usize) -> Result<Value, Error> {
    if file.is_dir() {
        let folder = v2::ModelFolder::open(file)?;
        return folder.as_ref().map(model::facts).ok_or_else(|| Error::FileKind {
            path: file.to_owned(),
        });
    }
    let name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let extension = name.rsplit('.').next().unwrap_or_default();
    match extension {
        "pkl" => Ok(pickle::read_file(file)?.to_json(longest)),
        "model" | "pth" => Ok(pickle::torch::read_checkpoint(file)?.to_json(longest)),
        "npz" => {
            let headers = volume::npz::headers(file)?;
            let arrays: Vec<Value> = headers
                .iter()
                .map(|(name, header)| array(Some(name), header))
                .collect();
            Ok(json!({ "arrays": arrays }))
        }
        "npy" => Ok(array(None, &volume::npy::read_header(file)?)),
        _ if volume::nifti::stem(name).is_some() => {
            let header = volume::nifti::read_header(file)?;
            let geometry = header.geometry;
            Ok(json!({
                "size": header.size, "channels": header.channels, "dtype": header.dtype.name(),
                "spacing": geometry.spacing, "origin": geometry.origin, "direction": geometry.direction,
            }))
        }
        _ => Err(Error::FileKind {
            path: file.to_owned(),
        }),
    }
}

/// Returns the JSON form of an array's header. Arrays of an archive have names.
fn array(name: Option<&str>, header: &volume::npy::Header) -> Value {
    let named = name.map(|name| ("name".to_owned(), json!(name)));
    let facts = [
        ("shape".to_owned(), json!(header.shape)),
        ("dtype".to_owned(), json!(header.descr)),
        ("fortranOrder".to_owned(), json!(header.fortran_order)),
    ];
    named.into_iter().chain(facts).collect()
}
