//! Tasks: their numbers, names and folders.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use run::NotFound;

use crate::{Error, Folders};

/// A task, `TaskXXX_NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Full name, such as `Task501_MRI`.
    pub name: String,
    /// Number of the task.
    pub id: u32,
    /// Folder of the task, if the task was given as a path.
    pub path: Option<PathBuf>,
}

impl Task {
    /// Parses the full name of a task. No folder is searched.
    ///
    /// # Errors
    /// [`Error::TaskName`].
    pub fn from_name(name: &str) -> Result<Self, Error> {
        let bad = || Error::TaskName {
            found: name.to_owned(),
        };
        let (digits, rest) = name
            .strip_prefix("Task")
            .and_then(|n| n.split_once('_'))
            .ok_or_else(bad)?;
        let is_number = digits.len() >= 3 && digits.bytes().all(|b| b.is_ascii_digit());
        let id = digits
            .parse()
            .ok()
            .filter(|_| is_number && !rest.is_empty())
            .ok_or_else(bad)?;
        Ok(Self {
            name: name.to_owned(),
            id,
            path: None,
        })
    }

    /// Finds a task by its number (`501`), full name, or folder path.
    ///
    /// A number is searched among the raw, cropped and preprocessed tasks and the trained models. A task
    /// given by name need not exist.
    ///
    /// # Errors
    /// [`Error::TaskNotFound`], [`Error::NotFound`] for a path, [`Error::TaskAmbiguous`],
    /// [`Error::TaskName`].
    pub fn resolve(text: &str, folders: &Folders) -> Result<Self, Error> {
        let text = text.trim();
        if let Ok(id) = text.parse::<u32>() {
            return Self::by_number(id, text, folders);
        }
        if Self::from_name(text).is_ok() && !text.contains(['/', '\\']) {
            return Self::from_name(text);
        }
        let path = Path::new(text);
        let Some(name) = path
            .file_name()
            .and_then(|n| n.to_str())
            .filter(|_| path.is_dir())
        else {
            if text.contains(['/', '\\']) {
                NotFound::unless_exists("task", path, "name an existing folder")?;
            }
            return Err(Error::TaskName {
                found: text.to_owned(),
            });
        };
        Ok(Self {
            path: Some(path.to_owned()),
            ..Self::from_name(name)?
        })
    }

    fn by_number(id: u32, text: &str, folders: &Folders) -> Result<Self, Error> {
        let mut searched = Vec::new();
        if let Some(base) = &folders.raw_base {
            searched.extend([base.join("nnUNet_raw_data"), base.join("nnUNet_cropped_data")]);
        }
        searched.extend(folders.preprocessed.clone());
        if let Some(results) = &folders.results {
            let configurations = subfolders(&results.join("nnUNet"));
            searched.extend(configurations.into_iter().map(|c| results.join("nnUNet").join(c)));
        }
        let names: BTreeSet<String> = searched.iter().flat_map(|folder| subfolders(folder)).collect();
        let mut tasks = names
            .iter()
            .filter_map(|n| Self::from_name(n).ok())
            .filter(|t| t.id == id);
        match (tasks.next(), tasks.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Error::TaskNotFound {
                task: text.to_owned(),
                pattern: format!("Task{id:03}_*"),
                searched,
            }),
            (Some(first), Some(second)) => {
                let names = [first, second].into_iter().chain(tasks).map(|t| t.name);
                Err(Error::TaskAmbiguous {
                    id,
                    candidates: names.collect(),
                })
            }
        }
    }

    /// Returns the folder of the raw task.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it does not exist; otherwise as [`Folders::raw_data`].
    pub fn raw_folder(&self, folders: &Folders) -> Result<PathBuf, Error> {
        if let Some(path) = self.path.as_ref().filter(|p| p.join("imagesTr").is_dir()) {
            return Ok(path.clone());
        }
        let folder = folders.raw_data()?.join(&self.name);
        let advice = "create the task there, or convert a dataset with `nnunet-diag convert`";
        NotFound::unless_exists("raw task", &folder, advice)?;
        Ok(folder)
    }

    /// Returns the folder of the cropped task, which need not exist.
    ///
    /// # Errors
    /// As [`Folders::cropped_data`].
    pub fn cropped_folder(&self, folders: &Folders) -> Result<PathBuf, Error> {
        Ok(folders.cropped_data()?.join(&self.name))
    }

    /// Returns the folder of the preprocessed task, which need not exist.
    ///
    /// # Errors
    /// As [`Folders::preprocessed`].
    pub fn preprocessed_folder(&self, folders: &Folders) -> Result<PathBuf, Error> {
        match self
            .path
            .as_ref()
            .filter(|p| p.join("dataset_properties.pkl").is_file() && !p.join("imagesTr").is_dir())
        {
            Some(path) => Ok(path.clone()),
            None => Ok(folders.preprocessed()?.join(&self.name)),
        }
    }

    /// Returns the folder of the preprocessed task, which must exist.
    ///
    /// # Errors
    /// [`Error::NotFound`], or as [`Folders::preprocessed`].
    pub fn existing_preprocessed_folder(&self, folders: &Folders) -> Result<PathBuf, Error> {
        let folder = self.preprocessed_folder(folders)?;
        let advice = format!("run `nnunet-diag preprocess {}` first", self.name);
        NotFound::unless_exists("preprocessed task", &folder, advice)?;
        Ok(folder)
    }
}

