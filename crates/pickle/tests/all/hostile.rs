//! Hostile and damaged input gives an error: no panic, no endless loop, no unbounded memory.

use std::io::Cursor;
use std::path::Path;

use pickle::torch::{read_checkpoint, read_from, write_checkpoint_to, Tensor};
use pickle::{read, Dict, Error, Limits, NdArray, Value};
use proptest::prelude::*;
use run::Coded;

/// Limits just above the recorded files, so that an excess is detected.
fn tight() -> Limits {
    Limits {
        input: 1 << 20,
        nodes: 100_000,
        spare_bytes: 1 << 16,
        depth: 30,
    }
}

fn read_tight(bytes: &[u8]) -> Result<Value, Error> {
    read(bytes, &tight())
}

fn checkpoint_tight(bytes: &[u8]) -> Result<Value, Error> {
    read_from(Cursor::new(bytes), bytes.len() as u64, &tight())
}

fn pickles() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let files = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let pickles: Vec<_> = files
        .filter(|p| p.extension().is_some_and(|e| e == "pkl"))
        .collect();
    assert!(pickles.len() >= 10);
    pickles.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

/// A small zip checkpoint, and nnU-Net's legacy checkpoint.
fn checkpoints() -> Vec<Vec<u8>> {
    let tensor = |n: usize| Tensor::from_f32(vec![n, 2], &vec![0.5; n * 2]).unwrap();
    let value = Dict::new()
        .with("epoch", 3i64)
        .with(
            "state_dict",
            Dict::ordered().with("a.weight", tensor(3)).with("b", tensor(1)),
        )
        .with(
            "plot",
            Value::Tuple(vec![Value::list([0.5]), NdArray::from_f64(&[1.0]).into()]),
        );
    let mut zip = Cursor::new(Vec::new());
    write_checkpoint_to(&mut zip, "model", &value.into()).unwrap();
    let legacy = testkit::folder("checkpoint").join("compat/model_legacy_nonzip.model");
    vec![zip.into_inner(), std::fs::read(legacy).unwrap()]
}

