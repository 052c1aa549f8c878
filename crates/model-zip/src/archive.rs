//! A zip file that anyone may have written.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::meter::Meter;
use crate::names::components;
use crate::{Error, PIECE};

/// Most entries of a zip file. A model has some dozens.
const MOST_ENTRIES: usize = 100_000;
/// Deflate packs 258 bytes into two bits at best: a larger ratio is not possible.
const LARGEST_RATIO: u64 = 1032;
/// Content beyond this size must not be packed by more than [`SANE_RATIO`]: weights hardly shrink.
const SMALL: u64 = 64 << 20;
const SANE_RATIO: u64 = 100;
/// The bits of a Unix mode that tell the type of a file: none, a regular file or a folder are fine.
const TYPE: u32 = 0o170_000;
const PLAIN_TYPES: [u32; 3] = [0, 0o100_000, 0o040_000];

/// A file in the archive.
pub(crate) struct Entry {
    index: usize,
    pub(crate) name: String,
    pub(crate) size: u64,
}

/// An archive whose every entry has a safe name and a plausible size.
pub(crate) struct Archive {
    zip: ZipArchive<BufReader<File>>,
    path: PathBuf,
    pub(crate) files: Vec<Entry>,
}

impl Archive {
    /// Opens an archive and checks its list of entries.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Zip`] at the first entry that is not acceptable.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let damaged = |problem: String| Error::Zip {
            path: path.to_owned(),
            problem,
        };
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        let metadata = file.metadata().map_err(|e| Error::io(path, e))?;
        if !metadata.is_file() {
            return Err(damaged("it is not a file".to_owned()));
        }
        let mut zip = ZipArchive::new(BufReader::new(file))
            .map_err(|e| damaged(format!("it is not a whole zip file ({e}); copy it again")))?;
        if zip.has_duplicate_names() {
            return Err(damaged("two entries have the same name".to_owned()));
        }
        if zip.len() > MOST_ENTRIES {
            return Err(damaged(format!(
                "it has {} entries; at most {MOST_ENTRIES} are read",
                zip.len()
            )));
        }
        let mut files = Vec::new();
        for index in 0..zip.len() {
            let (entry, is_folder) = entry(&mut zip, index)
                .map_err(|(name, problem)| damaged(format!("entry {name:?}: {problem}")))?;
            if !is_folder {
                files.push(entry);
            }
        }
        if let Some(name) = collision(&files) {
            return Err(damaged(format!(
                "entry {name:?} has the name of another one, or of a folder, at least on some systems"
            )));
        }
        let total = files
            .iter()
            .fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
        if is_bomb(total, metadata.len()) {
            return Err(damaged(format!(
                "its {} bytes unpack to {total}; no model shrinks so much",
                metadata.len()
            )));
        }
        if zip
            .has_overlapping_entries()
            .map_err(|e| damaged(e.to_string()))?
        {
            return Err(damaged("entries share their bytes".to_owned()));
        }
        Ok(Self {
            zip,
            path: path.to_owned(),
            files,
        })
    }

    /// Unpacks a file of the archive to `out`, and verifies its size and checksum. `target` names `out` in errors.
    ///
    /// # Errors
    /// [`Error::Zip`] if it is damaged; [`Error::Io`] if `out` cannot be written; on cancellation.
    pub(crate) fn unpack(
        &mut self,
        file: usize,
        out: &mut impl Write,
        target: &Path,
        meter: &mut Meter,
    ) -> Result<(), Error> {
        let entry = &self.files[file];
        let damaged = |problem: String| Error::Zip {
            path: self.path.clone(),
            problem: format!("entry {:?}: {problem}; copy the file again", entry.name),
        };
        let mut content = self
            .zip
            .by_index(entry.index)
            .map_err(|e| damaged(e.to_string()))?;
        let mut piece = vec![0; PIECE.min(entry.size as usize + 1)];
        let mut length = 0;
        loop {
            let count = content.read(&mut piece).map_err(|e| damaged(e.to_string()))?;
            if count == 0 {
                break;
            }
            length += count as u64;
            if length > entry.size {
                break;
            }
            out.write_all(&piece[..count]).map_err(|e| Error::io(target, e))?;
            meter.add(count as u64)?;
        }
        if length != entry.size {
            let size = entry.size;
            return Err(damaged(format!(
                "it has {length} bytes or more, not {size} as listed"
            )));
        }
        Ok(())
    }
}

/// An entry whose name, type, method and size are acceptable, and whether it is a folder; else its name and the
/// problem.
fn entry(zip: &mut ZipArchive<BufReader<File>>, index: usize) -> Result<(Entry, bool), (String, String)> {
    let raw = zip
        .by_index_raw(index)
        .map_err(|e| (format!("{index}"), e.to_string()))?;
    let shown = String::from_utf8_lossy(raw.name_raw()).into_owned();
    let refuse = |problem: &str| Err((shown.clone(), problem.to_owned()));
    let Ok(name) = std::str::from_utf8(raw.name_raw()) else {
        return refuse("its name is not UTF-8");
    };
    if let Err(problem) = components(name) {
        return refuse(problem);
    }
    let is_folder = name.ends_with('/');
    let plain = raw
        .unix_mode()
        .is_none_or(|mode| PLAIN_TYPES.contains(&(mode & TYPE)));
    if raw.is_symlink() || !plain {
        return refuse("it is a link or a special file; models have only files");
    }
    if raw.encrypted() {
        return refuse("it is encrypted; write the zip file without a password");
    }
    let limit = match raw.compression() {
        zip::CompressionMethod::Stored => raw.compressed_size(),
        zip::CompressionMethod::Deflated => raw.compressed_size().saturating_mul(LARGEST_RATIO),
        method => return refuse(&format!("its compression {method} is not supported; use deflate")),
    };
    let size = raw.size();
    if size > limit {
        return refuse("its size is more than its bytes can hold; the zip file is damaged");
    }
    if is_bomb(size, raw.compressed_size()) {
        let packed = raw.compressed_size();
        return refuse(&format!(
            "its {packed} bytes unpack to {size}; no model shrinks so much"
        ));
    }
    if is_folder && size > 0 {
        return refuse("it is a folder with content");
    }
    let name = name.to_owned();
    Ok((Entry { index, name, size }, is_folder))
}

fn is_bomb(size: u64, packed: u64) -> bool {
    size > SMALL && size / SANE_RATIO > packed
}

/// A file whose name is, without regard to case, that of another file or of a folder.
fn collision(files: &[Entry]) -> Option<&str> {
    let folded = |entry: &Entry| entry.name.to_lowercase();
    let mut names = BTreeSet::new();
    let twice = files.iter().find(|entry| !names.insert(folded(entry)));
    let in_file = |entry: &&Entry| {
        let name = folded(entry);
        let ends = name.match_indices('/').map(|(end, _)| end);
        ends.into_iter().any(|end| names.contains(&name[..end]))
    };
    let found = twice.or_else(|| files.iter().find(in_file));
    found.map(|entry| entry.name.as_str())
}
