//! Buffer that is filled as bytes and becomes an array.

use std::ops::Range;

use crate::element::{convert, Dtype, Element};
use crate::error::{Error, Place};

/// Bytes of a file or archive member, in a buffer that can become the array itself.
pub(crate) struct Buffer<T: Element> {
    words: Vec<T::Raw>,
    length: usize,
}

impl<T: Element> Buffer<T> {
    /// Allocates `length` bytes, zeroed lazily by the system. Returns an error instead of aborting if memory
    /// is exhausted.
    pub(crate) fn new(length: usize, place: &Place) -> Result<Self, Error> {
        let words = bytemuck::allocation::try_zeroed_slice_box(length.div_ceil(size_of::<T::Raw>()))
            .map_err(|()| Error::Memory {
                place: place.clone(),
                bytes: length,
            })?;
        Ok(Self {
            words: words.into_vec(),
            length,
        })
    }

    /// Returns the bytes, to fill.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.length]
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.length]
    }

    /// Converts the elements in the byte `range` to values of `T`. Elements of type `T` are not copied again.
    pub(crate) fn into_values(
        mut self,
        dtype: Dtype,
        big_endian: bool,
        range: Range<usize>,
        place: &Place,
    ) -> Result<Vec<T>, Error> {
        let native = dtype.size() == 1 || big_endian == cfg!(target_endian = "big");
        if native && dtype == T::DTYPE {
            let count = range.len() / size_of::<T>();
            self.bytes_mut().copy_within(range, 0);
            self.words.truncate(count);
            return Ok(T::from_raw(self.words));
        }
        convert(dtype, big_endian, &self.bytes()[range]).map_err(|(index, value)| Error::Value {
            place: place.clone(),
            index,
            value: value.to_string(),
            expected: T::DTYPE.name(),
        })
    }
}
