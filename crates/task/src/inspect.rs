//! Shows the content of an nnU-Net file as JSON.

use std::path::{Path, PathBuf};

use run::{Context, Event, Options};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{json, Value};

use crate::Error;

/// Options of [`inspect`].
#[run::options]
pub struct InspectOptions {
    /// A `.pkl`, `.model`, `.npz`, `.npy`, `.nii` or `.nii.gz` file.
    #[schemars(length(min = 1))]
    pub file: PathBuf,
    /// Shows arrays of up to this many elements whole, longer ones by shape and type.
    #[default(64)]
    pub longest: usize,
}

impl Options for InspectOptions {}

/// Result of [`inspect`]: the content of a pickle or checkpoint with tensors and arrays as shapes and types,
/// or the headers of an archive, array or image.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct InspectSummary(pub Value);

/// Reads a file by its extension. Nothing in the file is executed.
///
/// # Errors
/// [`Error::FileKind`] for another extension; [`Error::Pickle`] or [`Error::Volume`] naming the file.
pub fn inspect(options: &InspectOptions, context: &Context) -> Result<InspectSummary, Error> {
    context.emit(Event::Started {
        verb: "inspect",
        settings: json!({ "file": options.file }),
    });
    content(&options.file, options.longest).map(InspectSummary)
}

fn content(file: &Path, longest: usize) -> Result<Value, Error> {
    let name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let extension = name.rsplit('.').next().unwrap_or_default();
    match extension {
        "pkl" => Ok(pickle::read_file(file)?.to_json(longest)),
        "model" => Ok(pickle::torch::read_checkpoint(file)?.to_json(longest)),
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
