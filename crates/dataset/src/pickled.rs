//! Conversion between pickled and typed values, with the Python types of nnU-Net v1.

use std::collections::BTreeMap;

use pickle::{Dict, Error, NdArray, Value};

pub(crate) fn fixed<T: Copy, const N: usize>(items: Option<Vec<T>>) -> Option<[T; N]> {
    items?.try_into().ok()
}

pub(crate) fn f64x3(value: &Value) -> Option<[f64; 3]> {
    fixed(value.to_f64s())
}

pub(crate) fn i64x3(value: &Value) -> Option<[i64; 3]> {
    fixed(value.to_i64s())
}

pub(crate) fn sizes(value: &Value) -> Option<Vec<usize>> {
    value
        .to_i64s()?
        .into_iter()
        .map(|n| usize::try_from(n).ok())
        .collect()
}

pub(crate) fn size(value: &Value) -> Option<usize> {
    usize::try_from(value.as_i64()?).ok()
}

/// Converts each item of a list, tuple or two-dimensional array with `read`.
pub(crate) fn each<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    match value {
        Value::Array(array) => {
            let &[rows, columns] = array.shape() else {
                return (array.is_empty()).then(Vec::new);
            };
            let bytes = columns * array.dtype().item_size();
            let row = |i: usize| {
                let data = array.data()[i * bytes..(i + 1) * bytes].to_vec();
                read(&NdArray::new(array.dtype(), vec![columns], data).ok()?.into())
            };
            (0..rows).map(row).collect()
        }
        other => other.as_items()?.iter().map(read).collect(),
    }
}

/// Converts a dictionary with integer keys.
pub(crate) fn numbered<K: TryFrom<i64> + Ord, T>(
    value: &Value,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<BTreeMap<K, T>> {
    let entries = value.as_dict()?.iter();
    entries
        .map(|(key, value)| Some((K::try_from(key.as_i64()?).ok()?, read(value)?)))
        .collect()
}

pub(crate) fn dict<K: Copy + TryInto<i64>, T: Clone>(
    kind: Dict,
    map: &BTreeMap<K, T>,
    write: impl Fn(&T) -> Value,
) -> Value {
    let mut out = kind;
    for (&key, value) in map {
        // Keys are labels, channels and stages, far below the limits of 64 bits.
        out.set(key.try_into().unwrap_or(i64::MAX), write(value));
    }
    out.into()
}

pub(crate) fn ints(items: &[usize]) -> Value {
    Value::list(items.iter().copied())
}

pub(crate) fn int_array(items: &[usize]) -> Value {
    NdArray::from_i64(&items.iter().map(|&n| n as i64).collect::<Vec<_>>()).into()
}

/// Returns an error about one key of a record.
pub(crate) fn wrong(key: &str, expected: &'static str, value: &Value) -> Error {
    Error::Type {
        key: key.to_owned(),
        expected,
        found: value.type_name(),
    }
}
