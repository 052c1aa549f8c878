//! A lock file that keeps two processes out of one folder.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::process::{self, Identity};
use crate::{temporary, Error};

/// Locks held by this process. A file that names this process but is not listed here was left by another one: in a
/// container, a restarted program often has the process number of the killed one.
static HELD: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// The process that holds a lock, as stored in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name of its machine.
    pub host: String,
    /// Its number on that machine.
    pub pid: u32,
    /// When it took the lock (UTC).
    pub since: String,
    /// What distinguishes it from a later process with the same number.
    #[serde(default)]
    identity: Identity,
    /// Its job on a cluster.
    #[serde(default)]
    job: Option<SlurmJob>,
}

/// A job of Slurm, and how often it was started again. Slurm starts a job again only after its processes ended, also
/// those on another machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SlurmJob {
    cluster: String,
    id: String,
    restarts: String,
}

impl SlurmJob {
    fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(Self {
            cluster: variable("SLURM_CLUSTER_NAME").unwrap_or_default(),
            id: variable("SLURM_JOB_ID")?,
            restarts: variable("SLURM_RESTART_COUNT").unwrap_or_else(|| "0".to_owned()),
        })
    }

    /// Whether `now` is the same job, started again.
    fn was_restarted(&self, now: &Self) -> bool {
        (&self.cluster, &self.id) == (&now.cluster, &now.id) && self.restarts != now.restarts
    }
}

impl Holder {
    fn this_process() -> Self {
        Self {
            host: process::host(),
            pid: std::process::id(),
            since: run::utc_now(),
            identity: Identity::of(std::process::id()).unwrap_or_default(),
            job: SlurmJob::of_environment(|name| std::env::var(name).ok()),
        }
    }

    /// Whether the process certainly ended. A process on another machine may be alive, unless it was an earlier start of
    /// this job. `held` says whether this process
    /// holds the lock.
    fn is_gone(&self, held: bool) -> bool {
        if self.host != process::host() {
            return self.is_earlier_start(SlurmJob::of_environment(|name| std::env::var(name).ok()).as_ref());
        }
        if self.pid == std::process::id() {
            return !held;
        }
        match Identity::of(self.pid) {
            None => true,
            Some(identity) => self.identity.differs(&identity),
        }
    }

    fn is_earlier_start(&self, now: Option<&SlurmJob>) -> bool {
        let jobs = self.job.as_ref().zip(now);
        jobs.is_some_and(|(then, now)| then.was_restarted(now))
    }
}

/// A lock file held by this process. Dropping it deletes the file.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
}

impl Lock {
    /// Creates the lock file `path` with host, process number and time. A file whose process ended is replaced.
    ///
    /// # Errors
    /// [`Error::Locked`] with the holder if another process, or another run of this one, has the lock;
    /// [`Error::Io`] if the file cannot be created.
    pub fn acquire(path: &Path) -> Result<Self, Error> {
        // One spelling of each path, because runs of this process are told apart by it.
        let path = absolute(path);
        // Before the file exists: other runs of this process must not take it for that of an ended one.
        if !held().get_or_insert_default().insert(path.clone()) {
            return Err(Error::locked(&path, Holder::this_process()));
        }
        Self::take(&path).inspect_err(|_| {
            held().get_or_insert_default().remove(&path);
        })
    }