fn mutate(bytes: &mut Vec<u8>, edits: &[(usize, u8, u8)]) {
    for &(at, kind, byte) in edits {
        if bytes.is_empty() {
            return;
        }
        let at = at % bytes.len();
        match kind % 5 {
            0 => bytes[at] = byte,
            1 => bytes[at] ^= 1 << (byte % 8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, byte),
            _ => {
                let end = (at + byte as usize).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
}

fn edits() -> impl Strategy<Value = Vec<(usize, u8, u8)>> {
    prop::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_pickles_never_panic(which in any::<prop::sample::Index>(), edits in edits()) {
        let all = pickles();
        let mut bytes = all[which.index(all.len())].clone();
        mutate(&mut bytes, &edits);
        if let Ok(value) = read_tight(&bytes) {
            value.to_json(100);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_tight(&bytes);
        let _ = checkpoint_tight(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_checkpoints_never_panic(which in 0usize..2, head in any::<bool>(), edits in edits()) {
        let mut bytes = checkpoints().swap_remove(which);
        // Structure is at the start (pickles) and at the end (the zip directory). Tensor data would absorb
        // most edits.
        let window = if head { 3000 } else { 1500 };
        let at = |n: usize| match bytes.len().checked_sub(window) {
            Some(rest) if !head => rest + n % window,
            _ => n % window.min(bytes.len()),
        };
        let edits: Vec<_> = edits.iter().map(|&(n, k, b)| (at(n), k, b)).collect();
        mutate(&mut bytes, &edits);
        let _ = checkpoint_tight(&bytes);
    }
}

#[test]
fn truncated_input_is_rejected() {
    for bytes in pickles() {
        for end in 0..bytes.len() {
            assert!(
                read_tight(&bytes[..end]).is_err(),
                "{end} of {} bytes",
                bytes.len()
            );
        }
    }
    for bytes in checkpoints() {
        for end in (0..bytes.len()).step_by(bytes.len() / 500) {
            assert!(
                checkpoint_tight(&bytes[..end]).is_err(),
                "{end} of {} bytes",
                bytes.len()
            );
        }
    }
}

#[test]
fn inputs_of_earlier_crashes_are_rejected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crashes");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if path.extension().is_some_and(|e| e == "md") {
            continue;
        }
        count += 1;
        assert!(read_tight(&bytes).is_err(), "{}", path.display());
        assert!(checkpoint_tight(&bytes).is_err(), "{}", path.display());
    }
    assert!(count > 0, "the folder contains no cases");
}

#[test]
fn unknown_global_is_rejected_with_name_and_file() {
    let cases: [&[u8]; 4] = [
        b"cos\nsystem\n(S'echo'\ntR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"(S'echo'\nios\nsystem\n.",
        b"\x80\x02cos\nsystem\nU\x04echo\x85\x81.",
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evil.pkl");
    for bytes in cases {
        std::fs::write(&path, bytes).unwrap();
        let error = pickle::read_file(&path).unwrap_err();
        assert_eq!(error.code(), "ERR_PICKLE_GLOBAL");
        let text = error.to_string();
        assert!(text.contains("os.system") && text.contains("evil.pkl"), "{text}");
        assert_eq!(error.details()["module"], "os");
    }
}

#[test]
fn unsupported_builtins_are_rejected() {
    for name in [
        "eval",
        "exec",
        "getattr",
        "__import__",
        "open",
        "compile",
        "print",
    ] {
        let bytes = format!("c__builtin__\n{name}\n.");
        assert_eq!(
            read_tight(bytes.as_bytes()).unwrap_err().code(),
            "ERR_PICKLE_GLOBAL",
            "{name}"
        );
    }
}

fn is_limit(bytes: &[u8]) {
    match read_tight(bytes) {
        Err(Error::Limit { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn exponential_and_recursive_pickles_exceed_limits() {
    // Each list contains the previous one twice: 2^40 values in 240 bytes.
    let mut doubling = b"\x80\x02]q\x00".to_vec();
    for level in 0..40u8 {
        doubling.extend([b'(', b'h', level, b'h', level, b'l', b'q', level + 1]);
    }
    doubling.push(b'.');
    is_limit(&doubling);
    // A string repeated through the memo.
    let mut text = b"\x80\x02(X\x00\x80\x00\x00".to_vec();
    text.extend([b'a'; 0x8000]);
    text.extend(b"q\x00");
    text.extend(b"h\x00".repeat(60_000));
    text.extend(b"l.");
    is_limit(&text);
    // Nested lists.
    is_limit(&[&b"]".repeat(40)[..], &b"a".repeat(39), b"."].concat());
    // A list that contains itself.
    is_limit(b"]q\x00h\x00a.");
    // Unlimited values on the stack.
    is_limit(&b"N".repeat(200_000));
}

#[test]
fn declared_sizes_above_input_are_rejected() {
    // 2^63 bytes of `bytes`, and of an array.
    let claims: [&[u8]; 3] = [
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN.",
        b"\x80\x02T\xff\xff\xff\xff.",
    ];
    for bytes in claims {
        assert!(matches!(read_tight(bytes), Err(Error::Truncated { .. })));
    }
    let array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I4611686018427387904\nI4\nt\
        cnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS''\ntb.";
    assert!(
        matches!(read_tight(array), Err(Error::Malformed { .. })),
        "{:?}",
        read_tight(array)
    );
}

#[test]
fn zip_entry_above_limit_is_rejected() {
    let mut file = Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut file);
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("model/data.pkl", options).unwrap();
    for _ in 0..64 {
        std::io::Write::write_all(&mut zip, &vec![b'N'; 1 << 20]).unwrap();
    }
    zip.finish().unwrap();
    let bytes = file.into_inner();
    assert!(bytes.len() < 1 << 20);
    assert!(matches!(checkpoint_tight(&bytes), Err(Error::Archive { .. })));
}

#[test]
fn tensor_larger_than_storage_is_rejected() {
    let tensor = Tensor::from_f32(vec![2, 3], &[0.0; 6]).unwrap();
    let mut file = Cursor::new(Vec::new());
    write_checkpoint_to(&mut file, "model", &Dict::new().with("t", tensor).into()).unwrap();
    let bytes = file.into_inner();
    // `K\x02K\x03\x86` is the shape (2, 3), `K\x03K\x01\x86` the stride. The edited pickle is written to a
    // new archive, because checksums of entries are verified.
    for (from, to) in [
        (*b"K\x02K\x03\x86", *b"K\x03K\x03\x86"),
        (*b"K\x03K\x01\x86", *b"K\x04K\x01\x86"),
    ] {
        let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
        let mut changed = Cursor::new(Vec::new());
        let mut out = zip::ZipWriter::new(&mut changed);
        for i in 0..archive.len() {
            let mut entry = archive.by_index(i).unwrap();
            let mut data = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut data).unwrap();
            if let Some(at) = data.windows(5).position(|w| w == from) {
                data[at..at + 5].copy_from_slice(&to);
            }
            out.start_file(entry.name().unwrap(), zip::write::SimpleFileOptions::default())
                .unwrap();
            std::io::Write::write_all(&mut out, &data).unwrap();
        }
        out.finish().unwrap();
        let error = checkpoint_tight(changed.get_ref()).unwrap_err();
        assert!(error.to_string().contains("exceeds its storage"), "{error}");
    }
}

#[test]
fn missing_checkpoint_is_rejected_with_path() {
    let error = read_checkpoint(Path::new("/nowhere/model_best.model")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/model_best.model"));
    assert_eq!(error.code(), "ERR_NOT_FOUND");
    assert_eq!(error.details()["path"], "/nowhere/model_best.model");
}
