//! The header of an npy array: magic, version, and a Python dictionary literal.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>, versions 1.0 to 3.0.

use std::io::{self, Read};

use crate::element::Dtype;
use crate::error::{Error, Place};

use super::literal::{self, Literal};

const MAGIC: &[u8] = b"\x93NUMPY";
/// numpy's limit on dimensions since version 2.0.
const MAX_DIMENSIONS: usize = 64;

/// Longest accepted header in bytes. Numeric arrays have 128 bytes; the length field allows up to 4 GiB.
const MAX_LENGTH: usize = 1 << 20;

/// Header of an npy array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Element type; `None` for strings, objects, structures, complex numbers and other types.
    pub dtype: Option<Dtype>,
    /// Element type in numpy's notation, such as `<f4`.
    pub descr: String,
    /// Whether multi-byte elements are big endian.
    pub big_endian: bool,
    /// Whether the first axis varies fastest.
    pub fortran_order: bool,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Byte offset of the elements.
    pub offset: usize,
}

impl Header {
    /// Number of bytes required to read the header's length.
    const PRELUDE: usize = 12;

    /// Returns the total length of the header in bytes, from its first [`Header::PRELUDE`] bytes. A shorter
    /// file has fewer.
    fn length(prelude: &[u8], place: &Place) -> Result<usize, Error> {
        let problem = |problem: &str| Error::NpyHeader {
            place: place.clone(),
            problem: problem.to_owned(),
        };
        if !prelude.starts_with(MAGIC) {
            return Err(problem("it does not begin with \\x93NUMPY"));
        }
        let (size, width) = match (prelude.get(6), prelude.get(8..10), prelude.get(8..12)) {
            (Some(1), Some(&[a, b]), _) => (usize::from(u16::from_le_bytes([a, b])), 2),
            (Some(2 | 3), _, Some(&[a, b, c, d])) => (u32::from_le_bytes([a, b, c, d]) as usize, 4),
            (Some(1..=3), ..) | (None, ..) => return Err(problem("it ends within the header")),
            (Some(version), ..) => {
                return Err(problem(&format!(
                    "version {version} is unknown; versions 1 to 3 are supported"
                )))
            }
        };
        if size > MAX_LENGTH {
            return Err(problem(&format!(
                "its header length is {size} bytes; expected at most {MAX_LENGTH}"
            )));
        }
        Ok(8 + width + size)
    }

    /// Reads the header at the start of `source`, and nothing after it.
    ///
    /// # Errors
    /// [`Error::NpyHeader`]. `failed` converts a read error of `source`.
    pub(crate) fn read(
        mut source: impl Read,
        place: &Place,
        failed: impl Fn(io::Error) -> Error,
    ) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        let mut fill = |length: usize, bytes: &mut Vec<u8>| {
            let rest = length.saturating_sub(bytes.len()) as u64;
            // Memory grows with the bytes read, not with the length field.
            Read::by_ref(&mut source)
                .take(rest)
                .read_to_end(bytes)
                .map_err(&failed)
        };
        fill(Self::PRELUDE, &mut bytes)?;
        fill(Self::length(&bytes, place)?, &mut bytes)?;
        Self::parse(&bytes, place)
    }

    /// Parses the header at the start of `bytes`. `bytes` may end after the header.
    pub(crate) fn parse(bytes: &[u8], place: &Place) -> Result<Self, Error> {
        let problem = |problem: String| Error::NpyHeader {
            place: place.clone(),
            problem,
        };
        let offset = Self::length(&bytes[..bytes.len().min(Self::PRELUDE)], place)?;
        let start = if bytes[6] == 1 { 10 } else { 12 };
        let text = bytes
            .get(start..offset)
            .ok_or_else(|| problem("it ends within the header".to_owned()))?;
        // Versions 1 and 2 are latin-1, version 3 is UTF-8. They differ only in names of structure fields.
        let entries = literal::dictionary(&String::from_utf8_lossy(text)).map_err(&problem)?;
        let get = |key: &str| {
            let found = entries.iter().find(|(k, _)| k == key).map(|(_, value)| value);
            found.ok_or_else(|| problem(format!("its header lacks '{key}'")))
        };
        let fortran_order = match get("fortran_order")? {
            Literal::Bool(b) => *b,
            other => {
                return Err(problem(format!(
                    "'fortran_order' is {other}, expected True or False"
                )))
            }
        };
        let shape = match get("shape")? {
            Literal::Tuple(axes) if axes.len() <= MAX_DIMENSIONS => axes.clone(),
            other => {
                return Err(problem(format!(
                    "'shape' is {other}, expected a tuple of at most 64 lengths"
                )))
            }
        };
        let (descr, dtype, big_endian) = match get("descr")? {
            Literal::Text(descr) => {
                let (dtype, big_endian) = parse_descr(descr);
                (descr.clone(), dtype, big_endian)
            }
            other => (other.to_string(), None, false),
        };
        Ok(Self {
            dtype,
            descr,
            big_endian,
            fortran_order,
            shape,
            offset,
        })
    }

    /// Returns the element type, or an error naming an unsupported type.
    pub fn supported(&self, place: &Place) -> Result<Dtype, Error> {
        self.dtype.ok_or_else(|| Error::Dtype {
            place: place.clone(),
            found: self.descr.clone(),
            expected: "bool, an integer of 8 to 64 bits, or float16, float32, float64".to_owned(),
        })
    }

    /// Returns the number of elements and of bytes, checked against the `available` bytes after the header.
    pub(crate) fn extent(
        &self,
        dtype: Dtype,
        available: usize,
        place: &Place,
    ) -> Result<(usize, usize), Error> {
        let product = |axes: &[usize]| axes.iter().try_fold(1_usize, |n, axis| n.checked_mul(*axis));
        let count = if self.shape.contains(&0) {
            Some(0)
        } else {
            product(&self.shape)
        };
        let bytes = count.and_then(|n| n.checked_mul(dtype.size()));
        match (count, bytes) {
            (Some(count), Some(bytes)) if bytes <= available => Ok((count, bytes)),
            (_, bytes) => Err(Error::Truncated {
                place: place.clone(),
                expected: bytes.map_or(u64::MAX, |b| b as u64),
                found: available as u64,
            }),
        }
    }
}