    /// Creates the file, in place of stale ones.
    fn take(path: &Path) -> Result<Self, Error> {
        // As often as stale files can reasonably follow one another.
        for _ in 0..8 {
            match create(path) {
                Ok(()) => {
                    return Ok(Self {
                        path: path.to_owned(),
                    })
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => match read(path) {
                    Some(holder) if !holder.is_gone(false) => return Err(Error::locked(path, holder)),
                    _ => remove_stale(path)?,
                },
                Err(error) => return Err(Error::io("create", path, error)),
            }
        }
        Err(Error::io("create", path, ErrorKind::AlreadyExists.into()))
    }

    /// Fails as [`Lock::acquire`] would if a process holds the lock file `path`. Creates nothing.
    ///
    /// # Errors
    /// [`Error::Locked`].
    pub fn refuse_held(path: &Path) -> Result<(), Error> {
        Self::holder(path).map_or(Ok(()), |holder| Err(Error::locked(path, holder)))
    }

    /// The process that holds the lock file `path`; `None` if there is no file or its process ended.
    pub fn holder(path: &Path) -> Option<Holder> {
        let path = absolute(path);
        let is_held = held().get_or_insert_default().contains(&path);
        read(&path).filter(|holder| !holder.is_gone(is_held))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        held().get_or_insert_default().remove(&self.path);
    }
}

fn held() -> MutexGuard<'static, Option<HashSet<PathBuf>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn absolute(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let real = fs::canonicalize(folder.unwrap_or_else(|| Path::new(".")));
    match (real, path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Creates the complete file, or fails if it exists. A file in its place is never incomplete.
fn create(path: &Path) -> std::io::Result<()> {
    let text = serde_json::to_string(&Holder::this_process()).unwrap_or_default();
    let mut draft = temporary::create(path)?;
    draft.write_all(text.as_bytes())?;
    match fs::hard_link(draft.path(), path) {
        // File systems without hard links.
        Err(e) if e.kind() != ErrorKind::AlreadyExists => {
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(text.as_bytes())
        }
        done => done,
    }
}

/// The holder in a lock file; `None` if there is no file, or no record in it.
fn read(path: &Path) -> Option<Holder> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Takes a stale file away. Processes that find the same one do so one after the other, and look at the file again, so
/// that none takes the file of a process that was faster.
fn remove_stale(path: &Path) -> Result<(), Error> {
    let guard_path = path.with_extension("takeover");
    let failed = |error| Error::io("lock", &guard_path, error);
    let guard = loop {
        let mut open = OpenOptions::new();
        let guard = open
            .write(true)
            .create(true)
            .truncate(false)
            .open(&guard_path)
            .map_err(failed)?;
        // Some servers have no such locks; then the second look below is all there is.
        let _ = guard.lock();
        // The process before may have deleted the file that this one waited for.
        if is_at(&guard, &guard_path) {
            break guard;
        }
    };
    // Nobody creates the lock while a stale one exists, and nobody else deletes it now.
    let is_stale = path.exists() && read(path).is_none_or(|holder| holder.is_gone(false));
    let removed = if is_stale { fs::remove_file(path) } else { Ok(()) };
    let _ = fs::remove_file(&guard_path);
    drop(guard);
    removed.map_err(|error| Error::io("replace", path, error))
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let ids = file.metadata().map(id).ok().zip(fs::metadata(path).map(id).ok());
    ids.is_some_and(|(one, other)| one == other)
}

/// Whether an open file is the one at a path. Windows does not delete open files.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, holder: &Holder) {
        fs::write(path, serde_json::to_string(holder).unwrap()).unwrap();
    }

    #[test]
    fn a_second_run_is_refused_until_the_first_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("training.lock");
        let first = Lock::acquire(&path).unwrap();
        let error = Lock::acquire(&path).unwrap_err();
        let found = Holder::this_process();
        assert!(
            matches!(&error, Error::Locked { pid, host, .. } if *pid == found.pid && *host == found.host)
        );
        assert_eq!(Lock::holder(&path).unwrap().pid, found.pid);
        drop(first);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        Lock::acquire(&path).unwrap();
    }

    #[test]
    fn a_lock_of_an_ended_process_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("training.lock");
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .arg("--list")
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let mut ended = Holder::this_process();
        (ended.pid, ended.identity) = (pid, Identity::default());
        write(&path, &ended);
        drop(Lock::acquire(&path).unwrap());
        // This process's number, but no lock of this process: left by a process that had the number before.
        write(&path, &Holder::this_process());
        drop(Lock::acquire(&path).unwrap());
        // Not a record at all: cut short by a full disk, say.
        fs::write(&path, "{").unwrap();
        drop(Lock::acquire(&path).unwrap());
    }

    #[test]
    fn a_lock_of_another_machine_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("training.lock");
        let mut other = Holder::this_process();
        other.host = "another.machine".to_owned();
        write(&path, &other);
        let error = Lock::acquire(&path).unwrap_err().to_string();
        assert!(
            error.contains("another.machine") && error.contains("training.lock"),
            "{error}"
        );
        assert!(path.is_file());
    }

    #[test]
    fn a_lock_of_an_earlier_start_of_the_same_job_is_stale_on_any_machine() {
        let job = |id: &str, restarts: Option<&str>| {
            SlurmJob::of_environment(|name| match name {
                "SLURM_JOB_ID" => Some(id.to_owned()),
                "SLURM_RESTART_COUNT" => restarts.map(str::to_owned),
                _ => None,
            })
        };
        let mut other = Holder::this_process();
        other.host = "another.machine".to_owned();
        other.job = job("12", None);
        assert!(other.is_earlier_start(job("12", Some("1")).as_ref()));
        // Another step of the same start, another job, and no job at all.
        assert!(!other.is_earlier_start(job("12", None).as_ref()));
        assert!(!other.is_earlier_start(job("13", Some("1")).as_ref()));
        assert!(!other.is_earlier_start(None));
        other.job = None;
        assert!(!other.is_earlier_start(job("12", Some("1")).as_ref()));
    }

    #[test]
    fn of_many_that_find_a_stale_lock_one_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("training.lock");
        for _ in 0..200 {
            write(&path, &Holder::this_process());
            let locks: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| Lock::acquire(&path))).collect();
                threads
                    .into_iter()
                    .filter_map(|t| t.join().unwrap().ok())
                    .collect()
            });
            assert_eq!(locks.len(), 1);
        }
    }
}
