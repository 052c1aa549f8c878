//! Case properties, as recorded by the preprocessor.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use pickle::{Dict, NdArray, Value};

use crate::pickled::{dict, each, f64x3, fixed, ints, numbered, sizes, wrong};
use crate::Error;

/// Properties of a case: nnU-Net v1's pickle of each cropped or preprocessed case. Unknown keys are kept.
///
/// Getters fail with file and key if an entry is missing or has another form. Setters write the Python types
/// of nnU-Net v1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseProperties {
    dict: Dict,
    path: Option<PathBuf>,
}

/// `$get` reads `$key` with `$read`; `$set` stores the result of `$write`.
macro_rules! entries {
    ($($(#[$doc:meta])* $get:ident / $set:ident: $type:ty, $expected:literal, $read:expr, $write:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`Error::Pickle`] naming file and key.
        pub fn $get(&self) -> Result<$type, Error> {
            self.read_key(stringify!($get), $expected, $read)
        }

        /// Sets the entry of the same name.
        pub fn $set(&mut self, value: $type) {
            let write: fn($type) -> Value = $write;
            self.dict.set(stringify!($get), write(value));
        }
    )*};
}

impl CaseProperties {
    /// Returns properties without entries.
    pub fn new() -> Self {
        Self {
            dict: Dict::ordered(),
            path: None,
        }
    }

    /// Reads a `<case>.pkl`.
    ///
    /// # Errors
    /// [`Error::Pickle`] naming the file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut properties =
            Self::from_value(pickle::read_file(path)?).map_err(|e| Error::from(e.in_file(path)))?;
        properties.path = Some(path.to_owned());
        Ok(properties)
    }

    /// Reads the `<case>.pkl` beside a softmax. nnU-Net v1's ensembles store a list with the properties of each model
    /// there; the first counts.
    ///
    /// # Errors
    /// [`Error::Pickle`] naming the file.
    pub fn read_first(path: &Path) -> Result<Self, Error> {
        let one = match pickle::read_file(path)? {
            Value::List(mut all) if !all.is_empty() => all.swap_remove(0),
            other => other,
        };
        Self::from_value(one).map_err(|e| Error::from(e.in_file(path)))
    }

    /// Reads properties from their pickled form.
    ///
    /// # Errors
    /// [`pickle::Error::Type`] unless the value is a dictionary.
    pub fn from_value(value: Value) -> Result<Self, pickle::Error> {
        match value {
            Value::Dict(dict) => Ok(Self { dict, path: None }),
            other => Err(wrong("case properties", "a dictionary", &other)),
        }
    }

    /// Returns the pickled form.
    pub fn to_value(&self) -> Value {
        self.dict.clone().into()
    }

    /// Returns all entries.
    pub fn dict(&self) -> &Dict {
        &self.dict
    }

    /// Returns all entries, to add custom ones.
    pub fn dict_mut(&mut self) -> &mut Dict {
        &mut self.dict
    }

    /// Writes a `<case>.pkl` that nnU-Net v1 can load. An existing file is replaced atomically.
    ///
    /// # Errors
    /// [`Error::Pickle`] naming the file.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        Ok(pickle::write_file(path, &self.to_value())?)
    }

    fn read_key<T>(
        &self,
        key: &str,
        expected: &'static str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, Error> {
        self.dict
            .require_as(key, expected, read)
            .map_err(|e| match &self.path {
                Some(path) => e.in_file(path).into(),
                None => e.into(),
            })
    }

    entries! {
        /// Size (z, y, x) of the raw image.
        original_size_of_raw_data / set_original_size_of_raw_data: [usize; 3], "three integers",
            |v| fixed(sizes(v)), |s| NdArray::from_i64(&s.map(|n| n as i64)).into();
        /// Spacing (z, y, x) in mm of the raw image.
        original_spacing / set_original_spacing: [f64; 3], "three numbers", f64x3,
            |s| NdArray::from_f64(&s).into();
        /// Raw image files, one per channel.
        list_of_data_files / set_list_of_data_files: Vec<String>, "a list of strings", Value::to_strings,
            Value::list;
        /// Raw label file, or none for a case without labels.
        seg_file / set_seg_file: Option<String>, "a string or None", |v| match v {
            Value::None => Some(None),
            other => Some(Some(other.as_str()?.to_owned())),
        }, |s| s.map_or(Value::None, Value::from);
        /// Origin (x, y, z) in mm, LPS.
        itk_origin / set_itk_origin: [f64; 3], "three numbers", f64x3, Value::tuple;
        /// Spacing (x, y, z) in mm.
        itk_spacing / set_itk_spacing: [f64; 3], "three numbers", f64x3, Value::tuple;
        /// Direction, row by row in x, y, z, LPS.
        itk_direction / set_itk_direction: [f64; 9], "nine numbers", |v| fixed(v.to_f64s()), Value::tuple;
        /// First voxel and end (exclusive) of the cropped region along z, y and x.
        crop_bbox / set_crop_bbox: [[usize; 2]; 3], "three pairs of integers",
            |v| fixed(each(v, |pair| fixed(sizes(pair)))), |b| Value::list(b.iter().map(|pair| ints(pair)));
        /// Label values of the case, including -1 if voxels outside the mask have that value.
        classes / set_classes: Vec<f32>, "a list of numbers",
            |v| Some(v.to_f64s()?.into_iter().map(|c| c as f32).collect()), |c| NdArray::from_f32(&c).into();
        /// Size (z, y, x) after cropping.
        size_after_cropping / set_size_after_cropping: [usize; 3], "three integers", |v| fixed(sizes(v)),
            Value::tuple;
        /// Size after transposing and resampling, in the network's axis order.
        size_after_resampling / set_size_after_resampling: [usize; 3], "three integers", |v| fixed(sizes(v)),
            Value::tuple;
        /// Spacing in mm after transposing and resampling, in the network's axis order.
        spacing_after_resampling / set_spacing_after_resampling: [f64; 3], "three numbers", f64x3,
            |s| NdArray::from_f64(&s).into();
        /// Whether a channel was normalised within the non-zero mask only.
        use_nonzero_mask_for_norm / set_use_nonzero_mask_for_norm: BTreeMap<usize, bool>, "booleans by channel",
            |v| numbered(v, Value::as_bool), |m| dict(Dict::ordered(), &m, |&b| b.into());
        /// Voxels (rows of three indices) of each class: a random sample of at most 10,000 voxels or one
        /// percent.
        class_locations / set_class_locations: BTreeMap<i64, Array2<i64>>, "arrays of voxels by class",
            |v| numbered(v, voxels), |m| dict(Dict::new(), &m, voxels_value);
    }

    /// Returns the segmentation value outside the non-zero mask. It is 0 for a case whose label file contains
    /// -1 (unlabelled), otherwise -1. nnU-Net v1 does not write this entry; its files always use -1.
    ///
    /// # Errors
    /// [`Error::Pickle`] naming file and key.
    pub fn outside_nonzero_mask_label(&self) -> Result<i64, Error> {
        match self.dict.get("outside_nonzero_mask_label") {
            None => Ok(-1),
            Some(_) => self.read_key("outside_nonzero_mask_label", "0 or -1", |v| {
                v.as_i64().filter(|label| matches!(label, 0 | -1))
            }),
        }
    }

    /// Sets the segmentation value outside the non-zero mask: 0 or -1.
    pub fn set_outside_nonzero_mask_label(&mut self, label: i64) {
        self.dict.set("outside_nonzero_mask_label", label);
    }
}

/// nnU-Net writes an empty list for a class without voxels in the case.
fn voxels(value: &Value) -> Option<Array2<i64>> {
    match value {
        Value::Array(array) => {
            let rows = match array.shape() {
                [rows, 3] => *rows,
                [0, ..] => 0,
                _ => return None,
            };
            Array2::from_shape_vec((rows, 3), array.to_i64()?).ok()
        }
        Value::List(items) if items.is_empty() => Some(Array2::zeros((0, 3))),
        other => {
            let rows: Vec<[i64; 3]> = each(other, |row| fixed(row.to_i64s()))?;
            Array2::from_shape_vec((rows.len(), 3), rows.concat()).ok()
        }
    }
}

fn voxels_value(voxels: &Array2<i64>) -> Value {
    if voxels.is_empty() {
        return Value::List(Vec::new());
    }
    let flat: Vec<i64> = voxels.iter().copied().collect();
    let array = NdArray::from_i64(&flat);
    array.clone().reshaped(voxels.shape()).unwrap_or(array).into()
}