/// Parses element type and byte order from numpy's notation, such as `<f4`.
fn parse_descr(descr: &str) -> (Option<Dtype>, bool) {
    let (order, kind) = match descr.as_bytes() {
        [b'<' | b'>' | b'=' | b'|', ..] => descr.split_at(1),
        _ => ("=", descr),
    };
    let dtype = match kind {
        "b1" | "?" => Some(Dtype::Bool),
        "i1" => Some(Dtype::I8),
        "i2" => Some(Dtype::I16),
        "i4" => Some(Dtype::I32),
        "i8" => Some(Dtype::I64),
        "u1" => Some(Dtype::U8),
        "u2" => Some(Dtype::U16),
        "u4" => Some(Dtype::U32),
        "u8" => Some(Dtype::U64),
        "f2" => Some(Dtype::F16),
        "f4" => Some(Dtype::F32),
        "f8" => Some(Dtype::F64),
        _ => None,
    };
    (
        dtype,
        order == ">" || (order == "=" && cfg!(target_endian = "big")),
    )
}

/// Returns the header before the elements, identical to numpy's (version 1.0, C order, this machine's byte
/// order).
pub(crate) fn format(dtype: Dtype, shape: &[usize]) -> Vec<u8> {
    let order = match (dtype.size(), cfg!(target_endian = "big")) {
        (1, _) => '|',
        (_, true) => '>',
        (_, false) => '<',
    };
    let kind = match dtype {
        Dtype::Bool => 'b',
        Dtype::I8 | Dtype::I16 | Dtype::I32 | Dtype::I64 => 'i',
        Dtype::U8 | Dtype::U16 | Dtype::U32 | Dtype::U64 => 'u',
        Dtype::F16 | Dtype::F32 | Dtype::F64 => 'f',
    };
    let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let tuple = match axes.as_slice() {
        [one] => format!("({one},)"),
        axes => format!("({})", axes.join(", ")),
    };
    let descr = format!("{order}{kind}{}", dtype.size());
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple}, }}");
    if let Some(first) = axes.first() {
        // numpy reserves space for the first axis to grow to 21 digits in place.
        text.push_str(&" ".repeat(21_usize.saturating_sub(first.len())));
    }
    // The elements begin at a multiple of 64 bytes, so that a memory map is aligned.
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    text.push_str(&" ".repeat(length - text.len() - 1));
    text.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    // 64 axes of 20 digits fit 16 bits.
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(text.into_bytes());
    bytes
}
