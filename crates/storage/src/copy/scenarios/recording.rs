//! A recorded scenario: the folder before and after the call, and the call itself. File names are free.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Path -> (kind, mode, content). Paths of folders, and of links to folders, end in `/`.
pub type State = BTreeMap<String, (String, u32, Option<String>)>;

/// The call of a scenario. Paths are relative to its folder.
pub struct Call {
    /// Whether the call is `copyfile`; otherwise it is `copytree`.
    pub is_file: bool,
    pub source: PathBuf,
    pub target: PathBuf,
    /// Patterns of `ignore`.
    pub ignore: Vec<String>,
    /// Whether links are copied as links.
    pub keep_links: bool,
}

pub struct Scenario<'a> {
    pub name: &'a str,
    pub record: &'a Value,
    pub before: State,
    pub after: State,
}

fn state(recorded: &Value) -> State {
    let entry = |entry: &Value| {
        let text = |i: usize| entry[i].as_str().map(str::to_owned);
        let mode = u32::from_str_radix(text(2).unwrap().trim_start_matches("0o"), 8).unwrap();
        (text(0).unwrap(), (text(1).unwrap(), mode, text(3)))
    };
    recorded.as_array().unwrap().iter().map(entry).collect()
}

/// Returns the text between single quotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('\'').skip(1).step_by(2).collect()
}

impl<'a> Scenario<'a> {
    pub fn new(record: &'a Value) -> Self {
        Self {
            name: record["name"].as_str().unwrap(),
            record,
            before: state(&record["before"]),
            after: state(&record["after"]),
        }
    }

