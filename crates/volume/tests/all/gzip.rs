//! Damaged gzip files are rejected by every reader of voxels.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use ndarray::Array3;
use run::Coded;
use volume::nifti::{read_image, read_labels, write_labels, Stored};
use volume::{Error, Geometry};

const SIZE: (usize, usize, usize) = (3, 4, 5);

fn labels() -> Array3<i16> {
    Array3::from_shape_fn(SIZE, |(z, y, x)| (z * 20 + y * 5 + x) as i16 % 7)
}

/// Returns the uncompressed bytes of a label file.
fn plain(folder: &Path) -> Vec<u8> {
    let path = folder.join("plain.nii");
    write_labels(&path, labels().view(), &Geometry::default()).unwrap();
    std::fs::read(path).unwrap()
}

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::new(level));
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn save(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("label.nii.gz");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Returns the error of every reader, or the voxels that all of them return.
fn read(path: &Path) -> Result<Array3<i16>, Error> {
    let labels = read_labels(path).map(|(labels, _)| labels);
    let image = read_image(path);
    let copy = path.with_file_name("copy.nii");
    let stored = Stored::open(path).and_then(|stored| stored.save(&copy));
    assert_eq!(image.is_ok(), labels.is_ok());
    assert_eq!(
        stored.is_ok(),
        labels.is_ok(),
        "a damaged file must not be written again as valid"
    );
    labels
}

#[test]
fn every_flipped_bit_is_noticed_or_changes_no_voxel() {
    let folder = tempfile::tempdir().unwrap();
    let plain = plain(folder.path());
    for level in [0, 6] {
        let packed = gzip(&plain, level);
        // One bit of each byte, another one in the next byte.
        for bit in (0..packed.len()).map(|byte| 8 * byte + byte % 8) {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let path = save(folder.path(), &damaged);
            if let Ok(found) = read(&path) {
                // Time, flags and system in the header of gzip.
                assert!(bit / 8 < 10, "byte {} of {}", bit / 8, packed.len());
                assert_eq!(found, labels());
            }
        }
    }
}

#[test]
fn file_cut_at_any_byte_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let packed = gzip(&plain(folder.path()), 6);
    for length in 0..packed.len() {
        read(&save(folder.path(), &packed[..length])).unwrap_err();
    }
}

#[test]
fn message_names_the_damage() {
    let folder = tempfile::tempdir().unwrap();
    let plain = plain(folder.path());
    let packed = gzip(&plain, 0);
    let end = packed.len();
    let message = |bytes: &[u8]| {
        let error = read(&save(folder.path(), bytes)).unwrap_err();
        assert_eq!(error.code(), "ERR_GZIP", "{error}");
        assert!(error.to_string().contains("label.nii.gz"), "{error}");
        error.to_string()
    };
    let with = |at: usize, mask: u8| {
        let mut bytes = packed.clone();
        bytes[at] ^= mask;
        bytes
    };
    assert!(message(&with(end - 8 - 10, 1)).contains("CRC-32"));
    assert!(message(&with(end - 8, 1)).contains("CRC-32"));
    assert!(message(&with(end - 1, 1)).contains("length"));
    assert!(message(&packed[..end - 5]).contains("trailer"));
    assert!(message(&packed[..end / 2]).contains("ends within"));
    assert!(message(&[&packed[..], b"rubbish after"].concat()).contains("follow the compressed data"));
    assert!(message(&[&packed[..], &[0, 0, 1]].concat()).contains("follow the compressed data"));
    let (first, second) = (gzip(&plain[..370], 6), gzip(&plain[370..], 0));
    assert!(message(&[&first[..], &second[..second.len() - 20]].concat()).contains("ends within"));
}

#[test]
fn several_members_padding_and_header_fields_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let plain = plain(folder.path());
    let packed = gzip(&plain, 6);
    let (start, end) = plain.split_at(370);
    let named = {
        let mut out = GzBuilder::new()
            .filename("label.nii")
            .comment("made by hand")
            .extra(vec![1, 2, 3])
            .write(Vec::new(), Compression::default());
        out.write_all(&plain).unwrap();
        out.finish().unwrap()
    };
    let valid = [
        packed.clone(),
        [gzip(start, 6), gzip(end, 1)].concat(),
        [packed.clone(), vec![0; 512]].concat(),
        gzip(&[&plain[..], b"bytes after the voxels"].concat(), 6),
        named,
    ];
    for bytes in valid {
        assert_eq!(read(&save(folder.path(), &bytes)).unwrap(), labels());
    }
}

#[test]
fn voxels_promised_beyond_the_limit_of_deflate_are_counted_not_estimated() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = plain(folder.path());
    for axis in 0..3 {
        bytes[42 + 2 * axis..][..2].copy_from_slice(&32767_i16.to_le_bytes());
    }
    let path = save(folder.path(), &gzip(&bytes, 6));
    let error = read_labels(&path).unwrap_err();
    assert!(
        matches!(error, Error::Truncated { expected, found: 60, .. } if expected == 32767_u64.pow(3)),
        "{error}"
    );
}
