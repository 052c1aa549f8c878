//! Names in a zip file, which anyone may have written.

/// Longest component of a name that every usual file system takes.
const LONGEST: usize = 255;
/// Longest name; folders before it need some of the usual limit of 4096.
const LONGEST_NAME: usize = 1024;

/// The components of a name that is safe on every system: below the folder it is unpacked into, and the same file for
/// all systems. The name of a folder may end with `/`.
///
/// # Errors
/// What is wrong with the name.
pub(crate) fn components(name: &str) -> Result<Vec<&str>, &'static str> {
    if name.chars().any(char::is_control) {
        return Err("it contains a control character");
    }
    if name.contains('\\') {
        return Err("it contains a backslash");
    }
    if name.starts_with('/') {
        return Err("it is an absolute path");
    }
    if name.contains(':') {
        return Err("it contains a colon, as drive letters and streams of Windows do");
    }
    if name.len() > LONGEST_NAME {
        return Err("it is longer than 1024 bytes");
    }
    let parts: Vec<_> = name.strip_suffix('/').unwrap_or(name).split('/').collect();
    for part in &parts {
        match *part {
            "" => return Err("it has an empty part"),
            "." | ".." => return Err("it has a part . or .., which leads elsewhere"),
            _ if part.len() > LONGEST => return Err("a part is longer than 255 bytes"),
            _ if part.ends_with(['.', ' ']) => {
                return Err("a part ends with a dot or blank, which Windows drops")
            }
            _ if part.contains(['<', '>', '"', '|', '?', '*']) => {
                return Err("it contains a character that Windows does not allow")
            }
            _ if is_device(part) => return Err("a part is the name of a device of Windows"),
            _ => {}
        }
    }
    Ok(parts)
}

/// Whether Windows takes a name, with any extension, for a device.
fn is_device(part: &str) -> bool {
    let stem = part
        .split('.')
        .next()
        .unwrap_or(part)
        .trim_end()
        .to_ascii_uppercase();
    let numbered = |prefix: &str| {
        let rest = stem.strip_prefix(prefix);
        rest.is_some_and(|rest| {
            matches!(
                rest.chars().collect::<Vec<_>>()[..],
                ['1'..='9' | '¹' | '²' | '³']
            )
        })
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_models_are_safe() {
        let name = "3d_fullres/Task501_Größe v1.2/T__P/fold_0/model_final_checkpoint.model.pkl";
        assert_eq!(components(name).unwrap().join("/"), name);
        assert_eq!(components("2d/Task001_A/").unwrap(), ["2d", "Task001_A"]);
    }

    #[test]
    fn each_hostile_name_is_refused() {
        let long = "n".repeat(256);
        for name in [
            "",
            "/",
            "//",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a/.",
            "a//b",
            "/etc/passwd",
            "C:/a",
            "C:a",
            "a:stream",
            "a\\b",
            "..\\a",
            "\\\\host\\a",
            "a\0b",
            "a\nb",
            "a/b.",
            "a /b",
            "a/CON",
            "nul.txt",
            "com1",
            "a/LPT9.x",
            "a?",
            "a*b",
            &long,
        ] {
            assert!(components(name).is_err(), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn an_accepted_name_stays_below_its_folder(name in "[a./\\\\: CON\u{0}-~é]{0,12}|([.a/]|\\.\\.){1,9}") {
            if let Ok(parts) = components(&name) {
                let path = parts.iter().fold(Path::new("base").to_owned(), |path, part| path.join(part));
                let normal = path.components().all(|part| matches!(part, Component::Normal(_)));
                prop_assert!(normal && path.starts_with("base") && path.components().count() == parts.len() + 1);
                prop_assert_eq!(parts.join("/"), name.strip_suffix('/').unwrap_or(&name));
            }
        }
    }
}
