//! Replays of recorded `shutil_sol` scenarios. Each difference from the recording is explained.

mod recording;

use std::io::ErrorKind;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{fs, io};

use run::Coded;

use self::recording::{Call, Scenario, State};
use super::tree::copy_tree_by;
use super::{copy_file, copy_tree, Links, TreeOptions};
use crate::Error;

/// Modes of a new file and a new folder. The recording's umask was 022; that of this process may differ.
fn default_modes() -> (u32, u32) {
    let folder = tempfile::tempdir().unwrap();
    let (file, sub) = (folder.path().join("f"), folder.path().join("d"));
    fs::write(&file, "").unwrap();
    fs::create_dir(&sub).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    (mode(&file), mode(&sub))
}

/// Creates the scenario's files, then sets their modes.
fn build(scenario: &Scenario, root: &Path) {
    for (name, (kind, _, content)) in &scenario.before {
        let path = root.join(name.trim_end_matches('/'));
        match kind.as_str() {
            "dir" => fs::create_dir_all(path).unwrap(),
            "file" => fs::write(path, content.as_ref().unwrap()).unwrap(),
            _ => {
                let target = scenario.link_target(name);
                let target = match scenario.absolute_links() {
                    true => path.with_file_name(target),
                    false => PathBuf::from(target),
                };
                symlink(target, path).unwrap();
            }
        }
    }
    for (name, (kind, mode, _)) in &scenario.before {
        if kind != "symlink" {
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(*mode)).unwrap();
        }
    }
}

fn found(root: &Path) -> State {
    fn visit(folder: &Path, prefix: &str, state: &mut State) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            let slash = if path.is_dir() { "/" } else { "" };
            let name = format!("{prefix}{}{slash}", entry.file_name().to_str().unwrap());
            let mode = fs::metadata(&path).map_or(0o777, |m| m.permissions().mode() & 0o777);
            let content = fs::read_to_string(&path).ok();
            if kind.is_symlink() {
                // The recording shows the folder's mode for a link to a folder.
                let mode = if path.is_dir() { mode } else { 0o777 };
                state.insert(name, ("symlink".to_owned(), mode, content));
            } else if kind.is_dir() {
                visit(&path, &name, state);
                state.insert(name, ("dir".to_owned(), mode, None));
            } else {
                state.insert(name, ("file".to_owned(), mode, content));
            }
        }
    }
    let mut state = State::new();
    visit(root, "", &mut state);
    state
}

fn errno(code: i32) -> Error {
    Error::io("write", Path::new("x"), io::Error::from_raw_os_error(code))
}

/// Runs the scenario's call. Returns the path that the reference returns.
fn act(scenario: &Scenario, call: &Call, root: &Path) -> Result<PathBuf, Error> {
    let (source, target) = (root.join(&call.source), root.join(&call.target));
    if call.is_file {
        let links = if call.keep_links {
            Links::Keep
        } else {
            Links::Follow
        };
        return copy_file(&source, &target, links);
    }
    let options = TreeOptions {
        ignore: call.ignore.clone(),
        ..TreeOptions::default()
    };
    match scenario.simulated() {
        None => copy_tree(&source, &target, &options),
        Some((file, code)) => {
            let copy = |from: &Path, to: &Path| match from == root.join(&file) {
                true => Err(errno(code)),
                false => copy_file(from, to, Links::Follow).map(drop),
            };
            copy_tree_by(&source, &target, &options, &copy, &mut |_| ())
        }
    }
    .map(|_| target)
}

#[test]
fn recorded_scenarios_give_recorded_files() {
    let recorded = testkit::json(&testkit::folder("fs").join("shutil_sol_scenarios.json"));
    let scenarios = recorded["scenarios"].as_array().unwrap();
    assert!(!scenarios.is_empty());
    for scenario in scenarios {
        let scenario = Scenario::new(scenario);
        let folder = tempfile::tempdir().unwrap();
        build(&scenario, folder.path());
        let call = scenario.call();
        let result = act(&scenario, &call, folder.path());
        check_result(&scenario, &call, result, folder.path());
        check_state(&scenario, &call, &found(folder.path()));
    }
}

