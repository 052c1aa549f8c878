//! Offsets of header fields, in both versions and byte orders.

use std::ops::Range;

use super::foreign::recognise;

/// Version and byte order of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// NIfTI version: 1 or 2.
    pub version: u8,
    pub big_endian: bool,
    /// Whether the voxels are in the same file (`n+1`) or in an `.img` (`ni1`).
    pub single_file: bool,
}

/// Bit mask of the unit of length in the units field.
const SPACE_UNIT: u8 = 7;
/// Bytes of a NIfTI-1 header.
pub(super) const SIZE_1: usize = 348;
/// Bytes of a NIfTI-2 header.
pub(super) const SIZE_2: usize = 540;

/// Byte of a NIfTI-1 header that is always `r`.
pub(super) const REGULAR: usize = 38;
/// Offset of the magic in a NIfTI-1 header.
pub(super) const MAGIC_1: usize = 344;
/// Offset of the magic in a NIfTI-2 header.
const MAGIC_2: usize = 4;
/// Bytes of the description in a NIfTI-1 header, the last of which is 0.
pub(super) const DESCRIPTION_1: Range<usize> = 148..228;
/// The same in a NIfTI-2 header.
const DESCRIPTION_2: Range<usize> = 240..320;

/// Header fields used by this crate.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Datatype,
    Bitpix,
    Dim,
    Pixdim,
    VoxOffset,
    Slope,
    Inter,
    Units,
    QformCode,
    SformCode,
    Quatern,
    Qoffset,
    Srow,
}

impl Field {
    /// Returns the offset in a header of the version.
    fn offset(self, version: u8) -> usize {
        let (one, two) = match self {
            Self::Datatype => (70, 12),
            Self::Bitpix => (72, 14),
            Self::Dim => (40, 16),
            Self::Pixdim => (76, 104),
            Self::VoxOffset => (108, 168),
            Self::Slope => (112, 176),
            Self::Inter => (116, 184),
            Self::Units => (123, 500),
            Self::QformCode => (252, 344),
            Self::SformCode => (254, 348),
            Self::Quatern => (256, 352),
            Self::Qoffset => (268, 376),
            Self::Srow => (280, 400),
        };
        if version == 1 {
            one
        } else {
            two
        }
    }
}

impl Layout {
    /// The description of a header, up to its first zero byte.
    pub(super) fn description(self, bytes: &[u8]) -> Option<&[u8]> {
        let text = bytes.get(if self.version == 1 {
            DESCRIPTION_1
        } else {
            DESCRIPTION_2
        })?;
        text.split(|byte| *byte == 0).next()
    }

    /// Detects a header by its length field and magic. Fails with the value found instead.
    pub(super) fn detect(bytes: &[u8]) -> Result<Self, String> {
        let too_short = || match recognise(bytes) {
            Some(what) => what.to_owned(),
            None => format!(
                "it ends after {} bytes, within the header; write or copy it again",
                bytes.len()
            ),
        };
        let length = bytes.first_chunk::<4>().ok_or_else(too_short)?;
        let (version, big_endian) = match (i32::from_le_bytes(*length), i32::from_be_bytes(*length)) {
            (348, _) => (1, false),
            (_, 348) => (1, true),
            (540, _) => (2, false),
            (_, 540) => (2, true),
            (other, _) => {
                return Err(match recognise(bytes) {
                    Some(what) => what.to_owned(),
                    None => format!(
                        "its first field is {other}, expected 348 (NIfTI-1) or 540 (NIfTI-2); convert it to NIfTI"
                    ),
                })
            }
        };
        let (size, magic) = if version == 1 {
            (SIZE_1, MAGIC_1)
        } else {
            (SIZE_2, MAGIC_2)
        };
        if bytes.len() < size {
            return Err(too_short());
        }
        let single_file = match (version, &bytes[magic..magic + 4]) {
            (1, b"n+1\0") | (2, b"n+2\0") => true,
            (1, b"ni1\0") | (2, b"ni2\0") => false,
            (1, [0, ..]) => {
                return Err(
                    "it is an Analyze 7.5 file, whose orientation is undefined; convert it to NIfTI"
                        .to_owned(),
                )
            }
            (version, other) => {
                return Err(format!(
                    "its magic is {:?}, expected \"n+{version}\" or \"ni{version}\"; write it again",
                    String::from_utf8_lossy(other)
                ))
            }
        };
        Ok(Self {
            version,
            big_endian,
            single_file,
        })
    }

    /// Size of the header in bytes.
    pub(super) fn size(self) -> usize {
        if self.version == 1 {
            SIZE_1
        } else {
            SIZE_2
        }
    }

    fn word<const N: usize>(self, bytes: &[u8], at: usize) -> [u8; N] {
        let mut word = [0; N];
        word.copy_from_slice(&bytes[at..at + N]);
        if self.big_endian {
            word.reverse();
        }
        word
    }

    fn put_word(self, bytes: &mut [u8], at: usize, little_endian: &[u8]) {
        let word = &mut bytes[at..at + little_endian.len()];
        word.copy_from_slice(little_endian);
        if self.big_endian {
            word.reverse();
        }
    }