/// Lists the names of the subfolders of a folder. A folder that cannot be listed gives none.
fn subfolders(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|e| e.path().is_dir());
    folders.filter_map(|e| e.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use run::Coded;

    use super::*;

    #[test]
    fn invalid_task_names_are_rejected() {
        assert_eq!(Task::from_name("Task004_Hippocampus").unwrap().id, 4);
        assert_eq!(Task::from_name("Task1234_x_y").unwrap().id, 1234);
        for bad in [
            "Task4_x",
            "Task004",
            "Task004_",
            "task004_x",
            "Dataset004_x",
            "Taskabc_x",
            "Task+04_x",
        ] {
            assert_eq!(Task::from_name(bad).unwrap_err().code(), "ERR_TASK_NAME", "{bad}");
        }
    }

    #[test]
    fn task_numbers_are_searched_in_all_folders() {
        let base = tempfile::tempdir().unwrap();
        let make = |path: &str| std::fs::create_dir_all(base.path().join(path)).unwrap();
        make("raw/nnUNet_raw_data/Task501_A/imagesTr");
        make("pre/Task501_A");
        make("pre/Task502_B");
        make("pre/Task502_C");
        make("res/nnUNet/2d/Task503_D");
        let folders = Folders {
            raw_base: Some(base.path().join("raw")),
            preprocessed: Some(base.path().join("pre")),
            results: Some(base.path().join("res")),
        };
        let name = |text: &str| Task::resolve(text, &folders).map(|t| t.name);
        assert_eq!(name("501").unwrap(), "Task501_A");
        assert_eq!(name("503").unwrap(), "Task503_D");
        assert_eq!(name("Task777_New").unwrap(), "Task777_New");
        let ambiguous = name("502").unwrap_err();
        assert!(
            ambiguous.to_string().contains("Task502_B, Task502_C"),
            "{ambiguous}"
        );
        let missing = name("9").unwrap_err();
        assert!(missing.to_string().contains("Task009_*"), "{missing}");
        assert_eq!(name("nonsense").unwrap_err().code(), "ERR_TASK_NAME");

        let path = base.path().join("raw/nnUNet_raw_data/Task501_A");
        let task = Task::resolve(path.to_str().unwrap(), &Folders::default()).unwrap();
        assert_eq!(
            (task.id, task.raw_folder(&Folders::default()).unwrap()),
            (501, path)
        );
        assert_eq!(
            Task::from_name("Task777_New")
                .unwrap()
                .raw_folder(&folders)
                .unwrap_err()
                .code(),
            "ERR_NOT_FOUND"
        );
    }
}
