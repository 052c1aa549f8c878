//! Writes `ts/generated` (`cargo run -p schema`) or checks that it is current (`cargo run -p schema --
//! --check`).
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

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let folder = Path::new(FOLDER);
    let mut stale = Vec::new();
    for (name, content) in files::all() {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|found| found == content) {
            continue;
        }
        stale.push(name);
        if check {
            continue;
        }
        if let Err(error) = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, content)) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    match (check, stale.as_slice()) {
        (_, []) => println!("ts/generated is up to date"),
        (false, names) => println!("wrote {} in ts/generated", names.join(", ")),
        (true, names) => {
            eprintln!("stale in ts/generated: {}; run `npm run build`", names.join(", "));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