    /// Returns element `index` of an integer field: 16 bits in NIfTI-1, `wide` bits in NIfTI-2.
    fn integer(self, bytes: &[u8], field: Field, index: usize, wide: usize) -> i64 {
        let at = field.offset(self.version);
        match (self.version, wide) {
            (2, 64) => i64::from_le_bytes(self.word(bytes, at + 8 * index)),
            (2, 32) => i64::from(i32::from_le_bytes(self.word(bytes, at + 4 * index))),
            _ => i64::from(i16::from_le_bytes(self.word(bytes, at + 2 * index))),
        }
    }

    /// Sets element `index` of an integer field; see [`Layout::integer`] for its bits.
    fn put_integer(self, bytes: &mut [u8], field: Field, index: usize, wide: usize, value: i64) {
        let width = if self.version == 1 { 2 } else { wide / 8 };
        let at = field.offset(self.version) + width * index;
        // Truncation of the two's complement is valid for every width.
        self.put_word(bytes, at, &value.to_le_bytes()[..width]);
    }

    /// Returns element `index` of `dim`.
    pub(super) fn dim(self, bytes: &[u8], index: usize) -> i64 {
        self.integer(bytes, Field::Dim, index, 64)
    }

    /// Sets element `index` of `dim`.
    pub(super) fn put_dim(self, bytes: &mut [u8], index: usize, length: i64) {
        self.put_integer(bytes, Field::Dim, index, 64, length);
    }

    /// Returns NIfTI's code of the element type.
    pub(super) fn datatype(self, bytes: &[u8]) -> i64 {
        self.integer(bytes, Field::Datatype, 0, 16)
    }

    /// Sets NIfTI's code and the number of bits of the element type.
    pub(super) fn put_datatype(self, bytes: &mut [u8], code: i16, bits: usize) {
        self.put_integer(bytes, Field::Datatype, 0, 16, i64::from(code));
        self.put_integer(bytes, Field::Bitpix, 0, 16, bits as i64);
    }

    /// Returns `qform_code` or `sform_code`.
    pub(super) fn code(self, bytes: &[u8], field: Field) -> i64 {
        self.integer(bytes, field, 0, 32)
    }

    /// Sets `qform_code` or `sform_code`.
    pub(super) fn put_code(self, bytes: &mut [u8], field: Field, code: i64) {
        self.put_integer(bytes, field, 0, 32, code);
    }

    /// Returns element `index` of a floating-point field: float32 in NIfTI-1, float64 in NIfTI-2.
    pub(super) fn float(self, bytes: &[u8], field: Field, index: usize) -> f64 {
        let at = field.offset(self.version);
        if self.version == 1 {
            f64::from(f32::from_le_bytes(self.word(bytes, at + 4 * index)))
        } else {
            f64::from_le_bytes(self.word(bytes, at + 8 * index))
        }
    }

    /// Sets the first elements of a floating-point field.
    pub(super) fn put_floats(self, bytes: &mut [u8], field: Field, values: &[f64]) {
        let at = field.offset(self.version);
        for (index, value) in values.iter().enumerate() {
            if self.version == 1 {
                self.put_word(bytes, at + 4 * index, &(*value as f32).to_le_bytes());
            } else {
                self.put_word(bytes, at + 8 * index, &value.to_le_bytes());
            }
        }
    }

    /// Returns the byte offset of the voxels.
    pub(super) fn vox_offset(self, bytes: &[u8]) -> f64 {
        if self.version == 1 {
            self.float(bytes, Field::VoxOffset, 0)
        } else {
            i64::from_le_bytes(self.word(bytes, Field::VoxOffset.offset(2))) as f64
        }
    }

    /// Returns the offset of the units: a byte in NIfTI-1, the lowest byte of a 32-bit word in NIfTI-2.
    fn units_at(self) -> usize {
        let at = Field::Units.offset(self.version);
        match (self.version, self.big_endian) {
            (2, true) => at + 3,
            _ => at,
        }
    }

    /// Returns the code of the unit of length.
    pub(super) fn space_unit(self, bytes: &[u8]) -> u8 {
        bytes[self.units_at()] & SPACE_UNIT
    }

    /// Sets the code of the unit of length and keeps that of time.
    pub(super) fn put_space_unit(self, bytes: &mut [u8], unit: u8) {
        let at = self.units_at();
        bytes[at] = (bytes[at] & !SPACE_UNIT) | unit;
    }

    /// Sets the code of the unit of time and keeps that of length.
    pub(super) fn put_time_unit(self, bytes: &mut [u8], unit: u8) {
        let at = self.units_at();
        bytes[at] = (bytes[at] & SPACE_UNIT) | unit;
    }

    /// Copies all position fields from another header.
    pub(super) fn copy_geometry(self, bytes: &mut [u8], from: Self, source: &[u8]) {
        let floats = [
            (Field::Pixdim, 4),
            (Field::Quatern, 3),
            (Field::Qoffset, 3),
            (Field::Srow, 12),
        ];
        for (field, count) in floats {
            let values: Vec<f64> = (0..count).map(|index| from.float(source, field, index)).collect();
            self.put_floats(bytes, field, &values);
        }
        for field in [Field::QformCode, Field::SformCode] {
            self.put_code(bytes, field, from.code(source, field));
        }
        self.put_space_unit(bytes, from.space_unit(source));
    }
}