fn check_result(scenario: &Scenario, call: &Call, result: Result<PathBuf, Error>, root: &Path) {
    let name = scenario.name;
    let simulated = scenario.simulated();
    match (scenario.raised(), result) {
        // The reference ignores this error; here it is listed. The file is missing in both.
        (None, Err(Error::Tree { failures, .. })) if simulated.is_some() => {
            let failed: Vec<PathBuf> = failures.into_iter().map(|f| f.source).collect();
            assert_eq!(failed, [root.join(simulated.unwrap().0)], "{name}");
        }
        (None, Ok(path)) => {
            assert!(simulated.is_none(), "{name}");
            // A path relative to another current folder is still the target.
            let returned = scenario.returned().unwrap();
            let expected = if returned.starts_with("../") {
                root.join(&call.target)
            } else {
                root.join(returned)
            };
            assert_eq!(path, expected, "{name}");
        }
        (Some("Error"), Ok(_)) => assert!(scenario.failed_files().is_empty(), "{name}"),
        (Some("Error"), Err(Error::Tree { failures, .. })) => {
            let listed: Vec<&str> = failures
                .iter()
                .map(|f| f.source.strip_prefix(root).unwrap().to_str().unwrap())
                .collect();
            assert_eq!(listed, scenario.failed_files(), "{name}");
        }
        (Some("SameFileError"), Err(error)) => assert_eq!(error.code(), "ERR_SAME_FILE", "{name}"),
        (Some("FileExistsError"), Err(Error::TargetExists { .. })) => {}
        (Some(raised), Err(Error::Io { source, .. })) => {
            let kind = match raised {
                "FileNotFoundError" => ErrorKind::NotFound,
                "IsADirectoryError" => ErrorKind::IsADirectory,
                "FileExistsError" => ErrorKind::AlreadyExists,
                other => panic!("{name}: {other}"),
            };
            assert_eq!(source.kind(), kind, "{name}");
        }
        (raised, other) => panic!("{name}: recorded {raised:?}, found {other:?}"),
    }
}

/// Returns the content behind the links below the source. Here a relative link is resolved from its own
/// folder. In the reference it is resolved from the current folder.
fn linked_content(scenario: &Scenario, call: &Call) -> State {
    let (source, target) = (call.source.to_str().unwrap(), call.target.display());
    let mut state = State::new();
    for (link, entry) in scenario.before.iter().filter(|(_, entry)| entry.0 == "symlink") {
        let Some(below) = link.strip_prefix(source) else {
            continue;
        };
        let folder = link
            .trim_end_matches('/')
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        if link.ends_with('/') {
            let prefix = format!("{folder}/{}/", scenario.link_target(link));
            for (path, entry) in &scenario.before {
                if let Some(inside) = path.strip_prefix(&prefix) {
                    state.insert(format!("{target}{below}{inside}"), entry.clone());
                }
            }
        } else if entry.2.is_some() {
            state.insert(
                format!("{target}{below}"),
                ("file".to_owned(), entry.1, entry.2.clone()),
            );
        }
    }
    state
}

fn check_state(scenario: &Scenario, call: &Call, found: &State) {
    let mut expected = scenario.after.clone();
    if !call.is_file {
        expected.extend(linked_content(scenario, call));
    }
    let (file_mode, folder_mode) = default_modes();
    for (path, (kind, mode, _)) in &mut expected {
        if !scenario.before.contains_key(path) {
            match kind.as_str() {
                // Modes are not copied.
                "dir" => *mode = folder_mode,
                "file" => *mode = file_mode,
                _ => {}
            }
        }
    }
    assert_eq!(found, &expected, "{}", scenario.name);
}

#[test]
fn read_only_folder_is_copied_to_writable_folder() {
    // The source folder is readable but not writable. The copy must be writable.
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("src");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("a"), "1").unwrap();
    fs::set_permissions(&source, fs::Permissions::from_mode(0o555)).unwrap();
    let target = folder.path().join("dst");
    let summary = copy_tree(&source, &target, &TreeOptions::default()).unwrap();
    assert_eq!((summary.files, summary.folders), (1, 1));
    assert_eq!(
        fs::metadata(&target).unwrap().permissions().mode() & 0o777,
        default_modes().1
    );
}

#[test]
fn uncopyable_entries_are_listed_and_others_copied() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("src");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("z"), "1").unwrap();
    symlink(".", source.join("loop")).unwrap();
    symlink("gone", source.join("lost")).unwrap();
    std::os::unix::net::UnixListener::bind(source.join("socket")).unwrap();
    let target = folder.path().join("dst");
    let Err(error @ Error::Tree { .. }) = copy_tree(&source, &target, &TreeOptions::default()) else {
        panic!("must fail");
    };
    let Error::Tree { failures, .. } = &error else {
        unreachable!()
    };
    let codes: Vec<&str> = failures.iter().map(|f| f.error.code()).collect();
    assert_eq!(codes, ["ERR_LINK_CYCLE", "ERR_SPECIAL_FILE"]);
    assert!(error.to_string().contains("src/socket"), "{error}");
    assert_eq!(fs::read_to_string(target.join("z")).unwrap(), "1");
    fs::remove_file(source.join("loop")).unwrap();
    fs::remove_file(source.join("socket")).unwrap();
    let summary = copy_tree(&source, &folder.path().join("two"), &TreeOptions::default()).unwrap();
    assert_eq!(summary.dangling_links, [source.join("lost")]);
    let bad = TreeOptions {
        ignore: vec!["[".to_owned()],
        ..TreeOptions::default()
    };
    assert!(matches!(
        copy_tree(&source, &folder.path().join("three"), &bad),
        Err(Error::Pattern { .. })
    ));
}

#[test]
fn folder_is_copied_into_itself_once() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("src");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("a"), "1").unwrap();
    copy_tree(&source, &source.join("copy"), &TreeOptions::default()).unwrap();
    assert!(source.join("copy/a").exists() && !source.join("copy/copy").exists());
}
