//! Reads the segmentation of a case as class indices, with little memory.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use ndarray::{ArrayD, ArrayViewD, Axis, Ix3};
use run::Cancel;
use volume::npy::Mapped;
use volume::{npy, npz, Place};
use zip::ZipArchive;

use crate::classes::Classes;
use crate::labels::{Encoder, Labels, Rule};
use crate::Error;

/// Name of the array in a preprocessed npz.
const MEMBER: &str = "data";
/// Channel read by the fork.
const COMPAT_CHANNEL: usize = 1;
/// Upper limit of the deflate ratio: 258 bytes from 2 bits.
const MAX_RATIO: u64 = 1032;
/// Number of values decompressed at a time. They stay in the cache until they are encoded. This is as fast as
/// decompressing all at once with a faster library, with a fifth of the memory.
const BLOCK: usize = 1 << 16;

/// Reads and encodes the segmentation of `<case>.npz` or `<case>.npy`: the last channel, or channel 1 with
/// `compat`.
pub(crate) fn labels(path: &Path, classes: &Classes, compat: bool, cancel: &Cancel) -> Result<Labels, Error> {
    if path.extension().is_some_and(|e| e == "npy") {
        return match Mapped::<f32>::open(path) {
            Ok(mapped) => encode(mapped.view(), classes, compat, cancel),
            // Other element types and orders are converted as a whole.
            Err(volume::Error::Dtype { .. } | volume::Error::Layout { .. }) => {
                encode(npy::read::<f32>(path)?.view(), classes, compat, cancel)
            }
            Err(error) => Err(error.into()),
        };
    }
    match stream(path, classes, compat, cancel)? {
        Some(labels) => Ok(labels),
        None => {
            let data: ArrayD<f32> = npz::read(path, MEMBER)?;
            encode(data.view(), classes, compat, cancel)
        }
    }
}

/// Returns the channel of the segmentation, and the shape of each channel.
fn channel(shape: &[usize], compat: bool) -> Result<(usize, [usize; 3]), Error> {
    match *shape {
        [channels, z, y, x] if z * y * x > 0 => match channels {
            0 | 1 => Err(Error::Channels { found: channels }),
            _ if compat => Ok((COMPAT_CHANNEL, [z, y, x])),
            _ => Ok((channels - 1, [z, y, x])),
        },
        _ => Err(Error::Rank {
            found: shape.to_vec(),
        }),
    }
}

fn encode(
    data: ArrayViewD<'_, f32>,
    classes: &Classes,
    compat: bool,
    cancel: &Cancel,
) -> Result<Labels, Error> {
    let (channel, shape) = channel(data.shape(), compat)?;
    let mut encoder = Encoder::new(
        Rule {
            classes,
            fractions: compat,
        },
        shape,
    );
    let found = data.shape().to_vec();
    let segmentation = data
        .index_axis_move(Axis(0), channel)
        .into_dimensionality::<Ix3>()
        .map_err(|_| Error::Rank { found })?;
    for row in segmentation.rows() {
        cancel.check()?;
        match row.as_slice() {
            Some(row) => encoder.push(row)?,
            None => encoder.push(&row.to_vec())?,
        }
    }
    encoder.finish()
}

/// Decompresses the member piece by piece and keeps only the encoded segmentation. Returns `None` if the
/// member is missing, inconsistent, or not the plain float32 of nnU-Net. The caller then reads the whole
/// member, which converts it or reports the error.
fn stream(path: &Path, classes: &Classes, compat: bool, cancel: &Cancel) -> Result<Option<Labels>, Error> {
    let file = File::open(path).map_err(|source| volume::Error::Io {
        path: path.to_owned(),
        source,
    })?;
    let length = file
        .metadata()
        .map_err(|source| volume::Error::Io {
            path: path.to_owned(),
            source,
        })?
        .len();
    let Ok(mut archive) = ZipArchive::new(BufReader::new(file)) else {
        return Ok(None);
    };
    let Ok(mut member) = archive.by_name(&format!("{MEMBER}.npy")) else {
        return Ok(None);
    };
    let (packed, size) = (member.compressed_size(), member.size());
    let Some(shape) = plain_shape(&mut member) else {
        return Ok(None);
    };
    let bytes = shape
        .iter()
        .try_fold(size_of::<f32>() as u64, |bytes, &n| bytes.checked_mul(n as u64));
    let claimed = packed > length || size > packed.saturating_mul(MAX_RATIO);
    if claimed || bytes.is_none_or(|bytes| bytes > size) {
        return Ok(None);
    }
    let (channel, extent) = channel(&shape, compat)?;
    let voxels = extent.iter().product::<usize>();
    let damaged = |e: std::io::Error| volume::Error::NpzInflate {
        place: Place::member(path, MEMBER),
        problem: e.to_string(),
    };
    let mut encoder = Encoder::new(
        Rule {
            classes,
            fractions: compat,
        },
        extent,
    );
    let mut block = vec![0.0_f32; BLOCK.min(voxels)];
    for at in 0..shape[0] {
        let mut left = voxels;
        while left > 0 {
            cancel.check()?;
            let values = &mut block[..left.min(BLOCK)];
            member
                .read_exact(bytemuck::cast_slice_mut(values))
                .map_err(damaged)?;
            if at == channel {
                encoder.push(values)?;
            }
            left -= values.len();
        }
    }
    // The checksum is verified at the end of the member.
    std::io::copy(&mut member, &mut std::io::sink()).map_err(damaged)?;
    encoder.finish().map(Some)
}

/// Reads the header of numpy's C-ordered little-endian float32 arrays up to the first element, and returns
/// the shape. Returns `None` for any other header.
fn plain_shape(member: &mut impl Read) -> Option<Vec<usize>> {
    let mut prelude = [0; 10];
    member.read_exact(&mut prelude).ok()?;
    let [b'\x93', b'N', b'U', b'M', b'P', b'Y', 1, _, low, high] = prelude else {
        return None;
    };
    let mut text = vec![0; usize::from(u16::from_le_bytes([low, high]))];
    member.read_exact(&mut text).ok()?;
    let text = String::from_utf8(text).ok()?;
    let plain = text.contains("'descr': '<f4'") && text.contains("'fortran_order': False");
    if !plain || cfg!(target_endian = "big") {
        return None;
    }
    let (_, rest) = text.split_once("'shape': (")?;
    let (axes, _) = rest.split_once(')')?;
    axes.split(',')
        .map(str::trim)
        .filter(|axis| !axis.is_empty())
        .map(|axis| axis.parse().ok())
        .collect()
}
