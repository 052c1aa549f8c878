//! Voxel arrays on disk, read row by row as float32 from any element type.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::ArrayD;
use volume::{npy, Dtype, Place};

use crate::cache::PackedCache;

/// A C-ordered array with element access as float32.
pub(crate) trait Rows: Send + Sync {
    /// Length of each axis.
    fn shape(&self) -> &[usize];
    /// Copies `out.len()` consecutive elements from the flat index `start` on. All must exist.
    fn copy(&self, start: usize, out: &mut [f32]);
    /// Like [`Rows::copy`], for labels: whole numbers within int16.
    fn copy_labels(&self, start: usize, out: &mut [i16]);
}

fn to_labels(values: &[f32], out: &mut [i16]) {
    out.iter_mut()
        .zip(values)
        .for_each(|(out, value)| *out = *value as i16);
}

impl Rows for npy::Mapped<f32> {
    fn shape(&self) -> &[usize] {
        npy::Mapped::shape(self)
    }

    fn copy(&self, start: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.as_slice()[start..start + out.len()]);
    }

    fn copy_labels(&self, start: usize, out: &mut [i16]) {
        to_labels(&self.as_slice()[start..start + out.len()], out);
    }
}

macro_rules! converted {
    ($($type:ty => $convert:expr;)*) => {$(
        impl Rows for npy::Mapped<$type> {
            fn shape(&self) -> &[usize] {
                npy::Mapped::shape(self)
            }

            fn copy(&self, start: usize, out: &mut [f32]) {
                let convert: fn($type) -> f32 = $convert;
                let row = &self.as_slice()[start..start + out.len()];
                out.iter_mut().zip(row).for_each(|(out, value)| *out = convert(*value));
            }

            fn copy_labels(&self, start: usize, out: &mut [i16]) {
                let convert: fn($type) -> f32 = $convert;
                let row = &self.as_slice()[start..start + out.len()];
                out.iter_mut().zip(row).for_each(|(out, value)| *out = convert(*value) as i16);
            }
        }
    )*};
}

converted! {
    half::f16 => |v| v.to_f32();
    f64 => |v| v as f32;
    u8 => |v| f32::from(v);
    i16 => |v| f32::from(v);
    i64 => |v| v as f32;
}

impl Rows for ArrayD<f32> {
    fn shape(&self) -> &[usize] {
        ArrayD::shape(self)
    }

    fn copy(&self, start: usize, out: &mut [f32]) {
        // Arrays read from archives are in standard layout.
        if let Some(values) = self.as_slice() {
            out.copy_from_slice(&values[start..start + out.len()]);
        }
    }

    fn copy_labels(&self, start: usize, out: &mut [i16]) {
        if let Some(values) = self.as_slice() {
            to_labels(&values[start..start + out.len()], out);
        }
    }
}

/// An array of a case: mapped from its npy file, or decompressed from its npz file on demand.
pub(crate) enum Grid {
    Mapped(Box<dyn Rows>),
    Packed {
        path: PathBuf,
        cache: Arc<PackedCache>,
        shape: Vec<usize>,
    },
}

impl Grid {
    /// Maps an npy file of `float16`, `float32`, `float64`, `uint8`, `int16` or `int64`.
    pub(crate) fn map(path: &Path) -> Result<Self, volume::Error> {
        let header = npy::read_header(path)?;
        let place = Place::file(path);
        Ok(Self::Mapped(match header.supported(&place)? {
            Dtype::F32 => Box::new(npy::Mapped::<f32>::open(path)?),
            Dtype::F16 => Box::new(npy::Mapped::<half::f16>::open(path)?),
            Dtype::F64 => Box::new(npy::Mapped::<f64>::open(path)?),
            Dtype::U8 => Box::new(npy::Mapped::<u8>::open(path)?),
            Dtype::I16 => Box::new(npy::Mapped::<i16>::open(path)?),
            Dtype::I64 => Box::new(npy::Mapped::<i64>::open(path)?),
            _ => {
                let expected = "float16, float32, float64, uint8, int16 or int64".to_owned();
                return Err(volume::Error::Dtype {
                    place,
                    found: header.descr,
                    expected,
                });
            }
        }))
    }

    /// Reads the array `data` of an npz file through `cache`, and again after an eviction.
    pub(crate) fn packed(path: &Path, cache: &Arc<PackedCache>) -> Result<Self, Arc<volume::Error>> {
        let shape = cache.get(path)?.shape().to_vec();
        Ok(Self::Packed {
            path: path.to_owned(),
            cache: cache.clone(),
            shape,
        })
    }

    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Mapped(rows) => rows.shape(),
            Self::Packed { shape, .. } => shape,
        }
    }

    /// Calls `read` with the rows of the array.
    pub(crate) fn with<R>(&self, read: impl FnOnce(&dyn Rows) -> R) -> Result<R, Arc<volume::Error>> {
        match self {
            Self::Mapped(rows) => Ok(read(rows.as_ref())),
            Self::Packed { path, cache, .. } => Ok(read(cache.get(path)?.as_ref())),
        }
    }
}
