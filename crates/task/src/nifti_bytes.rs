//! NIfTI files as bytes: changing the geometry or splitting volumes without touching how voxels are stored.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::Compression;
use volume::nifti::Header;

use crate::Error;

/// Bytes of the longer of the two headers.
const LONGEST_HEADER: u64 = 540;

/// A single-file NIfTI volume, uncompressed, with its header read.
pub(crate) struct NiftiBytes {
    header: Header,
    bytes: Vec<u8>,
}

impl NiftiBytes {
    /// Reads `.nii` or `.nii.gz` whole.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let header = volume::nifti::read_header(path)?;
        if !header.single_file {
            let problem = "a pair of .hdr and .img; write it as .nii.gz first".to_owned();
            return Err(Error::Unsupported {
                path: path.to_owned(),
                problem,
            });
        }
        let data = header.size.iter().product::<usize>() * header.channels * header.dtype.size();
        let length = header.offset + data;
        let bytes = read_start(path, length as u64)?;
        if bytes.len() < length {
            let place = volume::Place::file(path);
            let found = bytes.len().saturating_sub(header.offset) as u64;
            return Err(volume::Error::Truncated {
                place,
                expected: data as u64,
                found,
            }
            .into());
        }
        Ok(Self { header, bytes })
    }

    /// Number of volumes.
    pub(crate) fn channels(&self) -> usize {
        self.header.channels
    }

    /// Writes the file again, compressed if its name says so, replacing what is there in one step.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Error> {
        save(path, &[&self.bytes])
    }

    /// Writes one volume as a file of its own, stored as it was.
    pub(crate) fn save_volume(&self, index: usize, path: &Path) -> Result<(), Error> {
        let mut head = self.bytes[..self.header.offset].to_vec();
        let (first, width) = if self.header.version == 2 {
            (16, 8)
        } else {
            (40, 2)
        };
        let number = Number {
            width,
            big_endian: self.header.big_endian,
        };
        for (axis, length) in [(0, 3.0), (4, 1.0), (5, 1.0), (6, 1.0), (7, 1.0)] {
            number.put(&mut head, first, axis, length, false);
        }
        let length = (self.bytes.len() - self.header.offset) / self.header.channels;
        let start = self.header.offset + index * length;
        save(path, &[&head, &self.bytes[start..start + length]])
    }

    /// Takes over all fields that say where the voxels lie from the header of another file.
    pub(crate) fn take_geometry(&mut self, path: &Path) -> Result<(), Error> {
        let from = volume::nifti::read_header(path)?;
        let source = read_start(path, LONGEST_HEADER)?;
        // (offset in NIfTI-1, in NIfTI-2, bytes of a value in each, whether it is a float, how many)
        const FIELDS: [(usize, usize, usize, usize, bool, usize); 5] = [
            (76, 104, 4, 8, true, 4),
            (252, 344, 2, 4, false, 1),
            (254, 348, 2, 4, false, 1),
            (256, 352, 4, 8, true, 6),
            (280, 400, 4, 8, true, 12),
        ];
        let place = |header: &Header, one: usize, two: usize| if header.version == 2 { two } else { one };
        for (at1, at2, width1, width2, float, count) in FIELDS {
            let read = Number {
                width: place(&from, width1, width2),
                big_endian: from.big_endian,
            };
            let write = Number {
                width: place(&self.header, width1, width2),
                big_endian: self.header.big_endian,
            };
            for index in 0..count {
                let value = read.get(&source, place(&from, at1, at2), index, float);
                write.put(
                    &mut self.bytes,
                    place(&self.header, at1, at2),
                    index,
                    value,
                    float,
                );
            }
        }
        // The lowest three bits are the unit of length. The byte that holds them is the last of a big-endian word.
        let unit = |header: &Header| match (header.version, header.big_endian) {
            (2, true) => 503,
            (2, false) => 500,
            _ => 123,
        };
        let (to, from) = (unit(&self.header), source[unit(&from)]);
        self.bytes[to] = (self.bytes[to] & !7) | (from & 7);
        Ok(())
    }
}

