//! npy files: round trips, other layouts, and invalid files.

use half::f16;
use ndarray::{Array, ArrayD, Dimension, IxDyn, ShapeBuilder};
use proptest::prelude::*;
use volume::{npy, Dtype, Element, Error};

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

/// Writes an npy file with the given header.
fn raw(header: &str, data: &[u8]) -> tempfile::NamedTempFile {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(data);
    file(&bytes)
}

fn round_trip<T: Element + PartialEq + std::fmt::Debug>(shape: &[usize], value: impl Fn(usize) -> T) {
    let array = Array::from_shape_fn(IxDyn(shape), |i| {
        value(i.slice().iter().fold(7, |hash, n| hash * 31 + n))
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    npy::write(&path, array.view()).unwrap();
    assert_eq!(npy::read::<T>(&path).unwrap(), array);
    let header = npy::read_header(&path).unwrap();
    assert_eq!((header.dtype, header.shape.as_slice()), (Some(T::DTYPE), shape));
    assert_eq!(header.offset % 64, 0);
    // A transposed view is written in its own C order.
    let turned = array.view().reversed_axes();
    npy::write(&path, turned.view()).unwrap();
    let found = npy::read::<T>(&path).unwrap();
    assert_eq!(found, turned);
    assert!(found.is_standard_layout());
}

proptest! {
    // Each case writes and flushes 24 files.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn arrays_of_every_dtype_round_trip(shape in prop::collection::vec(0_usize..5, 0..5)) {
        round_trip(&shape, |n| n % 3 == 0);
        round_trip(&shape, |n| n as i8);
        round_trip(&shape, |n| n as i16);
        round_trip(&shape, |n| n as i32 - 4000);
        round_trip(&shape, |n| -(n as i64) << 20);
        round_trip(&shape, |n| n as u8);
        round_trip(&shape, |n| n as u16);
        round_trip(&shape, |n| n as u32);
        round_trip(&shape, |n| u64::MAX - n as u64);
        round_trip(&shape, |n| f16::from_f32(n as f32 / 16.0));
        round_trip(&shape, |n| n as f32 * 0.1);
        round_trip(&shape, |n| n as f64 * -0.1);
    }

}

proptest! {
    #[test]
    fn fortran_order_and_both_byte_orders_are_read(shape in prop::collection::vec(1_usize..5, 1..4), big in any::<bool>()) {
        let count = shape.iter().product::<usize>();
        let mut data = Vec::new();
        for n in 0..count {
            let value = n as i16 * 257 - 300;
            data.extend(if big { value.to_be_bytes() } else { value.to_le_bytes() });
        }
        let axes: String = shape.iter().map(|n| format!("{n}L, ")).collect();
        let order = if big { '>' } else { '<' };
        let header = format!("{{\"shape\": ({axes}), 'fortran_order': True, 'descr': '{order}i2'}}\n");
        let file = raw(&header, &data);
        let values: Vec<i32> = (0..count as i32).map(|n| n * 257 - 300).collect();
        let expected = ArrayD::from_shape_vec(IxDyn(&shape).f(), values).unwrap();
        let found = npy::read::<i32>(file.path()).unwrap();
        prop_assert!(found.is_standard_layout());
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(npy::read::<f64>(file.path()).unwrap(), expected.mapv(f64::from));
    }

    #[test]
    fn damaged_file_never_panics(
        cut in 0_usize..200,
        changes in prop::collection::vec((0_usize..200, any::<u8>()), 0..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        npy::write(&path, ArrayD::<f32>::zeros(IxDyn(&[2, 3, 3])).view()).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        for (position, byte) in changes {
            bytes[position] = byte;
        }
        bytes.truncate(cut.max(1));
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(array) = npy::read::<f32>(&path) {
            prop_assert!(array.len() * 4 <= bytes.len());
        }
        let _ = npy::Mapped::<f32>::open(&path);
        let _ = npy::read_header(&path);
    }
}

#[test]
fn written_bytes_equal_numpy() {
    // numpy 2.3: numpy.save(path, numpy.zeros((2, 30), numpy.float32)) and numpy.save(path, numpy.int64(5)).
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    npy::write(&path, ArrayD::<f32>::zeros(IxDyn(&[2, 30])).view()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 30), }";
    assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
    assert_eq!(bytes[10..128], *format!("{text:<117}\n").as_bytes());
    assert_eq!(bytes.len(), 128 + 240);
    npy::write(&path, ArrayD::from_elem(IxDyn(&[]), 5_i64).view()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let text = "{'descr': '<i8', 'fortran_order': False, 'shape': (), }";
    assert_eq!(bytes[10..128], *format!("{text:<117}\n").as_bytes());
}

#[test]
fn inexact_integer_conversion_is_rejected() {
    let header = |kind: &str| format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (2,), }}\n");
    let whole = raw(
        &header("<f4"),
        &[(-1.0_f32).to_le_bytes(), 3.0_f32.to_le_bytes()].concat(),
    );
    assert_eq!(
        npy::read::<i16>(whole.path())
            .unwrap()
            .into_raw_vec_and_offset()
            .0,
        [-1, 3]
    );
    let error = npy::read::<u8>(whole.path()).unwrap_err();
    assert!(
        matches!(&error, Error::Value { index: 0, value, .. } if value == "-1"),
        "{error}"
    );
    let half = raw(
        &header("<f8"),
        &[1.0_f64.to_le_bytes(), 0.5_f64.to_le_bytes()].concat(),
    );
    assert!(matches!(
        npy::read::<i64>(half.path()).unwrap_err(),
        Error::Value { index: 1, .. }
    ));
    let bad = raw(
        &header("<f4"),
        &[f32::NAN.to_le_bytes(), f32::INFINITY.to_le_bytes()].concat(),
    );
    assert!(matches!(
        npy::read::<i64>(bad.path()).unwrap_err(),
        Error::Value { index: 0, .. }
    ));
    let large = raw(
        &header("<u8"),
        &[u64::MAX.to_le_bytes(), 1_u64.to_le_bytes()].concat(),
    );
    assert!(matches!(
        npy::read::<i64>(large.path()).unwrap_err(),
        Error::Value { index: 0, .. }
    ));
    assert_eq!(npy::read::<u64>(large.path()).unwrap()[0], u64::MAX);
    assert!(matches!(
        npy::read::<bool>(large.path()).unwrap_err(),
        Error::Value { index: 0, .. }
    ));
}

