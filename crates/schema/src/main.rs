//! Writes `ts/generated` (`cargo run --release -p schema`). A test checks that the committed files are current.
//!
//! Types are generated from JSON Schema instead of a second time from the Rust types (`ts-rs`). The type
//! shown by an editor and the check of a value thus have the same source.

mod collect;
mod document;
mod files;
mod prose;
mod typescript;

use std::path::Path;
use std::process::ExitCode;

/// Output folder, relative to this crate.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ts/generated");

/// The files that differ from the committed ones, with their new content.
fn stale() -> Vec<(&'static str, String)> {
    let current = |name: &str, content: &String| {
        std::fs::read_to_string(Path::new(FOLDER).join(name)).is_ok_and(|found| found == *content)
    };
    files::all()
        .into_iter()
        .filter(|(name, content)| !current(name, content))
        .collect()
}

fn main() -> ExitCode {
    let folder = Path::new(FOLDER);
    let stale = stale();
    for (name, content) in &stale {
        let path = folder.join(name);
        if let Err(error) = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, content)) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    let names: Vec<_> = stale.iter().map(|(name, _)| *name).collect();
    match names.as_slice() {
        [] => println!("ts/generated is up to date"),
        names => println!("wrote {} in ts/generated", names.join(", ")),
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    #[test]
    fn committed_files_are_current() {
        let stale: Vec<_> = super::stale().into_iter().map(|(name, _)| name).collect();
        assert!(
            stale.is_empty(),
            "stale in ts/generated: {stale:?}; run `npm run build`"
        );
    }
}
