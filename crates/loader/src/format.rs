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

    /// Whether all values in `bytes`, in the machine's order, are finite.
    pub(crate) fn is_finite(self, bytes: &[u8]) -> bool {
        // A float is infinite or no number if all bits of its exponent are set.
        let halves = |exponent: u16| {
            let mut values = bytes.chunks_exact(2).map(|b| u16::from_ne_bytes([b[0], b[1]]));
            values.all(|bits| bits & exponent != exponent)
        };
        match self {
            Self::Float32 => {
                let mut values = bytes
                    .chunks_exact(4)
                    .map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
                values.all(f32::is_finite)
            }
            Self::Float16 => halves(0x7c00),
            Self::BFloat16 => halves(0x7f80),
            Self::Int8 | Self::UInt8 => true,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_not_finite_are_found_in_every_type() {
        for element in [Element::Float32, Element::Float16, Element::BFloat16] {
            for (value, finite) in [
                (0.0, true),
                (-60000.0, true),
                (f32::INFINITY, false),
                (f32::NEG_INFINITY, false),
                (f32::NAN, false),
            ] {
                let mut bytes = vec![0; 3 * element.size()];
                element.pack(&[1.0, value, -1.0], &mut bytes);
                assert_eq!(element.is_finite(&bytes), finite, "{element:?} {value}");
            }
        }
    }
}
