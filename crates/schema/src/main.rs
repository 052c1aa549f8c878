//! Writes `ts/generated`: `cargo run -p schema`, or `cargo run -p schema -- --check` to compare with what is there.
//!
//! Types are made from JSON Schema rather than from the Rust types a second time (`ts-rs`), so that the type that an editor
//! shows and the check that a value meets come from one description.

mod collect;
mod document;
mod files;
mod prose;
mod typescript;

use std::path::Path;
use std::process::ExitCode;

/// Where the files go, seen from this crate.
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
