//! numpy arrays in pickles: a dtype, a shape, and bytes.

use crate::Error;

/// Element type of a [`NdArray`], always little endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DType {
    /// `bool`
    Bool,
    /// Signed integer of 1, 2, 4 or 8 bytes.
    Int(u8),
    /// Unsigned integer of 1, 2, 4 or 8 bytes.
    UInt(u8),
    /// IEEE float of 2, 4 or 8 bytes.
    Float(u8),
    /// Complex of 8 or 16 bytes.
    Complex(u8),
    /// Byte strings (`S`) with this number of bytes, padded with zeros.
    Bytes(u32),
    /// Unicode strings (`U`) with this number of code points of 4 bytes, padded with zeros.
    Unicode(u32),
}

impl DType {
    /// Parses numpy's type code without byte order: `i8`, `f4`, `b1`, `U12`.
    pub fn parse(code: &str) -> Option<Self> {
        let mut chars = code.chars();
        let kind = chars.next()?;
        let size: u32 = chars.as_str().parse().ok()?;
        Some(match (kind, size) {
            ('b', 1) => Self::Bool,
            ('i', 1 | 2 | 4 | 8) => Self::Int(size as u8),
            ('u', 1 | 2 | 4 | 8) => Self::UInt(size as u8),
            ('f', 2 | 4 | 8) => Self::Float(size as u8),
            ('c', 8 | 16) => Self::Complex(size as u8),
            ('S' | 'a', 1..) => Self::Bytes(size),
            ('U', 1..) if size <= u32::MAX / 4 => Self::Unicode(size),
            _ => return None,
        })
    }

    /// Returns numpy's type code without byte order, such as `i8`.
    pub fn code(self) -> String {
        match self {
            Self::Bool => "b1".into(),
            Self::Int(n) => format!("i{n}"),
            Self::UInt(n) => format!("u{n}"),
            Self::Float(n) => format!("f{n}"),
            Self::Complex(n) => format!("c{n}"),
            Self::Bytes(n) => format!("S{n}"),
            Self::Unicode(n) => format!("U{n}"),
        }
    }

    /// Size of one element in bytes.
    pub fn item_size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Int(n) | Self::UInt(n) | Self::Float(n) | Self::Complex(n) => n as usize,
            Self::Bytes(n) => n as usize,
            Self::Unicode(n) => n as usize * 4,
        }
    }

    /// Number of bytes that are reversed together when the byte order changes.
    pub(crate) fn swap_unit(self) -> usize {
        match self {
            Self::Bool | Self::Bytes(_) => 1,
            Self::Int(n) | Self::UInt(n) | Self::Float(n) => n as usize,
            Self::Complex(n) => n as usize / 2,
            Self::Unicode(_) => 4,
        }
    }
}

/// A numpy array in C order, little endian. An empty shape means one element.
#[derive(Clone, Debug, PartialEq)]
pub struct NdArray {
    dtype: DType,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl NdArray {
    /// Returns an array of the given bytes (C order, little endian). Their number must match shape and dtype.
    pub fn new(dtype: DType, shape: Vec<usize>, data: Vec<u8>) -> Result<Self, Error> {
        let bytes = byte_count(&shape, dtype.item_size()).filter(|_| dtype.item_size() > 0);
        if bytes != Some(data.len()) {
            let what = format!(
                "array of shape {shape:?} and type {} with {} bytes",
                dtype.code(),
                data.len()
            );
            return Err(Error::malformed(0, what));
        }
        Ok(Self { dtype, shape, data })
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Lengths of the axes, slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Elements in C order, little endian.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the array has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a vector of float64.
    pub fn from_f64(values: &[f64]) -> Self {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self {
            dtype: DType::Float(8),
            shape: vec![values.len()],
            data,
        }
    }

    /// Returns a vector of float32.
    pub fn from_f32(values: &[f32]) -> Self {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self {
            dtype: DType::Float(4),
            shape: vec![values.len()],
            data,
        }
    }

    /// Returns a vector of int64.
    pub fn from_i64(values: &[i64]) -> Self {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self {
            dtype: DType::Int(8),
            shape: vec![values.len()],
            data,
        }
    }

    /// Returns a vector of booleans.
    pub fn from_bool(values: &[bool]) -> Self {
        let data = values.iter().map(|&v| u8::from(v)).collect();
        Self {
            dtype: DType::Bool,
            shape: vec![values.len()],
            data,
        }
    }

    /// Returns a vector of unicode strings. As in numpy, the width of `<U` is that of the longest string, at
    /// least 1.
    pub fn from_strings<S: AsRef<str>>(values: &[S]) -> Self {
        let width = values
            .iter()
            .map(|s| s.as_ref().chars().count())
            .max()
            .unwrap_or(0)
            .max(1);
        let mut data = Vec::with_capacity(values.len() * width * 4);
        for value in values {
            let start = data.len();
            data.extend(value.as_ref().chars().flat_map(|c| (c as u32).to_le_bytes()));
            data.resize(start + width * 4, 0);
        }
        Self {
            dtype: DType::Unicode(width as u32),
            shape: vec![values.len()],
            data,
        }
    }

    /// Returns the same elements with another shape, or `None` if the number of elements differs.
    pub fn reshaped(mut self, shape: &[usize]) -> Option<Self> {
        (byte_count(shape, 1) == Some(self.len())).then(|| {
            self.shape = shape.to_vec();
            self
        })
    }

    /// Returns all elements as float64, or `None` for complex numbers and strings.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        let chunks = |n: u8| self.data.chunks_exact(n as usize);
        Some(match self.dtype {
            DType::Float(8) => chunks(8).map(|b| f64::from_le_bytes(fixed(b))).collect(),
            DType::Float(4) => chunks(4)
                .map(|b| f64::from(f32::from_le_bytes(fixed(b))))
                .collect(),
            DType::Float(_) => chunks(2)
                .map(|b| half::f16::from_le_bytes(fixed(b)).to_f64())
                .collect(),
            DType::UInt(8) => chunks(8).map(|b| u64::from_le_bytes(fixed(b)) as f64).collect(),
            _ => self.to_i64()?.into_iter().map(|v| v as f64).collect(),
        })
    }

    /// Returns all elements as int64, or `None` for floats, complex numbers, strings, and uint64 above the
    /// range.
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        let chunks = |n: u8| self.data.chunks_exact(n as usize);
        Some(match self.dtype {
            DType::Bool => self.data.iter().map(|&b| i64::from(b != 0)).collect(),
            DType::Int(n) => chunks(n).map(|b| sign_extend(b) as i64).collect(),
            DType::UInt(8) => chunks(8)
                .map(|b| i64::try_from(u64::from_le_bytes(fixed(b))).ok())
                .collect::<Option<_>>()?,
            DType::UInt(n) => chunks(n).map(|b| zero_extend(b) as i64).collect(),
            _ => return None,
        })
    }