/// How a number stands in a header.
struct Number {
    width: usize,
    big_endian: bool,
}

impl Number {
    fn get(&self, bytes: &[u8], at: usize, index: usize, float: bool) -> f64 {
        let start = at + index * self.width;
        let mut word = [0; 8];
        word[..self.width].copy_from_slice(&bytes[start..start + self.width]);
        if self.big_endian {
            word[..self.width].reverse();
        }
        let bits = u64::from_le_bytes(word);
        match (self.width, float) {
            (8, true) => f64::from_bits(bits),
            (_, true) => f64::from(f32::from_bits(bits as u32)),
            (2, false) => f64::from(bits as i16),
            (4, false) => f64::from(bits as i32),
            (_, false) => bits as i64 as f64,
        }
    }

    fn put(&self, bytes: &mut [u8], at: usize, index: usize, value: f64, float: bool) {
        let bits = match (self.width, float) {
            (8, true) => value.to_bits(),
            (_, true) => u64::from((value as f32).to_bits()),
            // Truncating the two's complement fits every width.
            (_, false) => value as i64 as u64,
        };
        let mut word = bits.to_le_bytes();
        if self.big_endian {
            word[..self.width].reverse();
        }
        let start = at + index * self.width;
        bytes[start..start + self.width].copy_from_slice(&word[..self.width]);
    }
}

/// The first `length` bytes of a file, or all if there are fewer; uncompressed.
fn read_start(path: &Path, length: u64) -> Result<Vec<u8>, Error> {
    let io = |e| Error::io(path, e);
    let mut magic = Vec::new();
    File::open(path)
        .map_err(io)?
        .take(2)
        .read_to_end(&mut magic)
        .map_err(io)?;
    let file = File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    if magic == [0x1f, 0x8b] {
        MultiGzDecoder::new(std::io::BufReader::new(file))
            .take(length)
            .read_to_end(&mut bytes)
            .map_err(io)?;
    } else {
        file.take(length).read_to_end(&mut bytes).map_err(io)?;
    }
    Ok(bytes)
}

