//! How batches hold their values.

use half::slice::HalfBitsSliceExt;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// Type of an array's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Element {
    /// IEEE single precision.
    #[default]
    Float32,
    /// IEEE half precision.
    Float16,
    /// The upper half of single precision.
    BFloat16,
    /// Signed bytes.
    Int8,
    /// Bytes.
    UInt8,
}

impl Element {
    /// Bytes of one value.
    pub fn size(self) -> usize {
        match self {
            Self::Float32 => 4,
            Self::Float16 | Self::BFloat16 => 2,
            Self::Int8 | Self::UInt8 => 1,
        }
    }

    /// The smallest type that holds all whole numbers from `lowest` to `highest`.
    pub(crate) fn of_labels(lowest: i16, highest: i16) -> Self {
        match (lowest, highest) {
            (0.., ..=255) => Self::UInt8,
            (-128.., ..=127) => Self::Int8,
            _ => Self::Float32,
        }
    }

    /// Converts `from` into the bytes of `to`, in the machine's order. Rounds to nearest even.
    pub(crate) fn pack(self, from: &[f32], to: &mut [u8]) {
        match self {
            Self::Float32 => to.copy_from_slice(bytemuck::cast_slice(from)),
            Self::Float16 => {
                let to: &mut [u16] = bytemuck::cast_slice_mut(to);
                to.reinterpret_cast_mut::<f16>().convert_from_f32_slice(from);
            }
            Self::BFloat16 => {
                let to: &mut [u16] = bytemuck::cast_slice_mut(to);
                to.reinterpret_cast_mut::<bf16>().convert_from_f32_slice(from);
            }
            Self::Int8 => to
                .iter_mut()
                .zip(from)
                .for_each(|(t, &f)| *t = (f as i8).cast_unsigned()),
            Self::UInt8 => to.iter_mut().zip(from).for_each(|(t, &f)| *t = f as u8),
        }
    }
}

/// Content of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Image, targets and weights in float32, at every deep-supervision scale.
    #[default]
    Full,
    /// What a device needs to make the same batch: the image in `image`, and of the targets only the finest,
    /// in the smallest type for its labels. Weights are as in `Full`.
    Compact {
        /// Type of the image's values.
        image: Element,
    },
}
