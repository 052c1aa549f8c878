//! Element types of arrays on disk and in memory, and their conversions.

use bytemuck::Pod;
use half::f16;

/// An element type of npy files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names equal those of Rust's types")]
pub enum Dtype {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
}

impl Dtype {
    /// Size of one element in bytes.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// numpy's name: `float32`, `uint8`, `bool`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::F16 => "float16",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }
}

/// A number during conversion between element types.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// Any integer or bool.
    Int(i128),
    /// Any floating-point number.
    Float(f64),
}

impl Number {
    /// Returns the integer, if the number has no fraction.
    fn integer(self) -> Option<i128> {
        match self {
            Self::Int(i) => Some(i),
            // i128 holds every finite whole float of magnitude below 2^127. The cast saturates above, which
            // exceeds every element type.
            Self::Float(f) => (f.is_finite() && f.fract() == 0.0).then_some(f as i128),
        }
    }

    /// Returns the nearest float64.
    fn float(self) -> f64 {
        match self {
            Self::Int(i) => i as f64,
            Self::Float(f) => f,
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(i) => i.fmt(f),
            Self::Float(x) => x.fmt(f),
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// An element type of arrays: `bool`, `i8`..`i64`, `u8`..`u64`, [`f16`], `f32`, `f64`.
///
/// Conversion to a float type rounds to the nearest value. Conversion to an integer type or bool must be
/// exact for every value.
pub trait Element: sealed::Sealed + Copy + Send + Sync + 'static {
    /// Element type on disk.
    const DTYPE: Dtype;
    /// Type with the same bytes, for which every bit pattern is valid.
    type Raw: Pod;
    /// Reinterprets the bytes. As in numpy, a bool is true unless its byte is 0.
    fn from_raw(raw: Vec<Self::Raw>) -> Vec<Self>;
    /// Returns the bytes of `values`, in memory order.
    fn bytes(values: &[Self]) -> &[u8];
    /// Converts a number. Returns `None` if an integer target type cannot hold it exactly.
    fn from_number(number: Number) -> Option<Self>;
    /// Returns this value as a number.
    fn to_number(self) -> Number;
    /// Returns the nearest float64.
    fn to_f64(self) -> f64;
}

/// Decodes one element from its bytes.
pub(crate) trait Decode: Element {
    fn decode(bytes: &[u8], big_endian: bool) -> Self;
}

macro_rules! numeric {
    ($($type:ty => $dtype:ident, $from:expr, $to:expr, $float:expr;)*) => {$(
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const DTYPE: Dtype = Dtype::$dtype;
            type Raw = Self;
            fn from_raw(raw: Vec<Self>) -> Vec<Self> {
                raw
            }
            fn bytes(values: &[Self]) -> &[u8] {
                bytemuck::cast_slice(values)
            }
            #[inline]
            fn from_number(number: Number) -> Option<Self> {
                $from(number)
            }
            #[inline]
            fn to_number(self) -> Number {
                $to(self)
            }
            #[inline]
            fn to_f64(self) -> f64 {
                $float(self)
            }
        }
        impl Decode for $type {
            #[inline]
            fn decode(bytes: &[u8], big_endian: bool) -> Self {
                let mut word = [0; size_of::<$type>()];
                word.copy_from_slice(bytes);
                if big_endian { Self::from_be_bytes(word) } else { Self::from_le_bytes(word) }
            }
        }
    )*};
}

macro_rules! integers {
    ($($type:ty => $dtype:ident;)*) => {
        numeric! {$(
            $type => $dtype, |n: Number| n.integer().and_then(|i| Self::try_from(i).ok()), |i| Number::Int(i128::from(i)), |i| i as f64;
        )*}
    };
}

integers! {
    i8 => I8; i16 => I16; i32 => I32; i64 => I64;
    u8 => U8; u16 => U16; u32 => U32; u64 => U64;
}

numeric! {
    f16 => F16, |n: Number| Some(Self::from_f64(n.float())), |f: Self| Number::Float(f.to_f64()), f16::to_f64;
    f32 => F32, |n: Number| Some(n.float() as Self), |f: Self| Number::Float(f64::from(f)), f64::from;
    f64 => F64, |n: Number| Some(n.float()), Number::Float, std::convert::identity;
}

impl sealed::Sealed for bool {}
impl Element for bool {
    const DTYPE: Dtype = Dtype::Bool;
    type Raw = u8;
    fn from_raw(raw: Vec<u8>) -> Vec<Self> {
        raw.into_iter().map(|b| b != 0).collect()
    }
    fn bytes(values: &[Self]) -> &[u8] {
        bytemuck::cast_slice(values)
    }
    fn from_number(number: Number) -> Option<Self> {
        match number.integer()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
    fn to_number(self) -> Number {
        Number::Int(i128::from(self))
    }
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
}
impl Decode for bool {
    #[inline]
    fn decode(bytes: &[u8], _: bool) -> Self {
        bytes.first().is_some_and(|b| *b != 0)
    }
}

/// Runs `$body` with `$type` bound to the Rust type of `$dtype`.
macro_rules! with_type {
    ($dtype:expr, $type:ident => $body:expr) => {
        match $dtype {
            $crate::element::Dtype::Bool => {
                type $type = bool;
                $body
            }
            $crate::element::Dtype::I8 => {
                type $type = i8;
                $body
            }
            $crate::element::Dtype::I16 => {
                type $type = i16;
                $body
            }
            $crate::element::Dtype::I32 => {
                type $type = i32;
                $body
            }
            $crate::element::Dtype::I64 => {
                type $type = i64;
                $body
            }
            $crate::element::Dtype::U8 => {
                type $type = u8;
                $body
            }
            $crate::element::Dtype::U16 => {
                type $type = u16;
                $body
            }
            $crate::element::Dtype::U32 => {
                type $type = u32;
                $body
            }
            $crate::element::Dtype::U64 => {
                type $type = u64;
                $body
            }
            $crate::element::Dtype::F16 => {
                type $type = half::f16;
                $body
            }
            $crate::element::Dtype::F32 => {
                type $type = f32;
                $body
            }
            $crate::element::Dtype::F64 => {
                type $type = f64;
                $body
            }
        }
    };
}

/// Converts the elements in `bytes`. Fails with the index and value of the first element that `T` cannot
/// hold.
pub(crate) fn convert<T: Element>(
    dtype: Dtype,
    big_endian: bool,
    bytes: &[u8],
) -> Result<Vec<T>, (usize, Number)> {
    fn all<S: Decode, T: Element>(bytes: &[u8], big: bool) -> Result<Vec<T>, (usize, Number)> {
        let mut values = Vec::with_capacity(bytes.len() / size_of::<S>());
        for (index, word) in bytes.chunks_exact(size_of::<S>()).enumerate() {
            let number = S::decode(word, big).to_number();
            values.push(T::from_number(number).ok_or((index, number))?);
        }
        Ok(values)
    }
    with_type!(dtype, S => all::<S, T>(bytes, big_endian))
}

/// Converts the elements in `bytes` to float64 and applies `value` to each.
pub(crate) fn map_f64<T>(
    dtype: Dtype,
    big_endian: bool,
    bytes: &[u8],
    mut value: impl FnMut(f64) -> T,
) -> Vec<T> {
    fn all<S: Decode, T>(bytes: &[u8], big: bool, value: &mut impl FnMut(f64) -> T) -> Vec<T> {
        bytes
            .chunks_exact(size_of::<S>())
            .map(|word| value(S::decode(word, big).to_f64()))
            .collect()
    }
    with_type!(dtype, S => all::<S, T>(bytes, big_endian, &mut value))
}
