//! The list of codes and the sources agree: every code is used, and no other one is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use run::Code;

/// The sources below a folder, those made from the list itself left out.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().unwrap_or_default();
        if path.is_dir() && !path.ends_with("generated") {
            sources(&path, found);
        } else if (extension == "rs" || extension == "ts") && !path.ends_with("run/src/code.rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    sources(&root.join("ts"), &mut found);
    for entry in fs::read_dir(root.join("crates")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut found);
    }
    assert!(found.len() > 200, "{}", found.len());
    found
}

/// Text without its comments, which name codes without making errors.
fn code_of(text: &str) -> String {
    let lines = text.lines().map(str::trim_start);
    let code = lines.filter(|line| !line.starts_with("//") && !line.starts_with('*'));
    code.collect::<Vec<_>>().join("\n")
}

/// Codes of Node's own errors.
const OF_NODE: [&str; 2] = ["ERR_MODULE_NOT_FOUND", "ERR_UNKNOWN_FILE_EXTENSION"];

#[test]
fn sources_use_every_code_and_no_other() {
    let literal = Regex::new(r"\bERR_[A-Z0-9_]*\*?").unwrap();
    let variant = Regex::new(r"#\[code\((?:io\()?(\w+)|\bCode::([A-Z]\w+)").unwrap();
    let known: BTreeSet<&str> = Code::ALL.iter().map(|(code, _)| code.as_str()).collect();
    let mut used = BTreeSet::new();
    for path in all_sources() {
        let text = fs::read_to_string(&path).unwrap();
        for found in literal.find_iter(&text).map(|m| m.as_str()) {
            // A comment may name a family: `ERR_NIFTI_*`.
            let exists = match found.strip_suffix('*') {
                Some(family) => known.iter().any(|code| code.starts_with(family)),
                None => known.contains(found) || OF_NODE.contains(&found),
            };
            assert!(
                exists,
                "{}: {found} is not in crates/run/src/code.rs",
                path.display()
            );
        }
        let code = code_of(&text);
        used.extend(literal.find_iter(&code).map(|m| m.as_str().to_owned()));
        for found in variant.captures_iter(&code) {
            let name = found.get(1).or(found.get(2)).unwrap().as_str();
            let named = Code::ALL.iter().find(|(code, _)| format!("{code:?}") == name);
            used.extend(named.map(|(code, _)| code.as_str().to_owned()));
        }
    }
    let unused: Vec<_> = known.iter().filter(|code| !used.contains(**code)).collect();
    assert!(unused.is_empty(), "nothing has these codes: {unused:?}");
}
