//! Unpacking of `<case>.npz` to `<case>.npy`, so that patches can be read through a memory map.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use run::Context;
use volume::{npy, npz, Place};
use zip::ZipArchive;

use crate::case::StageFolder;
use crate::error::Error;

/// Result of [`unpack`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unpacked {
    /// Number of written files.
    pub files: u64,
    /// Number of written bytes.
    pub bytes: u64,
    /// Existing files that are complete and newer than their archives.
    pub kept: u64,
}

/// One archive to unpack.
struct Job {
    case: String,
    source: PathBuf,
    target: PathBuf,
    bytes: u64,
}

/// Writes the npy file of every case, unless a complete one exists that is at least as new as the npz file.
/// Files are written atomically: an interrupted run leaves no partial file, and the next run continues. Bytes
/// are streamed, so memory does not depend on the size of the cases. The context's workers unpack in
/// parallel.
///
/// # Errors
/// [`Error::NoSpace`] before anything is written if the disk is too small; [`Error::MissingCase`],
pub fn unpack(cases: &[String], stage: &StageFolder, context: &Context) -> Result<Unpacked, Error> {
    let folders = std::iter::once((&stage.folder, ""))
        .chain(stage.previous_stage.iter().map(|f| (f, "_segFromPrevStage")));
    let candidates: Vec<(String, PathBuf)> = folders
        .flat_map(|(folder, suffix)| {
            cases
                .iter()
                .map(move |c| (c.clone(), folder.join(format!("{c}{suffix}.npz"))))
        })
        .collect();
    let pool = context.pool()?;
    let jobs = || -> Result<Vec<Option<Job>>, Error> {
        candidates.par_iter().map(|(c, path)| plan(c, path)).collect()
    };
    let jobs: Vec<Job> = pool.install(jobs)?.into_iter().flatten().collect();
    check_space(&jobs)?;
    let done = AtomicU64::new(0);
    let run = || {
        jobs.par_iter().try_for_each(|job| {
            context.check()?;
            write(job, context)?;
            context.progress(
                1 + done.fetch_add(1, Ordering::Relaxed),
                jobs.len() as u64,
                "files",
                Some(&job.case),
            );
            Ok::<_, Error>(())
        })
    };
    pool.install(run)?;
    let written = jobs.len() as u64;
    Ok(Unpacked {
        files: written,
        bytes: jobs.iter().map(|job| job.bytes).sum(),
        kept: candidates.len() as u64 - written,
    })
}

/// The pending work for one archive; `None` if its npy file exists and is complete.
fn plan(case: &str, source: &Path) -> Result<Option<Job>, Error> {
    let target = source.with_extension("npy");
    let modified = |path: &Path| path.metadata().and_then(|m| m.modified()).ok();
    let (packed, unpacked) = (modified(source), modified(&target));
    if packed.is_none() && unpacked.is_none() {
        let folder = source.parent().unwrap_or(Path::new(".")).to_owned();
        return Err(Error::MissingCase {
            case: case.to_owned(),
            folder,
        });
    }
    if packed.is_none() || (unpacked >= packed && is_whole(&target)) {
        return Ok(None);
    }
    let bytes = with_member(case, source, |member| Ok(member.size()))?;
    Ok(Some(Job {
        case: case.to_owned(),
        source: source.to_owned(),
        target,
        bytes,
    }))
}

/// Returns true if an npy file has the length in its header. nnU-Net v1 writes in place and can leave a
/// partial file.
fn is_whole(path: &Path) -> bool {
    let expected = npy::read_header(path).ok().and_then(|header| {
        let elements = header
            .shape
            .iter()
            .try_fold(1usize, |n, axis| n.checked_mul(*axis))?;
        elements
            .checked_mul(header.dtype?.size())?
            .checked_add(header.offset)
    });
    expected.is_some_and(|bytes| path.metadata().is_ok_and(|m| m.len() == bytes as u64))
}

