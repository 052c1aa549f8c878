//! Decodes the bytes of an npy array.

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use crate::buffer::Buffer;
use crate::element::Element;
use crate::error::{Error, Place};

use super::Header;

/// Decodes an array in C order.
pub(crate) fn decode<T: Element>(buffer: Buffer<T>, place: &Place) -> Result<ArrayD<T>, Error> {
    let header = Header::parse(buffer.bytes(), place)?;
    let dtype = header.supported(place)?;
    let (_, size) = header.extent(dtype, buffer.bytes().len() - header.offset, place)?;
    let values = buffer.into_values(
        dtype,
        header.big_endian,
        header.offset..header.offset + size,
        place,
    )?;
    let shape = IxDyn(&header.shape).set_f(header.fortran_order);
    let array = ArrayD::from_shape_vec(shape, values).map_err(|e| Error::NpyHeader {
        place: place.clone(),
        problem: e.to_string(),
    })?;
    // Callers require C order.
    Ok(if array.is_standard_layout() {
        array
    } else {
        array.as_standard_layout().into_owned()
    })
}
