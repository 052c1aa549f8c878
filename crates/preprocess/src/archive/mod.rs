//! The `<case>.npz` of cropped and preprocessed data: one float32 array `data`, whose last channel is the
//! segmentation.
//!
//! Compression is one of the most expensive steps of preprocessing. The array is therefore deflated in
//! pieces, in parallel. The pieces end on byte boundaries and form one ordinary deflate stream.

mod bits;
mod deflate;
mod huffman;
mod piece;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use ndarray::{ArrayView3, ArrayView4};
use rayon::prelude::*;
use run::Cancel;
use zip::ZipArchive;
use zip_writer::{ArchiveWriter, Method};

use piece::Piece;

use crate::Error;

/// Name of the array's member, as in `numpy.savez(data=...)`.
const MEMBER: &str = "data.npy";
/// Number of values per piece. It determines the bytes written, so it does not depend on the machine.
const PIECE: usize = 1 << 18;

/// Writes `channels` (channel, z, y, x) and `segmentation` (z, y, x) as one array, atomically. Equal arrays
/// give equal bytes.
///
/// The channels are not stacked in memory. Errors name `path`, which is then unchanged. [`Error::Cancelled`]
/// within a few pieces per thread.
pub fn write(
    path: &Path,
    channels: ArrayView4<'_, f32>,
    segmentation: ArrayView3<'_, i16>,
    cancel: &Cancel,
) -> Result<(), Error> {
    let (n, z, y, x) = channels.dim();
    let header = header([n + 1, z, y, x]);
    let channels: Vec<_> = channels.outer_iter().map(contiguous).collect();
    let labels = contiguous(segmentation);
    // Every piece is a range of one channel, or of the labels after the channels.
    let ranges: Vec<(usize, usize)> = (0..=n)
        .flat_map(|c| (0..labels.len()).step_by(PIECE).map(move |start| (c, start)))
        .collect();
    let values_of = |&(c, start): &(usize, usize)| -> Vec<u32> {
        let end = (start + PIECE).min(labels.len());
        match channels.get(c) {
            Some(channel) => channel[start..end].iter().map(|v| v.to_bits()).collect(),
            None => labels[start..end]
                .iter()
                .map(|&label| f32::from(label).to_bits())
                .collect(),
        }
    };
    let written = storage::write_atomic(path, |file| {
        let mut archive = ArchiveWriter::new(file);
        let mut member = archive.begin(MEMBER, Method::Deflated)?;
        let mut push = |piece: &Piece| member.push(&piece.deflated, piece.length, &piece.checksum);
        push(&Piece::new(&words(&header), ranges.is_empty()))?;
        let batch = 2 * rayon::current_num_threads();
        let last = ranges.len().wrapping_sub(1);
        for (i, batch_ranges) in ranges.chunks(batch).enumerate() {
            cancel.check().map_err(io::Error::other)?;
            let pieces: Vec<Piece> = batch_ranges
                .par_iter()
                .enumerate()
                .map(|(j, range)| Piece::new(&values_of(range), i * batch + j == last))
                .collect();
            pieces.iter().try_for_each(&mut push)?;
        }
        member.end()?;
        archive.finish()?.flush()
    });
    written.or_else(|error| {
        // A cancelled write is not a disk error.
        cancel.check()?;
        Err(error.into())
    })
}

