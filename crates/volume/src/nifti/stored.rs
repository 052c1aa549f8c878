//! Stored NIfTI files: changes the geometry or splits volumes without conversion of the voxels.

use std::path::Path;

use crate::error::Error;

use super::header::Header;
use super::layout::Layout;
use super::source::Source;
use super::write::save;

/// A single-file NIfTI volume as stored, uncompressed, with its parsed header.
pub struct Stored {
    header: Header,
    layout: Layout,
    bytes: Vec<u8>,
}

impl Stored {
    /// Reads a complete `.nii` or `.nii.gz`.
    ///
    /// # Errors
    /// As [`super::read_header`]; [`Error::Truncated`]; [`Error::Pair`] if the voxels are in an `.img`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let source = Source::new(path);
        let (layout, header) = read(&source.header()?, path)?;
        if !header.single_file {
            return Err(Error::Pair {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            bytes: source.whole(&header)?,
            layout,
            header,
        })
    }

    /// Number of volumes.
    pub fn channels(&self) -> usize {
        self.header.channels
    }

    /// Writes the file, compressed if its name ends in `.gz`. An existing file is replaced atomically.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        save(path, is_gzip(path), |out| out.write_all(&self.bytes))
    }

    /// Writes volume `index`, counted from 0, as a separate file.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn save_volume(&self, index: usize, path: &Path) -> Result<(), Error> {
        let (head, voxels) = self.bytes.split_at(self.header.offset);
        let mut head = head.to_vec();
        for (axis, length) in [(0, 3), (4, 1), (5, 1), (6, 1), (7, 1)] {
            self.layout.put_dim(&mut head, axis, length);
        }
        let length = voxels.len() / self.header.channels;
        let volume = &voxels[index * length..][..length];
        save(path, is_gzip(path), |out| {
            out.write_all(&head)?;
            out.write_all(volume)
        })
    }

    /// Copies all position fields from the header of another file.
    ///
    /// # Errors
    /// As [`super::read_header`].
    pub fn take_geometry(&mut self, path: &Path) -> Result<(), Error> {
        let source = Source::new(path).header()?;
        let (from, _) = read(&source, path)?;
        self.layout.copy_geometry(&mut self.bytes, from, &source);
        Ok(())
    }
}

fn read(bytes: &[u8], path: &Path) -> Result<(Layout, Header), Error> {
    let layout = Layout::detect(bytes).map_err(|problem| Error::NiftiHeader {
        path: path.to_owned(),
        problem,
    })?;
    Ok((layout, Header::parse(bytes, path)?))
}

fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "gz")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nifti::{read_header, read_labels};

    /// Writes element `index` of the field at `at`.
    fn put_number(
        bytes: &mut [u8],
        big_endian: bool,
        (at, width, index): (usize, usize, usize),
        value: f64,
        float: bool,
    ) {
        let mut word = match (width, float) {
            (8, true) => value.to_le_bytes().to_vec(),
            (_, true) => (value as f32).to_le_bytes().to_vec(),
            (_, false) => (value as i64).to_le_bytes()[..width].to_vec(),
        };
        if big_endian {
            word.reverse();
        }
        bytes[at + index * width..][..width].copy_from_slice(&word);
    }

    /// Returns a file of `volumes` volumes of 2 x 3 x 4 int16 voxels, numbered from 0, with an oblique sform
    /// and qform.
    fn file(version: u8, big_endian: bool, volumes: usize, shift: f64) -> Vec<u8> {
        let (size, dim, width) = if version == 2 { (540, 16, 8) } else { (348, 40, 2) };
        let mut bytes = vec![0; size + 4];
        let put = |bytes: &mut Vec<u8>, at: usize, width: usize, index: usize, value: f64, float: bool| {
            put_number(bytes, big_endian, (at, width, index), value, float);
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
        // A rotation by 90 degrees around z.
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
        // Millimetres and seconds.
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
    fn geometry_is_copied_between_versions_and_byte_orders() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (
            folder.path().join("first.nii"),
            folder.path().join("second.nii.gz"),
        );
        for (version, big_endian) in KINDS {
            for (version_2, big_endian_2) in KINDS {
                std::fs::write(&first, file(version, big_endian, 1, 1.25)).unwrap();
                std::fs::write(&second, file(version_2, big_endian_2, 1, 0.0)).unwrap();
                let mut target = Stored::open(&second).unwrap();
                target.take_geometry(&first).unwrap();
                target.save(&second).unwrap();
                let expected = read_header(&first).unwrap().geometry;
                let found = read_header(&second).unwrap();
                assert!(
                    expected.deviation(&found.geometry).within(1e-6),
                    "{:?} {expected:?}",
                    found.geometry
                );
                assert_eq!((found.version, found.big_endian), (version_2, big_endian_2));
                assert_eq!(std::fs::read(&second).unwrap()[..2], [0x1f, 0x8b]);
                let (voxels, _) = read_labels(&second).unwrap();
                assert!(voxels.iter().copied().eq(0..24));
            }
        }
    }

    #[test]
    fn split_volumes_keep_stored_voxels() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, part) = (folder.path().join("whole.nii"), folder.path().join("part.nii.gz"));
        for (version, big_endian) in KINDS {
            std::fs::write(&whole, file(version, big_endian, 3, 0.5)).unwrap();
            let image = Stored::open(&whole).unwrap();
            assert_eq!(image.channels(), 3);
            let geometry = read_header(&whole).unwrap().geometry;
            for index in 0..3 {
                image.save_volume(index, &part).unwrap();
                let (voxels, found) = read_labels(&part).unwrap();
                let first = 24 * index as i16;
                assert!(voxels.iter().copied().eq(first..first + 24));
                assert_eq!(found, geometry);
            }
        }
    }

    #[test]
    fn truncated_file_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.nii");
        let bytes = file(1, false, 1, 0.0);
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(matches!(
            Stored::open(&path),
            Err(Error::Truncated {
                expected: 48,
                found: 47,
                ..
            })
        ));
    }
}
