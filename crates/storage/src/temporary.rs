//! Temporary files and folders beside their target, and those of killed runs.
//!
//! They are named `.<name>.<host>-<pid>-<process>-<random>.tmp`, so that patterns for results never match them, and
//! that the name says whose they are. A killed run leaves them behind. The first write of a process into a folder
//! removes them.

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::{Builder, NamedTempFile, TempDir};

use crate::process::{self, Identity};
use crate::Error;

/// Age at which a temporary file of another machine, or of another program, was certainly left behind: a live
/// writer changes its file all the time.
const ABANDONED: Duration = Duration::from_secs(3600);
/// The same for folders, whose own time does not change when a file within is written.
const ABANDONED_FOLDER: Duration = Duration::from_secs(7 * 24 * 3600);
const SUFFIX: &str = ".tmp";

/// Folders into which this process has written.
static CLEANED: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// Creates a temporary folder beside `path`, which may be renamed to `path` or gives its files to it. It is deleted when
/// the value is dropped; that of a killed run by the next one that writes into the same folder.
///
/// # Errors
/// [`Error::Io`] or [`Error::DiskFull`] naming `path`, whose parent must exist.
pub fn temporary_folder(path: &Path) -> Result<TempDir, Error> {
    let create = || builder(path, 0o777, |builder| builder.tempdir_in(folder_of(path)));
    create().map_err(|e| Error::io("create a temporary folder for", path, e))
}

/// Creates the temporary file of `path` in the same folder.
pub(crate) fn create(path: &Path) -> io::Result<NamedTempFile> {
    builder(path, 0o666, |builder| builder.tempfile_in(folder_of(path)))
}

/// Calls `create` with the temporary name of `path`, in a folder without the remains of killed runs.
fn builder<T>(path: &Path, mode: u32, create: impl FnOnce(&Builder) -> io::Result<T>) -> io::Result<T> {
    clean_once(folder_of(path));
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    let [host, pid, process] = owner();
    let prefix = format!(".{}.{host}-{pid}-{process}-", shortened(&name));
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Same as `open` and `mkdir`: the umask decides, instead of the mode of a private temporary file.
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    create(&builder)
}

/// Returns the folder of `path`: the current folder for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// Removes what killed runs left in a folder, once in the life of this process.
fn clean_once(folder: &Path) {
    let key = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut cleaned = CLEANED.lock().unwrap_or_else(PoisonError::into_inner);
    if cleaned.get_or_insert_default().insert(key) {
        clean(folder);
    }
}

/// Removes the temporary files and folders of killed runs from a folder. What cannot be removed stays: it does no harm.
pub(crate) fn clean(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (Ok(kind), name) = (entry.file_type(), entry.file_name()) else {
            continue;
        };
        let age = if kind.is_dir() {
            ABANDONED_FOLDER
        } else {
            ABANDONED
        };
        let ours =
            (kind.is_file() || kind.is_dir()) && name.to_str().is_some_and(|n| is_abandoned(n, age, &entry));
        let _ = match (ours, kind.is_dir()) {
            (false, _) => continue,
            (true, true) => fs::remove_dir_all(entry.path()),
            (true, false) => fs::remove_file(entry.path()),
        };
    }
}

/// Whether nobody writes the file or folder any more; one of another machine is left behind from `age` on.
fn is_abandoned(name: &str, age: Duration, entry: &fs::DirEntry) -> bool {
    let Some(tag) = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(SUFFIX))
        .and_then(|name| Some(name.rsplit_once('.')?.1))
    else {
        return false;
    };
    let is_old = || {
        let changed = entry.metadata().and_then(|m| m.modified()).ok();
        let unchanged = changed.and_then(|time| SystemTime::now().duration_since(time).ok());
        unchanged.is_some_and(|unchanged| unchanged > age)
    };
    match tag.split('-').collect::<Vec<_>>()[..] {
        [host, pid, process, _] if *host == owner()[0] => match pid.parse() {
            // A later process can have the number of a killed one.
            Ok(pid) => Identity::of(pid).is_none_or(|running| hash(running.as_str()) != process),
            Err(_) => false,
        },
        [_, _, _, _] => is_old(),
        // The names of earlier versions, and of the TypeScript part.
        [random] => {
            [6, 8].contains(&random.len()) && random.bytes().all(|b| b.is_ascii_alphanumeric()) && is_old()
        }
        _ => false,
    }
}

