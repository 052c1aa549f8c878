//! Copies of folders.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use glob::Pattern;
use run::Cancel;
use serde::{Deserialize, Serialize};

use crate::error::CopyFailure;
use crate::Error;

use super::{copy_file_cancellable, Links};

/// Options of [`copy_tree`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TreeOptions {
    /// Names of files and folders to exclude, as shell patterns such as `*.tmp`.
    pub ignore: Vec<String>,
    /// Continues an interrupted copy: the target may exist, and files in it with the size of their source stay.
    pub resume: bool,
}

/// Result of a folder copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeSummary {
    /// Number of files written.
    pub files: u64,
    /// Number of files of an interrupted copy, which stayed.
    pub kept: u64,
    /// Number of folders created, including the target.
    pub folders: u64,
    /// Dangling links, which were skipped.
    pub dangling_links: Vec<PathBuf>,
}

/// Copies the folder `source` with all its content to the new folder `target`. Missing parent folders of
/// `target` are created.
///
/// Links are followed: the target of a link is copied, files and folders alike. A dangling link is skipped
/// and listed in the summary. Every entry is tried. Each copied file is complete or absent, so an interrupted copy is
/// continued by the files that are missing ([`TreeOptions::resume`]).
///
/// # Errors
/// [`Error::Tree`] with every failed entry and its reason. [`Error::Io`] if `source` is missing,
/// [`Error::TargetExists`], and [`Error::Pattern`] for an invalid pattern.
pub fn copy_tree(source: &Path, target: &Path, options: &TreeOptions) -> Result<TreeSummary, Error> {
    copy_tree_cancellable(source, target, options, &Cancel::new(), &mut |_| ())
}

/// Returns the number of files that [`copy_tree`] would copy. Entries that cannot be read do not count.
///
/// # Errors
/// [`Error::Pattern`] for an invalid pattern.
pub fn count_files(source: &Path, options: &TreeOptions) -> Result<u64, Error> {
    let mut files = 0;
    let mut walk = Walk {
        ignore: patterns(options)?,
        copy: &|_, _| Ok(()),
        copied: &mut |count| files = count,
        create: false,
        resume: false,
        summary: TreeSummary::default(),
        failures: Vec::new(),
    };
    if let (Ok(names), Ok(top)) = (walk.list(source), fs::canonicalize(source)) {
        walk.entries(source, source, names, &mut vec![top])?;
    }
    Ok(files)
}

/// [`copy_tree`] with cancellation and progress: `copied` receives the number of files so far.
///
/// # Errors
/// As [`copy_tree`]; [`Error::Cancelled`] within 64 MiB. The files copied before are complete, and stay.
pub fn copy_tree_cancellable(
    source: &Path,
    target: &Path,
    options: &TreeOptions,
    cancel: &Cancel,
    copied: &mut dyn FnMut(u64),
) -> Result<TreeSummary, Error> {
    let copy = |from: &Path, to: &Path| copy_file_cancellable(from, to, Links::Follow, cancel).map(drop);
    copy_tree_by(source, target, options, &copy, copied)
}

/// [`copy_tree`] with another function that copies a file.
pub(super) fn copy_tree_by(
    source: &Path,
    target: &Path,
    options: &TreeOptions,
    copy: &dyn Fn(&Path, &Path) -> Result<(), Error>,
    copied: &mut dyn FnMut(u64),
) -> Result<TreeSummary, Error> {
    let mut walk = Walk {
        ignore: patterns(options)?,
        create: true,
        resume: options.resume,
        copy,
        copied,
        summary: TreeSummary::default(),
        failures: Vec::new(),
    };
    // Listed before the target is created, because the target may be inside the source.
    let entries = walk.list(source).map_err(|e| Error::io("read", source, e))?;
    if fs::symlink_metadata(target).is_ok() && !(options.resume && target.is_dir()) {
        return Err(Error::TargetExists {
            path: target.to_owned(),
        });
    }
    fs::create_dir_all(target).map_err(|e| Error::io("create", target, e))?;
    walk.summary.folders += 1;
    let top = fs::canonicalize(source).map_err(|e| Error::io("read", source, e))?;
    walk.entries(source, target, entries, &mut vec![top])?;
    if walk.failures.is_empty() {
        Ok(walk.summary)
    } else {
        Err(Error::Tree {
            path: source.to_owned(),
            failures: walk.failures,
        })
    }
}

fn patterns(options: &TreeOptions) -> Result<Vec<Pattern>, Error> {
    let pattern = |text: &String| {
        Pattern::new(text).map_err(|e| Error::Pattern {
            pattern: text.clone(),
            problem: e.msg,
        })
    };
    options.ignore.iter().map(pattern).collect()
}

struct Walk<'a> {
    ignore: Vec<Pattern>,
    /// Whether folders are created.
    create: bool,
    resume: bool,
    copy: &'a dyn Fn(&Path, &Path) -> Result<(), Error>,
    copied: &'a mut dyn FnMut(u64),
    summary: TreeSummary,
    failures: Vec<CopyFailure>,
}

impl Walk<'_> {
    /// Returns the names in a folder, sorted, without the ignored ones.
    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            if !self
                .ignore
                .iter()
                .any(|pattern| pattern.matches(&name.to_string_lossy()))
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Copies the `names` of `source`. `parents` holds the real paths of the folders being copied.
    ///
    /// # Errors
    /// [`Error::Cancelled`]. Every other error is one of the failures.
    fn entries(
        &mut self,
        source: &Path,
        target: &Path,
        names: Vec<OsString>,
        parents: &mut Vec<PathBuf>,
    ) -> Result<(), Error> {
        for name in names {
            let (from, to) = (source.join(&name), target.join(&name));
            match self.entry(&from, &to, parents) {
                Ok(()) => {}
                Err(Error::Cancelled(stop)) => return Err(stop.into()),
                Err(error) => self.failures.push(CopyFailure {
                    source: from,
                    target: to,
                    error,
                }),
            }
        }
        Ok(())
    }

    fn entry(&mut self, from: &Path, to: &Path, parents: &mut Vec<PathBuf>) -> Result<(), Error> {
        let read = |e| Error::io("read", from, e);
        let link = fs::symlink_metadata(from).map_err(read)?.file_type().is_symlink();
        let metadata = match fs::metadata(from) {
            Err(e) if link && e.kind() == ErrorKind::NotFound => {
                self.summary.dangling_links.push(from.to_owned());
                return Ok(());
            }
            metadata => metadata.map_err(read)?,
        };
        if !metadata.is_dir() {
            if self.resume && fs::symlink_metadata(to).is_ok_and(|m| m.is_file() && m.len() == metadata.len())
            {
                self.summary.kept += 1;
            } else {
                (self.copy)(from, to)?;
                self.summary.files += 1;
            }
            (self.copied)(self.summary.files + self.summary.kept);
            return Ok(());
        }
        let real = fs::canonicalize(from).map_err(read)?;
        if parents.contains(&real) {
            return Err(Error::LinkCycle {
                path: from.to_owned(),
                folder: real,
            });
        }
        let names = self.list(from).map_err(read)?;
        if self.create {
            match fs::create_dir(to) {
                Err(e) if !(self.resume && to.is_dir()) => return Err(Error::io("create", to, e)),
                _ => {}
            }
        }
        self.summary.folders += 1;
        parents.push(real);
        let done = self.entries(from, to, names, parents);
        parents.pop();
        done
    }
}