/// Returns the values in C order. Contiguous values are not copied.
fn contiguous<T: Copy>(volume: ArrayView3<'_, T>) -> Cow<'_, [T]> {
    match volume.to_slice() {
        Some(values) => Cow::Borrowed(values),
        None => Cow::Owned(volume.iter().copied().collect()),
    }
}

/// Converts bytes, whose number is a multiple of four, to little-endian words.
fn words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks_exact(4)
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

/// Returns numpy's header, version 1.0, padded to a multiple of 64 bytes.
fn header(shape: [usize; 4]) -> Vec<u8> {
    let [c, z, y, x] = shape;
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({c}, {z}, {y}, {x}), }}");
    let end = (10 + text.len() + 1).next_multiple_of(64);
    text.extend(std::iter::repeat_n(' ', end - 10 - text.len() - 1));
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// Whether `path` is a complete archive with a float32 array `data` of this shape. The archive's directory is
/// at its end, so that a truncated archive cannot be opened.
pub fn holds(path: &Path, shape: [usize; 4]) -> bool {
    let found = || -> Option<bool> {
        let mut archive = ZipArchive::new(BufReader::new(File::open(path).ok()?)).ok()?;
        let mut member = archive.by_name(MEMBER).ok()?;
        let expected = header(shape);
        let values = shape.iter().product::<usize>() as u64 * 4;
        if member.size() != expected.len() as u64 + values {
            return Some(false);
        }
        let mut start = vec![0; expected.len()];
        member.read_exact(&mut start).ok()?;
        Some(start == expected)
    };
    found() == Some(true)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, Array4, Axis};

    use super::*;

    fn written(channels: ArrayView4<'_, f32>, segmentation: ArrayView3<'_, i16>) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("case.npz");
        write(&path, channels, segmentation, &Cancel::new()).unwrap();
        let read = volume::npz::read::<f32>(&path, "data").unwrap();
        let n = channels.len_of(Axis(0));
        for (c, channel) in channels.outer_iter().enumerate() {
            assert_eq!(read.index_axis(Axis(0), c), channel.into_dyn());
        }
        assert_eq!(
            read.index_axis(Axis(0), n),
            segmentation.mapv(f32::from).into_dyn()
        );
        std::fs::read(&path).unwrap()
    }

    #[test]
    fn archive_holds_one_array_with_segmentation_last() {
        // More than one piece per channel, none of them full.
        let channels = Array4::from_shape_fn((2, 70, 80, 90), |(c, z, y, x)| {
            (c * 7 + z * y % 31 + x) as f32 - 0.5
        });
        let segmentation = Array3::from_shape_fn((70, 80, 90), |(z, y, x)| (z + y + x) as i16 % 4 - 1);
        let plain = written(channels.view(), segmentation.view());
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(
            alone.install(|| written(channels.view(), segmentation.view())),
            plain
        );
        // A transposed view is written in its own order.
        written(
            channels.view().permuted_axes([0, 3, 1, 2]),
            segmentation.view().permuted_axes([2, 0, 1]),
        );
        // An archive may contain only the segmentation, and no voxels.
        written(Array4::zeros((0, 3, 4, 5)).view(), Array3::ones((3, 4, 5)).view());
        written(
            Array4::zeros((1, 0, 4, 5)).view(),
            Array3::zeros((0, 4, 5)).view(),
        );
    }

    #[test]
    fn cancelled_archive_stops_and_keeps_previous_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("case.npz");
        let (channels, labels) = (Array4::zeros((20, 64, 64, 64)), Array3::zeros((64, 64, 64)));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let parts = testkit::ends_when_cancelled(|cancel| {
            std::fs::write(&path, "previous").unwrap();
            let written = pool.install(|| write(&path, channels.view(), labels.view(), cancel));
            let unchanged = std::fs::read(&path).unwrap() == b"previous";
            assert_eq!(
                (written.is_err(), std::fs::read_dir(&folder).unwrap().count()),
                (unchanged, 1)
            );
            written
        });
        // 21 pieces, four at a time.
        assert_eq!(parts, 6);
    }

    #[test]
    fn truncated_archive_is_not_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("case.npz");
        let noise = Array4::from_shape_fn((1, 30, 40, 50), |(_, z, y, x)| ((z * 7 + y * 5 + x) as f32).sin());
        write(
            &path,
            noise.view(),
            Array3::zeros((30, 40, 50)).view(),
            &Cancel::new(),
        )
        .unwrap();
        assert!(holds(&path, [2, 30, 40, 50]));
        assert!(!holds(&path, [2, 30, 50, 40]) && !holds(&path, [3, 30, 40, 50]));
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 10, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(!holds(&path, [2, 30, 40, 50]), "cut off at {length}");
        }
        assert!(!holds(&folder.path().join("none.npz"), [2, 30, 40, 50]));
    }
}
