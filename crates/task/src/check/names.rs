//! Names of image and label files that nnU-Net would not find, or of which it would take one silently.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dataset::files::only_one;
use dataset::{case_of, DatasetJson};
use volume::nifti::{stem, EXTENSIONS};

use super::problem::{Problem, ProblemKind as Kind};

/// Adds the problems of the names in a folder. A folder that cannot be listed has none here.
pub(super) fn check(folder: &Path, problems: &mut Vec<Problem>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    for name in &names {
        let path = folder.join(name);
        let mut add = |kind, message: String| problems.push(Problem::new(kind, message).in_file(&path));
        if path.is_symlink() && !path.exists() {
            let target = std::fs::read_link(&path).unwrap_or_default();
            add(
                Kind::FileName,
                format!("is a link to {}, which does not exist", target.display()),
            );
        } else if stem(name).is_some() {
            if path.is_dir() {
                add(Kind::FileName, "is a folder; expected a file".to_owned());
            } else if name.ends_with(EXTENSIONS[0]) {
                if let Err(error) = only_one(&path) {
                    add(Kind::TwoFiles, error.to_string());
                }
            }
        } else if let Some(stem) = stem(&name.to_lowercase()) {
            let extension = &name[name.len().min(stem.len())..];
            let message = format!("the extension {extension} is not read; write it in lower case");
            add(Kind::FileName, message);
        } else if let Some(format) = other_format(name) {
            let message = format!("{format} files are not read; convert it to .nii.gz");
            add(Kind::FileName, message);
        }
    }
}

/// Returns the format of an image file that nnU-Net v1 does not read.
fn other_format(name: &str) -> Option<&'static str> {
    const FORMATS: [(&str, &str); 16] = [
        (".nrrd", "NRRD"),
        (".nhdr", "NRRD"),
        (".mha", "MetaImage"),
        (".mhd", "MetaImage"),
        (".hdr", "NIfTI pair (.hdr and .img)"),
        (".hdr.gz", "NIfTI pair (.hdr and .img)"),
        (".mgz", "FreeSurfer"),
        (".mgh", "FreeSurfer"),
        (".dcm", "DICOM"),
        (".nii.zip", "zip"),
        (".nii.bz2", "bzip2"),
        (".nii.xz", "xz"),
        (".png", "PNG"),
        (".tif", "TIFF"),
        (".tiff", "TIFF"),
        (".nii.gz.gz", "twice compressed"),
    ];
    let name = name.to_lowercase();
    let found = FORMATS.iter().find(|(extension, _)| name.ends_with(extension));
    found.map(|(_, format)| *format)
}

/// Adds a problem for training cases whose names differ only in upper and lower case: on file systems of macOS and
/// Windows they are one.
pub(super) fn twins(dataset: &DatasetJson, file: &Path, problems: &mut Vec<Problem>) {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for entry in &dataset.training {
        let name = case_of(&entry.image);
        let other = *known.entry(name.to_lowercase()).or_insert(name);
        if other != name {
            let message = format!(
                "differs from case {other} only in upper and lower case; macOS and Windows take their files for one: \
                 rename it"
            );
            let problem = Problem::new(Kind::CaseName, message).of_case(name);
            problems.push(problem.in_file(file));
        }
    }
}

/// Returns a hint if a name that does not exist is one of `names` in another spelling: Unicode form, upper and lower
/// case, or blanks around it.
pub(super) fn other_spelling<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    // A name with a blank behind its extension still has the extension.
    let bare = name.trim();
    let bare = stem(bare).unwrap_or(bare);
    names.filter(|found| *found != name).find_map(|found| {
        let difference = if differ_in_form(name, found) {
            "whose letters are coded in another Unicode form (NFC or NFD, as on macOS)"
        } else if found.trim() == bare {
            "which has no blanks at the same place"
        } else if found.to_lowercase() == name.to_lowercase() {
            "which has other upper and lower case"
        } else {
            return None;
        };
        Some(format!(
            "; {found} exists, {difference}: rename the files, or write the name into dataset.json again"
        ))
    })
}

/// Whether two names differ only in letters that one of them writes as a base letter with combining marks.
fn differ_in_form(one: &str, two: &str) -> bool {
    let marks: BTreeSet<char> = ('\u{300}'..='\u{36f}').chain(['\u{3099}', '\u{309a}']).collect();
    let split = |text: &str| -> Vec<(char, bool)> {
        let mut letters: Vec<(char, bool)> = Vec::new();
        for c in text.chars() {
            match letters.last_mut() {
                Some(last) if marks.contains(&c) => last.1 = true,
                _ => letters.push((c, false)),
            }
        }
        letters
    };
    let same = |(a, b): (&(char, bool), &(char, bool))| match (a.1, b.1) {
        (false, true) => a == b || !a.0.is_ascii(),
        (true, false) => a == b || !b.0.is_ascii(),
        _ => a == b,
    };
    let (one, two) = (split(one), split(two));
    one.len() == two.len() && one.iter().zip(&two).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_names_are_told_from_other_names() {
        assert!(differ_in_form("M\u{fc}ller", "Mu\u{308}ller"));
        assert!(differ_in_form("e\u{301}\u{323}a", "\u{1eb9}a"));
        for (one, two) in [
            ("Muller", "Mu\u{308}ller"),
            ("M\u{fc}ller", "Mu\u{308}llers"),
            ("a", "b"),
        ] {
            assert!(!differ_in_form(one, two), "{one} {two}");
        }
    }
}