fn save(path: &Path, parts: &[&[u8]]) -> Result<(), Error> {
    let compress = path.extension().is_some_and(|e| e == "gz");
    storage::write_atomic(path, |file| {
        if !compress {
            return parts.iter().try_for_each(|part| file.write_all(part));
        }
        let mut encoder = GzEncoder::new(file, Compression::default());
        parts.iter().try_for_each(|part| encoder.write_all(part))?;
        encoder.finish().map(drop)
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of `volumes` volumes of 2 x 3 x 4 int16 voxels counted from 0, with an oblique sform and qform.
    fn file(version: u8, big_endian: bool, volumes: usize, shift: f64) -> Vec<u8> {
        let (size, dim, width) = if version == 2 { (540, 16, 8) } else { (348, 40, 2) };
        let mut bytes = vec![0; size + 4];
        let put = |bytes: &mut Vec<u8>, at: usize, width: usize, index: usize, value: f64, float: bool| {
            Number { width, big_endian }.put(bytes, at, index, value, float);
        };
        put(&mut bytes, 0, 4, 0, size as f64, false);
        for (index, length) in [4.0, 4.0, 3.0, 2.0, volumes as f64, 1.0, 1.0, 1.0]
            .into_iter()
            .enumerate()
        {
            put(&mut bytes, dim, width, index, length, false);
        }
        let two = version == 2;
        let float = if two { 8 } else { 4 };
        let code = if two { 4 } else { 2 };
        let pick = |one: usize, other: usize| if two { other } else { one };
        put(&mut bytes, pick(70, 12), 2, 0, 4.0, false);
        put(&mut bytes, pick(72, 14), 2, 0, 16.0, false);
        for (index, value) in [1.0, 0.5, 0.75, 2.0 + shift].into_iter().enumerate() {
            put(&mut bytes, pick(76, 104), float, index, value, true);
        }
        put(
            &mut bytes,
            pick(108, 168),
            if two { 8 } else { 4 },
            0,
            (size + 4) as f64,
            !two,
        );
        put(&mut bytes, pick(252, 344), code, 0, 1.0, false);
        put(&mut bytes, pick(254, 348), code, 0, 2.0, false);
        // A turn by 90 degrees around z.
        let half = std::f64::consts::FRAC_1_SQRT_2;
        for (index, value) in [0.0, 0.0, half, shift, -shift, 7.0].into_iter().enumerate() {
            put(&mut bytes, pick(256, 352), float, index, value, true);
        }
        let rows = [
            [0.0, -0.75, 0.0, shift],
            [0.5, 0.0, 0.0, -shift],
            [0.0, 0.0, 2.0 + shift, 7.0],
        ];
        for (index, value) in rows.concat().into_iter().enumerate() {
            put(&mut bytes, pick(280, 400), float, index, value, true);
        }
        // Millimetres, and seconds.
        bytes[match (two, big_endian) {
            (true, true) => 503,
            (true, false) => 500,
            _ => 123,
        }] = 10;
        let magic: &[u8] = if two { b"n+2\0\r\n\x1a\n" } else { b"n+1\0" };
        bytes[pick(344, 4)..][..magic.len()].copy_from_slice(magic);
        let voxels = (0..24 * volumes as i16).flat_map(|v| {
            if big_endian {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        });
        bytes.extend(voxels);
        bytes
    }

    const KINDS: [(u8, bool); 4] = [(1, false), (1, true), (2, false), (2, true)];

    #[test]
    fn geometry_crosses_versions_and_byte_orders() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (
            folder.path().join("first.nii"),
            folder.path().join("second.nii.gz"),
        );
        for (version, big_endian) in KINDS {
            for (version_2, big_endian_2) in KINDS {
                std::fs::write(&first, file(version, big_endian, 1, 1.25)).unwrap();
                std::fs::write(&second, file(version_2, big_endian_2, 1, 0.0)).unwrap();
                let mut target = NiftiBytes::open(&second).unwrap();
                target.take_geometry(&first).unwrap();
                target.save(&second).unwrap();
                let expected = volume::nifti::read_header(&first).unwrap().geometry;
                let found = volume::nifti::read_header(&second).unwrap();
                assert!(
                    expected.deviation(&found.geometry).within(1e-6),
                    "{:?} {expected:?}",
                    found.geometry
                );
                assert_eq!((found.version, found.big_endian), (version_2, big_endian_2));
                assert_eq!(std::fs::read(&second).unwrap()[..2], [0x1f, 0x8b]);
                let (voxels, _) = volume::nifti::read_labels(&second).unwrap();
                assert!(voxels.iter().copied().eq(0..24));
            }
        }
    }

    #[test]
    fn volumes_are_split_as_they_are_stored() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, part) = (folder.path().join("whole.nii"), folder.path().join("part.nii.gz"));
        for (version, big_endian) in KINDS {
            std::fs::write(&whole, file(version, big_endian, 3, 0.5)).unwrap();
            let image = NiftiBytes::open(&whole).unwrap();
            assert_eq!(image.channels(), 3);
            let geometry = volume::nifti::read_header(&whole).unwrap().geometry;
            for index in 0..3 {
                image.save_volume(index, &part).unwrap();
                let (voxels, found) = volume::nifti::read_labels(&part).unwrap();
                let first = 24 * index as i16;
                assert!(voxels.iter().copied().eq(first..first + 24));
                assert_eq!(found, geometry);
            }
        }
    }

    #[test]
    fn truncated_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.nii");
        let bytes = file(1, false, 1, 0.0);
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(matches!(
            NiftiBytes::open(&path),
            Err(Error::Volume(volume::Error::Truncated { .. }))
        ));
    }
}
