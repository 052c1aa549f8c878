//! What a file of nnU-Net holds, as JSON.

use std::path::PathBuf;

use run::{Coded, Context};
use serde::Deserialize;
use serde_json::{json, Value};

/// Arrays up to this many elements are shown whole, longer ones by shape and type.
const LONGEST: usize = 64;

/// Options of [`inspect`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    file: PathBuf,
}

/// An error of [`inspect`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a kind of file that nnU-Net has.
    #[error("{file}: expected a .pkl, .model, .npz, .npy, .nii or .nii.gz file")]
    Kind {
        /// The file.
        file: PathBuf,
    },
    /// A pickle or checkpoint.
    #[error(transparent)]
    Pickle(#[from] pickle::Error),
    /// An array or image.
    #[error(transparent)]
    Volume(#[from] volume::Error),
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Kind { .. } => "ERR_FILE_KIND",
            Self::Pickle(e) => e.code(),
            Self::Volume(e) => e.code(),
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Kind { file } => json!({ "file": file }),
            Self::Pickle(e) => e.details(),
            Self::Volume(e) => e.details(),
        }
    }
}

/// Reads a file by its extension; executes nothing in it.
pub fn inspect(options: &Options, _: &Context) -> Result<Value, Error> {
    let file = options.file.as_path();
    let name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let extension = name.rsplit('.').next().unwrap_or_default();
    match extension {
        "pkl" => Ok(pickle::read_file(file)?.to_json(LONGEST)),
        "model" => Ok(pickle::torch::read_checkpoint(file)?.to_json(LONGEST)),
        "npz" => {
            let headers = volume::npz::headers(file)?;
            let arrays: Vec<Value> = headers
                .iter()
                .map(|(name, header)| array(Some(name), header))
                .collect();
            Ok(json!({ "arrays": arrays }))
        }
        "npy" => Ok(array(None, &volume::npy::read_header(file)?)),
        _ if name.ends_with(".nii") || name.ends_with(".nii.gz") => {
            let header = volume::nifti::read_header(file)?;
            let geometry = header.geometry;
            Ok(json!({
                "size": header.size, "channels": header.channels, "dtype": header.dtype.name(),
                "spacing": geometry.spacing, "origin": geometry.origin, "direction": geometry.direction,
            }))
        }
        _ => Err(Error::Kind {
            file: file.to_owned(),
        }),
    }
}

/// An array by its header; those of an archive have names.
fn array(name: Option<&str>, header: &volume::npy::Header) -> Value {
    let named = name.map(|name| ("name".to_owned(), json!(name)));
    let facts = [
        ("shape".to_owned(), json!(header.shape)),
        ("dtype".to_owned(), json!(header.descr)),
        ("fortranOrder".to_owned(), json!(header.fortran_order)),
    ];
    named.into_iter().chain(facts).collect()
}
