//! How a loader reads its cases: from a memory map, or from npz files if nothing can be unpacked.

use std::io::ErrorKind;
use std::sync::Arc;

use run::Context;
use sampling::{PackedCache, StageFolder, Unpacked};

use crate::LoaderOptions;

/// The opened folder of a loader.
pub(crate) struct Stage {
    pub folder: StageFolder,
    /// Why nothing could be unpacked, if the options ask for it.
    pub not_unpacked: Option<sampling::Error>,
}

impl Stage {
    /// Unpacks the cases with `unpack`, if the options ask for it. If the folder cannot be written or is too
    /// small, and every case has its npz file, these are read instead.
    pub fn open(
        options: &LoaderOptions,
        context: &Context,
        unpack: impl FnOnce(&[String], &StageFolder, &Context) -> Result<Unpacked, sampling::Error>,
    ) -> Result<Self, sampling::Error> {
        let cache = || Some(Arc::new(PackedCache::new(options.cache_bytes)));
        let mut folder = StageFolder {
            folder: options.folder.clone(),
            previous_stage: options.previous_stage.clone(),
            weightmaps: options.pipeline.weightmap,
            packed: None,
            ignored: options.ignored_labels.clone(),
        };
        let mut not_unpacked = None;
        if !options.unpack {
            folder.packed = cache();
        } else if let Err(error) = unpack(&options.cases, &folder, context) {
            if !is_unwritable(&error) || !has_archives(options) {
                return Err(error);
            }
            folder.packed = cache();
            not_unpacked = Some(error);
        }
        Ok(Self { folder, not_unpacked })
    }

    /// Whether patches are cut from decompressed npz files.
    pub fn is_packed(&self) -> bool {
        self.folder.packed.is_some()
    }
}

/// Whether the folder is read-only, not the user's, or too small.
fn is_unwritable(error: &sampling::Error) -> bool {
    match error {
        sampling::Error::NoSpace { .. } => true,
        sampling::Error::Write(error) => match error.as_ref() {
            storage::Error::DiskFull { .. } | storage::Error::Space { .. } => true,
            storage::Error::Io { source, .. } => {
                matches!(
                    source.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
                )
            }
            _ => false,
        },
        _ => false,
    }
}

fn has_archives(options: &LoaderOptions) -> bool {
    let in_folder = |case: &String| options.folder.join(format!("{case}.npz")).is_file();
    let in_previous = |case: &String| {
        let name = format!("{case}_segFromPrevStage.npz");
        let previous = options.previous_stage.as_ref();
        previous.is_none_or(|folder| folder.join(name).is_file())
    };
    options
        .cases
        .iter()
        .all(|case| in_folder(case) && in_previous(case))
}

#[cfg(test)]
mod tests {
    use std::io;

    use augment::PipelineOptions;

    use super::*;

    fn io_error(kind: ErrorKind) -> sampling::Error {
        let (path, source) = ("a.npy".into(), io::Error::from(kind));
        storage::Error::Io {
            action: "create",
            path,
            source,
        }
        .into()
    }

    #[test]
    fn npz_files_are_read_where_nothing_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let cases = vec!["a".to_owned()];
        let options = LoaderOptions::new(folder.path(), cases, PipelineOptions::new(&[8, 8, 8], 1));
        let context = Context::silent(1);
        let open = |error: sampling::Error| Stage::open(&options, &context, |_, _, _| Err(error));
        let full = || sampling::Error::NoSpace {
            folder: "f".into(),
            needed: 2,
            available: 1,
        };
        assert!(open(full()).is_err(), "the case has no npz file");
        std::fs::write(folder.path().join("a.npz"), "").unwrap();
        for error in [
            full(),
            io_error(ErrorKind::PermissionDenied),
            io_error(ErrorKind::ReadOnlyFilesystem),
        ] {
            let stage = open(error).unwrap();
            assert!(stage.is_packed() && stage.not_unpacked.is_some());
        }
        assert!(open(io_error(ErrorKind::TimedOut)).is_err());
        let unpacked = Stage::open(&options, &context, |_, _, _| Ok(Unpacked::default())).unwrap();
        assert!(!unpacked.is_packed() && unpacked.not_unpacked.is_none());
    }
}
