//! Copies and writes on file systems that fail: real ones where this machine allows to mount them, and a library that
//! makes system calls fail elsewhere. A test that the machine does not allow says so and passes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod mounts;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use run::Coded;
use storage::{copy_file, copy_tree, link_or_copy, write_atomic, Error, Links, TreeOptions};

/// Names the scenario that a child of this test binary runs, with its folder.
const SCENARIO: &str = "STORAGE_TEST_SCENARIO";

/// Returns the library that makes calls fail, or `None` without a C compiler.
fn shim(folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
    let library = folder.join("shim.so");
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let done = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .output();
    match done {
        Ok(done) if done.status.success() => Some(library),
        _ => {
            println!("skipped: no C compiler for {}", source.display());
            None
        }
    }
}

/// What the scenario gave: the code of its error or `ok`, then its message.
fn act(folder: &Path) -> Result<(), Error> {
    copy_file(
        &folder.join("from/a.txt"),
        &folder.join("to/old.txt"),
        Links::Follow,
    )?;
    write_atomic(&folder.join("to/new.txt"), |out| out.write_all(b"written"))?;
    copy_tree(
        &folder.join("from"),
        &folder.join("to/tree"),
        &TreeOptions::default(),
    )
    .map(drop)
}

/// The child: runs the scenario and prints the outcome. Does nothing in an ordinary run of the tests.
#[test]
fn scenario() {
    if let Some(folder) = env::var_os(SCENARIO) {
        match act(Path::new(&folder)) {
            Ok(()) => println!("outcome ok"),
            Err(error) => println!("outcome {} {error}", error.code()),
        }
    }
}

fn tree(folder: &Path) {
    for name in ["from/sub", "to"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    fs::write(folder.join("from/a.txt"), "content").unwrap();
    fs::write(folder.join("from/sub/b.txt"), "more").unwrap();
    fs::write(folder.join("to/old.txt"), "previous").unwrap();
}

/// Runs the scenario with a fault below `to`. Returns its outcome.
fn run_with(library: &Path, folder: &Path, fault: &str) -> String {
    tree(folder);
    let done = Command::new(env::current_exe().unwrap())
        .args(["--exact", "scenario", "--nocapture"])
        .env(SCENARIO, folder)
        .env("LD_PRELOAD", library)
        .env("FAULT", fault)
        .env("FAULT_UNDER", "/to")
        .output()
        .unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let line = text.lines().find_map(|line| line.split_once("outcome "));
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    line.unwrap_or_else(|| panic!("{text}{errors}")).1.to_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn server_without_metadata_gets_all_content() {
    let base = tempfile::tempdir().unwrap();
    let Some(library) = shim(base.path()) else { return };
    for code in [libc::EPERM, libc::EACCES, libc::ENOTSUP] {
        let folder = base.path().join(format!("metadata{code}"));
        assert_eq!(run_with(&library, &folder, &format!("metadata:{code}")), "ok");
        assert_eq!(names(&folder.join("to")), ["new.txt", "old.txt", "tree"]);
        assert_eq!(fs::read_to_string(folder.join("to/old.txt")).unwrap(), "content");
        assert_eq!(
            fs::read_to_string(folder.join("to/tree/sub/b.txt")).unwrap(),
            "more"
        );
    }
}

#[test]
fn failing_content_is_always_an_error_and_keeps_the_previous_file() {
    let base = tempfile::tempdir().unwrap();
    let Some(library) = shim(base.path()) else { return };
    let faults = [
        // The shim writes to a file that is renamed later, and it is the metadata that fails otherwise than by refusal.
        ("metadata", libc::EIO, "ERR_STORAGE_IO"),
        ("write", libc::EPERM, "ERR_STORAGE_IO"),
        ("write", libc::EACCES, "ERR_STORAGE_IO"),
        ("write", libc::EIO, "ERR_STORAGE_IO"),
        ("write", libc::ESTALE, "ERR_STORAGE_IO"),
        ("write", libc::ENOSPC, "ERR_DISK_FULL"),
        ("write", libc::EDQUOT, "ERR_DISK_FULL"),
        ("sync", libc::EIO, "ERR_STORAGE_IO"),
        ("sync", libc::ENOSPC, "ERR_DISK_FULL"),
        ("sync", libc::EDQUOT, "ERR_DISK_FULL"),
    ];
    for (calls, code, expected) in faults {
        let folder = base.path().join(format!("{calls}{code}"));
        let outcome = run_with(&library, &folder, &format!("{calls}:{code}"));
        assert!(outcome.starts_with(expected), "{calls} {code}: {outcome}");
        assert!(outcome.contains("old.txt"), "{calls} {code}: {outcome}");
        assert_eq!(
            names(&folder.join("to")),
            ["old.txt"],
            "{calls} {code}: no temporary file stays"
        );
        assert_eq!(fs::read_to_string(folder.join("to/old.txt")).unwrap(), "previous");
    }
}

#[test]
fn every_failed_entry_of_a_folder_is_listed() {
    let base = tempfile::tempdir().unwrap();
    let Some(library) = shim(base.path()) else { return };
    let folder = base.path().join("tree");
    tree(&folder);
    let done = Command::new(env::current_exe().unwrap())
        .args(["--exact", "scenario", "--nocapture"])
        .env(SCENARIO, &folder)
        .env("LD_PRELOAD", &library)
        .env("FAULT", format!("write:{}", libc::EIO))
        .env("FAULT_UNDER", "/tree/to/tree/")
        .output()
        .unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let listed = ["outcome ERR_COPY_TREE 2 of the entries", "a.txt", "b.txt"];
    assert!(listed.iter().all(|part| text.contains(part)), "{text}");
    assert_eq!(names(&folder.join("to/tree")), ["sub"]);
}
