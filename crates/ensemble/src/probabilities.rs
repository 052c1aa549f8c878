//! The mean probabilities of one case of nnU-Net v2's models.

use std::path::{Path, PathBuf};

use ndarray::{Array3, Array4};
use resample::decide;
use run::{Cancel, NotFound};
use v2::{Dataset, Plans, Properties, DATASET_FILE, PLANS_FILE, PROBABILITIES};
use volume::npz;

use crate::member::Member;
use crate::Error;

/// What decides how probabilities become files: the plans and labels of the first model.
pub(crate) struct Description {
    pub plans: Plans,
    pub dataset: Dataset,
}

impl Description {
    /// The description beside predictions of v2, if the folders have such: `model` if given, else the first folder. `None`
    /// for a softmax of v1.
    ///
    /// # Errors
    /// [`Error::NotFound`] if plans or labels are missing; errors of these files.
    pub fn find(folders: &[PathBuf], case: &str, model: Option<&Path>) -> Result<Option<Self>, Error> {
        let is_v2 = |folder: &PathBuf| {
            let headers = npz::headers(&folder.join(format!("{case}.npz"))).unwrap_or_default();
            headers.iter().any(|(name, _)| name == PROBABILITIES)
        };
        let Some(first) = folders.first().filter(|_| folders.iter().any(is_v2)) else {
            return Ok(None);
        };
        let folder = model.unwrap_or(first);
        let advice =
            "name the folder of a model of the ensemble with the option model, which has plans.json and \
                      dataset.json";
        for name in [PLANS_FILE, DATASET_FILE] {
            NotFound::unless_exists("description of a model of nnU-Net v2", &folder.join(name), advice)?;
        }
        Ok(Some(Self {
            plans: Plans::read(&folder.join(PLANS_FILE))?,
            dataset: Dataset::read(&folder.join(DATASET_FILE))?,
        }))
    }
}

/// The result of a case.
pub(crate) struct Mean {
    /// Mean probabilities (channel, z, y, x) of the whole image, with the reader's axes.
    pub probabilities: Array4<f32>,
    /// Properties of the case, from the first model.
    pub properties: Properties,
    /// Labels (z, y, x) on the grid of the file.
    pub labels: Array3<i16>,
}

/// Averages the probabilities of a case over the models in `folders` and decides its labels.
///
/// Memory: two arrays of probabilities in float32 besides the labels.
///
/// Source: `nnunetv2.ensembling.ensemble.merge_files`. Unlike there, the files are compared first.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Mismatch`], [`Error::NotFinite`]; errors of files; [`Error::Cancelled`].
pub(crate) fn mean(
    folders: &[PathBuf],
    case: &str,
    description: &Description,
    cancel: &Cancel,
) -> Result<Mean, Error> {
    let members = folders
        .iter()
        .map(|folder| Member::find(folder, case))
        .collect::<Result<Vec<_>, _>>()?;
    let plans = &description.plans;
    let [first, others @ ..] = &*members else {
        return Err(run::OptionError::expected("folders", "at least one folder", "none").into());
    };
    let properties = Properties::read(&first.pkl, plans)?;
    let mismatch = |path: &Path, what, found: String, expected: String| Error::Mismatch {
        first: first.npz.clone(),
        path: path.to_owned(),
        what,
        found,
        expected,
    };
    for other in others {
        let found = Properties::read(&other.pkl, plans)?.geometry;
        let expected = &properties.geometry;
        // Both come from the header of the same image.
        if !expected.relative_deviation(&found).within(1e-3) {
            let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
            return Err(mismatch(
                &other.pkl,
                "the image has the geometry",
                found,
                expected,
            ));
        }
    }
    let (mut sum, _) = first.values(PROBABILITIES)?;
    let heads = description.dataset.labels.heads();
    if sum.dim().0 != heads {
        let (found, expected) = (sum.dim().0, heads);
        return Err(v2::Error::Heads { found, expected }.into());
    }
    for other in others {
        cancel.check()?;
        let (values, _) = other.values(PROBABILITIES)?;
        if values.dim() != sum.dim() {
            let what = "the probabilities have the shape (channel, z, y, x)";
            let (found, expected) = (format!("{:?}", values.shape()), format!("{:?}", sum.shape()));
            return Err(mismatch(&other.npz, what, found, expected));
        }
        sum += &values;
    }
    let count = members.len() as f32;
    sum.mapv_inplace(|sum| sum / count);
    let decision = description.dataset.labels.decision_of_probabilities();
    let labels = properties.to_file_axes(decide(sum.view(), &decision, cancel)?);
    Ok(Mean {
        probabilities: sum,
        properties,
        labels,
    })
}