/// Returns machine, number and identity of this process, as in the name of a temporary file.
fn owner() -> &'static [String; 3] {
    static OWNER: OnceLock<[String; 3]> = OnceLock::new();
    OWNER.get_or_init(|| {
        let pid = std::process::id();
        let identity = Identity::of(pid).unwrap_or_default();
        [hash(&process::host()), pid.to_string(), hash(identity.as_str())]
    })
}

/// Returns eight hexadecimal digits of the FNV-1a hash of a text.
fn hash(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{hash:08x}")
}

/// Returns at most 200 bytes of a name, so that the temporary name stays within the usual limit of 255 bytes.
fn shortened(name: &str) -> &str {
    let end = (0..=name.len().min(200))
        .rev()
        .find(|&i| name.is_char_boundary(i));
    &name[..end.unwrap_or(0)]
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::write_atomic;

    /// Names the folder in which the child of the test below writes.
    const FOLDER: &str = "STORAGE_TEST_KILLED_WRITER";

    #[test]
    fn only_files_that_nobody_writes_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut ended = Command::new("true").spawn().unwrap();
        let dead = ended.id();
        ended.wait().unwrap();
        let [host, own, process] = owner();
        let parent = std::os::unix::process::parent_id();
        let of_parent = hash(Identity::of(parent).unwrap().as_str());
        let name = |pid: u32, process: &str| format!(".a.npz.{host}-{pid}-{process}-AbC123.tmp");
        let write = |name: &str, age: u64| {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age))
                .unwrap();
        };
        let removed = [name(dead, process), name(parent, "00000000")];
        let kept = [
            name(own.parse().unwrap(), process),
            name(parent, &of_parent),
            ".b.ffffffff-1-00000000-AbC123.tmp".to_owned(),
            ".c.AbC123.tmp".to_owned(),
            "c.AbC123.tmp".to_owned(),
            ".notes.tmp".to_owned(),
            ".c.npz".to_owned(),
        ];
        removed.iter().chain(&kept).for_each(|name| write(name, 10));
        let old = [
            ".b.ffffffff-2-00000000-AbC123.tmp",
            ".d.png.0123abcd.tmp",
            ".d.AbC123.tmp",
        ];
        old.iter().for_each(|name| write(name, 4000));
        clean(folder.path());
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected = kept.to_vec();
        expected.sort();
        assert_eq!(left, expected);
    }

    #[test]
    fn folders_of_dead_processes_are_removed_with_their_files() {
        let root = tempfile::tempdir().unwrap();
        let mut ended = Command::new("true").spawn().unwrap();
        let dead = ended.id();
        ended.wait().unwrap();
        let [host, _, process] = owner();
        let left = root.path().join(format!(".a.{host}-{dead}-{process}-AbC123.tmp"));
        let others = root.path().join(".a.ffffffff-1-00000000-AbC123.tmp");
        let own = temporary_folder(&root.path().join("a")).unwrap();
        for folder in [&left, &others, own.path()] {
            fs::create_dir_all(folder.join("within")).unwrap();
            fs::write(folder.join("within/b.txt"), "").unwrap();
        }
        clean(root.path());
        assert_eq!(
            [&left, &others, own.path()].map(Path::exists),
            [false, true, true]
        );
        let path = own.path().to_owned();
        assert_eq!(path.parent(), Some(root.path()));
        drop(own);
        assert!(!path.exists());
    }

    #[test]
    fn file_of_a_killed_run_is_removed_by_the_next() {
        if let Some(folder) = std::env::var_os(FOLDER) {
            let path = Path::new(&folder).join("a.txt");
            let written = write_atomic(&path, |out| {
                use std::io::Write;
                out.write_all(b"half")?;
                out.flush()?;
                println!("half");
                // Until it is killed.
                loop {
                    std::thread::park();
                }
            });
            return written.unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "old").unwrap();
        let test = "temporary::tests::file_of_a_killed_run_is_removed_by_the_next";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = io::BufRead::lines(io::BufReader::new(child.stdout.take().unwrap()));
        assert!(lines.map_while(Result::ok).any(|line| line.ends_with("half")));
        child.kill().unwrap();
        child.wait().unwrap();
        let count = || fs::read_dir(folder.path()).unwrap().count();
        assert_eq!((count(), fs::read_to_string(&path).unwrap().as_str()), (2, "old"));
        write_atomic(&folder.path().join("b.txt"), |_| Ok(())).unwrap();
        assert_eq!((count(), fs::read_to_string(&path).unwrap().as_str()), (2, "old"));
        assert!(folder.path().join("b.txt").exists());
    }
}
