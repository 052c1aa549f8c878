//! Properties of a case for sampling.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dataset::CaseProperties;
use ndarray::Array2;

use crate::error::Error;

/// The relevant entries of `<case>.pkl`.
pub(crate) struct Properties {
    /// `outside_nonzero_mask_label`; `None` in files written by nnU-Net v1.
    pub(crate) outside_label: Option<i64>,
    /// `class_locations`, if present.
    pub(crate) class_locations: Option<BTreeMap<i64, Array2<i64>>>,
}

impl Properties {
    pub(crate) fn read(folder: &Path, case: &str) -> Result<Self, Error> {
        let failed = |source| Error::Properties {
            case: case.to_owned(),
            source: Arc::new(source),
        };
        let properties = CaseProperties::read(&folder.join(format!("{case}.pkl"))).map_err(failed)?;
        let has = |key: &str| properties.dict().get(key).is_some();
        let (has_outside_label, located) = (has("outside_nonzero_mask_label"), has("class_locations"));
        Ok(Self {
            outside_label: has_outside_label
                .then(|| properties.outside_nonzero_mask_label())
                .transpose()
                .map_err(failed)?,
            class_locations: located
                .then(|| properties.class_locations())
                .transpose()
                .map_err(failed)?,
        })
    }
}
