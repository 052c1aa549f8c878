//! Files of other kinds that carry the name of a NIfTI file.

/// Start of a file, what it is, and what to do.
const STARTS: [(&[u8], &str); 22] = [
    (
        &[0x1f, 0x8b],
        "it is compressed twice; decompress it once with gunzip",
    ),
    (b"PK\x03\x04", "it is a zip archive; unpack it"),
    (b"BZh", "it is compressed with bzip2; compress it with gzip"),
    (b"\xfd7zXZ", "it is compressed with xz; compress it with gzip"),
    (b"7z\xbc\xaf", "it is a 7z archive; unpack it"),
    (
        b"\x28\xb5\x2f\xfd",
        "it is compressed with zstd; compress it with gzip",
    ),
    (
        b"\x78\x01",
        "it is a zlib stream without a gzip header; compress it with gzip",
    ),
    (
        b"\x78\x9c",
        "it is a zlib stream without a gzip header; compress it with gzip",
    ),
    (
        b"\x78\xda",
        "it is a zlib stream without a gzip header; compress it with gzip",
    ),
    (
        b"version https://git-lfs",
        "it is a pointer of Git LFS without the data; run `git lfs pull`",
    ),
    (
        b"/annex/objects/",
        "it is a pointer of git-annex without the data; run `git annex get`",
    ),
    (
        b"../.git/annex",
        "it is a pointer of git-annex without the data; run `git annex get`",
    ),
    (b"\x89PNG", "it is a PNG image; convert it to NIfTI"),
    (b"\xff\xd8\xff", "it is a JPEG image; convert it to NIfTI"),
    (b"II*\0", "it is a TIFF image; convert it to NIfTI"),
    (b"MM\0*", "it is a TIFF image; convert it to NIfTI"),
    (b"NRRD", "it is an NRRD image; convert it to NIfTI"),
    (b"ObjectType", "it is a MetaImage; convert it to NIfTI"),
    (b"\x89HDF", "it is an HDF5 or MINC file; convert it to NIfTI"),
    (b"CDF\x01", "it is a MINC file; convert it to NIfTI"),
    (
        b"\x93NUMPY",
        "it is a numpy array without a position; write it as NIfTI",
    ),
    (
        b"\0\0\0\x01\0\0",
        "it is an image of FreeSurfer (MGH); convert it with mri_convert",
    ),
];

/// Returns what a file is whose start is not a NIfTI header, and what to do.
pub(super) fn recognise(bytes: &[u8]) -> Option<&'static str> {
    let known = STARTS.iter().find(|(start, _)| bytes.starts_with(start));
    if let Some((_, what)) = known {
        return Some(what);
    }
    if bytes.get(128..132) == Some(b"DICM") {
        return Some("it is a DICOM file; convert its series to NIfTI");
    }
    if bytes.is_empty() {
        return Some("it is empty; write or copy it again");
    }
    if bytes.iter().all(|&byte| byte == 0) {
        return Some("its first bytes are all 0, as after an interrupted copy; copy it again");
    }
    let text = bytes.trim_ascii_start().to_ascii_lowercase();
    (text.starts_with(b"<!doctype") || text.starts_with(b"<html") || text.starts_with(b"<?xml"))
        .then_some("it is a web page, as after a failed download; download it again")
}
