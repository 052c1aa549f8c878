//! nnU-Net's three folders, from options or its environment variables.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::Error;

/// Environment variable of [`Folders::raw_base`].
pub const RAW_VARIABLE: &str = "nnUNet_raw_data_base";
/// Environment variable of [`Folders::preprocessed`].
pub const PREPROCESSED_VARIABLE: &str = "nnUNet_preprocessed";
/// Environment variable of [`Folders::results`].
pub const RESULTS_VARIABLE: &str = "RESULTS_FOLDER";

/// nnU-Net's folders, as options. [`Folders::resolve`] fills unset ones from the environment.
#[run::options]
#[derive(Eq)]
pub struct Folders {
    /// Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is `$nnUNet_raw_data_base`.
    #[serde(rename = "rawDataBase")]
    pub raw_base: Option<PathBuf>,
    /// Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`.
    pub preprocessed: Option<PathBuf>,
    /// Folder of trained models. The default is `$RESULTS_FOLDER`.
    pub results: Option<PathBuf>,
}

impl Folders {
    /// Returns these folders, with unset ones from the environment. Quotes and blanks around a value, which
    /// shells on Windows may add, are removed with a warning.
    pub fn resolve(&self, context: &run::Context) -> Self {
        self.resolve_with(|name| std::env::var_os(name), context)
    }

    fn resolve_with(&self, variable: impl Fn(&str) -> Option<OsString>, context: &run::Context) -> Self {
        let one = |option: &Option<PathBuf>, name: &str| {
            let given = match option {
                Some(path) => path.clone().into_os_string(),
                None => variable(name)?,
            };
            let text = given.to_string_lossy();
            let bare = text.trim().trim_matches(['"', '\'']);
            if bare.is_empty() {
                return None;
            }
            if bare.len() == text.len() {
                return Some(PathBuf::from(given));
            }
            let message =
                format!("{name} is {text:?}; the quotes or blanks around it are ignored; remove them");
            context.warn("WARN_QUOTED_FOLDER", message, None);
            Some(PathBuf::from(bare))
        };
        Self {
            raw_base: one(&self.raw_base, RAW_VARIABLE),
            preprocessed: one(&self.preprocessed, PREPROCESSED_VARIABLE),
            results: one(&self.results, RESULTS_VARIABLE),
        }
    }

    /// Returns the base folder of the raw data, which must exist.
    ///
    /// # Errors
    /// [`Error::FolderUnset`], [`Error::NotFound`].
    pub fn raw_base(&self) -> Result<&Path, Error> {
        let path = set(&self.raw_base, "raw data", "rawDataBase", RAW_VARIABLE)?;
        let what = "raw data, from the option rawDataBase or the variable nnUNet_raw_data_base";
        run::NotFound::unless_exists(what, path, "create the folder, or choose another")?;
        Ok(path)
    }

    /// Returns `nnUNet_raw_data`, the folder of raw tasks.
    ///
    /// # Errors
    /// As [`Folders::raw_base`].
    pub fn raw_data(&self) -> Result<PathBuf, Error> {
        Ok(self.raw_base()?.join("nnUNet_raw_data"))
    }

    /// Returns `nnUNet_cropped_data`, the folder of tasks cropped to their non-zero region.
    ///
    /// # Errors
    /// As [`Folders::raw_base`].
    pub fn cropped_data(&self) -> Result<PathBuf, Error> {
        Ok(self.raw_base()?.join("nnUNet_cropped_data"))
    }

    /// Returns the folder of preprocessed tasks. It need not exist.
    ///
    /// # Errors
    /// [`Error::FolderUnset`].
    pub fn preprocessed(&self) -> Result<&Path, Error> {
        set(
            &self.preprocessed,
            "preprocessed data",
            "preprocessed",
            PREPROCESSED_VARIABLE,
        )
    }

    /// Returns the folder of trained models. It need not exist.
    ///
    /// # Errors
    /// [`Error::FolderUnset`].
    pub fn results(&self) -> Result<&Path, Error> {
        set(&self.results, "trained models", "results", RESULTS_VARIABLE)
    }
}

fn set<'p>(
    path: &'p Option<PathBuf>,
    what: &'static str,
    option: &'static str,
    variable: &'static str,
) -> Result<&'p Path, Error> {
    path.as_deref().ok_or(Error::FolderUnset {
        what,
        option,
        variable,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use run::{Cancel, Coded, Context, Event};
    use testkit::Recorder;

    use super::*;

    #[test]
    fn options_override_variables_and_quotes_are_removed_with_warning() {
        let sink = Arc::new(Recorder::default());
        let context = Context::new(sink.clone(), Cancel::new(), 1);
        let options = Folders {
            raw_base: Some("/option".into()),
            ..Folders::default()
        };
        let environment = |name: &str| match name {
            RAW_VARIABLE => Some("/variable".into()),
            PREPROCESSED_VARIABLE => Some("\"C:/pre processed\"".into()),
            _ => Some("".into()),
        };
        let folders = options.resolve_with(environment, &context);
        assert_eq!(folders.raw_base, Some("/option".into()));
        assert_eq!(folders.preprocessed, Some("C:/pre processed".into()));
        assert_eq!(folders.results, None);
        assert_eq!(folders.results().unwrap_err().code(), "ERR_FOLDER_UNSET");
        assert_eq!(folders.raw_data().unwrap_err().code(), "ERR_NOT_FOUND");
        let events = sink.events();
        assert!(
            matches!(
                &events[..],
                [Event::Warning {
                    code: "WARN_QUOTED_FOLDER",
                    ..
                }]
            ),
            "{events:?}"
        );
    }
}
