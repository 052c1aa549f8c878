//! Keeping a folder that is replaced.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// Renames a folder to `replaced_<name>_<time>`, which neither nnU-Net v1 nor this package takes for a model or fold.
/// Returns its new path.
///
/// # Errors
/// [`Error::Io`]. The folder is then where it was.
pub fn move_aside(folder: &Path) -> Result<PathBuf, Error> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let stamp = run::utc_now().replace([' ', ':'], "-");
    let free = |count: u32| {
        let suffix = if count == 0 {
            String::new()
        } else {
            format!("-{count}")
        };
        folder.with_file_name(format!("replaced_{name}_{stamp}{suffix}"))
    };
    let aside = (0..)
        .map(free)
        .find(|path| !path.exists())
        .unwrap_or_else(|| free(0));
    fs::rename(folder, &aside).map_err(|e| Error::io("move aside", folder, e))?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_one_name_are_all_kept() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("fold_0");
        let mut kept = Vec::new();
        for content in ["first", "second"] {
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("a.txt"), content).unwrap();
            let aside = move_aside(&folder).unwrap();
            assert!(
                !folder.exists()
                    && aside
                        .file_name()
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .starts_with("replaced_fold_0_")
            );
            kept.push((aside, content));
        }
        for (aside, content) in kept {
            assert_eq!(fs::read_to_string(aside.join("a.txt")).unwrap(), content);
        }
        assert!(matches!(move_aside(&folder), Err(Error::Io { .. })));
    }
}
