//! Where the fields of a header stand, in both versions and byte orders.

/// Version and byte order of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// 1 or 2.
    pub version: u8,
    pub big_endian: bool,
    /// Whether the voxels follow in the same file (`n+1`) or stand in an `.img` (`ni1`).
    pub single_file: bool,
}

/// Bytes of a NIfTI-1 header.
pub(super) const SIZE_1: usize = 348;
/// Bytes of a NIfTI-2 header.
pub(super) const SIZE_2: usize = 540;

/// Offsets of the fields that are read: (NIfTI-1, NIfTI-2).
#[derive(Clone, Copy)]
pub(super) enum Field {
    Datatype,
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
    fn offset(self, version: u8) -> usize {
        let (one, two) = match self {
            Self::Datatype => (70, 12),
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
    /// Recognises a header from its length field and magic; on failure, what stands there instead.
    pub(super) fn detect(bytes: &[u8]) -> Result<Self, String> {
        let too_short = || format!("it ends after {} bytes, within the header", bytes.len());
        let length = bytes.first_chunk::<4>().ok_or_else(too_short)?;
        let (version, big_endian) = match (i32::from_le_bytes(*length), i32::from_be_bytes(*length)) {
            (348, _) => (1, false),
            (_, 348) => (1, true),
            (540, _) => (2, false),
            (_, 540) => (2, true),
            (other, _) => {
                return Err(format!(
                    "its first field is {other}, expected 348 (NIfTI-1) or 540 (NIfTI-2)"
                ))
            }
        };
        let (size, magic) = if version == 1 { (SIZE_1, 344) } else { (SIZE_2, 4) };
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
            (_, other) => return Err(format!("its magic is {:?}", String::from_utf8_lossy(other))),
        };
        Ok(Self {
            version,
            big_endian,
            single_file,
        })
    }

    /// Bytes of the header.
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

    /// Element `index` of an integer field: 16 bits in NIfTI-1; `wide` bits in NIfTI-2.
    fn integer(self, bytes: &[u8], field: Field, index: usize, wide: usize) -> i64 {
        let at = field.offset(self.version);
        match (self.version, wide) {
            (2, 64) => i64::from_le_bytes(self.word(bytes, at + 8 * index)),
            (2, 32) => i64::from(i32::from_le_bytes(self.word(bytes, at + 4 * index))),
            _ => i64::from(i16::from_le_bytes(self.word(bytes, at + 2 * index))),
        }
    }

    /// Element `index` of `dim`.
    pub(super) fn dim(self, bytes: &[u8], index: usize) -> i64 {
        self.integer(bytes, Field::Dim, index, 64)
    }

    /// NIfTI's code of the element type.
    pub(super) fn datatype(self, bytes: &[u8]) -> i64 {
        self.integer(bytes, Field::Datatype, 0, 16)
    }

    /// `qform_code` or `sform_code`.
    pub(super) fn code(self, bytes: &[u8], field: Field) -> i64 {
        self.integer(bytes, field, 0, 32)
    }

    /// Element `index` of a floating-point field: float32 in NIfTI-1, float64 in NIfTI-2.
    pub(super) fn float(self, bytes: &[u8], field: Field, index: usize) -> f64 {
        let at = field.offset(self.version);
        if self.version == 1 {
            f64::from(f32::from_le_bytes(self.word(bytes, at + 4 * index)))
        } else {
            f64::from_le_bytes(self.word(bytes, at + 8 * index))
        }
    }

    /// Byte at which the voxels begin.
    pub(super) fn vox_offset(self, bytes: &[u8]) -> f64 {
        if self.version == 1 {
            self.float(bytes, Field::VoxOffset, 0)
        } else {
            i64::from_le_bytes(self.word(bytes, Field::VoxOffset.offset(2))) as f64
        }
    }

    /// Code of the unit of length.
    pub(super) fn space_unit(self, bytes: &[u8]) -> u8 {
        let at = Field::Units.offset(self.version);
        let units = if self.version == 1 {
            bytes[at]
        } else {
            self.word::<4>(bytes, at)[0]
        };
        units & 7
    }
}
