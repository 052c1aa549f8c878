//! Properties of a case that affect its weightmap.

use std::path::{Path, PathBuf};

use crate::classes::UNLABELLED_LABEL;
use crate::Error;

/// Properties file of a case.
pub(crate) struct Properties {
    path: PathBuf,
}

impl Properties {
    /// Returns the properties of `<case>.npz` or `<case>.npy`, which are read on first use.
    pub(crate) fn beside(case: &Path) -> Self {
        Self {
            path: case.with_extension("pkl"),
        }
    }

    fn read(&self) -> Result<Option<pickle::Value>, Error> {
        if !self.path.exists() {
            return Ok(None);
        }
        Ok(Some(pickle::read_file(&self.path)?))
    }

    /// Whether -1 marks voxels outside the non-zero mask. Without that property, -1 means unlabelled.
    pub(crate) fn minus_one_is_outside_mask(&self) -> Result<bool, Error> {
        let value = self.read()?;
        let mark = value
            .as_ref()
            .and_then(|v| v.get("outside_nonzero_mask_label"))
            .and_then(pickle::Value::as_i64);
        Ok(mark == Some(UNLABELLED_LABEL))
    }

    /// Returns the spacing (z, y, x) in mm of the preprocessed arrays.
    pub(crate) fn spacing(&self) -> Result<[f64; 3], Error> {
        const KEY: &str = "spacing_after_resampling";
        let value = self.read()?.ok_or_else(|| Error::NoProperties {
            path: self.path.clone(),
        })?;
        let found = value
            .get(KEY)
            .and_then(pickle::Value::to_f64s)
            .unwrap_or_default();
        match found.as_slice() {
            &[z, y, x] if found.iter().all(|s| s.is_finite() && *s > 0.0) => Ok([z, y, x]),
            _ => Err(Error::Spacing {
                path: self.path.clone(),
                key: KEY,
                found,
            }),
        }
    }
}