#[test]
fn invalid_files_are_rejected_with_reason() {
    let hostile = raw(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999, 7), }\n",
        &[0; 16],
    );
    assert!(matches!(
        npy::read::<f32>(hostile.path()).unwrap_err(),
        Error::Truncated { found: 16, .. }
    ));
    assert!(matches!(
        npy::Mapped::<f32>::open(hostile.path()),
        Err(Error::Truncated { found: 16, .. })
    ));
    let empty = raw(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 18446744073709551615, 9), }\n",
        &[],
    );
    assert!(matches!(
        npy::read::<f32>(empty.path()).unwrap_err(),
        Error::NpyHeader { .. }
    ));
    assert!(matches!(
        npy::Mapped::<f32>::open(empty.path()),
        Err(Error::NpyHeader { .. })
    ));
    let short = raw(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }\n",
        &[0; 16],
    );
    let error = npy::read::<f32>(short.path()).unwrap_err();
    assert!(matches!(
        error,
        Error::Truncated {
            expected: 20,
            found: 16,
            ..
        }
    ));
    for kind in ["'<c8'", "'|O'", "'<U5'", "[('a', '<f4'), ('b', '<i2', (2,))]"] {
        let other = raw(
            &format!("{{'descr': {kind}, 'fortran_order': False, 'shape': (1,), }}\n"),
            &[0; 40],
        );
        let error = npy::read::<f32>(other.path()).unwrap_err();
        assert!(error.to_string().contains(kind.trim_matches('\'')), "{error}");
    }
    for text in [
        "",
        "{",
        "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': ()}",
        "{'descr: }",
    ] {
        let broken = raw(text, &[0; 40]);
        assert!(
            matches!(
                npy::read::<f32>(broken.path()).unwrap_err(),
                Error::NpyHeader { .. }
            ),
            "{text}"
        );
    }
    assert!(matches!(
        npy::read::<f32>(file(b"").path()).unwrap_err(),
        Error::NpyHeader { .. }
    ));
    let missing = npy::read::<f32>(std::path::Path::new("/nonexistent/a.npy")).unwrap_err();
    assert!(missing.to_string().contains("/nonexistent/a.npy"), "{missing}");
}

#[test]
fn aligned_c_order_array_is_mapped_and_others_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let array = Array::from_shape_fn(IxDyn(&[2, 3, 4]), |i| (i[0] * 100 + i[1] * 10 + i[2]) as f32);
    npy::write(&path, array.view()).unwrap();
    let mapped = npy::Mapped::<f32>::open(&path).unwrap();
    assert_eq!(
        (mapped.shape(), mapped.view()),
        ([2, 3, 4].as_slice(), array.view())
    );
    let error = npy::Mapped::<f64>::open(&path).err().unwrap();
    assert!(
        matches!(&error, Error::Dtype { found, expected, .. } if found == "<f4" && expected == "float64")
    );
    let fortran = raw(
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }   \n",
        &[0; 16],
    );
    assert!(matches!(
        npy::Mapped::<f32>::open(fortran.path()),
        Err(Error::Layout { .. })
    ));
    npy::write(&path, ArrayD::<i16>::zeros(IxDyn(&[0, 3])).view()).unwrap();
    assert!(npy::Mapped::<i16>::open(&path).unwrap().view().is_empty());
    // Replacing a file does not change an open map.
    npy::write(&path, ArrayD::<i16>::zeros(IxDyn(&[1])).view()).unwrap();
    assert_eq!(mapped.view(), array);
    assert_eq!(npy::read_header(&path).unwrap().dtype, Some(Dtype::I16));
}
