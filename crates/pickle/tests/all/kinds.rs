//! Every kind of value: written by Python in each protocol (`data/make_kinds.py`), read, and written back.

use pickle::{read, read_file, write, DType, Dict, DictKind, Limits, NdArray, Protocol, Value};

fn data(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn array(dtype: DType, shape: &[usize], bytes: &[u8]) -> NdArray {
    NdArray::new(dtype, shape.to_vec(), bytes.to_vec()).unwrap()
}

/// `[0, 1, 2, 100]` in every numeric type.
fn numbers(code: &str) -> NdArray {
    let dtype = DType::parse(code).unwrap();
    let values = [0u8, 1, 2, 100];
    let bytes = values.iter().flat_map(|&v| -> Vec<u8> {
        let wide = |n: u8| {
            std::iter::once(v)
                .chain(std::iter::repeat_n(0, n as usize - 1))
                .collect()
        };
        match dtype {
            DType::Bool => vec![u8::from(v != 0)],
            DType::Int(n) | DType::UInt(n) => wide(n),
            DType::Float(2) => half::f16::from_f32(v.into()).to_le_bytes().to_vec(),
            DType::Float(4) => f32::from(v).to_le_bytes().to_vec(),
            DType::Float(_) => f64::from(v).to_le_bytes().to_vec(),
            DType::Complex(8) => [f32::from(v).to_le_bytes(), [0; 4]].concat(),
            _ => [f64::from(v).to_le_bytes(), [0; 8]].concat(),
        }
    });
    array(dtype, &[4], &bytes.collect::<Vec<_>>())
}

fn scalar(a: NdArray) -> Value {
    Value::Scalar(a.reshaped(&[]).unwrap())
}

fn utf32(text: &str, width: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
    bytes.resize(width * 4, 0);
    bytes
}

fn expected() -> Value {
    let ints = [
        0,
        255,
        256,
        65535,
        65536,
        -1,
        1 << 31,
        -(1 << 31) - 1,
        i64::MAX,
        i64::MIN,
    ];
    let big = |bytes: &[u8]| Value::BigInt(bytes.to_vec());
    let numeric = [
        "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16",
    ];
    let mut arrays = Dict::new();
    numeric
        .iter()
        .for_each(|code| arrays.set(if *code == "b1" { "?" } else { code }, numbers(code)));
    let mut default = Dict::of_kind(DictKind::Default(Some("list")));
    default.set("k", Value::list([1i64]));
    let strings = [utf32("a", 5), utf32("größe", 5)].concat();
    let scalars = Value::List(vec![
        Value::numpy_f64(0.5),
        Value::numpy_f32(0.5),
        scalar(array(
            DType::Float(2),
            &[1],
            &half::f16::from_f32(0.5).to_le_bytes(),
        )),
        Value::numpy_i64(-3),
        scalar(array(DType::UInt(1), &[1], &[3])),
        Value::numpy_bool(true),
        scalar(array(DType::Unicode(2), &[1], &utf32("ab", 2))),
    ]);
    let pair = || Value::list([1i64, 2]);
    Dict::new()
        .with("none", Value::None)
        .with("true", true)
        .with("ints", Value::list(ints))
        .with(
            "big",
            Value::List(vec![
                big(&[0, 0, 0, 0, 0, 0, 0, 0x80, 0]),
                big(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff]),
                big(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16]),
            ]),
        )
        .with("floats", Value::list([0.1, f64::INFINITY, -0.0]))
        .with("text", "größe €\n\\u0041")
        .with("long_text", "x".repeat(300))
        .with("bytes", Value::Bytes((0..=255).collect()))
        .with("bytearray", Value::ByteArray(b"ab\xff".to_vec()))
        .with(
            "tuples",
            Value::List((0..5i64).map(|n| Value::tuple(1..=n)).collect()),
        )
        .with("ordered", Dict::ordered().with(2i64, "b").with(1i64, "a"))
        .with("default", default)
        .with("set", Value::Set(vec![5i64.into()]))
        .with("frozenset", Value::FrozenSet(vec![Value::tuple([1i64, 2])]))
        .with(
            "nested",
            Dict::new().with("a", Dict::new().with("b", Value::list([Dict::new()]))),
        )
        .with("arrays", arrays)
        .with(
            "big_endian",
            array(DType::Int(4), &[3], &[1, -2i32, 3].map(i32::to_le_bytes).concat()),
        )
        .with(
            "fortran",
            NdArray::from_f64(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
                .reshaped(&[2, 3])
                .unwrap(),
        )
        .with("zero_d", NdArray::from_f64(&[2.5]).reshaped(&[]).unwrap())
        .with("empty", array(DType::Float(8), &[0, 3], &[]))
        .with("strings", array(DType::Unicode(5), &[2], &strings))
        .with("byte_strings", array(DType::Bytes(3), &[2], b"a\0\0xyz"))
        .with(
            "big_endian_strings",
            array(DType::Unicode(2), &[1], &utf32("ab", 2)),
        )
        .with(
            "objects",
            Value::ObjectArray(vec![3], vec![Value::None, "a".into(), 1i64.into()]),
        )
        .with("scalars", scalars)
        .with("shared", Value::List(vec![pair(), pair()]))
        .into()
}

