//! Environment variables in options.

use std::path::{Path, PathBuf};

use crate::{OptionError, OptionResult};

/// Replaces `$NAME` and `${NAME}` in the path of the option `name` by environment variables of this process: a job of a
/// cluster names the disk of its machine that way before it knows the machine.
///
/// # Errors
/// [`OptionError`] for a variable that is not set, or empty.
pub fn expand_variables(name: &str, path: &Path) -> OptionResult<PathBuf> {
    expand(name, path, |variable| std::env::var(variable).ok())
}

fn expand(name: &str, path: &Path, value: impl Fn(&str) -> Option<String>) -> OptionResult<PathBuf> {
    // A path that is no text has no variables here.
    let Some(text) = path.to_str() else {
        return Ok(path.to_owned());
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (variable, end) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((variable, end)) => (variable, end),
            None => {
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                after.split_at(after.find(|c| !word(c)).unwrap_or(after.len()))
            }
        };
        if variable.is_empty() {
            out.push('$');
        } else {
            let found = value(variable).filter(|found| !found.is_empty());
            let missing = || OptionError::new(name, format!("{text}: {variable} is not set on this machine"));
            out.push_str(&found.ok_or_else(missing)?);
        }
        rest = end;
    }
    out.push_str(rest);
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_and_unset_ones_are_errors() {
        let value = |name: &str| match name {
            "TMPDIR" => Some("/local/7".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let of = |text: &str| expand("scratch", Path::new(text), value);
        for (text, expected) in [
            ("$TMPDIR", "/local/7"),
            ("${TMPDIR}x/$TMPDIR/a b", "/local/7x//local/7/a b"),
            ("/plain", "/plain"),
            ("/a$", "/a$"),
            ("/a$/b", "/a$/b"),
        ] {
            assert_eq!(of(text).unwrap(), Path::new(expected), "{text}");
        }
        for text in ["$OTHER/a", "${EMPTY}"] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.contains("is not set on this machine"), "{error}");
        }
    }
}