fn with_member<T>(
    case: &str,
    path: &Path,
    read: impl FnOnce(&mut zip::read::ZipFile<'_, BufReader<File>>) -> Result<T, Error>,
) -> Result<T, Error> {
    let io = |source| {
        Error::file(
            case,
            volume::Error::Io {
                path: path.to_owned(),
                source,
            },
        )
    };
    let damaged = |e: zip::result::ZipError| {
        Error::file(
            case,
            volume::Error::NpzArchive {
                path: path.to_owned(),
                problem: e.to_string(),
            },
        )
    };
    let mut archive = ZipArchive::new(BufReader::new(File::open(path).map_err(io)?)).map_err(damaged)?;
    if archive.index_for_name("data.npy").is_none() {
        let found = npz::names(path).map_err(|e| Error::file(case, e))?;
        return Err(Error::file(
            case,
            volume::Error::NpzMember {
                place: Place::member(path, "data"),
                found,
            },
        ));
    }
    let mut member = archive.by_name("data.npy").map_err(damaged)?;
    read(&mut member)
}

/// Fails if the files do not fit, disk by disk: the previous stage's files may be on the same disk as the
/// cases.
fn check_space(jobs: &[Job]) -> Result<(), Error> {
    let mut needed: BTreeMap<Disk<'_>, (&Path, u64)> = BTreeMap::new();
    for job in jobs {
        let folder = job.target.parent().unwrap_or(Path::new("."));
        let (_, bytes) = needed.entry(Disk::of(folder)).or_insert((folder, 0));
        *bytes = bytes.saturating_add(job.bytes);
    }
    for (folder, needed) in needed.into_values() {
        // Some network file systems do not report it; then writing reports the error.
        let Ok(available) = storage::available_space(folder) else {
            continue;
        };
        if needed > available {
            return Err(Error::NoSpace {
                folder: folder.to_owned(),
                needed,
                available,
            });
        }
    }
    Ok(())
}

/// A disk, or a folder if the system does not distinguish disks.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Disk<'a> {
    Device(u64),
    Folder(&'a Path),
}

impl<'a> Disk<'a> {
    fn of(folder: &'a Path) -> Self {
        #[cfg(unix)]
        if let Ok(metadata) = folder.metadata() {
            return Self::Device(std::os::unix::fs::MetadataExt::dev(&metadata));
        }
        Self::Folder(folder)
    }
}

fn write(job: &Job, context: &Context) -> Result<(), Error> {
    let inflate = |problem: String| {
        Error::file(
            &job.case,
            volume::Error::NpzInflate {
                place: Place::member(&job.source, "data"),
                problem,
            },
        )
    };
    let streamed = with_member(&job.case, &job.source, |member| {
        let mut chunk = vec![0; 1 << 18];
        let mut length = member.read(&mut chunk).map_err(|e| inflate(e.to_string()))?;
        let head = String::from_utf8_lossy(&chunk[..length.min(256)]).into_owned();
        if head.contains("'fortran_order': True") || head.contains("'descr': '>") {
            return Ok(false);
        }
        // The reason of a failed copy, if it was not the disk.
        let mut stopped = None;
        let written = storage::write_atomic(&job.target, |out| {
            while length > 0 {
                out.write_all(&chunk[..length])?;
                let next = context.check().map_err(Error::from);
                let next = next.and_then(|()| member.read(&mut chunk).map_err(|e| inflate(e.to_string())));
                length = next.map_err(|error| {
                    stopped = Some(error);
                    io::Error::other("its source could not be read")
                })?;
            }
            Ok(())
        });
        match stopped {
            Some(error) => Err(error),
            None => Ok(written.map(|()| true)?),
        }
    })?;
    if !streamed {
        // A memory map needs C order and native byte order.
        let array = npz::read::<f32>(&job.source, "data").map_err(|e| Error::file(&job.case, e))?;
        npy::write(&job.target, array.view()).map_err(|e| Error::file(&job.case, e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array4, ArrayD};
    use std::time::{Duration, SystemTime};

    fn folder_with(cases: &[&str]) -> (tempfile::TempDir, StageFolder, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        for (i, case) in cases.iter().enumerate() {
            let array = Array4::from_shape_fn((2, 3, 4, 5), |(c, z, y, x)| {
                (c * 60 + z * 20 + y * 5 + x + i) as f32
            });
            let path = folder.path().join(format!("{case}.npz"));
            npz::write(
                &path,
                &[("data", array.view().into_dyn())],
                npz::Compression::Default,
            )
            .unwrap();
        }
        let files = StageFolder {
            folder: folder.path().to_owned(),
            previous_stage: None,
            weightmaps: false,
            packed: None,
            ignored: Vec::new(),
        };
        (folder, files, cases.iter().map(|c| (*c).to_owned()).collect())
    }

    fn read(path: &Path) -> ArrayD<f32> {
        npy::read(path).unwrap()
    }

    #[test]
    fn every_case_is_unpacked_once() {
        let (folder, files, cases) = folder_with(&["a", "b", "c"]);
        let first = unpack(&cases, &files, &Context::silent(2)).unwrap();
        assert_eq!((first.files, first.kept), (3, 0));
        assert_eq!(
            first.bytes,
            3 * folder.path().join("a.npy").metadata().unwrap().len()
        );
        for case in &cases {
            let packed = npz::read::<f32>(&folder.path().join(format!("{case}.npz")), "data").unwrap();
            assert_eq!(read(&files.stack(case)), packed);
        }
        let second = unpack(&cases, &files, &Context::silent(2)).unwrap();
        assert_eq!((second.files, second.kept), (0, 3));
    }

    #[test]
    fn partial_and_outdated_files_are_unpacked_again() {
        let (folder, files, cases) = folder_with(&["a", "b"]);
        unpack(&cases, &files, &Context::silent(1)).unwrap();
        let (a, b) = (files.stack("a"), files.stack("b"));
        let whole = std::fs::read(&a).unwrap();
        std::fs::write(&a, &whole[..whole.len() - 4]).unwrap();
        std::fs::write(&b, &whole).unwrap();
        let old = SystemTime::now() - Duration::from_secs(3600);
        File::options()
            .write(true)
            .open(&b)
            .unwrap()
            .set_modified(old)
            .unwrap();
        assert_eq!(unpack(&cases, &files, &Context::silent(1)).unwrap().files, 2);
        assert_eq!(
            read(&b),
            npz::read::<f32>(&folder.path().join("b.npz"), "data").unwrap()
        );
    }

    #[test]
    fn a_damaged_archive_is_reported_with_its_case_and_writes_nothing() {
        let (folder, files, cases) = folder_with(&["a"]);
        let path = folder.path().join("a.npz");
        let mut bytes = std::fs::read(&path).unwrap();
        // Within the compressed data, after the local header.
        (60..90).for_each(|i| bytes[i] ^= 0x5A);
        std::fs::write(&path, bytes).unwrap();
        let error = unpack(&cases, &files, &Context::silent(1)).unwrap_err();
        assert!(
            matches!(&error, Error::CaseFile { case, .. } if case == "a"),
            "{error}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_case_is_reported() {
        let (_folder, files, _) = folder_with(&["a"]);
        let error = unpack(&["b".to_owned()], &files, &Context::silent(1)).unwrap_err();
        assert!(
            matches!(&error, Error::MissingCase { case, .. } if case == "b"),
            "{error}"
        );
    }

    #[test]
    fn too_little_space_fails_before_writing() {
        let (folder, _, _) = folder_with(&[]);
        let target = folder.path().join("a.npy");
        let job = Job {
            case: "a".to_owned(),
            source: PathBuf::new(),
            target,
            bytes: u64::MAX,
        };
        assert!(matches!(
            check_space(&[job]),
            Err(Error::NoSpace { needed: u64::MAX, .. })
        ));
    }

    #[test]
    fn folders_of_one_disk_share_its_space() {
        let (folder, _, _) = folder_with(&[]);
        let part = storage::available_space(folder.path()).unwrap() / 10 * 6;
        let job = |name: &str| {
            let stage = folder.path().join(name);
            std::fs::create_dir(&stage).unwrap();
            Job {
                case: "a".to_owned(),
                source: PathBuf::new(),
                target: stage.join("a.npy"),
                bytes: part,
            }
        };
        let jobs = [job("stage1"), job("pred_next_stage")];
        assert!(check_space(&jobs[..1]).is_ok());
        assert!(matches!(check_space(&jobs), Err(Error::NoSpace { needed, .. }) if needed == 2 * part));
    }

    #[test]
    fn cancellation_stops_unpacking() {
        let (_folder, files, cases) = folder_with(&["a"]);
        let context = Context::silent(1);
        context.cancel().cancel();
        assert!(matches!(
            unpack(&cases, &files, &context),
            Err(Error::Cancelled(_))
        ));
        assert!(!files.stack("a").exists());
    }
}