/// Compares key by key, so that a failure shows the key.
fn assert_same(found: &Value, expected: &Value, what: &str) {
    let (found, expected) = (found.as_dict().unwrap(), expected.as_dict().unwrap());
    for (key, value) in expected.iter() {
        assert_eq!(found.get_value(key), Some(value), "{what}: {key:?}");
    }
    assert_eq!(found.len(), expected.len(), "{what}");
}

#[test]
fn python_3_pickles_of_every_protocol_are_read() {
    for name in (0..=5)
        .map(|p| format!("kinds_protocol{p}.pkl"))
        .chain(["kinds_numpy2.pkl".to_owned()])
    {
        assert_same(&read_file(&data(&name)).unwrap(), &expected(), &name);
    }
}

#[test]
fn written_pickles_read_back_unchanged() {
    for protocol in [Protocol::V2, Protocol::V3, Protocol::V4] {
        let bytes = write(&expected(), protocol).unwrap();
        assert_same(
            &read(&bytes, &Limits::default()).unwrap(),
            &expected(),
            &format!("{protocol:?}"),
        );
    }
}

#[test]
fn python_2_pickles_are_read() {
    let expected: Value = Dict::ordered()
        .with("text", "abc\n\\'\"")
        .with("unicode", "é€")
        .with("raw", Value::Bytes(vec![0xff, 0]))
        .with("long", Value::BigInt([&[0u8; 8][..], &[64]].concat()))
        .with("small", 7i64)
        .with("flag", true)
        .with("float", 0.1)
        .with("set", Value::Set(vec![3i64.into()]))
        .with(
            "list",
            Value::List(vec![1i64.into(), Value::Tuple(vec![2i64.into(), Value::None])]),
        )
        .into();
    for protocol in 0..=2 {
        let name = format!("kinds_python2_protocol{protocol}.pkl");
        assert_same(&read_file(&data(&name)).unwrap(), &expected, &name);
    }
}

#[test]
fn every_kind_has_json_form() {
    let json = expected().to_json(3);
    assert_eq!(json["floats"], serde_json::json!([0.1, null, -0.0]));
    assert_eq!(json["ordered"], serde_json::json!({ "2": "b", "1": "a" }));
    assert_eq!(
        json["arrays"]["i4"],
        serde_json::json!({ "type": "numpy i4", "shape": [4] })
    );
    assert_eq!(json["strings"], serde_json::json!(["a", "größe"]));
    assert_eq!(json["zero_d"], serde_json::json!(2.5));
    assert_eq!(
        expected().to_json(6)["fortran"],
        serde_json::json!([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    );
}

/// nnU-Net v2 keeps the device of its training in every checkpoint.
#[test]
fn a_device_of_torch_becomes_its_name() {
    let without_index = b"\x80\x02ctorch\ndevice\nX\x04\x00\x00\x00cuda\x85R.";
    let with_index = b"\x80\x02ctorch\ndevice\nX\x04\x00\x00\x00cudaK\x01\x86R.";
    for (bytes, expected) in [(&without_index[..], "cuda"), (with_index, "cuda:1")] {
        assert_eq!(read(bytes, &Limits::default()).unwrap(), Value::from(expected));
    }
    assert!(read(b"\x80\x02ctorch\ndevice\n)R.", &Limits::default()).is_err());
}
