//! npz archives: round trips and damaged files.

use ndarray::{Array, ArrayD, IxDyn};
use proptest::prelude::*;
use run::Coded;
use volume::npz::{self, Compression};
use volume::Error;

fn sample() -> ArrayD<f32> {
    Array::from_shape_fn(IxDyn(&[2, 5, 4, 3]), |i| {
        ((i[0] + i[1] * i[2]) / 3) as f32 - i[3] as f32 * 0.5
    })
}

fn written(compression: Compression) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.npz");
    let (data, other) = (sample(), ArrayD::from_elem(IxDyn(&[]), 4.25_f32));
    npz::write(
        &path,
        &[("data", data.view()), ("other", other.view())],
        compression,
    )
    .unwrap();
    (folder, path)
}

#[test]
fn arrays_round_trip_at_every_compression() {
    for compression in [Compression::Stored, Compression::Fast, Compression::Default] {
        let (_folder, path) = written(compression);
        assert_eq!(npz::names(&path).unwrap(), ["data", "other"]);
        assert_eq!(npz::read::<f32>(&path, "data").unwrap(), sample());
        let all = npz::read_all_f64(&path).unwrap();
        assert_eq!(all["data"], sample().mapv(f64::from));
        assert_eq!(all["other"], ArrayD::from_elem(IxDyn(&[]), 4.25));
        let (_again, second) = written(compression);
        assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(second).unwrap());
    }
}

#[test]
fn parts_are_read_as_one_array_and_their_number_of_elements_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    // More than one piece of a thread in a part, and parts of different length.
    let values: Vec<f32> = (0..3 * 70_001 * 4)
        .map(|i| ((i64::from(i) * 7919) % 1013) as f32)
        .collect();
    let parts = || values.chunks(300_000).map(|part| Ok(part.to_vec()));
    npz::write_parts(&path, "softmax", &[3, 70_001, 4], parts()).unwrap();
    let found = npz::read::<f32>(&path, "softmax").unwrap();
    assert_eq!(found.shape(), [3, 70_001, 4]);
    assert_eq!(found.as_slice().unwrap(), values);
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size < values.len() as u64 * 3, "{size}");
    for shape in [[3, 70_001, 3], [3, 70_001, 5]] {
        let error = npz::write_parts(&path, "softmax", &shape, parts()).unwrap_err();
        assert!(error.to_string().contains("a.npz"), "{error}");
    }
    assert_eq!(npz::read::<f32>(&path, "softmax").unwrap(), found);
}

#[test]
fn headers_are_read_without_array_data() {
    for compression in [Compression::Stored, Compression::Fast, Compression::Default] {
        let (_folder, path) = written(compression);
        let headers = npz::headers(&path).unwrap();
        let found: Vec<_> = headers
            .iter()
            .map(|(name, h)| {
                (
                    name.as_str(),
                    h.shape.as_slice(),
                    h.descr.as_str(),
                    h.fortran_order,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("data", &[2, 5, 4, 3][..], "<f4", false),
                ("other", &[][..], "<f4", false)
            ]
        );
    }
}

/// Writes an archive with one stored member of these bytes.
fn stored(folder: &std::path::Path, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join("case.npz");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("seg.npy", options).unwrap();
    std::io::Write::write_all(&mut zip, bytes).unwrap();
    zip.finish().unwrap();
    path
}

/// Returns a byte array with a header of version 2 and any length field.
fn version_2(length: u32, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '|u1', 'fortran_order': True, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
    bytes.extend(length.max(text.len() as u32).to_le_bytes());
    bytes.extend(text.bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn damaged_header_is_rejected_with_file_and_member() {
    let folder = tempfile::tempdir().unwrap();
    let whole = version_2(0, "(3, 2)", &[0; 6]);
    let good = npz::headers(&stored(folder.path(), &whole)).unwrap();
    assert_eq!(
        (good[0].1.shape.as_slice(), good[0].1.fortran_order),
        (&[3, 2][..], true)
    );
    for (bytes, code) in [
        (whole[..whole.len() - 1].to_vec(), "ERR_FILE_TRUNCATED"),
        (whole[..20].to_vec(), "ERR_NPY_HEADER"),
        (vec![], "ERR_NPY_HEADER"),
        (b"no array at all".to_vec(), "ERR_NPY_HEADER"),
        (version_2(u32::MAX, "(3, 2)", &[0; 6]), "ERR_NPY_HEADER"),
        (
            version_2(0, "(99999999999, 99999999999)", &[]),
            "ERR_FILE_TRUNCATED",
        ),
    ] {
        let error = npz::headers(&stored(folder.path(), &bytes)).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains("case.npz[seg]"), "{error}");
        assert_eq!(error.details()["member"], "seg");
    }
    let (_keep, path) = written(Compression::Default);
    let mut bytes = std::fs::read(&path).unwrap();
    // A stored block has its length and the complement before the header. This change makes them disagree.
    let start = bytes.windows(6).position(|w| w == b"\x93NUMPY").unwrap();
    bytes[start - 1] ^= 0xff;
    std::fs::write(&path, &bytes).unwrap();
    let error = npz::headers(&path).unwrap_err();
    assert_eq!(error.code(), "ERR_NPZ_INFLATE", "{error}");
    assert!(error.to_string().contains("case.npz[data]"), "{error}");
}

#[test]
fn string_arrays_are_skipped_and_bools_converted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let member = |kind: &str, data: &[u8]| {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (2,), }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(data);
        bytes
    };
    for (name, bytes) in [
        ("text", member("<U1", b"a\0\0\0b\0\0\0")),
        ("flags", member("|b1", &[1, 0])),
    ] {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default())
            .unwrap();
        std::io::Write::write_all(&mut zip, &bytes).unwrap();
    }
    zip.finish().unwrap();
    let all = npz::read_all_f64(&path).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all["flags"].as_slice().unwrap(), [1.0, 0.0]);
}

#[test]
fn missing_array_is_rejected_with_existing_names() {
    let (_folder, path) = written(Compression::Fast);
    let error = npz::read::<f32>(&path, "seg").unwrap_err();
    assert!(error.to_string().contains("case.npz[seg]"), "{error}");
    assert!(error.to_string().contains("data, other"), "{error}");
}

#[test]
fn size_above_deflate_limit_is_rejected() {
    let (_folder, path) = written(Compression::Default);
    let mut bytes = std::fs::read(&path).unwrap();
    // Uncompressed size in the first central header: 32 bits at offset 24, else 64 bits in the zip64 field.
    let central = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    bytes[central + 24..central + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let error = npz::read::<f32>(&path, "data").unwrap_err();
    assert!(
        matches!(error, Error::NpzInflate { .. } | Error::NpzArchive { .. }),
        "{error}"
    );
}

#[test]
fn changed_byte_is_rejected() {
    let (_folder, path) = written(Compression::Stored);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = npz::read::<f32>(&path, "data").unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
}

proptest! {
    #[test]
    fn truncated_archive_is_rejected(part in 0.0_f64..1.0) {
        let (_folder, path) = written(Compression::Default);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..(bytes.len() as f64 * part) as usize]).unwrap();
        let refused = matches!(npz::read::<f32>(&path, "data"), Err(Error::NpzArchive { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn damaged_archive_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let (_folder, path) = written(Compression::Fast);
        let mut bytes = std::fs::read(&path).unwrap();
        for (position, byte) in changes {
            let position = position.index(bytes.len());
            bytes[position] = byte;
        }
        std::fs::write(&path, &bytes).unwrap();
        let _ = npz::read_all_f64(&path);
        let _ = npz::headers(&path);
    }
}
