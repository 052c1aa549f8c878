//! Memory-mapped npy arrays.

use std::fs::File;
use std::marker::PhantomData;
use std::path::Path;

use bytemuck::Pod;
use memmap2::Mmap;
use ndarray::{ArrayViewD, IxDyn};

use crate::element::Element;
use crate::error::{Error, Place};

use super::Header;

/// A C-ordered npy array of `T`, mapped read-only. Only accessed pages are read from the disk.
///
/// This project replaces files and never changes them in place, so that a map always shows the array it was
/// opened on.
pub struct Mapped<T> {
    map: Mmap,
    offset: usize,
    count: usize,
    shape: Vec<usize>,
    element: PhantomData<T>,
}

impl<T: Element + Pod> Mapped<T> {
    /// Maps the array at `path`.
    ///
    /// # Errors
    /// [`Error::Dtype`] unless the elements are exactly `T` in this machine's byte order. [`Error::Layout`]
    /// unless they are in C order and aligned. [`Error::Truncated`] if elements are missing.
    /// [`Error::NpyHeader`], [`Error::Io`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let place = Place::file(path);
        let io = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        // SAFETY: the map is read-only, and only types without invalid bit patterns are read through it.
        // Another process could shorten the file in place; every program with memory maps has this risk. This
        // project replaces files by renaming, which keeps an open map intact.
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        let header = Header::parse(&map, &place)?;
        let dtype = header.supported(&place)?;
        let native = dtype.size() == 1 || header.big_endian == cfg!(target_endian = "big");
        if dtype != T::DTYPE || !native {
            let (found, expected) = (header.descr, T::DTYPE.name().to_owned());
            return Err(Error::Dtype {
                place,
                found,
                expected,
            });
        }
        let (count, _) = header.extent(dtype, map.len() - header.offset, &place)?;
        let matrix = header.shape.iter().filter(|n| **n > 1).count() > 1;
        if header.fortran_order && matrix {
            return Err(Error::Layout {
                place,
                problem: "it is in Fortran order",
            });
        }
        if header.offset % align_of::<T>() != 0 {
            return Err(Error::Layout {
                place,
                problem: "its data are not aligned",
            });
        }
        let mapped = Self {
            map,
            offset: header.offset,
            count,
            shape: header.shape,
            element: PhantomData,
        };
        // Rejects impossible shapes, so that `view` cannot fail later.
        match ArrayViewD::from_shape(IxDyn(&mapped.shape), mapped.as_slice()) {
            Ok(_) => Ok(mapped),
            Err(e) => Err(Error::NpyHeader {
                place,
                problem: e.to_string(),
            }),
        }
    }

    /// Returns the length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the elements in C order.
    pub fn as_slice(&self) -> &[T] {
        bytemuck::cast_slice(&self.map[self.offset..self.offset + self.count * size_of::<T>()])
    }

    /// Returns the array.
    pub fn view(&self) -> ArrayViewD<'_, T> {
        // SAFETY: `open` built the same view with the checked constructor. Map and shape never change
        // afterwards.
        unsafe { ArrayViewD::from_shape_ptr(IxDyn(&self.shape), self.as_slice().as_ptr()) }
    }
}
