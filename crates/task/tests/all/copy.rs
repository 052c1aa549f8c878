//! The verbs that copy files and folders.
#![cfg(unix)]

use std::os::unix::fs::symlink;
use std::sync::Arc;

use run::{Cancel, Coded, Context, Event};
use task::copy::{copy_file, copy_tree, CopyFileOptions, CopyTreeOptions};
use testkit::Recorder;

#[test]
fn folder_is_copied_with_progress_and_a_warning_of_each_dangling_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(path("from/sub")).unwrap();
    for name in ["from/a.txt", "from/sub/b.txt", "from/c.tmp"] {
        std::fs::write(path(name), name).unwrap();
    }
    symlink("../a.txt", path("from/sub/link")).unwrap();
    symlink("nothing", path("from/dangling")).unwrap();
    let sink = Arc::new(Recorder::default());
    let options = CopyTreeOptions {
        ignore: vec!["*.tmp".to_owned()],
        ..CopyTreeOptions::new(path("from"), path("new/to"))
    };
    let done = copy_tree(&options, &Context::new(sink.clone(), Cancel::new(), 1)).unwrap();
    assert_eq!((done.files, done.folders), (3, 2));
    assert_eq!(done.dangling_links, [path("from/dangling")]);
    assert_eq!(sink.warnings(), ["WARN_DANGLING_LINK"]);
    assert_eq!(
        std::fs::read_to_string(path("new/to/sub/link")).unwrap(),
        "from/a.txt"
    );
    assert!(!path("new/to/c.tmp").exists());
    let progress: Vec<_> = sink
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Progress {
                done, total, unit, ..
            } => Some((*done, *total, *unit)),
            _ => None,
        })
        .collect();
    assert_eq!(progress, [1, 2, 3].map(|done| (done, 3, "files")));
    let again = copy_tree(&options, &Context::silent(1)).unwrap_err();
    assert_eq!(again.code(), "ERR_TARGET_EXISTS");
    assert!(again.to_string().contains("new/to exists already"), "{again}");
    // As an interrupted copy may leave it: a file and a folder are missing, and one file is of an earlier version.
    std::fs::remove_dir_all(path("new/to/sub")).unwrap();
    std::fs::write(path("new/to/a.txt"), "older").unwrap();
    let options = CopyTreeOptions {
        resume: true,
        ..options
    };
    let done = copy_tree(&options, &Context::silent(1)).unwrap();
    assert_eq!((done.files, done.kept), (3, 0));
    std::fs::remove_file(path("new/to/sub/b.txt")).unwrap();
    let done = copy_tree(&options, &Context::silent(1)).unwrap();
    assert_eq!((done.files, done.kept), (1, 2));
    for (name, content) in [("a.txt", "from/a.txt"), ("sub/b.txt", "from/sub/b.txt")] {
        assert_eq!(
            std::fs::read_to_string(path("new/to").join(name)).unwrap(),
            content
        );
    }
}

#[test]
fn cancelled_copy_keeps_complete_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("from")).unwrap();
    let names = ["a", "b", "c", "d"];
    names
        .iter()
        .for_each(|name| std::fs::write(path("from").join(name), name).unwrap());
    let context = |cancel: &Cancel| Context::new(Arc::new(run::NullSink), cancel.clone(), 1);
    let options = |to: &str| CopyTreeOptions::new(path("from"), path(to));
    let counting = Cancel::after(u64::MAX);
    copy_tree(&options("whole"), &context(&counting)).unwrap();
    let checks = counting.checks().unwrap();
    assert!(checks >= 4);
    for limit in 0..checks {
        let to = format!("to{limit}");
        let error = copy_tree(&options(&to), &context(&Cancel::after(limit))).unwrap_err();
        assert_eq!(error.code(), "ERR_CANCELLED");
        for entry in std::fs::read_dir(path(&to)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            assert_eq!(std::fs::read_to_string(entry.path()).unwrap(), name);
        }
    }
}

#[test]
fn file_is_copied_into_a_folder_under_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.txt"), "a").unwrap();
    std::fs::create_dir(path("to")).unwrap();
    let options = CopyFileOptions::new(path("a.txt"), path("to"));
    let done = copy_file(&options, &Context::silent(1)).unwrap();
    assert_eq!(done.target, path("to/a.txt"));
    assert_eq!(std::fs::read_to_string(done.target).unwrap(), "a");
    let same = CopyFileOptions::new(path("a.txt"), path("a.txt"));
    assert_eq!(
        copy_file(&same, &Context::silent(1)).unwrap_err().code(),
        "ERR_SAME_FILE"
    );
    let missing = CopyFileOptions::new(path("none"), path("to"));
    assert_eq!(
        copy_file(&missing, &Context::silent(1)).unwrap_err().code(),
        "ERR_NOT_FOUND"
    );
}
