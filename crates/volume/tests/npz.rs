//! npz archives: round trips and damage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use ndarray::{Array, ArrayD, IxDyn};
use proptest::prelude::*;
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
fn round_trips_at_every_compression() {
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
fn strings_are_left_out_and_bools_counted() {
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
fn a_missing_array_lists_what_is_there() {
    let (_folder, path) = written(Compression::Fast);
    let error = npz::read::<f32>(&path, "seg").unwrap_err();
    assert!(error.to_string().contains("case.npz[seg]"), "{error}");
    assert!(error.to_string().contains("data, other"), "{error}");
}

#[test]
fn a_claimed_size_beyond_any_deflate_stream_is_refused() {
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
fn a_changed_byte_is_noticed() {
    let (_folder, path) = written(Compression::Stored);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = npz::read::<f32>(&path, "data").unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
}

proptest! {
    #[test]
    fn truncation_is_an_error(part in 0.0_f64..1.0) {
        let (_folder, path) = written(Compression::Default);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..(bytes.len() as f64 * part) as usize]).unwrap();
        let refused = matches!(npz::read::<f32>(&path, "data"), Err(Error::NpzArchive { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn damage_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let (_folder, path) = written(Compression::Fast);
        let mut bytes = std::fs::read(&path).unwrap();
        for (position, byte) in changes {
            let position = position.index(bytes.len());
            bytes[position] = byte;
        }
        std::fs::write(&path, &bytes).unwrap();
        let _ = npz::read_all_f64(&path);
    }
}
