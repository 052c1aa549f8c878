//! Copies of files and folders without metadata.

use std::path::PathBuf;

use run::{Context, Event, Options};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use storage::{copy_file_cancellable, copy_tree_cancellable, Links};

use crate::Error;

/// Options of [`copy_file`].
#[run::options]
pub struct CopyFileOptions {
    /// The file.
    #[schemars(length(min = 1))]
    pub source: PathBuf,
    /// Path of the copy, or a folder that gets a copy of the same name. An existing file is replaced.
    #[schemars(length(min = 1))]
    pub target: PathBuf,
    /// Copies a symbolic link as a link. Otherwise its target is copied.
    #[default]
    pub keep_links: bool,
}

impl Options for CopyFileOptions {}

/// Result of [`copy_file`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CopyFileSummary {
    /// Path of the copy.
    pub target: PathBuf,
}

/// Options of [`copy_tree`].
#[run::options]
pub struct CopyTreeOptions {
    /// The folder.
    #[schemars(length(min = 1))]
    pub source: PathBuf,
    /// Path of the copy, which must not exist unless a copy is continued. Missing parent folders are created.
    #[schemars(length(min = 1))]
    pub target: PathBuf,
    /// Names of files and folders to leave out, as shell patterns such as `*.tmp`.
    #[default]
    pub ignore: Vec<String>,
    /// Continues a copy that was interrupted: files in `target` with the size of their source stay, the others are
    /// copied.
    #[serde(rename = "continue")]
    #[default]
    pub resume: bool,
}

impl Options for CopyTreeOptions {}

/// Result of [`copy_tree`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CopyTreeSummary {
    /// Path of the copy.
    pub target: PathBuf,
    /// Number of files copied.
    pub files: u64,
    /// Number of files that were there from an interrupted copy.
    pub kept: u64,
    /// Number of folders created.
    pub folders: u64,
    /// Symbolic links to nothing, which were left out.
    pub dangling_links: Vec<PathBuf>,
}

/// Copies the content of a file, and neither mode, times nor owner: servers that store no such metadata reject them.
/// The copy is complete or absent. Symbolic links are followed.
///
/// Source: `shutil_sol.copyfile` of DIAG.
///
/// # Errors
/// [`Error::Storage`] if the file cannot be read or written, source and target are one file, or the source is neither
/// file nor link; on cancellation.
pub fn copy_file(options: &CopyFileOptions, context: &Context) -> Result<CopyFileSummary, Error> {
    run::validate(options)?;
    context.emit(Event::Started {
        verb: "copyFile",
        settings: json!({ "source": options.source, "target": options.target }),
    });
    let links = match options.keep_links {
        true => Links::Keep,
        false => Links::Follow,
    };
    let target = copy_file_cancellable(&options.source, &options.target, links, context.cancel())?;
    Ok(CopyFileSummary { target })
}

/// Copies the content of a folder as [`copy_file`]. Symbolic links are followed, relative ones from their own folder;
/// links to nothing are left out, with a warning. Every entry is tried, also after a failure.
///
/// Source: `shutil_sol.copytree` of DIAG.
///
/// # Errors
/// [`Error::Storage`] with every entry that could not be copied; if the target exists and no copy is continued; on
/// cancellation. Files that were copied stay.
pub fn copy_tree(options: &CopyTreeOptions, context: &Context) -> Result<CopyTreeSummary, Error> {
    run::validate(options)?;
    let CopyTreeOptions {
        source,
        target,
        ignore,
        resume,
    } = options;
    context.emit(Event::Started {
        verb: "copyTree",
        settings: json!({ "source": source, "target": target, "ignore": ignore, "continue": resume }),
    });
    let options = storage::TreeOptions {
        ignore: ignore.clone(),
        resume: *resume,
    };
    let total = storage::count_files(source, &options)?;
    let mut copied = |done: u64| context.progress(done, total.max(done), "files", None);
    let done = copy_tree_cancellable(source, target, &options, context.cancel(), &mut copied)?;
    for link in &done.dangling_links {
        let message = format!("{} links to nothing, and was left out", link.display());
        context.warn("WARN_DANGLING_LINK", message, None);
    }
    Ok(CopyTreeSummary {
        target: target.clone(),
        files: done.files,
        kept: done.kept,
        folders: done.folders,
        dangling_links: done.dangling_links,
    })
}