    fn action(&self) -> &'a str {
        self.record["action"].as_str().unwrap()
    }

    pub fn raised(&self) -> Option<&'a str> {
        self.record["raised"].as_str()
    }

    pub fn returned(&self) -> Option<&'a str> {
        self.record["returned"].as_str()
    }

    /// Returns the paths in the recorded error.
    fn named(&self) -> Vec<&'a str> {
        self.record["str"].as_str().map_or_else(Vec::new, quoted)
    }

    fn is_folder(&self, path: &str) -> bool {
        self.before
            .contains_key(&format!("{}/", path.trim_end_matches('/')))
    }

    pub fn call(&self) -> Call {
        let action = self.action();
        let is_file = self.name.starts_with("copyfile");
        let spelled = action.starts_with("copyfile('") || action.starts_with("copytree('");
        let (source, target) = match quoted(action)[..] {
            [source, target, ..] if spelled => (source, target),
            _ if is_file => self.file_call(),
            _ => self.tree_call(),
        };
        let patterns = action.contains("ignore_patterns(").then(|| quoted(action));
        Call {
            is_file,
            source: source.into(),
            target: target.into(),
            ignore: patterns.into_iter().flatten().map(str::to_owned).collect(),
            keep_links: action.contains("follow_symlinks=False"),
        }
    }

    /// Infers source and target of a copied file from the folder before and after.
    fn file_call(&self) -> (&str, &str) {
        let target = match (self.raised(), self.returned()) {
            (_, Some(target)) => match target.rsplit_once('/') {
                Some((folder, _)) if self.is_folder(folder) => folder,
                _ => target,
            },
            (Some("SameFileError"), _) => match self.named()[1].rsplit_once('/') {
                Some((folder, _)) => folder,
                None => self.named()[1],
            },
            (Some("FileNotFoundError"), _) if !self.before.is_empty() => self.named()[0],
            _ => "the-target",
        };
        let kinds = ["symlink", "file", "dir"];
        let of_kind = |kind: &&str| {
            let mut entries = self.before.iter().filter(move |(_, entry)| entry.0 == **kind);
            entries.find(|(path, _)| path.trim_end_matches('/') != target || self.before.len() == 1)
        };
        let source = match kinds.iter().find_map(of_kind) {
            Some((path, _)) => path.trim_end_matches('/'),
            None => self.named()[0],
        };
        (source, target)
    }

    /// Infers source and target of a copied folder.
    fn tree_call(&self) -> (&str, &str) {
        let new = self.after.keys().find(|path| !self.before.contains_key(*path));
        let target = match (self.raised(), self.returned()) {
            (_, Some(target)) if self.after.contains_key(&format!("{target}/")) => target,
            (Some("FileExistsError"), _) => self.named()[0],
            _ => new.map_or("the-target", |path| path.trim_end_matches('/')),
        };
        let top = self.before.keys().find_map(|path| path.strip_suffix('/'));
        let other = self.before.keys().filter_map(|path| path.strip_suffix('/'));
        let source = match top {
            None => self.named()[0],
            Some(_) => other
                .into_iter()
                .find(|path| !path.contains('/') && *path != target)
                .unwrap(),
        };
        (source, target)
    }

    /// Returns the target of a link, relative to the link's own folder. The recording only shows the content
    /// behind the link. A path that exists only relative to the current folder gets the name of such a file.
    pub fn link_target(&self, link: &str) -> String {
        let (_, mode, content) = &self.before[link];
        let path = link.trim_end_matches('/');
        let folder = path.rfind('/').map_or("", |end| &path[..=end]);
        let beside = |kind: &'static str| {
            let of_kind = self.before.iter().filter(move |(_, entry)| entry.0 == kind);
            of_kind.filter_map(move |(path, entry)| Some((path.strip_prefix(folder)?, entry)))
        };
        let linked = match content {
            _ if link.ends_with('/') => beside("dir").find(|(name, e)| !name.is_empty() && e.1 == *mode),
            Some(_) => beside("file").find(|(_, entry)| entry.2 == *content),
            None => None,
        };
        let elsewhere = || {
            let listed = self.args().iter().any(|entry| entry[0] == path);
            let mut files = self
                .before
                .iter()
                .filter(|(path, e)| e.0 == "file" && !path.contains('/'));
            files.next().filter(|_| listed).map(|(name, _)| name.clone())
        };
        let target = linked.map(|(name, _)| name.trim_end_matches('/').to_owned());
        target.or_else(elsewhere).unwrap_or_else(|| "nowhere".to_owned())
    }

    /// Whether the links were recorded with absolute targets.
    pub fn absolute_links(&self) -> bool {
        self.action().starts_with("absolute links")
    }

    /// Returns the entries of a recorded `shutil.Error`: source, target, message.
    fn args(&self) -> &[Value] {
        let entries = self.record["args"].as_array().map_or(&[][..], Vec::as_slice);
        if self.raised() == Some("Error") {
            entries
        } else {
            &[]
        }
    }

    /// Returns the sources of the recorded failures that also fail here. Metadata is not copied, so a
    /// folder's metadata cannot fail. Dangling links are skipped.
    pub fn failed_files(&self) -> Vec<&str> {
        let sources = self.args().iter().filter_map(|entry| entry[0].as_str());
        sources
            .filter(|path| self.before.get(*path).is_some_and(|entry| entry.0 == "file"))
            .collect()
    }

    /// Returns the file whose copy was made to fail, and the error number. The reference ignores EPERM: the
    /// file is then missing without an error.
    pub fn simulated(&self) -> Option<(PathBuf, i32)> {
        if !self.action().starts_with("simulated") {
            return None;
        }
        let call = self.call();
        let source = call.source.to_str().unwrap();
        let missing = self.before.iter().find_map(|(path, entry)| {
            let below = path.strip_prefix(source).filter(|_| entry.0 == "file")?;
            let copied = self
                .after
                .contains_key(&format!("{}{below}", call.target.display()));
            (!copied).then_some(path)
        })?;
        let message = self.args().iter().find(|entry| entry[0] == *missing);
        let number = message.and_then(|entry| {
            let text = entry[2].as_str()?.split("[Errno ").nth(1)?;
            text.split(']').next()?.parse().ok()
        });
        Some((Path::new(missing).to_owned(), number.unwrap_or(1)))
    }
}
