//! Writes seeds for the fuzz targets: `seeds FOLDER` fills `FOLDER/TARGET` with the samples of the target, and with
//! the recorded files of its kind.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use hostile::READERS;

/// Larger seeds make the fuzzer slow.
const LARGEST: u64 = 64 << 10;
/// Recorded files of a kind.
const MOST: usize = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: seeds FOLDER")?);
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../__test__/fixtures");
    let mut recorded = testkit::files_below(&fixtures);
    recorded.sort();
    for reader in READERS {
        let target = folder.join(reader.name);
        fs::create_dir_all(&target)?;
        for (index, sample) in (reader.samples)().iter().enumerate() {
            fs::write(target.join(format!("sample_{index}")), sample)?;
        }
        let fits = |path: &&PathBuf| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .to_lowercase();
            (reader.seed)(&name) && path.metadata().is_ok_and(|found| found.len() <= LARGEST)
        };
        for (index, path) in recorded.iter().filter(fits).take(MOST).enumerate() {
            fs::copy(path, target.join(format!("recorded_{index}")))?;
        }
    }
    Ok(())
}
