//! Real file systems. They need the right to mount, as in a container of a build server.

use super::*;

/// A file system that is unmounted at the end.
struct Mount(PathBuf);

impl Mount {
    /// Mounts a file system, or says why not.
    fn new(path: &Path, arguments: &[&str]) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let done = Command::new("mount").args(arguments).arg(path).output();
        match done {
            Ok(done) if done.status.success() => Some(Self(path.to_owned())),
            Ok(done) => skip(&String::from_utf8_lossy(&done.stderr)),
            Err(error) => skip(&error.to_string()),
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

fn skip<T>(reason: &str) -> Option<T> {
    println!("skipped: {}", reason.trim());
    None
}

#[test]
fn full_disk_keeps_the_previous_file_and_no_remains() {
    let base = tempfile::tempdir().unwrap();
    let small = base.path().join("small");
    let Some(_mount) = Mount::new(&small, &["-t", "tmpfs", "-o", "size=256k", "tmpfs"]) else {
        return;
    };
    // Some systems ignore the size, or apply it to whole pages only.
    if storage::available_space(&small).unwrap() > 1 << 19 {
        return skip::<()>("the size of a tmpfs is ignored").unwrap_or(());
    }
    // The file of another system is copied where a hard link is impossible.
    fs::write(base.path().join("short"), "short").unwrap();
    link_or_copy(&base.path().join("short"), &small.join("short")).unwrap();
    assert_eq!(fs::read_to_string(small.join("short")).unwrap(), "short");
    fs::remove_file(small.join("short")).unwrap();
    let (source, target) = (base.path().join("large"), small.join("file"));
    fs::write(&source, vec![7; 1 << 20]).unwrap();
    fs::write(&target, "previous").unwrap();
    let error = copy_file(&source, &target, Links::Follow).unwrap_err();
    assert_eq!(error.code(), "ERR_DISK_FULL", "{error}");
    let error = write_atomic(&target, |out| out.write_all(&[7; 1 << 20])).unwrap_err();
    assert_eq!(error.code(), "ERR_DISK_FULL", "{error}");
    assert_eq!(
        (names(&small), fs::read_to_string(&target).unwrap().as_str()),
        (vec!["file".into()], "previous")
    );
}

#[test]
fn read_only_mount_can_be_copied_from_and_not_to() {
    let base = tempfile::tempdir().unwrap();
    let (folder, view) = (base.path().join("folder"), base.path().join("view"));
    tree(&folder);
    let text = folder.to_str().unwrap();
    let Some(mount) = Mount::new(&view, &["--bind", text]) else {
        return;
    };
    let read_only = Command::new("mount")
        .args(["-o", "remount,bind,ro"])
        .arg(&mount.0)
        .output()
        .unwrap();
    if !read_only.status.success() {
        return skip::<()>("read-only bind mounts are refused").unwrap_or(());
    }
    let copy = base.path().join("copy");
    let done = copy_tree(&view.join("from"), &copy, &TreeOptions::default()).unwrap();
    assert_eq!(
        (done.files, names(&copy)),
        (2, vec!["a.txt".to_owned(), "sub".to_owned()])
    );
    fs::write(copy.join("a.txt"), "a copy is not read-only").unwrap();
    let error = copy_file(&copy.join("a.txt"), &view.join("from/a.txt"), Links::Follow).unwrap_err();
    assert_eq!(error.code(), "ERR_STORAGE_IO", "{error}");
    assert!(error.to_string().contains("from/a.txt"), "{error}");
    assert_eq!(fs::read_to_string(folder.join("from/a.txt")).unwrap(), "content");
}

#[test]
fn immutable_file_is_not_replaced() {
    let base = tempfile::tempdir().unwrap();
    tree(base.path());
    let file = base.path().join("from/a.txt");
    let change = |flag: &str| {
        let done = Command::new("chattr").arg(flag).arg(&file).output();
        done.is_ok_and(|done| done.status.success())
    };
    if !change("+i") {
        return skip::<()>("chattr +i is refused").unwrap_or(());
    }
    let copied = copy_file(&base.path().join("from/sub/b.txt"), &file, Links::Follow);
    let read = fs::read_to_string(&file);
    let listed = names(&base.path().join("from"));
    assert!(change("-i"));
    let error = copied.unwrap_err();
    assert_eq!(error.code(), "ERR_STORAGE_IO", "{error}");
    assert_eq!(
        (read.unwrap().as_str(), listed),
        ("content", vec!["a.txt".to_owned(), "sub".to_owned()])
    );
}

#[test]
fn overlay_is_written_above_and_its_lower_layer_stays() {
    let base = tempfile::tempdir().unwrap();
    // An overlay cannot lie on an overlay, as the disk of a container often is.
    let disk = base.path().join("disk");
    let Some(_disk) = Mount::new(&disk, &["-t", "tmpfs", "tmpfs"]) else {
        return;
    };
    let part = |name: &str| disk.join(name);
    tree(&part("lower"));
    ["upper", "work"]
        .iter()
        .for_each(|name| fs::create_dir(part(name)).unwrap());
    let layers = format!(
        "lowerdir={},upperdir={},workdir={}",
        part("lower").display(),
        part("upper").display(),
        part("work").display()
    );
    let Some(merged) = Mount::new(&part("merged"), &["-t", "overlay", "overlay", "-o", &layers]) else {
        return;
    };
    copy_file(
        &merged.0.join("from/sub/b.txt"),
        &merged.0.join("from/a.txt"),
        Links::Follow,
    )
    .unwrap();
    copy_tree(
        &merged.0.join("from"),
        &merged.0.join("to/tree"),
        &TreeOptions::default(),
    )
    .unwrap();
    assert_eq!(
        fs::read_to_string(merged.0.join("to/tree/a.txt")).unwrap(),
        "more"
    );
    assert_eq!(fs::read_to_string(part("lower/from/a.txt")).unwrap(), "content");
}
