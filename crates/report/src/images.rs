//! Where the images of cases are.

use std::path::{Path, PathBuf};

use dataset::files::{image_file, ImageFolder};
use dataset::CaseProperties;

use crate::Result;

/// A file of an image, with the number of its channel.
pub(crate) type ImageFile = (usize, PathBuf);

/// Where the images of cases are.
pub(crate) struct Images {
    /// The folder that was named, and its files.
    named: Option<(PathBuf, ImageFolder)>,
    /// Folders of preprocessed cases, which say where their images were.
    properties: Vec<PathBuf>,
}

impl Images {
    /// Images of a named folder, or of the preprocessed cases of `properties`.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] if the named folder cannot be listed.
    pub fn new(named: Option<&Path>, properties: &[PathBuf]) -> Result<Self> {
        let list = |folder: &Path| Ok::<_, crate::Error>((folder.to_owned(), ImageFolder::list(folder)?));
        Ok(Self {
            named: named.map(list).transpose()?,
            properties: properties.to_vec(),
        })
    }

    /// The files of a case, by channel. Empty if there is none.
    pub fn of(&self, case: &str) -> Vec<ImageFile> {
        if let Some((folder, files)) = &self.named {
            // `imagesTs` has numbers of channels; other folders may have the names of the cases.
            return match files.cases.get(case) {
                Some(channels) => channels.clone().into_iter().collect(),
                None => image_file(folder, case)
                    .map(|file| (0, file))
                    .into_iter()
                    .collect(),
            };
        }
        let found = self.properties.iter().find_map(|folder| {
            let properties = CaseProperties::read(&folder.join(format!("{case}.pkl"))).ok()?;
            let files = properties
                .list_of_data_files()
                .ok()?
                .into_iter()
                .map(PathBuf::from);
            let files: Vec<ImageFile> = files.enumerate().filter(|(_, file)| file.is_file()).collect();
            (!files.is_empty()).then_some(files)
        });
        found.unwrap_or_default()
    }
}