    /// Returns all elements as strings, or `None` unless the type is unicode, or bytes of UTF-8.
    pub fn to_strings(&self) -> Option<Vec<String>> {
        let size = self.dtype.item_size();
        let item = |i: usize| &self.data[i * size..(i + 1) * size];
        match self.dtype {
            DType::Unicode(_) => (0..self.len())
                .map(|i| {
                    let points = item(i).chunks_exact(4).map(|b| u32::from_le_bytes(fixed(b)));
                    let text: Option<String> = points.map(char::from_u32).collect();
                    text.map(|t| t.trim_end_matches('\0').to_owned())
                })
                .collect(),
            DType::Bytes(_) => (0..self.len())
                .map(|i| {
                    std::str::from_utf8(item(i))
                        .ok()
                        .map(|t| t.trim_end_matches('\0').to_owned())
                })
                .collect(),
            _ => None,
        }
    }
}

/// Returns elements times item size, or `None` on overflow.
pub(crate) fn byte_count(shape: &[usize], item: usize) -> Option<usize> {
    // An axis of length 0 must not hide an overflow of the other axes.
    let full = shape.iter().try_fold(item, |n, &d| n.checked_mul(d.max(1)))?;
    (full <= isize::MAX as usize).then_some(if shape.contains(&0) { 0 } else { full })
}

/// Returns a slice of known length as an array. Shorter slices are filled with zeros; `chunks_exact` prevents
/// them.
fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

fn zero_extend(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(fixed(bytes))
}

fn sign_extend(bytes: &[u8]) -> u64 {
    let shift = 64 - 8 * bytes.len() as u32;
    (((zero_extend(bytes) << shift) as i64) >> shift) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_width_keep_sign() {
        for n in [1u8, 2, 4, 8] {
            let mut data = vec![0xffu8; n as usize];
            data.extend(std::iter::once(5).chain(std::iter::repeat_n(0, n as usize - 1)));
            let signed = NdArray::new(DType::Int(n), vec![2], data.clone()).unwrap();
            assert_eq!(signed.to_i64(), Some(vec![-1, 5]));
            let unsigned = NdArray::new(DType::UInt(n), vec![2], data).unwrap();
            let expected = (n < 8).then(|| vec![(1i64 << (8 * n as u32 % 64)) - 1, 5]);
            assert_eq!(unsigned.to_i64(), expected);
        }
    }

    #[test]
    fn strings_round_trip_with_padding() {
        let names = ["a", "", "größe", "\u{1f600}x"];
        let array = NdArray::from_strings(&names);
        assert_eq!(array.dtype(), DType::Unicode(5));
        assert_eq!(array.to_strings().unwrap(), names);
    }

    #[test]
    fn wrong_byte_count_and_overflow_are_rejected() {
        assert!(NdArray::new(DType::Float(8), vec![2], vec![0; 15]).is_err());
        assert!(NdArray::new(DType::Float(8), vec![usize::MAX, 2], vec![]).is_err());
        assert!(NdArray::new(DType::Float(8), vec![0, usize::MAX, 2], vec![]).is_err());
        assert!(NdArray::new(DType::Unicode(0), vec![3], vec![]).is_err());
    }

    #[test]
    fn float16_is_converted_to_float64() {
        let data = [1.5f32, -2.0]
            .iter()
            .flat_map(|&v| half::f16::from_f32(v).to_le_bytes())
            .collect();
        let array = NdArray::new(DType::Float(2), vec![2], data).unwrap();
        assert_eq!(array.to_f64(), Some(vec![1.5, -2.0]));
        assert_eq!(array.to_i64(), None);
    }
}
