//! NIfTI files: every version, byte order and element type; round trips; damaged files.

use std::io::Write;
use std::path::{Path, PathBuf};

use ndarray::{Array3, Array4};
use proptest::prelude::*;
use volume::{nifti, Dtype, Error, Geometry};

/// A NIfTI file written field by field, independently of the reader.
struct Builder {
    version: u8,
    big: bool,
    datatype: i16,
    /// x, y, z, t
    dim: [i64; 4],
    slope: f64,
    inter: f64,
    offset: usize,
    magic: &'static [u8; 3],
    data: Vec<u8>,
}

impl Builder {
    fn new(datatype: i16, dim: [i64; 4], data: Vec<u8>) -> Self {
        Self {
            version: 1,
            big: false,
            datatype,
            dim,
            slope: 1.0,
            inter: 0.0,
            offset: 0,
            magic: b"n+1",
            data,
        }
    }

    fn header(&self) -> Vec<u8> {
        let one = self.version == 1;
        let mut bytes = vec![0; if one { 352 } else { 544 }];
        let mut put = |at: usize, mut word: Vec<u8>| {
            if self.big {
                word.reverse();
            }
            bytes[at..at + word.len()].copy_from_slice(&word);
        };
        let float = |v: f64| {
            if one {
                (v as f32).to_le_bytes().to_vec()
            } else {
                v.to_le_bytes().to_vec()
            }
        };
        let int = |v: i64| {
            if one {
                (v as i16).to_le_bytes().to_vec()
            } else {
                v.to_le_bytes().to_vec()
            }
        };
        put(0, if one { 348_i32 } else { 540 }.to_le_bytes().to_vec());
        put(if one { 70 } else { 12 }, self.datatype.to_le_bytes().to_vec());
        let rank = if self.dim[3] > 1 { 4 } else { 3 };
        for (i, n) in [rank, self.dim[0], self.dim[1], self.dim[2], self.dim[3]]
            .into_iter()
            .enumerate()
        {
            put(if one { 40 + 2 * i } else { 16 + 8 * i }, int(n));
        }
        for (i, v) in [1.0, 0.5, 1.25, 3.0].into_iter().enumerate() {
            put(if one { 76 + 4 * i } else { 104 + 8 * i }, float(v));
        }
        put(
            if one { 108 } else { 168 },
            if one {
                float(self.offset as f64)
            } else {
                int(self.offset as i64)
            },
        );
        put(if one { 112 } else { 176 }, float(self.slope));
        put(if one { 116 } else { 184 }, float(self.inter));
        // sform: x to the right by 0.5, y to the back by 1.25, z up by 3, from (10, 20, 30).
        put(
            if one { 254 } else { 348 },
            if one { int(1) } else { 1_i32.to_le_bytes().to_vec() },
        );
        for (row, values) in [
            [0.5, 0.0, 0.0, 10.0],
            [0.0, -1.25, 0.0, 20.0],
            [0.0, 0.0, 3.0, 30.0],
        ]
        .iter()
        .enumerate()
        {
            for (column, v) in values.iter().enumerate() {
                let i = 4 * row + column;
                put(if one { 280 + 4 * i } else { 400 + 8 * i }, float(*v));
            }
        }
        let magic = if one { 344 } else { 4 };
        bytes[magic..magic + 3].copy_from_slice(self.magic);
        bytes
    }

    fn single_file(&self) -> Vec<u8> {
        let mut bytes = self.header();
        // An offset of 0 means directly after the header.
        let size = bytes.len() - 4;
        bytes.resize(self.offset.max(size), 0);
        bytes.extend(&self.data);
        bytes
    }
}

