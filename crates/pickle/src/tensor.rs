//! Tensors of a checkpoint.

use std::sync::Arc;

use crate::array::byte_count;
use crate::Error;

/// Element type of a [`Tensor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TensorType {
    /// `torch.float32`
    F32,
    /// `torch.float64`
    F64,
    /// `torch.float16`
    F16,
    /// `torch.bfloat16`
    BF16,
    /// `torch.int64`
    I64,
    /// `torch.int32`
    I32,
    /// `torch.int16`
    I16,
    /// `torch.int8`
    I8,
    /// `torch.uint8`
    U8,
    /// `torch.bool`
    Bool,
}

/// Type, its name in torch, its legacy storage class, and the size of an element in bytes.
const TYPES: [(TensorType, &str, &str, usize); 10] = [
    (TensorType::F32, "float32", "FloatStorage", 4),
    (TensorType::F64, "float64", "DoubleStorage", 8),
    (TensorType::F16, "float16", "HalfStorage", 2),
    (TensorType::BF16, "bfloat16", "BFloat16Storage", 2),
    (TensorType::I64, "int64", "LongStorage", 8),
    (TensorType::I32, "int32", "IntStorage", 4),
    (TensorType::I16, "int16", "ShortStorage", 2),
    (TensorType::I8, "int8", "CharStorage", 1),
    (TensorType::U8, "uint8", "ByteStorage", 1),
    (TensorType::Bool, "bool", "BoolStorage", 1),
];

impl TensorType {
    fn entry(self) -> &'static (Self, &'static str, &'static str, usize) {
        TYPES.iter().find(|t| t.0 == self).unwrap_or(&TYPES[0])
    }

    /// torch's name, such as `float32`.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// Size of one element in bytes.
    pub fn item_size(self) -> usize {
        self.entry().3
    }

    pub(crate) fn storage(self) -> &'static str {
        self.entry().2
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        TYPES.iter().find(|t| t.1 == name).map(|t| t.0)
    }

    pub(crate) fn from_storage(class: &str) -> Option<Self> {
        TYPES.iter().find(|t| t.2 == class).map(|t| t.0)
    }
}

/// A contiguous tensor in C order, little endian. Clones share the data. Tensors that share data are written
/// once.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Element type.
    pub dtype: TensorType,
    /// Lengths of the axes, slowest first.
    pub shape: Vec<usize>,
    /// `product(shape) * item_size` bytes.
    pub data: Arc<Vec<u8>>,
}

impl Tensor {
    /// Returns a tensor of the given bytes. Their number must match shape and type.
    pub fn new(dtype: TensorType, shape: Vec<usize>, data: Vec<u8>) -> Result<Self, Error> {
        if byte_count(&shape, dtype.item_size()) != Some(data.len()) {
            let what = format!(
                "tensor of shape {shape:?} and type {} with {} bytes",
                dtype.name(),
                data.len()
            );
            return Err(Error::malformed(0, what));
        }
        Ok(Self {
            dtype,
            shape,
            data: Arc::new(data),
        })
    }

    /// Returns a float32 tensor.
    pub fn from_f32(shape: Vec<usize>, values: &[f32]) -> Result<Self, Error> {
        Self::new(
            TensorType::F32,
            shape,
            values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        )
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.data.len() / self.dtype.item_size()
    }

    /// Whether the tensor has no elements.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Returns all elements as float32 (float64 is rounded), or `None` for integers and booleans.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        let bits16 = |b: &[u8]| u16::from(b[0]) | u16::from(b[1]) << 8;
        let word = |b: &[u8]| u32::from(bits16(b)) | u32::from(bits16(&b[2..])) << 16;
        let long = |b: &[u8]| u64::from(word(b)) | u64::from(word(&b[4..])) << 32;
        let chunks = self.data.chunks_exact(self.dtype.item_size());
        Some(match self.dtype {
            TensorType::F32 => chunks.map(|b| f32::from_bits(word(b))).collect(),
            TensorType::F64 => chunks.map(|b| f64::from_bits(long(b)) as f32).collect(),
            TensorType::F16 => chunks.map(|b| half::f16::from_bits(bits16(b)).to_f32()).collect(),
            TensorType::BF16 => chunks
                .map(|b| half::bf16::from_bits(bits16(b)).to_f32())
                .collect(),
            _ => return None,
        })
    }
}
