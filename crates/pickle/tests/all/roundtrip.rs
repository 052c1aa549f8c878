//! Any value that is written is read back unchanged.

use pickle::torch::{read_from, write_checkpoint_to, Tensor, TensorType};
use pickle::{read, write, DType, Dict, DictKind, Limits, NdArray, Protocol, Value};
use proptest::prelude::*;

fn array() -> impl Strategy<Value = NdArray> {
    let dtype = prop_oneof![
        Just(DType::Bool),
        prop_oneof![Just(1u8), Just(2), Just(4), Just(8)].prop_map(DType::Int),
        prop_oneof![Just(1u8), Just(2), Just(4), Just(8)].prop_map(DType::UInt),
        prop_oneof![Just(2u8), Just(4), Just(8)].prop_map(DType::Float),
        (1u32..9).prop_map(DType::Bytes),
    ];
    (dtype, prop::collection::vec(0usize..5, 0..4)).prop_flat_map(|(dtype, shape)| {
        let bytes = shape.iter().product::<usize>() * dtype.item_size();
        prop::collection::vec(any::<u8>(), bytes)
            .prop_map(move |data| NdArray::new(dtype, shape.clone(), data).unwrap())
    })
}

fn key() -> impl Strategy<Value = Value> {
    prop_oneof![any::<i64>().prop_map(Value::Int), ".{0,9}".prop_map(Value::Str)]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |f| !f.is_nan())
            .prop_map(Value::Float),
        ".{0,20}".prop_map(Value::Str),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::ByteArray),
        array().prop_map(Value::Array),
        array()
            .prop_filter("one element", |a| a.len() == 1)
            .prop_map(|a| Value::Scalar(a.reshaped(&[]).unwrap())),
        prop::collection::vec(".{1,6}", 0..5).prop_map(|names| Value::Array(NdArray::from_strings(&names))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..6);
        let kind = prop_oneof![
            Just(DictKind::Plain),
            Just(DictKind::Ordered),
            Just(DictKind::Default(Some("list"))),
            Just(DictKind::Default(None))
        ];
        let dict = (kind, prop::collection::vec((key(), inner), 0..6)).prop_map(|(kind, entries)| {
            let mut dict = Dict::of_kind(kind);
            entries.into_iter().for_each(|(k, v)| dict.set(k, v));
            Value::Dict(dict)
        });
        prop_oneof![
            items.clone().prop_map(Value::List),
            items.prop_map(Value::Tuple),
            dict
        ]
    })
}

fn tensor() -> impl Strategy<Value = Tensor> {
    let dtype = prop_oneof![
        Just(TensorType::F32),
        Just(TensorType::F64),
        Just(TensorType::F16),
        Just(TensorType::BF16),
        Just(TensorType::I64),
        Just(TensorType::I32),
        Just(TensorType::I16),
        Just(TensorType::I8),
        Just(TensorType::U8),
        Just(TensorType::Bool)
    ];
    (dtype, prop::collection::vec(0usize..4, 0..4)).prop_flat_map(|(dtype, shape)| {
        let bytes = shape.iter().product::<usize>() * dtype.item_size();
        prop::collection::vec(any::<u8>(), bytes)
            .prop_map(move |data| Tensor::new(dtype, shape.clone(), data).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_round_trips(value in value(), protocol in prop_oneof![Just(Protocol::V2), Just(Protocol::V3), Just(Protocol::V4)]) {
        let bytes = write(&value, protocol).unwrap();
        prop_assert_eq!(read(&bytes, &Limits::default()).unwrap(), value);
    }

    #[test]
    fn any_tensors_round_trip(tensors in prop::collection::vec((".{0,8}", tensor()), 0..5), twice in any::<bool>()) {
        let mut dict = Dict::ordered();
        for (key, tensor) in tensors {
            if twice {
                dict.set(format!("{key} tied"), tensor.clone());
            }
            dict.set(key, tensor);
        }
        let value = Value::Dict(dict);
        let mut file = std::io::Cursor::new(Vec::new());
        write_checkpoint_to(&mut file, "model", &value).unwrap();
        let length = file.get_ref().len() as u64;
        file.set_position(0);
        prop_assert_eq!(read_from(file, length, &Limits::default()).unwrap(), value);
    }
}

#[test]
fn tied_tensors_are_stored_once_and_aligned() {
    let tensor = Tensor::from_f32(vec![500], &[1.0; 500]).unwrap();
    let value = Value::list([tensor.clone(), tensor]);
    let mut file = std::io::Cursor::new(Vec::new());
    write_checkpoint_to(&mut file, "model", &value).unwrap();
    let bytes = file.into_inner();
    assert!(
        bytes.len() < 2 * 2000,
        "{} bytes for two references to 2000",
        bytes.len()
    );
    let needle = 1.0f32.to_le_bytes().repeat(500);
    let at = bytes.windows(needle.len()).position(|w| w == needle).unwrap();
    assert_eq!(at % 64, 0);
}
