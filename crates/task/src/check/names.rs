//! Names of image and label files that nnU-Net would not find, or of which it would take one silently.

use std::collections::BTreeSet;
use std::path::Path;

use dataset::files::only_one;
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
        if stem(name).is_some() {
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
        }
    }
}

/// Returns a hint if a name that does not exist is one of `names` in another Unicode form.
pub(super) fn other_form<'a>(name: &str, mut names: impl Iterator<Item = &'a str>) -> Option<String> {
    let found = names.find(|found| *found != name && differ_in_form(name, found))?;
    Some(format!(
        "; {found} exists, whose letters are coded in another Unicode form (NFC or NFD, as on macOS): rename the files, \
         or write the name into dataset.json again"
    ))
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