fn expected_geometry() -> Geometry {
    Geometry {
        spacing: [3.0, 1.25, 0.5],
        origin: [-10.0, -20.0, 30.0],
        direction: [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn save(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Returns the bytes of `value` as NIfTI's `datatype`, and the float32 that they decode to.
fn encode(datatype: i16, value: i64, big: bool) -> (Vec<u8>, f32) {
    macro_rules! word {
        ($type:ty) => {{
            let value = value as $type;
            (
                if big {
                    value.to_be_bytes().to_vec()
                } else {
                    value.to_le_bytes().to_vec()
                },
                value as f64,
            )
        }};
    }
    let (bytes, number) = match datatype {
        2 => word!(u8),
        4 => word!(i16),
        8 => word!(i32),
        16 => word!(f32),
        64 => word!(f64),
        256 => word!(i8),
        512 => word!(u16),
        768 => word!(u32),
        1024 => word!(i64),
        _ => word!(u64),
    };
    (bytes, number as f32)
}

const DATATYPES: [(i16, Dtype); 10] = [
    (2, Dtype::U8),
    (4, Dtype::I16),
    (8, Dtype::I32),
    (16, Dtype::F32),
    (64, Dtype::F64),
    (256, Dtype::I8),
    (512, Dtype::U16),
    (768, Dtype::U32),
    (1024, Dtype::I64),
    (1280, Dtype::U64),
];

proptest! {
    #[test]
    fn every_version_byte_order_and_type_is_read(
        kind in 0_usize..10,
        two in any::<bool>(),
        big in any::<bool>(),
        packed in any::<bool>(),
        dim in [1_i64..5, 1_i64..5, 1_i64..4, 1_i64..3],
        padding in 0_usize..40,
        seed in any::<u32>(),
    ) {
        let (datatype, dtype) = DATATYPES[kind];
        let count = dim.iter().product::<i64>();
        let mut values = Vec::new();
        let mut data = Vec::new();
        for n in 0..count {
            let (bytes, number) = encode(datatype, (i64::from(seed) * (n + 1)) % 70_001 - 20_000, big);
            data.extend(bytes);
            values.push(number);
        }
        let mut builder = Builder::new(datatype, dim, data);
        builder.version = if two { 2 } else { 1 };
        builder.magic = if two { b"n+2" } else { b"n+1" };
        builder.big = big;
        builder.offset = if two { 544 } else { 352 } + padding;
        let folder = tempfile::tempdir().unwrap();
        let bytes = builder.single_file();
        let path = if packed {
            save(folder.path(), "a.nii.gz", &gzip(&bytes))
        } else {
            save(folder.path(), "a.nii", &bytes)
        };
        let header = nifti::read_header(&path).unwrap();
        prop_assert_eq!((header.dtype, header.big_endian, header.version), (dtype, big, builder.version));
        let (image, geometry) = nifti::read_image(&path).unwrap();
        let [x, y, z, t] = dim.map(|n| n as usize);
        prop_assert_eq!(image, Array4::from_shape_vec((t, z, y, x), values.clone()).unwrap());
        prop_assert_eq!(geometry, expected_geometry());
        let labels = nifti::read_labels(&path);
        let first_bad = values.iter().position(|v| i16::try_from(*v as i64).is_err());
        match (t, first_bad, labels) {
            (1, None, Ok((labels, _))) => {
                let found: Vec<f32> = labels.iter().map(|v| f32::from(*v)).collect();
                prop_assert_eq!(found, values);
            }
            (1, Some(index), Err(Error::Label { voxel: [k, j, i], .. })) => {
                prop_assert_eq!((k * y + j) * x + i, index);
            }
            (2.., _, Err(Error::NiftiHeader { .. })) => {}
            (_, _, other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn damaged_file_never_panics(
        changes in prop::collection::vec((0_usize..390, any::<u8>()), 0..6),
        cut in 0_usize..400,
        packed in any::<bool>(),
        two in any::<bool>(),
    ) {
        let mut builder = Builder::new(4, [3, 2, 2, 1], vec![1; 24]);
        if two {
            (builder.version, builder.magic) = (2, b"n+2");
        }
        let mut bytes = builder.single_file();
        for (position, byte) in changes {
            let last = bytes.len() - 1;
            bytes[position.min(last)] = byte;
        }
        let bytes = if packed { gzip(&bytes) } else { bytes };
        let folder = tempfile::tempdir().unwrap();
        let path = save(folder.path(), "a.nii", &bytes[..bytes.len().min(cut)]);
        let _ = (nifti::read_image(&path), nifti::read_labels(&path));
    }
}

#[test]
fn slope_and_intercept_scale_intensities() {
    let folder = tempfile::tempdir().unwrap();
    let read = |slope: f64, inter: f64| {
        let mut builder = Builder::new(
            4,
            [2, 1, 1, 1],
            [3_i16.to_le_bytes(), (-4_i16).to_le_bytes()].concat(),
        );
        (builder.slope, builder.inter) = (slope, inter);
        let path = save(folder.path(), "a.nii", &builder.single_file());
        let image = nifti::read_image(&path).unwrap().0.into_raw_vec_and_offset().0;
        (
            image,
            nifti::read_labels(&path).map(|(labels, _)| labels.into_raw_vec_and_offset().0),
        )
    };
    let (image, labels) = read(0.5, 10.0);
    assert_eq!(image, [11.5, 8.0]);
    assert!(matches!(labels, Err(Error::Label { voxel: [0, 0, 0], value, .. }) if value == "11.5"));
    assert_eq!(read(0.0, 10.0).0, [3.0, -4.0]);
    assert_eq!(read(f64::NAN, 10.0).0, [3.0, -4.0]);
    assert_eq!(read(1.0, 0.0).0, [3.0, -4.0]);
    let (_, labels) = read(2.0, 1.0);
    assert_eq!(labels.unwrap(), [7, -7]);
    assert_eq!(read(1.0001, 0.0).1.unwrap(), [3, -4]);
    assert!(read(1.001, 0.0).1.is_err());
    assert!(matches!(read(1e9, 0.0).1, Err(Error::Label { .. })));
}

#[test]
fn pairs_and_gzipped_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = Builder::new(2, [3, 2, 1, 1], vec![1, 2, 3, 4, 5, 6]);
    builder.magic = b"ni1";
    let header = builder.header();
    let expected = Array3::from_shape_vec((1, 2, 3), vec![1, 2, 3, 4, 5, 6]).unwrap();
    for (name, head, tail) in [
        ("a", "hdr", "img"),
        ("b", "hdr.gz", "img.gz"),
        ("c", "hdr", "img.gz"),
    ] {
        for (extension, content) in [(head, &header), (tail, &builder.data)] {
            let packed = if extension.ends_with("gz") {
                gzip(content)
            } else {
                content.clone()
            };
            save(folder.path(), &format!("{name}.{extension}"), &packed);
        }
        for extension in [head, tail] {
            let (labels, _) = nifti::read_labels(&folder.path().join(format!("{name}.{extension}"))).unwrap();
            assert_eq!(labels, expected, "{name}.{extension}");
        }
    }
}

#[test]
fn gzip_with_several_members_or_trailing_bytes_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Builder::new(2, [3, 2, 1, 1], vec![1, 2, 3, 4, 5, 6]);
    let bytes = builder.single_file();
    let members = [gzip(&bytes[..200]), gzip(&bytes[200..])].concat();
    let longer = gzip(&[bytes.as_slice(), &[9; 1000]].concat());
    for content in [members, longer] {
        let (labels, _) = nifti::read_labels(&save(folder.path(), "a.nii.gz", &content)).unwrap();
        assert_eq!(labels.into_raw_vec_and_offset().0, [1, 2, 3, 4, 5, 6]);
    }
}

#[test]
fn invalid_files_are_rejected_with_reason() {
    let folder = tempfile::tempdir().unwrap();
    let message = |bytes: &[u8]| {
        nifti::read_image(&save(folder.path(), "case.nii.gz", bytes))
            .unwrap_err()
            .to_string()
    };
    let good = Builder::new(4, [2, 2, 2, 1], vec![0; 16]).single_file();
    assert!(message(&good[..200]).contains("within the header"));
    let truncated = message(&good[..good.len() - 6]);
    assert!(
        truncated.contains("16 bytes of data, but the file has 10"),
        "{truncated}"
    );
    let truncated = message(&gzip(&good[..good.len() - 6]));
    assert!(
        truncated.contains("16 bytes of data, but the file has 10"),
        "{truncated}"
    );
    let packed = gzip(&good);
    assert!(message(&packed[..packed.len() - 12]).contains("cannot be decompressed"));
    assert!(message(b"plain text that is no image").contains("expected 348"));
    assert!(message(&Builder::new(128, [2, 2, 2, 1], vec![0; 24]).single_file()).contains("RGB"));
    // 30000^3 voxels in the header of a file of 368 bytes: rejected before allocation.
    let huge = Builder::new(4, [30_000, 30_000, 30_000, 1], vec![0; 16]);
    assert!(message(&huge.single_file()).contains("truncated"));
    assert!(message(&gzip(&huge.single_file())).contains("truncated"));
    let wide = Builder {
        version: 2,
        magic: b"n+2",
        ..Builder::new(4, [i64::MAX, 4, 4, 1], vec![0; 16])
    };
    assert!(message(&wide.single_file()).contains("overflow"));
    let analyze = Builder {
        magic: b"\0\0\0",
        ..Builder::new(4, [2, 2, 2, 1], vec![0; 16])
    };
    assert!(message(&analyze.single_file()).contains("Analyze"));
    let missing = nifti::read_labels(Path::new("/nonexistent/a.nii.gz"))
        .unwrap_err()
        .to_string();
    assert!(missing.contains("/nonexistent/a.nii.gz"), "{missing}");
}

#[test]
fn files_of_other_kinds_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = Builder::new(4, [2, 2, 2, 1], vec![0; 16]).single_file();
    let dicom = [vec![0; 128], b"DICM".to_vec(), vec![0; 300]].concat();
    let zip = [b"PK\x03\x04".as_slice(), &[7; 600]].concat();
    for (bytes, expected) in [
        (gzip(&gzip(&good)), "compressed twice"),
        (zip, "zip archive"),
        (b"BZh91AY&SY".to_vec(), "bzip2"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid".to_vec(),
            "git lfs pull",
        ),
        (
            b"\n<!DOCTYPE html><html>Not found</html>".to_vec(),
            "download it again",
        ),
        (b"NRRD0004\ntype: short\n".to_vec(), "NRRD"),
        (b"\x89PNG\r\n\x1a\n".to_vec(), "PNG"),
        (dicom, "DICOM"),
        (Vec::new(), "is empty"),
        (gzip(b""), "is empty"),
        (vec![0; 4000], "all 0"),
        (good[..300].to_vec(), "write or copy it again"),
    ] {
        let path = save(folder.path(), "a.nii.gz", &bytes);
        for error in [
            nifti::read_header(&path).err(),
            nifti::read_labels(&path).err(),
            nifti::verify(&path).err(),
        ] {
            let message = error.unwrap().to_string();
            assert!(message.contains(expected), "{expected}: {message}");
        }
    }
    for (datatype, expected) in [
        (32, "magnitude or phase"),
        (128, "each colour"),
        (16384, "float16"),
        (0, "none"),
    ] {
        let bytes = Builder::new(datatype, [2, 2, 2, 1], vec![0; 400]).single_file();
        let message = nifti::read_image(&save(folder.path(), "a.nii", &bytes))
            .unwrap_err()
            .to_string();
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let long = Builder::new(4, [-1, 2, 2, 1], vec![0; 400]).single_file();
    let message = nifti::read_image(&save(folder.path(), "a.nii", &long))
        .unwrap_err()
        .to_string();
    assert!(message.contains("needs NIfTI-2"), "{message}");
}

/// Replaces float32 or int16 fields of a little-endian NIfTI-1 file.
fn patch(bytes: &[u8], floats: &[(usize, f32)], shorts: &[(usize, i16)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, value) in floats {
        bytes[*at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    for (at, value) in shorts {
        bytes[*at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

#[test]
fn headers_that_contradict_themselves_are_doubted() {
    const PIXDIM: usize = 76;
    const QFORM_CODE: usize = 252;
    const SFORM_CODE: usize = 254;
    const QUATERN: usize = 256;
    const QOFFSET: usize = 268;
    const SROW: usize = 280;
    let folder = tempfile::tempdir().unwrap();
    let good = Builder::new(4, [2, 2, 2, 1], vec![0; 16]).single_file();
    let read = |bytes: &[u8]| nifti::read_header(&save(folder.path(), "a.nii", bytes));
    let doubt = |floats: &[(usize, f32)], shorts: &[(usize, i16)]| {
        read(&patch(&good, floats, shorts))
            .unwrap()
            .doubt
            .unwrap_or_default()
    };
    // The sform has the spacing of pixdim, whatever the sign and up to rounding.
    assert_eq!(doubt(&[], &[]), "");
    assert_eq!(
        doubt(
            &[(PIXDIM + 4, -0.5), (PIXDIM + 8, 1.25001), (PIXDIM + 12, 3.001)],
            &[]
        ),
        ""
    );
    // Without a form, only pixdim counts.
    assert_eq!(doubt(&[(SROW, 9.0)], &[(SFORM_CODE, 0)]), "");
    for value in [0.0, f32::NAN, f32::INFINITY] {
        for code in [0, 1] {
            let found = doubt(&[(PIXDIM + 8, value)], &[(SFORM_CODE, code)]);
            assert!(
                found.contains("pixdim[2]") && found.contains("1 is assumed"),
                "{found}"
            );
        }
    }
    let found = doubt(&[(PIXDIM + 4, 1.0), (PIXDIM + 8, 1.0), (PIXDIM + 12, 1.0)], &[]);
    assert!(
        found.contains("[1.0, 1.0, 1.0]") && found.contains("[0.5, 1.25, 3.0]"),
        "{found}"
    );
    // A qform of the same code must be the same: here a rotation by 180 degrees about x, as in the sform.
    let same = [
        (QUATERN, 1.0),
        (QOFFSET, 10.0),
        (QOFFSET + 4, 20.0),
        (QOFFSET + 8, 30.0),
        (PIXDIM, -1.0),
    ];
    assert_eq!(doubt(&same, &[(QFORM_CODE, 1)]), "");
    let mut moved = same;
    moved[1].1 = 12.0;
    assert!(doubt(&moved, &[(QFORM_CODE, 1)]).contains("the sform is used"));
    assert!(doubt(&moved, &[(QFORM_CODE, 2), (SFORM_CODE, 2)]).contains("the qform is used"));
    // Other codes are other spaces.
    assert_eq!(doubt(&moved, &[(QFORM_CODE, 2)]), "");
    let lost = read(&patch(&good, &[(SROW + 12, f32::NAN)], &[]))
        .unwrap_err()
        .to_string();
    assert!(lost.contains("origin"), "{lost}");
}

#[test]
fn unused_fields_do_not_matter() {
    const DIM: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let good = Builder::new(2, [3, 2, 1, 1], vec![1, 2, 3, 4, 5, 6]).single_file();
    for dim in [
        [2, 3, 2, 0, 0, 0, 0, 0],
        [2, 3, 2, -1, 9, 9, 9, 9],
        [3, 3, 2, 1, 0, -5, 0, 7],
        [4, 3, 2, 1, 1, 0, 0, 0],
        [5, 3, 2, 1, 1, 1, 0, 0],
        [7, 3, 2, 1, 1, 1, 1, 1],
        [4, 3, 2, 1, 0, 1, 1, 1],
    ] {
        let shorts: Vec<(usize, i16)> = dim.iter().enumerate().map(|(i, n)| (DIM + 2 * i, *n)).collect();
        // Intent: vector; bitpix: wrong.
        let shorts = [shorts, vec![(68, 1007), (72, 64)]].concat();
        let path = save(folder.path(), "a.nii", &patch(&good, &[], &shorts));
        let (labels, _) = nifti::read_labels(&path).unwrap();
        assert_eq!(labels.dim(), (1, 2, 3), "{dim:?}");
        assert_eq!(labels.into_raw_vec_and_offset().0, [1, 2, 3, 4, 5, 6]);
        assert_eq!(nifti::read_image(&path).unwrap().0.dim(), (1, 1, 2, 3));
        nifti::verify(&path).unwrap();
    }
}
